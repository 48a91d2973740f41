"""An added interest closes the visits concerned: readiness and access follow immediately."""

import datetime as dt

import pytest
from flask import Flask

from tests.factories.cooperations import signed_in
from tests.factories.undertakings import TOLD, Stage
from tests.factories.visits import Scene, days, planned
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


def kind_of(scene: Scene) -> str:
    """Return the type of place of the visit that is ready."""
    roles = load(scene.checklist(ChecklistKind.VISIT_ROLES))
    return str(roles.sheet.value("V1", "place_type"))


def add(scene: Scene, places: Places, key: str = "leyla") -> AddedInterest:
    interest = adding.add(
        scene.actor(key), scene.undertaking(key).id, "My cousin works there.", places
    )
    recompute()
    return interest


def decide(
    scene: Scene,
    interest: AddedInterest,
    decision: InterestsDecision,
    places: Places | None = None,
    key: str = "leyla",
) -> None:
    adding.decide(
        scene.actor("tomas"),
        scene.undertaking(key).id,
        interest.id,
        decision,
        "As we agreed.",
        places,
        seen=adding.mark(interest),
    )
    recompute()


def signed_again(scene: Scene) -> Stage:
    """Have Leyla withdraw and sign again, declaring an interest."""
    terms = scene.checklist(ChecklistKind.CONFIDENTIALITY, None)
    stage = Stage(scene.cast, scene.cooperation, terms)
    own = stage.undertaking("leyla").id
    undertakings.withdraw(stage.actor("leyla"), own)
    undertakings.ask_again(stage.actor("leyla"), own)
    stage.sign("leyla", TOLD)
    return stage


def missing_kinds(scene: Scene, number: int = 1) -> set[RequirementKind]:
    return {requirement.kind for requirement in readiness.judge(scene.visit(number)).requirements}


def sees(scene: Scene, key: str = "leyla", number: int = 1) -> bool:
    scene.session.flush()
    actor = scene.actor(key)
    visit = scene.visit(number)
    opened = queries.find(actor, visit.cooperation_id, number) is not None
    assert actor.cleared_for(visit.cooperation_id, visit.id) is opened
    return opened


def move(scene: Scene, place: str = "", place_type: str = "", later: int = 0) -> None:
    """Change the place, its type as the lead states it, or the last day."""
    visit = scene.visit()
    plan = plan_of(visit)
    last = plan.ends_on + dt.timedelta(days=later)
    service.change_plan(
        scene.actor("pavo"),
        visit,
        version=visit.version,
        plan=Plan(place or plan.place, plan.starts_on, last),
        place_type=place_type,
    )
    recompute()


def lacking_items(scene: Scene) -> list[str]:
    wants = readiness.judge(scene.visit()).requirements
    return [want.item.code for want in wants if want.item is not None]


def named(scene: Scene) -> Places:
    return Places(Reach.NAMED, name=plan_of(scene.visit()).place)


@pytest.mark.both_databases
@pytest.mark.parametrize("reach", Reach)
def test_an_interest_in_the_place_ends_readiness_and_access_until_accepted(
    scene: Scene, reach: Reach
) -> None:
    places = {
        Reach.ALL: ALL,
        Reach.KIND: Places(Reach.KIND, kind=kind_of(scene)),
        Reach.NAMED: named(scene),
    }[reach]
    assert sees(scene)
    interest = add(scene, places)
    assert not sees(scene)
    assert missing_kinds(scene) == {RequirementKind.NOT_DECIDED}
    assert not scene.visit().is_ready
    decide(scene, interest, InterestsDecision.ACCEPT)
    assert sees(scene)
    assert scene.visit().is_ready


@pytest.mark.parametrize("reach", [Reach.NAMED, Reach.KIND])
def test_a_limit_on_what_was_declared_before_the_countersignature_closes_the_place(
    scene: Scene, reach: Reach
) -> None:
    places = named(scene) if reach is Reach.NAMED else Places(Reach.KIND, kind=kind_of(scene))
    stage = signed_again(scene)
    stage.decide("leyla", InterestsDecision.LIMIT, "As we agreed.", places)
    stage.countersign("leyla")
    assert not sees(scene)
    assert missing_kinds(scene) == {RequirementKind.NOT_COVERED}
    assert recheck.recheck(scene.cooperation.id) == []


@pytest.mark.parametrize(
    "places", [Places(Reach.KIND, kind="children"), Places(Reach.NAMED, name="Ommelmark")]
)
def test_an_interest_in_another_place_closes_nothing_here(scene: Scene, places: Places) -> None:
    add(scene, places)
    assert sees(scene)
    assert scene.visit().is_ready


def test_a_limit_keeps_the_place_closed_and_the_rest_open(scene: Scene) -> None:
    planned(scene, plan=days())
    interest = add(scene, ALL)
    assert not sees(scene, number=2)
    decide(scene, interest, InterestsDecision.LIMIT, named(scene))
    assert not sees(scene)
    assert sees(scene, number=2)
    assert missing_kinds(scene) == {RequirementKind.NOT_COVERED}


