"""Pages on how the partners of a cooperation were chosen: what is recorded, and its form."""

from functools import partial
from uuid import UUID

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.actor import Actor, Role
from tracker.access.gate import current_actor, found_or_404, signed_in
from tracker.cooperations import people
from tracker.cooperations import queries as cooperations
from tracker.cooperations.models import Cooperation
from tracker.cooperations.selection import pages, policy, queries, service
from tracker.cooperations.selection.forms import SelectionForm, data_of
from tracker.core.errors import StaleError
from tracker.ui.fields import Option
from tracker.ui.perform import perform, require_for

blueprint = Blueprint("selection", __name__, url_prefix="/cooperations/<reference>/selection")


@blueprint.get("")
@signed_in
def show(reference: str) -> str:
    """Show how each partner was chosen, as far as the person may read it."""
    actor = current_actor()
    cooperation, readable = _find(actor, reference)
    fact = cooperations.fact(cooperation)
    to_sign = queries.asked_to_sign(cooperation.id)
    decisions = {
        partner_id: policy.can_record(actor, fact, is_asked_to_sign=partner_id in to_sign)
        for partner_id in readable
    }
    rows = queries.recorded(cooperation.id, readable)
    return render_template(
        "cooperations/selection.html",
        cooperation=cooperation,
        partners=[
            party for party in people.parties(cooperation) if party.organisation_id in readable
        ],
        rows=rows,
        facts_of=partial(pages.facts_of, cooperation),
        decisions=decisions,
        terms=to_sign,
        records=fact.is_of_npm(actor.organisation_id) and actor.has(Role.COORDINATOR),
        may_use=any(decisions[partner_id] for partner_id in rows),
    )


@blueprint.route("/<uuid:organisation_id>", methods=["GET", "POST"])
@signed_in
def record(reference: str, organisation_id: UUID) -> str | Response:
    """Record how a partner was chosen; if somebody saved meanwhile, both are shown."""
    actor = current_actor()
    cooperation, readable = _find(actor, reference)
    found_or_404(organisation_id if organisation_id in readable else None)
    to_sign = queries.asked_to_sign(cooperation.id)
    fact = cooperations.fact(cooperation)
    row = queries.recorded(cooperation.id, [organisation_id]).get(organisation_id)
    offered = [Option(str(body_id), name) for body_id, name in queries.bodies(cooperation)]
    form = SelectionForm(offered, data_of(row))
    require_for(form, policy.can_record(actor, fact, is_asked_to_sign=organisation_id in to_sign))

    def show_both(error: StaleError) -> str:
        form.refuse(error)
        other = queries.recorded(cooperation.id, [organisation_id])[organisation_id]
        form.version.data = other.version
        return _form_page(actor, reference, organisation_id, form, other=other)

    done = form.validate_on_submit() and perform(
        form,
        lambda: service.record(
            actor,
            cooperation,
            organisation_id,
            form.selection,
            version=form.version.data if isinstance(form.version.data, int) else -1,
        ),
        success=lambda is_new: _("Saved.") if is_new else _("Nothing was changed."),
        next=redirect(url_for("selection.show", reference=reference), 303),
        conflict=show_both,
    )
    return done or _form_page(actor, reference, organisation_id, form)


def _form_page(
    actor: Actor,
    reference: str,
    organisation_id: UUID,
    form: SelectionForm,
    *,
    other: object = None,
) -> str:
    cooperation, _readable = _find(actor, reference)
    return render_template(
        "cooperations/record_selection.html",
        form=form,
        cooperation=cooperation,
        partner=next(
            party.organisation
            for party in cooperation.parties
            if party.organisation_id == organisation_id
        ),
        other=other,
        facts_of=partial(pages.facts_of, cooperation),
    )


def _find(actor: Actor, reference: str) -> tuple[Cooperation, tuple[UUID, ...]]:
    """Return a cooperation, and the partners the person may read about; 404 if there are none."""
    cooperation = found_or_404(cooperations.find(actor, reference))
    readable = policy.readable(actor, cooperations.fact(cooperation))
    return cooperation, found_or_404(readable or None)
