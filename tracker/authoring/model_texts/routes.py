"""Pages for the product's model text: its items, and one item in a form with a preview."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.gate import current_actor, found_or_404, require, signed_in
from tracker.authoring import policy
from tracker.authoring.forms import DecideForm
from tracker.authoring.model_texts import places, queries, service
from tracker.authoring.model_texts.forms import ModelTextForm, form_for, has_errors, typed_in
from tracker.authoring.model_texts.places import EACH_WORDS, each_name, how_name, modes_name
from tracker.authoring.model_texts.queries import ItemState
from tracker.authoring.model_texts.service import Address
from tracker.authoring.model_texts.typed_text import text_from
from tracker.authoring.model_texts.words import in_words, modes_words
from tracker.checklist_templates import to_decide, value_differences
from tracker.checklist_templates.compare import Change
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklist_templates.schema import Item
from tracker.checklists.labels import KINDS
from tracker.checklists.model_texts import in_use
from tracker.checklists.model_texts.in_use import ItemText
from tracker.core.db import reading
from tracker.core.errors import RuleBrokenError, StaleError
from tracker.core.mistakes import ContentError
from tracker.ui import locale
from tracker.ui.fields import VersionField
from tracker.ui.perform import perform

blueprint = Blueprint(
    "model_texts", __name__, url_prefix="/administration/checklists/<kind>/model-text/<language>"
)

Answered = str | Response


class BackForm(DecideForm):
    """Why an item goes back to the product's own text, with the revision that was seen."""

    version = VersionField()


@dataclass(frozen=True, slots=True)
class ItemLine:
    """An item in the list: its name, if the checklist has it, and which text is used."""

    state: ItemState
    label: str


def _administrator() -> Actor:
    actor = current_actor()
    require(policy.can_look_after_checklists(actor))
    return actor


def _kind_or_404(kind: str, language: str) -> ChecklistKind:
    of_kind = found_or_404(ChecklistKind(kind) if kind in set(ChecklistKind) else None)
    return found_or_404(of_kind if language in queries.languages_of(of_kind) else None)


@blueprint.get("")
@signed_in
def items(kind: str, language: str) -> str:
    """List the items of a model text, and which of them administrators changed."""
    actor = _administrator()
    of_kind = _kind_or_404(kind, language)
    template = service.template_of(of_kind)
    return render_template(
        "authoring/model_texts/list.html",
        kind=of_kind,
        kind_words=KINDS[of_kind],
        language_code=language,
        lines=[
            ItemLine(state, item.label)
            for state in queries.states(actor, of_kind, language)
            if (item := template.item(state.code)) is not None
        ],
        others=[other for other in queries.languages_of(of_kind) if other != language],
    )


def _state_or_404(actor: Actor, address: Address) -> ItemState:
    states = queries.states(actor, address.kind, address.language)
    return found_or_404(next((own for own in states if own.code == address.code), None))


def _item_or_404(kind: str, language: str, code: str) -> tuple[Actor, Address, ItemState, Item]:
    """Return the administrator, and an item whose model text they change; or abort with 404."""
    actor = _administrator()
    address = Address(_kind_or_404(kind, language), language, code)
    state = _state_or_404(actor, address)
    return actor, address, state, found_or_404(service.template_of(address.kind).item(code))


