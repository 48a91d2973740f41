"""Which cooperations and texts on My work agree with their signatures and events."""

from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa

from tracker.agreements import evidence
from tracker.checklists.models import Checklist
from tracker.cooperations.models import Cooperation
from tracker.cooperations.queries import AGREEING_READER
from tracker.core.db import db


def cooperations(cooperation_ids: Iterable[UUID]) -> frozenset[UUID]:
    """Return which of some cooperations agree in stage, dates and texts; for those displayed.

    Takes a constant number of statements.
    """
    wanted = set(cooperation_ids)
    if not wanted:
        return frozenset()
    rows = db.session.scalars(sa.select(Cooperation).where(Cooperation.id.in_(wanted))).all()
    return frozenset(AGREEING_READER.get()(rows))


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
