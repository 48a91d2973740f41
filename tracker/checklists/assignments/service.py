"""Assignment of items to people on the actor's own side: changes, queries and reminders.

Assignments concern one side only: they leave no event, and other sides, auditors and administrators
see nothing of them (docs/adr/0020). Whether something is left to do is derived from the item. An
item of a person who can't work on the checklist any more counts as unassigned; that is checked when
it is read, and no row changes. In one file: changes, lists and reminders determine who has an item
in the same way.
"""

import datetime as dt
from collections.abc import Collection, Container, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l
from sqlalchemy.orm import joinedload

from tracker.access import page_tokens
from tracker.access.actor import Actor
from tracker.access.conditions import built_for_all
from tracker.access.decision import Decision
from tracker.accounts.models import Membership, User
from tracker.accounts.queries import runs_on as held_on
from tracker.activity.stale import Stale, mark
from tracker.checklist_templates.conditions import Truth
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklist_templates.schema import Item
from tracker.checklists import (
    encryption,
    messages,
    policy,
    service,
)
from tracker.checklists.heads import writes_on
from tracker.checklists.loading import LoadedChecklist, load, load_all, load_for_update
from tracker.checklists.models import Assignment, Checklist, ChecklistState
from tracker.checklists.queries import is_going_on, is_worked_on, writers, writers_of
from tracker.checklists.rules import completeness
from tracker.checklists.rules.completeness import ChecklistStatus, ItemStatus
from tracker.checklists.rules.facts import Holding, seen_of
from tracker.checklists.service import own_organisation
from tracker.cooperations.models import Cooperation, CooperationPerson, Stage
from tracker.cooperations.scope import is_party_or_joining, runs_on
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError, StaleError

PERSON, DUE_ON, SECTION = "person", "due_on", "section"
# Stages of a cooperation in which nobody has anything to do.
AT_REST = (Stage.SUSPENDED, Stage.CLOSED)
# How many assigned items My work reads at a time.
MANY = 100
# A checklist, a side of it, and a person.
WorkerKey = tuple[UUID, UUID, UUID]
# The mark of an item, or a checklist, that had no assignments when it was read.
NOTHING_HELD = seen_of({})
_SHOWN = "assignments"


@dataclass(frozen=True, slots=True)
class Assigned:
    """The assignments of a checklist on one side, as that side reads them."""

    organisation_id: UUID
    holdings: Mapping[str, Holding]
    names: Mapping[UUID, str]
    # The people of the side who can work on the checklist today.
    able: Mapping[UUID, str]

    def is_free(self, item: str) -> bool:
        """Return whether an item is unassigned, or its person can't work on it any more."""
        holding = self.holdings.get(item)
        return holding is None or holding.user_id not in self.able

    def seen(self, item: str | None = None) -> str:
        """Return a mark of the assignments of an item, or of all items, for a form to send back."""
        return seen_of(
            {
                code: holding
                for code, holding in self.holdings.items()
                if item is None or code == item
            }
        )


def token_of(actor: Actor, checklist: Checklist, seen: str) -> str:
    """Return the token of a page that shows assignments of a checklist, by their mark."""
    return page_tokens.token_of(actor, f"{_SHOWN}-{checklist.id}", seen)


def seen_in(actor: Actor, checklist: Checklist, token: str | None) -> str:
    """Return the mark of the assignments that the person's page showed; empty if not known."""
    return page_tokens.digest_in(actor, f"{_SHOWN}-{checklist.id}", token)


def of_side(actor: Actor, checklist: Checklist) -> Assigned | None:
    """Return the assignments of the person's side on a checklist; None if they don't work on it."""
    if actor.organisation_id is None or not writes_on(actor, checklist):
        return None
    return _assigned(checklist, actor.organisation_id)


def _assigned(checklist: Checklist, organisation_id: UUID) -> Assigned:
    rows = _rows(checklist, organisation_id)
    return Assigned(
        organisation_id,
        holdings={row.item: Holding(row.assignee_id, row.due_on) for row in rows},
        names={row.assignee_id: row.assignee.name for row in rows},
        able={
            person.user_id: person.name
            for person in writers(checklist)
            if person.organisation_id == organisation_id
        },
    )


def assignable(
    loaded: LoadedChecklist,
    item: Item,
    organisation_id: UUID,
    item_status: ItemStatus | None = None,
) -> Decision:
    """Decide whether an item can be assigned now on the side of an organisation.

    item_status is its status, if known.
    """
    item_status = item_status or completeness.item_standing(item, loaded.sheet, loaded.surroundings)
    return policy.is_assignable(
        loaded.checklist.state,
        loaded.checklist.open_items,
        item,
        concerns_us=completeness.concerns(organisation_id, item, loaded.surroundings),
        holds_up=item_status.holds_up,
        goes_on=loaded.goes_on(),
    )


