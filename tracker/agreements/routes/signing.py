"""Pages for signing a checklist: send, read, sign, decline, call back, amend, and the record.

In one file: the pages of one blueprint show the same frozen text and lead to each other.
"""

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.actor import Actor, ActorMembership
from tracker.access.gate import current_actor, found_or_404, require, signed_in
from tracker.accounts import queries as accounts
from tracker.activity import queries as trail
from tracker.activity.queries import HistoryLine
from tracker.agreements import (
    amendments,
    evidence,
    frozen_text,
    keeping,
    renewal,
    revisions,
    text_shown,
    waiting_texts,
)
from tracker.agreements import (
    forms as agreement_forms,
)
from tracker.agreements import (
    notices as agreements_notices,
)
from tracker.agreements import (
    pages as agreement_pages,
)
from tracker.agreements import (
    service as agreements,
)
from tracker.agreements.frozen_text import FrozenText
from tracker.agreements.paper import pages as paper_pages
from tracker.agreements.paper import service as paper
from tracker.agreements.routes import going_on, on_text
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import (
    encryption,
    heads,
    labels,
    policy,
)
from tracker.checklists import queries as checklists
from tracker.checklists.editing import (
    RECORD,
    checklist_page,
    get_or_404,
    load_localized,
    require_ahead,
)
from tracker.checklists.forms import ProofForm, ReasonOnTextForm, items_form
from tracker.checklists.history import item_titles
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.misnamed import misnamed
from tracker.checklists.models import Checklist, ChecklistState, Notice, NoticeKind
from tracker.checklists.negotiation import warnings
from tracker.checklists.obstacles import item_names, to_sending
from tracker.checklists.pages import send_obstacles
from tracker.cooperations.pages import departed, taken_over
from tracker.core import clock
from tracker.core.errors import RuleBrokenError, StaleError
from tracker.signoff import paper as paper_records
from tracker.signoff import policy as signoff_policy
from tracker.signoff import proof_fields, shown
from tracker.signoff import queries as signoff
from tracker.signoff import service as signoff_service
from tracker.signoff.labels import (
    confirmed_words,
    method_words,
    scan_words,
    signed_words,
    too_late_words,
)
from tracker.signoff.models import Revision, SignatureRequest
from tracker.signoff.outcomes import Outcome
from tracker.signoff.proof_fields import Given
from tracker.ui import locale
from tracker.ui.fields import Option
from tracker.ui.perform import perform, require_for

blueprint = Blueprint("signing", __name__, url_prefix="/checklists/<uuid:checklist_id>")
blueprint.add_app_template_filter(method_words, "method_words")
blueprint.add_app_template_filter(signed_words, "signed_words")
blueprint.add_app_template_filter(scan_words, "scan_words")


def _to_list(checklist_id: UUID) -> Response:
    return redirect(url_for("checklists.show", checklist_id=checklist_id), 303)


def _to_record(checklist_id: UUID) -> Response:
    return redirect(url_for("signing.record", checklist_id=checklist_id), 303)


