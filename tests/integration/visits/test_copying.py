"""Starting a visit's checklists from those of an earlier visit (class K2)."""

import datetime as dt
import json
import re
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories.checklists import shown_answers
from tests.factories.visits import JointVisit, planned, standing_plan
from tests.pages import Page
from tracker.activity.models import ReadLogEntry
from tracker.agreements import accepting
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import queries
from tracker.checklists import service as checklists
from tracker.checklists.loading import load
from tracker.checklists.models import Answer, Checklist
from tracker.checklists.negotiation.text_digest import item_token
from tracker.checklists.reuse import copying
from tracker.checklists.reuse.copying import Preview, Why
from tracker.cooperations import audiences
from tracker.cooperations.models import AudienceMember
from tracker.core.errors import RuleBrokenError
from tracker.visits import service
from tracker.visits.encryption import plan_of
from tracker.visits.models import Visit

ROLES, PLAN, TERMS = (
    ChecklistKind.VISIT_ROLES,
    ChecklistKind.URGENT_PLAN,
    ChecklistKind.TERMS,
)
# From both CSOs, so that the parties are those of the first visit.
TEAM = ("leyla", "samira", "marek")


@pytest.fixture
def second(joint_visit: JointVisit) -> Visit:
    """A second visit, for which Samira is listed as for the first, and so are Leyla and Marek."""
    visit = planned(joint_visit, members=TEAM, audience=TEAM)
    joint_visit.session.commit()
    return visit


def look(joint_visit: JointVisit, key: str = "ilena", kind: ChecklistKind = ROLES) -> Preview:
    now, former = joint_visit.checklist(kind, 2), joint_visit.checklist(kind, 1)
    return copying.preview(joint_visit.actor(key), load(now), load(former))


def copy(joint_visit: JointVisit, key: str = "ilena", *codes: str) -> tuple[str, ...]:
    seen = look(joint_visit, key)
    copied = copying.copy(
        joint_visit.actor(key),
        joint_visit.checklist(ROLES, 2),
        joint_visit.checklist(ROLES, 1).id,
        codes or sorted(seen.codes),
        seen=seen.seen,
    )
    joint_visit.session.commit()
    return copied


def formers(joint_visit: JointVisit, key: str, checklist: Checklist) -> list[object]:
    return [
        former.checklist.id
        for former in queries.earlier_checklists(joint_visit.actor(key), checklist)[0]
    ]


def test_the_roles_of_a_former_visit_are_copied_and_stay_encrypted(
    joint_visit: JointVisit, second: Visit
) -> None:
    copied = copy(joint_visit)
    assert {"V6", "V8"} <= set(copied)
    rows = joint_visit.session.scalars(
        sa.select(Answer).where(
            Answer.checklist_id == joint_visit.checklist(ROLES, 2).id, Answer.item.in_(copied)
        )
    ).all()
    assert {row.item for row in rows} == set(copied)
    assert all(row.values is None and row.sealed for row in rows)
    before, now = load(joint_visit.checklist(ROLES, 1)), load(joint_visit.checklist(ROLES, 2))
    former_answer, copied_answer = before.sheet.shared("V8"), now.sheet.shared("V8")
    assert former_answer is not None
    assert copied_answer is not None
    assert dict(copied_answer.values) == dict(former_answer.values)


def test_team_and_audience_are_never_copied(joint_visit: JointVisit, second: Visit) -> None:
    listed = {row.user_id for row in audiences.audience("visit", second.id)}
    seen = look(joint_visit)
    assert {"V2", "V3", "V4", "V13"} <= set(seen.behind[Why.LISTS])
    assert not {"V2", "V3", "V4", "V13"} & seen.codes
    copy(joint_visit)
    assert {row.user_id for row in audiences.audience("visit", second.id)} == listed
    for code in ("V2", "V3", "V4"):
        label = load(joint_visit.checklist(ROLES, 2)).item(code).label
        with pytest.raises(RuleBrokenError, match=re.escape(f"“{label}”")):
            copy(joint_visit, "ilena", code)
        joint_visit.session.rollback()


@pytest.mark.parametrize("key", ["samira", "leyla", "marek"])
def test_a_person_listed_and_cleared_for_both_visits_may_copy(
    joint_visit: JointVisit, second: Visit, key: str
) -> None:
    now = joint_visit.checklist(ROLES, 2)
    assert formers(joint_visit, key, now) == [joint_visit.checklist(ROLES, 1).id]


