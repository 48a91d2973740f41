"""The command that loads the demonstration: what it refuses, in one line."""

import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.demonstration import Demonstration
from tests.factories.negotiations import Negotiation
from tracker.accounts.people import service
from tracker.core.db import db
from tracker.guidance.models import Article
from tracker.organisations.models import Organisation


def load(app: Flask) -> tuple[int, list[str]]:
    done = app.test_cli_runner().invoke(args=["demo", "load"])
    return done.exit_code, done.output.splitlines()


def test_without_the_shipped_content_it_says_what_to_load_first(
    app: Flask, session: Session
) -> None:
    session.execute(sa.update(Article).values(is_current=False))
    session.commit()
    assert load(app) == (
        1,
        ["The shipped content isn't loaded. Load it first: .venv/bin/tracker content load"],
    )
    assert session.scalar(sa.select(sa.func.count(Organisation.id))) == 0


def test_there_is_no_code_of_somebody_whose_second_factor_was_reset(
    app: Flask, demonstration: Demonstration
) -> None:
    with app.app_context():
        service.reset_by_command(demonstration.users["ilena"], reason="The telephone is lost.")
        db.session.commit()
    done = app.test_cli_runner().invoke(args=["demo", "code", "ilena"])
    assert (done.exit_code, done.output) == (
        1,
        "Ilena Dorvath has no app for codes: sign in with the password to set one up.\n",
    )


def test_an_instance_in_use_stays_as_it_is(app: Flask, negotiation: Negotiation) -> None:
    before = negotiation.session.scalar(sa.select(sa.func.count(Organisation.id)))
    negotiation.session.commit()
    assert load(app) == (
        1,
        ["This instance is in use: the demonstration can only be loaded into an empty one."],
    )
    assert negotiation.session.scalar(sa.select(sa.func.count(Organisation.id))) == before