@blueprint.route("/send", methods=["GET", "POST"])
@signed_in
def send(checklist_id: UUID) -> str | Response:
    """Name who signs for each party, and send the text for signature."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "send")
    require_ahead(actor, checklist, policy.can_ever_send)
    loaded = load_localized(checklist)
    require(
        policy.can_send(
            actor,
            loaded.own_party(actor),
            checklist.state,
            goes_on=loaded.goes_on(),
        )
    )
    able = agreements.signatories(loaded)
    lacking = [
        party.name
        for party in loaded.surroundings.parties
        if not any(signatory.holds_on(clock.today()) for signatory in able[party.organisation_id])
    ]
    form: Any = agreement_forms.send_form(
        loaded,
        able,
        _language_choices(loaded),
        agreements.who_else_is_reminded(loaded),
        _by_m1(loaded),
    )
    obstacles = to_sending(loaded)
    as_loaded = agreements.sending_token(actor, loaded)
    if not obstacles and not lacking and form.validate_on_submit():
        done: Response | None = perform(
            form,
            lambda: agreements.send_as_shown(
                actor,
                checklist,
                agreement_forms.named_in(form, loaded, able),
                token=form["page_token"].data or "",
                binding=form["binding"].data if "binding" in form else "",
                asking=agreement_forms.asking_in(form),
            ),
            success=_("The text is frozen and sent. The signatories see it in My work."),
            next=lambda _sent: going_on.after_sending(actor, checklist),
        )
        if done:
            return done
    form["page_token"].data = as_loaded
    return checklist_page(
        "agreements/send.html",
        loaded,
        form=form,
        parties=[(party, able[party.organisation_id]) for party in loaded.surroundings.parties],
        several=agreement_forms.SEVERAL,
        lacking=lacking,
        replaced=agreements_notices.replaced_by_signing(checklist),
        hinted_items=warnings.hints_before_sending(loaded, locale.language()),
        obstacles=send_obstacles(loaded),
        is_restricted=encryption.is_restricted(checklist),
    )


def _by_m1(loaded: LoadedChecklist) -> dict[UUID, tuple[UUID, str]]:
    """Return the person whom item M1 names to sign for each party, with id and name."""
    named = agreements.named_by_m1(loaded)
    names = accounts.names(named.values())
    return {party: (person, names.get(person, "")) for party, person in named.items()}


def _language_choices(loaded: LoadedChecklist) -> list[Option]:
    """Return the languages a text is frozen in, the default binding one first."""
    known = agreements.languages(loaded)
    first = agreements.binding_by_default(loaded)
    return [
        Option(
            code,
            locale.name_of(code),
            _(
                "Not translated yet, so shown in another language: %(items)s.",
                items=item_names(loaded, lacking),
            )
            if (lacking := known[code])
            else "",
        )
        for code in sorted(known, key=lambda code: code != first)
    ]


def _waiting(checklist: Checklist) -> SignatureRequest:
    """Return a checklist's pending signature request; abort with 404 if there is none.

    With 403 and the reason if its visit was stopped.
    """
    if checklist.revision_sent_id is None:
        require(checklists.goes_on(checklist))
        abort(404)
    return found_or_404(signoff.request_of(checklist.revision_sent_id))


def _may_sign(actor: Actor, signature_request: SignatureRequest) -> Any:
    return signoff_policy.can_sign_for(
        actor, agreements.standing_of(signature_request), clock.today()
    )


@blueprint.get("/sign")
@signed_in
def read(checklist_id: UUID) -> str | Response:
    """Show page 1 of signing, with the frozen text to read and check (product.md, 5.3)."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "read_to_sign")
    if checklist.revision_sent_id is None:
        return _to_record(checklist_id)
    signature_request = _waiting(checklist)
    require(_may_sign(actor, signature_request))
    document = _document(checklist, signature_request.revision)
    membership = found_or_404(signoff_policy.signing_membership(actor))
    who_signs = _who_signs(actor, checklist, signature_request, document)
    replaced = agreements_notices.replaced_by_signing(checklist)
    return render_template(
        "agreements/sign_read.html",
        checklist=checklist,
        cooperation=heads.cooperation(checklist),
        revision=signature_request.revision,
        text=_text(document),
        sentence_words=_sentence(actor, membership, who_signs["asking"], document, replaced),
        since=revisions.since(checklist, _opened(actor), signature_request.revision),
        opened=shown.mark_of(actor, signature_request.revision.digest),
        replaced=replaced,
        are_several=waiting_texts.count_asked(actor, checklist.cooperation_id) > 1,
        **who_signs,
        kind_words=labels.KINDS[checklist.kind],
    )


