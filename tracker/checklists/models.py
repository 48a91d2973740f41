"""Checklist templates as loaded, filled checklists, answers by version, positions and flags."""

import datetime as dt
import enum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.accounts.models import User
from tracker.cooperations.models import (
    ChecklistKind as ChecklistKind,  # noqa: PLC0414 -- the parts above know it from here
)
from tracker.core.db import Base, Identified
from tracker.organisations.models import Organisation


class ChecklistState(enum.StrEnum):
    """Where a checklist stands; what is in force is a revision, beside the state of the draft."""

    DRAFTING = "drafting"
    SENT = "sent"
    IN_FORCE = "in_force"


class AnswerScope(enum.StrEnum):
    """Whose an answer is: one for all, one for each party, one for each person."""

    SHARED = "shared"
    PARTY = "party"
    PERSON = "person"


class Stance(enum.StrEnum):
    """A party's position on an answer."""

    ACCEPTS = "accepts"
    WANTS_CHANGE = "wants_change"
    WANTS_TALK = "wants_talk"


class ProposalState(enum.StrEnum):
    """Where a proposed change stands; outdated: the answer changed in another way meanwhile."""

    OPEN = "open"
    ACCEPTED = "accepted"
    TURNED_DOWN = "turned_down"
    WITHDRAWN = "withdrawn"
    OUTDATED = "outdated"


class ChecklistTemplate(Identified, Base):
    """A published version of a checklist's content; never changed once loaded."""

    __tablename__ = "checklist_template"
    __table_args__ = (sa.UniqueConstraint("kind", "version"),)

    kind: Mapped[ChecklistKind]
    version: Mapped[int]
    content: Mapped[dict[str, Any]]
    digest: Mapped[str] = mapped_column(sa.String(64))
    loaded_at: Mapped[dt.datetime]


class Checklist(Identified, Base):
    """A template being filled in, of a cooperation or of one visit of it."""

    __tablename__ = "checklist"
    __table_args__ = (
        sa.Index(
            "uq_checklist_cooperation_kind",
            "cooperation_id",
            "kind",
            unique=True,
            sqlite_where=sa.text("visit_id IS NULL"),
            postgresql_where=sa.text("visit_id IS NULL"),
        ),
        sa.UniqueConstraint("visit_id", "kind"),
    )

    cooperation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("cooperation.id"))
    visit_id: Mapped[UUID | None]
    kind: Mapped[ChecklistKind]
    template_id: Mapped[UUID] = mapped_column(sa.ForeignKey("checklist_template.id"))
    state: Mapped[ChecklistState] = mapped_column(default=ChecklistState.DRAFTING)
    # After a decline only these items are open; None: all are.
    open_items: Mapped[list[str] | None]
    # Why it is open again: declined, called back, or to be amended.
    reason: Mapped[str | None]
    sealed_reason: Mapped[bytes | None] = mapped_column(sa.LargeBinary())
    # The revision in force, and the one that waits for signatures.
    revision_in_force_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("revision.id"))
    revision_sent_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("revision.id"))
    in_force_at: Mapped[dt.datetime | None]
    # Kept up to date with each change, so that lists need not load the answers.
    done_count: Mapped[int] = mapped_column(default=0)
    total_count: Mapped[int] = mapped_column(default=0)
    is_complete: Mapped[bool] = mapped_column(default=False)
    started_at: Mapped[dt.datetime]

    template: Mapped[ChecklistTemplate] = relationship(lazy="raise")
    parties: Mapped[list["ChecklistParty"]] = relationship(
        back_populates="checklist", order_by="ChecklistParty.position", lazy="raise"
    )


class ChecklistParty(Base):
    """A party whose acceptance and signature a checklist needs."""

    __tablename__ = "checklist_party"

    checklist_id: Mapped[UUID] = mapped_column(sa.ForeignKey("checklist.id"), primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("organisation.id"), primary_key=True
    )
    position: Mapped[int] = mapped_column(default=0)
    # How many positions wait for this party, kept up to date for lists.
    waiting_count: Mapped[int] = mapped_column(default=0)

    checklist: Mapped[Checklist] = relationship(back_populates="parties", lazy="raise")
    organisation: Mapped[Organisation] = relationship(lazy="raise")


