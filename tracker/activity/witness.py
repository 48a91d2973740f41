"""Events as their chain binds them, on which statements to others are based instead of columns.

In one file: whether about a subject, some rows or a whole chain, events are read and checked alike.
"""

import sys
from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from tracker.activity import binding
from tracker.activity.binding import ChainKey, State
from tracker.activity.chain import Link, head_is_authentic, state_of
from tracker.activity.checked import after, follows
from tracker.activity.models import IS_OF_THE_INSTANCE, Chain, Event, EventDetail
from tracker.activity.verbs import DETAILS_ERASED, Verb
from tracker.activity.verify import Details, Head, Walk
from tracker.core.db import Base, db

RowT = TypeVar("RowT", bound=Base)
# An event with its details; None for those that are gone.
DetailedEvent = tuple[Link, dict[str, Any] | None]


class Recorded(NamedTuple):
    """An event with its details (None for those that are gone), and what it says about rows."""

    link: Link
    details: dict[str, Any] | None
    state: State


_EVENT = (
    Event.id,
    Event.chain_id,
    Event.number,
    Event.verb,
    Event.subject_type,
    Event.subject_id,
    Event.at,
    Event.details_digest,
    Event.evidence,
    Event.previous,
    Event.state,
    Event.digest,
)
_EVENTS_OF_IDS = (
    sa.select(*_EVENT, EventDetail.salt, EventDetail.content)
    .join(EventDetail, EventDetail.event_id == Event.id)
    .where(Event.id.in_(sa.bindparam("ids", expanding=True)))
)
_HEAD = (Chain.kind, Chain.id, Chain.cooperation_id, Chain.head, Chain.count, Chain.seal)
# Details may have been erased, so nothing here looks at them.
_WITHOUT_DETAILS = sys.maxsize
# Higher than the number of any event. No larger, since PostgreSQL compares it as an integer.
ANY_NUMBER = 2**31 - 1


class NotSoundError(Exception):
    """Raised when a chain doesn't verify, so that nothing can be claimed on its basis."""


def about(
    condition: sa.ColumnElement[bool],
    of: Iterable[Verb],
    cooperation_ids: sa.Select[UUID] | None = None,
) -> sa.Select[Any]:
    """Return the statement for of_subjects(): events of some verbs; condition is on Event.

    Built once, at the head of a module, since building it takes longer than sending it.
    cooperation_ids selects the cooperations, if the caller of of_subjects() names none.
    """
    # Not a join: events are found by their subjects, since a chain has many more events.
    in_chain = sa.exists().where(
        Chain.id == Event.chain_id,
        Chain.cooperation_id.in_(
            sa.bindparam("cooperation_ids", expanding=True)
            if cooperation_ids is None
            else cooperation_ids
        ),
    )
    return (
        sa.select(*_EVENT)
        .where(condition, Event.verb.in_([verb.name for verb in of]), in_chain)
        .order_by(Event.chain_id, Event.number)
    )


def about_with_details(
    condition: sa.ColumnElement[bool],
    of: Iterable[Verb],
    cooperation_ids: sa.Select[UUID] | None = None,
) -> sa.Select[Any]:
    """Return the statement for of_subjects_with_details(), built once as about() is."""
    return (
        about(condition, of, cooperation_ids)
        .add_columns(EventDetail.salt, EventDetail.content)
        .outerjoin(EventDetail, EventDetail.event_id == Event.id)
    )


def of_subjects(
    statement: sa.Select[Any], cooperation_ids: Collection[UUID], **values: Any
) -> list[Link]:
    """Return the events of a statement in the chains of some cooperations, in order.

    An event that doesn't match its own digest is left out, as if it had never been recorded.
    """
    rows = _of_subjects(statement, cooperation_ids, values)
    return [link for link, digest in map(_link, rows) if link.digest() == digest]


