"""Every cell of the table of domain.md, section 3, and that the strictest wins."""

import itertools

import pytest

from tracker.cooperations.models import ChecklistKind, Knowledge, Mode
from tracker.cooperations.modes import (
    MATRIX,
    MODE_HINTS,
    MODE_LABELS,
    QUESTION_LABELS,
    Level,
    Question,
    questions_behind,
    requirement,
    requirements,
)
from tracker.core.paths import CONTENT

R, RECOMMENDED, NONE = Level.REQUIRED, Level.RECOMMENDED, Level.NOT_APPLICABLE
TERMS, CONFIDENTIALITY, ROLES, PLAN = ChecklistKind
YES = {question.value: Knowledge.YES.value for question in Question}
NO = {question.value: Knowledge.NO.value for question in Question}
NOT_KNOWN = {question.value: Knowledge.NOT_KNOWN.value for question in Question}

# mode: (level, question) of terms, confidentiality, visit roles, urgent plan. With a question the
# level holds on yes and not known, and the checklist is not applicable on no.
Q = Question
Row = list[tuple[Level, Question | None]]
TABLE: dict[Mode, Row] = {
    Mode.INFO_A: [
        (RECOMMENDED, None),
        (R, Q.NPM_PASSES_RESTRICTED),
        (NONE, None),
        (RECOMMENDED, None),
    ],
    Mode.INFO_F: [(R, None), (R, Q.NPM_PASSES_RESTRICTED), (NONE, None), (RECOMMENDED, None)],
    Mode.SUPP: [(RECOMMENDED, None), (R, Q.UNPUBLISHED_SHARED), (NONE, None), (NONE, None)],
    Mode.CAP: [(RECOMMENDED, None), (R, Q.REAL_CASES_IN_TRAINING), (NONE, None), (NONE, None)],
    Mode.EXP: [(R, None), (R, None), (R, Q.EXPERT_ON_VISIT), (R, Q.EXPERT_ON_VISIT)],
    Mode.PROJ: [(R, None), (R, Q.UNPUBLISHED_SHARED), (NONE, None), (RECOMMENDED, None)],
    Mode.ADV: [(RECOMMENDED, None), (R, Q.UNPUBLISHED_SHARED), (NONE, None), (NONE, None)],
    Mode.VISIT: [(R, None), (R, None), (R, None), (R, None)],
    Mode.ADVIS: [
        (R, None),
        (R, Q.MEMBERS_SEE_UNPUBLISHED),
        (R, Q.MEMBERS_ON_VISITS),
        (RECOMMENDED, None),
    ],
    Mode.OMB_PLUS: [(R, None), (R, None), (R, None), (R, None)],
    Mode.COAL: [(RECOMMENDED, None), (R, Q.UNPUBLISHED_SHARED), (NONE, None), (NONE, None)],
    Mode.PROT: [
        (RECOMMENDED, None),
        (R, Q.NAMED_CASE_DISCUSSED),
        (NONE, None),
        (RECOMMENDED, None),
    ],
}
CELLS = [
    pytest.param(mode, kind, level, question, id=f"{mode.value}-{kind.value}")
    for mode, row in TABLE.items()
    for kind, (level, question) in zip(ChecklistKind, row, strict=True)
]


@pytest.mark.parametrize(("mode", "kind", "level", "question"), CELLS)
def test_a_cell_of_the_table_holds(
    mode: Mode, kind: ChecklistKind, level: Level, question: Question | None
) -> None:
    for answers in (YES, NOT_KNOWN, {}):
        assert requirement(kind, [mode], answers).level is level
    expected = NONE if question else level
    assert requirement(kind, [mode], NO).level is expected


@pytest.mark.parametrize(("mode", "kind", "level", "question"), CELLS)
def test_only_the_question_of_the_cell_decides(
    mode: Mode, kind: ChecklistKind, level: Level, question: Question | None
) -> None:
    others = {key: value for key, value in NO.items() if key != (question and question.value)}
    assert requirement(kind, [mode], others).level is level


