"""Rules' flags (product.md, 4.8): raised on saving, closed automatically or by an explanation.

In one file: one flag, from raising to its end, by rules and by people.
"""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from tests.factories import checklists
from tests.factories.demonstration import Demonstration
from tests.factories.tables import QUESTIONS, Table, set_out
from tests.factories.templates import (
    a_column,
    a_field,
    a_table,
    a_template,
    an_item,
    publish,
    small_terms,
)
from tests.factories.visits import Scene, planned
from tests.integration.checklists.test_pages import Room, item
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklist_templates.schema import Template
from tracker.checklists import obstacles, service
from tracker.checklists.loading import load
from tracker.checklists.models import ChecklistState, Flag
from tracker.checklists.negotiation import positions, safeguards
from tracker.checklists.negotiation.text_digest import item_digest
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import Mode
from tracker.core.errors import StaleError
from tracker.visits import readiness
from tracker.visits.facts import Signing

GUIDANCE = "settling-terms/independence"


def a_limit(key: str, *powers: str, **more: Any) -> dict[str, Any]:
    return {
        "key": key,
        "powers": list(powers),
        "because": "Another body decides on it.",
        "statement": "S6",
        "passage": GUIDANCE,
    } | more


def limited() -> Template:
    """Return terms in which the answer to M1 can give away findings, and M2's table much more."""
    return a_template(
        an_item(
            "M1",
            a_field(
                "agrees",
                "choice",
                options=[
                    {"value": "npm", "label": "The NPM"},
                    {"value": "all", "label": "All parties"},
                ],
                limits=[a_limit("all_agree", "findings", "publication", **{"in": ["all"]})],
            ),
            a_field("why", required=False, required_when={"field": "agrees", "in": ["all"]}),
        ),
        an_item(
            "M2",
            a_table(
                "decisions",
                a_column("decides", "party"),
                a_column("note", required=False),
                rows={"fixed": [{"key": "report", "label": "Report"}, {"key": "x", "label": "X"}]},
                limits=[
                    a_limit("report", "findings", column="decides", rows=["report"])
                    | {"outside_npm": True}
                ],
            ),
        ),
        an_item("M3"),
        an_item(
            "M4",
            a_field("days", "number", limits=[a_limit("long", "stop", above=90, statement="S7")]),
            shown_when={"modes": ["VISIT"]},
        ),
    )


@pytest.fixture
def desk(session: Session) -> Table:
    """A cooperation with nothing answered yet, on terms with rules."""
    return set_out(session, template=limited())


def flags(table: Table) -> list[Flag]:
    table.session.expire_all()
    return list(table.session.scalars(sa.select(Flag).order_by(Flag.raised_at, Flag.item)))


def is_open(table: Table) -> list[str]:
    return [f"{flag.item}.{flag.rule}" for flag in flags(table) if flag.closed_at is None]


GIVES_AWAY: dict[str, Any] = {"agrees": "all", "why": "It builds trust."}


# Raised and closed


def test_an_answer_that_gives_a_power_away_is_flagged_by_rule(desk: Table) -> None:
    desk.save("ilena", "M1", **GIVES_AWAY)
    (flag,) = flags(desk)
    assert (flag.item, flag.rule, flag.passage) == ("M1", "all_agree", GUIDANCE)
    assert flag.powers == ["findings", "publication"]
    assert (flag.author_id, flag.organisation_id) == (None, None)
    assert flag.reason == "Another body decides on it."
    (details,) = desk.events("flag_raised")
    assert details["powers"] == ["findings", "publication"]
    assert details["item"] == "M1"
    assert details["who"] is None or details["who"].get("name") is None


def test_an_answer_that_keeps_the_power_is_not_flagged(desk: Table) -> None:
    desk.save("ilena", "M1", agrees="npm")
    desk.save("ilena", "M3")
    assert flags(desk) == []


