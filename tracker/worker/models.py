"""Tables of the worker: its heartbeat, which any process can read, and its failures."""

import datetime as dt

import sqlalchemy as sa
from sqlalchemy.orm import Mapped, mapped_column

from tracker.core.db import Base


class Heartbeat(Base):
    """When a worker last finished a round, and when the last backup was made.

    Also until when the timestamps last that administrators were last told to renew.
    """

    __tablename__ = "heartbeat"

    name: Mapped[str] = mapped_column(sa.String(20), primary_key=True)
    at: Mapped[dt.datetime]


class JobFailure(Base):
    """An object on which a job of the worker failed: why, and when it is tried again."""

    __tablename__ = "job_failure"

    job: Mapped[str] = mapped_column(sa.String(40), primary_key=True)
    # Its id, or its ids.
    object: Mapped[str] = mapped_column(sa.String(80), primary_key=True)
    tries: Mapped[int]
    # The type of the error and where it was raised, never its message.
    error: Mapped[str] = mapped_column(sa.String(200))
    failed_at: Mapped[dt.datetime]
    next_try_at: Mapped[dt.datetime]
