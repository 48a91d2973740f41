"""Queries for the trail: a cooperation's history, and the instance's for administrators.

In one file: every history leaves out the same events and names.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased, defer, joinedload, selectinload

from tracker.access.actor import Actor
from tracker.activity import verbs
from tracker.activity.chain import Link, state_of
from tracker.activity.models import IS_OF_THE_INSTANCE, Chain, Event, EventDetail
from tracker.activity.verbs import Verb
from tracker.activity.verify import ChainFault, Details, Head, Walk
from tracker.core.db import db
from tracker.core.services import Slot


@dataclass(frozen=True, slots=True)
class HistoryLine:
    """One event as shown; who is None for the application itself, details {} once erased.

    is_veiled: somebody did it, and the name is not shown here. is_altered: the stored details are
    not those that the event binds, so none of them are shown.
    """

    number: int
    verb: str
    at: dt.datetime
    who: str | None
    acting_for: str | None
    details: dict[str, Any]
    subject_type: str
    subject_id: UUID
    is_veiled: bool = False
    is_erased: bool = False
    is_altered: bool = False
    # The event's own number in the chain.
    digest: str = ""
    event_id: UUID | None = None


# People who work on these may know of a visit, and may be on its team (class K2). The history,
# which auditors read too, names them only for what they signed. The visit's own pages name them to
# people who may know.
_OF_A_VISIT = frozenset({"visit_roles", "urgent_plan"})
# Done by the visit's lead, or by whoever planned it, who is always among those who may know of it,
# or by whoever may have put themselves in charge: nobody else may know who they are.
_BY_WHO_MAY_KNOW = frozenset(
    verb.name
    for verb in (
        verbs.VISIT_PLANNED,
        verbs.VISIT_CHANGED,
        verbs.VISIT_STOPPED,
        verbs.VISIT_PUT_IN_CHARGE,
    )
)
# Events that mean nothing to readers: that rows were bound.
_OF_ROWS = frozenset({verbs.ROWS_NOTED.name, verbs.ROWS_ADOPTED.name})
# Events of a visit that the application derives from what somebody did. They immediately follow
# that act, so their place in the history would reveal who is on the team, and the stage when the
# team left: only people who may know of the visit see them.
WORKED_OUT_OF_VISITS = frozenset(
    verb.name
    for verb in (
        verbs.VISIT_STAGE_CHANGED,
        verbs.VISIT_BECAME_READY,
        verbs.VISIT_LOST_READINESS,
        verbs.TEAM_CHANGED,
        verbs.AUDIENCE_CHANGED,
    )
)
# All derived events. They don't say whose act it was: it may have been the last missing act of a
# person on the team.
_WORKED_OUT = WORKED_OUT_OF_VISITS | {verbs.STAGE_CHANGED.name}

# Which events of a cooperation a person sees, as conditions over Event that must all be met. The
# rules belong to higher packages; app lists them in one table.
Seen = Callable[[Actor], sa.ColumnElement[bool]]
SEEN: Slot[tuple[Seen, ...]] = Slot("seen", ())


def seen_by(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over Event that a person who sees the cooperation sees it.

    Whoever sees a visit, an undertaking or an interest on its own pages also sees its events.
    """
    return sa.and_(sa.true(), *(seen(actor) for seen in SEEN.get()))


def history(
    cooperation_id: UUID, *, reader: Actor | None = None, offset: int = 0, limit: int = 100
) -> tuple[int, list[HistoryLine]]:
    """Return the number of events that a person sees, and one page of them, newest first.

    The caller has found the cooperation with a query scoped to the reader; without a reader it is
    the application itself, and all events count. What each person of a visit's team confirms is
    never included; the page says so (leaves_out_the_team).
    """
    condition = Chain.cooperation_id == cooperation_id
    if reader is not None:
        condition = sa.and_(condition, seen_by(reader))
    return _page(condition, offset, limit)


