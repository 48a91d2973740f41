"""The document that is frozen and signed: a checklist as plain values, in all its languages.

Wording (prompts, choices, dates) is stored once per language; what people typed is stored once. The
format is common-terms/2, described in docs/canonical-document.md.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from tracker.checklist_templates import library, translations
from tracker.checklist_templates.conditions import Truth
from tracker.checklist_templates.field_content import has_content
from tracker.checklist_templates.models import AnswerScope, ChecklistTemplate, TemplateWords
from tracker.checklist_templates.schema import (
    FieldType,
    Item,
    Part,
    TemplateField,
)
from tracker.checklists.loading import LoadedChecklist, retold
from tracker.checklists.localized_values import as_document_field
from tracker.checklists.rules.completeness import ChecklistStatus
from tracker.checklists.rules.facts import Filled
from tracker.checklists.rules.rendering import show
from tracker.checklists.rules.values import as_id, shown_only
from tracker.core import clock
from tracker.core.localized import LocalizedStr, merged
from tracker.guidance.queries import RevisionRef
from tracker.mail.render import in_language
from tracker.organisations.labels import KINDS


@dataclass(frozen=True, slots=True)
class Languages:
    """The languages a text is frozen in: the template's own, and others it is translated into."""

    own: str
    words: Mapping[str, TemplateWords]
    # The binding language, which prevails where two differ.
    binding: str

    @property
    def codes(self) -> tuple[str, ...]:
        """All languages, the binding one first."""
        others = (code for code in (self.own, *self.words) if code != self.binding)
        return (self.binding, *others)


def languages_for(row: ChecklistTemplate, wanted: Iterable[str], binding: str) -> Languages:
    """Return the languages to freeze a text in: the template's own, and the wanted translations.

    If there is no translation into the binding language, the template's own language is binding.
    """
    own = library.parsed(row).language
    languages_given = translations.current(row.id)
    words = {
        code: languages_given[code] for code in wanted if code in languages_given and code != own
    }
    return Languages(own, words, binding if binding in words else own)


def template_of(row: ChecklistTemplate, languages: Languages) -> dict[str, Any]:
    """Return the version of the checklist a text is based on, and its translations by digest."""
    return {
        "kind": row.kind.value,
        "version": row.version,
        "digest": row.digest,
        "language": languages.own,
        "words": [
            {"language": code, "number": words.number, "digest": words.digest}
            for code, words in sorted(languages.words.items())
        ],
    }


def document(
    loaded: LoadedChecklist,
    signatories: list[dict[str, str]],
    guidance: list[RevisionRef],
    languages: Languages,
    *,
    as_known: bool = False,
) -> dict[str, Any]:
    """Return the document to sign: template, wording, version, parties, items with their answers.

    Hidden items, items without an answer and the parts that each person answers are left out
    (product.md, 4.5 and 5.1). The guidance revisions in force are named with their digests.
    as_known includes items that are not started or not agreed, for a prior agreement on paper.
    """
    standing = loaded.standing()
    row = loaded.checklist.template
    is_in = applies if as_known else _is_in
    in_force = [item for item in loaded.template.items if is_in(item, standing)]
    codes = [item.code for item in in_force]
    return {
        "cooperation": {
            "reference": loaded.cooperation.reference,
            "title": loaded.cooperation.title,
            "purpose": loaded.cooperation.purpose,
            "starts_on": _day(loaded.cooperation.starts_on),
            "review_on": _day(loaded.cooperation.review_on),
            "ends_on": _day(loaded.cooperation.ends_on),
        },
        "template": template_of(row, languages),
        "for_a_visit": loaded.checklist.visit_id is not None,
        "languages": sorted(languages.codes),
        "binding_language": languages.binding,
        "time_zone": clock.zone().key,
        "people": _people(loaded, in_force),
        "signatories": signatories,
        "guidance": [
            {
                "slug": mark.slug,
                "language": mark.language,
                "revision": mark.revision,
                "digest": mark.digest,
            }
            for mark in guidance
        ],
        **_second_reading(loaded),
        **_localized(loaded, codes, languages),
    }


def _second_reading(loaded: LoadedChecklist) -> dict[str, Any]:
    """Return who read second and why (M5), if it was the NPM's head or an outside reader."""
    review = loaded.review
    if review is not None and review.reading is not None:
        reading = review.reading
        outside = {"by": reading.name, "outside": reading.function, "because": reading.reason}
        return {"second_reading": outside}
    if review is None or review.alone_because is None:
        return {}
    return {"second_reading": {"by": review.reader.name, "because": review.alone_because}}


