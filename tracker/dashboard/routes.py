"""My work, and the page of a cooperation."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from itertools import islice
from typing import Any, TypeVar
from uuid import UUID

from flask import Blueprint, render_template, request
from flask_babel import gettext as _

from tracker.access.actor import Actor
from tracker.access.gate import current_actor, found_or_404, signed_in
from tracker.access.reading import lacks_second_factor
from tracker.activity import queries as trail
from tracker.activity import service as activity
from tracker.activity.kinds import VERBS_OF, EventKind
from tracker.activity.queries import HistoryLine
from tracker.checklists.queries import VISIT
from tracker.cooperations import queries as cooperations
from tracker.dashboard import tasks
from tracker.dashboard.cooperation_page import cooperation_view
from tracker.dashboard.story import OPEN, Story
from tracker.dashboard.wording import EVENT_KINDS
from tracker.getting_started.pages import first_steps
from tracker.ui import paging
from tracker.ui.filters import PAGE, chosen_or_404, filter_links, here
from tracker.ui.tasks import Task, Waiting, by_heading, written_out

Row = TypeVar("Row")

blueprint = Blueprint("dashboard", __name__)
HISTORY_SIZE = 50
# How many milestones are shown above the history.
MILESTONES = 8


@blueprint.get("/")
@signed_in
def my_work() -> str:
    """Show a person's own tasks and visits, what other people have to do, and the next dates."""
    actor = current_actor()
    work = tasks.of_person(actor)
    mine, others = _pages({"page": work.mine, "others": work.others})
    visits = _page("visits", work.visits)
    shows_days = not lacks_second_factor()
    if visits.items and shows_days:
        reads = [activity.Read(visit.cooperation_id, VISIT, visit.id) for visit in visits.items]
        activity.log_all_reads(actor, reads, page="my_work")
    return render_template(
        "dashboard/my_work.html",
        mine=mine,
        groups=by_heading(mine.items),
        first_due=_first_due(work.mine, mine.items),
        others=others,
        visits=visits,
        shows_days=shows_days,
        dates=work.dates,
        is_cut=work.is_cut,
        steps=first_steps(actor),
    )


def _first_due(waiting: Sequence[Task | Waiting[Any]], shown: Iterable[Task]) -> dt.date | None:
    """Return the day on which the first task is due, if the page shows that task with its day."""
    first = min((task.due for task in waiting if task.due), default=None)
    return first if first in {task.due for task in shown} else None


@blueprint.get("/cooperations/<reference>")
@signed_in
def cooperation(reference: str) -> str:
    """Show a cooperation's status, whose turn it is, and why."""
    actor = current_actor()
    view = cooperation_view(actor, found_or_404(cooperations.find_in_part(actor, reference)))
    return render_template("dashboard/cooperation.html", view=view)


@blueprint.get("/cooperations/<reference>/history")
@signed_in
def history(reference: str) -> str:
    """Show what happened, the newest first: milestones, then each day, filtered as requested."""
    actor = current_actor()
    cooperation = found_or_404(cooperations.find(actor, reference))
    chosen_kind = chosen_or_404("kind", set(EventKind))
    kind = EventKind(chosen_kind) if chosen_kind else None
    after = paging.asked_after()
    lines, has_more = trail.story(
        cooperation.id, actor, of=VERBS_OF[kind] if kind else None, after=after, limit=HISTORY_SIZE
    )
    is_first = kind is None and after is None
    milestones: list[HistoryLine] = []
    has_more_milestones = False
    if is_first:
        milestones, has_more_milestones = _milestones(
            cooperation.id, actor, lines, has_more=has_more
        )
    story = Story(actor, cooperation.id, lines, request.args.get(OPEN, ""))
    return render_template(
        "dashboard/history.html",
        cooperation=cooperation,
        days=story.days(lines),
        milestones=story.events(milestones),
        all_milestones=here({"kind": EventKind.MILESTONES.value}) if has_more_milestones else "",
        links=filter_links(
            "kind",
            [("", _("All")), *((each.value, EVENT_KINDS[each]) for each in EventKind)],
            of_page=(PAGE, OPEN),
        ),
        beginning=here({PAGE: None, OPEN: None}) if after else "",
        following=here({PAGE: str(lines[-1].event_id), OPEN: None}) if has_more else "",
        leaves_out_the_team=trail.leaves_out_the_team(cooperation.id),
    )


def _milestones(
    cooperation_id: UUID, actor: Actor, newest: list[HistoryLine], *, has_more: bool
) -> tuple[list[HistoryLine], bool]:
    """Return the last milestones, and whether more follow; from the first page if it holds all."""
    milestones = VERBS_OF[EventKind.MILESTONES]
    if has_more:
        return trail.story(cooperation_id, actor, of=milestones, limit=MILESTONES)
    names = {verb.name for verb in milestones}
    lines = [line for line in newest if line.verb in names]
    return lines[:MILESTONES], len(lines) > MILESTONES


def _pages(lists: Mapping[str, Sequence[Task | Waiting[Any]]]) -> list[paging.Page[Task]]:
    """Return the requested page of each list, for display; the last one if it is beyond the end.

    All are written out together, so that they share their queries.
    """
    pages = [_page(name, waiting) for name, waiting in lists.items()]
    tasks_in_order = iter(written_out([task for page in pages for task in page.items]))
    return [
        paging.Page(
            list(islice(tasks_in_order, len(page.items))), page.number, page.size, page.total
        )
        for page in pages
    ]


def _page(name: str, rows: Sequence[Row]) -> paging.Page[Row]:
    """Return the requested page of a list; the last one if it is beyond the end."""
    number = min(paging.asked_number(name=name), max(1, -(-len(rows) // paging.SIZE)))
    shown = rows[paging.offset(number, paging.SIZE) :][: paging.SIZE]
    return paging.Page(shown, number, paging.SIZE, len(rows))
