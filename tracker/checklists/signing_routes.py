"""Pages of signing a checklist: send, read, sign, decline, call back, amend, and the record."""

from typing import Any
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.gate import current_actor, found, require, signed_in
from tracker.accounts import proof
from tracker.activity import queries as trail
from tracker.activity import verbs
from tracker.checklists import (
    cautions,
    frozen,
    labels,
    pages,
    paper,
    paper_pages,
    policy,
    sealing,
    signing,
)
from tracker.checklists.forms import ProofForm, ReasonForm, items_form, send_form
from tracker.checklists.frozen import FrozenText
from tracker.checklists.loading import Filling
from tracker.checklists.models import Checklist
from tracker.checklists.opening import filled, opened
from tracker.cooperations.pages import taken_over
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.signoff import policy as signoff_policy
from tracker.signoff import queries as signoff
from tracker.signoff import service as signoff_service
from tracker.signoff.labels import METHODS, REQUEST_STATES
from tracker.signoff.models import Method, RequestState, Revision, SignatureRequest
from tracker.signoff.paper_labels import how_signed
from tracker.signoff.proof import Identity
from tracker.ui import locale
from tracker.ui.fields import Option
from tracker.ui.locale import as_datetime

# What of a text's history stands on its record: how it was settled and signed, not each answer.
ON_THE_RECORD = (
    verbs.PROPOSAL_ACCEPTED,
    verbs.FLAG_RAISED,
    verbs.FLAG_CLOSED,
    verbs.SAFEGUARDS_REVIEWED,
    verbs.SENT_FOR_SIGNATURE,
    verbs.SIGNED,
    verbs.FORMER_AGREEMENT_RECORDED,
    verbs.PAPER_RECORDED,
    verbs.PAPER_CONFIRMED,
    verbs.PAPER_REFUSED,
    verbs.PAPER_WITHDRAWN,
    verbs.SIGNED_ON_PAPER,
    verbs.DECLINED,
    verbs.SIGNATURE_REQUEST_WITHDRAWN,
    verbs.CAME_INTO_FORCE,
    verbs.AMENDMENT_OPENED,
)

blueprint = Blueprint("signing", __name__, url_prefix="/checklists/<uuid:checklist_id>")


def _to_list(checklist: Checklist) -> Response:
    return redirect(url_for("checklists.show", checklist_id=checklist.id), 303)


def _to_record(checklist: Checklist) -> Response:
    return redirect(url_for("signing.record", checklist_id=checklist.id), 303)


@blueprint.route("/send", methods=["GET", "POST"])
@signed_in
def send(checklist_id: UUID) -> str | Response:
    """Name who signs for each party, and send the text for signature."""
    actor = current_actor()
    checklist = opened(actor, checklist_id, "send")
    filling = filled(checklist)
    require(policy.can_send(actor, filling.own_party(actor), checklist.state))
    able = signing.signatories(filling)
    form = send_form(filling, able, _language_choices(filling))
    obstacles = signing.obstacles(filling)
    if not obstacles and all(able.values()) and form.validate_on_submit():
        chosen = {
            party.organisation_id: UUID(form[f"party_{party.organisation_id}"].data)
            for party in filling.surroundings.parties
        }
        try:
            signing.send(
                actor, checklist, chosen, binding=form["binding"].data if "binding" in form else ""
            )
            db.session.commit()
            flash(_("The text is frozen and sent. The signatories see it under My work."), "held")
            return _to_record(checklist)
        except RuleBrokenError as error:
            db.session.rollback()
            form.refuse(error)
    return render_template(
        "checklists/send.html",
        checklist=checklist,
        cooperation=filling.cooperation,
        form=form,
        fields=[form[f"party_{p.organisation_id}"] for p in filling.surroundings.parties],
        lacking=[p.name for p in filling.surroundings.parties if not able[p.organisation_id]],
        hinted_items=cautions.hints_before_sending(filling),
        obstacles=obstacles,
        is_restricted=sealing.is_restricted(checklist),
        kind_words=labels.KINDS[checklist.kind],
    )


def _language_choices(filling: Filling) -> list[Option]:
    """Return the languages a text is frozen in, the one that counts by default first."""
    known = signing.languages(filling)
    first = signing.binding_by_default(filling)
    return [
        Option(
            code,
            locale.name_of(code),
            _("No words in it yet, so they stand in another: %(items)s.", items=", ".join(lacking))
            if (lacking := known[code])
            else "",
        )
        for code in sorted(known, key=lambda code: code != first)
    ]


