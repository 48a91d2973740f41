"""Queries built once for all people alike ask the same as those built for one person."""

import re
import sys
from collections.abc import Callable
from dataclasses import replace
from types import FunctionType
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from tracker.access import conditions
from tracker.access.actor import Actor, ActorMembership, OrganisationKind, Role

HERE, ELSEWHERE = uuid4(), uuid4()
NPM, CSO = OrganisationKind.NPM, OrganisationKind.CSO
PARAMETER = re.compile(r":(?P<plain>\w+)|__\[POSTCOMPILE_(?P<listed>\w+)\]")
NUMBERED = re.compile(r"\b([a-z_]+)_\d+\b")
Built = Callable[[Actor], tuple[sa.SelectBase, dict[str, Any]]]


def person(
    kind: OrganisationKind, *roles: Role, elsewhere: tuple[Role, ...] = (), expert: bool = False
) -> Actor:
    return Actor(
        uuid4(),
        "Ilena Dorvath",
        memberships=(
            *(
                ActorMembership(role, HERE, "Here", kind, outside_expert=expert, power="Section 12")
                for role in roles
            ),
            *(ActorMembership(role, ELSEWHERE, "Elsewhere", CSO) for role in elsewhere),
        ),
        organisation_id=HERE,
    )


ADMINISTRATOR = ActorMembership(Role.ADMINISTRATOR)


def administrating(actor: Actor) -> Actor:
    return replace(actor, memberships=(*actor.memberships, ADMINISTRATOR))


def auditor(*npm_ids: UUID) -> Actor:
    body = uuid4()
    return Actor(
        uuid4(),
        "Aino Sarv",
        memberships=tuple(
            ActorMembership(
                Role.AUDITOR, body, "Court of Audit", OrganisationKind.OTHER, audits_id=npm_id
            )
            for npm_id in npm_ids
        ),
        organisation_id=body,
    )


PEOPLE = {
    "an NPM's coordinator": person(NPM, Role.COORDINATOR),
    "an NPM's member": person(NPM, Role.MEMBER),
    "an expert from outside": person(NPM, Role.MEMBER, expert=True),
    "an NPM's head": person(NPM, Role.SIGNATORY, Role.MANAGER),
    "a CSO's coordinator": person(CSO, Role.COORDINATOR, Role.SIGNATORY),
    "a CSO's member": person(CSO, Role.MEMBER, elsewhere=(Role.MANAGER, Role.AUDITOR)),
    "nobody in this organisation": person(CSO, elsewhere=(Role.COORDINATOR,)),
    "an auditor": person(NPM, Role.AUDITOR),
    "a member who audits": person(NPM, Role.AUDITOR, Role.MEMBER),
    "an auditor of another NPM": auditor(uuid4()),
    "an auditor of two NPMs": auditor(uuid4(), uuid4()),
    "an administrator": Actor(uuid4(), "Admin", memberships=(ADMINISTRATOR,)),
    "a coordinator who administers": administrating(person(NPM, Role.COORDINATOR)),
    "somebody without a role": Actor(uuid4(), "Nobody"),
}


def built_for_all() -> list[FunctionType]:
    """Return all functions with the decorator."""
    name = conditions.built_for_all.__name__
    return [
        function
        for module in list(sys.modules)
        if module.startswith("tracker.")
        for function in vars(sys.modules[module]).values()
        if isinstance(function, FunctionType)
        and function.__code__.co_qualname.startswith(f"{name}.<locals>")
        and function.__module__ == module
    ]


def with_values(query: sa.SelectBase, values: dict[str, Any]) -> str:
    """Return a query's text with its values in place of their names."""
    compiled = query.compile()
    known = compiled.params | values

    def value(match: re.Match[str]) -> str:
        if match["plain"]:
            return repr(known[match["plain"]])
        listed = known[match["listed"]]
        return ", ".join(map(repr, listed)) if listed else match["listed"]

    # Labels are numbered in the order in which they were made, which is no part of the question.
    return NUMBERED.sub(r"\1", PARAMETER.sub(value, str(compiled)))


@pytest.mark.parametrize("who", PEOPLE)
def test_it_asks_the_same_as_a_query_built_for_the_person(app: Flask, who: str) -> None:
    actor, functions = PEOPLE[who], built_for_all()
    with app.app_context():
        for function in functions:
            built: Built = function
            own = with_values(vars(function)["__wrapped__"](actor), {})
            assert with_values(*built(actor)) == own, function.__qualname__
    assert len(functions) > 12
