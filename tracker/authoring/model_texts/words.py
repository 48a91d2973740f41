"""What an item's model text says in words, place by place, to show and to compare. Pure."""

from dataclasses import dataclass

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from tracker.authoring.model_texts.places import Path, RowPlaces, TextValue, places_of
from tracker.checklist_templates import to_decide
from tracker.checklist_templates.schema import NAMING_BODIES, FieldType, Item
from tracker.checklists.labels import CLASSES
from tracker.checklists.model_texts.in_use import ItemText
from tracker.checklists.model_texts.schema import OWN, THE_MODES, THE_NPM, Open
from tracker.cooperations.modes import MODE_LABELS

NAMED_WORDS: dict[str, object] = {
    THE_NPM: _l("The NPM"),
    OWN: _l("The party that the row is for"),
}
THE_PERSON = _l("The person that the row is for")
THE_MODES_WORDS = _l("The cooperation's ways of working")


@dataclass(frozen=True, slots=True)
class PlaceWords:
    """What a place says, in words: of which field, where in it, and its value."""

    name: object
    where: str
    words: str


def in_words(item: Item, text: ItemText, language: str) -> dict[Path, PlaceWords]:
    """Return what a model text says in each place that isn't empty, to compare two texts."""
    places: dict[Path, PlaceWords] = {}
    for field in places_of(item, text):
        for place in field.places:
            if place.before is not None:
                places[place.path] = PlaceWords(
                    field.field.label, modes_words(place), _value_words(place, language)
                )
        for row in field.rows:
            for place in row.places:
                if place.before is not None:
                    where = [str(row.label), str(place.part.label), modes_words(place)]
                    places[place.path] = PlaceWords(
                        field.field.label,
                        " · ".join(part for part in where if part),
                        _value_words(place, language),
                    )
    return places


def modes_words(place: TextValue | RowPlaces) -> str:
    """Return the ways of working that a place or a row is for; empty for all."""
    return " · ".join(str(MODE_LABELS[mode]) for mode in place.modes)


def _value_words(place: TextValue, language: str) -> str:
    value = place.before
    if isinstance(value, Open):
        return to_decide.mark(value.to_decide, language)
    if isinstance(value, bool):
        return str(_("Ticked") if value else _("Not ticked"))
    if isinstance(value, tuple):
        return "\n".join(_choice_words(place, choice) for choice in value)
    return _choice_words(place, str(value))


def _choice_words(place: TextValue, value: str) -> str:
    part = place.part
    if part.type is FieldType.CHOICES and value == THE_MODES:
        return str(THE_MODES_WORDS)
    if part.type in NAMING_BODIES:
        return str(NAMED_WORDS[value])
    if part.type is FieldType.PERSON:
        return str(THE_PERSON)
    if part.type is FieldType.CLASS:
        return str(CLASSES.get(value, value))
    label: str = next((option.label for option in part.options if option.value == value), value)
    return label
