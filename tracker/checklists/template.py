"""The schema of a checklist template: what an item, a field, a column and a done-test may be."""

import enum
from functools import cached_property
from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, model_validator

from tracker.access.information import InformationClass
from tracker.checklists.models import AnswerScope, ChecklistKind
from tracker.cooperations.models import Mode

Key = Annotated[str, StringConstraints(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
ItemCode = Annotated[str, StringConstraints(pattern=r"^[MCVU][1-9][0-9]?$")]
Statement = Annotated[str, StringConstraints(pattern=r"^S[1-9][0-9]?$")]
PassageRef = Annotated[str, StringConstraints(pattern=r"^[a-z0-9-]+/[a-z0-9-]+$")]
Words = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class Strict(BaseModel):
    """A part of a template: no unknown keys, no changes after loading."""

    model_config = ConfigDict(extra="forbid", frozen=True)


class FieldType(enum.StrEnum):
    """What a field holds."""

    CONFIRM = "confirm"
    CHOICE = "choice"
    CHOICES = "choices"
    TEXT = "text"
    LINE = "line"
    DATE = "date"
    TIME = "time"
    NUMBER = "number"
    PHONE = "phone"
    PERSON = "person"
    PERSONS = "persons"
    PARTY = "party"
    CLASS = "class"
    TABLE = "table"


class Sets(enum.StrEnum):
    """Who writes a field."""

    NPM = "npm"
    CSO = "cso"
    BOTH = "both"
    EACH_PARTY = "each_party"
    EACH_CSO = "each_cso"
    EACH_PERSON = "each_person"


class Accepts(enum.StrEnum):
    """Whose acceptance makes a field's item done."""

    NONE = "none"
    ALL = "all"
    EACH_CSO = "each_cso"
    NPM = "npm"


class Part(enum.StrEnum):
    """Where an item's answer belongs: the signed terms, the live list, or each person's own."""

    TERMS = "terms"
    PEOPLE = "people"
    PERSON = "person"


class Required(enum.StrEnum):
    """Whether an item must be done before the checklist can be signed."""

    ALWAYS = "always"
    RECOMMENDED = "recommended"
    CONDITIONAL = "conditional"


class Question(enum.StrEnum):
    """The questions behind a conditional requirement, answered on the cooperation."""

    NPM_PASSES_RESTRICTED = "npm_passes_restricted"
    UNPUBLISHED_SHARED = "unpublished_shared"
    REAL_CASES_IN_TRAINING = "real_cases_in_training"
    EXPERT_ON_VISIT = "expert_on_visit"
    MEMBERS_SEE_UNPUBLISHED = "members_see_unpublished"
    MEMBERS_ON_VISITS = "members_on_visits"
    NAMED_CASE_DISCUSSED = "named_case_discussed"
    PERSONAL_DATA = "personal_data"
    CONSENT_HARD = "consent_hard"


class ModesCondition(Strict):
    """True when the cooperation has any of these modes."""

    modes: tuple[Mode, ...] = Field(min_length=1)


class QuestionCondition(Strict):
    """True when the question is answered yes, or not known."""

    question: Question


class AnswerCondition(Strict):
    """True when a field of an item of the same checklist has one of these values."""

    item: ItemCode
    field: Key
    values: tuple[str, ...] = Field(alias="in", min_length=1)


class AnyCondition(Strict):
    """True when one of the conditions is."""

    any: tuple["Condition", ...] = Field(min_length=1)


class AllCondition(Strict):
    """True when each of the conditions is."""

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


class Option(Strict):
    """One choice."""

    value: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,40}$")]
    label: Words
    hint: Words | None = None


class Column(Strict):
    """A column of a table."""

    key: Key
    label: Words
    hint: Words | None = None
    type: FieldType
    required: bool = True
    required_when: NeighbourColumn | None = None
    options: tuple[Option, ...] = ()
    unit: Literal["hours", "days", "months", "years"] | None = None
    min: int | None = None
    max: int | None = None

    @model_validator(mode="after")
    def _fits_its_type(self) -> "Column":
        if self.type in {FieldType.TABLE, FieldType.PERSONS, FieldType.CHOICES}:
            message = f"a column can't be of type {self.type.value}"
            raise ValueError(message)
        _check_options(self.type, self.options)
        return self


class FixedRow(Strict):
    """A row that is given; people fill in the other columns."""

    key: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_]{1,40}$")]
    label: Words


