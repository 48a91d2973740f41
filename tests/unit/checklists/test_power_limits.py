"""Rules that flag an answer which gives away a power of the NPM (S6, S7)."""

from typing import Any
from uuid import UUID

import pytest

from tests.factories.templates import (
    DOOR,
    ILENA,
    NPM,
    OREN,
    PETRA,
    SAMIRA,
    a_column,
    a_field,
    a_sheet,
    a_table,
    a_template,
    an_answer,
    an_item,
    around,
    item_of,
)
from tracker.checklist_templates import library
from tracker.checklist_templates.schema import Item, Power, Template
from tracker.checklists.rules import power_limits
from tracker.core.paths import CONTENT

MINISTRY = UUID(int=88)
KIND = a_field(
    "kind",
    "choice",
    options=[{"value": "none", "label": "None"}, {"value": "some", "label": "Some"}],
)
MORE = a_field("which", required=False, required_when={"field": "kind", "in": ["some"]})
ROWS = {"fixed": [{"key": "report", "label": "Report"}, {"key": "media", "label": "Media"}]}


def a_limit(**more: Any) -> dict[str, Any]:
    return {
        "key": "gives_away",
        "powers": ["findings"],
        "because": "Another body decides.",
        "statement": "S6",
        "passage": "settling-terms/independence",
    } | more


def met(item: Item, values: dict[str, Any]) -> list[str]:
    return [match.limit.key for match in power_limits.judge(item, values, around())]


def matched(item: Item, values: dict[str, Any]) -> str:
    (match,) = power_limits.judge(item, values, around())
    return match.matched


def deciding(**more: Any) -> Item:
    """Return an item with a table of who decides what."""
    table = a_table("decisions", a_column("decides", "party"), a_column("note", required=False))
    limit = a_limit(column="decides", outside_npm=True, **more)
    return item_of(table | {"rows": {**ROWS, "more": True}, "limits": [limit]})


def row(body: UUID, key: str = "report", **more: str) -> dict[str, str]:
    return {"_row": key, "decides": str(body), **more}


def test_a_value_that_is_looked_for_is_found() -> None:
    item = item_of(KIND | {"limits": [a_limit(**{"in": ["some"]})]})
    assert met(item, {"kind": "some"}) == ["gives_away"]
    assert met(item, {"kind": "none"}) == []
    assert met(item, {}) == []


def test_one_of_several_choices_is_enough() -> None:
    several = {**KIND, "type": "choices", "limits": [a_limit(**{"in": ["some"]})]}
    assert met(item_of(several), {"kind": ["none", "some"]}) == ["gives_away"]
    assert met(item_of(several), {"kind": ["none"]}) == []


def test_a_choice_that_must_not_be_missing_is_missed_once_something_is_chosen() -> None:
    several = {**KIND, "type": "choices", "limits": [a_limit(without=["some"])]}
    assert met(item_of(several), {"kind": ["none"]}) == ["gives_away"]
    for chosen in (["none", "some"], ["some"], [], None):
        assert met(item_of(several), {"kind": chosen}) == [], chosen


def test_a_box_that_is_not_ticked_can_be_looked_for() -> None:
    item = item_of(a_field("decides", "confirm", limits=[a_limit(**{"in": [False]})]))
    assert met(item, {"decides": False}) == ["gives_away"]
    assert met(item, {"decides": True}) == []
    assert met(item, {}) == []


@pytest.mark.parametrize(("days", "expected"), [(90, []), (91, ["gives_away"]), (None, [])])
def test_a_number_above_the_mark_is_found(days: int | None, expected: list[str]) -> None:
    item = item_of(a_field("days", "number", limits=[a_limit(above=90)]))
    assert met(item, {"days": days}) == expected


@pytest.mark.parametrize(
    ("person", "expected"),
    [
        (ILENA, []),
        (SAMIRA, ["gives_away"]),
        # An outside expert of the NPM is neither member nor staff.
        (PETRA, ["gives_away"]),
        # Another rule reports people who no longer take part.
        (UUID(int=77), []),
    ],
)
def test_somebody_outside_the_npm_is_found(person: UUID, expected: list[str]) -> None:
    item = item_of(a_field("who", "person", limits=[a_limit(outside_npm=True)]))
    assert met(item, {"who": str(person)}) == expected


def test_one_person_of_several_is_enough() -> None:
    item = item_of(a_field("who", "persons", limits=[a_limit(outside_npm=True)]))
    assert met(item, {"who": [str(ILENA), str(OREN)]}) == []
    assert met(item, {"who": [str(ILENA), str(SAMIRA)]}) == ["gives_away"]


