"""Every component in every state on one page, for developers and for tests that read pages.

Available only in development and tests. Its texts are samples about invented people and
organisations, and are not translated.
"""

import datetime as dt

from flask import Blueprint, Flask, flash, render_template, request

from tracker.access.gate import public
from tracker.ui.fields import (
    ChoiceField,
    ChoicesField,
    CodeField,
    ConfirmField,
    DateField,
    EmailField,
    LineField,
    NumberField,
    Option,
    PasswordField,
    PhoneField,
    SelectOneField,
    TextField,
    TimeField,
)
from tracker.ui.filters import QueryForm
from tracker.ui.form_base import Form
from tracker.ui.paging import Page, asked_number, offset
from tracker.ui.rows import RowForm, Rows
from tracker.ui.validators import Optional, Required

blueprint = Blueprint("gallery", __name__)

PEOPLE = ("Ilena Dorvath", "Nadia Corvel", "Tomas Beridan", "Samira Okell", "Henrik Asante")


class CostRow(RowForm):
    """A row with few columns: shown as a table where there is room."""

    cost = LineField("Cost", [Required()])
    payer = SelectOneField(
        "Paid by",
        [Required()],
        choices=[Option("npm", "Office of the Advocate"), Option("od", "Open Door Legal Aid")],
    )
    rule = LineField("Rate or rule")


class PartyRow(RowForm):
    """A row with many columns: always shown as a block."""

    party = SelectOneField("Party", [Required()], choices=[Option("npm", "Office of the Advocate")])
    kind = SelectOneField("Kind of body", choices=[Option("npm", "NPM"), Option("cso", "CSO")])
    mandate = TextField("Mandate or legal base", description="The law and its section.")
    signatory = SelectOneField("Who may sign", choices=[Option(p, p) for p in PEOPLE])
    since = DateField("Since")
    clear = ConfirmField("The power was checked")


class UseRow(RowForm):
    """A fixed row."""

    decision = SelectOneField(
        "Decision",
        choices=[Option("yes", "With clearance"), Option("no", "Not allowed")],
    )
    person = SelectOneField("Cleared by", choices=[Option(p, p) for p in PEOPLE])
    days = NumberField("Days", unit="days", most=365)


class SampleForm(Form):
    """Every kind of field."""

    title = LineField("Title", [Required()])
    objective = TextField(
        "Objective",
        [Required("Enter what the cooperation is for")],
        description="Don't name or describe any person deprived of liberty.",
    )
    email = EmailField("Email address", [Required()])
    days = NumberField("Days until a reply", [Required()], unit="days", least=1, most=365)
    clears = SelectOneField("Who clears it", [Required()], choices=[Option(p, p) for p in PEOPLE])
    review = DateField("Date of review", [Required()])
    starts = TimeField("Time of meeting", [Optional()])
    phone = PhoneField("Telephone of the team lead", [Optional()])
    sensitive = ChoiceField(
        "Will a partner reach sensitive information?",
        [Required()],
        description="Whoever might come near it counts.",
        choices=[
            Option("certain", "Certain"),
            Option("possible", "Possible", hint="Counts as certain."),
            Option("none", "None", "Not offered: a joint visit is in scope.", disabled=True),
        ],
    )
    modes = ChoicesField(
        "Ways of working",
        [Required()],
        choices=[
            Option("VISIT", "Joint monitoring visit"),
            Option("INFO_F", "Formal exchange of information"),
            Option("PROJ", "Joint project", hint="With dates of its own."),
        ],
    )
    costs = Rows(CostRow, "Costs", [Required()], description="One row for each kind of cost.")
    parties = Rows(PartyRow, "Parties and mandates")
    uses = Rows(
        UseRow,
        "Uses of joint findings",
        given=(("cite", "Cite in advocacy"), ("litigate", "Use in litigation")),
    )
    read = ConfirmField("I have read revision 1", [Required()])


class ProofForm(Form):
    """Proof of identity below a sentence."""

    password = PasswordField("Password", [Required()])
    code = CodeField(
        "Six-digit code from your app",
        [Required()],
        description="A new code appears every 30 seconds.",
    )


class NarrowingForm(QueryForm):
    """A form that filters a list."""

    mode = SelectOneField(
        "Way of working",
        blank="Any",
        choices=[Option("VISIT", "Joint monitoring visit")],
    )
    since = DateField("In force on")


def register_gallery(app: Flask) -> None:
    """Register the gallery, in development and tests only."""
    if app.debug or app.testing:
        app.register_blueprint(blueprint)


@blueprint.route("/gallery", methods=["GET", "POST"])
@public
def show() -> str:
    """Show every component; a submitted form shows its problems."""
    form = SampleForm()
    sent = request.method == "POST"
    if sent and not form.changed_rows() and form.validate():
        flash("Position saved. The other parties have been told.", "success")
    number = asked_number()
    names = [f"C-2026-{n:04}" for n in range(1, 233)]
    start = offset(number)
    return render_template(
        "gallery.html",
        form=form,
        proof=ProofForm(None, prefix="proof-"),
        narrowing=NarrowingForm(),
        page=Page(names[start : start + 25], number, 25, len(names)),
        people=PEOPLE,
        moment_sample=dt.datetime(2026, 12, 11, 12, 2, tzinfo=dt.UTC),
    )
