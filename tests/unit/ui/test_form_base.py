"""Forms tidy what was typed, refuse too much, and say in plain words what to do."""

import datetime as dt
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
from flask import get_template_attribute
from flask_wtf import FlaskForm
from wtforms import StringField, TextAreaField
from wtforms.i18n import DummyTranslations

from tracker.core.errors import RuleBrokenError
from tracker.ui.fields import (
    ChoiceField,
    ChoicesField,
    CodeField,
    ConfirmField,
    DateField,
    EmailField,
    FileField,
    HiddenValueField,
    LineField,
    NumberField,
    Option,
    PasswordField,
    PhoneField,
    SearchField,
    SelectOneField,
    TextField,
    TimeField,
    VersionField,
)
from tracker.ui.form_base import Form
from tracker.ui.validators import Optional, Required

InRequest = Callable[..., None]


class Terms(Form):
    title = LineField("Title", [Required()])
    objective = TextField("Objective", [Required("Enter what it is for")])
    days = NumberField("Days until a reply", [Optional()], unit="days", least=1, most=365)
    review = DateField("Date of review", [Optional()])
    sensitive = ChoiceField(
        "Will a partner reach sensitive information?",
        [Required()],
        choices=[Option("yes", "Yes"), Option("no", "No", disabled=True)],
    )


def sent(in_request: InRequest, kind: type[Form], **data: Any) -> Form:
    in_request(method="POST", data=data)
    form = kind()
    form.validate()
    return form


def field_of_form(in_request: InRequest, field: Any, *typed: str) -> Any:
    """Return a field of its own form, after something was typed into it and validated."""
    kind = type("One", (Form,), {"it": field})
    in_request(method="POST", data={"it": list(typed)})
    form = kind()
    form.validate()
    return form.it


def test_a_form_is_the_form_of_the_web_extension() -> None:
    assert issubclass(Form, FlaskForm)


def test_a_line_loses_outer_spaces_line_ends_and_hidden_characters(in_request: InRequest) -> None:
    form = sent(in_request, Terms, title="  Joint\r\n work\x00 on \u202ecustody\t here ")
    assert form.title.data == "Joint work on custody here"


def test_a_text_keeps_its_lines_with_one_kind_of_line_end(in_request: InRequest) -> None:
    form = sent(in_request, Terms, objective="\r\nOne\r\nTwo\rThree\x07\n")
    assert form.objective.data == "One\nTwo\nThree"


def test_letters_are_stored_in_one_form_however_they_were_typed(in_request: InRequest) -> None:
    assert field_of_form(in_request, LineField("Name"), "Rene\u0301").data == "René"


def test_a_password_is_left_as_it_was_typed(in_request: InRequest) -> None:
    assert (
        field_of_form(in_request, PasswordField("Password"), "  two  spaces ").data
        == "  two  spaces "
    )


@pytest.mark.parametrize("field", [StringField("It"), LineField("It")])
def test_a_line_has_a_limit_even_when_the_form_sets_none(in_request: InRequest, field: Any) -> None:
    assert field_of_form(in_request, field, "x" * 200).errors == []
    assert field_of_form(in_request, field, "x" * 201).errors == ["Use at most 200 characters"]


@pytest.mark.parametrize("field", [TextAreaField("It"), TextField("It")])
def test_a_text_has_a_limit_even_when_the_form_sets_none(in_request: InRequest, field: Any) -> None:
    assert field_of_form(in_request, field, "x" * 5000).errors == []
    assert field_of_form(in_request, field, "x" * 5001).errors == ["Use at most 5000 characters"]


def test_the_browser_is_not_told_the_limit_because_it_would_cut_silently(
    in_request: InRequest,
) -> None:
    assert "maxlength" not in field_of_form(in_request, LineField("It"), "x")()


def test_a_password_of_a_megabyte_is_refused_before_it_is_hashed(in_request: InRequest) -> None:
    assert field_of_form(in_request, PasswordField("It"), "x" * 10**6).errors == [
        "Use at most 200 characters"
    ]


def test_problems_are_listed_with_an_id_and_a_complete_message(
    in_request: InRequest,
) -> None:
    form = sent(in_request, Terms, days="soon", review="tomorrow")
    assert form.summary_errors == [
        ("title", "Title: Enter an answer"),
        ("objective", "Enter what it is for"),
        ("days", "Days until a reply: Enter a whole number, such as 7"),
        ("review", "Date of review: Enter a date, such as 2027-01-15"),
        ("sensitive-0", "Will a partner reach sensitive information? Choose one answer"),
    ]


def test_beside_its_field_a_message_does_not_repeat_the_label(in_request: InRequest) -> None:
    assert sent(in_request, Terms).title.errors == ["Enter an answer"]


def test_invalid_input_is_shown_again(in_request: InRequest) -> None:
    form = sent(in_request, Terms, days="soon", review="tomorrow")
    assert 'value="soon"' in form.days()
    assert 'value="tomorrow"' in form.review()


