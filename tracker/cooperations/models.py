"""Tables of cooperations, their parties, lists, people, keys, clearances and audiences.

In one file: each table refers to the cooperation, and several to each other.
"""

import datetime as dt
import enum
from typing import TYPE_CHECKING, Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, column_property, mapped_column, relationship

from tracker.access.actor import OrganisationKind
from tracker.accounts.models import User
from tracker.core.db import Base, Identified
from tracker.organisations.models import Organisation
from tracker.signoff.models import (
    RequestState,
    Revision,
    Signature,
    SignatureKind,
    SignatureRequest,
)
from tracker.signoff.outcomes import Validity


class Stage(enum.StrEnum):
    """The stages of a cooperation (domain.md, section 4.1)."""

    EXPLORED = "P0"
    DRAFT = "P1"
    REVIEWED = "P2"
    CLEARED = "P3"
    ACTIVE = "P4"
    UNDER_REVIEW = "P5"
    SUSPENDED = "P6"
    CLOSED = "P7"


# The state of a cooperation that a list shows on a day: its stage, or that signed terms begin later
# or have expired.
ListState = Stage | Validity


class Mode(enum.StrEnum):
    """The ways of working together (domain.md, section 3); several can be combined (S24)."""

    INFO_A = "INFO_A"
    INFO_F = "INFO_F"
    SUPP = "SUPP"
    CAP = "CAP"
    EXP = "EXP"
    PROJ = "PROJ"
    ADV = "ADV"
    VISIT = "VISIT"
    ADVIS = "ADVIS"
    OMB_PLUS = "OMB_PLUS"
    COAL = "COAL"
    PROT = "PROT"


class Knowledge(enum.StrEnum):
    """The answer to a question behind a conditional requirement; not known counts as yes."""

    YES = "yes"
    NO = "no"
    NOT_KNOWN = "not_known"


class ChecklistKind(enum.StrEnum):
    """The four checklists a cooperation may need (domain.md, section 3)."""

    TERMS = "terms"
    CONFIDENTIALITY = "confidentiality"
    VISIT_ROLES = "visit_roles"
    URGENT_PLAN = "urgent_plan"


class BodyKind(enum.StrEnum):
    """The kinds of outside bodies."""

    AUTHORITY = "authority"
    MINISTRY = "ministry"
    PROSECUTOR = "prosecutor"
    DONOR = "donor"
    OTHER_STATE_BODY = "other_state_body"


class Cooperation(Identified, Base):
    """The whole relation between the NPM and its partner CSOs, from the first talks to closing."""

    __tablename__ = "cooperation"
    __table_args__ = (
        sa.Index("ix_cooperation_opened", "opened_at", "reference"),
        # The indexes for the worker's queries.
        *(
            sa.Index(
                f"ix_cooperation_{column}",
                column,
                sqlite_where=sa.text(f"{column} IS NOT NULL"),
                postgresql_where=sa.text(f"{column} IS NOT NULL"),
            )
            for column in ("remind_of_review_on", "remind_of_end_on")
        ),
    )

    reference: Mapped[str] = mapped_column(sa.String(20), unique=True)
    title: Mapped[str]
    purpose: Mapped[str]
    stage: Mapped[Stage] = mapped_column(default=Stage.EXPLORED)
    # Mode codes, and the answers to the questions behind R* (question -> Knowledge)
    modes: Mapped[list[str]] = mapped_column(default=list)
    questions: Mapped[dict[str, Any]] = mapped_column(default=dict)
    # Bodies that are not parties and can be named in answers (outside_bodies.py); NULL before the
    # first.
    outside_bodies: Mapped[list[dict[str, Any]] | None] = mapped_column(sa.JSON(none_as_null=True))
    starts_on: Mapped[dt.date | None]
    ends_on: Mapped[dt.date | None] = mapped_column(index=True)
    review_on: Mapped[dt.date | None]
    # When the last review was held; and, if its record or an earlier one set review_on, the review
    # day in the terms then in force (policy.is_review_agreed).
    reviewed_on: Mapped[dt.date | None]
    reviewed_for: Mapped[dt.date | None]
    # How many days before review and end M19 has people reminded, and the days of the next
    # reminders; None once they were sent.
    reminder_days: Mapped[int | None]
    remind_of_review_on: Mapped[dt.date | None]
    remind_of_end_on: Mapped[dt.date | None]
    opened_at: Mapped[dt.datetime]
    opened_by_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    is_demonstration: Mapped[bool] = mapped_column(default=False)
    # Whether people without a second factor may sign their undertaking with a code sent by email.
    mailed_codes: Mapped[bool] = mapped_column(default=False)
    # Whether the public page that verifies a certificate names who signed for whom, and when.
    shows_signers: Mapped[bool] = mapped_column(default=False)
    # Optimistic lock: of two people changing the same head, the second sees the first one's change.
    version: Mapped[int] = mapped_column(default=1)

    parties: Mapped[list["Party"]] = relationship(
        back_populates="cooperation", order_by="Party.position", lazy="raise"
    )
    people: Mapped[list["CooperationPerson"]] = relationship(
        back_populates="cooperation", lazy="raise"
    )


