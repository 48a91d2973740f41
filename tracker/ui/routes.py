"""Pages about the application: choosing a language, what it protects, accessibility."""

from flask import Blueprint, abort, current_app, redirect, render_template, request
from werkzeug.wrappers import Response

from tracker.access.gate import public
from tracker.ui.locale import keep_language

blueprint = Blueprint("ui", __name__)


@blueprint.post("/language")
@public
def choose_language() -> Response:
    """Store the chosen language and redirect back."""
    code = request.form.get("language", "")
    if code not in current_app.extensions["settings"].languages:
        abort(400)
    response = redirect(request.script_root + request.form.get("back", "/"))
    keep_language(response, code)
    return response


@blueprint.get("/protects")
@public
def protects() -> str:
    """Show what this tool protects and what it doesn't."""
    return render_template("ui/protects.html")


@blueprint.get("/accessibility")
@public
def accessibility() -> str:
    """Show the accessibility statement."""
    return render_template("ui/accessibility.html")
