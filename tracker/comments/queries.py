"""Queries for comments, scoped to the actor: threads, tasks, counts beside items."""

import datetime as dt
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload
from sqlalchemy.orm.interfaces import ORMOption

from tracker.access.actor import Actor
from tracker.access.conditions import built_for_all
from tracker.accounts.models import User
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.beside import CommentLine, Thread, Threads
from tracker.checklists.heads import writes_on
from tracker.checklists.models import Checklist, ChecklistParty
from tracker.checklists.queries import is_going_on, is_worked_on
from tracker.comments import encryption
from tracker.comments.models import Comment, CommentAudience, CommentMention, CommentTask
from tracker.comments.scope import visible
from tracker.cooperations.models import Cooperation
from tracker.core.db import db, load_joined
from tracker.organisations.models import Organisation

BESIDE = 3
MANY = 100


@dataclass(frozen=True, slots=True)
class Mention:
    """A comment that mentions a person, and its place: cooperation, checklist and item."""

    comment_id: UUID
    title: str
    kind: ChecklistKind
    item: str | None


@dataclass(frozen=True, slots=True)
class GivenTask:
    """An open task from a comment: whose it is, until when, and the place of the comment."""

    id: UUID
    comment_id: UUID
    user_id: UUID
    name: str
    due_on: dt.date
    title: str
    kind: ChecklistKind
    item: str | None


@dataclass(frozen=True, slots=True)
class Waiting:
    """A person's pending mentions, and the open tasks they have or made.

    is_cut: there is more than is read at a time.
    """

    mentions: tuple[Mention, ...]
    tasks: tuple[GivenTask, ...]
    is_cut: bool = False


def find_checklist(actor: Actor, checklist_id: UUID) -> Checklist | None:
    """Return a checklist whose comments the person can read, or None."""
    return db.session.scalar(
        sa.select(Checklist)
        .where(Checklist.id == checklist_id, is_worked_on(actor))
        .options(joinedload(Checklist.template))
    )


def parties(checklist: Checklist) -> list[Organisation]:
    """Return the parties of a checklist that was found in scope, in order."""
    return list(
        db.session.scalars(
            sa.select(Organisation)
            .join(ChecklistParty, ChecklistParty.organisation_id == Organisation.id)
            .where(ChecklistParty.checklist_id == checklist.id)
            .order_by(ChecklistParty.position)
        )
    )


def find(actor: Actor, comment_id: UUID) -> Comment | None:
    """Return a comment that the person may read, including withdrawn ones, or None."""
    return db.session.scalar(_by_id(actor, comment_id))


def locked(actor: Actor, comment_id: UUID) -> Comment | None:
    """Lock and return a comment that the person may read, or None."""
    return db.session.scalar(
        _by_id(actor, comment_id)
        .with_for_update(of=Comment)
        .execution_options(populate_existing=True)
    )


def _by_id(actor: Actor, comment_id: UUID) -> sa.Select[Comment]:
    return (
        sa.select(Comment)
        .where(Comment.id == comment_id, visible(actor))
        .options(joinedload(Comment.checklist).joinedload(Checklist.template), *_whole())
    )


def _whole() -> tuple[ORMOption, ...]:
    """Return the loader options for a page of comments."""
    return (
        load_joined(Comment.author, User.name),
        load_joined(Comment.organisation, Organisation.name),
        load_joined(Comment.settled_by, User.name),
        selectinload(Comment.mentions).options(load_joined(CommentMention.user, User.name)),
        selectinload(Comment.tasks).options(load_joined(CommentTask.user, User.name)),
    )


def thread(
    actor: Actor, checklist: Checklist, item: str | None, *, state: str, offset: int, limit: int
) -> tuple[dict[str, int], list[Comment]]:
    """Return the number of comments for each filter, and one page of them in order of time."""
    within = _thread(actor, checklist.id, item)
    is_settled = Comment.settled_at.is_not(None)
    stands = Comment.withdrawn_at.is_(None)
    total, open_, settled = db.session.execute(
        sa.select(
            sa.func.count(),
            sa.func.count().filter(stands, ~is_settled),
            sa.func.count().filter(stands, is_settled),
        )
        .select_from(Comment)
        .where(within)
    ).one()
    condition = {
        "open": sa.and_(stands, ~is_settled),
        "settled": sa.and_(stands, is_settled),
    }.get(state, sa.true())
    rows = db.session.scalars(
        sa.select(Comment)
        .where(within, condition)
        .order_by(Comment.made_at, Comment.id)
        .offset(offset)
        .limit(limit)
        .options(*_whole())
    )
    return {"": total, "open": open_, "settled": settled}, list(rows)


def number_before(actor: Actor, comment: Comment) -> int:
    """Return how many comments of its thread the person can read before this one."""
    earlier = sa.or_(
        Comment.made_at < comment.made_at,
        sa.and_(Comment.made_at == comment.made_at, Comment.id < comment.id),
    )
    within = _thread(actor, comment.checklist_id, comment.item)
    query = sa.select(sa.func.count()).select_from(Comment).where(within, earlier)
    return db.session.scalar(query) or 0


def last_audience(actor: Actor, checklist: Checklist, item: str | None) -> CommentAudience | None:
    """Return the audience of the person's last comment on an item."""
    return db.session.scalar(
        sa.select(Comment.audience)
        .where(
            _thread(actor, checklist.id, item),
            Comment.author_id == actor.user_id,
            Comment.organisation_id == actor.organisation_id,
        )
        .order_by(Comment.made_at.desc(), Comment.id.desc())
        .limit(1)
    )


def _thread(actor: Actor, checklist_id: UUID, item: str | None) -> sa.ColumnElement[bool]:
    where = Comment.item.is_(None) if item is None else Comment.item == item
    return sa.and_(Comment.checklist_id == checklist_id, where, visible(actor))


