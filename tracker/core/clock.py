"""The only module that reads the time: now in UTC, and today in the NPM's time zone."""

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

from tracker.core.services import Slot

Source = Callable[[], dt.datetime]


def system_time() -> dt.datetime:
    """Return the system clock's time in UTC."""
    return dt.datetime.now(dt.UTC)


# The time zone in which days begin and end: the NPM's (product.md, section 7).
ZONE: Slot[ZoneInfo] = Slot("zone", ZoneInfo("UTC"))


class _Clock:
    """The source of the time, one for the whole process.

    Applications always use the system clock. Tests set another source before they build an
    application, and read it where none is running, so it can't belong to an application.
    """

    source: Source = staticmethod(system_time)


_clock = _Clock()


def zone() -> ZoneInfo:
    """Return the time zone in which days begin and end; UTC outside an application."""
    return ZONE.get()


def use_source(source: Source) -> None:
    """Use another source of the time, which returns aware datetimes in UTC; for tests."""
    _clock.source = source


def source() -> Source:
    """Return the current source of the time."""
    return _clock.source


def now() -> dt.datetime:
    """Return the current time in UTC."""
    return _clock.source()


def today() -> dt.date:
    """Return today's date in the NPM's time zone."""
    return now().astimezone(zone()).date()
