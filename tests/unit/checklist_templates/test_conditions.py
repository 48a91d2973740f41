"""Conditions in three states: true, false, not known yet."""

from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import TypeAdapter

from tracker.checklist_templates.conditions import (
    Condition,
    Truth,
    answers_asked,
    evaluate,
)
from tracker.cooperations.models import Mode

TRUE, FALSE, UNKNOWN = Truth.TRUE, Truth.FALSE, Truth.NOT_KNOWN
VISIT = {"modes": ["VISIT"]}
PROJECT = {"modes": ["PROJ"]}
ASKED = {"item": "M9", "field": "access", "in": ["possible", "certain"]}
# The value of each if only VISIT is chosen and M9 is not answered.
OF = {TRUE: VISIT, FALSE: PROJECT, UNKNOWN: ASKED}


def condition(content: object) -> Condition:
    parsed: Condition = TypeAdapter[Any](Condition).validate_python(content)
    return parsed


def truth(
    content: object, *, answer: object = None, questions: dict[str, str] | None = None
) -> Truth:
    return evaluate(
        condition(content),
        modes=frozenset({Mode.VISIT}),
        questions=questions or {},
        value_of=lambda item, key: answer if (item, key) == ("M9", "access") else None,
    )


def test_no_condition_always_holds() -> None:
    assert evaluate(None, modes=frozenset(), questions={}, value_of=lambda _i, _k: None) is TRUE


@pytest.mark.parametrize(
    ("modes", "expected"),
    [
        (["VISIT"], TRUE),
        (["PROJ", "VISIT"], TRUE),
        (["PROJ"], FALSE),
        (["PROJ", "OMB_PLUS"], FALSE),
    ],
)
def test_any_of_the_modes_is_enough(modes: list[str], expected: Truth) -> None:
    assert truth({"modes": modes}) is expected


@pytest.mark.parametrize(
    ("questions", "expected"),
    [
        ({"personal_data": "yes"}, TRUE),
        ({"personal_data": "not_known"}, TRUE),
        ({}, TRUE),
        ({"personal_data": "no"}, FALSE),
        ({"consent_hard": "no"}, TRUE),
    ],
)
def test_an_unknown_answer_counts_as_yes(questions: dict[str, str], expected: Truth) -> None:
    """product.md, section 3."""
    assert truth({"question": "personal_data"}, questions=questions) is expected


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (None, UNKNOWN),
        ("", UNKNOWN),
        ([], UNKNOWN),
        ("possible", TRUE),
        ("certain", TRUE),
        ("no", FALSE),
        ("POSSIBLE", FALSE),
        (["no", "certain"], TRUE),
        (["no"], FALSE),
        (["possible", "certain"], TRUE),
    ],
)
def test_an_answer_has_one_of_the_values_or_is_not_there_yet(
    answer: object, expected: Truth
) -> None:
    assert truth(ASKED, answer=answer) is expected


@pytest.mark.parametrize(
    ("one_side", "other_side", "any_of", "all_of"),
    [
        (TRUE, TRUE, TRUE, TRUE),
        (TRUE, FALSE, TRUE, FALSE),
        (TRUE, UNKNOWN, TRUE, UNKNOWN),
        (FALSE, FALSE, FALSE, FALSE),
        (FALSE, UNKNOWN, UNKNOWN, FALSE),
        (UNKNOWN, UNKNOWN, UNKNOWN, UNKNOWN),
    ],
)
def test_conditions_join_as_three_states_do(
    one_side: Truth, other_side: Truth, any_of: Truth, all_of: Truth
) -> None:
    for first, second in ((one_side, other_side), (other_side, one_side)):
        assert truth({"any": [OF[first], OF[second]]}) is any_of
        assert truth({"all": [OF[first], OF[second]]}) is all_of


@pytest.mark.parametrize(("value", "other"), [(TRUE, FALSE), (FALSE, TRUE), (UNKNOWN, UNKNOWN)])
def test_the_negation_of_unknown_is_unknown(value: Truth, other: Truth) -> None:
    assert truth({"not": OF[value]}) is other


CONTENT = st.recursive(
    st.sampled_from([VISIT, PROJECT, ASKED, {"question": "personal_data"}]),
    lambda part: (
        st.lists(part, min_size=1, max_size=3).map(lambda parts: {"any": parts})
        | st.lists(part, min_size=1, max_size=3).map(lambda parts: {"all": parts})
        | part.map(lambda part: {"not": part})
    ),
    max_leaves=8,
)
ANSWERS = ("possible", "no")


@given(CONTENT)
def test_a_known_result_stays_whatever_is_answered_later(content: object) -> None:
    """A condition that is decided before an answer is given can't change because of it."""
    before = truth(content)
    after = {truth(content, answer=answer) for answer in ANSWERS}
    assert UNKNOWN not in after
    if before is not UNKNOWN:
        assert after == {before}


@given(CONTENT, st.sampled_from([None, *ANSWERS]))
def test_not_turns_any_into_all_of_the_opposites(content: object, answer: object) -> None:
    negated = truth({"not": content}, answer=answer)
    assert truth({"not": {"not": content}}, answer=answer) is truth(content, answer=answer)
    assert (negated is UNKNOWN) == (truth(content, answer=answer) is UNKNOWN)


def test_all_answers_that_a_condition_looks_at_are_found() -> None:
    parts = [{"not": ASKED}, {"all": [VISIT, {"any": [ASKED | {"item": "M2"}, PROJECT]}]}]
    questions = answers_asked(condition({"any": parts}))
    assert [question.item for question in questions] == ["M9", "M2"]
    assert answers_asked(None) == []
    assert answers_asked(condition(VISIT)) == []


@pytest.mark.parametrize(
    "content",
    [
        {},
        {"modes": []},
        {"modes": ["SAIL"]},
        {"question": "weather"},
        {"item": "M9", "field": "access"},
        {"item": "M9", "field": "access", "in": []},
        {"item": "X9", "field": "access", "in": ["a"]},
        {"any": []},
        {"all": [{}]},
        {"not": None},
        {"modes": ["VISIT"], "question": "personal_data"},
    ],
)
def test_an_invalid_condition_is_refused(content: object) -> None:
    with pytest.raises(ValueError, match="validation error"):
        condition(content)


def test_every_pair_of_states_joins_to_one_state() -> None:
    for first, second in product(Truth, repeat=2):
        assert truth({"any": [OF[first], OF[second]]}) in Truth
