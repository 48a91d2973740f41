"""View models of help: the list of pages, words on the spot, and the words of welcome."""

from dataclasses import dataclass

from flask import Flask, current_app

from tracker.help import texts
from tracker.help.rules import READERS
from tracker.organisations import queries as organisations
from tracker.ui import locale

# An instance of more NPMs doesn't say which: a list of them helps nobody to find theirs.
MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Line:
    """A page in the list, for one kind of reader."""

    name: str
    title: str
    lead: str
    is_own: bool


@dataclass(frozen=True, slots=True)
class Welcome:
    """What somebody without an account reads: whose instance this is, and whom to ask."""

    npm_names: tuple[str, ...]
    contact: str

    @property
    def named(self) -> str:
        """The names of the NPMs in a sentence; empty if there are none, or many."""
        return locale.listed(self.npm_names) if len(self.npm_names) <= MOST_NAMED else ""


def lines(own: str | None) -> list[Line]:
    """Return the pages of all readers in the current language; own is the reader's."""
    by_name = {name: texts.text(name, locale.language()) for name in READERS}
    return [Line(name, text.title, text.lead, name == own) for name, text in by_name.items()]


def word(key: str) -> texts.Section:
    """Return a word and its meaning in the current language."""
    return texts.meaning(key, locale.language())


def contact() -> str:
    """Return who answers questions about this instance, as its settings say."""
    answered_by: str = current_app.extensions["settings"].contact
    return answered_by


def welcome() -> Welcome:
    """Return what somebody without an account reads."""
    return Welcome(organisations.npm_names(MOST_NAMED + 1), contact())


def init_help(app: Flask) -> None:
    """Let every template explain words, and the sign-in page welcome people."""
    app.jinja_env.globals.update(help_word=word, help_welcome=welcome)
