"""The checklists as content: read from YAML, checked, and loaded as published versions."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import combinations
from pathlib import Path
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa

from config import ROOT
from tracker.access.actor import Actor
from tracker.activity import service as trail
from tracker.activity.verbs import CONTENT_LOADED
from tracker.checklists.models import ChecklistKind, ChecklistTemplate
from tracker.checklists.template import Template
from tracker.core import canonical, clock
from tracker.core.content import (
    ContentError,
    Mistake,
    YamlText,
    name_of,
    read_text,
    read_yaml,
)
from tracker.core.db import db
from tracker.guidance import library as guidance_texts
from tracker.guidance import service as guidance

CONTENT = ROOT / "tracker" / "content"
ITEMS_OF = {"M": 20, "C": 18, "V": 20, "U": 18}
KINDS_IN_ORDER = tuple(ChecklistKind)
ITEM_PLACE = re.compile(
    r"(?P<before>there is no key )?sections\.(?P<section>\d+)\.items\.(?P<item>\d+)[.:]? ?"
)


@dataclass(frozen=True, slots=True)
class TemplateFile:
    """A template with the text it was read from, for naming lines."""

    template: Template
    text: YamlText


def read(content: Path) -> tuple[TemplateFile, ...]:
    """Read every checklist of the content folder; raise ContentError naming all mistakes."""
    mistakes: list[Mistake] = []
    files: list[TemplateFile] = []
    for path in sorted((content / "checklists").glob("*.yaml")):
        text = read_text(content, path, mistakes)
        tree = None if text is None else read_yaml(text, name_of(content, path), mistakes)
        if tree is None:
            continue
        found: list[Mistake] = []
        template = tree.fit(Template, found)
        mistakes += [_with_item(mistake, tree) for mistake in found]
        if template is not None:
            files.append(TemplateFile(template, tree))
    mistakes += [
        Mistake(two.text.file, two.text.line(("kind",)), f"{one.text.file} is of this kind too")
        for one, two in combinations(files, 2)
        if one.template.kind is two.template.kind
    ]
    mistakes += [
        Mistake("checklists", 1, f"there is no checklist of kind {kind.value}")
        for kind in ChecklistKind
        if not mistakes and kind not in {file.template.kind for file in files}
    ]
    if mistakes:
        raise ContentError(mistakes)
    return tuple(sorted(files, key=lambda file: KINDS_IN_ORDER.index(file.template.kind)))


def _with_item(mistake: Mistake, tree: YamlText) -> Mistake:
    """Name the item a mistake stands in by its code, where the schema names it by its place."""
    place = ITEM_PLACE.match(mistake.message)
    if place is None:
        return mistake
    item = tree.tree["sections"][int(place["section"])]["items"][int(place["item"])]
    code = item.get("code") if isinstance(item, dict) else None
    name = code if isinstance(code, str) else f"{place['item']} of section {place['section']}"
    rest = (place["before"] or "") + mistake.message[place.end() :]
    return Mistake(mistake.file, mistake.line, f"item {name}: {rest}")


def broken_references(
    files: tuple[TemplateFile, ...], statements: frozenset[str], passages: Mapping[str, set[str]]
) -> list[Mistake]:
    """Return what items rest on that is not there.

    passages maps each passage to the statements it carries. An item's statement must be carried by
    one of its passages: whoever reads the guidance beside the item finds what it rests on.
    """
    mistakes: list[Mistake] = []
    for file in files:
        for s, section in enumerate(file.template.sections):
            for i, item in enumerate(section.items):
                place = ("sections", s, "items", i, "rests_on")
                line = file.text.line(place)
                unknown = [one for one in item.rests_on.statements if one not in statements]
                unknown += [one for one in item.rests_on.passages if one not in passages]
                mistakes += [
                    Mistake(file.text.file, line, f"{item.code} rests on {one}: not there")
                    for one in unknown
                ]
                carried = set().union(*(passages.get(p, set()) for p in item.rests_on.passages))
                mistakes += [
                    Mistake(file.text.file, line, f"{item.code}: no passage of it carries {one}")
                    for one in item.rests_on.statements
                    if one in statements and one not in carried
                ]
    return mistakes


def missing_items(files: tuple[TemplateFile, ...]) -> list[str]:
    """Return the codes of the field's 76 items that no template has."""
    there = {item.code for file in files for item in file.template.items}
    wanted = [f"{letter}{n}" for letter, count in ITEMS_OF.items() for n in range(1, count + 1)]
    return [code for code in wanted if code not in there]


def load_content() -> list[str]:
    """Load the guidance and the checklists shipped; return a line for each thing that is new.

    Raise ContentError with all mistakes; the caller commits.
    """
    files = read(CONTENT)
    done = [str(change) for change in guidance.load(guidance_texts.read(CONTENT))]
    return done + load(files)


def load(files: tuple[TemplateFile, ...], actor: Actor | None = None) -> list[str]:
    """Publish templates that are new; return what was done, a line each.

    A published version is never changed: another text under the same number is an error.
    """
    done: list[str] = []
    for file in files:
        template = file.template
        content = template.model_dump(mode="json", by_alias=True)
        digest = canonical.digest_of(content)
        there = db.session.scalar(
            sa.select(ChecklistTemplate).where(
                ChecklistTemplate.kind == template.kind,
                ChecklistTemplate.version == template.version,
            )
        )
        if there is not None and there.digest != digest:
            line = file.text.line(("version",))
            message = f"version {template.version} is published already; raise the number"
            raise ContentError([Mistake(file.text.file, line, message)])
        if there is None:
            done.append(_publish(template, content, digest, actor))
        if newest(template.kind).version > template.version:
            continue  # an instance's own later version says where passages are used
        guidance.set_uses(
            template.kind.value,
            [
                (passage, item.code, item.label)
                for item in template.items
                for passage in item.rests_on.passages
            ],
        )
    return done


def _publish(template: Template, content: dict[str, Any], digest: str, actor: Actor | None) -> str:
    row = ChecklistTemplate(
        id=uuid4(),
        kind=template.kind,
        version=template.version,
        content=content,
        digest=digest,
        loaded_at=clock.now(),
    )
    db.session.add(row)
    db.session.flush()
    trail.record(
        CONTENT_LOADED,
        actor=actor,
        subject_type="checklist_template",
        subject_id=row.id,
        evidence=digest,
        kind="checklist",
        name=template.kind.value,
        version=template.version,
        digest=digest,
    )
    return f"checklist {template.kind.value}, version {template.version}"


def newest(kind: ChecklistKind) -> ChecklistTemplate:
    """Return the newest published template of a kind; raise LookupError when none is loaded."""
    row = db.session.scalar(
        sa.select(ChecklistTemplate)
        .where(ChecklistTemplate.kind == kind)
        .order_by(ChecklistTemplate.version.desc())
        .limit(1)
    )
    if row is None:
        message = f"No template of {kind.value} is loaded: run tracker content load."
        raise LookupError(message)
    return row


def parsed(row: ChecklistTemplate) -> Template:
    """Return a stored template as its model; kept, since a published version never changes."""
    known = _parsed.get(row.id)
    if known is None:
        known = Template.model_validate(row.content)
        _parsed[row.id] = known
    return known


_parsed: dict[UUID, Template] = {}
