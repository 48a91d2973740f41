"""Tasks and groups of tasks as My work lists them, filled in by each feature."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from typing import Any, Generic, TypeVar
from uuid import UUID

from flask_babel import gettext as _

from tracker.core import clock
from tracker.ui.locale import as_date

Subject = TypeVar("Subject")

# Style marks (data-s) that mean: it is the reader's turn, or somebody else's.
YOURS = "wait"
OTHERS = "other"
# Nobody has to begin it, but the reader can.
TO_START = "todo"


@dataclass(frozen=True, slots=True)
class TaskHeading:
    """What tasks on My work are grouped by: usually a cooperation, with its reference."""

    key: str
    title: object = field(compare=False)
    url: str = field(default="", compare=False)
    reference: str = field(default="", compare=False)


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a task with a page of its own: "3 items to read"."""

    words: object
    url: str


@dataclass(frozen=True, slots=True)
class Task:
    """One task: a verb first, the reason below, its status with a style mark.

    s is a mark of components/status.html; "wait" means that it is the reader's turn. act is the
    short label of a button, if it differs from the label.
    """

    label: object
    state: object
    s: str
    url: str = ""
    why: object = ""
    due: dt.date | None = None
    act: object = ""
    parts: tuple[Part, ...] = ()
    # Where My work lists it; None: among what only the reader can do.
    under: TaskHeading | None = None


@dataclass(frozen=True, slots=True)
class Waiting(Generic[Subject]):
    """A pending task, found cheaply; tell() makes Tasks of the ones that are shown.

    tell is the same object for all that can be described together, so that a page needs one query
    for them.
    """

    s: str
    subject: Subject
    tell: Callable[[Sequence[Subject]], Iterable[Task]]
    due: dt.date | None = None
    under: TaskHeading | None = None
    # Whether it comes before what is due: the person's signatures.
    is_first: bool = False
    # The checklist that it is about, if days set for its items are this task's too.
    checklist_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class OwnVisit:
    """A visit open to the reader whose list names them; its days are of class K2."""

    id: UUID
    cooperation_id: UUID
    title: str
    number: int
    starts_on: dt.date
    days: str
    url: str
    # What is said in place of its days if its row doesn't agree with events.
    disagreement: object = ""


@dataclass(frozen=True, slots=True)
class DateAhead:
    """A coming date and what happens then; never the date of a visit for people not listed."""

    day: dt.date
    what: object
    url: str = ""
    # What is said instead of a day that can't be relied on.
    instead: object = ""


@dataclass(frozen=True, slots=True)
class Tasks:
    """A person's own tasks, those of others, and dates ahead.

    is_cut: there is more than is looked through at a time.
    """

    mine: tuple[Task | Waiting[Any], ...] = ()
    others: tuple[Task | Waiting[Any], ...] = ()
    dates: tuple[DateAhead, ...] = ()
    visits: tuple[OwnVisit, ...] = ()
    # The first days that are set for items of checklists.
    days: Mapping[UUID, dt.date] = field(default_factory=dict)
    is_cut: bool = False


def together(parts: Iterable[Tasks]) -> Tasks:
    """Join the tasks of several features: those with a due date first, dates in order.

    The reader's begin with what only they can do; the rest is in groups, those due first.
    """
    tasks = list(parts)
    days = {checklist_id: day for part in tasks for checklist_id, day in part.days.items()}
    return Tasks(
        mine=tuple(_grouped([_dated(task, days) for part in tasks for task in part.mine])),
        others=tuple(sorted((task for part in tasks for task in part.others), key=_by_due)),
        dates=tuple(
            sorted((date for part in tasks for date in part.dates), key=lambda day: day.day)
        ),
        visits=tuple(
            sorted(
                (visit for part in tasks for visit in part.visits),
                key=lambda visit: (visit.starts_on, visit.title, visit.number),
            )
        ),
        days=days,
        is_cut=any(part.is_cut for part in tasks),
    )


def _by_due(task: Task | Waiting[Any]) -> dt.date:
    return task.due or dt.date.max


def _dated(task: Task | Waiting[Any], days: Mapping[UUID, dt.date]) -> Task | Waiting[Any]:
    """Return a task on a checklist with the first day that is set for one of its items."""
    if not isinstance(task, Waiting) or task.checklist_id is None:
        return task
    return replace(task, due=days.get(task.checklist_id, task.due))


def _grouped(tasks: Iterable[Task | Waiting[Any]]) -> list[Task | Waiting[Any]]:
    """Return tasks by group, first those of no group."""
    groups: dict[TaskHeading | None, list[Task | Waiting[Any]]] = {}
    for task in tasks:
        groups.setdefault(task.under, []).append(task)
    own = sorted(groups.pop(None, []), key=_own_first)
    in_order = sorted(groups.values(), key=lambda group: min(map(_by_due, group)))
    return own + [task for group in in_order for task in sorted(group, key=_by_due)]


def _own_first(task: Task | Waiting[Any]) -> tuple[bool, dt.date]:
    return not (isinstance(task, Waiting) and task.is_first), _by_due(task)


def by_heading(tasks: Iterable[Task]) -> list[tuple[TaskHeading | None, list[Task]]]:
    """Return tasks that are in order by group, each with its heading."""
    return [(heading, list(group)) for heading, group in groupby(tasks, lambda task: task.under)]


def written_out(some: Sequence[Task | Waiting[Any]]) -> list[Task]:
    """Return some pending tasks as Tasks, in order."""
    subjects: dict[Callable[..., Iterable[Task]], list[Any]] = {}
    for task in some:
        if isinstance(task, Waiting):
            subjects.setdefault(task.tell, []).append(task.subject)
    tasks_by_writer = {tell: iter(list(tell(of))) for tell, of in subjects.items()}
    return [
        _under(waiting, next(tasks_by_writer[waiting.tell]))
        if isinstance(waiting, Waiting)
        else waiting
        for waiting in some
    ]


def _under(waiting: Waiting[Any], task: Task) -> Task:
    """Return a written task under its heading, and with the day that is set for its items."""
    if waiting.checklist_id is not None and waiting.due is not None:
        return replace(task, under=waiting.under, due=waiting.due, state=due_words(waiting.due))
    return replace(task, under=waiting.under)


def due_words(day: dt.date) -> str:
    """Return until when something is to be done, or since when it is overdue."""
    if day < clock.today():
        return str(_("Overdue since %(day)s", day=as_date(day)))
    return str(_("Due on %(day)s", day=as_date(day)))


@dataclass(frozen=True, slots=True)
class TaskGroup:
    """Tasks of a cooperation that belong together."""

    key: str
    title: object
    tasks: tuple[Task, ...]
