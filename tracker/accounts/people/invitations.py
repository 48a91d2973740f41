"""Service functions for invitations: send, resend, revoke, accept.

In one file: sending and accepting check the same limits on roles.
"""

import datetime as dt
import logging
import secrets
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from uuid import UUID, uuid4

import email_validator
import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError

from tracker.access.actor import POWERS, Actor, OrganisationKind, Role
from tracker.accounts import messages, policy, queries
from tracker.accounts.factors import binding, passwords
from tracker.accounts.labels import InvitationState
from tracker.accounts.models import Invitation, Membership, User
from tracker.accounts.people import powers
from tracker.accounts.policy import RoleFacts
from tracker.accounts.queries import InvitationLine
from tracker.activity import service as trail
from tracker.activity import witness
from tracker.activity.verbs import (
    INVITATION_ACCEPTED,
    INVITATION_REVOKED,
    INVITATION_SENT_AGAIN,
    PERSON_INVITED,
)
from tracker.core import clock, logs
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.core.names import tidied
from tracker.mail import outbox
from tracker.organisations.models import Organisation

logger = logging.getLogger(__name__)

TOKEN_BYTES = 32


@dataclass(frozen=True, slots=True)
class NewInvitation:
    """Who to invite, into which organisation, with which roles.

    An administrator of the instance is invited without an organisation. power and office are for a
    signatory; audits_id is the NPM that a body of another kind audits. With cooperation_id and
    function, accepting adds the person to that cooperation; the caller has checked that the inviter
    may do that.
    """

    email: str
    roles: Collection[Role]
    name: str = ""
    organisation_id: UUID | None = None
    power: str = ""
    power_from: dt.date | None = None
    power_until: dt.date | None = None
    office: str = ""
    outside_expert: bool = False
    audits_id: UUID | None = None
    language: str = "en"
    cooperation_id: UUID | None = None
    function: str = ""
    days: int = field(default=14)


@dataclass(frozen=True, slots=True)
class SentInvitation:
    """A new invitation and its token, which is not stored."""

    id: UUID
    token: str
    email: str


def invite(actor: Actor | None, wanted: NewInvitation) -> SentInvitation:
    """Invite a person by mail; actor None is the application itself (the command line).

    Raises RefusedError, or RuleBrokenError with the field: email, roles, organisation, name,
    power, office, audits.
    """
    email = address_of(wanted.email)
    _check_may_be_given(actor, email, wanted)
    organisation = check_roles(actor, wanted.organisation_id, wanted.roles)
    _check_power(wanted)
    _check_audits(wanted, organisation)
    check_expert(organisation, outside_expert=wanted.outside_expert)
    _check_not_here(email, wanted)
    return _send(actor, email, wanted, organisation)


def invite_reader(
    actor: Actor, email: str, *, name: str, language: str, days: int
) -> SentInvitation:
    """Invite somebody to an account without any role, who is asked to read one text.

    The caller has checked that the inviter may ask them, and that the address has no account.
    """
    wanted = NewInvitation(email, (), name=name, language=language, days=days)
    return _send(actor, email, wanted, None)


def revoke_reader(actor: Actor, email: str) -> None:
    """Revoke what invite_reader() sent to an address, if nobody has accepted it yet.

    The caller has checked that the actor may take it back.
    """
    waiting = db.session.scalars(
        sa.select(Invitation)
        .where(
            Invitation.email == email,
            Invitation.organisation_id.is_(None),
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
        )
        .with_for_update()
    )
    for invitation in waiting.all():
        if not invitation.roles:
            _revoke(actor, invitation)


