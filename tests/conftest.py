"""Fixtures for all tests: the chosen database, the application, its client, time, mail."""

import datetime as dt
import gc
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from flask import Flask, current_app
from sqlalchemy import event
from sqlalchemy.engine import Engine
from sqlalchemy.orm import Session
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

import config
from tests import client as checked
from tests import (
    content,
    durations,
    effort,
    mail_codes,
    on_postgresql,
    starting_points,
    templates,
)
from tests import log_lines as collecting
from tests.client import CheckedClient
from tests.databases import Database, PostgresDatabase, SqliteDatabase
from tests.factories import demonstration as demonstrations
from tests.factories.demonstration import Demonstration
from tests.log_lines import Lines
from tests.moments import RunningFrom, standing_at
from tests.on_postgresql import DIFFERING
from tests.servers import memory, postgres
from tests.servers.postgres import Postgres
from tests.servers.smtp import SmtpServer
from tests.starting_points import EMPTY, StartingPoints
from tracker import create_app
from tracker.core import clock
from tracker.core.db import db
from tracker.settings import Settings
from tracker.worker import schema

# Examples have no time limit, and neither has creating them: on a busy machine both are slow. In
# the short form every run tries the same ones.
hypothesis.settings.register_profile(
    "tests",
    deadline=None,
    derandomize=not effort.is_long(),
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
)
hypothesis.settings.load_profile("tests")

# Before any other conftest is imported: some compute days from the start of the run.
memory.use_for_temporary_files()
content.read_once()
_RUN = starting_points.begin_run()
templates.compile_once(starting_points.run_folder() / "templates")
_SERVER = pytest.StashKey[Postgres]()
_FOLDER = "postgres_folder"
# Files whose tests all run on one worker, since they share what it caches.
_ACCESS = "tests/integration/access"
KEPT_TOGETHER = frozenset({f"{_ACCESS}/test_permissions.py", f"{_ACCESS}/test_walks.py"})
_DEMONSTRATION = "reset_demonstration"


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
    parser.addoption(
        "--write-map",
        action="store_true",
        help="write the map of docs/architecture.md as the modules are, instead of comparing",
    )
    parser.addoption(
        "--write-pictures",
        action="store_true",
        help="take the pictures of the help pages, instead of comparing; with -n0",
    )


def pytest_configure(config: pytest.Config) -> None:
    """Start the run's PostgreSQL; tell workers where it is."""
    durations.register(config)
    if config.getoption("database") == "postgresql" and not hasattr(config, "workerinput"):
        try:
            config.stash[_SERVER] = Postgres().__enter__()
        except postgres.PostgresError as error:
            raise pytest.UsageError(str(error)) from error


class Scheduler(LoadScopeScheduling):  # type: ignore[misc]  # the library is not typed
    """Gives each test to a free worker, and all tests of some files to the same one.

    pytest-xdist's own --dist=loadgroup groups nothing with pytest 9.2.
    """

    def _split_scope(self, nodeid: str) -> str:
        file = nodeid.partition("::")[0]
        if _is_kept_together(nodeid):
            return "kept together"
        # Guards look at the same parsed modules, unit tests of a file at what it builds once.
        if file.startswith("tests/guards/"):
            return "guards"
        return file if file.startswith("tests/unit/") else nodeid


def _is_kept_together(nodeid: str) -> bool:
    return nodeid.partition("::")[0] in KEPT_TOGETHER


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> Scheduler | None:
    """Return the scheduler, unless --dist asks for another one."""
    return Scheduler(config, log) if config.getoption("dist") == "load" else None


def pytest_ignore_collect(collection_path: Path, config: pytest.Config) -> bool | None:
    """Skip files without a marked test, if only marked tests are run."""
    if config.getoption("markexpr") != DIFFERING or not collection_path.name.startswith("test_"):
        return None
    return DIFFERING not in collection_path.read_text() or None


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Build the demonstration while other tests run; skip cases that send the same queries.

    The first test that needs the demonstration builds it, and others that need it would wait. If
    only what can differ between the databases is tested, a few cases of some families are enough;
    make postgresql runs them all.
    """
    few_are_tried = (
        config.getoption("database") == "postgresql" and config.getoption("markexpr") == DIFFERING
    )
    waiting = [
        item
        for item in items
        if _DEMONSTRATION in getattr(item, "fixturenames", ())
        and not (few_are_tried and item.get_closest_marker(DIFFERING) is None)
    ]
    later = set(waiting[1:])
    items.sort(key=lambda item: item in later and not _is_kept_together(item.nodeid))
    if not few_are_tried:
        return
    tried, passed_over = on_postgresql.few(items)
    items[:] = [*tried, *(item for item in items if item.get_closest_marker(DIFFERING) is None)]
    config.hook.pytest_deselected(items=passed_over)


def pytest_collection_finish() -> None:
    """Exclude what lives as long as the run from garbage collection: modules, mappers, tests.

    Otherwise every full collection looks at all of them, which takes 3 to 8 % of a run.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 50, 50)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_call() -> None:
    starting_points.copy_all()


def pytest_unconfigure(config: pytest.Config) -> None:
    if _SERVER in config.stash:
        config.stash[_SERVER].stop()
    if _RUN is not None:
        shutil.rmtree(_RUN, ignore_errors=True)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    if _SERVER in node.config.stash:
        node.workerinput[_FOLDER] = node.config.stash[_SERVER].folder


