"""Form fields, each with browser hints, limits, and its own messages."""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, cast
from unicodedata import decimal

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_wtf.file import FileField as LibraryFileField
from markupsafe import Markup
from wtforms import fields as library
from wtforms import widgets
from wtforms.fields import SelectChoice  # type: ignore[attr-defined]  # stubs are of WTForms 3.2
from wtforms.validators import Email, ValidationError

from tracker.core import names
from tracker.ui.validators import ADDRESS_LENGTH, LINE_LENGTH, TEXT_LENGTH, MaxLength
from tracker.ui.words import bare, tidy_line

_DIGITS = re.compile(r"[+-]?\d{1,12}")
_PHONE = re.compile(r"[+0-9][0-9 ()/.\-]{2,38}")
_PHONE_DIGITS = range(3, 21)
FIRST_YEAR, LAST_YEAR = 1900, 2199


@dataclass(frozen=True, slots=True)
class Option:
    """One choice: the stored value, its label, a hint below, whether it is disabled.

    In a drop-down list, choices of the same group follow each other below its name.
    """

    value: str
    label: object
    hint: object = ""
    disabled: bool = False
    group: object = ""


class LineField(library.StringField):
    """One line of text."""

    ask = _l("Enter an answer")

    def __init__(
        self, label: Any = None, validators: Any = None, *, most: int = LINE_LENGTH, **kw: Any
    ) -> None:
        super().__init__(label, _limited(validators, most), **_attributes(kw, dir="auto"))


class NameField(LineField):
    """The name of a person or an organisation (core.names).

    A name that was stored before there was a rule can stay as it is.
    """

    def __init__(self, label: Any = None, validators: Any = None, **kw: Any) -> None:
        super().__init__(label, [*(validators or ()), _can_be_a_name], **kw)


class TextField(library.TextAreaField):
    """A text of several lines."""

    ask = _l("Enter an answer")

    def __init__(
        self, label: Any = None, validators: Any = None, *, most: int = TEXT_LENGTH, **kw: Any
    ) -> None:
        super().__init__(label, _limited(validators, most), **_attributes(kw, dir="auto"))


class EmailField(library.EmailField):
    """An email address."""

    ask = _l("Enter an email address")

    def __init__(
        self,
        label: Any = None,
        validators: Any = None,
        *,
        autocomplete: str = "email",
        **kw: Any,
    ) -> None:
        checks = [*_limited(validators, ADDRESS_LENGTH), _email_when_filled]
        super().__init__(label, checks, **_attributes(kw, autocomplete=autocomplete, dir="ltr"))


class HiddenValueField(library.HiddenField):
    """A hidden value that the page or its script sets."""

    def __init__(self, *, most: int = LINE_LENGTH, **kw: Any) -> None:
        super().__init__(validators=[MaxLength(most)], **kw)


class FileField(LibraryFileField):
    """A file to upload."""

    ask = _l("Choose a file")


class PasswordField(library.PasswordField):
    """A password: never tidied, never shown again."""

    ask = _l("Enter your password")

    def __init__(
        self,
        label: Any = None,
        validators: Any = None,
        *,
        autocomplete: str = "current-password",
        **kw: Any,
    ) -> None:
        checks = _limited(validators, LINE_LENGTH)
        super().__init__(label, checks, **_attributes(kw, autocomplete=autocomplete))


class CodeField(library.StringField):
    """A one-time code of six digits; spaces are removed."""

    ask = _l("Enter the six-digit code")

    def __init__(self, label: Any = None, validators: Any = None, **kw: Any) -> None:
        look = _attributes(
            kw, inputmode="numeric", autocomplete="one-time-code", class_="short code-in", dir="ltr"
        )
        super().__init__(label, _limited(validators, 20), **look)

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Keep the digits and letters that were sent."""
        self.data = re.sub(r"[\s-]", "", str(valuelist[0])) if valuelist else None


class PhoneField(library.TelField):
    """A phone number as people write it: digits of any script, with spaces and brackets."""

    ask = _l("Enter a telephone number")

    def __init__(self, label: Any = None, validators: Any = None, **kw: Any) -> None:
        super().__init__(
            label,
            [*_limited(validators, 40), _phone_when_filled],
            **_attributes(kw, autocomplete="tel", class_="medium", dir="ltr"),
        )

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Keep the number, with its digits in ASCII."""
        typed = str(valuelist[0]) if valuelist else ""
        self.data = "".join(str(decimal(sign, sign)) for sign in typed)


