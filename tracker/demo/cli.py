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
from tracker.core import logs
from tracker.core.db import db
from tracker.demo import people, work
from tracker.guidance import queries as guidance
from tracker.organisations.models import Organisation

demo = AppGroup("demo", help="Load the demonstration, and print its one-time codes.")
# The accounts to try first: (key, who it is and what they do).
FIRST = (
    ("ilena", "NPM coordinator: opens cooperations, plans visits"),
    ("tomas", "NPM signatory: signs, decides on interests, countersigns"),
    ("milan", "NPM manager: sees the register and the history"),
    ("otto", "signatory of Lantern Health Network: has an agreement to sign"),
    ("samira", "coordinator of Open Door Legal Aid: answers, accepts, suggests changes"),
    ("leyla", "physician with clearance: sees the visit"),
    ("greta", "auditor: sees agreements and history, nothing about visits"),
    ("iris", "administrator: manages accounts, organisations, mail"),
)


@demo.command("load")
def load() -> None:
    """Load the demonstration into an empty instance."""
    if db.session.scalar(sa.select(sa.func.count(Organisation.id))):
        click.echo(
            "This instance is in use: the demonstration can only be loaded into an empty one.",
            err=True,
        )
        sys.exit(1)
    if not guidance.current_revisions():
        click.echo(
            "The shipped content isn't loaded. Load it first: .venv/bin/tracker content load",
            err=True,
        )
        sys.exit(1)
    load_with_progress()
    print_accounts()


def load_with_progress() -> None:
    """Create people and cooperations with a progress bar, all or nothing.

    What these invented people do is not logged: thirty lines would hide the accounts printed next.
    """
    password = people.new_password()
    with logs.only_warnings():
        try:
            demo_people = people.make(password)
            with click.progressbar(work.steps(), label="Demonstration") as bar:
                for _title, step in bar:
                    step(demo_people)
        except BaseException:
            db.session.rollback()
            raise
        _password_file().write_text(password + "\n")
        _password_file().chmod(0o600)
        db.session.commit()


def print_accounts() -> None:
    """Print the demonstration's accounts, if it is loaded."""
    if not _password_file().exists():
        return
    password = _password_file().read_text().strip()
    click.echo("\nDemonstration accounts (a fictional country; all have the same password):")
    click.echo(f"  password  {password}")
    for key, words in FIRST:
        person = next(person for person in people.PEOPLE if person.key == key)
        click.echo(f"  {person.email:<38} {words}")
    click.echo("To sign in and to sign you also need a code:")
    click.echo("  .venv/bin/tracker demo code ilena\n")


def _password_file() -> Path:
    folder: Path = current_app.extensions["settings"].data_dir
    return folder / "demonstration-password.txt"


@demo.command("code")
@click.argument("name")
@click.option("--no-wait", is_flag=True, help="Print the code even if it has been used.")
def code(name: str, *, no_wait: bool) -> None:
    """Print the one-time code of a demonstration account, as in tracker demo code ilena."""
    user = people.find(name)
    if user is None:
        click.echo(f"There is no demonstration account {name!r}.", err=True)
        sys.exit(1)
    if user.tf_totp_secret is None:
        click.echo(
            f"{user.name} has no app for codes: sign in with the password to set one up.", err=True
        )
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
