"""Measures pages and actions on both databases, the worker, certificates, bundles: make bench.

python -m tests.bench --growth 10000 only measures the growth of pages, up to that size. It exits
with 1 if anything exceeds its limit; the limits are beside the pages and actions.
"""

import sys
import tempfile
from pathlib import Path

import click

from tests.bench import acts, certificates, evidence, growth, table, worker
from tests.bench.bare import bare_app
from tests.bench.instance import Instance, build
from tests.bench.measuring import ROUNDS, BenchError, Meter
from tests.bench.table import Row
from tests.servers import postgres
from tests.servers.postgres import Postgres, PostgresError
from tracker import create_app
from tracker.core.db import db
from tracker.worker import gunicorn_config

DATABASE = "bench"


@click.command()
@click.option(
    "--growth",
    "largest",
    type=click.IntRange(min=growth.SIZES[0] + 1),
    help="Only measure how pages grow, up to this number of cooperations; no limit is checked.",
)
def main(largest: int | None) -> None:
    """Build each instance, request its pages, perform the actions, and print the measurements."""
    if largest is None:
        measure_all()
    else:
        measure_growth(largest)


def measure_growth(largest: int) -> None:
    """Measure the pages at the usual sizes and at a larger one, on SQLite, and print them."""
    sizes = growth.up_to(largest)
    with tempfile.TemporaryDirectory(prefix="tracker-bench-") as folder:
        grown = growth.by_size(Path(folder, "growth"), sizes=sizes)
    click.echo("Milliseconds of the processor with more cooperations, on SQLite.\n")
    for line in growth.lines(grown, sizes=sizes):
        click.echo(line)


def measure_all() -> None:
    """Measure everything that has a limit; exit with 1 if anything exceeds it."""
    rows: dict[str, Row] = {}
    with tempfile.TemporaryDirectory(prefix="tracker-bench-") as folder:
        instance = build(Path(folder, "sqlite"))
        timings = certificates.times(instance)
        hashing = measure("SQLite", instance, rows)
        with Postgres() as server:
            postgres.create_database(server.folder, DATABASE)
            on_postgresql = build(Path(folder, "postgresql"), server.url(DATABASE))
            measure("PostgreSQL", on_postgresql, rows)
        click.echo(f"SQLite: the same with {growth.SIZES[-1]:,} cooperations")
        rounds = worker.Rounds()
        grown = growth.by_size(Path(folder, "growth"), rounds.measure)
    click.echo(
        f"\nMilliseconds of the processor, the median of {ROUNDS}. Ratio: how many times a view\n"
        "that loads who is signed in and 20 rows, and renders as many bytes, asked for in turn.\n"
        f"The check of a password, {hashing:.0f} ms, is left out.\n"
    )
    for line in table.lines(rows):
        click.echo(line)
    click.echo("\nMilliseconds of the processor with more cooperations, on SQLite.\n")
    for line in growth.lines(grown):
        click.echo(line)
    click.echo("\nThe worker with nothing to do, then with much that is due, on SQLite.\n")
    for line in worker.lines(rounds.by_size, rounds.longest_by_job):
        click.echo(line)
    click.echo("\nCertificates: set, signed and checked, each of a text that was not set before.\n")
    for line in certificates.lines(timings):
        click.echo(line)
    click.echo(f"\n{evidence.line()}")
    beyond = [f"{name}: {what}" for name, row in rows.items() for what in row.beyond()]
    beyond += growth.beyond(grown)
    beyond += worker.beyond(rounds.by_size, rounds.longest_by_job)
    if beyond:
        click.echo("\nBeyond the limits:\n" + "\n".join(beyond))
        sys.exit(1)


def measure(name: str, instance: Instance, rows: dict[str, Row]) -> float:
    """Measure all pages and actions on one database; return the time of a password check."""
    app = create_app(instance.settings)
    meter = Meter(app, bare_app(app))
    # As the web server does: collecting garbage doesn't go through what was imported.
    gunicorn_config.when_ready(None)
    click.echo(f"{name}: {len(instance.pages)} pages")
    for page in instance.pages:
        taken = meter.page(page.address, instance.cookies[page.who])
        row = rows.setdefault(page.name, Row(page.ratio, page.statements, {}))
        row.by_database[name] = taken
    click.echo(f"{name}: acts")
    with app.app_context():
        hashing = acts.hashing()
        for act, taken in acts.measured(instance, meter):
            row = rows.setdefault(act.name, Row(act.ratio, act.statements, {}))
            row.by_database[name] = taken
        db.session.remove()
        db.engine.dispose()
    return hashing


if __name__ == "__main__":
    try:
        main()
    except (BenchError, PostgresError) as error:
        sys.exit(str(error))
