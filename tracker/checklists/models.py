"""Tables of checklists, answers by version, positions, proposals, flags and hints answered.

In one file: the tables of a checklist refer to each other.
"""

import datetime as dt
import enum
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column, relationship

from tracker.accounts.models import User
from tracker.checklist_templates.models import AnswerScope, ChecklistKind, ChecklistTemplate
from tracker.core import clock
from tracker.core.db import Base, Identified
from tracker.organisations.models import Organisation


class ChecklistState(enum.StrEnum):
    """The status of a checklist's draft; the revision in force is recorded separately."""

    DRAFTING = "drafting"
    SENT = "sent"
    IN_FORCE = "in_force"
    # Like IN_FORCE, but the revision that was in force is suspended, or ended by a notice.
    SUSPENDED = "suspended"
    ENDED = "ended"


class ReadingEnd(enum.StrEnum):
    """How an outside reader's access to a text ended."""

    READ = "read"
    TAKEN_BACK = "taken_back"
    RAN_OUT = "ran_out"
    # The text was frozen without them: a prior agreement on paper was recorded.
    FROZEN = "frozen"


class NoticeKind(enum.StrEnum):
    """How a party takes a text out of force, temporarily or for good."""

    SUSPENDED = "suspended"
    ENDED = "ended"


class CopySource(enum.StrEnum):
    """Where an answer is from that nobody wrote for this checklist."""

    CHECKLIST = "checklist"
    # The model text that comes with the product.
    PRODUCT = "product"
    # A model text that a body of the NPM keeps for itself.
    OWN = "own"


class Stance(enum.StrEnum):
    """A party's position on an answer."""

    ACCEPTS = "accepts"
    WANTS_CHANGE = "wants_change"
    WANTS_TALK = "wants_talk"


class TalkEnd(enum.StrEnum):
    """How a party's wish to discuss an answer ended (adr 112)."""

    # The party accepted the answer, and said what came of the discussion.
    SETTLED = "settled"
    # The party suggested a change instead.
    SUGGESTED = "suggested"
    # The answer was changed.
    CHANGED = "changed"


class ProposalState(enum.StrEnum):
    """The status of a proposal.

    Answered: another party replied with a proposal of its own. Outdated: the answer has since
    changed in another way.
    """

    OPEN = "open"
    ACCEPTED = "accepted"
    ANSWERED = "answered"
    TURNED_DOWN = "turned_down"
    WITHDRAWN = "withdrawn"
    OUTDATED = "outdated"


class MailReason(enum.StrEnum):
    """Why a party's people are mailed about a checklist, in the order of the mails."""

    FLAG_RAISED = "flag_raised"
    FLAG_ANSWERED = "flag_answered"
    SUGGESTION_MADE = "suggestion_made"
    SUGGESTION_ANSWERED = "suggestion_answered"
    DISCUSSION_WISHED = "discussion_wished"
    ITEM_REOPENED = "item_reopened"
    READY_TO_SEND = "ready_to_send"


class DraftKind(enum.StrEnum):
    """What a draft is of: a shared value, a party's own answer, or why an item is left out.

    A shared value becomes an answer, or a proposal if another party has accepted the answer.
    """

    SHARED = "shared"
    PARTY = "party"
    LEFT_OUT = "left_out"


