"""Assigning items to people on one's own side: by whom, to whom, tasks and reminders.

In one file: everything that reads or changes an assignment, tested on the same two sides.
"""

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests import due
from tests.factories.checklists import decline_text
from tests.factories.cooperations import bring_in, open_one
from tests.factories.demonstration import Demonstration
from tests.factories.tables import Table, set_out
from tests.factories.templates import a_field, a_template, an_item, small_terms
from tests.factories.visits import Scene
from tests.integration.checklists.reuse.test_template_upgrade import move, publish_next
from tests.starting_points import noon_in
from tracker.accounts.models import Membership
from tracker.accounts.people import service as accounts
from tracker.activity.models import Event
from tracker.activity.stale import recompute
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.assignments import service as assignments
from tracker.checklists.assignments.service import NOTHING_HELD, Batch
from tracker.checklists.models import Assignment, Checklist, ChecklistState
from tracker.checklists.negotiation import positions
from tracker.cooperations import clearances
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import Party, Stage
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError
from tracker.mail.models import OutboxMessage
from tracker.mail.transport import from_url
from tracker.worker import jobs

Statements = Callable[[], AbstractContextManager[list[str]]]
Time = Callable[[dt.datetime], None]
NOON = noon_in(100)
DAY = dt.timedelta(days=1)


def seen(table: Table, first: str, item: str | None = None) -> str:
    """Return the assignments that somebody's page shows."""
    side = assignments.of_side(table[first], table.checklist())
    assert side is not None
    return side.seen(item)


def assign(
    table: Table, by: str, item: str, to: str | None, *, due_on: dt.date | None = None
) -> None:
    """Assign an item in its current state and commit."""
    assignments.assign(
        table[by],
        table.checklist(),
        item,
        to=table.land.users[to].id if to else None,
        due_on=due_on,
        seen=seen(table, by, item),
    )
    table.session.commit()


def holders(table: Table, first: str) -> dict[str, str]:
    """Return the assignee of each item on somebody's side, by first names."""
    names = {user.id: key for key, user in table.land.users.items()}
    side = assignments.of_side(table[first], table.checklist())
    assert side is not None
    return {item: names[holding.user_id] for item, holding in side.holdings.items()}


def waits(table: Table, first: str) -> list[tuple[str, ...]]:
    """Return the items that are somebody's tasks, grouped as they were assigned."""
    return [task.items for task in mine(table, first)]


def mine(table: Table, first: str) -> list[Batch]:
    me = table.land.users[first].id
    recompute()
    return [task for task in assignments.waiting(table[first]) if task.user_id == me]


def mails(session: Session, *kinds: str) -> list[OutboxMessage]:
    wanted = sa.select(OutboxMessage).where(
        OutboxMessage.kind.in_(kinds or ("items_assigned", "assignment_due"))
    )
    return list(session.scalars(wanted.order_by(OutboxMessage.created_at)))


# Assign, take on, give back


def test_a_coordinator_assigns_an_item_to_somebody_of_the_side(table: Table) -> None:
    assign(table, "samira", "M1", "dora", due_on=clock.today() + DAY)
    assert holders(table, "samira") == holders(table, "dora") == {"M1": "dora"}
    (batch,) = assignments.waiting(table["dora"])
    assert (batch.items, batch.name, batch.due_on) == (("M1",), "Dora Lund", clock.today() + DAY)
    assert batch.cooperation == table.cooperation.title
    row = table.session.scalars(sa.select(Assignment)).one()
    assert row.assigned_by_id == table.land.users["samira"].id


@pytest.mark.both_databases
def test_tasks_with_a_due_day_come_first_and_by_day(table: Table) -> None:
    for item, day in (("M1", None), ("M6", clock.today() + 2 * DAY), ("M9", clock.today() + DAY)):
        assign(table, "samira", item, "dora", due_on=day)
    assert waits(table, "dora") == waits_for_side(table) == [("M9",), ("M6",), ("M1",)]


