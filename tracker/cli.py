"""The `tracker` command: Flask's command group with the application's commands."""

import os
import sys

import click
from flask import Flask
from flask.cli import FlaskGroup
from flask_migrate.cli import db as migrations
from sqlalchemy.exc import DatabaseError

from tracker import create_app
from tracker.backup.cli import restore
from tracker.checklists.cli import check
from tracker.commands import Commands
from tracker.core import logs
from tracker.core.keys import KeysError
from tracker.evidence.cli import verify
from tracker.settings import LogFormat, Settings, SettingsError
from tracker.worker import health, schema

HELP = "Common Terms: cooperation between NPMs and civil society organisations."
# These run without an instance; restore creates one.
_WITHOUT_AN_INSTANCE = {"content check": check, "evidence verify": verify, "restore": restore}
# The commands that may create an instance; all others say what is missing.
_CREATING = (["run"], ["db", "upgrade"])


def _group(app: Flask) -> FlaskGroup:
    return FlaskGroup(
        name="tracker",
        create_app=lambda: app,
        add_default_commands=False,
        load_dotenv=False,
        set_debug_flag=False,
        help=HELP,
    )


def _help() -> click.Group:
    """Return the command group for its help, without an application, which needs an instance."""
    group = Commands("tracker", help=HELP)
    group.add_command(migrations)
    return group


def main() -> None:
    """Run a command; exit 2 with one line if a setting is invalid or something is missing."""
    os.umask(0o077)  # nobody else may read the files that the application writes
    words = sys.argv[1:]
    for name, command in _WITHOUT_AN_INSTANCE.items():
        parts = name.split()
        if words[: len(parts)] == parts:
            command.main(prog_name=f"tracker {name}", args=words[len(parts) :], obj=create_app)
    if not words or "--help" in words:
        _help().main(prog_name="tracker", args=words)
    may_create = words[:1] in _CREATING or words[:2] in _CREATING
    try:
        settings = Settings.from_environment()
        logs.configure(as_json=settings.log_format is LogFormat.JSON)
        app = create_app(settings, may_create=may_create)
    except (SettingsError, KeysError) as error:
        click.echo(f"tracker: {error}", err=True)
        sys.exit(2)
    schema.use(app)
    try:
        _group(app).main(prog_name="tracker", args=words, standalone_mode=True)
    except DatabaseError as error:
        click.echo(f"tracker: {_what_is_wrong(app, error)}", err=True)
        sys.exit(1)


def _what_is_wrong(app: Flask, error: DatabaseError) -> str:
    """Return one line that says why a statement of a command failed."""
    with app.app_context():
        state = health.look().database
    words = " ".join(str(error.orig).split())
    return f"the database {state}" if state != "well" else f"the database refused: {words}"
