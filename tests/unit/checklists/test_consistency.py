"""What an answer has to agree with: the team, the days of the visit, and other items.

In one file: cases of one pure function.
"""

import datetime as dt
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest

from tests.factories.templates import (
    DOOR,
    ILENA,
    JOANA,
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
    an_answer,
    around,
    item_of,
)
from tracker.checklists.rules import consistency
from tracker.checklists.rules.consistency import TIES
from tracker.checklists.rules.facts import Sheet, Surroundings
from tracker.checklists.rules.values import Problem
from tracker.cooperations.models import Mode
from tracker.ui.locale import as_date

FIRST, LAST = dt.date(2026, 5, 4), dt.date(2026, 5, 6)
# Of the CSOs only Samira is on the team; Oren is of the NPM and isn't.
VISIT = around(team=frozenset({ILENA, SAMIRA}), visit_starts_on=FIRST, visit_ends_on=LAST)


def problems_in(
    code: str,
    fields: list[dict[str, Any]],
    values: dict[str, Any],
    surroundings: Surroundings = VISIT,
    sheet: Sheet | None = None,
) -> list[Problem]:
    item = item_of(*fields, code=code)
    return list(consistency.problems(item, values, surroundings, sheet or a_sheet()))


def places(problems: list[Problem]) -> list[tuple[str, int | None, str | None]]:
    return [(problem.field, problem.row, problem.column) for problem in problems]


# People


@pytest.mark.parametrize("code", ["V5", "V8", "V9", "V10", "V11", "V12"])
@pytest.mark.parametrize("person", [JOANA, OREN])
def test_whoever_acts_on_site_is_in_the_team(code: str, person: UUID) -> None:
    fields = [a_table("t", a_column("who", "person"), a_column("a")), a_field("p", "person")]
    in_team = {"t": [{"who": str(ILENA), "a": "x"}], "p": str(SAMIRA)}
    assert problems_in(code, fields, in_team) == []
    outside = {"t": [{"who": str(ILENA)}, {"who": str(person)}], "p": str(person)}
    problems = problems_in(code, fields, outside)
    assert places(problems) == [("t", 1, "who"), ("p", None, None)]
    assert str(problems[1].message).startswith("P: choose someone on the team")


def test_a_health_expert_may_report_to_somebody_of_the_npm_outside_the_team() -> None:
    fields = [a_field("expert", "person"), a_field("reports_to", "person")]
    assert problems_in("V11", fields, {"expert": str(ILENA), "reports_to": str(OREN)}) == []
    both = {"expert": str(JOANA), "reports_to": str(PETRA)}
    assert places(problems_in("V11", fields, both)) == [
        ("expert", None, None),
        ("reports_to", None, None),
    ]


def test_only_contacts_at_the_entrance_may_be_outside_the_team() -> None:
    fields = [a_field(key, "person") for key in ("speaker", "stand_in", "at_gate")]
    of_npm = dict.fromkeys(("speaker", "stand_in", "at_gate"), str(OREN))
    assert places(problems_in("V7", fields, of_npm)) == [
        ("speaker", None, None),
        ("stand_in", None, None),
    ]
    assert places(problems_in("V7", fields, {"at_gate": str(JOANA)})) == [("at_gate", None, None)]


def test_authors_are_in_the_team_or_of_the_npm() -> None:
    fields = [
        a_table("parts", a_column("author", "person"), a_column("due", "date")),
        a_field("editor", "person"),
    ]
    rows = [{"author": str(user_id)} for user_id in (SAMIRA, OREN, JOANA)]
    assert places(problems_in("V19", fields, {"parts": rows, "editor": str(JOANA)})) == [
        ("parts", 2, "author"),
        ("editor", None, None),
    ]


def test_reviewers_of_the_report_are_in_the_team_or_of_the_npm() -> None:
    fields = [a_field("reviewer", "person"), a_field("approver", "person")]
    assert problems_in("V19", fields, {"reviewer": str(OREN)}) == []
    assert places(problems_in("V19", fields, {"reviewer": str(JOANA)})) == [
        ("reviewer", None, None)
    ]


