"""The only module that reads the time: now in UTC, and today in the NPM's time zone."""

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

from tracker.core.services import Slot

Source = Callable[[], dt.datetime]


def system_time() -> dt.datetime:
    """Return the moment that the system's clock shows, in UTC."""
    return dt.datetime.now(dt.UTC)


# The time zone in which dates run: the NPM's (product.md, section 7).
ZONE: Slot[ZoneInfo] = Slot("zone", ZoneInfo("UTC"))


class _Clock:
    """Where the time comes from: for the whole process, as there is one time for all in it.

    An application always takes the system's. Tests set another before they build one, and read it
    where none runs, so it can't be an application's own.
    """

    source: Source = staticmethod(system_time)


_clock = _Clock()


def zone() -> ZoneInfo:
    """Return the time zone in which dates run; UTC where no application runs."""
    return ZONE.get()


def use_source(source: Source) -> None:
    """Take the time from another source, which returns aware moments in UTC; for tests."""
    _clock.source = source


def source() -> Source:
    """Return where the time comes from."""
    return _clock.source


def now() -> dt.datetime:
    """Return the present moment in UTC."""
    return _clock.source()


def today() -> dt.date:
    """Return today's date in the NPM's time zone."""
    return now().astimezone(zone()).date()
