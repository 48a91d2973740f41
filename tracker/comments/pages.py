"""View models for comment pages, and tasks from comments for My work."""

import datetime as dt
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _

from tracker.access.actor import Actor
from tracker.access.decision import Decision
from tracker.checklists import queries as checklists
from tracker.checklists.labels import KINDS
from tracker.checklists.models import Checklist
from tracker.comments import encryption, policy, queries
from tracker.comments.facts import CommentFact, fact_of
from tracker.comments.models import Comment, CommentAudience, CommentTask
from tracker.comments.queries import GivenTask, Mention
from tracker.cooperations.people import Person
from tracker.core import clock
from tracker.ui.locale import as_date, with_commas
from tracker.ui.tasks import OTHERS, YOURS, Task, Tasks, Waiting


@dataclass(frozen=True, slots=True)
class TaskView:
    """A task made from a comment: whose, by when, its status."""

    name: str
    due_on: dt.date
    state: object
    s: str
    may_finish: bool


@dataclass(frozen=True, slots=True)
class CommentView:
    """A comment as its thread shows it; for a withdrawn one, only author and time."""

    id: UUID
    name: str
    organisation: str
    when: dt.datetime
    own: bool
    text: str
    edited_at: dt.datetime | None
    settled_at: dt.datetime | None
    settled_by: str
    # What came of it; empty if it is open, or was settled before outcomes were asked for.
    outcome: str
    withdrawn_at: dt.datetime | None
    mentioned: tuple[str, ...]
    tasks: tuple[TaskView, ...]
    # The actions the person may take now.
    waits_to_be_seen: bool
    may_edit: bool
    may_withdraw: bool
    may_settle: bool
    may_reopen: bool
    may_make_task: bool


def views(actor: Actor, checklist: Checklist, comments: Iterable[Comment]) -> list[CommentView]:
    """Return comments that a scoped query found, as their thread shows them."""
    goes_on = checklists.goes_on(checklist)
    return [_view(actor, checklist, comment, goes_on) for comment in comments]


def view(actor: Actor, checklist: Checklist, comment: Comment) -> CommentView:
    """Return one comment as pages show it."""
    return _view(actor, checklist, comment, checklists.goes_on(checklist))


def _view(actor: Actor, checklist: Checklist, comment: Comment, goes_on: Decision) -> CommentView:
    fact = fact_of(comment)
    return CommentView(
        id=comment.id,
        name=comment.author.name,
        organisation=comment.organisation.name,
        when=comment.made_at,
        own=comment.audience is CommentAudience.OWN,
        text=encryption.text_of(checklist.cooperation_id, comment),
        edited_at=comment.edited_at,
        settled_at=comment.settled_at,
        settled_by=comment.settled_by.name if comment.settled_by else "",
        outcome=encryption.outcome_of(checklist.cooperation_id, comment),
        withdrawn_at=comment.withdrawn_at,
        mentioned=tuple(sorted(mention.user.name for mention in comment.mentions)),
        tasks=tuple(_task_view(actor, fact, task) for task in comment.tasks if not task.ended_at),
        waits_to_be_seen=any(
            mention.user_id == actor.user_id and mention.seen_at is None
            for mention in comment.mentions
        ),
        may_edit=bool(policy.can_edit(actor, fact, clock.now())),
        may_withdraw=bool(policy.can_withdraw(actor, fact)),
        may_settle=bool(policy.can_settle(fact)),
        may_reopen=bool(policy.can_reopen(fact)),
        may_make_task=bool(policy.can_make_task(fact, goes_on=goes_on)),
    )


def _task_view(actor: Actor, fact: CommentFact, task: CommentTask) -> TaskView:
    state, s = _task_state(task)
    return TaskView(
        name=task.user.name,
        due_on=task.due_on,
        state=state,
        s=s,
        may_finish=task.is_open and bool(policy.can_finish_task(actor, fact)),
    )


def _task_state(task: CommentTask) -> tuple[object, str]:
    if not task.is_open:
        return _("Done"), "done"
    return _until(task.due_on)


def _until(day: dt.date) -> tuple[object, str]:
    if day < clock.today():
        return _("Overdue since %(day)s", day=as_date(day)), "stop"
    return _("Due on %(day)s", day=as_date(day)), "wait"


def offered(people: Iterable[Person], *, without: UUID | None = None) -> list[tuple[str, str]]:
    """Return people as choices, each once, with the organisation they take part for."""
    audiences: dict[str, str] = {}
    for person in people:
        if person.user_id != without:
            audiences.setdefault(
                str(person.user_id), with_commas((person.name, person.organisation_name))
            )
    return list(audiences.items())


def thread_url(checklist_id: UUID, item: str | None, **more: Any) -> str:
    """Return the URL of the comments on an item, or on a checklist as a whole."""
    if item is None:
        return url_for("comments.on_checklist", checklist_id=checklist_id, **more)
    return url_for("comments.on_item", checklist_id=checklist_id, code=item, **more)


def my_tasks(actor: Actor) -> Tasks:
    """Return a person's tasks from comments. A source for My work."""
    waiting = queries.waiting(actor)
    mine: list[Waiting[Any]] = [
        Waiting(YOURS, mention, _mention_tasks) for mention in waiting.mentions
    ]
    mine += [
        Waiting(YOURS, task, _own_tasks, task.due_on)
        for task in waiting.tasks
        if task.user_id == actor.user_id
    ]
    others = [
        Waiting(OTHERS, task, _given_tasks, task.due_on)
        for task in waiting.tasks
        if task.user_id != actor.user_id
    ]
    return Tasks(mine=tuple(mine), others=tuple(others), is_cut=waiting.is_cut)


def _mention_tasks(shown: Sequence[Mention]) -> list[Task]:
    return [
        Task(
            _("Read a comment that mentions you"),
            _("Waiting for you"),
            YOURS,
            url_for("comments.show", comment_id=mention.comment_id),
            _where(mention),
        )
        for mention in shown
    ]


def _own_tasks(shown: Sequence[GivenTask]) -> list[Task]:
    return [
        Task(
            _("Task from a comment"),
            _until(task.due_on)[0],
            YOURS,
            url_for("comments.show", comment_id=task.comment_id),
            _where(task),
            due=task.due_on,
        )
        for task in shown
    ]


def _given_tasks(shown: Sequence[GivenTask]) -> list[Task]:
    return [
        Task(
            _("A task you made from a comment"),
            _("Waiting for %(names)s", names=task.name),
            OTHERS,
            url_for("comments.show", comment_id=task.comment_id),
            _where(task),
            due=task.due_on,
        )
        for task in shown
    ]


def _where(source: Mention | GivenTask) -> str:
    return str(_("%(title)s: %(kind)s", title=source.title, kind=KINDS[source.kind]))