def test_a_person_not_listed_for_the_former_visit_copies_nothing_from_it(
    joint_visit: JointVisit, second: Visit, app: Flask
) -> None:
    audiences_of_first = joint_visit.visit(1).id
    joint_visit.session.execute(
        sa.delete(AudienceMember).where(
            AudienceMember.subject_id == audiences_of_first,
            AudienceMember.user_id == joint_visit.user("samira"),
        )
    )
    joint_visit.session.commit()
    now, former = joint_visit.checklist(ROLES, 2), joint_visit.checklist(ROLES, 1)
    assert formers(joint_visit, "samira", now) == []
    assert queries.earlier_checklist(joint_visit.actor("samira"), now, former.id) is None
    with pytest.raises(RuleBrokenError, match="You can no longer copy anything from there"):
        copy(joint_visit, "samira")
    joint_visit.session.rollback()
    browser = joint_visit.demonstration.browser(app, "samira")
    assert browser.get(f"/checklists/{now.id}/copy/{former.id}").status_code == 404
    assert browser.post(f"/checklists/{now.id}/copy/{former.id}").status_code == 404


def test_nothing_is_copied_from_a_visit_into_another_kind_of_checklist(
    joint_visit: JointVisit, second: Visit
) -> None:
    """The standing plan is class K8; a visit's plan may start from it, never the reverse."""
    standing = standing_plan(joint_visit)
    of_visit = joint_visit.checklist(PLAN, 1)
    for key in ("ilena", "pavo", "samira"):
        assert of_visit.id not in formers(joint_visit, key, standing)
        assert queries.earlier_checklist(joint_visit.actor(key), standing, of_visit.id) is None
        assert joint_visit.checklist(ROLES, 1).id not in formers(
            joint_visit, key, joint_visit.checklist(TERMS, None)
        )


def test_both_openings_are_in_the_read_log(
    joint_visit: JointVisit, second: Visit, app: Flask
) -> None:
    now, former = joint_visit.checklist(ROLES, 2), joint_visit.checklist(ROLES, 1)
    browser = joint_visit.demonstration.browser(app, "samira")
    page = browser.page(f"/checklists/{now.id}/copy/{former.id}")
    assert "Restricted: visit planning" in page.text
    rows = joint_visit.session.scalars(
        sa.select(ReadLogEntry).where(ReadLogEntry.user_id == joint_visit.user("samira"))
    ).all()
    assert {row.subject_id for row in rows} == {now.id, former.id}
    done = Page.of(browser.submit(page.where, items=["V8"]))
    assert "1 item is copied." in done.text


def test_the_trail_names_items_and_nothing_of_the_visit(
    joint_visit: JointVisit, second: Visit
) -> None:
    copy(joint_visit, "ilena", "V8")
    loaded, samira = load(joint_visit.checklist(ROLES, 2)), joint_visit.actor("samira")
    answer = loaded.sheet.shared("V8")
    assert answer is not None
    shown = shown_answers(loaded, samira, [answer.answer_id])
    copying.say_read(samira, joint_visit.checklist(ROLES, 2), shown)
    joint_visit.session.commit()
    events = joint_visit.events("answers_copied", "copies_read")
    assert [(verb, content["items"]) for verb, content in events] == [
        ("answers_copied", ["V8"]),
        ("copies_read", ["V8"]),
    ]
    assert {frozenset(content) for _verb, content in events} == {
        frozenset({"who", "kind", "items", "organisation"})
    }


def test_days_of_a_former_visit_are_not_copied_and_those_of_this_one_are_counted(
    joint_visit: JointVisit, second: Visit, app: Flask
) -> None:
    former = load(joint_visit.checklist(ROLES, 1)).sheet.shared("V18")
    assert former is not None
    assert {"briefing", "debriefing"} <= former.values.keys()
    now = joint_visit.checklist(ROLES, 2)
    page = joint_visit.demonstration.browser(app, "ilena").page(
        f"/checklists/{now.id}/copy/{joint_visit.checklist(ROLES, 1).id}"
    )
    assert "Days are counted from this visit, as in the model text." in page.text
    copy(joint_visit)
    copied = load(now).sheet.shared("V18")
    assert copied is not None
    plan = plan_of(second)
    assert dict(copied.values) == dict(former.values) | {
        "briefing": (plan.starts_on - dt.timedelta(days=1)).isoformat(),
        "debriefing": (plan.ends_on + dt.timedelta(days=1)).isoformat(),
    }
    due = (plan.ends_on + dt.timedelta(days=14)).isoformat()
    assert {row["due"] for row in answered(joint_visit, "V19")["parts"]} == {due}
    # Each party still has to read all of it.
    assert copied.is_unread_by(joint_visit.body("npm"))


