"""Changes every table, one change at a time, and checks that the audit names it: make tampering."""

import sys
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context

import click

from tests.servers.postgres import PostgresError
from tests.tampering.databases import POSTGRESQL, SQLITE, tamper


@click.command()
@click.argument("tables", nargs=-1)
@click.option(
    "--database",
    type=click.Choice([SQLITE, POSTGRESQL]),
    help="The one database to try; without it both, at the same time.",
)
@click.option("--verbose", is_flag=True, help="Print each change with what came of it.")
def main(tables: Sequence[str], *, database: str | None, verbose: bool) -> None:
    """Tamper with all tables, or those named; exit 1 if a change is neither noticed nor listed."""
    databases = [database] if database else [SQLITE, POSTGRESQL]
    try:
        # The audit takes nearly all of the time, and uses one processor.
        with ProcessPoolExecutor(mp_context=get_context("spawn")) as pool:
            tampered = partial(tamper, tables=frozenset(tables), verbose=verbose)
            reports = list(pool.map(tampered, databases))
    except PostgresError as error:
        raise click.ClickException(str(error)) from error
    for report in reports:
        click.echo("\n".join(report.lines))
    sys.exit(0 if all(report.is_sound for report in reports) else 1)


if __name__ == "__main__":
    main()
