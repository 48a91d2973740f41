"""One side's assignments change nothing for others: pages, counts, lists, mails, commands."""

from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.demonstration import Demonstration
from tests.factories.own_side import SIDES, Side, draft_roles_again, share_out
from tests.factories.visits import JointVisit
from tracker.activity.models import Event, EventDetail
from tracker.checklists.models import Assignment
from tracker.core.db import db
from tracker.mail.models import OutboxMessage


@pytest.fixture(params=SIDES)
def side(request: pytest.FixtureRequest) -> Side:
    return SIDES[request.param]


@pytest.fixture
def joint_visit(session: Session, demonstration: Demonstration) -> JointVisit:
    """The demonstration, with the visit's roles being drafted again."""
    new_scene = JointVisit(session, demonstration)
    draft_roles_again(new_scene)
    return new_scene


def test_people_who_may_not_open_a_visits_roles_cannot_open_its_assignments_by_address(
    app: Flask, demonstration: Demonstration, joint_visit: JointVisit, side: Side
) -> None:
    share_out(joint_visit, side)
    roles = demonstration.checklists["complete", "visit_roles"]
    for key in side.uncleared:
        browser = demonstration.browser(app, key)
        for address in (f"/checklists/{roles}/assignments", f"/checklists/{roles}/items/V8/assign"):
            plain = address.replace(str(roles), str(uuid4()))
            assert browser.get(address).status_code == browser.get(plain).status_code == 404


def test_another_sides_assignments_are_not_found_by_their_address(
    app: Flask, demonstration: Demonstration, joint_visit: JointVisit
) -> None:
    share_out(joint_visit, SIDES["cso"])
    rows = sa.select(Assignment.item, Assignment.assignee_id, Assignment.due_on).where(
        Assignment.organisation_id == demonstration.organisations["od"]
    )
    before = sorted(map(str, joint_visit.session.execute(rows)))
    joint_visit.session.commit()
    terms = f"/checklists/{demonstration.checklists['differing', 'terms']}"
    for key in ("ilena", "pavo", "celia", "joana", "greta", "iris", "vera"):
        browser = demonstration.browser(app, key)
        for address in (
            f"{terms}/assignments",
            f"{terms}/items/M18/assign",
            f"{terms}/items/M18/assign/me",
            f"{terms}/items/M18/assign/back",
        ):
            browser.post(address, data={"seen": "x"})
    assert sorted(map(str, joint_visit.session.execute(rows))) == before


def test_mails_go_only_to_the_same_side_and_say_nothing(
    joint_visit: JointVisit, side: Side
) -> None:
    before = {mail.id for mail in joint_visit.mails()}
    reminded = share_out(joint_visit, side)
    fresh = [
        mail
        for mail in joint_visit.session.scalars(sa.select(OutboxMessage))
        if mail.id not in before
    ]
    to = {joint_visit.demo_people.users[key].email for _by, key in side.assignments.values()}
    assert {mail.recipient for mail in fresh} == to
    assert {mail.kind for mail in fresh} == {"items_assigned", "assignment_due"}
    assert sum(mail.kind == "assignment_due" for mail in fresh) == reminded
    names = [joint_visit.demo_people.users[by].name for by, _to in side.assignments.values()]
    for mail in fresh:
        for word in (
            *names,
            "M18",
            "V8",
            "Advisory",
            "custody",
            joint_visit.reference,
        ):
            assert word not in mail.subject + mail.body


def test_neither_trail_nor_commands_contain_assignments(
    app: Flask, joint_visit: JointVisit, side: Side
) -> None:
    count = sa.select(sa.func.count()).select_from(Event)
    before = joint_visit.session.scalar(count)
    share_out(joint_visit, side)
    assert joint_visit.session.scalar(count) == before
    for content in joint_visit.session.scalars(sa.select(EventDetail.content)):
        assert "assign" not in str(content)
    db.session.rollback()
    done = app.test_cli_runner().invoke(args=["audit", "verify"])
    assert done.exit_code == 0
    assert "assign" not in done.output
