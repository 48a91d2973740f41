"""Queries for the contents of a bundle, scoped to the actor who exports it."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import Actor
from tracker.activity import queries as activity
from tracker.activity.chain import Link
from tracker.activity.models import Chain, Event, EventDetail
from tracker.activity.queries import after_stop, seen_by
from tracker.agreements.service import SUBJECT as CHECKLIST
from tracker.checklists import queries as checklists
from tracker.checklists.models import Checklist
from tracker.comments.models import Comment
from tracker.cooperations.models import Cooperation
from tracker.core.db import db
from tracker.evidence.models import Certificate
from tracker.signoff.models import Revision, Signature
from tracker.undertakings import scope as undertakings
from tracker.undertakings.models import SUBJECT as UNDERTAKING
from tracker.undertakings.models import Undertaking
from tracker.visits.models import Visit


@dataclass(frozen=True, slots=True)
class Text:
    """A frozen text to include, and what it is a text of."""

    revision_id: UUID
    subject_type: str
    subject_id: UUID
    is_sealed: bool


@dataclass(frozen=True, slots=True)
class Planning:
    """A checklist of a visit that the person may know of, with that visit."""

    checklist_id: UUID
    visit_id: UUID


@dataclass(frozen=True, slots=True)
class Recorded:
    """An event of a chain with its details, unless they were erased.

    is_after_stop: a text was called back right after a visit was stopped.
    """

    link: Link
    salt: str | None
    details: dict[str, Any] | None
    is_after_stop: bool


def find_for_command(reference: str) -> UUID | None:
    """Return the id of a cooperation, for the command, which has no actor."""
    return db.session.scalar(sa.select(Cooperation.id).where(Cooperation.reference == reference))


def texts(actor: Actor | None, cooperation_id: UUID, *, with_closed: bool) -> list[Text]:
    """Return the frozen texts to include: those of class K8, and confidential ones on request.

    Of texts of class K2 to K7, those the person may open: a visit's texts by audience and
    clearance, undertakings by people who decide on them. The caller has found the cooperation.
    """
    ways: list[sa.ColumnElement[bool]] = [Revision.is_sealed.is_(False)]
    if with_closed and actor is not None:
        ways += [_of_checklists(actor), _of_undertakings(actor)]
    rows = db.session.execute(
        sa.select(Revision.id, Revision.subject_type, Revision.subject_id, Revision.is_sealed)
        .where(Revision.cooperation_id == cooperation_id, sa.or_(*ways))
        .order_by(Revision.frozen_at, Revision.id)
    )
    return [Text(*row) for row in rows]


def planning(actor: Actor, cooperation_id: UUID) -> list[Planning]:
    """Return the checklists of visits that the person may open, with their visits.

    By the same condition as the visit's own pages: listed from that day, and cleared.
    """
    rows = db.session.execute(
        sa.select(Checklist.id, Visit.id)
        .join(Visit, Visit.id == Checklist.visit_id)
        .where(
            Checklist.cooperation_id == cooperation_id,
            checklists.visible(actor),
        )
        .order_by(Checklist.id)
    )
    return [Planning(*row) for row in rows]


def comments_on(checklist_ids: Collection[UUID]) -> list[UUID]:
    """Return the ids of the comments on checklists that planning() found."""
    wanted = sa.select(Comment.id).where(Comment.checklist_id.in_(checklist_ids))
    return list(db.session.scalars(wanted)) if checklist_ids else []


def unseen(actor: Actor, chain_id: UUID) -> frozenset[int]:
    """Return the numbers of the events of a chain that the history doesn't show the person."""
    wanted = sa.select(Event.number).where(Event.chain_id == chain_id, ~seen_by(actor))
    return frozenset(db.session.scalars(wanted))


def chain_of(cooperation_id: UUID) -> UUID:
    """Return the chain of a cooperation that the caller found."""
    return db.session.execute(
        sa.select(Chain.id).where(Chain.cooperation_id == cooperation_id)
    ).scalar_one()


def events(chain_id: UUID, count: int) -> Iterator[Recorded]:
    """Yield the first events of a chain in order."""
    rows = db.session.execute(
        sa.select(Event, EventDetail.salt, EventDetail.content, after_stop())
        .outerjoin(EventDetail, EventDetail.event_id == Event.id)
        .where(Event.chain_id == chain_id, Event.number <= count)
        .order_by(Event.number)
    )
    for event, salt, content, is_after_stop in rows:
        yield Recorded(activity.link_of(event), salt, content, is_after_stop)


def revisions(revision_ids: frozenset[UUID]) -> dict[UUID, Revision]:
    """Return the frozen texts that texts() found."""
    rows = db.session.scalars(sa.select(Revision).where(Revision.id.in_(revision_ids)))
    return {revision.id: revision for revision in rows}


def signatures(revision_ids: frozenset[UUID]) -> list[Signature]:
    """Return the signatures under the frozen texts that texts() found."""
    return list(
        db.session.scalars(
            sa.select(Signature)
            .where(Signature.revision_id.in_(revision_ids))
            .order_by(Signature.signed_at, Signature.id)
        )
    )


def certificates(revision_ids: frozenset[UUID]) -> list[Certificate]:
    """Return the PDFs of the frozen texts that texts() found."""
    return list(
        db.session.scalars(
            sa.select(Certificate)
            .where(Certificate.revision_id.in_(revision_ids))
            .order_by(Certificate.made_at, Certificate.id)
        )
    )


def _of_checklists(actor: Actor) -> sa.ColumnElement[bool]:
    opened = sa.exists().where(Checklist.id == Revision.subject_id, checklists.visible(actor))
    return sa.and_(Revision.subject_type == CHECKLIST, opened.correlate(Revision))


def _of_undertakings(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition that a text is the person's undertaking, or one they decide on."""
    seen = sa.or_(undertakings.own(actor), undertakings.decided_by(actor))
    seen_one = sa.exists().where(Undertaking.id == Revision.subject_id, seen)
    return sa.and_(Revision.subject_type == UNDERTAKING, seen_one.correlate(Revision))
