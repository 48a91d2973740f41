"""The command that changes the keys of fields, trail and second factors."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from flask.cli import with_appcontext

from tracker.core.db import db, reading
from tracker.core.keys import KeysError
from tracker.evidence.cli import keys_group
from tracker.key_changes import queries, service
from tracker.key_changes.service import ChangeError, Left

__all__ = ["keys_group"]

STAYS = {
    "fields": "The keys of cooperations are wrapped again, and otherwise as before: signed texts "
    "and events depend on them.",
    "trail": "The digests of rows stay under rows.key, which belongs to the keys: events contain "
    "them.",
}


@keys_group.command("change")
@click.argument("name", type=click.Choice(list(queries.NAMES)))
@click.option("--alone", is_flag=True, help="No other machine uses this PostgreSQL database.")
@click.option(
    "--drop-codes", is_flag=True, help="Delete recovery codes made under the earlier key."
)
@with_appcontext
def change(name: str, *, alone: bool, drop_codes: bool) -> None:
    """Change the key NAME while the instance runs, or continue a change that was interrupted.

    A new key is created, and everything under the earlier one is written again in short
    transactions; then the earlier key is put away. Processes on this machine use the new key
    without a restart. With PostgreSQL the command first creates the key and stops, so that you can
    copy it to the other machines, unless you say --alone. The keys of cooperations, those that sign
    evidence and the digests of rows stay as they are: what you handed out depends on them.

    Exit 0: the key is changed, or created to be copied. Exit 1: it isn't changed to its end, with
    the reason; everything can be read.
    """
    key = queries.NAMES[name]
    if drop_codes and name != "factors":
        raise click.UsageError("Recovery codes are made under the key factors.")
    with _errors():
        if not service.is_under_way(key):
            if service.prepared(key) is None:
                file = service.prepare(key)
                if db.engine.dialect.name != "sqlite" and not alone:
                    _tell_to_copy(name, file.name)
                    return
            service.begin(key)
        number = service.record_begun(key)
        service.wait_for_earlier_transactions()
        with _progress(key) as report:
            left = service.write_again(key, report)
            if drop_codes:
                left.codes = service.drop_codes(number, report)
        put_away = service.end(key, left)
    click.echo(f"The key {name} is changed: number {number} is in use.")
    if name in STAYS:
        click.echo(STAYS[name])
    _tell_what_is_left(left, put_away)


def _tell_what_is_left(left: Left, put_away: list[Path]) -> None:
    if left.accounts:
        click.echo(
            f"Accounts that are refused, and stay so: {left.accounts}. tracker check names them."
        )
    for path in put_away:
        click.echo(f"Nothing is under {path} any more. Delete it once nothing misses it.")
    if db.engine.dialect.name != "sqlite":
        click.echo("Run the command on each other machine that uses this database too.")
    click.echo("Make a backup now. One from before needs the keys from before, which are in it.")


def _tell_to_copy(name: str, file: str) -> None:
    target = file.removesuffix(".new") + ".key"
    click.echo(f"Created {file}, which is not used yet.")
    click.echo(f"Copy it to each other machine that uses this database, as keys/{target}.")
    if name == "trail":
        click.echo("Copy rows.key there too.")
    click.echo(f"Then run tracker keys change {name} here again.")


@contextmanager
def _errors() -> Iterator[None]:
    try:
        yield
    except (ChangeError, KeysError) as error:
        raise click.ClickException(str(error)) from error


@contextmanager
def _progress(key: str) -> Iterator[Callable[[int], None]]:
    """Show how much is under the new key, of what was not at the beginning."""
    with reading():
        (state,) = (state for state in queries.states() if state.name == key)
    with click.progressbar(length=state.left, label="Writing again", file=sys.stderr) as bar:
        yield bar.update
