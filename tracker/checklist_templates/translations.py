"""Translations of checklists: read from YAML, stored by number, found for a reader."""

import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import rfc8785
import sqlalchemy as sa
from flask_babel import gettext as _
from ruamel.yaml import YAML

from tracker.checklist_templates.field_content import UNWRITABLE
from tracker.checklist_templates.languages import (
    ChecklistWords,
    carried,
    content_of,
    lacking,
    misfits,
    over,
    words_of,
)
from tracker.checklist_templates.models import ChecklistTemplate, TemplateWords, WordsOrigin
from tracker.checklist_templates.schema import Template
from tracker.checklist_templates.strict import FORMS
from tracker.core import canonical, clock
from tracker.core.content import YamlText, name_of, read_text, read_yaml
from tracker.core.db import db
from tracker.core.mistakes import ContentError, Mistake
from tracker.core.schema_problems import NodePath, Reading


@dataclass(frozen=True, slots=True)
class WordsFile:
    """The translation of a checklist with the text it was parsed from, for line numbers."""

    words: ChecklistWords
    text: YamlText


# Files ------------------------------------------------------------------------------------------


def read(content: Path, mistakes: list[Mistake]) -> list[WordsFile]:
    """Read the translations of every language in the content folder; add their mistakes."""
    files = [file for path in _paths(content) if (file := _file(content, path, mistakes))]
    for combination, two in combinations(files, 2):
        if (combination.words.kind, combination.words.language) == (
            two.words.kind,
            two.words.language,
        ):
            message = f"{combination.text.file} is of this kind and language too"
            mistakes.append(Mistake(two.text.file, two.text.line(("kind",)), message))
    return files


def _paths(content: Path) -> list[Path]:
    return sorted((content / "checklists").glob("*/*.yaml"))


def _file(content: Path, path: Path, mistakes: list[Mistake]) -> WordsFile | None:
    text = read_text(content, path, mistakes)
    tree = None if text is None else read_yaml(text, name_of(content, path), mistakes)
    words = None if tree is None else fitted(tree, mistakes)
    if tree is None or words is None:
        return None
    if words.language != path.parent.name:
        message = f"language is {words.language!r}, not that of the folder"
        mistakes.append(Mistake(tree.file, tree.line(("language",)), message))
    return WordsFile(words, tree)


def fitted(tree: YamlText, mistakes: list[Mistake]) -> ChecklistWords | None:
    """Return a text as a translation, or None after adding all mistakes, each with its item."""
    return tree.fit(ChecklistWords, mistakes, reading=Reading(_parted, FORMS))


def _parted(path: NodePath) -> tuple[str, NodePath]:
    """Split a path at an item, as for a checklist's structure."""
    match tuple(path):
        case ("items", code, *rest):
            return _("item %(code)s", code=code), rest
    return "", path


def read_one(text: str, file: str, template: Template) -> WordsFile:
    """Parse an uploaded translation, as strictly as a shipped file.

    Raise ContentError with all mistakes by line and item.
    """
    mistakes: list[Mistake] = []
    try:
        tree = read_yaml(text, file, mistakes)
    except RecursionError as error:
        raise ContentError([Mistake(file, 1, _("the text is nested too deeply"))]) from error
    words = None if tree is None else fitted(tree, mistakes)
    if tree is None or words is None:
        raise ContentError(mistakes)
    words_file = WordsFile(words, tree)
    if words.kind is not template.kind:
        message = _("the kind is %(kind)s", kind=template.kind.value)
        advice = _("Write %(word)s instead.", word=template.kind.value)
        mistakes.append(tree.mistake(("kind",), message, advice))
    mistakes += [Mistake(file, 1, message) for message in unkeepable(content_of(words))]
    mistakes += broken(words_file, template)
    if mistakes:
        raise ContentError(mistakes)
    return words_file


def unkeepable(content: Mapping[str, Any]) -> Iterator[str]:
    """Yield what no database or digest can store: NUL, unpaired surrogates, huge numbers."""
    if any(UNWRITABLE.search(words) for words in _strings(content)):
        yield _("the text contains characters that can't be stored")
        return
    try:
        canonical.to_bytes(content)
    except rfc8785.CanonicalizationError:
        yield _("the text contains a number that is too large")


def _strings(value: Any) -> Iterator[str]:
    match value:
        case str():
            yield value
        case dict():
            for part in value.values():
                yield from _strings(part)
        case list():
            for part in value:
                yield from _strings(part)


