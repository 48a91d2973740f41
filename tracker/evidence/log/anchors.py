"""Anchors: the latest checkpoint, emailed to coordinators so that each keeps a copy."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import replace
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.exc import IntegrityError

from tracker.access.actor import Role
from tracker.accounts import queries as accounts
from tracker.accounts.models import Membership, User
from tracker.activity import verbs
from tracker.activity.models import Chain, Event
from tracker.agreements.service import SUBJECT
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist
from tracker.cooperations.models import Party
from tracker.cooperations.scope import has_not_left
from tracker.core import clock
from tracker.core.db import BATCH, db
from tracker.evidence import policy
from tracker.evidence.log import checkpoints, messages
from tracker.evidence.log.notes import Checkpoint
from tracker.evidence.models import Anchor, LogLeaf
from tracker.evidence.policy import AnchorStatus


class DueAnchor(NamedTuple):
    """A coordinator, and the size of the checkpoint to mail to them."""

    user_id: UUID
    size: int


def due() -> list[DueAnchor]:
    """Return the coordinators who are due the latest checkpoint; for the worker.

    It changes with a new checkpoint and with the day, so it is asked only then.
    """
    checkpoint = checkpoints.newest()
    if checkpoint is None:
        return []
    return [DueAnchor(user_id, checkpoint.size) for user_id in _due(checkpoint.size)]


def send(due_anchor: DueAnchor) -> bool:
    """Mail a checkpoint to a coordinator; False if this or a later one was mailed in the meantime.

    In the caller's transaction. Of several workers at the same moment only one mails it.
    """
    checkpoint = checkpoints.of_size(due_anchor.size)
    person = accounts.contacts([due_anchor.user_id]).get(due_anchor.user_id)
    mailed = sa.exists().where(Anchor.user_id == due_anchor.user_id, Anchor.size >= due_anchor.size)
    if checkpoint is None or person is None or db.session.scalar(sa.select(mailed)):
        return False
    if not _note(due_anchor.user_id, checkpoint):
        return False
    messages.anchor(person, checkpoint)
    return True


def sizes_sent_to(cooperation_id: UUID) -> set[int]:
    """Return the sizes of the checkpoints that people of a cooperation's parties were mailed."""
    rows = db.session.scalars(
        sa.select(Anchor.size)
        .join(Membership, Membership.user_id == Anchor.user_id)
        .join(Party, Party.organisation_id == Membership.organisation_id)
        .where(Party.cooperation_id == cooperation_id)
        .distinct()
    )
    return set(rows)


class _Last(NamedTuple):
    """The size of the checkpoint that a coordinator was mailed last, 0 for none, and when."""

    size: int
    at: dt.datetime | None


def _due(size: int) -> list[UUID]:
    now = clock.now()
    new_texts = _new_texts()
    waiting = {
        user_id: AnchorStatus(
            last_at=last.at, has_changed=True, has_new_text=new_texts.get(user_id, -1) >= last.size
        )
        for user_id, last in _not_mailed(size).items()
    }
    # Whether anything happened is asked last, and only for the people it matters to.
    candidates = [
        user_id for user_id, status in waiting.items() if policy.anchor_is_due(status, now)
    ]
    changed = _with_changed_cooperations(candidates)
    return [
        user_id
        for user_id in candidates
        if policy.anchor_is_due(replace(waiting[user_id], has_changed=user_id in changed), now)
    ]


def _is_coordinator(today: dt.date) -> sa.ColumnElement[bool]:
    """Return the condition that a role is that of a coordinator who may sign in today."""
    return sa.and_(Membership.role == Role.COORDINATOR, accounts.runs_on(today), User.active)


# What a coordinator was mailed last: by the index that begins with the person.
_LAST_SIZE = sa.func.coalesce(
    sa.select(sa.func.max(Anchor.size))
    .where(Anchor.user_id == Membership.user_id)
    .correlate(Membership)
    .scalar_subquery(),
    0,
)
_LAST_AT = (
    sa.select(sa.func.max(Anchor.at))
    .where(Anchor.user_id == Membership.user_id)
    .correlate(Membership)
    .scalar_subquery()
)


def _not_mailed(size: int) -> dict[UUID, _Last]:
    """Return the coordinators not yet mailed the checkpoint of a size, with the last one sent."""
    rows = db.session.execute(
        sa.select(Membership.user_id, _LAST_SIZE, _LAST_AT)
        .join(User, User.id == Membership.user_id)
        .where(_is_coordinator(clock.today()), size > _LAST_SIZE)
        .distinct()
        .order_by(Membership.user_id)
    )
    return {user_id: _Last(last_size, last_at) for user_id, last_size, last_at in rows}


def _with_changed_cooperations(user_ids: Sequence[UUID]) -> set[UUID]:
    """Return the coordinators in whose cooperations anything happened since their last mail."""
    today = clock.today()
    happened = (
        sa.exists()
        .where(
            Party.organisation_id == Membership.organisation_id,
            has_not_left(today),
            Chain.cooperation_id == Party.cooperation_id,
            LogLeaf.chain_id == Chain.id,
            LogLeaf.number >= _LAST_SIZE,
        )
        .correlate(Membership)
    )
    with_changes: set[UUID] = set()
    for start in range(0, len(user_ids), BATCH):
        batch = user_ids[start : start + BATCH]
        with_changes.update(
            db.session.scalars(
                sa.select(Membership.user_id)
                .join(User, User.id == Membership.user_id)
                .where(Membership.user_id.in_(batch), _is_coordinator(today), happened)
            )
        )
    return with_changes


def _new_texts() -> dict[UUID, int]:
    """Return, by coordinator, the leaf that first contained the newest text of their cooperations.

    Only texts that came into force recently: people who were sent nothing for longer are due one
    anyway. Texts of class K2 are left out: people not named on one may not learn that it exists.
    """
    today = clock.today()
    texts = (
        sa.select(Chain.cooperation_id, Event.chain_id, sa.func.max(Event.number).label("number"))
        .join(Chain, Chain.id == Event.chain_id)
        .join(Checklist, Checklist.id == Event.subject_id)
        .where(
            Event.subject_type == SUBJECT,
            Event.verb == verbs.CAME_INTO_FORCE.name,
            Checklist.in_force_at >= clock.now() - 2 * policy.BETWEEN_ANCHORS,
            Checklist.visit_id.is_(None),
            Checklist.kind != ChecklistKind.VISIT_ROLES,
        )
        .group_by(Chain.cooperation_id, Event.chain_id)
        .subquery()
    )
    leaf = (
        sa.select(sa.func.min(LogLeaf.number))
        .where(LogLeaf.chain_id == texts.c.chain_id, LogLeaf.count >= texts.c.number)
        .correlate(texts)
        .scalar_subquery()
    )
    rows = db.session.execute(
        sa.select(Membership.user_id, sa.func.max(leaf))
        .select_from(texts)
        .join(Party, Party.cooperation_id == texts.c.cooperation_id)
        .join(Membership, Membership.organisation_id == Party.organisation_id)
        .join(User, User.id == Membership.user_id)
        .where(has_not_left(today), _is_coordinator(today))
        .group_by(Membership.user_id)
    )
    return {user_id: number for user_id, number in rows if number is not None}


def _note(user_id: UUID, checkpoint: Checkpoint) -> bool:
    """Record that a person is mailed a checkpoint; False if another worker did so just now."""
    try:
        with db.session.begin_nested():
            db.session.add(Anchor(user_id=user_id, size=checkpoint.size, at=clock.now()))
    except IntegrityError:
        return False
    return True