def beside(actor: Actor, checklist: Checklist) -> Threads | None:
    """Return for each item the number of readable comments, and the last few, in one query.

    The last few of the open ones, and as many of the settled ones.

    None for somebody who can't read comments on this checklist. A reader for checklists.
    """
    if not writes_on(actor, checklist):
        return None
    newest_first = (Comment.made_at.desc(), Comment.id.desc())
    read = (
        sa.select(
            Comment.id,
            sa.func.row_number()
            .over(partition_by=(Comment.item, Comment.settled_at.is_(None)), order_by=newest_first)
            .label("place"),
            sa.func.count().over(partition_by=Comment.item).label("count"),
        )
        .where(Comment.checklist_id == checklist.id, Comment.withdrawn_at.is_(None), visible(actor))
        .subquery()
    )
    rows = db.session.execute(
        sa.select(Comment, read.c.count)
        .join(read, read.c.id == Comment.id)
        .where(read.c.place <= BESIDE)
        .order_by(Comment.made_at, Comment.id)
        .options(
            load_joined(Comment.author, User.name),
            load_joined(Comment.organisation, Organisation.name),
        )
    )
    counts: dict[str, int] = {}
    last: dict[str, list[CommentLine]] = {}
    for row, count in rows:
        counts[row.item or ""] = count
        last.setdefault(row.item or "", []).append(
            CommentLine(
                name=row.author.name,
                organisation=row.organisation.name,
                when=row.made_at,
                own=row.audience is CommentAudience.OWN,
                text=encryption.text_of(checklist.cooperation_id, row),
                is_settled=row.settled_at is not None,
                outcome=encryption.outcome_of(checklist.cooperation_id, row),
            )
        )
    return Threads({item: Thread(count, tuple(last[item])) for item, count in counts.items()})


def addressed_to(checklist_id: UUID, user_ids: Collection[UUID]) -> frozenset[str]:
    """Return the items with a comment that is not settled and addressed to one of these people.

    That is a comment that mentions them, or asks them to do something by a day.
    """
    mentioned = sa.exists().where(
        CommentMention.comment_id == Comment.id, CommentMention.user_id.in_(user_ids)
    )
    asked_to_act = sa.exists().where(
        CommentTask.comment_id == Comment.id,
        CommentTask.user_id.in_(user_ids),
        CommentTask.done_at.is_(None),
        CommentTask.ended_at.is_(None),
    )
    codes = db.session.scalars(
        sa.select(Comment.item)
        .where(
            Comment.checklist_id == checklist_id,
            Comment.item.is_not(None),
            Comment.settled_at.is_(None),
            Comment.withdrawn_at.is_(None),
            mentioned | asked_to_act,
        )
        .distinct()
    )
    return frozenset(code for code in codes if code)


# What stays the same for every reader is built once.
_MOST: sa.BindParameter[int] = sa.bindparam("most", type_=sa.Integer())
_MENTIONS = (
    sa.select(Comment.id, Cooperation.title, Checklist.kind, Comment.item)
    .join(CommentMention, CommentMention.comment_id == Comment.id)
    .join(Comment.checklist)
    .join(Cooperation, Cooperation.id == Checklist.cooperation_id)
    .where(CommentMention.seen_at.is_(None), Comment.withdrawn_at.is_(None))
    .order_by(CommentMention.mentioned_at, CommentMention.comment_id)
)
_TASKS = (
    sa.select(
        CommentTask.id,
        CommentTask.comment_id,
        CommentTask.user_id,
        User.name,
        CommentTask.due_on,
        Cooperation.title,
        Checklist.kind,
        Comment.item,
    )
    .join(CommentTask.comment)
    .join(CommentTask.user)
    .join(Comment.checklist)
    .join(Cooperation, Cooperation.id == Checklist.cooperation_id)
    .where(CommentTask.done_at.is_(None), CommentTask.ended_at.is_(None))
    .order_by(CommentTask.due_on, CommentTask.id)
)


def waiting(actor: Actor) -> Waiting:
    """Return what is pending from comments for a person, or for those they gave a task.

    The first MANY mentions, tasks they have and tasks they gave, each in the order of an index.
    """
    query, reader = _mentions(actor)
    mentions = db.session.execute(query, {"most": MANY, **reader}).all()
    of_tasks, reader = _own_and_given_tasks(actor)
    rows = db.session.execute(of_tasks, {"most": MANY, **reader})
    tasks = sorted((GivenTask(*row) for row in rows), key=_by_day)
    return Waiting(
        mentions=tuple(Mention(*row) for row in mentions),
        tasks=tuple(tasks),
        is_cut=len(mentions) == MANY or len(tasks) >= MANY,
    )


@built_for_all
def _mentions(actor: Actor) -> sa.Select[*tuple[Any, ...]]:
    return _MENTIONS.where(CommentMention.user_id == actor.user_id, visible(actor)).limit(_MOST)


@built_for_all
def _own_and_given_tasks(actor: Actor) -> sa.CompoundSelect[Any]:
    own = _first_tasks(actor, CommentTask.user_id == actor.user_id).subquery()
    given = _first_tasks(
        actor, CommentTask.made_by_id == actor.user_id, CommentTask.user_id != actor.user_id
    ).subquery()
    return sa.union_all(sa.select(own), sa.select(given))


def _by_day(task: GivenTask) -> tuple[object, ...]:
    return task.due_on, task.id


def _first_tasks(actor: Actor, *conditions: sa.ColumnElement[bool]) -> sa.Select[*tuple[Any, ...]]:
    return _TASKS.where(*conditions, visible(actor), is_going_on()).limit(_MOST)
