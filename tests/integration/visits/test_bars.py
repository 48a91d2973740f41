"""An added interest closes the visits concerned: readiness and access follow immediately."""

import datetime as dt

import pytest
from flask import Flask

from tests.factories.cooperations import signed_in
from tests.factories.undertakings import TOLD, Clearing
from tests.factories.visits import JointVisit, days, planned
from tracker.accounts.models import User
from tracker.activity.stale import recompute
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import service as checklists
from tracker.checklists.loading import load
from tracker.checklists.queries import writers
from tracker.undertakings import adding
from tracker.undertakings import service as undertakings
from tracker.undertakings.models import AddedInterest, InterestsDecision, Reach
from tracker.undertakings.places import Places
from tracker.visits import queries, readiness, service
from tracker.visits.encryption import Plan, plan_of
from tracker.visits.facts import RequirementKind
from tracker.worker import recheck

ALL = Places(Reach.ALL)
HOME = "Ommelmark children's home"


def kind_of(joint_visit: JointVisit) -> str:
    """Return the type of place of the visit that is ready."""
    roles = load(joint_visit.checklist(ChecklistKind.VISIT_ROLES))
    return str(roles.sheet.value("V1", "place_type"))


def add(joint_visit: JointVisit, places: Places, key: str = "leyla") -> AddedInterest:
    interest = adding.add(
        joint_visit.actor(key), joint_visit.undertaking(key).id, "My cousin works there.", places
    )
    recompute()
    return interest


def decide(
    joint_visit: JointVisit,
    interest: AddedInterest,
    decision: InterestsDecision,
    places: Places | None = None,
    key: str = "leyla",
) -> None:
    adding.decide(
        joint_visit.actor("tomas"),
        joint_visit.undertaking(key).id,
        interest.id,
        decision,
        "As we agreed.",
        places,
        seen=adding.mark(interest),
    )
    recompute()


def signed_again(joint_visit: JointVisit) -> Clearing:
    """Have Leyla withdraw and sign again, declaring an interest."""
    terms = joint_visit.checklist(ChecklistKind.CONFIDENTIALITY, None)
    clearing = Clearing(joint_visit.demo_people, joint_visit.cooperation, terms)
    own = clearing.undertaking("leyla").id
    undertakings.withdraw(clearing.actor("leyla"), own)
    undertakings.ask_again(clearing.actor("leyla"), own)
    clearing.sign("leyla", TOLD)
    return clearing


def missing_kinds(joint_visit: JointVisit, number: int = 1) -> set[RequirementKind]:
    return {
        requirement.kind for requirement in readiness.judge(joint_visit.visit(number)).requirements
    }


def sees(joint_visit: JointVisit, key: str = "leyla", number: int = 1) -> bool:
    joint_visit.session.flush()
    actor = joint_visit.actor(key)
    visit = joint_visit.visit(number)
    opened = queries.find(actor, visit.cooperation_id, number) is not None
    assert actor.cleared_for(visit.cooperation_id, visit.id) is opened
    return opened


def move(joint_visit: JointVisit, place: str = "", place_type: str = "", later: int = 0) -> None:
    """Change the place, its type as the lead states it, or the last day."""
    visit = joint_visit.visit()
    plan = plan_of(visit)
    last = plan.ends_on + dt.timedelta(days=later)
    service.change_plan(
        joint_visit.actor("pavo"),
        visit,
        version=visit.version,
        plan=Plan(place or plan.place, plan.starts_on, last),
        place_type=place_type,
    )
    recompute()


def lacking_items(joint_visit: JointVisit) -> list[str]:
    wants = readiness.judge(joint_visit.visit()).requirements
    return [want.item.code for want in wants if want.item is not None]


def named(joint_visit: JointVisit) -> Places:
    return Places(Reach.NAMED, name=plan_of(joint_visit.visit()).place)


