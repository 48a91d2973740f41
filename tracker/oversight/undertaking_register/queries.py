"""Queries for the register of undertakings, across all cooperations of an NPM.

In one file: its filters, order and lines read the same rows.
"""

import datetime as dt
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from tracker.access.actor import Actor
from tracker.accounts.models import User
from tracker.agreements import evidence
from tracker.checklists.models import Checklist
from tracker.cooperations import clearances
from tracker.cooperations.models import (
    Clearance,
    ClearanceScope,
    Cooperation,
    CooperationEntry,
)
from tracker.cooperations.queries import with_words
from tracker.cooperations.scope import is_of_npms
from tracker.core import clock
from tracker.core.db import db
from tracker.evidence.models import Disagreement
from tracker.organisations.models import Organisation
from tracker.oversight.models import EntryState, RegisterEntry
from tracker.oversight.undertaking_register import policy
from tracker.oversight.undertaking_register.facts import Access, Filters, TextVersion
from tracker.signoff.models import Method, Revision, Signature, SignatureKind
from tracker.undertakings import added_interests, bound, lists, scope
from tracker.undertakings import queries as undertakings
from tracker.undertakings.lists import Line
from tracker.undertakings.models import SUBJECT as UNDERTAKING
from tracker.undertakings.models import Undertaking, UndertakingState

MAX_WORDS = 8
# How many lines of an export are in memory at a time.
AT_A_TIME = 100

# The order of the register: the newest cooperation first, and within it who was asked last.
_PLACE: tuple[Any, ...] = (
    CooperationEntry.opened_at,
    CooperationEntry.reference,
    Undertaking.asked_at,
    Undertaking.id,
)
_ORDER = tuple(column.desc() for column in _PLACE)
_NOT_YET = Undertaking.state.in_(
    [UndertakingState.ASKED, UndertakingState.ON_PAPER, UndertakingState.SIGNED]
)


@dataclass(frozen=True, slots=True)
class RegisteredUndertaking:
    """A line of the register, without anything of class K2 to K7 and without interests."""

    line: Line
    reference: str
    title: str
    # The revision of the confidentiality terms it is based on, None if the row names none; and
    # whether that is in force, None if the terms disagree with their signatures.
    revision: int | None
    is_current: bool | None
    # How the person proved who they are; None before signing.
    method: Method | None
    # Title and version of each document that the person signed with it (adr 75).
    documents: tuple[str, ...] = ()
    # Whether the reader decides on it for the NPM.
    is_for_reader: bool = False

    @property
    def is_for_one_visit(self) -> bool:
        """Whether it gave access to one visit: which, and until when, is planning (K2)."""
        clearance = self.line.clearance
        return clearance is not None and clearance.scope is ClearanceScope.VISIT

    @property
    def until_on(self) -> dt.date | None:
        """The last day of the access, if it may be shown."""
        clearance = self.line.clearance
        if clearance is None or not self.line.is_cleared or self.is_for_one_visit:
            return None
        return self.line.until_on


@dataclass(frozen=True, slots=True)
class GoneLine:
    """An undertaking that was deleted from the database: whose, by its event."""

    reference: str
    title: str
    person: str


@dataclass(frozen=True, slots=True)
class RegisterPage:
    """One page of the register's lines, and whether more follow."""

    lines: list[RegisteredUndertaking]
    has_more: bool


def page(
    actor: Actor, filters: Filters, *, after: UUID | None = None, limit: int = 25
) -> RegisterPage:
    """Return the undertakings that match the filters, starting after a given one.

    Readers of an NPM see those of all cooperations it is a party of, auditors those of the NPM they
    audit; nobody else sees any. If the given one isn't in the register, the page is the first. The
    number of statements grows neither with the lines nor with the instance.
    """
    query = _matching(sa.select(Undertaking.id), actor, filters).order_by(*_ORDER)
    place = _place_of(actor, after) if after else None
    if place is not None:
        query = query.where(*_following(place))
    ids = list(db.session.scalars(query.limit(limit + 1)))
    return RegisterPage(_lines_of(actor, ids[:limit]), len(ids) > limit)


def all_lines(actor: Actor, filters: Filters) -> Iterator[list[RegisteredUndertaking]]:
    """Yield all undertakings that match the filters, in batches, in the order of page()."""
    query = _matching(sa.select(*_PLACE), actor, filters).order_by(*_ORDER).limit(AT_A_TIME)
    following = query
    while places := db.session.execute(following).all():
        yield _lines_of(actor, [place.id for place in places])
        following = query.where(*_following(places[-1]))


def counts(actor: Actor, filters: Filters) -> dict[str, int]:
    """Return how many match the other filters in each group of Access, in one statement.

    "" is all of them.
    """
    others = Filters(
        filters.cooperation,
        filters.organisation,
        filters.person,
        ends_within=filters.ends_within,
        version=filters.version,
    )
    row: Any = db.session.execute(
        _matching(
            sa.select(
                sa.func.count(),
                sa.func.count(sa.case((_is_open(), 1))),
                sa.func.count(sa.case((_NOT_YET, 1))),
            ),
            actor,
            others,
        )
    ).one()
    total, is_open, not_yet = map(int, row)
    return {
        "": total,
        Access.OPEN: is_open,
        Access.NOT_YET: not_yet,
        Access.CLOSED: total - is_open - not_yet,
    }


