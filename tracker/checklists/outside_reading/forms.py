"""Forms for outside second readers: whom to invite, and the proof of who confirms."""

from flask_babel import lazy_gettext as _l

from tracker.checklists.outside_reading.policy import MOST_DAYS
from tracker.ui.fields import (
    DateField,
    EmailField,
    LineField,
    NameField,
    Option,
    SelectOneField,
    TextField,
)
from tracker.ui.form_base import Form
from tracker.ui.locale import languages
from tracker.ui.proof_fields import ProofFields
from tracker.ui.validators import Required


def _language_options() -> list[Option]:
    return [Option(language.code, language.name) for language in languages()]


class ReaderForm(Form):
    """Whom to invite, until when, and why the NPM has nobody else."""

    name = NameField(_l("Name"), [Required(_l("Enter the name"))], most=200)
    function = LineField(
        _l("Organisation or function"),
        [Required()],
        most=200,
        description=_l("For example: Professor of public law, University of Norvald."),
    )
    email = EmailField(
        _l("Email address"), [Required(_l("Enter the email address"))], autocomplete="off"
    )
    language = SelectOneField(
        _l("Language of the invitation"), [Required()], choices=_language_options, blank=None
    )
    until_on = DateField(
        _l("Last day"),
        [Required()],
        description=_l("Within the next %(num)s days, the last day included.", num=MOST_DAYS),
    )
    reason = TextField(
        _l("Why has the NPM nobody else?"),
        [Required()],
        most=2000,
        description=_l("Printed on the text with the reader's name and function."),
    )


class ConfirmForm(ProofFields):
    """Proof of identity on the form on which the outside reader confirms."""
