"""Tries changes one at a time, and reports which of them the audit notices, and where."""

import enum
import re
from collections.abc import Iterable
from dataclasses import dataclass

from sqlalchemy.engine import Connection

from tests.factories.evidence.tampering import hands
from tests.tampering.changes import Change, ImpossibleError
from tracker.core.paths import ROOT
from tracker.oversight import integrity, labels
from tracker.oversight.facts import Finding

DOCUMENT = ROOT / "docs" / "threat-model.md"
HEADING = "### Rows that decide nothing"


class Outcome(enum.StrEnum):
    """The outcome of a change."""

    NOTICED = "noticed"
    LISTED = "listed as deciding nothing"
    IMPOSSIBLE = "impossible"
    UNNOTICED = "unnoticed"


@dataclass(frozen=True, slots=True)
class Result:
    """A change, its outcome, and what the audit said, or why it could not be done."""

    change: Change
    outcome: Outcome
    words: str = ""
    finding: Finding | None = None


def listed() -> frozenset[str]:
    """Return the tables and columns that the threat model says decide nothing."""
    _before, _heading, after = DOCUMENT.read_text().partition(HEADING)
    section = after.partition("\n#")[0]
    cells = re.findall(r"^\| (`[^|]+`) \|", section, re.MULTILINE)
    return frozenset(name for cell in cells for name in re.findall(r"`([\w.]+)`", cell))


def is_listed(change: Change, names: Iterable[str]) -> bool:
    """Return whether a change is to a table, or to a column, that is listed."""
    return change.table in names or f"{change.table}.{change.what}" in names


def attempt(changes: Iterable[Change]) -> list[Result]:
    """Make each change to the application's database, audit, and undo it."""
    names = listed()
    with hands(keep=False) as connection:
        return [_attempt(connection, change, names) for change in changes]


def _attempt(connection: Connection, change: Change, names: frozenset[str]) -> Result:
    with connection.begin_nested() as undone:
        try:
            change.do(connection)
        except ImpossibleError as error:
            undone.rollback()
            return Result(change, Outcome.IMPOSSIBLE, str(error))
        finding = integrity.check_view(connection).finding
        undone.rollback()
    if finding is not None:
        return Result(change, Outcome.NOTICED, str(labels.finding_words(finding)), finding)
    is_known = is_listed(change, names)
    return Result(change, Outcome.LISTED if is_known else Outcome.UNNOTICED)