def test_sub_leads_are_in_the_team_and_who_appointed_the_lead_may_be_outside_it() -> None:
    fields = [
        a_table("groups", a_column("person", "person"), a_column("group")),
        a_field("appointed_by", "person"),
    ]
    rows = [{"person": str(person)} for person in (SAMIRA, OREN, JOANA)]
    problems = problems_in("V3", fields, {"groups": rows, "appointed_by": str(OREN)})
    assert places(problems) == [("groups", 1, "person"), ("groups", 2, "person")]


@pytest.mark.parametrize(
    ("code", "key"),
    [("V1", "brief_by"), ("V16", "sends_out"), ("V19", "editor"), ("U9", "recorder")],
)
def test_what_the_npm_or_the_team_does_nobody_else_is_named_for(code: str, key: str) -> None:
    fields = [a_field(key, "person")]
    for person in (SAMIRA, OREN):
        assert problems_in(code, fields, {key: str(person)}) == []
    assert places(problems_in(code, fields, {key: str(JOANA)})) == [(key, None, None)]


def test_only_people_of_the_npm_tell_authorities_of_a_visit() -> None:
    fields = [a_table("authorities", a_column("by", "person"), a_column("what"))]
    rows = [{"by": str(OREN)}, {"by": str(SAMIRA)}]
    problems = problems_in("V2", fields, {"announced": "announced", "authorities": rows})
    assert places(problems) == [("authorities", 1, "by")]


def test_the_safety_contact_stays_outside() -> None:
    fields = [a_field("safety_contact", "person")]
    in_team = {"safety_contact": str(SAMIRA)}
    assert places(problems_in("V13", fields, in_team)) == [("safety_contact", None, None)]
    assert problems_in("V13", fields, {"safety_contact": str(JOANA)}) == []
    assert problems_in("V13", fields, {}) == problems_in("V13", fields, in_team, around()) == []


def test_a_complaint_about_the_lead_does_not_go_to_the_lead() -> None:
    fields = [a_field("complaints", "person")]
    sheet = a_sheet(shared={"V3": an_answer({"lead": str(ILENA)})})
    assert places(problems_in("V16", fields, {"complaints": str(ILENA)}, sheet=sheet)) == [
        ("complaints", None, None)
    ]
    agreed = replace(VISIT, reopened=frozenset())
    assert len(problems_in("V16", fields, {"complaints": str(ILENA)}, agreed, sheet)) == 1
    assert problems_in("V16", fields, {"complaints": str(OREN)}, sheet=sheet) == []
    assert problems_in("V16", fields, {"complaints": str(ILENA)}) == []
    assert problems_in("V16", fields, {}, sheet=a_sheet()) == []


CONTACTS = [
    a_table(
        "contacts",
        a_column("party", "party"),
        a_column("coordinator", "person"),
        a_column("deputy", "person"),
    )
]


def rows_of(table: str, column: str, other: str) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    ilena, samira = str(ILENA), str(SAMIRA)
    rows = [{column: ilena, other: samira}, {column: ilena}, {column: samira, other: samira}]
    return [a_table(table, a_column(column, "person"), a_column(other, "person"))], {table: rows}


