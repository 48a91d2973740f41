"""Pages for adding a party, and for withdrawing the invitation of one that is joining."""

from uuid import UUID

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.gate import current_actor, found_or_404, signed_in
from tracker.agreements import joining
from tracker.agreements.forms import AddPartyForm
from tracker.checklists.forms import ReasonForm
from tracker.cooperations import departures as rows
from tracker.cooperations import people, queries
from tracker.organisations import queries as organisations
from tracker.ui.perform import perform, require_for

blueprint = Blueprint("joining", __name__, url_prefix="/cooperations/<reference>/parties")


@blueprint.route("/add", methods=["GET", "POST"])
@signed_in
def add(reference: str) -> str | Response:
    """Add an organisation from the list: immediately, or to join the terms in force."""
    actor = current_actor()
    cooperation = found_or_404(queries.find(actor, reference))
    in_force = queries.terms_in_force(cooperation.id)
    parties = {party.organisation_id for party in people.parties(cooperation)}
    form = AddPartyForm()
    require_for(form, joining.can_add(actor, cooperation))
    form.offer(
        [
            organisation
            for organisation in organisations.possible_parties(actor)
            if organisation.id not in parties
        ],
        asks_reason=in_force,
    )
    done = (
        form.organisation_id.choices
        and form.validate_on_submit()
        and perform(
            form,
            lambda: joining.add(
                actor,
                cooperation,
                form.organisation_id.data,
                reason=(form.reason.data or "") if in_force else "",
            ),
            success=_("The invitation is sent. All parties are notified.")
            if in_force
            else _("The organisation is a party now. All parties are notified."),
            next=_to_cooperation(reference),
        )
    )
    return done or render_template(
        "agreements/add_party.html",
        cooperation=found_or_404(queries.find(actor, reference)),
        form=form,
        in_force=in_force,
    )


@blueprint.route("/<uuid:organisation_id>/take-back", methods=["GET", "POST"])
@signed_in
def take_back(reference: str, organisation_id: UUID) -> str | Response:
    """Withdraw the invitation of a party that has not joined yet."""
    actor = current_actor()
    cooperation = found_or_404(queries.find(actor, reference))
    party = found_or_404(
        next(
            (
                party
                for party in cooperation.parties
                if party.organisation_id == organisation_id and party.invited_at is not None
            ),
            None,
        )
    )
    if rows.is_past(party):
        return _to_cooperation(reference)  # submitted again
    form = ReasonForm()
    require_for(form, joining.can_take_back(actor, cooperation, organisation_id))
    done = form.validate_on_submit() and perform(
        form,
        lambda: joining.take_back(
            actor, cooperation, organisation_id, reason=form.reason.data or ""
        ),
        success=_("The invitation is revoked. All parties are notified."),
        next=_to_cooperation(reference),
    )
    return done or render_template(
        "agreements/take_joining_back.html",
        cooperation=found_or_404(queries.find(actor, reference)),
        name=party.organisation.name,
        form=form,
    )


def _to_cooperation(reference: str) -> Response:
    return redirect(url_for("dashboard.cooperation", reference=reference), 303)
