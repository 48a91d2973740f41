"""Marks of answers that are from elsewhere: where from, and which parties have read them."""

from collections.abc import Collection
from uuid import UUID

import sqlalchemy as sa

from tracker.checklists.models import CopiedAnswer, CopyReading
from tracker.checklists.rules.facts import Filled
from tracker.core import clock
from tracker.core.db import db


def note_reading(answer_ids: Collection[UUID], reader_id: UUID, organisation_id: UUID) -> None:
    """Record that somebody has read copied answers for their party."""
    now = clock.now()
    db.session.add_all(
        CopyReading(
            answer_id=answer_id,
            organisation_id=organisation_id,
            reader_id=reader_id,
            read_at=now,
        )
        for answer_id in answer_ids
    )
    db.session.flush()


def carry_over(
    answer: Filled,
    answer_id: UUID,
    *,
    rewritten: bool,
    reader: tuple[UUID, UUID] | None = None,
) -> None:
    """Mark a version that follows a copied one as copied too, read by the same parties.

    rewritten: somebody changed the words, so they are an author of the version. reader are the
    person who has just read it, and their party.
    """
    if not answer.is_copied:
        return
    mark = db.session.get_one(CopiedAnswer, answer.answer_id)
    db.session.add(
        CopiedAnswer(
            answer_id=answer_id,
            checklist_id=mark.checklist_id,
            source=mark.source,
            source_answer_id=mark.source_answer_id,
            source_checklist_id=mark.source_checklist_id,
            is_rewritten=mark.is_rewritten or rewritten,
        )
    )
    db.session.flush()
    readings = db.session.scalars(
        sa.select(CopyReading).where(CopyReading.answer_id == answer.answer_id)
    ).all()
    db.session.add_all(
        CopyReading(
            answer_id=answer_id,
            organisation_id=reading.organisation_id,
            reader_id=reading.reader_id,
            read_at=reading.read_at,
        )
        for reading in readings
    )
    db.session.flush()
    if reader is not None and reader[1] not in {reading.organisation_id for reading in readings}:
        note_reading([answer_id], *reader)