def broken(file: WordsFile, template: Template) -> Iterator[Mistake]:
    """Yield where a translation doesn't fit its checklist, by file, line and item."""
    for misfit in misfits(file.words, template):
        yield file.text.mistake(misfit.place, misfit.message, misfit.advice, mark=misfit.mark)


def as_text(words: ChecklistWords, template: Template) -> str:
    """Write a translation as YAML that parses to an equal one.

    Untranslated texts follow in the checklist's own language, as comments.
    """
    missing = set(lacking(words, template))
    rest = {
        "items": {
            item.code: words_of(item).model_dump(mode="json", exclude_defaults=True)
            for item in template.items
            if item.code in missing
        }
    }
    content = content_of(words)
    in_order = [item.code for item in template.items if item.code in words.items]
    content["items"] = {code: content["items"][code] for code in in_order}
    text = _dumped(content)
    if not missing:
        return text
    remarks = "".join(f"# {line}\n" for line in _dumped(rest).splitlines())
    return f"{text}\n# Not translated yet:\n{remarks}"


def _dumped(tree: object) -> str:
    yaml = YAML(typ="rt")
    yaml.width = 100
    yaml.allow_unicode = True
    text = io.StringIO()
    yaml.dump(tree, text)
    return text.getvalue()


# Rows -------------------------------------------------------------------------------------------


def words_by_template(template_ids: Iterable[UUID]) -> dict[UUID, dict[str, TemplateWords]]:
    """Return the translations in use of some versions by language, in one query.

    This instance's own take precedence over shipped ones; of each, the newest is in use.
    """
    rows = db.session.scalars(
        sa.select(TemplateWords)
        .where(TemplateWords.template_id.in_(list(template_ids)))
        .order_by(
            sa.case((TemplateWords.origin == WordsOrigin.OWN, 1), else_=0), TemplateWords.number
        )
    )
    words: dict[UUID, dict[str, TemplateWords]] = {}
    for row in rows:
        words.setdefault(row.template_id, {})[row.language] = row
    return words


def current(template_id: UUID) -> dict[str, TemplateWords]:
    """Return the translations in use of one version, by language."""
    return words_by_template([template_id]).get(template_id, {})


def parsed(row: TemplateWords) -> ChecklistWords:
    """Return a stored translation as its model; cached, since it never changes."""
    known = _parsed.get(row.id)
    if known is None:
        known = ChecklistWords.model_validate(row.content)
        _parsed[row.id] = known
    return known


_parsed: dict[UUID, ChecklistWords] = {}


def take_in(
    row: ChecklistTemplate, words: ChecklistWords, origin: WordsOrigin
) -> TemplateWords | None:
    """Store a translation of a version under the next number; None if it equals the last one.

    The caller records the event.
    """
    rows = db.session.scalars(
        sa.select(TemplateWords)
        .where(TemplateWords.template_id == row.id, TemplateWords.language == words.language)
        .order_by(TemplateWords.number)
    ).all()
    content = content_of(words)
    digest = canonical.digest_of(content)
    last = next((row for row in reversed(rows) if row.origin is origin), None)
    if last is not None and last.digest == digest:
        return None
    words_row = TemplateWords(
        id=uuid4(),
        template_id=row.id,
        language=words.language,
        number=rows[-1].number + 1 if rows else 1,
        content=content,
        digest=digest,
        origin=origin,
        loaded_at=clock.now(),
    )
    db.session.add(words_row)
    db.session.flush()
    return words_row


def carry(
    base: ChecklistTemplate, old: Template, row: ChecklistTemplate, new: Template
) -> list[TemplateWords]:
    """Copy translations from one version to another, for equal items.

    Existing translations stay, except for items whose translation here is newer. Return the new
    ones; the caller records them.
    """
    current_words = current(row.id)
    new_rows = []
    for language, words in current(base.id).items():
        brought = carried(parsed(words), old, new)
        own = current_words.get(language)
        if own is not None and own.origin is WordsOrigin.OWN:
            continue
        whole = over(brought, parsed(own) if own else None)
        if content_of(whole) == (own.content if own else content_of(_none_of(whole))):
            continue
        new_row = take_in(row, whole, WordsOrigin.CARRIED)
        new_rows += [new_row] if new_row else []
    return new_rows


def _none_of(words: ChecklistWords) -> ChecklistWords:
    return ChecklistWords(kind=words.kind, language=words.language, version=words.version)
