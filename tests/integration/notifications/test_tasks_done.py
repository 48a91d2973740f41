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
from tests.factories.negotiations import Negotiation
from tests.factories.visits import JointVisit
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


@pytest.fixture
def sent(negotiation: Negotiation) -> Negotiation:
    """The terms, sent for signature; nobody has signed."""
    negotiation.send()
    negotiation.session.commit()
    return negotiation


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


@pytest.mark.both_databases
def test_whoever_has_signed_is_not_asked_any_more_and_the_others_are(sent: Negotiation) -> None:
    before = unread("text_sent")
    assert ids(sent["henrik"]) <= before
    checklists.sign(sent.checklist(), sent["henrik"])
    sent.session.commit()
    assert unread("text_sent") == before - ids(sent["henrik"])


def test_nobody_is_asked_any_more_once_everyone_has_signed(sent: Negotiation) -> None:
    for first in ("tomas", "henrik", "otto"):
        checklists.sign(sent.checklist(), sent[first])
        sent.session.commit()
    assert unread("text_sent") == set()
    assert unread("text_in_force")


def test_nobody_is_asked_any_more_for_a_declined_text(sent: Negotiation) -> None:
    decline_text(sent["henrik"], sent.checklist(), reason="M2 is unclear.", items=["M2"])
    sent.session.commit()
    assert unread("text_sent") == set()
    assert unread("text_declined")


def test_nobody_is_asked_any_more_for_a_text_that_was_called_back(sent: Negotiation) -> None:
    agreements.call_back(sent["ilena"], sent.checklist(), reason="A date is wrong.")
    sent.session.commit()
    assert unread("text_sent") == set()


# Suggestions


def suggest(negotiation: Negotiation, first: str, item: str) -> UUID:
    """Suggest a change and have the worker notify people of it; return its id."""
    answer = negotiation.loaded().sheet.shared(item)
    assert answer is not None
    proposal = positions.propose(
        negotiation[first],
        negotiation.checklist(),
        item,
        {"words": f"As {first} wants it."},
        answer_id=answer.answer_id,
        reason="Clearer.",
    )
    negotiation.session.commit()
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


@pytest.mark.both_databases
@pytest.mark.few_on_postgresql(1)
@pytest.mark.parametrize("how", ["accept", "decline", "reply", "withdraw", "change"])
def test_nobody_is_asked_any_more_for_a_suggestion_that_was_answered(
    negotiation: Negotiation, later: Callable[[], None], how: str
) -> None:
    negotiation.save("ilena", "M1")
    proposal_id = suggest(negotiation, "samira", "M1")
    later()
    assert ids(negotiation["ilena"]) <= unread("suggestion_made")
    match how:
        case "accept":
            positions.accept_proposal(negotiation["ilena"], negotiation.checklist(), proposal_id)
        case "decline":
            positions.turn_down_proposal(
                negotiation["ilena"], negotiation.checklist(), proposal_id, "Too narrow."
            )
        case "reply":
            answer = negotiation.loaded().sheet.shared("M1")
            assert answer is not None
            positions.propose(
                negotiation["ilena"],
                negotiation.checklist(),
                "M1",
                {"words": "Half of it."},
                answer_id=answer.answer_id,
                reason="A middle way.",
                replies_to=proposal_id,
            )
        case "withdraw":
            positions.withdraw_proposal(negotiation["samira"], negotiation.checklist(), proposal_id)
        case _:
            negotiation.save("ilena", "M1", seen=1, words="Something else.")
    negotiation.session.commit()
    assert unread("suggestion_made") == set()


