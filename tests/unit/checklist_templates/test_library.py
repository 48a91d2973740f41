"""Reading checklists: every mistake with file, line and item; missing items are reported."""

import shutil
from pathlib import Path

import pytest

from tests.factories.templates import a_template, an_item
from tracker.checklist_templates import coverage, library, risky_phrases
from tracker.checklist_templates.library import TemplateFile
from tracker.core.content import YamlText
from tracker.core.mistakes import ContentError
from tracker.core.paths import CONTENT
from tracker.guidance import library as guidance
from tracker.ui.typed_text import SHOWN_FIELDS

TERMS = "terms.yaml"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of the shipped checklists that tests may damage."""
    shutil.copytree(CONTENT / "checklists", tmp_path / "checklists")
    return tmp_path


@pytest.fixture
def alone(tmp_path: Path) -> Path:
    """The first and the last items of the terms alone: a mistake in them is reported first."""
    terms = (CONTENT / "checklists" / TERMS).read_text()
    first, _, rest = terms.partition("      - code: M4\n")
    _, last, others = rest.partition("  - key: others\n")
    (tmp_path / "checklists").mkdir()
    (tmp_path / "checklists" / TERMS).write_text(first + last + others)
    return tmp_path


def spoil(folder: Path, old: str, new: str, file: str = TERMS) -> None:
    path = folder / "checklists" / file
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new, 1))


def mistakes(folder: Path) -> list[str]:
    with pytest.raises(ContentError) as caught:
        library.read(folder)
    return [str(mistake) for mistake in caught.value.mistakes]


def line_of(text: str, file: str = TERMS) -> int:
    lines = (CONTENT / "checklists" / file).read_text().splitlines()
    return next(n for n, line in enumerate(lines, 1) if text in line)


def test_the_shipped_checklists_are_read_in_the_order_of_the_field() -> None:
    kinds = [file.template.kind.value for file in library.read(CONTENT)]
    assert kinds == ["terms", "confidentiality", "visit_roles", "urgent_plan"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("label: Objectives\n", "labell: Objectives\n", "item M2: there is no key labell"),
        ("rows: {min: 2}", "rows: {min: two}", "item M1: fields.0.rows.min must be a whole number"),
        (
            "type: party}",
            "type: partei}",
            "item M1: fields.0.columns.0.type is 'partei', which isn't",
        ),
        (
            "{check: row_per_party, field: parties",
            "{check: row_per_party, field: partys",
            "item M1: check row_per_party names a field partys, which doesn't exist",
        ),
        (
            "{column: kind, in: [other]}",
            "{column: kind, in: [surplus]}",
            "item M1: fields.0: other_kind looks for surplus in kind, which can't hold it",
        ),
        ("statements: [S4]", "statements: [4]", "item M2: rests_on.statements.0 must be text"),
        ("code: M2\n", "code: M-2\n", "item M-2: code is 'M-2', which has the wrong form"),
        ("code: M2\n", "kode: M2\n", "item 1 of section 0: code is missing"),
        ("code: M3\n", "code: M2\n", "item M2 is there more than once"),
        ("version: 6\n", "version: first\n", "version must be a whole number"),
        ("letter: M\n", "letter: X\n", "letter is 'X', which isn't allowed"),
    ],
)
def test_a_mistake_is_named_by_file_line_and_item(
    alone: Path, old: str, new: str, words: str
) -> None:
    spoil(alone, old, new)
    messages = mistakes(alone)
    matching = [message for message in messages if words in message]
    assert len(matching) == 1, messages
    assert matching[0].startswith("checklists/terms.yaml:")


def test_a_mistake_has_its_line(alone: Path) -> None:
    spoil(alone, "label: Objectives\n", "label: [Objectives]\n")
    line = line_of("label: Objectives")
    assert mistakes(alone) == [f"checklists/terms.yaml:{line}: item M2: label must be text"]


def test_all_mistakes_of_all_files_are_reported_together(folder: Path) -> None:
    spoil(folder, "code: M2\n", "code: M3\n")
    spoil(folder, "letter: U\n", "letter: M\n", "urgent_plan.yaml")
    (folder / "checklists" / "visit_roles.yaml").write_text("kind: [unclosed\n")
    (folder / "checklists" / "confidentiality.yaml").write_bytes(b"\xff\xfe")
    files = {message.partition(":")[0] for message in mistakes(folder)}
    assert files == {
        f"checklists/{name}.yaml"
        for name in ("terms", "urgent_plan", "visit_roles", "confidentiality")
    }


@pytest.mark.parametrize("text", ["", "just words\n", "- a\n- list\n", "null\n"])
def test_a_file_that_is_no_checklist_is_named(alone: Path, text: str) -> None:
    (alone / "checklists" / TERMS).write_text(text)
    messages = mistakes(alone)
    assert messages
    assert all(message.startswith("checklists/terms.yaml:1: ") for message in messages)


def test_a_checklist_that_is_missing_is_named(folder: Path) -> None:
    (folder / "checklists" / "urgent_plan.yaml").unlink()
    assert mistakes(folder) == ["checklists:1: there is no checklist of kind urgent_plan"]


def test_two_of_one_kind_are_refused(folder: Path) -> None:
    path = folder / "checklists"
    shutil.copyfile(path / TERMS, path / "terms_again.yaml")
    line = line_of("kind: terms")
    assert mistakes(folder) == [
        f"checklists/terms_again.yaml:{line}: checklists/terms.yaml is of this kind too"
    ]


# What items are based on


def a_file(*items: dict[str, object]) -> TemplateFile:
    return TemplateFile(a_template(*items), YamlText("terms.yaml", {}))


RESTS_ON = {"statements": ["S1", "S90"], "passages": ["settling-terms/expectations", "no/where"]}
STATEMENTS = frozenset({"S1", "S2"})
PASSAGES = {"settling-terms/expectations": {"S2"}, "else/where": {"S1"}}


def test_what_an_item_rests_on_must_be_there_and_carried_by_its_passage() -> None:
    broken = library.broken_references(
        (a_file(an_item("M1", rests_on=RESTS_ON)),), STATEMENTS, PASSAGES
    )
    assert [mistake.message for mistake in broken] == [
        "M1 is based on S90, which doesn't exist",
        "M1 is based on no/where, which doesn't exist",
        "M1: no passage of it carries S1",
    ]


def test_an_item_whose_passage_carries_its_statement_is_whole() -> None:
    whole = {"statements": ["S1"], "passages": ["settling-terms/expectations", "else/where"]}
    files = (a_file(an_item("M1", rests_on=whole)),)
    assert library.broken_references(files, STATEMENTS, PASSAGES) == []


def test_items_of_the_field_that_no_checklist_has_are_reported() -> None:
    shipped = library.read(CONTENT)
    assert library.missing_items(shipped) == []
    missing = library.missing_items((a_file(an_item("M1"), an_item("M3")), *shipped[1:]))
    assert missing == [f"M{n}" for n in range(1, 22) if n not in {1, 3}]


# Translations

ARABIC = "ar/terms.yaml"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("    label: الأهداف\n", "    labell: الأهداف\n", "item M2: there is no key labell"),
        ("    label: الأهداف\n", "", "item M2: label is missing"),
        (
            "          litigates: ترفع دعاوى أمام المحاكم\n",
            "",
            "item M1: fields.parties.columns.litigates is missing",
        ),
        (
            "          litigates: ترفع",
            "          litigate: ترفع",
            "item M1: the checklist has no fields.parties.columns.litigate",
        ),
        ("              union: نقابة\n", "", "options.union is missing"),
        ("  M2:\n", "  M99:\n", "there is no item M99"),
        ("  M2:\n", "  M2x:\n", "item M2x: the key 'M2x' has the wrong form"),
        ("  trust: ", "  distrust: ", "there is no section distrust"),
        ("version: 6\n", "version: 9\n", "these words are of version 9, and the checklist is ver"),
        ("language: ar\n", "language: en\n", "language is 'en', not that of the folder"),
        ("language: ar\n", "language: xx\n", "language is 'xx', not one of en, ar"),
        ("kind: terms\n", "kind: term\n", "kind is 'term', which isn't allowed"),
    ],
)
def test_a_mistake_in_words_is_named_by_file_line_and_item(
    folder: Path, old: str, new: str, words: str
) -> None:
    spoil(folder, old, new, ARABIC)
    matching = [message for message in mistakes(folder) if words in message]
    assert matching
    assert matching[0].startswith("checklists/ar/terms.yaml:")


def test_a_mistake_in_a_translation_has_its_line(folder: Path) -> None:
    spoil(folder, "          note: ملاحظة\n", "          remark: ملاحظة\n", ARABIC)
    line = line_of("note: ملاحظة", ARABIC)
    assert any(
        message.startswith(f"checklists/ar/terms.yaml:{line}: item M13: the checklist has no")
        for message in mistakes(folder)
    )


def test_an_invalid_translation_file_is_named(folder: Path) -> None:
    (folder / "checklists" / ARABIC).write_text("- just\n- a list\n")
    assert any(message.startswith("checklists/ar/terms.yaml:1: ") for message in mistakes(folder))


def test_words_of_one_kind_and_language_stand_in_one_file(folder: Path) -> None:
    shipped = folder / "checklists" / ARABIC
    shutil.copy(shipped, shipped.with_name("terms_again.yaml"))
    assert mistakes(folder) == [
        (
            f"checklists/ar/terms_again.yaml:{line_of('kind: terms', ARABIC)}: "
            "checklists/ar/terms.yaml is of this kind and language too"
        )
    ]


def test_an_untranslated_item_is_reported_but_no_mistake(folder: Path) -> None:
    path = folder / "checklists" / ARABIC
    text = path.read_text()
    start, end = text.index("  M2:\n"), text.index("  M3:\n")
    path.write_text(text[:start] + text[end:])
    translated = coverage.look(
        guidance.read(CONTENT), library.read(folder), risky_phrases.read(CONTENT)
    )
    assert translated.is_whole
    assert "Items translated into ar: 79 of 80 (terms 20, " in translated.lines()[6]
    assert translated.lines()[7] == "Items not translated into ar: M2"


def test_without_a_translation_all_items_are_reported(folder: Path) -> None:
    shutil.rmtree(folder / "checklists" / "ar")
    translated = coverage.look(
        guidance.read(CONTENT), library.read(folder), risky_phrases.read(CONTENT)
    )
    assert translated.is_whole
    assert "Items translated into ar: 0 of 80" in translated.lines()[6]


def test_a_language_with_content_needs_a_list_of_risky_phrases(folder: Path) -> None:
    shutil.copytree(CONTENT / "wording", folder / "wording", dirs_exist_ok=True)
    (folder / "wording" / "ar.yaml").unlink()
    without = coverage.look(
        guidance.read(CONTENT), library.read(folder), risky_phrases.read(folder)
    )
    assert not without.is_whole
    assert without.lines()[9:11] == [
        "Risky phrases: en 484",
        "Languages without a list of risky phrases (wording/CODE.yaml): ar",
    ]


# Coverage


def test_the_shipped_content_is_whole() -> None:
    translated = coverage.look(
        guidance.read(CONTENT), library.read(CONTENT), risky_phrases.read(CONTENT)
    )
    assert translated.is_whole
    assert translated.lines() == [
        "Statements covered by passages: 72 of 72",
        "Statements not covered: none",
        "Statements without passage or item: none",
        "Items: 80 of 80 (terms 21, confidentiality 19, visit_roles 21, urgent_plan 19)",
        "Items missing: none",
        "Items without a statement: none",
        (
            "Items translated into ar: 80 of 80 "
            "(terms 21, confidentiality 19, visit_roles 21, urgent_plan 19)"
        ),
        "Items not translated into ar: none",
        "Guidance in ar: articles 4 of 4, categories and topics 32 of 32, statements 72 of 72",
        "Risky phrases: ar 324, en 484",
        "Languages without a list of risky phrases (wording/CODE.yaml): none",
        "Broken references: none",
    ]


def test_missing_content_is_reported_and_fails_the_check() -> None:
    shipped = library.read(CONTENT)
    translated = coverage.look(
        guidance.read(CONTENT), (a_file(an_item("M1", rests_on=RESTS_ON)), *shipped[1:])
    )
    assert not translated.is_whole
    lines = translated.lines()
    assert "Items missing: M2, M3, M4" in lines[4]
    assert lines[7] == "Items not translated into ar: M1"
    assert lines[8].startswith("Guidance in ar: articles ")
    assert lines[9] == "Risky phrases: none"
    assert lines[10].endswith("(wording/CODE.yaml): ar, en")
    assert lines[11].startswith("Broken references: ")
    assert any(line.endswith("names M7: not there") for line in lines)
    assert lines[12] == "terms.yaml:1: M1 is based on S90, which doesn't exist"


def test_all_fields_of_the_largest_item_come_back_if_it_can_not_be_saved() -> None:
    sizes = [
        sum(
            (field.rows.max if field.rows else 1) * max(1, len(field.columns))
            for field in item.fields
        )
        for file in library.read(CONTENT)
        for item in file.template.items
    ]
    assert 700 < max(sizes) <= SHOWN_FIELDS
