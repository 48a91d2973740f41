"""A form for the title and the text of one passage, of the guidance or of an own article."""

from flask_babel import lazy_gettext as _l

from tracker.authoring.guidance import article_validation
from tracker.authoring.passages.splicing import PassageWords
from tracker.authoring.sent_text import SentTextForm
from tracker.ui.fields import LineField, TextField, VersionField
from tracker.ui.validators import Required


class PassageTextForm(SentTextForm):
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
