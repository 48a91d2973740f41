"""Tables of evidence: public keys, the log and its checkpoints, anchors, certificates."""

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
    """Whether the instance created a key, or an organisation imported its own."""

    MADE = "made"
    IMPORTED = "imported"


class EvidenceKey(Identified, Base):
    """A public key; never deleted, only its end may change (the database refuses all else)."""

    __tablename__ = "evidence_key"
    __table_args__ = (sa.UniqueConstraint("use", "number"),)

    use: Mapped[KeyUse]
    number: Mapped[int]
    origin: Mapped[KeyOrigin]
    # DER, SubjectPublicKeyInfo.
    public_key: Mapped[bytes] = mapped_column(sa.LargeBinary())
    # PEM, the key's own first, then its issuers'; empty for checkpoints.
    certificates: Mapped[str] = mapped_column(default="")
    # SHA-256 of the certificate if there is one, else of the public key; both in DER.
    fingerprint: Mapped[str] = mapped_column(sa.String(64), unique=True)
    # The previous key's endorsement of this one: its signature, and its number.
    endorsement: Mapped[bytes | None] = mapped_column(sa.LargeBinary())
    endorsed_by: Mapped[int | None]
    made_at: Mapped[dt.datetime]
    # Retired: it signs nothing new. Revoked: it may be in other hands.
    retired_at: Mapped[dt.datetime | None]
    revoked_at: Mapped[dt.datetime | None]
    reason: Mapped[str] = mapped_column(default="")

    def content(self) -> dict[str, Any]:
        """Return what the event of its creation binds: everything but its end."""
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

    def revocation(self) -> dict[str, Any]:
        """Return what the event of its revocation binds."""
        return {"id": str(self.id), "reason": self.reason}


class LogLeaf(Base):
    """The end of a chain when a checkpoint was made; never changed, never deleted.

    Leaves are numbered from 0 without gaps, in the order in which they were added.
    """

    __tablename__ = "log_leaf"
    __table_args__ = (sa.UniqueConstraint("chain_id", "count"),)

    number: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    chain_id: Mapped[UUID] = mapped_column(sa.ForeignKey("chain.id"))
    count: Mapped[int]
    head: Mapped[str] = mapped_column(sa.String(64))


class LogNode(Base):
    """The hash of a complete subtree of the log, so that a proof needs few rows; never changed."""

    __tablename__ = "log_node"

    level: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    place: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    hash: Mapped[bytes] = mapped_column(sa.LargeBinary())


class SignedCheckpoint(Base):
    """A checkpoint as signed and published; never changed, never deleted."""

    __tablename__ = "checkpoint"

    size: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    # The size of the previous checkpoint, 0 for the first: none in between can be removed
    # unnoticed.
    previous: Mapped[int] = mapped_column(unique=True)
    root: Mapped[str] = mapped_column(sa.String(64))
    at: Mapped[dt.datetime]
    origin: Mapped[str]
    key_id: Mapped[UUID] = mapped_column(sa.ForeignKey("evidence_key.id"))
    signature: Mapped[bytes] = mapped_column(sa.LargeBinary())


class Anchor(Identified, Base):
    """A checkpoint mailed to a coordinator, to keep where this instance can't reach it."""

    __tablename__ = "anchor"
    __table_args__ = (sa.UniqueConstraint("user_id", "size"),)

    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    size: Mapped[int] = mapped_column(sa.ForeignKey("checkpoint.size"), index=True)
    at: Mapped[dt.datetime]


class Certificate(Identified, Base):
    """A signed PDF of a fully signed text; never changed, never deleted (as above)."""

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
        """Return what the event of its creation binds."""
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


class Disagreement(Base):
    """A checklist, undertaking or cooperation whose rows contradict signatures and events.

    Inserted by the worker when it finds one, and deleted when it finds that they agree again.
    """

    __tablename__ = "disagreement"

    subject_id: Mapped[UUID] = mapped_column(primary_key=True)
    subject_type: Mapped[str] = mapped_column(sa.String(20))
    cooperation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("cooperation.id"))
    noticed_at: Mapped[dt.datetime]


class CertificateFailure(Base):
    """A text whose certificate could not be made: why, and when the next attempt is due."""

    __tablename__ = "certificate_failure"

    revision_id: Mapped[UUID] = mapped_column(sa.ForeignKey("revision.id"), primary_key=True)
    tries: Mapped[int]
    # The message of the software; it never quotes the text.
    error: Mapped[str] = mapped_column(sa.String(500))
    failed_at: Mapped[dt.datetime]
    next_try_at: Mapped[dt.datetime] = mapped_column(index=True)