class Answer(Identified, Base):
    """One version of the answer to an item. Versions are kept; the newest is current."""

    __tablename__ = "answer"
    __table_args__ = (
        sa.UniqueConstraint("checklist_id", "item", "owner_id", "version"),
        sa.Index("ix_answer_checklist_current", "checklist_id", "is_current"),
    )

    checklist_id: Mapped[UUID] = mapped_column(sa.ForeignKey("checklist.id"))
    item: Mapped[str] = mapped_column(sa.String(10))
    scope: Mapped[AnswerScope]
    # The checklist itself for a shared answer, else the organisation or the person.
    owner_id: Mapped[UUID]
    version: Mapped[int]
    is_current: Mapped[bool] = mapped_column(default=True)
    # field key -> value. Plain for class K8; for class K2 to K7 None, and encrypted in sealed.
    values: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    sealed: Mapped[bytes | None] = mapped_column(sa.LargeBinary())
    not_applicable: Mapped[bool] = mapped_column(default=False)
    author_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    saved_at: Mapped[dt.datetime]

    author: Mapped[User] = relationship(lazy="raise")
    organisation: Mapped[Organisation] = relationship(lazy="raise")


class Position(Identified, Base):
    """A party's position on one version of a shared answer; the newest per party is current."""

    __tablename__ = "position"
    __table_args__ = (sa.Index("ix_position_checklist_current", "checklist_id", "is_current"),)

    checklist_id: Mapped[UUID] = mapped_column(sa.ForeignKey("checklist.id"))
    item: Mapped[str] = mapped_column(sa.String(10))
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    answer_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("answer.id"))
    stance: Mapped[Stance]
    reason: Mapped[str | None]
    sealed_reason: Mapped[bytes | None] = mapped_column(sa.LargeBinary())
    is_current: Mapped[bool] = mapped_column(default=True)
    author_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    taken_at: Mapped[dt.datetime]

    author: Mapped[User] = relationship(lazy="raise")


class Proposal(Identified, Base):
    """Another value for an item, proposed by a party with its reason (product.md, 4.1)."""

    __tablename__ = "proposal"
    __table_args__ = (sa.Index("ix_proposal_checklist_state", "checklist_id", "state"),)

    checklist_id: Mapped[UUID] = mapped_column(sa.ForeignKey("checklist.id"))
    item: Mapped[str] = mapped_column(sa.String(10))
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    # The version it wants to change.
    answer_id: Mapped[UUID] = mapped_column(sa.ForeignKey("answer.id"))
    values: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    sealed: Mapped[bytes | None] = mapped_column(sa.LargeBinary())
    reason: Mapped[str | None]
    sealed_reason: Mapped[bytes | None] = mapped_column(sa.LargeBinary())
    state: Mapped[ProposalState] = mapped_column(default=ProposalState.OPEN)
    author_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    made_at: Mapped[dt.datetime]
    ended_at: Mapped[dt.datetime | None]
    ended_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user.id"))
    ended_for_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("organisation.id"))
    # Why it was turned down.
    ended_reason: Mapped[str | None]
    sealed_ended_reason: Mapped[bytes | None] = mapped_column(sa.LargeBinary())

    author: Mapped[User] = relationship(foreign_keys=[author_id], lazy="raise")
    organisation: Mapped[Organisation] = relationship(foreign_keys=[organisation_id], lazy="raise")
    ended_by: Mapped[User | None] = relationship(foreign_keys=[ended_by_id], lazy="raise")
    ended_for: Mapped[Organisation | None] = relationship(foreign_keys=[ended_for_id], lazy="raise")


class Flag(Identified, Base):
    """A party's reviewer says that a term limits the NPM (S6, S7); open ones block gate G3."""

    __tablename__ = "flag"

    checklist_id: Mapped[UUID] = mapped_column(sa.ForeignKey("checklist.id"), index=True)
    item: Mapped[str] = mapped_column(sa.String(10))
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    author_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    reason: Mapped[str]
    raised_at: Mapped[dt.datetime]
    closed_at: Mapped[dt.datetime | None]
    closed_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user.id"))
    # Empty when the term was changed.
    explanation: Mapped[str] = mapped_column(default="")

    author: Mapped[User] = relationship(foreign_keys=[author_id], lazy="raise")
    organisation: Mapped[Organisation] = relationship(lazy="raise")


class SafeguardReview(Identified, Base):
    """The second reader read the terms (stage P2); void once an answer changes."""

    __tablename__ = "safeguard_review"

    checklist_id: Mapped[UUID] = mapped_column(sa.ForeignKey("checklist.id"), index=True)
    reader_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    reviewed_at: Mapped[dt.datetime]
    is_void: Mapped[bool] = mapped_column(default=False)

    reader: Mapped[User] = relationship(lazy="raise")