def story(
    cooperation_id: UUID,
    reader: Actor,
    *,
    of: Iterable[Verb] | None = None,
    after: UUID | None = None,
    limit: int = 50,
) -> tuple[list[HistoryLine], bool]:
    """Return a page of the events that a person sees, the newest first, and whether more follow.

    All or of some verbs, beginning after a given event. The page is found by the event's id, since
    its number would reveal how many events the person doesn't see. Nothing is counted, so a page
    costs the same in a long history. The caller has found the cooperation with a query scoped to
    the reader.
    """
    query = _shown(sa.and_(Chain.cooperation_id == cooperation_id, seen_by(reader)))
    if of is not None:
        query = query.where(Event.verb.in_([verb.name for verb in of]))
    if after is not None:
        last = aliased(Event)
        place = sa.select(last.number).where(last.id == after, last.chain_id == Event.chain_id)
        query = query.where(Event.number < place.scalar_subquery())
    lines = _newest(query, 0, limit + 1)
    return lines[:limit], len(lines) > limit


def subject_history(
    cooperation_id: UUID,
    subject_ids: list[UUID],
    *,
    of: Iterable[Verb] | None = None,
    limit: int = 200,
) -> list[HistoryLine]:
    """Return the events of some objects of a cooperation, newest first, all or of some verbs."""
    condition = sa.and_(Chain.cooperation_id == cooperation_id, Event.subject_id.in_(subject_ids))
    if of is not None:
        condition = sa.and_(condition, Event.verb.in_([verb.name for verb in of]))
    return _page(condition, 0, limit)[1]


def leaves_out_the_team(cooperation_id: UUID) -> bool:
    """Return whether a visit was planned, so that the history must say what it leaves out.

    Not whether something was left out: that would reveal whether there is a team.
    """
    return _has_planned_visit(cooperation_id)


def reveals_team_sizes(cooperation_id: UUID) -> bool:
    """Return whether a cooperation's chain contains what people of a visit's team confirmed.

    So it is for visits planned before visits had chains of their own (adr 87), whether or not
    anybody has confirmed anything: the event that planned any other binds its chain.
    """
    return _has_planned_visit(cooperation_id, Event.evidence.is_(None))


def _has_planned_visit(cooperation_id: UUID, *conditions: sa.ColumnElement[bool]) -> bool:
    """Return whether a visit was planned by an event for which the conditions hold."""
    planned = sa.exists().where(
        Event.chain_id == Chain.id,
        Chain.cooperation_id == cooperation_id,
        Event.verb == verbs.VISIT_PLANNED.name,
        *conditions,
    )
    return bool(db.session.scalar(sa.select(planned)))


def instance_history(*, offset: int = 0, limit: int = 100) -> tuple[int, list[HistoryLine]]:
    """Return the instance's events, newest first; for administrators."""
    return _page(IS_OF_THE_INSTANCE, offset, limit)


def is_veiled(verb: str, details: Mapping[str, Any], *, is_after_stop: bool) -> bool:
    """Return whether the actor's name would reveal who may know of a visit, or who is in its team.

    Events about a frozen text name its revision: who signs, sends and calls back is no secret. An
    exception are texts that came back with their visit (is_after_stop, as after_stop()): earlier
    versions named whoever stopped it.
    """
    is_of_visit = details.get("kind") in _OF_A_VISIT
    if is_of_visit and "revision" in details:
        return is_after_stop and details.get("who") is not None
    return is_of_visit or verb in _BY_WHO_MAY_KNOW


def tells_the_team(verb: str, details: Mapping[str, Any], *, is_after_stop: bool) -> bool:
    """Return whether an event's stored details would reveal the team or its size."""
    of_somebody = verb in _WORKED_OUT and (details.get("who") is not None or "count" in details)
    return of_somebody or is_veiled(verb, details, is_after_stop=is_after_stop)


