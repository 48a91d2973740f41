"""A visit whose people of the NPM have all gone is handed over by the NPM alone (adr 122)."""

import datetime as dt
from collections.abc import Callable
from http import HTTPStatus

import pytest
import sqlalchemy as sa
from flask import Flask

from tests import due, starting_points
from tests.factories.cooperations import signed_in
from tests.factories.visits import JointVisit, planned
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
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.oversight import integrity
from tracker.visits import queries, service
from tracker.visits.models import Visit
from tracker.worker import recheck

LISTED_OF_NPM = ("ilena", "pavo", "ruth", "tomas")
OTHERS = ("samira", "joana", "leyla", "henrik", "celia", "nadia", "tomas", "greta", "iris", "noor")
PUT_IN_CHARGE = "Choose who takes charge"


def leave(joint_visit: JointVisit, *keys: str) -> None:
    """Remove people of the NPM from the cooperation, as the end of their last role does."""
    for key in keys:
        row = joint_visit.session.scalars(
            sa.select(CooperationPerson).where(
                CooperationPerson.cooperation_id == joint_visit.cooperation.id,
                CooperationPerson.user_id == joint_visit.user(key),
            )
        ).one()
        cooperations.take_out(joint_visit.actor("milan"), joint_visit.cooperation.id, row)
    recompute()
    joint_visit.session.commit()


@pytest.fixture
def abandoned(app: Flask, joint_visit: JointVisit) -> Visit:
    """A visit in preparation that nobody of the NPM on its list can act on."""

    def plan_and_leave() -> None:
        joint_visit.session = db.session()
        planned(joint_visit)
        joint_visit.session.commit()
        leave(joint_visit, "ilena", "pavo", "ruth")

    starting_points.of(app).use("abandoned_visit", plan_and_leave, on="demonstration")
    joint_visit.session = db.session()
    return joint_visit.visit(2)


def role_of(joint_visit: JointVisit, key: str) -> Membership:
    """Return a person's role as a coordinator."""
    return joint_visit.session.scalars(
        sa.select(Membership).where(
            Membership.user_id == joint_visit.user(key), Membership.role == Role.COORDINATOR
        )
    ).one()


def address(joint_visit: JointVisit, visit: Visit) -> str:
    return f"/cooperations/{joint_visit.reference}/visits/{visit.number}/charge"


def opens(joint_visit: JointVisit, key: str, visit: Visit) -> bool:
    return (
        queries.find(joint_visit.actor(key), joint_visit.cooperation.id, visit.number) is not None
    )


def recipients(joint_visit: JointVisit) -> set[str]:
    return {mail.recipient for mail in joint_visit.mails() if mail.kind == "visit_needs_lead"}


def test_while_one_of_the_npm_can_act_nobody_takes_the_visit_from_them(
    joint_visit: JointVisit,
) -> None:
    visit = planned(joint_visit)
    joint_visit.session.commit()
    leave(joint_visit, "pavo", "ruth")
    visit = joint_visit.visit(visit.number)
    assert not visit.needs_lead
    assert opens(joint_visit, "ilena", visit)
    assert recipients(joint_visit) == set()
    with pytest.raises(RefusedError, match="can act on it"):
        service.put_in_charge(joint_visit.actor("milan"), visit, joint_visit.user("nadia"))


def test_when_the_last_one_leaves_the_npm_is_told_without_any_detail(
    joint_visit: JointVisit, abandoned: Visit
) -> None:
    assert abandoned.needs_lead
    assert not any(opens(joint_visit, key, abandoned) for key in (*LISTED_OF_NPM, "milan", "nadia"))
    # No coordinator takes part any more, so the NPM's others are asked, ilena among them.
    keys = ("milan", "ilena")
    assert recipients(joint_visit) == {
        joint_visit.session.get_one(User, joint_visit.user(key)).email for key in keys
    }
    mails = [mail for mail in joint_visit.mails() if mail.kind == "visit_needs_lead"]
    visits = 2  # the one of the demonstration is left alone too
    assert len(mails) == visits * len(keys)
    assert not any("Quillfen" in mail.body for mail in mails)


def test_a_manager_puts_a_person_in_charge_who_can_open_and_hand_over_the_visit(
    joint_visit: JointVisit, abandoned: Visit
) -> None:
    service.put_in_charge(joint_visit.actor("milan"), abandoned, joint_visit.user("nadia"))
    recompute()
    joint_visit.session.commit()
    visit = joint_visit.visit(abandoned.number)
    assert not visit.needs_lead
    assert opens(joint_visit, "nadia", visit)
    assert not opens(joint_visit, "milan", visit)
    ((_, details),) = joint_visit.events("visit_put_in_charge")
    assert details["number"] == visit.number
    assert "Nadia" not in str(details)
    assert integrity.check_all().finding is None
    assert recheck.recheck(joint_visit.cooperation.id) == []
    with pytest.raises(RefusedError, match="can act on it"):
        service.put_in_charge(joint_visit.actor("milan"), visit, joint_visit.user("nadia"))
    nadia = joint_visit.actor("nadia")
    service.stop(nadia, visit, reason="Nobody is left to lead it.")


def test_a_signed_visit_can_be_handed_over_too(joint_visit: JointVisit) -> None:
    leave(joint_visit, *LISTED_OF_NPM)
    visit = joint_visit.visit()
    assert visit.needs_lead
    service.put_in_charge(joint_visit.actor("milan"), visit, joint_visit.user("nadia"))
    recompute()
    joint_visit.session.commit()
    assert opens(joint_visit, "nadia", joint_visit.visit())
    assert integrity.check_all().finding is None