@pytest.mark.both_databases
@pytest.mark.parametrize("reach", Reach)
def test_an_interest_in_the_place_ends_readiness_and_access_until_accepted(
    joint_visit: JointVisit, reach: Reach
) -> None:
    places = {
        Reach.ALL: ALL,
        Reach.KIND: Places(Reach.KIND, kind=kind_of(joint_visit)),
        Reach.NAMED: named(joint_visit),
    }[reach]
    assert sees(joint_visit)
    interest = add(joint_visit, places)
    assert not sees(joint_visit)
    assert missing_kinds(joint_visit) == {RequirementKind.NOT_DECIDED}
    assert not joint_visit.visit().is_ready
    decide(joint_visit, interest, InterestsDecision.ACCEPT)
    assert sees(joint_visit)
    assert joint_visit.visit().is_ready


@pytest.mark.parametrize("reach", [Reach.NAMED, Reach.KIND])
def test_a_limit_on_what_was_declared_before_the_countersignature_closes_the_place(
    joint_visit: JointVisit, reach: Reach
) -> None:
    places = (
        named(joint_visit)
        if reach is Reach.NAMED
        else Places(Reach.KIND, kind=kind_of(joint_visit))
    )
    clearing = signed_again(joint_visit)
    clearing.decide("leyla", InterestsDecision.LIMIT, "As we agreed.", places)
    clearing.countersign("leyla")
    assert not sees(joint_visit)
    assert missing_kinds(joint_visit) == {RequirementKind.NOT_COVERED}
    assert recheck.recheck(joint_visit.cooperation.id) == []


@pytest.mark.parametrize(
    "places", [Places(Reach.KIND, kind="children"), Places(Reach.NAMED, name="Ommelmark")]
)
def test_an_interest_in_another_place_closes_nothing_here(
    joint_visit: JointVisit, places: Places
) -> None:
    add(joint_visit, places)
    assert sees(joint_visit)
    assert joint_visit.visit().is_ready


def test_a_limit_keeps_the_place_closed_and_the_rest_open(joint_visit: JointVisit) -> None:
    planned(joint_visit, plan=days())
    interest = add(joint_visit, ALL)
    assert not sees(joint_visit, number=2)
    decide(joint_visit, interest, InterestsDecision.LIMIT, named(joint_visit))
    assert not sees(joint_visit)
    assert sees(joint_visit, number=2)
    assert missing_kinds(joint_visit) == {RequirementKind.NOT_COVERED}


def test_a_visit_that_moves_to_the_place_closes(joint_visit: JointVisit) -> None:
    add(joint_visit, Places(Reach.NAMED, name="Quillfen remand house"))
    assert sees(joint_visit)
    move(joint_visit, "Remand house of Quillfen")
    assert not sees(joint_visit)


def test_after_a_move_the_type_of_place_is_unknown_until_it_is_stated_again(
    joint_visit: JointVisit,
) -> None:
    add(joint_visit, Places(Reach.KIND, kind="children"))
    move(joint_visit, later=1)
    assert sees(joint_visit)
    move(joint_visit, HOME)
    assert not sees(joint_visit)
    assert lacking_items(joint_visit) == ["V1", "V11", "V12", "V18"]
    # Stated to be of the type that is signed, which is no other place for the team.
    moved_at = plan_of(joint_visit.visit()).moved_at
    move(joint_visit, place_type=kind_of(joint_visit))
    assert sees(joint_visit)
    assert lacking_items(joint_visit) == ["V11", "V12", "V18"]
    assert plan_of(joint_visit.visit()).moved_at == moved_at


def test_another_type_of_place_than_the_roles_say_has_to_be_saved_in_them(
    joint_visit: JointVisit,
) -> None:
    add(joint_visit, Places(Reach.KIND, kind="prison"))
    for _again in range(2):
        move(joint_visit, HOME, place_type="children")
    assert not sees(joint_visit)
    assert len(joint_visit.events("visit_changed")) == 1
    roles = joint_visit.checklist(ChecklistKind.VISIT_ROLES)
    ilena = joint_visit.actor("ilena")
    agreements.amend(ilena, roles, reason="Another place.", items=["V1"])
    current = load(roles).sheet.shared("V1")
    assert current is not None
    values = {**current.values, "place_type": "children"}
    checklists.save_answer(
        ilena, roles, "V1", AnswerScope.SHARED, values, base_version=current.version
    )
    recompute()
    assert sees(joint_visit)
    assert lacking_items(joint_visit) == ["V11", "V12", "V18"]
    move(joint_visit, place_type="police")
    assert not sees(joint_visit)


