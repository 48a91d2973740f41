"""Acts that end a task: what told people of it is marked as read, for them or for everybody.

In one file: each kind of notification is ended in the same way, and asked about by the same query.
"""

import datetime as dt
from collections.abc import Callable
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests import due
from tests.factories import checklists
from tests.factories import paper as scans
from tests.factories.checklists import decline_text, flag_term
from tests.factories.demonstration import Demonstration
from tests.factories.tables import Table
from tests.factories.visits import Scene
from tracker.access.actor import Actor
from tracker.accounts.models import Membership, User
from tracker.accounts.people import service as accounts
from tracker.agreements import notices
from tracker.agreements import service as agreements
from tracker.agreements.paper import service as paper
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import messages
from tracker.checklists.assignments import service as assignments
from tracker.checklists.models import NoticeKind, Stance
from tracker.checklists.negotiation import positions, safeguards
from tracker.closing import queries as returns
from tracker.closing import service as closing
from tracker.closing.models import Disposal
from tracker.comments import service as comments
from tracker.comments.models import Comment, CommentAudience
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import Cooperation
from tracker.core import clock
from tracker.core.db import db
from tracker.notifications import service
from tracker.notifications.kinds import Frequency, Group
from tracker.notifications.models import Delivery, Notification

pytestmark = pytest.mark.both_databases


@pytest.fixture
def sent(table: Table) -> Table:
    """The terms, sent for signature; nobody has signed."""
    table.send()
    table.session.commit()
    return table


def unread(kind: str) -> set[object]:
    """Return the people who have unread notifications of a kind."""
    db.session.expire_all()
    return set(
        db.session.scalars(
            sa.select(Notification.user_id).where(
                Notification.kind == kind, Notification.read_at.is_(None)
            )
        )
    )


def ids(*actors: Actor) -> set[object]:
    return {actor.user_id for actor in actors}


def test_whoever_has_signed_is_not_asked_any_more_and_the_others_are(sent: Table) -> None:
    before = unread("text_sent")
    assert ids(sent["henrik"]) <= before
    checklists.sign(sent.checklist(), sent["henrik"])
    sent.session.commit()
    assert unread("text_sent") == before - ids(sent["henrik"])


def test_nobody_is_asked_any_more_once_everyone_has_signed(sent: Table) -> None:
    for first in ("tomas", "henrik", "otto"):
        checklists.sign(sent.checklist(), sent[first])
        sent.session.commit()
    assert unread("text_sent") == set()
    assert unread("text_in_force")


def test_nobody_is_asked_any_more_for_a_declined_text(sent: Table) -> None:
    decline_text(sent["henrik"], sent.checklist(), reason="M2 is unclear.", items=["M2"])
    sent.session.commit()
    assert unread("text_sent") == set()
    assert unread("text_declined")


def test_nobody_is_asked_any_more_for_a_text_that_was_called_back(sent: Table) -> None:
    agreements.call_back(sent["ilena"], sent.checklist(), reason="A date is wrong.")
    sent.session.commit()
    assert unread("text_sent") == set()


# Suggestions


def suggest(table: Table, first: str, item: str) -> UUID:
    """Suggest a change and have the worker notify people of it; return its id."""
    answer = table.loaded().sheet.shared(item)
    assert answer is not None
    proposal = positions.propose(
        table[first],
        table.checklist(),
        item,
        {"words": f"As {first} wants it."},
        answer_id=answer.answer_id,
        reason="Clearer.",
    )
    table.session.commit()
    return proposal.id


@pytest.fixture
def later(frozen_time: Callable[[dt.datetime], None]) -> Callable[[], None]:
    """A function that moves the clock on by an hour and has the worker send what is due."""
    frozen_time(clock.now())

    def move() -> None:
        frozen_time(clock.now() + dt.timedelta(hours=1))
        due.mail_of_checklists()
        db.session.commit()

    return move


