"""Loading of a whole checklist as plain values, in a constant number of queries.

In one file: the queries and the values they fill are changed together, and the number of queries is
counted over all.
"""

import datetime as dt
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property, partial
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.orm.util import identity_key

from tracker.access.actor import Actor, OrganisationKind
from tracker.access.decision import Decision
from tracker.accounts.models import Membership, User
from tracker.activity import service as trail
from tracker.checklist_templates import library, translations
from tracker.checklist_templates.conditions import Truth
from tracker.checklist_templates.models import AnswerScope, TemplateWords
from tracker.checklist_templates.schema import Item, Template, TemplateField
from tracker.checklists import encryption, policy, queries
from tracker.checklists.loaded import Part, of_this_transaction
from tracker.checklists.models import (
    Answer,
    Checklist,
    ChecklistParty,
    CopiedAnswer,
    CopyReading,
    Flag,
    HintAnswer,
    Position,
    Proposal,
    ProposalState,
    SafeguardReview,
    Stance,
)
from tracker.checklists.rules.completeness import (
    ChecklistStatus,
    ItemStatus,
    applied,
    counting,
    is_shown,
    item_standing,
    standing,
)
from tracker.checklists.rules.facts import (
    AnswerKey,
    Filled,
    PartyFact,
    Sheet,
    Surroundings,
)
from tracker.checklists.rules.rendering import Names
from tracker.cooperations import keys, outside_bodies, people
from tracker.cooperations.models import Cooperation, CooperationPerson, Mode, Party
from tracker.core import clock
from tracker.core.db import db, load_joined
from tracker.core.errors import RuleBrokenError
from tracker.core.services import Slot
from tracker.organisations.languages import language_codes
from tracker.organisations.models import Organisation

# What is read with a checklist's own row (HEADS).
_RELATIONS = ("template", "reading", "parties")

Row = TypeVar("Row", Proposal, Flag, HintAnswer, SafeguardReview)


@dataclass(frozen=True, slots=True)
class PersonFact:
    """A person who takes part in the cooperation, for choosing and for showing."""

    user_id: UUID
    name: str
    organisation_id: UUID
    organisation_name: str
    side: OrganisationKind
    function: str = ""


class PositionFact(NamedTuple):
    """A party's current position on an item."""

    id: UUID
    item: str
    organisation_id: UUID
    answer_id: UUID | None
    stance: Stance
    reason: str | None
    sealed_reason: bytes | None
    taken_at: dt.datetime
    author_name: str


@dataclass(frozen=True)
class LoadedChecklist:
    """A checklist being filled in, loaded whole: rules and pages need no further query.

    It is a snapshot from when it was loaded; what is derived from it is derived once.
    """

    checklist: Checklist
    cooperation: Cooperation
    # As it applies here and now: without the columns that are not shown (product.md, 4.5).
    template: Template
    sheet: Sheet
    surroundings: Surroundings
    # Who takes part today; and the names of all who ever did, for showing.
    people: Mapping[UUID, PersonFact]
    names: Names
    positions: tuple[PositionFact, ...]
    proposals: tuple[Proposal, ...]
    turned_down: tuple[Proposal, ...]
    flags: tuple[Flag, ...]
    review: SafeguardReview | None
    hint_answers: tuple[HintAnswer, ...] = ()

    def standing(self) -> ChecklistStatus:
        """Return the status of every item."""
        return self._standing

    @cached_property
    def _standing(self) -> ChecklistStatus:
        return standing(self.template, self.sheet, self.surroundings)

    @cached_property
    def positions_on(self) -> Mapping[str, Mapping[UUID, PositionFact]]:
        """The positions on each item that has any, by organisation."""
        return {
            code: {row.organisation_id: row for row in rows}
            for code, rows in _by_item(self.positions).items()
        }

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
        """Return an item; raise RuleBrokenError when the template has none of that code."""
        item = self.template.item(code)
        if item is None:
            raise RuleBrokenError(_l("That item doesn't exist."))
        return item

    def whole_fields(self, item: Item, scope: AnswerScope) -> tuple[TemplateField, ...]:
        """Return the fields of an item with the columns that are not shown here and now too."""
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
            self.checklist.state, self.checklist.open_items, item, holds_up=item_status.holds_up
        )

    def has_answer(self, item: Item) -> bool:
        """Tell whether anybody answered an item, for all or for their party."""
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

    @property
    def has_newcomer(self) -> bool:
        """Whether a party of the checklist is joining: it has yet to sign the terms in force."""
        return any(people.is_joining(self.cooperation, p.organisation_id) for p in self.parties)

    def own_party(self, actor: Actor) -> PartyFact | None:
        """Return the party a person acts for, None when it is no party of the checklist."""
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


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """What a visit's checklist looks at of its visit."""

    team: frozenset[UUID]
    starts_on: dt.date
    ends_on: dt.date