@pytest.mark.parametrize(
    ("code", "fields", "values", "place"),
    [
        ("V5", *rows_of("roles", "person", "backup"), ("roles", 2, "backup")),
        ("V5", *rows_of("roles", "person", "works_with"), ("roles", 2, "works_with")),
        ("V8", *rows_of("interviews", "interviewer", "pair"), ("interviews", 2, "pair")),
        (
            "V11",
            [a_field("expert", "person"), a_field("reports_to", "person")],
            {"expert": str(ILENA), "reports_to": str(ILENA)},
            ("reports_to", None, None),
        ),
        (
            "V16",
            [a_field("about_member", "persons")],
            {"about_member": [str(SAMIRA), str(ILENA)]},
            ("about_member", None, None),
        ),
        (
            "U17",
            [a_table("levels", a_column("who", "person")), a_field("stand_in", "person")],
            {"levels": [{"who": str(OREN)}, {"who": str(ILENA)}], "stand_in": str(ILENA)},
            ("stand_in", None, None),
        ),
        (
            "M7",
            CONTACTS,
            {
                "contacts": [
                    {"party": str(NPM), "coordinator": str(ILENA), "deputy": str(OREN)},
                    {"party": str(NPM), "coordinator": str(ILENA), "deputy": str(ILENA)},
                ]
            },
            ("contacts", 1, "deputy"),
        ),
    ],
)
def test_nobody_is_named_beside_themselves_except_where_all_agreed_on_it(
    code: str,
    fields: list[dict[str, Any]],
    values: dict[str, Any],
    place: tuple[str, int | None, str | None],
) -> None:
    sheet = a_sheet(shared={"V3": an_answer({"lead": str(ILENA)})})
    for reopened in (None, frozenset({code})):
        here = replace(VISIT, reopened=reopened)
        assert places(problems_in(code, fields, values, here, sheet)) == [place]
    agreed = replace(VISIT, reopened=frozenset({"V1"}))
    assert problems_in(code, fields, values, agreed, sheet) == []


@pytest.mark.parametrize(
    ("code", "fields", "values"),
    [
        ("V16", [a_field("about_member", "persons")], {"about_member": [str(SAMIRA)]}),
        (
            "U17",
            [a_table("levels", a_column("who", "person")), a_field("stand_in", "person")],
            {"levels": [{"who": str(OREN)}], "stand_in": str(SAMIRA)},
        ),
    ],
)
def test_somebody_else_can_be_complained_to_and_can_stand_in(
    code: str, fields: list[dict[str, Any]], values: dict[str, Any]
) -> None:
    sheet = a_sheet(shared={"V3": an_answer({"lead": str(ILENA)})})
    assert problems_in(code, fields, values, sheet=sheet) == []


ROW_EACH = {"checks": [{"check": "row_per_party", "field": "contacts", "column": "party"}]}


@pytest.mark.parametrize(("of_npm", "is_enough"), [({ILENA, OREN}, False), ({ILENA}, True)])
def test_only_a_cso_and_an_npm_body_of_one_person_may_have_no_other_deputy(
    of_npm: set[UUID], *, is_enough: bool
) -> None:
    rows = [
        {"party": str(party), "coordinator": str(person), "deputy": str(person)}
        for party, person in ((DOOR, SAMIRA), (NPM, ILENA))
    ]
    # An expert from outside is nobody who could stand in.
    here = replace(VISIT, people_of={NPM: frozenset({*of_npm, PETRA}), DOOR: frozenset({SAMIRA})})
    problems = problems_in("M7", CONTACTS, {"contacts": rows}, here)
    assert places(problems) == ([] if is_enough else [("contacts", 1, "deputy")])


@pytest.mark.parametrize("code", ["M1", "M7", "M15"])
def test_a_partys_row_names_only_people_who_take_part_for_it(code: str) -> None:
    item = item_of(*CONTACTS, code=code, done=ROW_EACH)
    rows = [
        {"party": str(NPM), "coordinator": str(ILENA), "deputy": str(SAMIRA)},
        {"party": str(DOOR), "coordinator": str(SAMIRA), "deputy": str(SAMIRA)},
        # Somebody may take part for two parties.
        {"party": str(LANTERN), "coordinator": str(JOANA), "deputy": str(SAMIRA)},
        # Somebody who has left, a party that has, and a row that isn't filled in yet.
        {"party": str(LANTERN), "coordinator": str(UUID(int=77))},
        {"party": str(UUID(int=78)), "coordinator": str(ILENA)},
        {"coordinator": str(ILENA)},
    ]
    here = around(people_of={LANTERN: frozenset({JOANA, SAMIRA})})
    wrong = list(consistency.problems(item, {"contacts": rows}, here, a_sheet()))
    assert places(wrong) == [("contacts", 0, "deputy")]
    assert wrong[0].person == SAMIRA
    assert str(wrong[0].message) == ("Deputy: choose someone who takes part for People's Advocate.")


