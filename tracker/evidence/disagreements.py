"""Rows that disagree with their signatures and events, as the worker finds them.

The worker goes through all checklists, undertakings and cooperations in batches, over and over, so
that the health page needs only one short query.
"""

import logging
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from typing import TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

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

logger = logging.getLogger(__name__)

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
class Compared:
    """Some rows of a kind: the cooperation of each, and which of them disagree."""

    subject_type: str
    cooperation_ids: Mapping[UUID, UUID]
    disagreeing: Collection[UUID]


@dataclass(frozen=True, slots=True)
class Comparison:
    """What was compared in one batch, and how far the worker has come."""

    reached: Progress
    compared: tuple[Compared, ...]


@dataclass(frozen=True, slots=True)
class DisagreeingText:
    """A text that disagrees, for whoever runs the instance."""

    reference: str
    subject_type: str
    kind: str


def compare_some(after: Progress, of_register: Register, portion: int = PORTION) -> Comparison:
    """Compare the next rows, and return which of them disagree and the position reached.

    Only reads; the caller sees to it that it reads one state of the database, since a text that is
    being signed would disagree with its events otherwise. of_register compares checklists as the
    register does. Starts again after the last one. Takes a constant number of queries per batch.
    """
    some = _next(Checklist, after.checklist_id, portion)
    others = _next(Undertaking, after.undertaking_id, portion)
    cooperations = _next(Cooperation, after.cooperation_id, portion)
    signed = undertakings.compare(others)
    # Those that were deleted are found by events.
    gone = {row.id: row.cooperation_id for row in lists.gone([row.id for row in cooperations])}
    return Comparison(
        Progress(_last(some, portion), _last(others, portion), _last(cooperations, portion)),
        (
            Compared(
                checklists.SUBJECT,
                {row.id: row.cooperation_id for row in some},
                of_register([row.id for row in some]),
            ),
            Compared(
                UNDERTAKING,
                {row.id: row.cooperation_id for row in others},
                {key for key, claim in signed.items() if not claim.agrees}
                | undertakings.misnamed(others),
            ),
            Compared(UNDERTAKING, gone, gone),
            Compared(
                COOPERATION,
                {row.id: row.id for row in cooperations},
                bound.disagreeing(cooperations),
            ),
        ),
    )


def note(comparison: Comparison) -> None:
    """Record the rows that disagree, and delete the record of those that agree."""
    for compared in comparison.compared:
        _note(compared)


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


def _note(compared: Compared) -> None:
    noted = set(
        db.session.scalars(
            sa.select(Disagreement.subject_id).where(
                Disagreement.subject_id.in_(compared.cooperation_ids)
            )
        )
    )
    settled = noted.difference(compared.disagreeing)
    if settled:
        db.session.execute(sa.delete(Disagreement).where(Disagreement.subject_id.in_(settled)))
    new = [
        Disagreement(
            subject_id=row_id,
            subject_type=compared.subject_type,
            cooperation_id=cooperation_id,
            noticed_at=clock.now(),
        )
        for row_id, cooperation_id in compared.cooperation_ids.items()
        if row_id in compared.disagreeing and row_id not in noted
    ]
    if not new:
        return
    try:
        with db.session.begin_nested():
            db.session.add_all(new)
    except IntegrityError:
        logger.info("another worker records these rows at the same moment")