def test_a_visit_planned_later_to_the_place_is_closed_from_the_beginning(
    joint_visit: JointVisit,
) -> None:
    add(joint_visit, Places(Reach.KIND, kind="police"))
    planned(joint_visit)
    assert not sees(joint_visit, number=2)


def test_a_visit_to_another_type_of_place_cannot_be_distinguished(joint_visit: JointVisit) -> None:
    add(joint_visit, Places(Reach.KIND, kind="children"))
    planned(joint_visit)
    assert sees(joint_visit, number=2)
    roles = joint_visit.checklist(ChecklistKind.VISIT_ROLES, 2)
    current = load(roles).sheet.shared("V1")
    assert current is not None
    checklists.save_answer(
        joint_visit.actor("ilena"),
        roles,
        "V1",
        AnswerScope.SHARED,
        {**current.values, "place_type": "other", "other_type": "A ship"},
        base_version=current.version,
    )
    recompute()
    assert not sees(joint_visit, number=2)


def test_nobody_else_loses_anything(joint_visit: JointVisit) -> None:
    add(joint_visit, ALL)
    assert sees(joint_visit, "samira")
    assert sees(joint_visit, "marek")


def test_who_is_barred_writes_in_no_checklist_of_the_visit(joint_visit: JointVisit) -> None:
    roles = joint_visit.checklist(ChecklistKind.VISIT_ROLES)
    assert joint_visit.user("leyla") in {person.user_id for person in writers(roles)}
    add(joint_visit, named(joint_visit))
    assert joint_visit.user("leyla") not in {person.user_id for person in writers(roles)}
    assert joint_visit.user("samira") in {person.user_id for person in writers(roles)}


def test_the_readiness_comes_back_with_the_last_decision(joint_visit: JointVisit) -> None:
    first, second = add(joint_visit, ALL), add(joint_visit, named(joint_visit))
    decide(joint_visit, first, InterestsDecision.ACCEPT)
    assert not sees(joint_visit)
    decide(joint_visit, second, InterestsDecision.ACCEPT)
    assert sees(joint_visit)
    assert joint_visit.visit().is_ready


def test_asking_for_another_person_ends_readiness(joint_visit: JointVisit) -> None:
    interest = add(joint_visit, named(joint_visit))
    decide(joint_visit, interest, InterestsDecision.REPLACE)
    assert not sees(joint_visit)
    assert RequirementKind.NOT_SIGNED in missing_kinds(joint_visit)


def test_an_undertaking_that_ends_while_an_interest_waits_leaves_all_closed(
    joint_visit: JointVisit,
) -> None:
    add(joint_visit, named(joint_visit))
    undertakings.withdraw(joint_visit.actor("leyla"), joint_visit.undertaking("leyla").id)
    assert not sees(joint_visit)
    assert RequirementKind.NOT_SIGNED in missing_kinds(joint_visit)


def test_a_recheck_finds_nothing_to_change(joint_visit: JointVisit) -> None:
    add(joint_visit, named(joint_visit))
    assert recheck.recheck(joint_visit.cooperation.id) == []


def test_ones_own_part_links_to_adding_an_interest(joint_visit: JointVisit, app: Flask) -> None:
    leyla = signed_in(app, joint_visit.session.get_one(User, joint_visit.user("leyla")))
    page = leyla.get(f"/cooperations/{joint_visit.reference}/visits/1/my-part")
    link = f"/cooperations/{joint_visit.reference}/interests/new"
    assert link in page.text
    assert leyla.get(link, follow_redirects=True).status_code == 200
    dina = signed_in(app, joint_visit.session.get_one(User, joint_visit.user("dina")))
    assert dina.get(link).status_code == 404


@pytest.mark.both_databases
def test_a_visit_whose_place_cannot_be_read_is_closed_by_an_interest_in_any_place(
    joint_visit: JointVisit,
) -> None:
    visit = joint_visit.visit()
    visit.sealed_plan = b"\0"
    joint_visit.session.flush()
    add(joint_visit, Places(Reach.NAMED, name="Ommelmark"))
    joint_visit.session.flush()
    assert not joint_visit.actor("leyla").cleared_for(visit.cooperation_id, visit.id)
    assert not joint_visit.visit().is_ready
