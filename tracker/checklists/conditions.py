"""Conditions of items, in three states: true, false, not yet known. Pure."""

import enum
from collections.abc import Callable, Mapping
from typing import Any

from tracker.checklists.template import (
    AllCondition,
    AnswerCondition,
    AnyCondition,
    ModesCondition,
    NotCondition,
    QuestionCondition,
)
from tracker.cooperations.models import Knowledge, Mode

# Reads the value of a field of an item, None when there is no answer yet.
ValueReader = Callable[[str, str], Any]


class Truth(enum.Enum):
    """Three states; NOT_KNOWN stays out of progress (product.md, 4.5)."""

    TRUE = "true"
    FALSE = "false"
    NOT_KNOWN = "not_known"


def evaluate(
    condition: Any,
    *,
    modes: frozenset[Mode],
    questions: Mapping[str, str],
    value_of: ValueReader,
) -> Truth:
    """Return whether a condition holds.

    A question answered *not known*, or not answered, counts as yes (product.md, section 3). An
    item that has no answer yet leaves a condition on it not known.
    """

    def within(part: Any) -> Truth:
        return evaluate(part, modes=modes, questions=questions, value_of=value_of)

    match condition:
        case None:
            return Truth.TRUE
        case ModesCondition(modes=wanted):
            return _of(not modes.isdisjoint(wanted))
        case QuestionCondition(question=question):
            return _of(questions.get(question.value) != Knowledge.NO.value)
        case AnswerCondition(item=item, field=key, values=values):
            return _of_value(value_of(item, key), values)
        case AnyCondition(any=parts):
            return _any([within(part) for part in parts])
        case AllCondition(all=parts):
            return _opposite(_any([_opposite(within(part)) for part in parts]))
        case NotCondition(not_=part):
            return _opposite(within(part))
        case _:
            message = f"{condition!r} is no condition"
            raise TypeError(message)


def _of(value: bool) -> Truth:  # noqa: FBT001 -- turns a bool into a Truth
    return Truth.TRUE if value else Truth.FALSE


def _of_value(value: Any, wanted: tuple[str, ...]) -> Truth:
    if value is None or value in ("", []):
        return Truth.NOT_KNOWN
    if isinstance(value, list):
        return _of(not set(wanted).isdisjoint(str(one) for one in value))
    return _of(str(value) in wanted)


def _any(parts: list[Truth]) -> Truth:
    if Truth.TRUE in parts:
        return Truth.TRUE
    return Truth.NOT_KNOWN if Truth.NOT_KNOWN in parts else Truth.FALSE


def _opposite(truth: Truth) -> Truth:
    return {Truth.TRUE: Truth.FALSE, Truth.FALSE: Truth.TRUE}.get(truth, Truth.NOT_KNOWN)