VisitReader = Callable[[Collection[UUID]], Mapping[UUID, VisitFacts]]


# How visits' teams and days are found: visits stands above this part.
VISIT_READER: Slot[VisitReader] = Slot("visit_reader", lambda _visit_ids: {})


@dataclass(frozen=True, slots=True)
class CommentLine:
    """A comment as shown beside an item."""

    name: str
    organisation: str
    when: dt.datetime
    own: bool
    text: str
    is_settled: bool


@dataclass(frozen=True, slots=True)
class Thread:
    """What a person reads of the comments on an item: how many, and the last few."""

    count: int = 0
    last: tuple[CommentLine, ...] = ()


NO_COMMENTS = Thread()


@dataclass(frozen=True, slots=True)
class Threads:
    """The comments that a person reads on a checklist, by item; on the whole of it by nothing."""

    by_item: Mapping[str, Thread]

    def of(self, item: str = "") -> Thread:
        """Return the comments on an item, or with nothing those on the checklist as a whole."""
        return self.by_item.get(item, NO_COMMENTS)


CommentReader = Callable[[Actor, Checklist], Threads | None]


# How comments beside items are found: comments stands above this part.
COMMENT_READER: Slot[CommentReader] = Slot("comment_reader", lambda _actor, _checklist: None)


def comments_beside(actor: Actor, checklist: Checklist) -> Threads | None:
    """Return the comments a person may read on a checklist; None if they may read none."""
    return COMMENT_READER.get()(actor, checklist)


@dataclass(frozen=True, slots=True)
class OwnPassageBeside:
    """A passage of a party's own guidance, shown beside an item."""

    article_id: UUID
    organisation: str
    key: str
    title: str
    language: str
    markdown: str


OwnGuidance = Mapping[str, Sequence[OwnPassageBeside]]
OwnGuidanceReader = Callable[[Actor, UUID], OwnGuidance]


# How own guidance beside items is found: authoring stands above this part.
OWN_GUIDANCE_READER: Slot[OwnGuidanceReader] = Slot("own_guidance_reader", lambda _actor, _id: {})


def own_guidance_beside(actor: Actor, loaded: LoadedChecklist) -> OwnGuidance:
    """Return by item's code what parties wrote themselves and the person may read."""
    return OWN_GUIDANCE_READER.get()(actor, loaded.cooperation.id)


@dataclass(frozen=True, slots=True)
class TextOnPage:
    """What the page of a checklist says of its signed text."""

    # Whether the rows agree with signatures and events.
    agrees: bool
    # Its status today, in words; empty as long as there is none.
    words: object = ""


TextReader = Callable[[Checklist], TextOnPage]


# How texts are compared with their evidence: agreements stands above this part.
TEXT_READER: Slot[TextReader] = Slot("text_reader", lambda _checklist: TextOnPage(agrees=True))


def text_on_page(checklist: Checklist) -> TextOnPage:
    """Return what the page of a checklist says of its text, by its signatures and events."""
    return TEXT_READER.get()(checklist)


def find(actor: Actor, checklist_id: UUID) -> Checklist | None:
    """Return a checklist the person may open, with template and parties, or None.

    It is not read again when it is loaded whole, unless others are kept from changing it first.
    """
    row = db.session.scalar(HEADS.where(Checklist.id == checklist_id, queries.visible(actor)))
    return None if row is None else remember([row])[0]


def remember(checklists: Sequence[Checklist]) -> Sequence[Checklist]:
    """Keep checklists that were read anew by HEADS, so that loading them does not read them again.

    The caller found them by a query scoped by the actor.
    """
    loaded = of_this_transaction([head.cooperation_id for head in checklists])
    loaded.forget_unless_whole(Part.CHECKLIST, _RELATIONS)
    for checklist in checklists:
        loaded.put(Part.CHECKLIST, checklist.id, checklist)
    return checklists


