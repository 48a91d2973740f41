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
from tests.factories.visits import Scene, planned, standing_plan
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
def second(scene: Scene) -> Visit:
    """A second visit, for which Samira is listed as for the first, and so are Leyla and Marek."""
    visit = planned(scene, members=TEAM, audience=TEAM)
    scene.session.commit()
    return visit


def look(scene: Scene, key: str = "ilena", kind: ChecklistKind = ROLES) -> Preview:
    now, former = scene.checklist(kind, 2), scene.checklist(kind, 1)
    return copying.preview(scene.actor(key), load(now), load(former))


def copy(scene: Scene, key: str = "ilena", *codes: str) -> tuple[str, ...]:
    seen = look(scene, key)
    copied = copying.copy(
        scene.actor(key),
        scene.checklist(ROLES, 2),
        scene.checklist(ROLES, 1).id,
        codes or sorted(seen.codes),
        seen=seen.seen,
    )
    scene.session.commit()
    return copied


def formers(scene: Scene, key: str, checklist: Checklist) -> list[object]:
    return [
        former.checklist.id for former in queries.earlier_checklists(scene.actor(key), checklist)[0]
    ]


def test_the_roles_of_a_former_visit_are_copied_and_stay_encrypted(
    scene: Scene, second: Visit
) -> None:
    copied = copy(scene)
    assert {"V6", "V8"} <= set(copied)
    rows = scene.session.scalars(
        sa.select(Answer).where(
            Answer.checklist_id == scene.checklist(ROLES, 2).id, Answer.item.in_(copied)
        )
    ).all()
    assert {row.item for row in rows} == set(copied)
    assert all(row.values is None and row.sealed for row in rows)
    before, now = load(scene.checklist(ROLES, 1)), load(scene.checklist(ROLES, 2))
    former_answer, copied_answer = before.sheet.shared("V8"), now.sheet.shared("V8")
    assert former_answer is not None
    assert copied_answer is not None
    assert dict(copied_answer.values) == dict(former_answer.values)


def test_team_and_audience_are_never_copied(scene: Scene, second: Visit) -> None:
    listed = {row.user_id for row in audiences.audience("visit", second.id)}
    seen = look(scene)
    assert {"V2", "V3", "V4", "V13"} <= set(seen.behind[Why.LISTS])
    assert not {"V2", "V3", "V4", "V13"} & seen.codes
    copy(scene)
    assert {row.user_id for row in audiences.audience("visit", second.id)} == listed
    for code in ("V2", "V3", "V4"):
        label = load(scene.checklist(ROLES, 2)).item(code).label
        with pytest.raises(RuleBrokenError, match=re.escape(f"“{label}”")):
            copy(scene, "ilena", code)
        scene.session.rollback()


@pytest.mark.parametrize("key", ["samira", "leyla", "marek"])
def test_a_person_listed_and_cleared_for_both_visits_may_copy(
    scene: Scene, second: Visit, key: str
) -> None:
    now = scene.checklist(ROLES, 2)
    assert formers(scene, key, now) == [scene.checklist(ROLES, 1).id]


def test_a_person_not_listed_for_the_former_visit_copies_nothing_from_it(
    scene: Scene, second: Visit, app: Flask
) -> None:
    audiences_of_first = scene.visit(1).id
    scene.session.execute(
        sa.delete(AudienceMember).where(
            AudienceMember.subject_id == audiences_of_first,
            AudienceMember.user_id == scene.user("samira"),
        )
    )
    scene.session.commit()
    now, former = scene.checklist(ROLES, 2), scene.checklist(ROLES, 1)
    assert formers(scene, "samira", now) == []
    assert queries.earlier_checklist(scene.actor("samira"), now, former.id) is None
    with pytest.raises(RuleBrokenError, match="You can no longer copy anything from there"):
        copy(scene, "samira")
    scene.session.rollback()
    browser = scene.demonstration.browser(app, "samira")
    assert browser.get(f"/checklists/{now.id}/copy/{former.id}").status_code == 404
    assert browser.post(f"/checklists/{now.id}/copy/{former.id}").status_code == 404


def test_nothing_is_copied_from_a_visit_into_another_kind_of_checklist(
    scene: Scene, second: Visit
) -> None:
    """The standing plan is class K8; a visit's plan may start from it, never the reverse."""
    standing = standing_plan(scene)
    of_visit = scene.checklist(PLAN, 1)
    for key in ("ilena", "pavo", "samira"):
        assert of_visit.id not in formers(scene, key, standing)
        assert queries.earlier_checklist(scene.actor(key), standing, of_visit.id) is None
        assert scene.checklist(ROLES, 1).id not in formers(scene, key, scene.checklist(TERMS, None))


def test_both_openings_are_in_the_read_log(scene: Scene, second: Visit, app: Flask) -> None:
    now, former = scene.checklist(ROLES, 2), scene.checklist(ROLES, 1)
    browser = scene.demonstration.browser(app, "samira")
    page = browser.page(f"/checklists/{now.id}/copy/{former.id}")
    assert "K2 Planning" in page.text
    rows = scene.session.scalars(
        sa.select(ReadLogEntry).where(ReadLogEntry.user_id == scene.user("samira"))
    ).all()
    assert {row.subject_id for row in rows} == {now.id, former.id}
    done = Page.of(browser.submit(page.where, items=["V8"]))
    assert "1 item is copied." in done.text


