"""Emails about signing on paper: neutral sentences and a link, never the content of a text."""

from collections.abc import Collection, Iterable
from uuid import UUID

from flask_babel import gettext as _

from tracker.accounts import queries as accounts
from tracker.mail.render import in_language, link_to
from tracker.notifications import service as notifications


def waits_to_be_confirmed(checklist_id: UUID, record_id: UUID, user_ids: Iterable[UUID]) -> None:
    """Tell people who may confirm it for another party that a scan is waiting for them."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            notifications.tell(
                person,
                "paper_recorded",
                _("A signature on paper needs confirming"),
                _(
                    "Another party recorded that a text was signed on paper. Compare the scan with "
                    "the text, then confirm it or refuse it."
                ),
                address=link_to("paper.show", checklist_id=checklist_id, record_id=record_id),
                about=record_id,
            )


def no_longer_waits(record_id: UUID, user_ids: Collection[UUID] | None = None) -> None:
    """Mark as read what asked some people, or everybody, to confirm a scan."""
    notifications.done(record_id, ("paper_recorded",), user_ids)


def was_confirmed(checklist_id: UUID, user_ids: Iterable[UUID]) -> None:
    """Tell the person who recorded a scan that another party confirmed it."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            notifications.tell(
                person,
                "paper_confirmed",
                _("A signature on paper was confirmed"),
                _("Another party confirmed a signature on paper that you recorded."),
                address=link_to("signing.record", checklist_id=checklist_id),
            )


def was_refused(checklist_id: UUID, user_ids: Iterable[UUID]) -> None:
    """Tell the person who recorded a scan that another party refused it."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            notifications.tell(
                person,
                "paper_refused",
                _("A signature on paper was refused"),
                _("Another party refused a signature on paper that you recorded, and says why."),
                address=link_to("signing.record", checklist_id=checklist_id),
            )
