"""The base of forms for a text that is sent, and its mistakes as they are shown."""

from dataclasses import dataclass
from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from tracker.authoring.guidance.service import FILE
from tracker.core.errors import RuleBrokenError
from tracker.core.mistakes import ContentError, Mistake, Quote, quote
from tracker.ui.form_base import Form, Problem
from tracker.ui.words import tidy_text

# How many mistakes are shown at a time, and how much of each message.
MOST_MISTAKES = 40
_LONGEST_MESSAGE = 300


@dataclass(frozen=True, slots=True)
class ShownMistake:
    """A mistake in a text that was sent, with its line."""

    number: int
    mistake: Mistake
    quote: Quote | None

    @property
    def anchor(self) -> str:
        """The id of its entry in the list of mistakes."""
        return f"mistake-{self.number}"

    @property
    def where(self) -> str:
        """The place in words."""
        mistake = self.mistake
        if self.quote is not None and self.quote.marked:
            return str(
                _("Line %(line)s, character %(column)s:", line=mistake.line, column=mistake.column)
            )
        return str(_("Line %(line)s:", line=mistake.line))

    @property
    def message(self) -> str:
        """What is wrong."""
        return self.mistake.message[:_LONGEST_MESSAGE]

    @property
    def in_one_line(self) -> str:
        """Line and message, for the list of problems at the top of the page."""
        return line_and_message(self.mistake)


class SentTextForm(Form):
    """A text that is uploaded as a file or typed."""

    def __init__(self, **kw: Any) -> None:
        super().__init__(**kw)
        self.mistakes: list[ShownMistake] = []
        # How many mistakes aren't shown.
        self.more_mistakes = 0
        self._count_words = ""
        self._text_of_file = ""

    def sent_text(self) -> str:
        """Return the file's text, or what was typed; raise RuleBrokenError if there is none.

        A file's text is put into the text field, so that it can be corrected there.
        """
        if "file" in self and self["file"].data:
            self["text"].data = self.file_text()
        text: str = self["text"].data or ""
        if not text:
            raise RuleBrokenError(
                _l("Choose a file, or paste the text."), "file" if "file" in self else "text"
            )
        return text + "\n"

    def file_text(self) -> str:
        """Return the text of the uploaded file; raise RuleBrokenError if it isn't text."""
        try:
            text: str = self["file"].data.read().decode("utf-8-sig")
        except UnicodeDecodeError as error:
            raise RuleBrokenError(
                _l("This file isn't UTF-8 text. Save it as UTF-8, then send it again."), "file"
            ) from error
        self._text_of_file = str(tidy_text(text))
        return self._text_of_file

    def refuse(self, error: RuleBrokenError | ContentError) -> None:
        """Show mistakes beside the text, each with its line and what to write instead."""
        if isinstance(error, RuleBrokenError):
            super().refuse(error)
            return
        count = len(error.mistakes)
        self.more_mistakes = max(0, count - MOST_MISTAKES)
        is_of_file = any(mistake.file == FILE for mistake in error.mistakes)
        lines = (self._text_of_file if is_of_file else self["text"].data or "").splitlines()
        self.mistakes = [
            ShownMistake(number, mistake, quote(lines, mistake))
            for number, mistake in enumerate(error.mistakes[:MOST_MISTAKES], start=1)
        ]
        self._count_words = ngettext(
            "%(num)s mistake in the text", "%(num)s mistakes in the text", count
        )
        field = self["file" if is_of_file else "text"]
        field.errors = [*field.errors, self._count_words]

    @property
    def summary_errors(self) -> list[Problem]:
        """Every problem; mistakes in the text are listed one by one, each a link to its line."""
        problems = [
            (anchor, message)
            for anchor, message in super().summary_errors
            if not self._count_words or self._count_words not in message
        ]
        problems += [(shown.anchor, shown.in_one_line) for shown in self.mistakes]
        if self.more_mistakes:
            problems.append(("text", _("and %(n)s more", n=self.more_mistakes)))
        return problems


def line_and_message(mistake: Mistake) -> str:
    """Return the line and the message of a mistake."""
    return str(
        _(
            "Line %(line)s: %(message)s",
            line=mistake.line,
            message=mistake.message[:_LONGEST_MESSAGE],
        )
    )
