"""Pages for a pending signature request: pass it on, send a reminder."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.gate import current_actor, found_or_404, require, signed_in
from tracker.accounts import queries as accounts
from tracker.agreements import forms as agreement_forms
from tracker.agreements import revisions, signature_requests
from tracker.agreements import service as agreements
from tracker.agreements.revisions import Since
from tracker.agreements.routes import on_text
from tracker.agreements.service import SUBJECT
from tracker.checklists import policy
from tracker.checklists import queries as checklists
from tracker.checklists.editing import checklist_page, get_or_404, load_localized
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.models import Checklist
from tracker.core import clock
from tracker.core.errors import RuleBrokenError
from tracker.mail import wording as mail
from tracker.signoff import policy as signoff_policy
from tracker.signoff import queries as signoff
from tracker.signoff import shown, signers
from tracker.signoff.labels import too_late_words
from tracker.signoff.models import Revision, SignatureRequest
from tracker.signoff.policy import RequestStatus
from tracker.ui.locale import with_commas
from tracker.ui.perform import perform, require_for

blueprint = Blueprint("requests", __name__, url_prefix="/checklists/<uuid:checklist_id>")


def _waiting(checklist: Checklist) -> SignatureRequest:
    if checklist.revision_sent_id is None:
        require(checklists.goes_on(checklist))
        abort(404)
    return found_or_404(signoff.request_of(checklist.revision_sent_id))


def _standing(checklist: Checklist) -> RequestStatus:
    return agreements.standing_of(_waiting(checklist))


def _to_record(checklist_id: UUID) -> Response:
    return redirect(url_for("signing.record", checklist_id=checklist_id), 303)


@blueprint.route("/pass-on/<uuid:user_id>", methods=["GET", "POST"])
@signed_in
def pass_on(checklist_id: UUID, user_id: UUID) -> str | Response:
    """Pass on a colleague's signature slot, with a reason (5.5)."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "pass_on")
    if checklist.revision_sent_id is None and request.method == "POST":
        return _passed_on_too_late(actor, checklist, user_id)
    standing = _standing(checklist)
    may_pass_on = signoff_policy.can_pass_on(actor, standing, clock.today(), user_id)
    loaded = load_localized(checklist)
    able = signature_requests.who_can_take_over(actor, loaded, standing)
    form: Any = agreement_forms.pass_on_form(able)
    require_for(form, may_pass_on)
    if able and form.validate_on_submit():
        done: Response | None = perform(
            form,
            lambda: signature_requests.pass_on(
                actor,
                checklist,
                user_id,
                UUID(form["person"].data),
                page=shown.page_of(actor, form.page_token.data),
                reason=form["reason"].data,
            ),
            success=_("Passed on. The record says so."),
            next=_to_record(checklist_id),
        )
        if done:
            return done
    revision = _waiting(checklist).revision
    since = revisions.since(
        loaded.checklist, shown.digest_on(actor, form.page_token.data), revision
    )
    form.page_token.data = shown.token_of(actor, shown.page_with(revision.digest))
    return _passing_on(loaded, form, user_id, able=able, since=since, revision=revision)


def _passed_on_too_late(actor: Actor, checklist: Checklist, user_id: UUID) -> str:
    """Show the submitted form again if the text is no longer pending, so that nothing is lost."""
    loaded = load_localized(checklist)
    seen = shown.digest_on(actor, request.form.get("page_token"))
    pairs = signoff.revisions_of(SUBJECT, checklist.id)
    revision = found_or_404(
        next((revision for revision, _request in pairs if revision.digest == seen), None)
    )
    signature_request = found_or_404(signoff.request_of(revision.id))
    able = signature_requests.who_can_take_over(
        actor, loaded, signoff.standing_of(signature_request)
    )
    form: Any = agreement_forms.pass_on_form(able)
    form.refuse(RuleBrokenError(too_late_words(signature_request)))
    return _passing_on(loaded, form, user_id, able=able)


def _passing_on(
    loaded: LoadedChecklist,
    form: Any,
    user_id: UUID,
    *,
    able: Sequence[accounts.Signatory],
    since: Since | None = None,
    revision: Revision | None = None,
) -> str:
    return checklist_page(
        "agreements/pass_on.html",
        loaded,
        since=since,
        **on_text.text_of(loaded.checklist, revision),
        form=form,
        able=able,
        holder=accounts.names([user_id]).get(user_id, ""),
    )


@blueprint.route("/remind", methods=["GET", "POST"])
@signed_in
def remind(checklist_id: UUID) -> str | Response:
    """Remind chosen people who can sign now."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "remind")
    if checklist.revision_sent_id is None:
        require(checklists.goes_on(checklist))
        flash(_("This text is no longer waiting for signatures, so nothing was done."), "error")
        return _to_record(checklist_id)
    standing = _standing(checklist)
    loaded = load_localized(checklist)
    require(policy.can_remind(actor, loaded.own_party(actor)))
    require(standing.is_waiting(clock.today()))
    parties = {party.organisation_id: party.name for party in loaded.surroundings.parties}
    due = signers.whose_turn(standing.parties, standing.signed)
    names = accounts.names(user for _party, user in due)
    form: Any = agreement_forms.remind_form(
        {user: with_commas((names.get(user, ""), parties.get(party, ""))) for party, user in due}
    )
    done = form.validate_on_submit() and perform(
        form,
        lambda: signature_requests.remind(
            actor, checklist, [UUID(person_id) for person_id in form["people"].data or ()]
        ),
        success=mail.of_reminder(),
        next=_to_record(checklist_id),
    )
    return done or checklist_page(
        "agreements/remind.html",
        loaded,
        form=form,
    )
