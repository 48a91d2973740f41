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
from tests.factories.negotiations import Negotiation, set_out
from tests.factories.templates import a_field, a_template, an_item, small_terms
from tests.factories.visits import JointVisit
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


def seen(negotiation: Negotiation, first: str, item: str | None = None) -> str:
    """Return the assignments that somebody's page shows."""
    side = assignments.of_side(negotiation[first], negotiation.checklist())
    assert side is not None
    return side.seen(item)


def assign(
    negotiation: Negotiation, by: str, item: str, to: str | None, *, due_on: dt.date | None = None
) -> None:
    """Assign an item in its current state and commit."""
    assignments.assign(
        negotiation[by],
        negotiation.checklist(),
        item,
        to=negotiation.country.users[to].id if to else None,
        due_on=due_on,
        seen=seen(negotiation, by, item),
    )
    negotiation.session.commit()


def holders(negotiation: Negotiation, first: str) -> dict[str, str]:
    """Return the assignee of each item on somebody's side, by first names."""
    names = {user.id: key for key, user in negotiation.country.users.items()}
    side = assignments.of_side(negotiation[first], negotiation.checklist())
    assert side is not None
    return {item: names[holding.user_id] for item, holding in side.holdings.items()}


def waits(negotiation: Negotiation, first: str) -> list[tuple[str, ...]]:
    """Return the items that are somebody's tasks, grouped as they were assigned."""
    return [task.items for task in mine(negotiation, first)]


def mine(negotiation: Negotiation, first: str) -> list[Batch]:
    me = negotiation.country.users[first].id
    recompute()
    return [task for task in assignments.waiting(negotiation[first]) if task.user_id == me]


def mails(session: Session, *kinds: str) -> list[OutboxMessage]:
    wanted = sa.select(OutboxMessage).where(
        OutboxMessage.kind.in_(kinds or ("items_assigned", "assignment_due"))
    )
    return list(session.scalars(wanted.order_by(OutboxMessage.created_at)))


# Assign, take on, give back


def test_a_coordinator_assigns_an_item_to_somebody_of_the_side(negotiation: Negotiation) -> None:
    assign(negotiation, "samira", "M1", "dora", due_on=clock.today() + DAY)
    assert holders(negotiation, "samira") == holders(negotiation, "dora") == {"M1": "dora"}
    (batch,) = assignments.waiting(negotiation["dora"])
    assert (batch.items, batch.name, batch.due_on) == (("M1",), "Dora Lund", clock.today() + DAY)
    assert batch.cooperation == negotiation.cooperation.title
    row = negotiation.session.scalars(sa.select(Assignment)).one()
    assert row.assigned_by_id == negotiation.country.users["samira"].id


@pytest.mark.both_databases
def test_tasks_with_a_due_day_come_first_and_by_day(negotiation: Negotiation) -> None:
    for item, day in (("M1", None), ("M6", clock.today() + 2 * DAY), ("M9", clock.today() + DAY)):
        assign(negotiation, "samira", item, "dora", due_on=day)
    assert waits(negotiation, "dora") == waits_for_side(negotiation) == [("M9",), ("M6",), ("M1",)]


def waits_for_side(negotiation: Negotiation) -> list[tuple[str, ...]]:
    return [task.items for task in assignments.waiting(negotiation["samira"])]


def test_another_side_has_its_own_assignments_and_sees_none_of_ours(
    negotiation: Negotiation,
) -> None:
    assign(negotiation, "samira", "M1", "dora")
    assign(negotiation, "ilena", "M1", "oren")
    for first, own in (("samira", "dora"), ("joana", None), ("ilena", "oren")):
        assert holders(negotiation, first) == ({"M1": own} if own else {})
    assert waits(negotiation, "dora") == waits(negotiation, "oren") == [("M1",)]
    assert {task.name for task in assignments.waiting(negotiation["ilena"])} == {"Oren Maki"}
    assert assignments.waiting(negotiation["joana"]) == []


@pytest.mark.both_databases
def test_a_person_who_does_not_work_on_the_checklist_reads_nothing(
    negotiation: Negotiation,
) -> None:
    assign(negotiation, "samira", "M1", "dora")
    for first in ("ada", "root", "vesna", "marek"):
        assert assignments.of_side(negotiation[first], negotiation.checklist()) is None, first
        assert assignments.waiting(negotiation[first]) == [], first


