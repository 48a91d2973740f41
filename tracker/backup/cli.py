"""The commands backup, restore and move."""

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path

import click
import sqlalchemy as sa
from flask import Flask, current_app
from flask.cli import with_appcontext
from sqlalchemy.exc import SQLAlchemyError

from tracker import create_app
from tracker.backup import encrypted_files, loading, restoring, transfer, writing
from tracker.backup.encrypted_files import Lock, Secrets
from tracker.backup.errors import BackupError
from tracker.backup.loading import Report
from tracker.core.db import db
from tracker.core.keys import KeysError
from tracker.oversight import cli as oversight
from tracker.settings import Settings, SettingsError
from tracker.worker import health

_FILE = click.Path(dir_okay=False, path_type=Path)
_IDENTITY = "A file with the private key, as age-keygen writes it. Repeatable."
_EXISTING = click.Path(exists=True, dir_okay=False, path_type=Path)


@click.command("backup")
@click.argument("file", type=_FILE)
@click.option("--to", "recipients", multiple=True, help="A public key (age1...). Repeatable.")
@click.option(
    "--passphrase-file", type=_EXISTING, help="A file whose first line is the passphrase."
)
@click.option("--keys", "keys_file", type=_FILE, help="Write the keys into this file instead.")
@click.option("--keys-to", multiple=True, help="A public key for the file of keys. Repeatable.")
@click.option("--keys-passphrase-file", type=_EXISTING, help="The same for the file of keys.")
@with_appcontext
def backup(
    file: Path,
    recipients: tuple[str, ...],
    passphrase_file: Path | None,
    keys_file: Path | None,
    keys_to: tuple[str, ...],
    keys_passphrase_file: Path | None,
) -> None:
    """Write the whole instance into an encrypted FILE, while people are working.

    It is encrypted for the public keys, otherwise for a passphrase, which you are asked for. The
    keys are in it too, unless --keys names another file for them, with public keys or a passphrase
    of its own. FILE must not exist yet. Exit 1 if the backup could not be made.
    """
    key_folder: Path = current_app.extensions["settings"].data_dir / "keys"
    if keys_file is None and (keys_to or keys_passphrase_file):
        raise click.UsageError("--keys names the file for the keys.")
    with _errors("No backup was made."):
        for new in filter(None, (file, keys_file)):
            writing.require_new(new)
        lock = _lock("Passphrase", recipients, passphrase_file)
        written_keys = None
        with ExitStack() as undoing:
            if keys_file is not None:
                keys_lock = _lock("Passphrase for the keys", keys_to, keys_passphrase_file)
                written_keys = writing.write_keys(keys_file, keys_lock, key_folder)
                undoing.callback(keys_file.unlink)
            with _progress("Backing up") as report:
                with_keys = keys_file is None
                number = writing.write(
                    file, lock, key_folder, report, with_keys=with_keys, written_keys=written_keys
                )
            undoing.pop_all()
    health.note_backup()
    db.session.commit()
    click.echo(f"Backed up to {file}: rows {number}.")
    if keys_file is not None:
        click.echo(f"The keys are in {keys_file}. Without them the backup can't be used.")


@click.command("restore")
@click.argument("file", type=_EXISTING)
@click.option("--identity", "identities", type=_EXISTING, multiple=True, help=_IDENTITY)
@click.option(
    "--passphrase-file", type=_EXISTING, help="A file whose first line is the passphrase."
)
@click.option("--keys", "keys_file", type=_EXISTING, help="The file of keys, if they are apart.")
@click.option("--keys-passphrase-file", type=_EXISTING, help="The same for the file of keys.")
@click.pass_obj
def restore(
    build: Callable[[Settings], Flask],
    file: Path,
    identities: tuple[Path, ...],
    passphrase_file: Path | None,
    keys_file: Path | None,
    keys_passphrase_file: Path | None,
) -> None:
    """Restore a backup into an empty data directory and an empty database, and audit it.

    TRACKER_DATA_DIR and TRACKER_DATABASE_URL name them; the database may be of the other kind. If
    FILE is damaged or the restore fails, nothing is left of it. Exit 0: everything was restored,
    and nothing was altered. Exit 1: it was not restored, or it was and the audit found something.
    """
    private_keys = tuple(line for path in identities for line in _private_keys(path))
    with _errors("Nothing was restored."):
        settings = Settings.from_environment()
        restoring.require_empty(settings)
        secrets = Secrets(_asking("Passphrase", passphrase_file), private_keys)
        checked = restoring.check(file, secrets)
        keys = checked.keys
        if keys_file is not None:
            asking = _asking("Passphrase for the keys", keys_passphrase_file)
            keys = restoring.check(keys_file, Secrets(asking, private_keys)).keys
        restoring.check_keys(checked, keys)
        with restoring.files(settings, keys):
            app = build(settings)
            with app.app_context(), _disconnecting(), _progress("Restoring") as report:
                restoring.load(checked, report)
    header = checked.header
    click.echo(
        f"Restored rows {checked.total}, backed up on {header['at']} "
        f"by version {header['application']}."
    )
    with app.app_context(), _disconnecting():
        oversight.audit(())


