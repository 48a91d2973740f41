"""The text that is frozen and signed: a checklist's signed part as plain values, in words."""

from typing import Any
from uuid import UUID

from tracker.checklists.completeness import Standing
from tracker.checklists.conditions import Truth
from tracker.checklists.facts import Filled
from tracker.checklists.loading import Filling
from tracker.checklists.models import AnswerScope
from tracker.checklists.showing import Names, ShownField, show
from tracker.checklists.template import Item, Part
from tracker.checklists.values import shown_only
from tracker.guidance.queries import RevisionRef


def document(
    filling: Filling,
    signatories: list[dict[str, str]],
    guidance: list[RevisionRef],
) -> dict[str, Any]:
    """Return what is signed: template and version, parties, items with prompts and answers.

    Hidden items, items not begun and the parts that each person answers are left out
    (product.md, 4.5 and 5.1). The guidance revisions in force are named with their digests.
    """
    standing = filling.standing()
    checklist = filling.checklist
    return {
        "cooperation": {
            "reference": filling.cooperation.reference,
            "title": filling.cooperation.title,
            "purpose": filling.cooperation.purpose,
        },
        "checklist": {
            "kind": checklist.kind.value,
            "title": filling.template.title,
            "template_version": filling.template.version,
            "template_digest": checklist.template.digest,
            "for_a_visit": checklist.visit_id is not None,
        },
        "language": filling.template.language,
        "parties": [
            {
                "id": str(party.organisation_id),
                "name": party.name,
                "side": party.side.value,
            }
            for party in filling.surroundings.parties
        ],
        "signatories": signatories,
        "sections": [
            {"title": section.title, "items": items}
            for section in filling.template.sections
            if (items := [_item(filling, item) for item in section.items if _is_in(item, standing)])
        ],
        "guidance": [
            {
                "slug": mark.slug,
                "language": mark.language,
                "revision": mark.revision,
                "digest": mark.digest,
            }
            for mark in guidance
        ],
    }


def _is_in(item: Item, standing: Standing) -> bool:
    one = standing.items.get(item.code)
    return one is not None and item.part is Part.TERMS and one.shown is Truth.TRUE and one.done


def _item(filling: Filling, item: Item) -> dict[str, Any]:
    names = filling.names
    answers: list[dict[str, Any]] = []
    shared = filling.sheet.shared(item.code)
    if shared is not None and not shared.is_empty:
        answers.append(_answer(item, AnswerScope.SHARED, shared, names, by=None))
    for party in filling.surroundings.parties:
        own = filling.sheet.of_party(item.code, party.organisation_id)
        if own is not None and not own.is_empty:
            answers.append(_answer(item, AnswerScope.PARTY, own, names, by=party.organisation_id))
    return {
        "code": item.code,
        "label": item.label,
        "prompt": item.prompt,
        "statements": list(item.rests_on.statements),
        "answers": answers,
    }


def _answer(
    item: Item, scope: AnswerScope, filled: Filled, names: Names, *, by: UUID | None
) -> dict[str, Any]:
    if filled.not_applicable:
        return {
            "by": names.parties.get(by, "") if by else "",
            "version": filled.version,
            "not_applicable_because": filled.values.get("reason", ""),
            "fields": [],
        }
    fields = item.fields_of(scope)
    return {
        "by": names.parties.get(by, "") if by else "",
        "version": filled.version,
        "fields": [_shown(one) for one in show(fields, filled.values, names)],
        "values": shown_only(fields, filled.values),
    }


def _shown(one: ShownField) -> dict[str, Any]:
    return {
        "key": one.key,
        "label": one.label,
        "type": one.type.value,
        "text": one.text,
        "texts": list(one.texts),
        "columns": [
            {"label": head.label, "type": head.type.value, "unit": head.unit}
            for head in one.columns
        ],
        "rows": [list(row) for row in one.rows],
        "unit": one.unit,
    }