def test_nobody_else_assigns_or_gives_back_what_a_side_has(negotiation: Negotiation) -> None:
    assign(negotiation, "samira", "M1", "samira")
    mark = seen(negotiation, "samira", "M1")
    target = negotiation.country.users["dora"].id
    # Ilena assigns on her own side, where nobody has it.
    refused = dict.fromkeys(("dora", "henrik", "marek", "ada", "root", "vesna"), RefusedError)
    for first, error in {**refused, "ilena": StaleError}.items():
        actor, checklist = negotiation[first], negotiation.checklist()
        with pytest.raises(error):
            assignments.give_back(actor, checklist, "M1", seen=mark)
        with pytest.raises(error):
            assignments.assign(actor, checklist, "M1", to=target, seen=mark)
        with pytest.raises(error):
            assignments.assign_section(actor, checklist, "all", to=target, seen=mark)
        negotiation.session.rollback()
        assert holders(negotiation, "samira") == {"M1": "samira"}, first


def test_an_item_is_assigned_to_nobody_but_people_of_the_side(negotiation: Negotiation) -> None:
    # Nils is a colleague who does not take part.
    role = negotiation.country.actor("dora").memberships[0].role
    negotiation.country.person("Nils Berg", "door", role)
    negotiation.session.commit()
    for first in ("ilena", "joana", "marek", "ada", "vesna", "nils", None):
        with pytest.raises(RuleBrokenError, match="a person of your organisation") as refused:
            assign(negotiation, "samira", "M1", first)
        assert refused.value.field == "person", first
        negotiation.session.rollback()
        assert holders(negotiation, "samira") == {}, first
        assert mails(negotiation.session) == [], first


def test_an_item_that_is_not_ours_or_not_there_is_not_assigned(negotiation: Negotiation) -> None:
    for item, words in (
        ("M99", "That item doesn't exist"),
        ("M2", "nothing to do on this item"),
        ("M5", "nothing to do"),
    ):
        with pytest.raises((RuleBrokenError, RefusedError), match=words):
            assign(negotiation, "samira", item, "dora")
        with pytest.raises((RuleBrokenError, RefusedError), match=words):
            assignments.take(negotiation["dora"], negotiation.checklist(), item)
        negotiation.session.rollback()
    # Nor is one for a day gone by.
    with pytest.raises(RuleBrokenError, match="today or a later day") as refused:
        assign(negotiation, "samira", "M1", "dora", due_on=clock.today() - DAY)
    assert refused.value.field == "due_on"
    assign(negotiation, "samira", "M1", "dora", due_on=clock.today())


def test_items_that_may_apply_are_assigned_and_others_are_not(negotiation: Negotiation) -> None:
    assign(negotiation, "samira", "M4", "dora")
    assert waits(negotiation, "dora") == []
    negotiation.save("ilena", "M2", kind="prison")
    assert waits(negotiation, "dora") == [("M4",)]
    negotiation.save("ilena", "M2", seen=1, kind="police")
    assert waits(negotiation, "dora") == []
    with pytest.raises(RuleBrokenError, match="does not apply here"):
        assign(negotiation, "samira", "M4", "henrik")
    with pytest.raises(RuleBrokenError, match="does not apply here"):
        assignments.take(negotiation["henrik"], negotiation.checklist(), "M4")


def test_an_item_each_person_answers_is_not_assigned(session: Session) -> None:
    own = a_field("read", "confirm", sets="each_person", accepts="none")
    negotiation = set_out(
        session, template=a_template(an_item("M1"), an_item("M2", own, part="person"))
    )
    with pytest.raises(RefusedError, match="Each person answers"):
        assign(negotiation, "samira", "M2", "dora")


def test_reassigning_tells_the_new_person_alone_in_neutral_words(negotiation: Negotiation) -> None:
    assign(negotiation, "samira", "M1", "dora", due_on=clock.today())
    assign(negotiation, "samira", "M1", "henrik")
    assert holders(negotiation, "samira") == {"M1": "henrik"}
    assert [mail.recipient for mail in mails(negotiation.session)] == [
        "dora.lund@example.org",
        "henrik.asante@example.org",
    ]
    assign(negotiation, "samira", "M1", "henrik", due_on=clock.today())
    assert len(mails(negotiation.session)) == 2
    for mail in mails(negotiation.session):
        assert mail.subject == "Items were assigned to you"
        assert f"/checklists/{negotiation.checklist().id}?filter=mine" in mail.body
        for word in ("Samira", "Open Door", "M1", "small", negotiation.cooperation.title):
            assert word not in mail.subject + mail.body
    assert waits(negotiation, "dora") == []
    assert waits(negotiation, "henrik") == [("M1",)]
    # A coordinator takes back what somebody has.
    assignments.give_back(
        negotiation["samira"], negotiation.checklist(), "M1", seen=seen(negotiation, "samira", "M1")
    )
    negotiation.session.commit()
    assert holders(negotiation, "samira") == {}
    assert waits(negotiation, "henrik") == []


