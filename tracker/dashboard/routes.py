"""My work, and the page of a cooperation."""

from collections.abc import Mapping, Sequence
from itertools import islice
from typing import Any

from flask import Blueprint, render_template

from tracker.access.gate import current_actor, found_or_404, signed_in
from tracker.cooperations import queries as cooperations
from tracker.dashboard import tasks
from tracker.dashboard.cooperation_page import cooperation_view
from tracker.ui import paging
from tracker.ui.tasks import Task, Waiting, written_out

blueprint = Blueprint("dashboard", __name__)


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
