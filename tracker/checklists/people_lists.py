"""Lists of people in the form of an answer: whom they offer, in which order, with what beside."""

from collections.abc import Collection, Iterator, Mapping
from functools import cached_property
from typing import Any, NamedTuple
from uuid import UUID

from flask_babel import lazy_gettext as _l
from flask_babel.speaklater import LazyString

from tracker.access.actor import Actor
from tracker.checklist_templates.schema import Column, Item, TemplateField
from tracker.checklists.beside import CLEARANCE_READER
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.rules import done_tests, nameable
from tracker.checklists.rules.values import as_id, names_in
from tracker.cooperations.people import Participant

ON_TEAM = _l("On the team")
OTHERS = _l("Not on the team")
WROTE = _l("wrote an answer in this checklist")


class ListedPerson(NamedTuple):
    """Somebody in a list: what it says, and under which heading, if it has headings."""

    user_id: UUID
    words: object
    group: object = ""


class PeopleLists:
    """The lists of one item's form; without an actor nothing is shown beside the names.

    In a visit's checklists the team comes first, and a field offers only those whom it can name.
    Whoever is named there already stays in its list, so that nothing is lost by saving the rest.
    """

    def __init__(self, loaded: LoadedChecklist, actor: Actor | None, item: Item) -> None:
        self.loaded = loaded
        self._actor = actor
        self._item = item

    def offer(
        self,
        field: TemplateField,
        part: TemplateField | Column,
        value: Any,
        *,
        row: int | None = None,
    ) -> list[ListedPerson]:
        """Return the list of a field or of a table's column; value is what the field holds.

        For a row that is a party's own, the list has the people who take part for that party.
        """
        around = self.loaded.surroundings
        circle = nameable.offered_circle(self._item, field)
        own = self._of_party(field, value, row)
        wrote = self._authors(field, part)
        named = {
            as_id(name)
            for number, where, name in names_in(field, value)
            if where == part and (row is None or number == row)
        }
        people = [
            person
            for person in self.loaded.people.values()
            if person.user_id in named
            or (
                nameable.can_name(circle, person.user_id, around)
                and (own is None or person.user_id in own)
            )
        ]
        return list(self._grouped(people, wrote))

    def _authors(self, field: TemplateField, part: TemplateField | Column) -> Mapping[UUID, object]:
        """Return who can't be named as the second reader since they wrote an answer (M5)."""
        path = (field.key, None if part is field else part.key)
        if path not in done_tests.for_non_authors(self._item):
            return {}
        sheet = self.loaded.sheet
        if done_tests.is_alone(self.loaded.surroundings, sheet):
            return {}
        return dict.fromkeys(sheet.authors, WROTE)

    def _of_party(
        self, field: TemplateField, value: Any, row: int | None
    ) -> Collection[UUID] | None:
        """Return who takes part for the party whose row it is; None if it is no such row."""
        if row is None or self._item.party_table is None:
            return None
        table, column = self._item.party_table
        party = value[row].get(column) if table == field.key else None
        return self.of_party(party) if party else None

    @property
    def party_table(self) -> tuple[str, str] | None:
        """The item's table with a row for each party, and its column of parties."""
        return self._item.party_table

    def of_party(self, party: object) -> Collection[UUID]:
        """Return who takes part for a party; nobody if no party is named."""
        party_id = as_id(party)
        return self.loaded.surroundings.people_of.get(party_id, ()) if party_id else ()

    def _grouped(
        self, people: Collection[Participant], beside: Mapping[UUID, object]
    ) -> Iterator[ListedPerson]:
        team = self.loaded.surroundings.team or frozenset()
        members = [person for person in people if person.user_id in team]
        others = [person for person in people if person.user_id not in team]
        are_mixed = bool(members and others)
        for group, own in ((ON_TEAM, members), (OTHERS, others)):
            for person in own:
                words = LazyString(self._words, person, beside.get(person.user_id, ""))
                yield ListedPerson(person.user_id, words, group if are_mixed else "")

    def _words(self, person: Participant, beside: object) -> str:
        return name_and(person, beside or self._beside.get(person.user_id, ""))

    @cached_property
    def _beside(self) -> Mapping[UUID, object]:
        """What is shown beside the names: read only if a list is shown, of a visit's checklist."""
        loaded = self.loaded
        if self._actor is None or loaded.checklist.visit_id is None:
            return {}
        return CLEARANCE_READER.get()(
            self._actor,
            loaded.checklist.cooperation_id,
            loaded.people.values(),
            loaded.checklist.visit_id,
            loaded.surroundings.team or frozenset(),
        )


def name_and(person: Participant, beside: object) -> str:
    """Return somebody's name and organisation, and what is shown beside them."""
    whole = f"{person.name} ({person.organisation_name})"
    return f"{whole}: {beside}" if beside else whole
