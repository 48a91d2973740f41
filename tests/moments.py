"""Clocks for tests: one that runs from a moment, one that is stopped, and the use of another."""

import datetime as dt
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tracker.core import clock
from tracker.core.clock import Source

# Names how fast such a clock runs: on the last day of a year it must not reach the next one.
SPEED = "TRACKER_TEST_CLOCK_SPEED"


class RunningFrom:
    """A source of the time that starts at a moment when it is created and runs from there."""

    def __init__(self, moment: dt.datetime) -> None:
        self._moment = moment
        self._begun = time.monotonic()
        self._speed = float(os.environ.get(SPEED, "1"))

    def __call__(self) -> dt.datetime:
        passed = dt.timedelta(seconds=time.monotonic() - self._begun)
        return self._moment + passed * self._speed

    def skip_to(self, moment: dt.datetime) -> None:
        """Continue from a later moment; an earlier one changes nothing."""
        if moment > self():
            self._moment, self._begun = moment, time.monotonic()


def standing_at(moment: dt.datetime) -> Source:
    """Return a source of the time that always shows this moment."""
    return lambda: moment


@contextmanager
def using(source: Source) -> Iterator[None]:
    """Use another source of the time in the block, and afterwards the one from before."""
    before = clock.source()
    clock.use_source(source)
    try:
        yield
    finally:
        clock.use_source(before)
