"""Tables of joint visits: stage, encrypted place and dates, team, gate overrides."""

import datetime as dt
import enum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.accounts.models import User
from tracker.cooperations.models import Cooperation
from tracker.core.db import Base, Identified
from tracker.organisations.models import Organisation


class VisitStage(enum.StrEnum):
    """The stage of a joint visit (domain.md, section 4.2)."""

    PROPOSED = "J1"
    PLANNED = "J2"
    CLEARED = "J3"
    ON_SITE = "J4"
    STOPPED = "JX"


class Visit(Identified, Base):
    """An NPM visit with people of a CSO on the team, led by the NPM.

    Place and dates: class K2.
    """

    __tablename__ = "visit"
    __table_args__ = (
        sa.UniqueConstraint("cooperation_id", "number"),
        sa.Index("ix_visit_stage", "stage", "cooperation_id"),
    )

    cooperation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("cooperation.id"))
    number: Mapped[int]
    stage: Mapped[VisitStage] = mapped_column(default=VisitStage.PROPOSED)
    is_ready: Mapped[bool] = mapped_column(default=False)
    ready_at: Mapped[dt.datetime | None]
    # {"place", "starts_on", "ends_on"} and the moments of a plan, encrypted with the cooperation's
    # key; never sorted in SQL
    sealed_plan: Mapped[bytes] = mapped_column(sa.LargeBinary())
    version: Mapped[int] = mapped_column(default=1)
    planned_at: Mapped[dt.datetime]
    planned_by_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    stopped_reason: Mapped[str] = mapped_column(default="")
    # Who of the NPM was put in charge when nobody on the list could act: on the list since (adr
    # 122).
    in_charge_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user.id"))
    # Whether nobody of the NPM on the list can act; brought up to date with the list.
    needs_lead: Mapped[bool] = mapped_column(default=False)

    team: Mapped[list["TeamMember"]] = relationship(back_populates="visit", lazy="raise")
    cooperation: Mapped[Cooperation] = relationship(lazy="raise")


class TeamMember(Identified, Base):
    """A person on a visit's team (V4)."""

    __tablename__ = "team_member"
    __table_args__ = (sa.UniqueConstraint("visit_id", "user_id"),)

    visit_id: Mapped[UUID] = mapped_column(sa.ForeignKey("visit.id"))
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"), index=True)
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    # None: before it was recorded, so nothing is said of the briefing (V18).
    joined_at: Mapped[dt.datetime | None]

    visit: Mapped[Visit] = relationship(back_populates="team", lazy="raise")
    user: Mapped[User] = relationship(lazy="raise")
    organisation: Mapped[Organisation] = relationship(lazy="raise")


class GateOverride(Identified, Base):
    """A named NPM manager's decision to let a visit pass J3, with a reason; shown to auditors."""

    __tablename__ = "gate_override"

    visit_id: Mapped[UUID] = mapped_column(sa.ForeignKey("visit.id"), index=True)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    reason: Mapped[str]
    at: Mapped[dt.datetime]
    # Keyed digests of what its page showed as missing (visits/encryption.py).
    excused: Mapped[list[str]] = mapped_column(default=list)

    user: Mapped[User] = relationship(lazy="raise")
