"""Risky phrases: found as whole words, without case and accents, and never blocking.

In one file: the rules for writing a phrase, and what each finds.
"""

import re
import shutil
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.effort import tries
from tests.factories.templates import a_column, a_field, a_table, item_of
from tests.services import alone
from tests.stopwatch import measured
from tests.unit.checklist_templates import ordinary_wordings
from tracker.checklist_templates import risky_phrases
from tracker.checklist_templates.risky_phrases import Entry, Names, PhraseList, WhoDecides
from tracker.core.mistakes import ContentError
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


def test_forms_that_go_on_in_few_or_in_many_ways_are_found() -> None:
    few = tuple("abcdefgh")
    many = (*few, "i")
    assert len(few) == risky_phrases.FEW_WAYS
    forms = [f"{first} ... {last}|{last}{last}" for first in ("few", "many") for last in few]
    phrases = a_list(an_entry("ways", *forms, "many ... i|ii", "many ... i nothing"))
    texts = [f"{first} x {last}{last}" for first in ("few", "many") for last in many]
    texts += ["many x i nothing"]
    phrases_in_texts = [phrase for hit in words(*texts, of=phrases) for phrase in hit]
    assert phrases_in_texts == [text for text in texts if text != "few x ii"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Publication needs approval.", ["approval"]),
        ("APPROVAL of the board", ["APPROVAL"]),
        ("(approval)", ["approval"]),
        # The longer phrase counts, and counts once.
        ("The prior approval of the CSO", ["prior approval"]),
        ("The Prior\n  approval of the CSO", ["Prior approval"]),
        ("prior approval, and approval again", ["prior approval", "approval"]),
        # Accents and hyphens don't matter.
        ("reserve for the party", ["reserve"]),
        ("after a sign off", ["sign off"]),
        # Only whole words, and nothing between those of one phrase.
        ("disapproval; approvals", []),
        ("It is prior. Approval follows", ["Approval"]),
        ("no signs offered", []),
        ("", []),
    ],
)
def test_whole_words_are_found(text: str, expected: list[str]) -> None:
    assert [phrase for phrases in words(text) for phrase in phrases] == expected


GAPS = a_list(
    an_entry("jointly", "visit|visits ... jointly|together"),
    an_entry("without", "not visit ... without"),
    an_entry("approval", "approval"),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Visits take place jointly.", [("Visits take place jointly",)]),
        ("A visit, together", [("visit, together",)]),
        ("visits a b c d e jointly", [("visits a b c d e jointly",)]),
        ("visits a b c d e f jointly", []),
        # A gap does not reach into the next sentence or line.
        ("We visit. Jointly we report", []),
        ("We visit\njointly", []),
        ("It shall not visit any place without us", [("not visit any place without",)]),
        ("It does not, visit without", [("not, visit without",)]),
    ],
)
def test_a_few_words_may_stand_where_a_form_has_a_gap(
    text: str, expected: list[tuple[str, ...]]
) -> None:
    assert words(text, of=GAPS) == expected


CLOSE = PhraseList.model_validate(
    {
        "language": "en",
        "groups": {"state": "ministry|court", "who": "<state>|partner"},
        "breaks": "npm|that",
        "hints": [an_entry("decides", "<who> .. decides .. visits|places")],
    }
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The ministry decides on visits.", ["ministry decides on visits"]),
        ("The partner alone decides which places", ["partner alone decides which places"]),
        ("The partner hears what the NPM decides on visits.", []),
        ("The court decides that visits end.", []),
        # A word that ends a gap may be what is looked for.
        ("The NPM decides, and the court decides on places.", ["court decides on places"]),
    ],
)
def test_a_close_gap_does_not_reach_across_somebody_else(text: str, expected: list[str]) -> None:
    assert [phrase for phrases in words(text, of=CLOSE) for phrase in phrases] == expected


@pytest.mark.parametrize(
    "text", ["told the ministry before", "Before, a ministry was told", "ministry told before"]
)
def test_words_in_braces_are_found_in_any_order(text: str) -> None:
    listed = a_list(an_entry("notice", "{ministry told before}"))
    assert words(text, of=listed)
    assert words("A ministry was told", of=listed) == []