def test_a_party_other_than_the_npm_is_found_in_any_row() -> None:
    assert met(deciding(), {"decisions": [row(NPM), row(NPM, "media")]}) == []
    assert met(deciding(), {"decisions": [row(NPM), row(DOOR, "media")]}) == ["gives_away"]
    assert met(deciding(), {"decisions": [{"decides": str(DOOR)}]}) == ["gives_away"]


@pytest.mark.parametrize(
    ("named", "expected"),
    [(NPM, []), (DOOR, ["gives_away"]), (MINISTRY, ["gives_away"])],
)
def test_an_outside_body_is_found_as_a_partner_is(named: UUID, expected: list[str]) -> None:
    table = a_table("decisions", a_column("decides", "body"))
    limit = a_limit(column="decides", outside_npm=True)
    in_rows = item_of(table | {"rows": ROWS, "limits": [limit]})
    assert met(in_rows, {"decisions": [row(named)]}) == expected
    alone = item_of(a_field("who", "body", limits=[a_limit(outside_npm=True)]))
    assert met(alone, {"who": str(named)}) == expected


@pytest.mark.parametrize(("named", "expected"), [(NPM, []), (DOOR, []), (MINISTRY, ["gives_away"])])
def test_a_body_that_is_no_party_is_found_where_partners_may_decide(
    named: UUID, expected: list[str]
) -> None:
    item = item_of(a_field("who", "body", limits=[a_limit(outside_parties=True)]))
    assert met(item, {"who": str(named)}) == expected
    assert met(item, {}) == []


@pytest.mark.parametrize(
    ("kind", "asks", "words"),
    [
        ("party", {"outside_parties": True}, "names no outside body"),
        ("body", {"outside_parties": True, "outside_npm": True}, "looks for one thing"),
        ("line", {"outside_npm": True}, "names nobody"),
        ("line", {"without": ["npm"]}, "which can't hold it"),
        ("body", {"outside_npm": True, "added_rows": True}, "there are none"),
    ],
)
def test_a_rule_that_its_field_can_not_meet_is_refused(
    kind: str, asks: dict[str, Any], words: str
) -> None:
    with pytest.raises(ValueError, match=words):
        item_of(a_field("who", kind, limits=[a_limit(**asks)]))


def test_only_the_rows_that_are_named_are_looked_at() -> None:
    item = deciding(rows=["report"])
    assert met(item, {"decisions": [row(DOOR, "media"), {"decides": str(DOOR)}]}) == []
    assert met(item, {"decisions": [row(DOOR, "report")]}) == ["gives_away"]


@pytest.mark.parametrize(("rows", "expected"), [([], ["added"]), (["report"], ["added", "report"])])
def test_the_rows_that_people_added_can_be_looked_at(rows: list[str], expected: list[str]) -> None:
    item = deciding(rows=rows, added_rows=True)
    added = {"decides": str(DOOR)}
    named = {"added": added, "report": row(DOOR, "report"), "media": row(DOOR, "media")}
    seen = [name for name, at in named.items() if met(item, {"decisions": [at]})]
    assert seen == expected


def test_the_term_is_the_row_and_no_other() -> None:
    """An explanation is about these words: another row may change beside it."""
    item = deciding(rows=["report"])
    match = matched(item, {"decisions": [row(DOOR), row(NPM, "media")]})
    assert match == matched(item, {"decisions": [row(DOOR), row(NPM, "media", note="Both.")]})
    assert match != matched(item, {"decisions": [row(DOOR, note="After two talks.")]})


def test_the_term_is_the_value_with_its_explanation() -> None:
    item = item_of(KIND | {"limits": [a_limit(**{"in": ["some"]})]}, MORE, a_field("beside"))
    match = matched(item, {"kind": "some", "which": "Reports.", "beside": "x"})
    assert match == matched(item, {"kind": "some", "which": "Reports.", "beside": "y"})
    assert match != matched(item, {"kind": "some", "which": "The donor chooses.", "beside": "x"})


# The whole checklist


def small(*, shown_when: object = None) -> Template:
    limited = an_item("M1", KIND | {"limits": [a_limit(**{"in": ["some"]})]})
    return a_template(limited | ({"shown_when": shown_when} if shown_when else {}), an_item("M2"))


def flagged(template: Template, **more: Any) -> list[str]:
    sheet = a_sheet(shared={"M1": an_answer({"kind": "some"}, **more)})
    return [finding.item for finding in power_limits.findings(template, sheet, around())]


def test_the_answers_of_a_checklist_are_judged() -> None:
    assert flagged(small()) == ["M1"]
    assert power_limits.findings(small(), a_sheet(), around()) == ()


def test_an_item_that_does_not_apply_gives_nothing_away() -> None:
    assert flagged(small(shown_when={"modes": ["COAL"]})) == []
    assert flagged(small(), not_applicable=True) == []


