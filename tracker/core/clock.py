"""The only module that reads the time: now in UTC, and today in the NPM's time zone."""

import datetime as dt
from collections.abc import Callable
from zoneinfo import ZoneInfo

Source = Callable[[], dt.datetime]


def system_time() -> dt.datetime:
    """Return the moment that the system's clock shows, in UTC."""
    return dt.datetime.now(dt.UTC)


class _Clock:
    """Holds the time zone of dates and where the time comes from."""

    zone: ZoneInfo = ZoneInfo("UTC")
    source: Source = staticmethod(system_time)


_clock = _Clock()


def use_zone(name: str) -> None:
    """Set the time zone in which dates run: the NPM's (product.md, section 7)."""
    _clock.zone = ZoneInfo(name)


def zone() -> ZoneInfo:
    """Return the time zone in which dates run."""
    return _clock.zone


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
    return now().astimezone(_clock.zone).date()
