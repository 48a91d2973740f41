"""The status of undertakings as their evidence shows it, and whether the rows agree.

In one file: undertakings, and the interests added to them, without which nobody is cleared.
"""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from tracker.accounts import bound as account_bound
from tracker.activity import verbs, witness
from tracker.activity.chain import Link
from tracker.activity.models import Chain, Event
from tracker.activity.witness import NotSoundError, Recorded
from tracker.checklist_templates.models import ChecklistKind
from tracker.cooperations import clearances, keys
from tracker.cooperations.models import (
    Clearance,
    ClearanceBar,
    ClearanceScope,
    CooperationKey,
)
from tracker.core import canonical, clock
from tracker.core.db import Base, db
from tracker.core.errors import KeyDestroyedError, UnreadableError
from tracker.signoff import bound, outcomes
from tracker.signoff import service as signoff
from tracker.signoff.bound import Bound
from tracker.signoff.models import Revision, Signature, SignatureKind
from tracker.signoff.outcomes import UndertakingCourse
from tracker.undertakings import added_interests
from tracker.undertakings.models import (
    CLEARANCE,
    SUBJECT,
    AddedInterest,
    InterestsDecision,
    Reach,
    Undertaking,
    UndertakingEnd,
    UndertakingState,
)

_IDS: sa.BindParameter[Any] = sa.bindparam("undertaking_ids", expanding=True)
_CLEARANCES = (
    sa.select(Clearance)
    .where(Clearance.undertaking_id.in_(_IDS))
    .order_by(Clearance.from_on, Clearance.id)
)
_DAY: sa.BindParameter[dt.date] = sa.bindparam("day", type_=sa.Date())
_OF_CLEARANCES = (verbs.CLEARANCE_OPENED, verbs.CLEARANCE_CLOSED)
# The events about an undertaking that bind its row.
_OF_UNDERTAKINGS = (
    *outcomes.UNDERTAKING,
    verbs.UNDERTAKING_SCAN_RECORDED,
    verbs.UNDERTAKING_SCAN_CONFIRMED,
    verbs.UNDERTAKING_SCAN_REFUSED,
    verbs.UNDERTAKING_SCAN_WITHDRAWN,
    verbs.INTERESTS_DECIDED,
)
_OF_INTERESTS = (verbs.INTEREST_ADDED, verbs.INTERESTS_DECIDED)
_INTERESTS = {AddedInterest.__tablename__}
_COOPERATIONS: sa.BindParameter[Any] = sa.bindparam("in_cooperations", expanding=True)
_Adding = aliased(Event)
# Of undertakings with their signatures, of the clearances they opened, and of interests that were
# added. These are found by the event that added each: a row that was deleted or given away is then
# missing.
_EVENTS = witness.about_with_details(
    sa.or_(
        bound.IS_ABOUT,
        sa.and_(
            Event.subject_type == CLEARANCE,
            Event.subject_id.in_(sa.bindparam("clearance_ids", expanding=True)),
        ),
        sa.and_(
            Event.subject_type == added_interests.SUBJECT,
            Event.subject_id.in_(
                sa.select(_Adding.subject_id)
                .join(Chain, Chain.id == _Adding.chain_id)
                .where(
                    Chain.cooperation_id.in_(_COOPERATIONS),
                    _Adding.verb == verbs.INTEREST_ADDED.name,
                )
            ),
        ),
    ),
    {*bound.VERBS, *_OF_CLEARANCES, *_OF_UNDERTAKINGS, *_OF_INTERESTS},
)
# Which of them bind the rows of undertakings and clearances, and those of added interests.
_OF_ROWS = (
    {SUBJECT, CLEARANCE},
    {verb.name for verb in (*_OF_CLEARANCES, *_OF_UNDERTAKINGS)},
)
_OF_ADDED = ({added_interests.SUBJECT}, {verb.name for verb in _OF_INTERESTS})
_ADDED = sa.select(AddedInterest).where(AddedInterest.cooperation_id.in_(_COOPERATIONS))
_BARS = sa.select(ClearanceBar.interest_id, ClearanceBar.user_id).where(
    ClearanceBar.cooperation_id.in_(_COOPERATIONS), ClearanceBar.visit_id.is_(None)
)


