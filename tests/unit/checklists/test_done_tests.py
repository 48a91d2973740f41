"""Each done-test that a program can check: what passes, and what is found, with its place."""

import datetime as dt
from typing import Any
from uuid import UUID

import pytest

from tests.factories.templates import (
    DOOR,
    ILENA,
    LANTERN,
    NPM,
    OREN,
    PARTIES,
    PETRA,
    SAMIRA,
    a_column,
    a_field,
    a_sheet,
    a_table,
    around,
    item_of,
)
from tracker.checklist_templates.checks import CheckName
from tracker.checklists.rules import done_tests
from tracker.checklists.rules.facts import Surroundings
from tracker.checklists.rules.values import Problem

LEVELS = [
    {"value": option, "label": option.capitalize()} for option in ("first", "second", "third")
]


def problems_in(
    fields: list[dict[str, Any]],
    check: dict[str, Any],
    values: dict[str, Any],
    surroundings: Surroundings | None = None,
    authors: tuple[UUID, ...] = (),
) -> list[Problem]:
    item = item_of(*fields, done={"checks": [check]})
    sheet = a_sheet(authors=authors)
    return list(done_tests.problems(item, values, surroundings or around(), sheet))


def words(problems: list[Problem]) -> list[str]:
    return [str(problem.message) for problem in problems]


def places(problems: list[Problem]) -> list[tuple[str, int | None, str | None]]:
    return [(problem.field, problem.row, problem.column) for problem in problems]


def test_every_check_of_the_schema_has_its_test() -> None:
    assert set(done_tests.TESTS) == set(CheckName)


ROWS = [a_table("t", a_column("a"))]


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([{"a": "x"}], ["T: add rows, at least 2."]),
        ([{"a": "x"}, {}, {"a": ""}], ["T: add rows, at least 2."]),
        ([{"a": "x"}, {"a": "y"}], []),
    ],
)
def test_min_rows_counts_rows_that_hold_something(
    rows: list[dict[str, Any]], expected: list[str]
) -> None:
    assert (
        words(problems_in(ROWS, {"check": "min_rows", "field": "t", "n": 2}, {"t": rows}))
        == expected
    )


PARTY_ROWS = [a_table("t", a_column("from", "party"), a_column("a"))]


def test_row_per_party_names_each_party_without_a_row() -> None:
    check = {"check": "row_per_party", "field": "t", "column": "from"}
    rows = [{"from": str(DOOR), "a": "x"}, {"from": str(DOOR)}, {"a": "x"}]
    assert words(problems_in(PARTY_ROWS, check, {"t": rows})) == [
        "Add a row for People's Advocate.",
        "Add a row for Lantern.",
    ]
    rows = [{"from": str(party.organisation_id), "a": "x"} for party in PARTIES]
    assert problems_in(PARTY_ROWS, check, {"t": rows}) == []


def test_row_per_cso_names_each_cso_without_a_row_and_no_npm() -> None:
    check = {"check": "row_per_cso", "field": "t", "column": "from"}
    values = {"t": [{"from": str(DOOR)}]}
    assert words(problems_in(PARTY_ROWS, check, values)) == ["Add a row for Lantern."]
    values["t"].append({"from": str(LANTERN)})
    assert problems_in(PARTY_ROWS, check, values) == []


def test_row_per_party_names_the_table_of_several() -> None:
    fields = [*PARTY_ROWS, a_table("other", a_column("from", "party"))]
    for key, label in (("t", "T"), ("other", "Other")):
        check = {"check": "row_per_cso", "field": key, "column": "from"}
        assert words(problems_in(fields, check, {key: [{"from": str(DOOR)}]})) == [
            f"Add a row for Lantern under “{label}”."
        ]


def test_row_per_party_requires_a_row_for_a_new_party() -> None:
    check = {"check": "row_per_party", "field": "t", "column": "from"}
    values = {"t": [{"from": str(NPM)}, {"from": str(DOOR)}]}
    assert problems_in(PARTY_ROWS, check, values, around(*PARTIES[:2])) == []
    assert words(problems_in(PARTY_ROWS, check, values)) == ["Add a row for Lantern."]


