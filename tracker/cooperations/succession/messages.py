"""The email that says that another body has replaced a party."""

from collections.abc import Iterable
from uuid import UUID

from flask_babel import gettext as _

from tracker.accounts import queries as accounts
from tracker.mail.render import in_language, link_to
from tracker.notifications import service as notifications


def party_was_replaced(reference: str, user_ids: Iterable[UUID]) -> None:
    """Tell the coordinators of a cooperation, including those of the new party."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            sentence = _("In one of your cooperations, another body took the place of a party.")
            address = link_to("dashboard.cooperation", reference=reference)
            notifications.tell(
                person,
                "party_replaced",
                _("A party was replaced by another body"),
                sentence,
                address=address,
            )
