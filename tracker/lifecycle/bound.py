"""Whether cooperations' stages, dates, parties and people agree with signatures and events."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import defer

from tracker.activity import verbs, witness
from tracker.activity.models import Event
from tracker.activity.witness import DetailedEvent, Recorded
from tracker.agreements import evidence
from tracker.agreements.evidence import Compared
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist
from tracker.cooperations import keys
from tracker.cooperations.models import (
    Cooperation,
    CooperationKey,
    CooperationPerson,
    Party,
    Stage,
)
from tracker.core.db import Base, db
from tracker.signoff.outcomes import Outcome

# What each stage implies about the terms.
_TERMS_ARE = {
    Stage.ACTIVE: Outcome.IN_FORCE,
    Stage.UNDER_REVIEW: Outcome.IN_FORCE,
    Stage.SUSPENDED: Outcome.SUSPENDED,
    Stage.CLOSED: Outcome.ENDED,
}

COOPERATION = "cooperation"
VERBS = (verbs.STAGE_CHANGED,)
# The acts that change a cooperation's parties and are events about it.
OF_PARTIES = (
    verbs.COOPERATION_OPENED,
    verbs.PARTY_JOINED,
    verbs.PARTY_JOINING,
    verbs.JOINING_TAKEN_BACK,
    verbs.PARTY_LEAVING,
    verbs.PARTY_STAYS,
    verbs.PARTY_LEFT,
    verbs.PARTY_REPLACED,
)
# The acts that change who takes part.
_OF_PEOPLE = (verbs.PERSON_JOINED, verbs.PERSON_LEFT)
# With those that change its own row; the last change is among them, or witness.altered() looks for
# it.
BINDING = (
    *VERBS,
    *OF_PARTIES,
    verbs.COOPERATION_CHANGED,
    verbs.MODES_CHANGED,
    verbs.OUTSIDE_BODY_ADDED,
    verbs.OUTSIDE_BODY_REMOVED,
    verbs.VERIFICATION_CHANGED,
    verbs.MAILED_CODES_ALLOWED,
    verbs.MAILED_CODES_STOPPED,
)
# On Event: of the cooperations in whose chains a statement of witness looks.
IS_ABOUT = sa.and_(
    Event.subject_type == COOPERATION,
    Event.subject_id.in_(sa.bindparam("cooperation_ids", expanding=True)),
)
_MOVES = witness.about_with_details(IS_ABOUT, VERBS)
_ABOUT_ROWS = witness.about_with_details(IS_ABOUT, BINDING)
_ABOUT_ALL_ROWS = witness.about_with_details(IS_ABOUT, {*BINDING, *_OF_PEOPLE})
_RECORDED = witness.about_with_details(
    sa.or_(IS_ABOUT, evidence.IS_ABOUT), {*BINDING, *evidence.VERBS}
)
_RECORDED_WITH_PEOPLE = witness.about_with_details(
    sa.or_(IS_ABOUT, evidence.IS_ABOUT), {*BINDING, *_OF_PEOPLE, *evidence.VERBS}
)
_IS_OF: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
# All of them, whether or not their time is over.
_PARTIES = (
    sa.select(Party, CooperationKey)
    .outerjoin(CooperationKey, CooperationKey.cooperation_id == Party.cooperation_id)
    .where(Party.cooperation_id.in_(_IS_OF))
    .order_by(Party.id)
    .options(defer(Party.is_joining))
)
_PEOPLE = (
    sa.select(CooperationPerson)
    .where(CooperationPerson.cooperation_id.in_(_IS_OF))
    .order_by(CooperationPerson.id)
)
# Tables of whose rows none may be missing.
_WHOLE_PARTIES = frozenset({Party.__tablename__})
_WHOLE = _WHOLE_PARTIES | {CooperationPerson.__tablename__}

# What a cooperation is compared with: its agreed terms and those on confidentiality.
_OF_COOPERATION = sa.and_(
    Checklist.kind.in_([ChecklistKind.TERMS, ChecklistKind.CONFIDENTIALITY]),
    Checklist.visit_id.is_(None),
)
# Cooperations with these and their parties, to compare() in lists; one row for each party and
# checklist.
_WITH_ROWS = (
    sa.select(Cooperation, Checklist, Party)
    .outerjoin(Checklist, sa.and_(Checklist.cooperation_id == Cooperation.id, _OF_COOPERATION))
    .outerjoin(Party, Party.cooperation_id == Cooperation.id)
    .where(Cooperation.id.in_(_IS_OF))
    .options(defer(Party.is_joining))
)


@dataclass(frozen=True, slots=True)
class _Rows:
    """Cooperations with their own checklists and parties."""

    cooperations: list[Cooperation]
    checklists: list[Checklist]
    parties: list[Party]


def agreeing(cooperations: Iterable[Cooperation]) -> frozenset[UUID]:
    """Return the cooperations that agree with their signatures and events, for lists.

    Takes a constant number of statements.
    """
    return agreeing_by_id(cooperation.id for cooperation in cooperations)


def agreeing_by_id(cooperation_ids: Iterable[UUID]) -> frozenset[UUID]:
    """Return what agreeing() does, for callers that have no rows."""
    wanted = set(cooperation_ids)
    if not wanted:
        return frozenset()
    rows = _rows(wanted)
    return compare(rows.cooperations, rows.checklists, rows.parties)[1]


def agreeing_in_stage(cooperation: Cooperation) -> bool:
    """Return whether a cooperation's stage, dates, texts, parties and people agree, for acts.

    An act may have changed the rest of its row before its event: activity.unaltered compares that.
    """
    rows = _rows({cooperation.id})
    recorded = witness.recorded(
        _RECORDED_WITH_PEOPLE, {cooperation.id}, **evidence.wanted(rows.checklists)
    )
    events = [(event.link, event.details) for event in recorded]
    compared = evidence.compare(rows.checklists, events)
    if not compare_with_events([cooperation], rows.checklists, compared, events):
        return False
    people = db.session.scalars(_PEOPLE, {"ids": [cooperation.id]})
    bound = {cooperation.id: [*rows.parties, *people]}
    return not witness.altered(recorded, bound, COOPERATION, _WHOLE)


def compare(
    cooperations: Collection[Cooperation],
    checklists: Collection[Checklist],
    parties: Iterable[Party],
    *,
    with_people: bool = False,
) -> tuple[dict[UUID, Compared], frozenset[UUID]]:
    """Compare own checklists of cooperations, and return them with the cooperations that agree.

    A cooperation agrees if its whole row does, with its title, its ways of working and its dates,
    and if its parties are those that events bind; the people who take part too, in one statement
    more.
    """
    recorded = witness.recorded(
        _RECORDED_WITH_PEOPLE if with_people else _RECORDED,
        {cooperation.id for cooperation in cooperations},
        **evidence.wanted(checklists),
    )
    events = [(event.link, event.details) for event in recorded]
    compared = evidence.compare(checklists, events)
    in_stage = compare_with_events(cooperations, checklists, compared, events)
    altered = with_other_rows(cooperations, parties, recorded, with_people=with_people)
    return compared, in_stage - altered


def is_as_recorded(cooperation: Cooperation) -> bool:
    """Return whether events bind the row of a cooperation and its loaded parties.

    In one statement.
    """
    recorded = witness.recorded(_ABOUT_ROWS, [cooperation.id])
    return not with_other_rows([cooperation], cooperation.parties, recorded)


def is_as_recorded_with_people(cooperation: Cooperation) -> bool:
    """Return whether events bind its people too; in two statements.

    For cooperations.queries.AS_RECORDED_READER.
    """
    recorded = witness.recorded(_ABOUT_ALL_ROWS, [cooperation.id])
    return not with_other_rows([cooperation], cooperation.parties, recorded, with_people=True)


def with_other_row(
    cooperations: Iterable[Cooperation], recorded: Iterable[Recorded]
) -> frozenset[UUID]:
    """Return the cooperations whose own rows aren't as the last events about them bind them."""
    rows = {cooperation.id: [cooperation] for cooperation in cooperations}
    return _of_these(witness.altered(recorded, rows, COOPERATION))


