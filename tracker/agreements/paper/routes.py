"""Pages for signing on paper: record a scan; view, confirm, refuse, withdraw or download one."""

from collections.abc import Sequence
from typing import Any
from uuid import UUID

from flask import Blueprint, make_response, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access import reading
from tracker.access.actor import Actor
from tracker.access.gate import current_actor, found_or_404, require, signed_in
from tracker.agreements import frozen_text, notices, revisions
from tracker.agreements import service as agreements
from tracker.agreements.paper import pages as paper_pages
from tracker.agreements.paper import prior_agreements
from tracker.agreements.paper import service as paper
from tracker.agreements.paper.forms import (
    ConfirmForm,
    NoForm,
    offices_in,
    paper_form,
    prior_agreement_form,
    signers_in,
)
from tracker.agreements.revisions import Since
from tracker.checklists import encryption, heads, labels
from tracker.checklists import queries as checklists
from tracker.checklists.editing import checklist_page, get_or_404, load_localized
from tracker.checklists.loading import LoadedChecklist, load
from tracker.checklists.models import Checklist
from tracker.cooperations import keys
from tracker.core.errors import RuleBrokenError
from tracker.signoff import paper as papers
from tracker.signoff import proof_fields, scans, shown
from tracker.signoff import queries as signoff
from tracker.signoff import service as signoff_service
from tracker.signoff.labels import too_late_words
from tracker.signoff.models import Revision, SignatureRequest
from tracker.signoff.paper import Signer
from tracker.signoff.paper_models import PaperKind, PaperRecord
from tracker.signoff.scan_fields import ReadScanFields
from tracker.signoff.scans import ENDINGS, ScanType
from tracker.ui import locale
from tracker.ui.perform import perform, require_for
from tracker.ui.uploads import takes_files

blueprint = Blueprint("paper", __name__, url_prefix="/checklists/<uuid:checklist_id>")


def _to_record(checklist: Checklist, revision: Revision) -> Response:
    return redirect(
        url_for("signing.record_of", checklist_id=checklist.id, number=revision.number), 303
    )


