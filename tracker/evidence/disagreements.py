"""Rows that disagree with their signatures and events, as the worker finds them.

The worker goes through all checklists, undertakings and cooperations in batches, over and over, so
that the health page needs only one short query.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa

from tracker.agreements import evidence as checklists
from tracker.checklists.models import Checklist
from tracker.cooperations.models import Cooperation
from tracker.core import clock
from tracker.core.db import db
from tracker.evidence.models import Disagreement
from tracker.lifecycle import bound
from tracker.undertakings import bound as undertakings
from tracker.undertakings import lists
from tracker.undertakings.models import SUBJECT as UNDERTAKING
from tracker.undertakings.models import Undertaking

COOPERATION = "cooperation"
# How many checklists, undertakings and cooperations to compare at a time: few enough for a short
# transaction.
PORTION = 40
Row = TypeVar("Row", Checklist, Undertaking, Cooperation)
# Returns the checklists that the register shows as disagreeing.
Register = Callable[[Collection[UUID]], Collection[UUID]]


@dataclass(frozen=True, slots=True)
class Progress:
    """How far the worker has come with each kind of row; empty at the beginning."""

    checklist_id: UUID | None = None
    undertaking_id: UUID | None = None
    cooperation_id: UUID | None = None


BEGINNING = Progress()


@dataclass(frozen=True, slots=True)
class DisagreeingText:
    """A text that disagrees, for whoever runs the instance."""

    reference: str
    subject_type: str
    kind: str


def compare_some(after: Progress, of_register: Register, portion: int = PORTION) -> Progress:
    """Compare the next rows, record those that disagree, and return the position reached.

    of_register compares checklists as the register does. Starts again after the last one. Takes a
    constant number of queries per batch.
    """
    some = _next(Checklist, after.checklist_id, portion)
    others = _next(Undertaking, after.undertaking_id, portion)
    cooperations = _next(Cooperation, after.cooperation_id, portion)
    _note(
        checklists.SUBJECT,
        {row.id: row.cooperation_id for row in some},
        of_register([row.id for row in some]),
    )
    signed = undertakings.compare(others)
    _note(
        UNDERTAKING,
        {row.id: row.cooperation_id for row in others},
        {key for key, claim in signed.items() if not claim.agrees} | undertakings.misnamed(others),
    )
    # Those that were deleted are found by events.
    gone = {row.id: row.cooperation_id for row in lists.gone([row.id for row in cooperations])}
    _note(UNDERTAKING, gone, gone)
    _note(COOPERATION, {row.id: row.id for row in cooperations}, bound.disagreeing(cooperations))
    return Progress(_last(some, portion), _last(others, portion), _last(cooperations, portion))


def is_any() -> bool:
    """Return whether any text disagrees with its signatures."""
    return bool(
        db.session.scalar(sa.select(sa.exists().where(Disagreement.subject_id.is_not(None))))
    )


def count() -> int:
    """Return how many texts disagree with their signatures."""
    return db.session.scalar(sa.select(sa.func.count()).select_from(Disagreement)) or 0


def known() -> list[DisagreeingText]:
    """Return the texts found to disagree with their signatures, the oldest first."""
    rows = db.session.execute(
        sa.select(Cooperation.reference, Disagreement.subject_type, Checklist.kind)
        .join(Cooperation, Cooperation.id == Disagreement.cooperation_id)
        .outerjoin(Checklist, Checklist.id == Disagreement.subject_id)
        .order_by(Disagreement.noticed_at, Disagreement.subject_id)
    )
    return [DisagreeingText(row[0], row[1], row[2].value if row[2] else "") for row in rows]


def _next(model: type[Row], after: UUID | None, portion: int) -> list[Row]:
    query = sa.select(model).order_by(model.id).limit(portion)
    if after is not None:
        query = query.where(model.id > after)
    return list(db.session.scalars(query))


def _last(rows: Collection[Row], portion: int) -> UUID | None:
    """Return the last id of a full batch; None starts again."""
    return [row.id for row in rows][-1] if len(rows) == portion else None


def _note(subject_type: str, rows: Mapping[UUID, UUID], disagreeing: Collection[UUID]) -> None:
    """Record which of some rows disagree; delete the record of those that agree.

    rows gives the cooperation of each.
    """
    noted = set(
        db.session.scalars(
            sa.select(Disagreement.subject_id).where(Disagreement.subject_id.in_(rows))
        )
    )
    settled = noted.difference(disagreeing)
    if settled:
        db.session.execute(sa.delete(Disagreement).where(Disagreement.subject_id.in_(settled)))
    for row_id, cooperation_id in rows.items():
        if row_id in disagreeing and row_id not in noted:
            db.session.add(
                Disagreement(
                    subject_id=row_id,
                    subject_type=subject_type,
                    cooperation_id=cooperation_id,
                    noticed_at=clock.now(),
                )
            )
    db.session.flush()
