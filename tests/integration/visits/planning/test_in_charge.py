"""A visit whose people of the NPM have all gone is handed over by the NPM alone (adr 122)."""

import datetime as dt
from collections.abc import Callable
from http import HTTPStatus

import pytest
import sqlalchemy as sa
from flask import Flask

from tests import due
from tests.factories.cooperations import signed_in
from tests.factories.visits import Scene, planned
from tests.starting_points import noon_in
from tracker.access.actor import Role
from tracker.accounts.models import Membership, User
from tracker.accounts.people import service as accounts
from tracker.accounts.people.service import NewRole
from tracker.activity.stale import recompute
from tracker.cooperations import people
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import CooperationPerson
from tracker.core import clock
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.oversight import integrity
from tracker.visits import queries, service
from tracker.visits.models import Visit
from tracker.worker import recheck

LISTED_OF_NPM = ("ilena", "pavo", "ruth", "tomas")
OTHERS = ("samira", "joana", "leyla", "henrik", "celia", "nadia", "tomas", "greta", "iris", "noor")
PUT_IN_CHARGE = "Choose who takes charge"


def leave(scene: Scene, *keys: str) -> None:
    """Remove people of the NPM from the cooperation, as the end of their last role does."""
    for key in keys:
        row = scene.session.scalars(
            sa.select(CooperationPerson).where(
                CooperationPerson.cooperation_id == scene.cooperation.id,
                CooperationPerson.user_id == scene.user(key),
            )
        ).one()
        cooperations.take_out(scene.actor("milan"), scene.cooperation.id, row)
    recompute()
    scene.session.commit()


def abandoned(scene: Scene) -> Visit:
    """Return a visit in preparation that nobody of the NPM on its list can act on."""
    visit = planned(scene)
    scene.session.commit()
    leave(scene, "ilena", "pavo", "ruth")
    return scene.visit(visit.number)


def role_of(scene: Scene, key: str) -> Membership:
    """Return a person's role as a coordinator."""
    return scene.session.scalars(
        sa.select(Membership).where(
            Membership.user_id == scene.user(key), Membership.role == Role.COORDINATOR
        )
    ).one()


def address(scene: Scene, visit: Visit) -> str:
    return f"/cooperations/{scene.reference}/visits/{visit.number}/charge"


def opens(scene: Scene, key: str, visit: Visit) -> bool:
    return queries.find(scene.actor(key), scene.cooperation.id, visit.number) is not None


def recipients(scene: Scene) -> set[str]:
    return {mail.recipient for mail in scene.mails() if mail.kind == "visit_needs_lead"}


def test_while_one_of_the_npm_can_act_nobody_takes_the_visit_from_them(scene: Scene) -> None:
    visit = planned(scene)
    scene.session.commit()
    leave(scene, "pavo", "ruth")
    visit = scene.visit(visit.number)
    assert not visit.needs_lead
    assert opens(scene, "ilena", visit)
    assert recipients(scene) == set()
    with pytest.raises(RefusedError, match="can act on it"):
        service.put_in_charge(scene.actor("milan"), visit, scene.user("nadia"))


def test_when_the_last_one_leaves_the_npm_is_told_without_any_detail(scene: Scene) -> None:
    visit = abandoned(scene)
    assert visit.needs_lead
    assert not any(opens(scene, key, visit) for key in (*LISTED_OF_NPM, "milan", "nadia"))
    # No coordinator takes part any more, so the NPM's others are asked, ilena among them.
    keys = ("milan", "ilena")
    assert recipients(scene) == {scene.session.get_one(User, scene.user(key)).email for key in keys}
    mails = [mail for mail in scene.mails() if mail.kind == "visit_needs_lead"]
    visits = 2  # the one of the demonstration is left alone too
    assert len(mails) == visits * len(keys)
    assert not any("Quillfen" in mail.body for mail in mails)


def test_a_manager_puts_a_person_in_charge_who_can_open_and_hand_over_the_visit(
    scene: Scene,
) -> None:
    visit = abandoned(scene)
    service.put_in_charge(scene.actor("milan"), visit, scene.user("nadia"))
    recompute()
    scene.session.commit()
    visit = scene.visit(visit.number)
    assert not visit.needs_lead
    assert opens(scene, "nadia", visit)
    assert not opens(scene, "milan", visit)
    ((_, details),) = scene.events("visit_put_in_charge")
    assert details["number"] == visit.number
    assert "Nadia" not in str(details)
    assert integrity.check_all().finding is None
    assert recheck.recheck(scene.cooperation.id) == []
    with pytest.raises(RefusedError, match="can act on it"):
        service.put_in_charge(scene.actor("milan"), visit, scene.user("nadia"))
    nadia = scene.actor("nadia")
    service.stop(nadia, visit, reason="Nobody is left to lead it.")


def test_a_signed_visit_can_be_handed_over_too(scene: Scene) -> None:
    leave(scene, *LISTED_OF_NPM)
    visit = scene.visit()
    assert visit.needs_lead
    service.put_in_charge(scene.actor("milan"), visit, scene.user("nadia"))
    recompute()
    scene.session.commit()
    assert opens(scene, "nadia", scene.visit())
    assert integrity.check_all().finding is None


