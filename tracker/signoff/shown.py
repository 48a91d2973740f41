"""The token of the page a person acts on, and whether its text is still the same."""

import datetime as dt

from flask_babel import lazy_gettext as _l

from tracker.access import page_tokens
from tracker.access.actor import Actor
from tracker.access.page_tokens import NotShownError
from tracker.core import clock
from tracker.signoff.identity_proof import OPEN_FOR, SigningPage

_PAGE, _OPENED = "signing-page", "text-opened"


def page_with(digest: str) -> SigningPage:
    """Return a page opened now that shows the text with a digest."""
    return SigningPage.begin(clock.now(), digest)


def token_of(actor: Actor, page: SigningPage) -> str:
    """Return the token in a page's form, signed by the instance for this person only."""
    return page_tokens.token_of(
        actor.user_id, _PAGE, page.digest, page.nonce, page.salt, page.at.isoformat()
    )


def digest_on(actor: Actor, token: str | None) -> str:
    """Return the digest of the text on the page that a form was sent from; empty if not known."""
    page = page_of(actor, token)
    return page.digest if page else ""


def page_of(actor: Actor, token: str | None) -> SigningPage | None:
    """Return the page that a form was sent from, however old; None if it was never issued."""
    values = page_tokens.values_in(actor.user_id, _PAGE, token)
    if values is None:
        return None
    digest, nonce, salt, at = values
    return SigningPage(nonce, salt, dt.datetime.fromisoformat(at), digest)


def mark_of(actor: Actor, digest: str) -> str:
    """Return the token in the URL of page 2, which proves that this person opened a text."""
    return page_tokens.token_of(actor.user_id, _OPENED, digest)


def digest_in(actor: Actor, mark: str | None) -> str:
    """Return the digest of the text in such a token; empty if it was never issued."""
    return page_tokens.digest_in(actor.user_id, _OPENED, mark)


def require(page: SigningPage | None, digest: str) -> None:
    """Raise NotShownError unless the page showed the text with this digest (product.md, 5.3)."""
    page_tokens.require(page.digest if page else "", digest)


def require_recent(page: SigningPage | None, digest: str) -> None:
    """Raise NotShownError unless the page recently showed this text for signing."""
    require(page, digest)
    if page is not None and not page.is_good(clock.now()):
        raise NotShownError(
            _l(
                "You opened the page more than %(minutes)s minutes ago, so nothing was signed. "
                "Look at the text again, then sign.",
                minutes=int(OPEN_FOR.total_seconds() // 60),
            ),
            page.digest,
        )
