"""Who may do what with a comment that they may read. Pure."""

import datetime as dt

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.access.decision import YES, Decision, no
from tracker.comments.facts import CommentFact

TEXT_LENGTH = 4000
# One sentence.
OUTCOME_LENGTH = 300
EDITED_WITHIN = dt.timedelta(minutes=15)


def can_write(*, reads: bool) -> Decision:
    """Decide who may comment: people who write for a party and may open the checklist.

    reads is the result of the scope for this checklist (checklists.queries.works_on).
    """
    if not reads:
        return no(_l("Comments are for people who work on this checklist for one of its parties."))
    return YES


def can_edit(actor: Actor, comment: CommentFact, now: dt.datetime) -> Decision:
    """Decide who may edit a comment: its author, for a short time."""
    own = _is_author(actor, comment)
    if not own:
        return own
    if now - comment.made_at > EDITED_WITHIN:
        return no(_l("You can edit a comment for 15 minutes. Withdraw it, or write another one."))
    return YES


def can_withdraw(actor: Actor, comment: CommentFact) -> Decision:
    """Decide who may withdraw a comment: its author, at any time."""
    return _is_author(actor, comment)


def can_settle(comment: CommentFact) -> Decision:
    """Decide who may settle a comment: anybody who can read it."""
    if comment.is_withdrawn:
        return _withdrawn()
    if comment.is_settled:
        return no(_l("This comment has already been settled."))
    return YES


def can_reopen(comment: CommentFact) -> Decision:
    """Decide who may reopen a settled comment: anybody who can read it."""
    if comment.is_withdrawn:
        return _withdrawn()
    if not comment.is_settled:
        return no(_l("This comment is already open."))
    return YES


def can_make_task(comment: CommentFact, *, goes_on: Decision) -> Decision:
    """Decide who may make a task from a comment: anybody who can read it, one at a time.

    goes_on says whether the text that it is about can still be acted on.
    """
    if comment.is_withdrawn:
        return _withdrawn()
    if not goes_on:
        return goes_on
    if comment.task is not None:
        return no(_l("This comment already has a task. Finish that one first."))
    return YES


def can_finish_task(actor: Actor, comment: CommentFact) -> Decision:
    """Decide who may mark a task as done: the person who has it, or who made it."""
    if comment.task is None:
        return no(_l("This comment has no open task."))
    if actor.user_id not in {comment.task.user_id, comment.task.made_by_id}:
        return no(_l("Only the person with the task, or the one who made it, can mark it as done."))
    return YES


def _is_author(actor: Actor, comment: CommentFact) -> Decision:
    if comment.is_withdrawn:
        return _withdrawn()
    if actor.user_id != comment.author_id:
        return no(_l("Only the person who wrote a comment can edit or withdraw it."))
    if actor.organisation_id != comment.organisation_id:
        return no(_l("You wrote this for another organisation. Act for that one to change it."))
    return YES


def _withdrawn() -> Decision:
    return no(_l("This comment was withdrawn."))
