"""The worker's jobs: mail, certificates, expiry, readiness of visits, reminders, attempts."""

import datetime as dt
import logging
import time
from collections.abc import Callable, Sequence
from functools import partial
from uuid import UUID

from sqlalchemy.exc import SQLAlchemyError

from tracker.accounts.factors import (
    attempts,
    mailed_codes,
    passkeys,
    refused_accounts,
)
from tracker.accounts.people import power_ends, sessions
from tracker.accounts.people import service as accounts
from tracker.accounts.security_log import service as security_log
from tracker.activity import stale
from tracker.agreements import departures, notices, renewal, signature_requests
from tracker.checklists import drafts
from tracker.checklists.assignments import service as assignments
from tracker.checklists.negotiation import mailing
from tracker.checklists.outside_reading import queries as outside_readings
from tracker.checklists.outside_reading import service as outside_reading
from tracker.closing import queries as returns
from tracker.closing import service as closing
from tracker.comments import service as comments
from tracker.cooperations import clearances
from tracker.cooperations import departures as leaving
from tracker.cooperations import service as cooperations
from tracker.cooperations.invitation_requests import service as invitation_requests
from tracker.core import clock, logs
from tracker.core.db import BATCH, db
from tracker.core.keys import KeysError
from tracker.evidence import disagreements
from tracker.evidence.certificates import issuing
from tracker.evidence.certificates import service as certificates
from tracker.evidence.certificates.service import CertificateError
from tracker.evidence.log import anchors, checkpoints
from tracker.evidence.log import service as log
from tracker.evidence.log.notes import Checkpoint
from tracker.evidence.log.service import LogError
from tracker.mail import sending
from tracker.mail.transport import Transport
from tracker.notifications import queries as notification_queries
from tracker.notifications import service as notifications
from tracker.oversight import queries as register
from tracker.reviews import reminders
from tracker.ui import malware
from tracker.visits import service as visits
from tracker.worker import failures, health, statistics, timestamps
from tracker.worker.one_by_one import (
    Job,
    each,
    let_others_write,
    reading,
    until_none_is_left,
)

PAUSE = 2.0
EVERY_SO_MANY_ROUNDS = 30
# How far back a round searches for texts that need a certificate; once a day it searches all.
LATELY = dt.timedelta(days=2)

logger = logging.getLogger(__name__)

_MALWARE_JOB, _MALWARE_COMMAND = failures.MALWARE_COMMAND


def _try_malware_command(_name: str, _day: dt.date) -> None:
    malware.try_command()