def test_row_per_team_member_says_how_many_lack_one() -> None:
    fields = [a_table("t", a_column("person", "person"), a_column("role"))]
    check = {"check": "row_per_team_member", "field": "t", "column": "person"}
    team = around(team=frozenset({ILENA, OREN, SAMIRA}))
    rows = [{"person": str(ILENA), "role": "Lead"}]
    assert words(problems_in(fields, check, {"t": rows}, team)) == [
        "A row is missing for 2 of the team."
    ]
    rows += [{"person": str(OREN)}, {"person": str(SAMIRA)}, {"person": str(PETRA)}]
    assert problems_in(fields, check, {"t": rows}, team) == []
    assert problems_in(fields, check, {"t": rows[:1]}, around()) == []


def test_values_covered_names_each_value_without_a_row() -> None:
    fields = [a_table("t", a_column("level", "choice", options=LEVELS))]
    check = {
        "check": "values_covered",
        "field": "t",
        "column": "level",
        "values": ["first", "third"],
    }
    assert words(problems_in(fields, check, {"t": [{"level": "second"}]})) == [
        "A row is missing for: First",
        "A row is missing for: Third",
    ]
    assert problems_in(fields, check, {"t": [{"level": "third"}, {"level": "first"}]}) == []


DATES = [a_field(key, "date", required=False) for key in ("start", "review", "end")]
IN_ORDER = {"check": "dates_in_order", "fields": ["start", "review", "end"]}


@pytest.mark.parametrize(
    ("start", "review", "end", "expected"),
    [
        ("2026-01-01", "2026-06-01", "2027-01-01", []),
        ("2026-06-01", "2026-01-01", "2027-01-01", ["Review must be later than Start."]),
        ("2026-01-01", "2027-01-01", "2026-06-01", ["End must be later than Review."]),
        ("2026-01-01", "2026-01-01", "2026-06-01", ["Review must be later than Start."]),
        ("2027-01-01", None, "2026-01-01", ["End must be later than Start."]),
        ("2026-01-01", None, "2027-01-01", []),
        (None, None, "2027-01-01", []),
        (None, None, None, []),
        (
            "2028-01-01",
            "2027-01-01",
            "2026-01-01",
            ["Review must be later than Start.", "End must be later than Review."],
        ),
    ],
)
def test_dates_come_one_after_the_other_and_empty_ones_are_passed_over(
    start: str | None, review: str | None, end: str | None, expected: list[str]
) -> None:
    values = {"start": start, "review": review, "end": end}
    given = {key: value for key, value in values.items() if value}
    assert words(problems_in(DATES, IN_ORDER, given)) == expected
    assert words(problems_in(DATES, IN_ORDER, values)) == expected


def test_the_later_date_is_the_one_to_mend() -> None:
    values = {"start": "2026-06-01", "end": "2026-01-01"}
    assert places(problems_in(DATES, IN_ORDER, values)) == [("end", None, None)]


DUE = [a_table("t", a_column("due", "date"), a_column("part"))]
AFTER = {"check": "dates_after_visit", "field": "t", "column": "due"}


def test_dates_after_the_visit_are_later_than_its_last_day() -> None:
    rows = [{"due": "2026-03-01"}, {"part": "x"}, {"due": "2026-03-02"}, {"due": "2026-03-03"}]
    visit = around(visit_starts_on=dt.date(2026, 3, 1), visit_ends_on=dt.date(2026, 3, 2))
    problems = problems_in(DUE, AFTER, {"t": rows}, visit)
    assert places(problems) == [("t", 0, "due"), ("t", 2, "due")]
    assert words(problems[:1]) == ["This date must be after the visit."]
    assert problems_in(DUE, AFTER, {"t": rows}, around()) == []


PEOPLE = [a_field(key, "person", required=False) for key in ("lead", "deputy", "stand_in")]