class Checklist(Identified, Base):
    """A template being filled in, for a cooperation or for one visit of it."""

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
        sa.Index("ix_checklist_cooperation_id", "cooperation_id"),
        # Identifies the checklist a text belongs to.
        sa.Index("ix_checklist_in_force", "revision_in_force_id"),
        sa.Index("ix_checklist_sent", "revision_sent_id"),
        # Covers the query of My work.
        sa.Index(
            "ix_checklist_waiting",
            "cooperation_id",
            "state",
            "kind",
            "visit_id",
            "is_complete",
            "revision_sent_id",
            "started_at",
            "id",
            sqlite_where=sa.text("state IN ('drafting', 'sent')"),
            postgresql_where=sa.text("state IN ('drafting', 'sent')"),
        ),
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
    # The revision in force, and the pending one.
    revision_in_force_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("revision.id"))
    revision_sent_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("revision.id"))
    in_force_at: Mapped[dt.datetime | None] = mapped_column(index=True)
    # The revision that was in force until it was suspended or ended. Then none is in force, so that
    # whatever depends on it stops immediately. (Its row is never deleted: no foreign key.) The
    # columns keep the names under which events bind them (docs/adr/0057).
    stopped_by: Mapped[NoticeKind | None] = mapped_column("halt")
    stopped_id: Mapped[UUID | None] = mapped_column("halted_id")
    # Updated with each change, so that lists need not load the answers.
    done_count: Mapped[int] = mapped_column(default=0)
    total_count: Mapped[int] = mapped_column(default=0)
    is_complete: Mapped[bool] = mapped_column(default=False)
    # Whether nothing keeps the draft from being sent for signature; None: never worked out. Only
    # mail depends on it.
    is_ready_to_send: Mapped[bool | None]
    # The items of a cooperation's text in force that name somebody who can't act any more, by their
    # codes, for the same reason.
    misnamed_items: Mapped[str] = mapped_column(default="")
    # Whether any side has assigned items, so that other checklists need no query for them.
    has_assigned: Mapped[bool] = mapped_column(default=False)
    # Whether anybody answered a hint, for the same reason.
    has_hint_answers: Mapped[bool] = mapped_column(default=False)
    started_at: Mapped[dt.datetime]

    template: Mapped[ChecklistTemplate] = relationship(lazy="raise")
    parties: Mapped[list["ChecklistParty"]] = relationship(
        back_populates="checklist", order_by="ChecklistParty.position", lazy="raise"
    )
    # The open invitation of an outside second reader, if there is one.
    reading: Mapped["OutsideReading | None"] = relationship(
        primaryjoin="and_(OutsideReading.checklist_id == Checklist.id, "
        "OutsideReading.ended_at.is_(None))",
        viewonly=True,
        uselist=False,
        lazy="raise",
    )


class ChecklistParty(Base):
    """A party whose acceptance and signature a checklist needs."""

    __tablename__ = "checklist_party"
    __table_args__ = (
        sa.Index("ix_checklist_party_organisation", "organisation_id", "checklist_id"),
        # The indexes for My work.
        sa.Index(
            "ix_checklist_party_waits",
            "checklist_id",
            sqlite_where=sa.text("waiting_count > 0"),
            postgresql_where=sa.text("waiting_count > 0"),
        ),
        sa.Index(
            "ix_checklist_party_scan_waits",
            "organisation_id",
            "scan_waits_since",
            "checklist_id",
            sqlite_where=sa.text("scan_waits_since IS NOT NULL"),
            postgresql_where=sa.text("scan_waits_since IS NOT NULL"),
        ),
    )

    checklist_id: Mapped[UUID] = mapped_column(sa.ForeignKey("checklist.id"), primary_key=True)
    organisation_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("organisation.id"), primary_key=True
    )
    position: Mapped[int] = mapped_column(default=0)
    # How many positions are awaited from this party, kept up to date for lists.
    waiting_count: Mapped[int] = mapped_column(default=0)
    # How many copied answers this party has not read yet, for the same reason.
    unread_count: Mapped[int] = mapped_column(default=0)
    # How many of the other awaited items it only has to read and accept, for the same reason.
    to_accept_count: Mapped[int] = mapped_column(default=0)
    # Since when a scan of the pending text has been waiting to be confirmed, for the same reason.
    scan_waits_since: Mapped[dt.datetime | None]

    checklist: Mapped[Checklist] = relationship(back_populates="parties", lazy="raise")
    organisation: Mapped[Organisation] = relationship(lazy="raise")


