"""Service functions for comments: write, edit, withdraw, settle, mention, make and finish tasks.

Comments to all parties leave events in the cooperation's trail, without their text. Those to the
author's own side leave none: the trail belongs to all parties, and even their number would reveal
something (docs/adr/0019). Their rows record author and time.
"""

import datetime as dt
from collections.abc import Collection, Sequence
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload

from tracker.access.actor import Actor
from tracker.access.decision import Decision
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.activity.service import DomainEvent
from tracker.activity.verbs import Verb
from tracker.checklist_templates import library
from tracker.checklist_templates.models import ChecklistTemplate
from tracker.checklists.models import Checklist
from tracker.checklists.queries import goes_on, works_on, writers
from tracker.comments import (
    encryption,
    messages,
    policy,
    queries,
)
from tracker.comments.facts import fact_of, open_task
from tracker.comments.models import Comment, CommentAudience, CommentMention, CommentTask
from tracker.comments.people import of_audience
from tracker.cooperations import people as cooperation_people
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError
from tracker.notifications import service as notifications

TEXT, MENTIONS, PERSON, DUE_ON, OUTCOME = "text", "mentions", "person", "due_on", "outcome"


def write(
    actor: Actor,
    checklist: Checklist,
    item: str | None,
    *,
    text: str,
    audience: CommentAudience,
    mentions: Collection[UUID] = (),
) -> Comment:
    """Comment on an item, or on the checklist as a whole if item is None.

    mentions are people who may read it; each gets an email, and an entry in My work until they have
    seen it. Raise RuleBrokenError for an unknown item, no text, or a person who can't read it.
    """
    policy.can_write(reads=works_on(actor, checklist.id)).require()
    organisation_id = _acting_for(actor)
    _require_item(checklist, item)
    comment = Comment(
        id=uuid4(),
        checklist_id=checklist.id,
        item=item,
        audience=audience,
        author_id=actor.user_id,
        organisation_id=organisation_id,
        made_at=clock.now(),
    )
    encryption.put_text(checklist, comment, _tidy(text))
    wanted = set(mentions) - {actor.user_id}
    if wanted:
        able = of_audience(writers(checklist), audience, organisation_id)
        if wanted - {person.user_id for person in able}:
            raise RuleBrokenError(
                _l("Somebody you mention can't read this comment. Mention others, or nobody."),
                MENTIONS,
            )
    db.session.add(comment)
    db.session.flush()
    db.session.add_all(
        CommentMention(comment_id=comment.id, user_id=person_id, mentioned_at=comment.made_at)
        for person_id in wanted
    )
    db.session.flush()
    _record(verbs.COMMENT_MADE, actor, checklist, comment, organisation=actor.organisation_name)
    messages.mentioned(comment.id, wanted)
    return comment


def edit(actor: Actor, comment_id: UUID, text: str) -> None:
    """Edit the actor's own comment within 15 minutes; it is marked as edited."""
    comment = _locked(actor, comment_id)
    policy.can_edit(actor, fact_of(comment), clock.now()).require()
    encryption.put_text(comment.checklist, comment, _tidy(text))
    comment.edited_at = clock.now()
    db.session.flush()
    _record(verbs.COMMENT_EDITED, actor, comment.checklist, comment)


def withdraw(actor: Actor, comment_id: UUID) -> None:
    """Erase the actor's own comment; author and time stay. Its mentions and task end with it."""
    comment = _locked(actor, comment_id)
    policy.can_withdraw(actor, fact_of(comment)).require()
    encryption.erase_text(comment)
    encryption.erase_outcome(comment)
    comment.withdrawn_at = clock.now()
    for mention in comment.mentions:
        db.session.delete(mention)
    task = open_task(comment)
    if task is not None:
        task.ended_at = clock.now()
        messages.task_is_over(comment.id)
    messages.mention_is_answered(comment.id)
    db.session.flush()
    _record(verbs.COMMENT_WITHDRAWN, actor, comment.checklist, comment)


