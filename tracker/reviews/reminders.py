"""Reminders of reviews and of the end of the terms, as agreed in M19, once for each date.

A cooperation stores the day of the next reminder of each (cooperations.service.follow_dates sets it
with the dates); the worker finds those that are due by an index.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import Role
from tracker.accounts import queries as accounts
from tracker.activity.witness import NotSoundError, are_as_recorded
from tracker.agreements import frozen_text, notices
from tracker.cooperations import people
from tracker.cooperations.models import Cooperation, Stage
from tracker.core.db import db
from tracker.reviews import messages, queries
from tracker.reviews.policy import BEGINNERS

# There are no reminders of a review that is being held, nor of anything while terms are suspended,
# nor of a review while the parties end the agreement as the last one decided.
_REVIEWED_IN = frozenset({Stage.ACTIVE})
_ENDS_IN = frozenset({Stage.CLEARED, Stage.ACTIVE, Stage.UNDER_REVIEW})


def reviews_due(day: dt.date) -> Sequence[UUID]:
    """Return the cooperations whose review people are to be reminded of; for the worker.

    By an index on the day alone: remind_of_review() finds out whether a review is still to come.
    """
    is_due = _is_due(Cooperation.remind_of_review_on, day, _REVIEWED_IN)
    return _due(is_due, Cooperation.remind_of_review_on)


def ends_due(day: dt.date) -> Sequence[UUID]:
    """Return the cooperations whose end people are to be reminded of; for the worker."""
    return _due(_end_is_due(day), Cooperation.remind_of_end_on)


def remind_of_review(cooperation_id: UUID, day: dt.date) -> bool:
    """Remind the coordinators and managers of all parties of the review; return whether it was due.

    Only those with active accounts. For the worker; skips a row that somebody else has locked.
    Raise NotSoundError if the row isn't the one that events bind: nobody is reminded of its dates.
    """
    cooperation = _take(
        cooperation_id, _review_is_due(day), "remind_of_review_on", "review_on", day
    )
    if cooperation is None:
        return False
    terms = queries.terms_of(cooperation)
    messages.review_is_near(
        cooperation.reference, _people(cooperation, BEGINNERS), terms.id if terms else None
    )
    return True


def remind_of_end(cooperation_id: UUID, day: dt.date) -> bool:
    """Remind those of all parties who can renew the terms or end them; return whether it was due.

    Coordinators and managers, and signatories, who alone can give notice: also where the terms
    renew themselves, since a party says no before they do. For the worker; skips and raises as
    remind_of_review() does.
    """
    cooperation = _take(cooperation_id, _end_is_due(day), "remind_of_end_on", "ends_on", day)
    if cooperation is None:
        return False
    everyone = _people(cooperation, (*BEGINNERS, Role.SIGNATORY))
    messages.end_is_near(cooperation.reference, everyone)
    return True


def _take(
    cooperation_id: UUID, is_due_now: sa.ColumnElement[bool], reminder: str, date: str, day: dt.date
) -> Cooperation | None:
    """Lock a cooperation and take its reminder of a date; None if it isn't due by its dates."""
    cooperation = _locked(cooperation_id, is_due_now)
    if cooperation is None:
        return None
    if not are_as_recorded(cooperation.id, [cooperation]):
        raise NotSoundError
    remind_on = _remind_on(cooperation, getattr(cooperation, date))
    is_due = remind_on is not None and remind_on <= day
    setattr(cooperation, reminder, None if is_due else remind_on)
    db.session.flush()
    return cooperation if is_due else None


def _due(
    is_due_now: sa.ColumnElement[bool], column: sa.orm.InstrumentedAttribute[dt.date | None]
) -> Sequence[UUID]:
    return db.session.scalars(
        sa.select(Cooperation.id).where(is_due_now).order_by(column, Cooperation.id)
    ).all()


def _review_is_due(day: dt.date) -> sa.ColumnElement[bool]:
    is_due = _is_due(Cooperation.remind_of_review_on, day, _REVIEWED_IN)
    return sa.and_(is_due, queries.is_to_come())


def _end_is_due(day: dt.date) -> sa.ColumnElement[bool]:
    return _is_due(Cooperation.remind_of_end_on, day, _ENDS_IN)


def _is_due(
    column: sa.orm.InstrumentedAttribute[dt.date | None], day: dt.date, stages: Collection[Stage]
) -> sa.ColumnElement[bool]:
    return sa.and_(column.is_not(None), column <= day, Cooperation.stage.in_(sorted(stages)))


def _locked(cooperation_id: UUID, condition: sa.ColumnElement[bool]) -> Cooperation | None:
    return db.session.scalar(
        sa.select(Cooperation)
        .where(Cooperation.id == cooperation_id, condition)
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )


def _remind_on(cooperation: Cooperation, date: dt.date | None) -> dt.date | None:
    """Return the day on which to remind of a date; None without a date or an agreed reminder.

    For terms signed before there were reminders, the number of days is read from the signed text.
    """
    if cooperation.reminder_days is None:
        cooperation.reminder_days = _days_in_text(cooperation)
    if date is None or cooperation.reminder_days is None:
        return None
    return date - dt.timedelta(days=cooperation.reminder_days)


def _days_in_text(cooperation: Cooperation) -> int | None:
    terms = queries.terms_of(cooperation)
    document = notices.standing_document(terms) if terms else None
    days = frozen_text.values_in(document, "M19").get("reminder_days") if document else None
    return days if isinstance(days, int) else None


def _people(cooperation: Cooperation, roles: Collection[Role]) -> set[UUID]:
    parties = [party for party in people.current(cooperation.id) if not party.is_joining]
    return accounts.people_with_role([party.organisation_id for party in parties], roles)