def after_stop() -> sa.ColumnElement[bool]:
    """Return the expression over Event that a text was called back right after a visit's stop.

    Stopping a visit calls back its texts in the same transaction, so only other texts' events with
    this verb come between.
    """
    earlier = aliased(Event)
    withdrawn = verbs.SIGNATURE_REQUEST_WITHDRAWN.name
    act = (
        sa.select(earlier.verb)
        .where(
            earlier.chain_id == Event.chain_id,
            earlier.number < Event.number,
            earlier.verb != withdrawn,
        )
        .order_by(earlier.number.desc())
        .limit(1)
        .correlate(Event)
        .scalar_subquery()
    )
    is_stop = act == verbs.VISIT_STOPPED.name
    return sa.case((Event.verb == withdrawn, is_stop), else_=sa.false())


def _is_a_persons_own() -> sa.ColumnElement[bool]:
    """Return the condition for confirmations by people on a team: their number reveals its size.

    Only those of visits planned before visits had chains of their own (adr 87) are in this chain.
    """
    return sa.and_(
        Event.verb == verbs.ANSWER_SAVED.name,
        sa.exists().where(
            EventDetail.event_id == Event.id,
            EventDetail.content["scope"].as_string() == "person",
            EventDetail.content["kind"].as_string().in_(sorted(_OF_A_VISIT)),
        ),
    )


def _page(
    condition: sa.ColumnElement[bool], offset: int, limit: int
) -> tuple[int, list[HistoryLine]]:
    query = _shown(condition)
    total = db.session.scalar(sa.select(sa.func.count()).select_from(query.subquery())) or 0
    return total, _newest(query, offset, limit)


def _shown(condition: sa.ColumnElement[bool]) -> "sa.Select[Event]":
    return (
        sa.select(Event)
        .join(Event.chain)
        .where(condition, Event.verb.not_in(_OF_ROWS), ~_is_a_persons_own())
    )


def _newest(query: "sa.Select[Event]", offset: int, limit: int) -> list[HistoryLine]:
    rows: Iterable[Any] = db.session.execute(
        query.add_columns(after_stop())
        .options(joinedload(Event.detail), defer(Event.state))
        .order_by(Event.number.desc())
        .offset(offset)
        .limit(limit)
    )
    return [_line(event, is_after_stop=is_after_stop) for event, is_after_stop in rows]


def _line(event: Event, *, is_after_stop: bool) -> HistoryLine:
    stored = Details(event.detail.salt, event.detail.content) if event.detail else None
    is_altered = stored is not None and not stored.have_digest(event.details_digest)
    details = dict(stored.content) if stored and not is_altered else {}
    veiled = is_veiled(event.verb, details, is_after_stop=is_after_stop)
    who = details.pop("who", None) or {}
    if event.verb in _WORKED_OUT:
        who = {}
        details.pop("count", None)
    return HistoryLine(
        number=event.number,
        verb=event.verb,
        at=event.at,
        who=None if veiled else who.get("name"),
        acting_for=who.get("for"),
        details=details,
        subject_type=event.subject_type,
        subject_id=event.subject_id,
        is_veiled=veiled,
        is_erased=stored is None,
        is_altered=is_altered,
        digest=event.digest,
        event_id=event.id,
    )


@dataclass(frozen=True, slots=True)
class Doer:
    """Who did something, and the organisation they acted for, if any."""

    user_id: UUID
    organisation_id: UUID | None


def who_did_last(verb: Verb, subject_type: str, subject_id: UUID) -> Doer | None:
    """Return who did what the instance's last event of a kind about a subject records.

    None without such an event, or if its details were erased or altered, or nobody did it. Not
    scoped, as last_evidence().
    """
    event = db.session.scalar(
        _last_of(sa.select(Event), verb, subject_type)
        .where(Event.subject_id == subject_id)
        .options(selectinload(Event.detail))
    )
    if event is None or event.detail is None:
        return None
    stored = Details(event.detail.salt, event.detail.content)
    who = stored.content.get("who") if stored.have_digest(event.details_digest) else None
    if not who:
        return None
    return Doer(UUID(who["id"]), UUID(who["for_id"]) if who.get("for_id") else None)