@pytest.mark.parametrize("how", ["accept", "decline", "reply", "withdraw", "change"])
def test_nobody_is_asked_any_more_for_a_suggestion_that_was_answered(
    table: Table, later: Callable[[], None], how: str
) -> None:
    table.save("ilena", "M1")
    proposal_id = suggest(table, "samira", "M1")
    later()
    assert ids(table["ilena"]) <= unread("suggestion_made")
    match how:
        case "accept":
            positions.accept_proposal(table["ilena"], table.checklist(), proposal_id)
        case "decline":
            positions.turn_down_proposal(
                table["ilena"], table.checklist(), proposal_id, "Too narrow."
            )
        case "reply":
            answer = table.loaded().sheet.shared("M1")
            assert answer is not None
            positions.propose(
                table["ilena"],
                table.checklist(),
                "M1",
                {"words": "Half of it."},
                answer_id=answer.answer_id,
                reason="A middle way.",
                replies_to=proposal_id,
            )
        case "withdraw":
            positions.withdraw_proposal(table["samira"], table.checklist(), proposal_id)
        case _:
            table.save("ilena", "M1", seen=1, words="Something else.")
    table.session.commit()
    assert unread("suggestion_made") == set()


def test_a_party_is_still_asked_while_another_suggestion_is_left(
    table: Table, later: Callable[[], None]
) -> None:
    table.settle("M1")
    table.settle("M6")
    of_door, of_lantern = suggest(table, "samira", "M1"), suggest(table, "joana", "M6")
    later()
    assert ids(table["ilena"], table["samira"], table["joana"]) <= unread("suggestion_made")
    positions.turn_down_proposal(table["ilena"], table.checklist(), of_door, "Too narrow.")
    table.session.commit()
    # Only that of Lantern is left, which its own people don't answer.
    assert ids(table["ilena"], table["samira"]) <= unread("suggestion_made")
    assert unread("suggestion_made").isdisjoint(ids(table["joana"], table["otto"]))
    positions.turn_down_proposal(table["samira"], table.checklist(), of_lantern, "Too wide.")
    table.session.commit()
    assert unread("suggestion_made") == set()


def test_what_was_answered_is_left_out_of_the_digest_and_of_mails_to_come(
    table: Table, later: Callable[[], None]
) -> None:
    table.settle("M1")
    service.choose(table["ilena"], dict.fromkeys(Group, Frequency.DAILY))
    proposal_id = suggest(table, "samira", "M1")
    later()
    positions.turn_down_proposal(table["oren"], table.checklist(), proposal_id, "Too narrow.")
    again = suggest(table, "samira", "M1")
    positions.withdraw_proposal(table["samira"], table.checklist(), again)
    table.session.commit()
    later()
    rows = db.session.scalars(
        sa.select(Notification).where(
            Notification.user_id == table["ilena"].user_id, Notification.kind == "suggestion_made"
        )
    ).all()
    assert [row.delivery for row in rows] == [Delivery.NOT_MAILED]


# Discussions, flags, items that changed, and texts that are ready


def discuss(table: Table, first: str, item: str) -> None:
    answer = table.loaded().sheet.shared(item)
    assert answer is not None
    positions.take_position(
        table[first],
        table.checklist(),
        item,
        Stance.WANTS_TALK,
        answer_id=answer.answer_id,
        reason="What is meant?",
    )
    table.session.commit()


def test_nobody_is_asked_to_discuss_once_no_discussion_is_left(
    table: Table, later: Callable[[], None]
) -> None:
    for item in ("M1", "M6"):
        table.save("ilena", item)
    discuss(table, "samira", "M1")
    discuss(table, "joana", "M6")
    later()
    assert ids(table["ilena"], table["samira"], table["joana"]) <= unread("discussion_wished")
    table.accept("M1", "dora", outcome="It stays as it is.")
    # Only that of Lantern is left, in which its own people aren't asked.
    assert ids(table["ilena"], table["samira"]) <= unread("discussion_wished")
    assert unread("discussion_wished").isdisjoint(ids(table["joana"], table["otto"]))
    table.save("oren", "M6", seen=1)
    assert unread("discussion_wished") == set()