NOBODY = [Option("9a3f0a4e-7f0c-4ad5-a6f5-0d5c8b0b8a11", "Nobody")]
EVERY_FIELD: dict[str, Callable[[], Any]] = {
    "line": lambda: LineField("It", [Required()], most=5),
    "text": lambda: TextField("It", [Required()], most=5),
    "email": lambda: EmailField("It", [Required()]),
    "held": lambda: HiddenValueField(most=5),
    "password": lambda: PasswordField("It", [Required()]),
    "code": lambda: CodeField("It", [Required()]),
    "phone": lambda: PhoneField("It", [Required()]),
    "date": lambda: DateField("It", [Required()]),
    "time": lambda: TimeField("It", [Required()]),
    "number": lambda: NumberField("It", [Required()], most=5),
    "choice": lambda: ChoiceField("It", [Required()], coerce=UUID, choices=NOBODY),
    "list": lambda: SelectOneField("It", [Required()], coerce=UUID, choices=NOBODY),
    "choices": lambda: ChoicesField("It", [Required()], coerce=UUID, choices=NOBODY),
    "confirm": lambda: ConfirmField("It", [Required()]),
    "search": lambda: SearchField("It", [Required()]),
    "file": lambda: FileField("It", [Required()]),
}


@pytest.mark.parametrize("typed", [(), ("",), ("9" * 400,), ("x\x00 <b>",), (str(UUID(int=7)),)])
@pytest.mark.parametrize("kind", EVERY_FIELD)
def test_no_message_beside_a_field_is_the_librarys(
    in_request: InRequest, monkeypatch: pytest.MonkeyPatch, kind: str, typed: tuple[str, ...]
) -> None:
    monkeypatch.setattr(DummyTranslations, "gettext", lambda _self, _text: "of the library")
    monkeypatch.setattr(DummyTranslations, "ngettext", lambda _self, *_texts: "of the library")
    field = field_of_form(in_request, EVERY_FIELD[kind](), *typed)
    assert "of the library" not in field.errors
    assert field.errors or typed or kind == "held"


def test_a_field_that_asks_for_a_file_says_so(in_request: InRequest) -> None:
    assert field_of_form(in_request, FileField("It", [Required()])).errors == ["Choose a file"]


@pytest.mark.parametrize("kind", [ChoiceField, SelectOneField, ChoicesField])
def test_an_answer_that_can_not_be_read_was_not_offered(in_request: InRequest, kind: Any) -> None:
    field = field_of_form(in_request, kind("It", coerce=UUID, choices=NOBODY), "nobody")
    assert field.errors == ["Choose one of the answers offered"]


def test_an_empty_answer_among_several_was_not_offered(in_request: InRequest) -> None:
    field = field_of_form(in_request, ChoicesField("It", choices=OFFERED), "a", "")
    assert field.errors == ["Choose one of the answers offered"]


def test_a_broken_rule_is_shown_beside_its_field(in_request: InRequest) -> None:
    form = sent(in_request, Terms, title="T", objective="O", sensitive="yes")
    assert form.errors == {}
    form.refuse(RuleBrokenError("This title is taken.", field="title"))
    assert form.summary_errors == [("title", "This title is taken.")]


def test_a_broken_rule_without_a_field_is_shown_above_the_form(in_request: InRequest) -> None:
    form = sent(in_request, Terms, title="T", objective="O", sensitive="yes")
    form.refuse(RuleBrokenError("The terms are signed already."))
    form.refuse(RuleBrokenError("No such field.", field="elsewhere"))
    assert form.summary_errors == [("", "The terms are signed already."), ("", "No such field.")]
    assert form.errors


def test_an_answer_that_is_switched_off_is_refused(in_request: InRequest) -> None:
    form = sent(in_request, Terms, title="T", objective="O", sensitive="no")
    assert form.sensitive.errors == ["Choose one of the answers offered"]


OFFERED = [Option("a", "A", hint="The first"), Option("b", "B")]


@pytest.mark.parametrize("kind", [ChoiceField, SelectOneField, ChoicesField])
def test_an_answer_that_was_not_offered_is_refused(in_request: InRequest, kind: Any) -> None:
    field = field_of_form(in_request, kind("It", [Required()], choices=OFFERED), "c")
    assert field.errors == ["Choose one of the answers offered"]


@pytest.mark.parametrize("kind", [ChoiceField, SelectOneField])
def test_a_missing_answer_is_none_and_no_problem_unless_required(
    in_request: InRequest, kind: Any
) -> None:
    for typed in ((), ("",)):
        field = field_of_form(in_request, kind("It", choices=OFFERED), *typed)
        assert (field.data, list(field.errors)) == (None, [])
        assert field_of_form(in_request, kind("It", [Required()], choices=OFFERED), *typed).errors


def test_choices_can_be_numbers_behind_the_words(in_request: InRequest) -> None:
    offered = [Option("1", "One"), Option("2", "Two")]
    assert (
        field_of_form(in_request, SelectOneField("It", coerce=int, choices=offered), "2").data == 2
    )
    assert field_of_form(in_request, SelectOneField("It", coerce=int, choices=offered), "x").errors


