"""The `tracker` command: Flask's command group with the application's commands."""

import os
import sys

import click
from flask import Flask
from flask.cli import FlaskGroup
from sqlalchemy.exc import DatabaseError

from tracker import create_app
from tracker.core.keys import KeysError
from tracker.evidence.cli import verify
from tracker.settings import SettingsError
from tracker.worker import health, schema


def _group(app: Flask) -> FlaskGroup:
    return FlaskGroup(
        name="tracker",
        create_app=lambda: app,
        add_default_commands=False,
        load_dotenv=False,
        set_debug_flag=False,
        help="Common Terms: cooperation between NPMs and civil society organisations.",
    )


def main() -> None:
    """Run a command; exit 2 with one line if a setting is invalid or a key is missing."""
    os.umask(0o077)  # nobody else may read the files that the application writes
    if sys.argv[1:3] == ["evidence", "verify"]:  # runs without settings, keys or a database
        verify.main(prog_name="tracker evidence verify", args=sys.argv[3:])
    try:
        app = create_app()
    except (SettingsError, KeysError) as error:
        click.echo(f"tracker: {error}", err=True)
        sys.exit(2)
    schema.use(app)
    try:
        _group(app).main(prog_name="tracker", args=sys.argv[1:], standalone_mode=True)
    except DatabaseError as error:
        click.echo(f"tracker: {_what_is_wrong(app, error)}", err=True)
        sys.exit(1)


def _what_is_wrong(app: Flask, error: DatabaseError) -> str:
    """Return one line that says why a statement of a command failed."""
    with app.app_context():
        state = health.look().database
    words = " ".join(str(error.orig).split())
    return f"the database {state}" if state != "well" else f"the database refused: {words}"


if __name__ == "__main__":
    os.environ.pop("FLASK_APP", None)
    main()
