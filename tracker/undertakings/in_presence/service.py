"""Service functions for a person without an account who signs on a coordinator's device."""

from dataclasses import replace
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access import page_tokens
from tracker.access.actor import Actor
from tracker.accounts import queries as accounts
from tracker.core import clock
from tracker.core.errors import RuleBrokenError
from tracker.core.localized import LocalizedStr
from tracker.signoff import service as signoff
from tracker.signoff.identity_proof import Identity, SigningPage
from tracker.signoff.models import Signature
from tracker.undertakings import encryption, messages, people, policy, queries, service
from tracker.undertakings.facts import Draft
from tracker.undertakings.models import Undertaking

# How somebody knew who signed, in a few words.
MAX_KNOWN_BY = 120
_FILLED_IN = "undertaking-filled-in"


def save_draft(host: Actor, undertaking_id: UUID, draft: Draft, *, seen: str) -> Draft:
    """Store what a person entered on the host's device; shown only to this host, without an event.

    Return the stored draft. seen is the token_of() the page that was open: raise NotShownError if
    something was saved since, on whichever device, or if it is no token of this host. Raise
    RefusedError for anybody but a coordinator of the NPM, for a person who signs in, and once it is
    signed or closed; RuleBrokenError for too long a text.
    """
    undertaking = queries.locked(undertaking_id)
    policy.can_take_signature(host, queries.load(undertaking).standing, clock.today()).require()
    page_tokens.require_shown(
        host,
        _FILLED_IN,
        seen,
        _version_of(undertaking),
        _l(
            "Since you opened this page, this undertaking was filled in on the device of "
            "%(name)s. To use what is entered here instead, continue again.",
            name=people.name_of(encryption.draft_of(undertaking).host_id),
        ),
    )
    return service.keep_draft(undertaking, replace(draft, host_id=host.user_id))


def draft_of(host: Actor, undertaking: Undertaking) -> Draft:
    """Return what a person entered on this host's device; otherwise an empty draft."""
    draft = encryption.draft_of(undertaking)
    return draft if draft.host_id == host.user_id else Draft()


def token_of(host: Actor, undertaking: Undertaking) -> str:
    """Return the token of a page of this host on which an undertaking's draft can be replaced."""
    return page_tokens.token_of(host, _FILLED_IN, _version_of(undertaking))


def _version_of(undertaking: Undertaking) -> str:
    return page_tokens.digest_of(str(undertaking.id), encryption.draft_of(undertaking).digest)


def other_host(host: Actor, undertaking: Undertaking) -> str:
    """Return the name of another host on whose device it was filled in; empty if there is none."""
    host_id = encryption.draft_of(undertaking).host_id
    return "" if host_id == host.user_id else people.name_of(host_id)


def sign(
    host: Actor,
    undertaking_id: UUID,
    *,
    page: SigningPage | None,
    name: str,
    known_by: str,
    sentence: LocalizedStr,
    identity: Identity,
) -> Signature:
    """Freeze and sign what a person entered on the host's device, in their own name.

    name is what the person typed as their signature; known_by is how the host knew who it was;
    identity is the host's. It gives no access before somebody else at the NPM countersigns. page as
    for service.sign(). Raise RefusedError as save_draft() does; RuleBrokenError (name, known_by),
    and while something is missing.
    """
    undertaking = queries.locked(undertaking_id)
    loaded = queries.load(undertaking)
    policy.can_take_signature(host, loaded.standing, clock.today()).require()
    known = checked(undertaking, name=name, known_by=known_by)
    if encryption.draft_of(undertaking).host_id != host.user_id:
        raise RuleBrokenError(_l("Something is missing. Go back and confirm each point."))
    revision = service.freeze_shown(host, loaded, page, sentence)
    signature = signoff.sign_in_presence(
        host,
        _as_actor(undertaking),
        revision,
        known_by=known,
        sentence=sentence,
        language=sentence.language,
        identity=identity,
    )
    service.note_signed(host, loaded, revision, signature)
    messages.waits_for_npm(undertaking, loaded.terms.reference, {host.user_id})
    return signature


def checked(undertaking: Undertaking, *, name: str, known_by: str) -> str:
    """Return how the host knew the person, tidied; raise RuleBrokenError (name, known_by).

    Pages check this before the proof of identity, whose code works only once.
    """
    if _plain(name) != _plain(undertaking.user.name):
        raise RuleBrokenError(
            _l("Type the name as it is in the text: %(name)s", name=undertaking.user.name),
            "name",
        )
    known = " ".join(known_by.split())
    if not known or len(known) > MAX_KNOWN_BY:
        raise RuleBrokenError(
            _l("Say how you know who signs, in %(num)s characters at most", num=MAX_KNOWN_BY),
            "known_by",
        )
    return known


def _as_actor(undertaking: Undertaking) -> Actor:
    """Return the person as a signer in their own name, for the organisation that named them."""
    user = undertaking.user
    return Actor(
        user_id=user.id,
        name=user.name,
        email=user.email,
        memberships=accounts.memberships_of(user.id, clock.today()),
        organisation_id=undertaking.organisation_id,
    )


def _plain(name: str) -> str:
    return " ".join(name.split()).casefold()
