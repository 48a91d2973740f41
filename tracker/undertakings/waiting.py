"""Queries for undertakings that wait for a person, or for others, as My work lists them."""

import datetime as dt
import enum
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any, NamedTuple
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import Actor
from tracker.access.conditions import built_for_all
from tracker.accounts.models import User
from tracker.cooperations.clearances import NOTICES_STOP
from tracker.cooperations.models import Cooperation
from tracker.cooperations.queries import terms_have_run_out
from tracker.core import clock
from tracker.core.db import db
from tracker.undertakings import added_interests, scope
from tracker.undertakings.added_interests import WaitingInterest
from tracker.undertakings.models import (
    InterestsDecision,
    Undertaking,
    UndertakingState,
)

# How many undertakings of each kind My work looks through at a time.
MANY = 100


class TaskKind(enum.StrEnum):
    """What there is to do or to wait for."""

    SIGN = "sign"
    DECIDE = "decide"
    DECIDE_ADDED = "decide_added"
    COUNTERSIGN = "countersign"
    CONFIRM_PAPER = "confirm_paper"
    WAITS_FOR_NPM = "waits_for_npm"
    WAITS_FOR_ANOTHER = "waits_for_another"
    WAITS_FOR_PEOPLE = "waits_for_people"


@dataclass(frozen=True, slots=True)
class Task:
    """One line of *My work*; its page is url_for(page, **values)."""

    kind: TaskKind
    reference: str
    title: str
    since: dt.datetime
    page: str
    values: Mapping[str, str]
    # Whose undertaking it is, if not the reader's.
    person: str = ""
    # How many people are waited for.
    count: int = 1


@dataclass(frozen=True, slots=True)
class Tasks:
    """What waits for the person, and what waits for others.

    is_cut: there is more than is looked through at a time.
    """

    mine: list[Task]
    others: list[Task]
    is_cut: bool = False


def tasks(actor: Actor) -> Tasks:
    """Return what waits for a person and what they wait for, the oldest first.

    In all their cooperations; the first MANY of each, in the order of an index.
    """
    concerning = _concerning(actor)
    of_people = _rows(*_of_people(actor)) if scope.has_own_people(actor) else []
    running = [undertaking for undertaking in of_people if not undertaking.has_stopped]
    others = [_own_task(undertaking) for undertaking in concerning.own if not undertaking.is_asked]
    others += [_left_to_others(_npm_task(taken)) for taken in concerning.of_npm if taken.is_taken]
    others += _tasks_of_people(running)
    others += [_left_to_others(_added_task(taken)) for taken in concerning.added if taken.is_taken]
    return Tasks(
        mine=_mine(concerning),
        others=sorted(others, key=lambda task: task.since),
        is_cut=concerning.is_cut or len(of_people) == MANY,
    )


def tasks_in(actor: Actor, cooperation_id: UUID) -> list[Task]:
    """Return what waits for a person in one cooperation, as tasks() does."""
    return _mine(_concerning(actor, cooperation_id))


class _Waiting(NamedTuple):
    """An undertaking that waits for somebody, and where."""

    id: UUID
    state: UndertakingState
    asked_at: dt.datetime
    signed_at: dt.datetime | None
    has_interests: bool | None
    party_has_interest: bool | None
    decision: InterestsDecision | None
    person: str
    reference: str
    title: str
    # Whether the terms have run out or a notice stops them: then nobody signs or is cleared
    # (policy.is_covered).
    has_stopped: bool
    # Whether the reader took its signature.
    is_taken: bool

    @property
    def is_asked(self) -> bool:
        """Whether the person has not signed yet."""
        return self.state is UndertakingState.ASKED

    @property
    def since(self) -> dt.datetime:
        """Since when it waits."""
        return self.signed_at or self.asked_at


_DAY: sa.BindParameter[dt.date] = sa.bindparam("day", type_=sa.Date())


@cache
def _undertakings() -> sa.Select[*tuple[Any, ...]]:
    return (
        sa.select(
            Undertaking.id,
            Undertaking.state,
            Undertaking.asked_at,
            Undertaking.signed_at,
            Undertaking.has_interests,
            Undertaking.party_has_interest,
            Undertaking.decision,
            User.name,
            Cooperation.reference,
            Cooperation.title,
            # Not a condition, which would keep SQLite from reading only what waits.
            sa.or_(terms_have_run_out(_DAY), NOTICES_STOP.get()(Cooperation.id, _DAY)),
        )
        .join(Cooperation, Cooperation.id == Undertaking.cooperation_id)
        .join(Undertaking.user)
        .order_by(Undertaking.asked_at, Undertaking.id)
    )


@cache
def _own(*, in_one: bool) -> sa.Select[*tuple[Any, ...]]:
    """Return the query for the person's own, in all cooperations or in one."""
    query = (
        _undertakings()
        .add_columns(sa.false())
        .where(
            scope.is_of(sa.bindparam("user_id")),
            sa.or_(
                Undertaking.state.in_([UndertakingState.ASKED, UndertakingState.SIGNED]),
                sa.and_(
                    Undertaking.state == UndertakingState.COUNTERSIGNED,
                    added_interests.undecided() > 0,
                ),
            ),
        )
        .limit(MANY)
    )
    if in_one:
        return query.where(Undertaking.cooperation_id == sa.bindparam("cooperation_id"))
    return query


