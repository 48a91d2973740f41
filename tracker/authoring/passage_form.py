"""Forms for one passage of an article, of the guidance or of an organisation's own.

What both kinds of article have in common: title and text, and where a new passage goes.
"""

from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext as _l

from tracker.authoring.guidance import article_validation
from tracker.authoring.passages.splicing import PassageWords
from tracker.authoring.sent_text import SentTextForm
from tracker.ui.fields import LineField, Option, SelectOneField, TextField, VersionField
from tracker.ui.validators import Optional, Required


class PassageTextForm(SentTextForm):
    """The title and the text of one passage; nobody types its key or its items."""

    title = LineField(_l("Title"), [Required(_l("Enter a title"))], render_kw={"class": "wide"})
    text = TextField(
        _l("Text in Markdown"),
        [Required(_l("Enter the text"))],
        most=article_validation.MAX_TEXT,
        description=_l("A heading inside the passage begins with ###."),
        render_kw={"class": "prose", "rows": 14},
    )
    version = VersionField()

    def words(self) -> PassageWords:
        """Return what was written."""
        return PassageWords(self["title"].data or "", self["text"].data or "")


class NewPassageTextForm(PassageTextForm):
    """A new passage, and the one after which it goes."""

    after = SelectOneField(_l("Place"), [Optional()], blank=_l("At the beginning"))

    def __init__(self, places: Iterable[Option], **kw: Any) -> None:
        super().__init__(**kw)
        self["after"].choices = list(places)
