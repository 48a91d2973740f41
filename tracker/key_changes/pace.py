"""Transactions that hold SQLite's write lock for a short time, however slow the machine is."""

import time
from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy.orm import Session

from tracker.core.db import apart

# As many values as a transaction writes at most, with their statements sent together.
MOST = 100
_FIRST = 10
# How long a transaction should take, in seconds: people who save something wait for it. Half of
# what they may wait, since the next one may be slower.
AIM = 0.05
LONGEST_PAUSE = 0.1


class Pace:
    """How many values the next transaction should write, by how long the last ones took."""

    def __init__(self) -> None:
        self.size = _FIRST

    @contextmanager
    def writing(self) -> Iterator[Session]:
        """Write in a transaction of its own; then pause for as long as it took.

        The pause lets others write: SQLite has no queue for its write lock. The time begins once
        the transaction has the lock.
        """
        with apart() as session:
            session.connection()
            begun = time.monotonic()
            yield session
        self.note(time.monotonic() - begun)

    def note(self, seconds: float) -> None:
        """Adapt the size to a transaction that took so long, and pause."""
        if seconds > AIM:
            self.size = max(1, int(self.size * AIM / seconds))
        elif seconds < AIM / 2:
            self.size = min(MOST, 2 * self.size)
        time.sleep(min(seconds, LONGEST_PAUSE))