def test_a_flag_raised_by_a_rule_blocks_sending(desk: Table) -> None:
    """Gate G3, whoever flagged it."""
    desk.save("ilena", "M1", **GIVES_AWAY)
    assert "There's an open flag on “Item M1”." in [
        str(obstacle) for obstacle in obstacles.to_sending(desk.loaded())
    ]
    assert desk.loaded().flagged == {"M1"}


def test_a_flag_closes_by_itself_once_the_answer_gives_no_power_away(desk: Table) -> None:
    desk.save("ilena", "M1", **GIVES_AWAY)
    desk.save("ilena", "M1", seen=1, agrees="npm")
    (flag,) = flags(desk)
    assert flag.closed_at is not None
    assert (flag.closed_by_id, flag.explanation, flag.matched) == (None, "", None)
    assert desk.events("flag_closed")[-1]["how"] == "no_longer"


def test_an_answer_that_is_left_out_gives_nothing_away(desk: Table) -> None:
    desk.session.execute(sa.select(1))
    desk.save("ilena", "M4", days=120)
    assert is_open(desk) == ["M4.long"]
    desk.save("ilena", "M4", seen=1, days=90)
    assert is_open(desk) == []


def test_only_the_row_that_is_guarded_is_flagged(desk: Table) -> None:
    npm, door = (str(desk.land.id(key)) for key in ("npm", "door"))
    rows = [{"_row": "report", "decides": npm}, {"_row": "x", "decides": door}]
    desk.save("ilena", "M2", decisions=rows)
    assert flags(desk) == []
    rows[0]["decides"] = door
    desk.save("ilena", "M2", seen=1, decisions=rows)
    assert is_open(desk) == ["M2.report"]


def test_accepting_a_proposal_is_judged_as_saving_is(desk: Table) -> None:
    answer = desk.save("ilena", "M1", agrees="npm")
    proposal = positions.propose(
        desk["samira"],
        desk.checklist(),
        "M1",
        GIVES_AWAY,
        answer_id=answer.id,
        reason="We want a say.",
    )
    assert flags(desk) == []
    positions.accept_proposal(desk["ilena"], desk.checklist(), proposal.id)
    desk.session.commit()
    assert is_open(desk) == ["M1.all_agree"]


# Explained


def explain(table: Table, first: str = "nadia") -> None:
    (flag,) = [flag for flag in flags(table) if flag.closed_at is None]
    safeguards.explain_flag(table[first], table.checklist(), flag.id, "The NPM has the last word.")
    table.session.commit()


def test_an_explanation_closes_a_flag_as_long_as_the_term_does_not_change(desk: Table) -> None:
    desk.save("ilena", "M1", **GIVES_AWAY)
    explain(desk)
    assert desk.loaded().flagged == set()
    # Another item changes, and the counts are brought up to date.
    desk.save("ilena", "M3")
    service.recount(desk.checklist().id)
    assert len(flags(desk)) == 1
    (flag,) = flags(desk)
    assert flag.explanation == "The NPM has the last word."
    assert flag.closed_by_id == desk.land.users["nadia"].id


def test_another_row_may_change_beside_a_term_that_was_explained(desk: Table) -> None:
    npm, door = (str(desk.land.id(key)) for key in ("npm", "door"))
    rows = [{"_row": "report", "decides": door}, {"_row": "x", "decides": npm}]
    desk.save("ilena", "M2", decisions=rows)
    explain(desk)
    rows[1]["note"] = "After a talk."
    desk.save("ilena", "M2", seen=1, decisions=rows)
    assert (is_open(desk), len(flags(desk))) == ([], 1)
    rows[0]["note"] = "And nobody else."
    desk.save("ilena", "M2", seen=2, decisions=rows)
    assert (is_open(desk), len(flags(desk))) == (["M2.report"], 2)


def test_the_same_answer_given_again_is_flagged_again(desk: Table) -> None:
    """An explanation is valid only for the term that it explains."""
    desk.save("ilena", "M1", **GIVES_AWAY)
    explain(desk)
    desk.save("ilena", "M1", seen=1, agrees="npm")
    desk.save("ilena", "M1", seen=2, **GIVES_AWAY)
    assert is_open(desk) == ["M1.all_agree"]


