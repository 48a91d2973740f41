"""Pages for undertakings: a person's own steps and record, and the NPM's side.

In one file: the pages of one blueprint, for the person and for the NPM, show the same undertaking.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.decision import Decision
from tracker.access.gate import (
    as_uuid,
    current_actor,
    found_or_404,
    note_reading,
    require,
    signed_in,
)
from tracker.access.page_tokens import NotShownError
from tracker.activity import service as trail
from tracker.agreements import frozen_text
from tracker.cooperations import clearances
from tracker.cooperations import queries as cooperations
from tracker.cooperations.models import Cooperation
from tracker.core import clock
from tracker.core.errors import StaleError
from tracker.core.localized import LocalizedStr
from tracker.mail import wording as mail
from tracker.signoff import policy as signoff_policy
from tracker.signoff import proof_fields, shown
from tracker.signoff.identity_proof import Identity, SigningPage
from tracker.signoff.labels import DIFFERS, DISAGREES
from tracker.signoff.proof_fields import Given, Offer
from tracker.ui import locale, paging
from tracker.ui.perform import perform, require_for
from tracker.undertakings import (
    added_interests,
    adding,
    encryption,
    labels,
    lists,
    pages,
    people,
    policy,
    queries,
    service,
)
from tracker.undertakings import frozen_text as signed_texts
from tracker.undertakings.facts import UndertakingStatus, missing
from tracker.undertakings.forms import (
    AddInterestForm,
    ConfirmForm,
    CountersignForm,
    DecisionForm,
    MailedCodesForm,
    SignForm,
    WithdrawalForm,
    decision_form,
    opening_form,
    path_form,
)
from tracker.undertakings.models import SUBJECT, Undertaking, UndertakingState
from tracker.undertakings.pages import Others
from tracker.undertakings.queries import Loaded

blueprint = Blueprint("undertakings", __name__)
blueprint.add_app_template_filter(labels.ended_because, "undertaking_ended_because")
blueprint.add_app_template_filter(labels.document_sentence, "document_sentence")


# The person's own ------------------------------------------------------------------------------


@blueprint.get("/undertakings")
@signed_in
def mine() -> str:
    """List what the person was asked for and what they signed."""
    number = paging.asked_number()
    own = lists.mine(current_actor(), offset=paging.offset(number), limit=paging.SIZE)
    lines = [(line, where, pages.own_state(line)) for line, where in own.lines]
    return render_template(
        "undertakings/mine.html",
        page=paging.Page(lines, number, paging.SIZE, own.total),
        has_gone=own.has_gone,
    )


@blueprint.route("/undertakings/<undertaking_id>", methods=["GET", "POST"])
@signed_in
def show(undertaking_id: str) -> str | Response:
    """Show the steps to signing; once signed or closed, the record."""
    actor = current_actor()
    undertaking = _get_or_404(actor, undertaking_id)
    loaded = queries.load(undertaking)
    questions = queries.questions_of(loaded, locale.language())
    words = pages.words(loaded)
    later = "later" in request.form
    draft = encryption.draft_of(undertaking)
    form = path_form(questions, draft, complete=not later)
    may_fill_in = policy.can_fill_in(actor, loaded.standing, clock.today())
    if form.is_submitted() and form.has_words:
        require_for(form, may_fill_in)
    elif undertaking.state is not UndertakingState.ASKED:
        return _show_record(actor, loaded)
    elif not may_fill_in:
        return render_template("undertakings/shut.html", **words, reason=may_fill_in.reason)
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.save_draft(actor, undertaking.id, replace(form.draft, is_ready=not later)),
        success=_("Your draft is kept. Only you can see it.") if later else None,
        next=redirect(
            url_for("undertakings.mine")
            if later
            else url_for("undertakings.sign", undertaking_id=undertaking.id),
            303,
        ),
    )
    return done or render_template(
        "undertakings/path.html",
        **words,
        form=form,
        is_signed_again=queries.has_signed_former_terms(undertaking),
        asked=questions,
        saved_at=draft.saved_at,
        because=labels.party_interests(people.ties_of(undertaking)),
        why=pages.why(locale.language()),
        sentence_parts=pages.with_names(_sentence(actor, loaded), actor.name),
    )


@blueprint.route("/undertakings/<undertaking_id>/sign", methods=["GET", "POST"])
@signed_in
def sign(undertaking_id: str) -> str | Response:
    """Show page 2: the sentence that is signed, and a fresh proof of identity on the same form."""
    actor = current_actor()
    undertaking = _get_or_404(actor, undertaking_id)
    loaded = queries.load(undertaking)
    may_sign = policy.can_fill_in(actor, loaded.standing, clock.today())
    if not may_sign:
        flash(str(may_sign.reason), "warning")
        return _to_own(undertaking)
    questions = queries.questions_of(loaded, locale.language())
    draft = encryption.draft_of(undertaking)
    if not draft.is_ready or list(missing(questions, draft, clock.today())):
        flash(_("Fill in and confirm each point first, then continue to sign."), "warning")
        return _to_own(undertaking)
    sentence = _sentence(actor, loaded)
    form = SignForm()
    ways = proof_fields.ways(actor)
    by_mail = bool(policy.can_sign_by_mailed_code(actor, loaded.standing))
    form.ask(app=ways.has_app, passkey=ways.has_passkey, mail=by_mail)
    words = pages.words(loaded)
    # Before the proof: a failed one rolls the transaction back.
    spoken = LocalizedStr(sentence, locale.language())
    page = service.page_to_sign(loaded, spoken)
    text = signed_texts.read(service.text_to_sign(loaded, spoken, page), spoken.language)
    done = form.validate_on_submit() and perform(
        form,
        lambda: _sign(actor, loaded, form, sentence),
        success=_("You have signed. Once the NPM has countersigned, you get access."),
        next=_to_own(undertaking),
    )
    if done:
        return done
    offer = _offer(actor, form, page, sentence)
    return render_template(
        "undertakings/sign.html",
        **words,
        form=form,
        offer=offer,
        by_mail=by_mail,
        text=text,
        sentence_parts=pages.with_names(sentence, actor.name),
    )


def _sentence(actor: Actor, loaded: Loaded) -> str:
    return labels.sentence(actor.name, loaded.terms, loaded.documents)


def _sign(actor: Actor, loaded: Loaded, form: SignForm, sentence: str) -> None:
    """Prove the person's identity with the form, then sign."""
    undertaking_id = loaded.undertaking.id
    page = shown.page_of(actor, form.page_token.data)
    spoken = LocalizedStr(sentence, locale.language())
    digest = service.digest_to_be(loaded, spoken, page) if page else ""
    if "mailed_code" in form:
        given = Given(form.given["password"], form.mailed_code.data or "")
        identity = proof_fields.prove_by_mailed_code(actor, undertaking_id, given)
    else:
        identity = _prove(actor, form, page, digest, sentence)
    service.sign(
        actor,
        undertaking_id,
        page=page,
        sentence=sentence,
        language=str(get_locale()),
        identity=identity,
    )


