"""Pages for the register: the list, the history of an agreement, the export, the audit."""

from uuid import UUID

from flask import Blueprint, Response, render_template, request
from flask_babel import gettext as _

from tracker.access.actor import Role
from tracker.access.gate import current_actor, found_or_404, require, signed_in
from tracker.activity import queries as trail
from tracker.agreements.service import SUBJECT
from tracker.checklist_templates.models import ChecklistKind
from tracker.cooperations.models import Mode
from tracker.cooperations.modes import MODE_LABELS
from tracker.core import clock
from tracker.core.db import db
from tracker.evidence import policy as evidence
from tracker.oversight import export as files
from tracker.oversight import integrity, labels, pages, policy, queries, service
from tracker.oversight.facts import Narrowing, Question
from tracker.oversight.undertaking_register import policy as undertakings
from tracker.signoff import queries as signoff
from tracker.ui import paging
from tracker.ui.filters import FilterLink, filter_links
from tracker.ui.words import tidy_line

blueprint = Blueprint("oversight", __name__, url_prefix="/register")
# Filters that are shown even if nothing matches.
ALWAYS = frozenset({"", Narrowing.IN_FORCE, Narrowing.LACKS_SIGNATURES})
EVENTS = 500


@blueprint.get("")
@signed_in
def register() -> str:
    """Show the agreements the person may see, filtered as requested."""
    actor = current_actor()
    require(policy.can_see_register(actor))
    question = _asked()
    number = paging.asked_number()
    counts = queries.counts(actor, question)
    total = counts[question.narrowing or ""]
    lines = (
        queries.lines(actor, question, offset=paging.offset(number), limit=paging.SIZE)
        if total
        else []
    )
    views = [pages.view(actor, line) for line in lines]
    return render_template(
        "oversight/register.html",
        page=paging.Page(views, number, paging.SIZE, total),
        disagreeing=sum(view.disagrees for view in views),
        links=_links(counts, question),
        summary=pages.summary(counts),
        question=question,
        is_narrowed=question != Question(),
        modes=[(mode.value, MODE_LABELS[mode]) for mode in Mode],
        is_auditor=actor.has(Role.AUDITOR),
        sees_undertakings=bool(undertakings.can_see_undertakings(actor)),
    )


@blueprint.get("/<uuid:checklist_id>")
@signed_in
def history(checklist_id: UUID) -> str:
    """Show the full history of one agreement: every revision, its signatures, every event."""
    actor = current_actor()
    require(policy.can_see_register(actor))
    line = found_or_404(queries.find(actor, checklist_id))
    revisions = signoff.revisions_of(SUBJECT, checklist_id)
    signature_ids = [
        signature.id for revision, _request in revisions for signature in revision.signatures
    ]
    lines = trail.subject_history(line.cooperation_id, [checklist_id, *signature_ids], limit=EVENTS)
    states = pages.revision_states(checklist_id, [revision for revision, _request in revisions])
    return render_template(
        "oversight/history.html",
        view=pages.view(actor, line),
        line=line,
        parties=pages.all_parties(line),
        revisions=revisions,
        states=states,
        signature_lines=pages.signature_lines,
        lines=lines,
        leaves_out_the_team=line.kind is ChecklistKind.VISIT_ROLES,
        is_cut=len(lines) == EVENTS,
        may_take_out=evidence.can_export(actor),
    )


@blueprint.post("/export")
@signed_in
def export() -> Response:
    """Return the filtered register as CSV; the export is recorded."""
    actor = current_actor()
    require(policy.can_see_register(actor))
    file = files.CsvFile(pages.export_heads())
    service.export(actor, _asked(), file, pages.export_row)
    db.session.commit()  # not performed: the response is a file
    answer = Response(file.sent(), content_type="text/csv; charset=utf-8")
    name = f"register-{clock.today().isoformat()}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@blueprint.post("/check")
@signed_in
def check() -> str:
    """Audit the cooperations of this register now, and show the result.

    Numbers of rows and events aren't shown, since they tell the size of a visit's team (K2).
    """
    actor = current_actor()
    require(policy.can_see_register(actor))
    problem: object = ""
    verdict = None
    db.session.rollback()  # nothing is written here, so others can write while it runs
    try:
        verdict = integrity.check_cooperations(actor)
    except integrity.NotCheckableError:
        problem = _(
            "The check can't be run. An administrator can find out why on the command line."
        )
    return render_template(
        "oversight/check.html",
        verdict=verdict,
        cooperations=verdict.counts.chains if verdict else 0,
        finding=labels.finding_words(verdict.finding) if verdict and verdict.finding else problem,
        at=clock.now(),
    )


def _asked() -> Question:
    """Parse the filters from a URL or a form; unknown values filter nothing."""
    mode, state = request.values.get("mode", ""), request.values.get("state", "")
    return Question(
        words=tidy_line(request.values.get("q", ""))[: queries.MAX_LENGTH],
        mode=next((choice for choice in Mode if choice.value == mode), None),
        narrowing=next((choice for choice in Narrowing if choice.value == state), None),
    )


def _links(counts: dict[str, int], question: Question) -> list[FilterLink]:
    """Return the filters to show: the usual ones, and those with matches."""
    shown = {*ALWAYS, question.narrowing, *(key for key, count in counts.items() if count)}
    options = [("", _("All")), *((choice.value, labels.NARROWINGS[choice]) for choice in Narrowing)]
    return filter_links("state", [option for option in options if option[0] in shown], counts)