def of_subjects_with_details(
    statement: sa.Select[Any], cooperation_ids: Collection[UUID], **values: Any
) -> list[DetailedEvent]:
    """Return what of_subjects() does, each event with its details, in one query.

    None for details that are gone, or aren't those that the event binds.
    """
    events = recorded(statement, cooperation_ids, **values)
    return [(event.link, event.details) for event in events]


def recorded(
    statement: sa.Select[Any], cooperation_ids: Collection[UUID], **values: Any
) -> list[Recorded]:
    """Return what of_subjects_with_details() does, each event with what it says about rows."""
    links = ((*_link(row), row) for row in _of_subjects(statement, cooperation_ids, values))
    return [
        Recorded(link, _details(link, row), row.state or {})
        for link, digest, row in links
        if link.digest() == digest
    ]


def those_of(
    events: Iterable[DetailedEvent], subject_types: Container[str], of: Iterable[Verb]
) -> list[DetailedEvent]:
    """Return those of some events that are of some verbs, about subjects of some types."""
    names = {verb.name for verb in of}
    return [
        event
        for event in events
        if event[0].verb in names and event[0].subject_type in subject_types
    ]


def _of_subjects(
    statement: sa.Select[Any], cooperation_ids: Collection[UUID], values: dict[str, Any]
) -> sa.Result[Any]:
    return db.session.execute(statement, {"cooperation_ids": list(cooperation_ids), **values})


def are_of_instance_as_recorded(
    rows: Collection[Base],
    subjects: Collection[tuple[str, UUID]],
    also: Sequence["Wanted"] = (),
) -> bool:
    """Return whether rows of the instance are those that the last events about them bind.

    Both events about some subjects, by type and id, and events that only bind rows count. A row
    doesn't agree if no event binds it, or if the last one says that it was deleted, doesn't match
    its own digest, or comes after the sealed end of the chain. One query, which reads all events of
    the instance that only bind rows, so use it for single actions. also is what the same query
    looks up for others.
    """
    places = {binding.place_of(row): binding.digest_of(row) for row in rows}
    own = Wanted(ChainKey(), frozenset(places), subjects)
    look_up([own, *also])
    return own.last == places


@dataclass(slots=True)
class Wanted:
    """Rows, by table and id, for which to find what the last event of a chain said about them.

    Of the instance's chain only the events about some subjects are read, and those that only bind
    rows; None means all. before is the number of the first event that doesn't count. never_altered
    is whether a row that an event found altered counts as not recorded ever since. last is what was
    found, by row: its digest, or None as for as_recorded(); a row that no event binds is not in
    it.
    """

    chain: ChainKey
    places: frozenset[tuple[str, str]]
    subjects: Collection[tuple[str, UUID]] | None = None
    before: int = ANY_NUMBER
    never_altered: bool = False
    last: dict[tuple[str, str], str | None] = field(default_factory=dict)


def look_up(wanted: Sequence[Wanted]) -> None:
    """Find what the last events said about rows, in one query for all chains."""
    wanted = [rows for rows in wanted if rows.places]
    if not wanted:
        return
    branches = [
        _in_chain(sa.select(*_EVENT, sa.literal(index).label("index_of_wanted")), rows).where(
            Event.number < rows.before, *_conditions(rows)
        )
        for index, rows in enumerate(wanted)
    ]
    # Not one condition: each chain is found by its own index.
    events = db.session.execute(sa.union_all(*branches)).all()
    for event in sorted(events, key=lambda event: event.number):
        link, digest = _link(event)
        rows, is_sound = wanted[event.index_of_wanted], link.digest() == digest
        for table, states in event.state.items():
            for row_id, entry in states.items():
                place = (table, row_id)
                if place in rows.places:
                    counts = is_sound and not (
                        rows.never_altered
                        and place in rows.last
                        and not follows(rows.last[place], entry)
                    )
                    rows.last[place] = after(entry) if counts else None


# More rows are found by their tables: each is a condition that every event of a chain is asked.
_SINGLE_ROWS = 20