def _send(
    actor: Actor | None, email: str, wanted: NewInvitation, organisation: Organisation | None
) -> SentInvitation:
    token = secrets.token_urlsafe(TOKEN_BYTES)
    invitation = Invitation(
        id=uuid4(),
        email=email,
        name=tidied(wanted.name),
        organisation_id=wanted.organisation_id,
        organisation=organisation,
        roles=[role.value for role in Role if role in wanted.roles],
        power=wanted.power,
        power_from=wanted.power_from,
        power_until=wanted.power_until,
        office=wanted.office,
        outside_expert=wanted.outside_expert,
        audits_id=wanted.audits_id,
        language=wanted.language,
        cooperation_id=wanted.cooperation_id,
        function=wanted.function,
        token_digest=queries.token_digest(token),
        invited_by_id=actor.user_id if actor else None,
        created_at=clock.now(),
        expires_at=clock.now() + dt.timedelta(days=wanted.days),
    )
    invitation.confirms = _could_confirm(actor, invitation)
    db.session.add(invitation)
    trail.record(
        PERSON_INVITED,
        actor=actor,
        subject_type="invitation",
        subject_id=invitation.id,
        email=email,
        organisation=organisation.name if organisation else "",
        roles=invitation.roles,
        cooperation=str(wanted.cooperation_id or ""),
    )
    messages.invitation(invitation, token)
    return SentInvitation(invitation.id, token, email)


def send_again(actor: Actor, invitation_id: UUID, *, days: int = 14) -> str:
    """Send an invitation that nobody has accepted with a new token; the earlier link stops working.

    Whoever sends it again becomes the inviter (product.md, section 2), so nobody can send
    themselves one that somebody else began. Returns the token. Raises RefusedError, or
    RuleBrokenError if it was accepted, revoked, or changed outside the application.
    """
    invitation = _locked(actor, invitation_id)
    if not _is_bound(invitation):
        raise RuleBrokenError(
            _l(
                "This invitation was changed outside this application. Revoke it, then invite the "
                "person again."
            )
        )
    addressee = queries.find_user_by_email(invitation.email)
    if addressee is not None:
        policy.can_give_to(actor, addressee.id).require()
    token = secrets.token_urlsafe(TOKEN_BYTES)
    invitation.invited_by_id = actor.user_id
    invitation.confirms = _could_confirm(actor, invitation)
    invitation.token_digest = queries.token_digest(token)
    invitation.expires_at = clock.now() + dt.timedelta(days=days)
    trail.record(
        INVITATION_SENT_AGAIN,
        actor=actor,
        subject_type="invitation",
        subject_id=invitation.id,
        email=invitation.email,
    )
    outbox.withdraw_failed(messages.INVITATION, invitation.email)
    messages.invitation(invitation, token)
    return token


def revoke(actor: Actor, invitation_id: UUID) -> None:
    """Revoke an invitation; its link stops working immediately.

    Raises RefusedError, or RuleBrokenError if it was accepted or revoked.
    """
    _revoke(actor, _locked(actor, invitation_id))


def _revoke(actor: Actor, invitation: Invitation) -> None:
    invitation.revoked_at = clock.now()
    trail.record(
        INVITATION_REVOKED,
        actor=actor,
        subject_type="invitation",
        subject_id=invitation.id,
        email=invitation.email,
    )


def accept(
    token: str, *, name: str, password: str, language: str, is_demonstration: bool = False
) -> User:
    """Create and return the account for an invitation's address, with its roles.

    Raises RuleBrokenError: without a field if the invitation can't be used (any more) or the
    address already has an account; with the field name or password if one is not good enough.
    """
    invitation = _usable(token)
    if queries.find_user_by_email(invitation.email) is not None:
        raise RuleBrokenError(_l("This address already has an account. Sign in, then accept."))
    tidy = tidied(name)
    if not tidy:
        raise RuleBrokenError(_l("Enter your name"), "name")
    place = invitation.organisation_id
    own = queries.names_of_organisations([place] if place else [])
    for problem in passwords.problems(
        password, name=tidy, email=invitation.email, organisations=own
    ):
        raise RuleBrokenError(problem, "password")
    user = User(
        id=uuid4(),
        email=invitation.email,
        name=tidy,
        language=language,
        password=passwords.hashed(password),
        active=True,
        suspended_reason="",
        is_demonstration=is_demonstration,
        created_at=clock.now(),
        fs_uniquifier=uuid4().hex,
    )
    db.session.add(user)
    try:
        with db.session.begin_nested():
            db.session.flush()
    except IntegrityError as error:  # accepted twice at the same moment
        raise RuleBrokenError(_l("This invitation has already been used.")) from error
    _give(invitation, user)
    binding.bind_new(Actor(user_id=user.id, name=user.name, email=user.email), user)
    return user


