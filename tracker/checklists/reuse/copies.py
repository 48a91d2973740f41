"""View models for copied and model answers: what can be copied, what is still unread."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.checklist_templates import library
from tracker.checklist_templates.conditions import Truth
from tracker.checklist_templates.field_content import ROW
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklist_templates.schema import Item
from tracker.checklists import localized_values, policy, queries
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.localized_values import Part_
from tracker.checklists.models import ModelAnswer
from tracker.checklists.reuse.copying import (
    Copied,
    Offer,
    Preview,
    Why,
)
from tracker.checklists.rules.facts import Filled
from tracker.checklists.rules.rendering import Names
from tracker.checklists.rules.values import Place
from tracker.ui.locale import as_date

# Checklists by id, with the reference of their cooperation: those the reader may open.
Sources = Mapping[UUID, str]
NO_SOURCES: Sources = {}

STAYS = {
    Why.LISTS: _l("Named anew each time: %(items)s."),
    Why.ANSWERED: _l("Answered here already: %(items)s."),
    Why.GONE: _l("Not asked in this version: %(items)s."),
    Why.OTHERS: _l("Written by another party: %(items)s."),
    Why.LEFT_OUT: _l("Left out there; decide anew: %(items)s."),
    Why.CLOSED: _l("Not open here now: %(items)s."),
    Why.HIDDEN: _l("Does not apply here: %(items)s."),
    Why.UNFIT: _l("Holds nothing that fits here: %(items)s."),
}


@dataclass(frozen=True, slots=True)
class CopyView:
    """Where an answer was copied from, and who has not read it yet."""

    # Empty where the reader may not open it.
    source_id: UUID | None
    reference: str
    unread_by: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class OfferView:
    """An item with what would be copied into it."""

    code: str
    label: str
    prompt: str
    is_reworded: bool
    # Whose answer, its parts, and where something is left out.
    answers: tuple[tuple[object, list[Part_], str], ...]


def sources_of(filling: LoadedChecklist, actor: Actor) -> Sources:
    """Return the checklists that answers were copied from and that the reader may open."""
    ids = {one.copied_from for one in filling.sheet.answers.values() if one.copied_from}
    return queries.seen_of(actor, ids) if ids else {}


def copy_view(filling: LoadedChecklist, filled: Filled, sources: Sources) -> CopyView | None:
    """Return what is shown of a copied answer; None of one that was written here."""
    if filled.copied_from is None:
        return None
    reference = sources.get(filled.copied_from, "")
    unread = [one.name for one in filling.parties if filled.is_unread_by(one.organisation_id)]
    return CopyView(filled.copied_from if reference else None, reference, tuple(unread))


def to_read(filling: LoadedChecklist, actor: Actor, item: Item, shown: Truth) -> tuple[UUID, ...]:
    """Return the copied answers of an item that a person may say to have read for their party."""
    checklist, party = filling.checklist, filling.own_party(actor)
    if shown is not Truth.TRUE or party is None:
        return ()
    if not policy.can_read_copies(actor, party, checklist.state):
        return ()
    there = [filling.sheet.shared(item.code)]
    there += [filling.sheet.of_party(item.code, one.organisation_id) for one in filling.parties]
    return tuple(one.answer_id for one in there if one and one.is_unread_by(party.organisation_id))


def offer_views(filling: LoadedChecklist, offers: Iterable[Offer]) -> list[OfferView]:
    """Return what can be copied, as its page shows it."""
    return [
        OfferView(
            code=offer.item.code,
            label=offer.item.label,
            prompt=offer.item.prompt,
            is_reworded=offer.is_reworded,
            answers=tuple(_answer(filling, offer, one) for one in offer.answers),
        )
        for offer in offers
    ]


def _answer(filling: LoadedChecklist, offer: Offer, one: Copied) -> tuple[object, list[Part_], str]:
    fields = offer.item.fields_of(one.scope)
    heading = _("Our own answer") if one.scope is AnswerScope.PARTY else ""
    return (
        heading,
        localized_values.parts(fields, one.values, filling.names),
        left_out(offer.was, one.left_out),
    )


def left_out(item: Item, places: Iterable[Place]) -> str:
    """Return in words where something is left out, as far as the item knows the fields."""
    return ", ".join(dict.fromkeys(label for place in places if (label := _label(item, place))))


def _label(item: Item, place: Place) -> str:
    key, column_key = place
    field = next((one for one in item.fields if one.key == key), None)
    if field is None:
        return ""
    column = next((one for one in field.columns if one.key == column_key != ROW), None)
    return f"{field.label} ({column.label})" if column else field.label


def behind(preview: Preview) -> list[str]:
    """Return why answers stay behind, a sentence for each reason."""
    return [str(STAYS[why]) % {"items": ", ".join(codes)} for why, codes in preview.behind.items()]


# Model answers ----------------------------------------------------------------------------------

# They name nobody.
NO_NAMES = Names({}, {})


@dataclass(frozen=True, slots=True)
class ModelView:
    """A model answer with what it says, as far as its item is still asked."""

    id: UUID
    kind: ChecklistKind
    code: str
    label: str
    title: str
    note: str
    by: str
    parts: list[Part_]


def model_views(rows: Iterable[ModelAnswer]) -> list[ModelView]:
    """Return model answers as their pages show them, in the words of the newest checklists."""
    templates = {}
    views = []
    for row in rows:
        if row.kind not in templates:
            templates[row.kind] = library.parsed(library.newest(row.kind))
        item = templates[row.kind].item(row.item)
        views.append(
            ModelView(
                id=row.id,
                kind=row.kind,
                code=row.item,
                label=item.label if item else "",
                title=row.title,
                note=row.note,
                by=_("%(name)s, %(when)s", name=row.author.name, when=as_date(row.changed_at)),
                parts=localized_values.parts(item.fields_of(row.scope), row.values, NO_NAMES)
                if item
                else [],
            )
        )
    return views


def by_kind(views: Sequence[ModelView]) -> list[tuple[ChecklistKind, list[ModelView]]]:
    """Return model answers that are in order by the checklist they are for."""
    return [(kind, list(of_kind)) for kind, of_kind in groupby(views, lambda view: view.kind)]