def _in_chain(events: sa.Select[Any], rows: Wanted) -> sa.Select[Any]:
    """Return a query with only the events of a chain, up to its sealed end."""
    if rows.chain.visit_id is not None:
        is_it = Chain.visit_id == rows.chain.visit_id
    elif rows.chain.cooperation_id is not None:
        is_it = Chain.cooperation_id == rows.chain.cooperation_id
    else:
        is_it = IS_OF_THE_INSTANCE
    if rows.subjects is None:
        return events.join(Chain, Chain.id == Event.chain_id).where(
            is_it, Event.number <= Chain.count
        )
    # Neither a join nor EXISTS, which PostgreSQL makes one: the events are found by their subjects,
    # and the chain has many more.
    end = sa.select(Chain.count).where(Chain.id == Event.chain_id, is_it)
    return events.where(Event.number <= end.scalar_subquery())


def _conditions(rows: Wanted) -> Iterator[sa.ColumnElement[bool]]:
    if rows.subjects is not None:
        # The subject of those that only bind rows is the chain: found by the index.
        chain_id = sa.select(Chain.id).where(IS_OF_THE_INSTANCE).scalar_subquery()
        ids: dict[str, list[UUID]] = {}
        for subject_type, subject_id in rows.subjects:
            ids.setdefault(subject_type, []).append(subject_id)
        # Few conditions, however many subjects: SQLite takes no more than a thousand.
        yield sa.or_(
            sa.and_(Event.subject_type == "chain", Event.subject_id == chain_id),
            *(
                sa.and_(Event.subject_type == subject_type, Event.subject_id.in_(some))
                for subject_type, some in ids.items()
            ),
        )
    if len(rows.places) <= _SINGLE_ROWS:
        yield sa.or_(*(Event.state[place].as_string().is_not(None) for place in rows.places))
    else:
        tables = {table for table, _row in rows.places}
        yield sa.or_(*(Event.state[table].as_string().is_not(None) for table in tables))


def differing_of_instance(
    rows: Collection[RowT], subjects: Collection[tuple[str, UUID]]
) -> set[RowT]:
    """Return the rows of the instance that aren't as the last events about them bind them.

    For lists: the events about the subjects are read, by type and id, and those that only bind
    rows; all events of the instance only if these contradict a row, as for differing().
    """
    events = Wanted(ChainKey(), frozenset(map(binding.place_of, rows)), subjects)
    look_up([events])
    doubtful = _contradicted(rows, events)
    events = Wanted(ChainKey(), frozenset(map(binding.place_of, doubtful)))
    look_up([events])
    return _contradicted(doubtful, events)


def _contradicted(rows: Iterable[RowT], events: Wanted) -> set[RowT]:
    return {row for row in rows if events.last.get(binding.place_of(row)) != binding.digest_of(row)}


def are_as_recorded(
    cooperation_id: UUID, rows: Collection[Base], never_altered: Container[str] = ()
) -> bool:
    """Return whether rows of a cooperation are those that the last events about them bind.

    Events count as for are_of_instance_as_recorded(). In the tables of never_altered, a row that an
    event found altered doesn't agree, though that event binds it too. One query, which reads all
    events of the cooperation, so use it for single actions.
    """
    return len(as_recorded(cooperation_id, rows, never_altered)) == len(rows)


def as_recorded(
    cooperation_id: UUID, rows: Collection[RowT], never_altered: Container[str] = ()
) -> list[RowT]:
    """Return those of some rows for which are_as_recorded() is true, in the same one query."""
    places = {binding.place_of(row): binding.digest_of(row) for row in rows}
    of_cooperation = Chain.cooperation_id == cooperation_id
    last = _last_said(places, of_cooperation, never_altered=never_altered) if places else {}
    return [row for row in rows if last.get(place := binding.place_of(row)) == places[place]]


