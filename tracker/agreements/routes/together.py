"""Pages for signing several texts of a cooperation with one proof of identity."""

from collections.abc import Sequence
from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.gate import current_actor, found_or_404, note_reading, signed_in
from tracker.activity import service as trail
from tracker.agreements import forms as agreement_forms
from tracker.agreements import frozen_text, revisions, waiting_texts
from tracker.agreements import pages as agreement_pages
from tracker.agreements import service as agreements
from tracker.agreements.waiting_texts import WaitingText
from tracker.checklists import encryption, heads
from tracker.checklists.forms import ProofForm
from tracker.cooperations import queries as cooperations
from tracker.cooperations.models import Cooperation
from tracker.core.errors import StaleError
from tracker.signoff import policy, proof_fields, shown
from tracker.signoff import service as signoff
from tracker.signoff.identity_proof import TextToSign
from tracker.signoff.labels import confirmed_words
from tracker.signoff.proof_fields import Given
from tracker.ui import locale
from tracker.ui.perform import perform

blueprint = Blueprint("together", __name__, url_prefix="/cooperations/<reference>/sign")


@blueprint.get("")
@signed_in
def read(reference: str) -> str | Response:
    """Show page 1: all texts that wait for the person's signature, to read and choose."""
    actor = current_actor()
    cooperation = found_or_404(cooperations.find_in_part(actor, reference))
    texts = waiting_texts.waiting(actor, cooperation.id)
    if len(texts) <= 1:
        return _to_single(cooperation, texts)
    _require_own_slots(actor, cooperation.id, texts)
    chosen = request.args if "chosen" in request.args else None
    form = agreement_forms.texts_form(_options(actor, texts), chosen)
    if chosen and form.validate():
        return _to_sentences(reference, form["opened"].data)
    _note_reading(actor, cooperation, texts, "read_to_sign")
    return render_template(
        "agreements/together/read.html",
        cooperation=cooperation,
        texts=[_for_reading(actor, waiting) for waiting in texts],
        form=form,
    )


@blueprint.route("/confirm", methods=["GET", "POST"])
@signed_in
def sign(reference: str) -> str | Response:
    """Show page 2: a sentence for each text that was chosen, and one fresh proof of identity."""
    actor = current_actor()
    cooperation = found_or_404(cooperations.find_in_part(actor, reference))
    texts = waiting_texts.waiting(actor, cooperation.id)
    opened = _opened(actor)
    chosen = [waiting for waiting in texts if waiting.revision.digest in opened]
    if not chosen or {waiting.revision.digest for waiting in chosen} != opened:
        return _read_again(reference)
    _note_reading(actor, cooperation, chosen, "sign")
    _require_own_slots(actor, cooperation.id, chosen)
    membership = found_or_404(policy.signing_membership(actor))
    sentences = [_sentence(actor, waiting) for waiting in chosen]
    to_sign = [
        TextToSign(waiting.revision.digest, sentence)
        for waiting, sentence in zip(chosen, sentences, strict=True)
    ]
    form = ProofForm()
    ways = proof_fields.ways(actor)
    form.ask_for(app=ways.has_app, passkey=ways.has_passkey)

    def prove_and_sign() -> None:
        page = shown.page_of(actor, form.page_token.data)
        identity, pages = proof_fields.prove_several(actor, Given(**form.given), page, to_sign)
        agreements.sign_several(
            actor,
            [
                (waiting.checklist, own_page, sentence)
                for waiting, own_page, sentence in zip(chosen, pages, sentences, strict=True)
            ],
            language=str(get_locale()),
            identity=identity,
        )

    def lead_back(error: StaleError) -> Response:
        flash(str(error), "error")
        if isinstance(error, shown.OtherSentenceError):
            return _to_sentences(reference, request.args.getlist("opened"))
        return _to_page_1(reference, request.args.getlist("opened"))

    shown_texts = [
        {
            "checklist": waiting.checklist,
            "revision": waiting.revision,
            "text": frozen_text.read(waiting.document, locale.language()),
            "sentence": sentence,
            "replaced": waiting.replaced,
        }
        for waiting, sentence in zip(chosen, sentences, strict=True)
    ]
    done = form.validate_on_submit() and perform(
        form,
        prove_and_sign,
        success=ngettext("You signed %(num)s text.", "You signed %(num)s texts.", len(chosen)),
        next=redirect(url_for("dashboard.cooperation", reference=reference), 303),
        conflict=lead_back,
    )
    if done:
        return done
    offer = proof_fields.offer_several(actor, to_sign)
    form.page_token.data = offer.token
    return render_template(
        "agreements/together/sign.html",
        cooperation=cooperation,
        texts=shown_texts,
        form=form,
        offer=offer,
        organisation_name=actor.organisation_name,
        confirmed=confirmed_words(policy.confirmation_of(membership)),
        has_second_factor=actor.has_second_factor,
    )