def assign(
    actor: Actor,
    checklist: Checklist,
    item_code: str,
    *,
    to: UUID | None,
    due_on: dt.date | None = None,
    seen: str,
) -> None:
    """Assign or reassign an item to a person on the actor's side, with or without a due date.

    seen is the mark of what the person saw (Assigned.seen): raise StaleError if the assignment has
    changed since. Raise RuleBrokenError for a person who can't work on it, or a day in the past.
    """
    loaded = load_for_update(checklist)
    item = loaded.item(item_code)
    policy.can_assign(actor, loaded.own_party(actor)).require()
    organisation_id = own_organisation(actor)
    assignable(loaded, item, organisation_id).require()
    _require_may_apply(loaded, item)
    assigned = _assigned(checklist, organisation_id)
    _require_seen(seen, assigned.seen(item.code))
    _give(actor, checklist, [item.code], _checked(assigned, to, due_on))


def assign_section(
    actor: Actor,
    checklist: Checklist,
    section_key: str,
    *,
    to: UUID | None,
    due_on: dt.date | None = None,
    also_held: bool = False,
    seen: str,
) -> tuple[str, ...]:
    """Assign the items of a section that the actor's side works on; return which.

    Items that somebody already has stay with them unless also_held. seen and errors as in assign().
    """
    loaded = load_for_update(checklist)
    policy.can_assign(actor, loaded.own_party(actor)).require()
    loaded.goes_on().require()
    organisation_id = own_organisation(actor)
    assigned = _assigned(checklist, organisation_id)
    _require_seen(seen, assigned.seen())
    given = _checked(assigned, to, due_on)
    codes = tuple(
        item.code
        for section in loaded.template.sections
        if section.key == section_key
        for item in section.items
        if assignable(loaded, item, organisation_id)
        and _applies(loaded, item) is not Truth.FALSE
        and (also_held or assigned.is_free(item.code))
    )
    if not codes:
        raise RuleBrokenError(
            _l("With that choice, there's nothing left to assign in this section."), SECTION
        )
    _give(actor, checklist, codes, given)
    return codes


def take(actor: Actor, checklist: Checklist, item_code: str) -> None:
    """Assign an unassigned item to the actor; raise StaleError if somebody has it by now."""
    loaded = load_for_update(checklist)
    item = loaded.item(item_code)
    party = loaded.own_party(actor)
    policy.can_take_part(actor, party).require()
    organisation_id = own_organisation(actor)
    assignable(loaded, item, organisation_id).require()
    _require_may_apply(loaded, item)
    assigned = _assigned(checklist, organisation_id)
    holding = assigned.holdings.get(item.code)
    may_take = policy.can_take(actor, party, holding.user_id if holding else None, assigned.able)
    if not may_take and holding is not None:
        raise StaleError(may_take.reason)
    may_take.require()
    due_on = (
        holding.due_on if holding and holding.due_on and holding.due_on >= clock.today() else None
    )
    _give(actor, checklist, [item.code], Holding(actor.user_id, due_on))


def give_back(actor: Actor, checklist: Checklist, item_code: str, *, seen: str) -> None:
    """Unassign an item; raise StaleError if it isn't assigned as the person saw."""
    loaded = load_for_update(checklist)
    item = loaded.item(item_code)
    party = loaded.own_party(actor)
    policy.can_take_part(actor, party).require()
    assigned = _assigned(checklist, own_organisation(actor))
    holding = assigned.holdings.get(item.code)
    _require_seen(seen, assigned.seen(item.code))
    if holding is None:
        raise StaleError(_l("This item isn't assigned to anybody."))
    policy.can_give_back(actor, party, holding.user_id).require()
    _delete(
        Assignment.checklist_id == checklist.id,
        Assignment.organisation_id == assigned.organisation_id,
        Assignment.item == item.code,
    )
    _lose(checklist.id, {holding.user_id})


def forget(checklist: Checklist, items: Collection[str]) -> None:
    """Delete the assignments of items that a checklist no longer has, on all sides."""
    if items:
        _delete(Assignment.checklist_id == checklist.id, Assignment.item.in_(items))


# What is left to do -------------------------------------------------------------------------------


