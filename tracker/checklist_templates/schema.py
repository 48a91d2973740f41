"""The schema of a checklist template: what an item, a field and a column may be. Pure.

In one file: the classes refer to each other and are checked as one document.
"""

import enum
from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Literal

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from pydantic import Field, model_validator

from tracker.access.information import InformationClass
from tracker.checklist_templates.checks import Check, CheckName
from tracker.checklist_templates.conditions import (
    AnswerCondition,
    Condition,
    NeighbourColumn,
    NeighbourField,
    answers_asked,
)
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklist_templates.strict import (
    ItemCode,
    Key,
    PassageRef,
    Statement,
    Strict,
    Value,
    Words,
    check_unique,
)
from tracker.core.mistakes import UnfitError, at_place
from tracker.core.schema_problems import write_instead

Unit = Literal["hours", "days", "months", "years"]
# Names that the forms around an item's fields use themselves.
RESERVED = frozenset(
    {
        "add_row",
        "base_version",
        "code",
        "credential",
        "csrf_token",
        "draft_base",
        "draft_known",
        "draft_number",
        "draft_page",
        "mailed_code",
        "new_password",
        "new_password_confirm",
        "numbers_shown",
        "page_token",
        "passkey",
        "password",
        "password_confirm",
        "reason",
        "remove_row",
        "setup",
        "then",
        "version",
    }
)


_COLUMN = _l("column")
_ROW = _l("row")
_FIELD = _l("field")
_LIMIT = _l("limit")
_ITEM = _l("item")
_SECTION = _l("section")
_OPTION = _l("option")


def _is_nothing(value: object) -> bool:
    return not value


class FieldType(enum.StrEnum):
    """The types of fields."""

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
    # A party, or a body from the cooperation's list that is no party: an authority, a donor.
    BODY = "body"
    CLASS = "class"
    TABLE = "table"


# Fields whose value is the id of a person or an organisation.
NAMING = frozenset({FieldType.PERSON, FieldType.PERSONS, FieldType.PARTY, FieldType.BODY})
# Of these, those that name organisations.
NAMING_BODIES = frozenset({FieldType.PARTY, FieldType.BODY})
# Fields in which people write in their own words.
WRITTEN = frozenset({FieldType.TEXT, FieldType.LINE})


class Sets(enum.StrEnum):
    """Who fills in a field."""

    NPM = "npm"
    CSO = "cso"
    BOTH = "both"
    EACH_PARTY = "each_party"
    EACH_CSO = "each_cso"
    EACH_PERSON = "each_person"


class Accepts(enum.StrEnum):
    """Whose acceptance a field's item needs in order to be done."""

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
    """Whether an item must be done before the checklist can be signed.

    An optional item requires nothing: if it is left empty, nothing is agreed there, and nobody
    waits for it.
    """

    ALWAYS = "always"
    OPTIONAL = "optional"
    RECOMMENDED = "recommended"
    CONDITIONAL = "conditional"


class Power(enum.StrEnum):
    """What only the NPM decides (S6, M5), and what it must remain able to do (S7, M6)."""

    PLACES = "places"
    PERSONS = "persons"
    TIMING = "timing"
    METHOD = "method"
    FINDINGS = "findings"
    RECOMMENDATIONS = "recommendations"
    PUBLICATION = "publication"
    VISIT_ALONE = "visit_alone"
    CHANGE_PROGRAMME = "change_programme"
    ACT_URGENTLY = "act_urgently"
    WORK_WITH_OTHERS = "work_with_others"
    STOP = "stop"


class Limit(Strict):
    """A rule that flags an answer which gives a power of the NPM away (product.md, 4.8).

    It checks its field, or a column of it, in all rows, in the fixed rows it names or in those that
    people added. It checks for one thing: certain values, values none of which is chosen, somebody
    outside the NPM, a body that is no party, or a number above a threshold.
    """

    key: Key
    powers: tuple[Power, ...] = Field(min_length=1)
    because: Words
    statement: Statement
    passage: PassageRef
    column: Key | None = None
    rows: tuple[Value, ...] = ()
    values: tuple[str | bool, ...] = Field(alias="in", default=())
    outside_npm: bool = False
    # These are left out of what is stored if unused, so that digests of older versions stay valid.
    added_rows: bool = Field(default=False, exclude_if=_is_nothing)
    without: tuple[Value, ...] = Field(default=(), exclude_if=_is_nothing)
    outside_parties: bool = Field(default=False, exclude_if=_is_nothing)
    above: int | None = None

    @model_validator(mode="after")
    def _looks_for_one_thing(self) -> "Limit":
        conditions = (
            bool(self.values),
            bool(self.without),
            self.outside_npm,
            self.outside_parties,
            self.above is not None,
        )
        if sum(conditions) != 1:
            raise UnfitError(
                _(
                    "limit %(key)s looks for one thing: "
                    "in, without, outside_npm, outside_parties or above",
                    key=self.key,
                )
            )
        return self


