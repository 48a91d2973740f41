"""Pages for countersigning several undertakings with one proof of identity."""

from collections.abc import Sequence
from functools import partial

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import get_locale, ngettext
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.gate import current_actor, found_or_404, note_reading, require, signed_in
from tracker.activity import service as trail
from tracker.checklists.forms import ProofForm
from tracker.cooperations import clearances
from tracker.cooperations import queries as cooperations
from tracker.cooperations.models import Cooperation
from tracker.core import clock
from tracker.core.errors import StaleError
from tracker.signoff import policy as signoff_policy
from tracker.signoff import proof_fields, shown
from tracker.signoff.identity_proof import TextToSign
from tracker.signoff.proof_fields import Given
from tracker.ui import locale
from tracker.ui.perform import perform
from tracker.undertakings import added_interests, labels, pages, people, policy, service
from tracker.undertakings import queries as undertakings
from tracker.undertakings.facts import Terms
from tracker.undertakings.forms import OpeningForm, several_form
from tracker.undertakings.models import SUBJECT
from tracker.undertakings.service import OpenedText
from tracker.undertakings.together import queries
from tracker.undertakings.together.queries import ToCountersign

blueprint = Blueprint(
    "undertakings_together",
    __name__,
    url_prefix="/cooperations/<reference>/undertakings/countersign",
)


@blueprint.get("")
@signed_in
def read(reference: str) -> str | Response:
    """Show page 1: what each person signed, and what the countersignatures are to open."""
    actor = current_actor()
    cooperation = _cooperation(actor, reference)
    together = queries.waiting(actor, cooperation)
    if together.terms is None or not together.undertakings:
        return _nothing_waits(reference)
    visits = undertakings.visits(cooperation.id)
    chosen = request.args if "chosen" in request.args else None
    form = several_form(together.terms, visits, _options(actor, together.undertakings), chosen)
    if chosen and form.validate():
        return _to_page_2(reference, form)
    _log_reads(actor, cooperation, together.undertakings)
    return render_template(
        "undertakings/together/read.html",
        reference=reference,
        terms=together.terms,
        covers=pages.covers(together.terms),
        lasts=pages.lasts(together.terms),
        within=pages.within(together.terms),
        signed=[
            (
                row.loaded.undertaking,
                pages.signed_text(row.loaded.undertaking, row.revision, locale.language_of_text()),
            )
            for row in together.undertakings
        ],
        form=form,
        lacks_visit=pages.is_for_one_visit(together.terms) and not visits,
    )


@blueprint.route("/confirm", methods=["GET", "POST"])
@signed_in
def countersign(reference: str) -> str | Response:
    """Show page 2: a sentence for each undertaking chosen, and one fresh proof of identity."""
    actor = current_actor()
    cooperation = _cooperation(actor, reference)
    together = queries.waiting(actor, cooperation)
    if together.terms is None or not together.undertakings:
        return _nothing_waits(reference)
    terms, rows = together.terms, together.undertakings
    visits = undertakings.visits(cooperation.id)
    opening = several_form(terms, visits, _options(actor, rows), request.args)
    if not opening.validate():
        return _read_again(reference)
    chosen = [row for row in rows if _token(actor, row) in opening["opened"].data]
    number = pages.visit_number(visits, opening.visit_id)
    terms_end = clearances.terms_last_day(cooperation.id)
    limited = added_interests.people_with_closed_places(
        cooperation.id, [row.loaded.undertaking.user_id for row in chosen]
    )
    opens = {
        is_limited: pages.opens(
            terms, opening.last_day, number, terms_end, has_closed_places=is_limited
        )
        for is_limited in (False, True)
    }
    sentences = [
        _sentence(actor, row, terms, opens[row.loaded.undertaking.user_id in limited])
        for row in chosen
    ]
    to_sign = [
        TextToSign(row.revision.digest, sentence)
        for row, sentence in zip(chosen, sentences, strict=True)
    ]
    tokens = [_token(actor, row) for row in chosen]
    form = ProofForm()
    ways = proof_fields.ways(actor)
    form.ask_for(app=ways.has_app, passkey=ways.has_passkey)

    def prove_and_countersign() -> None:
        page = shown.page_of(actor, form.page_token.data)
        identity, own_pages = proof_fields.prove_several(actor, Given(**form.given), page, to_sign)
        service.countersign_several(
            actor,
            [
                OpenedText(row.loaded.undertaking.id, token, own_page, sentence)
                for row, token, own_page, sentence in zip(
                    chosen, tokens, own_pages, sentences, strict=True
                )
            ],
            until=opening.last_day,
            visit_id=opening.visit_id,
            language=str(get_locale()),
            identity=identity,
        )

    def lead_back(error: StaleError) -> Response:
        flash(str(error), "error")
        return redirect(url_for("undertakings_together.read", reference=reference), 303)

    shown_texts = [
        {
            "undertaking": row.loaded.undertaking,
            "name": row.loaded.undertaking.user.name,
            "sentence_parts": pages.with_names(
                sentence, actor.name, actor.organisation_name, row.loaded.undertaking.user.name
            ),
            "digest": row.revision.digest,
        }
        for row, sentence in zip(chosen, sentences, strict=True)
    ]
    done = form.validate_on_submit() and perform(
        form,
        prove_and_countersign,
        success=ngettext(
            "You countersigned %(num)s undertaking. The person now has access.",
            "You countersigned %(num)s undertakings. These people now have access.",
            len(chosen),
        ),
        next=redirect(url_for("undertakings.listed", reference=reference), 303),
        conflict=lead_back,
    )
    if done:
        return done
    offer = proof_fields.offer_several(actor, to_sign)
    form.page_token.data = offer.token
    return render_template(
        "undertakings/together/countersign.html",
        reference=reference,
        terms=terms,
        texts=shown_texts,
        form=form,
        offer=offer,
    )


