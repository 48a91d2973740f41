"""What an edited article goes on carrying: each must of the source, what items rest on. Pure.

A *must* binds the NPM or its partners whoever writes the guidance, so a statement that is one stays
in the article. A passage that an item of a checklist rests on keeps its key and the statements for
which the item rests on it: the item stands beside the passage, and an answer was given under it.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from tracker.checklists.template import Template
from tracker.guidance.library import PassageText


@dataclass(frozen=True, slots=True)
class Rest:
    """What rests on passages of an article: an item, or a hint at words that can limit the NPM."""

    # "item M10", as mistakes name it.
    name: str
    keys: tuple[str, ...]
    # Of these one passage of the keys carries each.
    statements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lost:
    """What an article would no longer carry; the key is empty when no passage is meant."""

    key: str
    message: str


def rests(template: Template, slug: str) -> Iterator[Rest]:
    """Yield what of a checklist rests on passages of an article."""
    for item in template.items:
        name = f"item {item.code}"
        keys = _keys(item.rests_on.passages, slug)
        if keys:
            yield Rest(name, keys, item.rests_on.statements)
        for limit in item.limits:
            keys = _keys((limit.passage,), slug)
            if keys:
                yield Rest(f"a rule of {name}", keys, (limit.statement,))


def _keys(refs: Iterable[str], slug: str) -> tuple[str, ...]:
    parted = (ref.split("/", 1) for ref in refs)
    return tuple(key for article, key in parted if article == slug)


def lost(
    before: Sequence[PassageText],
    after: Sequence[PassageText],
    resting: Iterable[Rest],
    musts: frozenset[str],
) -> list[Lost]:
    """Return what a changed article would no longer carry, of what its text before carries.

    musts are the codes of the statements whose force is must.
    """
    held, kept = ({one.key: set(one.statements) for one in text} for text in (before, after))
    carried = set().union(*kept.values())
    found = [
        Lost(key if key in kept else "", f"{code} is a must of the source: a passage must carry it")
        for key, codes in held.items()
        for code in sorted((codes & musts) - carried, key=_by_number)
    ]
    for rest in resting:
        found += _lost_of(rest, held, kept)
    return list(dict.fromkeys(found))


def _lost_of(rest: Rest, held: dict[str, set[str]], kept: dict[str, set[str]]) -> Iterator[Lost]:
    for key in rest.keys:
        if key in held and key not in kept:
            yield Lost("", f"{rest.name} rests on the passage {key}: it stays, with its key")
    had, has = (_carried_by(rest.keys, text) for text in (held, kept))
    for code in rest.statements:
        if code in had - has:
            key = next(one for one in rest.keys if code in held.get(one, set()))
            if key in kept:
                yield Lost(key, f"{rest.name} rests on this passage for {code}: it must carry it")


def _carried_by(keys: Iterable[str], text: dict[str, set[str]]) -> set[str]:
    return set().union(*(text.get(key, set()) for key in keys))


def _by_number(code: str) -> int:
    return int(code[1:])