class Option(Strict):
    """One choice."""

    value: Value
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
    unit: Unit | None = None
    min: int | None = None
    max: int | None = None
    # Left out of what is stored if there is none, so that digests of older versions stay valid.
    shown_when: Condition | None = Field(default=None, exclude_if=_is_nothing)
    # Whether people type here who decides, clears, receives or is consulted: see risky_phrases.
    names_who: bool = Field(default=False, exclude_if=_is_nothing)

    @model_validator(mode="after")
    def _fits_its_type(self) -> "Column":
        if self.type in {FieldType.TABLE, FieldType.PERSONS, FieldType.CHOICES}:
            raise UnfitError(_("a column can't be of type %(type)s", type=self.type.value))
        _check_options(self.type, self.options)
        _check_names_who(self)
        return self


class FixedRow(Strict):
    """A fixed row; people fill in the other columns."""

    key: Value
    label: Words


class Rows(Strict):
    """The rows of a table."""

    min: int = 0
    max: int = 30
    fixed: tuple[FixedRow, ...] = ()
    # The heading of the column with the fixed rows' labels.
    label: Words | None = None
    more: bool = False


class TemplateField(Strict):
    """A typed field of an item, with who sets, accepts, confirms and countersigns it."""

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
    unit: Unit | None = None
    min: int | None = None
    max: int | None = None
    rows: Rows | None = None
    columns: tuple[Column, ...] = ()
    limits: tuple[Limit, ...] = Field(default=(), exclude_if=_is_nothing)
    names_who: bool = Field(default=False, exclude_if=_is_nothing)

    @model_validator(mode="after")
    def _fits_its_type(self) -> "TemplateField":
        _check_options(self.type, self.options)
        _check_names_who(self)
        if self.key in RESERVED:
            raise UnfitError(_("a field can't be called %(key)s", key=self.key))
        if (self.type is FieldType.TABLE) != bool(self.columns):
            raise UnfitError(_("a table, and only a table, has columns"))
        if (self.type is FieldType.TABLE) != (self.rows is not None):
            raise UnfitError(_("a table, and only a table, says which rows it has"))
        return self

    @model_validator(mode="after")
    def _has_a_whole_table(self) -> "TemplateField":
        with at_place("columns"):
            check_unique(
                _COLUMN, [column.key for column in self.columns], _places(self.columns, "key")
            )
        fixed = self.rows.fixed if self.rows else ()
        with at_place("rows", "fixed"):
            check_unique(_ROW, [row.key for row in fixed], _places(fixed, "key"))
        for number, column in enumerate(self.columns):
            if column.required_when:
                with at_place("columns", number, "required_when"):
                    _check_neighbour(column.key, column.required_when, self.columns)
        if self.columns and all(column.shown_when for column in self.columns):
            raise UnfitError(_("one column at least is always shown"))
        return self

    @model_validator(mode="after")
    def _has_limits_that_can_be_met(self) -> "TemplateField":
        given = {row.key for row in self.rows.fixed} if self.rows else set()
        for limit in self.limits:
            name = _("limit %(key)s", key=limit.key)
            if self.scope is not AnswerScope.SHARED:
                raise UnfitError(
                    _("%(name)s looks at %(key)s: it has no shared answer", name=name, key=self.key)
                )
            if (self.type is FieldType.TABLE) != (limit.column is not None):
                raise UnfitError(
                    _("%(name)s names a column of a table, and only of a table", name=name)
                )
            if not given.issuperset(limit.rows):
                raise UnfitError(_("%(name)s names a row that doesn't exist", name=name))
            if limit.added_rows and not (self.rows and self.rows.more and given):
                raise UnfitError(
                    _("%(name)s looks at rows that people add, and there are none", name=name)
                )
            _check_limit(name, limit, self)
        return self

    @property
    def scope(self) -> AnswerScope:
        """Whose answer the field belongs to."""
        if self.sets is Sets.EACH_PERSON:
            return AnswerScope.PERSON
        if self.sets in {Sets.EACH_PARTY, Sets.EACH_CSO}:
            return AnswerScope.PARTY
        return AnswerScope.SHARED

    def column(self, key: str) -> Column:
        """Return a column by its key."""
        return next(column for column in self.columns if column.key == key)