@pytest.mark.parametrize("ground", ["consent", "law", "unnamed", None])
def test_raw_notes_leave_the_cooperation_by_consent_or_by_law_only(ground: str | None) -> None:
    fields = [a_table("raw_notes_to", a_column("receiver"), a_column("ground"))]
    rows = [{"receiver": body, "ground": ground} for body in ("cso", "ministry", None)]
    expected = [("raw_notes_to", 1, "ground")] if ground == "unnamed" else []
    assert places(problems_in("V19", fields, {"raw_notes_to": rows})) == expected


def test_who_decides_on_an_urgent_case_is_of_the_npm_in_a_standing_plan_too() -> None:
    fields = [a_field("on_site", "person"), a_field("stand_in", "person")]
    values = {"on_site": str(OREN), "stand_in": str(SAMIRA)}
    for surroundings in (VISIT, around()):
        assert places(problems_in("U3", fields, values, surroundings)) == [("stand_in", None, None)]


def test_without_a_team_nobody_is_outside_it() -> None:
    assert problems_in("V12", [a_field("p", "person")], {"p": str(JOANA)}, around()) == []


def test_a_party_in_a_row_of_people_is_no_person() -> None:
    fields = [a_table("t", a_column("who", "person"), a_column("for", "party"))]
    assert problems_in("V5", fields, {"t": [{"who": str(ILENA), "for": str(DOOR)}]}) == []


# Days


@pytest.mark.parametrize(
    ("briefing", "debriefing", "expected"),
    [
        (FIRST, LAST, []),
        (FIRST - dt.timedelta(days=3), LAST + dt.timedelta(days=1), []),
        (FIRST + dt.timedelta(days=1), LAST, ["briefing"]),
        (FIRST, LAST - dt.timedelta(days=1), ["debriefing"]),
        (None, None, []),
    ],
)
def test_briefing_and_debriefing_fit_the_days_of_the_visit(
    briefing: dt.date | None, debriefing: dt.date | None, expected: list[str]
) -> None:
    fields = [a_field("briefing", "date"), a_field("debriefing", "date")]
    days = {"briefing": briefing, "debriefing": debriefing}
    values = {key: day.isoformat() for key, day in days.items() if day}
    assert [problem.field for problem in problems_in("V18", fields, values)] == expected


@pytest.mark.parametrize(
    ("days", "today", "is_possible"),
    [
        (1, None, False),
        # Once the visit has begun, somebody may join and the place may change.
        (1, FIRST, True),
        (2, FIRST + dt.timedelta(days=1), True),
        (3, LAST, False),
    ],
)
def test_a_later_briefing_can_be_given_during_the_visit(
    days: int, today: dt.date | None, *, is_possible: bool
) -> None:
    values = {"briefing": (FIRST + dt.timedelta(days=days)).isoformat()}
    running = replace(VISIT, today_in_visit=today)
    problems = problems_in("V18", [a_field("briefing", "date")], values, running)
    assert [problem.field for problem in problems] == ([] if is_possible else ["briefing"])
    last = "first" if today is None else "last"
    assert all(f"on the {last} day of the visit or before" in str(p.message) for p in problems)


@pytest.mark.parametrize(("days", "is_late_enough"), [(0, False), (-1, False), (1, True)])
def test_the_check_for_reprisals_comes_after_the_last_day(
    days: int, *, is_late_enough: bool
) -> None:
    day = LAST + dt.timedelta(days=days)
    problems = problems_in("V15", [a_field("check_on", "date")], {"check_on": day.isoformat()})
    assert places(problems) == ([] if is_late_enough else [("check_on", None, None)])


@pytest.mark.parametrize(
    ("code", "later", "expected"),
    [("V1", 0, ["place_type"]), ("V1", -1, []), ("V1", None, []), ("V2", 0, [])],
)
def test_a_type_of_place_answered_before_the_visit_moved_is_asked_again(
    code: str, later: int | None, expected: list[str]
) -> None:
    answer = an_answer({"place_type": "police"})
    moved_at = None if later is None else answer.saved_at + dt.timedelta(seconds=later)
    item = item_of(a_field("place_type"), code=code)
    wrong = consistency.outdated(item, answer, replace(VISIT, kind_asked_at=moved_at))
    assert [problem.field for problem in wrong] == expected