def test_a_party_is_still_asked_while_another_suggestion_is_left(
    negotiation: Negotiation, later: Callable[[], None]
) -> None:
    negotiation.settle("M1")
    negotiation.settle("M6")
    of_door, of_lantern = suggest(negotiation, "samira", "M1"), suggest(negotiation, "joana", "M6")
    later()
    assert ids(negotiation["ilena"], negotiation["samira"], negotiation["joana"]) <= unread(
        "suggestion_made"
    )
    positions.turn_down_proposal(
        negotiation["ilena"], negotiation.checklist(), of_door, "Too narrow."
    )
    negotiation.session.commit()
    # Only that of Lantern is left, which its own people don't answer.
    assert ids(negotiation["ilena"], negotiation["samira"]) <= unread("suggestion_made")
    assert unread("suggestion_made").isdisjoint(ids(negotiation["joana"], negotiation["otto"]))
    positions.turn_down_proposal(
        negotiation["samira"], negotiation.checklist(), of_lantern, "Too wide."
    )
    negotiation.session.commit()
    assert unread("suggestion_made") == set()


@pytest.mark.both_databases
def test_what_was_answered_is_left_out_of_the_digest_and_of_mails_to_come(
    negotiation: Negotiation, later: Callable[[], None]
) -> None:
    negotiation.settle("M1")
    service.choose(negotiation["ilena"], dict.fromkeys(Group, Frequency.DAILY))
    proposal_id = suggest(negotiation, "samira", "M1")
    later()
    positions.turn_down_proposal(
        negotiation["oren"], negotiation.checklist(), proposal_id, "Too narrow."
    )
    again = suggest(negotiation, "samira", "M1")
    positions.withdraw_proposal(negotiation["samira"], negotiation.checklist(), again)
    negotiation.session.commit()
    later()
    rows = db.session.scalars(
        sa.select(Notification).where(
            Notification.user_id == negotiation["ilena"].user_id,
            Notification.kind == "suggestion_made",
        )
    ).all()
    assert [row.delivery for row in rows] == [Delivery.NOT_MAILED]


# Discussions, flags, items that changed, and texts that are ready


def discuss(negotiation: Negotiation, first: str, item: str) -> None:
    answer = negotiation.loaded().sheet.shared(item)
    assert answer is not None
    positions.take_position(
        negotiation[first],
        negotiation.checklist(),
        item,
        Stance.WANTS_TALK,
        answer_id=answer.answer_id,
        reason="What is meant?",
    )
    negotiation.session.commit()


def test_nobody_is_asked_to_discuss_once_no_discussion_is_left(
    negotiation: Negotiation, later: Callable[[], None]
) -> None:
    for item in ("M1", "M6"):
        negotiation.save("ilena", item)
    discuss(negotiation, "samira", "M1")
    discuss(negotiation, "joana", "M6")
    later()
    assert ids(negotiation["ilena"], negotiation["samira"], negotiation["joana"]) <= unread(
        "discussion_wished"
    )
    negotiation.accept("M1", "dora", outcome="It stays as it is.")
    # Only that of Lantern is left, in which its own people aren't asked.
    assert ids(negotiation["ilena"], negotiation["samira"]) <= unread("discussion_wished")
    assert unread("discussion_wished").isdisjoint(ids(negotiation["joana"], negotiation["otto"]))
    negotiation.save("oren", "M6", seen=1)
    assert unread("discussion_wished") == set()


def test_nobody_is_asked_about_flags_once_none_is_open(
    negotiation: Negotiation, later: Callable[[], None]
) -> None:
    for item in ("M1", "M6"):
        negotiation.settle(item)
    first = flag_term(negotiation["oren"], negotiation.checklist(), "M1", "A donor decides?")
    second = flag_term(negotiation["oren"], negotiation.checklist(), "M6", "Who decides?")
    later()
    before = unread("flag_raised")
    assert ids(negotiation["ilena"], negotiation["samira"]) <= before
    safeguards.explain_flag(negotiation["nadia"], negotiation.checklist(), first.id, "No donor.")
    negotiation.session.commit()
    assert unread("flag_raised") == before
    safeguards.explain_flag(negotiation["nadia"], negotiation.checklist(), second.id, "The NPM.")
    negotiation.session.commit()
    assert unread("flag_raised") == set()


