"""PDF files that are signed as a whole: what one is signed with, and what may be wrong with it.

Knows neither the web nor the database. pyHanko takes much memory (pades), so it is imported by who
signs or verifies a file: the worker, commands, and a web process once somebody sends it a PDF.
"""

import enum
from dataclasses import dataclass
from typing import Any

from cryptography import x509

from tracker.core import canonical

# What stands in a file in plain letters, so that a file that was altered still says of which text
# it claims to be the certificate: this, and the digest of the text.
MARKER = "common-terms-text:"


class SignError(Exception):
    """The PDF can't be signed; the message is one line."""


class TimestampError(SignError):
    """The timestamp service can't be reached, or refuses."""


class Flaw(enum.StrEnum):
    """What is wrong with a PDF."""

    OTHER_DIGEST = "other_digest"
    UNREADABLE = "unreadable"
    NOT_SIGNED = "not_signed"
    NOT_WHOLE = "not_whole"
    BROKEN = "broken"


@dataclass(frozen=True, slots=True)
class Signer:
    """What a PDF is signed with: the private key, and certificates with the key's own first."""

    private: Any
    certificates: tuple[x509.Certificate, ...]
    name: str = ""


def sign(plain: bytes, signer: Signer, timestamp_url: str = "") -> bytes:
    """Return a PDF signed as a whole (PAdES B-B, with a timestamp B-T); no change is allowed after.

    Raise TimestampError when the service can't be used, SignError when it can't be signed.
    """
    from tracker.evidence.certificates import pades  # noqa: PLC0415 -- see above

    return pades.sign(plain, signer, timestamp_url)


def flaw_of(pdf: bytes, *, kept_digest: str, certificate: x509.Certificate) -> Flaw | None:
    """Return what is wrong with a PDF, or None when it is as it was made.

    kept_digest is the SHA-256 that was kept when it was made, certificate that of the key it was
    signed with. That a certificate ended since does not end what was signed with it.
    """
    if canonical.digest(pdf) != kept_digest:
        return Flaw.OTHER_DIGEST
    return signature_flaw(pdf, certificate)


def signature_flaw(pdf: bytes, certificate: x509.Certificate) -> Flaw | None:
    """Return what is wrong with the signature of a PDF; on its own it is not the whole check."""
    from tracker.evidence.certificates import pades  # noqa: PLC0415 -- see above

    return pades.signature_flaw(pdf, certificate)
