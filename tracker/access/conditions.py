"""Query conditions that are built once in a request for the same person, day and columns."""

from collections.abc import Callable
from functools import wraps
from typing import Any, Concatenate, ParamSpec

import sqlalchemy as sa
from flask import g, has_request_context

from tracker.access.actor import Actor
from tracker.core import clock

P = ParamSpec("P")
Condition = sa.ColumnElement[bool]


def built_once(
    build: Callable[Concatenate[Actor, P], Condition],
) -> Callable[Concatenate[Actor, P], Condition]:
    """Return a function that builds a condition once per request for the same arguments.

    My work asks a dozen queries for the same condition, and building it takes longer than running
    it. The condition may depend only on its arguments and on the day. It is cached for the request
    and used only by its thread: two threads can't compile with the same alias at the same time
    (adr 51).
    """

    @wraps(build)
    def condition(actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> Condition:
        if not has_request_context() or kwargs:
            return build(actor, *args, **kwargs)
        conditions: dict[Any, tuple[Any, Condition]] = g.setdefault("conditions", {})
        # By identity, since columns compared with == are conditions themselves. The arguments are
        # cached with the condition, so that no other object gets their identity meanwhile.
        key = (build, clock.today(), id(actor), *map(id, args))
        if key not in conditions:
            conditions[key] = ((actor, args), build(actor, *args, **kwargs))
        return conditions[key][1]

    return condition
