"""A statement built once for a kind of reader asks the same as one built for the person."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import replace
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.dialects import sqlite

from tests.moments import standing_at, using
from tracker.access.actor import Actor, ActorMembership, OrganisationKind, Role
from tracker.access.readers import Reader, kind_of, reader_of, values_of
from tracker.checklists.queries import planning_is_open_to
from tracker.cooperations.models import Cooperation
from tracker.cooperations.queries import _whole
from tracker.cooperations.scope import visible_in_part_to, visible_to
from tracker.visits.models import Visit
from tracker.visits.queries import _visit

NOON = dt.datetime(2027, 3, 1, 12, 0, tzinfo=dt.UTC)


def somebody(*roles: Role, kind: OrganisationKind = OrganisationKind.NPM) -> Actor:
    body = uuid4()
    memberships = tuple(ActorMembership(role, body, "A body", kind) for role in roles)
    return Actor(uuid4(), "Ilena Dorvath", memberships=memberships, organisation_id=body)


def outside_expert() -> Actor:
    [membership] = (member := somebody(Role.MEMBER)).memberships
    return replace(member, memberships=(replace(membership, outside_expert=True),))


PEOPLE = {
    "a coordinator": somebody(Role.COORDINATOR),
    "a coordinator of a CSO": somebody(Role.COORDINATOR, kind=OrganisationKind.CSO),
    "a member who signs": somebody(Role.MEMBER, Role.SIGNATORY),
    "a member": somebody(Role.MEMBER),
    "an expert from outside": outside_expert(),
    "an auditor": somebody(Role.AUDITOR),
    "a manager who audits": somebody(Role.MANAGER, Role.AUDITOR),
    "an administrator": Actor(uuid4(), "Root", memberships=(ActorMembership(Role.ADMINISTRATOR),)),
    "somebody without a role": Actor(uuid4(), "Nobody"),
}


@pytest.fixture(autouse=True)
def on_a_day() -> Iterator[None]:
    with using(standing_at(NOON)):
        yield


def as_text(condition: sa.ColumnElement[bool], values: dict[str, object] | None = None) -> str:
    """Return a condition as SQL with the values of its parameters."""
    whole = sa.select(condition).params(values or {})
    return str(whole.compile(dialect=sqlite.dialect(), compile_kwargs={"literal_binds": True}))


def planning(reader: Reader) -> sa.ColumnElement[bool]:
    return planning_is_open_to(reader, Visit.cooperation_id, Visit.id)


@pytest.mark.parametrize("condition", [visible_to, visible_in_part_to, planning])
@pytest.mark.parametrize("who", PEOPLE)
def test_condition_for_a_kind_with_the_values_of_a_person_is_that_for_the_person(
    who: str, condition: Callable[[Reader], sa.ColumnElement[bool]]
) -> None:
    actor = PEOPLE[who]
    of_kind, of_person = condition(kind_of(actor).reader()), condition(reader_of(actor))
    assert as_text(of_kind, values_of(actor)) == as_text(of_person)


def test_two_people_of_a_kind_share_a_statement_without_their_ids() -> None:
    first, second = (somebody(Role.MEMBER, kind=OrganisationKind.CSO) for _ in range(2))
    assert _visit(kind_of(first)) is _visit(kind_of(second))
    assert _find(first) is _find(second)
    values = list(_visit(kind_of(first)).compile().params.values())
    assert not [own for own in (first.user_id, first.organisation_id) if own in values]
    assert NOON.date() not in values


@pytest.mark.parametrize("other", ["a coordinator", "an expert from outside", "an auditor"])
def test_people_of_different_kinds_share_none(other: str) -> None:
    member, somebody_else = PEOPLE["a member"], PEOPLE[other]
    assert _visit(kind_of(member)) is not _visit(kind_of(somebody_else))
    assert _find(member) is not _find(somebody_else)


def _find(actor: Actor) -> sa.Select[Cooperation]:
    return _whole(kind_of(actor), in_part=False, by_id=False)


def test_values_are_those_of_the_person_today() -> None:
    actor = PEOPLE["an auditor"]
    audited: list[UUID | None] = [actor.organisation_id]
    assert list(values_of(actor).values()) == [
        actor.user_id,
        actor.organisation_id,
        audited,
        NOON.date(),
    ]
