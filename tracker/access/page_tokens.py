"""Tokens of what a page showed a person, which its form sends back to be compared.

Nobody acts on something they didn't see (product.md, 5.3). What a page shows is hashed, and the
token holds the digest, signed by the instance for one person, the organisation they act for, and
one purpose. Nobody else can make one, and a token of another person or another page is invalid. If
a person changes the organisation in another tab, we say so and do nothing.
"""

import hashlib
import hmac
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l
from itsdangerous import BadData, URLSafeSerializer

from tracker.access.actor import Actor
from tracker.core import canonical, keys
from tracker.core.errors import StaleError

OTHER_ORGANISATION = _l(
    "You have switched to another organisation since you opened this page. Nothing was saved yet. "
    "Press the button again only if you mean it for this organisation."
)


class NotShownError(StaleError):
    """Raised if the person's page showed another text, or was opened too long ago.

    seen is the digest of the text on the page; empty if it is not known.
    """

    def __init__(self, message: object, seen: str = "") -> None:
        super().__init__(message)
        self.seen = seen


class OtherOrganisationError(NotShownError):
    """Raised if the person acts for another organisation than when the page was opened."""

    def __init__(self, seen: str = "") -> None:
        super().__init__(OTHER_ORGANISATION, seen)


@dataclass(frozen=True, slots=True)
class TokenContent:
    """What a person's token says: the digest of the page and anything else stored in it."""

    digest: str
    more: tuple[str, ...]
    # Whether the person acts for another organisation now than when the page was opened.
    is_for_another: bool


def digest_of(*things: str) -> str:
    """Return a digest of ids, versions and digests, keyed so that it reveals none of them."""
    text = canonical.to_bytes(list(things))
    return hmac.new(keys.current().secret, text, hashlib.sha256).hexdigest()


def token_of(actor: Actor, purpose: str, digest: str, *more: str) -> str:
    """Return the token of a page whose content has this digest; the token also stores more."""
    return _signer(purpose).dumps([_owner(actor), digest, *more])


def read(actor: Actor, purpose: str, token: str | None) -> TokenContent | None:
    """Return what a token says; None if it is another person's, or for another purpose."""
    try:
        (user, organisation), digest, *more = _signer(purpose).loads(token or "")
    except (BadData, ValueError, TypeError):
        return None
    own_user, own_organisation = _owner(actor)
    if user != own_user:
        return None
    return TokenContent(digest, tuple(more), organisation != own_organisation)


def digest_in(actor: Actor, purpose: str, token: str | None) -> str:
    """Return the digest in a token.

    Empty if it is another person's, for another purpose, or of a page that was opened for another
    organisation.
    """
    content = read(actor, purpose, token)
    return content.digest if content and not content.is_for_another else ""


def require_shown(
    actor: Actor, purpose: str, token: str | None, now: str, changed: object = None
) -> None:
    """Raise NotShownError unless the person's page showed the current state.

    Raise OtherOrganisationError if they acted for another organisation then.
    """
    content = read(actor, purpose, token)
    if content and content.is_for_another:
        raise OtherOrganisationError(content.digest)
    require(content.digest if content else "", now, changed)


def require(seen: str, now: str, changed: object = None) -> None:
    """Raise NotShownError, saying what changed, unless the page showed the current state."""
    if not seen:
        raise NotShownError(_l("We don't know which text you read. Read it here, then continue."))
    if seen != now:
        raise NotShownError(
            changed
            or _l(
                "The text changed after you opened it, so nothing was done. Read it as it is now."
            ),
            seen,
        )


def _owner(actor: Actor) -> list[str]:
    return [str(actor.user_id), str(actor.organisation_id or "")]


def _signer(purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(keys.current().secret, salt=purpose)