def accept_signed_in(actor: Actor, token: str) -> None:
    """Give a signed-in person the roles of an invitation to the same address.

    Raises RuleBrokenError if the invitation can't be used or is for another address.
    """
    invitation = _usable(token)
    user = db.session.get_one(User, actor.user_id)
    if user.email != invitation.email:
        raise RuleBrokenError(
            _l("This invitation is for another address. Sign out, then open its link again.")
        )
    if user.id == invitation.invited_by_id:
        policy.can_give_to(actor, user.id).require()
    _give(invitation, user)


def address_of(typed: str) -> str:
    """Return the normal form of an email address, or raise RuleBrokenError."""
    try:
        known = email_validator.validate_email(
            typed.strip(), check_deliverability=False, allow_smtputf8=False
        )
    except email_validator.EmailNotValidError as error:
        raise RuleBrokenError(
            _l("Enter an email address, such as name@example.org"), "email"
        ) from error
    return known.normalized.lower()


def check_roles(
    actor: Actor | None, organisation_id: UUID | None, roles: Collection[Role]
) -> Organisation | None:
    """Return the organisation if the actor may give these roles there.

    Raises RefusedError, or RuleBrokenError with the field roles or organisation.
    """
    policy.can_give_roles(actor, organisation_id, roles).require()
    if not roles:
        raise RuleBrokenError(_l("Choose at least one role"), "roles")
    if organisation_id is None:
        if set(roles) != {Role.ADMINISTRATOR}:
            raise RuleBrokenError(_l("Choose the organisation"), "organisation")
        return None
    organisation = db.session.get(Organisation, organisation_id)
    if organisation is None:
        raise RuleBrokenError(_l("Choose the organisation"), "organisation")
    if not set(roles) <= set(policy.ROLES_OF_KIND[organisation.kind]):
        raise RuleBrokenError(_l("This organisation doesn't have that role"), "roles")
    return organisation


def _check_power(wanted: NewInvitation) -> None:
    """Require what each signature shows (product.md, section 2; M1): the name and the power."""
    if not POWERS.isdisjoint(wanted.roles) and not wanted.name.strip():
        raise RuleBrokenError(_l("Enter the name of the signatory or manager"), "name")
    if Role.SIGNATORY not in wanted.roles:
        return
    if not wanted.office.strip():
        raise RuleBrokenError(_l("Enter the office of the signatory"), "office")
    if not wanted.power.strip():
        raise RuleBrokenError(_l("Say under what power the person signs"), "power")
    check_power_days(wanted.power_from, wanted.power_until)


def check_expert(organisation: Organisation | None, *, outside_expert: bool) -> None:
    """Refuse an outside expert of a body that is no NPM, with the field outside_expert."""
    is_npm = organisation is not None and organisation.kind is OrganisationKind.NPM
    if outside_expert and not is_npm:
        raise RuleBrokenError(_l("Only an NPM's person is an outside expert"), "outside_expert")


def check_power_days(first: dt.date | None, last: dt.date | None) -> None:
    """Refuse a power to sign that ends before it begins, with the field power_until."""
    if first is not None and last is not None and last < first:
        raise RuleBrokenError(_l("The last day is before the first"), "power_until")


def _check_audits(wanted: NewInvitation, organisation: Organisation | None) -> None:
    """Require the one NPM that an auditor from another body audits."""
    if Role.AUDITOR not in wanted.roles or organisation is None:
        return
    if organisation.kind is OrganisationKind.NPM:
        return
    audited = db.session.get(Organisation, wanted.audits_id) if wanted.audits_id else None
    if audited is None or audited.kind is not OrganisationKind.NPM:
        raise RuleBrokenError(_l("Choose the NPM that is audited"), "audits")


def _check_may_be_given(actor: Actor | None, email: str, wanted: NewInvitation) -> None:
    """Refuse an invitation to oneself, or to roles that the person may not combine."""
    user = queries.find_user_by_email(email)
    if user is None:
        return
    may = policy.can_give_to(actor, user.id)
    if not may:
        raise RuleBrokenError(may.reason, "email")
    held_roles = {
        (m.organisation_id, m.role) for m in queries.memberships_of(user.id, clock.today())
    }
    may = policy.can_hold(held_roles | {(wanted.organisation_id, role) for role in wanted.roles})
    if not may:
        raise RuleBrokenError(may.reason, "roles")


