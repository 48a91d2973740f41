"""Forms for one passage of an organisation's own article."""

from collections.abc import Iterable
from typing import Any

from flask_babel import lazy_gettext as _l

from tracker.authoring.guidance import article_validation
from tracker.authoring.passages.splicing import PassageWords
from tracker.authoring.sent_text import SentTextForm
from tracker.ui.fields import LineField, Option, SelectOneField, TextField, VersionField
from tracker.ui.form_base import Form
from tracker.ui.validators import Optional, Required


class OwnPassageForm(SentTextForm):
    """One passage: its title and its text; its key and its items stay where nobody types them."""

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


class NewOwnPassageForm(OwnPassageForm):
    """A new passage, where it goes, and the checklist item beside which it's shown."""

    after = SelectOneField(_l("Place"), [Optional()], blank=_l("At the beginning"))
    item = SelectOneField(
        _l("Shown beside the item"),
        [Optional()],
        blank=_l("None"),
        description=_l(
            "Whoever fills in this item of a checklist then sees the passage beside it."
        ),
    )

    def __init__(self, places: Iterable[Option], items: Iterable[Option], **kw: Any) -> None:
        super().__init__(**kw)
        self["after"].choices = list(places)
        self._places = [place.value for place in self["after"].choices]
        self["item"].choices = list(items)

    def place(self) -> int:
        """Return the number of the passage it goes after; 0 puts it first.

        What the list doesn't offer, the form refuses.
        """
        chosen = self["after"].data
        return next((int(place) for place in self._places if place == chosen), 0)


class ArticleVersionForm(Form):
    """A button that changes the order of the passages, or removes one, on the version seen."""

    version = VersionField()