def test_whoever_has_accepted_what_changed_is_not_asked_any_more(
    negotiation: Negotiation, later: Callable[[], None]
) -> None:
    negotiation.save("ilena", "M1")
    proposal_id = suggest(negotiation, "samira", "M1")
    negotiation.accept("M1", "joana")
    positions.accept_proposal(negotiation["ilena"], negotiation.checklist(), proposal_id)
    negotiation.session.commit()
    later()
    assert ids(negotiation["joana"], negotiation["otto"]) <= unread("item_reopened")
    negotiation.accept("M1", "leyla")
    negotiation.session.commit()
    assert unread("item_reopened") == set()


@pytest.mark.parametrize("how", ["send", "flag"])
def test_nobody_is_asked_to_send_a_text_that_was_sent_or_is_no_longer_ready(
    negotiation: Negotiation, later: Callable[[], None], how: str
) -> None:
    negotiation.agree()
    later()
    assert ids(negotiation["samira"]) <= unread("ready_to_send")
    if how == "send":
        checklists.send(negotiation.checklist(), negotiation["ilena"], negotiation.signatories)
    else:
        flag_term(negotiation["dora"], negotiation.checklist(), "M1", "A donor decides?")
    negotiation.session.commit()
    assert unread("ready_to_send") == set()


@pytest.mark.both_databases
def test_nobody_is_asked_for_anything_in_a_cooperation_that_is_closed(
    session: Session, demonstration: Demonstration
) -> None:
    joint_visit = JointVisit(session, demonstration)
    terms = joint_visit.checklist(ChecklistKind.TERMS, None)
    messages.suggestion_made(terms.id, [joint_visit.actor("leyla").user_id])
    session.commit()
    notice = notices.give_notice(
        joint_visit.actor("tomas"), terms, NoticeKind.ENDED, reason="The project is over."
    )
    session.commit()
    assert ids(joint_visit.actor("leyla")) <= unread("suggestion_made")
    due.carry_out_due(notice.from_on)
    session.commit()
    assert unread("suggestion_made").isdisjoint(ids(joint_visit.actor("leyla")))


# Comments


def mention(negotiation: Negotiation, *firsts: str) -> Comment:
    comment = comments.write(
        negotiation["ilena"],
        negotiation.checklist(),
        "M1",
        text="Have you read this?",
        audience=CommentAudience.ALL,
        mentions=[negotiation[first].user_id for first in firsts],
    )
    negotiation.session.commit()
    return comment


@pytest.mark.both_databases
def test_whoever_has_seen_a_comment_is_not_asked_any_more_and_the_others_are(
    negotiation: Negotiation,
) -> None:
    comment = mention(negotiation, "samira", "joana")
    comments.mark_seen(negotiation["samira"], comment.id)
    negotiation.session.commit()
    assert unread("comment_mention") == ids(negotiation["joana"])


@pytest.mark.parametrize("how", ["settle", "withdraw"])
def test_nobody_is_asked_any_more_to_read_a_comment_that_is_over(
    negotiation: Negotiation, how: str
) -> None:
    comment = mention(negotiation, "samira", "joana")
    if how == "settle":
        comments.settle(negotiation["oren"], comment.id, "We keep ten days.")
    else:
        comments.withdraw(negotiation["ilena"], comment.id)
    negotiation.session.commit()
    assert unread("comment_mention") == set()


@pytest.mark.both_databases
@pytest.mark.few_on_postgresql(1)
@pytest.mark.parametrize("how", ["finish", "withdraw"])
def test_nobody_is_reminded_any_more_of_a_task_that_is_over(
    negotiation: Negotiation, how: str
) -> None:
    comment = mention(negotiation)
    task = comments.make_task(
        negotiation["ilena"], comment.id, negotiation["samira"].user_id, clock.today()
    )
    negotiation.session.commit()
    comments.remind_of_task(task.id, clock.today())
    negotiation.session.commit()
    assert unread("comment_task_due") == ids(negotiation["samira"])
    if how == "finish":
        comments.finish_task(negotiation["samira"], comment.id)
    else:
        comments.withdraw(negotiation["ilena"], comment.id)
    negotiation.session.commit()
    assert unread("comment_task_due") == set()