def settle(actor: Actor, comment_id: UUID, outcome: str) -> None:
    """Settle a comment, saying in a sentence what came of it; anybody who can read it may.

    The event binds the row with the outcome and does not contain it: auditors and bundles see
    events, and no comment (docs/adr/0097).
    """
    comment = _locked(actor, comment_id)
    _require_still(policy.can_settle(fact_of(comment)))
    encryption.put_outcome(comment.checklist, comment, _tidy_outcome(outcome))
    comment.settled_at, comment.settled_by_id = clock.now(), actor.user_id
    messages.mention_is_answered(comment.id)
    db.session.flush()
    _record(verbs.COMMENT_SETTLED, actor, comment.checklist, comment)


def reopen(actor: Actor, comment_id: UUID) -> None:
    """Reopen a settled comment, which ends its outcome; anybody who can read it may."""
    comment = _locked(actor, comment_id)
    _require_still(policy.can_reopen(fact_of(comment)))
    encryption.erase_outcome(comment)
    comment.settled_at = comment.settled_by_id = None
    comment.reopened_at, comment.reopened_by_id = clock.now(), actor.user_id
    db.session.flush()
    _record(verbs.COMMENT_REOPENED, actor, comment.checklist, comment)


def mark_seen(actor: Actor, comment_id: UUID) -> None:
    """Record that the person has seen a comment that mentions them."""
    comment = _locked(actor, comment_id)
    waiting = [
        mention
        for mention in comment.mentions
        if mention.user_id == actor.user_id and mention.seen_at is None
    ]
    if not waiting:
        raise StaleError(_l("You aren't asked to look at this comment."))
    for mention in waiting:
        mention.seen_at = clock.now()
    messages.mention_is_answered(comment.id, [actor.user_id])
    db.session.flush()


def make_task(actor: Actor, comment_id: UUID, user_id: UUID | None, due_on: dt.date) -> CommentTask:
    """Make a task from a comment, for a person who may read it, by a day."""
    comment = _locked(actor, comment_id)
    policy.can_make_task(fact_of(comment), goes_on=goes_on(comment.checklist)).require()
    able = of_audience(writers(comment.checklist), comment.audience, comment.organisation_id)
    if user_id is None or user_id not in {person.user_id for person in able}:
        raise RuleBrokenError(_l("Choose a person who can read this comment."), PERSON)
    if due_on < clock.today():
        raise RuleBrokenError(_l("Choose today or a later day."), DUE_ON)
    task = CommentTask(
        id=uuid4(),
        comment_id=comment.id,
        user_id=user_id,
        made_by_id=actor.user_id,
        due_on=due_on,
        made_at=clock.now(),
    )
    db.session.add(task)
    db.session.flush()
    _record(verbs.COMMENT_TASK_MADE, actor, comment.checklist, comment)
    return task


def finish_task(actor: Actor, comment_id: UUID) -> None:
    """Mark the task of a comment as done: by the person who has it, or who made it."""
    comment = _locked(actor, comment_id)
    task = open_task(comment)
    if task is None:
        raise StaleError(_l("This comment has no open task."))
    policy.can_finish_task(actor, fact_of(comment)).require()
    task.done_at, task.done_by_id = clock.now(), actor.user_id
    messages.task_is_over(comment.id)
    db.session.flush()
    _record(verbs.COMMENT_TASK_DONE, actor, comment.checklist, comment)


def end_tasks(cooperation_id: UUID, user_ids: Collection[UUID]) -> None:
    """End the open tasks of people whose organisation has left; somebody else can get them."""
    tasks = db.session.scalars(
        sa.select(CommentTask)
        .join(Comment, Comment.id == CommentTask.comment_id)
        .join(Checklist, Checklist.id == Comment.checklist_id)
        .where(
            Checklist.cooperation_id == cooperation_id,
            CommentTask.user_id.in_(user_ids),
            CommentTask.done_at.is_(None),
            CommentTask.ended_at.is_(None),
        )
        .with_for_update(of=CommentTask)
    )
    for task in tasks:
        task.ended_at = clock.now()
        messages.task_is_over(task.comment_id)
    db.session.flush()


def tasks_due(day: dt.date) -> Sequence[UUID]:
    """Return the open tasks due by a day without a reminder so far; for the worker."""
    return db.session.scalars(
        sa.select(CommentTask.id).where(_is_due(day)).order_by(CommentTask.due_on, CommentTask.id)
    ).all()


