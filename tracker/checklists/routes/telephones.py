"""Telephone numbers from people's accounts, as the beginning of fields that ask for them.

A number has its home in the account of its person. It is taken for a field directly after one that
names a person, in the same row if that is in a table, as long as the field is empty. Nothing is
saved: whoever saves the answer has seen it, and what is agreed stays when somebody's number changes
(docs/adr/0107).
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast
from uuid import UUID

from flask import request

from tracker.access.actor import Actor
from tracker.accounts.people import telephones
from tracker.checklist_templates import to_decide
from tracker.checklist_templates.field_content import has_content
from tracker.checklist_templates.schema import Column, FieldType, Item, TemplateField
from tracker.checklists.editing import Writing
from tracker.checklists.forms import AnswerForm, NumbersForm, OwnNumberForm, name_of
from tracker.checklists.people_lists import PeopleLists
from tracker.checklists.rules.nameable import phone_pairs
from tracker.checklists.rules.values import as_id
from tracker.ui.form_base import Form
from tracker.ui.rows import Rows

# Sent by a page on which numbers were filled in.
SHOWN = "numbers_shown"

Part = TemplateField | Column


@dataclass(frozen=True, slots=True)
class _NumberField:
    """A field for a number: its cells, its key there, and the person whose number it is."""

    cells: dict[str, Any]
    key: str
    person: UUID

    @property
    def is_empty(self) -> bool:
        value = self.cells.get(self.key)
        return not has_content(value) or to_decide.is_mark(value)


class Numbers:
    """The numbers of one item's form: only of people whom its lists offer to the reader.

    In an answer with a row for each party, only the row of the reader's own party is filled in.
    """

    def __init__(
        self, item: Item, fields: Sequence[TemplateField], lists: PeopleLists, actor: Actor
    ) -> None:
        self._fields = fields
        self._lists = lists
        self._actor = actor
        self._party_table = item.party_table

    @property
    def form_class(self) -> type[AnswerForm]:
        """The form of an answer: another one if the reader's own number can be given there."""
        own = self._actor.user_id
        can_be_own = any(
            own in self._offered(field or person, person)
            for field, parts in self._parts()
            for _phone, person in phone_pairs(parts)
        )
        return OwnNumberForm if can_be_own else AnswerForm

    def begin(self, values: Mapping[str, Any], writing: Writing) -> Mapping[str, Any]:
        """Return the values that a form begins with, with known numbers in its empty fields.

        Without them if it is sent, or shows what the person typed earlier.
        """
        if request.method != "GET" or writing.typed is not None:
            return values
        begun = dict(values)
        for field, _parts in self._parts():
            if field is not None and begun.get(field.key):
                begun[field.key] = [dict(row) for row in begun[field.key]]
        filled = self._fill(self._number_fields(begun))
        return begun if filled else values

    def fill(self, form: Form) -> bool:
        """Put known numbers into a valid form's empty fields, to be checked before it is saved.

        Return whether there were any. It happens once, so that they can be deleted again.
        """
        if SHOWN in request.form:
            return False
        cells = self._typed(form)
        if not self._fill(self._number_fields(cells)):
            return False
        for field, parts in self._parts():
            for number, row in enumerate([cells] if field is None else cells.get(field.key, ())):
                around = form if field is None else _rows(form, field)[number].form
                for phone, _person in phone_pairs(parts):
                    if phone.key in row:
                        around[name_of(phone)].data = row[phone.key]
        cast("NumbersForm", form).has_new_numbers = True
        return True

    def keep_own(self, form: Form) -> None:
        """Store in the reader's account what a form gives as their own number, if they want it."""
        if "own_telephone" not in form or not form["own_telephone"].data:
            return
        places = self._number_fields(self._typed(form))
        own = [place for place in places if place.person == self._actor.user_id]
        given = [str(place.cells[place.key]) for place in own if not place.is_empty]
        telephones.keep(self._actor, given)

    def _parts(self) -> Iterator[tuple[TemplateField | None, Sequence[Part]]]:
        """Yield the fields of the answer, then each table with its columns."""
        yield None, self._fields
        for field in self._fields:
            if field.type is FieldType.TABLE:
                yield field, field.columns

    def _typed(self, form: Form) -> dict[str, Any]:
        """Return what is in a form, with a row for each that it shows, blank ones too."""
        cells: dict[str, Any] = {}
        for field in self._fields:
            if name_of(field) not in form:
                continue
            if field.type is FieldType.TABLE:
                cells[field.key] = [
                    {column.key: row.form[name_of(column)].data for column in field.columns}
                    for row in _rows(form, field)
                ]
            else:
                cells[field.key] = form[name_of(field)].data
        return cells

    def _number_fields(self, values: dict[str, Any]) -> Iterator[_NumberField]:
        for field, parts in self._parts():
            rows = [values] if field is None else values.get(field.key) or ()
            for phone, person in phone_pairs(parts):
                offered = self._offered(field or person, person)
                for row in rows:
                    named = as_id(row.get(person.key))
                    if named in offered and self._is_own(field, row):
                        yield _NumberField(row, phone.key, named)

    def _is_own(self, field: TemplateField | None, row: Mapping[str, Any]) -> bool:
        """Return whether a row is none of another party's."""
        if field is None or self._party_table is None or field.key != self._party_table[0]:
            return True
        return str(row.get(self._party_table[1])) == str(self._actor.organisation_id)

    def _offered(self, field: Part, person: Part) -> frozenset[UUID]:
        listed = self._lists.offer(cast("TemplateField", field), person, None)
        return frozenset(entry.user_id for entry in listed)

    def _fill(self, places: Iterator[_NumberField]) -> bool:
        empty = [place for place in places if place.is_empty]
        numbers = telephones.numbers_of({place.person for place in empty})
        for place in empty:
            if place.person in numbers:
                place.cells[place.key] = numbers[place.person]
        return any(place.person in numbers for place in empty)


def _rows(form: Form, field: TemplateField) -> Any:
    return cast("Rows", form[name_of(field)]).entries
