"""The language of the words that the application itself writes into a text.

They become part of what is signed, so they aren't in the language of whoever opens the page.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from flask_babel import force_locale

from tracker.access.actor import OrganisationKind
from tracker.checklist_templates import library, translations
from tracker.checklists.loading import LoadedChecklist
from tracker.ui import locale


@contextmanager
def in_language_of(loaded: LoadedChecklist) -> Iterator[None]:
    """Translate what follows into the language of a checklist's text."""
    with force_locale(language_of_text(loaded)):
        yield


def language_of_text(loaded: LoadedChecklist) -> str:
    """Return the language that is binding unless another is chosen when the text is sent.

    The NPM's first one that the checklist is written in; otherwise the checklist's own.
    """
    own = library.parsed(loaded.checklist.template).language
    known = {language.code for language in locale.languages()}
    for party in loaded.surroundings.parties_of(OrganisationKind.NPM):
        for code in party.languages:
            if code == own or (
                code in known and code in translations.current(loaded.checklist.template_id)
            ):
                return code
    return own
