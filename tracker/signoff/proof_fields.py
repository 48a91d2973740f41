"""Proof of identity on a signing form: which methods are offered, and the result."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from uuid import UUID

from tracker.access.actor import Actor
from tracker.accounts import bound
from tracker.accounts.factors import binding, identity_proof, passkeys
from tracker.accounts.models import User
from tracker.core.db import db
from tracker.signoff import assertion, shown
from tracker.signoff.identity_proof import (
    Identity,
    SigningPage,
    TextToSign,
    digest_of_list,
    entries_of,
    page_of_text,
    sentence_of_list,
)
from tracker.signoff.models import Method


@dataclass(frozen=True, slots=True)
class ProofMethods:
    """The ways in which a person can prove who they are."""

    has_app: bool
    has_passkey: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """What a signing page gives the browser to ask for a passkey; options is empty without one."""

    token: str
    options: str
    origin: str


@dataclass(frozen=True, slots=True)
class Given:
    """What the form returned."""

    password: str = ""
    code: str = ""
    passkey: str = ""


def ways(actor: Actor) -> ProofMethods:
    """Return the ways in which a person can prove who they are."""
    user = db.session.get_one(User, actor.user_id)
    return ProofMethods(user.has_app, user.has_passkey and passkeys.are_possible())


def offer(actor: Actor, page: SigningPage, sentence: str) -> Offer:
    """Return what the browser needs to have a passkey sign the page's text and this sentence.

    Raise RefusedError unless events bind who is to prove who they are: such pages show by which
    power they act, and who confirmed it.
    """
    return _offer(
        actor, page, sentence, lambda: assertion.challenge(page.digest, sentence, page.nonce)
    )


def offer_several(actor: Actor, texts: Sequence[TextToSign]) -> Offer:
    """Return the same for a page opened now, on which one proof signs several texts."""
    page = shown.page_with(digest_of_list(texts))
    return _offer(actor, page, sentence_of_list(texts), lambda: _challenge_of_list(texts, page))


def _challenge_of_list(texts: Sequence[TextToSign], page: SigningPage) -> bytes:
    return assertion.challenge_of_list(entries_of(texts, page), page.nonce)


def _offer(actor: Actor, page: SigningPage, sentence: str, challenge: Callable[[], bytes]) -> Offer:
    # If their credentials were changed, the proof is refused and says who can reset them.
    if binding.fault_of(db.session.get_one(User, actor.user_id)) is None:
        bound.require_as_recorded(actor)
    token = _token_of(actor, page, sentence)
    own = passkeys.usable(actor.user_id) if passkeys.are_possible() else []
    if not own:
        return Offer(token, "", "")
    options = json.dumps(passkeys.options(own, challenge()))
    return Offer(token, options, passkeys.own_origin().origin)


def token_to_vouch(actor: Actor, page: SigningPage, sentence: str) -> str:
    """Return the token of a page on which somebody vouches for a scan, without a proof of identity.

    Raise RefusedError as offer() does: the sentence names who vouches, and for which organisation.
    """
    bound.require_as_recorded(actor)
    return _token_of(actor, page, sentence)


def _token_of(actor: Actor, page: SigningPage, sentence: str) -> str:
    return shown.token_of(actor, shown.with_sentence(page, sentence))


def prove(
    actor: Actor, given: Given, page: SigningPage | None, *, document_digest: str, sentence: str
) -> Identity:
    """Return the Identity that a form proves; page is the one it was sent from.

    Raises NotShownError unless that page recently showed the text with this digest and this
    sentence, whatever the proof. A passkey must have signed exactly this text and sentence on that
    page, once. Call it before the first change of the transaction
    (accounts.factors.identity_proof). Raises RuleBrokenError.
    """
    shown.require_to_sign(page, document_digest, sentence)
    if not given.passkey or page is None:
        return _identity(identity_proof.prove(actor.user_id, given.password, given.code))
    challenge = assertion.challenge(document_digest, sentence, page.nonce)
    return _identity(
        identity_proof.prove_by_passkey(actor.user_id, given.passkey, challenge), page.nonce
    )


def prove_several(
    actor: Actor, given: Given, page: SigningPage | None, texts: Sequence[TextToSign]
) -> tuple[Identity, list[SigningPage]]:
    """Return the Identity that a form proves for all texts of a list, and each text's page.

    As prove(): nothing is proven unless the page recently showed exactly these texts and sentences,
    in this order. A passkey must have signed the whole list; each signature keeps it.
    """
    shown.require_to_sign(page, digest_of_list(texts), sentence_of_list(texts))
    if page is None:  # require_to_sign has already refused
        raise LookupError
    pages = [page_of_text(page, text) for text in texts]
    if not given.passkey:
        identity = _identity(identity_proof.prove(actor.user_id, given.password, given.code))
        return identity, pages
    proof = identity_proof.prove_by_passkey(
        actor.user_id, given.passkey, _challenge_of_list(texts, page)
    )
    entries = " ".join(entries_of(texts, page))
    return _identity(proof, page.nonce, entries), pages


def prove_by_mailed_code(actor: Actor, subject_id: UUID, given: Given) -> Identity:
    """Return the Identity that a password and a mailed code prove; the caller asks its policy."""
    return _identity(
        identity_proof.prove_by_mailed_code(actor.user_id, subject_id, given.password, given.code)
    )


def _identity(shown: identity_proof.Proof, nonce: str = "", entries: str = "") -> Identity:
    shown_proof = None
    if shown.assertion is not None:
        of_list = {assertion.ENTRIES: entries} if entries else {}
        shown_proof = {**shown.assertion, "nonce": nonce, **of_list}
    return Identity(shown.user_id, Method(shown.method), shown.at, shown_proof)