def _waiting(checklist: Checklist) -> SignatureRequest:
    """Return the request a checklist waits on, or answer 404 when it waits on none."""
    if checklist.revision_sent_id is None:
        abort(404)
    return found(signoff.request_of(checklist.revision_sent_id))


def _may_sign(actor: Actor, asked: SignatureRequest) -> Any:
    return signoff_policy.can_sign_for(
        actor,
        asked.state,
        [(place.organisation_id, place.user_id) for place in asked.places],
        [one.organisation_id for one in asked.revision.signatures if one.organisation_id],
    )


@blueprint.get("/sign")
@signed_in
def read(checklist_id: UUID) -> str | Response:
    """Page 1 of signing: read the frozen text and check it (product.md, 5.3)."""
    actor = current_actor()
    checklist = opened(actor, checklist_id, "read_to_sign")
    if checklist.revision_sent_id is None:
        return _to_record(checklist)
    asked = _waiting(checklist)
    require(_may_sign(actor, asked))
    return render_template(
        "checklists/sign_read.html",
        checklist=checklist,
        cooperation=filled(checklist).cooperation,
        revision=asked.revision,
        text=_text(_document(checklist, asked.revision)),
        kind_words=labels.KINDS[checklist.kind],
    )


@blueprint.route("/sign/confirm", methods=["GET", "POST"])
@signed_in
def sign(checklist_id: UUID) -> str | Response:
    """Page 2 of signing: one plain sentence, and a fresh proof of identity on this form."""
    actor = current_actor()
    checklist = opened(actor, checklist_id, "sign")
    if checklist.revision_sent_id is None:
        return _to_record(checklist)
    asked = _waiting(checklist)
    require(_may_sign(actor, asked))
    revision = asked.revision
    document = _document(checklist, revision)
    text = frozen.read(document, locale.language())
    membership = found(signoff_policy.signing_membership(actor))
    sentence = _(
        "I, %(name)s, %(office)s, sign revision %(number)s of the text “%(title)s” of the "
        "cooperation “%(cooperation)s” for %(organisation)s, by the power of %(power)s, and bind "
        "it to this text.",
        name=actor.name,
        office=membership.office or _("signatory"),
        number=revision.number,
        title=text.title,
        cooperation=text.cooperation,
        organisation=actor.organisation_name,
        power=membership.power,
    )
    # Before the proof: a wrong one gives the transaction up.
    signers = _signers(asked, document, actor, filled(checklist))
    form = ProofForm()
    if form.validate_on_submit():
        try:
            shown = proof.prove(actor.user_id, form.password.data or "", form.code.data or "")
            signing.sign(
                actor,
                checklist,
                sentence=sentence,
                language=str(get_locale()),
                identity=Identity(shown.user_id, Method(shown.method), shown.at),
            )
            in_force = checklist.revision_sent_id is None
            db.session.commit()
            flash(
                _("You signed. The text is in force: all parties have signed.")
                if in_force
                else _("You signed. The text waits for the other signatures."),
                "held",
            )
            return _to_record(checklist)
        except RuleBrokenError as error:
            db.session.rollback()
            form.refuse(error)
    return render_template(
        "checklists/sign_confirm.html",
        checklist=checklist,
        cooperation=document["cooperation"],
        revision=revision,
        text=text,
        sentence_words=sentence,
        form=form,
        signers=signers,
        kind_words=labels.KINDS[checklist.kind],
        organisation_name=actor.organisation_name,
        has_second_factor=actor.has_second_factor,
    )


def _signers(
    asked: SignatureRequest, document: dict[str, Any], actor: Actor, filling: Filling
) -> list[pages.PositionView]:
    """Return each named signatory with how their signature stands."""
    signed = {one.organisation_id: one.signed_at for one in asked.revision.signatures}
    marks = {party.organisation_id: party.mark for party in filling.parties}
    sides = {party["id"]: party["side"] for party in document["parties"]}
    views = []
    for one in document["signatories"]:
        organisation_id = UUID(one["organisation_id"])
        state, s = (_("Waiting"), "other")
        if organisation_id in signed:
            state, s = (_("Signed"), "done")
        elif organisation_id == actor.organisation_id:
            state, s = (_("Your turn"), "wait")
        when = signed.get(organisation_id)
        note = f"{one['organisation']}, {as_datetime(when)}" if when else one["organisation"]
        views.append(
            pages.PositionView(
                party=marks.get(organisation_id, ""),
                name=one["name"],
                npm=sides.get(one["organisation_id"]) == "npm",
                state=state,
                s=s,
                note=note,
            )
        )
    return views