def waits_for_side(table: Table) -> list[tuple[str, ...]]:
    return [task.items for task in assignments.waiting(table["samira"])]


def test_another_side_has_its_own_assignments_and_sees_none_of_ours(table: Table) -> None:
    assign(table, "samira", "M1", "dora")
    assign(table, "ilena", "M1", "oren")
    for first, own in (("samira", "dora"), ("joana", None), ("ilena", "oren")):
        assert holders(table, first) == ({"M1": own} if own else {})
    assert waits(table, "dora") == waits(table, "oren") == [("M1",)]
    assert {task.name for task in assignments.waiting(table["ilena"])} == {"Oren Maki"}
    assert assignments.waiting(table["joana"]) == []


@pytest.mark.both_databases
@pytest.mark.parametrize("first", ["ada", "root", "vesna", "marek"])
def test_a_person_who_does_not_work_on_the_checklist_reads_nothing(
    table: Table, first: str
) -> None:
    assign(table, "samira", "M1", "dora")
    assert assignments.of_side(table[first], table.checklist()) is None
    assert assignments.waiting(table[first]) == []


@pytest.mark.parametrize("first", ["dora", "henrik", "ilena", "marek", "ada", "root", "vesna"])
def test_nobody_else_assigns_or_gives_back_what_a_side_has(table: Table, first: str) -> None:
    assign(table, "samira", "M1", "samira")
    mark = seen(table, "samira", "M1")
    target = table.land.users["dora"].id
    other = first == "ilena"  # who assigns on her own side, where nobody has it
    refused = StaleError if other else RefusedError
    with pytest.raises(refused):
        assignments.give_back(table[first], table.checklist(), "M1", seen=mark)
    with pytest.raises(StaleError if other else RefusedError):
        assignments.assign(table[first], table.checklist(), "M1", to=target, seen=mark)
    with pytest.raises(StaleError if other else RefusedError):
        assignments.assign_section(table[first], table.checklist(), "all", to=target, seen=mark)
    table.session.rollback()
    assert holders(table, "samira") == {"M1": "samira"}


@pytest.mark.parametrize("first", ["ilena", "joana", "marek", "ada", "vesna", None])
def test_an_item_is_assigned_to_nobody_but_people_of_the_side(
    table: Table, first: str | None
) -> None:
    with pytest.raises(RuleBrokenError, match="a person of your organisation") as refused:
        assign(table, "samira", "M1", first)
    assert refused.value.field == "person"
    table.session.rollback()
    assert holders(table, "samira") == {}
    assert mails(table.session) == []


def test_a_colleague_who_does_not_take_part_is_not_offered(table: Table) -> None:
    table.land.person("Nils Berg", "door", table.land.actor("dora").memberships[0].role)
    with pytest.raises(RuleBrokenError, match="a person of your organisation"):
        assign(table, "samira", "M1", "nils")


def test_a_day_gone_by_is_refused(table: Table) -> None:
    with pytest.raises(RuleBrokenError, match="today or a later day") as refused:
        assign(table, "samira", "M1", "dora", due_on=clock.today() - DAY)
    assert refused.value.field == "due_on"
    assign(table, "samira", "M1", "dora", due_on=clock.today())


@pytest.mark.parametrize(
    ("item", "words"),
    [
        ("M99", "That item doesn't exist"),
        ("M2", "nothing to do on this item"),
        ("M5", "nothing to do"),
    ],
)
def test_an_item_that_is_not_ours_or_not_there_is_not_assigned(
    table: Table, item: str, words: str
) -> None:
    with pytest.raises((RuleBrokenError, RefusedError), match=words):
        assign(table, "samira", item, "dora")
    with pytest.raises((RuleBrokenError, RefusedError), match=words):
        assignments.take(table["dora"], table.checklist(), item)


