"""Pages for a text in force: suspend, end, lift, agree again, renew, call off an amendment."""

import datetime as dt
from uuid import UUID

from flask import Blueprint, redirect, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.gate import current_actor, found_or_404, signed_in
from tracker.agreements import amendments, departures, notices, renewal, text_shown
from tracker.agreements.forms import NoticeForm, RenewForm
from tracker.agreements.routes import on_text
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import policy
from tracker.checklists.editing import (
    back,
    checklist_page,
    get_or_404,
    load_localized,
    require_ahead,
)
from tracker.checklists.forms import ReasonOnTextForm
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.models import Checklist, NoticeKind
from tracker.checklists.obstacles import item_names
from tracker.cooperations import queries as cooperations
from tracker.core import clock
from tracker.ui import locale
from tracker.ui.perform import require_for

# The texts whose suspension or end closes undertakings and clearances.
GIVE_ACCESS = frozenset({ChecklistKind.TERMS, ChecklistKind.CONFIDENTIALITY})

blueprint = Blueprint("ending", __name__, url_prefix="/checklists/<uuid:checklist_id>")


def _to_record(checklist_id: UUID) -> Response:
    return redirect(url_for("signing.record", checklist_id=checklist_id), 303)


@blueprint.route("/suspend", methods=["GET", "POST"])
@signed_in
def suspend(checklist_id: UUID) -> str | Response:
    """Suspend a text in force on behalf of your own party, with a reason (M20)."""
    return _notice(checklist_id, NoticeKind.SUSPENDED)


@blueprint.route("/end", methods=["GET", "POST"])
@signed_in
def end(checklist_id: UUID) -> str | Response:
    """End a text in force for your own party, with a reason and the agreed notice (M20)."""
    return _notice(checklist_id, NoticeKind.ENDED)


def _notice(checklist_id: UUID, kind: NoticeKind) -> str | Response:
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "notice")
    loaded = load_localized(checklist)
    form = NoticeForm(data={"from_on": notices.earliest(checklist, kind)})
    require_for(form, notices.can_give_notice(actor, loaded, kind))
    given = {
        NoticeKind.SUSPENDED: _("Notice of the suspension given. All parties are notified."),
        NoticeKind.ENDED: _("Notice of the end given. All parties are notified."),
    }
    return on_text.act(
        actor,
        checklist,
        form,
        lambda: notices.give_notice(
            actor, checklist, kind, reason=form.reason.data or "", from_on=form.from_on.data
        ),
        lambda text: checklist_page(
            "agreements/notice.html",
            loaded,
            form=form,
            ends=kind is NoticeKind.ENDED,
            earliest=notices.earliest(checklist, kind),
            days=notices.agreed_notice(checklist),
            duties=notices.surviving_duties(checklist, locale.language()),
            may_leave=kind is NoticeKind.ENDED and _may_leave(actor, checklist),
            closes=checklist.kind in GIVE_ACCESS,
            **text,
        ),
        success=given[kind],
        next=_to_record(checklist_id),
    )


def _may_leave(actor: Actor, checklist: Checklist) -> bool:
    """Return whether the person's party can leave alone instead of ending the terms for all.

    Not offered once an end for all has been announced: nothing would continue.
    """
    if checklist.kind is not ChecklistKind.TERMS:
        return False
    if any(notice.kind is NoticeKind.ENDED for notice in notices.open_notices(checklist)):
        return False
    cooperation = cooperations.find_by_id(actor, checklist.cooperation_id)
    return cooperation is not None and bool(departures.can_leave(actor, cooperation))


