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
from tests.factories.negotiations import QUESTIONS, Negotiation, set_out
from tests.factories.templates import (
    a_column,
    a_field,
    a_table,
    a_template,
    an_item,
    publish,
    small_terms,
)
from tests.factories.visits import JointVisit, planned
from tests.integration.checklists.test_pages import Users, item
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
def limiting(session: Session) -> Negotiation:
    """A cooperation with nothing answered yet, on terms with rules."""
    return set_out(session, template=limited())


def flags(negotiation: Negotiation) -> list[Flag]:
    negotiation.session.expire_all()
    return list(negotiation.session.scalars(sa.select(Flag).order_by(Flag.raised_at, Flag.item)))


def is_open(negotiation: Negotiation) -> list[str]:
    return [f"{flag.item}.{flag.rule}" for flag in flags(negotiation) if flag.closed_at is None]


GIVES_AWAY: dict[str, Any] = {"agrees": "all", "why": "It builds trust."}


# Raised and closed


def test_an_answer_that_gives_a_power_away_is_flagged_by_rule(limiting: Negotiation) -> None:
    limiting.save("ilena", "M1", **GIVES_AWAY)
    (flag,) = flags(limiting)
    assert (flag.item, flag.rule, flag.passage) == ("M1", "all_agree", GUIDANCE)
    assert flag.powers == ["findings", "publication"]
    assert (flag.author_id, flag.organisation_id) == (None, None)
    assert flag.reason == "Another body decides on it."
    (details,) = limiting.events("flag_raised")
    assert details["powers"] == ["findings", "publication"]
    assert details["item"] == "M1"
    assert details["who"] is None or details["who"].get("name") is None


def test_an_answer_that_keeps_the_power_is_not_flagged(limiting: Negotiation) -> None:
    limiting.save("ilena", "M1", agrees="npm")
    limiting.save("ilena", "M3")
    assert flags(limiting) == []


def test_a_flag_raised_by_a_rule_blocks_sending(limiting: Negotiation) -> None:
    """Gate G3, whoever flagged it."""
    limiting.save("ilena", "M1", **GIVES_AWAY)
    assert "There's an open flag on “Item M1”." in [
        str(obstacle) for obstacle in obstacles.to_sending(limiting.loaded())
    ]
    assert limiting.loaded().flagged == {"M1"}


def test_a_flag_closes_by_itself_once_the_answer_gives_no_power_away(limiting: Negotiation) -> None:
    limiting.save("ilena", "M1", **GIVES_AWAY)
    limiting.save("ilena", "M1", seen=1, agrees="npm")
    (flag,) = flags(limiting)
    assert flag.closed_at is not None
    assert (flag.closed_by_id, flag.explanation, flag.matched) == (None, "", None)
    assert limiting.events("flag_closed")[-1]["how"] == "no_longer"


def test_an_answer_that_is_left_out_gives_nothing_away(limiting: Negotiation) -> None:
    limiting.session.execute(sa.select(1))
    limiting.save("ilena", "M4", days=120)
    assert is_open(limiting) == ["M4.long"]
    limiting.save("ilena", "M4", seen=1, days=90)
    assert is_open(limiting) == []


def test_only_the_row_that_is_guarded_is_flagged(limiting: Negotiation) -> None:
    npm, door = (str(limiting.country.id(key)) for key in ("npm", "door"))
    rows = [{"_row": "report", "decides": npm}, {"_row": "x", "decides": door}]
    limiting.save("ilena", "M2", decisions=rows)
    assert flags(limiting) == []
    rows[0]["decides"] = door
    limiting.save("ilena", "M2", seen=1, decisions=rows)
    assert is_open(limiting) == ["M2.report"]


def test_accepting_a_proposal_is_judged_as_saving_is(limiting: Negotiation) -> None:
    answer = limiting.save("ilena", "M1", agrees="npm")
    proposal = positions.propose(
        limiting["samira"],
        limiting.checklist(),
        "M1",
        GIVES_AWAY,
        answer_id=answer.id,
        reason="We want a say.",
    )
    assert flags(limiting) == []
    positions.accept_proposal(limiting["ilena"], limiting.checklist(), proposal.id)
    limiting.session.commit()
    assert is_open(limiting) == ["M1.all_agree"]


# Explained


