"""Forms generated from an item's type, and small forms for positions, flags and signing.

In one file: all are on the pages of one item, and share their fields.
"""

import datetime as dt
from collections.abc import Mapping, Sequence
from typing import Any, cast
from uuid import UUID

from flask_babel import lazy_gettext as _l
from werkzeug.datastructures import MultiDict

from tracker.checklist_templates import to_decide
from tracker.checklist_templates.field_content import ROW
from tracker.checklist_templates.schema import NAMING, WRITTEN, Column, FieldType, TemplateField
from tracker.checklists.drafts import DraftValues
from tracker.checklists.labels import CLASSES, UNITS
from tracker.checklists.negotiation.discussions import OUTCOME_LENGTH
from tracker.checklists.people_lists import PeopleLists
from tracker.cooperations import outside_bodies
from tracker.ui.fields import (
    ChoiceField,
    ChoicesField,
    ConfirmField,
    DateField,
    HiddenValueField,
    LineField,
    NumberField,
    Option,
    PhoneField,
    SelectOneField,
    TextField,
    TimeField,
    VersionField,
)
from tracker.ui.form_base import Form
from tracker.ui.proof_fields import TOKEN_LENGTH, ProofFields, ShownFields
from tracker.ui.rows import RowForm, Rows
from tracker.ui.validators import Optional, Required

DUE_HINT = _l("The person is reminded once, on that day, unless it's done by then.")


class NumbersForm(ShownFields):
    """A form in whose empty fields telephone numbers from accounts can be filled in."""

    # Whether they were filled in after it was sent, so that it is shown again to be checked.
    has_new_numbers = False


class AnswerForm(NumbersForm):
    """What every answer's form has beside the item's own fields."""

    base_version = VersionField(default=0)


class OwnNumberForm(AnswerForm):
    """The same where people can give their own telephone number, which has its home elsewhere."""

    own_telephone = ConfirmField(
        _l("Save my own telephone number, as given here, in my account too"), [Optional()]
    )


class ProposalForm(NumbersForm):
    """Fields of every proposal's form besides the item's own."""

    base_version = VersionField(default=0)
    reason = TextField(
        _l("Reason for the change"), description=_l("The other parties read this."), most=2000
    )


class LeaveOutForm(ShownFields):
    """Why an item does not apply."""

    base_version = VersionField(default=0)
    reason = TextField(_l("Why does this not apply?"), [Required()], most=2000)


class ReasonForm(Form):
    """A reason as free text."""

    reason = TextField(_l("Reason"), [Required()], most=2000)


class ReasonOnTextForm(ShownFields, ReasonForm):
    """A reason for an act on the text that the page showed."""


class RowChoice(Form):
    """A choice of the whole answer or one row, where each party has a row of its own."""

    row_of = SelectOneField(_l("What do you want to discuss?"), blank=_l("All of the answer"))

    def offer(self, rows: Sequence[tuple[UUID, str]]) -> None:
        """Offer the rows of these parties; without any, the field isn't there."""
        if not rows:
            del self.row_of
            return
        self.row_of.choices = cast(
            "Any", [Option(str(party_id), _row_words(name)) for party_id, name in rows]
        )

    @property
    def chosen_row(self) -> UUID | None:
        """The party whose row was chosen, once the form is valid; None for the whole answer."""
        chosen = self["row_of"].data if "row_of" in self else None
        return UUID(chosen) if chosen else None


def _row_words(name: str) -> object:
    return _l("The row of %(party)s", party=name)


class SettleDiscussionForm(ShownFields):
    """What came of a discussion that the reader's party asked for, in a sentence."""

    outcome = LineField(
        _l("What was the outcome?"),
        [Required(_l("Say in a sentence what came of it"))],
        description=_l(
            "One sentence, such as “We keep two pages.” Everyone who can read the item sees it."
        ),
        most=OUTCOME_LENGTH,
        render_kw={"class": "wide"},
    )


class DiscussForm(ReasonOnTextForm, RowChoice):
    """What to discuss, and why."""


class FlagForm(ReasonForm, RowChoice):
    """Which term limits the NPM, and why, with the token of the item on the page."""

    row_of = SelectOneField(_l("What do you want to flag?"), blank=_l("All of the answer"))
    seen = HiddenValueField(most=TOKEN_LENGTH)


class ReviewForm(ShownFields):
    """The second reader's confirmation of the text on their page."""