@blueprint.route("/notices/<uuid:notice_id>/close", methods=["GET", "POST"])
@signed_in
def close(checklist_id: UUID, notice_id: UUID) -> str | Response:
    """Lift a suspension, or withdraw a notice before its day."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "notice")
    loaded = load_localized(checklist)
    notice = found_or_404(notices.find(checklist, notice_id))
    lifts = notice.has_come
    form = ReasonOnTextForm()
    require_for(form, notices.can_close_notice(actor, loaded, notice))
    title = _("Lift the suspension") if lifts else _("Withdraw the notice")
    others = locale.with_commas(notices.also_suspended_by(checklist, notice))
    lede = _what_follows(checklist, others, lifts=lifts)
    if notice.closed_at is not None:
        # Closed since its page was opened.
        form.refuse(notices.closed_already())
        text = on_text.text_of(checklist, text_shown.revision_of(checklist))
        return on_text.reason_page(loaded, form, title, lede, text, kind="")
    return on_text.act(
        actor,
        checklist,
        form,
        lambda: notices.close_notice(actor, checklist, notice_id, reason=form.reason.data or ""),
        lambda text: on_text.reason_page(loaded, form, title, lede, text, kind=""),
        success=_lifted(others) if lifts else _("The notice is withdrawn."),
        next=_to_record(checklist_id),
    )


def _what_follows(checklist: Checklist, others: str, *, lifts: bool) -> str:
    """Return what follows once a notice is closed; others name who else has suspended the text."""
    if others:
        return str(
            _("The text stays suspended, because of a notice of %(parties)s.", parties=others)
        )
    if not lifts:
        return str(_("The text stays in force as it is. All parties are notified."))
    if checklist.kind not in GIVE_ACCESS:
        return str(_("The text is in force again immediately."))
    return str(_("The text is in force again immediately. People are asked for new undertakings."))


def _lifted(others: str) -> str:
    if others:
        return str(
            _(
                "Your suspension is lifted. The text stays suspended, because of a notice of "
                "%(parties)s.",
                parties=others,
            )
        )
    return str(_("The suspension is lifted."))


@blueprint.route("/agree-anew", methods=["GET", "POST"])
@signed_in
def agree_anew(checklist_id: UUID) -> str | Response:
    """Reopen a text that has ended, to be agreed and signed again."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "agree_anew")
    loaded = load_localized(checklist)
    form = ReasonOnTextForm()
    require_for(form, notices.can_agree_anew(actor, loaded))
    lede = _("All items open again. The text is in force once all parties have signed it.")
    return on_text.act(
        actor,
        checklist,
        form,
        lambda: notices.agree_anew(actor, checklist, reason=form.reason.data or ""),
        lambda text: on_text.reason_page(
            loaded,
            form,
            _("Agree the text again"),
            lede,
            text,
            button=_("Open all items again"),
            kind="",
        ),
        success=_("The text is open again. The history shows that it had ended."),
        next=back(checklist_id),
    )


@blueprint.route("/renew", methods=["GET", "POST"])
@signed_in
def renew(checklist_id: UUID) -> str | Response:
    """Propose new dates for the agreed terms, which all parties accept and sign (M19)."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "renew")
    if checklist.kind is ChecklistKind.TERMS:  # others say that they can't be renewed
        require_ahead(actor, checklist, policy.can_ever_amend)
    loaded = load_localized(checklist)
    term = renewal.term_of(checklist)
    following = renewal.term_after(checklist, term) if term else None
    form = RenewForm(
        data={"start": following.start, "review": following.review, "end": following.end}
        if following
        else {}
    )
    if loaded.surroundings.latest_start is not None:
        del form.start
    require_for(form, renewal.can_renew(actor, loaded))
    return on_text.act(
        actor,
        checklist,
        form,
        lambda: renewal.propose_renewal(
            actor,
            checklist,
            start=form.start.data if "start" in form else None,
            review=_day(form.review.data),
            end=_day(form.end.data),
            reason=form.reason.data or "",
        ),
        lambda text: checklist_page(
            "agreements/renew.html",
            loaded,
            form=form,
            term=renewal.term_of(checklist),
            replaced=notices.replaced_by_signing(checklist),
            **text,
        ),
        success=_(
            "The new dates are proposed. The other parties see them in “Term, review, renewal”."
        ),
        next=back(checklist_id, "M19"),
    )


@blueprint.route("/call-off", methods=["GET", "POST"])
@signed_in
def call_off(checklist_id: UUID) -> str | Response:
    """Call off the open amendment of a text in force, which restores its signed answers."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "call_off")
    require_ahead(actor, checklist, policy.can_ever_call_off_amendment)
    loaded = load_localized(checklist)
    form = ReasonOnTextForm()
    require_for(form, amendments.can_call_off(actor, loaded))
    items = amendments.items_going_back(loaded)
    return on_text.act(
        actor,
        checklist,
        form,
        lambda: amendments.call_off(actor, checklist, reason=form.reason.data or ""),
        lambda text: on_text.reason_page(
            loaded, form, _("Call off the amendment"), _what_goes_back(loaded, items), text
        ),
        success=_("The amendment is called off. All parties are notified."),
        next=back(checklist_id),
    )


def _what_goes_back(loaded: LoadedChecklist, items: list[str]) -> str:
    """Return a message about what happens to a checklist when its amendment is called off."""
    stays: str = _("The text in force stays as it is. The negotiation stays in the history.")
    if not items:
        return stays
    back_to = _(
        "These answers go back to what was signed: %(items)s.", items=item_names(loaded, items)
    )
    return f"{stays} {back_to}"


def _day(given: dt.date | None) -> dt.date:
    return given or clock.today()  # the form has required one