def of_cooperation(cooperation_id: UUID) -> list[Checklist]:
    """Return the checklists of a cooperation itself, without those of its visits.

    The caller found the cooperation by a query scoped by the actor.
    """
    loaded = of_this_transaction([cooperation_id])
    loaded.forget_unless_whole(Part.OWN, _RELATIONS)
    checklists: list[Checklist] = loaded.parts(Part.OWN, [cooperation_id], _own_checklists)[
        cooperation_id
    ]
    return checklists


def _own_checklists(cooperation_ids: list[UUID]) -> dict[UUID, list[Checklist]]:
    checklists: dict[UUID, list[Checklist]] = {
        cooperation_id: [] for cooperation_id in cooperation_ids
    }
    rows = db.session.scalars(_OWN, {"ids": cooperation_ids}).all()
    for row in remember(rows):
        checklists[row.cooperation_id].append(row)
    return checklists


def writes_on(actor: Actor, checklist: Checklist) -> bool:
    """Tell whether a person may open a checklist and writes for a party of it, asking once."""
    loaded = of_this_transaction([checklist.cooperation_id])
    return loaded.once((actor, checklist.id), lambda: queries.works_on(actor, checklist.id))


def lock(*checklists: Checklist) -> None:
    """Keep others from changing these checklists, and their cooperations, until the end.

    The end is that of this transaction. A checklist's row comes before its cooperation's chain, as
    with the worker, which passes over rows that are held. Who holds the chain already needs no row:
    a transaction that has locked one waits for the chain before it reads.
    """
    apart = [
        checklist for checklist in checklists if not trail.holds_chain(checklist.cooperation_id)
    ]
    if apart:
        db.session.execute(_LOCKED, {"ids": [checklist.id for checklist in apart]}).all()
        for cooperation_id in sorted({checklist.cooperation_id for checklist in apart}):
            trail.lock_chain(cooperation_id)
    load_heads(checklists)


def load_for_update(checklist: Checklist) -> LoadedChecklist:
    """Keep others from changing the checklist, and load it whole: how every verb begins."""
    lock(checklist)
    return load(checklist)


def load(checklist: Checklist, language: str = "") -> LoadedChecklist:
    """Load all that belongs to a checklist. The caller found it by a query scoped by the actor.

    language says it in a reader's words, for pages; verbs take the template's own.
    """
    loaded = load_all([checklist])[checklist.id]
    return said_in(loaded, language) if language else loaded


def load_heads(checklists: Sequence[Checklist]) -> dict[UUID, Checklist]:
    """Return checklists by id, read anew unless this transaction has them, with their parties."""
    loaded = of_this_transaction([checklist.cooperation_id for checklist in checklists])
    loaded.forget_unless_whole(Part.CHECKLIST, _RELATIONS)
    loaded.forget_unless_whole(Part.COOPERATION, ("parties",))
    return loaded.parts(Part.CHECKLIST, [checklist.id for checklist in checklists], _checklists)


def parties(checklist: Checklist) -> tuple[PartyFact, ...]:
    """Return the current parties of a checklist, where nothing else of it is asked for."""
    row = load_heads([checklist])[checklist.id]
    return _party_facts(row, cooperation(row))


def cooperation(checklist: Checklist) -> Cooperation:
    """Return the cooperation of a checklist with its parties."""
    loaded = of_this_transaction([checklist.cooperation_id])
    cooperations = loaded.parts(Part.COOPERATION, [checklist.cooperation_id], _cooperations)
    cooperation: Cooperation = cooperations[checklist.cooperation_id]
    return cooperation