def test_every_mode_has_its_row_and_its_words() -> None:
    assert set(TABLE) == set(MATRIX) == set(MODE_LABELS) == set(MODE_HINTS) == set(Mode)
    assert set(QUESTION_LABELS) == set(Question)


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(Mode, 2)))
def test_of_two_modes_the_stricter_wins(first: Mode, second: Mode) -> None:
    strength = [NONE, RECOMMENDED, R]
    for kind, answers in itertools.product(ChecklistKind, (YES, NO)):
        alone = [requirement(kind, [mode], answers).level for mode in (first, second)]
        assert requirement(kind, [first, second], answers).level is max(alone, key=strength.index)


def test_without_a_mode_only_the_terms_are_recommended() -> None:
    levels = [requirement.level for requirement in requirements([], {})]
    assert levels == [RECOMMENDED, NONE, NONE, NONE]


def test_m9_possible_or_certain_requires_confidentiality() -> None:
    for answer in ("possible", "certain"):
        result = requirement(CONFIDENTIALITY, [Mode.SUPP], NO, m9=answer)
        assert result.level is R
        assert result.per_person
        assert "M9" in str(result.reason)
    for weaker in ("none", None):
        assert requirement(CONFIDENTIALITY, [Mode.SUPP], NO, m9=weaker).level is NONE


def test_m9_none_does_not_weaken_what_a_mode_requires() -> None:
    assert requirement(CONFIDENTIALITY, [Mode.VISIT], NO, m9="none").level is R


def test_m9_changes_no_other_checklist() -> None:
    for kind in (TERMS, ROLES, PLAN):
        with_m9 = requirement(kind, [Mode.SUPP], NO, m9="certain")
        assert with_m9 == requirement(kind, [Mode.SUPP], NO)


def test_each_person_signs_where_the_table_says_so() -> None:
    per_person = {mode for mode in Mode if requirement(CONFIDENTIALITY, [mode], YES).per_person}
    assert per_person == {Mode.EXP, Mode.VISIT, Mode.OMB_PLUS}


def test_roles_are_agreed_per_visit() -> None:
    for mode in (Mode.EXP, Mode.VISIT, Mode.ADVIS, Mode.OMB_PLUS):
        assert requirement(ROLES, [mode], YES).per_visit


def test_ombudsman_plus_has_a_standing_plan_and_one_per_visit() -> None:
    result = requirement(PLAN, [Mode.OMB_PLUS], NO)
    assert (result.standing, result.per_visit) == (True, True)


def test_a_joint_visit_alone_has_its_plan_per_visit_only() -> None:
    result = requirement(PLAN, [Mode.VISIT], NO)
    assert (result.standing, result.per_visit) == (False, True)


def test_a_recommended_standing_plan_stays_beside_the_plans_of_visits() -> None:
    result = requirement(PLAN, [Mode.VISIT, Mode.INFO_F], NO)
    assert (result.level, result.standing, result.per_visit) == (R, True, True)


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
    assert "not known yet" in str(result.reason)
    assert "not known yet" not in str(requirement(CONFIDENTIALITY, [Mode.PROJ], YES).reason)


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


def test_the_questions_asked_are_those_of_the_modes() -> None:
    assert questions_behind([]) == []
    assert questions_behind([Mode.CAP]) == [Q.REAL_CASES_IN_TRAINING, Q.PERSONAL_DATA]
    assert questions_behind([Mode.VISIT]) == [Q.PERSONAL_DATA, Q.CONSENT_HARD]
    assert questions_behind([Mode.ADVIS, Mode.EXP]) == [
        Q.EXPERT_ON_VISIT,
        Q.MEMBERS_SEE_UNPUBLISHED,
        Q.MEMBERS_ON_VISITS,
        Q.PERSONAL_DATA,
        Q.CONSENT_HARD,
    ]