def test_items_that_may_apply_are_assigned_and_others_are_not(table: Table) -> None:
    assign(table, "samira", "M4", "dora")
    assert waits(table, "dora") == []
    table.save("ilena", "M2", kind="prison")
    assert waits(table, "dora") == [("M4",)]
    table.save("ilena", "M2", seen=1, kind="police")
    assert waits(table, "dora") == []
    with pytest.raises(RuleBrokenError, match="does not apply here"):
        assign(table, "samira", "M4", "henrik")
    with pytest.raises(RuleBrokenError, match="does not apply here"):
        assignments.take(table["henrik"], table.checklist(), "M4")


def test_an_item_each_person_answers_is_not_assigned(session: Session) -> None:
    own = a_field("read", "confirm", sets="each_person", accepts="none")
    table = set_out(session, template=a_template(an_item("M1"), an_item("M2", own, part="person")))
    with pytest.raises(RefusedError, match="Each person answers"):
        assign(table, "samira", "M2", "dora")


def test_reassigning_tells_the_new_person_alone(table: Table) -> None:
    assign(table, "samira", "M1", "dora")
    assign(table, "samira", "M1", "henrik")
    assert holders(table, "samira") == {"M1": "henrik"}
    assert [mail.recipient for mail in mails(table.session)] == [
        "dora.lund@example.org",
        "henrik.asante@example.org",
    ]
    assign(table, "samira", "M1", "henrik", due_on=clock.today())
    assert len(mails(table.session)) == 2
    assert waits(table, "dora") == []
    assert waits(table, "henrik") == [("M1",)]


def test_the_mail_is_neutral(table: Table) -> None:
    assign(table, "samira", "M1", "dora", due_on=clock.today())
    (mail,) = mails(table.session)
    assert mail.subject == "Items were assigned to you"
    assert f"/checklists/{table.checklist().id}?filter=mine" in mail.body
    for word in ("Samira", "Open Door", "M1", "small", table.cooperation.title):
        assert word not in mail.subject + mail.body


def test_whoever_takes_part_takes_an_item_on_and_gives_it_back(table: Table) -> None:
    assignments.take(table["dora"], table.checklist(), "M1")
    assert holders(table, "samira") == {"M1": "dora"}
    assert mails(table.session) == []
    with pytest.raises(StaleError, match="Somebody else has this item"):
        assignments.take(table["henrik"], table.checklist(), "M1")
    with pytest.raises(RefusedError, match="Only the person who has an item"):
        assignments.give_back(
            table["henrik"], table.checklist(), "M1", seen=seen(table, "henrik", "M1")
        )
    assignments.give_back(table["dora"], table.checklist(), "M1", seen=seen(table, "dora", "M1"))
    assert holders(table, "samira") == {}
    with pytest.raises(StaleError, match="This item isn't assigned to anybody"):
        assignments.give_back(table["dora"], table.checklist(), "M1", seen=NOTHING_HELD)


@pytest.mark.parametrize("first", ["ilena", "ada", "marek"])
def test_only_people_who_take_part_for_a_party_assign_an_item_to_themselves(
    table: Table, first: str
) -> None:
    if first == "ilena":
        cooperations.end_person(
            table["samira"],
            table.cooperation,
            user_id=table["dora"].user_id,
            organisation_id=table.land.id("door"),
        )
        first = "dora"
    with pytest.raises(RefusedError):
        assignments.take(table[first], table.checklist(), "M1")


def test_a_coordinator_takes_back_what_somebody_has(table: Table) -> None:
    assign(table, "samira", "M1", "dora")
    assignments.give_back(
        table["samira"], table.checklist(), "M1", seen=seen(table, "samira", "M1")
    )
    table.session.commit()
    assert holders(table, "samira") == {}
    assert waits(table, "dora") == []


# A section in one go


def sections(*, second: tuple[str, ...] = ("M3",)) -> dict[str, object]:
    content = a_template(
        an_item("M1"),
        an_item("M2", a_field(sets="npm", accepts="none")),
        *(an_item(code) for code in second),
    ).model_dump(mode="json", by_alias=True)
    (section,) = content["sections"]
    first = {**section, "key": "first", "title": "First", "items": section["items"][:2]}
    rest = {**section, "key": "rest", "title": "Rest", "items": section["items"][2:]}
    return content | {"sections": [first, rest]}


