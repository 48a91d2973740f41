"""View models of assignments on the reader's own side."""

import datetime as dt
from dataclasses import dataclass

from tracker.access.actor import Actor
from tracker.checklist_templates.conditions import Truth
from tracker.checklist_templates.schema import Item
from tracker.checklists import policy
from tracker.checklists.assignments.service import Assigned, assignable, token_of
from tracker.checklists.labels import work_of
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.rules import completeness
from tracker.checklists.rules.completeness import ItemStatus
from tracker.checklists.rules.facts import Holding
from tracker.core import clock


@dataclass(frozen=True, slots=True)
class AssignedView:
    """Who has an item, until when, and what the person who looks may do about it now."""

    # Empty where nobody has it.
    name: str
    is_mine: bool
    # Whether it is assigned to somebody who can no longer work on the checklist.
    is_adrift: bool
    due_on: dt.date | None
    is_overdue: bool
    # Whether the reader's side has something left to do on it.
    is_left: bool
    seen: str
    may_assign: bool
    may_take: bool
    may_give_back: bool

    @property
    def is_unclaimed(self) -> bool:
        """Whether it is unassigned although something is left to do."""
        return self.is_left and not self.name


def view_of(
    assigned: Assigned,
    loaded: LoadedChecklist,
    actor: Actor,
    item: Item,
    item_status: ItemStatus | None,
) -> AssignedView:
    """Return what the person's side assigned on an item; item_status is its status, if known."""
    holding = assigned.holdings.get(item.code)
    is_left = item_status is not None and completeness.is_left_to(
        assigned.organisation_id, item, item_status, loaded.surroundings
    )
    may_be = (
        item_status is not None
        and item_status.shown is not Truth.FALSE
        and bool(assignable(loaded, item, assigned.organisation_id, item_status))
    )
    party = loaded.own_party(actor)
    held_by = holding.user_id if holding else None
    may_give_back = holding is not None and bool(
        policy.can_give_back(actor, party, holding.user_id)
    )
    may_assign = bool(policy.can_assign(actor, party))
    return AssignedView(
        name=assigned.names[holding.user_id] if holding else "",
        is_mine=held_by == actor.user_id,
        is_adrift=holding is not None and assigned.is_free(item.code),
        due_on=holding.due_on if holding else None,
        is_overdue=is_left and _is_past(holding),
        is_left=is_left,
        seen=token_of(actor, loaded.checklist, assigned.seen(item.code)) if may_give_back else "",
        may_assign=may_be and may_assign,
        may_take=may_be
        and not may_assign
        and bool(policy.can_take(actor, party, held_by, assigned.able)),
        may_give_back=may_give_back,
    )


def _is_past(holding: Holding | None) -> bool:
    return holding is not None and holding.due_on is not None and holding.due_on < clock.today()


# The page of assignments ------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Line:
    """An item on the page of assignments."""

    code: str
    label: str
    state: object
    s: str
    assigned: AssignedView


@dataclass(frozen=True, slots=True)
class Part:
    """A section on the page of assignments, with the items that the reader's side works on."""

    key: str
    title: str
    lines: tuple[Line, ...]

    @property
    def is_assignable(self) -> bool:
        """Whether the reader can assign any of its items now."""
        return any(line.assigned.may_assign for line in self.lines)


def parts_of(assigned: Assigned, loaded: LoadedChecklist, actor: Actor) -> list[Part]:
    """Return the sections with the items that the reader's side works on or has assigned."""
    standing = loaded.standing()
    fields = []
    for section in loaded.template.sections:
        lines = []
        for item in section.items:
            status = standing.items.get(item.code)
            if item.code in assigned.holdings or _is_ours(assigned, loaded, item, status):
                state, s = work_of(status, assigned.organisation_id)
                view = view_of(assigned, loaded, actor, item, status)
                lines.append(Line(item.code, item.label, state, s, view))
        if lines:
            fields.append(Part(section.key, section.title, tuple(lines)))
    return fields


def _is_ours(
    assigned: Assigned, loaded: LoadedChecklist, item: Item, item_status: ItemStatus | None
) -> bool:
    applies = item_status is not None and item_status.shown is not Truth.FALSE
    return applies and completeness.concerns(assigned.organisation_id, item, loaded.surroundings)