@blueprint.route("/decline", methods=["GET", "POST"])
@signed_in
def decline(checklist_id: UUID) -> str | Response:
    """Decline with a reason and the items that have to change (5.4)."""
    actor = current_actor()
    checklist = opened(actor, checklist_id, "decline")
    asked = _waiting(checklist)
    require(_may_sign(actor, asked))
    filling = filled(checklist)
    form = items_form(
        _codes(filling),
        _("Which items have to change?"),
        _("Why do you decline?"),
    )
    if form.validate_on_submit():
        try:
            signing.decline(actor, checklist, reason=form["reason"].data, items=form["items"].data)
            db.session.commit()
            flash(_("You declined. The named items are open again; all parties are told."), "wait")
            return _to_list(checklist)
        except RuleBrokenError as error:
            db.session.rollback()
            form.refuse(error)
    return _items_page(
        filling,
        form,
        _("Decline to sign"),
        _("Decline to sign"),
        _("The reason is read by all parties. Signatures already given stay in history."),
    )


@blueprint.route("/call-back", methods=["GET", "POST"])
@signed_in
def call_back(checklist_id: UUID) -> str | Response:
    """Call a text back from signature."""
    actor = current_actor()
    checklist = opened(actor, checklist_id, "call_back")
    _waiting(checklist)
    filling = filled(checklist)
    require(policy.can_withdraw_request(actor, filling.own_party(actor)))
    form = ReasonForm()
    if form.validate_on_submit():
        try:
            signing.call_back(actor, checklist, reason=form.reason.data or "")
            db.session.commit()
            flash(_("The text is called back and can be changed again."), "wait")
            return _to_list(checklist)
        except RuleBrokenError as error:
            db.session.rollback()
            form.refuse(error)
    return _items_page(
        filling,
        form,
        _("Call the text back"),
        _("Call back"),
        _("Signatures already given on this revision stay in history and bind nobody."),
    )


@blueprint.route("/amend", methods=["GET", "POST"])
@signed_in
def amend(checklist_id: UUID) -> str | Response:
    """Open named items of a text in force; it stays in force until the new one is signed."""
    actor = current_actor()
    checklist = opened(actor, checklist_id, "amend")
    filling = filled(checklist)
    require(policy.can_amend(actor, filling.own_party(actor), checklist.state))
    form = items_form(
        _codes(filling), _("Which items are to change?"), _("Why is a change needed?")
    )
    if form.validate_on_submit():
        try:
            signing.amend(actor, checklist, reason=form["reason"].data, items=form["items"].data)
            db.session.commit()
            flash(_("The named items are open. The text in force stays so meanwhile."), "held")
            return _to_list(checklist)
        except RuleBrokenError as error:
            db.session.rollback()
            form.refuse(error)
    return _items_page(
        filling,
        form,
        _("Propose an amendment"),
        _("Open these items"),
        _("Revision in force stays in force until all parties have signed the new one."),
    )


@blueprint.get("/record")
@signed_in
def record(checklist_id: UUID) -> str | Response:
    """Show the newest revision: the one in force, else the one sent, else the last."""
    actor = current_actor()
    checklist = opened(actor, checklist_id, "record")
    revisions = signoff.revisions_of(signing.SUBJECT, checklist.id)
    if not revisions:
        return _to_list(checklist)
    wanted = checklist.revision_sent_id or checklist.revision_in_force_id
    pair = next((pair for pair in revisions if pair[0].id == wanted), revisions[0])
    return _record_page(actor, checklist, pair, revisions)


@blueprint.get("/record/<int:number>")
@signed_in
def record_of(checklist_id: UUID, number: int) -> str:
    """Show one revision of the text, with its signatures and how it ended."""
    actor = current_actor()
    checklist = opened(actor, checklist_id, "record")
    revisions = signoff.revisions_of(signing.SUBJECT, checklist.id)
    pair = found(next((pair for pair in revisions if pair[0].number == number), None))
    return _record_page(actor, checklist, pair, revisions)


