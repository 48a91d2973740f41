"""Answers that nobody has written yet, on the page with what is left to decide (adr 108)."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from flask_babel import force_locale, gettext
from sqlalchemy.orm import Session

from tests.factories.agreements import checklist_of
from tests.factories.cooperations import bring_in, make_country, open_one
from tests.factories.demonstration import Demonstration
from tests.factories.visits import JointVisit, second_visit
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists.deciding import left_to_decide
from tracker.checklists.deciding.left_to_decide import OpenItem, Seen
from tracker.checklists.loading import load
from tracker.checklists.negotiation.text_digest import question_token
from tracker.checklists.reuse import beginning, known_facts
from tracker.cooperations.models import Mode
from tracker.core.errors import RefusedError, StaleError
from tracker.organisations.models import Organisation
from tracker.visits.encryption import plan_of
from tracker.visits.models import Visit

ROLES = ChecklistKind.VISIT_ROLES
PAPERS = "V13-credentials-all-credential"


@pytest.fixture
def joint_visit(session: Session, demonstration: Demonstration) -> JointVisit:
    return JointVisit(session, demonstration)


@pytest.fixture
def visit(joint_visit: JointVisit) -> Visit:
    """A second visit, which nobody has written anything about yet."""
    return second_visit(joint_visit)


@pytest.fixture
def begun(joint_visit: JointVisit, visit: Visit) -> Visit:
    """The same visit, whose roles begin with the model text."""
    joint_visit.go_on("begin_roles", _begin_roles)
    return joint_visit.visit(2)


def _begin_roles(joint_visit: JointVisit) -> None:
    ilena, checklist = joint_visit.actor("ilena"), joint_visit.checklist(ROLES, 2)
    (shown,) = beginning.beginnings(ilena, load(checklist), ["en"])
    beginning.begin(ilena, checklist, "en", seen=shown.seen)


def offered(joint_visit: JointVisit, person: str) -> dict[str, OpenItem]:
    loaded = load(joint_visit.checklist(ROLES, 2))
    return {item.key: item for item in left_to_decide.open_items(loaded, joint_visit.actor(person))}


def save(joint_visit: JointVisit, person: str, typed: Mapping[str, Any], **bases: OpenItem) -> None:
    """Save what somebody typed on a page that had these answers."""
    actor, checklist = joint_visit.actor(person), joint_visit.checklist(ROLES, 2)
    loaded = load(checklist)
    seen = {
        base.key: Seen(
            base.version, question_token(loaded, actor, loaded.item(code)), base.begun_with
        )
        for code, base in bases.items()
    }
    left_to_decide.save(actor, checklist, seen, typed)
    joint_visit.session.commit()


def papers(item: OpenItem) -> dict[str, str]:
    """Everything that V13 asks for, by the names of its fields."""
    values = {"credential": "Letter 7", "valid_until": "2032-01-01", "safety_phone": "+000 555 1"}
    return {place.name: values.get(place.part.key, "") for place in item.places}


def test_the_npm_decides_on_the_papers_of_each_member_in_the_same_form(
    joint_visit: JointVisit, begun: Visit
) -> None:
    item = offered(joint_visit, "ilena")["V13"]
    team = load(joint_visit.checklist(ROLES, 2)).surroundings.team or frozenset()
    assert {row["person"] for row in item.values["credentials"]} == set(map(str, team))
    (table,) = (table for table in item.tables if table.field.key == "credentials")
    assert {str(row.label) for row in table.rows} >= {"Pavo Linden", "Leyla Marchetti"}
    typed = {**papers(item), "V13-safety_contact": str(joint_visit.user("ilena"))}
    save(joint_visit, "ilena", typed, V13=item)
    loaded = load(joint_visit.checklist(ROLES, 2))
    answer = loaded.sheet.shared("V13")
    assert answer is not None
    assert {row["person"] for row in answer.values["credentials"]} == set(map(str, team))
    assert {row["credential"] for row in answer.values["credentials"]} == {"Letter 7"}
    assert loaded.standing().items["V13"].done
    assert "V13" not in offered(joint_visit, "ilena")


def test_papers_are_suggested_to_be_valid_until_the_last_day_of_the_visit(
    joint_visit: JointVisit, begun: Visit
) -> None:
    loaded, ilena = load(joint_visit.checklist(ROLES, 2)), joint_visit.actor("ilena")
    items = left_to_decide.open_items(loaded, ilena)
    suggested = left_to_decide.suggested(loaded, ilena, items)
    assert suggested["V13-credentials-all-valid_until"] == plan_of(begun).ends_on.isoformat()
    assert suggested[PAPERS] == "Letter of access and identity papers"


def test_each_party_says_in_one_row_what_the_law_asks_of_its_team(
    joint_visit: JointVisit, visit: Visit
) -> None:
    """U8: nobody has to write a row for each profession where there is no duty and no right."""
    checklist = joint_visit.checklist(ChecklistKind.URGENT_PLAN, 2)
    ilena = joint_visit.actor("ilena")
    (shown,) = beginning.beginnings(ilena, load(checklist), ["en"])
    beginning.begin(ilena, checklist, "en", seen=shown.seen)
    joint_visit.session.commit()
    loaded = load(checklist)
    for person in ("ilena", "samira"):
        actor = joint_visit.actor(person)
        items = {item.key: item for item in left_to_decide.open_items(loaded, actor)}
        item = items["U8.own"]
        needed = [place.part.key for place in item.places if not place.is_dependent]
        assert needed == ["has_duty", "has_privilege"]
        assert [str(row.label) for table in item.tables for row in table.rows] == [
            "Everyone on our team",
            "Everyone on our team",
        ]
        typed = {place.name: "none" for place in item.places if place.part.key in needed}
        token = question_token(loaded, actor, loaded.item("U8"))
        seen = {item.key: Seen(item.version, token, item.begun_with)}
        left_to_decide.save(actor, checklist, seen, typed)
        loaded = load(checklist)
        assert actor.organisation_id is not None
        own = loaded.sheet.of_party("U8", actor.organisation_id)
        assert own is not None
        assert own.values["duties"] == [{"profession": "Everyone on our team", "has_duty": "none"}]


def test_what_is_filled_in_is_in_the_language_of_the_text_whoever_opens_the_page(
    joint_visit: JointVisit, visit: Visit
) -> None:
    """It is frozen and signed, so a reader's own language has no place in it (U8, V13)."""
    ilena = joint_visit.actor("ilena")
    for kind in (ChecklistKind.URGENT_PLAN, ROLES):
        checklist = joint_visit.checklist(kind, 2)
        (shown,) = beginning.beginnings(ilena, load(checklist), ["en"])
        beginning.begin(ilena, checklist, "en", seen=shown.seen)
    joint_visit.session.commit()

    def filled_in() -> tuple[object, object]:
        loaded = load(joint_visit.checklist(ChecklistKind.URGENT_PLAN, 2))
        rows = known_facts.begun(loaded, ilena, loaded.item("U8"), AnswerScope.PARTY)
        loaded = load(joint_visit.checklist(ROLES, 2))
        items = left_to_decide.open_items(loaded, ilena)
        return rows["duties"], left_to_decide.suggested(loaded, ilena, items)[PAPERS]

    english = ([{"profession": "Everyone on our team"}], "Letter of access and identity papers")
    for reader in ("en", "ar"):
        with force_locale(reader):
            assert filled_in() == english
    npm = joint_visit.session.get_one(Organisation, joint_visit.body("npm"))
    npm.languages = ["Arabic"]
    joint_visit.session.commit()
    for reader in ("en", "ar"):
        with force_locale(reader):
            assert filled_in() == arabic()


