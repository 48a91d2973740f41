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

# How many rows are in memory at a time.
ROWS_AT_A_TIME = 500
# The counts in each progress report.
STEPS = frozenset({"events", "revisions", "signatures", "leaves"})

Made = TypeVar("Made")
# Called for each row with the total number.
Report = Callable[[int], None]


class BrokenError(Exception):
    """Raised with the first broken row, to stop the audit."""

    def __init__(self, finding: Finding) -> None:
        super().__init__(finding)
        self.finding = finding


def broken(fault: Fault | ChainFault, place: RowLocation) -> NoReturn:
    """Raise BrokenError for the first broken row."""
    raise BrokenError(Finding(fault, place))


def read(make: Callable[[Stored], Made], row: Stored, place: RowLocation) -> Made:
    """Convert a row; stop the audit if it contains what the application never writes."""
    try:
        return make(row)
    except DamagedError:
        broken(Fault.DAMAGED, place)


def printable(value: object) -> str:
    """Return what may be shown of a value that somebody may have inserted by hand."""
    return "".join(letter if letter.isprintable() else "?" for letter in str(value))[:80]


class Reader:
    """Reads one snapshot of the database, and counts what was checked."""

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

    def rows(
        self, query: sa.Select[Any], at_a_time: int = ROWS_AT_A_TIME, **parameters: object
    ) -> Iterator[Stored]:
        """Yield the rows of a query, with these parameters, in batches."""
        options = {"yield_per": at_a_time}
        result = self.connection.execute(query, parameters, execution_options=options)
        self._reading.append(result)
        yield from cast("Iterator[Stored]", result.mappings())
        self._reading.remove(result)

    def count(self, table: type[Base]) -> int:
        """Return how many rows a table has."""
        return self.connection.scalar(sa.select(sa.func.count()).select_from(table)) or 0

    def note(self, **more: int) -> None:
        """Count what was checked, and report progress."""
        self._checked.update(more)
        if self._report is not None and not STEPS.isdisjoint(more):
            self._report(self.total)

    def close(self) -> None:
        """Close open cursors when a fault was found."""
        for result in self._reading:
            result.close()