def test_several_answers_come_as_a_list_and_hints_by_their_value(in_request: InRequest) -> None:
    field = field_of_form(in_request, ChoicesField("It", choices=OFFERED), "a", "b")
    assert (field.data, field.hints) == (["a", "b"], {"a": "The first"})


@pytest.mark.parametrize(
    ("typed", "expected"),
    [("7", 7), (" 1 200 ", 1200), ("\u0667\u0660", 70), ("0", 0), ("", None)],
)
def test_numbers_are_read_as_people_write_them(
    in_request: InRequest, typed: str, expected: int | None
) -> None:
    field = field_of_form(in_request, NumberField("It"), typed)
    assert (field.data, list(field.errors)) == (expected, [])


@pytest.mark.parametrize("typed", ["1_000", "7.5", "²", "9" * 5000, "-1", "1000001", "seven"])
def test_a_number_out_of_bounds_is_refused(in_request: InRequest, typed: str) -> None:
    field = field_of_form(in_request, NumberField("It"), typed)
    assert field.data is None
    assert len(field.errors) == 1


def test_zero_is_an_answer(in_request: InRequest) -> None:
    assert field_of_form(in_request, NumberField("It", [Required()]), "0").errors == []


def test_a_number_field_states_its_bounds(in_request: InRequest) -> None:
    field = field_of_form(in_request, NumberField("It", least=1, most=365), "400")
    assert field.errors == ["Enter a number from 1 to 365"]


@pytest.mark.parametrize(
    ("typed", "message"),
    [
        ("2027-02-30", "Enter a date, such as 2027-01-15"),
        ("0001-01-01", "Enter a year from 1900 to 2199"),
        ("15.01.2027", "Enter a date, such as 2027-01-15"),
    ],
)
def test_a_date_that_can_not_be_is_refused(in_request: InRequest, typed: str, message: str) -> None:
    field = field_of_form(in_request, DateField("It"), typed)
    assert (field.data, field.errors) == (None, [message])


def test_dates_and_times_are_read(in_request: InRequest) -> None:
    assert field_of_form(in_request, DateField("It"), "2027-01-15").data == dt.date(2027, 1, 15)
    assert field_of_form(in_request, TimeField("It"), "14:30").data == dt.time(14, 30)
    assert field_of_form(in_request, TimeField("It"), "25:00").errors == [
        "Enter a time, such as 14:30"
    ]


def test_a_code_is_read_however_it_is_grouped(in_request: InRequest) -> None:
    field = field_of_form(in_request, CodeField("It"), " 418 203 ")
    assert field.data == "418203"
    assert 'autocomplete="one-time-code"' in field()
    assert 'inputmode="numeric"' in field()


@pytest.mark.parametrize("typed", ["112", "+356 2122-0000", "022 (555) 010/7"])
def test_phone_numbers_are_accepted_as_written(in_request: InRequest, typed: str) -> None:
    field = field_of_form(in_request, PhoneField("It"), typed)
    assert (field.data, field.errors) == (typed, [])


def test_digits_of_a_phone_number_can_be_in_any_script(in_request: InRequest) -> None:
    assert field_of_form(in_request, PhoneField("It"), "+\u0662\u0660 112").data == "+20 112"


@pytest.mark.parametrize("typed", ["call me", "12", "+" + "1" * 30, "<b>112</b>"])
def test_an_invalid_phone_number_is_refused(in_request: InRequest, typed: str) -> None:
    assert field_of_form(in_request, PhoneField("It"), typed).errors


@pytest.mark.parametrize("typed", ["samira", "a@b", "a@b.example\nBcc: c@d.example", "a b@c.d"])
def test_an_invalid_email_address_is_refused(in_request: InRequest, typed: str) -> None:
    assert field_of_form(in_request, EmailField("It"), typed).errors == [
        "Enter an email address, such as name@example.org"
    ]


def test_a_valid_email_address_is_accepted(in_request: InRequest) -> None:
    assert field_of_form(in_request, EmailField("It"), " samira@opendoor.example ").errors == []


def test_a_confirmation_must_be_ticked(in_request: InRequest) -> None:
    assert field_of_form(in_request, ConfirmField("I agree", [Required()])).errors == [
        "Tick the box to confirm"
    ]
    assert field_of_form(in_request, ConfirmField("I agree", [Required()]), "y").data is True


@pytest.mark.parametrize(
    ("typed", "expected"), [("3", 3), ("", None), ("x", None), ("9" * 99, None)]
)
def test_a_version_that_can_not_be_read_counts_as_none(
    in_request: InRequest, typed: str, expected: int | None
) -> None:
    assert field_of_form(in_request, VersionField("It"), typed).data == expected


def test_each_problem_of_a_field_is_a_line_of_its_own(in_request: InRequest) -> None:
    """Sentences that end in a full stop, or in none, are never joined by one."""
    field = field_of_form(in_request, LineField("It"), "")
    field.errors = ["Enter a day.", "اختر يومًا"]
    error = get_template_attribute("components/error.html", "error")(field, "it-error")
    assert "Enter a day.<br>اختر يومًا</p>" in error