@blueprint.route("/items/<code>", methods=["GET", "POST"])
@signed_in
def change(kind: str, language: str, code: str) -> Answered:
    """Change the model text of an item: preview it, then publish exactly that."""
    actor, address, state, item = _item_or_404(kind, language, code)
    form = form_for(places.places_of(item, state.text), language, version=state.number)
    if not form.is_submitted():
        return _form_page(form, address, state, item)
    before = state.text
    text: ItemText | None = None

    def handle_conflict(error: StaleError) -> str:
        form.refuse(error)
        with reading():
            theirs = _state_or_404(actor, address)
            form["version"].data = theirs.number
            conflict = _differences(item, theirs.text, text or before, language)
            return _form_page(form, address, theirs, item, conflict=conflict, has_conflict=True)

    is_to_be_published = is_sound = False
    try:
        if form.validate():
            text = text_from(item, before, typed_in(form), language)
            digest = in_use.digest_of(text)
            is_to_be_published = form.is_as_previewed(digest, request.form.get("step"))
            if not is_to_be_published:  # otherwise publishing checks it
                service.check(address, text)
            is_sound = True
    except (ContentError, RuleBrokenError) as error:
        form.refuse(error)
    written = text
    if is_to_be_published and written is not None:
        done = perform(
            form,
            lambda: service.publish(
                actor,
                address,
                written,
                seen_number=form["version"].data,
                reason=form["reason"].data or "",
            ),
            success=_("The text is published. New checklists can begin with it from now on."),
            next=redirect(_list_address(address), 303),
            conflict=handle_conflict,
        )
        if done:
            return done
    with reading():
        state = _state_or_404(actor, address)
        difference = _differences(item, state.product, text, language) if text is not None else None
        return _form_page(form, address, state, item, difference=difference, is_sound=is_sound)


def _differences(item: Item, before: ItemText, after: ItemText, language: str) -> list[Change]:
    """Return how two model texts of an item differ, place by place, word by word."""
    old, new = in_words(item, before, language), in_words(item, after, language)
    return [
        Change(
            place.name,
            value_differences.words(
                old[path].words if path in old else "", new[path].words if path in new else ""
            ),
            place.where,
        )
        for path, place in {**old, **new}.items()
        if (old[path].words if path in old else "") != (new[path].words if path in new else "")
    ]


def _form_page(
    form: ModelTextForm, address: Address, state: ItemState, item: Item, **context: Any
) -> str:
    fields = places.places_of(item, state.text)
    return render_template(
        "authoring/model_texts/form.html",
        form=form,
        fields=fields,
        state=state,
        item=item,
        address=address,
        kind_words=KINDS[address.kind],
        back=_list_address(address),
        from_product=_differences(item, state.product, state.text, address.language),
        revisions=queries.revisions(address.kind, address.language, address.code),
        others=[other for other in queries.languages_of(address.kind) if other != address.language],
        names={"modes": modes_name, "how": how_name, "each": each_name},
        modes_words=modes_words,
        each_words=EACH_WORDS,
        has_errors=has_errors,
        mark_example=to_decide.mark("…", address.language),
        direction=locale.direction,
        **context,
    )


def _list_address(address: Address) -> str:
    return url_for("model_texts.items", kind=address.kind.value, language=address.language)


@blueprint.route("/items/<code>/product", methods=["GET", "POST"])
@signed_in
def back_to_product(kind: str, language: str, code: str) -> Answered:
    """Go back to the product's own text of an item."""
    actor, address, state, item = _item_or_404(kind, language, code)
    form = BackForm(data={"version": state.number})

    def handle_conflict(error: StaleError) -> str:
        form.refuse(error)
        with reading():
            form["version"].data = _state_or_404(actor, address).number
            return page()

    def page() -> str:
        return render_template(
            "authoring/decide.html",
            form=form,
            above=_above(address),
            back=url_for("model_texts.change", kind=kind, language=language, code=code),
            back_words=item.label,
            title_words=_("Go back to the product's text"),
            lede_words=_(
                "New checklists begin with the product's own text of this item again. What you "
                "wrote stays in the list of revisions."
            ),
            button=_("Use the product's text"),
        )

    done = form.validate_on_submit() and perform(
        form,
        lambda: service.reset(
            actor,
            address,
            seen_number=form["version"].data,
            reason=form["reason"].data or "",
        ),
        success=_("The product's own text of this item is in use again."),
        next=redirect(_list_address(address), 303),
        conflict=handle_conflict,
    )
    return done or page()


def _above(address: Address) -> Sequence[tuple[str, str]]:
    return [
        (url_for("authoring.versions"), _("Checklists")),
        (_list_address(address), _("Model text: %(kind)s", kind=KINDS[address.kind])),
    ]
