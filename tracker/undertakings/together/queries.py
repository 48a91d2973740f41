"""Signed undertakings that a person can countersign together: those without any interest."""

from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from tracker.access.actor import Actor
from tracker.checklists.queries import access_is_stopped
from tracker.cooperations.models import Cooperation
from tracker.cooperations.queries import have_terms_run_out
from tracker.core import clock
from tracker.core.db import db
from tracker.signoff import assertion
from tracker.signoff import queries as signoff
from tracker.signoff.models import Method, Revision, Signature
from tracker.undertakings import bound, people, policy, queries, scope
from tracker.undertakings.facts import Terms, UndertakingStatus
from tracker.undertakings.models import (
    AddedInterest,
    InterestsDecision,
    Undertaking,
    UndertakingState,
)
from tracker.undertakings.queries import Loaded

_EARLIER = aliased(Undertaking)
# Somebody else took it, so its scan has to be looked at, or its host.
_TAKEN = (Method.PAPER, Method.IN_PRESENCE)


@dataclass(frozen=True, slots=True)
class ToCountersign:
    """An undertaking with the frozen text that its person signed."""

    loaded: Loaded
    revision: Revision


@dataclass(frozen=True, slots=True)
class Together:
    """What a person can countersign together: all on the same terms, the oldest first."""

    terms: Terms | None
    undertakings: list[ToCountersign]


def waiting(actor: Actor, cooperation: Cooperation) -> Together:
    """Return what a person can countersign together in a cooperation that was found for them.

    Without what has to be decided on, or was ever limited: that is looked at one by one. At most as
    many as one proof of identity can sign, in a constant number of queries.
    """
    checklist = queries.confidentiality(cooperation.id)
    if checklist is None or checklist.revision_in_force_id is None:
        return Together(None, [])
    terms_revision = db.session.get_one(Revision, checklist.revision_in_force_id)
    terms = queries.terms_of(terms_revision)
    rows = db.session.execute(
        sa.select(Undertaking, people.has_role_in(Undertaking.user_id, Undertaking.organisation_id))
        .where(
            Undertaking.cooperation_id == cooperation.id,
            Undertaking.terms_revision_id == terms_revision.id,
            Undertaking.state == UndertakingState.SIGNED,
            Undertaking.user_id != actor.user_id,
            scope.decided_by(actor),
            *_without_interests(),
        )
        .order_by(Undertaking.signed_at, Undertaking.id)
        .limit(assertion.LENGTH)
        .options(*queries.WITH_NAMES)
    ).all()
    if not rows:
        return Together(terms, [])
    compared = bound.compare([row for row, _has_role in rows])
    parties = people.party_ids(cooperation.id, terms_revision.frozen_at)
    revisions = signoff.revisions(row.revision_id for row, _has_role in rows if row.revision_id)
    is_stopped = access_is_stopped(cooperation.id)
    together = []
    for row, has_role in rows:
        standing = UndertakingStatus(
            user_id=row.user_id,
            organisation_id=row.organisation_id,
            state=row.state,
            is_current=True,
            until=terms.until,
            npm_ids=parties.npm,
            has_interests=row.has_interests,
            party_has_interest=bool(row.party_has_interest),
            decision=row.decision,
            mailed_codes=cooperation.mailed_codes,
            signs_in=row.user.signs_in,
            has_role=bool(has_role),
            is_joining=row.organisation_id in parties.joining,
            stage=cooperation.stage,
            agreed_terms_have_run_out=have_terms_run_out(cooperation),
            is_stopped_by_notice=is_stopped,
        )
        may = policy.can_countersign(actor, standing, clock.today())
        if may and compared[row.id].agrees and row.revision_id in revisions:
            loaded = Loaded(row, terms, standing, checklist)
            together.append(ToCountersign(loaded, revisions[row.revision_id]))
    return Together(terms, together)


def _without_interests() -> list[sa.ColumnElement[bool]]:
    """Return the conditions that nothing about an undertaking was declared, added or limited."""
    was_added = sa.exists().where(
        AddedInterest.cooperation_id == Undertaking.cooperation_id,
        AddedInterest.user_id == Undertaking.user_id,
    )
    was_limited = sa.exists().where(
        _EARLIER.cooperation_id == Undertaking.cooperation_id,
        _EARLIER.user_id == Undertaking.user_id,
        _EARLIER.decision == InterestsDecision.LIMIT,
    )
    was_taken = sa.exists().where(
        Signature.revision_id == Undertaking.revision_id, Signature.method.in_(_TAKEN)
    )
    return [
        Undertaking.has_interests.is_(False),
        Undertaking.party_has_interest.is_not(True),
        Undertaking.decision.is_(None),
        ~was_added,
        ~was_limited,
        ~was_taken,
    ]
