"""Assignments and unfinished drafts on checklists, for My work."""

import datetime as dt
from collections.abc import Callable, Sequence
from typing import Any
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from tracker.access.actor import Actor
from tracker.checklist_templates import library
from tracker.checklist_templates.schema import Template
from tracker.checklists import drafts
from tracker.checklists.assignments import service as assignments
from tracker.checklists.assignments.service import Batch
from tracker.checklists.drafts import Begun
from tracker.checklists.labels import KINDS
from tracker.checklists.models import DraftKind
from tracker.cooperations.pages import task_heading
from tracker.ui import locale
from tracker.ui.locale import as_datetime
from tracker.ui.tasks import OTHERS, YOURS, Task, Tasks, Waiting, due_words


def drafts_begun(actor: Actor) -> Tasks:
    """Return the answers that a person began and did not save.

    A source for My work.
    """
    if actor.organisation_id is None:
        return Tasks()
    begun = drafts.begun(actor)
    return Tasks(
        mine=tuple(Waiting(YOURS, draft, _drafts) for draft in begun),
        is_cut=len(begun) == drafts.MANY,
    )


def _drafts(shown: Sequence[Begun]) -> list[Task]:
    templates = library.localized_by_id({draft.template_id for draft in shown}, locale.language())
    return [_task(draft, templates[draft.template_id]) for draft in shown]


def _task(draft: Begun, template: Template) -> Task:
    item = template.item(draft.item)
    name = item.label if item else draft.item
    words = (
        _("You started to fill in what is left to decide")
        if draft.item == drafts.LEFT_TO_DECIDE
        else _("You started to leave out “%(item)s”", item=name)
        if draft.kind is DraftKind.LEFT_OUT
        else _("You started an answer to “%(item)s”", item=name)
    )
    return Task(
        label=words,
        state=_("Draft of %(when)s", when=as_datetime(draft.kept_at)),
        s=YOURS,
        url=page_of(draft.checklist_id, draft.item, draft.kind),
        why=draft.cooperation
        if draft.visit is None
        else _("%(title)s, visit %(n)s", title=draft.cooperation, n=draft.visit),
        act=_("Continue"),
    )


def assigned(actor: Actor) -> Tasks:
    """Return what is assigned to a person, and by them to others.

    A source for My work. Items of people who can't work on them any more go back to the side's
    coordinators.
    """
    if actor.organisation_id is None:
        return Tasks()
    waiting = assignments.waiting(actor)
    mine, others = [], []
    for batch in waiting:
        if batch.user_id == actor.user_id:
            mine.append(Waiting(YOURS, (_own_task, batch), _tasks, batch.due_on))
        elif batch.is_free:
            under = task_heading(batch.reference, batch.cooperation)
            mine.append(
                Waiting(YOURS, (_task_to_pass_on, batch), _tasks, batch.due_on, under=under)
            )
        elif batch.assigned_by_id == actor.user_id:
            others.append(Waiting(OTHERS, (_others_task, batch), _tasks, batch.due_on))
    is_cut = sum(len(batch.items) for batch in waiting) >= assignments.MANY
    return Tasks(mine=tuple(mine), others=tuple(others), days=_first_days(waiting), is_cut=is_cut)


def _first_days(waiting: Sequence[Batch]) -> dict[UUID, dt.date]:
    """Return the first day that is set for items of each checklist of one's side."""
    days: dict[UUID, dt.date] = {}
    for batch in waiting:
        if batch.due_on is not None:
            days[batch.checklist_id] = min(batch.due_on, days.get(batch.checklist_id, dt.date.max))
    return days


def _tasks(shown: Sequence[tuple[Callable[[Batch], Task], Batch]]) -> list[Task]:
    return [make(batch) for make, batch in shown]


def _own_task(batch: Batch) -> Task:
    return Task(
        label=ngettext(
            "Do %(num)s item assigned to you", "Do %(num)s items assigned to you", len(batch.items)
        ),
        state=due_words(batch.due_on) if batch.due_on else _("Waiting for you"),
        s=YOURS,
        url=url_for("checklists.show", checklist_id=batch.checklist_id, filter="mine"),
        why=_where(batch),
        due=batch.due_on,
    )


def _task_to_pass_on(batch: Batch) -> Task:
    return Task(
        label=ngettext(
            "Assign %(num)s item to somebody else",
            "Assign %(num)s items to somebody else",
            len(batch.items),
        ),
        state=_("Waiting for you"),
        s=YOURS,
        url=url_for("assignments.listed", checklist_id=batch.checklist_id),
        why=_(
            "%(where)s. %(name)s can't work on this any more.",
            where=KINDS[batch.kind],
            name=batch.name,
        ),
        due=batch.due_on,
    )


def _others_task(batch: Batch) -> Task:
    return Task(
        label=ngettext(
            "%(num)s item that you assigned to %(name)s",
            "%(num)s items that you assigned to %(name)s",
            len(batch.items),
            name=batch.name,
        ),
        state=due_words(batch.due_on) if batch.due_on else _("Waiting for others"),
        s=OTHERS,
        url=url_for("assignments.listed", checklist_id=batch.checklist_id),
        why=_where(batch),
        due=batch.due_on,
    )


def _where(batch: Batch) -> str:
    return str(
        _(
            "%(title)s: %(kind)s",
            title=batch.cooperation,
            kind=KINDS[batch.kind],
        )
    )


def page_of(checklist_id: UUID, code: str, kind: DraftKind) -> str:
    """Return the URL of the page on which a draft is continued."""
    if code == drafts.LEFT_TO_DECIDE:
        return str(url_for("deciding.decide", checklist_id=checklist_id))
    if kind is DraftKind.LEFT_OUT:
        return str(url_for("checklists.leave_out", checklist_id=checklist_id, code=code))
    scope: dict[str, Any] = {"for": kind.value}
    return str(url_for("checklists.answer", checklist_id=checklist_id, code=code, **scope))
