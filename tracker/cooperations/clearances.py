"""Clearances: opened by a countersigned undertaking, closed by whatever ends it (G4).

In one file: who has access today, until when, and who is reminded of it follow from the same rules.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Sequence
from functools import cache, partial
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import aliased, joinedload

from tracker.access.actor import Actor, ActorClearance
from tracker.accounts.models import User
from tracker.activity import verbs
from tracker.activity.service import lock_chain, record
from tracker.cooperations import messages, people, queries
from tracker.cooperations.models import (
    Clearance,
    ClearanceBar,
    ClearanceEnd,
    ClearanceScope,
    Cooperation,
)
from tracker.cooperations.policy import AT_REST
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.core.services import Slot

# How long before its last day the reminder of a clearance is sent: a new undertaking has to be
# read, signed and countersigned.
AHEAD = dt.timedelta(days=14)
_Other = aliased(Clearance)
# The bars that a condition looks up, as an alias apart from those that a query reads.
_Bar = aliased(ClearanceBar)
Day = dt.date | sa.BindParameter[dt.date]
# The condition that a notice has stopped a text that opens access, by a day, whether or not the
# worker has applied it. Over the id of a cooperation: notices are of a higher package.
NOTICES_STOP: Slot[Callable[[sa.SQLColumnExpression[UUID], Day], sa.ColumnElement[bool]]] = Slot(
    "notices_stop", lambda _cooperation_id, _day: sa.false()
)
# The day on which the first such notice stops it, also one that is still to come; null if none
# does. Over the id of a cooperation.
FIRST_STOP: Slot[
    Callable[[sa.SQLColumnExpression[UUID]], sa.SQLColumnExpression[dt.date | None]]
] = Slot("first_stop", lambda _cooperation_id: sa.null())
# The cooperations in which such a notice stops one by a day, for queries that search for them.
STOPPED_BY: Slot[Callable[[Day], sa.Select[UUID]]] = Slot(
    "stopped_by", lambda _day: sa.select(Cooperation.id).where(sa.false())
)
# Whether agreed terms renew themselves after their last day, by the id of a cooperation.
RENEWS_ITSELF: Slot[Callable[[UUID], bool]] = Slot("renews_itself", lambda _cooperation_id: False)


def open_clearances(user_id: UUID, day: dt.date) -> tuple[ActorClearance, ...]:
    """Return a person's open clearances on a day, the last day included."""
    # A clearance is returned once for each visit barred to the person, or once if none is.
    barred: dict[tuple[UUID, UUID | None, dt.date], list[UUID]] = {}
    for row in db.session.execute(_open(), {"user_id": user_id, "day": day}):
        visits = barred.setdefault((row.cooperation_id, row.visit_id, row.until_on), [])
        if row.barred:
            visits.append(row.barred)
    return tuple(
        ActorClearance(*clearance, barred_visits=frozenset(visits))
        for clearance, visits in barred.items()
    )


def is_open(day: Day) -> sa.ColumnElement[bool]:
    """Return the condition over Clearance that it is open on a day and its person active.

    An added interest that concerns all work closes it while it waits for the NPM (C13). It gives
    nothing while the terms have stopped. A query with it is built while an application runs, which
    supplies NOTICES_STOP.
    """
    return sa.and_(is_open_by_itself(day), ~terms_have_stopped(day))


def is_open_by_itself(day: Day) -> sa.ColumnElement[bool]:
    """Return the condition of is_open(), also once the terms have stopped.

    It gives nothing then, which is for G5 to say.
    """
    return sa.and_(
        Clearance.closed_at.is_(None),
        Clearance.from_on <= day,
        Clearance.until_on >= day,
        sa.exists().where(
            User.id == Clearance.user_id, User.active.is_(True), User.suspended_at.is_(None)
        ),
        ~_is_barred(_Bar.visit_id.is_(None)),
    )


