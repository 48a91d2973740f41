"""Tokens of what a page showed a person, which its form sends back to be compared.

Nobody acts on something they didn't see (product.md, 5.3). What a page shows is hashed, and the
token holds the digest, signed by the instance for one person and one purpose. Nobody else can make
one, and a token of another person or another page is invalid.
"""

import hashlib
import hmac
from uuid import UUID

from flask_babel import lazy_gettext as _l
from itsdangerous import BadData, URLSafeSerializer

from tracker.core import canonical, keys
from tracker.core.errors import StaleError


class NotShownError(StaleError):
    """Raised if the person's page showed another text, or was opened too long ago.

    seen is the digest of the text on the page; empty if it is not known.
    """

    def __init__(self, message: object, seen: str = "") -> None:
        super().__init__(message)
        self.seen = seen


def digest_of(*things: str) -> str:
    """Return a digest of ids, versions and digests, keyed so that it reveals none of them."""
    text = canonical.to_bytes(list(things))
    return hmac.new(keys.current().secret, text, hashlib.sha256).hexdigest()


def token_of(user_id: UUID, purpose: str, digest: str, *more: str) -> str:
    """Return the token of a page whose content has this digest; more is stored in the token."""
    return _signer(purpose).dumps([str(user_id), digest, *more])


def values_in(user_id: UUID, purpose: str, token: str | None) -> list[str] | None:
    """Return the digest and the other values in a token; None if it is not this person's."""
    try:
        owner, *values = _signer(purpose).loads(token or "")
    except (BadData, ValueError, TypeError):
        return None
    return values if owner == str(user_id) else None


def digest_in(user_id: UUID, purpose: str, token: str | None) -> str:
    """Return the digest in a token; empty if it is another person's, or for another purpose."""
    values = values_in(user_id, purpose, token)
    return values[0] if values else ""


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


def _signer(purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(keys.current().secret, salt=purpose)
