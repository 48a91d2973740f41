"""Whether the database can be written, is the file in its folder, and has space left."""

import shutil
from pathlib import Path
from uuid import uuid4

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from tracker.core import clock
from tracker.core.db import FILE, db, identity_of, writing
from tracker.worker.models import Heartbeat

# Below this many bytes a database grows into its end within days.
LEAST_FREE = 200 * 1024 * 1024
REPLACED = "the file in the folder is another one"
NEARLY_FULL = "nearly full"
NOT_WRITABLE = "can't be written"


def look(*, tries_to_write: bool) -> str:
    """Return "well", or what is wrong with where the data is stored.

    A command tries to write. The health page doesn't: anybody can ask for it, and on SQLite each
    try would wait for other writers, and they for it. That the worker can write shows there in its
    heartbeat.
    """
    settings = current_app.extensions["settings"]
    if settings.database_file is not None and _is_replaced(settings.database_file):
        return REPLACED
    if shutil.disk_usage(settings.data_dir).free < LEAST_FREE:
        return NEARLY_FULL
    return "well" if not tries_to_write or _can_write() else NOT_WRITABLE


def _is_replaced(file: Path) -> bool:
    """Return whether another file has taken the place of the one in use, as by a restored copy."""
    in_use = db.session.connection().info.get(FILE)
    return in_use is not None and in_use != identity_of(file)


def _can_write() -> bool:
    """Try a write, which is rolled back; first end the transaction, which may have a lock."""
    db.session.rollback()
    try:
        with writing(), Session(db.engine) as session:
            row = {"name": uuid4().hex[:20], "at": clock.now()}
            session.execute(sa.insert(Heartbeat).values(row))
            session.rollback()
    except SQLAlchemyError:
        current_app.logger.warning("the database can't be written", exc_info=True)
        return False
    return True
