"""Form fields for a fresh proof of identity, on every form that signs."""

from typing import Any

from flask_babel import lazy_gettext as _l

from tracker.ui.fields import CodeField, HiddenValueField, PasswordField
from tracker.ui.form_base import Form
from tracker.ui.validators import RequiredWithout

ANSWER_LENGTH = 8000
TOKEN_LENGTH = 500


class ShownFields(Form):
    """The token of the page that the form was sent from; for actions on a text people read.

    It says when the page was opened, and which text it showed.
    """

    # The token of this opening of the page, and of the text it showed.
    page_token = HiddenValueField(most=TOKEN_LENGTH)


class ProofFields(ShownFields):
    """Password and one-time code, or a passkey's response. A form that signs inherits this."""

    password = PasswordField(
        _l("Password"), [RequiredWithout("passkey", _l("Enter your password"))]
    )
    code = CodeField(
        _l("Six-digit code from your app"),
        [RequiredWithout("passkey", _l("Enter the six-digit code"))],
        description=_l(
            "Each code works once. If you have just used one, wait up to 30 seconds for the next."
        ),
    )
    # Set by static/js/passkey.js.
    passkey = HiddenValueField(most=ANSWER_LENGTH)

    def ask_for(self, *, app: bool, passkey: bool) -> None:
        """Remove the fields for what the person doesn't have."""
        if passkey and not app:
            del self.password
            del self.code

    @property
    def given(self) -> dict[str, str]:
        """What was sent, by name; the view makes the proof from it."""
        return {
            name: (self[name].data or "") if name in self else ""
            for name in ("password", "code", "passkey")
        }

    @property
    def proof_fields(self) -> list[Any]:
        """The fields to fill in by hand, in order."""
        return [self[name] for name in ("password", "code") if name in self]
