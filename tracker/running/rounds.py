"""The worker's jobs: mail, certificates, expiry, readiness of visits, reminders, attempts."""

import datetime as dt
import time
from collections.abc import Callable
from uuid import UUID

import click
from sqlalchemy.exc import SQLAlchemyError

from tracker.accounts import attempts, mailed_codes, passkeys, refused_accounts
from tracker.accounts import service as accounts
from tracker.checklists import assignments, drafts, ending, renewal, requesting
from tracker.comments import service as comments
from tracker.cooperations import clearances
from tracker.core import clock
from tracker.core.db import db
from tracker.core.keys import KeysError
from tracker.evidence import anchors, certificates, checkpoints, disagreements, issuing
from tracker.evidence.certificates import CertificateError
from tracker.evidence.log import LogError
from tracker.mail import sending
from tracker.mail.transport import Transport
from tracker.running import health
from tracker.visits import service as visits

PAUSE = 2.0
EVERY_SO_MANY_ROUNDS = 30


def run_for_ever(
    transport: Transport,
    *,
    timestamp_url: str = "",
    goes_on: Callable[[], bool] = lambda: True,
) -> None:
    """Do rounds until told to stop. A database that can't be reached is tried again, and said."""
    number, compared = 0, disagreements.BEGINNING
    checked: UUID | None = None
    judged_on: dt.date | None = None
    while goes_on():
        try:
            with_dates = number % EVERY_SO_MANY_ROUNDS == 0
            one_round(transport, with_dates=with_dates, timestamp_url=timestamp_url)
            if with_dates:
                if judged_on != clock.today():
                    judge_visits()
                    judged_on = clock.today()
                compared = compare_texts(compared)
                checked = check_accounts(checked)
        except SQLAlchemyError as error:
            db.session.rollback()
            click.echo(f"worker: {type(error).__name__}; trying again", err=True)
        number += 1
        time.sleep(PAUSE)


def one_round(transport: Transport, *, with_dates: bool, timestamp_url: str = "") -> None:
    """Send what is due and make certificates; with_dates: also what comes with a day.

    That is: close what has expired, remind, forget what is old. Each in a transaction of its own,
    so that nobody who writes has to wait for all of them.
    """
    sending.send_due(transport)
    make_certificates(timestamp_url)
    if with_dates:
        for job in _WITH_DATES:
            job()
            db.session.commit()
        checkpoint_and_mail()
    health.beat()
    db.session.commit()
    db.session.remove()


_WITH_DATES: tuple[Callable[[], object], ...] = (
    accounts.end_roles_run_out,
    lambda: clearances.close_expired(clock.today()),
    lambda: ending.carry_out_due(clock.today()),
    lambda: renewal.renew_due(clock.today()),
    lambda: requesting.expire_due(clock.today()),
    lambda: requesting.remind_due(clock.today()),
    lambda: comments.remind_due(clock.today()),
    lambda: assignments.remind_due(clock.today()),
    attempts.forget_old,
    passkeys.forget_used,
    mailed_codes.forget_old,
    drafts.forget_old,
)


def judge_visits() -> None:
    """Judge each visit that is prepared, because papers run out, each in its own transaction.

    Once a day: what happens in between judges the visits that it concerns.
    """
    prepared = visits.prepared_ids()
    db.session.commit()
    for visit_id in prepared:
        visits.recheck(visit_id)
        db.session.commit()
    db.session.remove()


def checkpoint_and_mail() -> None:
    """Make a checkpoint when it is time, and mail the newest to whom it is due.

    In a transaction of its own, so that a lost key or a damaged log holds nothing else up.
    """
    db.session.commit()
    try:
        checkpoints.make_due()
        anchors.send_due()
    except (KeysError, LogError) as error:
        db.session.rollback()
        click.echo(f"worker: no checkpoint: {error}", err=True)
    db.session.commit()


def compare_texts(after: disagreements.Place = disagreements.BEGINNING) -> disagreements.Place:
    """Compare the next texts with their signatures and events; return how far it came."""
    reached = disagreements.compare_some(after)
    db.session.commit()
    db.session.remove()
    return reached


def check_accounts(after: UUID | None = None) -> UUID | None:
    """Note which of the next accounts are refused; return how far it came."""
    reached = refused_accounts.check_some(after)
    db.session.commit()
    db.session.remove()
    return reached


def make_certificates(timestamp_url: str) -> None:
    """Make the certificates of texts that were signed by all, each text by itself.

    One that fails holds up no other; it is tried again, each time later.
    """
    for revision_id in certificates.due():
        try:
            issuing.keep(issuing.make(revision_id, timestamp_url))
            db.session.commit()
        except CertificateError as error:
            db.session.rollback()
            certificates.note_failure(revision_id, error)
            db.session.commit()
            click.echo(f"worker: no certificate yet: {error}", err=True)
    db.session.rollback()