@pytest.fixture
def parted(session: Session) -> Table:
    """Terms with two sections: M1 and M2, of which M2 is the NPM's; M3 and M4."""
    two = sections(second=("M3", "M4"))
    return set_out(session, template=type(small_terms()).model_validate(two))


def assign_section(table: Table, section: str, to: str, **more: object) -> tuple[str, ...]:
    settings: dict[str, object] = {"seen": seen(table, "samira")} | more
    return assignments.assign_section(
        table["samira"],
        table.checklist(),
        section,
        to=table.land.users[to].id,
        **settings,  # type: ignore[arg-type]  # as a test puts them
    )


def test_the_items_of_a_section_are_assigned_together_with_one_mail(parted: Table) -> None:
    assert assign_section(parted, "rest", "dora") == ("M3", "M4")
    assert holders(parted, "samira") == {"M3": "dora", "M4": "dora"}
    assert len(mails(parted.session)) == 1
    assert waits(parted, "dora") == [("M3", "M4")]
    # What only the other side does is left out.
    assert assign_section(parted, "first", "dora") == ("M1",)


def test_assigning_a_section_skips_items_others_have_unless_asked_to(parted: Table) -> None:
    assign(parted, "samira", "M3", "henrik")
    assert assign_section(parted, "rest", "dora") == ("M4",)
    assert holders(parted, "samira") == {"M3": "henrik", "M4": "dora"}
    with pytest.raises(
        RuleBrokenError, match="With that choice, there's nothing left to assign"
    ) as refused:
        assign_section(parted, "rest", "dora")
    assert refused.value.field == "section"
    assert assign_section(parted, "rest", "dora", also_held=True) == ("M3", "M4")
    assert set(holders(parted, "samira").values()) == {"dora"}


@pytest.mark.parametrize("section", ["", "none", "all"])
def test_a_section_that_is_not_there_is_refused(parted: Table, section: str) -> None:
    with pytest.raises(RuleBrokenError, match="With that choice, there's nothing left to assign"):
        assign_section(parted, section, "dora")


# Two people at once


def test_an_answer_that_changed_meanwhile_is_not_overwritten_unseen(parted: Table) -> None:
    before_one, before_all = seen(parted, "samira", "M3"), seen(parted, "samira")
    assignments.take(parted["dora"], parted.checklist(), "M3")
    parted.session.commit()
    to = parted.land.users["henrik"].id
    with pytest.raises(StaleError, match="Somebody else changed the assignments"):
        assignments.assign(parted["samira"], parted.checklist(), "M3", to=to, seen=before_one)
    with pytest.raises(StaleError, match="Somebody else changed the assignments"):
        assign_section(parted, "rest", "henrik", also_held=True, seen=before_all)
    with pytest.raises(StaleError, match="Somebody else changed the assignments"):
        assignments.give_back(parted["samira"], parted.checklist(), "M3", seen=before_one)
    assert holders(parted, "samira") == {"M3": "dora"}
    # Another item isn't affected, nor another side's assignments.
    assignments.assign(parted["samira"], parted.checklist(), "M4", to=to, seen=NOTHING_HELD)
    assert seen(parted, "ilena") == NOTHING_HELD


# Tasks


def reopen(table: Table) -> None:
    """Have the other two parties agree on new words for M1, so that Open Door is asked again."""
    answer = table.loaded().sheet.shared("M1")
    assert answer is not None
    words = {"words": "Other ones."}
    proposal = positions.propose(
        table["joana"],
        table.checklist(),
        "M1",
        words,
        answer_id=answer.answer_id,
        reason="Shorter.",
    )
    positions.accept_proposal(table["petra"], table.checklist(), proposal.id)


