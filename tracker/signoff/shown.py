"""The token of the page a person acts on, and whether its text is still the same."""

import datetime as dt
from dataclasses import replace

from flask_babel import lazy_gettext as _l

from tracker.access import page_tokens
from tracker.access.actor import Actor
from tracker.access.page_tokens import NotShownError, OtherOrganisationError
from tracker.core import canonical, clock
from tracker.signoff.identity_proof import OPEN_FOR, SigningPage

_PAGE, _OPENED = "page-to-sign", "text-opened"


class OtherSentenceError(NotShownError):
    """Raised if the person's page showed this text, but another sentence to sign."""


def page_with(digest: str) -> SigningPage:
    """Return a page opened now that shows the text with a digest."""
    return SigningPage.begin(clock.now(), digest)


def with_sentence(page: SigningPage, sentence: str) -> SigningPage:
    """Return a page that also shows the sentence to be signed."""
    return replace(page, sentence=canonical.digest(sentence.encode()))


def token_of(actor: Actor, page: SigningPage) -> str:
    """Return the token in a page's form, signed by the instance for this actor only."""
    return page_tokens.token_of(
        actor,
        _PAGE,
        page.digest,
        page.nonce,
        page.salt,
        page.at.isoformat(),
        page.sentence,
    )


def digest_on(actor: Actor, token: str | None) -> str:
    """Return the digest of the text on the page that a form was sent from; empty if not known."""
    page = page_of(actor, token)
    return page.digest if page else ""


def page_of(actor: Actor, token: str | None) -> SigningPage | None:
    """Return the page that a form was sent from, however old; None if it was never issued."""
    content = page_tokens.read(actor, _PAGE, token)
    if content is None:
        return None
    nonce, salt, at, sentence = content.more
    opened = dt.datetime.fromisoformat(at)
    return SigningPage(nonce, salt, opened, content.digest, sentence, content.is_for_another)


def mark_of(actor: Actor, digest: str) -> str:
    """Return the token in the URL of page 2, which proves that this person opened a text."""
    return page_tokens.token_of(actor, _OPENED, digest)


def digest_in(actor: Actor, mark: str | None) -> str:
    """Return the digest of the text in such a token; empty if it was never issued."""
    return page_tokens.digest_in(actor, _OPENED, mark)


def require(page: SigningPage | None, digest: str) -> None:
    """Raise NotShownError unless the page showed the text with this digest (product.md, 5.3).

    Raise OtherOrganisationError if the person acted for another organisation when it was opened.
    """
    if page is not None and page.is_for_another:
        raise OtherOrganisationError(page.digest)
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


def require_sentence(page: SigningPage | None, digest: str, sentence: str) -> None:
    """Raise NotShownError unless the page showed this text, and this sentence to sign.

    The sentence says for whom a person signs and by what power, which can change while the page is
    open.
    """
    require(page, digest)
    if page is not None and page.sentence != with_sentence(page, sentence).sentence:
        raise OtherSentenceError(
            _l(
                "The sentence you sign changed after you opened the page, so nothing was done. "
                "Read it as it is now."
            ),
            page.digest,
        )


def require_to_sign(page: SigningPage | None, digest: str, sentence: str) -> None:
    """Raise NotShownError unless the page recently showed this text, and this sentence to sign."""
    require_recent(page, digest)
    require_sentence(page, digest, sentence)
