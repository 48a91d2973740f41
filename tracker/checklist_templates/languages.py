"""The translation of a checklist: its format, whether it fits, how it is applied. Pure.

Translations are separate from the structure. An item is translated completely or not at all: then
it is shown in the checklist's own language (adr 38).
"""

from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from flask_babel import gettext as _
from pydantic import Field, model_validator

from tracker.checklist_templates.models import ChecklistKind
from tracker.checklist_templates.schema import (
    Column,
    FixedRow,
    Item,
    Limit,
    Option,
    Rows,
    Section,
    Template,
    TemplateField,
)
from tracker.checklist_templates.strict import (
    ItemCode,
    Key,
    Strict,
    Value,
    Words,
    with_parts,
)
from tracker.core.localized import LocalizedStr
from tracker.core.mistakes import UnfitError
from tracker.core.schema_problems import Mark, write_instead
from tracker.settings import KNOWN_LANGUAGES

ItemPath = tuple[str, ...]


class Misfit(NamedTuple):
    """Where a translation doesn't fit its checklist, and what to write instead."""

    place: ItemPath
    message: str
    advice: str = ""
    mark: Mark = "value"


class Labelled(Strict):
    """Something with a label and perhaps a hint; may be given as the label alone."""

    label: Words
    hint: Words | None = None

    @model_validator(mode="before")
    @classmethod
    def _may_be_a_label_alone(cls, given: Any) -> Any:
        return {"label": given} if isinstance(given, str) else given


class OptionWords(Labelled):
    """The texts of one choice."""


class ColumnWords(Labelled):
    """The texts of a column, with those of its choices by value."""

    options: dict[Value, OptionWords] = Field(default_factory=dict)


class FieldWords(ColumnWords):
    """The texts of a field, with those of a table's rows and columns, and of its limits."""

    rows_label: Words | None = None
    rows: dict[Value, Words] = Field(default_factory=dict)
    columns: dict[Key, ColumnWords] = Field(default_factory=dict)
    limits: dict[Key, Words] = Field(default_factory=dict)


class ItemWords(Strict):
    """All texts of an item."""

    label: Words
    prompt: Words
    help: Words | None = None
    look: Words | None = None
    fields: dict[Key, FieldWords] = Field(min_length=1)


class ChecklistWords(Strict):
    """The translation of a version of a checklist; missing items are untranslated."""

    kind: ChecklistKind
    language: str
    version: int = Field(ge=1)
    title: Words | None = None
    summary: Words | None = None
    sections: dict[Key, Words] = Field(default_factory=dict)
    items: dict[ItemCode, ItemWords] = Field(default_factory=dict)

    @model_validator(mode="after")
    def _is_in_a_language_we_know(self) -> "ChecklistWords":
        if self.language not in KNOWN_LANGUAGES:
            raise UnfitError(
                _(
                    "language is '%(language)s', not one of %(choices)s",
                    language=self.language,
                    choices=", ".join(KNOWN_LANGUAGES),
                ),
                write_instead(self.language, KNOWN_LANGUAGES),
                ("language",),
            )
        return self


def words_of(item: Item) -> ItemWords:
    """Return an item's texts in the checklist's own language, in the shape of a translation."""
    return ItemWords(
        label=item.label,
        prompt=item.prompt,
        help=item.help,
        look=item.done.look,
        fields={field.key: _field_words(field) for field in item.fields},
    )


def _field_words(field: TemplateField) -> FieldWords:
    return FieldWords(
        label=field.label,
        hint=field.hint,
        options=_option_words(field.options),
        rows_label=field.rows.label if field.rows else None,
        rows={row.key: row.label for row in field.rows.fixed} if field.rows else {},
        columns={
            column.key: ColumnWords(
                label=column.label, hint=column.hint, options=_option_words(column.options)
            )
            for column in field.columns
        },
        limits={limit.key: limit.because for limit in field.limits},
    )


def _option_words(options: tuple[Option, ...]) -> dict[str, OptionWords]:
    return {option.value: OptionWords(label=option.label, hint=option.hint) for option in options}


def content_of(words: ChecklistWords) -> dict[str, Any]:
    """Return a translation as it is stored, and as its digest is made."""
    return words.model_dump(mode="json", exclude_defaults=True)


# Comparing a translation with its checklist -----------------------------------------------------


def misfits(words: ChecklistWords, template: Template) -> Iterator[Misfit]:
    """Yield where translation and checklist differ: missing and superfluous texts."""
    if words.language == template.language:
        yield Misfit(
            ("language",),
            _("%(language)s is the checklist's own language", language=words.language),
            _("Write the language of the translation."),
        )
    if words.version != template.version:
        message = _(
            "these words are of version %(words)s, and the checklist is version %(version)s: "
            "look at what changed, then raise the number",
            words=words.version,
            version=template.version,
        )
        advice = _("Write %(word)s instead.", word=template.version)
        yield Misfit(("version",), message, advice)
    sections = [section.key for section in template.sections]
    for key in words.sections:
        if key not in sections:
            message = _("there is no section %(key)s", key=key)
            yield Misfit(("sections", key), message, write_instead(key, sections), mark="key")
    for code, own in words.items.items():
        item = template.item(code)
        if item is None:
            message = _("there is no item %(code)s", code=code)
            advice = _("Write the code of an item of this checklist, or remove these lines.")
            yield Misfit(("items", code), message, advice, mark="key")
            continue
        for misfit in differing(_tree(words_of(item)), _tree(own), ()):
            yield misfit._replace(
                place=("items", code, *misfit.place),
                message=_("item %(code)s: %(problem)s", code=code, problem=misfit.message),
            )


def _tree(words: ItemWords) -> dict[str, Any]:
    return words.model_dump(mode="json", exclude_defaults=True)


