"""Emails about the parties of a cooperation: a neutral sentence and a link."""

from collections.abc import Mapping
from uuid import UUID

from flask_babel import gettext as _

from tracker.accounts import queries as accounts
from tracker.mail import outbox
from tracker.mail.render import in_language, link_to, text


def power_by_administrator(references: Mapping[UUID, str]) -> None:
    """Tell partners, each with a cooperation, that an administrator confirmed a power."""
    for person in accounts.contacts(references).values():
        with in_language(person.language):
            body = text(
                _(
                    "An administrator confirmed who signs or decides for a partner of yours. The "
                    "partner had no other signatory or manager to confirm it. Make sure with the "
                    "partner that this is right."
                ),
                name=person.name,
                address=link_to("dashboard.cooperation", reference=references[person.user_id]),
            )
            outbox.queue(
                person.email,
                person.language,
                "power_by_administrator",
                _("Who signs for a partner was confirmed by an administrator"),
                body,
            )
