"""Plain values for the rules on comments. Pure."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from tracker.comments.models import Comment, CommentTask


@dataclass(frozen=True, slots=True)
class TaskFact:
    """An open task made from a comment."""

    user_id: UUID
    made_by_id: UUID


@dataclass(frozen=True, slots=True)
class CommentFact:
    """A comment that the person may read."""

    author_id: UUID
    organisation_id: UUID
    made_at: dt.datetime
    is_settled: bool = False
    is_withdrawn: bool = False
    task: TaskFact | None = None


def open_task(comment: Comment) -> CommentTask | None:
    """Return the open task of a comment, whose tasks are loaded."""
    return next((task for task in comment.tasks if task.is_open), None)


def fact_of(comment: Comment) -> CommentFact:
    """Return a comment's plain values for the rules; its tasks are loaded."""
    task = open_task(comment)
    return CommentFact(
        author_id=comment.author_id,
        organisation_id=comment.organisation_id,
        made_at=comment.made_at,
        is_settled=comment.settled_at is not None,
        is_withdrawn=comment.withdrawn_at is not None,
        task=TaskFact(task.user_id, task.made_by_id) if task else None,
    )
