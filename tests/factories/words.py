"""Translations of small checklists, and their parts."""

from collections.abc import Mapping
from typing import Any

from tracker.checklist_templates import library
from tracker.checklist_templates.languages import ChecklistWords, ItemWords, words_of
from tracker.checklist_templates.library import TemplateFile
from tracker.checklist_templates.schema import Item, Template
from tracker.checklist_templates.translations import WordsFile
from tracker.core.content import YamlText


def in_arabic(item: Item) -> ItemWords:
    """Return a translation of an item, each text marked, so that a test sees which is shown."""
    return ItemWords.model_validate(_marked(words_of(item).model_dump(exclude_defaults=True)))


def arabic_words(template: Template, *left_out: str, **changed: Any) -> ChecklistWords:
    """Return a translation of a whole checklist except the items left out."""
    return ChecklistWords.model_validate(
        {
            "kind": template.kind,
            "language": "ar",
            "version": template.version,
            "title": _arabic(template.title),
            "summary": _arabic(template.summary),
            "sections": {section.key: _arabic(section.title) for section in template.sections},
            "items": {
                item.code: in_arabic(item).model_dump(exclude_defaults=True)
                for item in template.items
                if item.code not in left_out
            },
            **changed,
        }
    )


def _arabic(words: str) -> str:
    return f"عربي {words}"


def _marked(tree: Mapping[str, Any]) -> dict[str, Any]:
    return {
        key: _marked(part) if isinstance(part, dict) else _arabic(part)
        for key, part in tree.items()
    }


def publish_with_words(template: Template, *words: ChecklistWords) -> list[str]:
    """Publish a checklist with its translation; return the messages."""
    text = YamlText("small.yaml", {})
    files = tuple(WordsFile(part, text) for part in words)
    return library.load((TemplateFile(template, text, files),))