@blueprint.route("/paper", methods=["GET", "POST"])
@signed_in
@takes_files(scans.MAX_REQUEST_BYTES)
def record(checklist_id: UUID) -> str | Response:
    """Record that your own organisation signed the text on paper (product.md, 5.6)."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "record_paper")
    reading.require_second_factor(to_read=False)  # a scan stands for signatures
    if checklist.revision_sent_id is None:
        if request.method == "GET":
            require(checklists.goes_on(checklist))
        return _recorded_too_late(actor, checklist)
    signature_request = found_or_404(signoff.request_of(checklist.revision_sent_id))
    revision = signature_request.revision
    document = signoff_service.document_of(revision, encryption.key_for(checklist))
    parties = heads.parties(checklist)
    require(paper.can_record(actor, parties, signature_request, document))
    lines = paper.open_lines(actor, signature_request, document)
    form: Any = paper_form(lines)
    done: Response | None = form.validate_on_submit() and perform(
        form,
        lambda: paper.record(
            actor,
            checklist,
            page=shown.page_of(actor, form.page_token.data),
            signed_on=form.signed_on.data,
            offices=offices_in(form),
            scan=form.checked_scan(),
        ),
        success=_("The scan is recorded. Another party now has to confirm it."),
        next=_to_record(checklist, revision),
    )
    if done:
        return done
    page = shown.page_of(actor, form.page_token.data)
    if form.is_submitted():
        form.refuse_unless_shown(page, revision.digest)
    form.page_token.data = shown.token_of(actor, shown.page_with(revision.digest))
    since = revisions.since(checklist, page.digest if page else "", revision)
    return _record_page(checklist, revision, form, lines, since)


def _recorded_too_late(actor: Actor, checklist: Checklist) -> str:
    """Show the submitted form again if the text is no longer pending, so that nothing is lost."""
    seen = shown.digest_on(actor, request.form.get("page_token"))
    pairs = signoff.revisions_of(agreements.SUBJECT, checklist.id)
    revision = found_or_404(next((old for old, _request in pairs if old.digest == seen), None))
    signature_request = found_or_404(signoff.request_of(revision.id))
    document = signoff_service.document_of(revision, encryption.key_for(checklist))
    lines = paper.named_lines(actor, signature_request, document)
    form: Any = paper_form(lines)
    form.refuse(RuleBrokenError(too_late_words(signature_request)))
    return _record_page(checklist, revision, form, lines)


def _record_page(
    checklist: Checklist,
    revision: Revision,
    form: ReadScanFields,
    lines: Sequence[Signer],
    since: Since | None = None,
) -> str:
    document = signoff_service.document_of(revision, encryption.key_for(checklist))
    return render_template(
        "agreements/paper_record.html",
        checklist=checklist,
        cooperation=heads.cooperation(checklist),
        revision=revision,
        since=since,
        replaced=notices.replaced_by_signing(checklist),
        text=frozen_text.read(document, locale.language()),
        form=form,
        lines=lines,
        kind_words=labels.KINDS[checklist.kind],
    )


@blueprint.route("/former", methods=["GET", "POST"])
@signed_in
@takes_files(scans.MAX_REQUEST_BYTES)
def record_prior_agreement(checklist_id: UUID) -> str | Response:
    """Record an agreement that was made on paper before this tool was used (product.md, 5.6)."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "record_prior_agreement")
    reading.require_second_factor(to_read=False)  # a scan stands for signatures
    # Loaded in full only by the verb, and afterwards for the page, so that newer answers count.
    parties = heads.parties(checklist)
    require(prior_agreements.can_record(actor, checklist, parties))
    form: Any = prior_agreement_form(parties)
    done = form.validate_on_submit() and perform(
        form,
        lambda: prior_agreements.record(
            actor,
            checklist,
            page=shown.page_of(actor, form.page_token.data),
            signed_on=form.signed_on.data,
            ends_on=form.ends_on.data,
            signers=signers_in(form, parties),
            scan=form.checked_scan(),
        ),
        success=_("The agreement is recorded. Every other party now has to confirm it."),
        next=lambda paper_record: redirect(
            url_for("paper.show", checklist_id=checklist_id, record_id=paper_record.id), 303
        ),
    )
    if done:
        return done
    loaded = load(checklist)
    known = prior_agreements.known_text(loaded)
    digest = prior_agreements.digest_of(known)
    if form.is_submitted():
        form.refuse_unless_shown(shown.page_of(actor, form.page_token.data), digest)
    form.page_token.data = shown.token_of(actor, shown.page_with(digest))
    lacking = set(prior_agreements.not_known(loaded))
    return checklist_page(
        "agreements/prior_agreement.html",
        loaded,
        form=form,
        text=frozen_text.read(known, locale.language_of_text()),
        parties=parties,
        not_known=[item for item in loaded.template.items if item.code in lacking],
    )


