"""The base class of all forms: tidies input, sets limits, lists problems."""

from collections.abc import Iterator
from typing import Any

from flask import g, has_request_context, request
from flask_babel import gettext as _
from flask_wtf import FlaskForm
from wtforms import FieldList, FormField, StringField, TextAreaField
from wtforms import PasswordField as LibraryPasswordField
from wtforms.csrf.core import CSRFTokenField
from wtforms.widgets import ListWidget

from tracker.access import page_organisation
from tracker.access.page_tokens import OtherOrganisationError
from tracker.core.csrf import MaskedFormCSRF
from tracker.core.errors import RuleBrokenError
from tracker.core.mistakes import ContentError
from tracker.ui.locale import with_commas
from tracker.ui.validators import LINE_LENGTH, TEXT_LENGTH, MaxLength, is_blank
from tracker.ui.words import BareMessage, tidy_line, tidy_text

Problem = tuple[str, str]

# Fields that the page fills in, not the person.
_FILLED_IN_BY_PAGE = frozenset(
    {"CSRFTokenField", "HiddenField", "HiddenValueField", "VersionField"}
)
_SENTENCE_ENDS = ("?", ".", "؟")


class Form(FlaskForm):
    """A form whose texts are tidied and limited, whichever field class is used."""

    # Whether the person was refused what the form is for; see ui.perform.require_for.
    is_refused = False

    def __init__(self, *args: Any, **kw: Any) -> None:
        super().__init__(*args, **kw)
        if has_request_context() and request.method == "POST":
            sent_forms().append(self)

    class Meta(FlaskForm.Meta):
        """How fields are bound: tidied and limited, with masked tokens."""

        csrf_class = MaskedFormCSRF

        def get_translations(self, _form: Any) -> None:
            """Don't translate WTForms' messages: our fields and validators have their own."""

        def bind_field(self, form: Any, unbound_field: Any, options: dict[str, Any]) -> Any:
            """Bind a field; tidy its text, and set a limit if the form sets none."""
            kind = unbound_field.field_class
            if issubclass(kind, CSRFTokenField):
                return unbound_field.bind(form=form, **options)
            if issubclass(kind, StringField) and not issubclass(kind, LibraryPasswordField):
                tidy = tidy_text if issubclass(kind, TextAreaField) else tidy_line
                own = unbound_field.kwargs.get("filters", ())
                options = {**options, "filters": (tidy, *own)}
            field = unbound_field.bind(form=form, **options)
            if isinstance(field, StringField) and not _has_limit(field):
                limit = TEXT_LENGTH if isinstance(field, TextAreaField) else LINE_LENGTH
                field.validators = [MaxLength(limit), *field.validators]
            return field

    @property
    def summary_errors(self) -> list[Problem]:
        """Every problem as (id of the element to link to, message), including nested fields.

        A problem of the form as a whole has no id.
        """
        whole = [("", str(message)) for message in self.form_errors]
        return [*whole, *_problems(self)]

    def refuse(self, error: RuleBrokenError | ContentError) -> None:
        """Add the message of a broken rule to its field, or above the form if it names none.

        Mistakes in a text that the form doesn't contain are shown above it too.
        """
        if isinstance(error, ContentError):
            self.form_errors.extend(mistake.message for mistake in error.mistakes)
            return
        field = self._named(error.field) if error.field else None
        if field is None or isinstance(field, FormField):
            self.form_errors.append(str(error))
        else:
            field.errors = [*field.errors, str(error)]

    def validate_on_submit(self, extra_validators: Any = None) -> bool:
        """Return whether the form was submitted to be saved, not to add a row, and is valid.

        An invalid form also says so if its page was opened for another organisation, since its view
        then doesn't get to compare what the page showed.
        """
        if self.changed_rows():
            return False
        if not self.is_refused and super().validate_on_submit(extra_validators):
            return True
        if self.is_submitted() and page_organisation.is_from_another():
            self.refuse(OtherOrganisationError())
        return False

    @property
    def has_words(self) -> bool:
        """Whether anything was typed into the form."""
        return any(not is_blank(field) for field in self if field.type not in _FILLED_IN_BY_PAGE)

    def changed_rows(self) -> bool:
        """Add or remove the row that a button asked for; return whether one was pressed.

        The page then shows the form again; nothing is validated or saved.
        """
        for name in ("add_row", "remove_row"):
            row_action = request.form.get(name)
            if row_action is not None:
                for field in self:
                    change = getattr(field, name, None)
                    if change is not None:
                        change(row_action)
                return True
        return False

    @property
    def has_rows(self) -> bool:
        """Whether a table's buttons could be pressed instead of the form's own."""
        return any(isinstance(field, FieldList) for field in self)

    def _named(self, name: str) -> Any:
        return next(
            (field for field in _leaves(self) if name in {field.name, field.short_name}), None
        )


def sent_forms() -> list[Form]:
    """Return the forms that were made for a POST; those inside others come first."""
    forms: list[Form] = g.setdefault("sent_forms", [])
    return forms


def _has_limit(field: StringField) -> bool:
    return any(getattr(validator, "max", -1) not in (-1, None) for validator in field.validators)


def _leaves(fields: Any) -> Iterator[Any]:
    for field in fields:
        yield field
        if isinstance(field, FormField | FieldList):
            yield from _leaves(field)


def fields_with_places(fields: Any, place: str = "") -> Iterator[tuple[Any, str]]:
    """Yield every field, nested ones too, with its place: its table and row, or nothing.

    A table comes after its rows; a form within the form is left out, but not its fields.
    """
    for field in fields:
        if isinstance(field, FieldList):
            for number, entry in enumerate(field, 1):
                name = getattr(entry, "row_label", "") or _("row %(number)s", number=number)
                yield from fields_with_places([entry], with_commas((field.label.text, name, "")))
            yield field, place
        elif isinstance(field, FormField):
            yield from fields_with_places(field, place)
        else:
            yield field, place


def _problems(form: Form) -> Iterator[Problem]:
    for field, place in fields_with_places(form):
        if isinstance(field, FieldList):
            own = [message for message in field.errors if isinstance(message, str)]
            yield from ((field.id, _with_label(message, field, place)) for message in own)
        else:
            yield from (
                (anchor(field), _with_label(message, field, place)) for message in field.errors
            )


def anchor(field: Any) -> str:
    """Return the id of the element to focus when a problem's link is followed."""
    is_group = isinstance(field.widget, ListWidget) and getattr(field, "choices", None)
    return f"{field.id}-0" if is_group else str(field.id)


def _with_label(message: str, field: Any, place: str) -> str:
    if isinstance(message, BareMessage) or place:
        label = str(field.label.text)
        return f"{place}{label}{' ' if label.endswith(_SENTENCE_ENDS) else ': '}{message}"
    return str(message)
