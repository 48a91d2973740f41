"""The proof of identity kept with a signature, and the page on which it was given. Pure.

Several texts can be signed with one proof, of a list of them (docs/adr/0101).
"""

import datetime as dt
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from tracker.core import canonical
from tracker.signoff import assertion
from tracker.signoff.models import Method

# How long a proof is valid: it is given on the signing form itself (product.md, 5.3).
FRESH = dt.timedelta(minutes=2)
# How long a signing page is valid.
OPEN_FOR = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Identity:
    """A successful proof of identity: how and when, and the part that anybody can verify."""

    user_id: UUID
    method: Method
    at: dt.datetime
    # For a passkey: the values that tracker/signoff/assertion.py verifies.
    proof: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class SigningPage:
    """One opening of a page on which a person signs or decides.

    nonce makes each passkey challenge unique. salt and at become part of a text that is frozen
    together with the signature, so that its digest is known when the passkey is asked. digest is
    the digest of the text shown on the page, sentence that of the sentence to be signed.
    is_for_another says that the person acts for another organisation now than when the page was
    opened.
    """

    nonce: str
    salt: str
    at: dt.datetime
    digest: str = ""
    sentence: str = ""
    is_for_another: bool = False

    @classmethod
    def begin(cls, at: dt.datetime, digest: str = "") -> "SigningPage":
        """Return a new signing page."""
        return cls(secrets.token_hex(32), secrets.token_hex(16), at, digest)

    def is_good(self, now: dt.datetime) -> bool:
        """Return whether the page is still valid."""
        return dt.timedelta(0) <= now - self.at <= OPEN_FOR


# Several texts -----------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TextToSign:
    """A text by its digest, and the sentence that is signed under it."""

    document_digest: str
    sentence: str


def digest_of_list(texts: Sequence[TextToSign]) -> str:
    """Return the digest of the list of texts, in the order in which they are shown."""
    return canonical.digest_of([text.document_digest for text in texts])


def sentence_of_list(texts: Sequence[TextToSign]) -> str:
    """Return the sentences of a list as one text, in the order in which they are shown."""
    return canonical.to_bytes([text.sentence for text in texts]).decode()


def entries_of(texts: Sequence[TextToSign], page: SigningPage) -> list[str]:
    """Return the list that a passkey signs on a page: an entry for each text, and random ones.

    The random entries are those of the page, whose salt nobody but the signer ever gets. Raise
    ValueError for no text, for the same one twice, and for more than fit into a list.
    """
    entries = {assertion.entry(text.document_digest, text.sentence) for text in texts}
    if not texts or len(entries) != len(texts) or len(entries) > assertion.LENGTH:
        raise ValueError("not the texts of a list")
    filled = range(assertion.LENGTH - len(entries))
    return sorted(
        entries | {canonical.digest_of({"salt": page.salt, "number": number}) for number in filled}
    )


def page_of_text(page: SigningPage, text: TextToSign) -> SigningPage:
    """Return the opening of a page as that of one text; the caller compared the whole list."""
    return replace(page, digest=text.document_digest)