@built_for_all
def _of_people(actor: Actor) -> sa.Select[Any]:
    return (
        _undertakings()
        .add_columns(sa.false())
        .where(
            scope.waits_for_own_people(actor),
            ~scope.own(actor),
            Undertaking.state == UndertakingState.ASKED,
        )
        .limit(MANY)
    )


@dataclass(frozen=True, slots=True)
class _Concerning:
    """Undertakings and added interests that a person signs or decides on, or waits for."""

    own: list[_Waiting]
    of_npm: list[_Waiting]
    added: list[WaitingInterest]
    is_cut: bool


def _concerning(actor: Actor, cooperation_id: UUID | None = None) -> _Concerning:
    own = _rows(
        _own(in_one=cooperation_id is not None),
        {"user_id": actor.user_id, "cooperation_id": cooperation_id},
    )
    conditions = [] if cooperation_id is None else [Undertaking.cooperation_id == cooperation_id]
    of_npm = _waiting(
        *conditions,
        scope.decided_by(actor),
        ~scope.own(actor),
        Undertaking.state.in_([UndertakingState.ON_PAPER, UndertakingState.SIGNED]),
        sa.or_(Undertaking.decision.is_(None), Undertaking.decision != InterestsDecision.REPLACE),
        is_taken=scope.taken_by(actor),
    )
    added = added_interests.waiting(actor, cooperation_id, MANY)
    return _Concerning(
        own=[undertaking for undertaking in own if not undertaking.has_stopped],
        of_npm=[undertaking for undertaking in of_npm if not undertaking.has_stopped],
        added=added,
        is_cut=MANY in {len(own), len(of_npm), len(added)},
    )


def _mine(concerning: _Concerning) -> list[Task]:
    mine = [_own_task(undertaking) for undertaking in concerning.own if undertaking.is_asked]
    # Whoever took a signature leaves the rest to others (policy.can_vouch).
    mine += [
        _npm_task(undertaking) for undertaking in concerning.of_npm if not undertaking.is_taken
    ]
    mine += [_added_task(interest) for interest in concerning.added if not interest.is_taken]
    return sorted(mine, key=lambda task: task.since)


def _waiting(
    *conditions: sa.ColumnElement[bool], is_taken: sa.ColumnElement[bool] | None = None
) -> list[_Waiting]:
    if any(isinstance(condition, sa.False_) for condition in conditions):
        return []
    return _rows(
        _undertakings()
        .add_columns(sa.false() if is_taken is None else is_taken)
        .where(*conditions)
        .limit(MANY)
    )


def _rows(statement: sa.Select[Any], values: Mapping[str, Any] | None = None) -> list[_Waiting]:
    rows = db.session.execute(statement, {"day": clock.today(), **(values or {})})
    return [_Waiting._make(row) for row in rows]


def _own_task(waiting: _Waiting) -> Task:
    return Task(
        kind=TaskKind.SIGN if waiting.is_asked else TaskKind.WAITS_FOR_NPM,
        reference=waiting.reference,
        title=waiting.title,
        since=waiting.since,
        page="undertakings.show",
        values={"undertaking_id": str(waiting.id)},
    )


def _npm_task(waiting: _Waiting) -> Task:
    if waiting.state is UndertakingState.ON_PAPER:
        return Task(
            kind=TaskKind.CONFIRM_PAPER,
            reference=waiting.reference,
            title=waiting.title,
            since=waiting.since,
            page="undertaking_paper.show",
            values={"reference": waiting.reference, "undertaking_id": str(waiting.id)},
            person=waiting.person,
        )
    needs_decision = waiting.has_interests or waiting.party_has_interest
    is_undecided = needs_decision and waiting.decision is None
    return Task(
        kind=TaskKind.DECIDE if is_undecided else TaskKind.COUNTERSIGN,
        reference=waiting.reference,
        title=waiting.title,
        since=waiting.since,
        page="undertakings.check",
        values={"reference": waiting.reference, "undertaking_id": str(waiting.id)},
        person=waiting.person,
    )


def _left_to_others(task: Task) -> Task:
    """Return a task of the NPM as it is shown to whoever took the signature."""
    return replace(task, kind=TaskKind.WAITS_FOR_ANOTHER)


def _added_task(interest: WaitingInterest) -> Task:
    return Task(
        kind=TaskKind.DECIDE_ADDED,
        reference=interest.reference,
        title=interest.title,
        since=interest.added_at,
        page="undertakings.added_interest",
        values={
            "reference": interest.reference,
            "undertaking_id": str(interest.undertaking_id),
            "interest_id": str(interest.id),
        },
        person=interest.person,
    )


def _tasks_of_people(waiting: Iterable[_Waiting]) -> list[Task]:
    """Return a task for each cooperation that waits for people, the oldest first."""
    by_cooperation: dict[str, list[_Waiting]] = {}
    for undertaking in waiting:
        by_cooperation.setdefault(undertaking.reference, []).append(undertaking)
    return [
        Task(
            kind=TaskKind.WAITS_FOR_PEOPLE,
            reference=reference,
            title=people[0].title,
            since=people[0].since,
            page="undertakings.listed",
            values={"reference": reference},
            count=len(people),
        )
        for reference, people in by_cooperation.items()
    ]