class ReviewAloneForm(ReviewForm, ReasonForm):
    """The same if the NPM has nobody else: with the reason why."""


# Whom the page asks whether a phrase limits the NPM.
AS_READER, AS_AUTHOR = "reader", "author"


class HintForm(Form):
    """Whether a phrase limits the NPM, and why."""

    limits = ChoiceField(
        _l("Does this limit the NPM?"),
        [Required()],
        choices=[
            Option("no", _l("No"), _l("Say briefly why not.")),
            Option("yes", _l("Yes: flag it"), _l("Say how. The term is changed or explained.")),
        ],
    )
    reason = TextField(_l("Reason"), most=500)
    # Whether the page asked the second reader, or the side that wrote the words.
    asks = HiddenValueField(most=20)


class MoveForm(Form):
    """The version to which a checklist is upgraded, as the person saw it."""

    to = HiddenValueField()


class AssignForm(Form):
    """The person on the actor's own side to whom an item is assigned, and until when."""

    person = SelectOneField(_l("Who"), [Required()])
    due_on = DateField(_l("Due on"), [Optional()], description=DUE_HINT)
    # Who had it when the page was opened.
    seen = HiddenValueField(most=TOKEN_LENGTH)

    def offer(self, able: Mapping[UUID, str]) -> None:
        """Set the people on the actor's side who can work on the checklist."""
        self.person.choices = _people(able)


class AssignSectionForm(Form):
    """The person on the actor's own side to whom a section is assigned, and until when."""

    section = SelectOneField(_l("Section"), [Required()])
    person = SelectOneField(_l("Who"), [Required()])
    due_on = DateField(_l("Due on"), [Optional()], description=DUE_HINT)
    also_held = ConfirmField(_l("Include items that are already assigned"), [Optional()])
    seen = HiddenValueField(most=TOKEN_LENGTH)

    def offer(self, sections: Mapping[str, str], able: Mapping[UUID, str]) -> None:
        """Set the sections with items to assign, and the people who can work on the checklist."""
        self.section.choices = cast(
            "Any", [Option(key, section) for key, section in sections.items()]
        )
        self.person.choices = _people(able)


def _people(able: Mapping[UUID, str]) -> Any:
    return [Option(str(user_id), name) for user_id, name in able.items()]


class ModelForm(Form):
    """The title of a model answer, and when it suits; not its content."""

    title = LineField(_l("Title"), [Required()], most=200)
    note = TextField(
        _l("When should it be used?"),
        [Optional()],
        description=_l("Only people in your organisation see this. Don't write people's names."),
        most=2000,
    )


class KeepForm(ModelForm):
    """A new model answer, made from the answer that the person saw."""

    answer = HiddenValueField()


class RenameForm(ModelForm):
    """A new title or note for a model answer, with the version that the person saw."""

    base_version = VersionField(default=0)


class ProofForm(ProofFields):
    """A fresh proof of identity, on the signing form itself."""


def answer_form(
    form: type[Form],
    fields: tuple[TemplateField, ...],
    lists: PeopleLists,
    values: Mapping[str, Any],
    typed: DraftValues | None = None,
) -> Form:
    """Return a form for the fields of an answer; a submitted form fills itself.

    lists are those of the item's people. typed is what somebody typed earlier and did not save: the
    form then shows that.
    """
    members = {name_of(field): _field(field, lists, values.get(field.key)) for field in fields}
    form_class = type("ItemForm", (form,), members)
    if typed is not None:
        filled = as_typed(form_class, typed)
    else:
        data = {name_of(field): _to_form(field, values.get(field.key)) for field in fields}
        filled = form_class(data={k: v for k, v in data.items() if v is not None})
    _offer_own_people(filled, fields, lists)
    return filled


def _offer_own_people(form: Any, fields: tuple[TemplateField, ...], lists: PeopleLists) -> None:
    """Let each party's row offer only the people who take part for that party.

    Whoever is named in the row stays in its lists, so that a rule can say what is wrong.
    """
    if lists.party_table is None:
        return
    table, party_key = lists.party_table
    for field in (field for field in fields if field.key == table):
        party_name = next(name_of(column) for column in field.columns if column.key == party_key)
        people = [name_of(c) for c in field.columns if c.type is FieldType.PERSON]
        for row in form[name_of(field)].entries:
            own = {str(user_id) for user_id in lists.of_party(row.form[party_name].data)}
            for select in (row.form[name] for name in people if own):
                offered = {"", select.data, *own}
                select.choices = [who for who in select.choices if who.value in offered]


