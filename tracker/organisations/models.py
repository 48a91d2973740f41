"""Organisations: NPMs, civil society organisations and other bodies."""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from tracker.access.actor import OrganisationKind
from tracker.core.db import Base, Identified


class Organisation(Identified, Base):
    """A body that can be a party of a cooperation, or audit one."""

    __tablename__ = "organisation"

    kind: Mapped[OrganisationKind]
    name: Mapped[str] = mapped_column(sa.Text(), unique=True)
    short_name: Mapped[str] = mapped_column(sa.String(60))
    mark: Mapped[str] = mapped_column(sa.String(3))
    country: Mapped[str] = mapped_column(sa.String(80), default="")
    languages: Mapped[list[str]] = mapped_column(default=list)
    mandate: Mapped[str] = mapped_column(default="")
    contact: Mapped[str] = mapped_column(default="")
    # Of a CSO (S62 to S72): several types, "other" in free text, and what the type does not tell.
    types: Mapped[list[str]] = mapped_column(default=list)
    other_type: Mapped[str] = mapped_column(default="")
    expertise: Mapped[str] = mapped_column(default="")
    litigates: Mapped[bool] = mapped_column(default=False)
    represents_persons: Mapped[bool] = mapped_column(default=False)
    represents_staff: Mapped[bool] = mapped_column(default=False)
    is_demonstration: Mapped[bool] = mapped_column(default=False)
    created_at: Mapped[dt.datetime]
    # Counts the changes, so that a later save can't overwrite an earlier one unseen.
    version: Mapped[int] = mapped_column(default=1)
