"""The service functions for comments: what they change, refuse, record and send.

In one file: they are one set of functions, tested on the same terms.
"""

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa

from tests.factories.comments import ALL, OWN, comment
from tests.factories.visits import JointVisit
from tests.integration.comments.conftest import Talk
from tests.starting_points import noon_in
from tracker.access.actor import Actor
from tracker.accounts.models import Membership, User
from tracker.agreements import departures
from tracker.checklist_templates.models import ChecklistKind
from tracker.comments import encryption, queries, service
from tracker.comments.models import Comment, CommentTask
from tracker.comments.policy import OUTCOME_LENGTH, TEXT_LENGTH
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError
from tracker.mail.models import OutboxMessage
from tracker.mail.transport import from_url
from tracker.oversight import integrity
from tracker.worker import jobs

Time = Callable[[dt.datetime], None]
DAY = dt.timedelta(days=1)
AGREED = "Thirty days it is."
NOON = noon_in(100)


def agree(actor: Actor, comment_id: UUID) -> None:
    service.settle(actor, comment_id, AGREED)


def reads(talk: Talk, first: str, written: Comment) -> bool:
    return queries.find(talk[first], written.id) is not None


def test_a_comment_to_all_parties_is_read_by_the_people_of_all_parties(talk: Talk) -> None:
    written = talk.write("dora", text="  Thirty days are long.  ")
    assert (written.text, written.sealed) == ("Thirty days are long.", None)
    assert (written.author_id, written.organisation_id) == (
        talk.id("dora"),
        talk.negotiation.country.id("door"),
    )
    people = ("dora", "samira", "ilena", "oren", "petra", "joana", "leyla", "otto")
    assert [first for first in people if not reads(talk, first, written)] == []
    assert [
        first for first in ("marek", "vesna", "ada", "root") if reads(talk, first, written)
    ] == []


def test_only_ones_own_side_reads_a_comment_to_it(talk: Talk) -> None:
    written = talk.write("samira", audience=OWN)
    assert [
        first for first in ("samira", "dora", "henrik") if not reads(talk, first, written)
    ] == []
    others = ("ilena", "tomas", "nadia", "oren", "petra", "joana", "leyla", "otto", "ada", "root")
    assert [first for first in others if reads(talk, first, written)] == []


def test_the_trail_records_comments_to_all_parties_without_their_text(talk: Talk) -> None:
    written = talk.write("samira", text="quillfen", mentions=[talk.id("oren")])
    service.edit(talk["samira"], written.id, "quillfen again")
    service.settle(talk["oren"], written.id, AGREED)
    service.reopen(talk["joana"], written.id)
    service.make_task(talk["ilena"], written.id, talk.id("oren"), clock.today())
    service.finish_task(talk["oren"], written.id)
    service.withdraw(talk["samira"], written.id)
    by_verb = talk.events()
    place = {"kind": "terms", "item": "M1"}
    whose = {
        verb: [details.pop("who")["name"] for details in all_] for verb, all_ in by_verb.items()
    }
    assert by_verb.pop("made") == [{**place, "organisation": "Open Door Legal Aid"}]
    assert set(map(str, by_verb.values())) == {str([place])}
    assert whose == {
        "made": ["Samira Okell"],
        "edited": ["Samira Okell"],
        "settled": ["Oren Maki"],
        "reopened": ["Joana Pires"],
        "task_made": ["Ilena Dorvath"],
        "task_done": ["Oren Maki"],
        "withdrawn": ["Samira Okell"],
    }


def test_the_trail_records_no_comments_to_ones_own_side(talk: Talk) -> None:
    written = talk.write("samira", audience=OWN, mentions=[talk.id("dora")])
    service.edit(talk["samira"], written.id, "Other words")
    service.settle(talk["dora"], written.id, AGREED)
    service.reopen(talk["dora"], written.id)
    service.make_task(talk["samira"], written.id, talk.id("dora"), clock.today())
    service.finish_task(talk["dora"], written.id)
    service.mark_seen(talk["dora"], written.id)
    service.withdraw(talk["samira"], written.id)
    assert talk.events() == {}
    row = talk.again(written)
    assert row.reopened_by_id == talk.id("dora")
    assert None not in {row.made_at, row.edited_at, row.reopened_at, row.withdrawn_at}


