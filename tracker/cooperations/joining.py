"""The rows and events of a party joining a cooperation whose terms are in force (adr 70)."""

from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import Actor
from tracker.activity import verbs
from tracker.activity.service import record
from tracker.activity.verbs import Verb
from tracker.cooperations import service
from tracker.cooperations.departures import ONE_DAY, former_last_day, locked_parties
from tracker.cooperations.models import Party
from tracker.cooperations.scope import has_not_left
from tracker.core import clock
from tracker.core.db import db
from tracker.organisations.models import Organisation


def invite(
    actor: Actor,
    cooperation_id: UUID,
    organisation: Organisation,
    *,
    reason: str,
    with_confidentiality: bool,
) -> Party:
    """Invite a party, which is joining from now on; record PARTY_JOINING.

    A party that left before gets its old row back, with the notice by which it left: that counts
    again if the invitation comes to nothing. with_confidentiality says that confidentiality terms
    are in force as well, which it also has to sign.
    """
    parties = locked_parties(cooperation_id)
    party = next((party for party in parties if party.organisation_id == organisation.id), None)
    if party is None:
        party = Party(
            cooperation_id=cooperation_id,
            organisation=organisation,
            side=organisation.kind,
            position=max(party.position for party in parties) + 1,
            joined_on=clock.today(),
        )
        db.session.add(party)
    party.left_on = None
    party.joined_on = clock.today()
    party.invited_at = clock.now()
    party.invited_by_id = actor.user_id
    party.invite_reason = reason
    party.joins_confidentiality = with_confidentiality
    party.joined_at = None
    db.session.flush()
    db.session.expire(party, ["is_joining"])
    _record(verbs.PARTY_JOINING, actor, party, reason=reason)
    return party


def take_back(actor: Actor | None, party: Party, *, reason: str) -> None:
    """End a party's joining: it is removed with its people; record JOINING_TAKEN_BACK.

    One that had left before keeps the last day it had then, from which its duties count. Without an
    actor because the whole cooperation ended. A handler calls back the texts that wait for its
    signature, while its people can still be named.
    """
    party.left_on = former_last_day(party) or clock.today() - ONE_DAY
    db.session.flush()
    _record(
        verbs.JOINING_TAKEN_BACK,
        actor,
        party,
        organisation_id=str(party.organisation_id),
        reason=reason,
    )
    service.end_people(actor, party.cooperation_id, party.organisation_id)


def note_joined(actor: Actor | None, cooperation_id: UUID) -> list[Party]:
    """Record PARTY_JOINED for each invited party that has signed all it had to; return them."""
    invited = db.session.scalars(
        sa.select(Party)
        .where(
            Party.cooperation_id == cooperation_id,
            Party.invited_at.is_not(None),
            Party.joined_at.is_(None),
            has_not_left(clock.today()),
        )
        .order_by(Party.position)
        .execution_options(populate_existing=True)
    ).all()
    joined = [party for party in invited if not party.is_joining]
    for party in joined:
        party.stay()
        party.joined_at = clock.now()
        party.joined_on = clock.today()
        db.session.flush()
        _record(verbs.PARTY_JOINED, actor, party)
    return joined


def _record(verb: Verb, actor: Actor | None, party: Party, **details: Any) -> None:
    record(
        verb,
        actor=actor,
        subject_type="cooperation",
        subject_id=party.cooperation_id,
        cooperation_id=party.cooperation_id,
        organisation=db.session.get_one(Organisation, party.organisation_id).name,
        **details,
    )
