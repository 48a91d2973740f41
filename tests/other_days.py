"""Runs tests with the system clock set to days on which software is known to fail."""

import datetime as dt
import os
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from zoneinfo import ZoneInfo

import click

from tests import content
from tests.effort import LONG
from tests.moments import SPEED
from tests.servers import memory
from tests.starting_points import RUN_FOLDER, START

# Where Debian's package libfaketime and others install the library.
_LIBRARIES = ("/usr/lib/*/faketime/libfaketime.so.1", "/usr/lib*/faketime/libfaketime.so.1")
_ZURICH = ZoneInfo("Europe/Zurich")
# Small starting points are ready before the clocks change, and the demonstration afterwards.
_SHORTLY = dt.timedelta(seconds=30)
UNIT = ("tests/unit", "tests/guards")
INTEGRATION = ("tests/integration", "tests/migrations")
DIFFERING = ("--database=postgresql", "-m", "both_databases", *INTEGRATION)

Moment = Callable[[dt.datetime], dt.datetime]


@dataclass(frozen=True)
class Day:
    """A moment to begin at, computed from now, in the time zone of machine and application.

    If it is exact, each test begins at it, even at the end of a day. A slow clock of the tests
    doesn't reach the next day. All tests run on one database, on two of the days in the long form:
    so make test-all runs each test on each day, and its long form on each database.
    """

    words: str
    moment: Moment
    zone: str = "UTC"
    is_exact: bool = False
    speed: float = 1
    database: str = "sqlite"
    is_long: bool = False

    @property
    def selections(self) -> tuple[tuple[str, ...], ...]:
        """The tests of a whole day, as arguments of one run each."""
        return UNIT, (f"--database={self.database}", *INTEGRATION)


def _next(month: int, day: int, hour: int, minute: int) -> Moment:
    """Return a function that finds the next such moment of the calendar, in UTC."""

    def find(now: dt.datetime) -> dt.datetime:
        year = now.year
        while True:
            try:
                moment = dt.datetime(year, month, day, hour, minute, tzinfo=dt.UTC)
            except ValueError:  # there is no such day in this year
                moment = now
            if moment > now:
                return moment
            year += 1

    return find


def _change_of_the_clocks(hours: int) -> Moment:
    """Return a function that finds when the clocks next change by so many hours, less a little."""

    def find(now: dt.datetime) -> dt.datetime:
        hour = now.replace(minute=0, second=0, microsecond=0)
        while True:
            hour += dt.timedelta(hours=1)
            before = (hour - _SHORTLY).astimezone(_ZURICH).utcoffset()
            after = hour.astimezone(_ZURICH).utcoffset()
            assert before is not None
            assert after is not None
            if after - before == dt.timedelta(hours=hours):
                return hour - _SHORTLY

    return find


FAR = Day(
    "400 days ahead",
    lambda now: now + dt.timedelta(days=400),
    database="postgresql",
    is_long=True,
)
DAYS = (
    Day("tomorrow", lambda now: now + dt.timedelta(days=1), is_long=True),
    Day("the last minute of the year", _next(12, 31, 23, 59), is_exact=True, speed=0.01),
    Day("29 February", _next(2, 29, 12, 0)),
    Day("the change to summer time", _change_of_the_clocks(1), _ZURICH.key, is_exact=True),
    Day("the change from summer time", _change_of_the_clocks(-1), _ZURICH.key, is_exact=True),
    FAR,
)


@click.command()
@click.option("--short", is_flag=True, help="400 days ahead, what can differ on PostgreSQL.")
@click.option(
    "--day", "only", type=click.Choice([day.words for day in DAYS]), help="Only this day."
)
@click.argument("tests", nargs=-1)
def main(*, short: bool, only: str | None, tests: tuple[str, ...]) -> None:
    """Run the tests on other days, all or the named ones; exit 1 if one fails."""
    library = find_library()
    failed = []
    for day in (FAR,) if short else DAYS:
        if only not in {None, day.words}:
            continue
        begun = time.monotonic()
        selections = (tests,) if tests else (DIFFERING,) if short else day.selections
        if not run(day, library, selections):
            failed.append(day.words)
        click.echo(f"{day.words}: {time.monotonic() - begun:.0f} s")
    if failed:
        click.echo(f"Failed: {', '.join(failed)}")
    sys.exit(1 if failed else 0)


def find_library() -> Path:
    """Return the library that moves the clock; raise ClickException if it is not installed."""
    for pattern in _LIBRARIES:
        for library in sorted(Path("/").glob(pattern.lstrip("/"))):
            return library
    message = "libfaketime was not found. Run: sudo apt-get install faketime"
    raise click.ClickException(message)


def preloading(library: Path) -> dict[str, str]:
    """Return settings that preload the library; durations and file times stay real."""
    return {
        "LD_PRELOAD": str(library),
        "FAKETIME_DONT_FAKE_MONOTONIC": "1",
        "NO_FAKE_STAT": "1",
    }


def run(day: Day, library: Path, selections: tuple[tuple[str, ...], ...]) -> bool:
    """Run tests with the clock moved to a day; return whether all passed."""
    now = dt.datetime.now(dt.UTC)
    moment = day.moment(now)
    click.echo(f"{day.words}: {moment:%Y-%m-%d %H:%M} UTC")
    environment = {name: value for name, value in os.environ.items() if name != LONG or day.is_long}
    environment |= {
        **preloading(library),
        "FAKETIME": f"+{(moment - now).total_seconds():.0f}s",
        "TZ": day.zone,
        "TRACKER_TIMEZONE": day.zone,
        SPEED: str(day.speed),
    }
    start = moment if day.is_exact else None
    results = [_run_tests(selection, environment, start) for selection in selections]
    return not any(results)


def _run_tests(
    selection: tuple[str, ...], environment: dict[str, str], start: dt.datetime | None
) -> int:
    """Run tests as a separate run, with starting points built on that day; return the status.

    What today's run has parsed is the same on any day.
    """
    with tempfile.TemporaryDirectory(prefix="tracker-tests-", dir=memory.folder()) as folder:
        parsed = Path(environment.get(RUN_FOLDER, folder), content.FOLDER)
        if parsed.is_dir():
            shutil.copytree(parsed, Path(folder, content.FOLDER))
        if start is not None:
            Path(folder, START).write_text(start.isoformat())
        return subprocess.run(
            [sys.executable, "-m", "pytest", "-q", "-n", str(_workers(selection)), *selection],
            env={**environment, RUN_FOLDER: folder},
            check=False,
        ).returncode


def _workers(selection: tuple[str, ...]) -> int:
    """Return how many workers to use: while one waits for a database server, another works."""
    return (os.cpu_count() or 1) + ("--database=postgresql" in selection)


if __name__ == "__main__":
    main()