@blueprint.route("/sign/confirm", methods=["GET", "POST"])
@signed_in
def sign(checklist_id: UUID) -> str | Response:
    """Show page 2 of signing: one plain sentence, and a fresh proof of identity."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "sign")
    if checklist.revision_sent_id is None:
        return _signed_too_late(actor, checklist)
    signature_request = _waiting(checklist)
    require(_may_sign(actor, signature_request))
    revision = signature_request.revision
    if request.method == "GET" and _opened(actor) != revision.digest:
        return _read_again(actor, checklist, _opened(actor))
    document = _document(checklist, revision)
    text = frozen_text.read(document, locale.language())
    membership = found_or_404(signoff_policy.signing_membership(actor))
    # Before the proof: a failed one rolls the transaction back.
    who_signs = _who_signs(actor, checklist, signature_request, document)
    replaced = agreements_notices.replaced_by_signing(checklist)
    sentence = _sentence(actor, membership, who_signs["asking"], document, replaced)
    form = ProofForm()
    ways = proof_fields.ways(actor)
    form.ask_for(app=ways.has_app, passkey=ways.has_passkey)

    def prove_and_sign() -> None:
        page = shown.page_of(actor, form.page_token.data)
        identity = proof_fields.prove(
            actor, Given(**form.given), page, document_digest=revision.digest, sentence=sentence
        )
        agreements.sign(
            actor,
            checklist,
            page=page,
            sentence=sentence,
            language=str(get_locale()),
            identity=identity,
        )

    def lead_back(error: StaleError) -> Response:
        flash(str(error), "error")
        seen = shown.digest_on(actor, form.page_token.data)
        if isinstance(error, shown.OtherSentenceError):
            return _to_sentence(actor, checklist, seen)
        return _read_again(actor, checklist, seen)

    done = form.validate_on_submit() and perform(
        form,
        prove_and_sign,
        success=lambda _none: _signed(checklist),
        next=_to_record(checklist_id),
        conflict=lead_back,
    )
    if done:
        return done
    seen = shown.digest_on(actor, form.page_token.data)
    if request.method == "POST" and seen != revision.digest:
        # A page whose proof was incomplete is shown again only for the text that was read.
        return _read_again(actor, checklist, seen)
    offer = proof_fields.offer(actor, shown.page_with(revision.digest), sentence)
    form.page_token.data = offer.token
    return render_template(
        "agreements/sign_confirm.html",
        checklist=checklist,
        cooperation=document["cooperation"],
        revision=revision,
        text=text,
        sentence_words=sentence,
        replaced=replaced,
        form=form,
        **who_signs,
        kind_words=labels.KINDS[checklist.kind],
        organisation_name=actor.organisation_name,
        confirmed=confirmed_words(signoff_policy.confirmation_of(membership)),
        has_second_factor=actor.has_second_factor,
        offer=offer,
    )


def _signed_too_late(actor: Actor, checklist: Checklist) -> Response:
    """Redirect to the record; say to who read the text that they signed nothing, if they didn't."""
    seen = shown.digest_on(actor, request.form.get("page_token")) or _opened(actor)
    for revision, signature_request in signoff.revisions_of(agreements.SUBJECT, checklist.id):
        have_signed = {signature.user_id for signature in revision.signatures}
        if revision.digest == seen and actor.user_id not in have_signed:
            flash(str(too_late_words(signature_request)), "error")
    return _to_record(checklist.id)


def _signed(checklist: Checklist) -> str:
    if checklist.revision_sent_id is not None:
        return str(_("You signed. The text is waiting for the other signatures."))
    return str(_("You signed. All parties have now signed."))


def _opened(actor: Actor) -> str:
    """Return the digest of the text that the person has read, from the URL."""
    return shown.digest_in(actor, request.args.get("opened"))


def _to_sentence(actor: Actor, checklist: Checklist, seen: str) -> Response:
    """Redirect to page 2 again, which shows the current sentence to sign."""
    opened = shown.mark_of(actor, seen)
    return redirect(url_for("signing.sign", checklist_id=checklist.id, opened=opened), 303)


def _read_again(actor: Actor, checklist: Checklist, seen: str) -> Response:
    """Redirect to page 1, which says what changed since the text that was read before."""
    opened = shown.mark_of(actor, seen) if seen else None
    return redirect(url_for("signing.read", checklist_id=checklist.id, opened=opened), 303)


def _sentence(
    actor: Actor,
    membership: ActorMembership,
    asking: agreement_pages.RequestView,
    document: Mapping[str, Any],
    replaced: Iterable[Notice],
) -> str:
    """Return the sentence that is signed, with the title of the text in the reader's language."""
    title = frozen_text.title_in(document, locale.language())
    cooperation = document["cooperation"]["title"]
    return agreement_pages.sentence(actor, membership, asking, title, cooperation, replaced)


def _who_signs(
    actor: Actor,
    checklist: Checklist,
    signature_request: SignatureRequest,
    document: Mapping[str, Any],
) -> dict[str, Any]:
    """Return for display who signs, by which rule, what was passed on, and the deadline.

    Raise RefusedError unless events bind in whose place the person signs, before a page says so.
    """
    if request.method == "GET":
        signoff_service.slot_as_recorded(actor, signature_request)
    asking = agreement_pages.read(signature_request, encryption.key_for(checklist))
    parties = heads.parties(checklist)
    return {
        "asking": asking,
        "signers": agreement_pages.who_signs(asking, parties, actor, document),
        "rules": agreement_pages.rules(asking, parties),
        "passings": agreement_pages.passings(asking),
        "until": agreement_pages.until_words(asking),
    }


