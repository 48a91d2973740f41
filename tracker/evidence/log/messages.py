"""Emails with a checkpoint to keep, which say nothing of what was agreed."""

from flask_babel import gettext as _

from tracker.accounts.queries import Contact
from tracker.evidence.log.notes import Checkpoint
from tracker.mail import outbox
from tracker.mail.render import in_language, link_to, text


def anchor(person: Contact, checkpoint: Checkpoint) -> None:
    """Send a coordinator the latest checkpoint, to keep where this instance can't reach it."""
    with in_language(person.language):
        body = text(
            _(
                "This is a checkpoint: a short text, signed by this instance, "
                "that sums up everything recorded until then. Keep this email. "
                "With it you can later show anyone that none of it was changed. "
                "There's nothing else to do."
            ),
            checkpoint.text().strip(),
            name=person.name,
            address=link_to("evidence.checkpoint", size=checkpoint.size),
            says_all=True,
        )
        outbox.queue(person.email, person.language, "checkpoint", _("A checkpoint to keep"), body)
