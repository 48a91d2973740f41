"""Signs, declines and amends from many processes, and kills the server: make torture."""

import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

import click

from tests.servers import postgres
from tests.servers.postgres import Postgres, PostgresError
from tests.torture import instance as stages
from tests.torture.crowd import CrowdError, let_loose
from tests.torture.instance import Instance
from tests.torture.killing import KillingError, kill_under_load
from tests.torture.record import Record
from tests.torture.verdict import faults

DATABASE = "torture"


@dataclass(frozen=True, slots=True)
class Measure:
    """How hard: the number of processes, for how many seconds, and the kills after that."""

    processes: int
    seconds: float
    kills: int


FULL = Measure(processes=50, seconds=60, kills=200)
SHORT = Measure(processes=50, seconds=5, kills=12)


@click.command()
@click.option("--short", is_flag=True, help="For a few seconds, as the tests run it.")
def main(*, short: bool) -> None:
    """Torture signing on SQLite and on PostgreSQL; exit 1 if anything is inconsistent."""
    measure = SHORT if short else FULL
    try:
        with tempfile.TemporaryDirectory(prefix="tracker-torture-") as folder:
            sound = torture("SQLite", Path(folder, "sqlite"), None, measure)
            with Postgres() as server:
                postgres.create_database(server.folder, DATABASE)
                url = server.url(DATABASE)
                sound &= torture("PostgreSQL", Path(folder, "postgresql"), url, measure)
    except (CrowdError, KillingError, PostgresError) as error:
        raise click.ClickException(str(error)) from error
    sys.exit(0 if sound else 1)


def torture(name: str, data_dir: Path, database_url: str | None, measure: Measure) -> bool:
    """Torture one database; return whether it is consistent."""
    data_dir.mkdir()
    instance = stages.build(data_dir, database_url)
    begun = time.monotonic()
    record = let_loose(instance, data_dir, measure.processes, measure.seconds)
    seconds = time.monotonic() - begun
    click.echo(f"{name}: {measure.processes} processes in {seconds:.0f} s: {record.words()}")
    if not _is_sound(instance, record):
        return False
    begun = time.monotonic()
    with click.progressbar(length=measure.kills, label="Killing", file=sys.stderr) as bar:
        record.merge(kill_under_load(instance, measure.kills, bar.update))
    click.echo(
        f"{name}: killed {measure.kills} times in {time.monotonic() - begun:.0f} s; "
        f"together: {record.words()}"
    )
    return _is_sound(instance, record)


def _is_sound(instance: Instance, record: Record) -> bool:
    faults_found = faults(instance.app(), instance.agreements, record)
    for fault in faults_found:
        click.echo(f"  {fault}", err=True)
    if not faults_found:
        click.echo("  Nothing lost, doubled or out of order; every chain verifies.")
    return not faults_found


if __name__ == "__main__":
    main()
