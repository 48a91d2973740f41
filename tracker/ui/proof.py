"""The fields of a fresh proof of identity, for every form on which somebody signs."""

from flask_babel import lazy_gettext as _l

from tracker.ui.fields import CodeField, PasswordField
from tracker.ui.form_base import Form
from tracker.ui.validators import Required


class ProofFields(Form):
    """Password and one-time code. The form of a signing page inherits this."""

    password = PasswordField(_l("Password"), [Required(_l("Enter your password"))])
    code = CodeField(_l("Six-digit code from your app"), [Required(_l("Enter the six-digit code"))])