def test_whoever_takes_part_takes_an_item_on_and_gives_it_back(negotiation: Negotiation) -> None:
    assignments.take(negotiation["dora"], negotiation.checklist(), "M1")
    assert holders(negotiation, "samira") == {"M1": "dora"}
    assert mails(negotiation.session) == []
    with pytest.raises(StaleError, match="Somebody else has this item"):
        assignments.take(negotiation["henrik"], negotiation.checklist(), "M1")
    with pytest.raises(RefusedError, match="Only the person who has an item"):
        assignments.give_back(
            negotiation["henrik"],
            negotiation.checklist(),
            "M1",
            seen=seen(negotiation, "henrik", "M1"),
        )
    assignments.give_back(
        negotiation["dora"], negotiation.checklist(), "M1", seen=seen(negotiation, "dora", "M1")
    )
    assert holders(negotiation, "samira") == {}
    with pytest.raises(StaleError, match="This item isn't assigned to anybody"):
        assignments.give_back(negotiation["dora"], negotiation.checklist(), "M1", seen=NOTHING_HELD)


def test_only_people_who_take_part_for_a_party_assign_an_item_to_themselves(
    negotiation: Negotiation,
) -> None:
    take_out(negotiation)
    negotiation.session.commit()
    for first in ("dora", "ada", "marek"):
        with pytest.raises(RefusedError):
            assignments.take(negotiation[first], negotiation.checklist(), "M1")


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
def parted(session: Session) -> Negotiation:
    """Terms with two sections: M1 and M2, of which M2 is the NPM's; M3 and M4."""
    two = sections(second=("M3", "M4"))
    return set_out(session, template=type(small_terms()).model_validate(two))


def assign_section(
    negotiation: Negotiation, section: str, to: str, **more: object
) -> tuple[str, ...]:
    settings: dict[str, object] = {"seen": seen(negotiation, "samira")} | more
    return assignments.assign_section(
        negotiation["samira"],
        negotiation.checklist(),
        section,
        to=negotiation.country.users[to].id,
        **settings,  # type: ignore[arg-type]  # as a test puts them
    )


def test_the_items_of_a_section_are_assigned_together_with_one_mail(parted: Negotiation) -> None:
    for section in ("", "none", "all"):
        with pytest.raises(
            RuleBrokenError, match="With that choice, there's nothing left to assign"
        ):
            assign_section(parted, section, "dora")
    assert assign_section(parted, "rest", "dora") == ("M3", "M4")
    assert holders(parted, "samira") == {"M3": "dora", "M4": "dora"}
    assert len(mails(parted.session)) == 1
    assert waits(parted, "dora") == [("M3", "M4")]
    # What only the other side does is left out.
    assert assign_section(parted, "first", "dora") == ("M1",)


def test_assigning_a_section_skips_items_others_have_unless_asked_to(parted: Negotiation) -> None:
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


# Two people at once


def test_an_answer_that_changed_meanwhile_is_not_overwritten_unseen(parted: Negotiation) -> None:
    before_one, before_all = seen(parted, "samira", "M3"), seen(parted, "samira")
    assignments.take(parted["dora"], parted.checklist(), "M3")
    parted.session.commit()
    to = parted.country.users["henrik"].id
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


def reopen(negotiation: Negotiation) -> None:
    """Have the other two parties agree on new words for M1, so that Open Door is asked again."""
    answer = negotiation.loaded().sheet.shared("M1")
    assert answer is not None
    words = {"words": "Other ones."}
    proposal = positions.propose(
        negotiation["joana"],
        negotiation.checklist(),
        "M1",
        words,
        answer_id=answer.answer_id,
        reason="Shorter.",
    )
    positions.accept_proposal(negotiation["petra"], negotiation.checklist(), proposal.id)


