"""Data directories that are built once per run, and fresh copies of them for each test."""

import pickle
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from contextvars import copy_context
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Generic, TypeVar, cast

import sqlalchemy as sa
from flask import Flask
from itsdangerous import TimestampSigner

from tests import open_sessions
from tests.servers.application import Application
from tests.starting_points import lock, run_folder
from tracker import create_app
from tracker.accounts.models import User
from tracker.core import clock
from tracker.core.db import db
from tracker.core.security import SessionInterface
from tracker.mail import transport
from tracker.settings import Settings
from tracker.worker import jobs, prepare

Value = TypeVar("Value")

DATABASE = "tracker.sqlite3"


@dataclass(frozen=True)
class StartingPoint(Generic[Value]):
    """A data directory, built by the first worker of the run that needs it.

    build fills a folder, which is a copy of another starting point's data directory if on names
    one, and returns what tests need to know about it: plain values, since they are pickled.
    """

    name: str
    build: Callable[[Path], Value]
    on: "StartingPoint[Any] | None" = None

    @property
    def data_dir(self) -> Path:
        """The data directory, of which tests use copies."""
        return self._built() / "data"

    @property
    def first(self) -> "StartingPoint[Any]":
        """The starting point that this one began from; all that began from it share its keys."""
        return self if self.on is None else self.on.first

    @property
    def value(self) -> Value:
        """What build returned."""
        # Written only by tests, in a folder that nobody else may enter.
        return cast("Value", pickle.loads((self._built() / "value").read_bytes()))  # noqa: S301

    def _built(self) -> Path:
        folder = run_folder() / "instances" / self.name
        folder.parent.mkdir(exist_ok=True)
        with lock(folder):
            if not folder.exists():
                self._build(folder.with_name(f"{self.name}-unfinished"))
                folder.with_name(f"{self.name}-unfinished").rename(folder)
        return folder

    def _build(self, folder: Path) -> None:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        if self.on is not None:
            shutil.copytree(self.on.data_dir, folder / "data")
        # In a separate thread: in the test's, Playwright runs an event loop, and signing a PDF
        # another.
        with ThreadPoolExecutor(1) as thread:
            value = thread.submit(copy_context().run, self.build, folder / "data").result()
        beside = [file.name for file in (folder / "data").glob(f"{DATABASE}-*")]
        assert beside == [], "somebody still has the database open"
        (folder / "value").write_bytes(pickle.dumps(value))


def put_under(application: Application, data_dir: Path) -> None:
    """Put a running application on a fresh copy of a data directory with the same keys.

    The server and the worker keep their connections: to them it looks as if somebody had changed
    all rows in one transaction. Keys stay, as no test changes them.
    """
    application.wait_until_idle()
    source, target = data_dir / DATABASE, application.data_dir / DATABASE
    # Nobody writes to the stored copy. Otherwise SQLite creates files beside it while it is read,
    # which may be gone when another worker copies the folder.
    kept_as_it_is = f"{source.as_uri()}?immutable=1"
    with (
        closing(sqlite3.connect(kept_as_it_is, uri=True)) as saved,
        closing(sqlite3.connect(target)) as live,
    ):
        live.execute("PRAGMA synchronous=OFF")
        # Waits while the worker writes.
        saved.backup(live)
    mail = application.data_dir / "mail"
    shutil.rmtree(mail, ignore_errors=True)
    if (data_dir / "mail").exists():
        shutil.copytree(data_dir / "mail", mail)


@contextmanager
def opened(data_dir: Path) -> Iterator[Flask]:
    """Open an instance in this process, in an application context."""
    environment = {"TRACKER_DATA_DIR": str(data_dir)}
    app = create_app(replace(Settings.from_environment(environment), testing=True))
    with app.app_context():
        try:
            yield app
        finally:
            db.session.remove()
            db.engine.dispose()


def settle(app: Flask) -> None:
    """Do what the worker would do next, so that it has nothing left to do."""
    settings: Settings = app.extensions["settings"]
    jobs.run_once(transport.from_url(settings.mail_url), with_dates=True)


def _prepare(data_dir: Path) -> None:
    with opened(data_dir) as app:
        prepare.prepare(app.extensions["settings"], lambda _line: None)
        settle(app)


# What the first start creates in an empty data directory.
PREPARED = StartingPoint("prepared", _prepare)


class _Signer(TimestampSigner):
    """Signs cookies with the time that the application sees."""

    def get_timestamp(self) -> int:
        return int(clock.now().timestamp())


def signed_in(app: Flask, mark: str) -> dict[str, Any]:
    """Return the cookies of a person who has just signed in, by the id that sessions use."""
    with app.app_context():
        user_id = db.session.scalars(sa.select(User.id).where(User.fs_uniquifier == mark)).one()
        cookie_content = open_sessions.cookie_of(app, user_id, mark)
        db.session.remove()
    signer = SessionInterface().get_signing_serializer(app)
    assert signer is not None
    signer.signer = _Signer
    cookie = {
        "name": app.config["SESSION_COOKIE_NAME"],
        "value": signer.dumps(cookie_content),
        "domain": "localhost",
        "path": "/",
        "expires": -1,
        "httpOnly": True,
        "secure": False,
        "sameSite": "Lax",
    }
    return {"cookies": [cookie], "origins": []}