@dataclass(frozen=True, slots=True)
class Compared:
    """The outcome of an undertaking by its evidence, and whether its row agrees with it."""

    course: UndertakingCourse
    # Whether text, signatures and events agree with each other; and whether the row agrees too.
    is_sound: bool
    agrees: bool
    # What the person's signature says about its scan, if it was given on paper.
    paper: Mapping[str, Any] | None = None
    # The newest clearance it opened, whether it is still open or not.
    clearance: Clearance | None = None
    # Whether that is open today, where it was asked (compare).
    is_open: bool = False
    # Whether the terms let nobody have access now, and whether that is by a notice alone.
    terms_have_stopped: bool = False
    by_notice: bool = False
    # The last day on which they let anybody have access, also by a notice that is still to come.
    terms_end_on: dt.date | None = None
    # The last day of that clearance, according to its event; None if it names none. Only for
    # statements to outsiders.
    last_day: dt.date | None = None
    # Title and version of each document signed with it, according to the event of the signature.
    documents: tuple[str, ...] = ()


def compare(
    undertakings: Collection[Undertaking],
    *,
    asks_whether_open: bool = False,
    visit_id: UUID | None = None,
) -> dict[UUID, Compared]:
    """Compare rows of undertakings with their signatures and events, for pages and lists.

    That includes what was declared and decided, also on interests added later, what each opened
    and until when, and why it was closed. In three statements, one more if interests were added,
    another one if one of them closes all work, and none if there is nothing to compare.

    With asks_whether_open, also whether the clearances are open today, for a whole cooperation or
    for a visit.
    """
    if not undertakings:
        return {}
    ids = [undertaking.id for undertaking in undertakings]
    beside = _beside(ids, visit_id, asks_whether_open=asks_whether_open)
    opened = [row.clearance for row in beside.values() if row.clearance]
    current = {
        row.cooperation_id for row in undertakings if row.state is not UndertakingState.CLOSED
    }
    cooperation_ids = {undertaking.cooperation_id for undertaking in undertakings}
    events = witness.recorded(
        _EVENTS,
        cooperation_ids,
        clearance_ids=[clearance.id for clearance in opened],
        # Never empty: for an empty list SQLite may read the whole table.
        in_cooperations=list(current or cooperation_ids),
        **bound.wanted(SUBJECT, ids),
    )
    bound_rows = bound.read(SUBJECT, ids, [(event.link, event.details) for event in events])
    compared = {
        undertaking.id: compare_with_events(undertaking, bound_rows) for undertaking in undertakings
    }
    recorded = [event for event in events if _is_of(event, _OF_ROWS)]
    by_clearance: dict[UUID, list[Link]] = {}
    for event in recorded:
        if event.link.subject_type == CLEARANCE:
            by_clearance.setdefault(event.link.subject_id, []).append(event.link)
    details = {
        event.link.event_id: event.details for event in recorded if event.details is not None
    }
    rows: dict[Base, UUID] = {row: row.cooperation_id for row in undertakings}
    rows.update({row: row.cooperation_id for row in opened})
    differing = witness.differing(recorded, rows)
    chains = {beside[row.id].chain_id: row.cooperation_id for row in undertakings}
    with_added = {row.cooperation_id for row in undertakings if beside[row.id].has_added}
    added = [
        (place, event)
        for event in events
        if _is_of(event, _OF_ADDED) and (place := chains[event.link.chain_id]) in current
    ]
    # Between the two statements somebody may have added the first interest.
    with_added |= {place for place, _event in added}
    altered = _altered_interests(current, with_added & current, added)
    results = {}
    for undertaking in undertakings:
        claim = compared[undertaking.id]
        row = beside[undertaking.id]
        clearance = row.clearance
        results[undertaking.id] = replace(
            claim,
            agrees=claim.agrees
            and undertaking not in differing
            and (clearance is None or clearance not in differing)
            and not altered.concern(undertaking)
            and _is_closed_as_recorded(undertaking, claim.course, details)
            and _is_opened_as_recorded(undertaking, clearance, by_clearance, details),
            clearance=clearance,
            is_open=bool(row.is_open),
            terms_have_stopped=row.has_stopped,
            by_notice=row.by_notice,
            terms_end_on=clearances.last_day(row.terms_end, row.first_stop),
            documents=_signed_beside(claim.course, details),
        )
    return results


