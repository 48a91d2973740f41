"""Loading of a whole checklist as plain values, in a constant number of queries.

In one file: one value, and what puts it together from the parts that a transaction has read.
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, TypeVar
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.access.decision import Decision
from tracker.checklist_templates import library, translations
from tracker.checklist_templates.conditions import Truth
from tracker.checklist_templates.models import AnswerScope, TemplateWords
from tracker.checklist_templates.schema import Item, Template, TemplateField
from tracker.checklists import encryption, heads, parts, policy
from tracker.checklists.beside import VISIT_READER, VisitFacts
from tracker.checklists.loaded import Part, of_this_transaction
from tracker.checklists.models import (
    Checklist,
    ChecklistState,
    Flag,
    HintAnswer,
    Proposal,
    ProposalState,
    SafeguardReview,
    Stance,
)
from tracker.checklists.parts import PositionFact
from tracker.checklists.rules.completeness import (
    ChecklistStatus,
    ItemStatus,
    applied,
    counting,
    is_shown,
    item_standing,
    standing_of_counted,
)
from tracker.checklists.rules.facts import PartyFact, Sheet, Surroundings
from tracker.checklists.rules.rendering import Names
from tracker.cooperations import keys, outside_bodies
from tracker.cooperations.models import Cooperation, Mode
from tracker.cooperations.people import Participant
from tracker.core import clock
from tracker.core.errors import RuleBrokenError


@dataclass(frozen=True)
class LoadedChecklist:
    """A fully loaded checklist that is being filled in: rules and pages need no further query.

    It is a snapshot from when it was loaded; what is derived from it is derived once.
    """

    checklist: Checklist
    cooperation: Cooperation
    # As it currently applies: without the columns that are not shown (product.md, 4.5).
    template: Template
    # As it currently counts: without answers to hidden items.
    sheet: Sheet
    surroundings: Surroundings
    # Who takes part today; and the names to show of all who ever did.
    people: Mapping[UUID, Participant]
    names: Names
    positions: tuple[PositionFact, ...]
    proposals: tuple[Proposal, ...]
    turned_down: tuple[Proposal, ...]
    flags: tuple[Flag, ...]
    review: SafeguardReview | None
    hint_answers: tuple[HintAnswer, ...] = ()
    # The number of its visit, if it is a visit's.
    visit_number: int | None = None

    def standing(self) -> ChecklistStatus:
        """Return the status of every item."""
        return self._standing

    @cached_property
    def _standing(self) -> ChecklistStatus:
        return standing_of_counted(self.template, self.sheet, self.surroundings)

    @cached_property
    def positions_on(self) -> Mapping[str, Mapping[UUID, PositionFact]]:
        """The positions on the whole answer to each item that has any, by organisation."""
        return {
            code: {row.organisation_id: row for row in rows if row.part_id is None}
            for code, rows in self.all_positions_on.items()
        }

    @cached_property
    def all_positions_on(self) -> Mapping[str, list[PositionFact]]:
        """The positions on each item that has any, on whole answers and on parts of them."""
        return _by_item(self.positions)

    @cached_property
    def proposals_on(self) -> Mapping[str, list[Proposal]]:
        """The open proposals for each item that has any."""
        return _by_item(self.proposals)

    @cached_property
    def turned_down_on(self) -> Mapping[str, list[Proposal]]:
        """The proposals turned down for each item that has any."""
        return _by_item(self.turned_down)

    @cached_property
    def flags_on(self) -> Mapping[str, list[Flag]]:
        """The flags, open and closed, on each item that has any."""
        return _by_item(self.flags)

    @cached_property
    def hint_answers_on(self) -> Mapping[str, list[HintAnswer]]:
        """The answers to hints on each item that has any, the oldest first."""
        return _by_item(self.hint_answers)

    def item(self, code: str) -> Item:
        """Return an item; raise RuleBrokenError if the template has none with that code."""
        item = self.template.item(code)
        if item is None:
            raise RuleBrokenError(_l("That item doesn't exist."))
        return item

    def whole_fields(self, item: Item, scope: AnswerScope) -> tuple[TemplateField, ...]:
        """Return the fields of an item, including columns that are currently not shown."""
        return library.parsed(self.checklist.template).by_code[item.code].fields_of(scope)

    def require_shown(self, item: Item) -> None:
        """Raise RuleBrokenError unless the item applies here (product.md, 4.5)."""
        match is_shown(item, self.sheet, self.surroundings):
            case Truth.FALSE:
                raise RuleBrokenError(_l("This item does not apply here."))
            case Truth.NOT_KNOWN:
                raise RuleBrokenError(
                    _l(
                        "We don't know yet whether this item applies. First answer the item it "
                        "depends on."
                    )
                )

    def require_open(self, item: Item) -> None:
        """Raise RefusedError unless the item may be changed now (product.md, 4.10 and 5.4)."""
        self.is_open(item).require()

    def is_open(self, item: Item, item_status: ItemStatus | None = None) -> Decision:
        """Decide whether the item may be changed now; item_status is its status, if known."""
        item_status = item_status or item_standing(item, self.sheet, self.surroundings)
        return policy.is_item_open(
            self.checklist.state,
            self.checklist.open_items,
            item,
            holds_up=item_status.holds_up,
            goes_on=self.goes_on(),
        )

    def has_answer(self, item: Item) -> bool:
        """Return whether anybody has answered an item, for all or for their party."""
        answers = [self.sheet.shared(item.code)]
        answers += [self.sheet.of_party(item.code, p.organisation_id) for p in self.parties]
        return any(answer is not None and not answer.is_empty for answer in answers)

    @property
    def flagged(self) -> frozenset[str]:
        """The items on which a flag is open."""
        return frozenset(flag.item for flag in self.flags if flag.closed_at is None)

    @property
    def parties(self) -> tuple[PartyFact, ...]:
        """The current parties of the checklist."""
        return self.surroundings.parties

    def goes_on(self) -> Decision:
        """Decide whether the text can still be acted on, as policy.goes_on() says."""
        return policy.goes_on(self.cooperation.stage, visit_is_stopped=self.visit_is_stopped)

    @property
    def visit_is_stopped(self) -> bool:
        """Whether it belongs to a visit that was stopped, so that its texts have ended."""
        return self.surroundings.visit_is_stopped

    @property
    def has_newcomer(self) -> bool:
        """Whether a party of the checklist is joining: it has yet to sign the terms in force."""
        return any(party.is_joining for party in self.parties)

    def own_party(self, actor: Actor) -> PartyFact | None:
        """Return the party a person acts for, None if it is no party of the checklist."""
        return self.party(actor.organisation_id) if actor.organisation_id else None

    def party(self, organisation_id: UUID) -> PartyFact | None:
        """Return a current party of the checklist."""
        return next((p for p in self.parties if p.organisation_id == organisation_id), None)


OfItem = TypeVar("OfItem", PositionFact, Proposal, Flag, HintAnswer)


def _by_item(rows: Iterable[OfItem]) -> dict[str, list[OfItem]]:
    by_item: dict[str, list[OfItem]] = {}
    for row in rows:
        by_item.setdefault(row.item, []).append(row)
    return by_item


def load_for_update(checklist: Checklist) -> LoadedChecklist:
    """Lock the checklist and load all of it; every verb begins with this."""
    heads.lock(checklist)
    return load(checklist)


def load(checklist: Checklist, language: str = "") -> LoadedChecklist:
    """Load all that belongs to a checklist; the caller found it with a query scoped to the actor.

    language is the reader's, for pages; verbs use the template's own.
    """
    loaded = load_all([checklist])[checklist.id]
    return said_in(loaded, language) if language else loaded


def load_all(checklists: Sequence[Checklist]) -> dict[UUID, LoadedChecklist]:
    """Load all that belongs to some checklists, in a constant number of queries.

    What this transaction has read, and that hasn't changed since, is not read again. The caller
    found them with a query scoped to the actor.
    """
    rows = heads.load_heads(checklists)
    ids = [checklist.id for checklist in checklists]
    cooperation_ids = list(dict.fromkeys(checklist.cooperation_id for checklist in checklists))
    loaded = of_this_transaction(cooperation_ids)
    keys.hold(
        {
            checklist.cooperation_id
            for checklist in checklists
            if encryption.is_restricted(checklist)
        }
    )
    cooperations = loaded.parts(Part.COOPERATION, cooperation_ids, heads.read_cooperations)
    people = loaded.parts(
        Part.PEOPLE,
        cooperation_ids,
        lambda new: parts.read_people([cooperations[cooperation_id] for cooperation_id in new]),
    )
    visits = loaded.parts(
        Part.VISIT,
        [checklist.visit_id for checklist in checklists if checklist.visit_id],
        _visits,
        nothing=_no_visit,
    )
    answers = loaded.parts(
        Part.ANSWERS,
        ids,
        lambda new: parts.read_answers([rows[checklist_id] for checklist_id in new]),
        nothing=parts.no_answers,
    )
    positions = loaded.parts(Part.POSITIONS, ids, parts.read_positions)
    proposals, flags, reviews = (
        loaded.parts(part, loaded.unless_empty(part, ids), read)
        for part, read in (
            (Part.PROPOSALS, parts.read_proposals),
            (Part.FLAGS, parts.read_flags),
            (Part.REVIEWS, parts.read_reviews),
        )
    )
    hint_answers = loaded.parts(
        Part.HINT_ANSWERS,
        [checklist_id for checklist_id in ids if rows[checklist_id].has_hint_answers],
        parts.read_hint_answers,
    )

    def make(checklist: Checklist, visit: VisitFacts | None) -> LoadedChecklist:
        return _loaded(
            checklist,
            cooperations[checklist.cooperation_id],
            people[checklist.cooperation_id],
            visit,
            answers[checklist.id],
            _Talks(
                positions[checklist.id],
                proposals.get(checklist.id, ()),
                flags.get(checklist.id, ()),
                reviews.get(checklist.id, ()),
                hint_answers.get(checklist.id, ()),
            ),
        )

    loaded_by_id: dict[UUID, LoadedChecklist] = {}
    for checklist in (rows[object_id] for object_id in ids):
        visit = visits.get(checklist.visit_id) if checklist.visit_id else None
        loaded_by_id[checklist.id] = loaded.get_or_make(
            checklist.id, (visit, _reopened(checklist)), partial(make, checklist, visit)
        )
    return loaded_by_id


def know_visit(cooperation_id: UUID, visit_id: UUID, facts: VisitFacts) -> None:
    """Cache what a visit's checklists depend on, for a caller that has just read it."""
    of_this_transaction([cooperation_id]).put(Part.VISIT, visit_id, facts)