def test_the_trail_names_items_and_nothing_of_the_visit(scene: Scene, second: Visit) -> None:
    copy(scene, "ilena", "V8")
    loaded, samira = load(scene.checklist(ROLES, 2)), scene.actor("samira")
    answer = loaded.sheet.shared("V8")
    assert answer is not None
    shown = shown_answers(loaded, samira, [answer.answer_id])
    copying.say_read(samira, scene.checklist(ROLES, 2), shown)
    scene.session.commit()
    events = scene.events("answers_copied", "copies_read")
    assert [(verb, content["items"]) for verb, content in events] == [
        ("answers_copied", ["V8"]),
        ("copies_read", ["V8"]),
    ]
    assert {frozenset(content) for _verb, content in events} == {
        frozenset({"who", "kind", "items", "organisation"})
    }


def test_days_of_a_former_visit_are_not_copied_and_those_of_this_one_are_counted(
    scene: Scene, second: Visit, app: Flask
) -> None:
    former = load(scene.checklist(ROLES, 1)).sheet.shared("V18")
    assert former is not None
    assert {"briefing", "debriefing"} <= former.values.keys()
    now = scene.checklist(ROLES, 2)
    page = scene.demonstration.browser(app, "ilena").page(
        f"/checklists/{now.id}/copy/{scene.checklist(ROLES, 1).id}"
    )
    assert "Days are counted from this visit, as in the model text." in page.text
    copy(scene)
    copied = load(now).sheet.shared("V18")
    assert copied is not None
    plan = plan_of(second)
    assert dict(copied.values) == dict(former.values) | {
        "briefing": (plan.starts_on - dt.timedelta(days=1)).isoformat(),
        "debriefing": (plan.ends_on + dt.timedelta(days=1)).isoformat(),
    }
    due = (plan.ends_on + dt.timedelta(days=14)).isoformat()
    assert {row["due"] for row in answered(scene, "V19")["parts"]} == {due}
    # Each party still has to read all of it.
    assert copied.is_unread_by(scene.body("npm"))


def test_a_day_that_the_model_text_does_not_count_is_left_out_and_named(
    scene: Scene, second: Visit, app: Flask
) -> None:
    """When the lawyer checked the plan (U8) is a fact of that visit's plan."""
    former, now = scene.checklist(PLAN, 1), scene.checklist(PLAN, 2)
    assert (load(former).sheet.value("U8", "checked_on")) is not None
    page = scene.demonstration.browser(app, "ilena").page(f"/checklists/{now.id}/copy/{former.id}")
    assert "Left out because it belongs to the earlier visit" in page.text
    seen = look(scene, kind=PLAN)
    (answer,) = next(offer for offer in seen.offers if offer.item.code == "U8").answers[:1]
    assert "checked_on" not in answer.values
    assert ("checked_on", None) in answer.left_out


def answered(scene: Scene, item: str, number: int = 2) -> dict[str, Any]:
    answer = load(scene.checklist(ROLES, number)).sheet.shared(item)
    assert answer is not None
    return dict(answer.values)


def test_the_aim_is_copied_and_kind_and_type_of_place_stay_as_planned(
    scene: Scene, second: Visit
) -> None:
    before, planned_answer = answered(scene, "V1", 1), {"kind": "urgent", "place_type": "prison"}
    roles, actor = scene.checklist(ROLES, 2), scene.actor("ilena")
    assert answered(scene, "V1").keys() == planned_answer.keys()
    checklists.save_answer(actor, roles, "V1", AnswerScope.SHARED, planned_answer, base_version=1)
    scene.session.commit()
    assert {"V1"} <= set(copy(scene, "ilena", "V1"))
    now = answered(scene, "V1")
    assert now["aims"] == before["aims"]
    assert {key: now[key] for key in planned_answer} == planned_answer
    # Nobody has asked the CSOs for this visit yet, and the day was of the other.
    assert not {"background_asked", "other_type"} & now.keys()
    first_day = plan_of(second).starts_on
    assert now["brief_due"] == (first_day - dt.timedelta(days=1)).isoformat()
    answer = load(scene.checklist(ROLES, 2)).sheet.shared("V1")
    assert answer is not None
    assert answer.is_unread_by(scene.body("npm"))
    # Once it says more, it is an answer of its own.
    assert "V1" in look(scene).behind[Why.ANSWERED]


def test_the_aim_isnt_copied_while_the_type_of_another_place_is_to_be_said(
    scene: Scene, second: Visit
) -> None:
    """A copy would count as having said it."""
    plan = plan_of(second)
    moved = replace(plan, place="Another place")
    service.change_plan(scene.actor("ilena"), second, version=second.version, plan=moved)
    scene.session.commit()
    assert "V1" in look(scene).behind[Why.ANSWERED]


def test_people_who_arent_on_the_team_of_the_second_visit_are_left_out(scene: Scene) -> None:
    planned(scene, members=("leyla", "henrik"), audience=("leyla", "henrik"))
    scene.session.commit()
    before = answered(scene, "V5", 1)
    gone = {str(scene.user(key)) for key in ("samira", "marek")}
    assert gone <= {row["person"] for row in before["roles"]}
    copied = set(copy(scene))
    assert {"V5", "V8"} <= copied
    now = answered(scene, "V5")
    assert {row["person"] for row in now["roles"]} == {
        str(scene.user(key)) for key in ("pavo", "ruth", "leyla")
    }
    assert now["may_refuse"] is True
    named = json.dumps([answered(scene, item) for item in ("V5", "V8", "V10") if item in copied])
    assert not any(person in named for person in gone)


def test_whoever_reads_and_accepts_the_draft_has_read_what_each_party_says_of_itself(
    scene: Scene, second: Visit
) -> None:
    copy(scene)
    for key in ("ilena", "samira"):
        loaded, actor = load(scene.checklist(ROLES, 2)), scene.actor(key)
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
        scene.session.commit()
        loaded = load(scene.checklist(ROLES, 2))
        assert copying.unread_of(loaded, "V6", own.organisation_id) == []
        reading = accepting.reading_of(loaded, actor)
        assert "V6" not in reading.acceptable | reading.unread