def misnamed(undertakings: Collection[Undertaking]) -> frozenset[UUID]:
    """Return those beside whose person or organisation a name is shown that no event binds.

    For lists; access isn't decided by names. In two statements, none if there is nothing to
    compare.
    """
    altered = account_bound.differing(
        {undertaking.user_id for undertaking in undertakings},
        {undertaking.organisation_id for undertaking in undertakings},
    )
    return frozenset(
        undertaking.id
        for undertaking in undertakings
        if not altered.isdisjoint({undertaking.user_id, undertaking.organisation_id})
    )


def _is_of(event: Recorded, wanted: tuple[Collection[str], Collection[str]]) -> bool:
    """Return whether an event is about a subject of some types, and of some verbs."""
    subject_types, names = wanted
    return event.link.subject_type in subject_types and event.link.verb in names


def _signed_beside(
    course: UndertakingCourse, details: Mapping[UUID, Mapping[str, Any]]
) -> tuple[str, ...]:
    known = details.get(course.signed_by) if course.signed_by else None
    return tuple(known.get("documents", ())) if known else ()


@cache
def _beside_query(*, asks_whether_open: bool) -> sa.Select[*tuple[Any, ...]]:
    is_open = sa.and_(
        clearances.covers(sa.bindparam("visit_id", type_=sa.Uuid())), clearances.is_open(_DAY)
    )
    return (
        sa.select(
            Undertaking.id,
            Clearance,
            is_open if asks_whether_open else sa.false(),
            clearances.terms_have_stopped(_DAY, Undertaking.cooperation_id),
            clearances.only_notices_stop(_DAY, Undertaking.cooperation_id),
            *clearances.last_days_of_terms(Undertaking.cooperation_id),
            sa.select(Chain.id)
            .where(Chain.cooperation_id == Undertaking.cooperation_id)
            .scalar_subquery(),
            sa.exists().where(AddedInterest.cooperation_id == Undertaking.cooperation_id),
            CooperationKey,
        )
        .outerjoin(Clearance, Clearance.undertaking_id == Undertaking.id)
        .outerjoin(CooperationKey, CooperationKey.cooperation_id == Undertaking.cooperation_id)
        .where(Undertaking.id.in_(_IDS))
        .order_by(Clearance.from_on, Clearance.id)
    )


class _Beside(NamedTuple):
    """What belongs to an undertaking: its clearance, and what closes that."""

    # The newest clearance it opened, if there is one.
    clearance: Clearance | None
    # Whether it is open today, where it was asked.
    is_open: bool | None
    # Whether the terms let nobody have access now, and whether that is by a notice alone.
    has_stopped: bool
    by_notice: bool
    # When they end, and when a notice stops them first (clearances.last_day).
    terms_end: dt.date | None
    first_stop: dt.date | None
    # Of its cooperation: the chain, and whether anybody has added interests.
    chain_id: UUID
    has_added: bool


def _beside(
    undertaking_ids: list[UUID], visit_id: UUID | None, *, asks_whether_open: bool
) -> dict[UUID, _Beside]:
    """Return what belongs to some undertakings; loads the keys of their cooperations."""
    values = {"undertaking_ids": undertaking_ids, "visit_id": visit_id, "day": clock.today()}
    beside: dict[UUID, _Beside] = {}
    rows = db.session.execute(_beside_query(asks_whether_open=asks_whether_open), values)
    for undertaking_id, *columns, key in rows:
        beside[undertaking_id] = _Beside._make(columns)
        keys.keep([key])
    return beside


def look_whole(undertaking: Undertaking) -> Compared:
    """Compare one undertaking after verifying its whole chain; for statements to outsiders."""
    try:
        bound_rows = bound.read_whole(SUBJECT, [undertaking.id], undertaking.cooperation_id)
    except NotSoundError:
        return Compared(UndertakingCourse(is_sound=False), is_sound=False, agrees=False)
    claim = compare_with_events(undertaking, bound_rows)
    whole = all(
        bound_rows.proven(revision) and _is_as_frozen(revision)
        for revision in bound_rows.revisions.get(undertaking.id, ())
    )
    if not whole:
        return Compared(claim.course, is_sound=False, agrees=False)
    if not claim.course.is_signed_by_all or claim.course.closed_by is not None:
        return claim
    return _with_last_day(claim, undertaking, bound_rows)


