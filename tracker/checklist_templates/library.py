"""The shipped checklists: read from YAML, checked, and loaded as published versions.

In one file: reading, checking and loading of a version are one pass.
"""

import io
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from itertools import combinations
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import gettext as _

from tracker.access.actor import Actor
from tracker.activity import service as trail
from tracker.activity.verbs import CONTENT_LOADED
from tracker.checklist_templates import languages, risky_phrases, translations
from tracker.checklist_templates.models import (
    ChecklistKind,
    ChecklistTemplate,
    TemplateOrigin,
    TemplateState,
    TemplateWords,
    WordsOrigin,
)
from tracker.checklist_templates.schema import Item, Template
from tracker.checklist_templates.strict import FORMS
from tracker.checklist_templates.translations import WordsFile
from tracker.core import canonical, clock, paths
from tracker.core.content import YamlText, name_of, read_text, read_yaml, yaml_writer
from tracker.core.db import db
from tracker.core.localized import language_of
from tracker.core.mistakes import ContentError, Mistake
from tracker.core.schema_problems import NodePath, Reading, nearest
from tracker.guidance import library as guidance_texts
from tracker.guidance import service as guidance
from tracker.guidance.beside import P, beside
from tracker.guidance.queries import passages_for

# The last item of a checklist is *Other agreed points* (domain.md, 2.6).
ITEMS_OF = {"M": 21, "C": 19, "V": 21, "U": 19}
KINDS_IN_ORDER = tuple(ChecklistKind)


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """A template with the text it was parsed from, for line numbers, and its translations."""

    template: Template
    text: YamlText
    words: tuple[WordsFile, ...] = ()


def read(content: Path) -> tuple[TemplateFile, ...]:
    """Read every checklist of the content folder; raise ContentError with all mistakes."""
    mistakes: list[Mistake] = []
    files: list[TemplateFile] = []
    for path in sorted((content / "checklists").glob("*.yaml")):
        text = read_text(content, path, mistakes)
        tree = None if text is None else read_yaml(text, name_of(content, path), mistakes)
        template = None if tree is None else _fitted(tree, mistakes)
        if tree is not None and template is not None:
            files.append(TemplateFile(template, tree))
    mistakes += [
        Mistake(
            two.text.file, two.text.line(("kind",)), f"{combination.text.file} is of this kind too"
        )
        for combination, two in combinations(files, 2)
        if combination.template.kind is two.template.kind
    ]
    mistakes += [
        Mistake("checklists", 1, f"there is no checklist of kind {kind.value}")
        for kind in ChecklistKind
        if not mistakes and kind not in {file.template.kind for file in files}
    ]
    words = translations.read(content, mistakes)
    if mistakes:
        raise ContentError(mistakes)
    with_words = [_with_words(file, words, mistakes) for file in files]
    if mistakes:
        raise ContentError(mistakes)
    return tuple(sorted(with_words, key=lambda file: KINDS_IN_ORDER.index(file.template.kind)))


def _with_words(
    file: TemplateFile, words: list[WordsFile], mistakes: list[Mistake]
) -> TemplateFile:
    own = tuple(word for word in words if word.words.kind is file.template.kind)
    mistakes += [mistake for words in own for mistake in translations.broken(words, file.template)]
    return replace(file, words=own)


def read_one(text: str, file: str) -> TemplateFile:
    """Parse one uploaded checklist; raise ContentError with all mistakes.

    Beyond the schema it refuses what a shipped file never has: anchors, which can make a short text
    endless; endless nesting; characters and numbers that can't be stored.
    """
    mistakes: list[Mistake] = []
    try:
        tree = read_yaml(text, file, mistakes)
        template = None if tree is None else _fitted(tree, mistakes)
        if template is not None:
            unkeepable = translations.unkeepable(content_of(template))
            mistakes += [Mistake(file, 1, message) for message in unkeepable]
    except RecursionError as error:
        message = _("the text is nested too deeply")
        raise ContentError([Mistake(file, 1, message)]) from error
    if mistakes or tree is None or template is None:
        raise ContentError(mistakes)
    return TemplateFile(template, tree)


def as_text(template: Template) -> str:
    """Write a checklist as YAML that parses to an equal one; defaults are left out."""
    text = io.StringIO()
    yaml_writer().dump(template.model_dump(mode="json", by_alias=True, exclude_defaults=True), text)
    return text.getvalue()


def content_of(template: Template) -> dict[str, Any]:
    """Return a checklist as it is stored, and as its digest is made."""
    return template.model_dump(mode="json", by_alias=True)