def test_an_item_stays_a_task_until_somebody_on_the_side_has_done_it(table: Table) -> None:
    assign(table, "samira", "M1", "dora")
    assign(table, "ilena", "M1", "oren")
    table.save("henrik", "M1")
    assert waits(table, "dora") == []
    assert waits(table, "oren") == [("M1",)]
    assert holders(table, "dora") == {"M1": "dora"}
    table.accept("M1", "petra")
    assert waits(table, "oren") == []
    # Until it is the side's task again.
    reopen(table)
    assert waits(table, "dora") == [("M1",)]
    assert waits(table, "oren") == []


def test_another_partys_proposal_becomes_a_task_for_the_assigned_person(table: Table) -> None:
    assign(table, "samira", "M1", "dora")
    assign(table, "ilena", "M1", "oren")
    answer = table.settle("M1")
    assert waits(table, "dora") == waits(table, "oren") == []
    proposal = positions.propose(
        table["samira"],
        table.checklist(),
        "M1",
        {"words": "Other ones."},
        answer_id=answer.id,
        reason="Shorter.",
    )
    assert waits(table, "oren") == [("M1",)]
    assert waits(table, "dora") == []
    positions.turn_down_proposal(table["ilena"], table.checklist(), proposal.id, "Too short.")
    assert waits(table, "oren") == []
    assert waits(table, "dora") == [("M1",)]


def test_a_recommended_item_is_a_task_for_its_assignee_until_it_is_begun(table: Table) -> None:
    assign(table, "samira", "M6", "dora")
    assert "door" not in table.waiting("M6")
    assert waits(table, "dora") == [("M6",)]
    table.save("samira", "M6")
    assert waits(table, "dora") == []


def test_a_side_has_no_task_before_its_turn(table: Table) -> None:
    assign(table, "samira", "M3", "dora")
    assert waits(table, "dora") == []
    table.save("ilena", "M3")
    assert waits(table, "dora") == [("M3",)]


def test_a_text_being_signed_or_in_force_has_no_tasks_or_assignments(
    table: Table,
) -> None:
    assign(table, "samira", "M6", "dora")
    table.send()
    table.session.commit()
    assert waits(table, "dora") == []
    with pytest.raises(RefusedError, match="sent for signature"):
        assign(table, "samira", "M1", "dora")
    with pytest.raises(RefusedError, match="sent for signature"):
        assignments.take(table["dora"], table.checklist(), "M1")
    decline_text(
        table["otto"],
        table.checklist(),
        reason="Not yet.",
        items=["M6"],
    )
    table.session.commit()
    assert waits(table, "dora") == [("M6",)]
    with pytest.raises(RefusedError, match="stays agreed"):
        assign(table, "samira", "M1", "dora")


@pytest.mark.parametrize("stage", [Stage.SUSPENDED, Stage.CLOSED])
def test_a_suspended_or_closed_cooperation_has_no_tasks(table: Table, stage: Stage) -> None:
    assign(table, "samira", "M1", "dora", due_on=clock.today())
    table.cooperation.stage = stage
    table.session.commit()
    assert assignments.waiting(table["dora"]) == assignments.waiting(table["samira"]) == []
    assert due.remind_of_assignments(clock.today()) == 0


def test_tasks_are_grouped_by_person_day_and_who_assigned_them(table: Table) -> None:
    later = clock.today() + 3 * DAY
    for item in ("M10", "M1", "M7"):
        assign(table, "samira", item, "dora", due_on=later)
    assign(table, "samira", "M9", "dora")
    assignments.take(table["dora"], table.checklist(), "M6")
    table.session.commit()
    tasks = {(task.items, task.due_on) for task in mine(table, "dora")}
    assert tasks == {(("M1", "M7", "M10"), later), (("M9",), None), (("M6",), None)}


# Tasks pass on


def suspend(table: Table) -> None:
    accounts.suspend(table["root"], table["dora"].user_id, reason="Left in haste")


def end_role(table: Table) -> None:
    role = table.session.scalars(
        sa.select(Membership).where(Membership.user_id == table["dora"].user_id)
    ).one()
    accounts.end_role(table["samira"], role.id, reason="Other work")