@pytest.mark.parametrize(("code", "expected"), [("V13", ["credentials"]), ("V1", [])])
def test_letters_of_access_for_another_place_are_asked_again(
    code: str, expected: list[str]
) -> None:
    answer, item = an_answer({}), item_of(a_field("a"), code=code)
    moved = replace(VISIT, place_changed_at=answer.saved_at)
    assert [problem.field for problem in consistency.outdated(item, answer, moved)] == expected


@pytest.mark.parametrize(("code", "key"), [("V11", "independent"), ("V12", "not_from_place")])
@pytest.mark.parametrize(("value", "later"), [(True, 0), (True, -1), (False, 0), (None, 0)])
def test_that_people_are_independent_of_the_place_is_confirmed_again_of_another(
    code: str, key: str, *, value: bool | None, later: int
) -> None:
    answer, item = an_answer({key: value}), item_of(a_field(key), code=code)
    moved_at = answer.saved_at + dt.timedelta(seconds=later)
    moved = replace(VISIT, place_changed_at=moved_at)
    wrong = [problem.field for problem in consistency.outdated(item, answer, moved)]
    assert wrong == ([key] if value and later == 0 else [])
    assert [*consistency.outdated(item, answer, VISIT)] == []


@pytest.mark.parametrize(
    ("days_before_the_move", "saved_after", "expected"),
    [
        (1, False, ["briefing"]),
        (0, False, ["briefing"]),
        (-1, False, []),
        (1, True, ["briefing"]),
        (0, True, []),
        (None, False, []),
    ],
)
def test_a_briefing_from_before_the_place_changed_was_about_another_place(
    days_before_the_move: int | None, *, saved_after: bool, expected: list[str]
) -> None:
    moved_on = FIRST - dt.timedelta(days=20)
    values = {}
    if days_before_the_move is not None:
        values = {"briefing": (moved_on - dt.timedelta(days=days_before_the_move)).isoformat()}
    answer = an_answer(values)
    later = dt.timedelta(seconds=-1 if saved_after else 0)
    moved = replace(VISIT, place_changed_at=answer.saved_at + later, place_changed_on=moved_on)
    item = item_of(a_field("briefing", "date"), code="V18")
    assert [problem.field for problem in consistency.outdated(item, answer, moved)] == expected
    assert [*consistency.outdated(item, answer, VISIT)] == []


@pytest.mark.parametrize(
    ("day", "expected"),
    [(FIRST, []), (FIRST - dt.timedelta(days=9), []), (LAST, ["brief_due"]), (None, [])],
)
def test_the_background_brief_is_ready_when_the_visit_begins(
    day: dt.date | None, expected: list[str]
) -> None:
    values = {"brief_due": day.isoformat()} if day else {}
    problems = problems_in("V1", [a_field("brief_due", "date")], values)
    assert [problem.field for problem in problems] == expected
    assert problems_in("V1", [a_field("brief_due", "date")], values, around()) == []


@pytest.mark.parametrize(
    ("person", "begins", "expected"),
    [
        (SAMIRA, FIRST, []),
        (SAMIRA, FIRST + dt.timedelta(days=1), [("audience", 0, "from")]),
        (SAMIRA, None, []),
        (OREN, FIRST + dt.timedelta(days=1), []),
    ],
)
def test_the_team_may_know_of_a_visit_on_its_first_day(
    person: UUID, begins: dt.date | None, expected: list[tuple[str, int, str]]
) -> None:
    fields = [a_table("audience", a_column("person", "person"), a_column("from", "date"))]
    row = {"person": str(person), "from": begins.isoformat() if begins else ""}
    assert places(problems_in("V2", fields, {"audience": [row]})) == expected
    assert problems_in("V2", fields, {"audience": [row]}, around()) == []


@pytest.mark.parametrize(("days", "is_in_time"), [(0, True), (1, True), (2, False)])
def test_whoever_joins_the_team_during_the_visit_may_know_since_the_day_they_joined(
    days: int, *, is_in_time: bool
) -> None:
    fields = [a_table("audience", a_column("person", "person"), a_column("from", "date"))]
    row = {"person": str(SAMIRA), "from": (FIRST + dt.timedelta(days=days)).isoformat()}
    running = replace(VISIT, today_in_visit=FIRST + dt.timedelta(days=1))
    expected = [] if is_in_time else [("audience", 0, "from")]
    assert places(problems_in("V2", fields, {"audience": [row]}, running)) == expected


