"""The worker's heartbeat table, so that any process can tell whether one is running."""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from tracker.core.db import Base


class Heartbeat(Base):
    """When a worker last finished a round."""

    __tablename__ = "heartbeat"

    name: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    at: Mapped[dt.datetime]
