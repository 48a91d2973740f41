"""The model text that comes with the product: read from YAML, checked, one for each checklist.

A file in English has the structure; other languages have the words at the same places.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any

from tracker.checklist_templates import library as checklist_library
from tracker.checklist_templates import to_decide
from tracker.checklist_templates.languages import ItemPath, differing
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklist_templates.schema import (
    NAMING_BODIES,
    WRITTEN,
    Column,
    FieldType,
    Item,
    Part,
    Required,
    Template,
    TemplateField,
)
from tracker.checklists import policy
from tracker.checklists.model_texts.merging import ModelText, merge
from tracker.checklists.model_texts.schema import (
    ON_TEAM,
    OWN,
    THE_MODES,
    THE_NPM,
    Cell,
    FieldText,
    Given,
    ModelTextContent,
    ModelTextWords,
    Open,
    Row,
)
from tracker.checklists.rules.facts import Surroundings
from tracker.checklists.rules.values import ADDED, fits_type
from tracker.cooperations.models import Mode
from tracker.core import paths
from tracker.core.content import Model, YamlText, name_of, read_text, read_yaml
from tracker.core.mistakes import ContentError, Mistake

# A path, and what is wrong there.
Misfit = tuple[ItemPath, str]

FOLDER = "model_texts"
ALONE = Surroundings(frozenset(), {}, ())
# Facts of the parties or of one visit: a model text never knows them.
FACTS = frozenset({FieldType.PERSON, FieldType.PERSONS, FieldType.DATE, FieldType.PHONE})
Key = tuple[ChecklistKind, str]


@dataclass(frozen=True, slots=True)
class ModelTextFile:
    """The model text of one checklist in its own language and in others, with its lines."""

    content: ModelTextContent
    text: YamlText
    translated: Mapping[str, ModelTextContent] = field(default_factory=dict)

    @property
    def by_language(self) -> dict[str, ModelTextContent]:
        """The model text in each language that it has."""
        return {self.content.language: self.content, **self.translated}


def model_text(kind: ChecklistKind, modes: Iterable[Mode], language: str) -> ModelText:
    """Return the text that comes with the product, for some ways of working.

    It is in English if it isn't available in the language.
    """
    return merge(content_in(kind, language), modes)


def content_in(kind: ChecklistKind, language: str) -> ModelTextContent:
    """Return the text that comes with the product for all ways of working, in a language.

    It is in English if it isn't available in the language.
    """
    return _shipped().get((kind, language)) or content_of(kind)


def content_of(kind: ChecklistKind) -> ModelTextContent:
    """Return the text that comes with the product for all ways of working, in English."""
    return next(own for (of_kind, _language), own in _shipped().items() if of_kind is kind)


def languages(kind: ChecklistKind) -> tuple[str, ...]:
    """Return the languages in which the text that comes with the product is available."""
    return tuple(language for of_kind, language in _shipped() if of_kind is kind)


@cache
def _shipped() -> dict[Key, ModelTextContent]:
    # Whoever loaded the content has compared them with their checklists, which takes five times as
    # long to read.
    return {
        (file.content.kind, language): content
        for file in read(paths.CONTENT)
        for language, content in file.by_language.items()
    }


def load_content() -> list[str]:
    """Load the shipped guidance and checklists, after comparing the model texts with them.

    Return a line for each one that is new. Raise ContentError with all mistakes; the caller
    commits.
    """
    files = checklist_library.read(paths.CONTENT)
    read(paths.CONTENT, [file.template for file in files])
    return checklist_library.load_content(files)


def read(content: Path, templates: Iterable[Template] = ()) -> tuple[ModelTextFile, ...]:
    """Read the model texts of the content folder; raise ContentError with all mistakes.

    They are compared with those of their checklists that are given.
    """
    by_kind = {template.kind: template for template in templates}
    mistakes: list[Mistake] = []
    files: dict[ChecklistKind, ModelTextFile] = {}
    for text, own in _parsed(content, "*.yaml", ModelTextContent, mistakes):
        if own.kind in files:
            message = f"{files[own.kind].text.file} is of this kind too"
            mistakes.append(Mistake(text.file, text.line(("kind",)), message))
        files[own.kind] = ModelTextFile(own, text)
        template = by_kind.get(own.kind)
        mistakes += _mistakes(text, misfits(own, template) if template else ())
    if mistakes:
        raise ContentError(mistakes)
    translated: dict[ChecklistKind, dict[str, ModelTextContent]] = {}
    for text, words in _parsed(content, "*/*.yaml", ModelTextWords, mistakes):
        file = files.get(words.kind)
        if file is None or f"/{words.language}/" not in text.file:
            message = f"there is no model text {words.kind.value} for this in {words.language}"
            mistakes.append(Mistake(text.file, 1, message))
            continue
        template = by_kind.get(words.kind)
        wrong = list(word_misfits(words, file.content, template)) if template else []
        mistakes += _mistakes(text, wrong)
        if not wrong:
            translation = in_words(file.content, words)
            translated.setdefault(words.kind, {})[words.language] = translation
    if mistakes:
        raise ContentError(mistakes)
    return tuple(
        ModelTextFile(files[kind].content, files[kind].text, translated.get(kind, {}))
        for kind in ChecklistKind
        if kind in files
    )


def _parsed(
    content: Path, pattern: str, model: type[Model], mistakes: list[Mistake]
) -> Iterator[tuple[YamlText, Model]]:
    for path in sorted((content / FOLDER).glob(pattern)):
        text = read_text(content, path, mistakes)
        tree = None if text is None else read_yaml(text, name_of(content, path), mistakes)
        parsed = None if tree is None else tree.fit(model, mistakes)
        if tree is not None and parsed is not None:
            yield tree, parsed


def _mistakes(text: YamlText, wrong: Iterable[Misfit]) -> list[Mistake]:
    return [Mistake(text.file, text.line(place), message) for place, message in wrong]


# Whether it fits its checklist -------------------------------------------------------------------


def is_answered(item: Item) -> bool:
    """Return whether a model text has to answer an item: the parties agree on it in the terms.

    Not what each person or party says for itself, lists of people, points of one cooperation, nor
    lead, team and audience of a visit, which let people in.
    """
    return (
        item.part is Part.TERMS
        and item.required is not Required.OPTIONAL
        and item.code not in policy.LET_IN
        and AnswerScope.SHARED in item.scopes
    )


def misfits(content: ModelTextContent, template: Template) -> Iterator[Misfit]:
    """Yield where a model text doesn't fit its checklist, by path."""
    if content.language != template.language:
        yield ("language",), f"language is {content.language!r}, not that of the checklist"
    if content.version != template.version:
        message = (
            f"this text is for version {content.version}, and the checklist is version "
            f"{template.version}: look at what changed, then raise the number"
        )
        yield ("version",), message
    answered = {item.code: item for item in template.items if is_answered(item)}
    for code in answered.keys() - content.items.keys():
        yield ("items",), f"item {code} has no text"
    for code, fields in content.items.items():
        if code not in answered:
            yield ("items", code), f"item {code} is none that parties agree on"
            continue
        for place, message in item_misfits(answered[code], fields):
            yield ("items", code, *place), f"item {code}: {message}"


