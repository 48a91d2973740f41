"""Which cooperations and texts on My work agree with their signatures and events."""

from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tracker.agreements import evidence
from tracker.checklists.models import Checklist
from tracker.core.db import db
from tracker.lifecycle import bound


def cooperations(cooperation_ids: Iterable[UUID]) -> frozenset[UUID]:
    """Return which of some cooperations agree in stage, dates and texts; for those displayed.

    Takes a constant number of statements.
    """
    wanted = set(cooperation_ids)
    if not wanted:
        return frozenset()
    rows: Sequence[Any] = db.session.execute(bound.WITH_CHECKLISTS, {"ids": list(wanted)}).all()
    by_id = {row.id: row for row, _checklist in rows}
    checklists = [checklist for _row, checklist in rows if checklist is not None]
    return bound.compare(list(by_id.values()), checklists)[1]


def texts(checklist_ids: Iterable[UUID]) -> frozenset[UUID]:
    """Return which of some checklists agree with the signatures and events of their texts.

    Takes a constant number of statements.
    """
    wanted = set(checklist_ids)
    if not wanted:
        return frozenset()
    rows = db.session.scalars(sa.select(Checklist).where(Checklist.id.in_(wanted))).all()
    compared = evidence.compare(rows)
    return frozenset(row_id for row_id, text in compared.items() if text.agrees)
