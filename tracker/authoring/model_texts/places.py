"""One item's model text as the places that a form asks for. Pure.

A place is a value: the base of a field or of a cell, a variant, or sentences that are added.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from flask_babel import lazy_gettext as _l

from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import (
    WRITTEN,
    Column,
    FieldType,
    Item,
    TemplateField,
)
from tracker.checklists.model_texts.in_use import ItemText
from tracker.checklists.model_texts.library import FACTS
from tracker.checklists.model_texts.schema import (
    ON_TEAM,
    Cell,
    Each,
    FieldText,
    Given,
    Row,
)
from tracker.checklists.rules.values import ADDED
from tracker.cooperations.models import Mode

Path = tuple[str, ...]
Part = TemplateField | Column
# The key of what the form adds, before it has one of its own.
NEW = "new"
EACH_WORDS: dict[Each, object] = {
    Each.NPM: _l("for each body of the NPM"),
    Each.CSO: _l("for each CSO"),
    Each.PARTY: _l("for each party"),
    Each.LEAD: _l("for the lead of the visit"),
    Each.DEPUTY: _l("for the deputy of the lead"),
    Each.MEMBER: _l("for each person on the team"),
}


@dataclass(frozen=True, slots=True)
class TextValue:
    """A value of a model text: where it is, of which field or column, and what it was."""

    path: Path
    part: Part
    before: Given | None = None
    modes: tuple[Mode, ...] = ()
    # Whom the row is repeated for that it is in, and whether it is in a row at all.
    each: Each | None = None
    is_new: bool = False

    @property
    def name(self) -> str:
        """The name of its field in a form."""
        return value_name(self.path)

    @property
    def open_name(self) -> str:
        """The name of the field that says what is to be decided there."""
        return "-".join(("open", *self.path))

    @property
    def is_base(self) -> bool:
        """Whether it is for all ways of working."""
        return self.path[-1] == "base"

    @property
    def is_in_row(self) -> bool:
        """Whether it is a cell of a table."""
        return "rows" in self.path[1:2]

    @property
    def is_in_new_row(self) -> bool:
        """Whether it is a cell of the row that the form adds."""
        return self.is_in_row and self.path[2] == NEW

    @property
    def is_added(self) -> bool:
        """Whether its sentences follow the base."""
        return "added" in self.path[-2:]

    @property
    def has_value(self) -> bool:
        """Whether it can have a value: a person, a date or a number of theirs is never known."""
        return self.part.type not in FACTS or self.names_member

    @property
    def names_member(self) -> bool:
        """Whether it can name the person that its row is repeated for."""
        return self.part.type is FieldType.PERSON and self.each in ON_TEAM

    @property
    def may_be_open(self) -> bool:
        """Whether it can be to decide; in a text, people write the mark among the words."""
        return self.part.type not in WRITTEN | {FieldType.CONFIRM}


@dataclass(frozen=True, slots=True)
class RowPlaces:
    """A row of a table: what it is called, for whom it is, and its places."""

    key: str
    label: object
    modes: tuple[Mode, ...]
    each: Each | None
    places: tuple[TextValue, ...]
    is_new: bool = False
    # What it says first.
    beginning: str = ""


@dataclass(frozen=True, slots=True)
class FieldPlaces:
    """A field of an item: its places, or those of its rows."""

    field: TemplateField
    places: tuple[TextValue, ...] = ()
    rows: tuple[RowPlaces, ...] = ()

    @property
    def all_places(self) -> Iterator[TextValue]:
        """Every place, those in rows too."""
        yield from self.places
        for row in self.rows:
            yield from row.places


def places_of(item: Item, text: ItemText) -> tuple[FieldPlaces, ...]:
    """Return the places of an item's model text, field by field, with empty ones to add to."""
    return tuple(
        FieldPlaces(field, rows=tuple(rows_of(field, text.get(field.key))))
        if field.columns
        else FieldPlaces(
            field,
            (
                *in_cell((field.key,), field, text.get(field.key) or Cell()),
                *([new_place(field)] if may_vary(field) else ()),
            ),
        )
        for field in item.fields_of(AnswerScope.SHARED)
    )


def may_vary(field: TemplateField) -> bool:
    """Return whether a field can say something else for some ways of working."""
    return field.type not in FACTS | {FieldType.CONFIRM}


def new_place(field: TemplateField) -> TextValue:
    """Return the place in which another text for some ways of working is typed."""
    return TextValue((field.key, NEW), field, is_new=True)


def in_cell(path: Path, part: Part, cell: Cell, each: Each | None = None) -> Iterator[TextValue]:
    """Yield the places of a field or a cell that there are."""
    yield TextValue((*path, "base"), part, cell.base, each=each)
    for key, variant in cell.variants.items():
        yield TextValue((*path, "variants", key), part, variant.value, variant.modes, each)
    for key, added in cell.added.items():
        yield TextValue((*path, "added", key), part, added.text, added.modes, each)


def rows_of(field: TemplateField, own: FieldText | None) -> Iterator[RowPlaces]:
    """Yield the rows of a table: fixed ones, those of the text, and an empty one to add."""
    stored = dict(own.rows) if own else {}
    fixed = {row.key: row.label for row in field.rows.fixed} if field.rows else {}
    for key in [*fixed, *(key for key in stored if key not in fixed)]:
        row = stored.get(key)
        cells = row.cells if row else {}
        each = row.each if row else None
        yield RowPlaces(
            key,
            fixed.get(key) or _row_label(field, row),
            row.modes if row else (),
            each,
            tuple(
                place
                for column in field.columns
                if column.key != ADDED or key not in fixed  # a fixed row has its label
                for place in in_cell(
                    (field.key, "rows", key, column.key),
                    column,
                    cells.get(column.key) or Cell(),
                    each,
                )
            ),
            beginning=_beginning(field, row),
        )
    if not fixed or (field.rows is not None and field.rows.more):
        yield RowPlaces(
            NEW,
            _l("Add a row"),
            (),
            None,
            tuple(
                TextValue((field.key, "rows", NEW, column.key, "base"), column)
                for column in field.columns
            ),
            is_new=True,
        )


def _row_label(field: TemplateField, row: Row | None) -> object:
    """Return what a row without a label of its own is called: what it says it is, or for whom."""
    cells = row.cells if row else {}
    for key in (ADDED, *(column.key for column in field.columns if column.type in WRITTEN)):
        if key in cells and isinstance(cells[key].base, str):
            return cells[key].base
    return _l("A row")


def _beginning(field: TemplateField, row: Row | None) -> str:
    if row is None:
        return ""
    texts = (
        row.cells[column.key].base
        for column in field.columns
        if column.type in WRITTEN and column.key in row.cells and column.key != ADDED
    )
    return next((text for text in texts if isinstance(text, str)), "")


def value_name(path: Path) -> str:
    """Return the name of the field with a place's value."""
    return "-".join(("value", *path))


def modes_name(path: Path) -> str:
    """Return the name of the field in which ways of working are chosen."""
    return "-".join(("modes", *path))


def how_name(path: Path) -> str:
    """Return the name of the field that says whether a text follows or replaces the first."""
    return "-".join(("how", *path))


def each_name(path: Path) -> str:
    """Return the name of the field that says whom a row is repeated for."""
    return "-".join(("each", *path))