@dataclass(frozen=True, slots=True)
class _Talks:
    """All rows of a checklist apart from its answers."""

    positions: Sequence[PositionFact]
    proposals: Sequence[Proposal]
    flags: Sequence[Flag]
    reviews: Sequence[SafeguardReview]
    hint_answers: Sequence[HintAnswer]


def _loaded(
    checklist: Checklist,
    cooperation: Cooperation,
    people: parts.People,
    visit: VisitFacts | None,
    answers: parts.Answers,
    talks: _Talks,
) -> LoadedChecklist:
    surroundings = _surroundings(checklist, cooperation, people, visit)
    if surroundings.reopened is not None:
        reopened = surroundings.reopened | _written_anew(checklist, answers)
        surroundings = replace(surroundings, reopened=reopened)
    template = library.parsed(checklist.template)
    written = Sheet(
        checklist.id,
        answers.current,
        _stances(talks.positions),
        frozenset(answers.authors),
        proposed=_proposed(talks.proposals),
        row_positions=_stances_on_parts(talks.positions),
    )
    sheet = counting(template, written, surroundings)
    return LoadedChecklist(
        checklist=checklist,
        cooperation=cooperation,
        template=applied(template, sheet, surroundings),
        sheet=sheet,
        surroundings=surroundings,
        people=people.today,
        names=people.names,
        positions=tuple(talks.positions),
        proposals=tuple(
            proposal for proposal in talks.proposals if proposal.state is ProposalState.OPEN
        ),
        turned_down=tuple(
            proposal for proposal in talks.proposals if proposal.state is ProposalState.TURNED_DOWN
        ),
        flags=tuple(talks.flags),
        review=next(iter(talks.reviews), None),
        hint_answers=tuple(talks.hint_answers),
        visit_number=visit.number if visit else None,
    )