def test_nobody_is_asked_about_flags_once_none_is_open(
    table: Table, later: Callable[[], None]
) -> None:
    for item in ("M1", "M6"):
        table.settle(item)
    first = flag_term(table["oren"], table.checklist(), "M1", "A donor decides?")
    second = flag_term(table["oren"], table.checklist(), "M6", "Who decides?")
    later()
    before = unread("flag_raised")
    assert ids(table["ilena"], table["samira"]) <= before
    safeguards.explain_flag(table["nadia"], table.checklist(), first.id, "No donor.")
    table.session.commit()
    assert unread("flag_raised") == before
    safeguards.explain_flag(table["nadia"], table.checklist(), second.id, "The NPM.")
    table.session.commit()
    assert unread("flag_raised") == set()


def test_whoever_has_accepted_what_changed_is_not_asked_any_more(
    table: Table, later: Callable[[], None]
) -> None:
    table.save("ilena", "M1")
    proposal_id = suggest(table, "samira", "M1")
    table.accept("M1", "joana")
    positions.accept_proposal(table["ilena"], table.checklist(), proposal_id)
    table.session.commit()
    later()
    assert ids(table["joana"], table["otto"]) <= unread("item_reopened")
    table.accept("M1", "leyla")
    table.session.commit()
    assert unread("item_reopened") == set()


@pytest.mark.parametrize("how", ["send", "flag"])
def test_nobody_is_asked_to_send_a_text_that_was_sent_or_is_no_longer_ready(
    table: Table, later: Callable[[], None], how: str
) -> None:
    table.agree()
    later()
    assert ids(table["samira"]) <= unread("ready_to_send")
    if how == "send":
        checklists.send(table.checklist(), table["ilena"], table.signatories)
    else:
        flag_term(table["dora"], table.checklist(), "M1", "A donor decides?")
    table.session.commit()
    assert unread("ready_to_send") == set()


def test_nobody_is_asked_for_anything_in_a_cooperation_that_is_closed(
    session: Session, demonstration: Demonstration
) -> None:
    scene = Scene(session, demonstration)
    terms = scene.checklist(ChecklistKind.TERMS, None)
    messages.suggestion_made(terms.id, [scene.actor("leyla").user_id])
    session.commit()
    notice = notices.give_notice(
        scene.actor("tomas"), terms, NoticeKind.ENDED, reason="The project is over."
    )
    session.commit()
    assert ids(scene.actor("leyla")) <= unread("suggestion_made")
    due.carry_out_due(notice.from_on)
    session.commit()
    assert unread("suggestion_made").isdisjoint(ids(scene.actor("leyla")))


# Comments


def mention(table: Table, *firsts: str) -> Comment:
    comment = comments.write(
        table["ilena"],
        table.checklist(),
        "M1",
        text="Have you read this?",
        audience=CommentAudience.ALL,
        mentions=[table[first].user_id for first in firsts],
    )
    table.session.commit()
    return comment


def test_whoever_has_seen_a_comment_is_not_asked_any_more_and_the_others_are(
    table: Table,
) -> None:
    comment = mention(table, "samira", "joana")
    comments.mark_seen(table["samira"], comment.id)
    table.session.commit()
    assert unread("comment_mention") == ids(table["joana"])


@pytest.mark.parametrize("how", ["settle", "withdraw"])
def test_nobody_is_asked_any_more_to_read_a_comment_that_is_over(table: Table, how: str) -> None:
    comment = mention(table, "samira", "joana")
    if how == "settle":
        comments.settle(table["oren"], comment.id, "We keep ten days.")
    else:
        comments.withdraw(table["ilena"], comment.id)
    table.session.commit()
    assert unread("comment_mention") == set()


@pytest.mark.parametrize("how", ["finish", "withdraw"])
def test_nobody_is_reminded_any_more_of_a_task_that_is_over(table: Table, how: str) -> None:
    comment = mention(table)
    task = comments.make_task(table["ilena"], comment.id, table["samira"].user_id, clock.today())
    table.session.commit()
    comments.remind_of_task(task.id, clock.today())
    table.session.commit()
    assert unread("comment_task_due") == ids(table["samira"])
    if how == "finish":
        comments.finish_task(table["samira"], comment.id)
    else:
        comments.withdraw(table["ilena"], comment.id)
    table.session.commit()
    assert unread("comment_task_due") == set()


# Assignments