def with_other_rows(
    cooperations: Iterable[Cooperation],
    parties: Iterable[Party],
    recorded: Iterable[Recorded],
    *,
    with_people: bool = False,
) -> frozenset[UUID]:
    """Return the cooperations whose rows or parties aren't as the last events bind them.

    Or whose people aren't. parties are all of theirs. In no statement while nothing was altered,
    one with people.
    """
    rows: dict[UUID, list[Base]] = {row.id: [row] for row in cooperations}
    for party in parties:
        rows[party.cooperation_id].append(party)
    if with_people:
        for person in db.session.scalars(_PEOPLE, {"ids": list(rows)}):
            rows[person.cooperation_id].append(person)
    whole = _WHOLE if with_people else _WHOLE_PARTIES
    return _of_these(witness.altered(recorded, rows, COOPERATION, whole))


def parties_as_recorded(
    cooperation_id: UUID, parties: Iterable[Party], recorded: Iterable[Recorded]
) -> bool:
    """Return whether these are the parties that events bind; recorded are all of OF_PARTIES."""
    rows = {cooperation_id: list(parties)}
    return not witness.altered(recorded, rows, COOPERATION, _WHOLE_PARTIES)


def with_other_parties(
    cooperation_ids: Iterable[UUID], recorded: Iterable[Recorded]
) -> frozenset[UUID]:
    """Return the cooperations with other parties than events bind, for lists.

    In one statement, which also loads the cooperations' keys: visits are compared with them.
    """
    rows: dict[UUID, list[Base]] = {cooperation_id: [] for cooperation_id in cooperation_ids}
    for party, key in db.session.execute(_PARTIES, {"ids": list(rows)}):
        rows[party.cooperation_id].append(party)
        keys.keep([key])
    return _of_these(witness.altered(recorded, rows, COOPERATION, _WHOLE_PARTIES))


