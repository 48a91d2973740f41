"""Pages for undertakings signed on paper: print, record a scan, view, confirm, refuse, withdraw."""

from functools import partial

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access import reading
from tracker.access.actor import Actor
from tracker.access.gate import (
    current_actor,
    found_or_404,
    note_reading,
    require,
    signed_in,
)
from tracker.activity import service as trail
from tracker.cooperations import keys
from tracker.core import clock
from tracker.core.localized import LocalizedStr
from tracker.mail.render import in_language
from tracker.signoff import paper as papers
from tracker.signoff import proof_fields, scans, shown
from tracker.signoff.paper_models import PaperRecord
from tracker.signoff.scans import ENDINGS, ScanType
from tracker.ui import locale
from tracker.ui.perform import perform, require_for
from tracker.ui.uploads import takes_files
from tracker.undertakings import labels
from tracker.undertakings import pages as undertaking_pages
from tracker.undertakings import policy as undertaking_policy
from tracker.undertakings.forms import ComparedForm, ScanReasonForm, paper_form
from tracker.undertakings.models import SUBJECT, Undertaking, UndertakingState
from tracker.undertakings.pages import Others
from tracker.undertakings.paper import pages, policy, service
from tracker.undertakings.queries import Loaded

blueprint = Blueprint(
    "undertaking_paper",
    __name__,
    url_prefix="/cooperations/<reference>/undertakings/<undertaking_id>/paper",
)


@blueprint.get("/blank")
@signed_in
def blank(reference: str, undertaking_id: str) -> str:
    """Show the paper to print, for a person without an account to fill in and sign.

    It is in the language of the person's papers, or in the one chosen.
    """
    actor = current_actor()
    loaded = undertaking_pages.taken_or_404(actor, reference, undertaking_id)
    require(undertaking_policy.can_take_signature(actor, loaded.standing, clock.today()))
    with in_language(_language_of_paper(loaded.undertaking)):
        taking = undertaking_pages.taking(actor, reference, undertaking_id)
        return render_template(
            "undertakings/paper/blank.html",
            **taking.words,
            language=locale.language(),
            languages=locale.languages(),
        )


@blueprint.route("/record", methods=["GET", "POST"])
@signed_in
@takes_files(scans.MAX_REQUEST_BYTES)
def record(reference: str, undertaking_id: str) -> str | Response:
    """Record the scan of the signed paper, with what the person filled in on it."""
    actor = current_actor()
    taking = undertaking_pages.taking(actor, reference, undertaking_id)
    reading.require_second_factor(to_read=False)  # a scan stands for a signature
    undertaking = taking.loaded.undertaking
    form = paper_form(taking.questions, _language_of_paper(undertaking))
    require_for(form, taking.allowed)
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.record(
            actor,
            undertaking.id,
            draft=form.draft,
            signed_on=form.day,
            scan=form.checked_scan(),
            sentence=_sentence_in(form.language.data, taking.loaded),
        ),
        success=_("The scan is recorded. Somebody else from the NPM now has to confirm it."),
        next=_to_scan(reference, undertaking_id),
    )
    return done or render_template("undertakings/paper/record.html", **taking.words, form=form)


@blueprint.route("", methods=["GET", "POST"])
@signed_in
def show(reference: str, undertaking_id: str) -> str | Response:
    """Show the scan; a second person who decides for the NPM compares and confirms it here."""
    actor = current_actor()
    loaded = undertaking_pages.taken_or_404(actor, reference, undertaking_id)
    undertaking = loaded.undertaking
    paper_record = _scan_of(undertaking)
    may_decide = policy.can_decide(actor, loaded.standing, clock.today())
    if may_decide or request.method == "POST":
        reading.require_second_factor(to_read=False)
    form = ComparedForm()
    name = undertaking.user.name
    sentence = pages.sentence(paper_record, name, actor)
    if form.is_submitted():
        require(may_decide)
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.confirm(
            actor,
            undertaking.id,
            page=shown.page_of(actor, form.page_token.data),
            sentence=sentence,
            language=str(get_locale()),
        ),
        success=_("You confirmed the scan. The NPM now has to countersign it."),
        next=redirect(
            url_for("undertakings.check", reference=reference, undertaking_id=undertaking_id), 303
        ),
    )
    if done:
        return done
    # A broken rule has rolled the transaction back.
    loaded = undertaking_pages.taken_or_404(actor, reference, undertaking_id)
    paper_record = _scan_of(loaded.undertaking)
    if may_decide:
        page = shown.page_with(paper_record.digest)
        form.page_token.data = proof_fields.token_to_vouch(actor, page, sentence)
    signed = found_or_404(undertaking_pages.signed(loaded.undertaking, locale.language_of_text()))
    may_see = bool(undertaking_policy.can_see(actor, loaded.standing, clock.today()))
    if may_see:
        _log_read(actor, loaded.undertaking)
    return render_template(
        "undertakings/paper/show.html",
        **undertaking_pages.words(loaded),
        reference=reference,
        view=pages.view(loaded.undertaking, paper_record, signed),
        size=locale.file_size(paper_record.size),
        # What was declared (C13) is shown to deciders only, not to other coordinators.
        signed=signed if may_see else None,
        digest_of_text=signed.revision.digest,
        sentence_words=sentence,
        form=form,
        may_decide=may_decide,
        waits=loaded.undertaking.state is UndertakingState.ON_PAPER,
        others=_others_to_confirm(actor, loaded),
        may_read=bool(policy.can_read(actor, loaded.standing, clock.today())),
        may_withdraw=bool(policy.can_withdraw(actor, loaded.standing)),
    )


