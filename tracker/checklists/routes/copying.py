"""Pages for starting from an earlier checklist: choose it, choose answers, confirm reading."""

from collections.abc import Mapping
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.gate import current_actor, found_or_404, require, signed_in
from tracker.checklists import (
    encryption,
    labels,
    policy,
    queries,
)
from tracker.checklists.beside import TextOnPage, texts_on_page
from tracker.checklists.editing import (
    checklist_page,
    get_or_404,
    note_opening,
    require_ahead,
    uuid_or_nil,
)
from tracker.checklists.forms import copy_form
from tracker.checklists.loading import LoadedChecklist, load
from tracker.checklists.models import Checklist
from tracker.checklists.reuse import copies, copying
from tracker.checklists.reuse.copying import ITEMS, Preview
from tracker.core.errors import StaleError
from tracker.signoff.labels import DISAGREES
from tracker.ui.form_base import Form
from tracker.ui.perform import perform
from tracker.ui.words import asked_words

blueprint = Blueprint("copying", __name__, url_prefix="/checklists/<uuid:checklist_id>")

COPIED = "copied"
MOST_LETTERS = 200


@blueprint.get("/copy")
@signed_in
def earlier_checklists(checklist_id: UUID) -> str:
    """List the newest checklists of the same parties to copy answers from, or search them."""
    actor = current_actor()
    checklist, loaded = _get_or_404(actor, checklist_id)
    words = asked_words(MOST_LETTERS)
    lines, has_more = queries.earlier_checklists(actor, checklist, words)
    texts = texts_on_page([former.checklist for former in lines])
    return checklist_page(
        "checklists/reuse/earlier_checklists.html",
        loaded,
        formers=lines,
        has_more=has_more,
        words=words,
        texts=texts,
        states={former.checklist.id: _state(former.checklist, texts) for former in lines},
    )


def _state(checklist: Checklist, texts: Mapping[UUID, TextOnPage]) -> tuple[object, str]:
    """Return the state of an earlier checklist with its mark, from its signatures and events."""
    text = texts[checklist.id]
    if not text.agrees:
        return DISAGREES
    return (text.words, text.mark) if text.words else (labels.STATES[checklist.state], "off")


@blueprint.route("/copy/<uuid:former_id>", methods=["GET", "POST"])
@signed_in
def copy(checklist_id: UUID, former_id: UUID) -> str | Response:
    """Show what would be copied from an earlier checklist, and copy what is chosen."""
    actor = current_actor()
    checklist, loaded = _get_or_404(actor, checklist_id)
    former = found_or_404(queries.earlier_checklist(actor, checklist, former_id))
    note_opening(actor, former, COPIED)
    before = load(former)
    look = copying.preview(actor, loaded, before)

    def choose_again(error: StaleError) -> Response:
        flash(str(error), "error")
        return redirect(
            url_for("copying.copy", checklist_id=checklist_id, former_id=former_id), 303
        )

    form = copy_form([(offer.item.code, offer.item.label) for offer in look.offers], look.seen)
    if form.is_submitted() and request.form.get("seen") != look.seen:
        _look_again(form, look)
    elif form.validate_on_submit():
        done = perform(
            form,
            lambda: copying.copy(
                actor, checklist, former_id, form[ITEMS].data or [], seen=look.seen
            ),
            success=lambda copied: (_copied_words(len(copied)), "warning"),
            next=_back(checklist, narrowed=COPIED),
            conflict=choose_again,
        )
        if done:
            return done
    elif not form.is_submitted() and request.args.get("chosen") == "none":
        form[ITEMS].data = []
    return _copy_page(loaded, before, look, form)


def _look_again(form: Form, look: Preview) -> None:
    """Show what can be copied now, with the same items chosen if they are still there."""
    form["seen"].data = look.seen
    form[ITEMS].data = [code for code in form[ITEMS].data or () if code in look.codes]
    form.refuse(StaleError(_("Something changed while you were choosing. Look at it again.")))


def _copy_page(loaded: LoadedChecklist, before: LoadedChecklist, look: Preview, form: Form) -> str:
    checklist = loaded.checklist
    return checklist_page(
        "checklists/reuse/copy.html",
        loaded,
        former=before.checklist,
        former_cooperation=before.cooperation,
        form=form,
        offers={
            offer_view.code: offer_view for offer_view in copies.offer_views(loaded, look.offers)
        },
        behind=copies.behind(look, loaded),
        counts_days=before.checklist.visit_id is not None,
        is_restricted=encryption.is_restricted(checklist),
    )


def _copied_words(count: int) -> str:
    words: str = ngettext(
        "%(num)s item is copied. It doesn't count as agreed until every party has read it.",
        "%(num)s items are copied. They don't count as agreed until every party has read them.",
        count,
    )
    return words


@blueprint.post("/copies/read")
@signed_in
def read(checklist_id: UUID) -> Response:
    """Record that the actor's party has read the copied answers on the page."""
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "copies_read")
    narrowed = COPIED if request.form.get("filter") == COPIED else None
    return perform(
        None,
        lambda: copying.say_read(actor, checklist, _seen()),
        success=_("Read for %(party)s.", party=actor.organisation_name),
        next=lambda items: _back(
            checklist, items[0] if items and len(items) == 1 else "", narrowed
        ),
    )


def _seen() -> Mapping[UUID, str]:
    """Return the answers on the page, each with the token of what the page showed of its item."""
    answers = [uuid_or_nil(answer_id) for answer_id in request.form.getlist("answer")]
    tokens = request.form.getlist("page_token")
    return dict(zip(answers, tokens, strict=True)) if len(answers) == len(tokens) else {}


def _get_or_404(actor: Actor, checklist_id: UUID) -> tuple[Checklist, LoadedChecklist]:
    """Return a checklist into which the person may copy; else abort with 404 or 403."""
    checklist = get_or_404(actor, checklist_id, "copy")
    require_ahead(actor, checklist, policy.can_take_part)
    loaded = load(checklist)
    require(
        policy.can_copy(
            actor,
            loaded.own_party(actor),
            checklist.state,
            goes_on=loaded.goes_on(),
        )
    )
    return checklist, loaded


def _back(checklist: Checklist, code: str = "", narrowed: str | None = None) -> Response:
    """Redirect to the list, filtered by what was copied, or to one of its items."""
    anchor = code.lower() if code and narrowed is None else None
    address = url_for("checklists.show", checklist_id=checklist.id, filter=narrowed, _anchor=anchor)
    return redirect(address, 303)