class Done(Strict):
    """When an item is done: what a program checks, and what a person considers when accepting."""

    checks: tuple[Check, ...] = ()
    look: Words | None = None


class RestsOn(Strict):
    """What an item is based on: statements of the source, passages of guidance, other sources."""

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
            raise UnfitError(
                _("required_when goes with required: conditional, and only with it"),
                _("Write both lines, or neither of them."),
                ("required",),
            )
        with at_place("fields"):
            check_unique(_FIELD, [field.key for field in self.fields], _places(self.fields, "key"))
        check_unique(_LIMIT, [limit.key for limit in self.limits])
        if self.limits and self.part is not Part.TERMS:
            raise UnfitError(_("limits belong to what the parties sign: part: terms"))
        for number, field in enumerate(self.fields):
            if field.required_when:
                with at_place("fields", number, "required_when"):
                    _check_neighbour(field.key, field.required_when, self.fields)
        for number, check in enumerate(self.done.checks):
            with at_place("done", "checks", number):
                self._check_is_possible(check)
        return self

    @model_validator(mode="after")
    def _is_written_by_somebody(self) -> "Item":
        if self.part is Part.PERSON and any(f.scope is not AnswerScope.PERSON for f in self.fields):
            raise UnfitError(_("an item of each person has only fields set by each person"))
        for scope in AnswerScope:
            if len({field.sets for field in self.fields_of(scope)}) > 1:
                raise UnfitError(
                    _("the %(scope)s fields of an item are set by the same side", scope=scope.value)
                )
        return self

    def _check_is_possible(self, check: Check) -> None:
        by_key = {field.key: field for field in self.fields}
        name = _("check %(check)s", check=check.check.value)
        for key in check.all_fields:
            if key not in by_key:
                raise UnfitError(
                    _("%(name)s names a field %(key)s, which doesn't exist", name=name, key=key),
                    write_instead(key, list(by_key)),
                )
        if len({by_key[key].scope for key in check.all_fields}) > 1:
            raise UnfitError(_("%(name)s looks at fields of different answers", name=name))
        if check.column:
            columns = {column.key: column for column in by_key[check.looks_at[0]].columns}
            if check.column not in columns:
                raise UnfitError(
                    _(
                        "%(name)s names a column %(column)s, which doesn't exist",
                        name=name,
                        column=check.column,
                    ),
                    write_instead(check.column, list(columns)),
                )
            if columns[check.column].shown_when:
                raise UnfitError(
                    _(
                        "%(name)s names a column %(column)s that may be hidden",
                        name=name,
                        column=check.column,
                    )
                )
            _check_values(name, check.values, columns[check.column])

    @property
    def names_bodies(self) -> bool:
        """Whether a field or a column of it chooses among parties and outside bodies."""
        return FieldType.BODY in self._kinds

    @property
    def names_people(self) -> bool:
        """Whether a field or a column of it chooses among the people of the cooperation."""
        return not self._kinds.isdisjoint({FieldType.PERSON, FieldType.PERSONS})

    @cached_property
    def _kinds(self) -> frozenset[FieldType]:
        of_columns = (column.type for field in self.fields for column in field.columns)
        return frozenset(field.type for field in self.fields).union(of_columns)

    def field(self, key: str) -> TemplateField:
        """Return a field by its key."""
        return next(field for field in self.fields if field.key == key)

    def fields_of(self, scope: AnswerScope) -> tuple[TemplateField, ...]:
        """Return the fields that belong to one scope."""
        return self._fields_by_scope.get(scope, ())

    @cached_property
    def _fields_by_scope(self) -> dict[AnswerScope, tuple[TemplateField, ...]]:
        by_scope: dict[AnswerScope, tuple[TemplateField, ...]] = {}
        for field in self.fields:
            by_scope[field.scope] = (*by_scope.get(field.scope, ()), field)
        return by_scope

    @property
    def limits(self) -> tuple[Limit, ...]:
        """The rules that flag an answer to this item, in all its fields."""
        return tuple(limit for field in self.fields for limit in field.limits)

    @cached_property
    def may_hide_columns(self) -> bool:
        """Whether a column of the item's tables is shown only on a condition."""
        return any(column.shown_when for field in self.fields for column in field.columns)

    @cached_property
    def party_table(self) -> tuple[str, str] | None:
        """The table with a row for each party, and its column of parties; None if there is none."""
        return next(
            (
                (check.field, check.column)
                for check in self.done.checks
                if check.check is CheckName.ROW_PER_PARTY and check.field and check.column
            ),
            None,
        )

    @cached_property
    def tables_about_csos(self) -> frozenset[str]:
        """The tables with a row for each CSO, which are the NPM's to fill (M1)."""
        return frozenset(
            check.field
            for check in self.done.checks
            if check.check is CheckName.ROW_PER_CSO and check.field
        )

    @cached_property
    def scopes(self) -> tuple[AnswerScope, ...]:
        """The scopes of this item's fields, shared first."""
        present = {field.scope for field in self.fields}
        return tuple(scope for scope in AnswerScope if scope in present)

    @cached_property
    def accepted_by(self) -> Accepts:
        """The widest acceptance that any field of the item needs."""
        acceptances = {field.accepts for field in self.fields}
        for widest in (Accepts.ALL, Accepts.EACH_CSO, Accepts.NPM):
            if widest in acceptances:
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
        places = [(*place, "code") for place in self.places]
        check_unique(_ITEM, codes, places)
        for code, place in zip(codes, places, strict=True):
            if not code.startswith(self.letter):
                raise UnfitError(
                    _(
                        "item %(code)s does not begin with %(letter)s",
                        code=code,
                        letter=self.letter,
                    ),
                    _("Begin the code with %(letter)s.", letter=self.letter),
                    place,
                )
        return self

    @model_validator(mode="after")
    def _looks_at_what_is_there(self) -> "Template":
        with at_place("sections"):
            check_unique(
                _SECTION,
                [section.key for section in self.sections],
                _places(self.sections, "key"),
            )
        for item, place in zip(self.items, self.places, strict=True):
            for name in ("required_when", "shown_when"):
                for answer_condition in answers_asked(getattr(item, name)):
                    with at_place(*place, name):
                        self._check_answer_asked(item.code, answer_condition)
            for number, field in enumerate(item.fields):
                with at_place(*place, "fields", number):
                    self._check_columns(item, field)
        return self

    def _check_columns(self, item: Item, field: TemplateField) -> None:
        for number, column in enumerate(field.columns):
            for answer_condition in answers_asked(column.shown_when):
                with at_place("columns", number, "shown_when"):
                    self._check_answer_asked(item.code, answer_condition)
                    if answer_condition.item == item.code:
                        raise UnfitError(
                            _(
                                "column %(key)s of %(code)s looks at its own item",
                                key=column.key,
                                code=item.code,
                            )
                        )

    @model_validator(mode="after")
    def _does_not_ask_in_a_circle(self) -> "Template":
        """Refuse items that are shown depending on each other's answers: nobody could start."""
        conditions = {
            item.code: {asked_item.item for asked_item in answers_asked(item.shown_when)}
            for item in self.items
        }
        for code, first in conditions.items():
            reached: set[str] = set()
            ahead = first
            while ahead:
                reached |= ahead
                ahead = {far for near in ahead for far in conditions[near]} - reached
            if code in reached:
                raise UnfitError(
                    _("item %(code)s is shown by an answer that depends on its own", code=code)
                )
        return self

    def _check_answer_asked(self, code: str, condition: AnswerCondition) -> None:
        other = self.by_code.get(condition.item)
        fields = {field.key: field for field in other.fields} if other else {}
        name = _("item %(code)s", code=code)
        if condition.field not in fields:
            raise UnfitError(
                _(
                    "%(name)s looks at %(item)s.%(field)s, which doesn't exist",
                    name=name,
                    item=condition.item,
                    field=condition.field,
                ),
                write_instead(condition.field, list(fields))
                if other
                else _("Write the code of an item of this checklist."),
            )
        if fields[condition.field].scope is not AnswerScope.SHARED:
            raise UnfitError(
                _(
                    "%(name)s looks at %(item)s.%(field)s: it has no shared answer",
                    name=name,
                    item=condition.item,
                    field=condition.field,
                )
            )
        _check_values(name, condition.values, fields[condition.field])

    @cached_property
    def items(self) -> tuple[Item, ...]:
        """All items in the order of the sections."""
        return tuple(item for section in self.sections for item in section.items)

    @property
    def places(self) -> list[tuple[int | str, ...]]:
        """The path of each item, in the order of the items."""
        return [
            ("sections", s, "items", i)
            for s, section in enumerate(self.sections)
            for i in range(len(section.items))
        ]

    @cached_property
    def by_code(self) -> dict[str, Item]:
        """All items by their code."""
        return {item.code: item for item in self.items}

    def item(self, code: str) -> Item | None:
        """Return an item by its code, or None."""
        return self.by_code.get(code)