@pytest.mark.parametrize(
    ("form", "mistake"),
    [
        ("... visits", "stands between words"),
        (".. visits", "stands between words"),
        ("visits ...", "stands between words"),
        ("can't|cannot visit", "can't|cannot is not one word or another"),
        ("...", "no word to look for"),
    ],
)
def test_a_form_that_can_not_be_looked_for_is_refused(form: str, mistake: str) -> None:
    with pytest.raises(ValueError, match=re.escape(mistake)):
        a_list(an_entry("phrase", form))


def test_a_phrase_that_overlaps_a_harmless_one_is_not_reported() -> None:
    listed = PhraseList.model_validate(
        {
            "language": "en",
            "hints": [an_entry("approval", "approval")],
            "harmless": ["needs no ... approval"],
        }
    )
    assert words("It needs no prior approval.", of=listed) == []
    assert words("It needs no stamp. Approval follows.", of=listed) == [("Approval",)]


PROTECTIVE = PhraseList.model_validate(
    {
        "language": "en",
        "groups": {"who": "npm|person"},
        "hints": [an_entry("approval", "approval")],
        "protective": ["approval of the <who>", "approval if ... agrees"],
        "others": ["and the", "and of"],
        "own": ["and the <who>"],
    }
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("with the approval of the NPM", []),
        ("with the approval of the NPM and the ministry", ["approval"]),
        ("with the approval of the person concerned and of others", ["approval"]),
        ("with the approval of the NPM and the person", []),
        ("with the approval of the NPM and the person and the ministry", []),
        ("with the approval of the NPM and informs it", []),
        ("with the approval of the NPM. And the ministry is told", []),
        ("approval if the person agrees", []),
        ("approval if the board and the person agrees", ["approval"]),
    ],
)
def test_a_protective_phrase_is_not_harmless_once_it_names_others(
    text: str, expected: list[str]
) -> None:
    assert [phrase for phrases in words(text, of=PROTECTIVE) for phrase in phrases] == expected


def test_a_group_that_is_not_there_is_refused() -> None:
    with pytest.raises(ValueError, match="there is no group what"):
        PhraseList.model_validate(
            {"language": "en", "groups": {"who": "npm"}, "hints": [an_entry("a", "<what> agrees")]}
        )


NAMES = Names(
    npm=("Office of the People's Advocate", "مكتب الدفاع"),
    partner=("Open Door Legal Aid", "Open Door", "بيت الحرية"),
    body=("Foundation X",),
)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Open Door must agree before it is published.", ["Open Door must agree before"]),
        ("It waits for the Open Door Legal Aid.", ["waits for the Open Door Legal Aid"]),
        ("The consent of Open Door is needed.", ["consent of Open Door"]),
        ("Foundation X decides.", ["Foundation X decides"]),
        ("Not before OPEN-DOOR agrees", []),
        ("The open door leads to the yard.", []),
        # The NPM's own name says that the NPM decides.
        ("The approval of the Office of the People's Advocate", []),
        ("The Office of the People's Advocate may postpone a visit.", []),
        ("The approval of the Office of the People's Advocate and Open Door", ["approval"]),
        ("يجب أن توافق بيت الحرية", ["يجب أن توافق بيت الحرية"]),
        ("دون موافقة مكتب الدفاع", []),
        ("دون موافقة مكتب الدفاع وبيت الحرية", ["موافقة"]),
    ],
)
def test_parties_and_bodies_are_recognised_by_their_names(text: str, expected: list[str]) -> None:
    hints = risky_phrases.hints([text], NAMES)
    assert [phrase for hint in hints for phrase in hint.words] == expected


def test_a_hint_stays_answered_when_a_name_is_recognised() -> None:
    text = "Open Door decides nothing, and visits take place jointly."
    (named,) = risky_phrases.hints([text], NAMES)
    (plain,) = risky_phrases.hints([text])
    assert named.matched == plain.matched


def test_a_listed_body_that_is_typed_where_somebody_decides_is_one_hint() -> None:
    (hint,) = risky_phrases.hints([WhoDecides("Foundation X")], NAMES)
    assert hint.phrase == "outside_body"
    assert risky_phrases.hints([WhoDecides("Open Door's coordinator")], NAMES) == ()


def test_a_hint_is_about_the_sentences_its_words_are_in() -> None:
    def matched(*texts: str) -> str:
        (hint,) = risky_phrases.found_in(texts, [GAPS])
        return hint.matched

    about = matched("Visits take place jointly. We meet on Monday.")
    assert matched("visits take place  JOINTLY!\nWe meet on Friday.") == about
    assert matched("Some visits take place jointly.") != about
    assert matched("Visits take place jointly.", "A visit together.") != about