@blueprint.post("/undertakings/<undertaking_id>/sign/code")
@signed_in
def mail_code(undertaking_id: str) -> Response:
    """Mail the person a code for signing, where the NPM allows it."""
    actor = current_actor()
    undertaking = _get_or_404(actor, undertaking_id)
    return perform(
        None,
        lambda: service.mail_code(actor, undertaking.id),
        success=mail.of_code(actor.email),
        next=redirect(url_for("undertakings.sign", undertaking_id=undertaking.id), 303),
    )


@blueprint.get("/undertakings/<undertaking_id>/terms")
@signed_in
def terms(undertaking_id: str) -> str:
    """Show the whole text of the terms an undertaking is based on, as it was frozen."""
    actor = current_actor()
    undertaking_uuid = as_uuid(undertaking_id)
    undertaking = found_or_404(
        queries.find_own(actor, undertaking_uuid) or queries.find_for_npm(actor, undertaking_uuid)
    )
    revision, document = queries.terms_document(undertaking)
    return render_template(
        "undertakings/terms.html",
        undertaking=undertaking,
        revision=revision,
        text=frozen_text.read(document, locale.language_of_text()),
        is_own=undertaking.user_id == actor.user_id,
    )


@blueprint.route("/undertakings/<undertaking_id>/withdraw", methods=["GET", "POST"])
@signed_in
def withdraw(undertaking_id: str) -> str | Response:
    """Withdraw your own undertaking, after a page that says what this means."""
    actor = current_actor()
    undertaking = _get_or_404(actor, undertaking_id)
    loaded = queries.load(undertaking)
    if undertaking.state is UndertakingState.CLOSED:
        flash(_("It has already been closed."), "warning")
        return _to_own(undertaking)
    require(policy.can_withdraw(actor, loaded.standing))
    form = ConfirmForm()
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.withdraw(actor, undertaking.id),
        success=_("You have withdrawn your undertaking and no longer have the access it gave."),
        next=_to_own(undertaking),
    )
    return done or render_template("undertakings/withdraw.html", **pages.words(loaded), form=form)


