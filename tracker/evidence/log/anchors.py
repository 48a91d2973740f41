"""Anchors: the latest checkpoint, emailed to coordinators so that each keeps a copy."""

import datetime as dt
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
from tracker.core.db import db
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
    """Return the coordinators who are due the latest checkpoint; for the worker."""
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


def _due(size: int) -> list[UUID]:
    newest, texts = _newest_leaves(), _leaves_with_texts()
    last = _last_sent()
    anchors_due = []
    for user_id, cooperation_ids in _coordinators().items():
        sent_size, sent_at = last.get(user_id, (0, None))
        standing = AnchorStatus(
            last_at=sent_at,
            has_changed=any(
                newest.get(cooperation_id, -1) >= sent_size for cooperation_id in cooperation_ids
            ),
            has_new_text=any(
                texts.get(cooperation_id, -1) >= sent_size for cooperation_id in cooperation_ids
            ),
        )
        if sent_size < size and policy.anchor_is_due(standing, clock.now()):
            anchors_due.append(user_id)
    return anchors_due


def _newest_leaves() -> dict[UUID, int]:
    """Return the number of the newest leaf of each cooperation that has one."""
    newest = (
        sa.select(LogLeaf.number)
        .where(LogLeaf.chain_id == Chain.id)
        .order_by(LogLeaf.count.desc())
        .limit(1)
        .correlate(Chain)
        .scalar_subquery()
    )
    rows = db.session.execute(
        sa.select(Chain.cooperation_id, newest).where(Chain.cooperation_id.is_not(None))
    )
    return {
        event_id: number for event_id, number in rows if event_id is not None and number is not None
    }


def _leaves_with_texts() -> dict[UUID, int]:
    """Return, by cooperation, the leaf that first contained its newest text.

    Only texts that came into force recently: people who were sent nothing for longer are due one
    anyway. Texts of class K2 are left out: people not named on one may not learn that it exists.
    """
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
    rows = db.session.execute(
        sa.select(texts.c.cooperation_id, sa.func.min(LogLeaf.number))
        .join(
            LogLeaf,
            sa.and_(LogLeaf.chain_id == texts.c.chain_id, LogLeaf.count >= texts.c.number),
        )
        .group_by(texts.c.cooperation_id)
    )
    return {checkpoint_id: number for checkpoint_id, number in rows if checkpoint_id is not None}


def _last_sent() -> dict[UUID, tuple[int, dt.datetime | None]]:
    """Return the size of the checkpoint that each person was mailed last, and when."""
    rows = db.session.execute(
        sa.select(Anchor.user_id, sa.func.max(Anchor.size), sa.func.max(Anchor.at)).group_by(
            Anchor.user_id
        )
    )
    return {user_id: (size, at) for user_id, size, at in rows}


def _coordinators() -> dict[UUID, list[UUID]]:
    """Return who coordinates for a party today, with the cooperations of their organisations."""
    today = clock.today()
    rows = db.session.execute(
        sa.select(Membership.user_id, Party.cooperation_id)
        .join(Party, Party.organisation_id == Membership.organisation_id)
        .join(User, User.id == Membership.user_id)
        .where(
            Membership.role == Role.COORDINATOR,
            accounts.runs_on(today),
            has_not_left(today),
            User.active,
        )
        .distinct()
        .order_by(Membership.user_id)
    )
    coordinators: dict[UUID, list[UUID]] = {}
    for user_id, cooperation_id in rows:
        coordinators.setdefault(user_id, []).append(cooperation_id)
    return coordinators


def _note(user_id: UUID, checkpoint: Checkpoint) -> bool:
    """Record that a person is mailed a checkpoint; False if another worker did so just now."""
    try:
        with db.session.begin_nested():
            db.session.add(Anchor(user_id=user_id, size=checkpoint.size, at=clock.now()))
    except IntegrityError:
        return False
    return True