TOLD = [a_table("authorities", a_column("what"), a_column("hours", "number"))]


@pytest.mark.parametrize(
    ("announced", "refused"),
    [
        ("unannounced", {"period", "day", "team"}),
        ("period", {"day", "team"}),
        ("announced", set()),
        (None, set()),
    ],
)
def test_no_authority_learns_more_beforehand_than_is_announced(
    announced: str | None, refused: set[str]
) -> None:
    for what in ("visit", "period", "day", "team"):
        rows = [{"what": what, "hours": 24}]
        values = {"announced": announced, "authorities": rows}
        expected = [("authorities", 0, "what")] if what in refused else []
        assert places(problems_in("V2", TOLD, values)) == expected, what
        # What is said at the gate announces nothing in advance.
        at_gate = [{"what": what, "hours": 0}]
        assert problems_in("V2", TOLD, values | {"authorities": at_gate}) == [], what


def test_a_persons_own_term_covers_the_visit() -> None:
    fields = [a_table("team", a_column("person", "person"), a_column("until", "date"))]
    rows = [
        {"person": str(ILENA), "until": LAST.isoformat()},
        {"person": str(SAMIRA), "until": (LAST - dt.timedelta(days=1)).isoformat()},
        {"person": str(OREN)},
    ]
    assert places(problems_in("V4", fields, {"team": rows})) == [("team", 1, "until")]
    assert problems_in("V4", fields, {"team": rows}, around(team=frozenset())) == []


@pytest.mark.parametrize(("rule", "expected"), [(10, []), (9, [0]), (None, [])])
def test_no_part_of_the_report_is_due_later_than_the_standing_rule_allows(
    rule: int | None, expected: list[int]
) -> None:
    fields = [a_table("parts", a_column("due", "date")), a_field("days_after", "number")]
    rows = [{"due": (LAST + dt.timedelta(days=n)).isoformat()} for n in (10, 3)] + [{}]
    values = {"parts": rows, "days_after": rule}
    problems = problems_in("V19", fields, values)
    assert places(problems) == [("parts", n, "due") for n in expected]
    assert problems_in("V19", fields, values, around()) == []


@pytest.mark.parametrize(("days", "is_late_enough"), [(0, False), (1, True)])
def test_a_return_visit_comes_after_the_visit(days: int, *, is_late_enough: bool) -> None:
    values = {"return_on": (LAST + dt.timedelta(days=days)).isoformat()}
    fields = [a_field("return_on", "date")]
    assert places(problems_in("U16", fields, values)) == (
        [] if is_late_enough else [("return_on", None, None)]
    )
    assert problems_in("U16", fields, values, around()) == []
    review = {"review_on": values["return_on"]}
    assert places(problems_in("U18", [a_field("review_on", "date")], review)) == (
        [] if is_late_enough else [("review_on", None, None)]
    )


@pytest.mark.parametrize(("day", "fits"), [(FIRST, True), (FIRST - dt.timedelta(days=1), False)])
@pytest.mark.parametrize(
    ("code", "table", "column"),
    [
        ("U14", "measures", "date"),
        ("U16", "follow_up", "date"),
        ("U16", "recommendations", "reply_by"),
        ("U16", "recommendations", "checked_on"),
    ],
)
def test_nobody_is_protected_and_nothing_followed_up_before_the_visit(
    code: str, table: str, column: str, day: dt.date, fits: bool
) -> None:
    fields = [a_table(table, a_column(column, "date"))]
    values = {table: [{}, {column: day.isoformat()}]}
    assert places(problems_in(code, fields, values)) == ([] if fits else [(table, 1, column)])
    # A standing plan has no days.
    assert problems_in(code, fields, values, around()) == []


# The terms

