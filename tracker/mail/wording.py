"""Messages that say whether a mail was sent or, without a mail server, only written."""

from flask import current_app
from flask_babel import gettext as _


def sends_mail() -> bool:
    """Return whether a mail server is set; otherwise messages become files, or are printed."""
    return bool(current_app.extensions["settings"].sends_mail)


def of_invitation(email: str) -> str:
    """Return what became of an invitation."""
    if sends_mail():
        return str(_("An invitation to %(email)s is on its way.", email=email))
    return str(
        _(
            "An invitation to %(email)s is written, but not sent: no mail server is set.",
            email=email,
        )
    )


def of_code(email: str) -> str:
    """Return what became of a mailed code."""
    if sends_mail():
        return str(_("A code is on its way to %(email)s.", email=email))
    return str(
        _("A code for %(email)s is written, but not sent: no mail server is set.", email=email)
    )


def of_reminder() -> str:
    """Return what became of a reminder to sign."""
    if sends_mail():
        return str(_("The reminder is on its way."))
    return str(_("The reminder is written, but not sent: no mail server is set."))


def of_test(email: str) -> str:
    """Return what became of a test email."""
    if sends_mail():
        return str(_("A test email to %(email)s is on its way.", email=email))
    return str(_("A test email to %(email)s has been written.", email=email))
