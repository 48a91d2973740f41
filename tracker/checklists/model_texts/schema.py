"""The schema of a model text: answers with variants by way of working, and their translation. Pure.

A file answers the items of one checklist that parties agree, field by field. A field has a base
value; variants that replace it, each for some ways of working; and in texts, sentences that are
added. A table has rows, some only for certain ways of working, and some repeated for each party.
"""

import enum
from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import (
    Discriminator,
    Field,
    StrictBool,
    StrictInt,
    StrictStr,
    StringConstraints,
    Tag,
    model_validator,
)

from tracker.checklist_templates.models import ChecklistKind
from tracker.checklist_templates.strict import ItemCode, Key, Strict, Value
from tracker.cooperations.models import Mode
from tracker.settings import KNOWN_LANGUAGES

# As long as a text may be (rules/values.py), and as a mark with its words.
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=8000)]
What = Annotated[
    str, StringConstraints(strip_whitespace=True, pattern=r"^[^\[\]\n]+$", max_length=200)
]
Single = StrictBool | StrictInt | Text


class Each(enum.StrEnum):
    """Whom a row is repeated for: bodies of the NPM, CSOs, all parties, the people on the team.

    Where a table has rows for the lead or the deputy, the row for members is for the others.
    """

    NPM = "npm"
    CSO = "cso"
    PARTY = "party"
    LEAD = "lead"
    DEPUTY = "deputy"
    MEMBER = "member"


# Of whom the first is there once it is known who leads, and the last for anybody on the team.
ON_TEAM = (Each.LEAD, Each.DEPUTY, Each.MEMBER)


class Task(enum.StrEnum):
    """A task of a visit, for which somebody is chosen once, before the text is begun with."""

    LEAD = "lead"
    DEPUTY = "deputy"
    OFFICE = "office"
    INTERVIEWER = "interviewer"
    SECOND_INTERVIEWER = "second_interviewer"
    RECORDER = "recorder"


# Where a party or a body is chosen: the NPM, or the party for which the row is repeated. People are
# never named, except in rows for the people on the team.
THE_NPM, OWN = "npm", "own"
# Where ways of working are chosen: those of the cooperation.
THE_MODES = "modes"


class Open(Strict):
    """A place that only people can decide, and what is to be decided.

    The sample fills it when the content is checked; without one, any value of its type does. Of a
    person it may say who it usually is, and of a day how it is counted from the visit: so many days
    before the first one, or after the last one. It stays open while that isn't known.
    """

    to_decide: What
    sample: Single | None = None
    usually: Task | None = None
    days_before: int | None = Field(default=None, ge=0, le=365)
    days_after: int | None = Field(default=None, ge=0, le=365)

    @model_validator(mode="after")
    def _says_one_thing(self) -> "Open":
        given = (self.usually, self.days_before, self.days_after)
        if sum(part is not None for part in given) > 1:
            message = "usually, days_before and days_after: give one of them"
            raise ValueError(message)
        return self

    @property
    def is_of_visit(self) -> bool:
        """Whether it is counted from the days of a visit."""
        return self.days_before is not None or self.days_after is not None

    @property
    def is_known(self) -> bool:
        """Whether it says who it usually is, or how its day is counted."""
        return self.usually is not None or self.is_of_visit


def _kind_of(given: Any) -> str:
    """Return which of the forms below a value has, so that mistakes are about one of them."""
    if isinstance(given, Open | Mapping):
        return "open"
    return "list" if isinstance(given, list | tuple) else "single"


Given = Annotated[
    Annotated[Open, Tag("open")]
    | Annotated[tuple[StrictStr, ...], Tag("list")]
    | Annotated[Single, Tag("single")],
    Discriminator(_kind_of),
]


class Variant(Strict):
    """Another value for some ways of working."""

    modes: tuple[Mode, ...] = Field(min_length=1)
    value: Given


class Addition(Strict):
    """Sentences that follow in a text for some ways of working."""

    modes: tuple[Mode, ...] = Field(min_length=1)
    text: Text


class Cell(Strict):
    """What a field or a cell contains; may be given as the base value alone."""

    base: Given | None = None
    variants: Mapping[Key, Variant] = Field(default_factory=dict)
    added: Mapping[Key, Addition] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _may_be_a_value_alone(cls, given: Any) -> Any:
        is_value = not isinstance(given, Mapping) or "to_decide" in given
        return {"base": given} if is_value else given

    @model_validator(mode="after")
    def _holds_together(self) -> "Cell":
        named = [mode for variant in self.variants.values() for mode in variant.modes]
        twice = sorted({mode.value for mode in named if named.count(mode) > 1})
        if twice:
            message = f"{', '.join(twice)}: more than one variant"
            raise ValueError(message)
        return self

    @property
    def values(self) -> tuple[Given, ...]:
        """Every value that it may have."""
        base = () if self.base is None else (self.base,)
        return (*base, *(variant.value for variant in self.variants.values()))


class Row(Strict):
    """A row of a table: for some ways of working or all, once or repeated."""

    modes: tuple[Mode, ...] = ()
    each: Each | None = None
    cells: Mapping[Key, Cell] = Field(min_length=1)

    @model_validator(mode="before")
    @classmethod
    def _may_list_its_cells_directly(cls, given: Any) -> Any:
        if not isinstance(given, Mapping) or "cells" in given:
            return given
        own = {key: given[key] for key in ("modes", "each") if key in given}
        return {**own, "cells": {key: given[key] for key in given if key not in own}}


class FieldText(Cell):
    """The answer in one field; a table has rows, by a key that is a fixed row's where there are."""

    rows: Mapping[Value, Row] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _says_something(self) -> "FieldText":
        if bool(self.rows) == bool(self.values or self.added):
            message = "a field has either rows or values"
            raise ValueError(message)
        return self


class ModelTextContent(Strict):
    """The model text of one checklist, in English."""

    kind: ChecklistKind
    # Of the checklist that it answers.
    version: int = Field(ge=1)
    language: str
    items: Mapping[ItemCode, Mapping[Key, FieldText]] = Field(min_length=1)


# Translations: the words at the same places, and nothing else ------------------------------------


class CellWords(Strict):
    """The words of a field or a cell; may be given as those of the base value alone."""

    base: Text | None = None
    variants: Mapping[Key, Text] = Field(default_factory=dict)
    added: Mapping[Key, Text] = Field(default_factory=dict)

    @model_validator(mode="before")
    @classmethod
    def _may_be_words_alone(cls, given: Any) -> Any:
        return {"base": given} if isinstance(given, str) else given


class FieldTextWords(CellWords):
    """The words of one field, and of a table's cells by row."""

    rows: Mapping[Value, Mapping[Key, CellWords]] = Field(default_factory=dict)


class ModelTextWords(Strict):
    """The translation of a model text."""

    kind: ChecklistKind
    version: int = Field(ge=1)
    language: str
    items: Mapping[ItemCode, Mapping[Key, FieldTextWords]] = Field(min_length=1)

    @model_validator(mode="after")
    def _is_in_a_language_we_know(self) -> "ModelTextWords":
        if self.language not in KNOWN_LANGUAGES:
            message = f"language is {self.language!r}, not one of {', '.join(KNOWN_LANGUAGES)}"
            raise ValueError(message)
        return self
