"""Changed checklists as an administrator sends them: a version's text with some words other."""

from tracker.checklists import library
from tracker.checklists.models import ChecklistKind
from tracker.checklists.template import Template

TERMS = ChecklistKind.TERMS


def text_of(kind: ChecklistKind = TERMS) -> str:
    """Return the newest version's text."""
    return library.as_text(library.parsed(library.newest(kind)))


def changed(old: str, new: str, kind: ChecklistKind = TERMS) -> str:
    """Return the newest version's text with some words replaced; they must be there."""
    text = text_of(kind)
    assert old in text, f"{old!r} is not in the text"
    return text.replace(old, new, 1)


def without(code: str, kind: ChecklistKind = TERMS) -> str:
    """Return the newest version's text without an item."""
    template = library.parsed(library.newest(kind))
    return written(template, items={code: None})


def written(template: Template, *, items: dict[str, dict[str, object] | None]) -> str:
    """Return a template's text with items changed by their code; None takes an item out."""
    content = library.content_of(template)
    for section in content["sections"]:
        kept = []
        for item in section["items"]:
            if item["code"] not in items:
                kept.append(item)
                continue
            update = items[item["code"]]
            if update is not None:
                kept.append({**item, **update})
        section["items"] = kept
    content["sections"] = [one for one in content["sections"] if one["items"]]
    return library.as_text(Template.model_validate(content))
