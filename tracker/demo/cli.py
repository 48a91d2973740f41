"""Commands of the demonstration: load it, and print an account's one-time code."""

import sys
import time
from pathlib import Path

import click
import sqlalchemy as sa
from flask import current_app
from flask.cli import AppGroup

from tracker.accounts.factors import second_factor
from tracker.accounts.models import User
from tracker.core.db import db
from tracker.demo import people, work
from tracker.organisations.models import Organisation

demo = AppGroup("demo", help="A fictional country to try things in.")
# The accounts a newcomer needs first: (key, what to do with it).
FIRST = (
    ("ilena", "NPM coordinator: open cooperations, plan visits"),
    ("tomas", "NPM signatory: sign, decide interests, countersign"),
    ("milan", "NPM manager: register and history"),
    ("otto", "signatory of Lantern Health Network: one agreement waits for this signature"),
    ("samira", "coordinator of Open Door Legal Aid: answer, accept, propose"),
    ("leyla", "physician, cleared: sees the visit"),
    ("greta", "auditor: sees agreements and history, nothing of visits"),
    ("iris", "administrator: accounts, organisations, mail"),
)


@demo.command("load")
def load() -> None:
    """Load the demonstration into an instance that nobody uses yet."""
    if db.session.scalar(sa.select(sa.func.count(Organisation.id))):
        click.echo("This instance is in use: the demonstration goes into an empty one.", err=True)
        sys.exit(1)
    load_with_progress()
    print_accounts()


def load_with_progress() -> None:
    """Make people and cooperations, showing how far it is; all of it or nothing."""
    password = people.new_password()
    try:
        cast = people.make(password)
        with click.progressbar(work.steps(), label="Demonstration") as bar:
            for _title, step in bar:
                step(cast)
    except BaseException:
        db.session.rollback()
        raise
    _password_file().write_text(password + "\n")
    _password_file().chmod(0o600)
    db.session.commit()


def print_accounts() -> None:
    """Print the demonstration's accounts, when there is one."""
    if not _password_file().exists():
        return
    password = _password_file().read_text().strip()
    click.echo("\nDemonstration accounts (a fictional country; the password is the same for all):")
    click.echo(f"  password  {password}")
    for key, words in FIRST:
        person = next(person for person in people.PEOPLE if person.key == key)
        click.echo(f"  {person.email:<38} {words}")
    click.echo("Signing in and signing also ask for a code:")
    click.echo("  .venv/bin/tracker demo code ilena\n")


def _password_file() -> Path:
    folder: Path = current_app.extensions["settings"].data_dir
    return folder / "demonstration-password.txt"


@demo.command("code")
@click.argument("name")
@click.option("--no-wait", is_flag=True, help="Print the code even if it was used already.")
def code(name: str, *, no_wait: bool) -> None:
    """Print the one-time code of a demonstration account: tracker demo code ilena."""
    user = people.find(name)
    if user is None:
        click.echo(f"There is no demonstration account {name!r}.", err=True)
        sys.exit(1)
    shown = second_factor.current_code(user)
    if shown.used and not no_wait:
        click.echo(f"The last code was used; the next comes in {shown.seconds} s", err=True)
        shown = _next_code(user, shown.seconds)
    click.echo(shown.code)


def _next_code(user: User, seconds: int) -> second_factor.CurrentCode:
    db.session.rollback()
    time.sleep(seconds + 1)
    db.session.refresh(user)
    return second_factor.current_code(user)
