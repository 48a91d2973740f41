"""Tables of signatures on paper: the recorded scan, and the other parties' responses."""

import datetime as dt
import enum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.core import canonical
from tracker.core.db import Base, Identified


class PaperKind(enum.StrEnum):
    """What a scan shows: a text of this product, a person's undertaking, or a prior agreement."""

    TEXT = "text"
    UNDERTAKING = "undertaking"
    FORMER = "former"


class PaperDecisionKind(enum.StrEnum):
    """A response to a scan: confirmed or refused by another party, or withdrawn by its own side."""

    CONFIRMED = "confirmed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"


class PaperState(enum.StrEnum):
    """The status of a scan; overtaken: the text was signed, declined or called back first."""

    WAITING = "waiting"
    CONFIRMED = "confirmed"
    REFUSED = "refused"
    WITHDRAWN = "withdrawn"
    OVERTAKEN = "overtaken"


class PaperRecord(Identified, Base):
    """A recorded scan; never changed, never deleted (the database refuses both).

    The scan is encrypted with the cooperation's key; its SHA-256 is that of the plain bytes.
    """

    __tablename__ = "paper_record"

    revision_id: Mapped[UUID] = mapped_column(sa.ForeignKey("revision.id"), index=True)
    kind: Mapped[PaperKind]
    # Who recorded it. For a text of this product: the party that signed it on paper; for an
    # undertaking: the NPM.
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    organisation_name: Mapped[str]
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    user_name: Mapped[str]
    recorded_at: Mapped[dt.datetime]
    # The date on the paper.
    signed_on: Mapped[dt.date]
    # The last day of a prior agreement, if it has one and it is known.
    ends_on: Mapped[dt.date | None]
    # Who signed: organisation_id, organisation, name, office; user_id if the slot is theirs.
    signers: Mapped[list[dict[str, Any]]]
    media_type: Mapped[str] = mapped_column(sa.String(40))
    size: Mapped[int]
    scan_digest: Mapped[str] = mapped_column(sa.String(64))
    scan: Mapped[bytes] = mapped_column(sa.LargeBinary(), deferred=True)
    # SHA-256 of all the above in canonical form, the scan by its digest; an event binds it.
    digest: Mapped[str] = mapped_column(sa.String(64))

    decisions: Mapped[list["PaperDecision"]] = relationship(
        back_populates="record", order_by="PaperDecision.decided_at", lazy="raise"
    )

    def content(self) -> dict[str, Any]:
        """Return what the digest of this record binds."""
        return {
            "id": str(self.id),
            "revision": str(self.revision_id),
            "kind": self.kind.value,
            "organisation": str(self.organisation_id),
            "organisation_name": self.organisation_name,
            "user": str(self.user_id),
            "user_name": self.user_name,
            "recorded_at": _moment(self.recorded_at),
            "signed_on": self.signed_on.isoformat(),
            "ends_on": self.ends_on.isoformat() if self.ends_on else None,
            "signers": self.signers,
            "media_type": self.media_type,
            "size": self.size,
            "scan_digest": self.scan_digest,
        }


class PaperDecision(Identified, Base):
    """A party's response to a scan; never changed, never deleted (the database refuses both)."""

    __tablename__ = "paper_decision"
    __table_args__ = (sa.UniqueConstraint("record_id", "organisation_id"),)

    record_id: Mapped[UUID] = mapped_column(sa.ForeignKey("paper_record.id"))
    kind: Mapped[PaperDecisionKind]
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    organisation_name: Mapped[str]
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    user_name: Mapped[str]
    decided_at: Mapped[dt.datetime]
    # Why it was refused or withdrawn; encrypted if the revision is.
    reason: Mapped[str]
    sealed_reason: Mapped[bytes | None] = mapped_column(sa.LargeBinary())
    # SHA-256 of all the above in canonical form; an event binds it.
    digest: Mapped[str] = mapped_column(sa.String(64))

    record: Mapped[PaperRecord] = relationship(back_populates="decisions", lazy="raise")

    def content(self) -> dict[str, Any]:
        """Return what the digest of this decision binds."""
        sealed = self.sealed_reason
        return {
            "id": str(self.id),
            "record": str(self.record_id),
            "kind": self.kind.value,
            "organisation": str(self.organisation_id),
            "organisation_name": self.organisation_name,
            "user": str(self.user_id),
            "user_name": self.user_name,
            "decided_at": _moment(self.decided_at),
            "reason": self.reason,
            "sealed_reason": None if sealed is None else canonical.digest(sealed),
        }


def _moment(moment: dt.datetime) -> str:
    return moment.astimezone(dt.UTC).isoformat(timespec="microseconds")