# Parts --------------------------------------------------------------------------------------------


def _sentence(actor: Actor, waiting: WaitingText) -> str:
    membership = found_or_404(policy.signing_membership(actor))
    return agreement_pages.sentence(
        actor,
        membership,
        waiting.view,
        frozen_text.title_in(waiting.document, locale.language()),
        waiting.document["cooperation"]["title"],
        waiting.replaced,
    )


def _options(actor: Actor, texts: Sequence[WaitingText]) -> list[tuple[str, str]]:
    """Return each text with the mark that says that this person opened it, and its title."""
    return [
        (
            shown.mark_of(actor, waiting.revision.digest),
            frozen_text.read(waiting.document, locale.language()).title,
        )
        for waiting in texts
    ]


def _for_reading(actor: Actor, waiting: WaitingText) -> dict[str, Any]:
    """Return a text for page 1, with what changed if the person opened another revision before."""
    parties = heads.parties(waiting.checklist)
    changes = (
        revisions.since(waiting.checklist, digest, waiting.revision)
        for digest in sorted(_opened(actor))
    )
    return {
        "checklist": waiting.checklist,
        "revision": waiting.revision,
        "text": frozen_text.read(waiting.document, locale.language_of_text()),
        "replaced": waiting.replaced,
        "since": next((since for since in changes if since is not None), None),
        "signers": agreement_pages.who_signs(waiting.view, parties, actor, waiting.document),
        "rules": agreement_pages.rules(waiting.view, parties),
        "passings": agreement_pages.passings(waiting.view),
        "until": agreement_pages.until_words(waiting.view),
    }


def _note_reading(
    actor: Actor, cooperation: Cooperation, texts: Sequence[WaitingText], page: str
) -> None:
    """Log that a person opens texts of a visit (K2), as on the pages of one text."""
    restricted = [
        waiting.checklist.id for waiting in texts if encryption.is_restricted(waiting.checklist)
    ]
    if not restricted:
        return
    log = partial(
        trail.log_reads,
        actor,
        cooperation_id=cooperation.id,
        subject_type="checklist",
        subject_ids=restricted,
        page=page,
    )
    note_reading(log, f"{page} {cooperation.id}")


def _require_own_slots(actor: Actor, cooperation_id: UUID, texts: Sequence[WaitingText]) -> None:
    """Raise RefusedError unless events bind in whose place the person signs each text."""
    if request.method == "GET":
        requests = [waiting.view.request for waiting in texts]
        signoff.require_own_slots_as_recorded(actor, cooperation_id, requests)


def _opened(actor: Actor) -> set[str]:
    """Return the digests of the texts that the person has opened, from the URL."""
    marks = request.args.getlist("opened")
    return {shown.digest_in(actor, mark) for mark in marks} - {""}


def _read_again(reference: str) -> Response:
    """Redirect to page 1 if a text that was chosen can't be signed any more, or none was chosen."""
    marks = request.args.getlist("opened")
    if marks:
        flash(
            _(
                "One of the texts can't be signed any more as you opened it, so nothing was "
                "signed. Look at the texts again."
            ),
            "error",
        )
    return _to_page_1(reference, marks)


def _to_page_1(reference: str, marks: Sequence[str]) -> Response:
    return redirect(url_for("together.read", reference=reference, opened=list(marks)), 303)


def _to_sentences(reference: str, marks: Sequence[str]) -> Response:
    return redirect(url_for("together.sign", reference=reference, opened=list(marks)), 303)


def _to_single(cooperation: Cooperation, texts: Sequence[WaitingText]) -> Response:
    """Redirect to the one text that can be signed, or to the cooperation if there is none."""
    if not texts:
        flash(_("No text in this cooperation is waiting for your signature."), "warning")
        return redirect(url_for("dashboard.cooperation", reference=cooperation.reference), 303)
    return redirect(url_for("signing.read", checklist_id=texts[0].checklist.id), 303)