def _fitted(tree: YamlText, mistakes: list[Mistake]) -> Template | None:
    """Return a text as a checklist, or None after adding all mistakes, each with its item."""
    return tree.fit(Template, mistakes, reading=Reading(partial(_parted, tree.tree), FORMS))


def _parted(tree: Any, path: NodePath) -> tuple[str, NodePath]:
    """Split a path at an item, which is named by its code."""
    match tuple(path):
        case ("sections", int(section), "items", int(place), *rest):
            item = tree["sections"][section]["items"][place]
            code = item.get("code") if isinstance(item, dict) else None
            if isinstance(code, str):
                return _("item %(code)s", code=code), rest
            name = _("item %(place)s of section %(section)s", place=place, section=section)
            return name, rest
    return "", path


def broken_references(
    files: tuple[TemplateFile, ...], statements: frozenset[str], passages: Mapping[str, set[str]]
) -> list[Mistake]:
    """Return the references of items to things that don't exist.

    passages maps each passage to its statements. An item's statement must be in one of its
    passages, so that whoever reads the guidance beside the item finds what it is based on.
    """
    mistakes: list[Mistake] = []
    for file in files:
        for s, section in enumerate(file.template.sections):
            for i, item in enumerate(section.items):
                place = ("sections", s, "items", i)
                mistakes += _unknown(file.text, place, item, statements, passages)
                mistakes += _not_carried(file.text, place, item, statements, passages)
                mistakes += [
                    file.text.mistake((*place, "rests_on"), f"{item.code}: {message}")
                    for message in _broken_limits(item, passages)
                ]
    return mistakes


def _unknown(
    text: YamlText,
    place: NodePath,
    item: Item,
    statements: frozenset[str],
    passages: Mapping[str, set[str]],
) -> Iterator[Mistake]:
    """Yield the statements and passages an item is based on that don't exist."""
    for name, refs, known in (
        ("statements", item.rests_on.statements, statements),
        ("passages", item.rests_on.passages, passages),
    ):
        for number, ref in enumerate(refs):
            if ref not in known:
                yield text.mistake(
                    (*place, "rests_on", name, number),
                    _("%(code)s is based on %(ref)s, which doesn't exist", code=item.code, ref=ref),
                    _advice_on(name, ref, known),
                )


def _advice_on(name: str, ref: str, known: Collection[str]) -> str:
    if name == "statements":
        return str(
            _("Use the code of a statement of the source, as the articles of the guidance do.")
        )
    closest = nearest(ref, known)
    if closest:
        return str(_("Write %(word)s instead.", word=closest))
    return str(_("Write an article and the key of one of its passages: article/passage."))


def _not_carried(
    text: YamlText,
    place: NodePath,
    item: Item,
    statements: frozenset[str],
    passages: Mapping[str, set[str]],
) -> Iterator[Mistake]:
    """Yield the statements an item is based on that none of its passages has."""
    carried = set().union(*(passages.get(ref, set()) for ref in item.rests_on.passages))
    for number, statement in enumerate(item.rests_on.statements):
        if statement in statements and statement not in carried:
            yield text.mistake(
                (*place, "rests_on", "statements", number),
                _(
                    "%(code)s: no passage of it carries %(statement)s",
                    code=item.code,
                    statement=statement,
                ),
                _("Add the passage that covers the statement, or remove the statement."),
            )


def _broken_limits(item: Item, passages: Mapping[str, set[str]]) -> Iterator[str]:
    """Yield the limits of an item whose passage doesn't exist or has another statement."""
    for limit in item.limits:
        if limit.passage not in passages:
            yield _(
                "limit %(key)s is based on %(ref)s, which doesn't exist",
                key=limit.key,
                ref=limit.passage,
            )
        elif limit.statement not in passages[limit.passage]:
            yield _(
                "limit %(key)s: its passage does not carry %(statement)s",
                key=limit.key,
                statement=limit.statement,
            )


def missing_items(files: tuple[TemplateFile, ...]) -> list[str]:
    """Return the codes of the items in domain.md that no template has."""
    codes = {item.code for file in files for item in file.template.items}
    wanted = [f"{letter}{n}" for letter, count in ITEMS_OF.items() for n in range(1, count + 1)]
    return [code for code in wanted if code not in codes]


def load_content(files: tuple[TemplateFile, ...] | None = None) -> list[str]:
    """Load the shipped guidance and checklists; return a line for each one that is new.

    files are the checklists, if they were read already. Raise ContentError with all mistakes; the
    caller commits.
    """
    files = read(paths.CONTENT) if files is None else files
    risky_phrases.read(paths.CONTENT)  # checked here, before a page finds its mistakes
    done = [str(change) for change in guidance.load(guidance_texts.read(paths.CONTENT))]
    return done + load(files)


