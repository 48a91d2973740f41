"""The form for one item's model text, made of the fields that the item itself has."""

import datetime as dt
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, cast

from flask_babel import lazy_gettext as _l

from tracker.authoring.checklists.service import MAX_REASON
from tracker.authoring.model_texts.faults import FaultsError
from tracker.authoring.model_texts.places import (
    EACH_WORDS,
    FieldPlaces,
    RowPlaces,
    TextValue,
    each_name,
    how_name,
    modes_name,
    value_name,
)
from tracker.authoring.model_texts.typed_text import AFTER, INSTEAD
from tracker.authoring.model_texts.words import (
    NAMED_WORDS,
    THE_MODES_WORDS,
    THE_PERSON,
    modes_words,
)
from tracker.authoring.previewed import PreviewedForm
from tracker.checklist_templates import to_decide
from tracker.checklist_templates.schema import WRITTEN, FieldType
from tracker.checklists.forms import OFFERING, single_field
from tracker.checklists.labels import CLASSES
from tracker.checklists.model_texts.schema import OWN, THE_MODES, THE_NPM, Open
from tracker.cooperations.models import Mode
from tracker.cooperations.modes import MODE_LABELS
from tracker.core.errors import RuleBrokenError
from tracker.core.mistakes import ContentError
from tracker.ui.fields import (
    ChoiceField,
    ChoicesField,
    LineField,
    Option,
    SelectOneField,
    TextField,
    VersionField,
)

# As long as what is to be decided may be (model_texts/schema.py).
MAX_OPEN = 200


class ModelTextForm(PreviewedForm):
    """One item's model text, and the revision that was seen."""

    # Required for publishing a text, not for its preview.
    reason = TextField(
        _l("Reason"),
        most=MAX_REASON,
        description=_l("It's shown beside the revision and recorded in the instance's trail."),
        render_kw={"rows": 3},
    )
    version = VersionField()

    def refuse(self, error: RuleBrokenError | ContentError) -> None:
        """Show each fault beside the field it's about, or above the form."""
        if not isinstance(error, FaultsError):
            super().refuse(error)
            return
        for fault in error.faults:
            name = value_name((fault.field, "base"))
            if name in self:
                self[name].errors = [*self[name].errors, fault.words]
            else:
                self.form_errors.append(fault.in_full)


def form_for(fields: Sequence[FieldPlaces], language: str, *, version: int) -> ModelTextForm:
    """Return a form with a field for each place of an item; a submitted form fills itself."""
    members = dict(_members(fields))
    data = {name: value for name, value in _data(fields, language) if value is not None}
    form_class = type("ModelTextFormOf", (ModelTextForm,), members)
    return cast("ModelTextForm", form_class(data=data | {"version": version}))


def _members(fields: Sequence[FieldPlaces]) -> Iterator[tuple[str, Any]]:
    for field in fields:
        for place in field.all_places:
            if place.has_value:
                yield place.name, _value_field(place)
            if place.may_be_open:
                yield place.open_name, _open_field(place)
            if place.is_new:
                yield from _for_new_text(place)
        for row in field.rows:
            if row.is_new:
                path = (field.field.key, "rows", row.key)
                yield (
                    modes_name(path),
                    _modes_field(_l("For which ways of working? Leave it empty for all.")),
                )
                yield (
                    each_name(path),
                    SelectOneField(
                        _l("Whom is it repeated for?"),
                        [],
                        choices=[Option(each.value, words) for each, words in EACH_WORDS.items()],
                        blank=_l("Nobody: it is there once"),
                    ),
                )


def _for_new_text(place: TextValue) -> Iterator[tuple[str, Any]]:
    yield modes_name(place.path), _modes_field(_l("For which ways of working?"))
    if place.part.type in WRITTEN:
        yield (
            how_name(place.path),
            ChoiceField(
                _l("Where does it go?"),
                [],
                choices=[
                    Option(AFTER, _l("After the text for all ways of working")),
                    Option(INSTEAD, _l("In place of it")),
                ],
                default=AFTER,
            ),
        )