def test_a_day_that_the_model_text_does_not_count_is_left_out_and_named(
    joint_visit: JointVisit, second: Visit, app: Flask
) -> None:
    """When the lawyer checked the plan (U8) is a fact of that visit's plan."""
    former, now = joint_visit.checklist(PLAN, 1), joint_visit.checklist(PLAN, 2)
    assert (load(former).sheet.value("U8", "checked_on")) is not None
    page = joint_visit.demonstration.browser(app, "ilena").page(
        f"/checklists/{now.id}/copy/{former.id}"
    )
    assert "Left out because it belongs to the earlier visit" in page.text
    seen = look(joint_visit, kind=PLAN)
    (answer,) = next(offer for offer in seen.offers if offer.item.code == "U8").answers[:1]
    assert "checked_on" not in answer.values
    assert ("checked_on", None) in answer.left_out


def answered(joint_visit: JointVisit, item: str, number: int = 2) -> dict[str, Any]:
    answer = load(joint_visit.checklist(ROLES, number)).sheet.shared(item)
    assert answer is not None
    return dict(answer.values)


def test_the_aim_is_copied_and_kind_and_type_of_place_stay_as_planned(
    joint_visit: JointVisit, second: Visit
) -> None:
    before, planned_answer = (
        answered(joint_visit, "V1", 1),
        {"kind": "urgent", "place_type": "prison"},
    )
    roles, actor = joint_visit.checklist(ROLES, 2), joint_visit.actor("ilena")
    assert answered(joint_visit, "V1").keys() == planned_answer.keys()
    checklists.save_answer(actor, roles, "V1", AnswerScope.SHARED, planned_answer, base_version=1)
    joint_visit.session.commit()
    assert {"V1"} <= set(copy(joint_visit, "ilena", "V1"))
    now = answered(joint_visit, "V1")
    assert now["aims"] == before["aims"]
    assert {key: now[key] for key in planned_answer} == planned_answer
    # Nobody has asked the CSOs for this visit yet, and the day was of the other.
    assert not {"background_asked", "other_type"} & now.keys()
    first_day = plan_of(second).starts_on
    assert now["brief_due"] == (first_day - dt.timedelta(days=1)).isoformat()
    answer = load(joint_visit.checklist(ROLES, 2)).sheet.shared("V1")
    assert answer is not None
    assert answer.is_unread_by(joint_visit.body("npm"))
    # Once it says more, it is an answer of its own.
    assert "V1" in look(joint_visit).behind[Why.ANSWERED]


def test_the_aim_isnt_copied_while_the_type_of_another_place_is_to_be_said(
    joint_visit: JointVisit, second: Visit
) -> None:
    """A copy would count as having said it."""
    plan = plan_of(second)
    moved = replace(plan, place="Another place")
    service.change_plan(joint_visit.actor("ilena"), second, version=second.version, plan=moved)
    joint_visit.session.commit()
    assert "V1" in look(joint_visit).behind[Why.ANSWERED]


def test_people_who_arent_on_the_team_of_the_second_visit_are_left_out(
    joint_visit: JointVisit,
) -> None:
    planned(joint_visit, members=("leyla", "henrik"), audience=("leyla", "henrik"))
    joint_visit.session.commit()
    before = answered(joint_visit, "V5", 1)
    gone = {str(joint_visit.user(key)) for key in ("samira", "marek")}
    assert gone <= {row["person"] for row in before["roles"]}
    copied = set(copy(joint_visit))
    assert {"V5", "V8"} <= copied
    now = answered(joint_visit, "V5")
    assert {row["person"] for row in now["roles"]} == {
        str(joint_visit.user(key)) for key in ("pavo", "ruth", "leyla")
    }
    assert now["may_refuse"] is True
    named = json.dumps(
        [answered(joint_visit, item) for item in ("V5", "V8", "V10") if item in copied]
    )
    assert not any(person in named for person in gone)


def test_whoever_reads_and_accepts_the_draft_has_read_what_each_party_says_of_itself(
    joint_visit: JointVisit, second: Visit
) -> None:
    copy(joint_visit)
    for key in ("ilena", "samira"):
        loaded, actor = load(joint_visit.checklist(ROLES, 2)), joint_visit.actor(key)
        own = loaded.own_party(actor)
        assert own is not None
        statement = next(
            filled
            for (code, scope, _owner), filled in loaded.sheet.answers.items()
            if (code, scope) == ("V6", AnswerScope.PARTY) and filled.is_copied
        )
        assert statement.is_unread_by(own.organisation_id)
        reading = accepting.reading_of(loaded, actor)
        assert "V6" in reading.acceptable | reading.unread
        accepting.accept_items(
            actor, loaded.checklist, {"V6": item_token(loaded, actor, loaded.item("V6"))}
        )
        joint_visit.session.commit()
        loaded = load(joint_visit.checklist(ROLES, 2))
        assert copying.unread_of(loaded, "V6", own.organisation_id) == []
        reading = accepting.reading_of(loaded, actor)
        assert "V6" not in reading.acceptable | reading.unread