def as_typed(form: type[Form], typed: DraftValues) -> Form:
    """Return a form as somebody left it, with values that aren't validated and may be invalid."""
    return form(formdata=MultiDict(typed))


def values_of(form: Form, fields: tuple[TemplateField, ...]) -> dict[str, Any]:
    """Return the values in a form, as an answer stores them."""
    values = {}
    for field in fields:
        if field.type is FieldType.TABLE:
            rows = cast("Rows", form[name_of(field)]).filled
            values[field.key] = [_row(field, key, row) for key, row in rows]
        else:
            values[field.key] = _from_form(form[name_of(field)].data)
    return values


def items_form(codes: list[tuple[str, str]], question: object, reason: object) -> ShownFields:
    """Return a form with items and a reason: to decline, or to amend."""
    members = {
        "reason": TextField(reason, [Required()], most=2000),
        "items": ChoicesField(
            question, [Required()], choices=[Option(code, label) for code, label in codes]
        ),
    }
    return cast("ShownFields", type("ItemsForm", (ShownFields,), members)())


def copy_form(items: Sequence[tuple[str, str]], seen: str) -> Form:
    """Return a form that chooses items to copy, all preselected; seen is what the person saw."""
    members = {
        "seen": HiddenValueField(),
        "items": ChoicesField(
            _l("What to copy"),
            choices=[Option(code, label) for code, label in items],
        ),
    }
    form_class = type("CopyForm", (Form,), members)
    return cast("Form", form_class(data={"seen": seen, "items": [code for code, _label in items]}))


def name_of(field: TemplateField | Column) -> str:
    """Return a form's name for a field: its key, except for names that a form uses itself."""
    return f"{field.key}_" if hasattr(Form, field.key) or field.key == "meta" else field.key


def _field(field: TemplateField, lists: PeopleLists, value: Any) -> Any:
    validators = [] if field.required or field.required_when else [Optional()]
    settings: dict[str, Any] = {"description": _beside(field, value)}
    if field.type is FieldType.TABLE and field.rows is not None:
        row = type(
            "ItemRow",
            (RowForm,),
            {name_of(column): _column(column, field, lists, value) for column in field.columns},
        )
        return Rows(
            cast("type[RowForm]", row),
            field.label,
            validators,
            given=[(row.key, row.label) for row in field.rows.fixed],
            more=field.rows.more or not field.rows.fixed,
            most=field.rows.max,
            **settings,
        )
    if field.type is FieldType.CHOICE:
        settings["choices"] = [Option(o.value, o.label, o.hint or "") for o in field.options]
        return ChoiceField(field.label, validators, **settings)
    if field.type in {FieldType.CHOICES, FieldType.PERSONS}:
        settings["choices"] = _options(field, field, lists, value)
        return ChoicesField(field.label, validators, **settings)
    if field.type in OFFERING:
        settings["choices"] = _options(field, field, lists, value)
    return single_field(field, validators, settings)


def _beside(field: TemplateField, value: Any) -> object:
    """Return the text beside a field: its hint, and what is still to be decided there."""
    places = to_decide.open_places({field.key: value})
    return to_decide_words(
        field, " · ".join(dict.fromkeys(place.what for place in places if place.what))
    )


def to_decide_words(part: TemplateField | Column, what: str) -> object:
    """Return the hint of a field or column, with what is to be decided there."""
    what = what.rstrip(" .")
    if not what:
        return part.hint or ""
    if not part.hint:
        return _l("To decide: %(what)s.", what=what)
    return _l("%(hint)s To decide: %(what)s.", hint=part.hint, what=what)


def _column(column: Column, field: TemplateField, lists: PeopleLists, value: Any) -> Any:
    validators = [] if column.required or column.required_when else [Optional()]
    settings: dict[str, Any] = {"description": column.hint or ""}
    if column.type in OFFERING:
        settings["choices"] = _options(field, column, lists, value)
    return single_field(column, validators, settings)


