"""Reading of stored rows in batches, counted, stopping at the first fault."""

from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any, NoReturn, TypeVar, cast

import sqlalchemy as sa
from sqlalchemy.engine import Connection, CursorResult

from tracker.activity.verify import ChainFault
from tracker.core.db import Base
from tracker.oversight.facts import (
    Counts,
    Fault,
    Finding,
    RowLocation,
)
from tracker.oversight.stored import DamagedError, Stored

# How many rows are held at a time.
ROWS_AT_A_TIME = 500
# What a report is made of each time.
STEPS = frozenset({"events", "revisions", "signatures", "leaves"})

Made = TypeVar("Made")
# Told with each row how many there are in all.
Report = Callable[[int], None]


class BrokenError(Exception):
    """Carries the first broken place out of the check."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding)
        self.finding = finding


def broken(fault: Fault | ChainFault, place: RowLocation) -> NoReturn:
    """Stop the check: here is the first broken place."""
    raise BrokenError(Finding(fault, place))


def read(make: Callable[[Stored], Made], row: Stored, place: RowLocation) -> Made:
    """Make something of a row; stop the check where it holds what nobody writes."""
    try:
        return make(row)
    except DamagedError:
        broken(Fault.DAMAGED, place)


def printable(value: object) -> str:
    """Return what may be shown of a value that somebody may have put into the database by hand."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(value))[:80]


class Reader:
    """Reads one view of the database, and counts what was checked."""

    def __init__(self, connection: Connection, report: Report | None) -> None:
        self.connection = connection
        self.total = 0
        self._report = report
        self._checked: Counter[str] = Counter()
        self._reading: list[CursorResult[Any]] = []

    @property
    def counts(self) -> Counts:
        """How much was checked so far."""
        return Counts(**self._checked)

    def rows(self, query: sa.Select[Any], at_a_time: int = ROWS_AT_A_TIME) -> Iterator[Stored]:
        """Yield the rows of a query, a portion at a time."""
        options = {"yield_per": at_a_time}
        result = self.connection.execute(query, execution_options=options)
        self._reading.append(result)
        yield from cast("Iterator[Stored]", result.mappings())
        self._reading.remove(result)

    def count(self, table: type[Base]) -> int:
        """Return how many rows a table has."""
        return self.connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0

    def note(self, **more: int) -> None:
        """Count what was checked, and say that it goes on."""
        self._checked.update(more)
        if self._report is not None and not STEPS.isdisjoint(more):
            self._report(self.total)

    def close(self) -> None:
        """Let go of what was still being read when something broken was found."""
        for result in self._reading:
            result.close()