def assign(table: Table, item: str, to: str) -> None:
    side = assignments.of_side(table["ilena"], table.checklist())
    assert side is not None
    assignments.assign(
        table["ilena"],
        table.checklist(),
        item,
        to=table[to].user_id,
        due_on=clock.today(),
        seen=side.seen(item),
    )
    table.session.commit()


def test_whoever_has_done_all_that_was_assigned_is_not_asked_any_more(table: Table) -> None:
    assign(table, "M1", "oren")
    assign(table, "M6", "oren")
    due.remind_of_assignments(clock.today())
    table.session.commit()
    assert unread("items_assigned") == unread("assignment_due") == ids(table["oren"])
    table.save("ilena", "M1")
    table.accept("M1", "samira", "joana")
    assert unread("items_assigned") == ids(table["oren"])
    table.save("ilena", "M6")
    table.checklist()
    table.session.commit()
    assert unread("items_assigned") == unread("assignment_due") == set()


def test_whoever_has_nothing_assigned_any_more_is_not_asked_any_more(table: Table) -> None:
    assign(table, "M1", "oren")
    assign(table, "M6", "petra")
    assign(table, "M1", "petra")
    assert unread("items_assigned") == ids(table["petra"])
    for item in ("M1", "M6"):
        side = assignments.of_side(table["ilena"], table.checklist())
        assert side is not None
        assignments.give_back(table["ilena"], table.checklist(), item, seen=side.seen(item))
        table.session.commit()
    assert unread("items_assigned") == set()


# Signatures on paper


@pytest.mark.parametrize("how", ["confirm", "refuse", "withdraw"])
def test_nobody_is_asked_any_more_for_a_scan_that_was_answered(sent: Table, how: str) -> None:
    record = scans.record(sent["samira"], sent.checklist())
    sent.session.commit()
    assert ids(sent["ilena"], sent["joana"]) <= unread("paper_recorded")
    match how:
        case "confirm":
            scans.confirm(sent["ilena"], sent.checklist(), record)
        case "refuse":
            paper.refuse(sent["ilena"], sent.checklist(), record.id, reason="A page is missing.")
        case _:
            paper.withdraw(sent["samira"], sent.checklist(), record.id, reason="Wrong file.")
    sent.session.commit()
    assert unread("paper_recorded") == set()


def test_another_scan_still_has_to_be_confirmed(sent: Table) -> None:
    of_door = scans.record(sent["samira"], sent.checklist())
    scans.record(sent["joana"], sent.checklist())
    sent.session.commit()
    scans.confirm(sent["ilena"], sent.checklist(), of_door)
    sent.session.commit()
    assert ids(sent["ilena"], sent["samira"]) <= unread("paper_recorded")
    assert unread("paper_recorded").isdisjoint(ids(sent["joana"]))


@pytest.mark.parametrize("how", ["call back", "decline"])
def test_nobody_is_asked_to_confirm_a_scan_of_a_text_that_is_a_draft_again(
    sent: Table, how: str
) -> None:
    scans.record(sent["samira"], sent.checklist())
    sent.session.commit()
    assert ids(sent["ilena"], sent["joana"]) <= unread("paper_recorded")
    if how == "call back":
        agreements.call_back(sent["ilena"], sent.checklist(), reason="A date is wrong.")
    else:
        decline_text(sent["otto"], sent.checklist(), reason="M2 is unclear.", items=["M2"])
    sent.session.commit()
    assert unread("paper_recorded") == set()


def test_nobody_is_asked_to_confirm_a_scan_once_its_party_has_signed_here(sent: Table) -> None:
    scans.record(sent["samira"], sent.checklist())
    checklists.sign(sent.checklist(), sent["henrik"])
    sent.session.commit()
    assert unread("paper_recorded") == set()


# Copies to return


