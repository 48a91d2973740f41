"""Who may sign, countersign, decline and pass on a text, by role and proof. Pure."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Protocol
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor, ActorMembership, Confirmation, Role
from tracker.access.decision import YES, Decision, no
from tracker.accounts.policy import runs_from_to
from tracker.signoff import assertion, signers, vouching
from tracker.signoff.identity_proof import FRESH, Identity
from tracker.signoff.labels import FLAWS
from tracker.signoff.models import Method, RequestState, SignatureKind
from tracker.signoff.signers import PartySigners

COUNTERSIGNERS = (Role.SIGNATORY, Role.MANAGER)


class ConfirmedRole(Protocol):
    """A role with who confirmed it, how and when."""

    @property
    def confirmed_how(self) -> Confirmation | None:
        """How it was confirmed, if it was."""

    @property
    def confirmed_by(self) -> str:
        """Who confirmed it; empty on the command line."""

    @property
    def confirmed_at(self) -> dt.datetime | None:
        """When it was confirmed, if it's known."""


def signing_membership(actor: Actor) -> ActorMembership | None:
    """Return the membership by which a person signs for the organisation they are acting for."""
    return next((m for m in actor.acting if m.role is Role.SIGNATORY), None)


def confirmation_of(membership: ConfirmedRole) -> dict[str, str] | None:
    """Return who confirmed the role by which somebody signs, as the signature stores it.

    how, by (a name; empty on the command line) and on (a day in UTC), if they are known.
    """
    if membership.confirmed_how is None:
        return None
    at = membership.confirmed_at
    return {
        "how": membership.confirmed_how.value,
        "by": membership.confirmed_by,
        "on": at.astimezone(dt.UTC).date().isoformat() if at else "",
    }


@dataclass(frozen=True, slots=True)
class RequestStatus:
    """The status of a signature request."""

    state: RequestState
    parties: tuple[PartySigners, ...]
    # (organisation, person) of each signature given.
    signed: frozenset[tuple[UUID, UUID]] = frozenset()
    # The last day to sign, inclusive.
    expires_on: dt.date | None = None
    # People who were named and passed it on.
    former: frozenset[UUID] = frozenset()

    def is_waiting(self, today: dt.date) -> Decision:
        """Decide whether it can be signed on a day at all."""
        if self.state is not RequestState.WAITING:
            return no(_l("This text is no longer waiting for signatures."))
        if not runs_from_to(None, self.expires_on, today):
            return no(_l("The time to sign this text has run out."))
        return YES


def has_power(membership: ActorMembership | None, today: dt.date) -> Decision:
    """Decide whether somebody is a signatory whose power is recorded and current."""
    if membership is None:
        return no(_l("You aren't a signatory of the organisation you're acting for."))
    if not membership.power:
        return no(_l("The source of your power to sign is not recorded."))
    if not runs_from_to(membership.power_from, None, today):
        return no(_l("Your power to sign has not begun yet."))
    if not runs_from_to(None, membership.power_until, today):
        return no(_l("Your power to sign has run out."))
    return YES


def deciding_membership(actor: Actor, today: dt.date) -> ActorMembership | None:
    """Return the membership by which a person decides for the organisation they are acting for.

    The signatory's if its power is current, otherwise the manager's (product.md, section 2).
    """
    signs = signing_membership(actor)
    if has_power(signs, today):
        return signs
    return next((m for m in actor.acting if m.role is Role.MANAGER), None)


def decides(actor: Actor, today: dt.date) -> Decision:
    """Decide whether a person decides for the organisation they are acting for, on a day.

    A manager, or a signatory whose power is current (product.md, section 2).
    """
    if deciding_membership(actor, today) is not None:
        return YES
    return has_power(signing_membership(actor), today)