# The shipped checklists

SHIPPED = {file.template.kind.value: file.template for file in library.read(CONTENT)}


def test_every_rule_rests_on_independence_or_flexibility() -> None:
    rules = [limit for template in SHIPPED.values() for i in template.items for limit in i.limits]
    assert len(rules) >= 11
    flexible = {Power.VISIT_ALONE, Power.CHANGE_PROGRAMME, Power.ACT_URGENTLY, Power.STOP}
    for limit in rules:
        assert limit.statement in {"S6", "S7"}, limit.key
        if limit.statement == "S7":
            assert set(limit.powers) <= flexible | {Power.WORK_WITH_OTHERS}, limit.key
        else:
            assert set(limit.powers) - flexible, limit.key


# Bodies outside the NPM, as chosen wherever somebody decides, clears or agrees.
STATE = ("authority", "ministry", "prosecutor", "donor", "other_state")
OUTSIDE = ("cso", *STATE)
# A court may order somebody to speak (C12).
SPEAKING = tuple(body for body in OUTSIDE if body != "prosecutor")
IN_CONFIDENTIALITY = (
    ("C4", "classes", "releaser", "released_outside"),
    ("C5", "sharing", "approving", "agreed_outside"),
    ("C11", "access", "approving", "opened_outside"),
)


def a_case(body: str, **row: str) -> dict[str, Any]:
    return {"exceptions": [{"_row": "danger", "deciding": body} | row]}


# Bodies outside the cooperation, as answers name them.
BODIES = ("authority", "ministry", "prosecutor", "donor", "other_state")