def load_all(checklists: Sequence[Checklist]) -> dict[UUID, LoadedChecklist]:
    """Load all that belongs to some checklists, in as many queries as for one.

    What this transaction has read of them, and nobody changed since, is not read again. The caller
    found them by a query scoped by the actor.
    """
    rows = load_heads(checklists)
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
    cooperations = loaded.parts(Part.COOPERATION, cooperation_ids, _cooperations)
    people = loaded.parts(
        Part.PEOPLE,
        cooperation_ids,
        lambda new: _people([cooperations[cooperation_id] for cooperation_id in new]),
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
        lambda new: _answers([rows[checklist_id] for checklist_id in new]),
        nothing=_no_answers,
    )
    positions = loaded.parts(Part.POSITIONS, ids, _positions)
    proposals = loaded.parts(Part.PROPOSALS, ids, _reads(_PROPOSALS))
    flags = loaded.parts(Part.FLAGS, ids, _reads(_FLAGS))
    hint_answers = loaded.parts(
        Part.HINT_ANSWERS,
        [checklist_id for checklist_id in ids if rows[checklist_id].has_hint_answers],
        _reads(_HINT_ANSWERS),
    )
    # The newest that is not void comes first.
    reviews = loaded.parts(Part.REVIEWS, ids, _reads(_REVIEWS))

    def make(checklist: Checklist, visit: VisitFacts | None) -> LoadedChecklist:
        return _loaded(
            checklist,
            cooperations[checklist.cooperation_id],
            people[checklist.cooperation_id],
            visit,
            answers[checklist.id],
            _Talks(
                positions[checklist.id],
                proposals[checklist.id],
                flags[checklist.id],
                reviews[checklist.id],
                hint_answers.get(checklist.id, ()),
            ),
        )

    loaded_by_id: dict[UUID, LoadedChecklist] = {}
    for checklist in (rows[object_id] for object_id in ids):
        visit = visits.get(checklist.visit_id) if checklist.visit_id else None
        loaded_by_id[checklist.id] = loaded.get_or_make(
            checklist.id, visit, partial(make, checklist, visit)
        )
    return loaded_by_id


@dataclass(frozen=True, slots=True)
class _Talks:
    """Everything on a checklist apart from its answers."""

    positions: Sequence[PositionFact]
    proposals: Sequence[Proposal]
    flags: Sequence[Flag]
    reviews: Sequence[SafeguardReview]
    hint_answers: Sequence[HintAnswer]


def _loaded(
    checklist: Checklist,
    cooperation: Cooperation,
    people: "People",
    visit: VisitFacts | None,
    answers: "Answers",
    talks: _Talks,
) -> LoadedChecklist:
    surroundings = _surroundings(checklist, cooperation, people, visit)
    template = library.parsed(checklist.template)
    written = Sheet(
        checklist.id,
        answers.current,
        _stances(talks.positions),
        frozenset(answers.authors),
        proposed=_proposed(talks.proposals),
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
    )


def retold(loaded: LoadedChecklist, words: TemplateWords | None) -> LoadedChecklist:
    """Return a checklist said in other words, or in its template's own, without loading it anew."""
    template = library.localized_by(loaded.checklist.template, words)
    return replace(loaded, template=applied(template, loaded.sheet, loaded.surroundings))


def said_in(loaded: LoadedChecklist, language: str) -> LoadedChecklist:
    """Return a checklist said in a language as far as it has words, without loading it anew."""
    row = loaded.checklist.template
    own = library.parsed(row).language
    words = None if language == own else translations.current(row.id).get(language)
    return retold(loaded, words)


