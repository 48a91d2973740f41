"""Pages on which a person without an account signs their undertaking on a coordinator's device."""

from dataclasses import replace

from flask import Blueprint, flash, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.gate import current_actor, require, signed_in
from tracker.core import clock
from tracker.core.errors import StaleError
from tracker.core.localized import LocalizedStr
from tracker.signoff import proof_fields, shown
from tracker.signoff.proof_fields import Given
from tracker.ui import locale
from tracker.ui.perform import perform, require_for
from tracker.undertakings import frozen_text as signed_texts
from tracker.undertakings import labels, pages
from tracker.undertakings import service as undertakings
from tracker.undertakings.facts import missing
from tracker.undertakings.forms import HostForm, HostPathForm, host_path_form
from tracker.undertakings.in_presence import service
from tracker.undertakings.pages import Taking
from tracker.undertakings.queries import Loaded

blueprint = Blueprint(
    "undertaking_presence",
    __name__,
    url_prefix="/cooperations/<reference>/undertakings/<undertaking_id>/here",
)


@blueprint.route("", methods=["GET", "POST"])
@signed_in
def fill_in(reference: str, undertaking_id: str) -> str | Response:
    """Show page 1: the person reads, declares and confirms, on a coordinator's device."""
    actor = current_actor()
    taking = pages.taking(actor, reference, undertaking_id)
    undertaking = taking.loaded.undertaking
    form = host_path_form(
        taking.questions,
        service.draft_of(actor, undertaking),
        seen=service.token_of(actor, undertaking),
    )
    require_for(form, taking.allowed)

    def show_again(error: StaleError) -> str:
        """Show what was typed here; sent again, it replaces what was saved meanwhile."""
        now = pages.taking(actor, reference, undertaking_id)
        form.refuse(error)
        form.seen.data = service.token_of(actor, now.loaded.undertaking)
        return _filling_in(now, form)

    done = form.validate_on_submit() and perform(
        form,
        lambda: service.save_draft(
            actor,
            undertaking.id,
            replace(form.draft, is_ready=True),
            seen=form.seen.data or "",
        ),
        success=None,
        next=redirect(
            url_for(
                "undertaking_presence.sign", reference=reference, undertaking_id=undertaking_id
            ),
            303,
        ),
        conflict=show_again,
    )
    return done or _filling_in(taking, form, service.other_host(actor, undertaking))


def _filling_in(taking: Taking, form: HostPathForm, other_host: str = "") -> str:
    return render_template(
        "undertakings/in_presence/fill_in.html",
        **taking.words,
        form=form,
        other_host=other_host,
        sentence_parts=_sentence_parts(taking.loaded),
    )


@blueprint.route("/sign", methods=["GET", "POST"])
@signed_in
def sign(reference: str, undertaking_id: str) -> str | Response:
    """Show page 2: the person types their name, and the coordinator proves who they are."""
    actor = current_actor()
    taking = pages.taking(actor, reference, undertaking_id)
    require(taking.allowed)
    loaded = taking.loaded
    undertaking = loaded.undertaking
    draft = service.draft_of(actor, undertaking)
    if not draft.is_ready or list(missing(taking.questions, draft, clock.today())):
        flash(_("Fill in and confirm each point first, then continue to sign."), "warning")
        return redirect(
            url_for(
                "undertaking_presence.fill_in", reference=reference, undertaking_id=undertaking_id
            ),
            303,
        )
    form = HostForm()
    ways = proof_fields.ways(actor)
    form.ask_for(app=ways.has_app, passkey=ways.has_passkey)
    # Before the proof: a failed one rolls the transaction back.
    spoken = LocalizedStr(_sentence(loaded), locale.language())
    page = undertakings.page_to_sign(loaded, spoken)
    text = signed_texts.read(undertakings.text_to_sign(loaded, spoken, page), spoken.language)
    sentence_parts = _sentence_parts(loaded)
    done = form.validate_on_submit() and perform(
        form,
        lambda: _sign(actor, loaded, form, spoken),
        success=_("Signed. Somebody else from the NPM now has to countersign."),
        next=redirect(url_for("undertakings.listed", reference=reference), 303),
    )
    if done:
        return done
    offer = proof_fields.offer(actor, page, spoken)
    form.page_token.data = offer.token
    return render_template(
        "undertakings/in_presence/sign.html",
        **taking.words,
        form=form,
        offer=offer,
        text=text,
        sentence_parts=sentence_parts,
    )


def _sign(actor: Actor, loaded: Loaded, form: HostForm, spoken: LocalizedStr) -> None:
    """Prove the coordinator's identity with the form, then take the person's signature."""
    name, known_by = form.name.data or "", form.known_by.data or ""
    service.checked(loaded.undertaking, name=name, known_by=known_by)
    page = shown.page_of(actor, form.page_token.data)
    digest = undertakings.digest_to_be(loaded, spoken, page) if page else ""
    undertaking_id = loaded.undertaking.id
    identity = proof_fields.prove(
        actor, Given(**form.given), page, document_digest=digest, sentence=spoken
    )
    service.sign(
        actor,
        undertaking_id,
        page=page,
        name=name,
        known_by=known_by,
        sentence=spoken,
        identity=identity,
    )


def _sentence_parts(loaded: Loaded) -> list[tuple[str, bool]]:
    return pages.with_names(_sentence(loaded), loaded.undertaking.user.name)


def _sentence(loaded: Loaded) -> str:
    return labels.sentence(loaded.undertaking.user.name, loaded.terms, loaded.documents)
