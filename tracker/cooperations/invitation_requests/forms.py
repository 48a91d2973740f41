"""The forms that ask for a partner's first coordinator, and that answer."""

from flask_babel import lazy_gettext as _l

from tracker.cooperations.invitation_requests.service import MAX_REASON
from tracker.core.names import LENGTH
from tracker.ui.fields import EmailField, NameField, Option, SelectOneField, TextField
from tracker.ui.form_base import Form
from tracker.ui.locale import languages
from tracker.ui.validators import Required


def _language_options() -> list[Option]:
    return [Option(language.code, language.name) for language in languages()]


class RequestForm(Form):
    """The person who is proposed as a partner's first coordinator."""

    name = NameField(
        _l("Name of the person"),
        [Required(_l("Enter the name"))],
        most=LENGTH,
        description=_l("Ask the person first. They can correct it when they accept."),
    )
    email = EmailField(
        _l("Email address"), [Required(_l("Enter the email address"))], autocomplete="off"
    )
    language = SelectOneField(
        _l("Language of the invitation"), [Required()], choices=_language_options, blank=None
    )


class DeclineForm(Form):
    """Why a request is declined."""

    reason = TextField(
        _l("Reason"),
        [Required(_l("Say why"))],
        most=MAX_REASON,
        description=_l("All parties of the cooperation can read this. Don't name the person."),
    )
