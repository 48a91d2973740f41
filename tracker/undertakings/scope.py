"""Query conditions for undertakings: which of them a person may see."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from tracker.access.actor import Actor, OrganisationKind, Role
from tracker.activity import verbs
from tracker.activity.models import Event
from tracker.cooperations.models import Clearance, Party
from tracker.cooperations.scope import is_of_npms, reads_since, visible
from tracker.core import clock
from tracker.signoff.models import Method, Signature
from tracker.signoff.paper_models import PaperRecord
from tracker.undertakings import policy
from tracker.undertakings.models import CLEARANCE, SUBJECT, AddedInterest, Undertaking

# Roles that see the status of all people in their organisation.
FOR_OWN_PEOPLE = (Role.COORDINATOR, Role.SIGNATORY, Role.MANAGER)
_PARTY, _EARLIER = aliased(Party), aliased(Party)


def own(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over Undertaking that it is the person's own, whomever they act for."""
    return is_of(actor.user_id)


def is_of(user_id: UUID | sa.BindParameter[UUID]) -> sa.ColumnElement[bool]:
    """Return the condition over Undertaking that it is somebody's own."""
    return Undertaking.user_id == user_id


def decides(actor: Actor) -> bool:
    """Return whether a person decides on undertakings for an NPM, in its cooperations."""
    return policy.is_decider(actor, clock.today())