def test_a_visit_that_moves_to_the_place_closes(scene: Scene) -> None:
    add(scene, Places(Reach.NAMED, name="Quillfen remand house"))
    assert sees(scene)
    move(scene, "Remand house of Quillfen")
    assert not sees(scene)


def test_after_a_move_the_type_of_place_is_unknown_until_it_is_stated_again(scene: Scene) -> None:
    add(scene, Places(Reach.KIND, kind="children"))
    move(scene, later=1)
    assert sees(scene)
    move(scene, HOME)
    assert not sees(scene)
    assert lacking_items(scene) == ["V1", "V11", "V12", "V18"]
    # Stated to be of the type that is signed, which is no other place for the team.
    moved_at = plan_of(scene.visit()).moved_at
    move(scene, place_type=kind_of(scene))
    assert sees(scene)
    assert lacking_items(scene) == ["V11", "V12", "V18"]
    assert plan_of(scene.visit()).moved_at == moved_at


def test_another_type_of_place_than_the_roles_say_has_to_be_saved_in_them(scene: Scene) -> None:
    add(scene, Places(Reach.KIND, kind="prison"))
    for _again in range(2):
        move(scene, HOME, place_type="children")
    assert not sees(scene)
    assert len(scene.events("visit_changed")) == 1
    roles = scene.checklist(ChecklistKind.VISIT_ROLES)
    ilena = scene.actor("ilena")
    agreements.amend(ilena, roles, reason="Another place.", items=["V1"])
    current = load(roles).sheet.shared("V1")
    assert current is not None
    values = {**current.values, "place_type": "children"}
    checklists.save_answer(
        ilena, roles, "V1", AnswerScope.SHARED, values, base_version=current.version
    )
    recompute()
    assert sees(scene)
    assert lacking_items(scene) == ["V11", "V12", "V18"]
    move(scene, place_type="police")
    assert not sees(scene)


def test_a_visit_planned_later_to_the_place_is_closed_from_the_beginning(scene: Scene) -> None:
    add(scene, Places(Reach.KIND, kind="police"))
    planned(scene)
    assert not sees(scene, number=2)


def test_a_visit_to_another_type_of_place_cannot_be_distinguished(scene: Scene) -> None:
    add(scene, Places(Reach.KIND, kind="children"))
    planned(scene)
    assert sees(scene, number=2)
    roles = scene.checklist(ChecklistKind.VISIT_ROLES, 2)
    current = load(roles).sheet.shared("V1")
    assert current is not None
    checklists.save_answer(
        scene.actor("ilena"),
        roles,
        "V1",
        AnswerScope.SHARED,
        {**current.values, "place_type": "other", "other_type": "A ship"},
        base_version=current.version,
    )
    recompute()
    assert not sees(scene, number=2)


def test_nobody_else_loses_anything(scene: Scene) -> None:
    add(scene, ALL)
    assert sees(scene, "samira")
    assert sees(scene, "marek")


def test_who_is_barred_writes_in_no_checklist_of_the_visit(scene: Scene) -> None:
    roles = scene.checklist(ChecklistKind.VISIT_ROLES)
    assert scene.user("leyla") in {person.user_id for person in writers(roles)}
    add(scene, named(scene))
    assert scene.user("leyla") not in {person.user_id for person in writers(roles)}
    assert scene.user("samira") in {person.user_id for person in writers(roles)}


def test_the_readiness_comes_back_with_the_last_decision(scene: Scene) -> None:
    first, second = add(scene, ALL), add(scene, named(scene))
    decide(scene, first, InterestsDecision.ACCEPT)
    assert not sees(scene)
    decide(scene, second, InterestsDecision.ACCEPT)
    assert sees(scene)
    assert scene.visit().is_ready


def test_asking_for_another_person_ends_readiness(scene: Scene) -> None:
    interest = add(scene, named(scene))
    decide(scene, interest, InterestsDecision.REPLACE)
    assert not sees(scene)
    assert RequirementKind.NOT_SIGNED in missing_kinds(scene)


def test_an_undertaking_that_ends_while_an_interest_waits_leaves_all_closed(scene: Scene) -> None:
    add(scene, named(scene))
    undertakings.withdraw(scene.actor("leyla"), scene.undertaking("leyla").id)
    assert not sees(scene)
    assert RequirementKind.NOT_SIGNED in missing_kinds(scene)


def test_a_recheck_finds_nothing_to_change(scene: Scene) -> None:
    add(scene, named(scene))
    assert recheck.recheck(scene.cooperation.id) == []


def test_ones_own_part_links_to_adding_an_interest(scene: Scene, app: Flask) -> None:
    leyla = signed_in(app, scene.session.get_one(User, scene.user("leyla")))
    page = leyla.get(f"/cooperations/{scene.reference}/visits/1/my-part")
    link = f"/cooperations/{scene.reference}/interests/new"
    assert link in page.text
    assert leyla.get(link, follow_redirects=True).status_code == 200
    dina = signed_in(app, scene.session.get_one(User, scene.user("dina")))
    assert dina.get(link).status_code == 404