class Notice(Identified, Base):
    """A party's notice that suspends or ends a text in force; kept as history (M20).

    It takes effect on its day. Closing it lifts a suspension, or withdraws a notice that has not
    taken effect; one that ended a text stays open. Everything else in the row never changes, and no
    row is deleted (the database refuses both).
    """

    __tablename__ = "notice"
    __table_args__ = (
        # The index for the worker's query.
        sa.Index(
            "ix_notice_announced",
            "from_on",
            sqlite_where=sa.text("taken_effect_at IS NULL AND closed_at IS NULL"),
            postgresql_where=sa.text("taken_effect_at IS NULL AND closed_at IS NULL"),
        ),
    )

    checklist_id: Mapped[UUID] = mapped_column(sa.ForeignKey("checklist.id"), index=True)
    revision_id: Mapped[UUID] = mapped_column(sa.ForeignKey("revision.id"))
    kind: Mapped[NoticeKind]
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    given_by_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    given_at: Mapped[dt.datetime]
    # The first day on which the text is not in force.
    from_on: Mapped[dt.date]
    # The days of notice agreed in M20 when it was given.
    notice_days: Mapped[int]
    reason: Mapped[str]
    taken_effect_at: Mapped[dt.datetime | None]
    closed_at: Mapped[dt.datetime | None]
    closed_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user.id"))
    closed_reason: Mapped[str] = mapped_column(default="")

    organisation: Mapped[Organisation] = relationship(lazy="raise")
    given_by: Mapped[User] = relationship(foreign_keys=[given_by_id], lazy="raise")

    @property
    def has_come(self) -> bool:
        """Whether it stops its text today: from its day on, also before the worker applies it."""
        return self.taken_effect_at is not None or self.from_on <= clock.today()

    def content(self) -> dict[str, Any]:
        """Return what the trail binds: what was given, not what followed (events tell that)."""
        return {
            "id": str(self.id),
            "checklist": str(self.checklist_id),
            "revision": str(self.revision_id),
            "kind": self.kind.value,
            "organisation": str(self.organisation_id),
            "given_by": str(self.given_by_id),
            "given_at": self.given_at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
            "from_on": self.from_on.isoformat(),
            "notice_days": self.notice_days,
            "reason": self.reason,
        }


class Renewal(Identified, Base):
    """A further term of a text in force, by the rule its parties chose (M19).

    Never changed, never deleted (the database refuses both).
    """

    __tablename__ = "renewal"
    __table_args__ = (sa.UniqueConstraint("revision_id", "number"),)

    checklist_id: Mapped[UUID] = mapped_column(sa.ForeignKey("checklist.id"), index=True)
    revision_id: Mapped[UUID] = mapped_column(sa.ForeignKey("revision.id"))
    number: Mapped[int]
    # The first and the last day of the new term, and the review day in the text, which a renewal
    # leaves as it is. (Up to version 0062 it was moved by the length of the term.)
    from_on: Mapped[dt.date]
    until_on: Mapped[dt.date]
    review_on: Mapped[dt.date | None]
    renewed_at: Mapped[dt.datetime]

    def content(self) -> dict[str, Any]:
        """Return what the trail binds: all of it."""
        return {
            "id": str(self.id),
            "checklist": str(self.checklist_id),
            "revision": str(self.revision_id),
            "number": self.number,
            "from_on": self.from_on.isoformat(),
            "until_on": self.until_on.isoformat(),
            "review_on": self.review_on.isoformat() if self.review_on else None,
            "renewed_at": self.renewed_at.astimezone(dt.UTC).isoformat(timespec="microseconds"),
        }


class Answer(Identified, Base):
    """One version of the answer to an item.

    Versions are kept; the newest is current.
    """

    __tablename__ = "answer"
    __table_args__ = (
        sa.UniqueConstraint("checklist_id", "item", "owner_id", "version"),
        sa.Index("ix_answer_checklist_current", "checklist_id", "is_current"),
    )

    checklist_id: Mapped[UUID] = mapped_column(sa.ForeignKey("checklist.id"))
    item: Mapped[str] = mapped_column(sa.String(10))
    scope: Mapped[AnswerScope]
    # The owner: the checklist itself for a shared answer, else the organisation or the person.
    owner_id: Mapped[UUID]
    version: Mapped[int]
    is_current: Mapped[bool] = mapped_column(default=True)
    # field key -> value. Plain for class K8; for class K2 to K7 None, and encrypted in sealed.
    values: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    sealed: Mapped[bytes | None] = mapped_column(sa.LargeBinary())
    not_applicable: Mapped[bool] = mapped_column(default=False)
    # Whether it is an unchanged model answer, or was transcribed from an agreement on paper:
    # whoever saved it is not an author of the text, and may be its second reader.
    taken_over: Mapped[bool] = mapped_column(default=False, server_default=sa.false())
    author_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    saved_at: Mapped[dt.datetime]

    author: Mapped[User] = relationship(lazy="raise")
    organisation: Mapped[Organisation] = relationship(lazy="raise")