def decided_by(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over Undertaking that the person decides on it for the NPM."""
    if not decides(actor):
        return sa.false()
    return _on_terms_of_its_npm(actor)


def added_for(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over AddedInterest that it was added for the body acted for too.

    What a person added before a body of the NPM was invited is not for that body, as with what was
    declared (adr 78), unless it is the only body of the NPM that is left to decide.
    """
    in_cooperation = AddedInterest.cooperation_id
    is_another_left = sa.exists().where(
        _EARLIER.cooperation_id == in_cooperation,
        _EARLIER.side == OrganisationKind.NPM,
        _EARLIER.organisation_id != actor.organisation_id,
        sa.or_(_EARLIER.left_on.is_(None), _EARLIER.left_on >= clock.today()),
        _was_there(_EARLIER),
    )
    was_there = sa.exists().where(
        _PARTY.cooperation_id == in_cooperation,
        _PARTY.organisation_id == actor.organisation_id,
        _was_there(_PARTY),
    )
    return sa.or_(was_there, ~is_another_left)


def _was_there(party: type[Party]) -> sa.ColumnElement[bool]:
    """Return the condition that a party was invited, or there, when an interest was added."""
    since = reads_since(party)
    return sa.or_(since.is_(None), since <= AddedInterest.added_at)


def handles_paper(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over Undertaking that the person may handle a scan of it."""
    if not policy.is_asker(actor, clock.today()):
        return sa.false()
    return _on_terms_of_its_npm(actor)


def taken_by(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over Undertaking that the person took its signature.

    Like UndertakingStatus.taken_by: from paper, or on their own device.
    """
    recorded = sa.exists().where(
        PaperRecord.revision_id == Undertaking.revision_id,
        PaperRecord.user_id == actor.user_id,
    )
    hosted = sa.exists().where(
        Signature.revision_id == Undertaking.revision_id,
        Signature.method == Method.IN_PRESENCE,
        sa.func.lower(Signature.presence["host"].as_string()) == str(actor.user_id),
    )
    return sa.or_(recorded, hosted)


def states_seen(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over Undertaking that the person may see its status, but no more.

    The NPM's people and its auditors see all, a CSO's coordinators, signatories and managers those
    of their own people, everybody their own.
    """
    ways = [own(actor)]
    if actor.acts_for_npm and not actor.outside_expert:
        ways.append(_of_its_npm(actor))
    if actor.audited_ids:
        ways.append(_of_npms(actor.audited_ids))
    if actor.has(*FOR_OWN_PEOPLE):
        ways.append(Undertaking.organisation_id == actor.organisation_id)
    return sa.and_(visible(actor, Undertaking.cooperation_id), sa.or_(*ways))


def events_seen(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over Event that it isn't about an undertaking hidden from the person.

    As on the undertaking's own pages: nothing about another CSO's people, about declared interests
    (C13) only for their person and the NPM's deciders, and only for these when access to one visit
    began and ended.
    """
    of_interests = Event.verb.in_([verbs.INTEREST_ADDED.name, verbs.INTERESTS_DECIDED.name])
    is_told = _is_the_subject(
        Undertaking,
        states_seen(actor),
        sa.or_(Event.verb != verbs.UNDERTAKING_CLOSED.name, _ending_seen(actor)),
    )
    is_opened = _is_the_subject(
        Clearance, Undertaking.id == Clearance.undertaking_id, _ending_seen(actor)
    )
    # Interests are declared in an undertaking, or added later.
    is_declared = sa.or_(
        _is_the_subject(Undertaking, sa.or_(own(actor), decided_by(actor))),
        _is_the_subject(
            AddedInterest,
            Undertaking.user_id == AddedInterest.user_id,
            Undertaking.cooperation_id == AddedInterest.cooperation_id,
            sa.or_(own(actor), sa.and_(decided_by(actor), added_for(actor))),
        ),
    )
    return sa.case(
        (of_interests, is_declared),
        (Event.subject_type == SUBJECT, is_told),
        (Event.subject_type == CLEARANCE, is_opened),
        else_=sa.true(),
    )


def _ending_seen(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over Undertaking that the person may see when its access ended.

    For one visit that would reveal when the visit was: only the undertaking's person and people who
    decide on it may see it, as in the lists of undertakings.
    """
    is_for_a_visit = sa.exists().where(
        Clearance.undertaking_id == Undertaking.id, Clearance.visit_id.is_not(None)
    )
    return sa.and_(
        states_seen(actor),
        sa.or_(own(actor), decided_by(actor), ~is_for_a_visit.correlate(Undertaking)),
    )


def _is_the_subject(
    table: type[Undertaking | Clearance | AddedInterest], *conditions: sa.ColumnElement[bool]
) -> sa.ColumnElement[bool]:
    return sa.exists().where(table.id == Event.subject_id, *conditions).correlate(Event)


def looks_after_all(actor: Actor) -> bool:
    """Return whether a person is in charge of getting everybody cleared, for an NPM."""
    return actor.acts_for_npm and actor.has(*FOR_OWN_PEOPLE) and not actor.outside_expert


def has_own_people(actor: Actor) -> bool:
    """Return whether a person is in charge of getting people of their organisation cleared."""
    return actor.has(*FOR_OWN_PEOPLE) and not actor.outside_expert


def waits_for_own_people(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over Undertaking that the person is in charge of getting it signed."""
    if not has_own_people(actor):
        return sa.false()
    looked_after = (
        _of_its_npm(actor)
        if looks_after_all(actor)
        else Undertaking.organisation_id == actor.organisation_id
    )
    return sa.and_(visible(actor, Undertaking.cooperation_id), looked_after)


def _on_terms_of_its_npm(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over Undertaking that it is based on terms of the NPM acted for.

    What a person declared on earlier terms is not for a body that was invited later (adr 78); see
    people.party_ids.
    """
    if actor.organisation_id is None:
        return sa.false()
    return sa.and_(
        visible(actor, Undertaking.cooperation_id),
        is_of_npms(
            frozenset({actor.organisation_id}),
            Undertaking.cooperation_id,
            on=clock.today(),
            terms_id=Undertaking.terms_revision_id,
        ),
    )


def _of_its_npm(actor: Actor) -> sa.ColumnElement[bool]:
    if actor.organisation_id is None:
        return sa.false()
    return _of_npms(frozenset({actor.organisation_id}))


def _of_npms(npm_ids: frozenset[UUID]) -> sa.ColumnElement[bool]:
    return is_of_npms(npm_ids, Undertaking.cooperation_id, on=clock.today())
