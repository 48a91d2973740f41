"""Whether cooperations' stages and dates agree with signatures and events."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from uuid import UUID

import sqlalchemy as sa

from tracker.activity import verbs, witness
from tracker.activity.models import Event
from tracker.activity.witness import DetailedEvent, Recorded
from tracker.agreements import evidence
from tracker.agreements.evidence import Compared
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist
from tracker.cooperations.models import Cooperation, Stage
from tracker.core.db import db
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
# The acts that change the row of a cooperation and are events about it; its last change is among
# them, or witness.differing() looks for it.
BINDING = (
    *VERBS,
    verbs.COOPERATION_OPENED,
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
_RECORDED = witness.about_with_details(
    sa.or_(IS_ABOUT, evidence.IS_ABOUT), {*BINDING, *evidence.VERBS}
)


# What a cooperation is compared with: its agreed terms and those on confidentiality.
_OF_COOPERATION = sa.and_(
    Checklist.kind.in_([ChecklistKind.TERMS, ChecklistKind.CONFIDENTIALITY]),
    Checklist.visit_id.is_(None),
)
# Cooperations with these, to compare() in lists; one row for each checklist, or one without any.
WITH_CHECKLISTS = (
    sa.select(Cooperation, Checklist)
    .outerjoin(Checklist, sa.and_(Checklist.cooperation_id == Cooperation.id, _OF_COOPERATION))
    .where(Cooperation.id.in_(sa.bindparam("ids", expanding=True)))
)


def agreeing(cooperations: Collection[Cooperation]) -> frozenset[UUID]:
    """Return the cooperations that agree with their signatures and events, for lists.

    Takes a constant number of statements.
    """
    checklists = _checklists(cooperations)
    return compare(cooperations, checklists)[1]


def agreeing_in_stage(cooperations: Collection[Cooperation]) -> frozenset[UUID]:
    """Return the cooperations whose stage, dates and texts agree, for acts.

    An act may have changed the rest of their rows before its event: activity.unaltered compares
    that. Takes a constant number of statements.
    """
    checklists = _checklists(cooperations)
    recorded = witness.of_subjects_with_details(
        _RECORDED,
        {cooperation.id for cooperation in cooperations},
        **evidence.wanted(checklists),
    )
    compared = evidence.compare(checklists, recorded)
    return compare_with_events(cooperations, checklists, compared, recorded)


def compare(
    cooperations: Collection[Cooperation], checklists: Collection[Checklist]
) -> tuple[dict[UUID, Compared], frozenset[UUID]]:
    """Compare own checklists of cooperations, and return them with the cooperations that agree.

    A cooperation agrees if its whole row does, with its title, its ways of working and its dates.
    """
    recorded = witness.recorded(
        _RECORDED,
        {cooperation.id for cooperation in cooperations},
        **evidence.wanted(checklists),
    )
    events = [(event.link, event.details) for event in recorded]
    compared = evidence.compare(checklists, events)
    agreeing_in_stage = compare_with_events(cooperations, checklists, compared, events)
    return compared, agreeing_in_stage - with_other_row(cooperations, recorded)


def is_as_recorded(cooperation: Cooperation) -> bool:
    """Return whether the row of a cooperation is as the last event binds it; in one statement."""
    return not with_other_row([cooperation], witness.recorded(_ABOUT_ROWS, [cooperation.id]))


def with_other_row(
    cooperations: Collection[Cooperation], recorded: Iterable[Recorded]
) -> frozenset[UUID]:
    """Return the cooperations whose rows aren't as the last events about them bind them."""
    rows = {cooperation: cooperation.id for cooperation in cooperations}
    return frozenset(row.id for row in witness.differing(recorded, rows))


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

    For callers that report disagreeing texts separately.
    """
    checklists = _checklists(cooperations)
    compared = evidence.compare(checklists)
    recorded = witness.recorded(_ABOUT_ROWS, {cooperation.id for cooperation in cooperations})
    events = [(event.link, event.details) for event in recorded]
    others = _with_other_stage(cooperations, checklists, compared, events)
    others |= with_other_row(cooperations, recorded)
    return others - _with_other_texts(checklists, compared)


def _checklists(cooperations: Collection[Cooperation]) -> Sequence[Checklist]:
    return db.session.scalars(
        sa.select(Checklist).where(
            Checklist.cooperation_id.in_([cooperation.id for cooperation in cooperations]),
            _OF_COOPERATION,
        )
    ).all()


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