def retold(loaded: LoadedChecklist, words: TemplateWords | None) -> LoadedChecklist:
    """Return a checklist with another translation, or with none, without loading it again."""
    template = library.localized_by(loaded.checklist.template, words)
    return replace(loaded, template=applied(template, loaded.sheet, loaded.surroundings))


def said_in(loaded: LoadedChecklist, language: str) -> LoadedChecklist:
    """Return a loaded checklist in a language, as far as translated, without loading it again."""
    row = loaded.checklist.template
    own = library.parsed(row).language
    words = None if language == own else translations.current(row.id).get(language)
    return retold(loaded, words)


def _stances(positions: Iterable[PositionFact]) -> dict[str, dict[UUID, Any]]:
    stances: dict[str, dict[UUID, Any]] = {}
    for position in positions:
        if position.part_id is None:
            stances.setdefault(position.item, {})[position.organisation_id] = (
                position.answer_id,
                position.stance,
            )
    return stances


def _stances_on_parts(
    positions: Iterable[PositionFact],
) -> dict[str, dict[UUID, dict[UUID, Stance]]]:
    stances: dict[str, dict[UUID, dict[UUID, Stance]]] = {}
    for position in positions:
        if position.part_id is not None:
            by_party = stances.setdefault(position.item, {})
            by_party.setdefault(position.organisation_id, {})[position.part_id] = position.stance
    return stances