def load(files: tuple[TemplateFile, ...], actor: Actor | None = None) -> list[str]:
    """Load new shipped versions; return what was done, a line each (adr 21).

    A version never changes: a different text under the same shipped number is an error. If the
    latest published version is derived here, a new shipped one waits until an administrator
    publishes it. A shipped version older than those loaded is ignored.
    """
    done: list[str] = []
    for file in files:
        line = _load(file, actor)
        done += [line] if line else []
        done += _load_words(file, actor)
        say_uses(file.template.kind)
    return done


def _load(file: TemplateFile, actor: Actor | None) -> str | None:
    template = file.template
    rows = versions(template.kind)
    loaded_row = next((row for row in rows if row.shipped_version == template.version), None)
    if loaded_row is not None:
        content = content_of(template) | {"version": loaded_row.version}
        if loaded_row.digest != canonical.digest_of(content):
            line = file.text.line(("version",))
            message = f"version {template.version} is published already; raise the number"
            raise ContentError([Mistake(file.text.file, line, message)])
        return None
    if any((row.shipped_version or 0) > template.version for row in rows):
        return None
    taken = max((row.version for row in rows), default=0)
    over = _newest_of(rows)
    waits = over is not None and over.origin is TemplateOrigin.DERIVED
    row = add(
        template.model_copy(
            update={"version": template.version if template.version > taken else taken + 1}
        ),
        TemplateOrigin.SHIPPED,
        shipped_version=template.version,
        is_published=not waits,
    )
    trail.record(
        CONTENT_LOADED,
        actor=actor,
        subject_type="checklist_template",
        subject_id=row.id,
        evidence=row.digest,
        kind="checklist",
        name=template.kind.value,
        version=row.version,
        digest=row.digest,
    )
    words = "; it waits, since a version derived here is in use" if waits else ""
    return f"checklist {template.kind.value}, version {row.version}{words}"


def _load_words(file: TemplateFile, actor: Actor | None) -> list[str]:
    """Load new or corrected translations, also for equal items of other versions."""
    rows = versions(file.template.kind)
    row = next((row for row in rows if row.shipped_version == file.template.version), None)
    if row is None:
        return []
    added = [
        (row, new)
        for word in file.words
        if (new := translations.take_in(row, _numbered(word, row), WordsOrigin.SHIPPED))
    ]
    if added:
        others = (other for other in rows if other.id != row.id)
        added += [(other, new) for other in others for new in carry(row, other)]
    return [_say_words(version, new, actor) for version, new in added]


def _numbered(file: WordsFile, row: ChecklistTemplate) -> languages.ChecklistWords:
    """Return a translation under the number that its version has here."""
    return file.words.model_copy(update={"version": row.version})


def _say_words(row: ChecklistTemplate, words: TemplateWords, actor: Actor | None) -> str:
    name = f"{row.kind.value} {row.version} {words.language}"
    trail.record(
        CONTENT_LOADED,
        actor=actor,
        subject_type="checklist_words",
        subject_id=words.id,
        evidence=words.digest,
        kind="words",
        name=name,
        version=words.number,
        digest=words.digest,
    )
    return f"words of checklist {row.kind.value}, version {row.version}, in {words.language}"


def carry(base: ChecklistTemplate, row: ChecklistTemplate) -> list[TemplateWords]:
    """Copy translations to another version, as far as its items are equal; return the new ones."""
    return translations.carry(base, parsed(base), row, parsed(row))


def carry_on(base: ChecklistTemplate, row: ChecklistTemplate, actor: Actor) -> list[TemplateWords]:
    """Copy translations to a version that was just derived, and record it."""
    carried = carry(base, row)
    for words in carried:
        _say_words(row, words, actor)
    return carried


def add(
    template: Template,
    origin: TemplateOrigin,
    *,
    shipped_version: int | None = None,
    is_published: bool = True,
) -> ChecklistTemplate:
    """Store a version. The caller records the event and where passages are used."""
    content = content_of(template)
    row = ChecklistTemplate(
        id=uuid4(),
        kind=template.kind,
        version=template.version,
        content=content,
        digest=canonical.digest_of(content),
        loaded_at=clock.now(),
        origin=origin,
        shipped_version=shipped_version,
        published_at=clock.now() if is_published else None,
    )
    db.session.add(row)
    db.session.flush()
    return row


