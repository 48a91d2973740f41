"""The page on which a person fills in what is left to decide in all items, with one button.

In one file: one view, the form that it builds, and what becomes of a form that others overtook.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any, cast
from uuid import UUID

from flask import Blueprint, flash, redirect, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.gate import current_actor, found_or_404, signed_in
from tracker.activity.stale import recompute
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import Column, FieldType, TemplateField
from tracker.checklists import obstacles, pages, policy, queries
from tracker.checklists.deciding import left_to_decide
from tracker.checklists.deciding.left_to_decide import OpenItem, Seen
from tracker.checklists.deciding.open_places import OpenField, code_of, name_of_all
from tracker.checklists.drafts import DraftValues
from tracker.checklists.editing import (
    Writing,
    begin_deciding,
    checklist_page,
    get_or_404,
    is_sent,
    keep_aside,
    load_localized,
    on_page,
    require_ahead,
)
from tracker.checklists.forms import as_typed, place_field, to_decide_words, to_shown, to_stored
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.models import ChecklistState
from tracker.checklists.negotiation.text_digest import question_token
from tracker.checklists.people_lists import PeopleLists
from tracker.checklists.rules.values import missing
from tracker.core.errors import RuleBrokenError, StaleError
from tracker.ui.fields import HiddenValueField, VersionField
from tracker.ui.form_base import Form
from tracker.ui.locale import with_commas
from tracker.ui.perform import perform, require_for
from tracker.ui.proof_fields import TOKEN_LENGTH
from tracker.ui.validators import is_blank

blueprint = Blueprint("deciding", __name__, url_prefix="/checklists/<uuid:checklist_id>")


# What hidden fields say on what an answer is based, by the ends of their names.
HIDDEN = ("-version", "-question", "-begun")
# Marks the fields of a form that say on which version and question of an item it is based.
BASE = {"data-base": ""}


@dataclass(frozen=True, slots=True)
class UnsavedText:
    """What was typed for a place that is no longer open, or has moved."""

    code: str
    # The question it was typed for, and the value as the answer would show it.
    question: object
    typed: str


@blueprint.route("/decide", methods=["GET", "POST"])
@signed_in
def decide(checklist_id: UUID) -> str | Response:
    """Fill in the open places of all items in one form, which begins with the person's draft.

    If there are none, lead to reading the draft.
    """
    actor = current_actor()
    checklist = get_or_404(actor, checklist_id, "decide")
    require_ahead(actor, checklist, policy.can_take_part)
    loaded = load_localized(checklist)
    items = left_to_decide.open_items(loaded, actor)
    writing = begin_deciding(actor, loaded)
    form = _form(loaded, actor, items, writing.typed)
    require_for(form, policy.can_take_part(actor, loaded.own_party(actor)), loaded.goes_on())

    def save() -> tuple[str, ...]:
        typed, seen = _typed(form, items), _seen(form, items)
        if not typed:
            raise RuleBrokenError(_("There's nothing to save yet. Decide something first."))
        codes = left_to_decide.save(actor, checklist, seen, typed)
        writing.finish()
        recompute()
        return codes

    def show_both(error: StaleError) -> str:
        now = load_localized(found_or_404(queries.find(actor, checklist_id)))
        left = left_to_decide.open_items(now, actor)
        newer = _form(now, actor, left)
        _show_now(newer, now, actor, left)
        newer.refuse(error)
        as_draft = keep_aside(replace(writing, checklist=now.checklist))
        return _page(now, newer, left, as_draft, _unsaved_texts(now, form, items, left))

    moved = _moved(loaded, items, writing.typed or _sent())
    if request.method == "POST" and moved:
        _show_now(form, loaded, actor, items)
        form.refuse(
            RuleBrokenError(
                _(
                    "Some of this changed while you were writing, so nothing is saved yet. What "
                    "you typed is below: check it and save again."
                )
            )
        )
        return _page(loaded, form, items, keep_aside(writing), moved)
    if request.method == "GET" and _is_all_decided(loaded, actor, items, writing):
        flash(_("Nothing is left to decide for your organisation."), "success")
        return redirect(page_after(loaded, actor), 303)
    done = is_sent(form) and perform(
        form,
        save,
        success=lambda codes: _saved_words(codes, load_localized(checklist), actor),
        next=lambda _codes: redirect(page_after(load_localized(checklist), actor), 303),
        conflict=show_both,
    )
    changed = _changed(items, writing.typed or {})
    if changed:
        _show_now(form, loaded, actor, items)
    return done or _page(loaded, form, items, writing, moved, changed)


def _is_all_decided(
    loaded: LoadedChecklist, actor: Actor, items: Sequence[OpenItem], writing: Writing
) -> bool:
    """Return whether a draft of the parties has nothing to fill in here, so the person reads it."""
    is_draft = loaded.checklist.state is ChecklistState.DRAFTING and bool(loaded.sheet.answers)
    is_typing = writing.saved.typed is not None
    return is_draft and not items and not is_typing and not left_to_decide.to_write(loaded, actor)


def _page(
    loaded: LoadedChecklist,
    form: Form,
    items: Sequence[OpenItem],
    writing: Writing,
    unsaved: Sequence[UnsavedText],
    changed: Sequence[str] = (),
) -> str:
    return checklist_page(
        "checklists/decide.html",
        loaded,
        loaded=loaded,
        form=form,
        items=items,
        unsaved=unsaved,
        labels={item.code: item.label for item in loaded.template.items},
        changed=obstacles.item_names(loaded, changed),
        draft=on_page(writing),
        to_write=left_to_decide.to_write(loaded, current_actor(), items),
        is_own=lambda open_item: open_item.scope is AnswerScope.PARTY,
        name_of_all=name_of_all,
    )


def _form(
    loaded: LoadedChecklist,
    actor: Actor,
    items: Sequence[OpenItem],
    typed: DraftValues | None = None,
) -> Form:
    """Return a form with a field for each place, and one for places to decide together.

    typed is what somebody typed earlier and did not save: the form then shows that.
    """
    members: dict[str, Any] = {}
    data: dict[str, Any] = {}
    known = left_to_decide.suggested(loaded, actor, items)
    same = _("The same for all rows, except where you choose something else below.")
    for open_item in items:
        key, values = open_item.key, open_item.values
        lists = PeopleLists(loaded, actor, open_item.item)
        members[f"{key}-version"] = VersionField(default=0, render_kw=BASE)
        members[f"{key}-question"] = HiddenValueField(most=TOKEN_LENGTH, render_kw=BASE)
        members[f"{key}-begun"] = HiddenValueField(most=TOKEN_LENGTH, render_kw=BASE)
        data |= _base_of(loaded, actor, open_item)
        hinted_above = {
            place.name
            for table in open_item.tables
            for group in table.together
            for place in group
            if _shared_hint(group)
        }
        for place in open_item.places:
            value = values.get(place.field.key)
            beside = "" if place.name in hinted_above else _beside(place)
            members[place.name] = place_field(
                place.field, place.part, lists, value, beside=beside, row=place.row
            )
            data[place.name] = to_shown(place.part, known.get(place.name, place.text))
        for table in open_item.tables:
            for group in table.together:
                first = group[0]
                value = values.get(first.field.key)
                members[name_of_all(group)] = place_field(
                    first.field,
                    first.part,
                    lists,
                    value,
                    beside=" ".join(filter(None, (_shared_hint(group), same))),
                    label=with_commas(dict.fromkeys(str(place.part.label) for place in group)),
                )
                data[name_of_all(group)] = to_shown(first.part, known.get(name_of_all(group)))
    form_class = type("DecideForm", (Form,), members)
    given = {name: value for name, value in data.items() if value is not None}
    if typed is not None:
        added = {name: [str(value)] for name, value in given.items() if _is_new(name, typed)}
        return as_typed(form_class, {**added, **typed})
    return cast("Form", form_class(data=given))


def _base_of(loaded: LoadedChecklist, actor: Actor, open_item: OpenItem) -> dict[str, Any]:
    """Return on what the page bases an answer, by the names of hidden fields."""
    return {
        f"{open_item.key}-version": open_item.version,
        f"{open_item.key}-question": question_token(loaded, actor, open_item.item),
        f"{open_item.key}-begun": open_item.begun_with,
    }


def _is_new(name: str, typed: DraftValues) -> bool:
    """Return whether a text or hidden value isn't in a draft: its item was opened since."""
    return f"{name.partition('-')[0]}-version" not in typed