def _with_last_day(claim: Compared, undertaking: Undertaking, bound_rows: Bound) -> Compared:
    """Return what was compared with the last day of the clearance, according to its event.

    By its row once the event's details were erased. Of a clearance for one visit the event names
    none, and neither does this: it would tell when the visit is (ADR 68).
    """
    openings = [
        (clearance, link)
        for clearance in db.session.scalars(_CLEARANCES, {"undertaking_ids": [undertaking.id]})
        for link in bound_rows.links.get(clearance.id, ())
        if (link.subject_type, link.verb) == (CLEARANCE, verbs.CLEARANCE_OPENED.name)
    ]
    if len(openings) != 1 or openings[0][0].user_id != undertaking.user_id:
        return Compared(claim.course, is_sound=False, agrees=False)
    [(clearance, opening)] = openings
    details = witness.details_of([opening.event_id]).get(opening.event_id)
    if details is None:
        is_of_visit = clearance.scope is ClearanceScope.VISIT
        return replace(claim, last_day=None if is_of_visit else clearance.until_on)
    until = details.get("until")
    return replace(claim, last_day=dt.date.fromisoformat(until) if until else None)


def terms_of(undertaking: Undertaking, revision: Revision) -> Revision | None:
    """Return the terms that an undertaking is about, by its frozen text.

    By its row once the text was erased. None if the row names others, or they are gone.
    """
    terms = db.session.get(Revision, undertaking.terms_revision_id)
    if terms is None or terms.kind != ChecklistKind.CONFIDENTIALITY:
        return None
    try:
        key = keys.key_of(revision.cooperation_id) if revision.is_sealed else None
        document = signoff.document_of(revision, key)
    except KeyDestroyedError:  # erased for good; its events remain
        return terms
    return terms if document["terms"]["digest"] == terms.digest else None


def why_closed(undertaking: Undertaking, course: UndertakingCourse) -> str:
    """Return why it was closed (UndertakingEnd): by the event, or the row once that was erased."""
    if course.closed_by is None:
        return ""
    details = witness.details_of([course.closed_by]).get(course.closed_by)
    return str(details["reason"]) if details else undertaking.closed_reason


def is_superseded(undertaking: Undertaking, course: UndertakingCourse) -> bool:
    """Return whether it was closed because of new terms."""
    return why_closed(undertaking, course) == UndertakingEnd.NEW_TERMS


def compare_with_events(undertaking: Undertaking, bound: Bound) -> Compared:
    """Compare the row of an undertaking with the evidence that was read."""
    course = bound.undertaking(undertaking.id, undertaking.user_id)
    frozen = bound.revisions.get(undertaking.id, [])
    is_sound = course.is_sound and len(frozen) <= 1
    own, other = _signatures_of(undertaking, bound)
    agrees = (
        is_sound
        and undertaking.state.value == course.phase.value
        and undertaking.revision_id == (frozen[0].id if frozen else None)
        and (undertaking.closed_at is None) == (course.closed_by is None)
        and undertaking.signed_at == (own.signed_at if own and course.is_signed else None)
        and undertaking.countersigned_at
        == (other.signed_at if other and course.is_signed_by_all else None)
    )
    return Compared(course, is_sound, agrees, own.paper if own else None)


def _signatures_of(
    undertaking: Undertaking, bound: Bound
) -> tuple[Signature | None, Signature | None]:
    """Return the person's signature and the countersignature, if they exist."""
    given = bound.signatures.get(undertaking.revision_id, ()) if undertaking.revision_id else ()
    own = (
        signature
        for signature in given
        if signature.kind is SignatureKind.SIGNATURE and signature.user_id == undertaking.user_id
    )
    others = (row for row in given if row.kind is SignatureKind.COUNTERSIGNATURE)
    return next(own, None), next(others, None)


def _is_closed_as_recorded(
    undertaking: Undertaking, course: UndertakingCourse, details: Mapping[UUID, Mapping[str, Any]]
) -> bool:
    """Return whether the reason for closing is the one in the event, unless that was erased."""
    known = details.get(course.closed_by) if course.closed_by else None
    return known is None or known.get("reason") == undertaking.closed_reason