def _record_page(
    actor: Actor,
    checklist: Checklist,
    pair: tuple[Revision, SignatureRequest | None],
    revisions: list[tuple[Revision, SignatureRequest | None]],
) -> str:
    revision, asked = pair
    filling = filled(checklist)
    document = _document(checklist, revision)
    may_sign = (
        asked is not None
        and asked.state is RequestState.WAITING
        and bool(_may_sign(actor, found(signoff.request_of(revision.id))))
    )
    may_sign_on_paper = asked is not None and bool(
        paper.can_record(actor, filling, found(signoff.request_of(revision.id)), document)
    )
    return render_template(
        "checklists/record.html",
        checklist=checklist,
        cooperation=filling.cooperation,
        revision=revision,
        asked=asked,
        reason=signoff_service.reason_of(asked, sealing.key_for(checklist)) if asked else "",
        text=_text(document),
        signature_lines=_signature_lines(revision, document),
        state=_state(checklist, revision, asked),
        history=trail.subject_history(
            checklist.cooperation_id,
            [checklist.id, *(given.id for one, _asked in revisions for given in one.signatures)],
            verbs=ON_THE_RECORD,
        ),
        revisions=[(one, REQUEST_STATES[req.state] if req else "") for one, req in revisions],
        methods=METHODS,
        may_sign=may_sign,
        taken_over=taken_over(filling.cooperation, {one["id"] for one in document["parties"]}),
        made_before=paper_pages.made_before(document),
        papers=paper_pages.views(checklist, [pair])[revision.id],
        may_record_paper=may_sign_on_paper,
        may_call_back=asked is not None
        and asked.state is RequestState.WAITING
        and policy.can_withdraw_request(actor, filling.own_party(actor)),
        may_amend=policy.can_amend(actor, filling.own_party(actor), checklist.state),
        kind_words=labels.KINDS[checklist.kind],
        is_restricted=sealing.is_restricted(checklist),
    )


def _state(
    checklist: Checklist, revision: Revision, asked: SignatureRequest | None
) -> tuple[object, str]:
    """Return how a revision stands, in words with its mark."""
    if checklist.revision_in_force_id == revision.id:
        return _("In force"), "held"
    if asked is None:
        return "", "off"
    if asked.state is RequestState.COMPLETED:
        return _("Replaced by a later revision"), "off"
    marks = {RequestState.WAITING: "other", RequestState.DECLINED: "stop"}
    return REQUEST_STATES[asked.state], marks.get(asked.state, "off")


def _signature_lines(revision: Revision, document: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a line for each named signatory, signed or not yet."""
    given = {str(one.organisation_id): one for one in revision.signatures}
    lines = []
    for named in document["signatories"]:
        one = given.get(named["organisation_id"])
        capacity = _(
            "%(office)s, for %(organisation)s",
            office=named["office"] or _("Signatory"),
            organisation=named["organisation"],
        )
        lines.append(
            {
                "name": one.signer_name if one else named["name"],
                "capacity": capacity,
                "power": _("by %(power)s", power=one.power) if one else "",
                "when": one.signed_at if one else None,
                "method": how_signed(one) if one else "",
            }
        )
    return lines


def _document(checklist: Checklist, revision: Revision) -> dict[str, Any]:
    return signoff_service.document_of(revision, sealing.key_for(checklist))


def _text(document: dict[str, Any]) -> FrozenText:
    """Return a text in the language that was chosen on the page, else in the reader's."""
    return frozen.read(document, request.args.get("language", locale.language()))


def _codes(filling: Filling) -> list[tuple[str, str]]:
    return [
        (item.code, f"{item.code} {item.label}")
        for item in filling.template.items
        if item.part.value == "terms"
    ]


def _items_page(filling: Filling, form: Any, title: str, button: str, lede: str) -> str:
    return render_template(
        "checklists/items_reason.html",
        checklist=filling.checklist,
        cooperation=filling.cooperation,
        form=form,
        title_words=title,
        button=button,
        lede_words=lede,
        kind_words=labels.KINDS[filling.checklist.kind],
    )