def explain(negotiation: Negotiation, first: str = "nadia") -> None:
    (flag,) = [flag for flag in flags(negotiation) if flag.closed_at is None]
    safeguards.explain_flag(
        negotiation[first], negotiation.checklist(), flag.id, "The NPM has the last word."
    )
    negotiation.session.commit()


def test_an_explanation_closes_a_flag_as_long_as_the_term_does_not_change(
    limiting: Negotiation,
) -> None:
    limiting.save("ilena", "M1", **GIVES_AWAY)
    explain(limiting)
    assert limiting.loaded().flagged == set()
    # Another item changes, and the counts are brought up to date.
    limiting.save("ilena", "M3")
    service.recount(limiting.checklist().id)
    assert len(flags(limiting)) == 1
    (flag,) = flags(limiting)
    assert flag.explanation == "The NPM has the last word."
    assert flag.closed_by_id == limiting.country.users["nadia"].id


def test_another_row_may_change_beside_a_term_that_was_explained(limiting: Negotiation) -> None:
    npm, door = (str(limiting.country.id(key)) for key in ("npm", "door"))
    rows = [{"_row": "report", "decides": door}, {"_row": "x", "decides": npm}]
    limiting.save("ilena", "M2", decisions=rows)
    explain(limiting)
    rows[1]["note"] = "After a talk."
    limiting.save("ilena", "M2", seen=1, decisions=rows)
    assert (is_open(limiting), len(flags(limiting))) == ([], 1)
    rows[0]["note"] = "And nobody else."
    limiting.save("ilena", "M2", seen=2, decisions=rows)
    assert (is_open(limiting), len(flags(limiting))) == (["M2.report"], 2)


def test_the_same_answer_given_again_is_flagged_again(limiting: Negotiation) -> None:
    """An explanation is valid only for the term that it explains."""
    limiting.save("ilena", "M1", **GIVES_AWAY)
    explain(limiting)
    limiting.save("ilena", "M1", seen=1, agrees="npm")
    limiting.save("ilena", "M1", seen=2, **GIVES_AWAY)
    assert is_open(limiting) == ["M1.all_agree"]


def test_a_flag_on_an_older_wording_is_not_explained_any_more(limiting: Negotiation) -> None:
    limiting.save("ilena", "M1", **GIVES_AWAY)
    (old,) = flags(limiting)
    limiting.save("ilena", "M1", seen=1, **(GIVES_AWAY | {"why": "The donor asks for it."}))
    assert len(flags(limiting)) == 2
    with pytest.raises(StaleError, match="This flag is no longer open"):
        safeguards.explain_flag(limiting["nadia"], limiting.checklist(), old.id, "It builds trust.")
    assert is_open(limiting) == ["M1.all_agree"]


def test_a_reviewers_flag_is_independent_of_the_flag_raised_by_a_rule(
    limiting: Negotiation,
) -> None:
    limiting.save("ilena", "M1", **GIVES_AWAY)
    raised = checklists.flag_term(limiting["samira"], limiting.checklist(), "M1", "We see it too.")
    limiting.session.commit()
    explain_id = raised.id
    safeguards.explain_flag(limiting["ilena"], limiting.checklist(), explain_id, "Seen.")
    limiting.session.commit()
    assert is_open(limiting) == ["M1.all_agree"]
    checklists.flag_term(limiting["samira"], limiting.checklist(), "M1", "Still.")
    limiting.save("ilena", "M1", seen=1, agrees="npm")
    assert is_open(limiting) == []


# Changes around it


def test_an_item_that_no_longer_applies_is_no_longer_flagged(limiting: Negotiation) -> None:
    limiting.save("ilena", "M4", days=120)
    cooperations.set_modes(
        limiting["ilena"],
        limiting.cooperation,
        modes=[Mode.PROJ],
        questions=QUESTIONS,
        version=limiting.cooperation.version,
    )
    limiting.session.commit()
    assert is_open(limiting) == []
    cooperations.set_modes(
        limiting["ilena"],
        limiting.cooperation,
        modes=[Mode.VISIT],
        questions=QUESTIONS,
        version=limiting.cooperation.version,
    )
    limiting.session.commit()
    assert is_open(limiting) == ["M4.long"]


@pytest.mark.parametrize("state", [ChecklistState.SENT, ChecklistState.IN_FORCE])
def test_a_text_that_cannot_be_changed_is_not_judged(
    limiting: Negotiation, state: ChecklistState
) -> None:
    limiting.save("ilena", "M1", **GIVES_AWAY)
    limiting.checklist().state = state
    limiting.session.execute(sa.delete(Flag))
    limiting.session.commit()
    service.recount(limiting.checklist().id)
    assert flags(limiting) == []
    limiting.checklist().state = ChecklistState.DRAFTING
    service.recount(limiting.checklist().id)
    assert is_open(limiting) == ["M1.all_agree"]


