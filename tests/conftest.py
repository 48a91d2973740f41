"""Fixtures for all tests: the database asked for, the application, its client, time, mail."""

import datetime as dt
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import flask_migrate
import pytest
from flask import Flask
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session

from config import Settings
from tests import client as checked
from tests.client import CheckedClient
from tests.factories import demonstration as demonstrations
from tests.factories.demonstration import Demonstration
from tests.servers import postgres
from tests.servers.postgres import Postgres
from tests.servers.smtp import SmtpServer
from tracker import create_app
from tracker.accounts import credentials
from tracker.core import clock, keys
from tracker.core.db import db
from tracker.evidence import checkpoints, signing_keys
from tracker.signoff import house_rules
from tracker.signoff.house_rules import HouseRules

_SERVER = pytest.StashKey[Postgres]()
_FOLDER = "postgres_folder"


# The database --------------------------------------------------------------------------------


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--database",
        choices=("sqlite", "postgresql"),
        default="sqlite",
        help="the database to test on; PostgreSQL is started for the run and thrown away",
    )
    parser.addoption(
        "--write-permissions",
        action="store_true",
        help="write docs/permissions.md as the application is, instead of comparing; with -n0",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Start one PostgreSQL for the whole run; parallel workers are told where it is."""
    if config.getoption("database") == "postgresql" and not hasattr(config, "workerinput"):
        try:
            config.stash[_SERVER] = Postgres().__enter__()
        except postgres.PostgresError as error:
            raise pytest.UsageError(str(error)) from error


def pytest_unconfigure(config: pytest.Config) -> None:
    if _SERVER in config.stash:
        config.stash[_SERVER].stop()


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    if _SERVER in node.config.stash:
        node.workerinput[_FOLDER] = node.config.stash[_SERVER].folder


def pytest_report_header(config: pytest.Config) -> str:
    return f"database: {config.getoption('database')}"


@dataclass
class SqliteDatabase:
    """A file, and a copy of it to which it can be put back while nobody is connected."""

    folder: Path

    @property
    def url(self) -> str:
        return f"sqlite:///{self._file}"

    @property
    def _file(self) -> Path:
        return self.folder / "tracker.sqlite3"

    def keep(self, name: str = "template") -> None:
        shutil.copyfile(self._file, self.folder / f"{name}.sqlite3")

    def reset(self, name: str = "template") -> None:
        for suffix in ("-wal", "-shm"):
            self._file.with_name(self._file.name + suffix).unlink(missing_ok=True)
        shutil.copyfile(self.folder / f"{name}.sqlite3", self._file)


@dataclass
class PostgresDatabase:
    """A database of the run's server, and a template to which it can be put back."""

    server: str
    worker: str

    def __post_init__(self) -> None:
        postgres.create_database(self.server, self._name)

    @property
    def url(self) -> str:
        return postgres.database_url(self.server, self._name)

    @property
    def _name(self) -> str:
        return f"test_{self.worker}"

    def keep(self, name: str = "template") -> None:
        postgres.create_database(self.server, f"{name}_{self.worker}", self._name)

    def reset(self, name: str = "template") -> None:
        postgres.create_database(self.server, self._name, f"{name}_{self.worker}")


Database = SqliteDatabase | PostgresDatabase


@pytest.fixture(scope="session")
def postgres_folder(request: pytest.FixtureRequest) -> str:
    """The socket folder of the run's PostgreSQL; only with --database=postgresql."""
    if _SERVER in request.config.stash:
        return request.config.stash[_SERVER].folder
    folder: str = request.config.workerinput[_FOLDER]  # type: ignore[attr-defined] # xdist's
    return folder


@pytest.fixture(scope="session")
def database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Database:
    """The worker's own database, empty."""
    if request.config.getoption("database") == "postgresql":
        worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
        return PostgresDatabase(request.getfixturevalue("postgres_folder"), worker)
    return SqliteDatabase(tmp_path_factory.mktemp("database"))


@pytest.fixture(scope="session")
def settings(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """Settings as an instance has them, on the worker's own database and data directory."""
    environment = {
        "TRACKER_DATA_DIR": str(tmp_path_factory.mktemp("data")),
        "TRACKER_DATABASE_URL": database.url,
        # People of tests have a second factor where a test is about it.
        "TRACKER_SECOND_FACTOR_ROLES": "none",
    }
    return replace(Settings.from_environment(environment), testing=True)


@pytest.fixture(scope="session")
def database_template(database: Database, settings: Settings) -> Iterator[Flask]:
    """The worker's application; its database migrated, content loaded, and kept as the template."""
    app = create_app(settings)
    checked.watch(app)
    with app.app_context():
        flask_migrate.upgrade()
    loaded = app.test_cli_runner().invoke(args=["content", "load"])
    assert loaded.exit_code == 0, loaded.output
    _disconnect(app)
    database.keep()
    yield app
    _disconnect(app)


def _disconnect(app: Flask) -> None:
    with app.app_context():
        db.session.remove()
        for engine in db.engines.values():
            engine.dispose()


# The application -----------------------------------------------------------------------------


@pytest.fixture
def app(database_template: Flask, database: Database, settings: Settings) -> Flask:
    """The application on a fresh copy of the template."""
    _put_back(database_template, database, settings, "template")
    return database_template


def _put_back(app: Flask, database: Database, settings: Settings, name: str) -> None:
    _disconnect(app)
    database.reset(name)
    # Other tests may have used keys and settings of their own, which a process has but once.
    credentials.use_compulsory_roles(settings.second_factor_roles)
    house_rules.use(HouseRules(four_eyes=settings.four_eyes, days=settings.signature_days))
    checkpoints.use_way(settings.base_url, dt.timedelta(minutes=settings.checkpoint_minutes))
    keys.use(keys.load(settings.data_dir / "keys", may_make=False))
    signing_keys.use_place(settings.data_dir / "keys" / "evidence", "localhost")


@pytest.fixture(scope="session")
def demonstration_template(
    database_template: Flask, database: Database, settings: Settings
) -> Demonstration:
    """The demonstration, made once for a worker and kept as another template."""
    _put_back(database_template, database, settings, "template")
    with database_template.app_context():
        made = demonstrations.make()
    _disconnect(database_template)
    database.keep("demonstration")
    return made


@pytest.fixture
def put_back(
    demonstration_template: Demonstration,
    database_template: Flask,
    database: Database,
    settings: Settings,
) -> Callable[[], None]:
    """Puts the database back to the demonstration, after something was changed."""
    return lambda: _put_back(database_template, database, settings, "demonstration")


@pytest.fixture
def demonstration(
    demonstration_template: Demonstration, put_back: Callable[[], None]
) -> Demonstration:
    """The demonstration, in place of the empty database; sign in by its browser()."""
    put_back()
    return demonstration_template


@pytest.fixture
def client(app: Flask) -> CheckedClient:
    """A browser with nobody signed in, which looks at every answer (tests/client.py)."""
    return new_browser(app)


@pytest.fixture
def browsers(app: Flask) -> Callable[[], CheckedClient]:
    """Makes more browsers, when several people act at once."""
    return lambda: new_browser(app)


def new_browser(app: Flask) -> CheckedClient:
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    return client


@pytest.fixture
def session(app: Flask) -> Iterator[Session]:
    """A database session for calling services and queries. Commit before asking a client."""
    with app.app_context():
        yield db.session()


@pytest.fixture
def statements() -> Callable[[], AbstractContextManager[list[str]]]:
    """Gives a context manager that collects the SQL sent in its block."""

    @contextmanager
    def watch() -> Iterator[list[str]]:
        seen: list[str] = []

        def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
            if not statement.startswith(("BEGIN", "PRAGMA")):
                seen.append(statement)

        event.listen(Engine, "before_cursor_execute", note)
        try:
            yield seen
        finally:
            event.remove(Engine, "before_cursor_execute", note)

    return watch


# Time and mail -------------------------------------------------------------------------------


@pytest.fixture
def frozen_time() -> Iterator[Callable[[dt.datetime | None], None]]:
    """Gives what makes time stand still at a moment; afterwards it runs again."""
    yield clock.set_for_tests
    clock.set_for_tests(None)


@pytest.fixture
def smtp_server() -> Iterator[SmtpServer]:
    """A real SMTP server on this machine that keeps what it is given."""
    with SmtpServer() as server:
        yield server