# Once a day; and again after it failed, then or on an uploaded file.
TRY_MALWARE_COMMAND = Job(
    _MALWARE_JOB,
    lambda _day: [_MALWARE_COMMAND] if malware.COMMAND.get() else [],
    _try_malware_command,
)
RETRY_MALWARE_COMMAND = Job(
    _MALWARE_JOB, lambda _day: list(failures.of(_MALWARE_JOB)), _try_malware_command
)
# Run about every minute: work that becomes due with a day, or at any time because of an event.
DATED = (
    Job("close clearance", clearances.expired, clearances.close_expired),
    # Before the role is ended, which would do all of it in one transaction.
    Job("leave cooperation", cooperations.run_out_people, cooperations.end_run_out),
    Job("end role", accounts.roles_run_out, accounts.end_role_run_out),
    Job("apply notice", notices.due_notices, notices.carry_out),
    # Before the membership of their party is ended, as above.
    Job("leave with party", leaving.people_due, leaving.end_person),
    Job("end a party's part", leaving.due, departures.carry_out),
    Job("expire signature request", signature_requests.expired, signature_requests.expire),
    Job(
        "remind of signature request",
        signature_requests.reminders_due,
        signature_requests.send_reminder,
    ),
    Job("end outside reading", outside_readings.run_out, outside_reading.expire),
    Job("end invitation request", invitation_requests.due, invitation_requests.lapse),
    Job("remind of task", comments.tasks_due, comments.remind_of_task),
    Job("remind of review", reminders.reviews_due, reminders.remind_of_review),
    Job("remind of end", reminders.ends_due, reminders.remind_of_end),
    Job("remind of clearance", clearances.ending, clearances.remind),
    Job("remind of return", returns.due, closing.remind),
    Job("remind of assignments", assignments.due, assignments.remind),
    Job("mail of checklists", mailing.due, mailing.send),
    # After reminders and mail of checklists, which may belong in it.
    Job("send digest", notification_queries.digests_due, notifications.send_digest),
)
# Run once a day: whether a text whose term is over renews automatically is known only from its
# content, and a prepared visit may stop being ready because documents expire.
RENEW = Job("renew text", renewal.over, renewal.renew)
# Powers to sign or decide end with a day, and are few.
POWERS = (
    Job("remind of power", power_ends.ending, power_ends.remind),
    Job("note power run out", power_ends.run_out, power_ends.note),
)
# Archive timestamps of certificates end years later, all of a month together.
TIMESTAMPS = Job("remind of timestamps", timestamps.due, timestamps.remind)
JUDGE = Job(
    "judge visit",
    lambda _day: visits.prepared_ids(),
    lambda visit_id, _day: visits.judge_today(visit_id),
)
# What the jobs above made stale, in the order of its kinds.
RECOMPUTE = tuple(
    Job(
        f"recompute {kind.name.lower()}",
        partial(lambda kind, _day: stale.stored(kind), kind),
        lambda work, _day: stale.recompute_stored(*work),
    )
    for kind in stale.PUT_OFF
)
# There is nothing here unless somebody wrote to the database by hand. An unknown kind fails, and
# /healthz reports it.
RECOMPUTE_UNKNOWN = Job(
    "recompute unknown",
    lambda _day: stale.stored_unknown(),
    lambda work, _day: stale.recompute_stored(*work),
)
MAIL_CHECKPOINT = Job(
    "mail checkpoint", lambda _day: anchors.due(), lambda anchor, _day: anchors.send(anchor)
)
FORGETTING = (
    attempts.forget_old,
    passkeys.forget_used,
    mailed_codes.forget_old,
    drafts.forget_old,
    sessions.forget_old,
    security_log.forget_old,
    notifications.forget_read,
    notifications.forget_old,
)


def run_daily(timestamp_url: str = "") -> None:
    """Run the daily jobs, which also run at the start: each finds everything due, however old."""
    # Including texts that were signed while no worker was running.
    make_certificates(timestamp_url)
    renew_texts()
    judge_visits()
    for job in (*POWERS, TIMESTAMPS):
        each(job, clock.today())
    mail_checkpoint()
    each(TRY_MALWARE_COMMAND, clock.today())
    statistics.refresh()