def differing(
    own: Mapping[str, Any], given: Mapping[str, Any], place: ItemPath, of: str = ""
) -> Iterator[Misfit]:
    """Yield where two trees differ in their keys, by path: what is missing, what is superfluous.

    of is what the first tree belongs to, if it isn't the checklist.
    """
    for key, part in own.items():
        if key not in given:
            message = _("%(place)s is missing", place=".".join((*place, key)))
            yield Misfit(place, message, _to_add(key, part), "")
    for key, part in given.items():
        here = (*place, key)
        if key not in own:
            message = _(
                "%(text)s has no %(place)s", text=of or _("the checklist"), place=".".join(here)
            )
            yield Misfit(here, message, write_instead(key, list(own)), mark="key")
        elif isinstance(part, dict):
            yield from differing(own[key], part, here, of)


def _to_add(key: str, part: Any) -> str:
    """Return the advice to add the translation of a text, or of several."""
    if isinstance(part, str):
        return str(
            _("Add a line: %(key)s: with the translation of “%(words)s”.", key=key, words=part[:80])
        )
    keys = ", ".join(part)
    return str(_("Add %(key)s: and below it, indented: %(keys)s.", key=key, keys=keys))


def lacking(words: ChecklistWords | None, template: Template) -> tuple[str, ...]:
    """Return the untranslated items, which are shown in the checklist's own language."""
    translated = words.items if words else {}
    return tuple(item.code for item in template.items if item.code not in translated)


def carried(words: ChecklistWords, old: Template, new: Template) -> ChecklistWords:
    """Return the part of a translation also valid for another version: that of equal items."""
    sections = {section.key: section.title for section in old.sections}
    return ChecklistWords(
        kind=words.kind,
        language=words.language,
        version=new.version,
        title=words.title if new.title == old.title else None,
        summary=words.summary if new.summary == old.summary else None,
        sections={
            section.key: words.sections[section.key]
            for section in new.sections
            if section.key in words.sections and sections.get(section.key) == section.title
        },
        items={
            item.code: words.items[item.code]
            for item in new.items
            if item.code in words.items and _says_the_same(old.item(item.code), item)
        },
    )


def _says_the_same(old: Item | None, new: Item) -> bool:
    return old is not None and words_of(old) == words_of(new)


def over(words: ChecklistWords, under: ChecklistWords | None) -> ChecklistWords:
    """Return a translation with its gaps filled from another of the same version."""
    if under is None:
        return words
    return words.model_copy(
        update={
            "title": words.title or under.title,
            "summary": words.summary or under.summary,
            "sections": {**under.sections, **words.sections},
            "items": {**under.items, **words.items},
        }
    )


# Applying a translation -------------------------------------------------------------------------


def localize(template: Template, words: ChecklistWords | None = None) -> Template:
    """Return a checklist in the language of the translation; each text knows its language.

    Untranslated texts stay in the checklist's own language; without a translation, all do.
    """
    language = words.language if words else template.language
    given = words or ChecklistWords(
        kind=template.kind, language=template.language, version=template.version
    )

    def localized(translated: str | None, own: str) -> str:
        return (
            LocalizedStr(translated, language)
            if translated
            else LocalizedStr(own, template.language)
        )

    return with_parts(
        template,
        title=localized(given.title, template.title),
        summary=localized(given.summary, template.summary),
        sections=tuple(
            with_parts(
                section,
                title=localized(given.sections.get(section.key), section.title),
                items=_items(section, template, given),
            )
            for section in template.sections
        ),
    )


def _items(section: Section, template: Template, words: ChecklistWords) -> tuple[Item, ...]:
    return tuple(
        _item(item, words.items[item.code], words.language)
        if item.code in words.items
        else _item(item, words_of(item), template.language)
        for item in section.items
    )


def _item(item: Item, words: ItemWords, language: str) -> Item:
    return with_parts(
        item,
        label=LocalizedStr(words.label, language),
        prompt=LocalizedStr(words.prompt, language),
        help=_maybe(words.help, language),
        done=with_parts(item.done, look=_maybe(words.look, language)),
        fields=tuple(_field(field, words.fields[field.key], language) for field in item.fields),
    )


def _field(field: TemplateField, words: FieldWords, language: str) -> TemplateField:
    return with_parts(
        field,
        label=LocalizedStr(words.label, language),
        hint=_maybe(words.hint, language),
        options=_options(field.options, words, language),
        rows=_rows(field.rows, words, language) if field.rows else None,
        columns=tuple(
            _column(column, words.columns[column.key], language) for column in field.columns
        ),
        limits=tuple(_limit(limit, words, language) for limit in field.limits),
    )


def _column(column: Column, words: ColumnWords, language: str) -> Column:
    return with_parts(
        column,
        label=LocalizedStr(words.label, language),
        hint=_maybe(words.hint, language),
        options=_options(column.options, words, language),
    )


def _options(options: tuple[Option, ...], words: ColumnWords, language: str) -> tuple[Option, ...]:
    return tuple(
        with_parts(
            option,
            label=LocalizedStr(words.options[option.value].label, language),
            hint=_maybe(words.options[option.value].hint, language),
        )
        for option in options
    )


def _rows(rows: Rows, words: FieldWords, language: str) -> Rows:
    fixed: tuple[FixedRow, ...] = tuple(
        with_parts(row, label=LocalizedStr(words.rows[row.key], language)) for row in rows.fixed
    )
    return with_parts(rows, fixed=fixed, label=_maybe(words.rows_label, language))


def _limit(limit: Limit, words: FieldWords, language: str) -> Limit:
    return with_parts(limit, because=LocalizedStr(words.limits[limit.key], language))


def _maybe(words: str | None, language: str) -> str | None:
    return None if words is None else LocalizedStr(words, language)
