"""Runs several actions at the same moment, each in its own transaction."""

import threading
import time
from collections.abc import Callable

import sqlalchemy as sa
from flask import Flask

from tracker.core.db import db


def _commit(act: Callable[[], object], failed: list[Exception]) -> None:
    """Act in a transaction of its own; whatever goes wrong is recorded for the test."""
    try:
        act()
        db.session.commit()
    except Exception as error:  # noqa: BLE001 -- the test looks at it
        failed.append(error)
        db.session.rollback()


def at_once(app: Flask, *acts: Callable[[], object]) -> list[Exception]:
    """Begin each action at the same moment; return what was refused.

    Any other error, such as a deadlock, is returned too.
    """
    start = threading.Barrier(len(acts))
    failed: list[Exception] = []

    def do(act: Callable[[], object]) -> None:
        with app.app_context():
            start.wait()
            _commit(act, failed)

    threads = [threading.Thread(target=do, args=(act,)) for act in acts]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return failed


# Whether a transaction waits for a lock that this one has.
_IS_WAITED_FOR = sa.text(
    "SELECT EXISTS (SELECT FROM pg_locks"
    " WHERE NOT granted AND pg_backend_pid() = ANY (pg_blocking_pids(pid)))"
)


def wait_until_waited_for(ended: threading.Event | None = None) -> None:
    """Wait until another transaction waits for a lock of this one, or has ended.

    Returns immediately on SQLite, which doesn't tell who waits.
    """
    if db.engine.dialect.name == "postgresql":
        while not ((ended and ended.is_set()) or db.session.scalar(_IS_WAITED_FOR)):
            time.sleep(0.01)


def before_commit(
    app: Flask, change: Callable[[], object], act: Callable[[], object]
) -> list[Exception]:
    """Begin an action between a change and its commit; return what was refused.

    On PostgreSQL the change is committed once the action waits for its locks, or has ended. SQLite
    lets one transaction write at a time and doesn't tell who waits: there it is committed once the
    action begins.
    """
    changed, begins, ended = threading.Event(), threading.Event(), threading.Event()
    failed: list[Exception] = []

    def act_meanwhile() -> None:
        with app.app_context():
            changed.wait()
            begins.set()
            try:
                _commit(act, failed)
            finally:
                ended.set()

    thread = threading.Thread(target=act_meanwhile)
    thread.start()
    with app.app_context():
        try:
            change()
            db.session.flush()
            changed.set()
            begins.wait()
            wait_until_waited_for(ended)
            db.session.commit()
        finally:
            changed.set()
            thread.join()
    return failed
