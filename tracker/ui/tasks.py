"""Tasks and groups of tasks as My work lists them, filled in by each feature."""

import datetime as dt
from collections.abc import Iterable
from dataclasses import dataclass

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
class DateAhead:
    """A day to come and what is on it; never the date of a visit for those not listed."""

    day: dt.date
    what: object
    url: str = ""


@dataclass(frozen=True, slots=True)
class Tasks:
    """What waits for a person, what waits for others, and dates ahead."""

    mine: tuple[Task, ...] = ()
    others: tuple[Task, ...] = ()
    dates: tuple[DateAhead, ...] = ()


def together(parts: Iterable[Tasks]) -> Tasks:
    """Join what several parts tell: work with a due date first, dates in order."""
    found = list(parts)

    def by_due(task: Task) -> dt.date:
        return task.due or dt.date.max

    return Tasks(
        mine=tuple(sorted((task for part in found for task in part.mine), key=by_due)),
        others=tuple(sorted((task for part in found for task in part.others), key=by_due)),
        dates=tuple(sorted((one for part in found for one in part.dates), key=lambda one: one.day)),
    )


@dataclass(frozen=True, slots=True)
class TaskGroup:
    """Work of a cooperation that belongs together."""

    key: str
    title: object
    tasks: tuple[Task, ...]