def item_misfits(item: Item, fields: Mapping[str, FieldText]) -> Iterator[Misfit]:
    """Yield where the model text of one item doesn't fit it, by path."""
    by_key = {field.key: field for field in item.fields_of(AnswerScope.SHARED)}
    for key, own in fields.items():
        if key not in by_key:
            yield (key,), f"no field {key} is agreed on"
        elif (by_key[key].type is FieldType.TABLE) != bool(own.rows):
            yield (key,), f"{key}: a table, and only a table, has rows"
        else:
            inside = _in_table if own.rows else _in_single
            for place, message in inside(by_key[key], own):
                yield (key, *place), f"{key}: {message}"


def _in_single(template_field: TemplateField, own: FieldText) -> Iterator[Misfit]:
    yield from _in_cell(template_field, own, repeated=False)


def _in_table(template_field: TemplateField, own: FieldText) -> Iterator[Misfit]:
    fixed = {row.key for row in template_field.rows.fixed} if template_field.rows else set()
    kinds = {column.type for column in template_field.columns}
    for key, row in own.rows.items():
        if fixed and key not in fixed and ADDED not in row.cells:
            yield ("rows", key), f"there is no fixed row {key}, and it doesn't say what it is"
        if row.each in ON_TEAM and FieldType.PERSON not in kinds:
            yield ("rows", key), "it is repeated for people, and names none"
        for place, message in _in_row(template_field, row):
            yield ("rows", key, *place), f"{key}, {message}"


def _in_row(template_field: TemplateField, row: Row) -> Iterator[Misfit]:
    columns = {column.key: column for column in template_field.columns}
    for key, cell in row.cells.items():
        if key not in columns:
            yield (key,), f"there is no column {key}"
            continue
        for place, message in _in_cell(columns[key], cell, repeated=row.each is not None):
            yield (key, *place), f"{key}: {message}"


def _in_cell(part: TemplateField | Column, cell: Cell, *, repeated: bool) -> Iterator[Misfit]:
    if cell.added and part.type not in WRITTEN:
        yield ("added",), "sentences can only be added to a text"
    for value in cell.values:
        message = _wrong(part, value, repeated=repeated)
        if message:
            yield (), message


def _wrong(part: TemplateField | Column, value: Given, *, repeated: bool) -> str:
    """Return why a field can't have a value; empty if it can."""
    if isinstance(value, Open):
        return _wrong_place(part, value)
    if part.type in NAMING_BODIES:
        names = {THE_NPM, OWN} if repeated else {THE_NPM}
        return "" if value in names else f"a party is one of: {', '.join(sorted(names))}"
    if part.type is FieldType.PERSON and repeated and value == OWN:
        return ""
    if part.type in FACTS:
        return "a person, a date or a phone number is always to decide"
    many = part.type is FieldType.CHOICES
    if many and value == THE_MODES:
        is_of_modes = {option.value for option in part.options} == {mode.value for mode in Mode}
        return "" if is_of_modes else "this field doesn't choose ways of working"
    if many != isinstance(value, tuple):
        return "several choices are a list, and anything else isn't"
    single = value if isinstance(value, tuple) else (value,)
    fits = all(fits_type(part, one_value, ALONE) for one_value in single)
    return "" if fits else f"{value!r} isn't a value of this field"