@blueprint.route("/decline", methods=["GET", "POST"])
@signed_in
def decline(checklist_id: UUID) -> str | Response:
    """Decline with a reason and the items that have to change (5.4)."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "decline")
    if checklist.revision_sent_id is None and request.method == "POST":
        return _declined_too_late(actor, checklist)
    signature_request = _waiting(checklist)
    may_decline = signoff_policy.can_decline(
        actor, agreements.standing_of(signature_request), clock.today()
    )
    loaded = load_localized(checklist)
    form = items_form(
        _codes(loaded),
        _("Which items have to change?"),
        _("Why do you decline?"),
    )
    require_for(form, may_decline)
    done = form.validate_on_submit() and perform(
        form,
        lambda: agreements.decline(
            actor,
            checklist,
            page=shown.page_of(actor, form.page_token.data),
            reason=form["reason"].data,
            items=form["items"].data,
        ),
        success=(
            _("You declined. The named items are open again; all parties are notified."),
            "warning",
        ),
        next=_to_list(checklist_id),
    )
    if done:
        return done
    revision = _waiting(checklist).revision
    since = revisions.since(checklist, shown.digest_on(actor, form.page_token.data), revision)
    form.page_token.data = shown.token_of(actor, shown.page_with(revision.digest))
    return on_text.reason_page(
        loaded,
        form,
        _("Decline to sign"),
        _("All parties can read the reason. Signatures already given stay in the history."),
        {**on_text.text_of(checklist, revision), "since": since},
    )


def _declined_too_late(actor: Actor, checklist: Checklist) -> str:
    """Show the submitted form again if the text is no longer pending, so that nothing is lost."""
    loaded = load_localized(checklist)
    form = items_form(_codes(loaded), _("Which items have to change?"), _("Why do you decline?"))
    seen = shown.digest_on(actor, form.page_token.data)
    pairs = signoff.revisions_of(agreements.SUBJECT, checklist.id)
    _revision, signature_request = found_or_404(
        next((pair for pair in pairs if pair[0].digest == seen), None)
    )
    form.refuse(RuleBrokenError(too_late_words(signature_request)))
    return on_text.reason_page(loaded, form, _("Decline to sign"))


@blueprint.route("/call-back", methods=["GET", "POST"])
@signed_in
def call_back(checklist_id: UUID) -> str | Response:
    """Call a text back from signature."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "call_back")
    loaded = load_localized(checklist)
    form = ReasonOnTextForm()
    # Text typed on the page of a pending revision is kept, even if that was called back meanwhile.
    if not text_shown.revision_on(actor, form.page_token.data):
        _waiting(checklist)
    require_for(form, policy.can_withdraw_request(actor, loaded.own_party(actor)))
    return on_text.act(
        actor,
        checklist,
        form,
        lambda: agreements.call_back(actor, checklist, reason=form.reason.data or ""),
        lambda text: on_text.reason_page(
            loaded,
            form,
            _("Call the text back"),
            _("Signatures already given on this revision stay in the history but bind nobody."),
            text,
            button=_("Call back"),
        ),
        success=(_("The text is called back and can be changed again."), "warning"),
        next=_to_list(checklist_id),
    )


@blueprint.route("/amend", methods=["GET", "POST"])
@signed_in
def amend(checklist_id: UUID) -> str | Response:
    """Open some items of a text in force; it stays in force until the new one is signed."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "amend")
    require_ahead(actor, checklist, policy.can_ever_amend)
    loaded = load_localized(checklist)
    form = items_form(_codes(loaded), _("Which items are to change?"), _("Why is a change needed?"))
    require_for(
        form,
        policy.can_amend(
            actor,
            loaded.own_party(actor),
            checklist.state,
            goes_on=loaded.goes_on(),
        ),
    )
    return on_text.act(
        actor,
        checklist,
        form,
        lambda: agreements.amend(
            actor, checklist, reason=form["reason"].data, items=form["items"].data
        ),
        lambda text: on_text.reason_page(
            loaded,
            form,
            _("Propose an amendment"),
            _("This revision stays in force until all parties have signed the new one."),
            {
                **text,
                "replaced": agreements_notices.replaced_by_signing(checklist),
                "closes_undertakings": checklist.kind is ChecklistKind.CONFIDENTIALITY,
            },
            button=_("Open these items"),
            kind="",
        ),
        success=_("The named items are open. The text in force stays in force meanwhile."),
        next=_to_list(checklist_id),
    )


@blueprint.get("/record")
@signed_in
def record(checklist_id: UUID) -> str | Response:
    """Show the newest revision: the one in force, else the pending one, else the last."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, RECORD)
    pairs = signoff.revisions_of(agreements.SUBJECT, checklist.id)
    if not pairs:
        return _to_list(checklist_id)
    wanted = checklist.revision_sent_id or agreements_notices.standing_revision_id(checklist)
    pair = next((pair for pair in pairs if pair[0].id == wanted), pairs[0])
    return _record_page(actor, checklist, pair, pairs)