class CooperationKey(Base):
    """The cooperation's encryption key, wrapped; destroying it erases class K2 to K7 for good."""

    __tablename__ = "cooperation_key"

    cooperation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("cooperation.id"), primary_key=True)
    wrapped: Mapped[bytes | None] = mapped_column(sa.LargeBinary())


class ReferenceCounter(Base):
    """The last number given in a year, so that references have no gaps and no duplicates."""

    __tablename__ = "reference_counter"

    year: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    last: Mapped[int] = mapped_column(default=0)


class Party(Identified, Base):
    """An organisation in a cooperation, with its own dates of joining and leaving."""

    __tablename__ = "party"
    __table_args__ = (
        sa.UniqueConstraint("cooperation_id", "organisation_id"),
        sa.Index("ix_party_organisation", "organisation_id", "left_on", "cooperation_id"),
        # The index for the worker's query.
        sa.Index(
            "ix_party_leaving",
            "left_on",
            sqlite_where=sa.text("leave_given_at IS NOT NULL AND leave_done_at IS NULL"),
            postgresql_where=sa.text("leave_given_at IS NOT NULL AND leave_done_at IS NULL"),
        ),
    )

    cooperation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("cooperation.id"))
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    side: Mapped[OrganisationKind]
    position: Mapped[int] = mapped_column(default=0)
    joined_on: Mapped[dt.date]
    # The last day on which it is a party; in the future if it has given notice that it leaves.
    left_on: Mapped[dt.date | None]
    # The notice by which it leaves alone (product.md, 5.8), and when its membership was ended.
    leave_given_at: Mapped[dt.datetime | None]
    leave_given_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user.id"))
    leave_reason: Mapped[str | None]
    leave_done_at: Mapped[dt.datetime | None]
    # For a party that joined while terms were in force (adr 70): when, by whom and why it was
    # invited, whether confidentiality terms were in force as well, and when PARTY_JOINED was
    # recorded. Whether it has joined is derived from its signatures (is_joining), never from these
    # columns; joined_at only says which visits were planned before (adr 78).
    invited_at: Mapped[dt.datetime | None]
    invited_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user.id"))
    invite_reason: Mapped[str | None]
    joins_confidentiality: Mapped[bool] = mapped_column(default=False)
    joined_at: Mapped[dt.datetime | None]
    # For a party that took the place of one that had joined later: when that one was invited. It
    # reads no more of what people declared than that one did (adr 78).
    predecessor_invited_at: Mapped[dt.datetime | None]
    # For a body that was replaced (N13): by which, and on which day. Its signatures stay.
    replaced_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("organisation.id"))
    replaced_on: Mapped[dt.date | None]

    cooperation: Mapped[Cooperation] = relationship(back_populates="parties", lazy="raise")
    organisation: Mapped[Organisation] = relationship(foreign_keys=[organisation_id], lazy="raise")

    if TYPE_CHECKING:
        # Whether it was invited and has not signed what was in force then; computed below.
        is_joining: Mapped[bool]

    @property
    def is_leaving(self) -> bool:
        """Whether it has given notice that it leaves, and its membership has not ended yet."""
        return self.leave_given_at is not None and self.leave_done_at is None

    @property
    def is_of_npm(self) -> bool:
        """Whether it decides with the NPM: a body of the NPM that has signed what is in force."""
        return self.side is OrganisationKind.NPM and not self.is_joining

    def stay(self) -> None:
        """Clear a notice and the last day, for a party that stays or comes back."""
        self.left_on = None
        self.leave_given_at = self.leave_done_at = None
        self.leave_given_by_id = None
        self.leave_reason = None


