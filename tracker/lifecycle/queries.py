"""Queries for what the gates depend on, constant in number however large a cooperation is."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from tracker.access.actor import Role
from tracker.agreements import frozen_text, notices
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import heads
from tracker.checklists.loading import LoadedChecklist, load
from tracker.checklists.models import Checklist, ChecklistState
from tracker.checklists.negotiation import hints
from tracker.checklists.queries import terms_stop
from tracker.checklists.rules.completeness import WorkState
from tracker.checklists.rules.values import as_date
from tracker.closing import queries as closing
from tracker.cooperations import agreed_ways, people
from tracker.cooperations import queries as cooperations
from tracker.cooperations.agreed_ways import AgreedWays, TermsState
from tracker.cooperations.models import Cooperation, Stage
from tracker.cooperations.modes import Level, Requirement, requirements
from tracker.cooperations.people import Person
from tracker.core import clock
from tracker.core.db import db
from tracker.core.services import Slot
from tracker.lifecycle import labels
from tracker.lifecycle.policy import (
    SAFEGUARDS,
    ConfidentialityFact,
    Facts,
    ItemFact,
    ItemName,
    PersonFact,
    ReturnFact,
    TermsFact,
)
from tracker.signoff import paper
from tracker.undertakings.clearing_states import cleared_for_any

# The reader of the last day that a review's decision and a notice set: reviews is a higher package.
END_READER: Slot[Callable[[Cooperation], dt.date | None]] = Slot("end_reader", lambda _of: None)

Own = dict[ChecklistKind, Checklist]


def own_checklists(cooperation_id: UUID) -> Own:
    """Return a cooperation's own checklists by kind, without those of its visits."""
    return {row.kind: row for row in heads.of_cooperation(cooperation_id)}


def loaded_terms(own: Own, language: str = "") -> LoadedChecklist | None:
    """Return the terms fully loaded, or None before they are started; for pages."""
    terms = own.get(ChecklistKind.TERMS)
    return None if terms is None else load(terms, language)


def needs(cooperation: Cooperation, terms: LoadedChecklist | None) -> list[Requirement]:
    """Return what a cooperation requires of each checklist, considering the answer to M9."""
    m9 = None if terms is None else terms.sheet.value("M9", "access")
    return requirements(cooperations.modes(cooperation), cooperation.questions, m9=m9)


def facts(
    cooperation: Cooperation, own: Own, terms: LoadedChecklist | None, taking_part: list[Person]
) -> Facts:
    """Return the plain values for a cooperation's gates from what was already read."""
    confidentiality = own.get(ChecklistKind.CONFIDENTIALITY)
    is_closed = cooperation.stage is Stage.CLOSED
    text = None if terms is None else notices.standing_document(terms.checklist)
    ways = None if terms is None else _ways_in(text, cooperation, terms.checklist.id)
    return Facts(
        stage=cooperation.stage,
        today=clock.today(),
        modes=tuple(cooperations.modes(cooperation)),
        questions=cooperation.questions,
        agreed_ways=ways,
        has_npm_coordinator=any(
            person.is_of_npm and Role.COORDINATOR in person.roles for person in taking_part
        ),
        terms=None if terms is None else _terms(cooperation, terms, text),
        confidentiality=ConfidentialityFact(
            checklist_id=None if confidentiality is None else confidentiality.id,
            is_required=_requires_confidentiality(cooperation, terms, text, ways),
            in_force=confidentiality is not None
            and confidentiality.revision_in_force_id is not None,
        ),
        people=_people(cooperation.id, taking_part),
        starts_on=cooperation.starts_on,
        ends_on=cooperation.ends_on,
        review_on=cooperation.review_on,
        end_decided=END_READER.get()(cooperation),
        waiting_returns=tuple(ReturnFact(*names) for names in closing.waiting_names(cooperation.id))
        if is_closed
        else (),
        stop=terms_stop(cooperation.id)
        if terms is not None and terms.checklist.revision_in_force_id is not None
        else None,
        had_access=is_closed and closing.anybody_was_asked(cooperation.id),
    )


def facts_of(cooperation: Cooperation) -> Facts:
    """Read all plain values for the gates. The caller found the cooperation with a scoped query."""
    own = own_checklists(cooperation.id)
    return facts(cooperation, own, loaded_terms(own), people.people(cooperation.id))


def terms_state(cooperation_id: UUID) -> TermsState:
    """Return what the terms say about the ways of working, and whether they can be changed now.

    For cooperations.queries.TERMS_READER.
    """
    terms = own_checklists(cooperation_id).get(ChecklistKind.TERMS)
    if terms is None:
        return TermsState()
    cooperation = db.session.get_one(Cooperation, cooperation_id)
    return TermsState(
        _ways_in(notices.standing_document(terms), cooperation, terms.id),
        is_drafted=terms.state is ChecklistState.DRAFTING,
        is_sent=terms.state is ChecklistState.SENT,
        checklist_id=terms.id,
    )