@pytest.mark.parametrize(
    ("kind", "code", "values", "rules"),
    [
        *(
            ("terms", "M1", {"selection": [{"deciding": str(body)}]}, rules)
            for body, rules in (
                (NPM, []),
                (DOOR, ["chosen_outside"]),
                (MINISTRY, ["chosen_outside"]),
            )
        ),
        ("terms", "M7", {"decisions": [row(DOOR, "visit_programme")]}, ["programme_decided"]),
        ("terms", "M7", {"decisions": [row(DOOR, "team")]}, ["team_decided"]),
        ("terms", "M7", {"decisions": [row(DOOR, "urgent_case")]}, ["urgent_decided"]),
        ("terms", "M7", {"decisions": [row(DOOR, "report")]}, ["report_decided"]),
        ("terms", "M7", {"decisions": [row(DOOR, "media")]}, ["media_decided"]),
        ("terms", "M7", {"decisions": [row(NPM, "media")]}, []),
        *(
            (
                "terms",
                "M7",
                {"decisions": [{"other": "Whom to speak to", "decides": str(body)}]},
                met,
            )
            for body, met in ((NPM, []), (DOOR, ["other_decided"]), (MINISTRY, ["other_decided"]))
        ),
        ("terms", "M7", {"council_power": ["own_rules", "report"]}, ["council_rules"]),
        ("terms", "M7", {"council_power": ["nothing"]}, []),
        ("terms", "M7", {"access": [{"consent_of": "ministry"}]}, ["records_by_leave"]),
        ("terms", "M7", {"access": [{"escort": "everywhere"}]}, ["escorted"]),
        ("terms", "M7", {"access": [{"remote": "overheard"}]}, ["overheard"]),
        ("terms", "M7", {"access": [{"escort": "ways", "remote": "in_private"}]}, []),
        ("terms", "M7", {"access": [{"consent_of": "person"}]}, []),
        ("terms", "M10", {"npm_findings": "agreement"}, ["findings_agreed"]),
        ("terms", "M10", {"npm_findings": "heard"}, []),
        ("terms", "M10", {"clearance_contact": str(SAMIRA)}, ["contact_outside"]),
        ("terms", "M10", {"clearance_contact": str(ILENA)}, []),
        ("terms", "M12", {"donor_conditions": "conditions"}, ["donor_conditions_set"]),
        ("terms", "M12", {"donor_conditions": "none"}, []),
        ("terms", "M13", {"may_stop": str(SAMIRA)}, ["stopped_from_outside"]),
        ("terms", "M20", {"notice_days": 91}, ["long_notice"]),
        ("terms", "M20", {"notice_days": 60}, []),
        ("terms", "M7", {"council_first": "decides"}, ["council_decides"]),
        ("terms", "M7", {"council_first": "advises"}, []),
        ("terms", "M7", {"authorities_told": [{"meaning": "leave"}]}, ["leave_asked"]),
        (
            "terms",
            "M7",
            {"authorities_told": [{"when": "before", "hours": 168, "meaning": "information"}]},
            ["told_before"],
        ),
        ("terms", "M7", {"authorities_told": [{"when": "arrival", "meaning": "information"}]}, []),
        ("terms", "M11", {"draft": "agrees"}, ["draft_agreed"]),
        ("terms", "M11", {"draft": "facts"}, []),
        ("terms", "M20", {"outside_pause": "yes"}, ["paused_from_outside"]),
        ("terms", "M20", {"outside_pause": "no"}, []),
        *(
            ("terms", "M20", {"suspended_by": ["npm", body]}, ["suspended_outside"])
            for body in STATE
        ),
        *(("terms", "M20", {"ended_by": ["npm", body]}, ["ended_outside"]) for body in STATE),
        ("terms", "M20", {"suspended_by": ["npm", "cso"], "ended_by": ["npm", "cso"]}, []),
        ("terms", "M20", {"suspended_by": ["cso"]}, ["suspended_without_npm"]),
        ("terms", "M20", {"ended_by": ["cso"]}, ["ended_without_npm"]),
        ("terms", "M7", {"must_agree": ["nobody"]}, []),
        *(("terms", "M7", {"must_agree": [body]}, ["agreed_outside"]) for body in BODIES),
        *(("terms", "M10", {"uses": [{"clearer": body}]}, ["cleared_outside"]) for body in STATE),
        ("terms", "M10", {"uses": [{"clearer": "npm"}]}, []),
        *(
            ("confidentiality", code, {table: [{"_row": "K3", column: body}]}, [rule])
            for code, table, column, rule in IN_CONFIDENTIALITY
            for body in BODIES
        ),
        ("confidentiality", "C4", {"classes": [{"_row": "K4", "releaser": "person"}]}, []),
        ("confidentiality", "C11", {"access": [{"_row": "K7", "approving": "nobody"}]}, []),
        ("confidentiality", "C11", {"named": [{"approver": str(ILENA)}]}, []),
        ("confidentiality", "C11", {"named": [{"approver": str(SAMIRA)}]}, ["named_outside"]),
        *(("confidentiality", "C12", a_case(body), ["allowed_outside"]) for body in SPEAKING),
        ("confidentiality", "C12", a_case("prosecutor"), ["allowed_by_prosecutor"]),
        (
            "confidentiality",
            "C12",
            a_case("prosecutor", _row="npm_reports"),
            ["allowed_by_prosecutor"],
        ),
        ("confidentiality", "C12", a_case("prosecutor", _row=""), ["allowed_by_prosecutor"]),
        ("confidentiality", "C12", a_case("prosecutor", _row="court"), []),
        ("confidentiality", "C12", a_case("bound"), []),
        *(("terms", "M18", {"steps": [{"body": body}]}, ["settled_outside"]) for body in BODIES),
        ("terms", "M18", {"steps": [{"body": "parties"}, {"body": "neutral"}]}, []),
        ("visit_roles", "V16", {"sends_out": str(SAMIRA)}, ["sent_out_outside"]),
        ("visit_roles", "V16", {"sends_out": str(ILENA)}, []),
        ("visit_roles", "V17", {"goes_on": "no"}, ["leaves_with_partner"]),
        ("visit_roles", "V17", {"goes_on": "lead_decides"}, []),
        *(
            ("visit_roles", "V17", {"conditions": [row]}, rules)
            for row, rules in (
                ({"_row": "records", "consent_of": "ministry"}, ["records_by_leave"]),
                ({"_row": "times", "consent_of": "place"}, ["access_by_leave"]),
                ({"other": "Second day", "consent_of": "other_state"}, ["access_by_leave"]),
                ({"_row": "escort", "private": "no"}, ["overheard"]),
                ({"_row": "records", "consent_of": "person", "private": "yes"}, []),
            )
        ),
        ("urgent_plan", "U7", {"decider": str(SAMIRA)}, ["decided_outside"]),
        ("urgent_plan", "U15", {"who_speaks": "together"}, ["only_together"]),
        ("urgent_plan", "U15", {"who_speaks": "npm_then_cso"}, []),
        *(
            ("urgent_plan", code, {key: ["nobody", body]}, [rule])
            for code, key, rule in (
                ("U7", "must_agree", "agreed_outside"),
                ("U15", "cleared_by", "cleared_outside"),
            )
            for body in ("cso", *BODIES)
        ),
        ("urgent_plan", "U7", {"must_agree": ["nobody"]}, []),
        ("urgent_plan", "U15", {"cleared_by": ["nobody"]}, []),
    ],
)
def test_what_gives_a_power_away_is_found(
    kind: str, code: str, values: dict[str, Any], rules: list[str]
) -> None:
    assert met(SHIPPED[kind].by_code[code], values) == rules