def _has_signed(kind: ChecklistKind) -> sa.ColumnElement[bool]:
    """Return the condition over Party that it signed a text completed since its invitation.

    A text of an earlier membership doesn't count. One condition is nested in the other, so that the
    few texts of the cooperation are always searched first.
    """
    is_completed = (
        sa.exists()
        .where(
            SignatureRequest.revision_id == Revision.id,
            SignatureRequest.state == RequestState.COMPLETED,
        )
        .correlate_except(SignatureRequest)
    )
    bears_signature = (
        sa.exists()
        .where(
            Signature.revision_id == Revision.id,
            Signature.organisation_id == Party.organisation_id,
            Signature.kind != SignatureKind.COUNTERSIGNATURE,
        )
        .correlate_except(Signature)
    )
    return (
        sa.exists()
        .where(
            Revision.cooperation_id == Party.cooperation_id,
            Revision.kind == kind.value,
            Revision.frozen_at >= Party.invited_at,
            is_completed,
            bears_signature,
        )
        .correlate_except(Revision)
    )


if not TYPE_CHECKING:
    # Selected with each party in the same statement; for most parties the first condition decides.
    Party.is_joining = column_property(
        sa.and_(
            Party.invited_at.is_not(None),
            sa.or_(
                ~_has_signed(ChecklistKind.TERMS),
                sa.and_(
                    Party.joins_confidentiality.is_(True),
                    ~_has_signed(ChecklistKind.CONFIDENTIALITY),
                ),
            ),
        )
    )


# The number of letters that are sure to fit into a PostgreSQL index, at up to four bytes each.
FEW_LETTERS = 600
# What lists of cooperations are ordered, filtered and counted by.
_LISTED = (
    "organisation_id",
    "opened_at",
    "reference",
    "cooperation_id",
    "stage",
    "left_on",
    "is_of_npm",
    "starts_on",
    "ends_on",
    "notice_suspends_on",
    "notice_ends_on",
)


class CooperationEntry(Base):
    """A cooperation in one party's list, for finding, ordering and counting.

    Updated with each event that changes it (adr 59). It is no evidence: what a list shows is read
    from the cooperation itself.
    """

    __tablename__ = "cooperation_entry"
    __table_args__ = (
        # In the order of the list, with all columns it is filtered and counted by.
        sa.Index("ix_cooperation_entry_order", *_LISTED),
        # For searches, in the same order and with the words. PostgreSQL can't index long texts, so
        # longer ones are read from the table, found by an index of their own.
        sa.Index(
            "ix_cooperation_entry_words",
            *_LISTED,
            "words",
            sqlite_where=sa.text(f"length(words) <= {FEW_LETTERS}"),
            postgresql_where=sa.text(f"length(words) <= {FEW_LETTERS}"),
        ),
        sa.Index(
            "ix_cooperation_entry_long",
            *_LISTED,
            sqlite_where=sa.text(f"length(words) > {FEW_LETTERS}"),
            postgresql_where=sa.text(f"length(words) > {FEW_LETTERS}"),
        ),
    )

    organisation_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("organisation.id"), primary_key=True
    )
    cooperation_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("cooperation.id"), primary_key=True, index=True
    )
    # When the organisation's membership in the cooperation ends.
    is_of_npm: Mapped[bool]
    left_on: Mapped[dt.date | None]
    opened_at: Mapped[dt.datetime]
    reference: Mapped[str] = mapped_column(sa.String(20))
    stage: Mapped[Stage]
    # First and last day of the agreed terms (M19), between which an active cooperation is *Active*.
    starts_on: Mapped[dt.date | None]
    ends_on: Mapped[dt.date | None]
    # The first day without these terms by a notice that hasn't been applied yet, if there is one.
    notice_suspends_on: Mapped[dt.date | None]
    notice_ends_on: Mapped[dt.date | None]
    # Reference, title and the names of all parties, case folded; a search word is part of a line.
    words: Mapped[str]


