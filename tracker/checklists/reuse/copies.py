"""View models for copied answers and model answers: what can be copied, what is still unread."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from typing import NamedTuple
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
from tracker.checklists.history import item_titles
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.localized_values import Part_
from tracker.checklists.models import CopySource, ModelAnswer
from tracker.checklists.negotiation.text_digest import item_token
from tracker.checklists.reuse.copying import (
    Copied,
    Offer,
    Preview,
    Why,
)
from tracker.checklists.rules.facts import Filled
from tracker.checklists.rules.rendering import Names
from tracker.checklists.rules.values import FieldPath
from tracker.ui import locale
from tracker.ui.locale import as_date, with_commas

# Checklists by id, with the reference of their cooperation, that the reader may open.
Sources = Mapping[UUID, str]
NO_SOURCES: Sources = {}

STAYS = {
    Why.LISTS: _l("Has to be named again each time: %(items)s."),
    Why.ANSWERED: _l("Answered here already: %(items)s."),
    Why.GONE: _l("Not asked in this version: %(items)s."),
    Why.OTHERS: _l("Written by another party: %(items)s."),
    Why.LEFT_OUT: _l("Left out there; decide again here: %(items)s."),
    Why.CLOSED: _l("Not open here at the moment: %(items)s."),
    Why.HIDDEN: _l("Does not apply here: %(items)s."),
    Why.UNFIT: _l("Nothing in it fits here: %(items)s."),
}


@dataclass(frozen=True, slots=True)
class CopyView:
    """Where an answer is from, and who has not read it yet."""

    source: CopySource
    # The checklist; None if the reader may not open it.
    source_id: UUID | None
    reference: str
    # Whether it was changed here since.
    is_rewritten: bool
    unread_by: tuple[str, ...]


class ToRead(NamedTuple):
    """A copied answer that a party can confirm as read, and the token of the page that shows it."""

    answer_id: UUID
    page_token: str


@dataclass(frozen=True, slots=True)
class OfferView:
    """An item with what would be copied into it."""

    code: str
    label: str
    prompt: str
    is_reworded: bool
    # The answer's owner, its parts, and the places where something is left out.
    answers: tuple[tuple[object, list[Part_], str], ...]


def sources_of(loaded: LoadedChecklist, actor: Actor) -> Sources:
    """Return the checklists that answers were copied from and that the reader may open."""
    ids = {answer.copied_from for answer in loaded.sheet.answers.values() if answer.copied_from}
    return queries.seen_of(actor, ids) if ids else {}


def copy_view(loaded: LoadedChecklist, filled: Filled, sources: Sources) -> CopyView | None:
    """Return for display where an answer is from; None if it was written here."""
    if filled.source is None:
        return None
    reference = sources.get(filled.copied_from, "") if filled.copied_from else ""
    unread = [party.name for party in loaded.parties if filled.is_unread_by(party.organisation_id)]
    return CopyView(
        filled.source,
        filled.copied_from if reference else None,
        reference,
        filled.is_rewritten,
        tuple(unread),
    )


def to_read(loaded: LoadedChecklist, actor: Actor, item: Item, shown: Truth) -> tuple[ToRead, ...]:
    """Return the copied answers of an item that a person may confirm as read for their party."""
    checklist, party = loaded.checklist, loaded.own_party(actor)
    if shown is not Truth.TRUE or party is None:
        return ()
    if not policy.can_read_copies(actor, party, checklist.state, goes_on=loaded.goes_on()):
        return ()
    answers = [loaded.sheet.shared(item.code)]
    answers += [loaded.sheet.of_party(item.code, party.organisation_id) for party in loaded.parties]
    unread = [
        copied.answer_id
        for copied in answers
        if copied and copied.is_unread_by(party.organisation_id) and not copied.does_not_apply
    ]
    if not unread:
        return ()
    token = item_token(loaded, actor, item)
    return tuple(ToRead(answer_id, token) for answer_id in unread)


def offer_views(loaded: LoadedChecklist, offers: Iterable[Offer]) -> list[OfferView]:
    """Return for display what can be copied."""
    return [
        OfferView(
            code=offer.item.code,
            label=offer.item.label,
            prompt=offer.item.prompt,
            is_reworded=offer.is_reworded,
            answers=tuple(_answer(loaded, offer, answer) for answer in offer.answers),
        )
        for offer in offers
    ]


def _answer(
    loaded: LoadedChecklist, offer: Offer, copied: Copied
) -> tuple[object, list[Part_], str]:
    fields = offer.item.fields_of(copied.scope)
    heading = _("Our own answer") if copied.scope is AnswerScope.PARTY else ""
    return (
        heading,
        localized_values.parts(fields, copied.values, loaded.names),
        left_out(offer.was, copied.left_out),
    )


def left_out(item: Item, places: Iterable[FieldPath]) -> str:
    """Return as text where something is left out, for the fields that the item still has."""
    return with_commas(dict.fromkeys(label for place in places if (label := _label(item, place))))


def _label(item: Item, place: FieldPath) -> str:
    key, column_key = place
    field = next((field for field in item.fields if field.key == key), None)
    if field is None:
        return ""
    column = next((column for column in field.columns if column.key == column_key != ROW), None)
    return f"{field.label} ({column.label})" if column else field.label


def behind(preview: Preview, loaded: LoadedChecklist) -> list[str]:
    """Return why answers are not copied, a sentence for each reason."""
    titles = {code: item.label for code, item in loaded.template.by_code.items()}
    if Why.GONE in preview.behind:
        former_id = preview.former.template_id
        former = library.localized_by_id([former_id], locale.language())[former_id]
        titles = {code: item.label for code, item in former.by_code.items()} | titles
    return [
        str(STAYS[why]) % {"items": item_titles.names_of(titles, codes)}
        for why, codes in preview.behind.items()
    ]


# Model answers ----------------------------------------------------------------------------------

# They don't name anybody.
NO_NAMES = Names({}, {})


@dataclass(frozen=True, slots=True)
class ModelView:
    """A model answer with its content, if the item still exists."""

    id: UUID
    kind: ChecklistKind
    code: str
    label: str
    title: str
    note: str
    by: str
    parts: list[Part_]


def model_views(rows: Iterable[ModelAnswer]) -> list[ModelView]:
    """Return model answers for display, in the wording of the newest checklists."""
    templates = {}
    views = []
    for row in rows:
        if row.kind not in templates:
            templates[row.kind] = library.localized(library.newest(row.kind), locale.language())
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
    """Group model answers, which are in order, by their checklist."""
    return [(kind, list(of_kind)) for kind, of_kind in groupby(views, lambda view: view.kind)]