def as_recorded_of_visit(
    visit_id: UUID, cooperation_id: UUID, rows: Collection[RowT]
) -> list[RowT]:
    """Return those of some rows of a visit that the last events about them bind.

    One query, which reads the visit's own chain. The cooperation's is read as well, as for
    as_recorded(), if no event in that one binds a row: a visit planned before there were such
    chains has none (adr 87). A row that the last of those events contradicts is not looked for
    there.
    """
    places = {binding.place_of(row): binding.digest_of(row) for row in rows}
    last = _last_said(places, Chain.visit_id == visit_id) if places else {}
    not_there = [row for row in rows if binding.place_of(row) not in last]
    known = {binding.place_of(row) for row in as_recorded(cooperation_id, not_there)}
    return [
        row
        for row in rows
        if (place := binding.place_of(row)) in known or last.get(place) == places[place]
    ]


def differing(events: Iterable[Recorded], rows: Mapping[RowT, UUID]) -> set[RowT]:
    """Return the rows, each with its cooperation, that aren't as the last event binding them says.

    events are those about the rows themselves, in order. All events of a cooperation are read, as
    for are_as_recorded(), only if these contradict one of its rows: an event about something else
    may have bound the row since. So no query is needed while nothing was changed, and one for all
    cooperations otherwise; their keys should be loaded.
    """
    last = {}
    for event in events:
        for table, states in event.state.items():
            last.update({(table, row_id): after(state) for row_id, state in states.items()})
    doubtful: dict[UUID, list[RowT]] = {}
    for row, cooperation_id in rows.items():
        if last.get(binding.place_of(row)) != binding.digest_of(row):
            doubtful.setdefault(cooperation_id, []).append(row)
    wanted = {
        cooperation_id: Wanted(
            ChainKey(cooperation_id), frozenset(binding.place_of(row) for row in some)
        )
        for cooperation_id, some in doubtful.items()
    }
    look_up([*wanted.values()])
    return {
        row
        for cooperation_id, some in doubtful.items()
        for row in some
        if wanted[cooperation_id].last.get(binding.place_of(row)) != binding.digest_of(row)
    }


def altered(
    events: Iterable[Recorded],
    rows: Mapping[UUID, Iterable[Base]],
    about: str = "",
    whole: Container[str] = (),
) -> set[tuple[UUID, tuple[str, str]]]:
    """Return the rows that aren't as the last event binding them says, by cooperation and place.

    events are in order, rows by cooperation. Those of a table of whole are all that a cooperation
    has: one that was inserted, deleted or moved differs too. So does a row that an event found
    altered, though the event binds it: what no person does goes on with what is stored. about is
    the type of the events' subject that is the cooperation itself. More is read only as for
    differing().
    """
    stored = {
        (cooperation_id, binding.place_of(row)): binding.digest_of(row)
        for cooperation_id, some in rows.items()
        for row in some
    }
    owners = {place: cooperation_id for cooperation_id, place in stored}
    last: dict[tuple[UUID, tuple[str, str]], str | None] = {}
    found_altered = set()
    for event in events:
        link = event.link
        own = link.subject_id if link.subject_type == about else None
        for table, states in event.state.items():
            for row_id, entry in states.items():
                cooperation_id = own or owners.get((table, row_id))
                if cooperation_id is not None and cooperation_id in rows:
                    key = cooperation_id, (table, row_id)
                    if key in last and not follows(last[key], entry):
                        found_altered.add(key)
                    last[key] = after(entry)
    bound = {key: digest for key, digest in last.items() if key in stored or key[1][0] in whole}
    doubtful = {
        key
        for key in bound.keys() | stored.keys()
        if bound.get(key) != stored.get(key) or key in found_altered
    }
    wanted = {
        cooperation_id: Wanted(
            ChainKey(cooperation_id),
            frozenset(place for of_id, place in doubtful if of_id == cooperation_id),
            never_altered=True,
        )
        for cooperation_id in {of_id for of_id, _place in doubtful}
    }
    look_up([*wanted.values()])
    return {
        (of_id, place)
        for of_id, place in doubtful
        if wanted[of_id].last.get(place) != stored.get((of_id, place))
    }


