"""The page on which a person accepts a signatory or manager role, with a proof of identity."""

from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.gate import current_actor, found_or_404, require, signed_in
from tracker.accounts import labels, policy, queries
from tracker.accounts.people import powers
from tracker.core.errors import StaleError
from tracker.signoff import proof_fields, shown
from tracker.signoff.forms import AcceptForm
from tracker.signoff.proof_fields import Given
from tracker.ui.perform import perform

blueprint = Blueprint("powers", __name__)


@blueprint.route("/account/roles/<uuid:membership_id>/accept", methods=["GET", "POST"])
@signed_in
def accept(membership_id: UUID) -> str | Response:
    """Accept your own role that an administrator confirmed (product.md, section 2)."""
    actor = current_actor()
    membership = found_or_404(queries.find_waiting_power(actor, membership_id))
    require(policy.can_accept(actor, powers.facts_of(membership)))
    user, organisation = membership.user, found_or_404(membership.organisation)
    digest = powers.digest_of(membership)
    sentence = _(
        "I, %(name)s, accept the role of %(role)s of %(organisation)s as described here. The "
        "organisation has given it to me, and nobody else uses this account.",
        name=user.name,
        role=labels.ROLES[membership.role],
        organisation=organisation.name,
    )
    form = AcceptForm()
    ways = proof_fields.ways(actor)
    form.ask_for(app=ways.has_app, passkey=ways.has_passkey)

    def prove_and_accept() -> None:
        page = shown.page_of(actor, form.page_token.data)
        identity = proof_fields.prove(
            actor, Given(**form.given), page, document_digest=digest, sentence=sentence
        )
        powers.accept(actor, membership_id, digest=digest, method=identity.method.value)

    def show_again(error: StaleError) -> Response:
        flash(str(error), "error")
        return redirect(url_for("powers.accept", membership_id=membership_id), 303)

    done = form.validate_on_submit() and perform(
        form,
        prove_and_accept,
        success=_("Your role has begun."),
        next=redirect("/"),
        conflict=show_again,
    )
    if done:
        return done
    if form.is_submitted():
        membership = found_or_404(queries.find_waiting_power(actor, membership_id))
    offer = proof_fields.offer(actor, shown.page_with(digest), sentence)
    form.page_token.data = offer.token
    return render_template(
        "accounts/accept_role.html",
        form=form,
        role=membership,
        name=user.name,
        organisation=organisation.name,
        role_words=labels.ROLES,
        confirmed=labels.confirmed_words(
            membership.confirmed_how, membership.confirmed_by, membership.confirmed_at
        ),
        sentence_words=sentence,
        has_second_factor=actor.has_second_factor,
        offer=offer,
    )
