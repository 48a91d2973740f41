"""PDF files signed as a whole: what they are signed with, and what may be wrong with them.

Independent of the web and the database. pyHanko needs much memory (pades), so it is imported only
by code that signs or verifies a file: the worker, commands, and a web process once somebody uploads
a PDF.
"""

import datetime as dt
import enum
from dataclasses import dataclass
from typing import Any

from cryptography import x509

from tracker.core import canonical

# A marker in plain letters, followed by the digest of the text, so that even an altered file says
# which text it claims to certify.
MARKER = "common-terms-text:"


class SignError(Exception):
    """Raised when the PDF can't be signed; the message is one line."""


class TimestampError(SignError):
    """Raised when the timestamp service can't be reached, or refuses."""


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


def sign(
    plain: bytes, signer: Signer, timestamp_url: str = "", *, needs_revocation_data: bool = True
) -> bytes:
    """Return a PDF signed as a whole (PAdES B-B); it can't be changed after.

    With a timestamp service it has a timestamp, what is needed to check all certificates later, and
    an archive timestamp over everything (B-LTA). needs_revocation_data: whether a certificate that
    names sources of revocation data needs an answer from them.

    Raise TimestampError if the service or such a source can't be used, SignError if it can't be
    signed.
    """
    from tracker.evidence.certificates import pades  # noqa: PLC0415 -- see above

    return pades.sign(plain, signer, timestamp_url, needs_revocation_data=needs_revocation_data)


def renew(pdf: bytes, timestamp_url: str) -> bytes:
    """Return a signed PDF with one more archive timestamp, and what the last one is checked with.

    Raise TimestampError if the service can't be used or the last timestamp can't be relied on any
    more, SignError if the file isn't sound. Nothing says here whose signature it is.
    """
    from tracker.evidence.certificates import pades  # noqa: PLC0415 -- see above

    return pades.renew(pdf, timestamp_url)


def timestamp_end(pdf: bytes) -> dt.datetime:
    """Return when the certificate of the last archive timestamp of a renewed PDF ends."""
    from tracker.evidence.certificates import pades  # noqa: PLC0415 -- see above

    return pades.timestamp_end(pdf)


def flaw_of(pdf: bytes, *, kept_digest: str, certificate: x509.Certificate) -> Flaw | None:
    """Return what is wrong with a PDF, or None if it is unchanged.

    kept_digest is the SHA-256 that was stored when it was made, certificate that of the key it was
    signed with. An expired certificate doesn't invalidate what was signed with it.
    """
    if canonical.digest(pdf) != kept_digest:
        return Flaw.OTHER_DIGEST
    return signature_flaw(pdf, certificate)


def signature_flaw(pdf: bytes, certificate: x509.Certificate) -> Flaw | None:
    """Return what is wrong with the signature of a PDF; this alone is not the whole check."""
    from tracker.evidence.certificates import pades  # noqa: PLC0415 -- see above

    return pades.signature_flaw(pdf, certificate)
