"""Tasks and groups of tasks as My work lists them, filled in by each feature."""

import datetime as dt
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

Subject = TypeVar("Subject")

# Marks of a state (data-s) that mean: it is the reader's turn, or another's.
YOURS = "wait"
OTHERS = "other"


@dataclass(frozen=True, slots=True)
class Task:
    """One piece of work: a verb first, why below, the state in words with its mark.

    s is a mark of components/status.html; "wait" means that it waits for the reader. act is the
    short label of a button, where it differs from the label.
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
    """That something waits, found cheaply; tell() makes tasks of some, when they are shown.

    tell is the same object for all that can be told together, so that a page asks once for what
    its tasks say.
    """

    s: str
    subject: Subject
    tell: Callable[[Sequence[Subject]], Iterable[Task]]
    due: dt.date | None = None


@dataclass(frozen=True, slots=True)
class DateAhead:
    """A day to come and what is on it; never the date of a visit for those not listed."""

    day: dt.date
    what: object
    url: str = ""


@dataclass(frozen=True, slots=True)
class Tasks:
    """What waits for a person, what waits for others, and dates ahead.

    is_cut: there is more than is looked through at a time.
    """

    mine: tuple[Task | Waiting[Any], ...] = ()
    others: tuple[Task | Waiting[Any], ...] = ()
    dates: tuple[DateAhead, ...] = ()
    is_cut: bool = False


def together(parts: Iterable[Tasks]) -> Tasks:
    """Join what several parts tell: work with a due date first, dates in order."""
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


def told(some: Sequence[Task | Waiting[Any]]) -> list[Task]:
    """Return some tasks in words, in their order."""
    subjects: dict[Callable[..., Iterable[Task]], list[Any]] = {}
    for task in some:
        if isinstance(task, Waiting):
            subjects.setdefault(task.tell, []).append(task.subject)
    told_tasks = {tell: iter(list(tell(of))) for tell, of in subjects.items()}
    return [
        next(told_tasks[waiting.tell]) if isinstance(waiting, Waiting) else waiting
        for waiting in some
    ]


@dataclass(frozen=True, slots=True)
class TaskGroup:
    """Work of a cooperation that belongs together."""

    key: str
    title: object
    tasks: tuple[Task, ...]
