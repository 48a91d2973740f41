"""The worker's rounds: mail, expiry, readiness of visits, reminders, old attempts."""

import time
from collections.abc import Callable

import click
from sqlalchemy.exc import SQLAlchemyError

from tracker.accounts import attempts
from tracker.accounts import service as accounts
from tracker.checklists import assignments, drafts, ending, renewal, requesting
from tracker.comments import service as comments
from tracker.cooperations import clearances
from tracker.core import clock
from tracker.core.db import db
from tracker.mail import outbox
from tracker.mail.transport import Transport
from tracker.running import health
from tracker.visits import service as visits

PAUSE = 2.0
EVERY_SO_MANY_ROUNDS = 30


def run_for_ever(transport: Transport, *, goes_on: Callable[[], bool] = lambda: True) -> None:
    """Do rounds until told to stop. A database that can't be reached is tried again, and said."""
    number = 0
    while goes_on():
        try:
            one_round(transport, with_dates=number % EVERY_SO_MANY_ROUNDS == 0)
        except SQLAlchemyError as error:
            db.session.rollback()
            click.echo(f"worker: {type(error).__name__}; trying again", err=True)
        number += 1
        time.sleep(PAUSE)


def one_round(transport: Transport, *, with_dates: bool) -> None:
    """Send what is due; with_dates: also close what has expired, judge readiness, remind."""
    outbox.send_due(transport)
    if with_dates:
        accounts.end_roles_run_out()
        clearances.close_expired(clock.today())
        ending.carry_out_due(clock.today())
        renewal.renew_due(clock.today())
        requesting.expire_due(clock.today())
        visits.recheck_all(clock.today())
        requesting.remind_due(clock.today())
        comments.remind_due(clock.today())
        assignments.remind_due(clock.today())
        attempts.forget_old()
        drafts.forget_old()
    health.beat()
    db.session.commit()
    db.session.remove()
