"""The leaves of a frozen document, and which of them only machines read. Pure."""

import re
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

# Leaves without a meaning of their own, by path; * is any index of a list, ** everything below.
# Pages show them as technical details, and everything else in a form that people read.
TECHNICAL = (
    "format",
    "salt",
    "template.kind",
    "template.digest",
    "template.language",
    "template.words.**",
    "checklist.kind",
    "checklist.template_digest",
    "people.*.id",
    "parties.*.id",
    "parties.*.side",
    "signatories.*.organisation_id",
    "signing.parties.*.organisation_id",
    "guidance.*.digest",
    "sections.*.key",
    "sections.*.items.*.statements.*",
    "sections.*.items.*.answers.*.by",
    "sections.*.items.*.answers.*.version",
    "sections.*.items.*.answers.*.values.**",
    "sections.*.items.*.answers.*.fields.*.key",
    "sections.*.items.*.answers.*.fields.*.type",
    "sections.*.items.*.answers.*.fields.*.columns.*.key",
    "sections.*.items.*.answers.*.fields.*.columns.*.type",
    "made_before.scan_digest",
    "undertaking",
    "person.id",
    "organisation.id",
    "briefing.on",
)


@dataclass(frozen=True, slots=True)
class Leaf:
    """The value at a path of a document; by language where there are several."""

    place: str
    value: object
    language: str = ""

    @property
    def is_technical(self) -> bool:
        """Whether only machines read it."""
        where = re.sub(r"(?<=\.)[0-9]+(?=\.|$)", "*", self.place)
        return _TECHNICAL.fullmatch(where) is not None


def leaves(document: Mapping[str, Any], languages: Collection[str]) -> Iterator[Leaf]:
    """Yield the value at each path of a document; nothing for empty ones."""
    yield from _below("", document, frozenset(languages))


def technical(document: Mapping[str, Any], languages: Collection[str]) -> list[tuple[str, str]]:
    """Return path and value of what only machines read (Leaf.is_technical), in order."""
    technical_leaves: list[tuple[str, str]] = []
    _gather("", document, _TREE, frozenset(languages), technical_leaves)
    return technical_leaves


def _gather(
    place: str,
    tree: Any,
    wanted: "_Tree",
    languages: frozenset[str],
    gathered: list[tuple[str, str]],
) -> None:
    """Add the technical leaves below a path, descending only where there can be any."""
    if isinstance(tree, Mapping) and not (tree and languages.issuperset(tree)):
        parts = [
            (key, "*" if place and _NUMBER.fullmatch(key) else key, value)
            for key, value in tree.items()
        ]
    elif isinstance(tree, list | tuple):
        parts = [(str(number), "*", value) for number, value in enumerate(tree)]
    else:
        if _HERE in wanted:
            gathered += [(leaf.place, str(leaf.value)) for leaf in _below(place, tree, languages)]
        return
    if _ALL in wanted:
        gathered += [(leaf.place, str(leaf.value)) for leaf in _below(place, tree, languages)]
        return
    for key, part, value in parts:
        below = wanted.get(part)
        if below is not None:
            _gather(f"{place}.{key}" if place else key, value, below, languages, gathered)


def _below(place: str, tree: Any, languages: frozenset[str]) -> Iterator[Leaf]:
    if isinstance(tree, Mapping):
        if tree and languages.issuperset(tree):
            yield from (Leaf(place, words, code) for code, words in tree.items() if words)
        else:
            for key, branch in tree.items():
                yield from _below(f"{place}.{key}" if place else key, branch, languages)
    elif isinstance(tree, list | tuple):
        for number, branch in enumerate(tree):
            yield from _below(f"{place}.{number}", branch, languages)
    elif tree is not None and tree != "":
        yield Leaf(place, tree)


_TECHNICAL = re.compile("|".join(re.escape(place).replace(r"\*\*", ".*") for place in TECHNICAL))


_NUMBER = re.compile("[0-9]+")
# The same places as a tree, part by part: a document has few of them and many leaves.
_Tree = dict[str, "_Tree"]
_HERE, _ALL = "\0", "**"


def _tree_of(places: Collection[str]) -> _Tree:
    tree: _Tree = {}
    for place in places:
        below = tree
        for part in place.split("."):
            below = below.setdefault(part, {})
        below[_HERE] = {}
    return tree


_TREE = _tree_of(TECHNICAL)
