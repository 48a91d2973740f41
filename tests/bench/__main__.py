"""Measures pages and acts on both databases, the worker, certificates, bundles: make bench.

It ends with 1 when anything takes more than its limit; the limits stand beside the pages and acts.
"""

import sys
import tempfile
from pathlib import Path

import click

from tests.bench import acts, certificates, evidence, growth, table, worker
from tests.bench.bare import bare_app
from tests.bench.measuring import ROUNDS, BenchError, Meter
from tests.bench.stage import Stage, build
from tests.bench.table import Row
from tests.servers import postgres
from tests.servers.postgres import Postgres, PostgresError
from tracker import create_app
from tracker.core.db import db

DATABASE = "bench"


def main() -> None:
    """Build each instance, ask for its pages, do the acts, and print what all of it took."""
    found: dict[str, Row] = {}
    with tempfile.TemporaryDirectory(prefix="tracker-bench-") as folder:
        stage = build(Path(folder, "sqlite"))
        made = certificates.times(stage)
        hashing = measure("SQLite", stage, found)
        with Postgres() as server:
            postgres.create_database(server.folder, DATABASE)
            on_postgresql = build(Path(folder, "postgresql"), server.url(DATABASE))
            measure("PostgreSQL", on_postgresql, found)
        click.echo(f"SQLite: the same with {growth.SIZES[-1]:,} cooperations")
        rounds = worker.Rounds()
        grown = growth.by_size(Path(folder, "growth"), rounds.measure)
    click.echo(
        f"\nMilliseconds of the processor, the median of {ROUNDS}. Ratio: how many times a view\n"
        "that loads who is signed in and 20 rows, and renders as many bytes, asked for in turn.\n"
        f"The check of a password, {hashing:.0f} ms, is left out.\n"
    )
    for line in table.lines(found):
        click.echo(line)
    click.echo("\nMilliseconds of the processor with more cooperations, on SQLite.\n")
    for line in growth.lines(grown):
        click.echo(line)
    click.echo("\nThe worker with nothing to do, then with much that is due, on SQLite.\n")
    for line in worker.lines(rounds.by_size, rounds.held):
        click.echo(line)
    click.echo("\nCertificates: set, signed and checked, each of a text that was not set before.\n")
    for line in certificates.lines(made):
        click.echo(line)
    click.echo(f"\n{evidence.line()}")
    beyond = [f"{name}: {what}" for name, row in found.items() for what in row.beyond()]
    beyond += growth.beyond(grown)
    beyond += worker.beyond(rounds.by_size, rounds.held)
    if beyond:
        click.echo("\nBeyond the limits:\n" + "\n".join(beyond))
        sys.exit(1)


def measure(name: str, stage: Stage, found: dict[str, Row]) -> float:
    """Measure all pages and acts on one database; return what the check of a password takes."""
    app = create_app(stage.settings)
    meter = Meter(app, bare_app(app))
    click.echo(f"{name}: {len(stage.pages)} pages")
    for page in stage.pages:
        taken = meter.page(page.address, stage.cookies[page.who])
        row = found.setdefault(page.name, Row(page.ratio, page.statements, {}))
        row.by_database[name] = taken
    click.echo(f"{name}: acts")
    with app.app_context():
        hashing = acts.hashing()
        for act, taken in acts.measured(stage, meter):
            row = found.setdefault(act.name, Row(act.ratio, act.statements, {}))
            row.by_database[name] = taken
        db.session.remove()
        db.engine.dispose()
    return hashing


if __name__ == "__main__":
    try:
        main()
    except (BenchError, PostgresError) as error:
        sys.exit(str(error))
