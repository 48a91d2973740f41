"""Tasks and groups of tasks as My work lists them, filled in by each feature."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Subject = TypeVar("Subject")

# Style marks (data-s) that mean: it is the reader's turn, or somebody else's.
YOURS = "wait"
OTHERS = "other"


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
    is_cut: bool = False


def together(parts: Iterable[Tasks]) -> Tasks:
    """Join the tasks of several features: those with a due date first, dates in order."""
    tasks = list(parts)

    def by_due(task: Task | Waiting[Any]) -> dt.date:
        return task.due or dt.date.max

    return Tasks(
        mine=tuple(sorted((task for part in tasks for task in part.mine), key=by_due)),
        others=tuple(sorted((task for part in tasks for task in part.others), key=by_due)),
        dates=tuple(
            sorted((date for part in tasks for date in part.dates), key=lambda day: day.day)
        ),
        is_cut=any(part.is_cut for part in tasks),
    )


def written_out(some: Sequence[Task | Waiting[Any]]) -> list[Task]:
    """Return some pending tasks as Tasks, in order."""
    subjects: dict[Callable[..., Iterable[Task]], list[Any]] = {}
    for task in some:
        if isinstance(task, Waiting):
            subjects.setdefault(task.tell, []).append(task.subject)
    tasks_by_writer = {tell: iter(list(tell(of))) for tell, of in subjects.items()}
    return [
        next(tasks_by_writer[waiting.tell]) if isinstance(waiting, Waiting) else waiting
        for waiting in some
    ]


@dataclass(frozen=True, slots=True)
class TaskGroup:
    """Tasks of a cooperation that belong together."""

    key: str
    title: object
    tasks: tuple[Task, ...]