def are_all_of(
    events: Iterable[Recorded], cooperation_id: UUID, tables: Container[str], rows: Iterable[Base]
) -> bool:
    """Return whether these are all rows of some tables that events about a subject bind.

    So none was changed, inserted or deleted. All events of the cooperation are read only if these
    contradict the rows, as for differing().
    """
    last = {
        (table, row_id): after(entry)
        for event in events
        for table, states in event.state.items()
        if table in tables
        for row_id, entry in states.items()
    }
    places: dict[tuple[str, str], str] = {
        binding.place_of(row): binding.digest_of(row) for row in rows
    }
    doubtful = [
        place for place in last.keys() | places.keys() if last.get(place) != places.get(place)
    ]
    if not doubtful:
        return True
    known = _last_said(doubtful, Chain.cooperation_id == cooperation_id)
    return all(known.get(place) == places.get(place) for place in doubtful)


def are_all_as_recorded(cooperation_id: UUID, table: str, rows: Collection[Base]) -> bool:
    """Return whether these are all rows of a table that the events of a cooperation bind.

    So none was changed, inserted or deleted. Otherwise as are_as_recorded().
    """
    last: dict[str, str | None] = {}
    has_some = Event.state[table].as_string().is_not(None)
    for row in _binding(Chain.cooperation_id == cooperation_id, has_some):
        link, digest = _link(row)
        is_sound = link.digest() == digest
        for row_id, state in row.state[table].items():
            last[row_id] = after(state) if is_sound else None
    recorded = {(table, row_id): after_it for row_id, after_it in last.items() if after_it}
    return recorded == {binding.place_of(row): binding.digest_of(row) for row in rows}


def _last_said(
    places: Collection[tuple[str, str]],
    *conditions: sa.ColumnElement[bool],
    never_altered: Container[str] = (),
) -> dict[tuple[str, str], str | None]:
    """Return the digest of each row, by table and id, in the last event that binds it.

    None for a row of a table of never_altered that wasn't, before an event, as the one before it
    had left it.
    """
    bound = sa.or_(*(Event.state[place].as_string().is_not(None) for place in places))
    last: dict[tuple[str, str], str | None] = {}
    for row in _binding(*conditions, bound):
        link, digest = _link(row)
        for table, row_id in places:
            if row_id in row.state.get(table, {}):
                place, entry = (table, row_id), row.state[table][row_id]
                is_sound = link.digest() == digest
                if table in never_altered and place in last:
                    is_sound = is_sound and follows(last[place], entry)
                last[place] = after(entry) if is_sound else None
    return last


def _binding(*conditions: sa.ColumnElement[bool]) -> sa.Result[Any]:
    """Return the events of chains up to their sealed ends, in order, under some conditions."""
    return db.session.execute(
        sa.select(*_EVENT)
        .join(Chain, Chain.id == Event.chain_id)
        .where(*conditions, Event.number <= Chain.count)
        .order_by(Event.number)
    )


def is_bound_by_instance(evidence: str, of: Iterable[Verb], subject_type: str) -> bool:
    """Return whether an event of some verbs in the instance's chain binds a digest."""
    return _is_bound(IS_OF_THE_INSTANCE, evidence, of, subject_type)


def is_bound_in(cooperation_id: UUID, evidence: str, of: Iterable[Verb], subject_type: str) -> bool:
    """Return whether an event of some verbs in a cooperation's chain binds a digest."""
    return _is_bound(Chain.cooperation_id == cooperation_id, evidence, of, subject_type)