def _places(parts: Sequence[Strict], key: str) -> list[tuple[int | str, ...]]:
    """Return the path of a key of each part of a list."""
    return [(number, key) for number in range(len(parts))]


def _check_options(kind: FieldType, options: tuple[Option, ...]) -> None:
    if (kind in {FieldType.CHOICE, FieldType.CHOICES}) != bool(options):
        raise UnfitError(_("a choice, and only a choice, has options"))
    with at_place("options"):
        check_unique(_OPTION, [option.value for option in options], _places(options, "value"))


def _check_names_who(part: TemplateField | Column) -> None:
    if part.names_who and part.type not in WRITTEN:
        raise UnfitError(
            _("%(key)s names who decides in typed words, and can't hold any", key=part.key)
        )


def _check_neighbour(
    key: str,
    condition: NeighbourField | NeighbourColumn,
    among: Sequence[TemplateField | Column],
) -> None:
    """Refuse a condition on a field that doesn't exist, or on values it can't have."""
    wanted = condition.field if isinstance(condition, NeighbourField) else condition.column
    neighbour = next((neighbour for neighbour in among if neighbour.key == wanted), None)
    if neighbour is None or wanted == key:
        raise UnfitError(
            _("%(key)s looks at %(wanted)s, which doesn't exist", key=key, wanted=wanted),
            write_instead(wanted, [other.key for other in among if other.key != key]),
        )
    _check_values(key, condition.values, neighbour)


