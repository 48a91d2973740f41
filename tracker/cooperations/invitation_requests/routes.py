"""Pages that ask for a partner's first coordinator or withdraw that, and for the answer."""

from uuid import UUID

from flask import Blueprint, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.gate import current_actor, found_or_404, require, signed_in
from tracker.accounts import coordinators
from tracker.cooperations import people
from tracker.cooperations import queries as cooperations
from tracker.cooperations.invitation_requests import policy, queries, service
from tracker.cooperations.invitation_requests.forms import DeclineForm, RequestForm
from tracker.mail import wording as mail
from tracker.ui import locale
from tracker.ui.perform import perform, require_for

blueprint = Blueprint("invitation_requests", __name__)


@blueprint.route(
    "/cooperations/<reference>/parties/<uuid:organisation_id>/invitation", methods=["GET", "POST"]
)
@signed_in
def make(reference: str, organisation_id: UUID) -> str | Response:
    """Ask an administrator to invite a partner's first coordinator."""
    actor = current_actor()
    cooperation = found_or_404(cooperations.find(actor, reference))
    party = found_or_404(
        next(
            (row for row in people.parties(cooperation) if row.organisation_id == organisation_id),
            None,
        )
    )
    name = party.organisation.name
    nobody_acts = organisation_id in coordinators.nobody_acts([organisation_id])
    form = RequestForm(data={"language": locale.language()})
    fact = cooperations.fact(cooperation)
    require_for(form, policy.can_request(actor, fact, organisation_id, nobody_acts=nobody_acts))
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.make(
            actor,
            cooperation,
            organisation_id,
            name=form.name.data or "",
            email=form.email.data or "",
            language=form.language.data or "",
        ),
        success=_("An administrator is asked to invite the person. You'll be told by email."),
        next=redirect(url_for("dashboard.cooperation", reference=reference), 303),
    )
    if done:
        return done
    if request.method == "POST":
        cooperation = found_or_404(cooperations.find(actor, reference))
    return render_template(
        "cooperations/request_invitation.html", form=form, cooperation=cooperation, name=name
    )


@blueprint.post(
    "/cooperations/<reference>/invitation-requests/<uuid:invitation_request_id>/withdraw"
)
@signed_in
def withdraw(reference: str, invitation_request_id: UUID) -> Response:
    """Take back a request that the reader's party made."""
    actor = current_actor()
    cooperation = found_or_404(cooperations.find(actor, reference))
    row = found_or_404(queries.open_in(cooperation.id, invitation_request_id))
    fact = cooperations.fact(cooperation)
    require(policy.can_withdraw(actor, fact, row.requested_by_id, row.partner_id))
    return perform(
        None,
        lambda: service.withdraw(actor, row.id),
        success=_("The request is withdrawn."),
        next=redirect(url_for("dashboard.cooperation", reference=reference), 303),
    )


@blueprint.get("/people/invitation-requests/<uuid:invitation_request_id>")
@signed_in
def answer(invitation_request_id: UUID) -> str:
    """Show a request to an administrator, with the two answers."""
    return _answer_page(invitation_request_id, DeclineForm())


@blueprint.post("/people/invitation-requests/<uuid:invitation_request_id>/confirm")
@signed_in
def confirm(invitation_request_id: UUID) -> Response:
    """Invite the person who was proposed."""
    actor = current_actor()
    row = found_or_404(queries.find(actor, invitation_request_id))
    require(policy.can_answer(actor, row.requested_by_id))
    return perform(
        None,
        lambda: service.confirm(
            actor, row.id, days=current_app.extensions["settings"].invitation_days
        ),
        success=lambda sent: mail.of_invitation(sent.email),
        next=lambda sent: redirect(
            url_for("people.invitations_page")
            if sent
            else url_for("invitation_requests.answer", invitation_request_id=invitation_request_id),
            303,
        ),
    )


@blueprint.post("/people/invitation-requests/<uuid:invitation_request_id>/decline")
@signed_in
def decline(invitation_request_id: UUID) -> str | Response:
    """Decline the request, with a reason."""
    actor = current_actor()
    row = found_or_404(queries.find(actor, invitation_request_id))
    form = DeclineForm()
    require_for(form, policy.can_answer(actor, row.requested_by_id))
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.decline(actor, row.id, reason=form.reason.data or ""),
        success=_("The request is declined."),
        next=redirect(url_for("dashboard.my_work"), 303),
    )
    return done or _answer_page(invitation_request_id, form)


def _answer_page(request_id: UUID, form: DeclineForm) -> str:
    actor = current_actor()
    row = found_or_404(queries.find(actor, request_id))
    return render_template(
        "cooperations/answer_invitation_request.html",
        form=form,
        row=row,
        may_answer=policy.can_answer(actor, row.requested_by_id),
        language=locale.name_of(row.language),
    )
