"""Who may do what with a comment that they may read, as tables of cases."""

import datetime as dt
from dataclasses import replace
from uuid import UUID

import pytest

from tests.factories.templates import DOOR, JOANA, LANTERN, OREN, SAMIRA
from tracker.access.actor import Actor, ActorMembership, Role
from tracker.access.decision import YES, Decision, no
from tracker.comments import policy
from tracker.comments.facts import CommentFact, TaskFact
from tracker.comments.models import Comment, CommentAudience

MADE = dt.datetime(2026, 3, 2, 9, 30, tzinfo=dt.UTC)
COMMENT = CommentFact(SAMIRA, DOOR, MADE)
SETTLED = replace(COMMENT, is_settled=True)
GONE = replace(COMMENT, is_withdrawn=True)
ASKED = replace(COMMENT, task=TaskFact(JOANA, OREN))

NOT_AUTHOR = "Only the person who wrote a comment"
OTHER_BODY = "You wrote this for another organisation."
WITHDRAWN = "This comment was withdrawn."


def actor(user_id: UUID, body: UUID = DOOR) -> Actor:
    return Actor(
        user_id,
        "Somebody",
        memberships=(ActorMembership(Role.MEMBER, body, "Body"),),
        organisation_id=body,
    )


def says(decision: Decision, words: str) -> None:
    """Compare a decision with its reason, empty if it is allowed."""
    assert bool(decision) is not bool(words)
    assert words in str(decision.reason)


def test_a_person_who_can_read_comments_can_write_them() -> None:
    says(policy.can_write(reads=True), "")
    says(policy.can_write(reads=False), "for one of its parties")


@pytest.mark.parametrize(
    ("minutes", "words"), [(0, ""), (15, ""), (15.1, "for 15 minutes"), (9000, "for 15")]
)
def test_its_author_edits_a_comment_for_a_quarter_of_an_hour(minutes: float, words: str) -> None:
    says(policy.can_edit(actor(SAMIRA), COMMENT, MADE + dt.timedelta(minutes=minutes)), words)


@pytest.mark.parametrize(
    ("who", "comment", "words"),
    [
        (actor(SAMIRA), COMMENT, ""),
        (actor(SAMIRA), SETTLED, ""),
        (actor(SAMIRA), ASKED, ""),
        (actor(SAMIRA), GONE, WITHDRAWN),
        (actor(SAMIRA, LANTERN), COMMENT, OTHER_BODY),
        (actor(JOANA), COMMENT, NOT_AUTHOR),
    ],
)
def test_a_comment_is_changed_and_withdrawn_by_its_author_alone(
    who: Actor, comment: CommentFact, words: str
) -> None:
    says(policy.can_edit(who, comment, MADE), words)
    says(policy.can_withdraw(who, comment), words)


@pytest.mark.parametrize(
    ("comment", "settle", "reopen", "task"),
    [
        (COMMENT, "", "already open", ""),
        (SETTLED, "already been settled", "", ""),
        (GONE, WITHDRAWN, WITHDRAWN, WITHDRAWN),
        (ASKED, "", "already open", "already has a task"),
    ],
)
def test_whoever_reads_a_comment_settles_it_opens_it_again_and_makes_a_task(
    comment: CommentFact, settle: str, reopen: str, task: str
) -> None:
    says(policy.can_settle(comment), settle)
    says(policy.can_reopen(comment), reopen)
    says(policy.can_make_task(comment, goes_on=YES), task)
    says(
        policy.can_make_task(comment, goes_on=no("Stopped.")),
        WITHDRAWN if comment is GONE else "Stopped.",
    )


@pytest.mark.parametrize(
    ("who", "comment", "words"),
    [
        (JOANA, ASKED, ""),
        (OREN, ASKED, ""),
        (SAMIRA, ASKED, "with the task, or the one who made it"),
        (JOANA, COMMENT, "no open task"),
    ],
)
def test_a_task_is_marked_done_by_its_person_or_its_maker(
    who: UUID, comment: CommentFact, words: str
) -> None:
    says(policy.can_finish_task(actor(who), comment), words)


def test_a_comment_to_ones_own_side_is_never_shown_to_others() -> None:
    comment = Comment(audience=CommentAudience.OWN)
    with pytest.raises(ValueError, match="never opened to others"):
        comment.audience = CommentAudience.ALL
    assert comment.audience is CommentAudience.OWN
    narrowed = Comment(audience=CommentAudience.ALL)
    narrowed.audience = CommentAudience.OWN
    assert narrowed.audience is CommentAudience.OWN
