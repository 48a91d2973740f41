"""Pages of the register: the list, the history of one agreement, the export."""

from uuid import UUID, uuid4

from flask import Blueprint, Response, make_response, render_template, request
from flask_babel import gettext as _
from werkzeug.wrappers import Response as AnyResponse

from tracker.access.actor import Role
from tracker.access.gate import current_actor, found, require, signed_in
from tracker.activity import queries as trail
from tracker.activity import service as activity
from tracker.activity.verbs import REGISTER_EXPORTED
from tracker.checklists.labels import KINDS
from tracker.checklists.signing import SUBJECT
from tracker.cooperations.models import Mode
from tracker.cooperations.modes import MODE_LABELS
from tracker.core import clock
from tracker.core.db import db
from tracker.oversight import exports, policy, queries, wording
from tracker.oversight.queries import Narrowing, Question, RegisterLine
from tracker.signoff import queries as signoff
from tracker.signoff.labels import REQUEST_STATES
from tracker.ui import paging
from tracker.ui.filters import filter_links
from tracker.ui.form_base import Form
from tracker.ui.words import tidy_line
from tracker.visits.labels import STAGES

blueprint = Blueprint("oversight", __name__, url_prefix="/register")


def _asked() -> Question:
    """Read the question from the address; what is unknown narrows nothing."""
    mode = request.values.get("mode", "")
    state = request.values.get("state", "")
    return Question(
        words=(tidy_line(request.values.get("q", "")) or "")[: queries.MAX_WORDS],
        mode=Mode(mode) if mode in set(Mode) else None,
        narrowing=Narrowing(state) if state in set(Narrowing) else None,
    )


@blueprint.get("")
@signed_in
def register() -> str:
    """Show all agreements the person may see, narrowed as asked."""
    actor = current_actor()
    require(policy.can_see_register(actor))
    question = _asked()
    number = paging.asked_number()
    total, lines = queries.register(
        actor, question, offset=paging.offset(number), limit=paging.SIZE
    )
    narrowings = [
        ("", _("All")),
        *((one.value, words) for one, words in wording.NARROWINGS.items()),
    ]
    return render_template(
        "oversight/register.html",
        page=paging.Page(lines, number, paging.SIZE, total),
        links=filter_links(
            "state", narrowings, queries.counts(actor, question.words, question.mode)
        ),
        question=question,
        modes=[(mode.value, MODE_LABELS[mode]) for mode in Mode],
        states=wording.STATES,
        forms=wording.FORMS,
        kinds=KINDS,
        visit_lines=queries.visit_lines(actor) if number == 1 else {},
        visit_stages=STAGES,
        form=Form(),
        is_auditor=actor.has(Role.AUDITOR),
    )


@blueprint.get("/<uuid:checklist_id>")
@signed_in
def history(checklist_id: UUID) -> str:
    """Show the full history of one agreement: every revision, its signatures, every event."""
    actor = current_actor()
    line = found(queries.find(actor, checklist_id))
    revisions = signoff.revisions_of(SUBJECT, checklist_id)
    signature_ids = [one.id for revision, _request in revisions for one in revision.signatures]
    cooperation_id = found(queries.cooperation_of(checklist_id))
    return render_template(
        "oversight/history.html",
        line=line,
        revisions=revisions,
        request_states=REQUEST_STATES,
        lines=trail.subject_history(cooperation_id, [checklist_id, *signature_ids], limit=500),
        states=wording.STATES,
        forms=wording.FORMS,
        kinds=KINDS,
    )


@blueprint.post("/export")
@signed_in
def export() -> AnyResponse:
    """Give the register as CSV, as it is narrowed; taking it out is an act and is recorded."""
    actor = current_actor()
    require(policy.can_see_register(actor))
    _total, lines = queries.register(actor, _asked(), limit=None)
    activity.record(
        REGISTER_EXPORTED,
        actor=actor,
        subject_type="register",
        subject_id=uuid4(),
        rows=len(lines),
        format="csv",
    )
    db.session.commit()
    answer: Response = make_response(exports.to_csv(lines, _in_words))
    answer.headers["Content-Type"] = "text/csv; charset=utf-8"
    name = f"register-{clock.today().isoformat()}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _in_words(line: RegisterLine) -> list[str]:
    dates = (line.from_on, line.until_on, line.review_on)
    return [
        line.reference,
        line.title,
        str(KINDS[line.kind]),
        "; ".join(line.parties),
        str(wording.FORMS.get(line.form, "")),
        "; ".join(str(MODE_LABELS[Mode(mode)]) for mode in line.modes),
        str(wording.STATES[line.state][0]),
        str(line.revision or ""),
        str(line.signed),
        str(line.to_sign),
        *(one.isoformat() if one else "" for one in dates),
    ]