@pytest.mark.both_databases
def test_a_comment_on_the_checklist_names_no_item_in_the_trail(talk: Talk) -> None:
    talk.write("samira", None)
    (details,) = talk.events()["made"]
    assert "item" not in details


@pytest.mark.parametrize("first", ["ada", "root", "vesna", "marek"])
def test_a_person_who_cannot_read_comments_cannot_write_any(talk: Talk, first: str) -> None:
    with pytest.raises(RefusedError, match="for one of its parties"):
        talk.write(first)
    assert db.session.scalar(sa.select(sa.func.count()).select_from(Comment)) == 0


@pytest.mark.parametrize(
    ("text", "field", "words"),
    [
        ("  \n ", "text", "Write your comment."),
        ("x" * (TEXT_LENGTH + 1), "text", "at most 4000 characters"),
    ],
)
def test_a_comment_is_neither_empty_nor_too_long(
    talk: Talk, text: str, field: str, words: str
) -> None:
    with pytest.raises(RuleBrokenError, match=words) as refused:
        talk.write("samira", text=text)
    assert refused.value.field == field
    talk.session.rollback()
    written = talk.write("samira", text="x" * TEXT_LENGTH)
    with pytest.raises(RuleBrokenError, match=words):
        service.edit(talk["samira"], written.id, text)


def test_there_is_no_comment_on_an_item_that_is_not_there(talk: Talk) -> None:
    with pytest.raises(RuleBrokenError, match="That item doesn't exist"):
        talk.write("samira", "M99")


# Editing, withdrawing, settling


def test_an_author_edits_within_a_quarter_of_an_hour_and_it_says_so(
    talk: Talk, frozen_time: Time
) -> None:
    frozen_time(NOON)
    written = talk.write("samira", audience=OWN)
    assert written.edited_at is None
    later = NOON + dt.timedelta(minutes=14)
    frozen_time(later)
    service.edit(talk["samira"], written.id, " Better words. ")
    row = talk.again(written)
    assert (row.text, row.edited_at, row.audience) == ("Better words.", later, OWN)
    frozen_time(NOON + dt.timedelta(minutes=16))
    with pytest.raises(RefusedError, match="for 15 minutes"):
        service.edit(talk["samira"], written.id, "Too late.")
    with pytest.raises(RefusedError, match="Only the person who wrote"):
        service.edit(talk["dora"], written.id, "Not mine.")
    assert talk.again(written).text == "Better words."


def test_a_withdrawn_comment_keeps_author_and_time_but_no_text(talk: Talk) -> None:
    written = talk.write("samira", text="quillfen", mentions=[talk.id("oren")])
    service.make_task(talk["ilena"], written.id, talk.id("oren"), clock.today())
    service.withdraw(talk["samira"], written.id)
    row = talk.again(written)
    assert (row.text, row.sealed) == (None, None)
    assert row.withdrawn_at is not None
    assert row.author_id == talk.id("samira")
    assert talk.mentions(written) == []
    (task,) = talk.tasks(written)
    assert task.ended_at is not None
    assert not task.is_open
    assert reads(talk, "joana", written)
    for act in (agree, service.reopen):
        with pytest.raises(StaleError, match="withdrawn"):
            act(talk["ilena"], written.id)
    for refused in (service.withdraw, lambda who, comment: service.edit(who, comment, "Back.")):
        with pytest.raises(RefusedError, match="withdrawn"):
            refused(talk["samira"], written.id)


def test_only_its_author_withdraws_a_comment(talk: Talk) -> None:
    written = talk.write("samira")
    with pytest.raises(RefusedError, match="Only the person who wrote"):
        service.withdraw(talk["dora"], written.id)
    assert talk.again(written).text


def test_whoever_reads_a_comment_settles_it_and_opens_it_again(talk: Talk) -> None:
    written = talk.write("samira")
    service.settle(talk["leyla"], written.id, AGREED)
    assert talk.again(written).settled_by_id == talk.id("leyla")
    with pytest.raises(StaleError, match="already been settled"):
        service.settle(talk["ilena"], written.id, AGREED)
    service.reopen(talk["oren"], written.id)
    row = talk.again(written)
    assert (row.settled_at, row.settled_by_id) == (None, None)
    assert row.reopened_by_id == talk.id("oren")
    with pytest.raises(StaleError, match="already open"):
        service.reopen(talk["ilena"], written.id)