def test_each_kind_of_phrase_is_reported_once_as_written() -> None:
    assert words("A veto.", "Approval, VETO, approval.") == [("veto",), ("Approval",)]


def test_vowel_signs_and_forms_of_arabic_letters_do_not_count() -> None:
    listed = a_list(an_entry("approval", "بالموافقة المسبقة"), language="ar")
    assert words("تنشر بالموافقةِ المُسبقة للشريك", of=listed) == [("بالموافقةِ المُسبقة",)]


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("ستوافق الوزارة", "توافق"),
        ("وسيوافق الشريك", "يوافق"),
        ("بعد أن يقبله الطرفان", "يقبل"),
        ("بزياراتها", "زيارات"),
        ("تؤجل زيارتهم", "زيارة"),
    ],
)
def test_arabic_words_are_found_with_what_is_written_together_with_them(
    text: str, form: str
) -> None:
    assert words(text, of=a_list(an_entry("phrase", form), language="ar"))


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


ALL_LISTS = [file.phrases for file in risky_phrases.read(CONTENT)]
WORDS_OF_FORMS = sorted(
    {
        word
        for phrases in ALL_LISTS
        for entry in phrases.hints
        for form in entry.forms
        for steps in risky_phrases.orders_of(form)
        for step in steps
        for word in step.words
    }
)


class _LooksEverywhere(PhraseList):
    """Phrases that are looked for in every text, whatever words it has."""

    def may_be_in(self, text: object, forms: object) -> bool:
        return True


EVERY_WAY = {
    phrases.language: _LooksEverywhere.model_validate(phrases.model_dump()) for phrases in ALL_LISTS
}


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["", "\u0648", "\u0628\u0627\u0644", "\u0627\u0644"]),
            st.sampled_from(WORDS_OF_FORMS),
            st.sampled_from([" ", "-", ", ", ". ", " the ", "\n"]),
        ),
        max_size=12,
    ),
    st.sampled_from(ALL_LISTS),
)
def test_no_text_with_a_phrase_is_passed_over(
    parts: list[tuple[str, str, str]], phrases: PhraseList
) -> None:
    text = "".join("".join(part) for part in parts)
    every_way = EVERY_WAY[phrases.language]
    assert risky_phrases.found_in([text], [phrases]) == risky_phrases.found_in([text], [every_way])


@given(st.text(max_size=80))
def test_any_text_can_be_looked_through(text: str) -> None:
    for hint in risky_phrases.hints([text]):
        assert hint.words


@pytest.mark.parametrize("between", [". ", ".” ", "?) ", "…! ", "\n", "؟ ", ".\u00a0"])
def test_a_sentence_ends_at_a_sign_before_a_space_or_at_a_new_line(between: str) -> None:
    text = risky_phrases._Text(f"Approval{between}of others")
    assert text.sentence == [0, 1, 1]


@pytest.mark.parametrize("between", [" ", ".", "...", " .", "._ ", "-", ", "])
def test_a_sentence_goes_on_at_anything_else(between: str) -> None:
    text = risky_phrases._Text(f"Approval{between}of others")
    assert set(text.sentence) == {0}


@pytest.mark.parametrize(
    "text",
    ["approval" + "." * 4_900 + "x", "veto " * 990, "approval of the npm and Open Door " * 150],
)
def test_a_table_of_long_answers_costs_no_more_than_its_length(text: str) -> None:
    """Each save searches all cells, while others wait."""
    cells = tries(30, 90)
    with measured() as taken:
        assert risky_phrases.hints((f"{text} {cell}" for cell in range(cells)), NAMES)
    assert taken.seconds < cells / 30


class _Counted(list[Any]):
    """The words of a text in their forms, with how often any of them was compared."""

    reads = 0

    def __getitem__(self, place: Any) -> Any:
        _Counted.reads += 1
        return super().__getitem__(place)


def comparisons(monkeypatch: pytest.MonkeyPatch, text: str, *lists: PhraseList) -> int:
    """Return how often words of a text are compared while phrases are searched for."""

    def forms(text: risky_phrases._Text) -> _Counted:
        if "counted" not in text.__dict__:
            text.__dict__["counted"] = _Counted(
                risky_phrases._forms_of(word.folded) for word in text.words
            )
        counted: _Counted = text.__dict__["counted"]
        return counted

    monkeypatch.setattr(risky_phrases._Text, "forms", property(forms))
    _Counted.reads = 0
    assert risky_phrases.found_in([WhoDecides(text)], lists)
    return _Counted.reads