def _modes_field(label: object) -> Any:
    return ChoicesField(
        label,
        [],
        choices=[Option(mode.value, MODE_LABELS[mode]) for mode in Mode],
    )


def label_of(place: TextValue) -> object:
    """Return the label of a place: its field's, and for which ways of working it is."""
    label = place.part.label
    if place.is_new:
        return _l("The other text") if place.part.type in WRITTEN else _l("The other answer")
    if place.is_base:
        return label
    modes = modes_words(place)
    if place.is_added:
        return _l("%(label)s, added for: %(modes)s", label=label, modes=modes)
    return _l("%(label)s, instead for: %(modes)s", label=label, modes=modes)


def _value_field(place: TextValue) -> Any:
    part = place.part
    settings: dict[str, Any] = {}
    if place.is_base and not place.is_in_row and part.hint:
        settings["description"] = part.hint
    if part.type is FieldType.CHOICES:
        return ChoicesField(label_of(place), [], choices=list(_choices(place)), **settings)
    if part.type in OFFERING:
        settings["choices"] = list(_choices(place))
        settings["blank"] = _l("No answer")
    elif part.type is FieldType.TEXT:
        settings["render_kw"] = {"rows": 3}
    return single_field(cast("Any", _Labelled(part, label_of(place))), [], settings)


def _choices(place: TextValue) -> Iterator[Option]:
    """Yield what can be chosen; a party or a person only as the one that the row is for."""
    part = place.part
    match part.type:
        case FieldType.PARTY | FieldType.BODY:
            named = (THE_NPM, OWN) if place.each or place.is_in_new_row else (THE_NPM,)
            yield from (Option(name, NAMED_WORDS[name]) for name in named)
        case FieldType.PERSON:
            yield Option(OWN, THE_PERSON)
        case FieldType.CLASS:
            yield from (Option(code, words) for code, words in CLASSES.items())
        case _:
            if {option.value for option in part.options} == {mode.value for mode in Mode}:
                yield Option(THE_MODES, THE_MODES_WORDS)
            yield from (Option(option.value, option.label) for option in part.options)


class _Labelled:
    """A field or a column under another label."""

    def __init__(self, part: Any, label: object) -> None:
        self._part = part
        self.label = label

    def __getattr__(self, name: str) -> Any:
        return getattr(self._part, name)


def _open_field(place: TextValue) -> Any:
    if place.has_value:
        label: object = _l("%(label)s: or what is to be decided", label=place.part.label)
        hint: object = _l("Instead of an answer: what only the parties can decide.")
    else:
        label = label_of(place)
        hint = _l("Always left to the parties: say what they decide.")
    return LineField(label, [], most=MAX_OPEN, description=hint, render_kw={"class": "wide"})


def _data(fields: Sequence[FieldPlaces], language: str) -> Iterator[tuple[str, Any]]:
    for field in fields:
        for place in field.all_places:
            value = place.before
            if isinstance(value, Open):
                if place.part.type in WRITTEN:
                    yield place.name, to_decide.mark(value.to_decide, language)
                else:
                    yield place.open_name, value.to_decide
            elif place.part.type is FieldType.CHOICES and value == THE_MODES:
                yield place.name, [THE_MODES]
            elif place.part.type is FieldType.TIME and isinstance(value, str):
                yield place.name, dt.time.fromisoformat(value)
            else:
                yield place.name, list(value) if isinstance(value, tuple) else value


def typed_in(form: ModelTextForm) -> Mapping[str, Any]:
    """Return what was typed, by the name of each field."""
    return {field.name: field.data for field in form}


def has_errors(form: ModelTextForm, row: RowPlaces) -> bool:
    """Return whether something in a row is wrong, so that the page opens it."""
    names = [name for place in row.places for name in (place.name, place.open_name)]
    return any(form[name].errors for name in names if name in form)