def run_for_ever(
    transport: Transport,
    *,
    timestamp_url: str = "",
    goes_on: Callable[[], bool] = lambda: True,
) -> None:
    """Run rounds until told to stop; if the database can't be reached, say so and retry.

    So with any other error outside the jobs: mail and certificates go on.

    What depends on the day is also done as soon as a new day begins.
    """
    number, compared = 0, disagreements.BEGINNING
    not_recorded: list[sending.Result] = []
    checked: UUID | None = None
    day_done: dt.date | None = None
    day_begun: dt.date | None = None
    while goes_on():
        try:
            with_dates = number % EVERY_SO_MANY_ROUNDS == 0 or day_begun != clock.today()
            day_begun = clock.today()
            run_once(
                transport,
                with_dates=with_dates,
                timestamp_url=timestamp_url,
                not_recorded=not_recorded,
            )
            if with_dates:
                if day_done != clock.today():
                    run_daily(timestamp_url)
                    day_done = clock.today()
                checked = check_accounts(checked)
            # Three times as often, since each batch is small.
            if number % max(1, EVERY_SO_MANY_ROUNDS // 3) == 0:
                compared = compare_texts(compared)
        except Exception as error:  # one mistake must not stop mail and the pages
            db.session.rollback()
            day_done = None
            is_of_database = isinstance(error, SQLAlchemyError)
            logger.exception(
                "a round has failed; trying again",
                exc_info=None if is_of_database else error,
                extra=logs.fields(error=logs.kind_of(error)),
            )
        number += 1
        time.sleep(PAUSE)


def run_once(
    transport: Transport,
    *,
    with_dates: bool,
    timestamp_url: str = "",
    not_recorded: list[sending.Result] | None = None,
) -> None:
    """Send due mail and make certificates; with_dates also runs the jobs that depend on the day.

    These close what has expired, send reminders and delete old rows. Each object has its own
    transaction, so that nobody who writes has to wait for all of them.
    """
    sending.send_due(transport, not_recorded=not_recorded)
    make_certificates(timestamp_url, since=clock.now() - LATELY)
    if with_dates:
        for job in DATED:
            each(job, clock.today())
        recompute()
        each(RETRY_MALWARE_COMMAND, clock.today())
        for forget in FORGETTING:
            until_none_is_left(forget)
        checkpoint_and_mail()
    health.beat()
    db.session.commit()
    db.session.remove()


def renew_texts() -> None:
    """Renew the texts that renew automatically and whose term is over, each in a transaction.

    Once a day is enough, since terms end with a day.
    """
    each(RENEW, clock.today())
    recompute()
    db.session.remove()


def judge_visits() -> None:
    """Check the readiness of each prepared visit, each in its own transaction.

    Once a day, because documents expire; events in between check the visits they affect.
    """
    each(JUDGE, clock.today())
    recompute()
    db.session.remove()


def recompute() -> None:
    """Recompute all that is stored as stale, each value in its own transaction.

    Repeats until nothing is left but what failed, since one value's result may affect others.
    """
    before: list[tuple[str, UUID]] | None = None
    while (left := reading(stale.stored)) and left != before:
        for job in (*RECOMPUTE, RECOMPUTE_UNKNOWN):
            each(job, clock.today())
        before = left


def checkpoint_and_mail() -> None:
    """Make checkpoints if they are due, and mail the latest to everybody it is due to.

    A lost key or a damaged log blocks nothing else.
    """
    try:
        new_checkpoints = make_checkpoints()
    except (KeysError, LogError) as error:
        db.session.rollback()
        # The words are ours: which file or log is missing or damaged.
        logger.exception("no checkpoint", extra=logs.fields(why=str(error)))
        return
    if new_checkpoints:
        mail_checkpoint()


def make_checkpoints() -> int:
    """Append what was recorded since the latest checkpoint to the log, if that is old enough.

    In batches, each signed and in its own transaction, until another worker makes one. Return the
    number of batches.
    """
    changed, last = reading(_due_for_a_checkpoint)
    number = 0
    for start in range(0, len(changed), BATCH):
        began = time.monotonic()
        last = checkpoints.make_next(last, changed[start : start + BATCH])
        if last is None:
            db.session.rollback()
            break
        db.session.commit()
        number += 1
        let_others_write(began)
    return number


def _due_for_a_checkpoint() -> tuple[Sequence[UUID], Checkpoint | None]:
    """Return the chains that changed, if a checkpoint is due, and the newest one."""
    if not checkpoints.is_due():
        return (), None
    return log.changed(), checkpoints.newest()


def mail_checkpoint() -> None:
    """Mail the latest checkpoint to the coordinators who are due it.

    Runs after a new one, and once a day because nobody is mailed two within a week.
    """
    each(MAIL_CHECKPOINT, clock.today())
    db.session.remove()


def compare_texts(
    after: disagreements.Progress = disagreements.BEGINNING,
) -> disagreements.Progress:
    """Compare the next texts with their signatures and events; return the position reached."""
    comparison = reading(lambda: disagreements.compare_some(after, register.disagreeing))
    disagreements.note(comparison)
    db.session.commit()
    db.session.remove()
    return comparison.reached


def check_accounts(after: UUID | None = None) -> UUID | None:
    """Record which of the next accounts are refused; return the last id checked."""
    reached = refused_accounts.check_some(after)
    db.session.commit()
    db.session.remove()
    return reached


def make_certificates(timestamp_url: str, *, since: dt.datetime | None = None) -> None:
    """Make the certificates of fully signed texts, all of them or those signed since a moment.

    Each text has its own transaction: one that fails doesn't block the others, and is retried
    after growing delays.
    """
    if since is None:
        certificates.forget_made()
        db.session.commit()
    for revision_id in reading(lambda: certificates.due(since)):
        try:
            issuing.keep(issuing.make(revision_id, timestamp_url))
            db.session.commit()
        except CertificateError as error:
            db.session.rollback()
            certificates.note_failure(revision_id, error)
            db.session.commit()
            logger.exception(
                "no certificate yet; tracker check says more",
                extra=logs.fields(revision=revision_id),
            )
    db.session.rollback()
