"""Endpoints that save and discard drafts as a person types, and keep them when a session ends."""

from http import HTTPStatus
from typing import cast
from uuid import UUID

from flask import (
    Blueprint,
    abort,
    current_app,
    g,
    jsonify,
    make_response,
    redirect,
    render_template,
    request,
)
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.gate import current_actor, optional_actor, require, signed_in
from tracker.checklist_templates.models import AnswerScope
from tracker.checklists import drafts, policy, queries
from tracker.checklists.drafts import DraftKey, SavedDraft
from tracker.checklists.editing import (
    DRAFT,
    PAGE_LASTS,
    SENT_LATE,
    get_item_or_404,
    get_or_404,
    here,
    is_own,
    known_numbers,
    load_localized,
    opened_by,
    opened_here,
    sent_number,
    sent_words,
)
from tracker.checklists.models import Checklist, DraftKind
from tracker.checklists.my_work import page_of
from tracker.core.csrf import masked_token
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.ui.locale import as_time
from tracker.ui.perform import perform

blueprint = Blueprint("drafts", __name__, url_prefix="/checklists/<uuid:checklist_id>/items/<code>")

KEEP = "drafts.keep"
# The pages on which people write for a while.
WRITTEN_ON = frozenset(
    {"checklists.answer", "checklists.leave_out", "deciding.decide", "positions.propose"}
)


@blueprint.post("/draft")
@signed_in
def keep(checklist_id: UUID, code: str) -> Response:
    """Save the contents of a page's form as a draft, without validation; called by a script."""
    actor = current_actor()
    # Not performed, and neither is _is_kept(): the script gets JSON and a status.
    try:
        checklist, whose = _writing(actor, checklist_id, code)
        new_draft = drafts.keep(
            checklist,
            whose,
            sent_words(),
            base_version=sent_number("draft_base"),
            number=sent_number("draft_number"),
            known=known_numbers(),
        )
    except RefusedError as error:
        return _state("refused", HTTPStatus.FORBIDDEN, said=str(error))
    except RuleBrokenError as error:
        return _state("refused", HTTPStatus.REQUEST_ENTITY_TOO_LARGE, said=str(error))
    if new_draft is None:
        db.session.rollback()
        saved = drafts.find(checklist, whose)
        return _state("behind", number=saved.number, kept=saved.typed is not None)
    db.session.commit()
    return _state("kept", number=new_draft.number, said=_kept_words(new_draft))


@blueprint.post("/draft/discard")
@signed_in
def discard(checklist_id: UUID, code: str) -> Response:
    """Erase your own draft, and show the page without it."""
    checklist, whose = _writing(current_actor(), checklist_id, code)
    newer = _("You wrote a newer draft in another window, so it was not discarded. It is below.")
    return perform(
        None,
        lambda: drafts.finish(
            checklist, whose, number=sent_number("draft_number"), known=known_numbers()
        ),
        success=lambda is_gone: _("Your draft is discarded.") if is_gone else (newer, "warning"),
        next=redirect(page_of(checklist.id, whose.item, whose.kind), 303),
    )


def _writing(actor: Actor, checklist_id: UUID, code: str) -> tuple[Checklist, DraftKey]:
    """Return the checklist, and the owner of the draft: only the person who opened the page."""
    whose = opened_by(checklist_id, code)
    if code == drafts.LEFT_TO_DECIDE:
        checklist = get_or_404(actor, checklist_id, DRAFT)
        loaded = load_localized(checklist)
        require(policy.can_take_part(actor, loaded.own_party(actor)))
        require(loaded.goes_on())
        return checklist, _own(actor, whose)
    checklist, loaded, item = get_item_or_404(actor, checklist_id, code, DRAFT)
    scope = AnswerScope.PARTY if whose and whose.kind is DraftKind.PARTY else AnswerScope.SHARED
    require(policy.can_write(actor, loaded.own_party(actor), item, scope))
    return checklist, _own(actor, whose)


def _own(actor: Actor, whose: DraftKey | None) -> DraftKey:
    """Return the owner of a draft if that is the actor."""
    if whose is None:
        abort(HTTPStatus.BAD_REQUEST)
    if not is_own(actor, whose):
        raise RefusedError(_others_words())
    return whose


def _others_words() -> str:
    return str(
        _("You're now acting for somebody else than when this page was opened, so it isn't kept.")
    )


def _kept_words(saved: SavedDraft) -> str:
    return str(_("Saved as a draft at %(time)s", time=as_time(saved.kept_at)))


def _state(state: str, status: int = HTTPStatus.OK, **more: object) -> Response:
    response = jsonify(state=state, **more)
    response.status_code = status
    return response


# When a session has ended -------------------------------------------------------------------------


def turn_away() -> Response | None:
    """Store what somebody sent after their session ended as a draft; None for other pages.

    The page carries a token that was made for the person who opened it while signed in. With it the
    text becomes that person's draft, which they find once they sign in. Nobody else finds it, and
    nothing is shown.
    """
    if request.endpoint == KEEP:
        return _state("signed_out", HTTPStatus.BAD_REQUEST, kept=_is_kept())
    if request.method != "POST" or request.endpoint not in WRITTEN_ON or not _is_kept():
        return None
    page = render_template("errors/kept_as_draft.html", here=here(), is_other=False)
    return make_response(page, HTTPStatus.BAD_REQUEST)


def form_was_sent_late() -> Response | None:
    """Respond to a form with the token of another session; None for other pages.

    If the person who opened the page has signed in again, they get the form as it was sent, to send
    it once more. If somebody else has signed in meanwhile, the text becomes a draft of whoever
    opened the page.
    """
    if request.endpoint not in {KEEP, *WRITTEN_ON}:
        return None
    actor = optional_actor()
    if actor is None:
        return turn_away()
    args = request.view_args or {}
    whose = opened_here()
    if whose is None:
        return None
    if request.endpoint == KEEP:
        return _new_token(actor, whose)
    if is_own(actor, whose):
        setattr(g, SENT_LATE, True)
        view = current_app.view_functions[request.endpoint or ""]
        response = cast("Response", make_response(view(**args)))
        if response.status_code == HTTPStatus.OK:
            response.status_code = HTTPStatus.BAD_REQUEST
        return response
    if not _is_kept():
        return None
    page = render_template("errors/kept_as_draft.html", here=here(), is_other=True)
    return make_response(page, HTTPStatus.BAD_REQUEST)


def _new_token(actor: Actor, whose: DraftKey) -> Response:
    """Give the script the CSRF token of the new session, if the same person still has the page."""
    if not is_own(actor, whose):
        return _state("refused", HTTPStatus.BAD_REQUEST, said=_others_words())
    return _state("token", HTTPStatus.BAD_REQUEST, token=masked_token())


def _is_kept() -> bool:
    """Store the text of this request for the person who opened its page; return whether it was.

    Not if a newer text of theirs is already stored, nor if nothing was typed.
    """
    args = request.view_args or {}
    whose = opened_here(lasts=PAGE_LASTS)
    words = sent_words()
    if whose is None or not any(text.strip() for texts in words.values() for text in texts):
        return False
    checklist = queries.by_page(args["checklist_id"])
    try:
        saved = checklist and drafts.keep(
            checklist,
            whose,
            words,
            base_version=sent_number("draft_base"),
            number=sent_number("draft_number"),
            known=known_numbers(),
        )
    except RuleBrokenError:  # more than a draft can hold: it is shown for copying instead
        saved = None
    if not saved:
        db.session.rollback()
        return False
    db.session.commit()
    return True