def terms_have_stopped(
    day: Day,
    cooperation_id: sa.SQLColumnExpression[UUID] = Clearance.cooperation_id,
) -> sa.ColumnElement[bool]:
    """Return the condition that the terms give no access on a day (P6, P7).

    Over Clearance, or another table that has the id of a cooperation.

    The same rule as policy.gives_access(). Terms that have run out open it again once renewed. A
    notice on the agreed terms or those on confidentiality counts from its day on.
    """
    return sa.or_(_are_at_rest(day, cooperation_id), NOTICES_STOP.get()(cooperation_id, day))


def last_days_of_terms(
    cooperation_id: sa.SQLColumnExpression[UUID],
) -> tuple[sa.SQLColumnExpression[dt.date | None], sa.SQLColumnExpression[dt.date | None]]:
    """Return what last_day() takes, as columns: the end of the terms, and the first stop."""
    return queries.agreed_end(cooperation_id), FIRST_STOP.get()(cooperation_id)


def last_day(terms_end: dt.date | None, first_stop: dt.date | None) -> dt.date | None:
    """Return the last day on which the terms let anybody have access; None if none is known.

    The day before terms_have_stopped() is true by dates: the one rule for all that names the day on
    which a clearance ends, if that is before its own.
    """
    before = first_stop - dt.timedelta(days=1) if first_stop else None
    return min((day for day in (terms_end, before) if day), default=None)


def terms_last_day(cooperation_id: UUID) -> dt.date | None:
    """Return last_day() of a cooperation."""
    columns = last_days_of_terms(sa.literal(cooperation_id, sa.Uuid()))
    return last_day(*db.session.execute(sa.select(*columns)).one())


def ends_by(day: dt.date) -> sa.ColumnElement[bool]:
    """Return the condition over Clearance that it ends on a day or before: by itself or the terms.

    Of those open today: the terms have stopped by the day after.
    """
    return sa.or_(Clearance.until_on <= day, terms_have_stopped(day + dt.timedelta(days=1)))


def only_notices_stop(
    day: Day, cooperation_id: sa.SQLColumnExpression[UUID]
) -> sa.ColumnElement[bool]:
    """Return the condition that the terms give no access on a day because of a notice alone."""
    return sa.and_(~_are_at_rest(day, cooperation_id), NOTICES_STOP.get()(cooperation_id, day))


def _are_at_rest(day: Day, cooperation_id: sa.SQLColumnExpression[UUID]) -> sa.ColumnElement[bool]:
    return (
        sa.exists()
        .where(
            Cooperation.id == cooperation_id,
            sa.or_(Cooperation.stage.in_(AT_REST), queries.terms_have_run_out(day)),
        )
        .correlate_except(Cooperation)
    )


def covers(visit_id: sa.SQLColumnExpression[Any]) -> sa.ColumnElement[bool]:
    """Return the condition over Clearance that it covers a visit, and isn't barred for it.

    Without a visit (null): that it covers the whole cooperation.
    """
    return sa.and_(
        sa.or_(Clearance.visit_id.is_(None), Clearance.visit_id == visit_id),
        ~_is_barred(_Bar.visit_id == visit_id),
    )


def _is_barred(condition: sa.ColumnElement[bool]) -> sa.ColumnElement[bool]:
    # Correlated with all enclosing queries: the visit is two levels further out.
    return (
        sa.exists()
        .where(
            _Bar.user_id == Clearance.user_id,
            _Bar.cooperation_id == Clearance.cooperation_id,
            condition,
        )
        .correlate_except(_Bar)
    )


@cache
def _open() -> sa.Select[UUID, UUID | None, dt.date, UUID | None]:
    """Return the query for a person's open clearances, which is sent with every page."""
    return (
        sa.select(
            Clearance.cooperation_id,
            Clearance.visit_id,
            Clearance.until_on,
            ClearanceBar.visit_id.label("barred"),
        )
        .outerjoin(
            ClearanceBar,
            sa.and_(
                ClearanceBar.user_id == Clearance.user_id,
                ClearanceBar.cooperation_id == Clearance.cooperation_id,
            ),
        )
        .where(
            Clearance.user_id == sa.bindparam("user_id"),
            is_open(sa.bindparam("day", type_=sa.Date())),
        )
        .order_by(Clearance.from_on, Clearance.id)
    )


