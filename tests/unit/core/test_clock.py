"""Time: now in UTC, and today in the time zone of the NPM."""

import datetime as dt
from collections.abc import Iterator
from zoneinfo import ZoneInfo

import pytest
from flask import current_app

from tests.moments import RunningFrom, standing_at
from tests.services import alone, put
from tracker.core import clock


@pytest.fixture(autouse=True)
def application() -> Iterator[None]:
    with alone():
        yield


def test_the_time_is_the_systems_aware_and_in_utc() -> None:
    clock.use_source(clock.system_time)
    before = dt.datetime.now(dt.UTC)
    now = clock.now()
    assert now.tzinfo is dt.UTC
    assert before <= now <= dt.datetime.now(dt.UTC)


@pytest.mark.parametrize(
    ("zone", "today"),
    [
        ("UTC", dt.date(2026, 3, 2)),
        ("Pacific/Auckland", dt.date(2026, 3, 3)),
        ("Africa/Cairo", dt.date(2026, 3, 3)),
        ("America/Lima", dt.date(2026, 3, 2)),
    ],
)
def test_today_is_the_date_in_the_zone_of_the_npm(zone: str, today: dt.date) -> None:
    clock.use_source(standing_at(dt.datetime(2026, 3, 2, 23, 30, tzinfo=dt.UTC)))
    put(current_app, clock.ZONE.holding(ZoneInfo(zone)))
    assert clock.zone().key == zone
    assert clock.today() == today
    assert clock.now() == dt.datetime(2026, 3, 2, 23, 30, tzinfo=dt.UTC)


def test_a_day_begins_an_hour_earlier_by_utc_in_summer() -> None:
    put(current_app, clock.ZONE.holding(ZoneInfo("Europe/Zurich")))
    for moment, day in (
        (dt.datetime(2026, 1, 31, 22, 59, tzinfo=dt.UTC), dt.date(2026, 1, 31)),
        (dt.datetime(2026, 1, 31, 23, 0, tzinfo=dt.UTC), dt.date(2026, 2, 1)),
        (dt.datetime(2026, 7, 31, 21, 59, tzinfo=dt.UTC), dt.date(2026, 7, 31)),
        (dt.datetime(2026, 7, 31, 22, 0, tzinfo=dt.UTC), dt.date(2026, 8, 1)),
    ):
        clock.use_source(standing_at(moment))
        assert clock.today() == day


def test_tests_can_stop_the_clock_or_start_it_from_a_moment() -> None:
    moment = dt.datetime(2026, 3, 2, 9, 30, tzinfo=dt.UTC)
    clock.use_source(standing_at(moment))
    assert clock.now() == clock.now() == moment
    clock.use_source(RunningFrom(moment))
    first = clock.now()
    assert moment <= first <= clock.now() < moment + dt.timedelta(hours=1)
