"""The token of the page a person acts on, and whether its text is still the same."""

import datetime as dt
from dataclasses import replace

from flask_babel import lazy_gettext as _l
from itsdangerous import BadData, URLSafeSerializer

from tracker.access.actor import Actor
from tracker.core import canonical, clock, keys
from tracker.core.errors import StaleError
from tracker.signoff.identity_proof import OPEN_FOR, SigningPage


class NotShownError(StaleError):
    """Raised when the person's page showed another text, or was opened too long ago.

    seen is the digest of the text on the page; empty if it is not known.
    """

    def __init__(self, message: object, seen: str = "") -> None:
        super().__init__(message)
        self.seen = seen


class OtherSentenceError(NotShownError):
    """Raised when the person's page showed this text, and another sentence to sign."""


def page_with(digest: str) -> SigningPage:
    """Return a page opened now that shows the text with a digest."""
    return SigningPage.begin(clock.now(), digest)


def with_sentence(page: SigningPage, sentence: str) -> SigningPage:
    """Return a page that also shows the sentence to be signed."""
    return replace(page, sentence=canonical.digest(sentence.encode()))


def token_of(actor: Actor, page: SigningPage) -> str:
    """Return the token in a page's form, signed by the instance for this person only."""
    return _signer("signing-page").dumps(
        [
            str(actor.user_id),
            page.nonce,
            page.salt,
            page.at.isoformat(),
            page.digest,
            page.sentence,
        ]
    )


def digest_on(actor: Actor, token: str | None) -> str:
    """Return the digest of the text on the page that a form was sent from; empty if not known."""
    page = page_of(actor, token)
    return page.digest if page else ""


def page_of(actor: Actor, token: str | None) -> SigningPage | None:
    """Return the page that a form was sent from, however old; None if it was never issued."""
    try:
        user_id, nonce, salt, at, *digests = _signer("signing-page").loads(token or "")
        page = SigningPage(nonce, salt, dt.datetime.fromisoformat(at), *digests)
    except (BadData, ValueError, TypeError):
        return None
    return page if user_id == str(actor.user_id) else None


def mark_of(actor: Actor, digest: str) -> str:
    """Return the token in the URL of page 2, which proves that this person opened a text."""
    return _signer("text-opened").dumps([str(actor.user_id), digest])


def digest_in(actor: Actor, mark: str | None) -> str:
    """Return the digest of the text in such a token; empty if it was never issued."""
    try:
        user_id, digest = _signer("text-opened").loads(mark or "")
    except (BadData, ValueError, TypeError):
        return ""
    return str(digest) if user_id == str(actor.user_id) else ""


def require(page: SigningPage | None, digest: str) -> None:
    """Raise NotShownError unless the page showed the text with this digest (product.md, 5.3)."""
    if page is None:
        raise NotShownError(_l("We don't know which text you read. Read it here, then continue."))
    if page.digest != digest:
        raise NotShownError(
            _l("The text changed after you opened it, so nothing was done. Read it as it is now."),
            page.digest,
        )


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


def require_to_sign(page: SigningPage | None, digest: str, sentence: str) -> None:
    """Raise NotShownError unless the page recently showed this text, and this sentence to sign.

    The sentence says for whom a person signs and by what power, which can change while it's open.
    """
    require_recent(page, digest)
    if page is not None and page.sentence != with_sentence(page, sentence).sentence:
        raise OtherSentenceError(
            _l(
                "The sentence you sign changed after you opened the page, so nothing was done. "
                "Read it as it is now."
            ),
            page.digest,
        )


def _signer(purpose: str) -> URLSafeSerializer:
    return URLSafeSerializer(keys.current().secret, salt=purpose)
