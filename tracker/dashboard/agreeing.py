"""Which cooperations and texts on My work agree with their signatures and events."""

from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa

from tracker.agreements import evidence
from tracker.checklists.models import Checklist
from tracker.core.db import db
from tracker.lifecycle import bound


def cooperations(cooperation_ids: Iterable[UUID]) -> frozenset[UUID]:
    """Return which of some displayed cooperations agree in their rows, parties and texts.

    Takes a constant number of statements.
    """
    return bound.agreeing_by_id(cooperation_ids)


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