def test_an_item_stays_a_task_until_somebody_on_the_side_has_done_it(
    negotiation: Negotiation,
) -> None:
    assign(negotiation, "samira", "M1", "dora")
    assign(negotiation, "ilena", "M1", "oren")
    negotiation.save("henrik", "M1")
    assert waits(negotiation, "dora") == []
    assert waits(negotiation, "oren") == [("M1",)]
    assert holders(negotiation, "dora") == {"M1": "dora"}
    negotiation.accept("M1", "petra")
    assert waits(negotiation, "oren") == []
    # Until it is the side's task again.
    reopen(negotiation)
    assert waits(negotiation, "dora") == [("M1",)]
    assert waits(negotiation, "oren") == []


def test_another_partys_proposal_becomes_a_task_for_the_assigned_person(
    negotiation: Negotiation,
) -> None:
    assign(negotiation, "samira", "M1", "dora")
    assign(negotiation, "ilena", "M1", "oren")
    answer = negotiation.settle("M1")
    assert waits(negotiation, "dora") == waits(negotiation, "oren") == []
    proposal = positions.propose(
        negotiation["samira"],
        negotiation.checklist(),
        "M1",
        {"words": "Other ones."},
        answer_id=answer.id,
        reason="Shorter.",
    )
    assert waits(negotiation, "oren") == [("M1",)]
    assert waits(negotiation, "dora") == []
    positions.turn_down_proposal(
        negotiation["ilena"], negotiation.checklist(), proposal.id, "Too short."
    )
    assert waits(negotiation, "oren") == []
    assert waits(negotiation, "dora") == [("M1",)]


def test_a_recommended_item_is_a_task_for_its_assignee_until_it_is_begun(
    negotiation: Negotiation,
) -> None:
    assign(negotiation, "samira", "M6", "dora")
    assert "door" not in negotiation.waiting("M6")
    assert waits(negotiation, "dora") == [("M6",)]
    negotiation.save("samira", "M6")
    assert waits(negotiation, "dora") == []


def test_a_side_has_no_task_before_its_turn(negotiation: Negotiation) -> None:
    assign(negotiation, "samira", "M3", "dora")
    assert waits(negotiation, "dora") == []
    negotiation.save("ilena", "M3")
    assert waits(negotiation, "dora") == [("M3",)]


def test_a_text_being_signed_or_in_force_has_no_tasks_or_assignments(
    negotiation: Negotiation,
) -> None:
    assign(negotiation, "samira", "M6", "dora")
    negotiation.send()
    negotiation.session.commit()
    assert waits(negotiation, "dora") == []
    with pytest.raises(RefusedError, match="sent for signature"):
        assign(negotiation, "samira", "M1", "dora")
    with pytest.raises(RefusedError, match="sent for signature"):
        assignments.take(negotiation["dora"], negotiation.checklist(), "M1")
    decline_text(
        negotiation["otto"],
        negotiation.checklist(),
        reason="Not yet.",
        items=["M6"],
    )
    negotiation.session.commit()
    assert waits(negotiation, "dora") == [("M6",)]
    with pytest.raises(RefusedError, match="stays agreed"):
        assign(negotiation, "samira", "M1", "dora")


def test_a_suspended_or_closed_cooperation_has_no_tasks(negotiation: Negotiation) -> None:
    assign(negotiation, "samira", "M1", "dora", due_on=clock.today())
    for stage in (Stage.SUSPENDED, Stage.CLOSED):
        negotiation.cooperation.stage = stage
        negotiation.session.commit()
        assert assignments.waiting(negotiation["dora"]) == [], stage
        assert assignments.waiting(negotiation["samira"]) == [], stage
        assert due.remind_of_assignments(clock.today()) == 0, stage


def test_tasks_are_grouped_by_person_day_and_who_assigned_them(negotiation: Negotiation) -> None:
    later = clock.today() + 3 * DAY
    for item in ("M10", "M1", "M7"):
        assign(negotiation, "samira", item, "dora", due_on=later)
    assign(negotiation, "samira", "M9", "dora")
    assignments.take(negotiation["dora"], negotiation.checklist(), "M6")
    negotiation.session.commit()
    tasks = {(task.items, task.due_on) for task in mine(negotiation, "dora")}
    assert tasks == {(("M1", "M7", "M10"), later), (("M9",), None), (("M6",), None)}


# Tasks pass on


