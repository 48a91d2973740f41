"""Tables of the trail: chains, events and their erasable details; and who read what."""

import datetime as dt
import enum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.core.db import Base, Identified


class ChainKind(enum.StrEnum):
    """The kinds of chain: one for the instance, one for each cooperation, one for each visit."""

    INSTANCE = "instance"
    COOPERATION = "cooperation"
    # What the people of a visit's team confirm for themselves (adr 87).
    VISIT = "visit"


class Chain(Identified, Base):
    """The head of a hash chain, sealed with a key that is kept outside the database."""

    __tablename__ = "chain"
    __table_args__ = (
        sa.Index(
            "uq_chain_instance",
            "kind",
            unique=True,
            sqlite_where=sa.text("cooperation_id IS NULL AND visit_id IS NULL"),
            postgresql_where=sa.text("cooperation_id IS NULL AND visit_id IS NULL"),
        ),
        # Over few of all chains, or statistics take each lookup for one of many rows.
        sa.Index(
            "uq_chain_visit",
            "visit_id",
            unique=True,
            sqlite_where=sa.text("visit_id IS NOT NULL"),
            postgresql_where=sa.text("visit_id IS NOT NULL"),
        ),
    )

    kind: Mapped[ChainKind]
    # Only of a cooperation's own chain, so a visit's chain is never found as that.
    cooperation_id: Mapped[UUID | None] = mapped_column(unique=True)
    visit_id: Mapped[UUID | None]
    head: Mapped[str] = mapped_column(sa.String(64))
    count: Mapped[int]
    seal: Mapped[str] = mapped_column(sa.String(64))


# The condition for the instance's own chain, found by an index among all chains.
IS_OF_THE_INSTANCE = sa.and_(
    Chain.kind == ChainKind.INSTANCE, Chain.cooperation_id.is_(None), Chain.visit_id.is_(None)
)


class Event(Identified, Base):
    """One change of state; never changed, never deleted (the database refuses both)."""

    __tablename__ = "event"
    __table_args__ = (
        sa.UniqueConstraint("chain_id", "number"),
        sa.Index("ix_event_subject", "subject_type", "subject_id"),
        # For the milestones of a cooperation, and the kinds of its events.
        sa.Index("ix_event_verb", "chain_id", "verb", "number"),
    )

    chain_id: Mapped[UUID] = mapped_column(sa.ForeignKey("chain.id"))
    number: Mapped[int]
    verb: Mapped[str] = mapped_column(sa.String(60))
    subject_type: Mapped[str] = mapped_column(sa.String(40))
    subject_id: Mapped[UUID]
    at: Mapped[dt.datetime] = mapped_column(index=True)
    details_digest: Mapped[str] = mapped_column(sa.String(64))
    evidence: Mapped[str | None] = mapped_column(sa.String(64))
    # What it says about rows (activity/binding.py); None in events older than row binding.
    state: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    previous: Mapped[str] = mapped_column(sa.String(64))
    digest: Mapped[str] = mapped_column(sa.String(64))

    chain: Mapped[Chain] = relationship(lazy="raise")
    detail: Mapped["EventDetail | None"] = relationship(back_populates="event", lazy="raise")


class EventDetail(Base):
    """Who did it, and the details: salted, so they can be erased and the chain still verifies."""

    __tablename__ = "event_detail"

    event_id: Mapped[UUID] = mapped_column(sa.ForeignKey("event.id"), primary_key=True)
    salt: Mapped[str] = mapped_column(sa.String(64))
    content: Mapped[dict[str, Any]]

    event: Mapped[Event] = relationship(back_populates="detail", lazy="raise")


class ReadLogEntry(Identified, Base):
    """One page view of class K2 to K7: who read what, when (product.md, section 7).

    A page with secret words of several people has an entry for each of them.
    """

    __tablename__ = "read_log_entry"

    cooperation_id: Mapped[UUID] = mapped_column(index=True)
    user_id: Mapped[UUID]
    organisation_id: Mapped[UUID | None]
    subject_type: Mapped[str] = mapped_column(sa.String(40))
    subject_id: Mapped[UUID]
    page: Mapped[str] = mapped_column(sa.String(80))
    at: Mapped[dt.datetime]