# Assignments


def assign(negotiation: Negotiation, item: str, to: str) -> None:
    side = assignments.of_side(negotiation["ilena"], negotiation.checklist())
    assert side is not None
    assignments.assign(
        negotiation["ilena"],
        negotiation.checklist(),
        item,
        to=negotiation[to].user_id,
        due_on=clock.today(),
        seen=side.seen(item),
    )
    negotiation.session.commit()


def test_whoever_has_done_all_that_was_assigned_is_not_asked_any_more(
    negotiation: Negotiation,
) -> None:
    assign(negotiation, "M1", "oren")
    assign(negotiation, "M6", "oren")
    due.remind_of_assignments(clock.today())
    negotiation.session.commit()
    assert unread("items_assigned") == unread("assignment_due") == ids(negotiation["oren"])
    negotiation.save("ilena", "M1")
    negotiation.accept("M1", "samira", "joana")
    assert unread("items_assigned") == ids(negotiation["oren"])
    negotiation.save("ilena", "M6")
    negotiation.checklist()
    negotiation.session.commit()
    assert unread("items_assigned") == unread("assignment_due") == set()


def test_whoever_has_nothing_assigned_any_more_is_not_asked_any_more(
    negotiation: Negotiation,
) -> None:
    assign(negotiation, "M1", "oren")
    assign(negotiation, "M6", "petra")
    assign(negotiation, "M1", "petra")
    assert unread("items_assigned") == ids(negotiation["petra"])
    for item in ("M1", "M6"):
        side = assignments.of_side(negotiation["ilena"], negotiation.checklist())
        assert side is not None
        assignments.give_back(
            negotiation["ilena"], negotiation.checklist(), item, seen=side.seen(item)
        )
        negotiation.session.commit()
    assert unread("items_assigned") == set()


# Signatures on paper


@pytest.mark.both_databases
@pytest.mark.few_on_postgresql(1)
@pytest.mark.parametrize("how", ["confirm", "refuse", "withdraw"])
def test_nobody_is_asked_any_more_for_a_scan_that_was_answered(sent: Negotiation, how: str) -> None:
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


def test_another_scan_still_has_to_be_confirmed(sent: Negotiation) -> None:
    of_door = scans.record(sent["samira"], sent.checklist())
    scans.record(sent["joana"], sent.checklist())
    sent.session.commit()
    scans.confirm(sent["ilena"], sent.checklist(), of_door)
    sent.session.commit()
    assert ids(sent["ilena"], sent["samira"]) <= unread("paper_recorded")
    assert unread("paper_recorded").isdisjoint(ids(sent["joana"]))