def _proposed(proposals: Iterable[Proposal]) -> dict[str, frozenset[UUID]]:
    proposers: dict[str, set[UUID]] = {}
    for proposal in proposals:
        if proposal.state is ProposalState.OPEN:
            proposers.setdefault(proposal.item, set()).add(proposal.organisation_id)
    return {item: frozenset(parties) for item, parties in proposers.items()}


def _visits(ids: list[UUID]) -> Mapping[UUID, VisitFacts]:
    return VISIT_READER.get()(ids)


def _no_visit() -> None:
    return None


def _surroundings(
    checklist: Checklist,
    cooperation: Cooperation,
    people: parts.People,
    visit: VisitFacts | None,
) -> Surroundings:
    return Surroundings(
        modes=frozenset(mode for mode in Mode if mode in cooperation.modes),
        questions=cooperation.questions,
        parties=heads.party_facts(checklist, cooperation),
        npm_people=people.npm,
        non_readers=people.non_readers,
        without_account=people.without_account,
        people=frozenset(people.today),
        people_of=people.by_party,
        left=frozenset(row.organisation_id for row in cooperation.parties if row.leave_done_at),
        bodies=frozenset(body.id for body in outside_bodies.of(cooperation) if not body.is_removed),
        reopened=_reopened(checklist),
        team=visit.team if visit else None,
        joined=visit.joined if visit else {},
        visit_starts_on=visit.starts_on if visit else None,
        visit_ends_on=visit.ends_on if visit else None,
        today_in_visit=_today_in(visit),
        visit_is_stopped=visit is not None and visit.is_stopped,
        place_changed_at=visit.place_changed_at if visit else None,
        place_changed_on=_day_of(visit.place_changed_at if visit else None),
        kind_asked_at=visit.kind_asked_at if visit else None,
        planned=_planned(checklist, cooperation),
        latest_start=heads.latest_start(checklist, cooperation),
    )


def _reopened(checklist: Checklist) -> frozenset[str] | None:
    """Return which items of a text that all agreed may be written anew; None: all."""
    if checklist.state in {ChecklistState.SENT, ChecklistState.IN_FORCE}:
        return frozenset()
    if checklist.revision_in_force_id is None or checklist.open_items is None:
        return None
    return frozenset(checklist.open_items)


def _written_anew(checklist: Checklist, answers: parts.Answers) -> frozenset[str]:
    """Return the items written since the text in force was signed, reopened or not.

    Whoever is named there may have left: then the item can be written though nobody reopened it.
    """
    signed_at = checklist.in_force_at
    if checklist.state is not ChecklistState.DRAFTING or signed_at is None:
        return frozenset()
    return frozenset(
        code
        for (code, scope, _owner), answer in answers.current.items()
        if scope is AnswerScope.SHARED and answer.saved_at > signed_at and not answer.taken_over
    )


def _today_in(visit: VisitFacts | None) -> dt.date | None:
    today = clock.today()
    return today if visit is not None and visit.starts_on <= today else None


def _day_of(moment: dt.datetime | None) -> dt.date | None:
    return moment.astimezone(clock.zone()).date() if moment else None


def _planned(checklist: Checklist, cooperation: Cooperation) -> dict[str, dt.date]:
    if checklist.in_force_at is not None or checklist.revision_in_force_id is not None:
        return {}
    dates = {
        "start": cooperation.starts_on,
        "review": cooperation.review_on,
        "end": cooperation.ends_on,
    }
    return {key: day for key, day in dates.items() if day is not None}
