"""Clocks for tests: one that runs from a moment, one that is stopped, and the use of another."""

import datetime as dt
import time
from collections.abc import Iterator
from contextlib import contextmanager

from tracker.core import clock
from tracker.core.clock import Source


class RunningFrom:
    """A source of the time that starts at a moment when it is created and runs from there."""

    def __init__(self, moment: dt.datetime) -> None:
        self._moment = moment
        self._begun = time.monotonic()

    def __call__(self) -> dt.datetime:
        return self._moment + dt.timedelta(seconds=time.monotonic() - self._begun)

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
