"""The table of the register's entries, which find, order and count agreements."""

import datetime as dt
import enum
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from tracker.core.db import Base


class EntryState(enum.StrEnum):
    """The status of an agreement, apart from what follows from dates."""

    DRAFTING = "drafting"
    DECLINED = "declined"
    SENT = "sent"
    IN_FORCE = "in_force"
    SUSPENDED = "suspended"
    ENDED = "ended"


class RegisterEntry(Base):
    """An agreement in one organisation's register, for filtering and ordering.

    Recomputed with each event that changes it (adr 53), and no evidence: what the register shows is
    read from the agreement itself and compared with its signatures and events.
    """

    __tablename__ = "register_entry"
    __table_args__ = (
        # In the order of the register, with all columns it is filtered by.
        sa.Index(
            "ix_register_entry_order",
            "organisation_id",
            "newest_first",
            "visit_number",
            "kind_place",
            "checklist_id",
            "state",
            "is_sent",
            "is_overridden",
            "is_flagged",
            "from_on",
            "until_on",
            "review_on",
            "suspends_on",
            "signed_until",
            "left_on",
            "is_of_npm",
            "cooperation_id",
        ),
        # In the order of the groups that are counted, so that counting needs no sorting.
        sa.Index(
            "ix_register_entry_counts",
            "organisation_id",
            "state",
            "is_sent",
            "is_overridden",
            "is_flagged",
            "from_on",
            "until_on",
            "review_on",
            "suspends_on",
            "signed_until",
            "left_on",
            "is_of_npm",
            "cooperation_id",
            "sent_on",
        ),
    )

    organisation_id: Mapped[UUID] = mapped_column(
        sa.ForeignKey("organisation.id"), primary_key=True
    )
    checklist_id: Mapped[UUID] = mapped_column(sa.ForeignKey("checklist.id"), primary_key=True)
    cooperation_id: Mapped[UUID] = mapped_column(sa.ForeignKey("cooperation.id"), index=True)
    # When the organisation's membership in the cooperation ends.
    is_of_npm: Mapped[bool]
    left_on: Mapped[dt.date | None]
    # Year and number of the reference, negative: an index has the same direction in all columns.
    newest_first: Mapped[int] = mapped_column(sa.BigInteger())
    # 0 if it belongs to no visit.
    visit_number: Mapped[int]
    kind_place: Mapped[int]
    state: Mapped[EntryState]
    is_sent: Mapped[bool]
    is_overridden: Mapped[bool]
    # Whether a flag on it is open; never for a visit's text, whose answers are planning (K2).
    is_flagged: Mapped[bool]
    # Since when it waits for signatures; not for a visit's text, of which no days are shown.
    sent_on: Mapped[dt.date | None]
    # The first day that the text names (M19); without one it is in force once all have signed.
    from_on: Mapped[dt.date | None]
    # The last day by the text, by a notice that ends it, or by the agreed terms beside it.
    until_on: Mapped[dt.date | None]
    review_on: Mapped[dt.date | None]
    # The first day of a suspension by a notice that hasn't been applied yet, if there is one.
    suspends_on: Mapped[dt.date | None]
    # The last day on which the text that waits for signatures can be signed.
    signed_until: Mapped[dt.date | None]
