"""Tables of signatures: what was signed, by whom, by what power, when and how."""

import datetime as dt
import enum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.core import canonical
from tracker.core.db import Base, Identified


class Method(enum.StrEnum):
    """How a signer proved who they are."""

    # Only in demonstration data: nobody proved anything, and the record says so.
    DEMONSTRATION = "demonstration"
    PASSWORD_TOTP = "password_totp"  # noqa: S105 -- a name, not a password
    PASSKEY = "passkey"
    # Where the NPM allows it, and only for undertakings (product.md, 5.3).
    PASSWORD_MAILED_CODE = "password_mailed_code"  # noqa: S105 -- a name, not a password
    # On paper: a scan that one party recorded and another confirmed (product.md, 5.6).
    PAPER = "paper"
    # A person without an account, on the device of somebody at the NPM who proved who they are.
    IN_PRESENCE = "in_presence"


class RequestState(enum.StrEnum):
    """The status of a signature request."""

    WAITING = "waiting"
    COMPLETED = "completed"
    DECLINED = "declined"
    WITHDRAWN = "withdrawn"
    EXPIRED = "expired"


class SignatureKind(enum.StrEnum):
    """Whether a signature binds a party or person, or countersigns a person's undertaking."""

    SIGNATURE = "signature"
    COUNTERSIGNATURE = "countersignature"


class Revision(Identified, Base):
    """A frozen text in canonical form; never changed, never deleted (the database refuses both)."""

    __tablename__ = "revision"
    __table_args__ = (sa.UniqueConstraint("subject_type", "subject_id", "number"),)

    cooperation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("cooperation.id"), index=True)
    subject_type: Mapped[str] = mapped_column(sa.String(20))
    subject_id: Mapped[UUID] = mapped_column(index=True)
    kind: Mapped[str] = mapped_column(sa.String(20))
    number: Mapped[int]
    # Canonical bytes (RFC 8785): plain for class K8, encrypted for class K2 to K7.
    document: Mapped[bytes] = mapped_column(sa.LargeBinary())
    is_sealed: Mapped[bool]
    digest: Mapped[str] = mapped_column(sa.String(64), index=True)
    frozen_at: Mapped[dt.datetime]
    frozen_by_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    reason: Mapped[str] = mapped_column(default="")

    signatures: Mapped[list["Signature"]] = relationship(
        back_populates="revision", order_by="Signature.signed_at", lazy="raise"
    )

    def content(self) -> dict[str, Any]:
        """Return its plain columns, as the event of its freezing binds them."""
        return {
            "id": str(self.id),
            "cooperation": str(self.cooperation_id),
            "subject_type": self.subject_type,
            "subject": str(self.subject_id),
            "kind": self.kind,
            "number": self.number,
            "digest": self.digest,
            "is_sealed": self.is_sealed,
            "frozen_at": self.frozen_at.isoformat(timespec="microseconds"),
            "frozen_by": str(self.frozen_by_id),
            "reason": self.reason,
        }


class SignatureRequest(Identified, Base):
    """A request to sign a revision, and how it ended."""

    __tablename__ = "signature_request"
    # The indexes for the worker's queries: expired requests, and recently completed ones.
    __table_args__ = (
        sa.Index("ix_signature_request_expiring", "state", "expires_on"),
        sa.Index("ix_signature_request_ended", "state", "ended_at"),
    )

    revision_id: Mapped[UUID] = mapped_column(sa.ForeignKey("revision.id"), unique=True)
    state: Mapped[RequestState] = mapped_column(default=RequestState.WAITING)
    sent_at: Mapped[dt.datetime]
    sent_by_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    ended_at: Mapped[dt.datetime | None]
    ended_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user.id"))
    ended_for_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("organisation.id"))
    # Why it was declined or called back; encrypted if the revision is.
    reason: Mapped[str] = mapped_column(default="")
    sealed_reason: Mapped[bytes | None] = mapped_column(sa.LargeBinary())
    # Codes of the items that the declining party wants changed.
    items: Mapped[list[str]] = mapped_column(default=list)
    # The last day to sign, inclusive.
    expires_on: Mapped[dt.date | None]
    # A reminder every so many days, to people who still have to sign, and to others by id.
    remind_every: Mapped[int | None]
    remind_whom: Mapped[list[str] | None] = mapped_column(sa.JSON(none_as_null=True))
    reminded_on: Mapped[dt.date | None]

    revision: Mapped[Revision] = relationship(lazy="raise")
    parties: Mapped[list["SignatureParty"]] = relationship(
        back_populates="request", order_by="SignatureParty.position", lazy="raise"
    )
    slots: Mapped[list["SignatureSlot"]] = relationship(
        back_populates="request", order_by="SignatureSlot.position", lazy="raise"
    )


class SignatureParty(Identified, Base):
    """How a party signs: how many of those named have to, and after which other parties."""

    __tablename__ = "signature_party"
    __table_args__ = (sa.UniqueConstraint("request_id", "organisation_id"),)

    request_id: Mapped[UUID] = mapped_column(sa.ForeignKey("signature_request.id"))
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    position: Mapped[int] = mapped_column(default=0)
    needed: Mapped[int] = mapped_column(default=1)
    # After all parties with a lower number.
    turn: Mapped[int] = mapped_column(default=0)

    request: Mapped[SignatureRequest] = relationship(back_populates="parties", lazy="raise")


