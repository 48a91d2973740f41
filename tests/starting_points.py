"""Starting points of tests: databases built once per run and copied by each test."""

import datetime as dt
import fcntl
import hashlib
import os
import pickle
import shutil
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from pathlib import Path
from typing import TypeVar, cast

from flask import Flask, has_app_context
from sqlalchemy import event
from sqlalchemy.engine import Engine

from tests.databases import Database
from tests.moments import RunningFrom, using
from tracker.app import services_of
from tracker.core import clock, keys
from tracker.core.db import db
from tracker.core.services import give
from tracker.settings import Settings

Value = TypeVar("Value")

# Names the folder that everything in a run shares: its workers, and the steps of make test.
RUN_FOLDER = "TRACKER_TEST_RUN_FOLDER"
# The file in it that contains the moment at which each test begins.
START = "start"
EMPTY = "empty"
_EXTENSION = "starting_points"
_WRITING = ("INSERT", "UPDATE", "DELETE")
# No test may run into the end of a day unless it is about that.
_LATEST = dt.time(23, 40)
_ALL: "list[StartingPoints]" = []


def begin_run() -> Path | None:
    """Create the folder of a run and name it in the environment, unless a run has already begun.

    Return the folder if it was created here: whoever created it deletes it at the end.
    """
    begins = not os.environ.get(RUN_FOLDER)
    if begins:
        os.environ[RUN_FOLDER] = tempfile.mkdtemp(prefix="tracker-tests-")
    folder = run_folder()
    return folder if begins else None


@cache
def run_folder() -> Path:
    """Return the folder of the run, also after a test has changed the environment."""
    return Path(os.environ[RUN_FOLDER])


@cache
def start_of_run() -> dt.datetime:
    """Return the moment, in UTC, at which each test begins: when the first one of the run began.

    So a test always runs on the day on which its starting point was built. Who began the run may
    have written another moment (tests/other_days.py).
    """
    file = run_folder() / START
    with lock(file):
        if not file.exists():
            now = dt.datetime.now(dt.UTC)
            latest = dt.datetime.combine(now.date(), _LATEST, dt.UTC)
            file.write_text(min(now, latest).isoformat())
        return dt.datetime.fromisoformat(file.read_text())


def noon_in(days: int) -> dt.datetime:
    """Return noon, in UTC, this many days after the run began."""
    day = start_of_run().date() + dt.timedelta(days=days)
    return dt.datetime.combine(day, dt.time(12), dt.UTC)


def shared_keys() -> Path:
    """Return a folder with the keys of the instance that all tests of the run share."""
    folder = run_folder() / "keys"
    with lock(folder):
        keys.load(folder, may_make=True)
    return folder


@contextmanager
def lock(path: Path) -> Iterator[None]:
    """Keep other workers of the run out for the block."""
    with path.with_name(f".{path.name}.lock").open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