def arabic() -> tuple[object, object]:
    with force_locale("ar"):
        words = [gettext("Everyone on our team"), gettext("Letter of access and identity papers")]
    assert "Everyone on our team" not in words
    return [{"profession": words[0]}], words[1]


def test_each_party_confirms_for_itself_and_accepts_nothing_by_it(
    joint_visit: JointVisit, begun: Visit
) -> None:
    for person in ("ilena", "joana"):
        item = offered(joint_visit, person)["V6.own"]
        assert item.scope is AnswerScope.PARTY
        save(joint_visit, person, {"V6.own-guides_received": True}, V6=item)
    loaded = load(joint_visit.checklist(ROLES, 2))
    for person in ("ilena", "joana"):
        own = loaded.sheet.of_party("V6", joint_visit.actor(person).organisation_id or uuid4())
        assert own is not None
        assert own.values == {"guides_received": True}
    assert loaded.sheet.positions.get("V6", {}) == {}


def test_an_answer_with_rows_that_only_people_know_stays_a_page_of_its_own(
    joint_visit: JointVisit, begun: Visit
) -> None:
    loaded, ilena = load(joint_visit.checklist(ROLES, 2)), joint_visit.actor("ilena")
    items = left_to_decide.open_items(loaded, ilena)
    waiting = {item.code for item, _scope in left_to_decide.to_write(loaded, ilena)}
    rest = {item.code for item, _scope in left_to_decide.to_write(loaded, ilena, items)}
    assert rest == waiting - {open_item.item.code for open_item in items if open_item.is_unwritten}