class SignatureSlot(Identified, Base):
    """A signature slot: a named person who is to sign for an organisation.

    When it is passed on, it is kept as history, and the new person gets a slot that replaces it.
    """

    # Events bind its rows under this name, so the table keeps it (docs/adr/0057).
    __tablename__ = "signature_place"
    __table_args__ = (sa.UniqueConstraint("request_id", "organisation_id", "user_id"),)

    request_id: Mapped[UUID] = mapped_column(sa.ForeignKey("signature_request.id"))
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"), index=True)
    position: Mapped[int] = mapped_column(default=0)
    # 0: at any time. Else after everybody in the party with a lower number except 0.
    turn: Mapped[int] = mapped_column(default=0)
    # The person on whose behalf they sign, if not themselves.
    on_behalf_of: Mapped[str] = mapped_column(default="")
    # For a slot that was passed on: the old slot, why (encrypted if the revision is), by whom and
    # when.
    stands_for_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("signature_place.id"))
    reason: Mapped[str] = mapped_column(default="")
    sealed_reason: Mapped[bytes | None] = mapped_column(sa.LargeBinary())
    passed_on_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user.id"))
    passed_on_at: Mapped[dt.datetime | None]

    request: Mapped[SignatureRequest] = relationship(back_populates="slots", lazy="raise")


class Signature(Identified, Base):
    """One signature; never changed, never deleted (the database refuses both)."""

    __tablename__ = "signature"
    __table_args__ = (
        sa.UniqueConstraint("revision_id", "user_id", "organisation_id", "kind"),
        # NULLs are never equal in a unique constraint: signing in a person's own name needs its own
        # constraint.
        sa.Index(
            "uq_signature_own_name",
            "revision_id",
            "user_id",
            "kind",
            unique=True,
            sqlite_where=sa.text("organisation_id IS NULL"),
            postgresql_where=sa.text("organisation_id IS NULL"),
        ),
        # The index for the worker's query: recent countersignatures.
        sa.Index("ix_signature_signed", "kind", "signed_at"),
    )

    revision_id: Mapped[UUID] = mapped_column(sa.ForeignKey("revision.id"))
    kind: Mapped[SignatureKind]
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"), index=True)
    # None: a person signs in their own name (an undertaking).
    organisation_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("organisation.id"))
    signer_name: Mapped[str]
    organisation_name: Mapped[str]
    office: Mapped[str]
    power: Mapped[str]
    # The first and last day of that power, if it has any.
    power_from: Mapped[dt.date | None]
    power_until: Mapped[dt.date | None]
    # Who confirmed the role they signed by ("how", "by", "on"); none in their own name.
    power_confirmed: Mapped[dict[str, str] | None] = mapped_column(sa.JSON(none_as_null=True))
    # On whose behalf they signed, and who passed the slot on to them, if anybody.
    on_behalf_of: Mapped[str | None]
    in_place_of: Mapped[str | None]
    in_place_of_id: Mapped[UUID | None]
    sentence: Mapped[str]
    language: Mapped[str] = mapped_column(sa.String(10))
    document_digest: Mapped[str] = mapped_column(sa.String(64))
    method: Mapped[Method]
    signed_at: Mapped[dt.datetime]
    # The part of the proof of identity that anybody can verify: a passkey's complete response.
    proof: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    # For method *paper*: the scan's digest, the date on it, who recorded and who confirmed it.
    paper: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    # For method *in presence*: on whose device, how that person proved who they are ("host",
    # "host_name", "host_for", "method"), and how they knew who signed ("known_by").
    presence: Mapped[dict[str, str] | None] = mapped_column(sa.JSON(none_as_null=True))
    # SHA-256 of all the above in canonical form; the event of the signature binds it.
    digest: Mapped[str] = mapped_column(sa.String(64))

    revision: Mapped[Revision] = relationship(back_populates="signatures", lazy="raise")

    def content(self) -> dict[str, Any]:
        """Return what the digest of this signature binds."""
        return {
            "id": str(self.id),
            "revision": str(self.revision_id),
            "kind": self.kind.value,
            "user": str(self.user_id),
            "organisation": str(self.organisation_id) if self.organisation_id else None,
            "signer_name": self.signer_name,
            "organisation_name": self.organisation_name,
            "office": self.office,
            "power": self.power,
            "sentence": self.sentence,
            "language": self.language,
            "document_digest": self.document_digest,
            "method": self.method.value,
            "signed_at": self.signed_at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
            **self._where_there_is_any(),
        }

    def has_its_digest(self) -> bool:
        """Return whether it still has the digest it was stored with."""
        return canonical.digest_of(self.content()) == self.digest

    def _where_there_is_any(self) -> dict[str, Any]:
        """Return columns added later, bound only if set, so that earlier digests stay."""
        values = {
            "power_from": self.power_from,
            "power_until": self.power_until,
            "on_behalf_of": self.on_behalf_of,
            "in_place_of": self.in_place_of,
            "in_place_of_id": self.in_place_of_id,
        }
        # Days in ISO form, ids as text.
        texts: dict[str, Any] = {
            name: str(value) for name, value in values.items() if value is not None
        }
        optional = {
            "power_confirmed": self.power_confirmed,
            "proof": self.proof,
            "paper": self.paper,
            "presence": self.presence,
        }
        return texts | {name: value for name, value in optional.items() if value is not None}
