"""The texts of one item as a flat list, so that a form can ask for each beside its original. Pure.

An item is translated in full or not at all (adr 38), so the list has every text of it.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from flask_babel import lazy_gettext as _l

from tracker.checklist_templates.languages import ItemWords

TextPath = tuple[str, ...]
# What a text is, by the last key of its path, or by the group that it's in.
_NAMES: dict[str, object] = {
    "label": _l("Name"),
    "prompt": _l("Question"),
    "help": _l("How to answer"),
    "look": _l("Check that"),
    "hint": _l("Hint"),
    "rows_label": _l("Heading of the rows"),
}
_NAMES_INSIDE: dict[str, object] = {
    "fields": _l("Name of a field"),
    "columns": _l("Name of a column"),
    "options": _l("Choice"),
    "rows": _l("Row"),
    "limits": _l("Why an answer is flagged"),
}


@dataclass(frozen=True, slots=True)
class ItemText:
    """One text of an item: where it is, what it is, and its words."""

    path: TextPath
    name: object
    words: str

    @property
    def field_name(self) -> str:
        """The name of its field in a form."""
        return "-".join(("text", *self.path))


def texts_of(words: ItemWords) -> list[ItemText]:
    """Return all texts of an item, in the order in which people read them."""
    tree = words.model_dump(mode="json", exclude_defaults=True)
    return [ItemText(path, _name(path), text) for path, text in _leaves(tree, ())]


def _leaves(tree: Mapping[str, Any], place: TextPath) -> Iterator[tuple[TextPath, str]]:
    for key, part in tree.items():
        if isinstance(part, str):
            yield (*place, key), part
        elif isinstance(part, dict):
            yield from _leaves(part, (*place, key))


def _name(path: TextPath) -> object:
    if len(path) % 2 == 0:  # a row or a limit, which is its own text
        return _NAMES_INSIDE[path[-2]]
    if path[-1] == "label" and len(path) > 1:
        return _NAMES_INSIDE[path[-3]]
    return _NAMES[path[-1]]


def words_from(texts: Mapping[TextPath, str]) -> dict[str, Any]:
    """Return the texts as the tree that a translation stores."""
    tree: dict[str, Any] = {}
    for path, words in texts.items():
        node = tree
        for key in path[:-1]:
            node = node.setdefault(key, {})
        node[path[-1]] = words
    return tree


def carried_texts(
    own: ItemWords, other: ItemWords | None, translated: ItemWords | None
) -> dict[TextPath, str]:
    """Return what another version's translation of an item says for the texts that are equal."""
    if other is None or translated is None:
        return {}
    before = {text.path: text.words for text in texts_of(other)}
    words = {text.path: text.words for text in texts_of(translated)}
    return {
        text.path: words[text.path]
        for text in texts_of(own)
        if before.get(text.path) == text.words and text.path in words
    }