@pytest.mark.parametrize("outcome", ["", "  \n ", "x" * (OUTCOME_LENGTH + 1)])
def test_nobody_settles_a_comment_without_an_outcome_of_one_sentence(
    talk: Talk, outcome: str
) -> None:
    written = talk.write("samira")
    with pytest.raises(RuleBrokenError) as broken:
        service.settle(talk["ilena"], written.id, outcome)
    assert broken.value.field == service.OUTCOME
    assert talk.again(written).settled_at is None
    assert "settled" not in talk.events()


def test_an_outcome_ends_when_the_comment_is_opened_again_or_withdrawn(talk: Talk) -> None:
    reopened, withdrawn = talk.write("samira"), talk.write("samira")
    for written in (reopened, withdrawn):
        service.settle(talk["ilena"], written.id, f"  {AGREED}\n")
        assert talk.again(written).outcome == AGREED
    service.reopen(talk["oren"], reopened.id)
    service.withdraw(talk["samira"], withdrawn.id)
    for written in (reopened, withdrawn):
        assert (talk.again(written).outcome, talk.again(written).sealed_outcome) == (None, None)


def test_the_event_binds_an_outcome_and_does_not_say_it(talk: Talk) -> None:
    """docs/adr/0097: auditors and bundles see events, and no comment."""
    written = talk.write("samira")
    service.settle(talk["oren"], written.id, "Emberwick it is.")
    talk.session.commit()
    assert "Emberwick" not in str(talk.events())
    assert integrity.check_all().finding is None
    # By SQL, as somebody with the database would.
    talk.session.execute(sa.text("UPDATE comment SET outcome = 'Nothing of it.'"))
    talk.session.commit()
    assert integrity.check_all().finding is not None


def test_an_outcome_on_a_visits_text_is_encrypted(joint_visit: JointVisit) -> None:
    roles = joint_visit.checklist(ChecklistKind.VISIT_ROLES)
    written = comment(joint_visit.actor("ilena"), roles, "V8")
    service.settle(joint_visit.actor("pavo"), written.id, AGREED)
    joint_visit.session.commit()
    row = joint_visit.session.get_one(Comment, written.id, populate_existing=True)
    assert row.outcome is None
    assert AGREED.encode() not in (row.sealed_outcome or b"")
    assert encryption.outcome_of(roles.cooperation_id, row) == AGREED


def test_nothing_is_done_with_a_comment_of_the_other_side(talk: Talk) -> None:
    written = talk.write("samira", audience=OWN)
    stranger = talk["ilena"]
    for act in (agree, service.reopen, service.withdraw, service.mark_seen):
        with pytest.raises(RefusedError, match="That comment doesn't exist"):
            act(stranger, written.id)
    with pytest.raises(RefusedError, match="That comment doesn't exist"):
        service.edit(stranger, written.id, "Mine now.")
    with pytest.raises(RefusedError, match="That comment doesn't exist"):
        service.make_task(stranger, written.id, talk.id("ilena"), clock.today())
    with pytest.raises(RefusedError, match="That comment doesn't exist"):
        service.finish_task(stranger, written.id)


# Mentions


def test_a_mentioned_person_gets_a_neutral_mail_and_a_task_until_they_have_seen_it(
    talk: Talk,
) -> None:
    written = talk.write("samira", text="quillfen", mentions=[talk.id("oren"), talk.id("samira")])
    (mail,) = talk.mails()
    assert (mail.recipient, mail.kind) == ("oren.maki@example.org", "comment_mention")
    assert mail.subject == "A comment mentions you"
    assert f"/comments/{written.id}" in mail.body
    for word in ("quillfen", "Samira", "Open Door", "M1", talk.negotiation.cooperation.reference):
        assert word not in mail.subject + mail.body
    (waiting,) = queries.waiting(talk["oren"]).mentions
    assert (waiting.comment_id, waiting.item) == (written.id, "M1")
    assert waiting.title == talk.negotiation.cooperation.title
    assert queries.waiting(talk["samira"]).mentions == ()
    service.mark_seen(talk["oren"], written.id)
    assert queries.waiting(talk["oren"]).mentions == ()
    with pytest.raises(StaleError, match="aren't asked to look"):
        service.mark_seen(talk["oren"], written.id)