def say_uses(kind: ChecklistKind) -> None:
    """Tell the guidance which of its passages the items of a checklist's newest version use."""
    row = newest(kind)
    items = parsed(row).items
    labels = _labels_of(row)
    refs = sorted({ref for item in items for ref in item.rests_on.passages})
    passages = passages_for(refs, items=items[0].code[0])
    guidance.set_uses(
        kind.value,
        [
            (passage.ref, item.code, labels[item.code])
            for item in items
            for passage in beside_item(item, passages)
        ],
    )


def _labels_of(row: ChecklistTemplate) -> dict[str, dict[str, str]]:
    """Return the labels of a version's items in every available language, by code."""
    own = parsed(row)
    labels = {item.code: {own.language: str(item.label)} for item in own.items}
    for language, words in translations.current(row.id).items():
        for item in localized_by(row, words).items:
            if language_of(item.label) == language:
                labels[item.code][language] = str(item.label)
    return labels


def say_all_uses() -> None:
    """Tell the guidance which of its passages items use, after an article was edited."""
    for kind in ChecklistKind:
        say_uses(kind)


def beside_item(item: Item, passages: Mapping[str, P]) -> tuple[P, ...]:
    """Return the passages to show beside an item, from those that were read together."""
    return beside(item.code, item.rests_on.statements, item.rests_on.passages, passages)


def versions(kind: ChecklistKind) -> list[ChecklistTemplate]:
    """Return all versions of a kind, the highest number first."""
    rows = db.session.scalars(
        sa.select(ChecklistTemplate)
        .where(ChecklistTemplate.kind == kind)
        .order_by(ChecklistTemplate.version.desc())
    )
    return list(rows)


def item_codes() -> frozenset[str]:
    """Return the codes of the items of every version: checklists run on old ones too."""
    return frozenset(
        item.code for kind in ChecklistKind for row in versions(kind) for item in parsed(row).items
    )


def newest(kind: ChecklistKind) -> ChecklistTemplate:
    """Return the latest published version that is not retired, on which new checklists start.

    Raise LookupError if none is loaded.
    """
    row = db.session.scalar(
        sa.select(ChecklistTemplate)
        .where(
            ChecklistTemplate.kind == kind,
            ChecklistTemplate.published_at.is_not(None),
            ChecklistTemplate.retired_at.is_(None),
        )
        .order_by(ChecklistTemplate.published_at.desc(), ChecklistTemplate.version.desc())
        .limit(1)
    )
    if row is None:
        message = f"No template of {kind.value} is loaded: run tracker content load."
        raise LookupError(message)
    return row


def _newest_of(rows: list[ChecklistTemplate]) -> ChecklistTemplate | None:
    published = [row for row in rows if row.state is TemplateState.PUBLISHED]
    return max(published, key=lambda row: (row.published_at, row.version), default=None)


def by_id(template_id: UUID) -> ChecklistTemplate:
    """Return a version by its id; raise NoResultFound if there is none."""
    return db.session.get_one(ChecklistTemplate, template_id)


def parsed(row: ChecklistTemplate) -> Template:
    """Return a stored template as its model; cached, since a published version never changes."""
    known = _parsed.get(row.id)
    if known is None:
        known = Template.model_validate(row.content)
        _parsed[row.id] = known
    return known


_parsed: dict[UUID, Template] = {}


def localized(row: ChecklistTemplate, language: str) -> Template:
    """Return a stored template in a language, as far as it is translated.

    Each untranslated text is marked as being in the template's own language.
    """
    own = parsed(row)
    if language == own.language:
        return own
    return localized_by(row, translations.current(row.id).get(language))


def localized_by(row: ChecklistTemplate, words: TemplateWords | None) -> Template:
    """Return a stored template with a translation, or in its own language; cached."""
    key = (row.id, words.id if words else None)
    known = _localized_templates.get(key)
    if known is None:
        known = languages.localize(parsed(row), translations.parsed(words) if words else None)
        _localized_templates[key] = known
    return known


_localized_templates: dict[tuple[UUID, UUID | None], Template] = {}


def localized_by_id(template_ids: Collection[UUID], language: str) -> dict[UUID, Template]:
    """Return stored templates in a language, as far as they are translated, in two statements."""
    if not template_ids:
        return {}
    rows = db.session.scalars(
        sa.select(ChecklistTemplate).where(ChecklistTemplate.id.in_(list(template_ids)))
    ).all()
    words = translations.words_by_template(template_ids)
    return {row.id: localized_by(row, words.get(row.id, {}).get(language)) for row in rows}
