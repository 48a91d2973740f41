"""Risky phrases: found as whole words, without case and accents, and never blocking."""

import shutil
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.factories.templates import a_column, a_field, a_table, item_of
from tests.services import alone
from tracker.checklist_templates import risky_phrases
from tracker.checklist_templates.risky_phrases import Entry, PhraseList
from tracker.core.content import ContentError
from tracker.core.paths import CONTENT
from tracker.guidance import library as guidance

PASSAGE = "settling-terms/independence"


def an_entry(key: str, *forms: str) -> dict[str, Any]:
    return {
        "key": key,
        "forms": list(forms),
        "think": "Ask who decides.",
        "statement": "S6",
        "passage": PASSAGE,
    }


def a_list(*entries: dict[str, Any], language: str = "en") -> PhraseList:
    return PhraseList.model_validate({"language": language, "hints": list(entries)})


SMALL = a_list(
    an_entry("approval", "approval", "prior approval", "réservé", "sign-off"),
    an_entry("veto", "veto"),
)


def words(*texts: str, of: PhraseList = SMALL) -> list[tuple[str, ...]]:
    return [hint.words for hint in risky_phrases.found_in(texts, [of])]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Publication needs approval.", ["approval"]),
        ("APPROVAL of the board", ["APPROVAL"]),
        ("(approval)", ["approval"]),
        # The longer form counts, and counts once.
        ("The prior approval of the CSO", ["prior approval"]),
        ("The Prior\n  approval of the CSO", ["Prior approval"]),
        ("prior approval, and approval again", ["prior approval", "approval"]),
        # Accents and hyphens do not count.
        ("reserve for the party", ["reserve"]),
        ("after a sign off", ["sign off"]),
        # Whole words only, and nothing between those of one phrase.
        ("disapproval; approvals", []),
        ("It is prior. Approval follows", ["Approval"]),
        ("no signs offered", []),
        ("", []),
    ],
)
def test_whole_words_are_found(text: str, expected: list[str]) -> None:
    assert [phrase for phrases in words(text) for phrase in phrases] == expected


def test_each_kind_of_phrase_is_reported_once_as_written() -> None:
    assert words("A veto.", "Approval, VETO, approval.") == [("veto",), ("Approval",)]


def test_vowel_signs_and_forms_of_arabic_letters_do_not_count() -> None:
    listed = a_list(an_entry("approval", "بالموافقة المسبقة"), language="ar")
    assert words("تنشر بالموافقةِ المُسبقة للشريك", of=listed) == [("بالموافقةِ المُسبقة",)]


def test_two_languages_are_looked_through_together() -> None:
    arabic = a_list(an_entry("veto", "النقض"), language="ar")
    phrases = risky_phrases.found_in(["a veto (حق النقض)"], [SMALL, arabic])
    assert [(hint.language, hint.words) for hint in phrases] == [
        ("en", ("veto",)),
        ("ar", ("النقض",)),
    ]


def test_only_the_languages_of_the_instance_are_looked_for() -> None:
    text = ["a veto (حق النقض)"]
    with alone(risky_phrases.LANGUAGES.holding(("ar",))):
        assert {hint.language for hint in risky_phrases.hints(text)} == {"ar"}
    assert {hint.language for hint in risky_phrases.hints(text)} == {"en", "ar"}


@given(st.text(max_size=80))
def test_any_text_can_be_looked_through(text: str) -> None:
    for hint in risky_phrases.hints([text]):
        assert hint.words


def test_only_what_people_wrote_is_looked_through() -> None:
    item = item_of(
        a_field("words"),
        a_field("line", "line"),
        a_field("day", "date"),
        a_field("kind", "choice", options=[{"value": "veto", "label": "Veto"}]),
        a_table("rows", a_column("note"), a_column("who", "person")),
    )
    values = {
        "words": "One.",
        "line": "Two.",
        "day": "2026-01-01",
        "kind": "veto",
        "rows": [{"note": "Three.", "who": "veto"}, {}],
    }
    assert list(risky_phrases.texts_of(item.fields, values)) == ["One.", "Two.", "Three."]


# As content


def test_the_shipped_phrases_find_what_the_field_warns_of() -> None:
    for text in (
        "subject to the prior approval of the partner",
        "each party has a right of veto",
        "the CSO is the exclusive partner",
        "only with the prior consent of all parties",
        "visits take place only jointly",
        "findings are unanimous",
        "بعد الموافقة المسبقة",
        "حق النقض",
    ):
        assert risky_phrases.hints([text]), text
    assert risky_phrases.hints(["Each party says within a week when something changes."]) == ()


def test_the_shipped_phrases_link_to_guidance_with_their_statement() -> None:
    library_ = guidance.read(CONTENT)
    passages = {
        f"{article.head.slug}/{passage.key}": set(passage.statements)
        for article in library_.articles
        for passage in article.passages
    }
    files = risky_phrases.read(CONTENT)
    assert [file.phrases.language for file in files] == ["ar", "en"]
    assert list(risky_phrases.broken_references(files, passages)) == []
    messages = [
        mistake.message for mistake in risky_phrases.broken_references(files, {PASSAGE: {"S6"}})
    ]
    assert "hint exclusive: its passage does not carry S7" in messages
    messages = [mistake.message for mistake in risky_phrases.broken_references(files, {})]
    assert f"hint veto points to {PASSAGE}: not there" in messages


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped phrases that may be spoilt."""
    shutil.copytree(CONTENT / "wording", tmp_path / "wording")
    return tmp_path


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("language: en\n", "language: fr\n", "language is 'fr', not one of en, ar"),
        ("language: en\n", "language: ar\n", "language is 'ar', not that of the file's name"),
        ("  - key: veto\n", "  - key: approval\n", "hint approval is there more than once"),
        ("      - approvals\n", "      - approval\n", "form approval is there more than once"),
        ("      - approvals\n", '      - "?!"\n', "hints.0: ?!: no word to look for"),
        ("    statement: S6\n", "    statement: 6\n", "hints.0.statement: input should be a valid"),
        ("  - key: veto\n", "  - kee: veto\n", "there is no key hints.2.kee"),
        ("hints:\n", "hints: {unclosed\n", "not valid YAML"),
    ],
)
def test_a_mistake_is_named_by_file_and_line(
    folder: Path, old: str, new: str, message: str
) -> None:
    path = folder / "wording" / "en.yaml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))
    with pytest.raises(ContentError) as caught:
        risky_phrases.read(folder)
    mistakes = [str(mistake) for mistake in caught.value.mistakes]
    assert any(message in mistake for mistake in mistakes), mistakes
    assert all(mistake.startswith("wording/en.yaml:") for mistake in mistakes)


def test_an_entry_is_never_empty() -> None:
    with pytest.raises(ValueError, match="at least 1 item"):
        Entry.model_validate(an_entry("none"))