def _changed(items: Iterable[OpenItem], typed: DraftValues) -> list[str]:
    """Return the items that have another version than the one a draft is based on."""
    now = {
        open_item.key: {"version": [str(open_item.version)], "begun": [open_item.begun_with]}
        for open_item in items
    }
    changed = [
        code_of(key)
        for key, base in now.items()
        if any(typed.get(f"{key}-{name}", current) != current for name, current in base.items())
    ]
    return list(dict.fromkeys(changed))


def _shared_hint(group: Sequence[OpenField]) -> str:
    """Return the text beside every place of a group if it is the same, to show it once."""
    hints = {str(_beside(place)) for place in group}
    return hints.pop() if len(hints) == 1 else ""


def _beside(place: OpenField) -> object:
    """Return the text beside a place: what is to decide, or when it is needed at all."""
    if place.is_dependent:
        return _("Only needed if your choices here call for it.")
    words = (str(place.part.label), str(place.part.hint or ""))
    is_said = any(_plain(place.what) in _plain(text) for text in words)
    return to_decide_words(place.part, "" if is_said else place.what)


def _plain(text: str) -> str:
    """Return a text to be compared: in small letters, without what ends a sentence."""
    return text.casefold().strip(" .?؟!")


def _show_now(form: Form, loaded: LoadedChecklist, actor: Actor, items: Iterable[OpenItem]) -> None:
    """Store in a form which versions and questions its page shows, not those that were sent."""
    for open_item in items:
        for name, value in _base_of(loaded, actor, open_item).items():
            form[name].data = value


