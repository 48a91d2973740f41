"""Tables of the evidence: public keys, with how each came and ended; certificates of texts."""

import datetime as dt
import enum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from tracker.core.db import Base, Identified


class KeyUse(enum.StrEnum):
    """What a key signs: checkpoints of the log, or documents (PDF)."""

    CHECKPOINT = "checkpoint"
    DOCUMENT = "document"


class KeyOrigin(enum.StrEnum):
    """Whether the instance made a key, or an organisation brought its own."""

    MADE = "made"
    IMPORTED = "imported"


class EvidenceKey(Identified, Base):
    """A public key; never deleted, never changed but for its ends (the database refuses both)."""

    __tablename__ = "evidence_key"
    __table_args__ = (sa.UniqueConstraint("use", "number"),)

    use: Mapped[KeyUse]
    number: Mapped[int]
    origin: Mapped[KeyOrigin]
    # DER, SubjectPublicKeyInfo.
    public_key: Mapped[bytes] = mapped_column(sa.LargeBinary())
    # PEM, the key's own first, then those of who vouches for it; empty for checkpoints.
    certificates: Mapped[str] = mapped_column(default="")
    # SHA-256 of the certificate where there is one, else of the public key; both in DER.
    fingerprint: Mapped[str] = mapped_column(sa.String(64), unique=True)
    # The key before this one vouches for it: its signature, and its number.
    endorsement: Mapped[bytes | None] = mapped_column(sa.LargeBinary())
    endorsed_by: Mapped[int | None]
    made_at: Mapped[dt.datetime]
    # Its ends: nothing new is signed with it; or it may be in other hands.
    retired_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]
    reason: Mapped[str] = mapped_column(default="")

    def content(self) -> dict[str, Any]:
        """Return what the event of its making binds: all but its ends."""
        return {
            "id": str(self.id),
            "use": self.use.value,
            "number": self.number,
            "origin": self.origin.value,
            "public_key": self.public_key.hex(),
            "certificates": self.certificates,
            "fingerprint": self.fingerprint,
            "endorsement": self.endorsement.hex() if self.endorsement else None,
            "endorsed_by": self.endorsed_by,
            "made_at": self.made_at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        }


class Certificate(Identified, Base):
    """A signed PDF of a text that was signed by all; never changed, never deleted (as above)."""

    __tablename__ = "certificate"
    __table_args__ = (sa.UniqueConstraint("revision_id", "language"),)

    revision_id: Mapped[UUID] = mapped_column(sa.ForeignKey("revision.id"))
    language: Mapped[str] = mapped_column(sa.String(10))
    # The PDF: as it is for class K8, encrypted with the cooperation's key where the revision is.
    document: Mapped[bytes] = mapped_column(sa.LargeBinary())
    is_sealed: Mapped[bool]
    # SHA-256 of the PDF's plain bytes.
    sha256: Mapped[str] = mapped_column(sa.String(64), index=True)
    evidence_key_id: Mapped[UUID] = mapped_column(sa.ForeignKey("evidence_key.id"))
    has_timestamp: Mapped[bool]
    made_at: Mapped[dt.datetime]

    def content(self) -> dict[str, Any]:
        """Return what the event of its making binds."""
        return {
            "id": str(self.id),
            "revision": str(self.revision_id),
            "language": self.language,
            "is_sealed": self.is_sealed,
            "sha256": self.sha256,
            "evidence_key": str(self.evidence_key_id),
            "has_timestamp": self.has_timestamp,
            "made_at": self.made_at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        }
