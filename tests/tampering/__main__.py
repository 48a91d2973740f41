"""Changes every table, one change at a time, and checks that the audit names it: make tampering."""

import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import click
from flask import Flask

from tests.factories import demonstration
from tests.servers import postgres
from tests.servers.postgres import Postgres, PostgresError
from tests.tampering.campaign import Outcome, Result, attempt
from tests.tampering.changes import Change, every_change
from tests.tampering.staging import fill_the_rest
from tracker import create_app
from tracker.checklist_templates import library
from tracker.core.db import db
from tracker.oversight import integrity
from tracker.settings import Settings
from tracker.worker import schema

DATABASE = "tampering"


@click.command()
@click.argument("tables", nargs=-1)
@click.option(
    "--database",
    type=click.Choice(["sqlite", "postgresql"]),
    help="The one database to try; without it both.",
)
@click.option("--verbose", is_flag=True, help="Print each change with what came of it.")
def main(tables: Sequence[str], *, database: str | None, verbose: bool) -> None:
    """Tamper with all tables, or those named; exit 1 if a change is neither noticed nor listed."""
    changes = [change for change in every_change() if change.table in tables or not tables]
    sound = True
    try:
        with tempfile.TemporaryDirectory(prefix="tracker-tampering-") as folder:
            if database != "postgresql":
                sound &= tamper("SQLite", Path(folder, "sqlite"), None, changes, verbose=verbose)
            if database != "sqlite":
                with Postgres() as server:
                    postgres.create_database(server.folder, DATABASE)
                    url = server.url(DATABASE)
                    place = Path(folder, "postgresql")
                    sound &= tamper("PostgreSQL", place, url, changes, verbose=verbose)
    except PostgresError as error:
        raise click.ClickException(str(error)) from error
    sys.exit(0 if sound else 1)


def tamper(
    name: str, data_dir: Path, database_url: str | None, changes: list[Change], *, verbose: bool
) -> bool:
    """Tamper with one database; return whether every change was named or is listed."""
    app = _stage(data_dir, database_url)
    begun = time.monotonic()
    with (
        app.app_context(),
        click.progressbar(
            length=len(changes), label=name, file=sys.stderr, hidden=not sys.stderr.isatty()
        ) as bar,
    ):
        results = attempt(changes, lambda _result: bar.update(1))
        db.session.remove()
        db.engine.dispose()
    counts = Counter(result.outcome for result in results)
    counted = ", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome)
    click.echo(f"{name}: {len(results)} changes: {counted}; {time.monotonic() - begun:.0f} s")
    for result in results:
        if verbose or result.outcome is Outcome.UNNOTICED:
            click.echo(f"  {result.change}: {_words(result)}")
    return not counts[Outcome.UNNOTICED]


def _words(result: Result) -> str:
    return f"{result.outcome}. {result.words}" if result.words else str(result.outcome)


def _stage(data_dir: Path, database_url: str | None) -> Flask:
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


if __name__ == "__main__":
    main()
