"""Public endpoints for the log and its keys, and the page that exports evidence."""

from flask import Blueprint, Response, make_response, render_template
from flask_babel import gettext as _

from tracker.access import reading
from tracker.access.gate import current_actor, found_or_404, public, require, signed_in
from tracker.accounts import long_work
from tracker.activity import queries as trail
from tracker.cooperations import queries as cooperations
from tracker.cooperations.models import Cooperation
from tracker.core.db import db
from tracker.core.keys import KeysError
from tracker.evidence import policy
from tracker.evidence.bundles import bundle, service
from tracker.evidence.bundles.bundle import DamagedError
from tracker.evidence.bundles.container import ContainerError
from tracker.evidence.forms import ExportForm
from tracker.evidence.keys import signing_keys
from tracker.evidence.log import checkpoints
from tracker.evidence.log.service import LogError
from tracker.evidence.models import KeyUse

blueprint = Blueprint("evidence", __name__)


@blueprint.get("/checkpoints")
@public
def newest_checkpoint() -> Response:
    """Return the latest checkpoint as plain text."""
    return _plain(found_or_404(checkpoints.newest()).text())


@blueprint.get("/checkpoints/<int:size>")
@public
def checkpoint(size: int) -> Response:
    """Return the checkpoint of a size as plain text."""
    return _plain(found_or_404(checkpoints.of_size(size)).text())


@blueprint.get("/checkpoints/<int:size>/from/<int:before>")
@public
def consistency(size: int, before: int) -> Response:
    """Return the proof that the log of one checkpoint extends that of an earlier one."""
    return _plain(found_or_404(checkpoints.consistency(before, size)).text())


@blueprint.get("/checkpoints/keys")
@public
def public_keys() -> Response:
    """Return all public keys, including old ones, with when each was made and ended."""
    keys = signing_keys.public_keys()
    return _plain("\n".join(key.note().text() for key in keys))


@blueprint.route("/cooperations/<reference>/evidence", methods=["GET", "POST"])
@signed_in
def export(reference: str) -> str | Response:
    """Show what an evidence bundle is; a POST returns it as a file, and is recorded."""
    actor = current_actor()
    cooperation = found_or_404(cooperations.find(actor, reference))
    require(policy.can_export(actor))
    form = ExportForm()
    if not form.validate_on_submit():
        return _export_page(cooperation, form)
    reading.require_second_factor()
    long_work.begin(actor)
    # Not performed: the response is a file, and what can go wrong is damage, not a broken rule.
    try:
        taken = service.export(
            actor, cooperation.id, cooperation.reference, with_closed=bool(form.with_closed.data)
        )
        db.session.commit()
        data = bundle.build(taken)
    except (KeysError, LogError, DamagedError, ContainerError):
        db.session.rollback()
        problem = _("It can't be exported now. Tell an administrator, who can find out why.")
        return _export_page(cooperation, form, problem)
    answer = make_response(data)
    answer.headers["Content-Type"] = "application/zip"
    answer.headers["Content-Disposition"] = f'attachment; filename="evidence-{reference}.zip"'
    return answer


def _export_page(cooperation: Cooperation, form: ExportForm, problem: str = "") -> str:
    return render_template(
        "evidence/export.html",
        cooperation=cooperation,
        form=form,
        problem=problem,
        reveals_team_sizes=trail.reveals_team_sizes(cooperation.id),
        keys=[key for key in signing_keys.public_keys(KeyUse.CHECKPOINT) if key.is_current],
    )


def _plain(text: str) -> Response:
    answer = make_response(text)
    answer.headers["Content-Type"] = "text/plain; charset=utf-8"
    return answer