def place_field(
    field: TemplateField,
    part: TemplateField | Column,
    lists: PeopleLists,
    value: Any,
    *,
    beside: object,
    label: object = "",
    row: int | None = None,
) -> Any:
    """Return the form's field for one place of an answer: a field, or a cell in a row of a table.

    value is what the field holds, beside the text beside it; label replaces its own.
    """
    settings: dict[str, Any] = {"description": beside}
    if part.type in {FieldType.CHOICE, FieldType.CHOICES, FieldType.PERSONS} | OFFERING:
        settings["choices"] = _options(field, part, lists, value, row=row)
    form_field: Any = (
        ChoicesField(part.label, [], **settings)
        if part.type in {FieldType.CHOICES, FieldType.PERSONS}
        else single_field(part, [], settings)
    )
    if label:
        form_field.args = (label, *form_field.args[1:])
    return form_field


def to_stored(value: Any) -> Any:
    """Return what a form's field holds as an answer stores it."""
    return _from_form(value)


def to_shown(part: TemplateField | Column, value: Any) -> Any:
    """Return a stored value as a form's field holds it."""
    return _to_form(part, value)


# Fields that offer a drop-down list.
OFFERING = NAMING | {FieldType.CLASS, FieldType.CHOICE}
PLAIN = {
    FieldType.CONFIRM: ConfirmField,
    FieldType.TEXT: TextField,
    FieldType.LINE: LineField,
    FieldType.DATE: DateField,
    FieldType.TIME: TimeField,
    FieldType.PHONE: PhoneField,
}


def single_field(
    field: TemplateField | Column,
    validators: list[Any],
    settings: dict[str, Any],
) -> Any:
    """Return the form's field for one value; settings are its description and its choices."""
    if field.type in PLAIN:
        return PLAIN[field.type](field.label, validators, **settings)
    if field.type is FieldType.NUMBER:
        return NumberField(
            field.label,
            validators,
            unit=UNITS.get(field.unit or "", ""),
            least=field.min if field.min is not None else 0,
            most=field.max if field.max is not None else 100_000,
            **settings,
        )
    return SelectOneField(field.label, validators, **settings)


def _options(
    field: TemplateField,
    part: TemplateField | Column,
    lists: PeopleLists,
    value: Any,
    *,
    row: int | None = None,
) -> list[Option]:
    """Return the choices of a field, or of a column of it; value is what the field holds."""
    loaded = lists.loaded
    match part.type:
        case FieldType.PERSON | FieldType.PERSONS:
            return [
                Option(str(user_id), words, group=group)
                for user_id, words, group in lists.offer(field, part, value, row=row)
            ]
        case FieldType.PARTY:
            return [Option(str(p.organisation_id), p.name) for p in loaded.surroundings.parties]
        case FieldType.BODY:
            parties = loaded.surroundings.parties
            return [
                *(Option(str(p.organisation_id), p.name) for p in parties),
                *(
                    Option(str(id_), name)
                    for id_, name in outside_bodies.offered(loaded.cooperation)
                ),
            ]
        case FieldType.CLASS:
            return [Option(code, label) for code, label in CLASSES.items()]
        case _:
            return [Option(o.value, o.label, o.hint or "") for o in part.options]


def _to_form(field: TemplateField | Column, value: Any) -> Any:
    if value is None:
        return None
    if isinstance(field, TemplateField) and field.type is FieldType.TABLE:
        return _rows_to_form(field, value)
    if field.type not in WRITTEN:  # in a text, people see the mark where it is
        value = to_decide.decided({field.key: value}).get(field.key)
    if value is None:
        return None
    if field.type is FieldType.DATE:
        return dt.date.fromisoformat(value)
    if field.type is FieldType.TIME:
        return dt.time.fromisoformat(value)
    return value


def _rows_to_form(field: TemplateField, rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Order stored rows as the form has them: fixed rows in their places, then free ones."""
    given = {row[ROW]: row for row in rows if ROW in row}
    ordered = [given.get(row.key, {}) for row in (field.rows.fixed if field.rows else ())]
    ordered += [row for row in rows if ROW not in row]
    return [
        {name_of(column): _to_form(column, row.get(column.key)) for column in field.columns}
        for row in ordered
    ]


def _row(field: TemplateField, key: str, row: Mapping[str, Any]) -> dict[str, Any]:
    cells = {column.key: _from_form(row.get(name_of(column))) for column in field.columns}
    filled_cells = {name: cell for name, cell in cells.items() if cell not in (None, "")}
    return {ROW: key, **filled_cells} if key else filled_cells


def _from_form(value: Any) -> Any:
    if isinstance(value, dt.date):
        return value.isoformat()
    if isinstance(value, dt.time):
        return value.strftime("%H:%M")
    return value
