"""Tables of personal undertakings of confidentiality and the NPM's decisions on them."""

import datetime as dt
import enum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.accounts.models import User
from tracker.core.db import Base, Identified
from tracker.organisations.models import Organisation

# What the events of undertakings and of clearances are about.
SUBJECT = "undertaking"
CLEARANCE = "clearance"


class UndertakingState(enum.StrEnum):
    """The state of an undertaking."""

    ASKED = "asked"
    # Frozen from what the person signed on paper; the scan waits to be confirmed.
    ON_PAPER = "on_paper"
    SIGNED = "signed"
    COUNTERSIGNED = "countersigned"
    CLOSED = "closed"


class InterestsDecision(enum.StrEnum):
    """What the NPM decided on declared interests (C13)."""

    ACCEPT = "accept"
    LIMIT = "limit"
    REPLACE = "replace"


class Reach(enum.StrEnum):
    """Which places an added interest concerns, or a limit of the NPM closes to a person."""

    NAMED = "named"
    KIND = "kind"
    ALL = "all"


class UndertakingEnd(enum.StrEnum):
    """Why an undertaking was closed."""

    NEW_TERMS = "new_terms"
    UNLISTED = "unlisted"
    LEFT = "left"
    SUSPENDED = "suspended"
    WITHDRAWN = "withdrawn"
    WITHDRAWN_BY_NPM = "withdrawn_by_npm"
    EXPIRED = "expired"
    TERMS_SUSPENDED = "terms_suspended"
    TERMS_ENDED = "terms_ended"
    PAPER_REFUSED = "paper_refused"
    PAPER_WITHDRAWN = "paper_withdrawn"


class Undertaking(Identified, Base):
    """A person's undertaking on one revision of the confidentiality terms (S11).

    A closed one is kept as history: a person who is asked again gets a new one.
    """

    __tablename__ = "undertaking"
    __table_args__ = (
        sa.Index(
            "uq_undertaking_open",
            "terms_revision_id",
            "user_id",
            unique=True,
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        ),
        sa.Index("ix_undertaking_user_state", "user_id", "state"),
        sa.Index("ix_undertaking_state", "state", "cooperation_id"),
        # In the order of My work: all of the NPM's, and those of an organisation's own people.
        sa.Index("ix_undertaking_asked", "state", "asked_at", "id"),
        # All undertakings a person was ever asked for.
        sa.Index("ix_undertaking_own", "user_id", "closed_at", "asked_at", "id"),
        sa.Index("ix_undertaking_organisation", "organisation_id", "state", "asked_at", "id"),
        # In the order of the register, with all columns it is filtered and counted by.
        sa.Index(
            "ix_undertaking_register",
            "cooperation_id",
            "asked_at",
            "id",
            "state",
            "organisation_id",
            "user_id",
            "terms_revision_id",
        ),
    )

    cooperation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("cooperation.id"), index=True)
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    # What the person does in the cooperation, according to the list of people who must sign (C2).
    function: Mapped[str] = mapped_column(default="")
    terms_revision_id: Mapped[UUID] = mapped_column(sa.ForeignKey("revision.id"))
    state: Mapped[UndertakingState] = mapped_column(default=UndertakingState.ASKED)
    asked_at: Mapped[dt.datetime]
    # What the person has typed and not signed yet; encrypted with the cooperation's key.
    sealed_draft: Mapped[bytes | None] = mapped_column(sa.LargeBinary())
    # The frozen text the person signed: terms, confirmations, declared interests (encrypted).
    revision_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("revision.id"))
    signed_at: Mapped[dt.datetime | None]
    briefed_on: Mapped[dt.date | None]
    # Whether anything was declared; the content is only in the frozen text.
    has_interests: Mapped[bool | None]
    # Whether a party that the person took part for, when they signed, said that it litigates or
    # represents people concerned (M1): then the NPM decides even if nothing was declared (C13 with
    # M14).
    party_has_interest: Mapped[bool | None]
    decision: Mapped[InterestsDecision | None]
    # The reason given with the decision, and with a limit the places; encrypted, since it may
    # mention the interests.
    sealed_decision_reason: Mapped[bytes | None] = mapped_column(sa.LargeBinary())
    decided_at: Mapped[dt.datetime | None]
    decided_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user.id"))
    countersigned_at: Mapped[dt.datetime | None]
    closed_at: Mapped[dt.datetime | None]
    # A value of UndertakingEnd, empty while it is open.
    closed_reason: Mapped[str] = mapped_column(default="")
    # Why the NPM withdrew the access, as text; encrypted like the other reason.
    sealed_closing_reason: Mapped[bytes | None] = mapped_column(sa.LargeBinary())

    user: Mapped[User] = relationship(foreign_keys=[user_id], lazy="raise")
    organisation: Mapped[Organisation] = relationship(lazy="raise")

    @property
    def person_name(self) -> str:
        """The person's name, if it was loaded; their id if the database lacks their account."""
        user: User | None = self.user
        return user.name if user is not None else str(self.user_id)

    @property
    def organisation_name(self) -> str:
        """The organisation's name, if it was loaded; its id if the database lacks it."""
        organisation: Organisation | None = self.organisation
        return organisation.name if organisation is not None else str(self.organisation_id)


class AddedInterest(Identified, Base):
    """An interest (C13) that a person added after signing, and what the NPM decided on it.

    It belongs to the person in the cooperation: a decision outlives the undertaking to which the
    interest was added.
    """

    __tablename__ = "added_interest"
    __table_args__ = (
        sa.Index("ix_added_interest_person", "user_id", "cooperation_id", "added_at"),
        sa.Index("ix_added_interest_waiting", "decision", "cooperation_id", "user_id"),
        sa.Index("ix_added_interest_cooperation_id", "cooperation_id"),
    )

    cooperation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("cooperation.id"))
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    added_at: Mapped[dt.datetime]
    # What was added and which places it concerns; encrypted with the cooperation's key.
    sealed_content: Mapped[bytes] = mapped_column(sa.LargeBinary())
    decision: Mapped[InterestsDecision | None]
    # The reason for the decision, and with a limit the places; encrypted as well.
    sealed_decision: Mapped[bytes | None] = mapped_column(sa.LargeBinary())
    decided_at: Mapped[dt.datetime | None]
    decided_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user.id"))