class CopiedAnswer(Base):
    """A version of an answer from another checklist (adr 22) or a model text (adr 93).

    Until somebody from a party has read it, that party doesn't agree to it.
    """

    __tablename__ = "copied_answer"
    __table_args__ = (
        sa.CheckConstraint(
            "(source = 'checklist') = (source_checklist_id IS NOT NULL)"
            " AND (source_checklist_id IS NULL) = (source_answer_id IS NULL)",
            name="source",
        ),
    )

    answer_id: Mapped[UUID] = mapped_column(sa.ForeignKey("answer.id"), primary_key=True)
    checklist_id: Mapped[UUID] = mapped_column(sa.ForeignKey("checklist.id"), index=True)
    source: Mapped[CopySource] = mapped_column(
        default=CopySource.CHECKLIST, server_default=CopySource.CHECKLIST.value
    )
    # Of a copy from another checklist: the version it was copied from, and that version's owner.
    source_answer_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("answer.id"))
    source_checklist_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("checklist.id"))
    # Whether its words were changed here before every party had read it (adr 93).
    is_rewritten: Mapped[bool] = mapped_column(default=False, server_default=sa.false())


class CopyReading(Base):
    """The first person of a party who has read a copied answer for the party."""

    __tablename__ = "copy_reading"

    answer_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("copied_answer.answer_id"), primary_key=True
    )
    organisation_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("organisation.id"), primary_key=True
    )
    reader_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    read_at: Mapped[dt.datetime]

    reader: Mapped[User] = relationship(lazy="raise")
    organisation: Mapped[Organisation] = relationship(lazy="raise")


class Position(Identified, Base):
    """A party's position on one version of a shared answer; the newest per party is current.

    In an item with a row for each party, the newest per party on each part of the answer.
    """

    __tablename__ = "position"
    __table_args__ = (
        sa.Index("ix_position_checklist_current", "checklist_id", "is_current"),
        # The index for what a checklist's page shows of discussions that ended.
        sa.Index(
            "ix_position_talk_ended",
            "checklist_id",
            sqlite_where=sa.text("ended_as IS NOT NULL"),
            postgresql_where=sa.text("ended_as IS NOT NULL"),
        ),
    )

    checklist_id: Mapped[UUID] = mapped_column(sa.ForeignKey("checklist.id"))
    item: Mapped[str] = mapped_column(sa.String(10))
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    answer_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("answer.id"))
    # The part of the answer: the party whose row it is, or the checklist for what is in no row
    # (rules.party_rows). None: all of it.
    part_id: Mapped[UUID | None]
    stance: Mapped[Stance]
    reason: Mapped[str | None]
    sealed_reason: Mapped[bytes | None] = mapped_column(sa.LargeBinary())
    is_current: Mapped[bool] = mapped_column(default=True)
    author_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    taken_at: Mapped[dt.datetime]
    # Of a wish to discuss that has ended: how and when, who of the party ended it, and what came of
    # it, in a sentence stored like the reason. None if the answer was changed, and for those that
    # ended before outcomes were asked for.
    ended_as: Mapped[TalkEnd | None]
    ended_at: Mapped[dt.datetime | None]
    ended_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user.id"))
    outcome: Mapped[str | None]
    sealed_outcome: Mapped[bytes | None] = mapped_column(sa.LargeBinary())

    author: Mapped[User] = relationship(foreign_keys=[author_id], lazy="raise")
    ended_by: Mapped[User | None] = relationship(foreign_keys=[ended_by_id], lazy="raise")


