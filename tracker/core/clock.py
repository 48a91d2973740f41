"""The only place that reads the time: now in UTC, and today in the NPM's time zone."""

import datetime as dt
from zoneinfo import ZoneInfo


class _Clock:
    """Holds the time zone of dates and, in tests, a moment that stands still."""

    zone: ZoneInfo = ZoneInfo("UTC")
    fixed: dt.datetime | None = None


_clock = _Clock()


def use_zone(name: str) -> None:
    """Set the time zone in which dates run: the NPM's (product.md, section 7)."""
    _clock.zone = ZoneInfo(name)


def zone() -> ZoneInfo:
    """Return the time zone in which dates run."""
    return _clock.zone


def now() -> dt.datetime:
    """Return the present moment in UTC."""
    return _clock.fixed or dt.datetime.now(dt.UTC)


def today() -> dt.date:
    """Return today's date in the NPM's time zone."""
    return now().astimezone(_clock.zone).date()


def set_for_tests(moment: dt.datetime | None) -> None:
    """Make time stand still at an aware moment, or let it run again with None."""
    _clock.fixed = moment
