"""The rows and events of a single party leaving a cooperation (product.md, 5.8)."""

import datetime as dt
from collections.abc import Sequence
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from tracker.access.actor import Actor, Role
from tracker.activity import verbs
from tracker.activity.models import Event, EventDetail
from tracker.activity.service import DomainEvent, lock_chain, record
from tracker.activity.verbs import Verb
from tracker.cooperations import service
from tracker.cooperations.models import Cooperation, CooperationPerson, Party, Stage
from tracker.cooperations.queries import REFERENCE
from tracker.cooperations.scope import FOR_THE_ORGANISATION, runs_on
from tracker.core import clock
from tracker.core.db import db

ONE_DAY = dt.timedelta(days=1)


def locked_parties(cooperation_id: UUID) -> list[Party]:
    """Lock and return all parties, in order; the caller has locked the cooperation's chain."""
    return list(
        db.session.scalars(
            sa.select(Party)
            .where(Party.cooperation_id == cooperation_id)
            .order_by(Party.position)
            .options(joinedload(Party.organisation))
            .execution_options(populate_existing=True)
        )
    )


def announce(actor: Actor, party: Party, *, since: dt.date, reason: str) -> None:
    """Record a party's notice that it leaves; since is the first day without it.

    From now on people who look at the party see its last day, and anything planned beyond that day
    says so.
    """
    party.left_on = since - ONE_DAY
    party.leave_given_at = clock.now()
    party.leave_given_by_id = actor.user_id
    party.leave_reason = reason
    db.session.flush()
    _record(verbs.PARTY_LEAVING, actor, party, since=since.isoformat(), reason=reason)


def take_back(actor: Actor | None, party: Party, *, reason: str) -> None:
    """Cancel a party's notice; without an actor because the whole cooperation ended."""
    party.stay()
    db.session.flush()
    _record(verbs.PARTY_STAYS, actor, party, reason=reason)


def leave(actor: Actor | None, party: Party) -> None:
    """End the membership of a party that is due to leave: record PARTY_LEFT, remove its people.

    A handler first calls back the texts that wait for its signature, while its people can still be
    named.
    """
    if party.left_on is None:
        raise LookupError("The party has given no notice.")
    party.leave_done_at = clock.now()
    db.session.flush()
    _record(
        verbs.PARTY_LEFT,
        actor,
        party,
        organisation_id=str(party.organisation_id),
        since=(party.left_on + ONE_DAY).isoformat(),
    )
    service.end_people(actor, party.cooperation_id, party.organisation_id)


def due(day: dt.date) -> Sequence[UUID]:
    """Return the parties whose last day has passed and that have not been removed yet."""
    return db.session.scalars(
        sa.select(Party.id).where(is_due(day)).order_by(Party.left_on, Party.id)
    ).all()


def people_due(day: dt.date) -> Sequence[UUID]:
    """Return the participations of people in parties whose last day has passed; for the worker.

    Each is ended in its own transaction (end_person) before the party leaves (leave), which would
    end all of them in one. Nobody sees more or less in between: a party has no access from the day
    after its last one.
    """
    return db.session.scalars(
        sa.select(CooperationPerson.id)
        .join(
            Party,
            sa.and_(
                Party.cooperation_id == CooperationPerson.cooperation_id,
                Party.organisation_id == CooperationPerson.organisation_id,
            ),
        )
        .where(is_due(day), runs_on(day))
        .order_by(CooperationPerson.id)
    ).all()


def end_person(row_id: UUID, day: dt.date) -> bool:
    """End the participation of a person whose party's last day has passed; for the worker.

    Return False if the person has already left, or the party stays after all.
    """
    row = db.session.get_one(CooperationPerson, row_id)
    lock_chain(row.cooperation_id)
    is_of_leaving = sa.exists().where(
        Party.cooperation_id == CooperationPerson.cooperation_id,
        Party.organisation_id == CooperationPerson.organisation_id,
        is_due(day),
    )
    still_due = sa.select(CooperationPerson).where(
        CooperationPerson.id == row_id, runs_on(day), is_of_leaving
    )
    if db.session.scalar(still_due.execution_options(populate_existing=True)) is None:
        return False
    service.take_out(None, row.cooperation_id, row)
    return True


def is_due(day: dt.date) -> sa.ColumnElement[bool]:
    """Return the condition over Party that its last day has passed and it wasn't removed yet."""
    return sa.and_(
        Party.leave_given_at.is_not(None), Party.leave_done_at.is_(None), Party.left_on < day
    )


def follow_stage(event: DomainEvent) -> None:
    """Void parties' notices once the whole cooperation has ended.

    Handler of STAGE_CHANGED.
    """
    if event.details.get("after") != Stage.CLOSED.value or event.cooperation_id is None:
        return
    for party in locked_parties(event.cooperation_id):
        if party.is_leaving and not is_past(party):
            take_back(None, party, reason="")


def is_past(party: Party) -> bool:
    """Return whether a party's last day has passed, also if it has been invited again since."""
    if party.leave_done_at is not None:
        return True
    return party.left_on is not None and party.left_on < clock.today()


def former_last_day(party: Party) -> dt.date | None:
    """Return the last day of a party that left alone, by its event; None if it never did.

    While it is invited again its row names no last day.
    """
    if party.leave_done_at is None:
        return None
    since = db.session.scalar(
        sa.select(EventDetail.content["since"].as_string())
        .join(Event, Event.id == EventDetail.event_id)
        .where(
            Event.subject_type == "cooperation",
            Event.subject_id == party.cooperation_id,
            Event.verb == verbs.PARTY_LEFT.name,
            EventDetail.content["organisation_id"].as_string() == str(party.organisation_id),
        )
        .order_by(Event.number.desc())
        .limit(1)
    )
    return None if since is None else dt.date.fromisoformat(since) - ONE_DAY


def find_left(actor: Actor, reference: str) -> Party | None:
    """Return the person's organisation as a party of a cooperation that it has left.

    For its coordinators, signatories and managers, and its people who took part: they may still
    read what they promised for the time afterwards, also while it is invited again. The cooperation
    and its parties are loaded with it.
    """
    roles = (*FOR_THE_ORGANISATION, Role.MEMBER)
    if actor.organisation_id is None or not actor.has(*roles) or not REFERENCE.fullmatch(reference):
        return None
    took_part = sa.exists().where(
        CooperationPerson.cooperation_id == Party.cooperation_id,
        CooperationPerson.user_id == actor.user_id,
        CooperationPerson.organisation_id == Party.organisation_id,
    )
    own = sa.true() if actor.has(*FOR_THE_ORGANISATION) else took_part
    return db.session.scalar(
        sa.select(Party)
        .join(Cooperation, Cooperation.id == Party.cooperation_id)
        .where(
            Cooperation.reference == reference,
            Party.organisation_id == actor.organisation_id,
            Party.leave_given_at.is_not(None),
            sa.or_(Party.left_on < clock.today(), Party.leave_done_at.is_not(None)),
            own,
        )
        .options(
            joinedload(Party.organisation),
            joinedload(Party.cooperation).selectinload(Cooperation.parties),
        )
    )


def _record(verb: Verb, actor: Actor | None, party: Party, **details: Any) -> None:
    record(
        verb,
        actor=actor,
        subject_type="cooperation",
        subject_id=party.cooperation_id,
        cooperation_id=party.cooperation_id,
        organisation=party.organisation.name,
        **details,
    )
