"""The test email, in the language of the administrator who asked for it."""

from flask_babel import gettext as _

from tracker.accounts.messages import Addressee
from tracker.mail import outbox, render

# The kind of message, which the list of messages shows.
MAIL_TEST = "mail_test"


def mail_test(administrator: Addressee, token: str) -> None:
    """Send an administrator a link that only this email contains."""
    with render.in_language(administrator.language):
        outbox.withdraw_failed(MAIL_TEST, administrator.email)
        outbox.queue(
            administrator.email,
            administrator.language,
            MAIL_TEST,
            _("Test message"),
            render.text(
                _("This is a test message. Email from this instance arrives."),
                _("Open the link and confirm it, so that this step is done."),
                name=administrator.name,
                address=render.link_to("getting_started.mail_arrived", mail_token=token),
                says_all=True,
            ),
        )