class Proposal(Identified, Base):
    """A change to an item proposed by a party, with the reason (product.md, 4.1)."""

    __tablename__ = "proposal"
    __table_args__ = (sa.Index("ix_proposal_checklist_state", "checklist_id", "state"),)

    checklist_id: Mapped[UUID] = mapped_column(sa.ForeignKey("checklist.id"))
    item: Mapped[str] = mapped_column(sa.String(10))
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    # The version it wants to change, and the proposal it replies to.
    answer_id: Mapped[UUID] = mapped_column(sa.ForeignKey("answer.id"))
    # The parts of the answer that it changes, as in Position.part_id. None: all of it.
    part_ids: Mapped[list[str] | None] = mapped_column(sa.JSON(none_as_null=True))
    replies_to_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("proposal.id"))
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
    # Why it was declined.
    ended_reason: Mapped[str | None]
    sealed_ended_reason: Mapped[bytes | None] = mapped_column(sa.LargeBinary())

    author: Mapped[User] = relationship(foreign_keys=[author_id], lazy="raise")
    organisation: Mapped[Organisation] = relationship(foreign_keys=[organisation_id], lazy="raise")
    ended_by: Mapped[User | None] = relationship(foreign_keys=[ended_by_id], lazy="raise")
    ended_for: Mapped[Organisation | None] = relationship(foreign_keys=[ended_for_id], lazy="raise")


class Assignment(Identified, Base):
    """An item assigned to a person by their own side; only that side sees it (adr 20).

    It says who is responsible, not that something is left to do: that is derived from the item.
    """

    __tablename__ = "assignment"
    __table_args__ = (
        sa.UniqueConstraint("checklist_id", "organisation_id", "item"),
        # The index for the worker's query.
        sa.Index(
            "ix_assignment_not_reminded",
            "due_on",
            sqlite_where=sa.text("reminded_on IS NULL"),
            postgresql_where=sa.text("reminded_on IS NULL"),
        ),
        # In the order of My work.
        sa.Index(
            "ix_assignment_organisation",
            "organisation_id",
            "is_left",
            "due_on",
            "assigned_at",
            "id",
        ),
        sa.Index("ix_assignment_assignee", "assignee_id", "is_left", "due_on", "assigned_at", "id"),
    )

    checklist_id: Mapped[UUID] = mapped_column(sa.ForeignKey("checklist.id"))
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    item: Mapped[str] = mapped_column(sa.String(10))
    assignee_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    assigned_by_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    assigned_at: Mapped[dt.datetime]
    due_on: Mapped[dt.date | None]
    # Whether the side has something left to do; recomputed with each change.
    is_left: Mapped[bool | None]
    # The day on which it was checked after it became due; people with something left were reminded.
    reminded_on: Mapped[dt.date | None]

    assignee: Mapped[User] = relationship(foreign_keys=[assignee_id], lazy="raise")


class PendingMail(Identified, Base):
    """Something that happened on a checklist, of which a party's people are yet to be mailed.

    The worker mails all of it together once it is quiet there, and deletes the rows (adr 103).
    """

    __tablename__ = "pending_mail"
    __table_args__ = (
        # The index for the worker's query.
        sa.Index("ix_pending_mail_at", "at", "checklist_id", "organisation_id"),
        sa.Index("ix_pending_mail_checklist", "checklist_id", "organisation_id"),
    )

    checklist_id: Mapped[UUID] = mapped_column(sa.ForeignKey("checklist.id"))
    # The party whose people are mailed.
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    reason: Mapped[MailReason]
    # Empty if it is about the whole checklist.
    item: Mapped[str] = mapped_column(sa.String(10), default="")
    # Who did it, and needs no mail; None: nobody in particular.
    actor_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user.id"))
    at: Mapped[dt.datetime]


