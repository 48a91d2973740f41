"""All that ever happened to one item of a checklist: versions, positions, proposals, flags."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from tracker.checklists.models import Answer, AnswerScope, Checklist, Flag, Position, Proposal
from tracker.core.db import db


@dataclass(frozen=True, slots=True)
class Past:
    """Every row about one item, the oldest first; what persons answer for themselves left out."""

    versions: tuple[Answer, ...]
    positions: tuple[Position, ...]
    proposals: tuple[Proposal, ...]
    flags: tuple[Flag, ...]


def past_of(checklist: Checklist, item: str) -> Past:
    """Return the past of an item of a checklist that was found for somebody, in four queries."""
    return Past(
        versions=tuple(
            db.session.scalars(
                sa.select(Answer)
                .where(
                    Answer.checklist_id == checklist.id,
                    Answer.item == item,
                    Answer.scope != AnswerScope.PERSON,
                )
                .options(joinedload(Answer.author), joinedload(Answer.organisation))
                .order_by(Answer.saved_at, Answer.version)
            )
        ),
        positions=tuple(
            db.session.scalars(
                sa.select(Position)
                .where(Position.checklist_id == checklist.id, Position.item == item)
                .options(joinedload(Position.author))
                .order_by(Position.taken_at)
            )
        ),
        proposals=tuple(
            db.session.scalars(
                sa.select(Proposal)
                .where(Proposal.checklist_id == checklist.id, Proposal.item == item)
                .options(
                    joinedload(Proposal.author),
                    joinedload(Proposal.organisation),
                    joinedload(Proposal.ended_by),
                    joinedload(Proposal.ended_for),
                )
                .order_by(Proposal.made_at)
            )
        ),
        flags=tuple(
            db.session.scalars(
                sa.select(Flag)
                .where(Flag.checklist_id == checklist.id, Flag.item == item)
                .options(joinedload(Flag.author), joinedload(Flag.organisation))
                .order_by(Flag.raised_at)
            )
        ),
    )
