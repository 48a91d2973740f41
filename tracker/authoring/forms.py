"""The forms of checklists and guidance that are written here."""

from typing import Any

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext
from flask_wtf.file import FileField

from tracker.authoring.service import MAX_TEXT
from tracker.core.content import ContentError
from tracker.core.errors import RuleBrokenError
from tracker.ui.fields import TextField, VersionField
from tracker.ui.form_base import Form
from tracker.ui.validators import Optional, Required
from tracker.ui.words import tidy_text

# How many mistakes are told at once.
MOST_MISTAKES = 40


class SentTextForm(Form):
    """A text that is sent as a file or typed."""

    def __init__(self, **kw: Any) -> None:
        super().__init__(**kw)
        self.mistakes: list[str] = []

    def sent_text(self) -> str:
        """Return the file's text, or what was typed; raise RuleBrokenError when there is none.

        What came as a file stands in the text from then on, so that it can be mended there.
        """
        file = self["file"].data if "file" in self else None
        if file:
            try:
                text = file.read().decode("utf-8-sig")
            except UnicodeDecodeError as error:
                raise RuleBrokenError(
                    _l("This file isn't UTF-8 text. Save it as UTF-8, then send it again."), "file"
                ) from error
            self["text"].data = tidy_text(text)
        found: str = self["text"].data or ""
        if not found:
            raise RuleBrokenError(
                _l("Choose a file, or paste the text."), "file" if "file" in self else "text"
            )
        return found + "\n"

    def tell(self, error: ContentError, field: str = "text") -> None:
        """Put mistakes beside the text, each with its line; the page lists them there."""
        self.mistakes = [
            _("Line %(line)s: %(message)s", line=one.line, message=one.message[:300])
            for one in error.mistakes[:MOST_MISTAKES]
        ]
        count = len(error.mistakes)
        if count > MOST_MISTAKES:
            self.mistakes.append(_("and %(n)s more", n=count - MOST_MISTAKES))
        words = ngettext("%(num)s mistake in the text", "%(num)s mistakes in the text", count)
        self[field].errors = [*self[field].errors, words]


class UploadForm(SentTextForm):
    """A changed checklist."""

    file = FileField(_l("File"), description=_l("A checklist in YAML, as it was downloaded."))
    text = TextField(
        _l("Or its text"),
        [Optional()],
        most=MAX_TEXT,
        render_kw={"dir": "ltr", "class": "source", "spellcheck": "false"},
    )


class WordsForm(SentTextForm):
    """The words of a version in a language, on those that were seen."""

    file = FileField(_l("File"), description=_l("Words in YAML, as they were downloaded."))
    text = TextField(
        _l("Or its text"),
        [Optional()],
        most=MAX_TEXT,
        render_kw={"dir": "auto", "class": "source", "spellcheck": "false"},
    )
    reason = TextField(
        _l("Reason"),
        [Required()],
        most=2000,
        description=_l("It stands in the trail of the instance."),
    )
    version = VersionField()


class DraftForm(SentTextForm):
    """The text of a draft, to be changed."""

    text = TextField(
        _l("Text"),
        [Required()],
        most=MAX_TEXT,
        render_kw={"dir": "ltr", "class": "source", "spellcheck": "false"},
    )
    version = VersionField()


class PublishForm(Form):
    """Why a version is published, on the draft that was seen."""

    reason = TextField(
        _l("Reason"),
        [Required()],
        most=2000,
        description=_l("It stands in the trail of the instance."),
    )
    version = VersionField()


class RetireForm(Form):
    """Why a version is offered no longer."""

    reason = TextField(
        _l("Reason"),
        [Required()],
        most=2000,
        description=_l("It stands in the trail of the instance."),
    )
