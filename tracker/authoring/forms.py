"""Forms for checklists and guidance written in this instance."""

from collections.abc import Iterable, Mapping
from typing import Any, cast

from flask_babel import lazy_gettext as _l

from tracker.authoring.checklists.item_editing import ItemChange
from tracker.authoring.checklists.service import MAX_REASON, MAX_TEXT
from tracker.authoring.facts import ArticleWords
from tracker.authoring.guidance import article_validation
from tracker.authoring.sent_text import SentTextForm, line_and_message
from tracker.authoring.translations.item_texts import ItemText, TextPath
from tracker.checklist_templates.schema import Required as ItemRequired
from tracker.checklist_templates.strict import MAX_WORDS
from tracker.core.errors import RuleBrokenError
from tracker.core.localized import LocalizedStr
from tracker.core.mistakes import ContentError
from tracker.guidance.queries import Taxonomy
from tracker.ui.fields import (
    ChoiceField,
    ChoicesField,
    ConfirmField,
    FileField,
    HiddenValueField,
    LineField,
    Option,
    SelectOneField,
    TextField,
    VersionField,
)
from tracker.ui.form_base import Form
from tracker.ui.locale import languages
from tracker.ui.validators import Optional, Required
from tracker.ui.words import tidy_line, tidy_text

# How many characters a text may have to be translated in a field of one line.
SHORT = 60


class UploadForm(SentTextForm):
    """A changed checklist."""

    file = FileField(_l("File"), description=_l("A checklist in YAML, as it was downloaded."))
    text = TextField(
        _l("Or its text"),
        [Optional()],
        most=MAX_TEXT,
        render_kw={"dir": "ltr", "class": "source", "spellcheck": "false"},
    )


class ItemForm(Form):
    """One item of a checklist: its texts, and whether it is required."""

    label = LineField(_l("Name"), [Required(_l("Enter the name"))], render_kw={"class": "wide"})
    prompt = TextField(
        _l("Question"),
        [Required(_l("Enter the question"))],
        most=MAX_WORDS,
        render_kw={"rows": 3},
    )
    help = TextField(
        _l("How to answer"),
        [Optional()],
        most=MAX_WORDS,
        description=_l("Shown below the question. Leave it empty if the question says enough."),
        render_kw={"rows": 4},
    )
    required = ChoiceField(_l("Is it required?"), [Required()])
    version = VersionField()

    def __init__(self, offered: Iterable[Option], **kw: Any) -> None:
        super().__init__(**kw)
        self["required"].choices = list(offered)

    def change(self) -> ItemChange:
        """Return what was typed."""
        return ItemChange(
            label=self["label"].data or "",
            prompt=self["prompt"].data or "",
            help=self["help"].data or "",
            required=ItemRequired(self["required"].data),
        )

    def refuse(self, error: RuleBrokenError | ContentError) -> None:
        """Show what the whole checklist may not say as problems of the form."""
        if isinstance(error, ContentError):
            self.form_errors.extend(mistake.message for mistake in error.mistakes)
        else:
            super().refuse(error)


class WordsForm(SentTextForm):
    """The translation of a version, together with the one it replaces."""

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
        description=_l("It's recorded in the instance's trail."),
    )
    version = VersionField()


class ItemWordsForm(Form):
    """The translation of one item, together with the translation it replaces."""

    reason = TextField(
        _l("Reason"),
        [Required()],
        most=MAX_REASON,
        description=_l("It's recorded in the instance's trail."),
        render_kw={"rows": 3},
    )
    version = VersionField()

    def texts(self, texts: Iterable[ItemText]) -> dict[TextPath, str]:
        """Return what was typed, by the path of each text."""
        return {text.path: self[text.field_name].data or "" for text in texts}

    def refuse(self, error: RuleBrokenError | ContentError) -> None:
        """Show what a translation may not say as problems of the form."""
        if isinstance(error, ContentError):
            self.form_errors.extend(mistake.message for mistake in error.mistakes)
        else:
            super().refuse(error)