def test_a_running_checklist_without_rules_stays_without_them(negotiation: Negotiation) -> None:
    """Checklists begun on an earlier version keep working from the database."""
    publish(limited_as(91))
    negotiation.save("ilena", "M1")
    assert negotiation.loaded().template.version == small_terms().version
    assert flags(negotiation) == []


def limited_as(version: int) -> Template:
    return limited().model_copy(update={"version": version})


def test_a_flag_is_by_somebody_or_by_a_rule_and_never_by_both(limiting: Negotiation) -> None:
    limiting.save("ilena", "M1", **GIVES_AWAY)
    (flag,) = flags(limiting)
    with pytest.raises(IntegrityError):
        limiting.session.execute(
            sa.update(Flag)
            .where(Flag.id == flag.id)
            .values(
                author_id=limiting.country.users["ilena"].id,
                organisation_id=limiting.country.id("npm"),
            )
        )
    limiting.session.rollback()
    with pytest.raises(IntegrityError):
        limiting.session.execute(sa.update(Flag).where(Flag.id == flag.id).values(rule=None))
    limiting.session.rollback()


# The shipped checklists


def test_the_terms_the_factories_agree_on_give_no_power_away(
    shipped_negotiation: Negotiation,
) -> None:
    shipped_negotiation.agree()
    assert flags(shipped_negotiation) == []


def test_each_question_of_m5_and_m6_is_answered_and_a_worrying_one_named(
    shipped_negotiation: Negotiation,
) -> None:
    """S6 and S7, a question for each power."""
    negotiation = shipped_negotiation
    m5 = checklists.whole(
        negotiation.loaded(), "M5", second_reader=str(negotiation["oren"].user_id)
    )
    assert len([key for key in m5 if m5[key] == "no"]) == 7
    without = {key: value for key, value in m5.items() if key != "timing"}
    negotiation.save("ilena", "M5", **without)
    assert "timing of visits" in str(negotiation.standing("M5").problems[0].message)
    negotiation.save("ilena", "M5", seen=1, **(m5 | {"timing": "yes"}))
    assert "Term on timing" in str(negotiation.standing("M5").problems[0].message)
    values = {"timing": "yes", "timing_term": "We were asked to."}
    negotiation.save("ilena", "M5", seen=2, **(m5 | values))
    assert "name the item" in str(negotiation.standing("M5").problems[0].message)
    values["timing_term"] = "M13 lets the doctor of the team call a visit off, for that day alone."
    negotiation.save("ilena", "M5", seen=3, **(m5 | values))
    assert negotiation.standing("M5").done
    m6 = checklists.whole(negotiation.loaded(), "M6")
    assert list(m6.values()) == ["yes"] * 5
    negotiation.save("ilena", "M6", **(m6 | {"stop": "restricted"}))
    assert not negotiation.standing("M6").done
    named = {"stop": "restricted", "stop_term": "M20 asks for thirty days, so that others know."}
    negotiation.save("ilena", "M6", seen=1, **(m6 | named))
    assert negotiation.standing("M6").done


def test_a_standing_plan_is_looked_at_too(session: Session) -> None:
    negotiation = set_out(session, Mode.OMB_PLUS)
    plan = negotiation.checklist(ChecklistKind.URGENT_PLAN)
    values = checklists.whole(negotiation.loaded(plan.kind), "U15", who_speaks="together")
    service.save_answer(
        negotiation["ilena"], plan, "U15", AnswerScope.SHARED, values, base_version=0
    )
    negotiation.session.commit()
    assert is_open(negotiation) == ["U15.only_together"]


def test_the_planning_of_a_visit_is_judged_as_the_terms_are(
    app: Flask, session: Session, demonstration: Demonstration
) -> None:
    """What a flag says there is of class K2: in the database it is encrypted."""
    joint_visit = JointVisit(session, demonstration)
    visit = planned(joint_visit)
    plan = joint_visit.checklist(ChecklistKind.URGENT_PLAN, visit.number)
    pavo = joint_visit.actor("pavo")
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
    pages = joint_visit.demonstration.browser(app, "pavo")
    shown = item(pages.page(f"/checklists/{plan.id}"), "U15")
    assert f"This answer may limit the NPM's independence. {because}" in shown
    assert "Publication" in shown
    because_of = "Only while the person is in danger."
    safeguards.explain_flag(joint_visit.actor("ilena"), plan, flag.id, because_of)
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
def users(app: Flask, negotiation: Negotiation) -> Users:
    return Users(app, negotiation)