@cache
def _cleared() -> sa.Select[UUID]:
    return sa.select(Clearance.user_id).where(
        Clearance.cooperation_id == sa.bindparam("cooperation_id"),
        covers(sa.bindparam("visit_id", type_=sa.Uuid())),
        is_open(sa.bindparam("day", type_=sa.Date())),
    )


def cleared_user_ids(cooperation_id: UUID, visit_id: UUID | None = None) -> frozenset[UUID]:
    """Return who is cleared today for all of a cooperation, or also for one of its visits."""
    wanted = {"cooperation_id": cooperation_id, "visit_id": visit_id, "day": clock.today()}
    return frozenset(db.session.scalars(_cleared(), wanted))


def ever_cleared(
    user_id: UUID, cooperation_ids: Collection[UUID], day: dt.date
) -> dict[UUID, bool]:
    """Return in which cooperations a person ever had a clearance, and whether one has yet to end.

    By the days of its row alone, to tell somebody why they have no access: one that hasn't ended
    may be for other work, or give nothing because of the terms or an interest.
    """
    goes_on = sa.and_(Clearance.closed_at.is_(None), Clearance.until_on >= day)
    rows = db.session.execute(
        sa.select(Clearance.cooperation_id, goes_on).where(
            Clearance.user_id == user_id, Clearance.cooperation_id.in_(cooperation_ids)
        )
    ).all()
    going_on = {cooperation_id for cooperation_id, does in rows if does}
    return {cooperation_id: cooperation_id in going_on for cooperation_id, _does in rows}


def open_clearance(  # noqa: PLR0913 -- the row of a clearance, as plain values
    actor: Actor | None,
    *,
    cooperation_id: UUID,
    user_id: UUID,
    organisation_id: UUID,
    undertaking_id: UUID,
    from_on: dt.date,
    until_on: dt.date,
    visit_id: UUID | None = None,
    for_project: bool = False,
) -> Clearance:
    """Open a clearance for a cooperation, a project or one visit; record CLEARANCE_OPENED.

    The caller has checked that the undertaking is signed and countersigned. The event leaves out
    the last day of a clearance for one visit, since it would reveal when the visit is.
    """
    if until_on < from_on:
        raise RuleBrokenError(_l("A clearance can't end before it begins."), "until_on")
    scope = ClearanceScope.PROJECT if for_project else ClearanceScope.ALL
    clearance = Clearance(
        cooperation_id=cooperation_id,
        user_id=user_id,
        organisation_id=organisation_id,
        scope=scope if visit_id is None else ClearanceScope.VISIT,
        visit_id=visit_id,
        undertaking_id=undertaking_id,
        from_on=from_on,
        until_on=until_on,
    )
    db.session.add(clearance)
    db.session.flush()
    details = {"until": until_on.isoformat()} if visit_id is None else {}
    record(
        verbs.CLEARANCE_OPENED,
        actor=actor,
        subject_type="clearance",
        subject_id=clearance.id,
        cooperation_id=cooperation_id,
        person=db.session.get_one(User, user_id).name,
        scope=clearance.scope.value,
        **details,
    )
    return clearance


def close(actor: Actor | None, clearance: Clearance, reason: str) -> bool:
    """Close a clearance immediately and record it; False if it was already closed."""
    return _close_all(actor, [Clearance.id == clearance.id], reason) == 1


def close_for_person(
    actor: Actor | None,
    user_id: UUID,
    reason: str,
    *,
    cooperation_id: UUID | None = None,
    organisation_id: UUID | None = None,
) -> int:
    """Close a person's open clearances, everywhere or where they leave; return how many."""
    conditions = [Clearance.user_id == user_id]
    if cooperation_id is not None:
        conditions.append(Clearance.cooperation_id == cooperation_id)
    if organisation_id is not None:
        conditions.append(Clearance.organisation_id == organisation_id)
    return _close_all(actor, conditions, reason)


