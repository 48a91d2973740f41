"""The registry of task sources for My work, which app fills."""

from collections.abc import Callable, Mapping, Sequence

from tracker.access.actor import Actor
from tracker.cooperations.models import Cooperation
from tracker.core.services import Slot
from tracker.lifecycle.policy import Facts, Gate
from tracker.ui.tasks import Task, Tasks, together

# Returns a person's tasks in all their cooperations, in a fixed number of queries.
Source = Callable[[Actor], Tasks]
# Returns a cooperation's tasks for its page: group (terms, confidentiality, visits, review) ->
# tasks.
GroupSource = Callable[[Actor, Cooperation, Facts, Sequence[Gate]], Mapping[str, Sequence[Task]]]


# The sources of tasks, in the order in which they are shown.
SOURCES: Slot[tuple[Source, ...]] = Slot("task_sources", ())
GROUP_SOURCES: Slot[tuple[GroupSource, ...]] = Slot("group_sources", ())


def of_person(actor: Actor) -> Tasks:
    """Return all tasks of a person and of others, and the dates ahead."""
    return together(source(actor) for source in SOURCES.get())


def of_cooperation(
    actor: Actor, cooperation: Cooperation, facts: Facts, gates: Sequence[Gate]
) -> dict[str, list[Task]]:
    """Return a cooperation's tasks from all features, by group."""
    by_group: dict[str, list[Task]] = {}
    for source in GROUP_SOURCES.get():
        for key, tasks in source(actor, cooperation, facts, gates).items():
            by_group.setdefault(key, []).extend(tasks)
    return by_group