def test_nothing_unwritten_is_there_in_a_checklist_that_began_empty(
    joint_visit: JointVisit, visit: Visit
) -> None:
    assert {
        key for key, item in offered(joint_visit, "ilena").items() if item.is_unwritten
    } == set()


def test_a_partner_is_not_offered_what_the_npm_writes_and_cannot_send_it(
    joint_visit: JointVisit, begun: Visit
) -> None:
    item = offered(joint_visit, "ilena")["V13"]
    assert "V13" not in offered(joint_visit, "joana")
    with pytest.raises((StaleError, RefusedError)):
        save(joint_visit, "joana", papers(item), V13=item)
    assert load(joint_visit.checklist(ROLES, 2)).sheet.shared("V13") is None


def test_nothing_is_saved_beside_the_wrong_person_once_the_team_has_changed(
    app: Flask, joint_visit: JointVisit, begun: Visit
) -> None:
    item = offered(joint_visit, "ilena")["V13"]
    fewer = replace(item, values={"credentials": item.values["credentials"][1:]})
    with pytest.raises(StaleError):
        save(joint_visit, "ilena", papers(item), V13=fewer)
    assert load(joint_visit.checklist(ROLES, 2)).sheet.shared("V13") is None


def test_a_party_finds_the_list_of_its_people_though_it_is_known_what_each_of_them_does(
    app: Flask, session: Session
) -> None:
    """Nothing is missing in it, but somebody has to have seen it (adr 120)."""
    country = make_country(session)
    cooperation = open_one(country, "door", modes=(Mode.VISIT,))
    for first in ("samira", "henrik"):
        bring_in(country, cooperation, first)
    checklist = checklist_of(cooperation, ChecklistKind.CONFIDENTIALITY)
    ilena = country.actor("ilena")
    (shown,) = beginning.beginnings(ilena, load(checklist), ["en"])
    beginning.begin(ilena, checklist, "en", seen=shown.seen)
    session.commit()
    address = f"/checklists/{checklist.id}/decide"
    samira = country.browser(app, "samira")
    page = samira.page(address)
    assert "Who must sign Our own answer" in page.text
    assert "Still to be written" not in page.text
    form = page.form()
    functions = {name: value for name, value in form.values.items() if name.endswith("-function")}
    assert len(functions) == 2, "one for each person, and none for all of them"
    assert {word for (words,) in functions.values() for word in words.split(", ")} >= {
        "Coordinator",
        "Signatory",
    }
    changed = next(iter(functions))
    samira.post(address, data=form.filled_in(**{changed: "Legal officer"}), csrf=False)
    # The rest is for whoever decides it first.
    assert "Who must sign Our own answer" not in samira.page(address).text
    saved = load(checklist).sheet.of_party("C2", country.id("door"))
    assert saved is not None
    rows = saved.values["persons"]
    assert {row["person"] for row in rows} == {
        str(country.users[first].id) for first in ("samira", "henrik")
    }
    assert "Legal officer" in {row["function"] for row in rows}
    assert all(row["function"] for row in rows)
