"""The pages that open a cooperation, in two steps, without JavaScript."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.gate import current_actor, found_or_404, require, signed_in
from tracker.cooperations import policy as cooperation_policy
from tracker.cooperations import queries as cooperations
from tracker.cooperations.forms import OpenForm, QuestionsForm, questions_form
from tracker.cooperations.models import Cooperation
from tracker.cooperations.modes import COLUMNS, Purpose, requirements
from tracker.lifecycle import service
from tracker.organisations import queries as organisations
from tracker.ui.perform import perform

blueprint = Blueprint("lifecycle", __name__)


@blueprint.route("/cooperations/open", methods=["GET", "POST"])
@signed_in
def open_cooperation() -> str | Response:
    """Open a cooperation: first its head, then the questions about its ways of working."""
    actor = current_actor()
    require(cooperation_policy.can_open(actor))
    form = OpenForm()
    form.offer(organisations.possible_parties(actor), actor.organisation_id)
    step = request.form.get("step", "")
    if step in {"", "back"} or not form.validate_on_submit():
        return render_template("lifecycle/open.html", form=form)
    modes = form.modes.data or []
    questions = questions_form(modes)
    if step == "open" and questions.is_answered and questions.validate():
        done = perform(
            form,
            lambda: _open(actor, form, questions),
            success=lambda opened: _("“%(title)s” is open.", title=opened.title),
            next=lambda opened: redirect(
                url_for("dashboard.cooperation", reference=opened.reference)
            ),
        )
        return done or render_template("lifecycle/open.html", form=form)
    return render_template(
        "lifecycle/questions.html",
        form=questions,
        head_form=form,
        needs=requirements(modes, questions.answers),
    )


@blueprint.post("/cooperations/<reference>/start/<kind>")
@signed_in
def start(reference: str, kind: str) -> Response:
    """Start a checklist that is recommended for a cooperation, and open it."""
    actor = current_actor()
    cooperation = found_or_404(cooperations.find(actor, reference))
    column = found_or_404(
        next((column for column in COLUMNS if column == (kind, Purpose.COOPERATION)), None)
    )
    return perform(
        None,
        lambda: service.start_recommended(actor, cooperation, column),
        success=_("The checklist is started. All parties can now fill it in."),
        next=lambda checklist: redirect(
            url_for("checklists.show", checklist_id=checklist.id)
            if checklist
            else url_for("dashboard.cooperation", reference=reference)
        ),
    )


def _open(actor: Actor, form: OpenForm, questions: QuestionsForm) -> Cooperation:
    return service.open_cooperation(
        actor,
        title=form.title.data or "",
        purpose=form.purpose.data or "",
        organisation_ids=form.organisation_ids.data or [],
        starts_on=form.starts_on.data,
        ends_on=form.ends_on.data,
        review_on=form.review_on.data,
        modes=form.modes.data or [],
        questions=questions.answers,
    )