@blueprint.post("/undertakings/<undertaking_id>/again")
@signed_in
def again(undertaking_id: str) -> Response:
    """Start a new undertaking after the person withdrew the last one."""
    actor = current_actor()
    undertaking = _get_or_404(actor, undertaking_id)
    return perform(
        None,
        lambda: service.ask_again(actor, undertaking.id),
        success=None,
        next=lambda asked_anew: _to_own(asked_anew or undertaking),
    )


@blueprint.get("/cooperations/<reference>/interests/new")
@signed_in
def add_to_own(reference: str) -> Response:
    """Redirect a person to adding an interest to their own undertaking in a cooperation."""
    actor = current_actor()
    own = found_or_404(queries.own_signed(actor, _cooperation(actor, reference).id))
    return redirect(url_for("undertakings.add_interest", undertaking_id=own.id), 303)


@blueprint.route("/undertakings/<undertaking_id>/interests/new", methods=["GET", "POST"])
@signed_in
def add_interest(undertaking_id: str) -> str | Response:
    """Add an interest to your own signed undertaking; what it concerns is closed until decided."""
    actor = current_actor()
    undertaking = _get_or_404(actor, undertaking_id)
    loaded = queries.load(undertaking)
    may_add = policy.can_add_interest(actor, loaded.standing, clock.today())
    form = AddInterestForm()
    is_typed = form.is_submitted() and form.has_words
    if not may_add and not is_typed:
        flash(str(may_add.reason), "warning")
        return _to_own(undertaking)
    require_for(form, may_add)
    words = pages.words(loaded)
    done = form.validate_on_submit() and perform(
        form,
        lambda: adding.add(actor, undertaking.id, form.interest.data or "", form.places),
        success=_("The NPM has been asked to decide. We'll email you when it has."),
        next=_to_own(undertaking),
    )
    return done or render_template("undertakings/add_interest.html", **words, form=form)


@blueprint.route(
    "/cooperations/<reference>/undertakings/<undertaking_id>/interests/new",
    methods=["GET", "POST"],
)
@signed_in
def record_interest(reference: str, undertaking_id: str) -> str | Response:
    """Record an interest of which a person without an account told the NPM after signing."""
    actor = current_actor()
    loaded = pages.taken_or_404(actor, reference, undertaking_id)
    undertaking = loaded.undertaking
    form = AddInterestForm(person=undertaking.user.name)
    require_for(form, policy.can_add_interest(actor, loaded.standing, clock.today()))
    words = pages.words(loaded)
    done = form.validate_on_submit() and perform(
        form,
        lambda: adding.add(actor, undertaking.id, form.interest.data or "", form.places),
        success=_("The interest is recorded. Those who decide for the NPM are notified."),
        next=redirect(url_for("undertakings.listed", reference=reference), 303),
    )
    return done or render_template(
        "undertakings/record_interest.html", **words, reference=reference, form=form
    )