def test_a_role_that_ends_leaves_a_visit_alone_though_its_person_still_takes_part(
    scene: Scene, frozen_time: Callable[[dt.datetime | None], None]
) -> None:
    """Ilena planned the visit as a coordinator; a member who doesn't lead it can't change it."""
    visit = planned(scene)
    ilena, npm = scene.user("ilena"), scene.body("npm")
    member = accounts.give_role(scene.actor("iris"), ilena, NewRole(Role.MEMBER, npm))
    scene.session.commit()
    leave(scene, "pavo", "ruth")
    assert not scene.visit(visit.number).needs_lead
    accounts.end_role(scene.actor("iris"), role_of(scene, "ilena").id, reason="Another task.")
    recompute()
    scene.session.commit()
    assert ilena in people.npm_user_ids(scene.cooperation.id)
    assert scene.visit(visit.number).needs_lead
    assert "milan" in {mail.split(".")[0] for mail in recipients(scene)}
    # One with a last day counts until that day, and ends with it.
    last = clock.today() + dt.timedelta(days=2)
    accounts.give_role(scene.actor("iris"), ilena, NewRole(Role.COORDINATOR, npm, ends_on=last))
    recompute()
    scene.session.commit()
    assert not scene.visit(visit.number).needs_lead
    frozen_time(noon_in(2))
    due.end_roles_run_out()
    recompute()
    assert not scene.visit(visit.number).needs_lead
    frozen_time(noon_in(3))
    due.end_roles_run_out()
    recompute()
    scene.session.commit()
    assert member.ended_at is None
    assert scene.visit(visit.number).needs_lead
    service.put_in_charge(scene.actor("milan"), scene.visit(visit.number), scene.user("nadia"))


def test_a_suspended_account_leaves_a_visit_alone_too(scene: Scene) -> None:
    visit = planned(scene)
    scene.session.commit()
    leave(scene, "ruth")
    for key in ("pavo", "ilena"):
        assert not scene.visit(visit.number).needs_lead
        accounts.suspend(scene.actor("iris"), scene.user(key), reason="Lost the telephone.")
        recompute()
        scene.session.commit()
    assert scene.visit(visit.number).needs_lead
    accounts.restore(scene.actor("iris"), scene.user("ilena"))
    recompute()
    scene.session.commit()
    assert not scene.visit(visit.number).needs_lead


def test_whoever_is_in_charge_leaves_again(scene: Scene) -> None:
    visit = abandoned(scene)
    service.put_in_charge(scene.actor("milan"), visit, scene.user("nadia"))
    recompute()
    scene.session.commit()
    leave(scene, "nadia")
    assert scene.visit(visit.number).needs_lead


def test_nobody_but_the_npms_own_can_be_put_in_charge(scene: Scene) -> None:
    visit = abandoned(scene)
    for key in ("samira", "marek", "milan", "leyla"):
        if scene.user(key) in people.npm_user_ids(scene.cooperation.id):
            continue
        with pytest.raises(RuleBrokenError, match="member or staff of the NPM"):
            service.put_in_charge(scene.actor("milan"), visit, scene.user(key))


def test_nobody_else_gets_the_page_or_can_do_it(app: Flask, scene: Scene) -> None:
    visit = abandoned(scene)
    for key in OTHERS:
        browser = signed_in(app, scene.session.get_one(User, scene.user(key)))
        # Who has no role at all gets as far as the sign-in page.
        answer = HTTPStatus.FOUND if key == "noor" else HTTPStatus.NOT_FOUND
        assert browser.get(address(scene, visit)).status_code == answer, key
        with pytest.raises(RefusedError):
            service.put_in_charge(scene.actor(key), visit, scene.user("nadia"))
        listed = browser.get(f"/cooperations/{scene.reference}/visits")
        assert PUT_IN_CHARGE not in listed.text, key


def test_a_manager_finds_the_page_from_the_list_and_it_shows_no_plan(
    app: Flask, scene: Scene
) -> None:
    visit = abandoned(scene)
    browser = signed_in(app, scene.session.get_one(User, scene.user("milan")))
    assert PUT_IN_CHARGE in browser.page(f"/cooperations/{scene.reference}/visits").text
    assert PUT_IN_CHARGE in browser.page(f"/cooperations/{scene.reference}").text
    page = browser.page(address(scene, visit))
    assert "Nadia Corvel" in page.text
    assert "Quillfen" not in page.html
    assert "Marek" not in page.text
    browser.post(address(scene, visit), data={"person": str(scene.user("nadia"))})
    assert opens(scene, "nadia", scene.visit(visit.number))
    assert browser.get(address(scene, visit)).status_code == HTTPStatus.FORBIDDEN
    history = browser.page(f"/cooperations/{scene.reference}/history").text
    assert f"was put in charge of joint visit {visit.number}" in history


def test_a_visit_left_alone_by_an_older_version_is_noticed_by_the_daily_run(scene: Scene) -> None:
    visit = abandoned(scene)
    visit.needs_lead = False
    scene.session.commit()
    service.judge_today(visit.id)
    assert scene.visit(visit.number).needs_lead