def _ways_in(
    text: Mapping[str, Any] | None, cooperation: Cooperation, terms_id: UUID
) -> AgreedWays | None:
    agreed = None if text is None else frozen_text.ways_in(text)
    return cooperations.with_paper(agreed, cooperation, terms_id)


def _requires_confidentiality(
    cooperation: Cooperation,
    terms: LoadedChecklist | None,
    text: Mapping[str, Any] | None,
    ways: AgreedWays | None,
) -> bool:
    """Return whether checklist 2 is required: once terms are in force, by what they say.

    An amendment that nobody has signed yet starts the checklist (needs()), but holds no stage up.
    """
    if text is None:
        needed = needs(cooperation, terms)
    else:
        counting = agreed_ways.counting(cooperations.modes(cooperation), ways)
        m9 = frozen_text.m9_in(text)
        needed = requirements(counting, cooperation.questions, m9=m9)
    return any(
        requirement.kind is ChecklistKind.CONFIDENTIALITY and requirement.level is Level.REQUIRED
        for requirement in needed
    )


def _terms(
    cooperation: Cooperation, terms: LoadedChecklist, text: Mapping[str, Any] | None
) -> TermsFact:
    """Return the terms' plain values; text is the document in force, if there is one."""
    checklist = terms.checklist
    in_force = checklist.revision_in_force_id is not None
    is_drafted = checklist.state is ChecklistState.DRAFTING and not in_force
    hinted = [hint.item for hint in hints.waiting_for_reader(terms)] if is_drafted else []
    flagged = {flag.item for flag in terms.flags if flag.closed_at is None}
    made_before = _made_before(checklist, text)
    return TermsFact(
        checklist_id=checklist.id,
        lacking=_newly_required(terms) if in_force else _lacking(terms),
        # Only needed while the terms are drafted.
        agreed_on=None if in_force or checklist.revision_sent_id else _agreed_on(terms),
        starts_on=as_date(terms.sheet.value("M19", "start")) or cooperation.starts_on,
        flagged_items=_names(terms, sorted(flagged, key=lambda code: int(code[1:]))),
        hinted_items=_names(terms, dict.fromkeys(hinted)),
        is_reviewed=terms.review is not None,
        outside_reader=checklist.reading.name if checklist.reading else "",
        is_sent=checklist.revision_sent_id is not None,
        in_force=in_force,
        made_before=made_before,
    )


def _names(terms: LoadedChecklist, codes: Iterable[str]) -> tuple[ItemName, ...]:
    items = ((code, terms.template.item(code)) for code in codes)
    return tuple(ItemName(code, item.label if item else code) for code, item in items)


def _made_before(checklist: Checklist, text: Mapping[str, Any] | None) -> bool:
    if text is not None and checklist.revision_in_force_id is not None:
        return frozen_text.is_prior_agreement(text)
    revision_id = checklist.revision_sent_id
    return revision_id is not None and paper.prior_agreement_scan(revision_id) is not None


def _lacking(terms: LoadedChecklist) -> tuple[ItemFact, ...]:
    standing = terms.standing().items
    lacking: list[ItemFact] = []
    for item in terms.template.items:
        stands = standing.get(item.code)
        if stands is not None and stands.required and not stands.done:
            what = labels.ITEM_STATES.get(stands.state, labels.ITEM_STATES[WorkState.NOT_STARTED])
            lacking.append(ItemFact(item.code, item.label, what, item.rests_on.passages[0]))
    return tuple(lacking)


def _newly_required(terms: LoadedChecklist) -> tuple[ItemFact, ...]:
    """Return the items that are required now and that the terms in force say nothing about.

    That happens when the answers behind the ways of working change after all have signed. None
    while an amendment is open.
    """
    if terms.checklist.state is not ChecklistState.IN_FORCE:
        return ()
    standing = terms.standing().items
    return tuple(
        ItemFact(item.code, item.label, labels.NEEDS_AMENDMENT, item.rests_on.passages[0])
        for item in terms.template.items
        if (stands := standing.get(item.code)) is not None
        and stands.required
        and stands.state is WorkState.NOT_STARTED
    )


def _agreed_on(terms: LoadedChecklist) -> dt.date | None:
    """Return the day of the last answer or position on the terms except M5 and M6; None before G2.

    While a required item is not done, nothing is agreed yet.
    """
    standing = terms.standing().items.values()
    if any(
        status.required and not status.done and status.code not in SAFEGUARDS for status in standing
    ):
        return None
    moments = [
        answer.saved_at
        for (item, _scope, _owner), answer in terms.sheet.answers.items()
        if item not in SAFEGUARDS
    ]
    moments += [
        position.taken_at for position in terms.positions if position.item not in SAFEGUARDS
    ]
    return max(moments).astimezone(clock.zone()).date() if moments else None


def _people(cooperation_id: UUID, taking_part: list[Person]) -> tuple[PersonFact, ...]:
    cleared = cleared_for_any(cooperation_id)
    return tuple(
        PersonFact(
            person.name,
            person.organisation_name,
            person.user_id in cleared,
            person.user_id,
            person.organisation_id,
        )
        for person in taking_part
        if person.needs_clearance and not person.is_joining
    )