@pytest.mark.parametrize("how", ["call back", "decline"])
def test_nobody_is_asked_to_confirm_a_scan_of_a_text_that_is_a_draft_again(
    sent: Negotiation, how: str
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


def test_nobody_is_asked_to_confirm_a_scan_once_its_party_has_signed_here(
    sent: Negotiation,
) -> None:
    scans.record(sent["samira"], sent.checklist())
    checklists.sign(sent.checklist(), sent["henrik"])
    sent.session.commit()
    assert unread("paper_recorded") == set()


# Copies to return


def test_a_person_who_confirmed_about_their_copies_is_not_asked_any_more(
    session: Session, demonstration: Demonstration
) -> None:
    joint_visit = JointVisit(session, demonstration)
    terms = joint_visit.checklist(ChecklistKind.TERMS, None)
    notice = notices.give_notice(
        joint_visit.actor("tomas"), terms, NoticeKind.ENDED, reason="The project is over."
    )
    session.commit()
    due.carry_out_due(notice.from_on)
    session.commit()
    notified = unread("material_return_requested")
    leyla = joint_visit.actor("leyla")
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


def waiting(negotiation: Negotiation, name: str) -> list[str]:
    """Return the kinds of what waits for somebody's daily digest."""
    waits = sa.select(Notification.kind).where(
        Notification.user_id == negotiation[name].user_id, Notification.delivery == Delivery.DAILY
    )
    return list(negotiation.session.scalars(waits))


def leave(negotiation: Negotiation, name: str, by: str = "ilena") -> None:
    """Remove somebody from the cooperation, by their coordinator."""
    person = negotiation[name]
    assert person.organisation_id is not None
    cooperation = negotiation.session.get_one(Cooperation, negotiation.checklist().cooperation_id)
    cooperations.end_person(
        negotiation[by],
        cooperation,
        user_id=person.user_id,
        organisation_id=person.organisation_id,
    )
    negotiation.session.commit()


def end_only_role(negotiation: Negotiation, name: str) -> None:
    """End the one role that a person of the NPM has."""
    role = negotiation.session.scalars(
        sa.select(Membership).where(Membership.user_id == negotiation[name].user_id)
    ).one()
    accounts.end_role(negotiation["ilena"], role.id, reason="Moved away")
    negotiation.session.commit()


def told_of_something_else(negotiation: Negotiation, name: str) -> None:
    """Tell somebody of a text of another cooperation, in a digest."""
    messages.was_assigned(uuid4(), negotiation[name].user_id)
    negotiation.session.commit()


@pytest.mark.both_databases
def test_whoever_left_a_cooperation_is_asked_nothing_of_it_any_more_and_the_others_are(
    negotiation: Negotiation,
) -> None:
    assign(negotiation, "M1", "oren")
    assign(negotiation, "M6", "petra")
    comment = mention(negotiation, "samira", "joana", "oren")
    told_of_something_else(negotiation, "oren")
    leave(negotiation, "oren")
    assert unread("comment_mention") == ids(negotiation["samira"], negotiation["joana"])
    about = sa.select(Notification.about_id).where(
        Notification.user_id == negotiation["oren"].user_id, Notification.read_at.is_(None)
    )
    left = set(negotiation.session.scalars(about))
    assert len(left) == 1
    assert left.isdisjoint({negotiation.checklist().id, comment.id})
    assert ids(negotiation["petra"]) <= unread("items_assigned")


def test_whoever_left_is_mailed_nothing_that_waited_for_a_digest(negotiation: Negotiation) -> None:
    service.choose(negotiation["oren"], dict.fromkeys(Group, Frequency.DAILY))
    negotiation.session.commit()
    assign(negotiation, "M1", "oren")
    leave(negotiation, "oren")
    assert waiting(negotiation, "oren") == []


def test_whoever_has_no_role_left_is_told_nothing_and_mailed_nothing_any_more(
    negotiation: Negotiation,
) -> None:
    service.choose(negotiation["oren"], dict.fromkeys(Group, Frequency.DAILY))
    told_of_something_else(negotiation, "oren")
    told_of_something_else(negotiation, "petra")
    end_only_role(negotiation, "oren")
    assert unread("items_assigned") == ids(negotiation["petra"])
    assert waiting(negotiation, "oren") == []


def test_a_coordinator_who_left_the_people_of_a_cooperation_is_still_told_of_it(
    negotiation: Negotiation,
) -> None:
    service.choose(negotiation["samira"], dict.fromkeys(Group, Frequency.DAILY))
    negotiation.session.commit()
    mention(negotiation, "samira")
    leave(negotiation, "samira", by="samira")
    leave(negotiation, "oren")
    assert unread("comment_mention") == ids(negotiation["samira"])


def test_whoever_has_no_role_left_is_still_asked_about_their_copies(
    negotiation: Negotiation,
) -> None:
    service.choose(negotiation["oren"], dict.fromkeys(Group, Frequency.DAILY))
    negotiation.session.commit()
    oren = negotiation.session.get_one(User, negotiation["oren"].user_id)
    service.tell(oren, "material_return_requested", "Your copies", address="/", about=uuid4())
    end_only_role(negotiation, "oren")
    assert unread("material_return_requested") == ids(negotiation["oren"])
    assert waiting(negotiation, "oren") == ["material_return_requested"]