def gone(actor: Actor) -> list[GoneLine]:
    """Return the undertakings that were deleted, as the worker has found them, whatever the filter.

    In one statement, two more if there are any.
    """
    noted = db.session.execute(
        sa.select(Cooperation.id, Cooperation.reference, Cooperation.title)
        .join(CooperationEntry, CooperationEntry.cooperation_id == Cooperation.id)
        .where(
            Cooperation.id.in_(
                sa.select(Disagreement.cooperation_id).where(
                    Disagreement.subject_type == UNDERTAKING,
                    ~sa.exists().where(Undertaking.id == Disagreement.subject_id),
                )
            ),
            _seen(actor),
        )
        .order_by(Cooperation.reference)
    ).all()
    places = {row.id: row for row in noted}
    if not places:
        return []
    return [
        GoneLine(places[row.cooperation_id].reference, places[row.cooperation_id].title, row.person)
        for row in lists.gone(list(places))
    ]


def count(actor: Actor, filters: Filters) -> int:
    """Return how many undertakings match all filters; cheaper than counts() for one group."""
    return (
        db.session.scalar(_matching(sa.select(sa.func.count(Undertaking.id)), actor, filters)) or 0
    )


# Filters ------------------------------------------------------------------------------------------


def _matching(query: Any, actor: Actor, filters: Filters) -> sa.Select[Any]:
    matching: sa.Select[Any] = (
        query.select_from(CooperationEntry)
        .join(Undertaking, Undertaking.cooperation_id == CooperationEntry.cooperation_id)
        .where(
            _seen(actor),
            *with_words(_words(filters.cooperation)),
            *_named(Organisation, Undertaking.organisation_id, filters.organisation),
            *_named(User, Undertaking.user_id, filters.person),
        )
    )
    match filters.access:
        case Access.OPEN:
            matching = matching.where(_is_open())
        case Access.NOT_YET:
            matching = matching.where(_NOT_YET)
        case Access.CLOSED:
            matching = matching.where(~_NOT_YET, ~_is_open())
    if filters.ends_within is not None:
        matching = matching.where(_ends_within(filters.ends_within))
    if filters.version is not None:
        is_current = _is_current()
        wanted = is_current if filters.version is TextVersion.IN_FORCE else ~is_current
        matching = matching.where(wanted)
    return matching


