"""Service functions for requests to invite a partner's first coordinator: make, answer, withdraw.

A request is made and answered in the cooperation's chain. The person who was proposed is in its row
alone, and only until it has ended: no event names them.
"""

import datetime as dt
from uuid import UUID, uuid4

from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import selectinload

from tracker.access.actor import Actor, Role
from tracker.accounts import coordinators
from tracker.accounts import queries as accounts
from tracker.accounts.people import invitations
from tracker.accounts.people.invitations import NewInvitation, SentInvitation
from tracker.activity import verbs, witness
from tracker.activity.service import lock_chain, record
from tracker.activity.verbs import Verb
from tracker.cooperations import people
from tracker.cooperations import queries as cooperations
from tracker.cooperations.invitation_requests import messages, policy, queries
from tracker.cooperations.invitation_requests.models import InvitationRequest, RequestOutcome
from tracker.cooperations.models import Cooperation
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.core.names import tidied

MAX_REASON = 500
# After this time without an answer, a request ends and the person's details are erased.
DAYS = 90


def make(
    actor: Actor,
    cooperation: Cooperation,
    organisation_id: UUID,
    *,
    name: str,
    email: str,
    language: str,
) -> InvitationRequest:
    """Ask the administrators to invite a partner's first coordinator.

    Says nothing about the address: whether it has an account is looked up only once an
    administrator confirms. Raise RefusedError, or RuleBrokenError with the field name or email, or
    without one if somebody has asked already.
    """
    lock_chain(cooperation.id)
    nobody_acts = organisation_id in coordinators.nobody_acts([organisation_id])
    fact = cooperations.fact(cooperation)
    policy.can_request(actor, fact, organisation_id, nobody_acts=nobody_acts).require()
    party = next(
        (row for row in people.parties(cooperation) if row.organisation_id == organisation_id), None
    )
    if party is None or actor.organisation_id is None:
        raise RuleBrokenError(_l("This organisation isn't a party of the cooperation."))
    tidy = tidied(name)
    if not tidy:
        raise RuleBrokenError(_l("Enter the name"), "name")
    address = invitations.address_of(email)
    if address == actor.email:
        raise RuleBrokenError(_l("You can't ask for a role of your own."), "email")
    row = InvitationRequest(
        id=uuid4(),
        cooperation_id=cooperation.id,
        organisation_id=organisation_id,
        partner_id=actor.organisation_id,
        requested_by_id=actor.user_id,
        requested_at=clock.now(),
        name=tidy,
        email=address,
        language=language,
    )
    row.organisation, row.cooperation = party.organisation, cooperation
    try:
        with db.session.begin_nested():
            db.session.add(row)
    except IntegrityError as error:
        raise RuleBrokenError(
            _l("Somebody has already asked for this. An administrator will answer.")
        ) from error
    _record(verbs.INVITATION_REQUESTED, actor, row)
    messages.invitation_requested(row.id, actor.user_id)
    return row


def confirm(actor: Actor, request_id: UUID, *, days: int) -> SentInvitation:
    """Invite the person who was proposed, as coordinator; erase their details from the request.

    Raise RefusedError, or RuleBrokenError if the request has been answered, has lost its reason or
    was changed outside the application, or if the person can't be invited or acts for the party
    that asked.
    """
    row = _open(request_id)
    policy.can_answer(actor, row.requested_by_id).require()
    cooperation = db.session.get_one(
        Cooperation,
        row.cooperation_id,
        options=[selectinload(Cooperation.parties)],
        populate_existing=True,
    )
    nobody_acts = row.organisation_id in coordinators.nobody_acts([row.organisation_id])
    decision = policy.can_be_confirmed(
        cooperations.fact(cooperation), row.organisation_id, nobody_acts=nobody_acts
    )
    if not decision:
        raise RuleBrokenError(decision.reason)
    if not witness.are_as_recorded(row.cooperation_id, [row]):
        raise RuleBrokenError(
            _l("This request was changed outside this application. You can only decline.")
        )
    _require_of_another_party(row)
    sent = invitations.invite(
        actor,
        NewInvitation(
            email=row.email,
            name=row.name,
            roles={Role.COORDINATOR},
            organisation_id=row.organisation_id,
            language=row.language,
            days=days,
        ),
    )
    _end(actor, row, RequestOutcome.CONFIRMED, verbs.INVITATION_REQUEST_CONFIRMED)
    messages.request_answered(cooperation.reference, row.requested_by_id)
    return sent


