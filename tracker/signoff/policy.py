"""Who may sign, countersign and decline, and by which proof. Pure."""

import datetime as dt
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor, ActorMembership, Role
from tracker.access.decision import YES, Decision, no
from tracker.signoff import assertion
from tracker.signoff.labels import FLAWS
from tracker.signoff.models import Method, RequestState, SignatureKind
from tracker.signoff.proof import FRESH, Identity

COUNTERSIGNERS = (Role.SIGNATORY, Role.MANAGER)


def signing_membership(actor: Actor) -> ActorMembership | None:
    """Return the membership by which a person signs for the organisation they act for."""
    return next((m for m in actor.acting if m.role is Role.SIGNATORY), None)


def can_sign_for(
    actor: Actor, state: RequestState, places: Iterable[tuple[UUID, UUID]], signed: Iterable[UUID]
) -> Decision:
    """Decide whether a person may sign for the organisation they act for.

    places are (organisation, person) pairs the request names; signed are the organisations that
    have signed. Nobody signs for two parties (product.md, 5.2), which the places already see to.
    """
    membership = signing_membership(actor)
    if membership is None:
        return no(_l("You are not a signatory of the organisation you act for."))
    if not membership.power:
        return no(_l("The source of your power to sign is not recorded."))
    if state is not RequestState.WAITING:
        return no(_l("This text no longer waits for signatures."))
    if (actor.organisation_id, actor.user_id) not in set(places):
        return no(_l("Another person is named to sign for your organisation."))
    if actor.organisation_id in set(signed):
        return no(_l("Your organisation has signed this revision."))
    return YES


def can_decline(
    actor: Actor, state: RequestState, places: Iterable[tuple[UUID, UUID]], signed: Iterable[UUID]
) -> Decision:
    """Decide whether a person may decline: who could sign, and has not."""
    return can_sign_for(actor, state, places, signed)


def can_countersign(actor: Actor, signer_id: UUID) -> Decision:
    """Decide whether a person countersigns a person's undertaking: never one's own."""
    if not actor.acts_for_npm or not actor.has(*COUNTERSIGNERS):
        return no(_l("A signatory or manager of the NPM countersigns."))
    if actor.user_id == signer_id:
        return no(_l("Nobody countersigns their own undertaking."))
    return YES


def is_proven(actor: Actor, identity: Identity, now: dt.datetime) -> Decision:
    """Decide whether a proof of identity is this person's and fresh."""
    if identity.user_id != actor.user_id:
        return no(_l("The proof of identity is another person's."))
    if not dt.timedelta(0) <= now - identity.at <= FRESH:
        return no(_l("The proof of identity is too old. Enter password and code again."))
    return YES


def is_enough(identity: Identity, kind: SignatureKind, organisation_id: UUID | None) -> Decision:
    """Decide whether a method is good for a signature: a mailed code is for undertakings alone."""
    in_own_name = kind is SignatureKind.SIGNATURE and organisation_id is None
    if identity.method is Method.PASSWORD_MAILED_CODE and not in_own_name:
        return no(_l("A code by mail is not enough to sign for an organisation."))
    return YES


def is_signed_by(
    method: Method, proof: Mapping[str, Any] | None, document_digest: str, sentence: str
) -> Decision:
    """Decide whether a passkey signed this text and this sentence; other methods sign nothing."""
    if method is not Method.PASSKEY:
        return YES if proof is None else no(_l("Only a passkey leaves a proof."))
    found = assertion.flaw(proof, document_digest=document_digest, sentence=sentence)
    return YES if found is None else no(FLAWS[found])