SCOPE = [
    a_field(
        "in_scope",
        "choices",
        options=[{"value": form, "label": f"Form {form}"} for form in ("VISIT", "EXP", "PROT")],
    )
]


def test_the_forms_in_scope_are_the_ways_of_working_of_the_cooperation() -> None:
    surroundings = around(modes=(Mode.VISIT, Mode.EXP))
    assert problems_in("M3", SCOPE, {"in_scope": ["EXP", "VISIT"]}, surroundings) == []
    problems = problems_in("M3", SCOPE, {"in_scope": ["VISIT", "PROT"]}, surroundings)
    missing, superfluous = (str(problem.message) for problem in problems)
    assert missing.startswith("The cooperation lists “Form EXP” as a way of working.")
    assert superfluous.startswith("“Form PROT” isn't among the cooperation's ways of working.")


@pytest.mark.parametrize(
    ("code", "field", "denial", "mode", "questions", "is_denied"),
    [
        # Nothing sensitive is near.
        ("M9", "access", "none", Mode.VISIT, {}, True),
        ("M9", "access", "none", Mode.OMB_PLUS, {}, True),
        ("M9", "access", "none", Mode.INFO_F, {"npm_passes_restricted": "yes"}, True),
        ("M9", "access", "none", Mode.INFO_F, {"npm_passes_restricted": "not_known"}, False),
        ("M9", "access", "none", Mode.INFO_F, {"npm_passes_restricted": "no"}, False),
        ("M9", "access", "none", Mode.ADV, {}, False),
        ("M9", "access", "possible", Mode.VISIT, {}, False),
        # No personal data is shared.
        ("M16", "shared", "no", Mode.ADV, {"personal_data": "yes"}, True),
        (
            "M16",
            "shared",
            "no",
            Mode.PROT,
            {"personal_data": "no", "named_case_discussed": "yes"},
            True,
        ),
        ("M16", "shared", "no", Mode.ADV, {"personal_data": "not_known"}, False),
        ("M16", "shared", "no", Mode.ADV, {"personal_data": "no"}, False),
        # An answer from before the ways of working changed: nothing asks for it now.
        ("M16", "shared", "no", Mode.ADV, {"named_case_discussed": "yes"}, False),
        ("M16", "shared", "no", Mode.VISIT, {}, False),
        ("M16", "shared", "yes", Mode.ADV, {"personal_data": "yes"}, False),
    ],
)
def test_terms_cannot_deny_what_the_ways_of_working_bring(
    code: str, field: str, denial: str, mode: Mode, questions: dict[str, str], *, is_denied: bool
) -> None:
    here = around(modes=(mode,), questions=questions)
    problems = problems_in(code, [a_field(field, "line")], {field: denial}, here)
    assert places(problems) == ([(field, None, None)] if is_denied else [])


def test_an_answer_without_any_form_is_only_missing() -> None:
    assert problems_in("M3", SCOPE, {}, around(modes=(Mode.VISIT,))) == []


INTERESTS = [
    a_table("interests", a_column("party", "party"), a_column("declares"), a_column("measure"))
]


def of_m1(**answers: bool) -> Sheet:
    rows = [{"party": str(NPM)}, {"party": str(DOOR), **answers}, {"party": str(LANTERN)}]
    return a_sheet(shared={"M1": an_answer({"parties": rows})})


@pytest.mark.parametrize("answer", ["litigates", "represents_persons", "represents_staff"])
def test_a_party_with_an_interest_in_m1_can_not_declare_none(answer: str) -> None:
    rows = [
        {"party": str(NPM), "declares": "none"},
        {"party": str(DOOR), "declares": "none"},
        {"party": str(LANTERN), "declares": "none"},
    ]
    sheet = of_m1(**{answer: True})
    problems = problems_in("M14", INTERESTS, {"interests": rows}, sheet=sheet)
    assert places(problems) == [("interests", 1, "declares")]
    rows[1]["declares"] = "interest"
    assert problems_in("M14", INTERESTS, {"interests": rows}, sheet=sheet) == []