def _show_record(actor: Actor, loaded: Loaded) -> str:
    require(policy.can_see(actor, loaded.standing, clock.today()))
    undertaking = loaded.undertaking
    line = lists.line_of(actor, loaded)
    return render_template(
        "undertakings/record.html",
        **pages.words(loaded, line.clearance),
        state=pages.own_state(line),
        agrees=line.agrees,
        line=line,
        signed=pages.signed(undertaking, locale.language_of_text()),
        decided=pages.decided(undertaking, locale.language()),
        closing_reason=encryption.closing_reason_of(undertaking),
        added=pages.added(actor, undertaking, locale.language()),
        may_add=bool(policy.can_add_interest(actor, loaded.standing, clock.today())),
        may_withdraw=bool(policy.can_withdraw(actor, loaded.standing)),
        may_begin_again=loaded.standing.withdrawn_by_person
        and bool(policy.can_ask_again(actor, loaded.standing, clock.today())),
        form=ConfirmForm(),
    )


# The NPM's side --------------------------------------------------------------------------------


@blueprint.get("/cooperations/<reference>/undertakings")
@signed_in
def listed(reference: str) -> str:
    """List the status of each person in a cooperation that the reader may see."""
    actor = current_actor()
    cooperation = _cooperation(actor, reference)
    overview = lists.overview(actor, cooperation)
    npms = frozenset(party.organisation_id for party in overview.parties if party.is_npm)
    decides = policy.decides_for(actor, npms, clock.today())
    return render_template(
        "undertakings/list.html",
        cooperation=cooperation,
        disagreement="" if cooperations.AS_RECORDED_READER.get()(cooperation) else DISAGREES[0],
        differs=DIFFERS,
        overview=overview,
        decides=decides,
        to_countersign=sum(
            line.may_be_together for party in overview.parties for line in party.lines
        )
        if decides
        else 0,
        nobody_decides=pages.nobody_decides(
            actor,
            cooperation.id,
            npms,
            waits=any(line.waits_for_npm for party in overview.parties for line in party.lines),
        ),
        handles_paper=policy.handles_paper(actor, npms, clock.today()),
        state=pages.state,
        own_state=pages.own_state,
        summary=pages.summary,
    )


@blueprint.route("/cooperations/<reference>/undertakings/mailed-codes", methods=["GET", "POST"])
@signed_in
def mailed_codes(reference: str) -> str | Response:
    """Let people in a cooperation sign their undertaking with an emailed code, or no longer."""
    actor = current_actor()
    cooperation = _cooperation(actor, reference)
    form = MailedCodesForm(data={"allow": "" if cooperation.mailed_codes else "yes"})
    require_for(
        form, policy.can_allow_mailed_codes(actor, people.npm_ids(cooperation.id), clock.today())
    )
    # What the page said, not the opposite of what somebody else has decided meanwhile.
    allow = bool(form.allow.data)
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.allow_mailed_codes(
            actor, cooperation, allowed=allow, reason=form.reason.data or ""
        ),
        success=_("People without a second factor can now sign with a code by email.")
        if allow
        else _("Codes by email are no longer allowed."),
        next=redirect(url_for("undertakings.listed", reference=reference), 303),
    )
    return done or render_template(
        "undertakings/mailed_codes.html", cooperation=cooperation, form=form, allow=allow
    )


@blueprint.route("/cooperations/<reference>/undertakings/<undertaking_id>", methods=["GET", "POST"])
@signed_in
def check(reference: str, undertaking_id: str) -> str | Response:
    """Show page 1 of countersigning: read what the person signed, decide on declared interests."""
    actor = current_actor()
    undertaking = _of_npm(actor, reference, undertaking_id)
    loaded = queries.load(undertaking)
    may_decide = policy.can_decide(actor, loaded.standing, clock.today())
    form = decision_form(
        service.decision_token(actor, service.decision_mark(undertaking)),
        undertaking.decision,
        encryption.decision_reason_of(undertaking),
        encryption.limit_of(undertaking),
    )
    if form.is_submitted():
        require_for(form, may_decide)
        done = form.validate_on_submit() and perform(
            form,
            lambda: service.decide(
                actor,
                undertaking.id,
                form.decision.data,
                form.reason.data or "",
                form.places,
                seen=service.decision_shown(actor, form.seen.data),
            ),
            success=_("The decision is recorded, and the person is notified."),
            next=_to_check(reference, undertaking_id),
        )
        if done:
            return done
        undertaking = _of_npm(actor, reference, undertaking_id)
        loaded = queries.load(undertaking)
        form.seen.data = service.decision_token(actor, service.decision_mark(undertaking))
    return _render_check(actor, reference, loaded, form)


