"""The registry of task sources for My work, which app fills."""

from collections.abc import Callable, Mapping, Sequence

from tracker.access.actor import Actor
from tracker.cooperations.models import Cooperation
from tracker.lifecycle.policy import Facts, Gate
from tracker.ui.tasks import Task, Tasks, together

# What waits for a person in all their cooperations, in a fixed number of queries.
Source = Callable[[Actor], Tasks]
# A cooperation's work for its page: group key (terms, confidentiality, visits, review) -> tasks.
GroupSource = Callable[[Actor, Cooperation, Facts, Sequence[Gate]], Mapping[str, Sequence[Task]]]


class _Sources:
    of_person: tuple[Source, ...] = ()
    of_cooperation: tuple[GroupSource, ...] = ()


_sources = _Sources()


def use_sources(of_person: Sequence[Source], of_cooperation: Sequence[GroupSource]) -> None:
    """Set who tells what waits, in the order in which it is shown."""
    _sources.of_person = tuple(of_person)
    _sources.of_cooperation = tuple(of_cooperation)


def of_person(actor: Actor) -> Tasks:
    """Return all that waits for a person and for others, and the dates ahead."""
    return together(source(actor) for source in _sources.of_person)


def of_cooperation(
    actor: Actor, cooperation: Cooperation, facts: Facts, gates: Sequence[Gate]
) -> dict[str, list[Task]]:
    """Return what the parts tell of a cooperation's work, by group."""
    found: dict[str, list[Task]] = {}
    for source in _sources.of_cooperation:
        for key, tasks in source(actor, cooperation, facts, gates).items():
            found.setdefault(key, []).extend(tasks)
    return found