@pytest.fixture
def users_of_limiting(app: Flask, limiting: Negotiation) -> Users:
    return Users(app, limiting)


def test_the_rules_are_named_with_the_power_and_the_passage(users_of_limiting: Users) -> None:
    users_of_limiting.negotiation.save("ilena", "M1", **GIVES_AWAY)
    for first in ("ilena", "samira", "ada"):
        page = users_of_limiting.page(first)
        shown = item(page, "M1")
        assert "This answer may limit the NPM's independence." in shown
        assert "Another body decides on it." in shown
        assert "Findings, Publication" in shown
        assert "/guidance/settling-terms#independence" in page.addresses()
    (flag,) = flags(users_of_limiting.negotiation)
    address = f"/flags/{flag.id}/explain"
    assert f"{users_of_limiting.address}{address}" in users_of_limiting.page("ilena").addresses()
    assert (
        f"{users_of_limiting.address}{address}" not in users_of_limiting.page("samira").addresses()
    )
    question_page = users_of_limiting.page("ilena", address)
    assert "This answer may limit the NPM's independence." in question_page.text
    page = users_of_limiting.submit("ilena", address, reason="The NPM has the last word.")
    assert "The flag is closed with your explanation." in page.text
    shown = item(users_of_limiting.page("samira"), "M1")
    assert "A flag raised by this checklist's rules is closed." in shown
    assert "explained by Ilena Dorvath" in shown


def test_the_history_tells_of_the_rules(users_of_limiting: Users) -> None:
    negotiation = users_of_limiting.negotiation
    negotiation.save("ilena", "M1", **GIVES_AWAY)
    negotiation.save("ilena", "M1", seen=1, agrees="npm")
    page = users_of_limiting.browser("samira").page(
        f"/cooperations/{negotiation.cooperation.reference}/history"
    )
    name = f"“{negotiation.loaded().template.by_code['M1'].label}”"
    for words in (
        f"This checklist's rules flagged {name} because it may limit the NPM's independence.",
        f"The flag on {name} was closed because the rule no longer applies to the answer.",
    ):
        assert words in page.text


# Phrases that may limit the NPM


def test_words_that_can_limit_are_pointed_at_beside_answer_and_proposal(users: Users) -> None:
    negotiation = users.negotiation
    answer = negotiation.save(
        "ilena", "M1", words="The partner is told. Prior approval is not asked."
    )
    shown = item(users.page("samira"), "M1")
    assert "Here, Prior approval can limit the NPM." in shown
    assert "Keep the NPM independent and free to move" in shown
    assert "can limit the NPM" not in item(users.page("samira"), "M2")
    positions.propose(
        negotiation["samira"],
        negotiation.checklist(),
        "M1",
        {"words": "Each side has a veto."},
        answer_id=answer.id,
        reason="For balance.",
    )
    negotiation.session.commit()
    assert "Here, veto can limit the NPM." in item(users.page("ilena"), "M1")


def test_words_that_the_second_reader_accepted_are_shown_again_before_sending(users: Users) -> None:
    negotiation = users.negotiation
    negotiation.agree()
    negotiation.session.commit()
    answer = negotiation.loaded().sheet.shared("M1")
    assert answer is not None
    change = positions.propose(
        negotiation["samira"],
        negotiation.checklist(),
        "M1",
        {"words": "Exclusive, with a veto."},
        answer_id=answer.answer_id,
        reason="For balance.",
    )
    positions.accept_proposal(negotiation["ilena"], negotiation.checklist(), change.id)
    negotiation.accept("M1", "joana")
    checklists.accept_hints(negotiation["oren"], negotiation.checklist())
    checklists.read_second(negotiation["oren"], negotiation.checklist())
    negotiation.session.commit()
    page = users.page("ilena", "/send")
    assert "Words to read again on 1 item" in page.text
    assert "Here, veto can limit the NPM." in page.text
    checklists.send(negotiation.checklist(), negotiation["ilena"], negotiation.signatories)
    assert negotiation.checklist().state is ChecklistState.SENT
