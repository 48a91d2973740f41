"""Emails about the certificates that an instance keeps."""

import datetime as dt
from collections.abc import Iterable

from flask_babel import gettext as _

from tracker.accounts.queries import Contact
from tracker.mail import outbox
from tracker.mail.render import in_language, text
from tracker.ui.locale import as_date


def timestamps_end(people: Iterable[Contact], last: dt.date) -> None:
    """Tell administrators until when timestamps in certificates last, and how to renew them."""
    for person in people:
        with in_language(person.language):
            body = text(
                _(
                    "The timestamps in some certificates last until %(day)s. After that, other "
                    "programs may no longer accept these certificates.",
                    day=as_date(last),
                ),
                _(
                    "Before that day, ask the coordinators to download the certificates that are "
                    "still needed. Renew each with the command tracker evidence renew, and keep "
                    "both files. The operations guide describes this under Renew archive "
                    "timestamps."
                ),
                name=person.name,
            )
            subject = _("Renew the timestamps in certificates")
            outbox.queue(person.email, person.language, "timestamps_end", subject, body)