class _PickerInput(widgets.Input):
    """An input with the browser's picker; of one line of text for what the picker can't show."""

    def __init__(self, kind: str) -> None:
        super().__init__(kind)
        self.validation_attrs = ["required", "max", "min", "step"]

    def __call__(self, field: Any, **kw: Any) -> Markup:
        """Return the element; what was typed and couldn't be read stays in it."""
        if field.data is None and _sent(field.raw_data):
            typed = tidy_line(str(field.raw_data[0]))[:LINE_LENGTH]
            return super().__call__(field, **kw, type="text", value=typed)
        return super().__call__(field, **kw)


class DateField(library.DateField):
    """A date; the browser shows its own picker."""

    ask = _l("Enter a date")
    widget = _PickerInput("date")

    def __init__(self, label: Any = None, validators: Any = None, **kw: Any) -> None:
        super().__init__(label, validators, **_attributes(kw, class_="short"))

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Parse a date in a plausible year; empty input is no date."""
        self.data = None
        if not _sent(valuelist):
            return
        try:
            super().process_formdata([str(valuelist[0]).strip()])
        except ValueError as error:
            raise ValueError(bare(_("Enter a date, such as 2027-01-15"))) from error
        day: dt.date | None = self.data
        if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
            self.data = None
            raise ValueError(bare(_("Enter a year from 1900 to 2199")))


class TimeField(library.TimeField):
    """A time of day, hours and minutes."""

    ask = _l("Enter a time")
    widget = _PickerInput("time")

    def __init__(self, label: Any = None, validators: Any = None, **kw: Any) -> None:
        super().__init__(label, validators, **_attributes(kw, class_="short"))

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Parse a time; empty input is no time."""
        self.data = None
        if not _sent(valuelist):
            return
        try:
            super().process_formdata([str(valuelist[0]).strip()])
        except ValueError as error:
            raise ValueError(bare(_("Enter a time, such as 14:30"))) from error


class NumberField(library.IntegerField):
    """A whole number with its unit; digits of any script are accepted."""

    ask = _l("Enter a number")
    widget = widgets.TextInput()

    def __init__(
        self,
        label: Any = None,
        validators: Any = None,
        *,
        unit: object = "",
        least: int = 0,
        most: int = 1_000_000,
        **kw: Any,
    ) -> None:
        super().__init__(label, validators, **_attributes(kw, inputmode="numeric", class_="short"))
        self.unit = unit
        self.least = least
        self.most = most

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Parse the number; empty input is no number."""
        self.data = None
        if not _sent(valuelist):
            return
        typed = re.sub(r"\s", "", str(valuelist[0]))
        if not _DIGITS.fullmatch(typed):
            raise ValueError(bare(_("Enter a whole number, such as 7")))
        if not self.least <= int(typed) <= self.most:
            words = _("Enter a number from %(min)s to %(max)s", min=self.least, max=self.most)
            raise ValueError(bare(words))
        self.data = int(typed)


class _Offers(library.SelectField):
    """Common behaviour of choice fields: Option as choice, hints, nothing chosen is None.

    Whether something must be chosen is left to Required.
    """

    def __init__(
        self,
        label: Any = None,
        validators: Any = None,
        *,
        coerce: Callable[[Any], Any] = str,
        choices: Iterable[Option] | Callable[[], Iterable[Option]] | None = None,
        not_offered: object = _l("Choose one of the answers offered"),
        **kw: Any,
    ) -> None:
        self.not_offered = not_offered
        offered: Any = choices if choices is None or callable(choices) else list(choices)
        super().__init__(
            label,
            validators,
            coerce=lambda value: None if value in (None, "") else coerce(value),
            choices=offered,
            **kw,
        )

    @property
    def hints(self) -> dict[str, object]:
        """The hint below each choice, by its value."""
        return {option.value: option.hint for option in self._options() if option.hint}

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Parse what was chosen; invalid input counts as not offered."""
        try:
            super().process_formdata(valuelist)
        except ValueError as error:
            raise ValueError(bare(self.not_offered)) from error

    def pre_validate(self, _form: Any) -> None:
        """Refuse a value that was not offered, or is disabled."""
        if self.process_errors or self.data is None:
            return
        chosen = self.data if isinstance(self.data, list) else [self.data]
        offered = {self.coerce(option.value) for option in self._options() if not option.disabled}
        if not offered.issuperset(chosen):
            raise ValidationError(bare(self.not_offered))

    def _options(self) -> list[Option]:
        return cast("list[Option]", self.choices or [])

    def _choices_from_input(self, choices: Sequence[Any] | None) -> list[Any]:
        return [
            SelectChoice(
                option.value,
                option.label,
                optgroup=option.group or None,
                render_kw={"disabled": True} if option.disabled else {},
            )
            for option in choices or ()
        ]


