"""Every cell of the table of domain.md, section 3, and that the strictest wins."""

import itertools

import pytest

from tracker.cooperations.models import Knowledge, Mode
from tracker.cooperations.modes import (
    COLUMNS,
    CONFIDENTIALITY,
    MATRIX,
    MODE_HINTS,
    MODE_LABELS,
    QUESTION_LABELS,
    STANDING_PLAN,
    TERMS,
    VISIT_PLAN,
    VISIT_ROLES,
    Column,
    Level,
    Question,
    can_have_visits,
    questions_behind,
    requirement,
    requirements,
)
from tracker.core.paths import CONTENT

R, RECOMMENDED, NONE = Level.REQUIRED, Level.RECOMMENDED, Level.NOT_APPLICABLE
YES = {question.value: Knowledge.YES.value for question in Question}
NO = {question.value: Knowledge.NO.value for question in Question}
NOT_KNOWN = {question.value: Knowledge.NOT_KNOWN.value for question in Question}

# mode: (level, questions) of terms, confidentiality, visit roles, standing plan, plan of a visit.
# With questions the level applies unless all are answered no: then the checklist isn't needed.
Q = Question
Row = list[tuple[Level, tuple[Question, ...]]]
EITHER = (Q.NPM_PASSES_RESTRICTED, Q.CSO_PASSES_RESTRICTED)
TABLE: dict[Mode, Row] = {
    Mode.INFO_A: [
        (RECOMMENDED, ()),
        (R, (Q.NPM_PASSES_RESTRICTED,)),
        (NONE, ()),
        (RECOMMENDED, EITHER),
        (NONE, ()),
    ],
    Mode.INFO_F: [
        (R, ()),
        (R, (Q.NPM_PASSES_RESTRICTED,)),
        (NONE, ()),
        (RECOMMENDED, EITHER),
        (NONE, ()),
    ],
    Mode.SUPP: [
        (RECOMMENDED, ()),
        (R, (Q.UNPUBLISHED_SHARED,)),
        (NONE, ()),
        (NONE, ()),
        (NONE, ()),
    ],
    Mode.CAP: [
        (RECOMMENDED, ()),
        (R, (Q.REAL_CASES_IN_TRAINING,)),
        (NONE, ()),
        (NONE, ()),
        (NONE, ()),
    ],
    Mode.EXP: [
        (R, ()),
        (R, ()),
        (R, (Q.EXPERT_ON_VISIT,)),
        (NONE, ()),
        (R, (Q.EXPERT_ON_VISIT,)),
    ],
    Mode.PROJ: [
        (R, ()),
        (R, (Q.UNPUBLISHED_SHARED,)),
        (NONE, ()),
        (RECOMMENDED, ()),
        (NONE, ()),
    ],
    Mode.ADV: [(RECOMMENDED, ()), (R, (Q.UNPUBLISHED_SHARED,)), (NONE, ()), (NONE, ()), (NONE, ())],
    Mode.VISIT: [(R, ()), (R, ()), (R, ()), (NONE, ()), (R, ())],
    Mode.ADVIS: [
        (R, ()),
        (R, (Q.MEMBERS_SEE_UNPUBLISHED, Q.MEMBERS_ON_VISITS)),
        (R, (Q.MEMBERS_ON_VISITS,)),
        (RECOMMENDED, ()),
        (R, (Q.MEMBERS_ON_VISITS,)),
    ],
    Mode.OMB_PLUS: [(R, ()), (R, ()), (R, ()), (R, ()), (R, ())],
    Mode.COAL: [
        (RECOMMENDED, ()),
        (R, (Q.UNPUBLISHED_SHARED,)),
        (NONE, ()),
        (NONE, ()),
        (NONE, ()),
    ],
    Mode.PROT: [(R, ()), (R, (Q.NAMED_CASE_DISCUSSED,)), (NONE, ()), (RECOMMENDED, ()), (NONE, ())],
}
CELLS = [
    pytest.param(mode, column, level, questions, id="-".join((mode, *column)))
    for mode, row in TABLE.items()
    for column, (level, questions) in zip(COLUMNS, row, strict=True)
]


