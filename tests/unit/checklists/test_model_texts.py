"""The model text that comes with the product: how it is read, merged and tried, and that it holds.

In one file: reading, merging and the trial are of the same small text.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.factories.templates import (
    DOOR,
    KINDS,
    LANTERN,
    NPM,
    a_column,
    a_field,
    a_table,
    a_template,
    an_item,
    around,
)
from tracker.checklist_templates import library as checklists
from tracker.checklist_templates import risky_phrases
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklist_templates.risky_phrases import PhraseList
from tracker.checklist_templates.schema import Template
from tracker.checklists.model_texts import library, trials
from tracker.checklists.model_texts.library import ModelTextFile
from tracker.checklists.model_texts.merging import EACH, answers, merge
from tracker.checklists.model_texts.schema import ModelTextContent
from tracker.cooperations.models import Mode
from tracker.core.mistakes import ContentError
from tracker.core.paths import CONTENT
from tracker.settings import KNOWN_LANGUAGES


@pytest.fixture(scope="module")
def templates() -> list[Template]:
    return [file.template for file in checklists.read(CONTENT)]


@pytest.fixture(scope="module")
def phrases() -> list[PhraseList]:
    return [file.phrases for file in risky_phrases.read(CONTENT)]


@pytest.fixture(scope="module")
def shipped(templates: list[Template]) -> tuple[ModelTextFile, ...]:
    return library.read(CONTENT, templates)


# The text that is shipped ------------------------------------------------------------------------


def test_the_shipped_text_holds_in_each_way_of_working_each_pair_and_all_together(
    shipped: tuple[ModelTextFile, ...], templates: list[Template], phrases: list[PhraseList]
) -> None:
    trial = trials.try_files(shipped, templates, phrases)
    assert [str(fault) for fault in trial.faults] == []
    assert trial.combinations == 12 + 66 + 1
    assert trial.missing == dict.fromkeys(KNOWN_LANGUAGES, ())
    assert trial.is_whole


def test_no_shipped_text_names_a_person_or_a_day(shipped: tuple[ModelTextFile, ...]) -> None:
    """These are facts of a cooperation or a visit, so they are always to decide."""
    for modes in trials.sets_of_modes():
        terms = merge(shipped[0].content, modes).items
        assert all(terms["M19"][key].startswith("[to decide") for key in ("start", "end"))
        assert {row["coordinator"] for row in terms["M7"]["contacts"]} == {
            "[to decide: who coordinates for this party]"
        }


def test_a_text_says_what_is_to_decide_in_the_language_it_is_read_in() -> None:
    kind = ChecklistKind.TERMS
    english = "the first day"
    for language, words in (("en", english), ("ar", "اليوم الأول"), ("xx", english)):
        places = library.model_text(kind, [Mode.VISIT], language).to_decide["M19"]
        assert [place.what for place in places if place.field == "start"] == [words]


def test_mutual_protection_alone_gets_the_short_form(
    shipped: tuple[ModelTextFile, ...], templates: list[Template]
) -> None:
    def items(*modes: Mode) -> set[str]:
        text = merge(shipped[0].content, modes)
        here = around(modes=modes, questions={"personal_data": "no"})
        return set(answers(text, templates[0], here))

    short = {"M1", "M5", "M6", "M15", "M19", "M20"}
    assert items(Mode.PROT) == short
    assert items(Mode.PROT, Mode.ADV) >= short | {"M2", "M3", "M4", "M10", "M11", "M18"}


def test_the_stricter_of_two_ways_of_working_rules_on_use(
    shipped: tuple[ModelTextFile, ...],
) -> None:
    def advocacy(*modes: Mode) -> str:
        rows = merge(shipped[0].content, modes).items["M10"]["uses"]
        return str(next(row["decision"] for row in rows if row["_row"] == "advocacy"))

    assert advocacy(Mode.ADV) == "allowed"
    assert advocacy(Mode.VISIT) == advocacy(Mode.ADV, Mode.VISIT) == "with_clearance"


def shipped_row(kind: ChecklistKind, item: str, field: str, key: str) -> Mapping[str, Any]:
    """Return one row of a table in the shipped text, as a joint visit has it."""
    rows = library.model_text(kind, [Mode.VISIT], "en").items[item][field]
    return next(row for row in rows if row["_row"] == key)


def test_what_a_cso_knows_from_its_own_work_is_cleared_by_nobody() -> None:
    """Neither the use of its own knowledge nor the case of its own client waits for the NPM."""
    assert shipped_row(ChecklistKind.TERMS, "M10", "uses", "own_work")["decision"] == "allowed"
    for act in ("own_case", "litigate"):
        row = shipped_row(ChecklistKind.URGENT_PLAN, "U12", "acts", act)
        assert row["decision"] == "allowed", act
        assert "what they tell the CSO itself" in row["from_when"], act
    # What the team learned stays under the rules of the NPM.
    learned = shipped_row(ChecklistKind.TERMS, "M10", "uses", "litigation")
    assert (learned["decision"], learned["clearer"]) == ("with_clearance", "npm")
    for act in ("inform_lawyers", "public_call"):
        row = shipped_row(ChecklistKind.URGENT_PLAN, "U12", "acts", act)
        assert row["decision"] == "with_consent", act


def test_urgent_cases_and_help_against_reprisals_outlast_the_agreement() -> None:
    for duty in ("confidentiality", "data_return", "sources", "open_cases", "reprisals"):
        row = shipped_row(ChecklistKind.TERMS, "M20", "survives", duty)
        assert row["how_long"], duty
        assert row["how"], duty


def test_whoever_promises_silence_may_ask_for_advice_for_themselves() -> None:
    """Help from outside the team (U18) would break the undertaking (C7) without this exception."""
    row = shipped_row(ChecklistKind.CONFIDENTIALITY, "C12", "exceptions", "advice")
    assert (row["deciding"], row["told"]) == ("bound", "nobody")


def test_small_numbers_bind_the_partners_and_leave_the_npm_its_reports() -> None:
    """In a small country most places hold fewer than ten people."""
    words = library.model_text(ChecklistKind.TERMS, [Mode.VISIT], "en").items["M10"]
    assert words["small_numbers"].startswith("Partners give no figure on fewer than ten people")
    assert "decides what it has to say there" in words["small_numbers"]


# Merging -----------------------------------------------------------------------------------------

MODES = [{"value": mode.value, "label": mode.value} for mode in Mode]
SMALL = a_template(
    an_item(
        "M1",
        a_field("words", required=False),
        a_field("days", "number", unit="days", max=90, required=False),
        a_field("kind", "choice", options=KINDS, required=False),
        a_field("kinds", "choices", options=KINDS, required=False),
        a_field("modes", "choices", options=MODES, required=False),
        a_field("box", "confirm", required=False),
        a_field("person", "person", required=False),
        a_table(
            "t",
            a_column("party", "party", required=False),
            a_column("body", "body", required=False),
            a_column("person", "person", required=False),
            a_column("note", required=False),
            required=False,
            rows={"min": 0},
        ),
        a_table(
            "fixed",
            a_column("other", required=False),
            a_column("note"),
            required=False,
            rows={"fixed": [{"key": "first", "label": "First"}], "more": True},
        ),
    ),
    an_item("M2", required="recommended"),
    an_item("M3", required="optional"),
    an_item("M4", a_field(sets="each_person", accepts="none"), part="person"),
)


def content_of(m1: Mapping[str, Any], **more: Any) -> ModelTextContent:
    head = {"kind": "terms", "version": 90, "language": "en"}
    items = {"M1": m1, "M2": {"words": "As settled."}}
    return ModelTextContent.model_validate({**head, "items": items, **more})


def merged(m1: Mapping[str, Any], *modes: Mode) -> Mapping[str, Any]:
    return merge(content_of(m1), modes).items["M1"]


VARIED = {
    "days": {
        "base": 1,
        "variants": {
            "near": {"modes": ["ADV", "EXP"], "value": 2},
            "visits": {"modes": ["VISIT"], "value": 3},
        },
    }
}


@pytest.mark.parametrize(
    ("modes", "days"),
    [
        ((), 1),
        ((Mode.CAP,), 1),
        ((Mode.ADV,), 2),
        ((Mode.ADV, Mode.VISIT), 3),
        ((Mode.VISIT, Mode.EXP), 3),
        (tuple(Mode), 3),
    ],
)
def test_of_several_variants_the_one_of_the_strictest_way_of_working_is_used(
    modes: tuple[Mode, ...], days: int
) -> None:
    assert merged(VARIED, *modes)["days"] == days
    assert merged(VARIED, *reversed(modes))["days"] == days


def test_sentences_are_added_for_every_way_of_working_in_the_order_they_are_written() -> None:
    added = {
        "advice": {"modes": ["ADVIS"], "text": "Second."},
        "visits": {"modes": ["VISIT", "OMB_PLUS"], "text": "Third."},
    }
    words = {"words": {"base": "First.", "added": added}}
    assert merged(words, Mode.VISIT, Mode.ADVIS)["words"] == "First.\nSecond.\nThird."
    assert merged(words, Mode.CAP)["words"] == "First."
    assert merged({"words": {"added": added}}, Mode.VISIT)["words"] == "Third."
    assert "words" not in merged({"words": {"added": added}, "days": 1}, Mode.CAP)


def test_ways_of_working_are_those_of_the_cooperation() -> None:
    assert merged({"modes": "modes"}, Mode.VISIT, Mode.ADV)["modes"] == ["ADV", "VISIT"]


def test_a_row_is_there_only_for_its_ways_of_working() -> None:
    rows = {"a": {"modes": ["VISIT"], "note": "A"}, "b": {"note": "B"}}
    assert [row["note"] for row in merged({"t": {"rows": rows}}, Mode.VISIT)["t"]] == ["A", "B"]
    assert [row["note"] for row in merged({"t": {"rows": rows}}, Mode.ADV)["t"]] == ["B"]


def placed(m1: Mapping[str, Any], **more: Any) -> Mapping[str, Any]:
    return answers(merge(content_of(m1), ()), SMALL, around(**more))["M1"]


def test_a_row_is_repeated_for_each_party_in_its_own_name() -> None:
    def rows(each: str) -> list[dict[str, Any]]:
        row = {"each": each, "party": "own", "body": "npm", "note": "Yes"}
        given: list[dict[str, Any]] = placed({"t": {"rows": {"a": row}}})["t"]
        return given

    assert [row["party"] for row in rows("party")] == [str(NPM), str(DOOR), str(LANTERN)]
    assert [row["party"] for row in rows("cso")] == [str(DOOR), str(LANTERN)]
    assert rows("npm") == [{"party": str(NPM), "body": str(NPM), "note": "Yes"}]


def test_a_row_is_repeated_for_the_people_on_the_team_once_there_is_one() -> None:
    rows = {"a": {"each": "member", "person": "own", "note": "[to decide: the task]"}}
    people = around().npm_people
    with_team = placed({"t": {"rows": rows}}, team=people)["t"]
    assert {row["person"] for row in with_team} == set(map(str, people))
    assert placed({"t": {"rows": rows}})["t"] == [{"note": "[to decide: the task]"}]


def test_fixed_rows_keep_their_key_and_others_and_repeated_ones_lose_theirs() -> None:
    rows = {"first": {"note": "A"}, "second": {"other": "Another", "note": "B"}}
    own = merged({"fixed": {"rows": rows}, "t": {"rows": {"x": {"each": "cso", "note": "C"}}}})
    assert own["t"][0][EACH] == "cso"
    given = placed({"fixed": {"rows": rows}, "t": {"rows": {"x": {"note": "C"}}}})
    assert given["fixed"] == [{"_row": "first", "note": "A"}, {"other": "Another", "note": "B"}]
    assert given["t"] == [{"note": "C"}]


def test_what_a_version_can_not_hold_is_left_out() -> None:
    older = a_template(an_item("M1", a_field("words", "line", required=False)))
    text = merge(content_of({"words": "Yes", "days": 4}), ())
    assert answers(text, older, around()) == {"M1": {"words": "Yes"}}


# Strictness --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("m1", "message"),
    [
        ({"wording": "Yes"}, "no field wording is agreed on"),
        ({"days": "many"}, "'many' isn't a value of this field"),
        ({"days": 91}, "91 isn't a value of this field"),
        ({"days": True}, "True isn't a value of this field"),
        ({"kind": "palace"}, "'palace' isn't a value of this field"),
        ({"kind": ["police"]}, "several choices are a list"),
        ({"kinds": "police"}, "several choices are a list"),
        ({"kinds": "modes"}, "this field doesn't choose ways of working"),
        ({"kinds": ["palace"]}, "('palace',) isn't a value of this field"),
        ({"box": {"to_decide": "whether"}}, "a box is ticked or not"),
        ({"person": "Ilena"}, "a person, a date or a phone number is always to decide"),
        ({"t": "Yes"}, "a table, and only a table, has rows"),
        ({"words": {"rows": {"a": {"note": "A"}}}}, "a table, and only a table, has rows"),
        ({"t": {"rows": {"a": {"colour": "red"}}}}, "there is no column colour"),
        ({"t": {"rows": {"a": {"party": "own"}}}}, "a party is one of: npm"),
        ({"t": {"rows": {"a": {"each": "cso", "party": "Door"}}}}, "a party is one of: npm, own"),
        ({"t": {"rows": {"a": {"person": "own"}}}}, "a person, a date or a phone number is"),
        ({"fixed": {"rows": {"b": {"note": "B"}}}}, "there is no fixed row b"),
        ({"days": {"added": {"a": {"modes": ["ADV"], "text": "x"}}}}, "only be added to a text"),
    ],
)
def test_a_text_that_does_not_fit_its_checklist_is_refused(
    m1: Mapping[str, Any], message: str
) -> None:
    messages = [words for _place, words in library.misfits(content_of(m1), SMALL)]
    assert len(messages) == 1
    assert message in messages[0]


def test_each_item_that_parties_agree_on_has_a_text_and_no_other_item_has() -> None:
    fits = content_of({"words": "Yes"})
    assert list(library.misfits(fits, SMALL)) == []
    lacking = content_of({}, items={"M1": {"words": "Yes"}})
    assert [words for _place, words in library.misfits(lacking, SMALL)] == ["item M2 has no text"]
    items = {**fits.items, **dict.fromkeys(("M3", "M4", "M9"), fits.items["M2"])}
    odd = fits.model_copy(update={"items": items})
    assert [place[-1] for place, _words in library.misfits(odd, SMALL)] == ["M3", "M4", "M9"]


def test_lead_team_and_audience_of_a_visit_let_people_in_and_have_no_text(
    templates: list[Template], shipped: tuple[ModelTextFile, ...]
) -> None:
    answered = {code for file in shipped for code in file.content.items}
    assert answered.isdisjoint({"V2", "V3", "V4", "V13", "V20", "C2", "C6", "C13", "C18", "U13"})
    agreed = {item.code for own in templates for item in own.items if library.is_answered(item)}
    assert answered == agreed


FILE = """\
kind: terms
version: 90
language: en
items:
  M1:
    words: "It lasts [to decide: how long]."
    days:
      base: 1
      variants:
        visits: {modes: [VISIT], value: {to_decide: how many days}}
    t:
      rows:
        a: {note: Yes}
  M2:
    words: As settled.
