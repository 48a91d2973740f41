"""The table of how partners were chosen, one row for each partner of a cooperation."""

import datetime as dt
import enum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.accounts.models import User
from tracker.core.db import Base, Identified


class SelectionWay(enum.StrEnum):
    """How a partner was chosen; the same codes as the options of M1."""

    PUBLIC_CALL = "public_call"
    APPLICATION = "application"
    DIRECT = "direct"
    LAW = "law"
    OTHER = "other"


class PartnerSelection(Identified, Base):
    """How one partner was chosen (domain.md, P0), recorded by the NPM before the terms are sent."""

    __tablename__ = "partner_selection"
    __table_args__ = (sa.UniqueConstraint("cooperation_id", "organisation_id"),)

    cooperation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("cooperation.id"))
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    way: Mapped[SelectionWay]
    # The day of the call, of the application or of the first contact.
    opened_on: Mapped[dt.date | None]
    decided_on: Mapped[dt.date | None]
    # Or the law that names the partner.
    criteria: Mapped[str]
    # The party or outside body that decided, as answers name it (M1); None if a law did, and in
    # records of the time before it was asked.
    deciding_id: Mapped[UUID | None]
    decided_by: Mapped[str]
    recorded_at: Mapped[dt.datetime]
    recorded_by_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    # Optimistic lock: of two people changing it, the second sees the first one's change.
    version: Mapped[int] = mapped_column(default=1)

    recorded_by: Mapped[User] = relationship(lazy="raise")