def suspend(negotiation: Negotiation) -> None:
    accounts.suspend(negotiation["root"], negotiation["dora"].user_id, reason="Left in haste")


def end_role(negotiation: Negotiation) -> None:
    role = negotiation.session.scalars(
        sa.select(Membership).where(Membership.user_id == negotiation["dora"].user_id)
    ).one()
    accounts.end_role(negotiation["samira"], role.id, reason="Other work")


def take_out(negotiation: Negotiation) -> None:
    cooperations.end_person(
        negotiation["samira"],
        negotiation.cooperation,
        user_id=negotiation["dora"].user_id,
        organisation_id=negotiation.country.id("door"),
    )


@pytest.mark.parametrize("leaves", [suspend, end_role, take_out])
def test_items_of_somebody_who_left_are_unassigned_and_back_with_the_coordinators(
    negotiation: Negotiation, leaves: Callable[[Negotiation], None]
) -> None:
    assign(negotiation, "samira", "M1", "dora", due_on=clock.today() + DAY)
    before = assignments.of_side(negotiation["samira"], negotiation.checklist())
    assert before is not None
    assert not before.is_free("M1")
    assert [task.is_free for task in assignments.waiting(negotiation["samira"])] == [False]
    leaves(negotiation)
    negotiation.session.commit()
    after = assignments.of_side(negotiation["samira"], negotiation.checklist())
    assert after is not None
    assert after.is_free("M1")
    ((batch),) = assignments.waiting(negotiation["samira"])
    assert (batch.is_free, batch.items, batch.name) == (True, ("M1",), "Dora Lund")
    assert assignments.waiting(negotiation["henrik"]) == []
    assert due.remind_of_assignments(clock.today() + DAY) == 0
    negotiation.session.rollback()
    # Whoever takes part may take it on, with its due date.
    assignments.take(negotiation["henrik"], negotiation.checklist(), "M1")
    ((batch),) = assignments.waiting(negotiation["henrik"])
    assert (batch.is_free, batch.due_on) == (False, clock.today() + DAY)


def test_an_item_of_somebody_who_left_is_assigned_with_its_section(
    negotiation: Negotiation,
) -> None:
    assign(negotiation, "samira", "M1", "dora")
    take_out(negotiation)
    negotiation.session.commit()
    codes = assignments.assign_section(
        negotiation["samira"],
        negotiation.checklist(),
        "all",
        to=negotiation["henrik"].user_id,
        seen=seen(negotiation, "samira"),
    )
    assert "M1" in codes
    assert holders(negotiation, "samira")["M1"] == "henrik"


def test_a_person_who_comes_back_has_the_items_nobody_took_meanwhile(
    negotiation: Negotiation,
) -> None:
    assign(negotiation, "samira", "M1", "dora")
    assign(negotiation, "samira", "M7", "dora")
    suspend(negotiation)
    negotiation.session.commit()
    assignments.take(negotiation["henrik"], negotiation.checklist(), "M1")
    accounts.restore(negotiation["root"], negotiation["dora"].user_id)
    negotiation.session.commit()
    assert waits(negotiation, "dora") == [("M7",)]


def test_a_party_that_left_reads_and_keeps_nothing_waiting(negotiation: Negotiation) -> None:
    assign(negotiation, "samira", "M1", "dora", due_on=clock.today())
    party = negotiation.session.scalars(
        sa.select(Party).where(Party.organisation_id == negotiation.country.id("door"))
    ).one()
    party.left_on = clock.today() - DAY
    negotiation.session.commit()
    assert assignments.of_side(negotiation["samira"], negotiation.checklist()) is None
    assert (
        assignments.waiting(negotiation["samira"]) == assignments.waiting(negotiation["dora"]) == []
    )
    assert due.remind_of_assignments(clock.today()) == 0


# Reminders


def remind(negotiation: Negotiation, folder: Path) -> list[str]:
    """Run the worker once; return who has been reminded so far."""
    negotiation.session.commit()
    jobs.run_once(from_url(f"file://{folder}"), with_dates=True)
    return [mail.recipient for mail in mails(db.session(), "assignment_due")]


