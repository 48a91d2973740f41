"""The proof of identity kept with a signature, and the page on which it was given."""

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

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