class Rows(Strict):
    """Which rows a table has."""

    min: int = 0
    max: int = 30
    fixed: tuple[FixedRow, ...] = ()
    # What the column of the given rows' labels is called.
    label: Words | None = None
    more: bool = False


class TemplateField(Strict):
    """A typed part of an item, with who sets, accepts, confirms and countersigns it."""

    key: Key
    label: Words
    hint: Words | None = None
    type: FieldType
    sets: Sets
    accepts: Accepts = Accepts.NONE
    confirms: Literal["none", "each_person"] = "none"
    countersigns: Literal["none", "npm"] = "none"
    required: bool = True
    required_when: NeighbourField | None = None
    options: tuple[Option, ...] = ()
    unit: Literal["hours", "days", "months", "years"] | None = None
    min: int | None = None
    max: int | None = None
    rows: Rows | None = None
    columns: tuple[Column, ...] = ()

    @model_validator(mode="after")
    def _fits_its_type(self) -> "TemplateField":
        _check_options(self.type, self.options)
        if (self.type is FieldType.TABLE) != bool(self.columns):
            message = "a table, and only a table, has columns"
            raise ValueError(message)
        if self.type is FieldType.TABLE and self.rows is None:
            message = "a table says which rows it has"
            raise ValueError(message)
        _check_unique("column", [column.key for column in self.columns])
        if self.rows:
            _check_unique("row", [row.key for row in self.rows.fixed])
        keys = {column.key for column in self.columns}
        for column in self.columns:
            if column.required_when and column.required_when.column not in keys:
                message = f"column {column.key} looks at {column.required_when.column}: not there"
                raise ValueError(message)
        return self

    @property
    def scope(self) -> AnswerScope:
        """Whose answer the field's value belongs to."""
        if self.sets is Sets.EACH_PERSON:
            return AnswerScope.PERSON
        if self.sets in {Sets.EACH_PARTY, Sets.EACH_CSO}:
            return AnswerScope.PARTY
        return AnswerScope.SHARED

    def column(self, key: str) -> Column:
        """Return a column by its key."""
        return next(column for column in self.columns if column.key == key)


class CheckName(enum.StrEnum):
    """What a program can test of an item beyond its required fields being filled."""

    MIN_ROWS = "min_rows"
    ROW_PER_PARTY = "row_per_party"
    ROW_PER_TEAM_MEMBER = "row_per_team_member"
    VALUES_COVERED = "values_covered"
    DATES_IN_ORDER = "dates_in_order"
    DATES_AFTER_VISIT = "dates_after_visit"
    DISTINCT_PERSONS = "distinct_persons"
    PERSONS_OF_NPM = "persons_of_npm"
    WROTE_NO_ANSWER = "wrote_no_answer"
    NUMBER_AT_LEAST = "number_at_least"
    ROW_EACH_WAY = "row_each_way"


class Check(Strict):
    """One done-test and the fields it looks at."""

    check: CheckName
    field: Key | None = None
    fields: tuple[Key, ...] = ()
    column: Key | None = None
    values: tuple[str, ...] = ()
    n: int | None = None
    unless: Key | None = None

    @property
    def all_fields(self) -> tuple[str, ...]:
        """Every field the check names."""
        return tuple(key for key in (self.field, self.unless, *self.fields) if key)


class Done(Strict):
    """The test for done: what a program checks, and what a person looks at when accepting."""

    checks: tuple[Check, ...] = ()
    look: Words | None = None


class RestsOn(Strict):
    """What an item rests on: statements of the source, passages of guidance, other sources."""

    statements: tuple[Statement, ...] = Field(min_length=1)
    passages: tuple[PassageRef, ...] = Field(min_length=1)
    sources: tuple[Words, ...] = ()