class CooperationPerson(Identified, Base):
    """A person who takes part in a cooperation for one party."""

    __tablename__ = "cooperation_person"
    __table_args__ = (sa.UniqueConstraint("cooperation_id", "user_id", "organisation_id"),)

    cooperation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("cooperation.id"))
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"), index=True)
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    function: Mapped[str] = mapped_column(default="")
    from_on: Mapped[dt.date]
    until_on: Mapped[dt.date | None]

    cooperation: Mapped[Cooperation] = relationship(back_populates="people", lazy="raise")
    user: Mapped[User] = relationship(lazy="raise")
    organisation: Mapped[Organisation] = relationship(lazy="raise")


class ClearanceScope(enum.StrEnum):
    """The scope of a clearance (C1)."""

    ALL = "all"
    PROJECT = "project"
    VISIT = "visit"


class ClearanceEnd(enum.StrEnum):
    """Why a clearance was closed."""

    EXPIRED = "expired"
    NEW_TERMS = "new_terms"
    SUSPENDED = "suspended"
    LEFT = "left"
    UNLISTED = "unlisted"
    WITHDRAWN = "withdrawn"
    REPLACED = "replaced"
    TERMS_SUSPENDED = "terms_suspended"
    TERMS_ENDED = "terms_ended"


class Clearance(Identified, Base):
    """What a person needs before seeing anything of class K2 to K7 (G4, S11)."""

    __tablename__ = "clearance"
    __table_args__ = (
        sa.Index("ix_clearance_user_cooperation", "user_id", "cooperation_id"),
        # The index for the worker's query.
        sa.Index(
            "ix_clearance_open",
            "until_on",
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        ),
        sa.Index(
            "ix_clearance_not_reminded",
            "until_on",
            sqlite_where=sa.text("closed_at IS NULL AND reminded_on IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL AND reminded_on IS NULL"),
        ),
        sa.Index("ix_clearance_cooperation_id", "cooperation_id"),
    )

    cooperation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("cooperation.id"))
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    scope: Mapped[ClearanceScope]
    visit_id: Mapped[UUID | None] = mapped_column(index=True)
    undertaking_id: Mapped[UUID] = mapped_column(index=True)
    from_on: Mapped[dt.date]
    # Inclusive.
    until_on: Mapped[dt.date]
    closed_at: Mapped[dt.datetime | None]
    closed_reason: Mapped[str] = mapped_column(default="")
    # When people were told, once, that it is about to end.
    reminded_on: Mapped[dt.date | None]

    user: Mapped[User] = relationship(lazy="raise")


class ClearanceBar(Identified, Base):
    """A part of the work that an interest (C13) closes to a person: one visit, or all of it.

    Derived from undecided and limited interests, and from the place of each visit.
    """

    __tablename__ = "clearance_bar"
    __table_args__ = (
        sa.Index("ix_clearance_bar_user_cooperation", "user_id", "cooperation_id"),
        sa.Index("ix_clearance_bar_cooperation_id", "cooperation_id"),
    )

    cooperation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("cooperation.id"))
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    # The added interest; or, where the NPM set a limit on what was first declared, the undertaking.
    interest_id: Mapped[UUID]
    # None: all work of the cooperation is closed.
    visit_id: Mapped[UUID | None]


class AudienceMember(Identified, Base):
    """A person listed as the audience of a visit (V2), a class (C11) or a case (U10)."""

    __tablename__ = "audience_member"
    __table_args__ = (
        sa.UniqueConstraint("subject_type", "subject_id", "user_id"),
        # In the order of My work: the lists that name a person.
        sa.Index("ix_audience_member_named", "user_id", "subject_type", "from_on", "subject_id"),
    )

    cooperation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("cooperation.id"))
    subject_type: Mapped[str] = mapped_column(sa.String(20))
    subject_id: Mapped[UUID]
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    # From this day on; the visit's date itself is planning and stays encrypted in the answer.
    from_on: Mapped[dt.date]
    leads: Mapped[bool] = mapped_column(default=False)

    user: Mapped[User] = relationship(lazy="raise")
