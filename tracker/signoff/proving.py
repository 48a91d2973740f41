"""Proof of identity on a signing form: what is offered there, and the Identity it gives."""

import datetime as dt
import json
from dataclasses import dataclass
from uuid import UUID

from flask_babel import lazy_gettext as _l
from itsdangerous import BadData, URLSafeSerializer

from tracker.access.actor import Actor
from tracker.accounts import passkeys, proof
from tracker.accounts.models import User
from tracker.core import clock, keys
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.signoff import assertion
from tracker.signoff.models import Method
from tracker.signoff.proof import Identity, SigningPage


@dataclass(frozen=True, slots=True)
class Ways:
    """By what a person can prove who they are."""

    has_app: bool
    has_passkey: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """What a signing page gives the browser to ask a passkey; options is empty without one."""

    token: str
    options: str
    origin: str


@dataclass(frozen=True, slots=True)
class Given:
    """What came back on the form."""

    password: str = ""
    code: str = ""
    passkey: str = ""


def ways(actor: Actor) -> Ways:
    """Return by what the person can prove who they are."""
    user = db.session.get_one(User, actor.user_id)
    return Ways(user.has_app, user.has_passkey and passkeys.are_possible())


def new_page() -> SigningPage:
    """Return a signing page that is opened now."""
    return SigningPage.begin(clock.now())


def page_of(actor: Actor, token: str | None) -> SigningPage | None:
    """Return the page that a form was sent from; None when it is not known, or good no more."""
    try:
        user_id, nonce, salt, at = _signer().loads(token or "")
        found = SigningPage(nonce, salt, dt.datetime.fromisoformat(at))
    except (BadData, ValueError, TypeError):
        return None
    return found if user_id == str(actor.user_id) and found.is_good(clock.now()) else None


def offer(actor: Actor, page: SigningPage, document_digest: str, sentence: str) -> Offer:
    """Return what the browser needs to have a passkey sign this text and this sentence."""
    token = _signer().dumps([str(actor.user_id), page.nonce, page.salt, page.at.isoformat()])
    own = passkeys.usable(actor.user_id) if passkeys.are_possible() else []
    if not own:
        return Offer(token, "", "")
    asked = assertion.challenge(document_digest, sentence, page.nonce)
    return Offer(token, json.dumps(passkeys.options(own, asked)), passkeys.place().origin)


def prove(
    actor: Actor,
    given: Given,
    page: SigningPage | None,
    *,
    document_digest: str,
    sentence: str,
) -> Identity:
    """Return the Identity that a form proves; page is the one it was sent from.

    A passkey has to have signed exactly this text and this sentence on that page, once. Call it
    before the first change of the transaction (accounts.proof). Raises RuleBrokenError.
    """
    if not given.passkey:
        return _identity(proof.prove(actor.user_id, given.password, given.code))
    if page is None:
        raise RuleBrokenError(
            _l("This page was open too long. Nothing is lost: confirm with your passkey once more.")
        )
    asked = assertion.challenge(document_digest, sentence, page.nonce)
    return _identity(proof.prove_by_passkey(actor.user_id, given.passkey, asked), page.nonce)


def prove_by_mailed_code(actor: Actor, subject_id: UUID, given: Given) -> Identity:
    """Return the Identity that a password and a mailed code prove; the caller asked its policy."""
    return _identity(
        proof.prove_by_mailed_code(actor.user_id, subject_id, given.password, given.code)
    )


def _identity(shown: proof.Proof, nonce: str = "") -> Identity:
    kept = {**shown.assertion, "nonce": nonce} if shown.assertion is not None else None
    return Identity(shown.user_id, Method(shown.method), shown.at, kept)


def _signer() -> URLSafeSerializer:
    return URLSafeSerializer(keys.current().secret, salt="signing-page")