def recount(checklist_id: UUID, actor: Actor | None = None) -> None:
    """Update a checklist's counts, and which assigned items still have something left to do."""
    service.recount(checklist_id, actor)
    checklist = db.session.get_one(Checklist, checklist_id)
    if not checklist.has_assigned:
        return
    rows = db.session.scalars(
        sa.select(Assignment).where(Assignment.checklist_id == checklist_id)
    ).all()
    if rows:
        loaded = load(checklist)
        standing = loaded.standing()
        before = {row.assignee_id for row in rows if row.is_left is not False}
        for row in rows:
            row.is_left = _is_left(row, loaded, standing)
        finished = before - {row.assignee_id for row in rows if row.is_left}
        if finished:
            messages.no_assignment_is_left(checklist_id, finished)
    else:
        checklist.has_assigned = False
    db.session.flush()


def work_out_missing() -> int:
    """Compute what is left to do where it was never stored; return for how many checklists.

    Commits after each.
    """
    waiting_ids = db.session.scalars(
        sa.select(Assignment.checklist_id).where(Assignment.is_left.is_(None)).distinct()
    ).all()
    for checklist_id in waiting_ids:
        recount(checklist_id)
        db.session.commit()
    db.session.rollback()
    return len(waiting_ids)


# Pending items ------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Batch:
    """Items of one checklist that one person has until one day, with something left to do."""

    checklist_id: UUID
    kind: ChecklistKind
    reference: str
    cooperation: str
    items: tuple[str, ...]
    user_id: UUID
    name: str
    due_on: dt.date | None
    assigned_by_id: UUID
    # Whether the person can't work on them any more.
    is_free: bool


def waiting(actor: Actor) -> list[Batch]:
    """Return the open assignments of the person's side, in a constant number of queries.

    A coordinator sees all of them, others only their own. The first MANY, in the order of their
    days.
    """
    query, reader = _items_of_the_side(actor)
    left = db.session.execute(query, {"day": clock.today(), **reader})
    rows = sorted((_LeftItem(*row) for row in left), key=_by_day)[:MANY]
    # Few people may see the planning of a visit, so permission is read for it.
    planning = {row.checklist_id for row in rows if encryption.is_planning(row.kind, row.visit_id)}
    able = _able_on_planning(planning)
    able |= {
        (row.checklist_id, row.organisation_id, row.assignee_id)
        for row in rows
        if row.takes_part and row.checklist_id not in planning
    }
    return [
        Batch(
            checklist_id=batch[0].checklist_id,
            kind=batch[0].kind,
            reference=batch[0].reference,
            cooperation=batch[0].title,
            items=tuple(row.item for row in batch),
            user_id=batch[0].assignee_id,
            name=batch[0].name,
            due_on=batch[0].due_on,
            assigned_by_id=batch[0].assigned_by_id,
            is_free=is_free,
        )
        for batch, is_free in _together(rows, able)
    ]


@built_for_all
def _items_of_the_side(actor: Actor) -> sa.CompoundSelect[Any]:
    wanted = [
        Assignment.organisation_id == actor.organisation_id,
        Assignment.is_left.is_(True),
        is_worked_on(actor),
        is_going_on(),
    ]
    if not actor.has(*policy.ASSIGNERS):
        wanted.append(Assignment.assignee_id == actor.user_id)
    dated, undated = (
        _first_left(wanted, is_dated=is_dated).subquery() for is_dated in (True, False)
    )
    return sa.union_all(sa.select(dated), sa.select(undated))


class _LeftItem(NamedTuple):
    """An assignment with something left to do, as its query returns it."""

    checklist_id: UUID
    organisation_id: UUID
    assignee_id: UUID
    assigned_by_id: UUID
    item: str
    due_on: dt.date | None
    assigned_at: dt.datetime
    name: str
    reference: str
    title: str
    kind: ChecklistKind
    visit_id: UUID | None
    takes_part: bool


def _by_day(item: _LeftItem) -> tuple[object, ...]:
    return item.due_on or dt.date.max, item.assigned_at, item.checklist_id


_Held = TypeVar("_Held", Assignment, _LeftItem)


def _able_on_planning(checklist_ids: Collection[UUID]) -> set[WorkerKey]:
    if not checklist_ids:
        return set()
    return _able(
        db.session.scalars(sa.select(Checklist).where(Checklist.id.in_(checklist_ids))).all()
    )


