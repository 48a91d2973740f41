"""Loads a checklist whole, in a fixed number of queries, as the plain values the rules look at."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar
from uuid import UUID

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload, selectinload

from tracker.access.actor import Actor, OrganisationKind
from tracker.access.decision import Decision
from tracker.accounts.models import Membership, User
from tracker.checklists import library, policy, sealing
from tracker.checklists.completeness import (
    ItemStanding,
    Standing,
    applied,
    counting,
    is_shown,
    item_standing,
    standing,
)
from tracker.checklists.conditions import Truth
from tracker.checklists.facts import AnswerKey, Filled, PartyFact, Sheet, Surroundings
from tracker.checklists.models import (
    Answer,
    AnswerScope,
    Checklist,
    ChecklistParty,
    Flag,
    Position,
    Proposal,
    ProposalState,
    SafeguardReview,
)
from tracker.checklists.showing import Names
from tracker.checklists.template import Item, Template, TemplateField
from tracker.cooperations.models import Cooperation, CooperationPerson, Mode, Party
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.organisations.models import Organisation


@dataclass(frozen=True, slots=True)
class PersonFact:
    """A person who takes part in the cooperation, for choosing and for showing."""

    user_id: UUID
    name: str
    organisation_id: UUID
    organisation_name: str
    side: OrganisationKind
    function: str = ""


@dataclass(frozen=True)
class Filling:
    """A checklist being filled in, loaded whole: rules and pages need no further query.

    It is how things stood when it was loaded; what is worked out of it is worked out once.
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
    positions: tuple[Position, ...]
    proposals: tuple[Proposal, ...]
    turned_down: tuple[Proposal, ...]
    flags: tuple[Flag, ...]
    review: SafeguardReview | None

    def standing(self) -> Standing:
        """Return how every item stands."""
        return self._standing

    @cached_property
    def _standing(self) -> Standing:
        return standing(self.template, self.sheet, self.surroundings)

    @cached_property
    def positions_on(self) -> Mapping[str, Mapping[UUID, Position]]:
        """The positions on each item that has any, by organisation."""
        return {
            code: {one.organisation_id: one for one in rows}
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

    def item(self, code: str) -> Item:
        """Return an item; raise RuleBrokenError when the template has none of that code."""
        item = self.template.item(code)
        if item is None:
            raise RuleBrokenError(_l("There is no such item."))
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
                    _l("Whether this item applies is not known yet. Answer first what it rests on.")
                )

    def require_open(self, item: Item) -> None:
        """Raise RefusedError unless the item may be changed now (product.md, 4.10 and 5.4)."""
        self.is_open(item).require()

    def is_open(self, item: Item, one: ItemStanding | None = None) -> Decision:
        """Decide whether the item may be changed now; one is how it stands, where known."""
        one = one or item_standing(item, self.sheet, self.surroundings)
        return policy.is_item_open(
            self.checklist.state, self.checklist.open_items, item, holds_up=one.holds_up
        )

    def has_answer(self, item: Item) -> bool:
        """Tell whether anybody answered an item, for all or for their party."""
        found = [self.sheet.shared(item.code)]
        found += [self.sheet.of_party(item.code, p.organisation_id) for p in self.parties]
        return any(answer is not None and not answer.is_empty for answer in found)

    @property
    def flagged(self) -> frozenset[str]:
        """The items on which a flag is open."""
        return frozenset(flag.item for flag in self.flags if flag.closed_at is None)

    @property
    def parties(self) -> tuple[PartyFact, ...]:
        """The current parties of the checklist."""
        return self.surroundings.parties

    def own_party(self, actor: Actor) -> PartyFact | None:
        """Return the party a person acts for, None when it is no party of the checklist."""
        return self.party(actor.organisation_id) if actor.organisation_id else None

    def party(self, organisation_id: UUID) -> PartyFact | None:
        """Return a current party of the checklist."""
        return next((p for p in self.parties if p.organisation_id == organisation_id), None)


OfItem = TypeVar("OfItem", Position, Proposal, Flag)


def _by_item(rows: Iterable[OfItem]) -> dict[str, list[OfItem]]:
    found: dict[str, list[OfItem]] = {}
    for row in rows:
        found.setdefault(row.item, []).append(row)
    return found


