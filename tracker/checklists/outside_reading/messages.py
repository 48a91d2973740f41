"""Emails about outside second readers: a neutral sentence and a link."""

from uuid import UUID

from flask_babel import gettext as _

from tracker.accounts import queries as accounts
from tracker.mail.render import in_language, link_to
from tracker.notifications import service as notifications


def asked_to_read(reading_id: UUID, user_id: UUID) -> None:
    """Ask a person with an account to read a text."""
    for person in accounts.contacts([user_id]).values():
        with in_language(person.language):
            notifications.tell(
                person,
                "asked_to_read",
                _("You're asked to read a text"),
                _("You're asked to read a text as an outside second reader."),
                address=link_to("readings.show", reading_id=reading_id),
                about=reading_id,
            )


def no_longer_asked(reading_id: UUID) -> None:
    """Mark as read what asked a person to read a text."""
    notifications.done(reading_id, ("asked_to_read",))


def was_read(checklist_id: UUID, user_id: UUID) -> None:
    """Tell the person who asked that the outside reader has confirmed."""
    for person in accounts.contacts([user_id]).values():
        with in_language(person.language):
            notifications.tell(
                person,
                "outside_reading_confirmed",
                _("The outside second reader has read the text"),
                _("The outside second reader has confirmed. Sign in to see what to do next."),
                address=link_to("checklists.show", checklist_id=checklist_id),
            )


def ran_out(checklist_id: UUID, user_id: UUID) -> None:
    """Tell the person who asked that the last day has passed and nobody has confirmed."""
    for person in accounts.contacts([user_id]).values():
        with in_language(person.language):
            notifications.tell(
                person,
                "outside_reading_ran_out",
                _("The time for an outside second reader has run out"),
                _("An outside second reader didn't confirm by the last day. You can ask again."),
                address=link_to("readings.ask", checklist_id=checklist_id),
            )
