"""The days on which tests run with the clock moved: when they are, and what the tests are given."""

import datetime as dt
import subprocess
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests import other_days
from tests.effort import LONG
from tests.moments import SPEED, RunningFrom
from tests.other_days import DAYS, INTEGRATION, UNIT, Day
from tests.starting_points import RUN_FOLDER, START

NOW = dt.datetime(2026, 11, 29, 12, 0, tzinfo=dt.UTC)
LIBRARY = Path("/nowhere/libfaketime.so.1")


def test_each_day_is_the_next_such_moment() -> None:
    assert [f"{day.moment(NOW):%Y-%m-%d %H:%M:%S}" for day in DAYS] == [
        "2026-11-30 12:00:00",
        "2026-12-31 23:59:00",
        "2028-02-29 12:00:00",
        "2027-03-28 00:59:30",
        "2027-10-31 00:59:30",
        "2028-01-03 12:00:00",
    ]


def test_all_days_together_run_every_test_in_its_long_form_on_each_database() -> None:
    assert {day.selections[-1][0] for day in DAYS if day.is_long} == {
        "--database=sqlite",
        "--database=postgresql",
    }
    assert all(UNIT in day.selections and day.selections[-1][1:] == INTEGRATION for day in DAYS)


@pytest.mark.parametrize("day", DAYS, ids=lambda day: day.words)
def test_the_tests_of_a_day_are_given_its_zone_and_begin_at_its_moment_if_that_matters(
    day: Day, monkeypatch: pytest.MonkeyPatch
) -> None:
    starts: list[str] = []

    def look(command: list[str], env: dict[str, str], **_more: Any) -> Any:
        assert (LONG in env) == day.is_long
        assert env["TZ"] == env["TRACKER_TIMEZONE"] == day.zone
        start = Path(env[RUN_FOLDER], START)
        starts.append(start.read_text() if start.exists() else "")
        return subprocess.CompletedProcess(command, 0)

    monkeypatch.setenv(LONG, "1")
    monkeypatch.setattr(subprocess, "run", look)
    assert other_days.run(day, LIBRARY, (("tests/unit",),))
    assert bool(starts[0]) == day.is_exact
    if day.is_exact:
        start = dt.datetime.fromisoformat(starts[0])
        later = start + dt.timedelta(minutes=1)
        zone = ZoneInfo(day.zone)
        is_changed = start.astimezone(zone).utcoffset() != later.astimezone(zone).utcoffset()
        assert is_changed or later.date() > start.date()


def test_on_the_last_day_of_the_year_the_clock_of_a_test_runs_too_slowly_to_reach_the_next(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    day = next(day for day in DAYS if day.words == "the last minute of the year")
    monkeypatch.setenv(SPEED, str(day.speed))
    time = RunningFrom(day.moment(NOW))
    hour = 3600.0
    monkeypatch.setattr("time.monotonic", lambda: time._begun + hour)
    assert time() == day.moment(NOW) + dt.timedelta(seconds=36)