def _render_check(actor: Actor, reference: str, loaded: Loaded, form: DecisionForm) -> str:
    require(policy.can_see(actor, loaded.standing, clock.today()))
    undertaking = loaded.undertaking
    signed = pages.signed(undertaking, locale.language_of_text())
    added = pages.added(actor, undertaking, locale.language())
    closing_reason = encryption.closing_reason_of(undertaking)
    decided = pages.decided(undertaking, locale.language())
    if signed is not None or added or closing_reason or decided:
        _log_read(actor, undertaking)
    line = lists.line_of(actor, loaded)
    visits = queries.visits(undertaking.cooperation_id)
    may_countersign = policy.can_countersign(actor, loaded.standing, clock.today())
    return render_template(
        "undertakings/check.html",
        **pages.words(loaded, line.clearance),
        reference=reference,
        form=form,
        opening=opening_form(loaded.terms, visits) if may_countersign else None,
        opened=service.page_1_token(actor, undertaking) if may_countersign else "",
        state=pages.state(line, decides=True),
        agrees=line.agrees,
        line=line,
        signed=signed,
        has_scan=loaded.standing.recorded_by_id is not None,
        decided=decided,
        closing_reason=closing_reason,
        lacks_visit=pages.is_for_one_visit(loaded.terms) and not visits,
        added=added,
        may_decide_added=bool(policy.can_decide_added(actor, loaded.standing, clock.today())),
        may_decide=policy.can_decide(actor, loaded.standing, clock.today()),
        may_countersign=may_countersign,
        others=_others(actor, loaded, partial(policy.can_go_on, actor, today=clock.today())),
        may_record=bool(policy.can_add_interest(actor, loaded.standing, clock.today())),
        may_withdraw=bool(policy.can_withdraw_clearance(actor, loaded.standing, clock.today())),
        may_ask_again=not form.is_refused
        and bool(policy.can_ask_again(actor, loaded.standing, clock.today())),
        again_form=ConfirmForm(),
    )


def _others(
    actor: Actor, loaded: Loaded, decide: Callable[[UndertakingStatus], Decision]
) -> Others | None:
    """Return who acts instead of the reader, if only taking the signature prevents them."""
    if not policy.bars_only_taker(decide, loaded.standing):
        return None
    return pages.others_who_decide(actor, loaded)


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