@blueprint.get("/record/<int:number>")
@signed_in
def record_of(checklist_id: UUID, number: int) -> str:
    """Show one revision of the text, with its signatures and its outcome."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, RECORD)
    pairs = signoff.revisions_of(agreements.SUBJECT, checklist.id)
    pair = found_or_404(next((pair for pair in pairs if pair[0].number == number), None))
    return _record_page(actor, checklist, pair, pairs)


def _record_page(
    actor: Actor,
    checklist: Checklist,
    pair: tuple[Revision, SignatureRequest | None],
    pairs: list[tuple[Revision, SignatureRequest | None]],
) -> str:
    revision, signature_request = pair
    loaded = load_localized(checklist)
    document = _document(checklist, revision)
    text = _text(document)
    party_ids = {party["id"] for party in document["parties"]}
    asking = (
        agreement_pages.read(signature_request, encryption.key_for(checklist))
        if signature_request
        else None
    )
    notices = agreements_notices.open_notices(checklist)
    compared = evidence.look(checklist)
    outcome = compared.outcome(revision.id)
    is_standing = revision.id == agreements_notices.standing_revision_id(checklist)
    scans = paper_records.on_revision(revision.id)
    may_sign_on_paper = signature_request is not None and bool(
        paper.can_record(actor, loaded.parties, signature_request, document, scans)
    )
    # Otherwise changing this text is next, or finding out why it doesn't agree.
    goes_on = compared.agrees and outcome in {Outcome.WAITING, Outcome.IN_FORCE}
    return checklist_page(
        "agreements/record.html",
        loaded,
        revision=revision,
        asked=signature_request,
        names_of=partial(
            item_titles.names_of,
            # Items that the text lacks, since nothing was known of them, are named as today.
            {code: item.label for code, item in loaded.template.by_code.items()} | text.titles,
        ),
        reason=signoff_service.reason_of(signature_request, encryption.key_for(checklist))
        if signature_request
        else "",
        text=text,
        signature_lines=agreement_pages.signature_lines(revision, asking, document),
        passings=agreement_pages.passings(asking) if asking else [],
        rules=agreement_pages.rules(asking, loaded.parties) if asking else [],
        until=agreement_pages.until_words(asking) if asking else [],
        state=evidence.words_of(compared, revision.id),
        agrees=compared.agrees,
        history=_history(loaded, [revision for revision, _request in pairs]),
        revisions=[
            (revision, evidence.words_of(compared, revision.id)[0]) for revision, _request in pairs
        ],
        notices=_notices(actor, loaded, notices) if is_standing else [],
        misnamed=_misnamed(loaded, compared, revision.id),
        duties=agreements_notices.surviving_duties(checklist, locale.language())
        if is_standing and notices
        else [],
        term=renewal.term_of(checklist)
        if compared.agrees and revision.id == checklist.revision_in_force_id
        else None,
        **_acts(actor, loaded, asking, is_standing=is_standing),
        party_changes=[
            *taken_over(loaded.cooperation, party_ids),
            *(
                words
                for organisation_id, words in departed(loaded.cooperation).items()
                if str(organisation_id) in party_ids
            ),
        ],
        made_before=paper_pages.made_before(document),
        papers=paper_pages.views_of(checklist, pair, scans),
        to_begin=going_on.text_to_begin(actor, loaded) if goes_on else None,
        just_signed=goes_on and _has_just_signed(actor, revision),
        may_record_paper=may_sign_on_paper,
        is_restricted=encryption.is_restricted(checklist),
        may_keep=keeping.can_keep(actor, loaded, compared, revision.id),
        is_signed_by_all=compared.agrees and outcome is not None and outcome.is_signed_by_all,
        certificates=signoff.certificates(revision.id),
    )


def _has_just_signed(actor: Actor, revision: Revision) -> bool:
    """Return whether a person signed a revision today and is its last signatory so far."""
    last = revision.signatures[-1] if revision.signatures else None
    return (
        last is not None
        and last.user_id == actor.user_id
        and last.signed_at.astimezone(clock.zone()).date() == clock.today()
    )


def _notices(
    actor: Actor, loaded: LoadedChecklist, notices: Iterable[Notice]
) -> list[dict[str, Any]]:
    """Return the open notices of a text, and whether the person may lift or withdraw one."""
    return [
        {
            "row": notice,
            "words": labels.NOTICE_STATES[notice.kind],
            "may_close": agreements_notices.can_close_notice(actor, loaded, notice),
        }
        for notice in notices
    ]


def _history(loaded: LoadedChecklist, revisions: Sequence[Revision]) -> list[HistoryLine]:
    """Return the events of a text's record, which name items by their titles."""
    checklist = loaded.checklist
    titles: dict[str, dict[str, object]] = {
        checklist.kind: {item.code: item.label for item in loaded.template.items},
    }
    lines = trail.subject_history(
        checklist.cooperation_id,
        [checklist.id, *(given.id for revision in revisions for given in revision.signatures)],
        of=agreements.ON_THE_RECORD,
    )
    return [item_titles.with_titles(line, titles, checklist.kind) for line in lines]


