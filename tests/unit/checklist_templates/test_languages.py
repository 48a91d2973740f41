"""Translations of a checklist: whether they fit, what is untranslated, what can be copied."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from tests.factories.templates import KINDS, a_column, a_field, a_table, a_template, an_item
from tests.factories.words import arabic_words, in_arabic
from tracker.checklist_templates import languages, library
from tracker.checklist_templates.languages import ChecklistWords, ItemWords
from tracker.checklist_templates.schema import Template
from tracker.core.localized import language_of
from tracker.core.paths import CONTENT
from tracker.settings import KNOWN_LANGUAGES

TABLE = a_table("places", a_column("kind", "choice", options=KINDS), a_column("note")) | {
    "rows": {"fixed": [{"key": "first", "label": "The first"}], "label": "Which"}
}
LIMITED = a_field(
    "notice",
    "number",
    limits=[
        {
            "key": "long",
            "above": 90,
            "powers": ["stop"],
            "because": "It is long.",
            "statement": "S7",
            "passage": "settling-terms/independence",
        }
    ],
)


def small() -> Template:
    """A checklist with every kind of text there is."""
    return a_template(
        an_item("M1", a_field(hint="Write it down."), help="Ask.", done={"look": "Check that."}),
        an_item("M2", TABLE),
        an_item("M3", a_field("kind", "choice", options=KINDS), LIMITED),
    )


def misfits(words: ChecklistWords, template: Template | None = None) -> list[str]:
    return [misfit.message for misfit in languages.misfits(words, template or small())]


def spoilt(change: Mapping[str, Any], code: str = "M1") -> ChecklistWords:
    """Return a complete translation with something changed in one item."""
    item = in_arabic(small().by_code[code]).model_dump(exclude_defaults=True)
    return arabic_words(small(), items={code: {**item, **change}})


def strings(model: Any) -> Iterator[tuple[str, str]]:
    """Yield the texts of a checklist or a part of it, each with its path."""
    for name in type(model).model_fields:
        value = getattr(model, name)
        for number, part in enumerate(value if isinstance(value, tuple) else [value]):
            if hasattr(part, "model_dump"):
                yield from ((f"{name}.{number}.{place}", words) for place, words in strings(part))
            elif language_of(part):
                yield f"{name}.{number}", part


# Whether a translation fits


def test_words_for_everything_fit() -> None:
    assert misfits(arabic_words(small())) == []


def test_an_item_may_have_no_words_at_all() -> None:
    words = arabic_words(small(), "M2")
    assert misfits(words) == []
    assert languages.lacking(words, small()) == ("M2",)
    assert languages.lacking(None, small()) == ("M1", "M2", "M3")


MISSING: list[tuple[str, dict[str, Any], str]] = [
    ("M1", {"fields": {"words": {"label": "كلمات"}}}, "item M1: fields.words.hint is missing"),
    ("M1", {"look": None}, "item M1: look is missing"),
    ("M1", {"help": None}, "item M1: help is missing"),
    ("M2", {"look": "تحقّق"}, "item M2: the checklist has no look"),
    ("M3", {"fields": {"kind": {"label": "نوع"}}}, "item M3: fields.notice is missing"),
    ("M3", {"fields": {"kind": {"label": "نوع"}}}, "item M3: fields.kind.options is missing"),
]


@pytest.mark.parametrize(("code", "change", "words"), MISSING)
def test_an_item_has_all_its_words_and_no_others(
    code: str, change: dict[str, Any], words: str
) -> None:
    given = {key: value for key, value in change.items() if value is not None}
    item = in_arabic(small().by_code[code]).model_dump(exclude_defaults=True)
    remaining = {key: value for key, value in item.items() if key not in change}
    assert words in misfits(arabic_words(small(), items={code: {**remaining, **given}}))


def test_each_choice_row_column_and_limit_has_words() -> None:
    whole = in_arabic(small().by_code["M2"]).model_dump(exclude_defaults=True)
    table = whole["fields"]["places"]
    del table["rows"]["first"], table["columns"]["kind"]["options"]["police"]
    del table["columns"]["note"]
    table["columns"]["more"] = {"label": "أكثر"}
    assert misfits(arabic_words(small(), items={"M2": whole})) == [
        "item M2: fields.places.rows is missing",
        "item M2: fields.places.columns.note is missing",
        "item M2: fields.places.columns.kind.options.police is missing",
        "item M2: the checklist has no fields.places.columns.more",
    ]
    without = in_arabic(small().by_code["M3"]).model_dump(exclude_defaults=True)
    del without["fields"]["notice"]["limits"]
    assert misfits(arabic_words(small(), items={"M3": without})) == [
        "item M3: fields.notice.limits is missing"
    ]


def test_texts_of_missing_items_are_reported() -> None:
    item = in_arabic(small().by_code["M1"]).model_dump(exclude_defaults=True)
    words = arabic_words(small(), items={"M9": item}, sections={"nowhere": "لا مكان"})
    assert misfits(words) == ["there is no section nowhere", "there is no item M9"]


def test_a_translation_of_another_version_is_compared_again() -> None:
    (message,) = misfits(arabic_words(small(), version=89))
    assert message.startswith("these words are of version 89, and the checklist is version 90")


def test_a_checklists_own_language_needs_no_words() -> None:
    assert "en is the checklist's own language" in misfits(arabic_words(small(), language="en"))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"language": "xx"}, "language is 'xx', not one of en, ar"),
        ({"heading": "عنوان"}, "Extra inputs are not permitted"),
        ({"version": 0}, "greater than or equal to 1"),
        ({"items": {"M1": {"label": "أ", "prompt": "ب", "fields": {}}}}, "at least 1 item"),
        ({"items": {"M-1": {}}}, "should match pattern"),
        ({"sections": {"all": ""}}, "at least 1 character"),
    ],
)
def test_words_have_a_shape(change: dict[str, Any], words: str) -> None:
    with pytest.raises(ValidationError, match=re.escape(words)):
        arabic_words(small(), **change)


def test_a_label_alone_may_stand_where_there_is_no_hint() -> None:
    given = {"label": "بند", "prompt": "ماذا؟", "fields": {"kind": "نوع"}}
    assert ItemWords.model_validate(given).fields["kind"].label == "نوع"


# A checklist in a language


def test_a_localized_checklist_is_marked_with_its_language() -> None:
    localized = languages.localize(small(), arabic_words(small()))
    by_place = dict(strings(localized))
    assert {language_of(words) for words in by_place.values()} == {"ar"}
    assert all(words.startswith("عربي ") for words in by_place.values())
    assert len(by_place) == len(dict(strings(languages.localize(small()))))
    assert localized.by_code["M3"].field("kind").options[0].label == "عربي Police station"
    assert localized.by_code["M2"].field("places").rows.fixed[0].label == "عربي The first"  # type: ignore[union-attr]
    assert localized.by_code["M3"].limits[0].because == "عربي It is long."


def test_untranslated_text_is_marked_with_its_own_language() -> None:
    localized = languages.localize(small(), arabic_words(small(), "M2", summary=None, sections={}))
    assert {language_of(string) for _place, string in strings(localized.by_code["M2"])} == {"en"}
    assert {language_of(string) for _place, string in strings(localized.by_code["M1"])} == {"ar"}
    assert [
        language_of(text)
        for text in (localized.title, localized.summary, localized.sections[0].title)
    ] == [
        "ar",
        "en",
        "en",
    ]


def test_localizing_a_checklist_changes_only_its_texts() -> None:
    own, localized = languages.localize(small()), languages.localize(small(), arabic_words(small()))

    def shape(item: Any) -> dict[str, Any]:
        return {
            name: value
            for name, value in item.model_dump().items()
            if name not in {"label", "prompt", "help", "fields", "done"}
        }

    for before, after in zip(own.items, localized.items, strict=True):
        assert shape(before) == shape(after)
        assert before.done.checks == after.done.checks
        assert [field.key for field in before.fields] == [field.key for field in after.fields]
    assert own == small()


# What carries over to a version derived from another


def test_words_carry_over_for_what_says_the_same() -> None:
    new = a_template(
        an_item("M1", a_field(hint="Write it down."), help="Ask.", done={"look": "Look well."}),
        an_item("M2", TABLE),
        an_item("M21"),
        version=91,
    )
    words = languages.carried(arabic_words(small()), small(), new)
    assert list(words.items) == ["M2"]
    assert (words.version, words.title) == (91, "عربي A small checklist")
    assert languages.lacking(words, new) == ("M1", "M21")
    assert misfits(words, new) == []


def test_words_carry_over_when_only_the_rules_of_an_item_changed() -> None:
    new = a_template(an_item("M2", TABLE, required="recommended"), version=91)
    assert list(languages.carried(arabic_words(small()), small(), new).items) == ["M2"]


def test_a_title_that_changed_has_no_words_any_more() -> None:
    new = small().model_copy(update={"title": "Another title"})
    assert languages.carried(arabic_words(small()), small(), new).title is None


def test_words_are_filled_in_from_others_where_they_lack() -> None:
    some = arabic_words(small(), "M1", "M3", title=None, sections={})
    others = arabic_words(small(), "M2", title="آخر")
    whole = languages.over(some, others)
    assert set(whole.items) == {"M1", "M2", "M3"}
    assert (whole.title, whole.sections) == ("آخر", {"all": "عربي All of it"})
    assert languages.over(some, None) is some


# The shipped translations


def pairs() -> Iterator[tuple[str, str, str]]:
    """Yield all texts of the shipped checklists in both languages, with their paths."""
    for file in library.read(CONTENT):
        for word_file in file.words:
            localized = languages.localize(file.template, word_file.words)
            both = zip(strings(languages.localize(file.template)), strings(localized), strict=True)
            for (place, own), (_place, translated) in both:
                yield f"{file.template.kind.value}.{place}", own, translated


def test_every_shipped_checklist_has_words_in_every_known_language() -> None:
    files = library.read(CONTENT)
    for file in files:
        known = {word_file.words.language: word_file.words for word_file in file.words}
        assert set(known) == set(KNOWN_LANGUAGES) - {file.template.language}
        for words in known.values():
            assert languages.lacking(words, file.template) == ()
            assert words.title
            assert words.summary
            assert set(words.sections) == {section.key for section in file.template.sections}


# Items, classes, references and numbers, which are the same in every language.
CODE = re.compile(r"(?<![A-Za-z0-9])(?:[MCVUKG])?[0-9]+(?![0-9])")


def test_translations_name_the_same_items_classes_and_numbers() -> None:
    for place, own, translated in pairs():
        assert sorted(CODE.findall(own)) == sorted(CODE.findall(translated)), place


def test_questions_stay_questions_and_sentences_sentences() -> None:
    for place, own, translated in pairs():
        assert own.endswith("?") == translated.endswith("؟"), place
        assert own.endswith(".") == translated.endswith("."), place


def test_translations_are_in_their_own_script() -> None:
    latin = re.compile(r"[a-z]{3,}")
    arabic = re.compile(r"[\u0621-\u064a]{2,}")
    for place, _own, translated in pairs():
        assert not latin.search(translated), place
        assert arabic.search(translated), place
