"""The health endpoint."""

from dataclasses import asdict

from flask import Blueprint, current_app, jsonify
from werkzeug.wrappers import Response

from tracker.access.gate import public
from tracker.ui.addresses import HEALTH
from tracker.worker import health

blueprint = Blueprint("running", __name__)


@blueprint.get(HEALTH)
@public
def healthz() -> tuple[Response, int]:
    """Respond with 200 if all is well, else 503; of numbers only how far a change of keys is."""
    state = health.look(backup_days=current_app.extensions["settings"].backup_days)
    answer = jsonify(asdict(state))
    return answer, 200 if state.is_well else 503