def test_a_mail_says_the_same_whoever_else_may_read_the_comment(talk: Talk) -> None:
    first = talk.write("samira", audience=OWN, mentions=[talk.id("dora")])
    second = talk.write("samira", audience=ALL, mentions=[talk.id("dora")])
    own, open_ = talk.mails()
    assert (own.subject, own.kind) == (open_.subject, open_.kind)
    assert own.body.replace(str(first.id), str(second.id)) == open_.body


@pytest.mark.parametrize(
    ("audience", "first"),
    [(OWN, "ilena"), (OWN, "joana"), (ALL, "marek"), (ALL, "ada"), (ALL, "root"), (ALL, "vesna")],
)
def test_a_person_who_cannot_read_it_cannot_be_mentioned(
    talk: Talk, audience: object, first: str
) -> None:
    with pytest.raises(RuleBrokenError, match="can't read this comment") as refused:
        talk.write("samira", audience=audience, mentions=[talk.id("dora"), talk.id(first)])
    assert refused.value.field == "mentions"
    talk.session.rollback()
    assert talk.mails() == []


def test_a_mention_of_somebody_who_was_mentioned_in_a_withdrawn_comment_waits_no_longer(
    talk: Talk,
) -> None:
    written = talk.write("samira", mentions=[talk.id("oren")])
    service.withdraw(talk["samira"], written.id)
    assert queries.waiting(talk["oren"]).mentions == ()


@pytest.mark.both_databases
def test_mentions_are_listed_in_order_and_the_page_says_if_there_are_more(
    talk: Talk, monkeypatch: pytest.MonkeyPatch
) -> None:
    comment_ids = [talk.write("samira", mentions=[talk.id("oren")]).id for _ in range(3)]
    waiting = queries.waiting(talk["oren"])
    assert ([mention.comment_id for mention in waiting.mentions], waiting.is_cut) == (
        comment_ids,
        False,
    )
    monkeypatch.setattr(queries, "MANY", 2)
    waiting = queries.waiting(talk["oren"])
    assert ([mention.comment_id for mention in waiting.mentions], waiting.is_cut) == (
        comment_ids[:2],
        True,
    )


# Tasks


@pytest.mark.both_databases
def test_a_task_given_to_oneself_waits_once_and_all_wait_by_their_days(talk: Talk) -> None:
    own, given = talk.write("ilena"), talk.write("ilena")
    later = service.make_task(talk["ilena"], own.id, talk.id("ilena"), clock.today() + 2 * DAY)
    sooner = service.make_task(talk["ilena"], given.id, talk.id("oren"), clock.today() + DAY)
    waiting = queries.waiting(talk["ilena"]).tasks
    assert [task.id for task in waiting] == [sooner.id, later.id]
    assert [task.id for task in queries.waiting(talk["oren"]).tasks] == [sooner.id]


def test_a_task_stays_open_until_its_person_or_its_maker_marks_it_done(talk: Talk) -> None:
    written = talk.write("samira")
    task = service.make_task(talk["ilena"], written.id, talk.id("oren"), clock.today() + DAY)
    (open_task,) = queries.waiting(talk["oren"]).tasks
    assert open_task.id == task.id
    assert len(queries.waiting(talk["ilena"]).tasks) == 1
    assert queries.waiting(talk["samira"]).tasks == ()
    with pytest.raises(RefusedError, match="already has a task"):
        service.make_task(talk["samira"], written.id, talk.id("samira"), clock.today())
    with pytest.raises(RefusedError, match="with the task"):
        service.finish_task(talk["samira"], written.id)
    service.finish_task(talk["oren"], written.id)
    (row,) = talk.tasks(written)
    assert row.done_by_id == talk.id("oren")
    assert queries.waiting(talk["oren"]).tasks == queries.waiting(talk["ilena"]).tasks == ()
    with pytest.raises(StaleError, match="no open task"):
        service.finish_task(talk["ilena"], written.id)
    service.make_task(talk["samira"], written.id, talk.id("joana"), clock.today())
    service.finish_task(talk["samira"], written.id)
    assert len(talk.tasks(written)) == 2