class Flag(Identified, Base):
    """A flag on a term that may limit the NPM (S6, S7); open ones block gate G3.

    It is raised by a party's reviewer, by the outside second reader for the NPM that asked them, or
    by a rule of the template, which has no author and no organisation.
    """

    __tablename__ = "flag"
    __table_args__ = (
        sa.CheckConstraint(
            "(rule IS NULL) = (author_id IS NOT NULL AND organisation_id IS NOT NULL)",
            name="who_raised_it",
        ),
        # The index for My work.
        sa.Index(
            "ix_flag_open",
            "checklist_id",
            sqlite_where=sa.text("closed_at IS NULL"),
            postgresql_where=sa.text("closed_at IS NULL"),
        ),
    )

    checklist_id: Mapped[UUID] = mapped_column(sa.ForeignKey("checklist.id"), index=True)
    item: Mapped[str] = mapped_column(sa.String(10))
    organisation_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("organisation.id"))
    author_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user.id"))
    is_outside: Mapped[bool] = mapped_column(default=False)
    # For a rule: its key, the powers of the NPM it protects, and the passage it is based on.
    rule: Mapped[str | None] = mapped_column(sa.String(40))
    powers: Mapped[list[str] | None] = mapped_column(sa.JSON(none_as_null=True))
    passage: Mapped[str | None] = mapped_column(sa.String(200))
    # The digest of what the flag is about, erased once that changes, so that no explanation
    # outlives it. It has two meanings, told apart by "rule":
    # - set, the flag is by a rule, and this is the digest of the term that the rule matched;
    # - NULL, the flag is a reviewer's, and this is the digest of the party's row that it is about
    #   (safeguards.flagged_row), or NULL if it is about the whole answer.
    # It stays one column: events bind each row with its columns' names, so a value that a migration
    # moved to another column would be named by the audit as altered.
    matched: Mapped[str | None] = mapped_column(sa.String(64))
    reason: Mapped[str]
    # On a visit's checklist (K2) these are empty, the digest is keyed, and the rest is encrypted
    # here, as is the explanation below: checklists.encryption puts and reads them.
    sealed_reason: Mapped[bytes | None] = mapped_column(sa.LargeBinary())
    raised_at: Mapped[dt.datetime]
    closed_at: Mapped[dt.datetime | None]
    closed_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user.id"))
    # Empty if the term was changed.
    explanation: Mapped[str] = mapped_column(default="")
    sealed_explanation: Mapped[bytes | None] = mapped_column(sa.LargeBinary())

    author: Mapped[User | None] = relationship(foreign_keys=[author_id], lazy="raise")
    organisation: Mapped[Organisation | None] = relationship(lazy="raise")
    closed_by: Mapped[User | None] = relationship(foreign_keys=[closed_by_id], lazy="raise")

    @property
    def is_explained(self) -> bool:
        """Whether it was closed by an explanation, and not because the term was changed."""
        return bool(self.explanation) or self.sealed_explanation is not None


class HintAnswer(Identified, Base):
    """Somebody's answer to whether a phrase limits the NPM.

    It applies only to the exact sentences containing the phrase (S6, S7); the newest counts. Never
    changed, never deleted.
    """

    __tablename__ = "hint_answer"
    __table_args__ = (
        sa.CheckConstraint("limits = (flag_id IS NOT NULL)", name="flagged_if_it_limits"),
    )

    checklist_id: Mapped[UUID] = mapped_column(sa.ForeignKey("checklist.id"), index=True)
    item: Mapped[str] = mapped_column(sa.String(10))
    # The answer's owner, as for the answer itself.
    scope: Mapped[AnswerScope]
    owner_id: Mapped[UUID]
    # The kind of phrase, its language, and the digest of the sentences it is in; on a visit's
    # checklist (K2) one keyed digest of the three.
    language: Mapped[str] = mapped_column(sa.String(10))
    phrase: Mapped[str] = mapped_column(sa.String(40))
    matched: Mapped[str] = mapped_column(sa.String(64))
    # Whether it limits the NPM; then the term was flagged.
    limits: Mapped[bool]
    flag_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("flag.id"))
    reason: Mapped[str] = mapped_column(default="")
    sealed_reason: Mapped[bytes | None] = mapped_column(sa.LargeBinary())
    # Whether the second reader says so, or the side that wrote the words.
    as_reader: Mapped[bool]
    author_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    answered_at: Mapped[dt.datetime]

    author: Mapped[User] = relationship(lazy="raise")
    organisation: Mapped[Organisation] = relationship(lazy="raise")