# Statements that never change shape are built once: building them takes as long as sending them.
_IDS: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
# Of positions and answers there are many, and nobody changes the rows: columns alone are read.
_POSITIONS = (
    sa.select(
        Position.checklist_id,
        Position.id,
        Position.item,
        Position.organisation_id,
        Position.answer_id,
        Position.stance,
        Position.reason,
        Position.sealed_reason,
        Position.taken_at,
        User.name,
    )
    .join(Position.author)
    .where(Position.checklist_id.in_(_IDS), Position.is_current)
)
_PROPOSALS = (
    sa.select(Proposal)
    .where(
        Proposal.checklist_id.in_(_IDS),
        Proposal.state.in_([ProposalState.OPEN, ProposalState.TURNED_DOWN]),
    )
    .options(
        load_joined(Proposal.author, User.name),
        load_joined(Proposal.organisation, Organisation.name),
        load_joined(Proposal.ended_by, User.name),
        load_joined(Proposal.ended_for, Organisation.name),
    )
    .order_by(Proposal.made_at)
)
_FLAGS = (
    sa.select(Flag)
    .where(Flag.checklist_id.in_(_IDS))
    .options(
        load_joined(Flag.author, User.name),
        load_joined(Flag.organisation, Organisation.name),
        load_joined(Flag.closed_by, User.name),
    )
    .order_by(Flag.raised_at)
)
_HINT_ANSWERS = (
    sa.select(HintAnswer)
    .where(HintAnswer.checklist_id.in_(_IDS))
    .options(
        load_joined(HintAnswer.author, User.name),
        load_joined(HintAnswer.organisation, Organisation.name),
    )
    .order_by(HintAnswer.answered_at)
)
_REVIEWS = (
    sa.select(SafeguardReview)
    .where(SafeguardReview.checklist_id.in_(_IDS), ~SafeguardReview.is_void)
    .options(
        load_joined(SafeguardReview.reader, User.name),
        joinedload(SafeguardReview.reading),
    )
    .order_by(SafeguardReview.reviewed_at.desc())
)
HEADS = (
    sa.select(Checklist)
    .options(
        joinedload(Checklist.template),
        joinedload(Checklist.reading),
        selectinload(Checklist.parties).joinedload(ChecklistParty.organisation),
    )
    .execution_options(populate_existing=True)
)
_OWN = HEADS.where(Checklist.cooperation_id.in_(_IDS), Checklist.visit_id.is_(None))
_CHECKLISTS = HEADS.where(Checklist.id.in_(_IDS))
_COOPERATIONS = (
    sa.select(Cooperation)
    .where(Cooperation.id.in_(_IDS))
    .options(selectinload(Cooperation.parties).joinedload(Party.organisation))
    .execution_options(populate_existing=True)
)
ANSWERS = (
    sa.select(
        Answer.checklist_id,
        Answer.id,
        Answer.item,
        Answer.scope,
        Answer.owner_id,
        Answer.version,
        Answer.values,
        Answer.sealed,
        Answer.not_applicable,
        Answer.author_id,
        Answer.organisation_id,
        Answer.saved_at,
        User.name.label("author_name"),
        CopiedAnswer.source_checklist_id,
        CopyReading.organisation_id.label("reader_id"),
    )
    .join(Answer.author)
    .outerjoin(CopiedAnswer, CopiedAnswer.answer_id == Answer.id)
    .outerjoin(CopyReading, CopyReading.answer_id == Answer.id)
    .where(Answer.checklist_id.in_(_IDS), Answer.is_current)
)
# A person's own confirmations do not make them an author of the terms, nor does copying a former
# agreement, loading a model answer as it is, or transcribing paper.
_AUTHORS = (
    sa.select(Answer.checklist_id, Answer.author_id)
    .where(
        Answer.checklist_id.in_(_IDS),
        Answer.scope != AnswerScope.PERSON,
        Answer.taken_over.is_(False),
        ~sa.exists().where(CopiedAnswer.answer_id == Answer.id),
    )
    .distinct()
)
_LOCKED = (
    sa.select(Checklist.id)
    .where(Checklist.id.in_(_IDS))
    .order_by(Checklist.id)
    .with_for_update(of=Checklist)
)
_IS_OUTSIDE_EXPERT = (
    sa.exists()
    .where(Membership.user_id == CooperationPerson.user_id, Membership.outside_expert)
    .correlate(CooperationPerson)
)
_PEOPLE = (
    sa.select(CooperationPerson, _IS_OUTSIDE_EXPERT)
    .join(CooperationPerson.user)
    .where(CooperationPerson.cooperation_id.in_(_IDS))
    .options(
        load_joined(CooperationPerson.user, User.name, User.active),
        load_joined(CooperationPerson.organisation, Organisation.name),
    )
    .order_by(User.name)
)


def _reads(statement: "sa.Select[Row]") -> Callable[[list[UUID]], dict[UUID, list[Row]]]:
    """Return what reads the rows of a statement by checklist."""

    def read(ids: list[UUID]) -> dict[UUID, list[Row]]:
        rows_by_id: dict[UUID, list[Row]] = {}
        for row in db.session.scalars(statement, {"ids": ids}):
            rows_by_id.setdefault(row.checklist_id, []).append(row)
        return rows_by_id

    return read


def _positions(ids: list[UUID]) -> dict[UUID, list[PositionFact]]:
    positions: dict[UUID, list[PositionFact]] = {}
    for checklist_id, *columns in db.session.execute(_POSITIONS, {"ids": ids}):
        positions.setdefault(checklist_id, []).append(PositionFact(*columns))
    return positions