def test_however_many_forms_begin_alike_their_beginning_is_compared_once(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    text = "only with the consent " * 100 + "only with the consent of body1"
    few, many = (
        a_list(*(an_entry(f"k{n}", f"only with the consent of body{n}") for n in range(count)))
        for count in (3, 300)
    )
    assert comparisons(monkeypatch, text, many) == comparisons(monkeypatch, text, few)


def beginnings(phrases: PhraseList) -> list[str]:
    """Return the first words of most forms, after a whole phrase so that all are searched for."""
    first = [
        steps[0] for entry in phrases.hints for form in entry.forms
        for steps in risky_phrases.orders_of(form)
    ]  # fmt: skip
    counts = Counter(word for step in first for word in step.words)
    return [word for word, _count in counts.most_common(12)]


@pytest.mark.parametrize("phrases", ALL_LISTS, ids=lambda phrases: phrases.language)
@pytest.mark.parametrize("between", [" ", ", ", ". "])
def test_a_text_of_beginnings_costs_a_few_comparisons_a_word(
    monkeypatch: pytest.MonkeyPatch, phrases: PhraseList, between: str
) -> None:
    """Somebody could fill an answer with words that begin many phrases."""
    some = beginnings(phrases)
    phrase = next(form for entry in phrases.hints for form in entry.forms if "|" not in form)
    length = 3_000 // len(some)
    text = between.join([phrase.replace("...", "").replace("..", ""), *(some * length)])
    assert comparisons(monkeypatch, text, phrases) < 100 * len(text.split())


@pytest.mark.parametrize("phrases", ALL_LISTS, ids=lambda phrases: phrases.language)
def test_twice_the_text_takes_twice_the_comparisons(
    monkeypatch: pytest.MonkeyPatch, phrases: PhraseList
) -> None:
    language = phrases.language
    sentences = ordinary_wordings.LIMITING[language] + ordinary_wordings.HARMLESS[language]
    # One long sentence, in which gaps reach across all words.
    text = " ".join(re.sub(r"[.!?;؟؛]", "", sentence) for sentence in sentences) + " "
    once, twice = (comparisons(monkeypatch, text * times, phrases) for times in (2, 4))
    assert twice < 2.1 * once


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("between", [". ", " "])
def test_a_long_answer_costs_no_more_than_its_length(language: str, between: str) -> None:
    sentences = ordinary_wordings.LIMITING[language] + ordinary_wordings.HARMLESS[language]
    text = between.join(sentence.rstrip(".") for sentence in sentences) + between
    length = tries(100_000, 300_000)
    with measured() as taken:
        assert risky_phrases.hints([text * (length // len(text))], NAMES)
    assert taken.seconds < length / 100_000


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


def test_a_body_is_looked_for_only_where_it_is_typed_who_decides() -> None:
    item = item_of(
        a_field("words"),
        a_field("decider", "line", names_who=True),
        a_table("rows", a_column("note"), a_column("clears", names_who=True)),
    )
    body = "Warden of the prison"
    for values, words in (
        ({"words": body, "rows": [{"note": body}]}, []),
        ({"decider": body}, [("Warden",)]),
        ({"rows": [{"clears": body}]}, [("Warden",)]),
        ({"decider": "Cleared by the warden"}, [("Cleared by the warden",)]),
        ({"decider": "Coordinator of the NPM"}, []),
    ):
        texts = risky_phrases.texts_of(item.fields, values)
        assert [hint.words for hint in risky_phrases.hints(texts)] == words


def test_only_a_typed_field_can_name_who_decides() -> None:
    with pytest.raises(ValueError, match="can't hold any"):
        item_of(a_field("day", "date", names_who=True))


# As content files


@pytest.mark.parametrize(
    "text",
    [
        "Ministry of Justice",
        "the Minister",
        "Police headquarters",
        "State prosecutor's office",
        "The donor",
        "Prison director",
        "Head of the prison administration",
        "An investigating judge",
        "Director of prisons",
        "Directorate of Prisons",
        "Correctional Service",
        "Health inspectorate",
        "وزارة العدل",
        "مدير السجن",
        "الشرطة",
        "النيابة العامة",
        "الجهة المانحة",
        "مصلحة السجون",
        "مديرية السجون",
        "رئيس النيابة",
        "المفتشية العامة",
        "ضابط السجن",
    ],
)
def test_a_typed_body_outside_the_cooperation_raises_a_hint(text: str) -> None:
    (hint,) = risky_phrases.hints([WhoDecides(text)])
    assert hint.phrase == "outside_body"
    assert risky_phrases.hints([text]) == ()


# The same bodies in both languages, as people type them.
OUTSIDE_BODIES = {
    "The ministry of health": "وزارة الصحة",
    "The police": "الشرطة",
    "The public prosecutor": "الادعاء العام",
    "The attorney general": "النائب العام",
    "The court": "المحكمة",
    "The judiciary": "القضاء",
    "An investigating magistrate": "قاضي التحقيق",
    "Parliament": "البرلمان",
    "The national assembly": "مجلس النواب",
    "The cabinet of ministers": "مجلس الوزراء",
    "The president of the republic": "رئاسة الجمهورية",
    "The governor": "المحافظ",
    "The mayor": "رئيس البلدية",
    "The embassy": "السفارة",
    "National Security Service": "جهاز الأمن الوطني",
    "The intelligence agency": "المخابرات",
    "The army": "الجيش",
    "The gendarmerie": "الدرك",
    "Border guards": "حرس الحدود",
    "The security agencies": "أجهزة الأمن",
    "The federal office for migration": "دائرة الهجرة",
    "The health service": "وزارة الصحة",
    "The immigration office": "مكتب الهجرة",
    "Prisons Commissioner": "مدير عام السجون",
    "The prison administration": "إدارة السجن",
    "The warden": "مأمور السجن",
    "The head of the detention centre": "رئيس مركز الاحتجاز",
    "The director of the detention facility": "مديرة دار التوقيف",
    "The commander of the barracks": "قائد الثكنة",
    "The director of the psychiatric clinic": "مدير العيادة النفسية",
    "The hospital director": "مدير المستشفى",
    "The donor": "الجهة المانحة",
    "The funders": "الممولون",
    "The European Union": "الاتحاد الأوروبي",
    "The delegation of the EU": "بعثة الاتحاد الأوروبي",
    "The European Commission": "المفوضية الأوروبية",
    "The Council of Europe": "مجلس أوروبا",
    "The African Union": "الاتحاد الأفريقي",
    "The League of Arab States": "جامعة الدول العربية",
    "The Organization of American States": "منظمة الدول الأمريكية",
    "The OSCE": "منظمة الأمن والتعاون في أوروبا",
    "The president's office": "مكتب الرئيس",
    "Office of the President": "ديوان الرئاسة",
    "The presidential administration": "الديوان الرئاسي",
    "The Prime Minister's Office": "مكتب رئيس الوزراء",
    "The royal cabinet": "الديوان الملكي",
    "Director of Northgate prison": "مدير سجن البوابة الشمالية",
    "The head of Stara Luka remand prison": "رئيسة سجن البوابة الشمالية",
    "Northgate prison's director": "إدارة سجن البوابة الشمالية",
    "Chief of Northgate police station": "قائد مخفر البوابة الشمالية",
    "The manager of Northgate detention centre": "مدير مركز البوابة للاحتجاز",
    "The director of Northgate psychiatric hospital": "مديرة مستشفى البوابة للأمراض النفسية",
}


@pytest.mark.parametrize("english", OUTSIDE_BODIES)
def test_an_outside_body_is_recognised_in_both_languages(english: str) -> None:
    for text in (english, OUTSIDE_BODIES[english]):
        (hint,) = risky_phrases.hints([WhoDecides(text)])
        assert hint.phrase == "outside_body", text
        assert risky_phrases.hints([text]) == (), text


@pytest.mark.parametrize(
    "text",
    [
        "Head of prevention",
        "The partners' directors",
        "nobody",
        "Head of the team for visits to places of detention",
        "The national director of the association",
        "Head of the secretariat",
        "Head of the unit",
        "The regional office of the association",
        "The director of the NPM's office",
        "The board of governors",
        "The general assembly of the association",
        "The security officer of the NPM",
        "The director of the NPM",
        "The NPM's director",
        "President of the association",
        "The president",
        "The association's president's office",
        "The office of the president of the association",
        "Head of the delegation",
        "Head of the delegation to Northgate prison",
        "The leader of our team at Northgate prison",
        "The head of monitoring for Northgate prison",
        "The director of Northgate Legal Aid",
        "The coordinator of the EU-funded project",
        "The European network of NPMs",
        "The teachers' union",
        "مدير الآلية",
        "رئيس الجمعية",
        "رئيس الوفد",
        "رئيس الوفد إلى سجن البوابة الشمالية",
        "مكتب رئيس الجمعية",
        "مكتب الرئيس التنفيذي",
        "منسق المشروع الممول من الاتحاد الأوروبي",
        "اتحاد المحامين",
        "رئيس الآلية",
        "منسقة الشريك",
        "قائد الفريق",
        "نائب رئيس الآلية",
        "مسؤول المحافظة على السرية",
        "إلى من تختاره الآلية",
        "رئاسة الآلية",
    ],
)
def test_people_of_the_parties_raise_no_hint_where_they_decide(text: str) -> None:
    assert risky_phrases.hints([WhoDecides(text)]) == ()


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


@pytest.mark.parametrize(
    "text",
    [
        # What our own guidance calls dangerous (settling-terms/independence).
        "Visits take place jointly.",
        "The report appears once both parties agree.",
        # And what limits an NPM in real agreements.
        "VISITS TAKE PLACE JOINTLY",
        "All visits are carried out together with the partner.",
        "Places are visited only together.",
        "The report appears once both agree",
        "The report is published when all parties have agreed on it.",
        "The findings are final once all sides accept them.",
        "The ministry receives the list of places a week before.",
        "The list of places is sent to the Ministry of Justice a week in advance.",
        "The NPM informs the prison administration two days before each visit.",
        "The authorities are told of each visit 48 hours ahead.",
        "The programme of visits is agreed with the ministry.",
        "The ministry is informed of the places one week in advance.",
        "We always visit together.",
        "The NPM shall not visit without a member of the partner.",
        "The NPM shall not visit any place without the partner",
        "The NPM cannot visit without the CSO.",
        "The NPM can't visit alone.",
        "We won't visit without each other.",
        "Both must agree before it is published.",
        "The association must agree before anything is published.",
        "The list of places goes to the ministry a week before.",
        "Neither side may visit alone.",
        "No visit takes place unless the partner is present.",
        "The partner must agree before it is published.",
        "The CSO has to approve the text.",
        "The report shall not be published without the partners.",
        "Nothing is made public until the donor agrees.",
        "The report is sent to the ministry, which may object to its publication.",
        "The donor decides which places are visited.",
        "The prosecutor's office may postpone a visit.",
        "Publication is subject to the consent of the ministry.",
        "The findings are adopted by both parties.",
        "The NPM needs the approval of the warden.",
        # Contact with the bodies of OPCAT, which nobody restricts.
        "Contact with the SPT goes through the ministry.",
        "No member contacts the SPT without the agreement of the head.",
        "Letters to the Subcommittee on Prevention of Torture are sent only once both agree.",
        # Where words that protect somebody go on with somebody else.
        "The report is not published without the approval of the NPM and the Ministry of Justice.",
        "Nothing is published without consent of the person concerned and of the prison service.",
        "Nothing is published unless the NPM and the ministry agree.",
        "Nothing is published without the ministry's and the NPM's approval.",
        "Nothing is published without the consent of the authorities concerned.",
        "No visit takes place unless the NPM and the partner agree.",
        "Visits need the prior approval of the NPM and the police.",
        # Said the other way round, or in other words.
        "Two weeks before each visit, the ministry is informed.",
        "The ministry is told of each visit a week earlier.",
        "The prison service receives the dates two weeks ahead.",
        "The places are chosen by the partner.",
        "The programme is fixed by the NPM and the partner.",
        "The draft goes to the ministry for clearance.",
        "Publication needs the green light of the ministry.",
        "The ministry has the last word on the report.",
        "Both parties sign off the findings.",
        "The director has to be asked first.",
        "The NPM asks the director first before it enters.",
        "The NPM waits for the reply of the ministry before it publishes.",
        "No report leaves the NPM before the ministry has answered.",
        "The NPM publishes only what the partner has accepted.",
        "The report will be published jointly.",
        "We visit together or not at all.",
        "The NPM does not go without the partner.",
        "The partner may hold back the report.",
        "The Ministry of Justice has to accept each change.",
        "Always, and it has to agree.",
        "The donor agrees to each visit beforehand.",
        "The partner agrees before publication.",
        "The parties agree in writing before the report is published.",
        "Before it appears in print, the partner consents.",
        "Both parties decide together which places are visited.",
        "The partner decides together with the NPM which places are visited.",
        "The visits are announced to the warden in advance.",
        "The NPM announces its visits to the governor two days before.",
        "The NPM announces its visits two days ahead to the governor.",
        "The attorney general chooses the places.",
        "The mayor decides which places are visited.",
        "The NPM waits for the embassy.",
    ],
)
def test_a_sentence_that_can_limit_the_npm_is_found_in_english(text: str) -> None:
    assert risky_phrases.hints([text])


@pytest.mark.parametrize(
    "text",
    [
        "The NPM alone decides whether a report is published.",
        "The NPM decides alone which places it visits, and when.",
        "The NPM may visit alone at any time.",
        "The NPM can always visit without its partners.",
        "The NPM visits with its own people alone whenever it chooses.",
        "The partner proposes experts before the visit.",
        "The briefing is held two days before the visit.",
        "People who go on a visit together meet the day before.",
        "The NPM needs no approval of the ministry.",
        "The NPM does not need anybody's permission to enter a place.",
        "No partner, donor or authority has a veto over the findings.",
        "Nothing is published without the consent of the person concerned.",
        "No name is made public without that person's consent.",
        "The partner publishes nothing of this without the approval of the NPM.",
        "The CSO asks the NPM for prior approval by the NPM.",
        "The partner sees the draft a week before it is published and may comment.",
        "The ministry receives the report once it is published.",
        "The coordinators meet every month and agree on the agenda.",
        "Each party says within a week when something changes.",
        "The partner must keep what it learns to itself.",
        "Each organisation decides for itself which experts it proposes.",
        "We train together and learn from each other.",
        "The NPM may postpone a visit.",
        "The partner publishes nothing without the approval of the NPM and tells it of interviews.",
        "No name is published without the consent of the person concerned and of their family.",
        "The NPM needs no approval of the donor and of the ministry.",
        "The places are chosen by the NPM.",
        "The draft goes to the partner for comments.",
        "The NPM has the last word on the report.",
        "The ministry is informed of the visit on arrival.",
        "The authorities have to answer the recommendations within three months.",
        "The council meets twice a year, and the university hosts a seminar.",
        "The person concerned agrees before publication.",
        "The partner agrees before the briefing who travels with whom.",
        "The partner confirms the names of its experts before the report is published.",
        "Both parties decide together which training takes place.",
        "The partner decides together with the NPM who drives.",
        "Visits are not announced to the warden in advance.",
        "No visit is announced to the warden in advance.",
        "The NPM does not announce its visits to the warden in advance.",
        "The training is announced to the warden in advance.",
        "The results of the visit are announced to the ministry.",
        "Publication does not wait for the partner to agree.",
        "Contact with the SPT and other OPCAT bodies is never restricted.",
        "Everybody may write to the SPT at any time, without asking anybody.",
    ],
)
def test_a_harmless_sentence_is_not_hinted_at_in_english(text: str) -> None:
    assert [hint.words for hint in risky_phrases.hints([text])] == []


@pytest.mark.parametrize(
    "text",
    [
        # In the words of the guidance.
        "تُجرى الزيارات على نحو مشترك",
        "يصدر التقرير متى اتفق الطرفان",
        # With and without vowel signs, forms of the alef, and attached prefixes and suffixes.
        "تجرى الزيارات بشكل مشترك",
        "تتم زياراتنا معا فقط",
        "وتُنفَّذُ الزِّياراتُ المشتركة دون غيرها",
        "ينشر التقرير بعد إتفاق الطرفين",
        "لا يُنشر التقرير قبل موافقة الشريك",
        "تتلقى الوزارة قائمة الأماكن قبل أسبوع",
        "تُبلَّغ السلطات بكل زيارة قبل يومين",
        "لا يجوز للآلية أن تزور أي مكان من دون الشريك",
        "لا تزور الآلية بدون ممثل عن الشريك",
        "لا تجوز الزيارة دون الشريك",
        "لا يزور الفريق أي مكان دون حضور المنظمة",
        "لا تقوم الآلية بالزيارة من دون الشريك",
        "لا تُجرى أي زيارة إلا بحضور الشريك",
        "يجب أن يوافق الشريك قبل النشر",
        "على الوزارة أن توافق على البرنامج",
        "يقرر المانح الأماكن التي تزار",
        "يحق للوزارة تأجيل الزيارة",
        "بموافقه مسبقه من الوزارة",
        "لا ينشر التقرير دون موافقة الآلية والوزارة",
        "لا ينشر شيء دون موافقة صاحبها وإدارة السجن",
        "يصدر التقرير عندما يتفق الطرفان",
        "ينشر التقرير متى اتفق الجانبان",
        "لا ينشر شيء قبل رد الوزارة",
        "قبل أسبوعين من كل زيارة تُبلَّغ الوزارة",
        "تُختار الأماكن من قبل الشريك",
        "ترسل المسودة إلى الوزارة لاعتمادها",
        "تنفذ الزيارات مشتركة.",
        "يوافق الشريك قبل النشر",
        "الشريك يوافق قبل النشر",
        "يقبل الطرفان كتابة قبل أن يصدر التقرير",
        "يقرر الطرفان معا أي الأماكن تزار",
        "يعلن عن الزيارات لمدير السجن مسبقا",
        "يوافق النائب العام على التقرير قبل نشره",
        "يجيز المحافظ الزيارة",
        "يقرر مجلس الوزراء أي الأماكن تزار",
        "لا ينتظر النشر إلا أن يوافق الشريك",
        "لا تتصل الجمعية باللجنة الفرعية لمنع التعذيب إلا بموافقة الآلية",
        "الاتصال باللجنة الفرعية يتم عبر الوزارة",
    ],
)
def test_a_sentence_that_can_limit_the_npm_is_found_in_arabic(text: str) -> None:
    assert risky_phrases.hints([text])


@pytest.mark.parametrize(
    "text",
    [
        "الآلية وحدها تقرر ما إذا كان التقرير ينشر",
        "تقرر الآلية وحدها الأماكن التي تزورها ومتى تزورها",
        "يمكن للآلية أن تزور بأفرادها وحدهم في أي وقت",
        "لا تحتاج الآلية إلى إذن من أحد",
        "ليس لأي شريك حق النقض",
        "لا ينشر شيء دون موافقة صريحة من صاحبها",
        "لا ينشر الشريك شيئا من دون موافقة الآلية",
        "يجتمع المنسقون كل شهر ويتفقون على جدول الأعمال",
        "تعقد جلسة الإحاطة قبل الزيارة بيومين",
        "للآلية أن تؤجل الزيارة",
        "لا ينشر شيء دون موافقة الآلية والشخص المعني",
        "يوافق الشخص المعني قبل النشر",
        "توافق الآلية قبل النشر وتخبر الشريك",
        "يوافق الشريك قبل السفر على ساعة الانطلاق",
        "تتسلم المنظمة التقرير قبل النشر",
        "يقرر الطرفان معا مواعيد اجتماعاتهما",
        "لا تعلن الزيارات لمدير السجن مسبقا",
        "تختار الآلية الأماكن",
        "لا ينتظر النشر أن يوافق الشريك",
        "لا ينتظر نشر التقرير أن توافق الوزارة",
        "الاتصال باللجنة الفرعية لا يُقيَّد أبداً",
        "يجوز لكل شخص أن يتصل في أي وقت باللجنة الفرعية",
    ],
)
def test_a_harmless_sentence_is_not_hinted_at_in_arabic(text: str) -> None:
    assert [hint.words for hint in risky_phrases.hints([text])] == []


MOST_MISSED = 0.1
MOST_FALSE = 2


@pytest.mark.parametrize("language", ["en", "ar"])
def test_ordinary_wordings_that_limit_the_npm_are_found(language: str) -> None:
    sentences = ordinary_wordings.LIMITING[language]
    missed = [sentence for sentence in sentences if not risky_phrases.hints([sentence])]
    assert len(missed) <= MOST_MISSED * len(sentences), missed


@pytest.mark.parametrize("language", ["en", "ar"])
def test_ordinary_wordings_that_limit_nobody_are_not_hinted_at(language: str) -> None:
    sentences = ordinary_wordings.HARMLESS[language]
    false = [sentence for sentence in sentences if risky_phrases.hints([sentence])]
    assert len(false) <= MOST_FALSE, false


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
    """A copy of the shipped phrases that tests may damage."""
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
        ("    statement: S6\n", "    statement: 6\n", "hints.0.statement must be text"),
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