class SafeguardReview(Identified, Base):
    """The second reader's review of the terms (stage P2); void once what they show changes."""

    __tablename__ = "safeguard_review"

    checklist_id: Mapped[UUID] = mapped_column(sa.ForeignKey("checklist.id"), index=True)
    reader_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    reviewed_at: Mapped[dt.datetime]
    is_void: Mapped[bool] = mapped_column(default=False)
    # Why the NPM's head, who wrote answers too, read it alone; printed on the frozen text.
    alone_because: Mapped[str | None]
    # The invitation of an outside reader who read it; printed as well.
    reading_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("outside_reading.id"))

    reader: Mapped[User] = relationship(lazy="raise")
    reading: Mapped["OutsideReading | None"] = relationship(lazy="raise")


def _while_open(name: str, column: str, *, unique: bool = False) -> sa.Index:
    is_open = sa.text("ended_at IS NULL")
    return sa.Index(name, column, unique=unique, sqlite_where=is_open, postgresql_where=is_open)


class OutsideReading(Identified, Base):
    """An outside second reader: somebody of no party whom the NPM asked to read one text.

    It gives them access to the text until they have confirmed, the last day has passed, the
    invitation is withdrawn, or the text is frozen without them.
    """

    __tablename__ = "outside_reading"
    __table_args__ = (
        _while_open("uq_outside_reading_open", "checklist_id", unique=True),
        sa.Index("ix_outside_reading_reader", "reader_id"),
        _while_open("ix_outside_reading_email", "email"),
        _while_open("ix_outside_reading_until", "until_on"),
    )

    checklist_id: Mapped[UUID] = mapped_column(sa.ForeignKey("checklist.id"))
    # The NPM that asked them.
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    # Their name, and their organisation or function as text; printed on the frozen text.
    name: Mapped[str] = mapped_column(sa.String(200))
    function: Mapped[str] = mapped_column(sa.String(200))
    email: Mapped[str] = mapped_column(sa.String(255))
    # Why the NPM has nobody else; printed as well.
    reason: Mapped[str]
    # The last day, inclusive.
    until_on: Mapped[dt.date]
    asked_by_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    asked_at: Mapped[dt.datetime]
    # Their account; None until they accept.
    reader_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user.id"))
    ended_at: Mapped[dt.datetime | None]
    end: Mapped[ReadingEnd | None]

    checklist: Mapped[Checklist] = relationship(lazy="raise")


class ModelAnswer(Identified, Base):
    """An answer that an organisation saves for itself as a template; nobody else sees it.

    It names no person and no party, and is taken from class K8 only.
    """

    __tablename__ = "model_answer"
    __table_args__ = (
        sa.UniqueConstraint(
            "organisation_id", "kind", "item", "scope", "title", name="uq_model_answer_title"
        ),
        sa.CheckConstraint("kind <> 'visit_roles' AND scope <> 'person'", name="of_class_k8"),
    )

    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    kind: Mapped[ChecklistKind]
    item: Mapped[str] = mapped_column(sa.String(10))
    scope: Mapped[AnswerScope]
    title: Mapped[str] = mapped_column(sa.String(200))
    note: Mapped[str] = mapped_column(default="")
    values: Mapped[dict[str, Any]]
    # Incremented with each change, so that one save can't silently overwrite another.
    version: Mapped[int] = mapped_column(default=1)
    author_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    changed_at: Mapped[dt.datetime]

    author: Mapped[User] = relationship(lazy="raise")


