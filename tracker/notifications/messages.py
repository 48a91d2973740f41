"""The email that lists notifications: their subjects, with a link for each."""

from collections.abc import Sequence
from typing import Protocol

from flask_babel import gettext as _
from flask_babel import ngettext

from tracker.mail import outbox, render
from tracker.notifications.models import Words

# How many notifications a digest lists; the page lists the others.
MOST_LISTED = 50
DIGEST = "digest"


class Reader(Protocol):
    """Somebody with an address, a name, and the language to write in."""

    @property
    def email(self) -> str:
        """The address."""

    @property
    def name(self) -> str:
        """The name."""

    @property
    def language(self) -> str:
        """The language."""


def digest(reader: Reader, notifications: Sequence[Words]) -> None:
    """Queue one email that lists notifications; those with the same words and link once."""
    different = dict.fromkeys((words.subject, words.path) for words in notifications)
    listed = list(different)[:MOST_LISTED]
    more = len(different) - len(listed)
    with render.in_language(reader.language):
        sentences = [
            _("This is new since your last summary:"),
            *(f"{subject}\n{render.link(path)}" for subject, path in listed),
        ]
        if more:
            sentences.append(
                ngettext(
                    "%(num)s more notification is in the list.",
                    "%(num)s more notifications are in the list.",
                    more,
                )
            )
        sentences.append(_("The list of all your notifications:"))
        outbox.queue(
            reader.email,
            reader.language,
            DIGEST,
            _("Summary of your notifications"),
            render.text(
                *sentences,
                name=reader.name,
                address=render.link_to("notifications.listed"),
            ),
        )