@pytest.mark.parametrize(
    ("lead", "deputy", "stand_in", "differ"),
    [
        (ILENA, OREN, SAMIRA, True),
        (ILENA, ILENA, SAMIRA, False),
        (ILENA, OREN, ILENA, False),
        (ILENA, None, ILENA, False),
        (None, ILENA, ILENA, False),
        (ILENA, None, OREN, True),
        (ILENA, None, None, True),
        (None, None, None, True),
    ],
)
def test_persons_are_different_ones(
    lead: UUID | None, deputy: UUID | None, stand_in: UUID | None, differ: bool
) -> None:
    keys = ("lead", "deputy", "stand_in")
    values = {
        key: str(user_id)
        for key, user_id in zip(keys, (lead, deputy, stand_in), strict=True)
        if user_id
    }
    check = {"check": "distinct_persons", "fields": list(keys)}
    assert words(problems_in(PEOPLE, check, values)) == (
        [] if differ else ["Name different people."]
    )


def test_a_small_npm_may_name_a_person_twice_with_a_reason() -> None:
    fields = [*PEOPLE, a_field("why", required=False)]
    check = {"check": "distinct_persons", "fields": ["lead", "deputy", "stand_in"], "unless": "why"}
    twice = {"lead": str(ILENA), "deputy": str(ILENA), "stand_in": str(OREN)}
    assert words(problems_in(fields, check, twice)) == [
        "Name different people, or give the reason: Why"
    ]
    assert problems_in(fields, check, twice | {"why": "We are two."}) == []


def test_an_npm_with_as_many_people_as_places_names_different_people_whatever_the_reason() -> None:
    fields = [*PEOPLE, a_field("why", required=False)]
    check = {"check": "distinct_persons", "fields": ["lead", "deputy"], "unless": "why"}
    twice = dict.fromkeys(("lead", "deputy"), str(ILENA))
    assert words(problems_in(fields, check, twice)) == ["Name different people."]
    problems = problems_in(fields, check, twice | {"why": "It's easier."})
    assert places(problems) == [("why", None, None)]
    assert "fewer people of the NPM with an account" in str(problems[0].message)


SMALL_NPM_CHECK = {"check": "distinct_persons", "fields": ["lead", "deputy"], "unless": "why"}
ONE_WITH_A_REASON = {"lead": str(ILENA), "deputy": str(ILENA), "why": "I am the only one."}


def test_people_of_the_npm_without_an_account_hold_no_place_that_others_hold_with_a_reason() -> (
    None
):
    """A driver on paper makes a small NPM no larger."""
    fields = [*PEOPLE, a_field("why", required=False)]
    with_driver = around(without_account=frozenset({OREN}))
    assert problems_in(fields, SMALL_NPM_CHECK, ONE_WITH_A_REASON, with_driver) == []
    assert problems_in(fields, SMALL_NPM_CHECK, ONE_WITH_A_REASON) != []


@pytest.mark.parametrize(
    ("reopened", "is_judged"),
    [(None, True), (frozenset(), False), (frozenset({"M2"}), False), (frozenset({"M1"}), True)],
)
def test_a_reason_that_all_signed_goes_on_counting_until_its_item_is_amended(
    reopened: frozenset[str] | None, *, is_judged: bool
) -> None:
    """The NPM may have grown since."""
    fields = [*PEOPLE, a_field("why", required=False)]
    problems = problems_in(fields, SMALL_NPM_CHECK, ONE_WITH_A_REASON, around(reopened=reopened))
    assert places(problems) == ([("why", None, None)] if is_judged else [])


@pytest.mark.parametrize(
    ("person", "allowed"), [(ILENA, True), (OREN, True), (PETRA, False), (SAMIRA, False)]
)
def test_persons_of_the_npm_are_its_own_and_no_outside_experts(person: UUID, allowed: bool) -> None:
    """E02: an outside expert is neither member nor staff."""
    expected = [] if allowed else ["This must be a person of the NPM."]
    lead_check = {"check": "persons_of_npm", "field": "lead"}
    assert words(problems_in(PEOPLE, lead_check, {"lead": str(person)})) == expected
    several = {"check": "persons_of_npm", "fields": ["lead", "deputy"]}
    assert words(problems_in(PEOPLE, several, {"deputy": str(person)})) == expected
    table = [a_table("t", a_column("who", "person"))]
    check = {"check": "persons_of_npm", "field": "t", "column": "who"}
    rows = {"t": [{"who": str(ILENA)}, {}, {"who": str(person)}]}
    problems = problems_in(table, check, rows)
    assert words(problems) == expected
    assert places(problems) == ([] if allowed else [("t", 2, "who")])