@pytest.mark.parametrize(("audience", "first"), [(OWN, "ilena"), (ALL, "marek"), (ALL, "ada")])
def test_a_person_who_cannot_read_the_comment_cannot_be_given_a_task(
    talk: Talk, audience: object, first: str
) -> None:
    written = talk.write("samira", audience=audience)
    with pytest.raises(RuleBrokenError, match="can read this comment") as refused:
        service.make_task(talk["samira"], written.id, talk.id(first), clock.today())
    assert refused.value.field == "person"
    with pytest.raises(RuleBrokenError, match="can read this comment"):
        service.make_task(talk["samira"], written.id, None, clock.today())


def test_a_task_is_due_today_or_later(talk: Talk) -> None:
    written = talk.write("samira")
    with pytest.raises(RuleBrokenError, match="today or a later day") as refused:
        service.make_task(talk["samira"], written.id, talk.id("dora"), clock.today() - DAY)
    assert refused.value.field == "due_on"


def remind(talk: Talk, folder: Path) -> list[OutboxMessage]:
    """Have the worker do a round, and return all reminders so far."""
    talk.session.commit()
    jobs.run_once(from_url(f"file://{folder}"), with_dates=True)
    wanted = sa.select(OutboxMessage).where(OutboxMessage.kind == "comment_task_due")
    return list(db.session.scalars(wanted))


def test_a_task_that_is_due_is_reminded_of_once_to_its_person_alone(
    talk: Talk, frozen_time: Time, tmp_path: Path
) -> None:
    frozen_time(NOON)
    written = talk.write("samira", text="quillfen", audience=OWN)
    service.make_task(talk["samira"], written.id, talk.id("dora"), clock.today() + DAY)
    assert remind(talk, tmp_path) == []
    frozen_time(NOON + DAY)
    (mail,) = remind(talk, tmp_path)
    assert mail.recipient == "dora.lund@example.org"
    assert "quillfen" not in mail.subject + mail.body
    frozen_time(NOON + 5 * DAY)
    assert len(remind(talk, tmp_path)) == 1


@pytest.mark.parametrize("how", ["done", "withdrawn", "gone"])
def test_nobody_is_reminded_of_what_is_done_withdrawn_or_not_theirs_any_more(
    talk: Talk, frozen_time: Time, tmp_path: Path, how: str
) -> None:
    frozen_time(NOON)
    written = talk.write("samira")
    service.make_task(talk["samira"], written.id, talk.id("dora"), clock.today() + DAY)
    if how == "done":
        service.finish_task(talk["dora"], written.id)
    elif how == "withdrawn":
        service.withdraw(talk["samira"], written.id)
    else:
        end_roles(talk, talk.id("dora"))
    frozen_time(NOON + 2 * DAY)
    assert remind(talk, tmp_path) == []
    (task,) = db.session.scalars(sa.select(CommentTask))
    assert (task.reminded_at is not None) == (how == "gone")


def end_roles(talk: Talk, user_id: UUID) -> None:
    user = talk.session.get_one(User, user_id)
    for role in talk.session.scalars(sa.select(Membership).where(Membership.user_id == user.id)):
        role.ended_at = clock.now()
    talk.session.flush()


def test_the_tasks_of_a_party_that_left_end_and_those_of_others_go_on(talk: Talk) -> None:
    """Nobody would ever do them; a comment without an open task can be given to somebody else."""
    day = clock.today() + DAY
    for first in ("joana", "dora"):
        service.make_task(talk["ilena"], talk.write("ilena").id, talk.id(first), day)
    talk.session.commit()
    departures.give_notice(
        talk["otto"], talk.negotiation.cooperation, reason="Our board decided so."
    )
    talk.session.commit()
    rows = talk.session.scalars(
        sa.select(CommentTask).execution_options(populate_existing=True)
    ).all()
    assert {row.user_id: row.is_open for row in rows} == {
        talk.id("joana"): False,
        talk.id("dora"): True,
    }