def _is_bound(
    of_chain: sa.ColumnElement[bool], evidence: str, of: Iterable[Verb], subject_type: str
) -> bool:
    """Return whether an event in a chain binds a digest, without walking the chain.

    The event matches its own digest, the one after it follows it, and the sealed end covers it. So
    a row inserted beside the others doesn't count.
    """
    row = db.session.execute(sa.select(*_HEAD).where(of_chain)).one_or_none()
    if row is None or not head_is_authentic(row.kind.value, *row[1:]):
        return False
    head = Head(row.kind.value, *row[1:])
    following = aliased(Event)
    rows = db.session.execute(
        sa.select(*_EVENT, following.previous)
        .outerjoin(
            following,
            sa.and_(following.chain_id == Event.chain_id, following.number == Event.number + 1),
        )
        .where(
            Event.chain_id == head.chain_id,
            Event.subject_type == subject_type,  # there is an index
            Event.evidence == evidence,
            Event.verb.in_([verb.name for verb in of]),
            Event.number <= head.count,
        )
    )
    for event in rows:
        link, digest = _link(event)
        follows = head.head if link.number == head.count else event[-1]
        if link.digest() == digest == follows:
            return True
    return False


def of_chain(cooperation_id: UUID) -> list[Link]:
    """Return all events of a cooperation, from the first to the sealed end, in two queries.

    Raise NotSoundError if the chain doesn't verify.
    """
    row = db.session.execute(
        sa.select(*_HEAD).where(Chain.cooperation_id == cooperation_id).limit(1)
    ).one_or_none()
    if row is None:
        message = "The chain of this cooperation is gone."
        raise NotSoundError(message)
    return list(_walked(Head(row.kind.value, *row[1:])))


def _walked(head: Head) -> Iterator[Link]:
    walk = Walk(_WITHOUT_DETAILS)
    rows = db.session.execute(
        sa.select(*_EVENT).where(Event.chain_id == head.chain_id).order_by(Event.number)
    )
    for row in rows:
        link, digest = _link(row)
        fault = walk.step(link, digest, None)
        if fault is not None:
            message = f"The chain of this cooperation is broken at event {walk.number + 1}."
            raise NotSoundError(message)
        yield link
    if walk.end(head) is not None:
        message = "The end of this cooperation's chain is not the one that was sealed."
        raise NotSoundError(message)


def erased_before(cooperation_id: UUID) -> int:
    """Return the number of the last event of a cooperation's chain that says details were erased.

    0 without one. Only earlier events may lack their details.
    """
    number = db.session.scalar(
        sa.select(sa.func.max(Event.number))
        .join(Chain, Chain.id == Event.chain_id)
        .where(Chain.cooperation_id == cooperation_id, Event.verb == DETAILS_ERASED.name)
    )
    return number or 0


def lacking_details(events: Iterable[tuple[Link, object]]) -> frozenset[UUID]:
    """Return the subjects of events that lack their details without a later event that says why.

    events are given with their details, None if they are gone. One query, and none if all have
    them.
    """
    missing = [link for link, details in events if details is None]
    if not missing:
        return frozenset()
    rows = db.session.execute(
        sa.select(Event.chain_id, sa.func.max(Event.number))
        .where(
            Event.chain_id.in_({link.chain_id for link in missing}),
            Event.verb == DETAILS_ERASED.name,
        )
        .group_by(Event.chain_id)
    )
    erased = dict(rows.all())
    return frozenset(
        link.subject_id for link in missing if link.number > erased.get(link.chain_id, 0)
    )


def details_of(event_ids: Collection[UUID]) -> dict[UUID, dict[str, Any]]:
    """Return the details of some events as they are bound; erased ones are left out."""
    rows = db.session.execute(_EVENTS_OF_IDS, {"ids": list(event_ids)})
    links = ((_link(row)[0], row) for row in rows)
    details = {link.event_id: _details(link, row) for link, row in links}
    return {event_id: content for event_id, content in details.items() if content is not None}


def _details(link: Link, row: Any) -> dict[str, Any] | None:
    """Return the details in a row if the event binds them; None for those that are gone."""
    if row.salt is None:
        return None
    details = Details(row.salt, row.content)
    return dict(details.content) if details.is_bound_by(link) else None


def _link(row: Any) -> tuple[Link, str]:
    return Link(*(*row[:10], state_of(row[10]))), row[11]