@blueprint.route(
    "/cooperations/<reference>/undertakings/<undertaking_id>/interests/<interest_id>",
    methods=["GET", "POST"],
)
@signed_in
def added_interest(reference: str, undertaking_id: str, interest_id: str) -> str | Response:
    """Show an added interest, and decide on it for the NPM."""
    actor = current_actor()
    undertaking = _of_npm(actor, reference, undertaking_id)
    interest = found_or_404(added_interests.find(actor, undertaking, as_uuid(interest_id)))
    loaded = queries.load(undertaking)
    require(policy.can_see(actor, loaded.standing, clock.today()))
    recorded_by_id = added_interests.recorded_by_id(interest)
    may_decide = policy.can_decide_added(actor, loaded.standing, clock.today(), recorded_by_id)
    form = decision_form(
        service.decision_token(actor, adding.mark(interest)),
        interest.decision,
        added_interests.reason_of(interest),
        added_interests.limit_of(interest) or added_interests.places_of(interest),
    )
    if form.is_submitted():
        require_for(form, may_decide)
        done = form.validate_on_submit() and perform(
            form,
            lambda: adding.decide(
                actor,
                undertaking.id,
                interest.id,
                form.decision.data,
                form.reason.data or "",
                form.places,
                seen=service.decision_shown(actor, form.seen.data),
            ),
            success=_("The decision is recorded, and the person is notified."),
            next=_to_check(reference, undertaking_id),
        )
        if done:
            return done
        undertaking = _of_npm(actor, reference, undertaking_id)
        loaded = queries.load(undertaking)
        interest = found_or_404(added_interests.find(actor, undertaking, as_uuid(interest_id)))
        form.seen.data = service.decision_token(actor, adding.mark(interest))
    _log_read(actor, undertaking)
    others = (
        pages.others_who_decide(actor, loaded)
        if actor.user_id == recorded_by_id
        else _others(actor, loaded, partial(policy.can_decide_added, actor, today=clock.today()))
    )
    return render_template(
        "undertakings/added_interest.html",
        **pages.words(loaded),
        reference=reference,
        form=form,
        added=next(
            added
            for added in pages.added(actor, undertaking, locale.language())
            if added.id == as_uuid(interest_id)
        ),
        may_decide=may_decide,
        others=others,
        # Others may decide again, but need not.
        is_settled=others is not None and interest.decision is not None,
    )


@blueprint.route(
    "/cooperations/<reference>/undertakings/<undertaking_id>/countersign", methods=["GET", "POST"]
)
@signed_in
def countersign(reference: str, undertaking_id: str) -> str | Response:
    """Show page 2 of countersigning: what is opened, until when, and a fresh proof of identity."""
    actor = current_actor()
    undertaking = _of_npm(actor, reference, undertaking_id)
    if undertaking.state is UndertakingState.COUNTERSIGNED:
        flash(_("This undertaking has already been countersigned."), "warning")
        return _to_check(reference, undertaking_id)
    loaded = queries.load(undertaking)
    require(policy.can_countersign(actor, loaded.standing, clock.today()))
    membership = found_or_404(signoff_policy.deciding_membership(actor, clock.today()))
    visits = queries.visits(undertaking.cooperation_id)
    sent = request.form if request.method == "POST" else request.args
    opened = sent.get("opened", "")

    def read_again(error: StaleError) -> Response:
        flash(str(error), "error")
        return _to_check(reference, undertaking_id)

    try:
        service.require_opened(actor, undertaking, opened)
    except NotShownError as error:
        return read_again(error)
    opening = opening_form(loaded.terms, visits, sent)
    words = pages.words(loaded)
    lacks_visit = pages.is_for_one_visit(loaded.terms) and not visits
    if not opening.validate():
        return render_template(
            "undertakings/opening.html",
            **words,
            reference=reference,
            opened=opened,
            form=None if lacks_visit else opening,
            lacks_visit=lacks_visit,
        )
    opens = pages.opens(
        loaded.terms,
        opening.last_day,
        pages.visit_number(visits, opening.visit_id),
        clearances.terms_last_day(undertaking.cooperation_id),
        has_closed_places=bool(
            added_interests.people_with_closed_places(
                undertaking.cooperation_id, [undertaking.user_id]
            )
        ),
    )
    name = undertaking.user.name
    sentence = labels.countersigning_sentence(
        actor.name, membership, name, loaded.terms, loaded.documents, opens
    )
    form = CountersignForm(
        data={
            "until": opening.last_day.isoformat(),
            "visit": str(opening.visit_id or ""),
            "opened": opened,
        }
    )
    ways = proof_fields.ways(actor)
    form.ask_for(app=ways.has_app, passkey=ways.has_passkey)
    signed = pages.signed(undertaking, locale.language_of_text())
    digest = signed.revision.digest if signed else ""

    def prove_and_countersign() -> None:
        page = shown.page_of(actor, form.page_token.data)
        identity = _prove(actor, form, page, digest, sentence)
        service.countersign(
            actor,
            undertaking.id,
            until=opening.last_day,
            visit_id=opening.visit_id,
            opened=opened,
            page=page,
            sentence=sentence,
            language=str(get_locale()),
            identity=identity,
        )

    done = form.validate_on_submit() and perform(
        form,
        prove_and_countersign,
        success=_("You have countersigned. The person now has access."),
        next=_to_check(reference, undertaking_id),
        conflict=read_again,
    )
    return done or render_template(
        "undertakings/countersign.html",
        **words,
        reference=reference,
        form=form,
        sentence_parts=pages.with_names(sentence, actor.name, actor.organisation_name, name),
        signed=signed,
        offer=_offer(actor, form, shown.page_with(digest), sentence),
    )