def _misnamed(
    loaded: LoadedChecklist, compared: evidence.Compared, revision_id: UUID
) -> list[tuple[str, object]]:
    """Return which items of a text in force or to be signed name people who can't act, and why."""
    checklist = loaded.checklist
    shown = {
        ChecklistState.IN_FORCE: checklist.revision_in_force_id,
        ChecklistState.SENT: checklist.revision_sent_id,
    }
    if not compared.agrees or shown.get(checklist.state) != revision_id:
        return []
    # What has ended, such as with its visit, isn't amended.
    if compared.outcome(revision_id) not in {Outcome.IN_FORCE, Outcome.WAITING}:
        return []
    return [
        (loaded.template.by_code[code].label, reason) for code, reason in misnamed(loaded).items()
    ]


def _acts(
    actor: Actor,
    loaded: LoadedChecklist,
    asking: agreement_pages.RequestView | None,
    *,
    is_standing: bool,
) -> dict[str, Any]:
    """Return what the person may do from the record of a revision."""
    checklist, own, today = loaded.checklist, loaded.own_party(actor), clock.today()
    waits = asking is not None and bool(asking.standing.is_waiting(today))
    standing = asking.standing if asking else None
    return {
        "may_sign": standing is not None and signoff_policy.can_sign_for(actor, standing, today),
        "may_decline": standing is not None and signoff_policy.can_decline(actor, standing, today),
        "may_call_back": waits and policy.can_withdraw_request(actor, own),
        "may_remind": waits and policy.can_remind(actor, own),
        "to_pass_on": [
            (slot.user_id, asking.people.get(slot.user_id, ""))
            for _party, slot in asking.open_slots()
            if signoff_policy.can_pass_on(actor, asking.standing, today, slot.user_id)
            and slot.organisation_id == actor.organisation_id
        ]
        if asking
        else [],
        "may_amend": policy.can_amend(actor, own, checklist.state, goes_on=loaded.goes_on()),
        "may_call_off": is_standing and amendments.may_call_off(actor, loaded),
        "may_suspend": is_standing
        and agreements_notices.can_give_notice(actor, loaded, NoticeKind.SUSPENDED),
        "may_end": is_standing
        and agreements_notices.can_give_notice(actor, loaded, NoticeKind.ENDED),
        "may_renew": is_standing and renewal.can_renew(actor, loaded),
        "may_agree_anew": is_standing and agreements_notices.can_agree_anew(actor, loaded),
    }


def _document(checklist: Checklist, revision: Revision) -> dict[str, Any]:
    """Return a text to act on; raise RefusedError if it isn't the one that was frozen."""
    key = encryption.key_for(checklist)
    signoff_service.require_as_frozen(revision, key)
    return signoff_service.document_of(revision, key)


def _text(document: dict[str, Any]) -> FrozenText:
    """Return a text in the language chosen on the page, else in the reader's."""
    return frozen_text.read(document, locale.language_of_text())


def _codes(loaded: LoadedChecklist) -> list[tuple[str, str]]:
    return [(item.code, item.label) for item in loaded.template.items if item.part.value == "terms"]
