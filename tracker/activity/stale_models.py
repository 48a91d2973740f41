"""Table of the derived values that are stale and yet to be recomputed by the worker."""

from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from tracker.core.db import Base, Identified


class DueRecomputation(Identified, Base):
    """A derived value that a job of the worker made stale and that is yet to be recomputed."""

    __tablename__ = "due_recomputation"
    __table_args__ = (sa.Index("ix_due_recomputation_object", "object_id", "kind"),)

    kind: Mapped[str] = mapped_column(sa.String(20))
    object_id: Mapped[UUID]