def _wrong_place(part: TemplateField | Column, place: Open) -> str:
    """Return why a field can't have a place to decide; empty if it can."""
    if part.type is FieldType.CONFIRM:
        return "a box is ticked or not"
    if place.usually is not None and part.type is not FieldType.PERSON:
        return "only a person is usually somebody"
    if place.is_of_visit and part.type is not FieldType.DATE:
        return "only a day is counted from the visit"
    return ""


# Words -------------------------------------------------------------------------------------------


def word_misfits(
    words: ModelTextWords, content: ModelTextContent, template: Template
) -> Iterator[Misfit]:
    """Yield where a translation differs from its model text in more than words, by path."""
    if words.version != content.version:
        yield ("version",), f"these words are of version {words.version}, not {content.version}"
    own = {
        code: {
            key: _words(field, _is_written(template, code, key)) for key, field in fields.items()
        }
        for code, fields in content.items.items()
    }
    own_words = {code: {k: tree for k, tree in tree.items() if tree} for code, tree in own.items()}
    own_words = {code: tree for code, tree in own_words.items() if tree}
    given = words.model_dump(mode="json", exclude_defaults=True)["items"]
    for place, message, *_rest in differing(own_words, given, (), "the model text"):
        yield ("items", *place), f"item {place[0] if place else ''}: {message}"
    for place, text in _leaves(own_words, ()):
        translation = _at(given, place)
        if translation and len(to_decide.marks_in(text)) != len(to_decide.marks_in(translation)):
            yield ("items", *place), f"item {place[0]}: it marks more or fewer places to decide"


def _is_written(template: Template, code: str, key: str) -> Mapping[str, bool]:
    """Return whether people write in a field, under no name, and in each of its columns."""
    own = template.by_code[code].field(key)
    parts: dict[str, TemplateField | Column] = {column.key: column for column in own.columns}
    return {name: part.type in WRITTEN for name, part in {**parts, "": own}.items()}


def _words(own: FieldText, is_written: Mapping[str, bool]) -> dict[str, Any]:
    tree = _cell_words(own, is_written=is_written[""])
    rows = {
        key: {
            column: words
            for column, cell in row.cells.items()
            if (words := _cell_words(cell, is_written=is_written[column]))
        }
        for key, row in own.rows.items()
    }
    rows = {key: row for key, row in rows.items() if row}
    return {**tree, "rows": rows} if rows else tree


def _cell_words(cell: Cell, *, is_written: bool) -> dict[str, Any]:
    """Return the words of a cell as a translation has them."""

    def worded(value: Given | None) -> str:
        if isinstance(value, Open):
            return value.to_decide
        return value if is_written and isinstance(value, str) else ""

    tree: dict[str, Any] = {}
    if worded(cell.base):
        tree["base"] = worded(cell.base)
    variants = {key: words for key, own in cell.variants.items() if (words := worded(own.value))}
    if variants:
        tree["variants"] = variants
    if cell.added:
        tree["added"] = {key: own.text for key, own in cell.added.items()}
    return tree


def _leaves(tree: Mapping[str, Any], place: ItemPath) -> Iterator[tuple[ItemPath, str]]:
    for key, part in tree.items():
        if isinstance(part, str):
            yield (*place, key), part
        else:
            yield from _leaves(part, (*place, key))


def _at(tree: Mapping[str, Any], place: ItemPath) -> Any:
    node: Any = tree
    for step in place:
        node = node.get(step) if isinstance(node, Mapping) else None
    return node


def in_words(content: ModelTextContent, words: ModelTextWords) -> ModelTextContent:
    """Return a model text in the language of a translation that fits it."""
    tree = content.model_dump(mode="json", exclude_defaults=True)
    given = words.model_dump(mode="json", exclude_defaults=True)["items"]
    for place, text in _leaves(given, ()):
        _replace(tree["items"], place, text)
    return ModelTextContent.model_validate({**tree, "language": words.language})


def _replace(items: dict[str, Any], place: ItemPath, text: str) -> None:
    """Put a text where a translation has it: rows keep their cells under a name of its own."""
    node: Any = items
    for step in place[:-1]:
        node = node["cells"][step] if "cells" in node and step not in node else node[step]
    last = place[-1]
    if isinstance(node[last], dict):
        inside = next(name for name in ("to_decide", "value", "text") if name in node[last])
        if inside == "value" and isinstance(node[last]["value"], dict):
            node[last]["value"]["to_decide"] = text
        else:
            node[last][inside] = text
    else:
        node[last] = text