@blueprint.route(
    "/cooperations/<reference>/undertakings/<undertaking_id>/withdraw", methods=["GET", "POST"]
)
@signed_in
def withdraw_clearance(reference: str, undertaking_id: str) -> str | Response:
    """Withdraw, for the NPM and with a reason, the access that a person's undertaking gave."""
    actor = current_actor()
    undertaking = _of_npm(actor, reference, undertaking_id)
    form = WithdrawalForm()
    is_typed = form.is_submitted() and form.has_words
    if undertaking.state is UndertakingState.CLOSED and not is_typed:
        flash(_("It has already been closed."), "warning")
        return _to_check(reference, undertaking_id)
    loaded = queries.load(undertaking)
    words = pages.words(loaded)
    require_for(form, policy.can_withdraw_clearance(actor, loaded.standing, clock.today()))
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.withdraw_clearance(actor, undertaking.id, form.reason.data or ""),
        success=_("It's closed immediately, and the person is notified."),
        next=_to_check(reference, undertaking_id),
    )
    return done or render_template(
        "undertakings/withdraw_clearance.html", **words, reference=reference, form=form
    )


@blueprint.post("/cooperations/<reference>/undertakings/<undertaking_id>/again")
@signed_in
def ask_again(reference: str, undertaking_id: str) -> Response:
    """Ask a person again whose undertaking was closed."""
    actor = current_actor()
    undertaking = _of_npm(actor, reference, undertaking_id)
    return perform(
        None,
        lambda: service.ask_again(actor, undertaking.id),
        success=_("%(name)s is asked again.", name=undertaking.user.name),
        next=redirect(url_for("undertakings.listed", reference=reference), 303),
    )


# Parts --------------------------------------------------------------------------------------------


def _get_or_404(actor: Actor, undertaking_id: str) -> Undertaking:
    return found_or_404(queries.find_own(actor, as_uuid(undertaking_id)))


def _cooperation(actor: Actor, reference: str) -> Cooperation:
    return found_or_404(cooperations.find(actor, reference))


def _of_npm(actor: Actor, reference: str, undertaking_id: str) -> Undertaking:
    """Return an undertaking in this cooperation that the person decides on, or abort with 404."""
    cooperation = _cooperation(actor, reference)
    undertaking = found_or_404(queries.find_for_npm(actor, as_uuid(undertaking_id)))
    return found_or_404(undertaking if undertaking.cooperation_id == cooperation.id else None)


def _prove(
    actor: Actor,
    form: SignForm | CountersignForm,
    page: SigningPage | None,
    digest: str,
    sentence: str,
) -> Identity:
    """Return the identity that a form proves, for this text and this sentence."""
    given = Given(**form.given)
    return proof_fields.prove(actor, given, page, document_digest=digest, sentence=sentence)


def _offer(
    actor: Actor, form: SignForm | CountersignForm, page: SigningPage, sentence: str
) -> Offer:
    """Return what the page offers a passkey, and set the page's token in the form."""
    offer = proof_fields.offer(actor, page, sentence)
    form.page_token.data = offer.token
    return offer


def _to_own(undertaking: Undertaking) -> Response:
    return redirect(url_for("undertakings.show", undertaking_id=undertaking.id), 303)


def _to_check(reference: str, undertaking_id: str) -> Response:
    return redirect(
        url_for("undertakings.check", reference=reference, undertaking_id=undertaking_id), 303
    )