def _is_opened_as_recorded(
    undertaking: Undertaking,
    clearance: Clearance | None,
    by_clearance: Mapping[UUID, list[Link]],
    details: Mapping[UUID, Mapping[str, Any]],
) -> bool:
    """Return whether the clearance is as the events say, with its scope and last day."""
    if clearance is None:
        return undertaking.countersigned_at is None
    links = by_clearance.get(clearance.id, [])
    opening = [link for link in links if link.verb == verbs.CLEARANCE_OPENED.name]
    if undertaking.countersigned_at is None or len(opening) != 1:
        return False
    if (clearance.closed_at is None) != (len(links) == 1):
        return False
    known = details.get(opening[0].event_id)
    if known is None:
        return True
    # For a clearance for one visit, the event leaves out the last day.
    until = known.get("until", clearance.until_on.isoformat())
    return (known.get("scope"), until) == (clearance.scope.value, clearance.until_on.isoformat())


def _is_as_frozen(revision: Revision) -> bool:
    try:
        key = keys.key_of(revision.cooperation_id) if revision.is_sealed else None
        return canonical.digest(signoff.plain_bytes(revision, key)) == revision.digest
    except KeyDestroyedError:  # erased for good; its events remain
        return True
    except UnreadableError:
        return False


# Interests added later --------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Altered:
    """What differs from the events: a cooperation's interests, or people with access they lost."""

    cooperation_ids: frozenset[UUID] = frozenset()
    # The people, each with their cooperation, whom an interest closes all work to and no row does.
    unbarred: frozenset[tuple[UUID, UUID]] = frozenset()

    def concern(self, undertaking: Undertaking) -> bool:
        """Return whether an undertaking can't be relied on because of it."""
        if undertaking.state is UndertakingState.CLOSED:
            return False
        place = undertaking.cooperation_id
        return place in self.cooperation_ids or (place, undertaking.user_id) in self.unbarred


def _altered_interests(
    cooperation_ids: Collection[UUID],
    with_added: Collection[UUID],
    events: Iterable[tuple[UUID, Recorded]],
) -> Altered:
    """Return in which cooperations added interests aren't all as events bind them, and for whom.

    with_added are those where a row or an event says that somebody has added interests, events
    those of _OF_INTERESTS, each with its cooperation. An interest that is gone may have been
    anybody's, so it concerns everybody there. In one statement if there are interests, and one more
    if one closes all work.
    """
    values = {"in_cooperations": list(with_added)}
    rows: dict[UUID, list[AddedInterest]] = {place: [] for place in cooperation_ids}
    for interest in db.session.scalars(_ADDED, values) if with_added else ():
        rows[interest.cooperation_id].append(interest)
    by_place: dict[UUID, list[Recorded]] = {place: [] for place in cooperation_ids}
    for place, event in events:
        by_place[place].append(event)
    disagree = frozenset(
        place
        for place in cooperation_ids
        if not witness.are_all_of(by_place[place], place, _INTERESTS, rows[place])
    )
    sound = [row for place in rows.keys() - disagree for row in rows[place]]
    return Altered(disagree, _without_bar(sound, values))


def _without_bar(
    interests: Collection[AddedInterest], values: dict[str, list[UUID]]
) -> frozenset[tuple[UUID, UUID]]:
    """Return to whom interests close all work, each with the cooperation, without a row saying so.

    Interests that close it are few, and only these are decrypted.
    """
    closing = {
        (row.id, row.user_id): row.cooperation_id for row in interests if _closes_all_work(row)
    }
    if not closing:
        return frozenset()
    barred = {(interest_id, user_id) for interest_id, user_id in db.session.execute(_BARS, values)}
    return frozenset((place, who[1]) for who, place in closing.items() if who not in barred)


def _closes_all_work(interest: AddedInterest) -> bool:
    if interest.decision not in {None, InterestsDecision.LIMIT}:
        return False
    try:
        places = added_interests.closed_places(interest)
    except KeyDestroyedError:  # erased for good; its events remain
        return False
    return places is not None and places.reach is Reach.ALL


def bars_agree(cooperation_id: UUID) -> bool:
    """Return whether the rows that close visits to people are those that events bind.

    Reads all events of the cooperation: only for pages, where an interest closes something.
    """
    rows = db.session.scalars(
        sa.select(ClearanceBar).where(ClearanceBar.cooperation_id == cooperation_id)
    ).all()
    return witness.are_all_as_recorded(cooperation_id, ClearanceBar.__tablename__, rows)