def _check_not_here(email: str, wanted: NewInvitation) -> None:
    """Refuse a person who already has the roles, and a second open invitation."""
    waiting = db.session.scalar(
        sa.select(Invitation.id).where(
            Invitation.email == email,
            Invitation.organisation_id == wanted.organisation_id,
            Invitation.cooperation_id == wanted.cooperation_id,
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
            Invitation.expires_at > clock.now(),
        )
    )
    if waiting is not None:
        raise RuleBrokenError(
            _l("There is an open invitation to this address. Send it again, or revoke it first."),
            "email",
        )
    user = queries.find_user_by_email(email)
    if user is None or wanted.cooperation_id is not None:
        return
    roles = {
        membership.role
        for membership in queries.memberships_of(user.id, clock.today())
        if membership.organisation_id == wanted.organisation_id
    }
    if roles.issuperset(wanted.roles):
        raise RuleBrokenError(_l("This person already has this role here."), "email")


def _locked(actor: Actor, invitation_id: UUID) -> Invitation:
    """Lock and return an unused invitation that the actor may change."""
    invitation = db.session.scalars(
        sa.select(Invitation)
        .where(Invitation.id == invitation_id)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    roles = {Role(role) for role in invitation.roles}
    policy.can_give_roles(actor, invitation.organisation_id, roles).require()
    state = queries.state_of(invitation)
    if state is InvitationState.ACCEPTED:
        raise RuleBrokenError(_l("This invitation has already been accepted."))
    if state is InvitationState.REVOKED:
        raise RuleBrokenError(_l("This invitation has already been revoked."))
    return invitation


def _usable(token: str) -> Invitation:
    """Lock and return the open invitation for a token, so that it works once."""
    invitation = queries.invitation_by_token(token, lock=True)
    if invitation is None:
        raise RuleBrokenError(_l("This invitation is not valid."))
    closed = why_closed(invitation)
    if closed is not None:
        raise RuleBrokenError(closed)
    return invitation


def why_closed(invitation: Invitation) -> object | None:
    """Return why an invitation can't be used; None if it can.

    One that this application did not write creates no account: whoever can write to the database
    could otherwise invite themselves. Nor does one whose sender couldn't give now what it gives,
    since they are suspended or their role has ended. Somebody else can send it again.
    """
    state = queries.state_of(invitation)
    if state is not InvitationState.OPEN:
        return CLOSED_WORDS[state]
    if not _is_bound(invitation):
        return CHANGED
    return None if _can_still_give(_inviter(invitation), invitation) else SENDER_CANNOT


def without_sender(lines: Iterable[InvitationLine]) -> frozenset[UUID]:
    """Return the ids of open invitations that are refused because of their sender, in one query.

    Whoever sent them could no longer give the roles that they give.
    """
    sent = [line for line in lines if line.state is InvitationState.OPEN and line.invited_by_id]
    senders = {line.invited_by_id for line in sent if line.invited_by_id}
    memberships = queries.memberships_of_several(senders, clock.today())
    return frozenset(
        line.id
        for line in sent
        if line.invited_by_id
        and not _gives(
            Actor(
                user_id=line.invited_by_id,
                name="",
                email="",
                memberships=memberships[line.invited_by_id],
                organisation_id=line.organisation_id,
            ),
            line.organisation_id,
            line.roles,
        )
    )


def _can_still_give(inviter: Actor | None, invitation: Invitation) -> bool:
    """Return whether an inviter, as they may act now, could send this invitation now."""
    may = _gives(inviter, invitation.organisation_id, [Role(role) for role in invitation.roles])
    if not may:
        logger.warning(
            "An invitation is refused: its sender can't give its roles now.",
            extra=logs.fields(invitation=invitation.id, sender=invitation.invited_by_id),
        )
    return may


def _gives(inviter: Actor | None, organisation_id: UUID | None, roles: Collection[Role]) -> bool:
    if inviter is not None and not roles:  # to read one text: their organisation can take it back
        return bool(inviter.memberships)
    return bool(policy.can_give_roles(inviter, organisation_id, roles))


def _is_bound(invitation: Invitation) -> bool:
    """Return whether an invitation is what the last event that binds it says."""
    if witness.are_of_instance_as_recorded([invitation], [("invitation", invitation.id)]):
        return True
    logger.error("Invitation %s is refused: no event binds its current values.", invitation.id)
    return False


CHANGED: object = _l("This invitation can't be used: it was changed outside this application.")
SENDER_CANNOT: object = _l(
    "This invitation can't be used now, since whoever sent it can no longer give this access."
)
CLOSED_WORDS: dict[InvitationState, object] = {
    InvitationState.ACCEPTED: _l("This invitation has already been used."),
    InvitationState.REVOKED: _l("This invitation was revoked."),
    InvitationState.EXPIRED: _l("This invitation has expired."),
}


def _give(invitation: Invitation, user: User) -> None:
    """Record the acceptance and give the roles that the person doesn't have yet."""
    powers.hold(user.id, invitation.organisation_id)
    inviter = _inviter(invitation)
    if not _can_still_give(inviter, invitation):  # their role may have ended just before the lock
        raise RuleBrokenError(SENDER_CANNOT)
    now, today = clock.now(), clock.today()
    invitation.accepted_at = now
    invitation.accepted_by_id = user.id
    held_roles = {(m.organisation_id, m.role) for m in queries.memberships_of(user.id, today)}
    given = [
        Membership(
            id=uuid4(),
            user_id=user.id,
            organisation_id=invitation.organisation_id,
            role=role,
            starts_on=today,
            outside_expert=invitation.outside_expert,
            power=invitation.power if role is Role.SIGNATORY else "",
            power_from=invitation.power_from if role is Role.SIGNATORY else None,
            power_until=invitation.power_until if role is Role.SIGNATORY else None,
            office=invitation.office,
            audits_id=invitation.audits_id if role is Role.AUDITOR else None,
            created_at=now,
            begun_at=None if role in POWERS else now,
        )
        for role in map(Role, invitation.roles)
        if (invitation.organisation_id, role) not in held_roles
    ]
    powers.require_holdable(user.id, *given)
    db.session.add_all(given)
    db.session.flush()
    trail.record(
        INVITATION_ACCEPTED,
        actor=Actor(
            user_id=user.id,
            name=user.name,
            email=user.email,
            memberships=queries.memberships_of(user.id, today),
            organisation_id=invitation.organisation_id,
        ),
        subject_type="user",
        subject_id=user.id,
        email=user.email,
        name=user.name,
        organisation=invitation.organisation.name if invitation.organisation else "",
        organisation_id=str(invitation.organisation_id or ""),
        roles=list(invitation.roles),
        cooperation=str(invitation.cooperation_id or ""),
        function=invitation.function,
    )
    # Who invited confirmed a person of the name they typed, and only if they could at that time.
    confirms = invitation.confirms and user.name == invitation.name
    for membership in given:
        powers.begin(inviter, membership, confirms=confirms)


def _could_confirm(actor: Actor | None, invitation: Invitation) -> bool:
    """Return whether somebody who invites could confirm signatory and manager roles as well."""
    if POWERS.isdisjoint(map(Role, invitation.roles)):
        return False
    invited = queries.find_user_by_email(invitation.email)
    role = RoleFacts(
        person=invited.id if invited else invitation.id,
        organisation_id=invitation.organisation_id,
        role=Role.SIGNATORY,
        has_begun=False,
    )
    holders = queries.holders_of_power(invitation.organisation_id).without(role.person)
    return bool(policy.can_confirm(actor, role, holders))


def _inviter(invitation: Invitation) -> Actor | None:
    """Return the inviter as they may act now; None is the application itself.

    The role begins now, so they have to be able to give and confirm it now as well as when they
    invited.
    """
    if invitation.invited_by_id is None:
        return None
    user = db.session.get_one(User, invitation.invited_by_id)
    return Actor(
        user_id=user.id,
        name=user.name,
        email=user.email,
        memberships=queries.memberships_of(user.id, clock.today()) if user.active else (),
        organisation_id=invitation.organisation_id,
    )