def test_only_the_assignee_is_reminded_of_a_due_item_and_only_once(
    negotiation: Negotiation, frozen_time: Time, tmp_path: Path
) -> None:
    frozen_time(NOON)
    for item in ("M1", "M7", "M10"):
        assign(negotiation, "samira", item, "dora", due_on=clock.today() + DAY)
    assign(negotiation, "samira", "M6", "henrik")
    assert remind(negotiation, tmp_path) == []
    frozen_time(NOON + DAY)
    assert remind(negotiation, tmp_path) == ["dora.lund@example.org"]
    (mail,) = mails(db.session(), "assignment_due")
    assert mail.subject == "Items assigned to you are due"
    frozen_time(NOON + 9 * DAY)
    assert remind(negotiation, tmp_path) == ["dora.lund@example.org"]


def test_nobody_is_reminded_after_somebody_on_the_side_has_done_it(
    negotiation: Negotiation,
) -> None:
    assign(negotiation, "samira", "M1", "dora", due_on=clock.today())
    assign(negotiation, "ilena", "M1", "oren", due_on=clock.today())
    negotiation.save("henrik", "M1")
    assert due.remind_of_assignments(clock.today()) == 1
    assert [mail.recipient for mail in mails(negotiation.session, "assignment_due")] == [
        "oren.maki@example.org"
    ]
    # Nor when it is the side's task again later.
    reopen(negotiation)
    assert waits(negotiation, "dora") == [("M1",)]
    assert due.remind_of_assignments(clock.today() + DAY) == 0


def test_a_new_day_or_a_new_person_gets_a_new_reminder_in_neutral_words(
    negotiation: Negotiation,
) -> None:
    assign(negotiation, "samira", "M1", "dora", due_on=clock.today())
    assert due.remind_of_assignments(clock.today()) == 1
    (mail,) = mails(negotiation.session, "assignment_due")
    assert f"/checklists/{negotiation.checklist().id}?filter=mine" in mail.body
    for word in ("Samira", "Open Door", "M1", "small", negotiation.cooperation.title):
        assert word not in mail.subject + mail.body
    assign(negotiation, "samira", "M1", "dora", due_on=clock.today() + DAY)
    assert due.remind_of_assignments(clock.today()) == 0
    assert due.remind_of_assignments(clock.today() + DAY) == 1
    assign(negotiation, "samira", "M1", "henrik", due_on=clock.today() + DAY)
    assert due.remind_of_assignments(clock.today() + DAY) == 1


def test_nobody_is_reminded_of_an_item_no_longer_drafted(negotiation: Negotiation) -> None:
    assign(negotiation, "samira", "M1", "dora", due_on=clock.today())
    negotiation.checklist().state = ChecklistState.SENT
    negotiation.session.commit()
    assert due.remind_of_assignments(clock.today()) == 0
    negotiation.checklist().state = ChecklistState.DRAFTING
    assert due.remind_of_assignments(clock.today()) == 0


# The trail, and a newer version


def test_the_trail_reveals_nothing_of_it(negotiation: Negotiation) -> None:
    count = sa.select(sa.func.count()).select_from(Event)
    before = negotiation.session.scalar(count)
    assign(negotiation, "samira", "M1", "dora", due_on=clock.today())
    assign(negotiation, "samira", "M1", "henrik")
    assignments.give_back(
        negotiation["samira"], negotiation.checklist(), "M1", seen=seen(negotiation, "samira", "M1")
    )
    assignments.take(negotiation["dora"], negotiation.checklist(), "M1")
    assignments.assign_section(
        negotiation["samira"],
        negotiation.checklist(),
        "all",
        to=negotiation["henrik"].user_id,
        seen=seen(negotiation, "samira"),
    )
    due.remind_of_assignments(clock.today())
    assert negotiation.session.scalar(count) == before


def test_an_item_missing_from_a_newer_version_is_assigned_to_nobody(
    negotiation: Negotiation,
) -> None:
    for first, to in (("samira", "dora"), ("ilena", "oren")):
        assign(negotiation, first, "M6", to)
        assign(negotiation, first, "M1", to)
    publish_next(negotiation, M6=None, M1={"prompt": "Other words?"})
    move(negotiation)
    assert holders(negotiation, "samira") == {"M1": "dora"}
    assert holders(negotiation, "ilena") == {"M1": "oren"}
    assert waits(negotiation, "dora") == [("M1",)]


# The planning of a visit


def roles_of(joint_visit: JointVisit) -> Checklist:
    """Return the roles of a visit that is being prepared, with its audience."""
    checklist = joint_visit.checklist(ChecklistKind.VISIT_ROLES)
    checklist.state = ChecklistState.DRAFTING
    joint_visit.session.flush()
    return checklist