class Item(Strict):
    """One item of a checklist."""

    code: ItemCode
    label: Words
    prompt: Words
    help: Words | None = None
    part: Part
    required: Required
    required_when: Condition | None = None
    shown_when: Condition | None = None
    rests_on: RestsOn
    fields: tuple[TemplateField, ...] = Field(min_length=1)
    done: Done = Done()

    @model_validator(mode="after")
    def _holds_together(self) -> "Item":
        if (self.required is Required.CONDITIONAL) != (self.required_when is not None):
            message = "required_when goes with required: conditional, and only with it"
            raise ValueError(message)
        keys = [field.key for field in self.fields]
        _check_unique("field", keys)
        for field in self.fields:
            if field.required_when and field.required_when.field not in keys:
                message = f"field {field.key} looks at {field.required_when.field}: not there"
                raise ValueError(message)
        for check in self.done.checks:
            self._check_is_possible(check)
        if self.part is Part.PERSON and any(f.scope is not AnswerScope.PERSON for f in self.fields):
            message = "an item of each person has only fields set by each person"
            raise ValueError(message)
        return self

    def _check_is_possible(self, check: Check) -> None:
        for key in check.all_fields:
            if key not in {field.key for field in self.fields}:
                message = f"check {check.check.value} names a field {key} that is not there"
                raise ValueError(message)
        if check.column and check.field:
            columns = {column.key for column in self.field(check.field).columns}
            if check.column not in columns:
                message = f"check {check.check.value} names a column {check.column}: not there"
                raise ValueError(message)

    def field(self, key: str) -> TemplateField:
        """Return a field by its key."""
        return next(field for field in self.fields if field.key == key)

    def fields_of(self, scope: AnswerScope) -> tuple[TemplateField, ...]:
        """Return the fields whose values belong to one scope."""
        return tuple(field for field in self.fields if field.scope is scope)

    @cached_property
    def scopes(self) -> tuple[AnswerScope, ...]:
        """The scopes this item has fields of, shared first."""
        present = {field.scope for field in self.fields}
        return tuple(scope for scope in AnswerScope if scope in present)

    @cached_property
    def accepted_by(self) -> Accepts:
        """The widest acceptance any field of the item asks for."""
        asked = {field.accepts for field in self.fields}
        for widest in (Accepts.ALL, Accepts.EACH_CSO, Accepts.NPM):
            if widest in asked:
                return widest
        return Accepts.NONE


class Section(Strict):
    """A group of items."""

    key: Key
    title: Words
    items: tuple[Item, ...] = Field(min_length=1)


class Template(Strict):
    """A whole checklist as content."""

    kind: ChecklistKind
    letter: Literal["M", "C", "V", "U"]
    version: int = Field(ge=1)
    language: str
    title: Words
    summary: Words
    sections: tuple[Section, ...] = Field(min_length=1)

    @model_validator(mode="after")
    def _holds_together(self) -> "Template":
        codes = [item.code for item in self.items]
        _check_unique("item", codes)
        for code in codes:
            if not code.startswith(self.letter):
                message = f"item {code} does not begin with {self.letter}"
                raise ValueError(message)
        by_code = {item.code: item for item in self.items}
        for item in self.items:
            for condition in (item.required_when, item.shown_when):
                for answer in answers_asked(condition):
                    asked = by_code.get(answer.item)
                    if asked is None or answer.field not in {f.key for f in asked.fields}:
                        message = (
                            f"item {item.code} looks at {answer.item}.{answer.field}: not there"
                        )
                        raise ValueError(message)
        return self

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """All items in the order of the sections."""
        return tuple(item for section in self.sections for item in section.items)

    @cached_property
    def by_code(self) -> dict[str, Item]:
        """All items by their code."""
        return {item.code: item for item in self.items}

    def item(self, code: str) -> Item | None:
        """Return an item by its code, or None."""
        return self.by_code.get(code)


def answers_asked(condition: Any) -> list[AnswerCondition]:
    """Return every answer that a condition looks at."""
    match condition:
        case AnswerCondition():
            return [condition]
        case AnyCondition(any=parts) | AllCondition(all=parts):
            return [answer for part in parts for answer in answers_asked(part)]
        case NotCondition(not_=part):
            return answers_asked(part)
        case _:
            return []


def _check_options(kind: FieldType, options: tuple[Option, ...]) -> None:
    if (kind in {FieldType.CHOICE, FieldType.CHOICES}) != bool(options):
        message = "a choice, and only a choice, has options"
        raise ValueError(message)
    _check_unique("option", [option.value for option in options])


def _check_unique(what: str, keys: list[str]) -> None:
    doubles = sorted({key for key in keys if keys.count(key) > 1})
    if doubles:
        message = f"{what} {', '.join(doubles)} is there more than once"
        raise ValueError(message)


CLASSES = tuple(member.value for member in InformationClass)
