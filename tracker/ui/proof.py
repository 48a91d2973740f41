"""Form fields for a fresh proof of identity, on every form that signs."""

from typing import Any

from flask_babel import lazy_gettext as _l

from tracker.ui.fields import CodeField, HiddenValueField, PasswordField
from tracker.ui.form_base import Form
from tracker.ui.validators import RequiredWithout

ANSWER_LENGTH = 8000
TOKEN_LENGTH = 500


class ShownFields(Form):
    """What stood on the page that the form was sent from; for who acts on a text they read."""

    # Which opening of this very page, and which text it showed.
    page_token = HiddenValueField(most=TOKEN_LENGTH)


class ProofFields(ShownFields):
    """Password and one-time code, or what a passkey answered. A form that signs inherits this."""

    password = PasswordField(
        _l("Password"), [RequiredWithout("passkey", _l("Enter your password"))]
    )
    code = CodeField(
        _l("Six-digit code from your app"),
        [RequiredWithout("passkey", _l("Enter the six-digit code"))],
        description=_l("A new code appears every 30 seconds. Each code works once."),
    )
    # Put in by static/js/passkey.js.
    passkey = HiddenValueField(most=ANSWER_LENGTH)

    def ask_for(self, *, app: bool, passkey: bool) -> None:
        """Leave out what the person has not, who has only a passkey."""
        if passkey and not app:
            del self.password
            del self.code

    @property
    def given(self) -> dict[str, str]:
        """What was sent, by name; the page makes the proof of it."""
        return {
            name: (self[name].data or "") if name in self else ""
            for name in ("password", "code", "passkey")
        }

    @property
    def proof_fields(self) -> list[Any]:
        """The fields to fill in by hand, in order."""
        return [self[name] for name in ("password", "code") if name in self]