def close_for_terms(
    actor: Actor | None, cooperation_id: UUID, reason: str = ClearanceEnd.NEW_TERMS
) -> int:
    """Close all clearances of a cooperation because of new terms; return how many."""
    return _close_all(actor, [Clearance.cooperation_id == cooperation_id], reason)


def close_for_undertaking(actor: Actor | None, undertaking_id: UUID, reason: str) -> int:
    """Close the clearances of an undertaking that was withdrawn or closed; return how many."""
    return _close_all(actor, [Clearance.undertaking_id == undertaking_id], reason)


def expired(day: dt.date) -> Sequence[UUID]:
    """Return the clearances whose last day was before a day and that were not closed."""
    return db.session.scalars(
        sa.select(Clearance.id).where(_has_expired(day)).order_by(Clearance.until_on)
    ).all()


def close_expired(clearance_id: UUID, day: dt.date) -> bool:
    """Record that a clearance has expired; False if it was closed in the meantime.

    For the worker. It no longer gave access: every query checks the dates.
    """
    whose = sa.select(Clearance.cooperation_id).where(Clearance.id == clearance_id)
    # Lock the chain before the row, like every event that closes clearances. Closing those of a
    # person locks the rows first: such a row is skipped, not waited for.
    lock_chain(db.session.scalars(whose).one())
    is_due = (Clearance.id == clearance_id, _has_expired(day))
    return _close_all(None, is_due, ClearanceEnd.EXPIRED, skip_locked=True) == 1


def ending(day: dt.date) -> Sequence[UUID]:
    """Return the clearances that are about to end and whose reminder is due.

    Not those for one visit: they end with it, so a reminder would reveal when the visit is. Nor,
    day after day, those whose terms renew themselves; which do, is read once a cooperation.
    """
    renews = cache(_seems_to_renew_itself)
    rows = db.session.execute(
        sa.select(
            Clearance.id,
            Clearance.cooperation_id,
            Clearance.until_on,
            Clearance.reminded_on,
            *last_days_of_terms(Clearance.cooperation_id),
        )
        .where(Clearance.id.in_(_ending_soon(day)), ~terms_have_stopped(day))
        .order_by(Clearance.until_on, Clearance.id)
    )
    return [
        clearance_id
        for clearance_id, cooperation_id, own, reminded_on, terms_end, first_stop in rows.all()
        if _is_due(min(own, last_day(terms_end, first_stop) or own), reminded_on)
        and _last_of(own, terms_end, first_stop, partial(renews, cooperation_id)) <= day + AHEAD
    ]