_DAY = sa.bindparam("day", type_=sa.Date())
# Whether the person of an assignment may edit its checklist today.
_TAKES_PART = (
    sa.exists()
    .where(
        CooperationPerson.cooperation_id == Checklist.cooperation_id,
        CooperationPerson.user_id == Assignment.assignee_id,
        CooperationPerson.organisation_id == Assignment.organisation_id,
        runs_on(_DAY),
        is_party_or_joining(
            CooperationPerson.organisation_id, _DAY, CooperationPerson.cooperation_id
        ),
        User.id == Assignment.assignee_id,
        User.active.is_(True),
        Membership.user_id == Assignment.assignee_id,
        Membership.organisation_id == Assignment.organisation_id,
        Membership.role.in_(policy.WRITERS),
        held_on(_DAY),
    )
    .correlate(Assignment, Checklist)
)
_IS_DRAFTED = sa.and_(Checklist.state == ChecklistState.DRAFTING, Cooperation.stage.not_in(AT_REST))
_LEFT = (
    sa.select(
        Assignment.checklist_id,
        Assignment.organisation_id,
        Assignment.assignee_id,
        Assignment.assigned_by_id,
        Assignment.item,
        Assignment.due_on,
        Assignment.assigned_at,
        User.name,
        Cooperation.reference,
        Cooperation.title,
        Checklist.kind,
        Checklist.visit_id,
        _TAKES_PART.label("takes_part"),
    )
    .join(Checklist, Checklist.id == Assignment.checklist_id)
    .join(Cooperation, Cooperation.id == Checklist.cooperation_id)
    .join(User, User.id == Assignment.assignee_id)
    .where(_IS_DRAFTED)
    .order_by(Assignment.due_on, Assignment.assigned_at, Assignment.id)
)


def _first_left(
    wanted: list[sa.ColumnElement[bool]], *, is_dated: bool
) -> sa.Select[*tuple[Any, ...]]:
    """Return the query for the first assignments, in the order of their index.

    Those with and without a day are queried separately: databases differ on which come first.
    """
    due_on = Assignment.due_on
    return _LEFT.where(*wanted, due_on.is_not(None) if is_dated else due_on.is_(None)).limit(MANY)


class DueAssignments(NamedTuple):
    """The due items of one person on one checklist, for one mail."""

    checklist_id: UUID
    user_id: UUID


def due(day: dt.date) -> list[DueAssignments]:
    """Return what is due by a day and was not checked since, by checklist and person."""
    rows = db.session.execute(
        sa.select(Assignment.checklist_id, Assignment.assignee_id)
        .where(_is_due(day))
        .distinct()
        .order_by(Assignment.checklist_id, Assignment.assignee_id)
    )
    return [DueAssignments(*row) for row in rows]


def remind(due: DueAssignments, day: dt.date) -> bool:
    """Mail a person about due items on a checklist, once; return whether it was sent.

    One mail for all items. Items that somebody on the side has finished, or that the person can't
    work on any more, are skipped for good. For the worker; skips rows that are locked.
    """
    rows = db.session.scalars(
        sa.select(Assignment)
        .where(
            Assignment.checklist_id == due.checklist_id,
            Assignment.assignee_id == due.user_id,
            _is_due(day),
        )
        .order_by(Assignment.id)
        .options(joinedload(Assignment.assignee))
        .with_for_update(of=Assignment, skip_locked=True)
        .execution_options(populate_existing=True)
    ).all()
    for row in rows:
        row.reminded_on = day
    db.session.flush()
    checklist = db.session.scalar(
        sa.select(Checklist)
        .join(Cooperation, Cooperation.id == Checklist.cooperation_id)
        .where(Checklist.id == due.checklist_id, _IS_DRAFTED, is_going_on())
    )
    if not rows or checklist is None:
        return False
    if all(is_free for _some, is_free in _left(rows, {checklist.id: checklist})):
        return False
    messages.assignment_is_due(due.checklist_id, due.user_id)
    return True


def _is_due(day: dt.date) -> sa.ColumnElement[bool]:
    return sa.and_(Assignment.due_on <= day, Assignment.reminded_on.is_(None))


def _left(
    rows: Iterable[Assignment], checklists: Mapping[UUID, Checklist]
) -> list[tuple[list[Assignment], bool]]:
    """Return rows with something left to do, grouped.

    A group has one side of a checklist, one person, one due date and one assigner; and whether the
    person can't work on the items any more.
    """
    if not checklists:
        return []
    all_loaded = load_all(list(checklists.values()))
    standings = {checklist_id: loaded.standing() for checklist_id, loaded in all_loaded.items()}
    return _together(
        [
            row
            for row in rows
            if _is_left(row, all_loaded[row.checklist_id], standings[row.checklist_id])
        ],
        _able(list(checklists.values())),
    )


def _able(checklists: Collection[Checklist]) -> set[WorkerKey]:
    """Return who can work on some checklists today, and for which side."""
    if not checklists:
        return set()
    return {
        (checklist_id, person.organisation_id, person.user_id)
        for checklist_id, people in writers_of(checklists).items()
        for person in people
    }


