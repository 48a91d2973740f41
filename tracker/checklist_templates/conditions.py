"""Conditions on items: what they may refer to, and their value in three states. Pure."""

import enum
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any

from pydantic import Field

from tracker.checklist_templates.strict import ItemCode, Key, Strict
from tracker.cooperations.models import Knowledge, Mode
from tracker.cooperations.modes import Question


class ModesCondition(Strict):
    """True when the cooperation has any of these modes."""

    modes: tuple[Mode, ...] = Field(min_length=1)


class QuestionCondition(Strict):
    """True if the question is answered yes, or not known."""

    question: Question


class AnswerCondition(Strict):
    """True when a field of an item of the same checklist has one of these values."""

    item: ItemCode
    field: Key
    values: tuple[str, ...] = Field(alias="in", min_length=1)


class AnyCondition(Strict):
    """True if any of the conditions is."""

    any: tuple["Condition", ...] = Field(min_length=1)


class AllCondition(Strict):
    """True if all of the conditions are."""

    all: tuple["Condition", ...] = Field(min_length=1)


class NotCondition(Strict):
    """True when the condition is false."""

    not_: "Condition" = Field(alias="not")


Condition = (
    ModesCondition
    | QuestionCondition
    | AnswerCondition
    | AnyCondition
    | AllCondition
    | NotCondition
)


class NeighbourField(Strict):
    """True when another field of the same item has one of these values."""

    field: Key
    values: tuple[str | bool, ...] = Field(alias="in", min_length=1)


class NeighbourColumn(Strict):
    """True when another column of the same row has one of these values."""

    column: Key
    values: tuple[str | bool, ...] = Field(alias="in", min_length=1)


def answers_asked(condition: Condition | None) -> list[AnswerCondition]:
    """Return every answer that a condition depends on."""
    match condition:
        case AnswerCondition():
            return [condition]
        case AnyCondition(any=parts) | AllCondition(all=parts):
            return [answer for part in parts for answer in answers_asked(part)]
        case NotCondition(not_=part):
            return answers_asked(part)
        case _:
            return []


# Reads the value of a field of an item; None if there is no answer yet.
ValueReader = Callable[[str, str], Any]


class Truth(enum.Enum):
    """Three states; NOT_KNOWN stays out of progress (product.md, 4.5)."""

    TRUE = "true"
    FALSE = "false"
    NOT_KNOWN = "not_known"


def evaluate(
    condition: Condition | None,
    *,
    modes: frozenset[Mode],
    questions: Mapping[str, str],
    value_of: ValueReader,
) -> Truth:
    """Return whether a condition is true; no condition always is.

    A question answered *not known*, or not answered, counts as yes (product.md, section 3). A
    condition on an item that has no answer yet is not known.
    """
    within = partial(evaluate, modes=modes, questions=questions, value_of=value_of)
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
            return _any(within(part) for part in parts)
        case AllCondition(all=parts):
            return _opposite(_any(_opposite(within(part)) for part in parts))
        case NotCondition(not_=part):
            return _opposite(within(part))


def _of(value: bool) -> Truth:  # noqa: FBT001 -- turns a bool into a Truth
    return Truth.TRUE if value else Truth.FALSE


def _of_value(value: Any, wanted: tuple[str, ...]) -> Truth:
    if value is None or value in ("", []):
        return Truth.NOT_KNOWN
    if isinstance(value, list):
        return _of(not set(wanted).isdisjoint(str(choice) for choice in value))
    return _of(str(value) in wanted)


def _any(parts: Iterable[Truth]) -> Truth:
    terms = set(parts)
    if Truth.TRUE in terms:
        return Truth.TRUE
    return Truth.NOT_KNOWN if Truth.NOT_KNOWN in terms else Truth.FALSE


def _opposite(truth: Truth) -> Truth:
    return {Truth.TRUE: Truth.FALSE, Truth.FALSE: Truth.TRUE}.get(truth, Truth.NOT_KNOWN)