def test_a_flag_on_an_older_wording_is_not_explained_any_more(desk: Table) -> None:
    desk.save("ilena", "M1", **GIVES_AWAY)
    (old,) = flags(desk)
    desk.save("ilena", "M1", seen=1, **(GIVES_AWAY | {"why": "The donor asks for it."}))
    assert len(flags(desk)) == 2
    with pytest.raises(StaleError, match="This flag is no longer open"):
        safeguards.explain_flag(desk["nadia"], desk.checklist(), old.id, "It builds trust.")
    assert is_open(desk) == ["M1.all_agree"]


def test_a_reviewers_flag_is_independent_of_the_flag_raised_by_a_rule(desk: Table) -> None:
    desk.save("ilena", "M1", **GIVES_AWAY)
    raised = checklists.flag_term(desk["samira"], desk.checklist(), "M1", "We see it too.")
    desk.session.commit()
    explain_id = raised.id
    safeguards.explain_flag(desk["ilena"], desk.checklist(), explain_id, "Seen.")
    desk.session.commit()
    assert is_open(desk) == ["M1.all_agree"]
    checklists.flag_term(desk["samira"], desk.checklist(), "M1", "Still.")
    desk.save("ilena", "M1", seen=1, agrees="npm")
    assert is_open(desk) == []


# Changes around it


def test_an_item_that_no_longer_applies_is_no_longer_flagged(desk: Table) -> None:
    desk.save("ilena", "M4", days=120)
    cooperations.set_modes(
        desk["ilena"],
        desk.cooperation,
        modes=[Mode.PROJ],
        questions=QUESTIONS,
        version=desk.cooperation.version,
    )
    desk.session.commit()
    assert is_open(desk) == []
    cooperations.set_modes(
        desk["ilena"],
        desk.cooperation,
        modes=[Mode.VISIT],
        questions=QUESTIONS,
        version=desk.cooperation.version,
    )
    desk.session.commit()
    assert is_open(desk) == ["M4.long"]


@pytest.mark.parametrize("state", [ChecklistState.SENT, ChecklistState.IN_FORCE])
def test_a_text_that_cannot_be_changed_is_not_judged(desk: Table, state: ChecklistState) -> None:
    desk.save("ilena", "M1", **GIVES_AWAY)
    desk.checklist().state = state
    desk.session.execute(sa.delete(Flag))
    desk.session.commit()
    service.recount(desk.checklist().id)
    assert flags(desk) == []
    desk.checklist().state = ChecklistState.DRAFTING
    service.recount(desk.checklist().id)
    assert is_open(desk) == ["M1.all_agree"]


def test_a_running_checklist_without_rules_stays_without_them(table: Table) -> None:
    """Checklists begun on an earlier version keep working from the database."""
    publish(limited_as(91))
    table.save("ilena", "M1")
    assert table.loaded().template.version == small_terms().version
    assert flags(table) == []


def limited_as(version: int) -> Template:
    return limited().model_copy(update={"version": version})


def test_a_flag_is_by_somebody_or_by_a_rule_and_never_by_both(desk: Table) -> None:
    desk.save("ilena", "M1", **GIVES_AWAY)
    (flag,) = flags(desk)
    with pytest.raises(IntegrityError):
        desk.session.execute(
            sa.update(Flag)
            .where(Flag.id == flag.id)
            .values(author_id=desk.land.users["ilena"].id, organisation_id=desk.land.id("npm"))
        )
    desk.session.rollback()
    with pytest.raises(IntegrityError):
        desk.session.execute(sa.update(Flag).where(Flag.id == flag.id).values(rule=None))
    desk.session.rollback()


# The shipped checklists


def test_the_terms_the_factories_agree_on_give_no_power_away(whole_table: Table) -> None:
    whole_table.agree()
    assert flags(whole_table) == []