class ChoiceField(_Offers, library.RadioField):
    """One of a few choices, each on its own line."""

    ask = _l("Choose one answer")


class SelectOneField(_Offers, library.SelectField):
    """One of many choices, in a drop-down list with an empty first line."""

    ask = _l("Choose one from the list")

    def __init__(
        self, label: Any = None, validators: Any = None, *, blank: object = _l("Choose"), **kw: Any
    ) -> None:
        super().__init__(label, validators, **kw)
        self.blank = blank

    def _choices_from_input(self, choices: Sequence[Any] | None) -> list[Any]:
        first = [] if self.blank is None else [SelectChoice("", self.blank)]
        return first + super()._choices_from_input(choices)


class ChoicesField(_Offers, library.SelectMultipleField):
    """Any number of choices, each with its own checkbox."""

    ask = _l("Choose at least one answer")
    widget = widgets.ListWidget(prefix_label=False)
    option_widget = widgets.CheckboxInput()

    def __init__(self, label: Any = None, validators: Any = None, **kw: Any) -> None:
        super().__init__(label, validators, **kw)
        self.label.field_id = ""


class ConfirmField(library.BooleanField):
    """A checkbox with the sentence that is confirmed."""

    ask = _l("Tick the box to confirm")


class SearchField(library.SearchField):
    """Keywords of a search."""

    ask = _l("Enter a word to search for")


class VersionField(library.Field):
    """The version a person saw when the form opened; invalid input counts as an old one."""

    widget = widgets.HiddenInput()

    def process_formdata(self, valuelist: list[Any]) -> None:
        """Parse the number, or None."""
        typed = str(valuelist[0]) if valuelist else ""
        self.data = int(typed) if _DIGITS.fullmatch(typed) else None

    def _value(self) -> str:
        return "" if self.data is None else str(self.data)


def _limited(validators: Any, most: int) -> list[Any]:
    return [MaxLength(most), *(validators or ())]


def _attributes(kw: dict[str, Any], **given: str) -> dict[str, Any]:
    """Return a field's keywords with default attributes of its element added."""
    return {**kw, "render_kw": {**given, **(kw.get("render_kw") or {})}}


def _sent(valuelist: list[Any]) -> bool:
    return bool(valuelist) and bool(str(valuelist[0]).strip())


def _email_when_filled(form: Any, field: Any) -> None:
    if field.data:
        Email(bare(_("Enter an email address, such as name@example.org")))(form, field)


def _can_be_a_name(_form: Any, field: Any) -> None:
    problem = names.problem_of(field.data or "")
    if problem is not None and field.data != field.object_data:
        raise ValidationError(bare(names.PROBLEMS[problem]))


def _phone_when_filled(_form: Any, field: Any) -> None:
    typed = field.data or ""
    digits = sum(character.isdecimal() for character in typed)
    if typed and not (_PHONE.fullmatch(typed) and digits in _PHONE_DIGITS):
        raise ValidationError(bare(_("Enter a telephone number, such as +356 2122 0000")))