def _stances(positions: Iterable[PositionFact]) -> dict[str, dict[UUID, Any]]:
    stances: dict[str, dict[UUID, Any]] = {}
    for position in positions:
        stances.setdefault(position.item, {})[position.organisation_id] = (
            position.answer_id,
            position.stance,
        )
    return stances


def _proposed(proposals: Iterable[Proposal]) -> dict[str, frozenset[UUID]]:
    proposers: dict[str, set[UUID]] = {}
    for proposal in proposals:
        if proposal.state is ProposalState.OPEN:
            proposers.setdefault(proposal.item, set()).add(proposal.organisation_id)
    return {item: frozenset(parties) for item, parties in proposers.items()}


def _checklists(ids: Collection[UUID]) -> dict[UUID, Checklist]:
    return {row.id: row for row in db.session.scalars(_CHECKLISTS, {"ids": list(ids)})}


def _cooperations(ids: Collection[UUID]) -> dict[UUID, Cooperation]:
    """Return cooperations by id, read anew where others are kept from changing them."""
    known = {
        cooperation_id: row
        for cooperation_id in ids
        if (row := _read_before(cooperation_id)) is not None
    }
    missing = [cooperation_id for cooperation_id in ids if cooperation_id not in known]
    if missing:
        rows = db.session.scalars(_COOPERATIONS, {"ids": missing})
        known.update({row.id: row for row in rows})
    return known


def _read_before(cooperation_id: UUID) -> Cooperation | None:
    """Return a cooperation that the page has found already, with its parties."""
    if trail.holds_chain(cooperation_id):
        return None
    row = db.session.identity_map.get(identity_key(Cooperation, cooperation_id))
    if not isinstance(row, Cooperation) or sa.inspect(row).expired:
        return None
    if "parties" in sa.inspect(row).unloaded:
        return None
    is_whole = all("organisation" not in sa.inspect(party).unloaded for party in row.parties)
    return row if is_whole else None


@dataclass(frozen=True, slots=True)
class Answers:
    """The current answers of a checklist, and who wrote any version of any."""

    current: dict[AnswerKey, Filled]
    authors: set[UUID]


def _no_answers() -> Answers:
    return Answers({}, set())


def _answers(checklists: Sequence[Checklist]) -> dict[UUID, Answers]:
    cooperation_ids = {checklist.id: checklist.cooperation_id for checklist in checklists}
    wanted = {"ids": list(cooperation_ids)}
    # An answer that was copied comes once for each organisation that has read it.
    rows = db.session.execute(ANSWERS, wanted).all()
    read_by: dict[UUID, set[UUID]] = {}
    for row in rows:
        if row.reader_id is not None:
            read_by.setdefault(row.id, set()).add(row.reader_id)
    answers = {checklist.id: _no_answers() for checklist in checklists}
    for row in rows:
        answers[row.checklist_id].current[_key(row)] = _filled(
            cooperation_ids[row.checklist_id],
            row,
            row.author_name,
            copied_from=row.source_checklist_id,
            read_by=frozenset(read_by.get(row.id, ())),
        )
    for checklist_id, author_id in db.session.execute(_AUTHORS, wanted):
        answers[checklist_id].authors.add(author_id)
    return answers


def _key(row: Answer | sa.Row[Any]) -> AnswerKey:
    return row.item, row.scope, row.owner_id


def _filled(
    cooperation_id: UUID,
    row: Answer | sa.Row[Any],
    author_name: str,
    *,
    copied_from: UUID | None = None,
    read_by: frozenset[UUID] = frozenset(),
) -> Filled:
    return Filled(
        answer_id=row.id,
        version=row.version,
        values=encryption.values_of(cooperation_id, row),
        author_id=row.author_id,
        author_name=author_name,
        organisation_id=row.organisation_id,
        saved_at=row.saved_at,
        not_applicable=row.not_applicable,
        copied_from=copied_from,
        read_by=read_by,
    )


