"""Reading of a checklist's parts: answers, positions, proposals, flags, reviews, and its people.

Each part of several checklists is read in one query, however much they contain.

In one file: the statements of all parts, each beside the function that reads it.
"""

import datetime as dt
from collections.abc import Callable, Collection, Container, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import joinedload

from tracker.access.actor import Role
from tracker.accounts.models import Membership, User
from tracker.accounts.queries import runs_on
from tracker.checklist_templates.models import AnswerScope
from tracker.checklists import encryption
from tracker.checklists.loaded import Part, of_this_transaction
from tracker.checklists.models import (
    Answer,
    Checklist,
    CopiedAnswer,
    CopyReading,
    CopySource,
    Flag,
    HintAnswer,
    Position,
    Proposal,
    ProposalState,
    SafeguardReview,
    Stance,
)
from tracker.checklists.rules.facts import AnswerKey, Filled
from tracker.checklists.rules.rendering import Names
from tracker.cooperations import outside_bodies
from tracker.cooperations import people as taking_part
from tracker.cooperations.models import Cooperation, CooperationPerson
from tracker.cooperations.people import Participant
from tracker.core import clock
from tracker.core.db import Identifier, db, load_joined
from tracker.mail import addresses
from tracker.organisations.models import Organisation

Row = TypeVar("Row", Proposal, Flag, HintAnswer, SafeguardReview)


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
    author_id: UUID
    # The part of the answer; None: all of it.
    part_id: UUID | None
    author_name: str


