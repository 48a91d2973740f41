"""Tampers with a new database of either kind, and reports what the audit noticed."""

import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from flask import Flask

from tests.factories import demonstration
from tests.servers import postgres
from tests.servers.postgres import Postgres
from tests.tampering.campaign import Outcome, Result, attempt
from tests.tampering.changes import every_change
from tests.tampering.staging import fill_the_rest
from tracker import create_app
from tracker.checklist_templates import library
from tracker.core.db import db
from tracker.oversight import integrity
from tracker.settings import Settings
from tracker.worker import schema

SQLITE, POSTGRESQL = "sqlite", "postgresql"
DATABASE = "tampering"


@dataclass(frozen=True, slots=True)
class Report:
    """What came of the changes to one database; sound if each was named or is listed."""

    is_sound: bool
    lines: list[str]


def tamper(database: str, *, tables: frozenset[str], verbose: bool) -> Report:
    """Tamper with the tables of a new database, all of them if none is named.

    Raises PostgresError if no server can be started.
    """
    with tempfile.TemporaryDirectory(prefix="tracker-tampering-") as folder:
        if database == SQLITE:
            return _tamper(database, Path(folder), None, tables, verbose=verbose)
        with Postgres() as server:
            postgres.create_database(server.folder, DATABASE)
            url = server.url(DATABASE)
            return _tamper(database, Path(folder), url, tables, verbose=verbose)


def _tamper(
    database: str,
    data_dir: Path,
    database_url: str | None,
    tables: frozenset[str],
    *,
    verbose: bool,
) -> Report:
    changes = [change for change in every_change() if change.table in tables or not tables]
    app = _filled_app(data_dir, database_url)
    begun = time.monotonic()
    with app.app_context():
        results = attempt(changes)
        db.session.remove()
        db.engine.dispose()
    counts = Counter(result.outcome for result in results)
    counted = ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome)
    seconds = time.monotonic() - begun
    return Report(
        not counts[Outcome.UNNOTICED],
        [
            f"{database}: {len(results)} changes: {counted}; {seconds:.0f} s",
            *(
                f"  {result.change}: {_words(result)}"
                for result in results
                if verbose or result.outcome is Outcome.UNNOTICED
            ),
        ],
    )


def _words(result: Result) -> str:
    return f"{result.outcome}. {result.words}" if result.words else str(result.outcome)


def _filled_app(data_dir: Path, database_url: str | None) -> Flask:
    """Create a sound instance with the demonstration and something in every table."""
    environment = {
        "TRACKER_DATA_DIR": str(data_dir),
        **({"TRACKER_DATABASE_URL": database_url} if database_url else {}),
    }
    app = create_app(Settings.from_environment(environment))
    with app.app_context():
        schema.upgrade()
        library.load_content()
        db.session.commit()
        fill_the_rest(demonstration.make())
        db.session.commit()
        finding = integrity.check_all().finding
        assert finding is None, finding
        db.session.remove()
    return app