def test_a_person_who_confirmed_about_their_copies_is_not_asked_any_more(
    session: Session, demonstration: Demonstration
) -> None:
    scene = Scene(session, demonstration)
    terms = scene.checklist(ChecklistKind.TERMS, None)
    notice = notices.give_notice(
        scene.actor("tomas"), terms, NoticeKind.ENDED, reason="The project is over."
    )
    session.commit()
    due.carry_out_due(notice.from_on)
    session.commit()
    notified = unread("material_return_requested")
    leyla = scene.actor("leyla")
    assert ids(leyla) < notified
    request = returns.open_of(terms.cooperation_id, leyla.user_id)
    assert request is not None
    closing.remind(request.id, clock.today())
    session.commit()
    assert unread("material_return_due") == ids(leyla)
    closing.confirm(leyla, request.id, Disposal.DESTROYED)
    session.commit()
    assert unread("material_return_requested") == notified - ids(leyla)
    assert unread("material_return_due") == set()


# People who left


def waiting(table: Table, name: str) -> list[str]:
    """Return the kinds of what waits for somebody's daily digest."""
    waits = sa.select(Notification.kind).where(
        Notification.user_id == table[name].user_id, Notification.delivery == Delivery.DAILY
    )
    return list(table.session.scalars(waits))


def leave(table: Table, name: str, by: str = "ilena") -> None:
    """Remove somebody from the cooperation, by their coordinator."""
    person = table[name]
    assert person.organisation_id is not None
    cooperation = table.session.get_one(Cooperation, table.checklist().cooperation_id)
    cooperations.end_person(
        table[by],
        cooperation,
        user_id=person.user_id,
        organisation_id=person.organisation_id,
    )
    table.session.commit()


def end_only_role(table: Table, name: str) -> None:
    """End the one role that a person of the NPM has."""
    role = table.session.scalars(
        sa.select(Membership).where(Membership.user_id == table[name].user_id)
    ).one()
    accounts.end_role(table["ilena"], role.id, reason="Moved away")
    table.session.commit()


def told_of_something_else(table: Table, name: str) -> None:
    """Tell somebody of a text of another cooperation, in a digest."""
    messages.was_assigned(uuid4(), table[name].user_id)
    table.session.commit()


def test_whoever_left_a_cooperation_is_asked_nothing_of_it_any_more_and_the_others_are(
    table: Table,
) -> None:
    assign(table, "M1", "oren")
    assign(table, "M6", "petra")
    comment = mention(table, "samira", "joana", "oren")
    told_of_something_else(table, "oren")
    leave(table, "oren")
    assert unread("comment_mention") == ids(table["samira"], table["joana"])
    about = sa.select(Notification.about_id).where(
        Notification.user_id == table["oren"].user_id, Notification.read_at.is_(None)
    )
    left = set(table.session.scalars(about))
    assert len(left) == 1
    assert left.isdisjoint({table.checklist().id, comment.id})
    assert ids(table["petra"]) <= unread("items_assigned")


def test_whoever_left_is_mailed_nothing_that_waited_for_a_digest(table: Table) -> None:
    service.choose(table["oren"], dict.fromkeys(Group, Frequency.DAILY))
    table.session.commit()
    assign(table, "M1", "oren")
    leave(table, "oren")
    assert waiting(table, "oren") == []


def test_whoever_has_no_role_left_is_told_nothing_and_mailed_nothing_any_more(
    table: Table,
) -> None:
    service.choose(table["oren"], dict.fromkeys(Group, Frequency.DAILY))
    told_of_something_else(table, "oren")
    told_of_something_else(table, "petra")
    end_only_role(table, "oren")
    assert unread("items_assigned") == ids(table["petra"])
    assert waiting(table, "oren") == []


def test_a_coordinator_who_left_the_people_of_a_cooperation_is_still_told_of_it(
    table: Table,
) -> None:
    service.choose(table["samira"], dict.fromkeys(Group, Frequency.DAILY))
    table.session.commit()
    mention(table, "samira")
    leave(table, "samira", by="samira")
    leave(table, "oren")
    assert unread("comment_mention") == ids(table["samira"])


def test_whoever_has_no_role_left_is_still_asked_about_their_copies(table: Table) -> None:
    service.choose(table["oren"], dict.fromkeys(Group, Frequency.DAILY))
    table.session.commit()
    oren = table.session.get_one(User, table["oren"].user_id)
    service.tell(oren, "material_return_requested", "Your copies", address="/", about=uuid4())
    end_only_role(table, "oren")
    assert unread("material_return_requested") == ids(table["oren"])
    assert waiting(table, "oren") == ["material_return_requested"]