def _seen(form: Form, items: Iterable[OpenItem]) -> dict[str, Seen]:
    seen = {}
    for key in (open_item.key for open_item in items):
        version = form[f"{key}-version"].data
        seen[key] = Seen(
            version if isinstance(version, int) else -1,
            form[f"{key}-question"].data or "",
            form[f"{key}-begun"].data or "",
        )
    return seen


def _typed(form: Form, items: Iterable[OpenItem]) -> dict[str, Any]:
    """Return what was decided, by the names of the places: what is blank stays to decide."""
    typed = {}
    for open_item in items:
        for table in open_item.tables:
            together = {place.name: group for group in table.together for place in group}
            for place in (place for row in table.rows for place in row.places):
                field = form[place.name]
                if is_blank(field) and place.name in together:
                    field = form[name_of_all(together[place.name])]
                if not is_blank(field) and field.data != place.text:
                    typed[place.name] = to_stored(field.data)
    return _without_idle_dependents(typed, items)


def _without_idle_dependents(typed: Mapping[str, Any], items: Iterable[OpenItem]) -> dict[str, Any]:
    """Leave out what was typed only into places that are needed in other cases."""
    places = {place.name: place for open_item in items for place in open_item.places}
    rows = {
        (place.item, place.field.key, place.row)
        for name, place in places.items()
        if name in typed and not place.is_dependent
    }
    items_decided = {item for item, _key, _row in rows}
    return {
        name: value
        for name, value in typed.items()
        if not places[name].is_dependent
        or places[name].waits_for_item
        or (places[name].item, places[name].field.key, places[name].row) in rows
        or (places[name].row is None and places[name].item in items_decided)
    }


def _sent() -> DraftValues:
    return dict(request.form.lists())


def _moved(
    loaded: LoadedChecklist, items: Iterable[OpenItem], words: DraftValues
) -> list[UnsavedText]:
    """Return what was typed for places that the page no longer has."""
    known: set[str] = set()
    for open_item in items:
        known |= {place.name for place in open_item.places}
        known |= {name_of_all(group) for table in open_item.tables for group in table.together}
    return _not_saved_by_others(
        loaded,
        (
            (name, text)
            for name, texts in words.items()
            if "-" in name and name not in known
            for text in texts
            if text.strip() and not name.endswith(HIDDEN)
        ),
    )