def test_a_party_that_declares_an_interest_does_not_declare_none_as_well() -> None:
    rows = [{"party": str(DOOR), "declares": declared} for declared in ("interest", "none")]
    sheet = of_m1(litigates=True)
    problems = problems_in("M14", INTERESTS, {"interests": rows}, sheet=sheet)
    assert places(problems) == [("interests", 1, "declares")]


@pytest.mark.parametrize("answer", TIES)
def test_what_an_organisation_says_of_itself_is_an_interest_too(answer: str) -> None:
    """S66: its flags feed M14, whatever M1 says."""
    of_itself = tuple(
        replace(party, ties=frozenset({answer})) if party.organisation_id == DOOR else party
        for party in PARTIES
    )
    rows = [{"party": str(party), "declares": "none"} for party in (NPM, DOOR)]
    values, surroundings = {"interests": rows}, around(*of_itself)
    problems = problems_in("M14", INTERESTS, values, surroundings, sheet=of_m1())
    assert places(problems) == [("interests", 1, "declares")]
    assert "as its details say" in str(problems[0].message)
    rows[1]["declares"] = "interest"
    assert problems_in("M14", INTERESTS, values, surroundings, sheet=of_m1()) == []


@pytest.mark.parametrize("sheet", [a_sheet(), of_m1(litigates=False), of_m1()])
def test_a_party_without_one_may_declare_none(sheet: Sheet) -> None:
    rows = [{"party": str(DOOR), "declares": "none"}]
    assert problems_in("M14", INTERESTS, {"interests": rows}, sheet=sheet) == []


# The dates of the cooperation

DATES = [a_field("start", "date"), a_field("review", "date"), a_field("end", "date")]
PLANNED = {
    "start": dt.date(2027, 1, 1),
    "review": dt.date(2027, 7, 1),
    "end": dt.date(2028, 12, 31),
}


def test_dates_as_the_cooperation_says_them_are_right() -> None:
    values = {key: day.isoformat() for key, day in PLANNED.items()}
    assert problems_in("M19", DATES, values, replace(VISIT, planned=PLANNED)) == []


@pytest.mark.parametrize("key", PLANNED)
def test_a_date_other_than_the_cooperations_is_named(key: str) -> None:
    values = {name: day.isoformat() for name, day in PLANNED.items()} | {key: "2030-01-01"}
    problems = problems_in("M19", DATES, values, replace(VISIT, planned=PLANNED))
    assert places(problems) == [(key, None, None)]
    assert as_date(PLANNED[key]) in str(problems[0].message)


def test_a_date_that_only_one_of_them_says_contradicts_nothing() -> None:
    some = replace(VISIT, planned={"start": PLANNED["start"]})
    assert problems_in("M19", DATES, {"end": "2030-01-01"}, some) == []


def test_once_terms_were_in_force_new_dates_may_differ() -> None:
    assert problems_in("M19", DATES, {"start": "2030-01-01"}, VISIT) == []


@pytest.mark.parametrize(
    ("start", "expected"), [("2026-05-04", []), ("2026-05-05", [("start", None, None)])]
)
def test_terms_that_replace_terms_in_force_do_not_start_later_than_today(
    start: str, expected: list[tuple[str, None, None]]
) -> None:
    running = replace(VISIT, latest_start=FIRST)
    assert places(problems_in("M19", DATES, {"start": start}, running)) == expected
    assert problems_in("M19", DATES, {"start": start}) == []


RENEWAL = [a_field("renewal"), a_field("reminder_days", "number")]


@pytest.mark.parametrize(
    ("renewal", "reminder", "notice", "expected"),
    [
        ("automatic", 30, 30, []),
        ("automatic", 30, 31, [("reminder_days", None, None)]),
        ("automatic", 30, None, []),
        ("automatic", None, 31, []),
        ("by_agreement", 30, 90, []),
    ],
)
def test_a_reminder_comes_while_a_party_can_still_say_no_to_a_renewal(
    renewal: str, reminder: int | None, notice: int | None, expected: list[Any]
) -> None:
    answers = {} if notice is None else {"M20": an_answer({"notice_days": notice})}
    values = {"renewal": renewal, "reminder_days": reminder}
    assert places(problems_in("M19", RENEWAL, values, sheet=a_sheet(shared=answers))) == expected