def item_words_form(
    texts: Iterable[ItemText], language: str, shown: Mapping[TextPath, str], *, version: int
) -> ItemWordsForm:
    """Return a form with a field for each text of an item; the original is its label."""
    members = {
        text.field_name: TextField(
            LocalizedStr(text.words, language),
            [Required(_l("Enter the translation"))],
            most=MAX_WORDS,
            description=text.name,
            render_kw={"rows": 2} if len(text.words) > SHORT else {"rows": 1, "class": "one-line"},
        )
        for text in texts
    }
    data: dict[str, Any] = {
        text.field_name: shown[text.path] for text in texts if text.path in shown
    }
    form_class = type("ItemWordsOf", (ItemWordsForm,), members)
    return cast("ItemWordsForm", form_class(data=data | {"version": version}))


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
    """Why a version is published, together with the draft that was seen."""

    reason = TextField(
        _l("Reason"),
        [Required()],
        most=2000,
        description=_l("It's recorded in the instance's trail."),
    )
    version = VersionField()

    def refuse(self, error: RuleBrokenError | ContentError) -> None:
        """Show mistakes in the draft above the form, each with its line."""
        if isinstance(error, ContentError):
            self.form_errors.extend(map(line_and_message, error.mistakes))
        else:
            super().refuse(error)


class RetireForm(Form):
    """Why a version is retired."""

    reason = TextField(
        _l("Reason"),
        [Required()],
        most=2000,
        description=_l("It's recorded in the instance's trail."),
    )


class ArticleForm(SentTextForm):
    """An article as its author writes it: its head, its place in the taxonomy, its text."""

    question = LineField(
        _l("Question it answers"),
        [Required(_l("Enter the question"))],
        most=article_validation.MAX_QUESTION,
        render_kw={"class": "wide"},
    )
    summary = TextField(
        _l("Summary"),
        [Required(_l("Enter a summary"))],
        most=article_validation.MAX_SUMMARY,
        render_kw={"rows": 3},
        description=_l("One or two sentences. They're shown below the question in the library."),
    )
    category = SelectOneField(_l("Category"), [Required()])
    topics = ChoicesField(_l("Topics"), [Required()])
    text = TextField(
        _l("Text in Markdown"),
        [Required(_l("Enter the text"))],
        most=article_validation.MAX_TEXT,
        render_kw={"class": "source prose"},
    )
    version = VersionField()
    # The digest of the text in the last preview.
    previewed = HiddenValueField()

    def __init__(self, taxonomy: Taxonomy, **kw: Any) -> None:
        super().__init__(**kw)
        self["category"].choices = _options(taxonomy.categories)
        self["topics"].choices = _options(taxonomy.topics)

    def words(self, before: ArticleWords | None = None) -> ArticleWords:
        """Return what was written; topics keep their previous order."""
        topics = tuple(self["topics"].data or ())
        return ArticleWords(
            question=self["question"].data or "",
            summary=self["summary"].data or "",
            category=self["category"].data or "",
            topics=article_validation.in_order(topics, before.topics if before else ()),
            body=self["text"].data or "",
        )

    def fill_in(self, words: ArticleWords) -> None:
        """Fill the form with an article, tidied as if it had been typed."""
        self["question"].data = tidy_line(words.question)
        self["summary"].data = tidy_text(words.summary)
        self["category"].data = words.category
        self["topics"].data = list(words.topics)
        self["text"].data = tidy_text(words.body)


class EditForm(ArticleForm):
    """An article of the guidance, edited."""

    file = FileField(
        _l("Or a changed file"),
        description=_l("The Markdown as it was downloaded. It replaces what is here."),
    )
    # Required for publishing a text, not for its preview.
    reason = TextField(
        _l("Reason"),
        most=MAX_REASON,
        description=_l("It's shown beside the revision and recorded in the instance's trail."),
        render_kw={"rows": 3},
    )


class OwnArticleForm(ArticleForm):
    """An article of an organisation's own."""

    summary = TextField(
        _l("Summary"),
        [Optional()],
        most=article_validation.MAX_SUMMARY,
        render_kw={"rows": 3},
        description=_l("One or two sentences. They're shown below the question in the library."),
    )
    language = ChoiceField(_l("Language"), [Required()])
    for_partners = ConfirmField(
        _l("Partner organisations may read it too"),
        description=_l(
            "Organisations you cooperate with find it in the library and beside the items it's "
            "paired with. If you don't tick this, only your organisation does."
        ),
    )

    def __init__(self, taxonomy: Taxonomy, **kw: Any) -> None:
        super().__init__(taxonomy, **kw)
        self["language"].choices = [
            Option(language.code, language.name) for language in languages()
        ]


class DecideForm(Form):
    """Why a shipped revision is used, or not used."""

    reason = TextField(
        _l("Reason"),
        [Required()],
        most=MAX_REASON,
        description=_l("It's shown beside the revision and recorded in the instance's trail."),
    )


def _options(names: Mapping[str, str]) -> list[Option]:
    return [Option(slug, name) for slug, name in names.items()]