def _localized(loaded: LoadedChecklist, codes: list[str], languages: Languages) -> dict[str, Any]:
    """Merge the wording into one tree, each part in every language it is available in."""
    versions = []
    for code in languages.codes:
        with in_language(code):
            spoken = retold(loaded, languages.words.get(code))
            versions.append(_in_one_language(spoken, codes, code))
    words: dict[str, Any] = merged(versions)
    return words


def _in_one_language(loaded: LoadedChecklist, codes: list[str], language: str) -> dict[str, Any]:
    wanted = frozenset(codes)
    return {
        "title": loaded.template.title,
        "parties": [
            {
                "id": str(party.organisation_id),
                "name": party.name,
                "side": party.side.value,
                "kind": LocalizedStr(str(KINDS[party.side]), language),
            }
            for party in loaded.surroundings.parties
        ],
        "sections": [
            {"key": section.key, "title": section.title, "items": items}
            for section in loaded.template.sections
            if (
                items := [
                    _item(loaded, item, language) for item in section.items if item.code in wanted
                ]
            )
        ],
    }


def applies(item: Item, standing: ChecklistStatus) -> bool:
    """Return whether an item is part of the signed text and currently shown."""
    status = standing.items.get(item.code)
    return status is not None and item.part is Part.TERMS and status.shown is Truth.TRUE


def _is_in(item: Item, standing: ChecklistStatus) -> bool:
    return applies(item, standing) and standing.items[item.code].done


def _answers(
    loaded: LoadedChecklist, item: Item
) -> Iterator[tuple[AnswerScope, UUID | None, Filled]]:
    """Yield an item's answers: the shared one, then each party's own."""
    shared = loaded.sheet.shared(item.code)
    if shared is not None and not shared.is_empty:
        yield AnswerScope.SHARED, None, shared
    for party in loaded.surroundings.parties:
        own = loaded.sheet.of_party(item.code, party.organisation_id)
        if own is not None and not own.is_empty:
            yield AnswerScope.PARTY, party.organisation_id, own


def _item(loaded: LoadedChecklist, item: Item, language: str) -> dict[str, Any]:
    return {
        "code": item.code,
        "label": item.label,
        "prompt": item.prompt,
        "statements": list(item.rests_on.statements),
        "answers": [
            _answer(loaded, item.fields_of(scope), by, filled, language)
            for scope, by, filled in _answers(loaded, item)
        ],
    }


def _answer(
    loaded: LoadedChecklist,
    fields: tuple[TemplateField, ...],
    by: UUID | None,
    filled: Filled,
    language: str,
) -> dict[str, Any]:
    answer: dict[str, Any] = {
        "by": str(by) if by else None,
        "by_name": loaded.names.parties.get(by, "") if by else "",
        "version": filled.version,
    }
    if filled.not_applicable:
        return answer | {"not_applicable_because": filled.values.get("reason", "")}
    return answer | {
        "fields": [
            as_document_field(field, language)
            for field in show(fields, filled.values, loaded.names)
        ],
        "values": shown_only(fields, filled.values),
    }


def _people(loaded: LoadedChecklist, items: list[Item]) -> list[dict[str, str]]:
    """Return the people whom answers refer to by id, with their current names."""
    named = {
        person
        for item in items
        for scope, _by, filled in _answers(loaded, item)
        if not filled.not_applicable
        for person in _named(item.fields_of(scope), filled.values)
    }
    return [
        {"id": str(person), "name": loaded.names.people.get(person, "")}
        for person in sorted(named, key=str)
    ]


def _named(fields: tuple[TemplateField, ...], values: Mapping[str, Any]) -> Iterator[UUID]:
    for field in fields:
        value = values.get(field.key)
        cells = [value]
        if field.type is FieldType.TABLE:
            persons = [column.key for column in field.columns if column.type is FieldType.PERSON]
            cells = [row.get(key) for row in value or () for key in persons]
        elif field.type is FieldType.PERSONS:
            cells = list(value or ())
        elif field.type is not FieldType.PERSON:
            continue
        yield from (party_id for cell in cells if has_content(cell) and (party_id := as_id(cell)))


def _day(day: dt.date | None) -> str | None:
    return day.isoformat() if day else None