def remind(clearance_id: UUID, day: dt.date) -> bool:
    """Remind a person, and the NPM's coordinators, once that a clearance is about to end.

    If it ends with the terms, only the person: coordinators are reminded of that as M19 says. For
    the worker; skips a row that somebody else has locked. Return whether anybody was notified:
    nobody is while it gives no access, or if another one continues after it, which reminds of the
    terms too. The end of terms that renew themselves is none.
    """
    clearance = db.session.scalar(
        sa.select(Clearance)
        .where(Clearance.id == clearance_id, _is_ending(day))
        .with_for_update(skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if clearance is None:
        return False
    own = clearance.until_on
    terms_end, first_stop = db.session.execute(
        sa.select(*last_days_of_terms(Clearance.cooperation_id)).where(Clearance.id == clearance.id)
    ).one()
    renews = partial(RENEWS_ITSELF.get(), clearance.cooperation_id)
    last = _last_of(own, terms_end, first_stop, renews)
    if last > day + AHEAD or not _is_due(last, clearance.reminded_on):
        return False
    with_terms = last < own
    clearance.reminded_on = day
    db.session.flush()
    gives_access = sa.exists().where(Clearance.id == clearance.id, is_open(day))
    goes_on: sa.ColumnElement[bool] = sa.exists().where(
        _Other.user_id == clearance.user_id,
        _Other.cooperation_id == clearance.cooperation_id,
        _Other.closed_at.is_(None),
        _Other.visit_id.is_(None),
        _Other.until_on > own,
        # One that hasn't begun reminds of no terms.
        _Other.from_on <= (day if with_terms else _Other.from_on),
    )
    if not db.session.scalar(sa.select(sa.and_(gives_access, ~goes_on))):
        return False
    if with_terms:
        messages.access_ends_with_terms(clearance.id, clearance.user_id)
        return True
    cooperation = db.session.get_one(Cooperation, clearance.cooperation_id)
    coordinators = {person.user_id for person in people.coordinators_for_npm(cooperation.id)}
    messages.clearance_ends(clearance.id, clearance.user_id)
    messages.clearance_of_other_ends(
        clearance.id, cooperation.reference, coordinators - {clearance.user_id}
    )
    return True


def _last_of(
    own: dt.date,
    terms_end: dt.date | None,
    first_stop: dt.date | None,
    renews: Callable[[], bool],
) -> dt.date:
    """Return the day on which a clearance ends, by itself or with terms that don't renew."""
    last = min(own, last_day(terms_end, first_stop) or own)
    if terms_end == last < own and renews():
        last = min(own, last_day(None, first_stop) or own)
    return last


def _seems_to_renew_itself(cooperation_id: UUID) -> bool:
    """Return RENEWS_ITSELF of a cooperation; False if its terms can't be read.

    Then the others are found all the same, and remind() fails for each of its clearances alone.
    """
    try:
        return RENEWS_ITSELF.get()(cooperation_id)
    except SQLAlchemyError:
        raise
    except Exception:  # noqa: BLE001 -- whatever is wrong with it, see above
        return False


def _is_ending(day: dt.date) -> sa.ColumnElement[bool]:
    return sa.and_(
        Clearance.closed_at.is_(None),
        Clearance.until_on >= day,
        Clearance.visit_id.is_(None),
        ends_by(day + AHEAD),
        ~terms_have_stopped(day),
    )


def _ending_soon(day: dt.date) -> sa.CompoundSelect[UUID]:
    """Return the query for clearances with an end in the next days; each part has its own index."""
    soon = day + AHEAD
    unfinished = (
        Clearance.closed_at.is_(None),
        Clearance.until_on >= day,
        Clearance.visit_id.is_(None),
    )
    by_themselves = sa.select(Clearance.id).where(*unfinished, Clearance.until_on <= soon)
    with_terms = (
        sa.select(Clearance.id)
        .join(Cooperation, Cooperation.id == Clearance.cooperation_id)
        .where(*unfinished, Cooperation.ends_on.between(day, soon))
    )
    stopped = STOPPED_BY.get()(soon + dt.timedelta(days=1))
    by_notice = sa.select(Clearance.id).where(*unfinished, Clearance.cooperation_id.in_(stopped))
    return by_themselves.union(with_terms, by_notice)


def _is_due(last: dt.date, reminded_on: dt.date | None) -> bool:
    """Return whether nobody was reminded of this last day; a reminder of an earlier one is not it.

    Terms that would have ended can be renewed, and a notice withdrawn.
    """
    return reminded_on is None or reminded_on < last - AHEAD


def _has_expired(day: dt.date) -> sa.ColumnElement[bool]:
    return sa.and_(Clearance.closed_at.is_(None), Clearance.until_on < day)


def _close_all(
    actor: Actor | None,
    conditions: Iterable[sa.ColumnElement[bool]],
    reason: str,
    *,
    skip_locked: bool = False,
) -> int:
    rows = db.session.scalars(
        sa.select(Clearance)
        .where(Clearance.closed_at.is_(None), *conditions)
        .order_by(Clearance.cooperation_id, Clearance.id)
        .options(joinedload(Clearance.user))
        .with_for_update(of=Clearance, skip_locked=skip_locked)
        .execution_options(populate_existing=True)
    ).all()
    for row in rows:
        row.closed_at, row.closed_reason = clock.now(), str(reason)
        db.session.flush()
        if row.reminded_on is not None:
            messages.clearance_ends_no_more(row.id)
        record(
            verbs.CLEARANCE_CLOSED,
            actor=actor,
            subject_type="clearance",
            subject_id=row.id,
            cooperation_id=row.cooperation_id,
            person=row.user.name,
            reason=str(reason),
        )
    return len(rows)