def test_each_of_several_persons_is_looked_at() -> None:
    fields = [a_field("readers", "persons")]
    check = {"check": "persons_of_npm", "field": "readers"}
    values = {"readers": [str(ILENA), str(SAMIRA), str(PETRA)]}
    assert len(problems_in(fields, check, values)) == 2
    assert problems_in(fields, check, {"readers": [str(ILENA), str(OREN)]}) == []


def test_who_wrote_an_answer_is_no_second_reader() -> None:
    """product.md, section 2: the second reader wrote no answer of that checklist."""
    check = {"check": "wrote_no_answer", "field": "lead"}
    values = {"lead": str(OREN)}
    assert problems_in(PEOPLE, check, values, authors=(ILENA, SAMIRA)) == []
    assert words(problems_in(PEOPLE, check, values, authors=(OREN,))) == [
        "This person wrote an answer in this checklist. Name somebody who didn't."
    ]


def test_where_everybody_of_the_npm_wrote_one_of_them_reads() -> None:
    """Its head confirms with a reason; policy.can_review says that it is the head."""
    check = {"check": "wrote_no_answer", "field": "lead"}
    assert problems_in(PEOPLE, check, {"lead": str(OREN)}, authors=(ILENA, OREN, SAMIRA)) == []
    # An administrator is never the second reader, so doesn't count as somebody else.
    around_ = around(non_readers=frozenset({ILENA}))
    assert problems_in(PEOPLE, check, {"lead": str(OREN)}, around_, authors=(OREN,)) == []
    # Nor is she named while somebody else could read.
    assert words(problems_in(PEOPLE, check, {"lead": str(ILENA)}, around_)) == [
        "Name somebody who has an account and doesn't administer this instance."
    ]


@pytest.mark.parametrize(("number", "enough"), [(0, False), (4, False), (5, True), (50, True)])
def test_a_number_is_at_least_so_much(number: int, enough: bool) -> None:
    check = {"check": "number_at_least", "field": "years", "n": 5}
    problems = problems_in([a_field("years", "number")], check, {"years": number})
    assert words(problems) == ([] if enough else ["This must be at least 5."])


EACH_WAY = [a_table("t", a_column("from", "party")), a_field("one_way_reason", required=False)]


@pytest.mark.parametrize(
    ("parties", "both"),
    [
        ((NPM, DOOR), True),
        ((LANTERN, NPM), True),
        ((NPM,), False),
        ((DOOR, LANTERN), False),
    ],
)
def test_there_is_a_row_each_way_or_a_reason_why_not(parties: tuple[UUID, ...], both: bool) -> None:
    rows = [{"from": str(party)} for party in parties]
    plain = {"check": "row_each_way", "field": "t", "column": "from"}
    assert bool(problems_in(EACH_WAY, plain, {"t": rows})) is not both
    unless = plain | {"unless": "one_way_reason"}
    problems = problems_in(EACH_WAY, unless, {"t": rows})
    assert bool(problems) is not both
    assert all("or a reason why not: One_way_reason" in message for message in words(problems))
    assert problems_in(EACH_WAY, unless, {"t": rows, "one_way_reason": "Nothing to tell yet"}) == []


def test_a_check_on_fields_of_another_answer_is_passed_over() -> None:
    """Each party's own answer is judged without the shared one, and the other way round."""
    item = item_of(
        a_field("years", "number"),
        a_field("own", "number", sets="each_party", accepts="none"),
        done={"checks": [{"check": "number_at_least", "field": "years", "n": 5}]},
    )
    sheet = a_sheet()
    assert list(done_tests.problems(item, {"own": 1}, around(), sheet)) == []
    assert len(list(done_tests.problems(item, {"years": 1}, around(), sheet))) == 1


def test_what_may_stay_empty_is_not_tested_when_it_is() -> None:
    fields = [a_table("t", a_column("a"), required=False)]
    check = {"check": "min_rows", "field": "t", "n": 2}
    assert problems_in(fields, check, {}) == []
    assert problems_in(fields, check, {"t": []}) == []
    assert problems_in(fields, check, {"t": [{"a": ""}]}) == []