@blueprint.route("/papers/<uuid:record_id>", methods=["GET", "POST"])
@signed_in
def show(checklist_id: UUID, record_id: UUID) -> str | Response:
    """Show a recorded scan, and let another party confirm it."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "paper")
    record, revision, signature_request = _get_or_404(checklist, record_id)
    loaded = load_localized(checklist)
    may_answer = bool(paper.can_decide(actor, loaded, record, signature_request))
    if may_answer or request.method == "POST":
        reading.require_second_factor(to_read=False)
    form = ConfirmForm()
    words = paper_pages.sentence(record, revision, actor)
    if form.is_submitted():
        require(paper.can_decide(actor, loaded, record, signature_request))
    done = form.validate_on_submit() and perform(
        form,
        lambda: paper.confirm(
            actor,
            checklist,
            record.id,
            page=shown.page_of(actor, form.page_token.data),
            sentence=words,
            language=str(get_locale()),
        ),
        success=lambda _record: _confirmed(checklist),
        next=_to_record(checklist, revision),
    )
    if done:
        return done
    if may_answer:
        page = shown.page_with(record.digest)
        form.page_token.data = proof_fields.token_to_vouch(actor, page, words)
    document = signoff_service.document_of(revision, encryption.key_for(checklist))
    return checklist_page(
        "agreements/paper.html",
        loaded,
        revision=revision,
        view=paper_pages.view(checklist, record, revision, signature_request),
        size=locale.file_size(record.size),
        # The page for confirming shows everything that was signed (product.md, 5.3).
        text=frozen_text.read(document, locale.language_of_text()) if may_answer else None,
        is_former=record.kind is PaperKind.FORMER,
        sentence_words=words,
        form=form,
        may_answer=may_answer,
        confirmers=paper_pages.confirmers(actor, loaded, record, signature_request),
        may_withdraw=bool(paper.can_withdraw(actor, loaded, record, signature_request)),
    )


def _confirmed(checklist: Checklist) -> str:
    if checklist.revision_sent_id is not None:
        return str(_("You confirmed it. The text is waiting for others."))
    return str(
        _(
            "You confirmed it. All parties have now signed. The record says when "
            "the text comes into force."
        )
    )


@blueprint.route("/papers/<uuid:record_id>/refuse", methods=["GET", "POST"])
@signed_in
def refuse(checklist_id: UUID, record_id: UUID) -> str | Response:
    """Refuse a scan for another party, with a reason."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "refuse_paper")
    record, revision, signature_request = _get_or_404(checklist, record_id)
    loaded = load_localized(checklist)
    form = NoForm()
    require_for(form, paper.can_decide(actor, loaded, record, signature_request))
    done = form.validate_on_submit() and perform(
        form,
        lambda: paper.refuse(actor, checklist, record.id, reason=form.reason.data or ""),
        success=_(
            "You refused the scan. The person who recorded it gets a message with your reason."
        ),
        next=_to_record(checklist, revision),
    )
    return done or _no_page(
        loaded,
        record,
        form,
        _("Refuse the scan"),
        _(
            "The scan and your reason stay in the history. The text is still waiting for a "
            "signature."
        )
        if record.kind is PaperKind.TEXT
        else _("The scan and your reason stay in the history. The checklist is open again."),
    )


@blueprint.route("/papers/<uuid:record_id>/withdraw", methods=["GET", "POST"])
@signed_in
def withdraw(checklist_id: UUID, record_id: UUID) -> str | Response:
    """Withdraw a scan recorded by your own side."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "withdraw_paper")
    record, revision, signature_request = _get_or_404(checklist, record_id)
    loaded = load_localized(checklist)
    form = NoForm()
    require_for(form, paper.can_withdraw(actor, loaded, record, signature_request))
    done = form.validate_on_submit() and perform(
        form,
        lambda: paper.withdraw(actor, checklist, record.id, reason=form.reason.data or ""),
        success=_("The scan is withdrawn. It stays in the history."),
        next=_to_record(checklist, revision),
    )
    return done or _no_page(
        loaded,
        record,
        form,
        _("Withdraw the scan"),
        _("The scan and your reason stay in the history. You can record another one."),
    )


@blueprint.get("/papers/<uuid:record_id>/scan")
@signed_in
def scan(checklist_id: UUID, record_id: UUID) -> Response:
    """Send a scan as a download to people who may open the text; it is never shown in a page."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "scan")
    record, revision, _request = _get_or_404(checklist, record_id)
    answer = make_response(papers.scan_of(record, keys.key_of(checklist.cooperation_id)))
    answer.headers["Content-Type"] = record.media_type
    name = f"{checklist.kind.value}-{revision.number}-paper.{ENDINGS[ScanType(record.media_type)]}"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


def _get_or_404(
    checklist: Checklist, record_id: UUID
) -> tuple[PaperRecord, Revision, SignatureRequest]:
    """Return a scan of a checklist with its revision and request, or abort with 404."""
    pairs = signoff.revisions_of(agreements.SUBJECT, checklist.id)
    paper_record = found_or_404(
        papers.find((revision.id for revision, _request in pairs), record_id)
    )
    signature_request = found_or_404(signoff.request_of(paper_record.revision_id))
    return paper_record, signature_request.revision, signature_request


def _no_page(
    loaded: LoadedChecklist, paper_record: PaperRecord, form: NoForm, title: str, lede: str
) -> str:
    return checklist_page(
        "agreements/paper_no.html",
        loaded,
        form=form,
        record_id=paper_record.id,
        title_words=title,
        lede_words=lede,
    )