def _require_of_another_party(row: InvitationRequest) -> None:
    """Refuse to give somebody who acts for the party that asked a power of its partner."""
    person = accounts.find_user_by_email(row.email)
    if person is not None and row.partner_id in accounts.organisations_of(person.id):
        raise RuleBrokenError(
            _l(
                "The person acts for the organisation that asked for this, and would then act for "
                "both. You can only decline."
            )
        )


def decline(actor: Actor, request_id: UUID, *, reason: str) -> None:
    """Decline a request with a reason, which the parties read; erase the person's details.

    Raise RefusedError, or RuleBrokenError with the field reason, or if it has been answered.
    """
    row = _open(request_id)
    policy.can_answer(actor, row.requested_by_id).require()
    row.reason = reason.strip()[:MAX_REASON]
    if not row.reason:
        raise RuleBrokenError(_l("Say why"), "reason")
    _end(actor, row, RequestOutcome.DECLINED, verbs.INVITATION_REQUEST_DECLINED, reason=row.reason)
    messages.request_answered(row.cooperation.reference, row.requested_by_id)


def withdraw(actor: Actor, request_id: UUID) -> None:
    """Take a request back, for the party that made it; erase the person's details.

    Raise RefusedError, or RuleBrokenError if it has been answered.
    """
    row = _open(request_id)
    cooperation = db.session.get_one(
        Cooperation,
        row.cooperation_id,
        options=[selectinload(Cooperation.parties)],
        populate_existing=True,
    )
    fact = cooperations.fact(cooperation)
    policy.can_withdraw(actor, fact, row.requested_by_id, row.partner_id).require()
    _end(actor, row, RequestOutcome.WITHDRAWN, verbs.INVITATION_REQUEST_WITHDRAWN)
    if actor.user_id != row.requested_by_id:
        messages.request_answered(cooperation.reference, row.requested_by_id)


def due(day: dt.date) -> list[UUID]:
    """Return the requests that nobody has answered for DAYS days; for the worker."""
    first = dt.datetime.combine(day, dt.time(), clock.zone()) - dt.timedelta(days=DAYS)
    return list(queries.older_than(first))


def lapse(request_id: UUID, _day: dt.date) -> bool:
    """End a request that nobody has answered, and erase the person's details; for the worker.

    Return False if it has ended.
    """
    try:
        row = _open(request_id)
    except RuleBrokenError:
        return False
    _end(None, row, RequestOutcome.LAPSED, verbs.INVITATION_REQUEST_LAPSED)
    messages.request_answered(row.cooperation.reference, row.requested_by_id)
    return True


def _open(request_id: UUID) -> InvitationRequest:
    cooperation_id = queries.cooperation_id_of(request_id)
    if cooperation_id is not None:
        lock_chain(cooperation_id)
    row = queries.locked(request_id)
    if row is None:
        raise RuleBrokenError(_l("This request has already been answered."))
    return row


def _end(
    actor: Actor | None, row: InvitationRequest, outcome: RequestOutcome, verb: Verb, **details: str
) -> None:
    row.outcome, row.answered_at = outcome, clock.now()
    row.answered_by_id = actor.user_id if actor else None
    row.name = row.email = ""
    db.session.flush()
    messages.no_longer_waits(row.id)
    _record(verb, actor, row, **details)


def _record(verb: Verb, actor: Actor | None, row: InvitationRequest, **details: str) -> None:
    record(
        verb,
        actor=actor,
        subject_type="invitation_request",
        subject_id=row.id,
        cooperation_id=row.cooperation_id,
        organisation=row.organisation.name,
        **details,
    )
