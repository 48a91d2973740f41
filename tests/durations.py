"""Durations of tests, recorded for the summary at the end of make test."""

import os
from collections import Counter
from pathlib import Path

import pytest

from tests.starting_points import start_of_run

# Names the file to which each pytest run appends its lines: seconds, the test, and on which
# database and day it ran, with tabs between them.
FILE = "TRACKER_TEST_DURATIONS"


class Durations:
    """A pytest plugin that adds up set-up, test and tear-down."""

    def __init__(self, file: Path, database: str) -> None:
        self._file = file
        self._database = database
        self._seconds: Counter[str] = Counter()

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Add one phase of a test."""
        self._seconds[report.nodeid] += report.duration  # type: ignore[assignment]  # seconds

    def pytest_sessionfinish(self) -> None:
        """Append the lines of this run."""
        where = f"{self._database}, {start_of_run():%Y-%m-%d}"
        with self._file.open("a") as file:
            file.writelines(
                f"{seconds:.1f}\t{test}\t{where}\n" for test, seconds in self._seconds.items()
            )


def register(config: pytest.Config) -> None:
    """Record durations if the environment asks for it, once for all parallel workers."""
    file = os.environ.get(FILE)
    if file and not hasattr(config, "workerinput"):
        config.pluginmanager.register(Durations(Path(file), config.getoption("database")))