def test_each_question_of_m5_and_m6_is_answered_and_a_worrying_one_named(
    whole_table: Table,
) -> None:
    """S6 and S7, a question for each power."""
    table = whole_table
    m5 = checklists.whole(table.loaded(), "M5", second_reader=str(table["oren"].user_id))
    assert len([key for key in m5 if m5[key] == "no"]) == 7
    without = {key: value for key, value in m5.items() if key != "timing"}
    table.save("ilena", "M5", **without)
    assert "timing of visits" in str(table.standing("M5").problems[0].message)
    table.save("ilena", "M5", seen=1, **(m5 | {"timing": "yes"}))
    assert "Term on timing" in str(table.standing("M5").problems[0].message)
    values = {"timing": "yes", "timing_term": "We were asked to."}
    table.save("ilena", "M5", seen=2, **(m5 | values))
    assert "name the item" in str(table.standing("M5").problems[0].message)
    values["timing_term"] = "M13 lets the doctor of the team call a visit off, for that day alone."
    table.save("ilena", "M5", seen=3, **(m5 | values))
    assert table.standing("M5").done
    m6 = checklists.whole(table.loaded(), "M6")
    assert list(m6.values()) == ["yes"] * 5
    table.save("ilena", "M6", **(m6 | {"stop": "restricted"}))
    assert not table.standing("M6").done
    named = {"stop": "restricted", "stop_term": "M20 asks for thirty days, so that others know."}
    table.save("ilena", "M6", seen=1, **(m6 | named))
    assert table.standing("M6").done


def test_a_standing_plan_is_looked_at_too(session: Session) -> None:
    table = set_out(session, Mode.OMB_PLUS)
    plan = table.checklist(ChecklistKind.URGENT_PLAN)
    values = checklists.whole(table.loaded(plan.kind), "U15", who_speaks="together")
    service.save_answer(table["ilena"], plan, "U15", AnswerScope.SHARED, values, base_version=0)
    table.session.commit()
    assert is_open(table) == ["U15.only_together"]


def test_the_planning_of_a_visit_is_judged_as_the_terms_are(
    app: Flask, session: Session, demonstration: Demonstration
) -> None:
    """What a flag says there is of class K2: in the database it is encrypted."""
    scene = Scene(session, demonstration)
    visit = planned(scene)
    plan = scene.checklist(ChecklistKind.URGENT_PLAN, visit.number)
    pavo = scene.actor("pavo")
    together = checklists.whole(load(plan), "U15", who_speaks="together")
    service.save_answer(pavo, plan, "U15", AnswerScope.SHARED, together, base_version=0)
    session.commit()
    (flag,) = load(plan).flags
    reasons = list(map(str, obstacles.to_sending(load(plan))))
    assert "There's an open flag on “Public silence or statement”." in reasons
    assert (flag.rule, flag.powers, flag.passage, flag.reason) == ("", None, None, "")
    assert readiness.judge(visit).facts.plan.signing is Signing.INCOMPLETE
    session.rollback()
    because = "The NPM may speak only together with the CSO"
    pages = scene.demonstration.browser(app, "pavo")
    shown = item(pages.page(f"/checklists/{plan.id}"), "U15")
    assert f"This answer may limit the NPM's independence. {because}" in shown
    assert "Publication" in shown
    because_of = "Only while the person is in danger."
    safeguards.explain_flag(scene.actor("ilena"), plan, flag.id, because_of)
    session.commit()
    assert (flag.explanation, load(plan).flagged) == ("", frozenset())
    assert not [words for words in obstacles.to_sending(load(plan)) if "flag" in str(words)]
    session.rollback()
    shown = item(pages.page(f"/checklists/{plan.id}"), "U15")
    assert "Explanation: " + because_of in shown
    past = pages.page(f"/checklists/{plan.id}/items/U15/history").text
    assert because in past
    assert "The flag was closed by an explanation" in past
    own = "It names the place."
    seen = item_digest(load(plan), load(plan).item("U15"))
    by_hand = safeguards.raise_flag(pavo, plan, "U15", own, seen=seen)
    session.commit()
    assert by_hand.reason == ""
    assert own in item(pages.page(f"/checklists/{plan.id}"), "U15")
    silent = checklists.whole(load(plan), "U15")
    service.save_answer(pavo, plan, "U15", AnswerScope.SHARED, silent, base_version=1)
    session.commit()
    assert load(plan).flagged == frozenset()
    assert [flag.matched for flag in load(plan).flags] == [None, None]


