"""View models for the model texts that a body of the NPM keeps: where from, and what they say."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID, uuid5

from flask_babel import gettext as _

from tracker.access.actor import Actor
from tracker.checklist_templates import library
from tracker.checklist_templates.models import AnswerScope
from tracker.checklists import encryption, localized_values, queries
from tracker.checklists.labels import KINDS, NUMBERS
from tracker.checklists.localized_values import Part_
from tracker.checklists.model_texts.merging import EACH
from tracker.checklists.model_texts.schema import OWN, Each
from tracker.checklists.models import Checklist, OwnModelText
from tracker.checklists.rules.rendering import Names
from tracker.core.db import db
from tracker.ui.locale import as_date

# Stand for the party of a row that is there for each, until the parties are known.
_STANDING_FOR = {each.value: uuid5(UUID(int=0), each.value) for each in Each}


@dataclass(frozen=True, slots=True)
class OwnTextView:
    """A model text that a body of the NPM keeps, and where it is from."""

    id: UUID
    kind: object
    kind_order: int
    # How it is called among others: by its checklist and where it is from.
    title: str
    item_count: int
    kept_words: str
    is_of_visit: bool
    checklist_id: UUID
    number: int
    # Whether the reader may open the text it is from.
    may_open: bool


def views(actor: Actor, rows: Iterable[OwnModelText]) -> list[OwnTextView]:
    """Return model texts for display; the agreement is named for those who may open it."""
    texts = list(rows)
    references = queries.references_of(actor, [row.cooperation_id for row in texts])
    return [_view(row, references.get(row.cooperation_id, "")) for row in texts]


def _view(row: OwnModelText, reference: str) -> OwnTextView:
    title = (
        _(
            "From %(reference)s, revision %(number)s",
            reference=reference,
            number=row.revision_number,
        )
        if reference
        else _("From an agreement that you can't open")
    )
    return OwnTextView(
        id=row.id,
        kind=KINDS[row.kind],
        kind_order=NUMBERS[row.kind],
        title=title,
        item_count=row.item_count,
        kept_words=_kept_words(row),
        is_of_visit=row.is_of_visit,
        checklist_id=row.checklist_id,
        number=row.revision_number,
        may_open=bool(reference) and not row.is_of_visit,
    )


def _kept_words(row: OwnModelText) -> str:
    """Say who kept a text and when; of a visit's, nobody: whoever kept it may know of the visit."""
    when = as_date(row.kept_at)
    if row.is_of_visit:
        words: str = _("Kept on %(when)s", when=when)
    else:
        words = _("Kept by %(name)s, %(when)s", name=row.kept_by.name, when=when)
    return words


def content(actor: Actor, row: OwnModelText, language: str) -> list[tuple[object, list[Part_]]]:
    """Return what a model text says, by the label of each item; nothing of a visit's (K2)."""
    if row.is_of_visit:
        return []
    checklist = db.session.get_one(Checklist, row.checklist_id)
    versions = library.versions(checklist.kind)
    version = next(own for own in versions if own.version == row.template_version)
    template = library.localized(version, language)
    names = Names({}, _parties(actor))
    values = encryption.model_text_of(row)
    return [
        (
            item.label,
            localized_values.parts(
                item.fields_of(AnswerScope.SHARED), _with_parties(values[item.code]), names
            ),
        )
        for item in template.items
        if item.code in values
    ]


def _parties(actor: Actor) -> dict[UUID, str]:
    own = {actor.organisation_id: actor.organisation_name} if actor.organisation_id else {}
    words = {Each.PARTY: _("Each party"), Each.CSO: _("Each CSO"), Each.NPM: _("Each NPM body")}
    return {**own, **{_STANDING_FOR[each.value]: label for each, label in words.items()}}


def _with_parties(values: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: [_with_party(row) if isinstance(row, dict) else row for row in value]
        if isinstance(value, list)
        else value
        for key, value in values.items()
    }


def _with_party(row: Mapping[str, Any]) -> dict[str, Any]:
    each = row.get(EACH)
    party = str(_STANDING_FOR[each]) if each else ""
    return {key: party if cell == OWN else cell for key, cell in row.items() if key != EACH}