def take_out(table: Table) -> None:
    cooperations.end_person(
        table["samira"],
        table.cooperation,
        user_id=table["dora"].user_id,
        organisation_id=table.land.id("door"),
    )


@pytest.mark.parametrize("leaves", [suspend, end_role, take_out])
def test_items_of_somebody_who_left_are_unassigned_and_back_with_the_coordinators(
    table: Table, leaves: Callable[[Table], None]
) -> None:
    assign(table, "samira", "M1", "dora", due_on=clock.today() + DAY)
    before = assignments.of_side(table["samira"], table.checklist())
    assert before is not None
    assert not before.is_free("M1")
    assert [task.is_free for task in assignments.waiting(table["samira"])] == [False]
    leaves(table)
    table.session.commit()
    after = assignments.of_side(table["samira"], table.checklist())
    assert after is not None
    assert after.is_free("M1")
    ((batch),) = assignments.waiting(table["samira"])
    assert (batch.is_free, batch.items, batch.name) == (True, ("M1",), "Dora Lund")
    assert assignments.waiting(table["henrik"]) == []
    assert due.remind_of_assignments(clock.today() + DAY) == 0
    table.session.rollback()
    # Whoever takes part may take it on, with its due date.
    assignments.take(table["henrik"], table.checklist(), "M1")
    ((batch),) = assignments.waiting(table["henrik"])
    assert (batch.is_free, batch.due_on) == (False, clock.today() + DAY)


def test_an_item_of_somebody_who_left_is_assigned_with_its_section(table: Table) -> None:
    assign(table, "samira", "M1", "dora")
    take_out(table)
    table.session.commit()
    codes = assignments.assign_section(
        table["samira"],
        table.checklist(),
        "all",
        to=table["henrik"].user_id,
        seen=seen(table, "samira"),
    )
    assert "M1" in codes
    assert holders(table, "samira")["M1"] == "henrik"


def test_a_person_who_comes_back_has_the_items_nobody_took_meanwhile(table: Table) -> None:
    assign(table, "samira", "M1", "dora")
    assign(table, "samira", "M7", "dora")
    suspend(table)
    table.session.commit()
    assignments.take(table["henrik"], table.checklist(), "M1")
    accounts.restore(table["root"], table["dora"].user_id)
    table.session.commit()
    assert waits(table, "dora") == [("M7",)]


def test_a_party_that_left_reads_and_keeps_nothing_waiting(table: Table) -> None:
    assign(table, "samira", "M1", "dora", due_on=clock.today())
    party = table.session.scalars(
        sa.select(Party).where(Party.organisation_id == table.land.id("door"))
    ).one()
    party.left_on = clock.today() - DAY
    table.session.commit()
    assert assignments.of_side(table["samira"], table.checklist()) is None
    assert assignments.waiting(table["samira"]) == assignments.waiting(table["dora"]) == []
    assert due.remind_of_assignments(clock.today()) == 0


# Reminders


def remind(table: Table, folder: Path) -> list[str]:
    """Run the worker once; return who has been reminded so far."""
    table.session.commit()
    jobs.run_once(from_url(f"file://{folder}"), with_dates=True)
    return [mail.recipient for mail in mails(db.session(), "assignment_due")]


def test_only_the_assignee_is_reminded_of_a_due_item_and_only_once(
    table: Table, frozen_time: Time, tmp_path: Path
) -> None:
    frozen_time(NOON)
    for item in ("M1", "M7", "M10"):
        assign(table, "samira", item, "dora", due_on=clock.today() + DAY)
    assign(table, "samira", "M6", "henrik")
    assert remind(table, tmp_path) == []
    frozen_time(NOON + DAY)
    assert remind(table, tmp_path) == ["dora.lund@example.org"]
    (mail,) = mails(db.session(), "assignment_due")
    assert mail.subject == "Items assigned to you are due"
    frozen_time(NOON + 9 * DAY)
    assert remind(table, tmp_path) == ["dora.lund@example.org"]