@click.command("move")
@click.option("--to", "url", required=True, help="postgresql://USER:PASSWORD@HOST/NAME")
@with_appcontext
def move(url: str) -> None:
    """Move the instance from SQLite into an empty PostgreSQL database, and audit it there.

    Stop the application first: as long as anybody has the file open, nothing is moved. The file
    stays as it is, and so do keys, mails and settings in the data directory. Exit 0: every row was
    moved, and nothing was altered. Exit 1: nothing was moved, and the new database is empty again.
    """
    settings: Settings = current_app.extensions["settings"]
    file = settings.database_file
    with _errors("Nothing was moved."):
        target = _target(settings, url)
        if file is None or target.database_file is not None:
            raise BackupError(
                "An instance is moved from SQLite to PostgreSQL. For the other way, make a backup "
                "and restore it."
            )
        db.session.remove()
        db.engine.dispose()
        app = create_app(target, may_create=False)
        with transfer.locked(file) as source, app.app_context(), _disconnecting():
            transfer.require_current(source)
            loading.require_no_tables()
            with loading.removing_tables():
                with _progress("Moving") as report:
                    digests = transfer.load(source, str(file), report)
                _audit_moved()
    total = sum(digest.rows for digest in digests.values())
    click.echo(f"Moved rows {total}, tables {len(digests)}. Both databases have the same rows.")
    click.echo(f"Now set TRACKER_DATABASE_URL={_without_password(url)} and start.")
    click.echo(f"{file} is as it was. What is saved there from now on is not in the new database.")


def _audit_moved() -> None:
    """Audit the new database; raise BackupError unless nothing was altered.

    What is wrong there was wrong before, since the rows are the same.
    """
    try:
        oversight.audit(())
    except click.ClickException as error:
        raise BackupError(f"The audit of the moved rows says: {error.message}") from error


def _target(settings: Settings, url: str) -> Settings:
    """Return the settings with another database; raise SettingsError for an invalid address."""
    named = Settings.from_environment({**os.environ, "TRACKER_DATABASE_URL": url})
    return replace(settings, database_url=named.database_url)


def _without_password(url: str) -> str:
    address = sa.make_url(url)
    shown = address.set(password="***") if address.password else address  # noqa: S106 -- none
    if "password" in shown.query:
        shown = shown.update_query_dict({"password": "***"})
    return shown.render_as_string(hide_password=False)


@contextmanager
def _disconnecting() -> Iterator[None]:
    try:
        yield
    finally:
        db.session.remove()
        db.engine.dispose()


@contextmanager
def _errors(outcome: str) -> Iterator[None]:
    """Turn errors into one line and exit 1."""
    try:
        yield
    except (BackupError, KeysError) as error:
        raise click.ClickException(f"{error} {outcome}") from error
    except SettingsError as error:
        raise click.UsageError(f"{error}.") from error
    except SQLAlchemyError as error:
        words = str(error).splitlines()[0]
        raise click.ClickException(f"The database refused: {words} {outcome}") from error


@contextmanager
def _progress(label: str) -> Iterator[Report]:
    with click.progressbar(length=1, label=label, file=sys.stderr, update_min_steps=200) as bar:

        def report(total: int) -> None:
            bar.length = total
            bar.update(1)

        yield report


def _lock(words: str, recipients: tuple[str, ...], file: Path | None) -> Lock:
    if recipients and file is not None:
        raise click.UsageError("Give either public keys or a passphrase.")
    if recipients:
        lock = Lock(public_keys=recipients)
    elif file is not None:
        lock = Lock(_first_line(file))
    else:
        lock = Lock(click.prompt(words, hide_input=True, confirmation_prompt=True, err=True))
    encrypted_files.check_lock(lock)
    return lock


def _asking(words: str, file: Path | None) -> Callable[[], str]:
    def ask() -> str:
        if file is not None:
            return _first_line(file)
        passphrase: str = click.prompt(words, hide_input=True, err=True)
        return passphrase

    return ask


def _first_line(file: Path) -> str:
    return (_text(file).splitlines() or [""])[0]


def _private_keys(file: Path) -> list[str]:
    """Return the keys in a file as age-keygen writes it, with comments."""
    lines = map(str.strip, _text(file).splitlines())
    return [line for line in lines if line and not line.startswith("#")]


def _text(file: Path) -> str:
    try:
        return file.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise click.UsageError(f"{file} can't be read as text.") from error