def can_sign_for(actor: Actor, status: RequestStatus, today: dt.date) -> Decision:
    """Decide whether a person may sign now for the organisation they are acting for.

    With a power that is current today, if named on the request, and in their turn (product.md,
    5.2).
    """
    power, waits = has_power(signing_membership(actor), today), status.is_waiting(today)
    if not power or not waits:
        return waits if power else power
    return signers.can_sign_now(status.parties, status.signed, actor.organisation_id, actor.user_id)


def can_decline(actor: Actor, status: RequestStatus, today: dt.date) -> Decision:
    """Decide who may decline: anybody whose signature is needed, now or in their turn."""
    decision = can_sign_for(actor, status, today)
    power, waits = has_power(signing_membership(actor), today), status.is_waiting(today)
    wanted = signers.is_to_sign(status.parties, status.signed, actor.organisation_id, actor.user_id)
    return YES if power and waits and wanted else decision


def can_pass_on(actor: Actor, status: RequestStatus, today: dt.date, holder_id: UUID) -> Decision:
    """Decide who may pass on what somebody of their organisation is to sign.

    The person named, or a coordinator of the organisation, so that nobody has to wait for a person
    who is away.
    """
    waits = status.is_waiting(today)
    if not waits:
        return waits
    if not signers.is_to_sign(status.parties, status.signed, actor.organisation_id, holder_id):
        return no(_l("There's nothing left for this person to sign in your organisation."))
    if actor.user_id == holder_id and signing_membership(actor) is not None:
        return YES
    if actor.has(Role.COORDINATOR):
        return YES
    return no(_l("Only the person named, or a coordinator of the organisation, can pass it on."))


def can_countersign(actor: Actor, signer_id: UUID, today: dt.date) -> Decision:
    """Decide who countersigns an undertaking: who decides for the NPM, never its person."""
    if not actor.acts_for_npm or not actor.has(*COUNTERSIGNERS):
        return no(_l("Only a signatory or manager of the NPM can countersign."))
    power = decides(actor, today)
    if not power:
        return power
    if actor.user_id == signer_id:
        return no(_l("You can't countersign your own undertaking."))
    return YES


def is_proven(actor: Actor, identity: Identity, now: dt.datetime) -> Decision:
    """Decide whether a proof of identity is this person's and fresh."""
    if identity.user_id != actor.user_id:
        return no(_l("The proof of identity belongs to another person."))
    if not dt.timedelta(0) <= now - identity.at <= FRESH:
        return no(_l("The proof of identity is too old. Enter your password and a code again."))
    return YES


def is_enough(identity: Identity, kind: SignatureKind, organisation_id: UUID | None) -> Decision:
    """Decide whether a method may be used for a signature: a mailed code only for undertakings."""
    in_own_name = kind is SignatureKind.SIGNATURE and organisation_id is None
    if identity.method is Method.PASSWORD_MAILED_CODE and not in_own_name:
        return no(_l("A code by email isn't enough to sign for an organisation."))
    return YES


def is_enough_of_a_host(identity: Identity) -> Decision:
    """Decide whether a method is enough for a host, on whose device another person signs."""
    if identity.method in {Method.PASSWORD_TOTP, Method.PASSKEY, Method.DEMONSTRATION}:
        return YES
    return no(_l("Prove who you are by passkey, or by password and a code from an app."))


def is_signed_by(
    method: Method,
    proof: Mapping[str, Any] | None,
    document_digest: str,
    sentence: str,
    presence: Mapping[str, str] | None = None,
) -> Decision:
    """Decide whether a passkey signed this text and sentence; other methods sign nothing.

    Where somebody signed in another person's presence, it is that person who proved who they are.
    """
    if (method is Method.IN_PRESENCE) != (presence is not None) or (
        presence is not None and vouching.host_of(presence) is None
    ):
        return no(_l("It doesn't say who was present."))
    if (method.value if presence is None else presence.get("method")) != Method.PASSKEY:
        return YES if proof is None else no(_l("Only a passkey leaves a proof."))
    fault = assertion.flaw(proof, document_digest=document_digest, sentence=sentence)
    return YES if fault is None else no(FLAWS[fault])