# Pages


@pytest.fixture
def room(app: Flask, table: Table) -> Room:
    return Room(app, table)


@pytest.fixture
def desk_room(app: Flask, desk: Table) -> Room:
    return Room(app, desk)


def test_the_rules_are_named_with_the_power_and_the_passage(desk_room: Room) -> None:
    desk_room.table.save("ilena", "M1", **GIVES_AWAY)
    for first in ("ilena", "samira", "ada"):
        page = desk_room.page(first)
        shown = item(page, "M1")
        assert "This answer may limit the NPM's independence." in shown
        assert "Another body decides on it." in shown
        assert "Findings, Publication" in shown
        assert "/guidance/settling-terms#independence" in page.addresses()
    (flag,) = flags(desk_room.table)
    address = f"/flags/{flag.id}/explain"
    assert f"{desk_room.address}{address}" in desk_room.page("ilena").addresses()
    assert f"{desk_room.address}{address}" not in desk_room.page("samira").addresses()
    question_page = desk_room.page("ilena", address)
    assert "This answer may limit the NPM's independence." in question_page.text
    page = desk_room.submit("ilena", address, reason="The NPM has the last word.")
    assert "The flag is closed with your explanation." in page.text
    shown = item(desk_room.page("samira"), "M1")
    assert "A flag raised by this checklist's rules is closed." in shown
    assert "explained by Ilena Dorvath" in shown


def test_the_history_tells_of_the_rules(desk_room: Room) -> None:
    table = desk_room.table
    table.save("ilena", "M1", **GIVES_AWAY)
    table.save("ilena", "M1", seen=1, agrees="npm")
    page = desk_room.browser("samira").page(f"/cooperations/{table.cooperation.reference}/history")
    name = f"“{table.loaded().template.by_code['M1'].label}”"
    for words in (
        f"This checklist's rules flagged {name} because it may limit the NPM's independence.",
        f"The flag on {name} was closed because the rule no longer applies to the answer.",
    ):
        assert words in page.text


# Phrases that may limit the NPM


def test_words_that_can_limit_are_pointed_at_beside_answer_and_proposal(room: Room) -> None:
    table = room.table
    answer = table.save("ilena", "M1", words="The partner is told. Prior approval is not asked.")
    shown = item(room.page("samira"), "M1")
    assert "The words Prior approval can limit the NPM." in shown
    assert "Keep the NPM independent and free to move" in shown
    assert "can limit the NPM" not in item(room.page("samira"), "M2")
    positions.propose(
        table["samira"],
        table.checklist(),
        "M1",
        {"words": "Each side has a veto."},
        answer_id=answer.id,
        reason="For balance.",
    )
    table.session.commit()
    assert "The words veto can limit the NPM." in item(room.page("ilena"), "M1")


def test_words_that_the_second_reader_accepted_are_shown_again_before_sending(room: Room) -> None:
    table = room.table
    table.agree()
    table.session.commit()
    answer = table.loaded().sheet.shared("M1")
    assert answer is not None
    change = positions.propose(
        table["samira"],
        table.checklist(),
        "M1",
        {"words": "Exclusive, with a veto."},
        answer_id=answer.answer_id,
        reason="For balance.",
    )
    positions.accept_proposal(table["ilena"], table.checklist(), change.id)
    table.accept("M1", "joana")
    checklists.accept_hints(table["oren"], table.checklist())
    checklists.read_second(table["oren"], table.checklist())
    table.session.commit()
    page = room.page("ilena", "/send")
    assert "Words to read again on 1 item" in page.text
    assert "The words veto can limit the NPM." in page.text
    checklists.send(table.checklist(), table["ilena"], table.signatories)
    assert table.checklist().state is ChecklistState.SENT
