"""Shared code of pages whose form acts on a text without signing it, and only if it was shown."""

from collections.abc import Callable, Mapping
from typing import Any

from werkzeug.wrappers import Response

from tracker.access import page_organisation
from tracker.access.actor import Actor
from tracker.agreements import frozen_text, revisions, text_shown
from tracker.checklists import encryption
from tracker.checklists.editing import checklist_page
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.models import Checklist
from tracker.core.errors import StaleError
from tracker.signoff import service as signoff
from tracker.signoff.models import Revision
from tracker.ui import locale
from tracker.ui.perform import Message, perform
from tracker.ui.proof_fields import ShownFields


def act(
    actor: Actor,
    checklist: Checklist,
    form: ShownFields,
    verb: Callable[[], object],
    page: Callable[[dict[str, Any]], str],
    *,
    success: Message,
    next: Response,  # noqa: A002 -- as for perform()
) -> str | Response:
    """Act on the text that the page showed and return a response; show the page if that fails.

    page is a function of the text, and of what changed if it isn't the one shown before.
    """

    def act_on_shown() -> None:
        text_shown.require(actor, checklist, token=form.page_token.data)
        verb()

    def show_again(error: StaleError) -> str:
        form.refuse(error)
        seen = text_shown.revision_on(actor, form.page_token.data)
        form.page_token.data = text_shown.token_of(actor, checklist)
        revision = text_shown.revision_of(checklist)
        since = revisions.since(checklist, seen, revision) if revision else None
        return page({**text_of(checklist, revision), "since": since})

    if not form.is_submitted():
        form.page_token.data = text_shown.token_of(actor, checklist)
    done = form.validate_on_submit() and perform(
        form, act_on_shown, success=success, next=next, conflict=show_again
    )
    if not done and page_organisation.is_from_another():
        form.page_token.data = text_shown.token_of(actor, checklist)
    return done or page(text_of(checklist, text_shown.revision_of(checklist)))


def text_of(checklist: Checklist, revision: Revision | None) -> dict[str, Any]:
    """Return a revision and its whole text for a page, in the language chosen there."""
    if revision is None:
        return {"revision": None, "text": None}
    document = signoff.document_of(revision, encryption.key_for(checklist))
    return {
        "revision": revision,
        "text": frozen_text.read(document, locale.language_of_text()),
    }


def reason_page(
    loaded: LoadedChecklist,
    form: Any,
    title: str,
    lede: str = "",
    text: Mapping[str, Any] | None = None,
    *,
    button: str = "",
    kind: str = "grave",
) -> str:
    """Show a form that asks for a reason, and perhaps for items; text comes from act().

    The button has the title as its label unless another is given. kind is a button style: "grave"
    for what withdraws something, "" for what opens or resumes something.
    """
    return checklist_page(
        "agreements/items_reason.html",
        loaded,
        form=form,
        title_words=title,
        button=button or title,
        button_kind=kind,
        lede_words=lede,
        **(text or {}),
    )