def _of_these(rows: Iterable[tuple[UUID, tuple[str, str]]]) -> frozenset[UUID]:
    return frozenset(cooperation_id for cooperation_id, _place in rows)


def compare_with_events(
    cooperations: Collection[Cooperation],
    checklists: Collection[Checklist],
    compared: Mapping[UUID, Compared],
    recorded: Iterable[DetailedEvent] | None = None,
) -> frozenset[UUID]:
    """Return what agreeing_in_stage() does, from checklists that were compared already.

    recorded are events with all of VERBS about the cooperations, if they were read already.
    """
    all_ids = frozenset(cooperation.id for cooperation in cooperations)
    texts = _with_other_texts(checklists, compared)
    return all_ids - texts - _with_other_stage(cooperations, checklists, compared, recorded)


def stage_of(cooperation: Cooperation) -> Stage:
    """Return a cooperation's stage by its events; by its row if a recorded act erased the details.

    Also by its row if details are missing without such an act: nothing else says it then.
    """
    stages, _lacking = _stages([cooperation.id])
    return stages.get(cooperation.id, cooperation.stage)


def disagreeing(cooperations: Collection[Cooperation]) -> frozenset[UUID]:
    """Return the cooperations whose rows disagree with texts that agree themselves, or with events.

    Their parties and people too. For callers that report disagreeing texts separately.
    """
    ids = {cooperation.id for cooperation in cooperations}
    rows = _rows(ids)
    compared = evidence.compare(rows.checklists)
    recorded = witness.recorded(_ABOUT_ALL_ROWS, ids)
    events = [(event.link, event.details) for event in recorded]
    others = _with_other_stage(cooperations, rows.checklists, compared, events)
    others |= with_other_rows(cooperations, rows.parties, recorded, with_people=True)
    return others - _with_other_texts(rows.checklists, compared)


def _rows(cooperation_ids: Collection[UUID]) -> _Rows:
    rows: Sequence[Any] = db.session.execute(_WITH_ROWS, {"ids": list(cooperation_ids)}).all()
    return _Rows(
        list(dict.fromkeys(row[0] for row in rows)),
        list(dict.fromkeys(row[1] for row in rows if row[1] is not None)),
        list(dict.fromkeys(row[2] for row in rows if row[2] is not None)),
    )


def _with_other_texts(
    checklists: Iterable[Checklist], compared: Mapping[UUID, Compared]
) -> frozenset[UUID]:
    return frozenset(
        checklist.cooperation_id for checklist in checklists if not compared[checklist.id].agrees
    )


def _with_other_stage(
    cooperations: Collection[Cooperation],
    checklists: Iterable[Checklist],
    compared: Mapping[UUID, Compared],
    recorded: Iterable[DetailedEvent] | None = None,
) -> frozenset[UUID]:
    terms = {
        checklist.cooperation_id: compared[checklist.id]
        for checklist in checklists
        if checklist.kind is ChecklistKind.TERMS
    }
    stages, lacking = _stages([cooperation.id for cooperation in cooperations], recorded)
    return frozenset(
        cooperation.id
        for cooperation in cooperations
        if cooperation.id in lacking
        or stages.get(cooperation.id, cooperation.stage) is not cooperation.stage
        or not _is_as_signed(cooperation, terms.get(cooperation.id))
    )


def _stages(
    cooperation_ids: Collection[UUID], recorded: Iterable[DetailedEvent] | None = None
) -> tuple[dict[UUID, Stage], frozenset[UUID]]:
    """Return the stages by the last events, and events that lack their details unexplained.

    If a recorded act erased the details, the stage is unknown.
    """
    if recorded is None:
        recorded = witness.of_subjects_with_details(_MOVES, cooperation_ids)
    moves = witness.those_of(recorded, {COOPERATION}, VERBS)
    last = {link.subject_id: (link, details) for link, details in moves}
    stages = {
        cooperation_id: Stage.EXPLORED
        for cooperation_id in cooperation_ids
        if cooperation_id not in last
    }
    for cooperation_id, (_link, details) in last.items():
        if details is not None:
            stages[cooperation_id] = Stage(details["after"])
    return stages, witness.lacking_details(last.values())


def _is_as_signed(cooperation: Cooperation, terms: Compared | None) -> bool:
    """Return whether stage and dates are those of the terms that signatures and events show."""
    text_id = terms.course.standing_id if terms else None
    # The worker moves the stage when it applies a notice.
    outcome = terms.recorded(text_id) if terms and text_id else None
    if _TERMS_ARE.get(cooperation.stage, outcome) is not outcome:
        return False
    if terms is None or text_id is None:
        return True
    if terms.text_facts.get(text_id) is None:  # altered
        return False
    signed = (terms.first(text_id), terms.last(text_id))
    return signed == (cooperation.starts_on, cooperation.ends_on)