def give(joint_visit: JointVisit, by: str, to: str, item: str = "V8") -> None:
    side = assignments.of_side(joint_visit.actor(by), roles_of(joint_visit))
    assert side is not None
    assignments.assign(
        joint_visit.actor(by),
        roles_of(joint_visit),
        item,
        to=joint_visit.user(to),
        seen=side.seen(item),
    )


def test_an_item_of_a_visits_roles_is_assigned_only_to_people_who_may_open_them(
    joint_visit: JointVisit,
) -> None:
    give(joint_visit, "ilena", "pavo")
    give(joint_visit, "joana", "leyla")
    for by, to in (("ilena", "nadia"), ("ilena", "milan"), ("samira", "dina")):
        with pytest.raises(RuleBrokenError, match="who can open this checklist"):
            give(joint_visit, by, to)
    for key in ("nadia", "milan", "dina"):
        assert assignments.of_side(joint_visit.actor(key), roles_of(joint_visit)) is None
        kinds = {task.kind for task in assignments.waiting(joint_visit.actor(key))}
        assert ChecklistKind.VISIT_ROLES not in kinds


def test_items_of_somebody_whose_clearance_ended_are_unassigned(joint_visit: JointVisit) -> None:
    give(joint_visit, "joana", "leyla")
    clearances.close(None, joint_visit.clearance("leyla"), "withdrawn")
    joint_visit.session.commit()
    assert assignments.of_side(joint_visit.actor("leyla"), roles_of(joint_visit)) is None
    side = assignments.of_side(joint_visit.actor("joana"), roles_of(joint_visit))
    assert side is not None
    assert side.is_free("V8")


@pytest.fixture
def joint_visit(session: Session, demonstration: Demonstration) -> JointVisit:
    return JointVisit(session, demonstration)


# Many


def further(negotiation: Negotiation) -> Negotiation:
    """Open another cooperation of the same organisations and add its people."""
    cooperation = open_one(negotiation.country, "door", "lantern")
    for first in ("oren", "henrik", "dora", "samira"):
        bring_in(negotiation.country, cooperation, first)
    return Negotiation(negotiation.country, cooperation)


def put(tables: list[Negotiation], items: tuple[str, ...], firsts: tuple[str, ...]) -> None:
    for table in tables:
        for number, item in enumerate(items):
            assign(table, "samira", item, firsts[number % len(firsts)])


@pytest.mark.both_databases
def test_many_take_as_many_queries_as_one(negotiation: Negotiation, statements: Statements) -> None:
    tables = [negotiation, *(further(negotiation) for _ in range(3))]

    def counts() -> list[int]:
        counts = []
        for act in (
            lambda: assignments.waiting(negotiation["samira"]),
            lambda: assignments.waiting(negotiation["dora"]),
            lambda: assignments.of_side(negotiation["samira"], negotiation.checklist()),
        ):
            negotiation.session.commit()
            with statements() as sent:
                assert act()
            counts.append(len(sent))
        return counts

    put(tables[:1], ("M1",), ("dora",))
    few = counts()
    put(tables, ("M1", "M6", "M7", "M9", "M10"), ("dora", "henrik", "samira"))
    assert len(assignments.waiting(negotiation["samira"])) == len(tables) * 3
    assert counts() == few


@pytest.mark.both_databases
def test_a_reminder_costs_the_same_however_many_items_it_is_about_and_others_are_due(
    negotiation: Negotiation, statements: Statements
) -> None:
    tables = [negotiation, *(further(negotiation) for _ in range(3))]
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
            negotiation.session.commit()
            with statements() as sent:
                assert assignments.remind(one_due, day)
            counts.add(len(sent) - sum(statement.startswith("UPDATE") for statement in sent))
    assert len(counts) == 1


# What is stored of it


def test_remaining_work_is_computed_where_it_was_not_stored(negotiation: Negotiation) -> None:
    session = negotiation.session
    assign(negotiation, "ilena", "M1", "oren")
    before = waits(negotiation, "oren")
    session.execute(sa.update(Assignment).values(is_left=None))
    session.commit()
    assert assignments.waiting(negotiation["oren"]) == []
    assert assignments.work_out_missing() == 1
    assert waits(negotiation, "oren") == before == [("M1",)]
    assert assignments.work_out_missing() == 0
