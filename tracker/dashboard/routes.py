"""My work, and the page of a cooperation."""

from collections.abc import Sequence
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
    return render_template(
        "dashboard/my_work.html",
        mine=_page(work.mine, "page"),
        others=_page(work.others, "others"),
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


def _page(waiting: Sequence[Task | Waiting[Any]], name: str) -> paging.Page[Task]:
    """Return the requested page of a list, for display; the last one if it is beyond the end."""
    last = max(1, -(-len(waiting) // paging.SIZE))
    number = min(paging.asked_number(name=name), last)
    first = paging.offset(number)
    shown = written_out(waiting[first : first + paging.SIZE])
    return paging.Page(shown, number, paging.SIZE, len(waiting))