def last_of(verb: Verb, subject_type: str, subject_ids: Collection[UUID]) -> HistoryLine | None:
    """Return the instance's last event of a kind about one of some subjects; None without one.

    Not scoped, as last_evidence().
    """
    row = db.session.execute(
        _last_of(sa.select(Event), verb, subject_type)
        .where(Event.subject_id.in_(subject_ids))
        .options(joinedload(Event.detail), defer(Event.state))
    ).first()
    return _line(row[0], is_after_stop=False) if row else None


def last_evidence(verb: Verb, subject_type: str, subject_id: UUID) -> str | None:
    """Return what the instance's last event of a kind about a subject binds; None without one.

    Not scoped: for rules about something that was already found.
    """
    return db.session.scalar(evidence_of_last(verb, subject_type).params(subject_id=subject_id))


def evidence_of_last(
    verb: Verb, subject_type: str, subject_id: sa.ColumnElement[UUID] | None = None
) -> "sa.Select[str | None]":
    """Return the query for what the instance's last event of a kind binds.

    The subject is a column of the surrounding query, or the parameter subject_id. Events beyond the
    sealed end of the chain don't count.
    """
    wanted = sa.bindparam("subject_id", type_=sa.Uuid()) if subject_id is None else subject_id
    return _last_of(sa.select(Event.evidence), verb, subject_type).where(Event.subject_id == wanted)


def _last_of(wanted: "sa.Select[Any]", verb: Verb, subject_type: str) -> "sa.Select[Any]":
    return (
        wanted.join(Chain, Chain.id == Event.chain_id)
        .where(
            Event.subject_type == subject_type,
            Event.verb == verb.name,
            Event.number <= Chain.count,
            IS_OF_THE_INSTANCE,
        )
        .order_by(Event.number.desc())
        .limit(1)
    )


def has_happened(verb: Verb) -> bool:
    """Return whether the instance's chain has an event of a kind."""
    query = sa.select(Event.id).join(Chain, Chain.id == Event.chain_id)
    query = query.where(IS_OF_THE_INSTANCE, Event.verb == verb.name).limit(1)
    return db.session.scalar(query) is not None


def has_happened_to(verb: Verb, subject_type: str, subject_id: UUID) -> bool:
    """Return whether the instance's chain has an event of a kind about a subject."""
    query = sa.select(Event.id).join(Chain, Chain.id == Event.chain_id)
    query = query.where(
        IS_OF_THE_INSTANCE,
        Event.verb == verb.name,
        Event.subject_type == subject_type,
        Event.subject_id == subject_id,
    )
    return db.session.scalar(query.limit(1)) is not None


def link_of(event: Event) -> Link:
    """Return what an event's digest binds."""
    return Link(
        event_id=event.id,
        chain_id=event.chain_id,
        number=event.number,
        verb=event.verb,
        subject_type=event.subject_type,
        subject_id=event.subject_id,
        at=event.at,
        details_digest=event.details_digest,
        evidence=event.evidence,
        previous=event.previous,
        state=state_of(event.state),
    )


def fault_of_instance() -> ChainFault | None:
    """Walk the instance's chain and return its first fault, for decisions that depend on all of it.

    Details may have been erased: tracker audit verify judges that.
    """
    chain = db.session.scalars(sa.select(Chain).where(IS_OF_THE_INSTANCE)).one()
    query = (
        sa.select(Event, EventDetail)
        .outerjoin(EventDetail, EventDetail.event_id == Event.id)
        .where(Event.chain_id == chain.id)
        .order_by(Event.number)
        .execution_options(yield_per=500)
    )
    walk = Walk(erased_before=chain.count + 1)
    for row in db.session.execute(query):
        event, detail = row[0], cast("EventDetail | None", row[1])
        details = Details(detail.salt, detail.content) if detail else None
        fault = walk.step(link_of(event), event.digest, details)
        if fault is not None:
            return fault
    return walk.end(
        Head(chain.kind.value, chain.id, chain.cooperation_id, chain.head, chain.count, chain.seal)
    )
