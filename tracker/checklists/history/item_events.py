"""Every row about one item: its versions, positions, proposals and flags."""

from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from tracker.accounts.models import User
from tracker.checklist_templates.models import AnswerScope
from tracker.checklists.models import (
    Answer,
    Checklist,
    CopiedAnswer,
    CopyReading,
    CopySource,
    Flag,
    Position,
    Proposal,
)
from tracker.core.db import db, load_joined
from tracker.organisations.models import Organisation


@dataclass(frozen=True, slots=True)
class ItemEvents:
    """Every row about one item, the oldest first, without the personal answers."""

    versions: tuple[Answer, ...]
    positions: tuple[Position, ...]
    proposals: tuple[Proposal, ...]
    flags: tuple[Flag, ...]
    # The versions that were copied and are as they were there, and who has read copied ones.
    copied: Mapping[UUID, CopySource]
    readings: tuple[CopyReading, ...]


def item_events(checklist: Checklist, item: str) -> ItemEvents:
    """Return every row about an item of a checklist that was found in scope, in six queries."""
    of_item = sa.and_(Answer.checklist_id == checklist.id, Answer.item == item)
    return ItemEvents(
        versions=tuple(
            db.session.scalars(
                sa.select(Answer)
                .where(
                    Answer.checklist_id == checklist.id,
                    Answer.item == item,
                    Answer.scope != AnswerScope.PERSON,
                )
                .options(
                    load_joined(Answer.author, User.name),
                    load_joined(Answer.organisation, Organisation.name),
                )
                .order_by(Answer.saved_at, Answer.version)
            )
        ),
        positions=tuple(
            db.session.scalars(
                sa.select(Position)
                .where(Position.checklist_id == checklist.id, Position.item == item)
                .options(
                    load_joined(Position.author, User.name),
                    load_joined(Position.ended_by, User.name),
                )
                .order_by(Position.taken_at)
            )
        ),
        proposals=tuple(
            db.session.scalars(
                sa.select(Proposal)
                .where(Proposal.checklist_id == checklist.id, Proposal.item == item)
                .options(
                    load_joined(Proposal.author, User.name),
                    load_joined(Proposal.organisation, Organisation.name),
                    load_joined(Proposal.ended_by, User.name),
                    load_joined(Proposal.ended_for, Organisation.name),
                )
                .order_by(Proposal.made_at)
            )
        ),
        flags=tuple(
            db.session.scalars(
                sa.select(Flag)
                .where(Flag.checklist_id == checklist.id, Flag.item == item)
                .options(
                    load_joined(Flag.author, User.name),
                    load_joined(Flag.organisation, Organisation.name),
                )
                .order_by(Flag.raised_at)
            )
        ),
        copied={
            mark.answer_id: mark.source
            for mark in db.session.scalars(
                sa.select(CopiedAnswer)
                .join(Answer, Answer.id == CopiedAnswer.answer_id)
                .where(of_item, CopiedAnswer.is_rewritten.is_(False))
            )
        },
        readings=tuple(
            db.session.scalars(
                sa.select(CopyReading)
                .join(Answer, Answer.id == CopyReading.answer_id)
                .where(of_item)
                .options(
                    load_joined(CopyReading.reader, User.name),
                    load_joined(CopyReading.organisation, Organisation.name),
                )
                .order_by(CopyReading.read_at)
            )
        ),
    )