# Parts --------------------------------------------------------------------------------------------


def _cooperation(actor: Actor, reference: str) -> Cooperation:
    """Return a cooperation in which the person decides for the NPM, or abort.

    With 404 if they may not see it, with 403 and the reason if they don't decide there.
    """
    cooperation = found_or_404(cooperations.find(actor, reference))
    require(
        policy.can_decide_for(
            actor,
            people.npm_ids(cooperation.id),
            clock.today(),
            _("Only a signatory or manager of the NPM can countersign."),
        )
    )
    return cooperation


def _token(actor: Actor, row: ToCountersign) -> str:
    return service.page_1_token_without_interests(actor, row.loaded.undertaking)


def _options(actor: Actor, rows: Sequence[ToCountersign]) -> list[tuple[str, str]]:
    """Return each undertaking with the token that says what this person read, and the name."""
    return [(_token(actor, row), row.loaded.undertaking.user.name) for row in rows]


def _to_page_2(reference: str, form: OpeningForm) -> Response:
    """Redirect to page 2, with what was chosen in its address."""
    chosen = {
        "opened": form["opened"].data,
        "until": form.last_day.isoformat(),
        "visit": form.visit_id,
    }
    return redirect(
        url_for("undertakings_together.countersign", reference=reference, **chosen), 303
    )


def _sentence(actor: Actor, row: ToCountersign, terms: Terms, opens: str) -> str:
    membership = found_or_404(signoff_policy.deciding_membership(actor, clock.today()))
    return labels.countersigning_sentence(
        actor.name,
        membership,
        row.loaded.undertaking.user.name,
        terms,
        row.loaded.documents,
        opens,
    )


def _log_reads(actor: Actor, cooperation: Cooperation, rows: Sequence[ToCountersign]) -> None:
    """Log who read what people declared, which few people may: that there is nothing, too."""
    log = partial(
        trail.log_reads,
        actor,
        cooperation_id=cooperation.id,
        subject_type=SUBJECT,
        subject_ids=[row.loaded.undertaking.id for row in rows],
        page=SUBJECT,
    )
    note_reading(log, f"{SUBJECT} {cooperation.id}")


def _nothing_waits(reference: str) -> Response:
    flash(_("No undertakings are waiting that you could countersign together."), "warning")
    return redirect(url_for("undertakings.listed", reference=reference), 303)


def _read_again(reference: str) -> Response:
    flash(
        _(
            "One of the undertakings can't be countersigned any more as you opened it, so nothing "
            "was signed. Look at them again."
        ),
        "error",
    )
    return redirect(url_for("undertakings_together.read", reference=reference), 303)
