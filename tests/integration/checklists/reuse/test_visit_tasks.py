"""Who takes which task of a visit is chosen once, before its text is begun with (adr 110)."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.demonstration import Demonstration
from tests.factories.visits import JointVisit, second_visit
from tests.pages import Page
from tracker.accounts.people import telephones
from tracker.checklist_templates import to_decide
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.deciding import left_to_decide
from tracker.checklists.deciding.left_to_decide import Seen
from tracker.checklists.loading import load
from tracker.checklists.negotiation.text_digest import question_token
from tracker.checklists.reuse import beginning, visit_tasks
from tracker.core.errors import RuleBrokenError
from tracker.visits.encryption import plan_of
from tracker.visits.models import Visit

ROLES, PLAN = ChecklistKind.VISIT_ROLES, ChecklistKind.URGENT_PLAN


@pytest.fixture
def joint_visit(session: Session, demonstration: Demonstration) -> JointVisit:
    return JointVisit(session, demonstration)


@pytest.fixture
def second(joint_visit: JointVisit) -> Visit:
    """A second visit, which nobody has written anything about yet."""
    return second_visit(joint_visit)


def begin(joint_visit: JointVisit, kind: ChecklistKind, **chosen: str) -> None:
    ilena, checklist = joint_visit.actor("ilena"), joint_visit.checklist(kind, 2)
    (shown,) = beginning.beginnings(ilena, load(checklist), ["en"])
    people = {task: str(joint_visit.user(key)) for task, key in chosen.items()}
    beginning.begin(ilena, checklist, "en", seen=shown.seen, chosen=people)
    joint_visit.session.commit()


def values(joint_visit: JointVisit, item: str, kind: ChecklistKind = ROLES) -> Mapping[str, Any]:
    answer = load(joint_visit.checklist(kind, 2)).sheet.shared(item)
    assert answer is not None
    return answer.values


def test_lead_and_deputy_are_filled_in_wherever_the_text_needs_them(
    joint_visit: JointVisit, second: Visit
) -> None:
    begin(joint_visit, ROLES)
    pavo, ruth = (str(joint_visit.user(key)) for key in ("pavo", "ruth"))
    talks = values(joint_visit, "V7")
    assert (talks["speaker"], talks["stand_in"], talks["at_gate"]) == (pavo, ruth, pavo)
    roles = {row["person"]: row for row in values(joint_visit, "V5")["roles"]}
    assert roles.keys() == set(
        map(str, load(joint_visit.checklist(ROLES, 2)).surroundings.team or ())
    )
    assert (roles[pavo]["backup"], roles[ruth]["backup"]) == (ruth, pavo)
    other = roles[str(joint_visit.user("leyla"))]
    assert (other["backup"], to_decide.is_mark(other["task"])) == (ruth, True)
    begin(joint_visit, PLAN)
    assert values(joint_visit, "U3", PLAN)["on_site"] == pavo
    assert values(joint_visit, "U3", PLAN)["stand_in"] == ruth


def test_days_are_those_of_the_visit(joint_visit: JointVisit, second: Visit) -> None:
    begin(joint_visit, ROLES)
    plan, one_day = plan_of(second), dt.timedelta(days=1)
    assert values(joint_visit, "V18")["briefing"] == (plan.starts_on - one_day).isoformat()
    assert values(joint_visit, "V18")["debriefing"] == (plan.ends_on + one_day).isoformat()
    assert values(joint_visit, "V1")["brief_due"] == (plan.starts_on - one_day).isoformat()


def test_whoever_is_chosen_for_a_task_is_named_in_all_its_places(
    joint_visit: JointVisit, second: Visit
) -> None:
    begin(joint_visit, PLAN, office="ilena", recorder="leyla")
    ilena, leyla = (str(joint_visit.user(key)) for key in ("ilena", "leyla"))
    assert values(joint_visit, "U3", PLAN)["headquarters"] == ilena
    assert {row["sender"] for row in values(joint_visit, "U11", PLAN)["bodies"]} == {ilena}
    assert {row["owner"] for row in values(joint_visit, "U16", PLAN)["follow_up"]} == {ilena}
    assert [row["person"] for row in values(joint_visit, "U10", PLAN)["access"]] == [ilena, leyla]
    assert values(joint_visit, "U9", PLAN)["recorder"] == leyla


def test_what_nobody_was_chosen_for_stays_to_decide(joint_visit: JointVisit, second: Visit) -> None:
    begin(joint_visit, PLAN)
    assert to_decide.is_mark(values(joint_visit, "U3", PLAN)["headquarters"])
    assert all(
        to_decide.is_mark(row["sender"]) for row in values(joint_visit, "U11", PLAN)["bodies"]
    )


def test_nothing_filled_in_counts_as_read_or_agreed(joint_visit: JointVisit, second: Visit) -> None:
    begin(joint_visit, PLAN, office="ilena", recorder="leyla")
    loaded = load(joint_visit.checklist(PLAN, 2))
    for item in ("U3", "U11", "U16"):
        answer = loaded.sheet.shared(item)
        assert answer is not None
        assert all(answer.is_unread_by(party.organisation_id) for party in loaded.parties)
        assert loaded.sheet.positions.get(item, {}) == {}


@pytest.mark.parametrize(
    ("task", "key"),
    [
        # Interviewers are on the team, and whoever decides at the office is of the NPM.
        ("interviewer", "ilena"),
        ("office", "leyla"),
        # Somebody who doesn't take part, and one whose task isn't offered here.
        ("office", "dina"),
        ("recorder", "iris"),
        ("lead", "ruth"),
        ("president", "ilena"),
    ],
)
def test_only_somebody_whom_the_page_offers_is_chosen(
    joint_visit: JointVisit, second: Visit, task: str, key: str
) -> None:
    for kind in (ROLES, PLAN):
        with pytest.raises(RuleBrokenError, match="from the lists"):
            begin(joint_visit, kind, **{task: key})
        joint_visit.session.rollback()
    assert load(joint_visit.checklist(PLAN, 2)).sheet.shared("U3") is None


def test_an_id_that_is_none_is_refused(joint_visit: JointVisit, second: Visit) -> None:
    loaded = load(joint_visit.checklist(PLAN, 2))
    with pytest.raises(RuleBrokenError):
        visit_tasks.read_choice(loaded, {"office": "nonsense"})
    assert visit_tasks.read_choice(loaded, {"office": ""}) == {}


def test_telephone_numbers_of_those_named_come_from_their_accounts(
    joint_visit: JointVisit, second: Visit
) -> None:
    telephones.change(joint_visit.actor("pavo"), "+000 555 021")
    telephones.change(joint_visit.actor("ilena"), "+000 555 022")
    telephones.change(joint_visit.actor("ruth"), "")
    joint_visit.session.commit()
    begin(joint_visit, PLAN, office="ilena")
    who = values(joint_visit, "U3", PLAN)
    assert (who["on_site_phone"], who["headquarters_phone"]) == ("+000 555 021", "+000 555 022")
    assert to_decide.is_mark(who["stand_in_phone"])


def test_a_checklist_of_no_visit_offers_no_tasks(joint_visit: JointVisit, second: Visit) -> None:
    terms = load(joint_visit.checklist(ChecklistKind.TERMS, None))
    assert visit_tasks.to_give(terms) == ()
    assert visit_tasks.leaders(joint_visit.actor("ilena"), terms) == {}


def test_somebody_who_may_not_open_the_roles_learns_no_lead_from_another_text(
    joint_visit: JointVisit, second: Visit
) -> None:
    plan = load(joint_visit.checklist(PLAN, 2))
    assert visit_tasks.leaders(joint_visit.actor("ilena"), plan).keys() == {"lead", "deputy"}
    for key in ("iris", "dina", "celia"):
        assert visit_tasks.leaders(joint_visit.actor(key), plan) == {}


def test_the_page_offers_the_tasks_and_begins_with_those_chosen(
    joint_visit: JointVisit, second: Visit, app: Flask
) -> None:
    browser = joint_visit.demonstration.browser(app, "ilena")
    address = f"/checklists/{joint_visit.checklist(PLAN, 2).id}/begin"
    page = browser.page(address)
    assert "Who does what" in page.text
    assert "Decides at the office of the NPM" in page.text
    assert "Interviews people" not in page.text  # only in the roles
    (form,) = page.forms(address)
    wrong = form.filled_in() | {"language": "en", "office": str(joint_visit.user("leyla"))}
    refused = Page.of(browser.post(address, data=wrong, follow_redirects=True))
    assert "Choose people from the lists on this page." in refused.text
    chosen = form.filled_in() | {"language": "en", "office": str(joint_visit.user("ilena"))}
    chosen |= {"recorder": ""}
    browser.post(address, data=chosen, follow_redirects=True)
    assert values(joint_visit, "U7", PLAN)["decider"] == str(joint_visit.user("ilena"))


def test_the_text_on_a_health_expert_asks_nothing_once_health_is_no_aim(
    joint_visit: JointVisit, second: Visit
) -> None:
    begin(joint_visit, ROLES)
    ilena, checklist = joint_visit.actor("ilena"), joint_visit.checklist(ROLES, 2)

    def left_open() -> set[str]:
        open_items = left_to_decide.open_items(load(checklist), ilena)
        return {open_item.item.code for open_item in open_items}

    assert {"V11", "V12"} <= left_open()
    loaded = load(checklist)
    answer = loaded.sheet.shared("V1")
    assert answer is not None
    seen = {"V1": Seen(answer.version, question_token(loaded, ilena, loaded.item("V1")))}
    left_to_decide.save(ilena, checklist, seen, {"V1-health_aim": "no"})
    joint_visit.session.commit()
    standing = load(checklist).standing()
    assert "V11" not in left_open()
    assert "V12" in left_open()
    assert "V11" not in standing.blocking
    assert {"V1", "V12"} <= set(standing.blocking)
    assert standing.items["V11"].waiting_for == ()
