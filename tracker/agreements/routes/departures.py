"""Pages for leaving a cooperation: give notice, withdraw it, see what follows."""

from uuid import UUID

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access import page_organisation
from tracker.access.actor import Actor
from tracker.access.gate import current_actor, found_or_404, signed_in
from tracker.accounts import queries as accounts
from tracker.agreements import departures, text_shown
from tracker.agreements.forms import LeaveForm
from tracker.checklists import heads
from tracker.checklists.forms import ReasonForm
from tracker.checklists.labels import KINDS
from tracker.cooperations import departures as rows
from tracker.cooperations import queries
from tracker.cooperations.models import Cooperation, Party, Stage
from tracker.core.errors import StaleError
from tracker.ui import locale
from tracker.ui.perform import perform, require_for

blueprint = Blueprint("departures", __name__, url_prefix="/cooperations/<reference>")


@blueprint.route("/leave", methods=["GET", "POST"])
@signed_in
def leave(reference: str) -> str | Response:
    """Give notice that your own party leaves, while the agreement continues among the others."""
    actor = current_actor()
    seen = queries.find(actor, reference)
    if seen is None:
        # Submitted again after the first one took effect.
        return _to_departure(reference, found_or_404(rows.find_left(actor, reference)))
    cooperation: Cooperation = seen
    form = LeaveForm(data={"from_on": departures.earliest(cooperation)})
    require_for(form, departures.can_leave(actor, cooperation))
    if not form.is_submitted():
        form.page_token.data = text_shown.token_of(actor, *heads.of_cooperation(cooperation.id))

    def give_notice() -> Party:
        texts = heads.of_cooperation(cooperation.id)
        text_shown.require(actor, *texts, token=form.page_token.data)
        return departures.give_notice(
            actor, cooperation, reason=form.reason.data or "", from_on=form.from_on.data
        )

    def show_again(error: StaleError) -> str:
        form.refuse(error)
        form.page_token.data = text_shown.token_of(actor, *heads.of_cooperation(cooperation.id))
        return _leaving(actor, reference, form)

    done = form.validate_on_submit() and perform(
        form,
        give_notice,
        success=lambda party: (
            _("Your organisation has left this cooperation.")
            if rows.is_past(party)
            else _("Notice given. All parties are notified.")
        ),
        next=lambda party: _to_departure(reference, party),
        conflict=show_again,
    )
    if not done and page_organisation.is_from_another():
        form.page_token.data = text_shown.token_of(actor, *heads.of_cooperation(cooperation.id))
    return done or _leaving(actor, reference, form)


def _leaving(actor: Actor, reference: str, form: LeaveForm) -> str:
    shown = found_or_404(queries.find(actor, reference))
    return render_template(
        "agreements/leave.html",
        cooperation=shown,
        form=form,
        earliest=departures.earliest(shown),
        days=departures.agreed_notice(shown),
        duties=departures.duties_of(shown, _own(actor, shown), locale.language()),
    )


@blueprint.route("/leave/take-back", methods=["GET", "POST"])
@signed_in
def take_back(reference: str) -> str | Response:
    """Withdraw the notice before its day; the party stays."""
    actor = current_actor()
    cooperation = found_or_404(queries.find(actor, reference))
    form = ReasonForm()
    require_for(form, departures.can_stay(actor, cooperation))
    done = form.validate_on_submit() and perform(
        form,
        lambda: departures.take_back(actor, cooperation, reason=form.reason.data or ""),
        success=_("The notice is withdrawn. Your organisation stays."),
        next=redirect(url_for("dashboard.cooperation", reference=reference), 303),
    )
    return done or render_template(
        "agreements/stay.html",
        cooperation=found_or_404(queries.find(actor, reference)),
        form=form,
    )


@blueprint.get("/departures/<uuid:organisation_id>")
@signed_in
def show(reference: str, organisation_id: UUID) -> str:
    """Show when a party leaves, what has to change then, and which duties it continues to have."""
    actor = current_actor()
    cooperation = queries.find(actor, reference)
    if cooperation is not None:
        party = found_or_404(
            next(
                (
                    party
                    for party in cooperation.parties
                    if party.organisation_id == organisation_id and party.leave_given_at is not None
                ),
                None,
            )
        )
    else:
        party = found_or_404(rows.find_left(actor, reference))
        found_or_404(party if party.organisation_id == organisation_id else None)
    return _show(actor, party, cooperation)


def _show(actor: Actor, party: Party, cooperation: Cooperation | None) -> str:
    """Show a departure; a party that has left doesn't see what the others agreed since."""
    giver = party.leave_given_by_id
    return render_template(
        "agreements/departure.html",
        cooperation=cooperation or party.cooperation,
        sees_all=cooperation is not None,
        party=party,
        has_left=rows.is_past(party),
        # Nothing is amended any more. A party that has left isn't told.
        has_ended=cooperation is not None and cooperation.stage is Stage.CLOSED,
        last_day=party.left_on or rows.former_last_day(party),
        given_by=accounts.names([giver]).get(giver, "") if giver else "",
        texts=departures.still_naming(cooperation, party, locale.language())
        if cooperation is not None
        else [],
        kinds=KINDS,
        duties=departures.duties_of(cooperation or party.cooperation, party, locale.language()),
        may_stay=cooperation is not None and departures.can_stay(actor, cooperation),
    )


def _own(actor: Actor, cooperation: Cooperation) -> Party:
    return next(
        party for party in cooperation.parties if party.organisation_id == actor.organisation_id
    )


def _to_departure(reference: str, party: Party) -> Response:
    return redirect(
        url_for("departures.show", reference=reference, organisation_id=party.organisation_id), 303
    )
