"""The page on which an administrator records that one body replaces another."""

from typing import Any
from uuid import UUID

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.gate import current_actor, found_or_404, signed_in
from tracker.accounts import queries as accounts
from tracker.cooperations.succession import service as succession
from tracker.cooperations.succession.forms import ReplaceForm
from tracker.organisations import policy, queries
from tracker.ui.fields import Option
from tracker.ui.perform import perform, require_for

blueprint = Blueprint("succession", __name__, url_prefix="/organisations")


@blueprint.route("/<uuid:organisation_id>/replace", methods=["GET", "POST"])
@signed_in
def replace(organisation_id: UUID) -> str | Response:
    """Record that another body replaced this one, in all its cooperations (N13)."""
    actor = current_actor()
    former = found_or_404(queries.find(actor, organisation_id))
    form: Any = ReplaceForm()
    require_for(
        form, policy.can_replace(actor, accounts.organisations_of(actor.user_id), former.id)
    )
    form.successor.choices = [
        Option(str(successor.id), successor.name) for successor in queries.successors(actor, former)
    ]
    done = form.validate_on_submit() and perform(
        form,
        lambda: succession.replace(
            actor,
            former.id,
            UUID(form.successor.data),
            since=form.since.data,
            source=form.source.data or "",
        ),
        success=lambda row: _(
            "%(successor)s takes the place of %(former)s in all its cooperations.",
            successor=row.successor_name,
            former=row.former_name,
        ),
        next=redirect(url_for("organisations.show", organisation_id=organisation_id), 303),
    )
    return done or render_template("organisations/replace.html", form=form, organisation=former)