def test_a_reminder_is_neutral(table: Table) -> None:
    assign(table, "samira", "M1", "dora", due_on=clock.today())
    assert due.remind_of_assignments(clock.today()) == 1
    (mail,) = mails(table.session, "assignment_due")
    assert f"/checklists/{table.checklist().id}?filter=mine" in mail.body
    for word in ("Samira", "Open Door", "M1", "small", table.cooperation.title):
        assert word not in mail.subject + mail.body


def test_nobody_is_reminded_after_somebody_on_the_side_has_done_it(table: Table) -> None:
    assign(table, "samira", "M1", "dora", due_on=clock.today())
    assign(table, "ilena", "M1", "oren", due_on=clock.today())
    table.save("henrik", "M1")
    assert due.remind_of_assignments(clock.today()) == 1
    assert [mail.recipient for mail in mails(table.session, "assignment_due")] == [
        "oren.maki@example.org"
    ]
    # Nor when it is the side's task again later.
    reopen(table)
    assert waits(table, "dora") == [("M1",)]
    assert due.remind_of_assignments(clock.today() + DAY) == 0


def test_nobody_is_reminded_of_an_item_no_longer_drafted_or_removed(table: Table) -> None:
    assign(table, "samira", "M1", "dora", due_on=clock.today())
    table.checklist().state = ChecklistState.SENT
    table.session.commit()
    assert due.remind_of_assignments(clock.today()) == 0
    table.checklist().state = ChecklistState.DRAFTING
    assert due.remind_of_assignments(clock.today()) == 0


def test_a_new_day_or_a_new_person_gets_a_new_reminder(table: Table) -> None:
    assign(table, "samira", "M1", "dora", due_on=clock.today())
    assert due.remind_of_assignments(clock.today()) == 1
    assign(table, "samira", "M1", "dora", due_on=clock.today() + DAY)
    assert due.remind_of_assignments(clock.today()) == 0
    assert due.remind_of_assignments(clock.today() + DAY) == 1
    assign(table, "samira", "M1", "henrik", due_on=clock.today() + DAY)
    assert due.remind_of_assignments(clock.today() + DAY) == 1


# The trail, and a newer version


def test_the_trail_reveals_nothing_of_it(table: Table) -> None:
    count = sa.select(sa.func.count()).select_from(Event)
    before = table.session.scalar(count)
    assign(table, "samira", "M1", "dora", due_on=clock.today())
    assign(table, "samira", "M1", "henrik")
    assignments.give_back(
        table["samira"], table.checklist(), "M1", seen=seen(table, "samira", "M1")
    )
    assignments.take(table["dora"], table.checklist(), "M1")
    assignments.assign_section(
        table["samira"],
        table.checklist(),
        "all",
        to=table["henrik"].user_id,
        seen=seen(table, "samira"),
    )
    due.remind_of_assignments(clock.today())
    assert table.session.scalar(count) == before


def test_an_item_missing_from_a_newer_version_is_assigned_to_nobody(table: Table) -> None:
    for first, to in (("samira", "dora"), ("ilena", "oren")):
        assign(table, first, "M6", to)
        assign(table, first, "M1", to)
    publish_next(table, M6=None, M1={"prompt": "Other words?"})
    move(table)
    assert holders(table, "samira") == {"M1": "dora"}
    assert holders(table, "ilena") == {"M1": "oren"}
    assert waits(table, "dora") == [("M1",)]


# The planning of a visit


def roles_of(scene: Scene) -> Checklist:
    """Return the roles of a visit that is being prepared, with its audience."""
    checklist = scene.checklist(ChecklistKind.VISIT_ROLES)
    checklist.state = ChecklistState.DRAFTING
    scene.session.flush()
    return checklist


def give(scene: Scene, by: str, to: str, item: str = "V8") -> None:
    side = assignments.of_side(scene.actor(by), roles_of(scene))
    assert side is not None
    assignments.assign(
        scene.actor(by), roles_of(scene), item, to=scene.user(to), seen=side.seen(item)
    )