@blueprint.route("/refuse", methods=["GET", "POST"])
@signed_in
def refuse(reference: str, undertaking_id: str) -> str | Response:
    """Refuse the scan as a second person, with a reason."""
    actor = current_actor()
    loaded = undertaking_pages.taken_or_404(actor, reference, undertaking_id)
    form = ScanReasonForm()
    require_for(form, policy.can_decide(actor, loaded.standing, clock.today()))
    words = undertaking_pages.words(loaded)
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.refuse(actor, loaded.undertaking.id, reason=form.reason.data or ""),
        success=_("You refused the scan. The person can sign a new paper."),
        next=redirect(url_for("undertakings.listed", reference=reference), 303),
    )
    return done or render_template(
        "undertakings/paper/no.html",
        **words,
        reference=reference,
        form=form,
        title_words=_("Refuse the scan"),
    )


@blueprint.route("/withdraw", methods=["GET", "POST"])
@signed_in
def withdraw(reference: str, undertaking_id: str) -> str | Response:
    """Withdraw the scan before it is confirmed, with a reason."""
    actor = current_actor()
    loaded = undertaking_pages.taken_or_404(actor, reference, undertaking_id)
    form = ScanReasonForm()
    require_for(form, policy.can_withdraw(actor, loaded.standing))
    words = undertaking_pages.words(loaded)
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.withdraw(actor, loaded.undertaking.id, reason=form.reason.data or ""),
        success=_("The scan is withdrawn. The person can sign a new paper."),
        next=redirect(url_for("undertakings.listed", reference=reference), 303),
    )
    return done or render_template(
        "undertakings/paper/no.html",
        **words,
        reference=reference,
        form=form,
        title_words=_("Withdraw the scan"),
    )


@blueprint.get("/scan")
@signed_in
def scan(reference: str, undertaking_id: str) -> Response:
    """Send the scan as a download to people who may read it; it is never shown in a page."""
    actor = current_actor()
    loaded = undertaking_pages.taken_or_404(actor, reference, undertaking_id)
    undertaking = loaded.undertaking
    paper_record = _scan_of(undertaking)
    require(policy.can_read(actor, loaded.standing, clock.today()))
    _log_read(actor, undertaking)
    answer = make_response(papers.scan_of(paper_record, keys.key_of(undertaking.cooperation_id)))
    answer.headers["Content-Type"] = paper_record.media_type
    ending = ENDINGS[ScanType(paper_record.media_type)]
    answer.headers["Content-Disposition"] = f'attachment; filename="undertaking-paper.{ending}"'
    return answer


def _language_of_paper(undertaking: Undertaking) -> str:
    """Return the language chosen for a paper, else that of the person's papers."""
    offered = [known.code for known in locale.languages()]
    wanted = (request.args.get("language"), undertaking.user.language, locale.language())
    return next(code for code in wanted if code in offered)


def _sentence_in(language: str, loaded: Loaded) -> LocalizedStr:
    """Return the sentence that a person signed, in the language of the paper."""
    with in_language(language):
        words = labels.sentence(loaded.undertaking.user.name, loaded.terms, loaded.documents)
    return LocalizedStr(words, language)


def _others_to_confirm(actor: Actor, loaded: Loaded) -> Others | None:
    """Return who confirms a scan instead of the reader, if only recording it prevents them."""
    may_decide = partial(policy.can_decide, actor, today=clock.today())
    if not undertaking_policy.bars_only_taker(may_decide, loaded.standing):
        return None
    return undertaking_pages.others_who_decide(actor, loaded)


def _scan_of(undertaking: Undertaking) -> PaperRecord:
    """Return the scan of an undertaking, or abort with 404."""
    revision_id = undertaking.revision_id
    recorded = papers.on_revisions([revision_id] if revision_id else []).values()
    return found_or_404(next((rows[0] for rows in recorded), None))


def _log_read(actor: Actor, undertaking: Undertaking) -> None:
    """Log who read what a person declared, which few people may."""
    log = partial(
        trail.log_read,
        actor,
        cooperation_id=undertaking.cooperation_id,
        subject_type=SUBJECT,
        subject_id=undertaking.id,
        page=SUBJECT,
    )
    note_reading(log, f"{SUBJECT} {undertaking.id}")


def _to_scan(reference: str, undertaking_id: str) -> Response:
    return redirect(
        url_for("undertaking_paper.show", reference=reference, undertaking_id=undertaking_id), 303
    )
