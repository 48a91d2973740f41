"""What one side assigns changes nothing for anybody else: pages, counts, lists, mails, commands."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.demonstration import Demonstration
from tests.factories.visits import Scene
from tests.integration.comments.test_own_side import comparable, read_all
from tracker.activity.models import Event, EventDetail
from tracker.checklists import assignments
from tracker.checklists.assigned import parts_of
from tracker.checklists.loading import fill
from tracker.checklists.models import Assignment, Checklist, ChecklistKind, ChecklistState
from tracker.core import clock
from tracker.core.db import db
from tracker.mail.models import OutboxMessage


@dataclass(frozen=True)
class Side:
    """Who assigns to whom on terms and on a visit's roles, and everybody else."""

    terms: tuple[str, str]
    roles: tuple[str, str]
    others: tuple[str, ...]
    # Of the same side, without a clearance or a place on the list.
    uncleared: tuple[str, ...]


# An auditor, an administrator, another NPM.
ELSEWHERE = ("greta", "iris", "vera")
SIDES = {
    "npm": Side(
        ("ilena", "nadia"),
        ("ilena", "pavo"),
        ("samira", "leyla", "celia", *ELSEWHERE),
        ("nadia", "milan"),
    ),
    "cso": Side(
        ("samira", "dina"),
        ("samira", "henrik"),
        ("ilena", "joana", "celia", *ELSEWHERE),
        ("dina",),
    ),
}


@pytest.fixture(params=SIDES)
def side(request: pytest.FixtureRequest) -> Side:
    return SIDES[request.param]


@pytest.fixture
def scene(session: Session, demonstration: Demonstration) -> Scene:
    """The demonstration, with the visit's roles being drafted again."""
    made = Scene(session, demonstration)
    made.checklist(ChecklistKind.VISIT_ROLES).state = ChecklistState.DRAFTING
    session.commit()
    return made


def share_out(scene: Scene, side: Side) -> int:
    """Assign, reassign, take on and give back on both, and remind; return how many reminders."""
    terms_id = scene.demonstration.checklists["differing", "terms"]
    terms = scene.session.get_one(Checklist, terms_id)
    roles = scene.checklist(ChecklistKind.VISIT_ROLES)
    today = clock.today()
    for checklist, (by, to) in ((terms, side.terms), (roles, side.roles)):
        actor, person = scene.actor(by), scene.actor(to)
        found = assignments.of_side(actor, checklist)
        assert found is not None
        for section in parts_of(found, fill(checklist), actor):
            found = assignments.of_side(actor, checklist)
            assert found is not None
            assignments.assign_section(
                actor,
                checklist,
                section.key,
                to=person.user_id,
                due_on=today,
                also_held=True,
                seen=found.seen(),
            )
        found = assignments.of_side(actor, checklist)
        assert found is not None
        first, second, *_rest = found.holdings
        assignments.give_back(person, checklist, first, seen=found.seen(first))
        assignments.take(person, checklist, first)
        assignments.give_back(actor, checklist, second, seen=found.seen(second))
    reminded = assignments.remind_due(today)
    scene.session.commit()
    return reminded


def test_for_everybody_else_not_a_byte_of_any_page_changes(
    app: Flask,
    demonstration: Demonstration,
    scene: Scene,
    side: Side,
    frozen_time: Callable[[dt.datetime | None], None],
) -> None:
    frozen_time(clock.now())  # what can be edited or done for a while only can be all the time
    before = {key: read_all(app, demonstration, key) for key in side.others}
    assert share_out(scene, side)
    for key, earlier in before.items():
        found = read_all(app, demonstration, key)
        assert found.faults == []
        old, new = comparable(earlier), comparable(found)
        assert old.keys() == new.keys(), key
        assert [address for address in old if old[address] != new[address]] == [], key
        if key in ELSEWHERE:  # who reads of no assignment at all
            text = "".join(found.texts.values())
            assert ("Assigned to" in text, "/assign" in text) == (False, False), key


def test_who_may_not_open_the_roles_of_a_visit_reads_nothing_of_it_on_the_own_side(
    app: Flask, demonstration: Demonstration, scene: Scene, side: Side
) -> None:
    share_out(scene, side)
    roles = demonstration.checklists["complete", "visit_roles"]
    for key in side.uncleared:
        found = read_all(app, demonstration, key)
        assert [a for a, text in found.texts.items() if str(roles) in a + text] == [], key
        browser = demonstration.browser(app, key)
        for address in (f"/checklists/{roles}/assignments", f"/checklists/{roles}/items/V8/assign"):
            plain = address.replace(str(roles), str(uuid4()))
            assert browser.get(address).status_code == browser.get(plain).status_code == 404


def test_by_its_address_what_another_side_has_is_out_of_reach(
    app: Flask, demonstration: Demonstration, scene: Scene
) -> None:
    share_out(scene, SIDES["cso"])
    rows = sa.select(Assignment.item, Assignment.assignee_id, Assignment.due_on).where(
        Assignment.organisation_id == demonstration.organisations["od"]
    )
    before = sorted(map(str, scene.session.execute(rows)))
    scene.session.commit()
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
    assert sorted(map(str, scene.session.execute(rows))) == before


def test_mails_go_to_the_own_side_alone_and_say_nothing(scene: Scene, side: Side) -> None:
    before = {mail.id for mail in scene.mails()}
    reminded = share_out(scene, side)
    fresh = [
        mail for mail in scene.session.scalars(sa.select(OutboxMessage)) if mail.id not in before
    ]
    to = {scene.cast.users[key].email for key in (side.terms[1], side.roles[1])}
    assert {mail.recipient for mail in fresh} == to
    assert {mail.kind for mail in fresh} == {"items_assigned", "assignment_due"}
    assert sum(mail.kind == "assignment_due" for mail in fresh) == reminded
    names = [scene.cast.users[key].name for key in (side.terms[0], side.roles[0])]
    for mail in fresh:
        for word in (
            *names,
            "M18",
            "V8",
            "Advisory",
            "custody",
            scene.reference,
        ):
            assert word not in mail.subject + mail.body


def test_the_trail_and_commands_hold_nothing_of_it(app: Flask, scene: Scene, side: Side) -> None:
    count = sa.select(sa.func.count()).select_from(Event)
    before = scene.session.scalar(count)
    share_out(scene, side)
    assert scene.session.scalar(count) == before
    for content in scene.session.scalars(sa.select(EventDetail.content)):
        assert "assign" not in str(content)
    db.session.rollback()
    done = app.test_cli_runner().invoke(args=["audit", "verify"])
    assert done.exit_code == 0
    assert "assign" not in done.output