def _together(rows: Iterable[_Held], able: Container[WorkerKey]) -> list[tuple[list[_Held], bool]]:
    """Return rows in groups, as _left() does."""
    batches: dict[tuple[object, ...], list[_Held]] = {}
    for row in rows:
        alike = (
            row.checklist_id,
            row.organisation_id,
            row.assignee_id,
            row.due_on,
            row.assigned_by_id,
        )
        batches.setdefault(alike, []).append(row)
    return [
        (
            sorted(some, key=lambda row: item_place(row.item)),
            (some[0].checklist_id, some[0].organisation_id, some[0].assignee_id) not in able,
        )
        for some in batches.values()
    ]


def item_place(code: str) -> tuple[str, int]:
    """Return a sort key for items: M2 before M10."""
    return code[:1], int(code[1:])


def _is_left(row: Assignment, loaded: LoadedChecklist, standing: ChecklistStatus) -> bool:
    item = loaded.template.item(row.item)
    status = standing.items.get(row.item)
    return (
        item is not None
        and status is not None
        and bool(assignable(loaded, item, row.organisation_id, status))
        and completeness.is_left_to(row.organisation_id, item, status, loaded.surroundings)
    )


# Parts --------------------------------------------------------------------------------------------


def _rows(checklist: Checklist, organisation_id: UUID) -> list[Assignment]:
    return list(
        db.session.scalars(
            sa.select(Assignment)
            .where(
                Assignment.checklist_id == checklist.id,
                Assignment.organisation_id == organisation_id,
            )
            .options(joinedload(Assignment.assignee))
            .execution_options(populate_existing=True)
        )
    )


def _checked(assigned: Assigned, to: UUID | None, due_on: dt.date | None) -> Holding:
    """Return the person and the day; raise RuleBrokenError for a wrong person or a past day."""
    if to is None or to not in assigned.able:
        raise RuleBrokenError(
            _l("Choose a person of your organisation who can open this checklist."), PERSON
        )
    if due_on is not None and due_on < clock.today():
        raise RuleBrokenError(_l("Choose today or a later day."), DUE_ON)
    return Holding(to, due_on)


def _require_seen(seen: str, now: str) -> None:
    if seen != now:
        raise StaleError(
            _l("Somebody else changed the assignments while you were reading. Look at them again.")
        )


def _applies(loaded: LoadedChecklist, item: Item) -> Truth:
    return completeness.is_shown(item, loaded.sheet, loaded.surroundings)


def _require_may_apply(loaded: LoadedChecklist, item: Item) -> None:
    """Refuse an item that does not apply here; one that may apply can be assigned."""
    if _applies(loaded, item) is Truth.FALSE:
        raise RuleBrokenError(_l("This item does not apply here."))


def _give(actor: Actor, checklist: Checklist, items: Iterable[str], given: Holding) -> None:
    """Assign some items to a person, and mail them unless they did it themselves."""
    organisation_id = own_organisation(actor)
    rows = {row.item: row for row in _rows(checklist, organisation_id)}
    is_new = False
    losing: set[UUID] = set()
    for item in items:
        row = rows.get(item)
        if row is None:
            row = Assignment(
                id=uuid4(), checklist_id=checklist.id, organisation_id=organisation_id, item=item
            )
            db.session.add(row)
        elif Holding(row.assignee_id, row.due_on) == given:
            continue
        if row.assignee_id != given.user_id:
            is_new = True
            losing |= {row.assignee_id} if item in rows else set()
        row.assignee_id, row.due_on = given.user_id, given.due_on
        row.assigned_by_id, row.assigned_at = actor.user_id, clock.now()
        row.reminded_on = None
    checklist.has_assigned = True
    db.session.flush()
    _lose(checklist.id, losing)
    mark(Stale.CHECKLIST, [checklist.id])
    if is_new and given.user_id != actor.user_id:
        messages.was_assigned(checklist.id, given.user_id)


def _lose(checklist_id: UUID, user_ids: Collection[UUID]) -> None:
    """Mark as read what told people of items, if they have none left after losing some."""
    if not user_ids:
        return
    still = db.session.scalars(
        sa.select(Assignment.assignee_id).where(
            Assignment.checklist_id == checklist_id,
            Assignment.assignee_id.in_(user_ids),
            Assignment.is_left.is_not(False),
        )
    )
    without = set(user_ids).difference(still)
    if without:
        messages.no_assignment_is_left(checklist_id, without)


def _delete(*conditions: sa.ColumnElement[bool]) -> None:
    db.session.execute(sa.delete(Assignment).where(*conditions))