@dataclass(frozen=True, slots=True)
class VisitFacts:
    """What a visit's checklist looks at of its visit."""

    team: frozenset[UUID]
    starts_on: dt.date | None


VisitReader = Callable[[UUID], VisitFacts]


class _VisitReader:
    """Reads the facts of a visit; visits, a part further up, is registered by app."""

    read: VisitReader | None = None


_visit_reader = _VisitReader()


def use_visit_reader(read: VisitReader | None) -> None:
    """Set how a visit's team and first day are found: visits stands above this part."""
    _visit_reader.read = read


@dataclass(frozen=True, slots=True)
class CommentLine:
    """A comment as it stands beside an item."""

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


class _CommentReader:
    """Reads comments; comments, a part further up, is registered by app."""

    read: CommentReader | None = None


_comment_reader = _CommentReader()


def use_comment_reader(read: CommentReader | None) -> None:
    """Set how comments beside items are found: comments stands above this part."""
    _comment_reader.read = read


def comments_beside(actor: Actor, checklist: Checklist) -> Threads | None:
    """Return the comments a person reads on a checklist; None for who reads none there."""
    return _comment_reader.read(actor, checklist) if _comment_reader.read else None


def lock(checklist: Checklist) -> None:
    """Keep others from changing the checklist until this transaction ends."""
    db.session.execute(
        sa.select(Checklist.id).where(Checklist.id == checklist.id).with_for_update()
    )
    db.session.refresh(checklist)


def locked(checklist: Checklist) -> Filling:
    """Keep others from changing the checklist, and load it whole: how every verb begins."""
    lock(checklist)
    return fill(checklist)


def fill(checklist: Checklist) -> Filling:
    """Load all that belongs to a checklist. The caller found it by a query scoped by the actor."""
    cooperation = _cooperation(checklist.cooperation_id)
    people, names = _people(cooperation)
    answers, authors = _answers(checklist)
    positions = tuple(
        db.session.scalars(
            sa.select(Position)
            .where(Position.checklist_id == checklist.id, Position.is_current)
            .options(joinedload(Position.author).load_only(User.name))
        )
    )
    proposals = tuple(
        db.session.scalars(
            sa.select(Proposal)
            .where(
                Proposal.checklist_id == checklist.id,
                Proposal.state.in_([ProposalState.OPEN, ProposalState.TURNED_DOWN]),
            )
            .options(
                joinedload(Proposal.author).load_only(User.name),
                joinedload(Proposal.organisation).load_only(Organisation.name),
                joinedload(Proposal.ended_by).load_only(User.name),
                joinedload(Proposal.ended_for).load_only(Organisation.name),
            )
            .order_by(Proposal.made_at)
        )
    )
    flags = tuple(
        db.session.scalars(
            sa.select(Flag)
            .where(Flag.checklist_id == checklist.id)
            .options(
                joinedload(Flag.author).load_only(User.name),
                joinedload(Flag.organisation).load_only(Organisation.name),
                joinedload(Flag.closed_by).load_only(User.name),
            )
            .order_by(Flag.raised_at)
        )
    )
    review = db.session.scalar(
        sa.select(SafeguardReview)
        .where(SafeguardReview.checklist_id == checklist.id, ~SafeguardReview.is_void)
        .options(joinedload(SafeguardReview.reader))
        .order_by(SafeguardReview.reviewed_at.desc())
        .limit(1)
    )
    taken: dict[str, dict[UUID, Any]] = {}
    for position in positions:
        taken.setdefault(position.item, {})[position.organisation_id] = (
            position.answer_id,
            position.stance,
        )
    template = library.parsed(_with_template(checklist).template)
    surroundings = _surroundings(checklist, cooperation, people)
    sheet = counting(template, Sheet(checklist.id, answers, taken, authors), surroundings)
    return Filling(
        checklist=checklist,
        cooperation=cooperation,
        template=applied(template, sheet, surroundings),
        sheet=sheet,
        surroundings=surroundings,
        people=people,
        names=names,
        positions=positions,
        proposals=tuple(one for one in proposals if one.state is ProposalState.OPEN),
        turned_down=tuple(one for one in proposals if one.state is ProposalState.TURNED_DOWN),
        flags=flags,
        review=review,
    )