def _seen(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over CooperationEntry that its undertakings are in the register.

    A cooperation that a person sees for several NPMs counts once.
    """
    ways = [*_ways(actor, CooperationEntry)]
    if not ways:
        return sa.false()
    if len(ways) == 1:
        return ways[0]
    other = aliased(CooperationEntry)
    again = sa.exists().where(
        other.cooperation_id == CooperationEntry.cooperation_id,
        other.organisation_id < CooperationEntry.organisation_id,
        sa.or_(*_ways(actor, other)),
    )
    return sa.and_(sa.or_(*ways), ~again)


def _ways(actor: Actor, entry: type[CooperationEntry]) -> Iterator[sa.ColumnElement[bool]]:
    own_id = actor.organisation_id
    if policy.reads_for_npm(actor) and own_id is not None and own_id not in actor.audited_ids:
        yield sa.and_(
            entry.organisation_id == own_id,
            entry.is_of_npm.is_(True),
            sa.or_(entry.left_on.is_(None), entry.left_on >= clock.today()),
        )
    for npm_id in sorted(actor.audited_ids):
        yield sa.and_(entry.organisation_id == npm_id, entry.is_of_npm.is_(True))


def _is_of_reader(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over Undertaking that the parties let the person see it.

    _seen() finds it by an entry, which is no evidence.
    """
    ways = []
    if actor.audited_ids:
        ways.append(is_of_npms(actor.audited_ids, Undertaking.cooperation_id))
    if policy.reads_for_npm(actor) and actor.organisation_id is not None:
        own = frozenset({actor.organisation_id})
        ways.append(is_of_npms(own, Undertaking.cooperation_id, on=clock.today()))
    return sa.or_(*ways)


def _words(text: str) -> list[str]:
    return text.split()[:MAX_WORDS]


def _named(
    model: type[Organisation] | type[User], row_id: sa.SQLColumnExpression[UUID], text: str
) -> list[sa.ColumnElement[bool]]:
    """Return the conditions that each word occurs in the name of the row with row_id."""
    name = sa.select(model.name).where(model.id == row_id).correlate(Undertaking).scalar_subquery()
    return [name.icontains(word, autoescape=True) for word in _words(text)]


def _is_open() -> sa.ColumnElement[bool]:
    return sa.and_(
        Undertaking.state == UndertakingState.COUNTERSIGNED,
        sa.exists()
        .where(Clearance.undertaking_id == Undertaking.id, clearances.is_open(clock.today()))
        .correlate(Undertaking),
    )


def _ends_within(days: int) -> sa.ColumnElement[bool]:
    """Return the condition that access ends soon; not for one visit, whose date is K2.

    By the day it was given until, or earlier with the terms.
    """
    today = clock.today()
    return sa.and_(
        Undertaking.state == UndertakingState.COUNTERSIGNED,
        sa.exists()
        .where(
            Clearance.undertaking_id == Undertaking.id,
            Clearance.scope != ClearanceScope.VISIT,
            clearances.ends_by(today + dt.timedelta(days=days)),
            clearances.is_open(today),
        )
        .correlate(Undertaking),
    )


def _is_current() -> sa.ColumnElement[bool]:
    """Return the condition over Undertaking that its terms are in force today, by their entries.

    They end with the agreed terms of their cooperation, which the entries say too.
    """
    today, first, until = clock.today(), RegisterEntry.from_on, RegisterEntry.until_on
    suspends_on = RegisterEntry.suspends_on
    return (
        sa.exists()
        .where(
            Revision.id == Undertaking.terms_revision_id,
            Checklist.id == Revision.subject_id,
            Checklist.revision_in_force_id == Revision.id,
            RegisterEntry.cooperation_id == Undertaking.cooperation_id,
            RegisterEntry.checklist_id == Checklist.id,
            RegisterEntry.state == EntryState.IN_FORCE,
            sa.or_(first.is_(None), first <= today),
            sa.or_(until.is_(None), until >= today),
            sa.or_(suspends_on.is_(None), suspends_on > today),
        )
        .correlate(Undertaking)
    )


# Positions and lines ------------------------------------------------------------------------------


def _place_of(actor: Actor, undertaking_id: UUID) -> Any:
    """Return the position of an undertaking in the person's register; None if it isn't there."""
    query = _matching(sa.select(*_PLACE), actor, Filters())
    return db.session.execute(query.where(Undertaking.id == undertaking_id)).first()


def _following(place: Any) -> list[sa.ColumnElement[bool]]:
    """Return the conditions that a line comes after a position."""
    values = (sa.literal(value, column.type) for column, value in zip(_PLACE, place, strict=True))
    return [CooperationEntry.opened_at <= place.opened_at, sa.tuple_(*_PLACE) < sa.tuple_(*values)]


def _lines_of(actor: Actor, undertaking_ids: list[UUID]) -> list[RegisteredUndertaking]:
    """Return the undertakings that _matching() found, in order."""
    if not undertaking_ids:
        return []
    rows: dict[UUID, Any] = {
        row[0].id: row
        for row in db.session.execute(
            sa.select(
                Undertaking,
                Cooperation.reference,
                Cooperation.title,
                Revision.number,
                Checklist,
                Signature.method,
                scope.decided_by(actor),
                *added_interests.bearing_columns(),
            )
            .join(Cooperation, Cooperation.id == Undertaking.cooperation_id)
            .outerjoin(Revision, Revision.id == Undertaking.terms_revision_id)
            .outerjoin(Checklist, Checklist.id == Revision.subject_id)
            .outerjoin(
                Signature,
                sa.and_(
                    Signature.revision_id == Undertaking.revision_id,
                    Signature.user_id == Undertaking.user_id,
                    Signature.kind == SignatureKind.SIGNATURE,
                ),
            )
            .where(Undertaking.id.in_(undertaking_ids), _is_of_reader(actor))
            .options(*undertakings.WITH_NAMES)
        )
    }
    undertakings_read = [row[0] for row in rows.values()]
    compared, misnamed = bound.compare(undertakings_read), bound.misnamed(undertakings_read)
    terms = evidence.compare(
        {row.Checklist.id: row.Checklist for row in rows.values() if row.Checklist}.values()
    )
    lines = []
    for undertaking_id in undertaking_ids:
        if undertaking_id not in rows:
            continue
        undertaking, reference, title, revision, checklist, method, is_for_reader, *columns = rows[
            undertaking_id
        ]
        line = Line(
            undertaking,
            compared[undertaking_id].clearance,
            is_own=undertaking.user_id == actor.user_id,
            agrees=compared[undertaking_id].agrees and undertaking_id not in misnamed,
            bearing=added_interests.bearing(undertaking.state, columns),
            paper=compared[undertaking_id].paper,
            terms_have_stopped=compared[undertaking_id].terms_have_stopped,
            by_notice=compared[undertaking_id].by_notice,
            terms_end_on=compared[undertaking_id].terms_end_on,
        )
        is_current = (
            terms[checklist.id].is_in_force(undertaking.terms_revision_id)
            if checklist is not None and terms[checklist.id].agrees
            else None
        )
        documents = compared[undertaking_id].documents
        lines.append(
            RegisteredUndertaking(
                line,
                reference,
                title,
                revision,
                is_current,
                method,
                documents,
                bool(is_for_reader),
            )
        )
    return lines
