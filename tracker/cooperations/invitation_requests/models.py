"""The table of requests to invite a partner's first coordinator."""

import datetime as dt
import enum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.accounts.models import User
from tracker.cooperations.models import Cooperation
from tracker.core.db import Base, Identified
from tracker.organisations.models import Organisation


class RequestOutcome(enum.StrEnum):
    """How a request to invite somebody ended."""

    CONFIRMED = "confirmed"
    DECLINED = "declined"
    LAPSED = "lapsed"
    WITHDRAWN = "withdrawn"


class InvitationRequest(Identified, Base):
    """A coordinator's request that an administrator invites a partner's first coordinator."""

    __tablename__ = "invitation_request"
    __table_args__ = (
        sa.Index(
            "uq_invitation_request_open",
            "cooperation_id",
            "organisation_id",
            unique=True,
            sqlite_where=sa.text("answered_at IS NULL"),
            postgresql_where=sa.text("answered_at IS NULL"),
        ),
        sa.Index(
            "ix_invitation_request_waiting",
            "requested_at",
            sqlite_where=sa.text("answered_at IS NULL"),
            postgresql_where=sa.text("answered_at IS NULL"),
        ),
    )

    cooperation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("cooperation.id"), index=True)
    # The organisation that lacks a coordinator.
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"), index=True)
    # The party whose coordinator asks.
    partner_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    requested_by_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    requested_at: Mapped[dt.datetime]
    # The person who was proposed; erased as soon as the request has ended.
    name: Mapped[str]
    email: Mapped[str] = mapped_column(sa.String(255))
    language: Mapped[str] = mapped_column(sa.String(10))
    answered_at: Mapped[dt.datetime | None]
    answered_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user.id"))
    outcome: Mapped[RequestOutcome | None]
    # Why it was declined.
    reason: Mapped[str] = mapped_column(default="")

    cooperation: Mapped[Cooperation] = relationship(lazy="raise")
    organisation: Mapped[Organisation] = relationship(foreign_keys=[organisation_id], lazy="raise")
    partner: Mapped[Organisation] = relationship(foreign_keys=[partner_id], lazy="raise")
    requested_by: Mapped[User] = relationship(foreign_keys=[requested_by_id], lazy="raise")