def pytest_report_header(config: pytest.Config) -> str:
    return f"database: {config.getoption('database')}"


@pytest.fixture(scope="session")
def postgres_folder(request: pytest.FixtureRequest) -> str:
    """The socket folder of the run's PostgreSQL; only with --database=postgresql."""
    if _SERVER in request.config.stash:
        return request.config.stash[_SERVER].folder
    folder: str = request.config.workerinput[_FOLDER]  # type: ignore[attr-defined] # xdist's
    return folder


@pytest.fixture(scope="session")
def copies(request: pytest.FixtureRequest) -> Path:
    """The folder of starting points, which the workers of a run share."""
    if request.config.getoption("database") == "postgresql":
        # They are databases of one server, and are deleted with it.
        server = Path(request.getfixturevalue("postgres_folder"))
        folder = starting_points.run_folder() / server.name
    else:
        folder = starting_points.run_folder() / "sqlite"
    folder.mkdir(exist_ok=True)
    return folder


@pytest.fixture(scope="session")
def database(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, copies: Path
) -> Database:
    """The worker's own database, empty."""
    if request.config.getoption("database") == "postgresql":
        worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
        return PostgresDatabase(request.getfixturevalue("postgres_folder"), worker)
    return SqliteDatabase(tmp_path_factory.mktemp("database") / "tracker.sqlite3", copies)


@pytest.fixture(scope="session")
def settings(database: Database, tmp_path_factory: pytest.TempPathFactory) -> Settings:
    """An instance's settings, on the worker's own database and data directory."""
    folder = tmp_path_factory.mktemp("data")
    shutil.copytree(starting_points.shared_keys(), folder / "keys")
    environment = {
        "TRACKER_DATA_DIR": str(folder),
        "TRACKER_DATABASE_URL": database.url,
        # On some days of tests/other_days.py.
        "TRACKER_TIMEZONE": os.environ.get("TRACKER_TIMEZONE", "UTC"),
    }
    return config.settings("testing", environment)


@pytest.fixture(scope="session")
def worker_app(database: Database, settings: Settings, copies: Path) -> Iterator[Flask]:
    """The worker's application; tests use app, which resets it to a fresh database."""
    app = create_app(settings)
    checked.watch(app)
    templates.let_missing_attributes_fail(app)
    points = StartingPoints(app, database, settings, copies)
    points.use(EMPTY, _load_content, on=None)
    with pytest.MonkeyPatch.context() as patch:
        mail_codes.watch(patch)
        yield app
    points.disconnect()


def _load_content() -> None:
    """Migrate the database and load the shipped content."""
    schema.upgrade()
    loaded = current_app.test_cli_runner().invoke(args=["content", "load"])
    assert loaded.exit_code == 0, loaded.output


@pytest.fixture
def own_database(request: pytest.FixtureRequest, tmp_path: Path, copies: Path) -> Database:
    """An empty database of the test's own."""
    if request.config.getoption("database") == "postgresql":
        worker = getattr(request.config, "workerinput", {}).get("workerid", "main")
        return PostgresDatabase(request.getfixturevalue("postgres_folder"), f"{worker}_own")
    return SqliteDatabase(tmp_path / "tracker.sqlite3", copies)


@pytest.fixture
def own_database_url(own_database: Database) -> str:
    """The URL of an empty database of the test's own."""
    return own_database.url


# The application -----------------------------------------------------------------------------


@pytest.fixture
def app(worker_app: Flask) -> Flask:
    """The application on a fresh database that contains only the shipped content."""
    starting_points.of(worker_app).reset(EMPTY)
    return worker_app


@pytest.fixture
def reset_demonstration(worker_app: Flask) -> Callable[[], Demonstration]:
    """A function that resets the database to the demonstration, after something was changed."""
    return lambda: starting_points.of(worker_app).use("demonstration", demonstrations.make)


@pytest.fixture
def demonstration(reset_demonstration: Callable[[], Demonstration]) -> Demonstration:
    """The demonstration in place of the empty database; sign in with its browser()."""
    return reset_demonstration()


@pytest.fixture
def client(app: Flask) -> CheckedClient:
    """A browser with nobody signed in, which checks every response (tests/client.py)."""
    return new_browser(app)


@pytest.fixture
def browsers(app: Flask) -> Callable[[], CheckedClient]:
    """A function that creates more browsers, for several people."""
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
    """A context manager that collects the SQL sent in its block."""

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


# Time, log and mail --------------------------------------------------------------------------


@pytest.fixture
def log_lines() -> Iterator[Lines]:
    """The lines that are logged during the test, as a program reads them."""
    with collecting.collected() as lines:
        yield lines


@pytest.fixture(autouse=True)
def clock_of_tests() -> Iterator[None]:
    """Starts each test's clock at the moment the run began, whatever the time is now."""
    clock.use_source(RunningFrom(starting_points.start_of_run()))
    yield
    clock.use_source(clock.system_time)


@pytest.fixture
def frozen_time() -> Callable[[dt.datetime | None], None]:
    """A function that stops the clock at a moment, or lets it run from the test's start again."""
    running = clock.source()
    return lambda moment: clock.use_source(standing_at(moment) if moment else running)


@pytest.fixture
def smtp_server() -> Iterator[SmtpServer]:
    """A real SMTP server on this machine that stores what it receives."""
    with SmtpServer() as server:
        yield server