def test_a_role_that_ends_leaves_a_visit_alone_though_its_person_still_takes_part(
    joint_visit: JointVisit, frozen_time: Callable[[dt.datetime | None], None]
) -> None:
    """Ilena planned the visit as a coordinator; a member who doesn't lead it can't change it."""
    visit = planned(joint_visit)
    ilena, npm = joint_visit.user("ilena"), joint_visit.body("npm")
    member = accounts.give_role(joint_visit.actor("iris"), ilena, NewRole(Role.MEMBER, npm))
    joint_visit.session.commit()
    leave(joint_visit, "pavo", "ruth")
    assert not joint_visit.visit(visit.number).needs_lead
    accounts.end_role(
        joint_visit.actor("iris"), role_of(joint_visit, "ilena").id, reason="Another task."
    )
    recompute()
    joint_visit.session.commit()
    assert ilena in people.npm_user_ids(joint_visit.cooperation.id)
    assert joint_visit.visit(visit.number).needs_lead
    assert "milan" in {mail.split(".")[0] for mail in recipients(joint_visit)}
    # One with a last day counts until that day, and ends with it.
    last = clock.today() + dt.timedelta(days=2)
    accounts.give_role(
        joint_visit.actor("iris"), ilena, NewRole(Role.COORDINATOR, npm, ends_on=last)
    )
    recompute()
    joint_visit.session.commit()
    assert not joint_visit.visit(visit.number).needs_lead
    frozen_time(noon_in(2))
    due.end_roles_run_out()
    recompute()
    assert not joint_visit.visit(visit.number).needs_lead
    frozen_time(noon_in(3))
    due.end_roles_run_out()
    recompute()
    joint_visit.session.commit()
    assert member.ended_at is None
    assert joint_visit.visit(visit.number).needs_lead
    service.put_in_charge(
        joint_visit.actor("milan"), joint_visit.visit(visit.number), joint_visit.user("nadia")
    )


def test_a_suspended_account_leaves_a_visit_alone_too(joint_visit: JointVisit) -> None:
    visit = planned(joint_visit)
    joint_visit.session.commit()
    leave(joint_visit, "ruth")
    for key in ("pavo", "ilena"):
        assert not joint_visit.visit(visit.number).needs_lead
        accounts.suspend(
            joint_visit.actor("iris"), joint_visit.user(key), reason="Lost the telephone."
        )
        recompute()
        joint_visit.session.commit()
    assert joint_visit.visit(visit.number).needs_lead
    accounts.restore(joint_visit.actor("iris"), joint_visit.user("ilena"))
    recompute()
    joint_visit.session.commit()
    assert not joint_visit.visit(visit.number).needs_lead


def test_whoever_is_in_charge_leaves_again(joint_visit: JointVisit, abandoned: Visit) -> None:
    service.put_in_charge(joint_visit.actor("milan"), abandoned, joint_visit.user("nadia"))
    recompute()
    joint_visit.session.commit()
    leave(joint_visit, "nadia")
    assert joint_visit.visit(abandoned.number).needs_lead


def test_nobody_but_the_npms_own_can_be_put_in_charge(
    joint_visit: JointVisit, abandoned: Visit
) -> None:
    for key in ("samira", "marek", "milan", "leyla"):
        if joint_visit.user(key) in people.npm_user_ids(joint_visit.cooperation.id):
            continue
        with pytest.raises(RuleBrokenError, match="member or staff of the NPM"):
            service.put_in_charge(joint_visit.actor("milan"), abandoned, joint_visit.user(key))


def test_nobody_else_gets_the_page_or_can_do_it(
    app: Flask, joint_visit: JointVisit, abandoned: Visit
) -> None:
    for key in OTHERS:
        browser = signed_in(app, joint_visit.session.get_one(User, joint_visit.user(key)))
        # Who has no role at all gets as far as the sign-in page.
        answer = HTTPStatus.FOUND if key == "noor" else HTTPStatus.NOT_FOUND
        assert browser.get(address(joint_visit, abandoned)).status_code == answer, key
        with pytest.raises(RefusedError):
            service.put_in_charge(joint_visit.actor(key), abandoned, joint_visit.user("nadia"))
        listed = browser.get(f"/cooperations/{joint_visit.reference}/visits")
        assert PUT_IN_CHARGE not in listed.text, key


def test_a_manager_finds_the_page_from_the_list_and_it_shows_no_plan(
    app: Flask, joint_visit: JointVisit, abandoned: Visit
) -> None:
    browser = signed_in(app, joint_visit.session.get_one(User, joint_visit.user("milan")))
    assert PUT_IN_CHARGE in browser.page(f"/cooperations/{joint_visit.reference}/visits").text
    assert PUT_IN_CHARGE in browser.page(f"/cooperations/{joint_visit.reference}").text
    page = browser.page(address(joint_visit, abandoned))
    assert "Nadia Corvel" in page.text
    assert "Quillfen" not in page.html
    assert "Marek" not in page.text
    browser.post(address(joint_visit, abandoned), data={"person": str(joint_visit.user("nadia"))})
    assert opens(joint_visit, "nadia", joint_visit.visit(abandoned.number))
    assert browser.get(address(joint_visit, abandoned)).status_code == HTTPStatus.FORBIDDEN
    history = browser.page(f"/cooperations/{joint_visit.reference}/history").text
    assert f"was put in charge of joint visit {abandoned.number}" in history


def test_a_visit_left_alone_by_an_older_version_is_noticed_by_the_daily_run(
    joint_visit: JointVisit, abandoned: Visit
) -> None:
    abandoned.needs_lead = False
    joint_visit.session.commit()
    service.judge_today(abandoned.id)
    assert joint_visit.visit(abandoned.number).needs_lead
