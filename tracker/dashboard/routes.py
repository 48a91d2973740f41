"""My work, and the page of a cooperation."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request
from flask_babel import gettext as _

from tracker.access.gate import current_actor, found_or_404, signed_in
from tracker.activity import queries as trail
from tracker.activity.kinds import VERBS_OF, EventKind
from tracker.cooperations import queries as cooperations
from tracker.dashboard import tasks
from tracker.dashboard.cooperation_page import cooperation_view
from tracker.dashboard.story import OPEN, Story
from tracker.dashboard.wording import EVENT_KINDS
from tracker.ui import paging
from tracker.ui.filters import PAGE, filter_links, here
from tracker.ui.tasks import Task, Waiting, written_out

blueprint = Blueprint("dashboard", __name__)
HISTORY_SIZE = 50
# How many milestones are shown above the history.
MILESTONES = 8


@blueprint.get("/")
@signed_in
def my_work() -> str:
    """Show a person's own tasks, those of others, and the dates ahead."""
    work = tasks.of_person(current_actor())
    mine, others = _pages({"page": work.mine, "others": work.others})
    return render_template(
        "dashboard/my_work.html",
        mine=mine,
        others=others,
        dates=work.dates,
        is_cut=work.is_cut,
    )


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
    kind = next((kind for kind in EventKind if kind.value == request.args.get("kind")), None)
    after = _after()
    lines, has_more = trail.story(
        cooperation.id, actor, of=VERBS_OF[kind] if kind else None, after=after, limit=HISTORY_SIZE
    )
    is_first = kind is None and after is None
    milestones, has_more_milestones = (
        trail.story(cooperation.id, actor, of=VERBS_OF[EventKind.MILESTONES], limit=MILESTONES)
        if is_first
        else ([], False)
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


def _after() -> UUID | None:
    """Return the event after which the page begins; None if the parameter is invalid."""
    try:
        return UUID(request.args.get(PAGE, ""))
    except ValueError:
        return None


def _pages(lists: Mapping[str, Sequence[Task | Waiting[Any]]]) -> list[paging.Page[Task]]:
    """Return the requested page of each list, for display; the last one if it is beyond the end.

    All are written out together, so that they share their queries.
    """
    numbers = {
        name: min(paging.asked_number(name=name), max(1, -(-len(waiting) // paging.SIZE)))
        for name, waiting in lists.items()
    }
    shown = {
        name: waiting[paging.offset(numbers[name]) :][: paging.SIZE]
        for name, waiting in lists.items()
    }
    tasks_in_order = iter(written_out([task for part in shown.values() for task in part]))
    return [
        paging.Page(
            list(islice(tasks_in_order, len(part))),
            numbers[name],
            paging.SIZE,
            len(lists[name]),
        )
        for name, part in shown.items()
    ]