def remind_of_task(task_id: UUID, day: dt.date) -> bool:
    """Send the one reminder of a due task to its person; return whether it was sent.

    People who can't read the comment any more are not reminded, and nobody is of what is about the
    text of a stopped visit. For the worker; skips a row that
    somebody else has locked.
    """
    task = db.session.scalar(
        sa.select(CommentTask)
        .where(CommentTask.id == task_id, _is_due(day))
        .options(joinedload(CommentTask.comment).joinedload(Comment.checklist))
        .with_for_update(of=CommentTask, skip_locked=True)
        .execution_options(populate_existing=True)
    )
    if task is None:
        return False
    task.reminded_at = clock.now()
    db.session.flush()
    comment = task.comment
    if not goes_on(comment.checklist):
        return False
    able = of_audience(writers(comment.checklist), comment.audience, comment.organisation_id)
    if task.user_id not in {person.user_id for person in able}:
        return False
    messages.task_is_due(comment.id, task.user_id)
    return True


def _is_due(day: dt.date) -> sa.ColumnElement[bool]:
    return sa.and_(
        CommentTask.due_on <= day,
        CommentTask.done_at.is_(None),
        CommentTask.ended_at.is_(None),
        CommentTask.reminded_at.is_(None),
    )


def _acting_for(actor: Actor) -> UUID:
    if actor.organisation_id is None:
        raise RefusedError(_l("You aren't acting for any organisation."))
    return actor.organisation_id


def _locked(actor: Actor, comment_id: UUID) -> Comment:
    """Lock and return a comment that the person may read."""
    comment = queries.locked(actor, comment_id)
    if comment is None:
        raise RefusedError(_l("That comment doesn't exist."))
    return comment


def _require_still(decision: Decision) -> None:
    """Refuse what somebody else has done in the meantime, which is not a matter of permission."""
    if not decision:
        raise StaleError(decision.reason)


def _tidy(text: str) -> str:
    tidied = text.strip()
    if not tidied:
        raise RuleBrokenError(_l("Write your comment."), TEXT)
    if len(tidied) > policy.TEXT_LENGTH:
        raise RuleBrokenError(
            _l("A comment can have at most %(most)s characters.", most=policy.TEXT_LENGTH), TEXT
        )
    return tidied


def _tidy_outcome(outcome: str) -> str:
    tidied = " ".join(outcome.split())
    if not tidied:
        raise RuleBrokenError(_l("Say in a sentence what came of it."), OUTCOME)
    if len(tidied) > policy.OUTCOME_LENGTH:
        raise RuleBrokenError(
            _l("An outcome can have at most %(most)s characters.", most=policy.OUTCOME_LENGTH),
            OUTCOME,
        )
    return tidied


def _require_item(checklist: Checklist, item: str | None) -> None:
    row = db.session.get_one(ChecklistTemplate, checklist.template_id)
    if item is not None and library.parsed(row).item(item) is None:
        raise RuleBrokenError(_l("That item doesn't exist."))


def _record(verb: Verb, actor: Actor, checklist: Checklist, comment: Comment, **more: str) -> None:
    """Record a comment to all parties in the trail, without its text; record nothing for others."""
    if comment.audience is CommentAudience.OWN:
        return
    if comment.item is not None:
        more["item"] = comment.item
    trail.record(
        verb,
        actor=actor,
        subject_type="comment",
        subject_id=comment.id,
        cooperation_id=checklist.cooperation_id,
        kind=checklist.kind.value,
        **more,
    )


def follow_leaving(event: DomainEvent) -> None:
    """Stop asking people who left a cooperation to read its comments.

    Handler of PERSON_LEFT, whose subject is the cooperation.
    """
    gone = cooperation_people.left_ids(event.subject_id)
    mentioning = (
        sa.select(CommentMention.comment_id)
        .join(Comment, Comment.id == CommentMention.comment_id)
        .join(Checklist, Checklist.id == Comment.checklist_id)
        .where(Checklist.cooperation_id == event.cooperation_id, CommentMention.user_id.in_(gone))
    )
    with_task = (
        sa.select(CommentTask.comment_id)
        .join(Comment, Comment.id == CommentTask.comment_id)
        .join(Checklist, Checklist.id == Comment.checklist_id)
        .where(Checklist.cooperation_id == event.cooperation_id)
    )
    about = db.session.scalars(sa.union(mentioning, with_task)).all()
    notifications.end_about(about, gone)