# Statements that never change shape are built once: building them takes as long as sending them.
_IDS: sa.BindParameter[Any] = sa.bindparam("ids", expanding=True)
_TODAY: sa.BindParameter[dt.date] = sa.bindparam("today", type_=sa.Date())
# There are many positions and answers, and their rows never change: only columns are read.
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
        Position.author_id,
        Position.part_id,
        User.name,
    )
    .join(Position.author)
    .where(Position.checklist_id.in_(_IDS), Position.is_current)
)
IS_SHOWN_PROPOSAL = Proposal.state.in_([ProposalState.OPEN, ProposalState.TURNED_DOWN])
_PROPOSALS = (
    sa.select(Proposal)
    .where(Proposal.checklist_id.in_(_IDS), IS_SHOWN_PROPOSAL)
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
_ANSWER = (
    Answer.checklist_id,
    Answer.id,
    Answer.item,
    Answer.scope,
    Answer.owner_id,
    Answer.version,
    Answer.values,
    Answer.sealed,
    Answer.not_applicable,
    Answer.taken_over,
    Answer.author_id,
    Answer.organisation_id,
    Answer.saved_at,
    User.name.label("author_name"),
    CopiedAnswer.source,
    CopiedAnswer.source_checklist_id,
    CopiedAnswer.is_rewritten,
    CopyReading.organisation_id.label("reader_id"),
)
_NO_ID = sa.cast(sa.null(), Identifier())
# A person's own confirmations do not make them an author of the terms, nor does copying a former
# agreement, beginning with a model text, loading a model answer as it is, or transcribing paper.
_AUTHORS = (
    sa.select(Answer.checklist_id, _NO_ID, Answer.author_id)
    .where(
        Answer.checklist_id.in_(_IDS),
        Answer.scope != AnswerScope.PERSON,
        Answer.taken_over.is_(False),
        ~sa.exists().where(
            CopiedAnswer.answer_id == Answer.id, CopiedAnswer.is_rewritten.is_(False)
        ),
    )
    .distinct()
)
# The current answers, and everybody who wrote any version of one, each in rows of their own.
_WRITTEN = sa.union_all(
    sa.select(
        Answer.checklist_id, Answer.id.label("answer_id"), _NO_ID.label("wrote_some_id")
    ).where(Answer.checklist_id.in_(_IDS), Answer.is_current),
    _AUTHORS,
).subquery()
# Named in tests/client.py, which counts how often a request loads a checklist.
ANSWERS = (
    sa.select(
        _WRITTEN.c.checklist_id,
        _WRITTEN.c.wrote_some_id,
        *(column for column in _ANSWER if column is not Answer.checklist_id),
    )
    .select_from(_WRITTEN)
    .outerjoin(Answer, Answer.id == _WRITTEN.c.answer_id)
    .outerjoin(Answer.author)
    .outerjoin(CopiedAnswer, CopiedAnswer.answer_id == Answer.id)
    .outerjoin(CopyReading, CopyReading.answer_id == Answer.id)
)
_IS_OUTSIDE_EXPERT = (
    sa.exists()
    .where(
        Membership.user_id == CooperationPerson.user_id,
        Membership.organisation_id == CooperationPerson.organisation_id,
        Membership.outside_expert,
        runs_on(_TODAY),
    )
    .correlate(CooperationPerson)
)
_ADMINISTERS = (
    sa.exists()
    .where(
        Membership.user_id == CooperationPerson.user_id,
        Membership.role == Role.ADMINISTRATOR,
        Membership.ended_at.is_(None),
    )
    .correlate(CooperationPerson)
)
_HAS_NO_ACCOUNT = addresses.are_of_nobody(User.email)
_PEOPLE = (
    sa.select(CooperationPerson, _IS_OUTSIDE_EXPERT, _ADMINISTERS, _HAS_NO_ACCOUNT)
    .join(CooperationPerson.user)
    .where(CooperationPerson.cooperation_id.in_(_IDS))
    .options(
        load_joined(CooperationPerson.user, User.name, User.active),
        load_joined(CooperationPerson.organisation, Organisation.name),
    )
    .order_by(User.name, User.id)
)


def _reader_of(statement: "sa.Select[Row]") -> Callable[[list[UUID]], dict[UUID, list[Row]]]:
    """Return a function that reads the rows of a statement by checklist."""

    def read(ids: list[UUID]) -> dict[UUID, list[Row]]:
        rows_by_id: dict[UUID, list[Row]] = {}
        for row in db.session.scalars(statement, {"ids": ids}):
            rows_by_id.setdefault(row.checklist_id, []).append(row)
        return rows_by_id

    return read


read_proposals = _reader_of(_PROPOSALS)
read_flags = _reader_of(_FLAGS)
read_hint_answers = _reader_of(_HINT_ANSWERS)
# The newest review comes first.
read_reviews = _reader_of(_REVIEWS)


def read_positions(ids: list[UUID]) -> dict[UUID, list[PositionFact]]:
    """Return the current positions by checklist."""
    positions: dict[UUID, list[PositionFact]] = {}
    for row in db.session.execute(_POSITIONS, {"ids": ids}):
        positions.setdefault(row[0], []).append(PositionFact._make(row[1:]))
    return positions


@dataclass(frozen=True, slots=True)
class Answers:
    """The current answers of a checklist, and everybody who wrote any version of any answer."""

    current: dict[AnswerKey, Filled]
    authors: set[UUID]


def no_answers() -> Answers:
    """Return the answers of a checklist that has none."""
    return Answers({}, set())


def read_answers(checklists: Sequence[Checklist]) -> dict[UUID, Answers]:
    """Return the current answers by checklist, with their authors, in one query."""
    cooperation_ids = {checklist.id: checklist.cooperation_id for checklist in checklists}
    wanted = {"ids": list(cooperation_ids)}
    # A copied answer is returned once for each organisation that has read it.
    rows = db.session.execute(ANSWERS, wanted).all()
    read_by: dict[UUID, set[UUID]] = {}
    for row in rows:
        if row.reader_id is not None:
            read_by.setdefault(row.id, set()).add(row.reader_id)
    answers = {checklist.id: no_answers() for checklist in checklists}
    for row in rows:
        if row.wrote_some_id is not None:
            answers[row.checklist_id].authors.add(row.wrote_some_id)
            continue
        answers[row.checklist_id].current[_key(row)] = _filled(
            cooperation_ids[row.checklist_id],
            row,
            row.author_name,
            source=row.source,
            copied_from=row.source_checklist_id,
            is_rewritten=bool(row.is_rewritten),
            read_by=frozenset(read_by.get(row.id, ())),
        )
    return answers


def _key(row: Answer | sa.Row[Any]) -> AnswerKey:
    return row.item, row.scope, row.owner_id


def _filled(
    cooperation_id: UUID,
    row: Answer | sa.Row[Any],
    author_name: str,
    *,
    source: CopySource | None = None,
    copied_from: UUID | None = None,
    is_rewritten: bool = False,
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
        taken_over=row.taken_over,
        source=source,
        copied_from=copied_from,
        is_rewritten=is_rewritten,
        read_by=read_by,
    )


@contextmanager
def writing_answers(checklist: Checklist, rows: Sequence[Answer]) -> Iterator[None]:
    """Update the cached answers of a checklist with those that become current in the block."""
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
    """Who takes part in a cooperation today, and the names of all past people and parties too."""

    today: dict[UUID, Participant]
    names: Names
    # The NPM's own people: experts from outside are not its staff (E02).
    npm: frozenset[UUID]
    # Those of the NPM's people who are never the second reader: they administer the instance, or
    # have no account.
    non_readers: frozenset[UUID]
    without_account: frozenset[UUID]
    # Who takes part for each party; somebody may for several.
    by_party: Mapping[UUID, frozenset[UUID]]


def read_people(cooperations: Collection[Cooperation]) -> dict[UUID, People]:
    """Return, by cooperation, who takes part, and the names of all who ever did."""
    rows: dict[UUID, list[CooperationPerson]] = {shared.id: [] for shared in cooperations}
    outside: set[CooperationPerson] = set()
    administrators: set[UUID] = set()
    without_account: set[UUID] = set()
    for row, is_outside_expert, administers, has_no_account in db.session.execute(
        _PEOPLE, {"ids": list(rows), "today": clock.today()}
    ):
        rows[row.cooperation_id].append(row)
        outside |= {row} if is_outside_expert else set()
        administrators |= {row.user_id} if administers else set()
        without_account |= {row.user_id} if has_no_account else set()
    people = {}
    for cooperation in cooperations:
        by_party = _rows_today(cooperation, rows[cooperation.id])
        today = _people_today(cooperation, rows[cooperation.id], by_party, outside)
        npm = frozenset(person.user_id for person in today.values() if person.is_npm_staff)
        people[cooperation.id] = People(
            today,
            _names(cooperation, rows[cooperation.id]),
            npm,
            npm & (administrators | without_account),
            npm & without_account,
            {
                organisation_id: frozenset(row.user_id for row in own)
                for organisation_id, own in by_party.items()
            },
        )
    return people


def _rows_today(
    cooperation: Cooperation, rows: Sequence[CooperationPerson]
) -> dict[UUID, list[CooperationPerson]]:
    """Return the rows of people who take part today, by party in the order of the parties."""
    day = clock.today()
    current: dict[UUID, list[CooperationPerson]] = {
        party.organisation_id: [] for party in taking_part.parties(cooperation)
    }
    for row in rows:
        if row.organisation_id in current and row.user.active and _runs_on(row, day):
            current[row.organisation_id].append(row)
    return current


def _people_today(
    cooperation: Cooperation,
    rows: Sequence[CooperationPerson],
    current: Mapping[UUID, Sequence[CooperationPerson]],
    outside: Container[CooperationPerson],
) -> dict[UUID, Participant]:
    """Return the people who take part today by name, each for the party that counts."""
    people = taking_part.by_user(
        Participant(
            user_id=row.user_id,
            name=row.user.name,
            organisation_id=row.organisation_id,
            organisation_name=row.organisation.name,
            side=party.side,
            function=row.function,
            outside_expert=row in outside,
            is_joining=party.is_joining,
        )
        for party in taking_part.parties(cooperation)
        for row in current[party.organisation_id]
    )
    by_name = dict.fromkeys(row.user_id for row in rows)
    return {user_id: people[user_id] for user_id in by_name if user_id in people}


def _names(cooperation: Cooperation, rows: Sequence[CooperationPerson]) -> Names:
    return Names(
        people={row.user_id: row.user.name for row in rows},
        parties={party.organisation_id: party.organisation.name for party in cooperation.parties},
        bodies={body.id: body.name for body in outside_bodies.of(cooperation)},
    )


def _runs_on(row: CooperationPerson, day: dt.date) -> bool:
    return row.from_on <= day and (row.until_on is None or row.until_on >= day)
