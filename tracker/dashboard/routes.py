"""My work, and the page of a cooperation."""

from flask import Blueprint, render_template

from tracker.access.gate import current_actor, found, signed_in
from tracker.cooperations import queries as cooperations
from tracker.dashboard import tasks
from tracker.dashboard.cooperation_page import cooperation_view

blueprint = Blueprint("dashboard", __name__)


@blueprint.get("/")
@signed_in
def my_work() -> str:
    """Show what waits for the person, what waits for others, and the dates ahead."""
    return render_template("dashboard/my_work.html", work=tasks.of_person(current_actor()))


@blueprint.get("/cooperations/<reference>")
@signed_in
def cooperation(reference: str) -> str:
    """Show where a cooperation stands, whose turn it is, and why."""
    actor = current_actor()
    view = cooperation_view(actor, found(cooperations.find(actor, reference)))
    return render_template("dashboard/cooperation.html", view=view)
