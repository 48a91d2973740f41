"""The worker's jobs: mail, certificates, expiry, readiness of visits, reminders, attempts."""

import datetime as dt
import time
from collections.abc import Callable, Collection, Sequence
from uuid import UUID

import click
from sqlalchemy.exc import SQLAlchemyError

from tracker.accounts.factors import (
    attempts,
    mailed_codes,
    passkeys,
    refused_accounts,
)
from tracker.accounts.people import service as accounts
from tracker.agreements import notices, renewal, signature_requests
from tracker.checklists import drafts
from tracker.checklists.assignments import service as assignments
from tracker.comments import service as comments
from tracker.cooperations import clearances
from tracker.core import clock
from tracker.core.db import db
from tracker.core.keys import KeysError
from tracker.evidence import disagreements
from tracker.evidence.certificates import issuing
from tracker.evidence.certificates import service as certificates
from tracker.evidence.certificates.service import CertificateError
from tracker.evidence.log import anchors, checkpoints
from tracker.evidence.log.service import LogError
from tracker.mail import sending
from tracker.mail.transport import Transport
from tracker.visits import service as visits
from tracker.worker import health
from tracker.worker.one_by_one import (
    Job,
    each,
    reading,
    until_none_is_left,
)

PAUSE = 2.0
EVERY_SO_MANY_ROUNDS = 30
# How far back a round looks for texts that need a certificate; once a day it looks at all.
LATELY = dt.timedelta(days=2)

# Looked at about every minute: what a day makes due, and what happens may make due at any time.
DATED = (
    Job("end role", accounts.roles_run_out, accounts.end_role_run_out),
    Job("close clearance", clearances.expired, clearances.close_expired),
    Job("apply notice", notices.due_notices, notices.carry_out),
    Job("expire signature request", signature_requests.expired, signature_requests.expire),
    Job(
        "remind of signature request",
        signature_requests.reminders_due,
        signature_requests.send_reminder,
    ),
    Job("remind of task", comments.tasks_due, comments.remind_of_task),
    Job("remind of assignments", assignments.due, assignments.remind),
)
# Looked at once a day: many texts whose term is over do not renew themselves, which only the text
# says; and visits that are prepared are judged, because papers run out.
RENEW = Job("renew text", renewal.over, renewal.renew)
JUDGE = Job(
    "judge visit",
    lambda _day: visits.prepared_ids(),
    lambda visit_id, _day: visits.recheck(visit_id),
)
_MAIL_CHECKPOINT = Job(
    "mail checkpoint", lambda _day: anchors.due(), lambda anchor, _day: anchors.send(anchor)
)
FORGETTING = (
    attempts.forget_old,
    passkeys.forget_used,
    mailed_codes.forget_old,
    drafts.forget_old,
)


def run_for_ever(
    transport: Transport,
    *,
    timestamp_url: str = "",
    goes_on: Callable[[], bool] = lambda: True,
) -> None:
    """Do rounds until told to stop. A database that can't be reached is tried again, and said."""
    number, compared = 0, disagreements.BEGINNING
    checked: UUID | None = None
    day_done: dt.date | None = None
    while goes_on():
        try:
            with_dates = number % EVERY_SO_MANY_ROUNDS == 0
            run_once(transport, with_dates=with_dates, timestamp_url=timestamp_url)
            if with_dates:
                if day_done != clock.today():
                    # Those too that no worker was there for.
                    make_certificates(timestamp_url)
                    renew_texts()
                    judge_visits()
                    day_done = clock.today()
                checked = check_accounts(checked)
            # Three times as often, since a portion is small.
            if number % max(1, EVERY_SO_MANY_ROUNDS // 3) == 0:
                compared = compare_texts(compared)
        except SQLAlchemyError as error:
            db.session.rollback()
            day_done = None
            click.echo(f"worker: {type(error).__name__}; trying again", err=True)
        number += 1
        time.sleep(PAUSE)


def run_once(transport: Transport, *, with_dates: bool, timestamp_url: str = "") -> None:
    """Send what is due and make certificates; with_dates: also what comes with a day.

    That is: close what has expired, remind, forget what is old. Each object in a transaction of
    its own, so that nobody who writes has to wait for all of them.
    """
    sending.send_due(transport)
    make_certificates(timestamp_url, since=clock.now() - LATELY)
    if with_dates:
        judge_again({visit_id for job in DATED for visit_id in each(job, clock.today())})
        for forget in FORGETTING:
            until_none_is_left(forget)
        checkpoint_and_mail()
    health.beat()
    db.session.commit()
    db.session.remove()


def renew_texts() -> None:
    """Renew the texts that renew themselves and whose term is over, each in its transaction.

    Once a day: a term is over with a day.
    """
    judge_again(each(RENEW, clock.today()))
    db.session.remove()


def judge_visits() -> None:
    """Judge each visit that is prepared, because papers run out, each in its own transaction.

    Once a day: what happens in between judges the visits that it concerns.
    """
    judge_again(each(JUDGE, clock.today()))
    db.session.remove()


def judge_again(visit_ids: Collection[UUID]) -> None:
    """Judge visits because of what was done just now, each in its own transaction.

    Until none has to be: what one is judged to be may concern the others. What is not come to,
    because the database goes away, is judged with all others when it is back.
    """
    left = sorted(visit_ids)
    while left:
        left = sorted(each(_judging(left), clock.today()))


def _judging(visit_ids: Sequence[UUID]) -> Job:
    return Job("judge visit again", lambda _day: visit_ids, JUDGE.act)


def checkpoint_and_mail() -> None:
    """Make a checkpoint when it is time, and mail the newest to whom it is due.

    In a transaction of its own, so that a lost key or a damaged log holds nothing else up.
    """
    db.session.commit()
    try:
        checkpoints.make_due()
    except (KeysError, LogError) as error:
        db.session.rollback()
        click.echo(f"worker: no checkpoint: {error}", err=True)
    db.session.commit()
    each(_MAIL_CHECKPOINT, clock.today())


def compare_texts(
    after: disagreements.Progress = disagreements.BEGINNING,
) -> disagreements.Progress:
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


def make_certificates(timestamp_url: str, *, since: dt.datetime | None = None) -> None:
    """Make the certificates of texts that were signed by all, since a moment or ever.

    Each text by itself: one that fails holds up no other; it is tried again, each time later.
    """
    for revision_id in reading(lambda: certificates.due(since)):
        try:
            issuing.keep(issuing.make(revision_id, timestamp_url))
            db.session.commit()
        except CertificateError as error:
            db.session.rollback()
            certificates.note_failure(revision_id, error)
            db.session.commit()
            click.echo(f"worker: no certificate yet: {error}", err=True)
    db.session.rollback()