def _check_limit(name: str, limit: Limit, field: TemplateField) -> None:
    """Refuse a limit on a column that doesn't exist, or on a value it can't have."""
    looked_at: TemplateField | Column | None = field
    if limit.column is not None:
        looked_at = next((column for column in field.columns if column.key == limit.column), None)
    if looked_at is None:
        raise UnfitError(
            _(
                "%(name)s names a column %(column)s, which doesn't exist",
                name=name,
                column=limit.column,
            )
        )
    if limit.outside_npm and looked_at.type not in NAMING:
        raise UnfitError(
            _(
                "%(name)s asks who is outside the NPM, and %(key)s names nobody",
                name=name,
                key=looked_at.key,
            )
        )
    if limit.outside_parties and looked_at.type is not FieldType.BODY:
        raise UnfitError(
            _(
                "%(name)s asks who is no party, and %(key)s names no outside body",
                name=name,
                key=looked_at.key,
            )
        )
    if limit.above is not None and looked_at.type is not FieldType.NUMBER:
        raise UnfitError(
            _("%(name)s asks for a number, and %(key)s contains none", name=name, key=looked_at.key)
        )
    _check_values(name, (*limit.values, *limit.without), looked_at)


def _check_values(
    name: str, values: Iterable[str | bool], looked_at: TemplateField | Column
) -> None:
    """Refuse values that the checked field can't have, so that no check is impossible to meet."""
    possible: set[str | bool] = {option.value for option in looked_at.options}
    if looked_at.type is FieldType.CONFIRM:
        possible = {True, False}
    for value in values:
        if value not in possible:
            raise UnfitError(
                _(
                    "%(name)s looks for %(value)s in %(key)s, which can't hold it",
                    name=name,
                    value=value,
                    key=looked_at.key,
                ),
                write_instead(str(value), sorted(map(str, possible))) if possible else "",
            )


CLASSES = tuple(member.value for member in InformationClass)
