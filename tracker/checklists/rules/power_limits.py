"""Search for answers that meet a rule under `limits:` of a template's field (S6, S7). Pure."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from tracker.access.actor import OrganisationKind
from tracker.checklist_templates import to_decide
from tracker.checklist_templates.conditions import Truth
from tracker.checklist_templates.field_content import ROW, has_content
from tracker.checklist_templates.schema import (
    Column,
    FieldType,
    Item,
    Limit,
    Template,
    TemplateField,
)
from tracker.checklists.rules.completeness import is_shown
from tracker.checklists.rules.facts import Sheet, Surroundings
from tracker.checklists.rules.values import as_id
from tracker.core import canonical


@dataclass(frozen=True, slots=True)
class Finding:
    """A rule that an answer meets, with the digest of the term that meets it.

    The digest covers the whole term: the row, or the value with the fields that explain it. An
    explanation is about exactly this term.
    """

    item: str
    limit: Limit
    matched: str


def findings(template: Template, sheet: Sheet, surroundings: Surroundings) -> tuple[Finding, ...]:
    """Return every rule that the shared answers of a checklist meet (product.md, 4.8)."""
    return tuple(hit for item in template.items for hit in of_item(item, sheet, surroundings))


def of_item(item: Item, sheet: Sheet, surroundings: Surroundings) -> tuple[Finding, ...]:
    """Return the rules that an item's shared answer meets."""
    answer = sheet.shared(item.code)
    if not item.limits or answer is None or answer.not_applicable:
        return ()
    if is_shown(item, sheet, surroundings) is not Truth.TRUE:
        return ()
    return judge(item, answer.values, surroundings)


def judge(item: Item, values: Mapping[str, Any], surroundings: Surroundings) -> tuple[Finding, ...]:
    """Return the rules of an item that these values meet; a place *to decide* meets none."""
    values = to_decide.decided(values)
    return tuple(
        Finding(item.code, limit, canonical.digest_of(term))
        for field in item.fields
        for limit in field.limits
        if (term := _term(item, field, limit, values, surroundings))
    )


def _term(
    item: Item,
    field: TemplateField,
    limit: Limit,
    values: Mapping[str, Any],
    surroundings: Surroundings,
) -> list[Any]:
    """Return the terms that meet a limit: rows of a table, or the value with its explanation."""
    if field.type is FieldType.TABLE:
        return list(_rows(field, limit, values.get(field.key) or [], surroundings))
    if not _meets(field, limit, values.get(field.key), surroundings):
        return []
    return [
        [subfield.key, values[subfield.key]]
        for subfield in item.fields
        if subfield is field
        or (has_content(values.get(subfield.key)) and _says_more(subfield, field))
    ]


def _says_more(template_field: TemplateField, of: TemplateField) -> bool:
    return template_field.required_when is not None and template_field.required_when.field == of.key


def _rows(
    field: TemplateField, limit: Limit, rows: list[dict[str, Any]], surroundings: Surroundings
) -> Iterator[dict[str, Any]]:
    column = next((column for column in field.columns if column.key == limit.column), None)
    for row in rows if column else ():
        if (
            column
            and _is_asked(limit, row.get(ROW))
            and _meets(column, limit, row.get(column.key), surroundings)
        ):
            yield {key: cell for key, cell in row.items() if has_content(cell)}


def _is_asked(limit: Limit, fixed_row: str | None) -> bool:
    """Return whether a limit is about a row, which people added if it is no fixed one."""
    if not limit.rows and not limit.added_rows:
        return True
    return fixed_row in limit.rows if fixed_row else limit.added_rows


def _meets(
    part: TemplateField | Column, limit: Limit, value: Any, surroundings: Surroundings
) -> bool:
    if limit.above is not None:
        return isinstance(value, int) and value > limit.above
    each = value if isinstance(value, list) else [value]
    if limit.outside_npm:
        return any(_is_outside(part, element, surroundings) for element in each)
    if limit.outside_parties:
        parties = {party.organisation_id for party in surroundings.parties}
        return any(has_content(element) and as_id(element) not in parties for element in each)
    if limit.without:
        return bool(has_content(value)) and not set(each).intersection(limit.without)
    return any(element in limit.values for element in each if element is not None)


def _is_outside(part: TemplateField | Column, value: Any, surroundings: Surroundings) -> bool:
    """Return whether a value names somebody outside the NPM: a party, a person, another body."""
    named = as_id(value)
    if part.type is FieldType.BODY:
        npm = surroundings.parties_of(OrganisationKind.NPM)
        return named is not None and named not in {party.organisation_id for party in npm}
    if part.type is FieldType.PARTY:
        return any(
            party.organisation_id == named and party.side is not OrganisationKind.NPM
            for party in surroundings.parties
        )
    return named in surroundings.people - surroundings.npm_people