def _unsaved_texts(
    loaded: LoadedChecklist, form: Form, before: Iterable[OpenItem], now: Iterable[OpenItem]
) -> list[UnsavedText]:
    """Return what was typed for places that are no longer open."""
    still = {place.name for open_item in now for place in open_item.places}
    gone: list[OpenField] = [
        place
        for open_item in before
        for place in open_item.places
        if place.name not in still and not is_blank(form[place.name])
    ]
    return _not_saved_by_others(loaded, ((row.name, str(form[row.name].data)) for row in gone))


def _not_saved_by_others(
    loaded: LoadedChecklist, typed: Iterable[tuple[str, str]]
) -> list[UnsavedText]:
    """Return typed values in words, without those that are in the answer by now.

    A form begins with what is known, so two people often send the same.
    """
    unsaved = []
    for name, text in typed:
        key, _dash, rest = name.partition("-")
        field_key, _dash, cell = rest.partition("-")
        code, column = code_of(key), cell.rpartition("-")[2]
        item = loaded.template.by_code.get(code)
        field = next((row for row in item.fields if row.key == field_key), None) if item else None
        part = field.column(column) if field is not None and column else field
        if field is None or part is None:
            unsaved.append(UnsavedText(code, "", text))
            continue
        answer = loaded.sheet.shared(code)
        values = answer.values.get(field_key) if answer else None
        saved = [row.get(column) for row in values or ()] if column else [values]
        if _as_stored(part, text) not in saved:
            unsaved.append(UnsavedText(code, part.label, _in_words(loaded, field, column, text)))
    return unsaved


def _as_stored(part: TemplateField | Column, text: str) -> object:
    return True if part.type is FieldType.CONFIRM else text


def _in_words(loaded: LoadedChecklist, field: TemplateField, column: str, text: str) -> str:
    """Return a value as the answer would show it: a name for an id, a day in words."""
    value = _as_stored(field.column(column) if column else field, text)
    try:
        shown = pages.parts((field,), {field.key: [{column: value}] if column else value}, loaded)
    except ValueError:  # such as a day that is none
        return text
    if not shown:
        return text
    return str(shown[0][1].lines[0][-1]) if column else str(shown[0][1])


def _saved_words(codes: Sequence[str], loaded: LoadedChecklist, actor: Actor) -> tuple[str, str]:
    left = left_to_decide.count(loaded, actor)
    words = _("Saved: %(items)s.", items=obstacles.item_names(loaded, codes))
    wrong = _wrong(loaded, codes)
    if wrong:
        look = _("Look at these again, they don't fit yet: %(problems)s", problems=" ".join(wrong))
        return f"{words} {look}", "warning"
    if not left:
        is_written = not left_to_decide.to_write(loaded, actor)
        then = _("Now read the draft and accept it.")
        then = then if is_written else _("Write this answer too, then read and accept the draft.")
        return f"{words} {then}", "success"
    rest = ngettext(
        "%(num)s place is still left to decide.", "%(num)s places are still left to decide.", left
    )
    return f"{words} {rest}", "warning"


def _wrong(loaded: LoadedChecklist, codes: Iterable[str]) -> list[str]:
    """Return what is wrong with items whose shared answer has nothing left to fill in."""
    statuses = loaded.standing().items
    words = []
    for code in codes:
        item, answer = loaded.item(code), loaded.sheet.shared(code)
        problems = statuses[code].problems if code in statuses else ()
        if answer is None or any(missing(item.fields_of(AnswerScope.SHARED), answer.values)):
            continue
        problem = obstacles.first_problem(item, problems)
        if problem:
            words.append(_("“%(item)s”, %(problem)s", item=item.label, problem=problem))
    return words


def page_after(loaded: LoadedChecklist, actor: Actor) -> str:
    """Return where to go on: to what is open or not written yet, or to reading the draft."""
    checklist_id = loaded.checklist.id
    if left_to_decide.open_items(loaded, actor):
        return url_for("deciding.decide", checklist_id=checklist_id)
    for item, scope in left_to_decide.to_write(loaded, actor):
        query: dict[str, Any] = {"for": scope.value, "then": "read"}
        return url_for("checklists.answer", checklist_id=checklist_id, code=item.code, **query)
    return url_for("reading.show", checklist_id=checklist_id)