@pytest.mark.parametrize(("mode", "column", "level", "questions"), CELLS)
def test_a_cell_of_the_table_holds(
    mode: Mode, column: Column, level: Level, questions: tuple[Question, ...]
) -> None:
    for answers in (YES, NOT_KNOWN, {}):
        assert requirement(column, [mode], answers).level is level
    expected = NONE if questions else level
    assert requirement(column, [mode], NO).level is expected


@pytest.mark.parametrize(("mode", "column", "level", "questions"), CELLS)
def test_only_the_questions_of_the_cell_decide_and_one_yes_is_enough(
    mode: Mode, column: Column, level: Level, questions: tuple[Question, ...]
) -> None:
    for question in questions or (None,):
        others = {key: value for key, value in NO.items() if key != (question and question.value)}
        assert requirement(column, [mode], others).level is level


def test_every_mode_has_its_row_and_its_words() -> None:
    assert set(TABLE) == set(MATRIX) == set(MODE_LABELS) == set(MODE_HINTS) == set(Mode)
    assert set(QUESTION_LABELS) == set(Question)


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(Mode, 2)))
def test_of_two_modes_the_stricter_wins(first: Mode, second: Mode) -> None:
    strength = [NONE, RECOMMENDED, R]
    for column, answers in itertools.product(COLUMNS, (YES, NO)):
        alone = [requirement(column, [mode], answers).level for mode in (first, second)]
        strictest = max(alone, key=strength.index)
        assert requirement(column, [first, second], answers).level is strictest


def test_without_a_mode_only_the_terms_are_recommended() -> None:
    levels = [needed.level for needed in requirements([], {})]
    assert levels == [RECOMMENDED, NONE, NONE, NONE, NONE]


def test_m9_possible_or_certain_requires_confidentiality() -> None:
    for answer in ("possible", "certain"):
        result = requirement(CONFIDENTIALITY, [Mode.SUPP], NO, m9=answer)
        assert result.level is R
        assert result.per_person
        assert "sensitive information" in str(result.reason)
    for weaker in ("none", None):
        assert requirement(CONFIDENTIALITY, [Mode.SUPP], NO, m9=weaker).level is NONE


def test_m9_none_does_not_weaken_what_a_mode_requires() -> None:
    assert requirement(CONFIDENTIALITY, [Mode.VISIT], NO, m9="none").level is R


def test_m9_changes_no_other_checklist() -> None:
    for column in (TERMS, VISIT_ROLES, STANDING_PLAN, VISIT_PLAN):
        with_m9 = requirement(column, [Mode.SUPP], NO, m9="certain")
        assert with_m9 == requirement(column, [Mode.SUPP], NO)


def test_each_person_signs_where_the_table_says_so() -> None:
    per_person = {mode for mode in Mode if requirement(CONFIDENTIALITY, [mode], YES).per_person}
    assert per_person == {Mode.EXP, Mode.VISIT, Mode.OMB_PLUS}


def test_the_plan_of_a_visit_does_not_make_a_standing_plan_required() -> None:
    modes = [Mode.VISIT, Mode.INFO_F]
    assert requirement(VISIT_PLAN, modes, NOT_KNOWN).level is R
    assert requirement(STANDING_PLAN, modes, NOT_KNOWN).level is RECOMMENDED
    assert requirement(STANDING_PLAN, [Mode.VISIT], NOT_KNOWN).level is NONE


def test_only_ombudsman_plus_requires_a_standing_plan() -> None:
    requiring = [mode for mode in Mode if requirement(STANDING_PLAN, [mode], YES).level is R]
    assert requiring == [Mode.OMB_PLUS]
    assert requirement(VISIT_PLAN, requiring, NO).level is R


