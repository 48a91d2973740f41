"""What every page of a checklist begins and ends with: open it scoped, try an act, go back."""

from collections.abc import Callable
from typing import Any
from uuid import UUID

from flask import flash, redirect, render_template, request, url_for
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.decision import no
from tracker.access.gate import found, require
from tracker.activity import service as trail
from tracker.checklists import labels, pages, queries, sealing
from tracker.checklists.loading import Filling, fill
from tracker.checklists.models import AnswerScope, Checklist
from tracker.checklists.template import Item
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.guidance.queries import passages_for
from tracker.ui.form_base import Form
from tracker.ui.validators import is_blank

# Fields that the page fills in, not the person.
HIDDEN = frozenset({"CSRFTokenField", "HiddenField", "VersionField"})


def opened(actor: Actor, checklist_id: UUID, page: str) -> Checklist:
    """Return a checklist the person may open, or answer 404; opening class K2 is noted."""
    checklist = found(queries.find(actor, checklist_id))
    if sealing.is_restricted(checklist) and request.method == "GET":
        trail.log_read(
            actor,
            cooperation_id=checklist.cooperation_id,
            subject_type="checklist",
            subject_id=checklist.id,
            page=page,
        )
    return checklist


def opened_item(
    actor: Actor, checklist_id: UUID, code: str, page: str
) -> tuple[Checklist, Filling, Item]:
    """Return a checklist the person may open, loaded whole, and one item; or answer 404."""
    checklist = opened(actor, checklist_id, page)
    filling = fill(checklist)
    return checklist, filling, item_of(filling, code)


def item_of(filling: Filling, code: str) -> Item:
    """Return an item, or answer 404 when the template has none of that code."""
    return found(filling.template.item(code))


def back(checklist: Checklist, code: str = "") -> Response:
    """Go back to the list, to an item of it."""
    return redirect(
        url_for("checklists.show", checklist_id=checklist.id, _anchor=code.lower() or None), 303
    )


def tried(form: Form, act: Callable[[], object], words: str) -> bool:
    """Do an act when its form was sent and is right; keep the form with the reason when not."""
    if not form.validate_on_submit():
        return False
    try:
        act()
        db.session.commit()
    except RuleBrokenError as error:
        db.session.rollback()
        form.refuse(error)
        return False
    flash(words, "held")
    return True


def seen_version(form: Form) -> int:
    """Return the version the person saw; one that can't be read counts as an old one."""
    seen = form["base_version"].data
    return seen if isinstance(seen, int) else -1


def as_id_or_none(text: str) -> UUID:
    """Read an id out of a form; what can't be read is the id of nothing."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)


def may_go_on(form: Form, allowed: object, why_not: object, otherwise: str) -> bool:
    """Tell whether an act is open to the person now; else refuse it, in the reason's words.

    What was typed into a form stays on its page, with the reason above: the text may have been
    sent for signature while somebody was writing. Where nothing was typed RefusedError says no.
    """
    if allowed:
        return True
    if not (form.is_submitted() and has_words(form)):
        require(no(why_not or otherwise))
    form.refuse(RuleBrokenError(why_not or otherwise))
    return False


def has_words(form: Form) -> bool:
    """Tell whether anything was typed into a form."""
    return any(not is_blank(field) for field in form if field.type not in HIDDEN)


def guidance_beside(item: Item) -> pages.Guide:
    """Return the guidance beside the form of one item."""
    return pages.guide_of(item, passages_for(list(item.rests_on.passages)))


def proposal_page(
    filling: Filling, item: Item, form: Form, fields: list[Any], *, action: str = ""
) -> str:
    """Show the page on which other words for an answer are proposed; action where they are sent."""
    current = filling.sheet.shared(item.code)
    return render_template(
        "checklists/propose.html",
        checklist=filling.checklist,
        cooperation=filling.cooperation,
        item=item,
        form=form,
        fields=fields,
        action=action,
        current=pages.answer_parts(filling, item, AnswerScope.SHARED, found(current)),
        guidance=guidance_beside(item),
        kind_words=labels.KINDS[filling.checklist.kind],
    )


def reason_page(
    filling: Filling,
    item: Item,
    form: Form,
    *,
    title: str,
    button: str,
    lede: str = "",
    about: pages.ProposalView | pages.FlagView | None = None,
) -> str:
    """Show the page that asks for one reason: about an item, a proposal or a flag on it."""
    return render_template(
        "checklists/reason.html",
        checklist=filling.checklist,
        cooperation=filling.cooperation,
        item=item,
        form=form,
        title_words=title,
        button=button,
        lede_words=lede,
        proposal=about if isinstance(about, pages.ProposalView) else None,
        flag=about if isinstance(about, pages.FlagView) else None,
        answers=pages.answers_of(filling, item),
        kind_words=labels.KINDS[filling.checklist.kind],
    )