class OwnModelText(Identified, Base):
    """A text that a body of the NPM keeps from a signed one to begin others with (adr 96).

    It names no people, no dates and no partners. Nothing of it is agreed where it is used until
    each party has read it. One that is retired has no content any more.
    """

    __tablename__ = "own_model_text"
    __table_args__ = (
        sa.CheckConstraint('"values" IS NULL OR sealed IS NULL', name="in_one_form"),
        sa.CheckConstraint(
            'retired_at IS NULL OR ("values" IS NULL AND sealed IS NULL)', name="retired_is_empty"
        ),
        sa.CheckConstraint(
            "(retired_at IS NULL) = (retired_by_id IS NULL)", name="retired_by_somebody"
        ),
        sa.Index("ix_own_model_text_organisation", "organisation_id", "kind", "kept_at"),
    )

    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    kind: Mapped[ChecklistKind]
    # The signed text it was kept from.
    cooperation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("cooperation.id"))
    checklist_id: Mapped[UUID] = mapped_column(sa.ForeignKey("checklist.id"))
    revision_number: Mapped[int]
    template_version: Mapped[int]
    item_count: Mapped[int]
    # item -> field -> value. Plain if kept from class K8; from a visit's checklist (K2) encrypted
    # with the key of the cooperation it was kept from, so that it is erased with that.
    values: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    sealed: Mapped[bytes | None] = mapped_column(sa.LargeBinary())
    is_of_visit: Mapped[bool]
    kept_by_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    kept_at: Mapped[dt.datetime]
    retired_at: Mapped[dt.datetime | None]
    retired_by_id: Mapped[UUID | None] = mapped_column(sa.ForeignKey("user.id"))

    kept_by: Mapped[User] = relationship(foreign_keys=[kept_by_id], lazy="raise")


class ModelTextRevision(Identified, Base):
    """An administrator's model text of an item in a language, not the product's (adr 114).

    Revisions are never changed, except that another one becomes the current one.
    """

    __tablename__ = "model_text_revision"
    __table_args__ = (
        sa.UniqueConstraint("kind", "language", "item", "number"),
        sa.Index(
            "uq_model_text_revision_current",
            "kind",
            "language",
            "item",
            unique=True,
            sqlite_where=sa.text("is_current"),
            postgresql_where=sa.text("is_current"),
        ),
    )

    kind: Mapped[ChecklistKind]
    language: Mapped[str] = mapped_column(sa.String(10))
    item: Mapped[str] = mapped_column(sa.String(10))
    number: Mapped[int]
    is_current: Mapped[bool]
    # field -> its text, as in a file (model_texts/schema.py). None: the product's own, again.
    content: Mapped[dict[str, Any] | None] = mapped_column(sa.JSON(none_as_null=True))
    digest: Mapped[str] = mapped_column(sa.String(64))
    # The digest of the product's text that it took the place of: an update may bring another one.
    product_digest: Mapped[str] = mapped_column(sa.String(64))
    reason: Mapped[str]
    author: Mapped[str]
    published_at: Mapped[dt.datetime]


class Draft(Identified, Base):
    """A person's unsaved text on an item, visible only to them (product.md, 4.7).

    A row without content was saved or discarded. It keeps its number, so that anything a page sent
    earlier and that arrives late does not restore it.
    """

    __tablename__ = "draft"
    __table_args__ = (
        sa.UniqueConstraint(
            "user_id", "checklist_id", "item", "kind", "organisation_id", name="uq_draft_whose"
        ),
        sa.Index("ix_draft_kept_at", "kept_at"),
        # The index for My work.
        sa.Index(
            "ix_draft_begun",
            "user_id",
            "organisation_id",
            "kept_at",
            sqlite_where=sa.text("sealed IS NOT NULL"),
            postgresql_where=sa.text("sealed IS NOT NULL"),
        ),
    )

    checklist_id: Mapped[UUID] = mapped_column(sa.ForeignKey("checklist.id"))
    item: Mapped[str] = mapped_column(sa.String(10))
    kind: Mapped[DraftKind]
    # The owner, and the organisation they were acting for.
    user_id: Mapped[UUID] = mapped_column(sa.ForeignKey("user.id"))
    organisation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("organisation.id"))
    # The version of the answer when the draft was begun (0: none).
    base_version: Mapped[int]
    # Increases with each text that a page sends.
    number: Mapped[int] = mapped_column(sa.BigInteger())
    # The fields of the form as typed, encrypted with the cooperation's key whatever their class.
    sealed: Mapped[bytes | None] = mapped_column(sa.LargeBinary())
    kept_at: Mapped[dt.datetime]