def test_public_material_both_ways_needs_neither_checklist_2_nor_4() -> None:
    for mode in (Mode.INFO_A, Mode.INFO_F):
        assert requirement(CONFIDENTIALITY, [mode], NO).level is NONE
        assert requirement(STANDING_PLAN, [mode], NO).level is NONE


def test_what_a_partner_alone_passes_needs_no_checklist_2_but_a_way_to_raise_the_alarm() -> None:
    answers = {**NO, Q.CSO_PASSES_RESTRICTED.value: "yes"}
    for mode in (Mode.INFO_A, Mode.INFO_F):
        assert requirement(CONFIDENTIALITY, [mode], answers).level is NONE
        assert requirement(STANDING_PLAN, [mode], answers).level is RECOMMENDED


def test_a_cooperation_opened_before_the_question_existed_keeps_its_plan() -> None:
    answers = {key: value for key, value in NO.items() if key != Q.CSO_PASSES_RESTRICTED.value}
    assert requirement(STANDING_PLAN, [Mode.INFO_F], answers).level is RECOMMENDED


@pytest.mark.parametrize("answer", [None, "yes", "not_known", "no"])
@pytest.mark.parametrize("mode", Mode)
def test_visits_can_be_planned_wherever_roles_are_required(mode: Mode, answer: str | None) -> None:
    answers = {} if answer is None else dict.fromkeys(NO, answer)
    always = {Mode.VISIT, Mode.OMB_PLUS}
    asked_about = {Mode.EXP, Mode.ADVIS} if answer != "no" else set()
    assert can_have_visits([mode], answers) is (mode in always | asked_about)


def test_the_weightiest_mode_gives_the_reason() -> None:
    result = requirement(TERMS, [Mode.INFO_F, Mode.VISIT, Mode.PROJ], NO)
    assert result.mode is Mode.VISIT
    assert result.passage == "settling-terms/joint-visits"


def test_a_sure_reason_is_given_before_an_open_question() -> None:
    answers = {**NOT_KNOWN, Q.NPM_PASSES_RESTRICTED.value: "yes"}
    result = requirement(CONFIDENTIALITY, [Mode.PROJ, Mode.INFO_F], answers)
    assert result.mode is Mode.INFO_F


def test_the_reason_says_when_a_question_is_open() -> None:
    result = requirement(CONFIDENTIALITY, [Mode.PROJ], NOT_KNOWN)
    assert "known yet" in str(result.reason)
    assert "known yet" not in str(requirement(CONFIDENTIALITY, [Mode.PROJ], YES).reason)


def test_every_reason_is_one_sentence() -> None:
    for mode, answers in itertools.product(Mode, (YES, NO, NOT_KNOWN)):
        for needed in requirements([mode], answers, m9="possible"):
            words = str(needed.reason)
            assert words.endswith(".")
            assert ". " not in words


def test_every_passage_named_is_in_the_guidance() -> None:
    guidance = CONTENT / "guidance" / "en"
    for mode, answers in itertools.product([*Mode, None], (YES, NO)):
        for needed in requirements([mode] if mode else [], answers, m9="certain"):
            article, _slash, passage = needed.passage.partition("/")
            assert f"{{#{passage} " in (guidance / f"{article}.md").read_text()


def test_the_questions_belong_to_the_modes() -> None:
    assert questions_behind([]) == []
    assert questions_behind([Mode.CAP]) == [Q.REAL_CASES_IN_TRAINING, Q.PERSONAL_DATA]
    assert questions_behind([Mode.VISIT]) == [Q.PERSONAL_DATA, Q.CONSENT_HARD]
    assert questions_behind([Mode.INFO_A]) == [*EITHER, Q.PERSONAL_DATA]
    assert Q.CONSENT_HARD in questions_behind([Mode.ADVIS])
    assert questions_behind([Mode.ADVIS, Mode.EXP]) == [
        Q.EXPERT_ON_VISIT,
        Q.MEMBERS_SEE_UNPUBLISHED,
        Q.MEMBERS_ON_VISITS,
        Q.PERSONAL_DATA,
        Q.CONSENT_HARD,
    ]