"""
WORDS = """\
kind: terms
version: 90
language: ar
items:
  M1:
    words: "تدوم [للتحديد: كم تدوم]."
    days: {variants: {visits: كم يوماً}}
    t: {rows: {a: {note: نعم}}}
  M2:
    words: كما اتُّفق عليه.
"""


def files_in(folder: Path, text: str = FILE, words: str = WORDS) -> Path:
    (folder / "model_texts" / "ar").mkdir(parents=True)
    (folder / "model_texts" / "terms.yaml").write_text(text)
    (folder / "model_texts" / "ar" / "terms.yaml").write_text(words)
    return folder


def mistakes_in(folder: Path) -> list[str]:
    with pytest.raises(ContentError) as caught:
        library.read(folder, [SMALL])
    return [str(mistake) for mistake in caught.value.mistakes]


def test_a_translation_has_the_words_alone_at_the_same_places(tmp_path: Path) -> None:
    (file,) = library.read(files_in(tmp_path), [SMALL])
    own = merge(file.translated["ar"], [Mode.VISIT]).items["M1"]
    assert own["words"] == "تدوم [للتحديد: كم تدوم]."
    assert own["days"] == "[للتحديد: كم يوماً]"
    assert own["t"] == [{"_row": "a", "note": "نعم"}]
    assert merge(file.translated["ar"], []).items["M1"]["days"] == 1


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("version: 90", "version: 89", 2, "this text is for version 89"),
        ("language: en", "language: ar", 3, "language is 'ar'"),
        ("base: 1", "bass: 1", 8, "there is no key"),
        ("[VISIT]", "[VISITS]", 10, "is 'VISITS', which isn't allowed"),
        ("{note: Yes}", "{}", 13, "has fewer entries than it needs (1)"),
        ("how many days", '"how [many] days"', 10, "which has the wrong form"),
        ("kind: terms", "kind: &k terms", 1, "anchors"),
        ("    words: As settled.", "    words: 1.5", 15, "must be text"),
    ],
)
def test_a_mistake_in_a_text_is_named_by_file_and_line(
    tmp_path: Path, old: str, new: str, place: int, message: str
) -> None:
    messages = mistakes_in(files_in(tmp_path, text=FILE.replace(old, new, 1)))
    assert any(words.startswith(f"model_texts/terms.yaml:{place}: ") for words in messages)
    assert any(message in words for words in messages)


@pytest.mark.parametrize(
    ("old", "new", "place", "message"),
    [
        ("version: 90", "version: 89", 2, "these words are of version 89, not 90"),
        ("language: ar", "language: en", 1, "there is no model text terms for this in en"),
        ("  M2:\n    words: كما اتُّفق عليه.\n", "", 4, "M2 is missing"),
        ("note: نعم", "not: نعم", 8, "the model text has no M1.t.rows.a.not"),
        ("visits: كم", "visit: كم", 7, "the model text has no M1.days.variants.visit"),
        ("[للتحديد: كم تدوم]", "سنة", 6, "it marks more or fewer places to decide"),
    ],
)
def test_a_translation_that_differs_in_more_than_words_is_refused(
    tmp_path: Path, old: str, new: str, place: int, message: str
) -> None:
    assert old in WORDS
    messages = mistakes_in(files_in(tmp_path, words=WORDS.replace(old, new, 1)))
    assert any(words.startswith(f"model_texts/ar/terms.yaml:{place}: ") for words in messages)
    assert any(message in words for words in messages)


def test_two_variants_for_one_way_of_working_are_refused() -> None:
    variants = {"a": {"modes": ["ADV"], "value": 1}, "b": {"modes": ["VISIT", "ADV"], "value": 2}}
    with pytest.raises(ValueError, match="ADV: more than one variant"):
        content_of({"days": {"variants": variants}})


# The trial ---------------------------------------------------------------------------------------


def limit(**rule: Any) -> dict[str, Any]:
    return {
        "key": "limit",
        "powers": ["stop"],
        "because": "It keeps the NPM in.",
        "statement": "S7",
        "passage": "settling-terms/independence",
    } | rule


TRIED = a_template(
    an_item(
        "M1",
        a_field("words"),
        a_field("days", "number", unit="days", max=365, limits=[limit(above=90)]),
        a_field("first", "date"),
        a_field("last", "date"),
        a_table("t", a_column("party", "party"), a_column("note")),
        done={
            "checks": [
                {"check": "dates_in_order", "fields": ["first", "last"]},
                {"check": "row_per_party", "field": "t", "column": "party"},
            ]
        },
    )
)
GOOD: dict[str, Any] = {
    "words": "Each of us does its part, [to decide: since when].",
    "days": 30,
    "first": {"to_decide": "the first day"},
    "last": {"to_decide": "the last day"},
    "t": {"rows": {"a": {"each": "party", "party": "own", "note": "Yes"}}},
}


def faults_in(m1: Mapping[str, Any], phrases: list[PhraseList]) -> list[str]:
    content = content_of({}, items={"M1": {**GOOD, **m1}})
    assert list(library.misfits(content, TRIED)) == []
    return [str(fault) for fault in trials.try_all([(content, TRIED)], phrases)]


def test_a_text_that_holds_has_no_fault(phrases: list[PhraseList]) -> None:
    assert faults_in({}, phrases) == []


@pytest.mark.parametrize(
    ("m1", "message"),
    [
        ({"days": 91}, "limits the NPM: It keeps the NPM in."),
        (
            {"t": {"rows": {"a": {"each": "cso", "party": "own", "note": "Yes"}}}},
            "t: Add a row for NPM.",
        ),
        (
            {"t": {"rows": {"a": {"each": "party", "party": "own"}}}},
            "t, row 1: Fill in: Note",
        ),
        (
            {"last": {"to_decide": "the last day", "sample": "2030-01-01"}},
            "last: Last must be later than First.",
        ),
        ({"last": {"to_decide": "the last day", "sample": "soon"}}, "This answer can't be saved"),
        (
            {"words": "The partners approve each report."},
            "may limit the NPM (approval): approve",
        ),
        (
            {"words": "[to decide: who has a right of veto]"},
            "may limit the NPM (veto): right of veto",
        ),
        ({"words": "لا تُنشر التقارير إلا بموافقة الوزارة."}, "may limit the NPM (approval)"),
    ],
)
def test_a_bad_text_fails_and_says_where_and_why(
    m1: Mapping[str, Any], message: str, phrases: list[PhraseList]
) -> None:
    faults = faults_in(m1, phrases)
    assert faults
    assert any(message in fault for fault in faults)
    assert all(fault.startswith("M1 (en; ") for fault in faults)


def test_a_fault_that_only_two_ways_of_working_show_together_is_found(
    phrases: list[PhraseList],
) -> None:
    """Each is short enough alone; both together are longer than a line may be."""
    lines = a_template(an_item("M1", a_field("words", "line")))
    text = "We do our part. " * 12
    added = {mode.lower(): {"modes": [mode], "text": text} for mode in ("ADV", "CAP")}
    content = content_of({}, items={"M1": {"words": {"base": "Yes.", "added": added}}})
    faults = trials.try_all([(content, lines)], phrases)
    assert ("words: no field can hold this", "CAP, ADV") in {
        (fault.message, fault.modes) for fault in faults
    }
    assert {fault.modes for fault in faults} == {"CAP, ADV"}


def test_the_content_check_says_which_texts_are_missing(
    shipped: tuple[ModelTextFile, ...], templates: list[Template], phrases: list[PhraseList]
) -> None:
    english = ModelTextFile(shipped[3].content, shipped[3].text)
    trial = trials.try_files([english], templates[3:], phrases)
    assert trial.faults == ()
    assert not trial.is_whole
    assert "Model texts not available in ar: urgent_plan" in trial.lines()