@contextmanager
def writing_answers(checklist: Checklist, rows: Sequence[Answer]) -> Iterator[None]:
    """Keep what was read of a checklist in step with answers that become current in the block."""
    loaded = of_this_transaction([checklist.cooperation_id])
    before: Answers | None = loaded.get(Part.ANSWERS, checklist.id)
    yield
    if before is None:
        return
    written = {
        _key(row): _filled(
            checklist.cooperation_id, row, db.session.get_one(User, row.author_id).name
        )
        for row in rows
    }
    authors = {
        row.author_id for row in rows if row.scope is not AnswerScope.PERSON and not row.taken_over
    }
    after = Answers(before.current | written, before.authors | authors)
    of_this_transaction([checklist.cooperation_id]).put(Part.ANSWERS, checklist.id, after)


@dataclass(frozen=True, slots=True)
class People:
    """Who takes part in a cooperation today, and the names of all people and parties ever there."""

    today: dict[UUID, PersonFact]
    names: Names
    # The NPM's own people: experts from outside are not its staff (E02).
    npm: frozenset[UUID]


def _people(cooperations: Collection[Cooperation]) -> dict[UUID, People]:
    rows: dict[UUID, list[CooperationPerson]] = {shared.id: [] for shared in cooperations}
    outside: set[UUID] = set()
    for row, is_outside_expert in db.session.execute(_PEOPLE, {"ids": list(rows)}):
        rows[row.cooperation_id].append(row)
        outside |= {row.user_id} if is_outside_expert else set()
    people = {}
    for cooperation in cooperations:
        today = _people_today(cooperation, rows[cooperation.id])
        npm = {person.user_id for person in today.values() if person.side is OrganisationKind.NPM}
        people[cooperation.id] = People(
            today, _names(cooperation, rows[cooperation.id]), frozenset(npm - outside)
        )
    return people


def _people_today(
    cooperation: Cooperation, rows: Sequence[CooperationPerson]
) -> dict[UUID, PersonFact]:
    today = clock.today()
    sides = {party.organisation_id: party.side for party in cooperation.parties}
    return {
        row.user_id: PersonFact(
            user_id=row.user_id,
            name=row.user.name,
            organisation_id=row.organisation_id,
            organisation_name=row.organisation.name,
            side=sides.get(row.organisation_id, OrganisationKind.OTHER),
            function=row.function,
        )
        for row in rows
        if row.user.active and _runs_on(row, today)
    }


def _names(cooperation: Cooperation, rows: Sequence[CooperationPerson]) -> Names:
    return Names(
        people={row.user_id: row.user.name for row in rows},
        parties={party.organisation_id: party.organisation.name for party in cooperation.parties},
        bodies={body.id: body.name for body in outside_bodies.of(cooperation)},
    )


def _runs_on(row: CooperationPerson, day: dt.date) -> bool:
    return row.from_on <= day and (row.until_on is None or row.until_on >= day)


def _visits(ids: list[UUID]) -> Mapping[UUID, VisitFacts]:
    return VISIT_READER.get()(ids)


def _no_visit() -> None:
    return None


def _surroundings(
    checklist: Checklist,
    cooperation: Cooperation,
    people: People,
    visit: VisitFacts | None,
) -> Surroundings:
    return Surroundings(
        modes=frozenset(Mode(mode) for mode in cooperation.modes),
        questions=cooperation.questions,
        parties=_party_facts(checklist, cooperation),
        npm_people=people.npm,
        people=frozenset(people.today),
        bodies=frozenset(body.id for body in outside_bodies.of(cooperation) if not body.is_removed),
        team=visit.team if visit else None,
        visit_starts_on=visit.starts_on if visit else None,
        visit_ends_on=visit.ends_on if visit else None,
        planned=_planned(checklist, cooperation),
    )


def _planned(checklist: Checklist, cooperation: Cooperation) -> dict[str, dt.date]:
    if checklist.in_force_at is not None or checklist.revision_in_force_id is not None:
        return {}
    dates = {
        "start": cooperation.starts_on,
        "review": cooperation.review_on,
        "end": cooperation.ends_on,
    }
    return {key: day for key, day in dates.items() if day is not None}


def _party_facts(checklist: Checklist, cooperation: Cooperation) -> tuple[PartyFact, ...]:
    sides = {party.organisation_id: party.side for party in cooperation.parties}
    return tuple(
        PartyFact(
            organisation_id=row.organisation_id,
            side=sides.get(row.organisation_id, OrganisationKind.OTHER),
            name=row.organisation.name,
            mark=row.organisation.mark,
            languages=language_codes(row.organisation.languages),
        )
        for row in checklist.parties
    )