def _with_template(checklist: Checklist) -> Checklist:
    return db.session.execute(
        sa.select(Checklist)
        .where(Checklist.id == checklist.id)
        .options(
            joinedload(Checklist.template),
            selectinload(Checklist.parties).joinedload(ChecklistParty.organisation),
        )
        .execution_options(populate_existing=True)
    ).scalar_one()


def _cooperation(cooperation_id: UUID) -> Cooperation:
    return db.session.execute(
        sa.select(Cooperation)
        .where(Cooperation.id == cooperation_id)
        .options(selectinload(Cooperation.parties).joinedload(Party.organisation))
        .execution_options(populate_existing=True)
    ).scalar_one()


def _answers(checklist: Checklist) -> tuple[dict[AnswerKey, Filled], frozenset[UUID]]:
    rows = db.session.scalars(
        sa.select(Answer)
        .where(Answer.checklist_id == checklist.id, Answer.is_current)
        .options(joinedload(Answer.author).load_only(User.name))
    )
    answers: dict[AnswerKey, Filled] = {}
    for row in rows:
        answers[(row.item, row.scope, row.owner_id)] = Filled(
            answer_id=row.id,
            version=row.version,
            values=sealing.values_of(checklist.cooperation_id, row),
            author_id=row.author_id,
            author_name=row.author.name,
            organisation_id=row.organisation_id,
            saved_at=row.saved_at,
            not_applicable=row.not_applicable,
        )
    # A person's own confirmations do not make them an author of the terms.
    authors = db.session.scalars(
        sa.select(Answer.author_id)
        .where(Answer.checklist_id == checklist.id, Answer.scope != AnswerScope.PERSON)
        .distinct()
    )
    return answers, frozenset(authors)


def _people(cooperation: Cooperation) -> tuple[dict[UUID, PersonFact], Names]:
    """Return who takes part today, and the names of all people and parties there ever were."""
    today = clock.today()
    sides = {party.organisation_id: party.side for party in cooperation.parties}
    rows = db.session.scalars(
        sa.select(CooperationPerson)
        .join(CooperationPerson.user)
        .where(CooperationPerson.cooperation_id == cooperation.id)
        .options(joinedload(CooperationPerson.user), joinedload(CooperationPerson.organisation))
        .order_by(User.name)
    ).all()
    today_there = {
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
    names = Names(
        people={row.user_id: row.user.name for row in rows},
        parties={party.organisation_id: party.organisation.name for party in cooperation.parties},
    )
    return today_there, names


def _runs_on(row: CooperationPerson, day: dt.date) -> bool:
    return row.from_on <= day and (row.until_on is None or row.until_on >= day)


def _surroundings(
    checklist: Checklist, cooperation: Cooperation, people: Mapping[UUID, PersonFact]
) -> Surroundings:
    sides = {party.organisation_id: party.side for party in cooperation.parties}
    visit = None
    if checklist.visit_id and _visit_reader.read:
        visit = _visit_reader.read(checklist.visit_id)
    return Surroundings(
        modes=frozenset(Mode(mode) for mode in cooperation.modes),
        questions=cooperation.questions,
        parties=tuple(
            PartyFact(
                organisation_id=row.organisation_id,
                side=sides.get(row.organisation_id, OrganisationKind.OTHER),
                name=row.organisation.name,
                mark=row.organisation.mark,
            )
            for row in checklist.parties
        ),
        npm_people=_npm_people(people),
        people=frozenset(people),
        team=visit.team if visit else None,
        visit_starts_on=visit.starts_on if visit else None,
    )


def _npm_people(people: Mapping[UUID, PersonFact]) -> frozenset[UUID]:
    """Return the NPM's own people: outside experts are neither member nor staff (E02)."""
    own = {p.user_id for p in people.values() if p.side is OrganisationKind.NPM}
    if not own:
        return frozenset()
    outside = db.session.scalars(
        sa.select(Membership.user_id).where(Membership.user_id.in_(own), Membership.outside_expert)
    )
    return frozenset(own) - frozenset(outside)