@dataclass(frozen=True)
class StartingPoints:
    """The starting points of one kind of database, for the application of this worker."""

    app: Flask
    database: Database
    settings: Settings
    folder: Path

    writes: list[str] = field(default_factory=list)
    """The first statement that wrote something since the last copy, from whichever session."""

    _wanted: list[str] = field(default_factory=list)
    """The starting point that was asked for last, until its copy is made."""

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.app.extensions[_EXTENSION] = self
        _ALL.append(self)
        with self.app.app_context():
            event.listen(db.engine, "before_cursor_execute", self._note)
        # Whichever application connects: a test may make another on the same database.
        event.listen(Engine, "do_connect", self._make_copy)

    @property
    def is_untouched(self) -> bool:
        """Whether nothing was written since the last copy, and the clock was left running."""
        return not self.writes and isinstance(clock.source(), RunningFrom)

    def _note(self, _connection: object, _cursor: object, statement: str, *_rest: object) -> None:
        if not self.writes and statement.startswith(_WRITING):
            self.writes.append(statement)

    def use(self, name: str, build: Callable[[], Value], *, on: str | None = EMPTY) -> Value:
        """Put the application on a fresh copy of a starting point; return what build returned.

        The first worker of the run that asks for the name builds it, beginning from the starting
        point named by on, in an application context of its own. What build returns is pickled:
        ids and strings, no rows.
        """
        file = self.folder / f"{name}.pickle"
        if not file.exists():
            with lock(file):
                if not file.exists():
                    self._build(name, build, on)
        builder = self._stored(name)[2]
        assert builder == place_of(build), f"{builder} builds a starting point of this name too"
        return cast("Value", self.reset(name))

    def reset(self, name: str) -> object:
        """Put the application on a fresh copy of a starting point that already exists.

        The database is copied when somebody first connects to it, or the test begins: fixtures
        reset it more than once. The test's clock, unless it is frozen, continues from when the
        starting point was ready. Return what building it returned.
        """
        ready, value, _builder = self._stored(name)
        time = clock.source()
        if isinstance(time, RunningFrom):
            time.skip_to(ready)
        self.disconnect()
        self._wanted[:] = [name]
        self.writes.clear()
        ring = keys.load(self.settings.data_dir / "keys", may_make=False)
        give(self.app, services_of(self.settings, ring))
        evidence = self._evidence_keys
        shutil.rmtree(evidence, ignore_errors=True)
        keys_file = self.folder / f"{name}.keys"
        if keys_file.exists():
            shutil.copytree(keys_file, evidence)
        return value

    def _stored(self, name: str) -> tuple[dt.datetime, object, str]:
        """Return when a starting point was ready, what build returned, and where build is."""
        # Written only by tests, in a folder that nobody else may enter.
        stored = pickle.loads((self.folder / f"{name}.pickle").read_bytes())  # noqa: S301
        return cast("tuple[dt.datetime, object, str]", stored)

    def copy(self) -> None:
        """Make the copy that was requested last, unless it exists."""
        if self._wanted:
            self.database.reset(self._wanted.pop())

    def _make_copy(self, *_connecting: object) -> None:
        self.copy()

    def _build(self, name: str, build: Callable[[], object], on: str | None) -> None:
        with using(RunningFrom(start_of_run())):
            if on is not None:
                self.reset(on)
            with self.app.app_context():
                value = build()
                db.session.commit()
                db.session.remove()
            ready = clock.now()
        self.disconnect()
        self.copy()
        self.database.keep(name)
        if self._evidence_keys.exists():
            shutil.copytree(self._evidence_keys, self.folder / f"{name}.keys")
        pickling = self.folder / f"{name}.pickling"
        pickling.write_bytes(pickle.dumps((ready, value, place_of(build))))
        pickling.rename(self.folder / f"{name}.pickle")

    @property
    def _evidence_keys(self) -> Path:
        return self.settings.data_dir / "keys" / "evidence"

    def disconnect(self) -> None:
        """Close all connections of the application to its database."""
        if has_app_context():
            db.session.close()
        with self.app.app_context():
            db.session.remove()
            for engine in db.engines.values():
                engine.dispose()


def place_of(build: Callable[..., object]) -> str:
    """Return where a function is, by which two of the same name are told apart."""
    function = build.func if isinstance(build, partial) else build
    return f"{function.__module__}.{function.__qualname__}"


def use_instance(
    name: str, settings: Settings, database: Database, folder: Path, build: Callable[[], Value]
) -> Value:
    """Put a whole instance, keys included, where settings name it; return what build returned.

    The first test of the run that asks for the name builds it there and then, for an application
    of its own; nobody may be connected to the database before or after. folder is that of the
    starting points.
    """
    stored = folder / f"{name}.instance"
    own_keys = settings.data_dir / "keys"
    with lock(stored):
        if not stored.exists():
            value = build()
            database.keep(name)
            shutil.copytree(own_keys, folder / f"{name}.keys")
            pickling = folder / f"{name}.pickling"
            pickling.write_bytes(pickle.dumps(value))
            pickling.rename(stored)
            return value
    database.reset(name)
    shutil.copytree(folder / f"{name}.keys", own_keys)
    # As above: written only by tests.
    return cast("Value", pickle.loads(stored.read_bytes()))  # noqa: S301


def of(app: Flask) -> StartingPoints:
    """Return the starting points of an application."""
    return cast("StartingPoints", app.extensions[_EXTENSION])


def copy_all() -> None:
    """Make the copies that were requested last, for tests that connect from another process."""
    for points in _ALL:
        points.copy()


def named(prefix: str, *parts: object) -> str:
    """Return a name for a starting point that depends on what it is made from."""
    digest = hashlib.sha256(repr(parts).encode()).hexdigest()[:12]
    return f"{prefix}_{digest}"
