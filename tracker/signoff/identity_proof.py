"""The proof of identity kept with a signature, and the page on which it was given."""

import datetime as dt
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from tracker.signoff.models import Method

# How long a proof is good for: it is given on the signing form itself (product.md, 5.3).
FRESH = dt.timedelta(minutes=2)
# How long the page on which somebody is to sign is good for.
OPEN_FOR = dt.timedelta(minutes=10)


@dataclass(frozen=True, slots=True)
class Identity:
    """That a person proved who they are, how and when, and what of it anybody can verify."""

    user_id: UUID
    method: Method
    at: dt.datetime
    # Of a passkey: the values that tracker/signoff/assertion.py verifies.
    proof: Mapping[str, str] | None = None


@dataclass(frozen=True, slots=True)
class SigningPage:
    """The page on which a person is to sign or to decide, as it was opened once.

    nonce makes what a passkey is asked for unlike any other. salt and at go into a text that is
    frozen with the signature itself, so that its digest is known when the passkey is asked. digest
    is that of the text that the page showed.
    """

    nonce: str
    salt: str
    at: dt.datetime
    digest: str = ""

    @classmethod
    def begin(cls, at: dt.datetime, digest: str = "") -> "SigningPage":
        """Return a new one."""
        return cls(secrets.token_hex(32), secrets.token_hex(16), at, digest)

    def is_good(self, now: dt.datetime) -> bool:
        """Tell whether the page is good still."""
        return dt.timedelta(0) <= now - self.at <= OPEN_FOR
