"""Times pages on the production server, on both databases, certificates and bundles: make bench."""

import sys
import tempfile
from pathlib import Path

import click

from tests.bench import certificates, evidence, table
from tests.bench.measuring import ROUNDS, BenchError, Server, Timed
from tests.bench.stage import Stage, build
from tests.servers import postgres
from tests.servers.postgres import Postgres, PostgresError

DATABASE = "bench"


def main() -> None:
    """Build each instance, serve it, ask for its pages, and print what they and a check took."""
    found: dict[str, dict[str, Timed]] = {}
    with tempfile.TemporaryDirectory(prefix="tracker-bench-") as folder:
        stage = measure("SQLite", Path(folder, "sqlite"), None, found)
        made = certificates.times(stage)
        with Postgres() as server:
            postgres.create_database(server.folder, DATABASE)
            measure("PostgreSQL", Path(folder, "postgresql"), server.url(DATABASE), found)
    click.echo(
        f"\nServer time in milliseconds, the median of {ROUNDS}. Bare: a view that loads who"
    )
    click.echo("is signed in and 20 rows, and answers with as many bytes, on the same server.\n")
    for line in table.lines(found):
        click.echo(line)
    click.echo("\nCertificates: set, signed and checked, each of a text that was not set before.\n")
    for line in certificates.lines(made):
        click.echo(line)
    click.echo(f"\n{evidence.line()}")


def measure(
    name: str, data_dir: Path, database_url: str | None, found: dict[str, dict[str, Timed]]
) -> Stage:
    """Time all pages on one database; return what was served."""
    click.echo(f"{name}: making the demonstration and a checklist of 200 items")
    stage = build(data_dir, database_url)
    click.echo(f"{name}: asking for {len(stage.pages)} pages")
    with Server(stage) as server:
        for page in stage.pages:
            found.setdefault(page.name, {})[name] = server.times(page)
    return stage


if __name__ == "__main__":
    try:
        main()
    except (BenchError, PostgresError) as error:
        sys.exit(str(error))