def test_an_item_of_a_visits_roles_is_assigned_only_to_people_who_may_open_them(
    scene: Scene,
) -> None:
    give(scene, "ilena", "pavo")
    give(scene, "joana", "leyla")
    for by, to in (("ilena", "nadia"), ("ilena", "milan"), ("samira", "dina")):
        with pytest.raises(RuleBrokenError, match="who can open this checklist"):
            give(scene, by, to)
    for key in ("nadia", "milan", "dina"):
        assert assignments.of_side(scene.actor(key), roles_of(scene)) is None
        kinds = {task.kind for task in assignments.waiting(scene.actor(key))}
        assert ChecklistKind.VISIT_ROLES not in kinds


def test_items_of_somebody_whose_clearance_ended_are_unassigned(scene: Scene) -> None:
    give(scene, "joana", "leyla")
    clearances.close(None, scene.clearance("leyla"), "withdrawn")
    scene.session.commit()
    assert assignments.of_side(scene.actor("leyla"), roles_of(scene)) is None
    side = assignments.of_side(scene.actor("joana"), roles_of(scene))
    assert side is not None
    assert side.is_free("V8")


@pytest.fixture
def scene(session: Session, demonstration: Demonstration) -> Scene:
    return Scene(session, demonstration)


# Many


def further(table: Table) -> Table:
    """Open another cooperation of the same organisations and add its people."""
    cooperation = open_one(table.land, "door", "lantern")
    for first in ("oren", "henrik", "dora", "samira"):
        bring_in(table.land, cooperation, first)
    return Table(table.land, cooperation)


def put(tables: list[Table], items: tuple[str, ...], firsts: tuple[str, ...]) -> None:
    for table in tables:
        for number, item in enumerate(items):
            assign(table, "samira", item, firsts[number % len(firsts)])


@pytest.mark.both_databases
def test_many_take_as_many_queries_as_one(table: Table, statements: Statements) -> None:
    tables = [table, *(further(table) for _ in range(3))]

    def counts() -> list[int]:
        counts = []
        for act in (
            lambda: assignments.waiting(table["samira"]),
            lambda: assignments.waiting(table["dora"]),
            lambda: assignments.of_side(table["samira"], table.checklist()),
        ):
            table.session.commit()
            with statements() as sent:
                assert act()
            counts.append(len(sent))
        return counts

    put(tables[:1], ("M1",), ("dora",))
    few = counts()
    put(tables, ("M1", "M6", "M7", "M9", "M10"), ("dora", "henrik", "samira"))
    assert len(assignments.waiting(table["samira"])) == len(tables) * 3
    assert counts() == few


@pytest.mark.both_databases
def test_a_reminder_costs_the_same_however_many_items_it_is_about_and_others_are_due(
    table: Table, statements: Statements
) -> None:
    tables = [table, *(further(table) for _ in range(3))]
    today = clock.today()
    counts = set()
    for number, some in enumerate((tables[:1], tables)):
        day = today + number * DAY
        for first in some:
            for item in ("M1", "M7", "M10")[: 1 + 2 * number]:
                assign(first, "samira", item, "dora", due_on=day)
        due = assignments.due(day)
        assert len(due) == len(some)
        for one_due in due:
            table.session.commit()
            with statements() as sent:
                assert assignments.remind(one_due, day)
            counts.add(len(sent) - sum(statement.startswith("UPDATE") for statement in sent))
    assert len(counts) == 1


# What is stored of it


def test_remaining_work_is_computed_where_it_was_not_stored(table: Table) -> None:
    session = table.session
    assign(table, "ilena", "M1", "oren")
    before = waits(table, "oren")
    session.execute(sa.update(Assignment).values(is_left=None))
    session.commit()
    assert assignments.waiting(table["oren"]) == []
    assert assignments.work_out_missing() == 1
    assert waits(table, "oren") == before == [("M1",)]
    assert assignments.work_out_missing() == 0
