"""Everything that is due, processed in the caller's transaction, for tests of single rules."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any

from tracker.accounts.people import power_ends
from tracker.accounts.people import service as accounts
from tracker.agreements import departures, notices, renewal, signature_requests
from tracker.checklists.assignments import service as assignments
from tracker.checklists.negotiation import mailing
from tracker.comments import service as comments
from tracker.cooperations import clearances
from tracker.cooperations import departures as leaving
from tracker.core import clock
from tracker.evidence.log import anchors, checkpoints
from tracker.evidence.log import service as log
from tracker.evidence.log.notes import Checkpoint
from tracker.reviews import reminders


def end_roles_run_out() -> int:
    return _all(accounts.roles_run_out, accounts.end_role_run_out, clock.today())


def remind_of_powers(day: dt.date) -> int:
    return _all(power_ends.ending, power_ends.remind, day)


def note_powers_run_out(day: dt.date) -> int:
    return _all(power_ends.run_out, power_ends.note, day)


def close_expired(day: dt.date) -> int:
    return _all(clearances.expired, clearances.close_expired, day)


def remind_of_clearances(day: dt.date) -> int:
    return _all(clearances.ending, clearances.remind, day)


def carry_out_due(day: dt.date) -> int:
    return _all(notices.due_notices, notices.carry_out, day)


def leave_due(day: dt.date) -> int:
    _all(leaving.people_due, leaving.end_person, day)
    return _all(leaving.due, departures.carry_out, day)


def renew_due(day: dt.date) -> int:
    return _all(renewal.over, renewal.renew, day)


def expire_due(day: dt.date) -> int:
    return _all(signature_requests.expired, signature_requests.expire, day)


def send_reminders(day: dt.date) -> int:
    return _all(signature_requests.reminders_due, signature_requests.send_reminder, day)


def mail_of_checklists() -> int:
    return _all(mailing.due, mailing.send, clock.today())


def remind_of_tasks(day: dt.date) -> int:
    return _all(comments.tasks_due, comments.remind_of_task, day)


def remind_of_assignments(day: dt.date) -> int:
    return _all(assignments.due, assignments.remind, day)


def remind_of_dates(day: dt.date) -> int:
    return _all(reminders.reviews_due, reminders.remind_of_review, day) + _all(
        reminders.ends_due, reminders.remind_of_end, day
    )


def make_checkpoint() -> Checkpoint | None:
    """Make a checkpoint of everything recorded so far; tests have few chains."""
    return checkpoints.make(log.changed())


def send_checkpoints() -> int:
    return sum(anchors.send(anchor) for anchor in anchors.due())


def _all(
    find: Callable[[dt.date], Sequence[Any]], act: Callable[[Any, dt.date], bool], day: dt.date
) -> int:
    """Process what is due on a day; return for how many objects something was done."""
    return sum(act(due_id, day) for due_id in find(day))
