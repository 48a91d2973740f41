"""What an edited article must still contain: musts of the source, passages items rest on. Pure.

A *must* binds the NPM or its partners whoever writes the guidance, so a statement that is one stays
in the article. A passage that an item of a checklist rests on keeps its key and the statements for
which the item rests on it: the item stands beside the passage, and an answer was given under it.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from tracker.checklist_templates.schema import Template
from tracker.guidance.library import PassageText


@dataclass(frozen=True, slots=True)
class Rest:
    """What rests on passages of an article: an item, or the hints at words that limit the NPM."""

    # "M10", as mistakes name it.
    name: str
    keys: tuple[str, ...]
    # Each is carried by one passage of the keys.
    statements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lost:
    """What an article would no longer carry; the key is empty when no passage of it is meant."""

    key: str
    message: str


Codes = Mapping[str, set[str]]


def rests(template: Template, slug: str) -> Iterator[Rest]:
    """Yield what of a checklist rests on passages of an article: its items and their rules."""
    for item in template.items:
        keys = _keys(item.rests_on.passages, slug)
        if keys:
            yield Rest(item.code, keys, item.rests_on.statements)
        for limit in item.limits:
            keys = _keys((limit.passage,), slug)
            if keys:
                yield Rest(item.code, keys, (limit.statement,))


def _keys(refs: Iterable[str], slug: str) -> tuple[str, ...]:
    parted = (ref.split("/", 1) for ref in refs)
    return tuple(key for article, key in parted if article == slug)


def lost(
    before: Sequence[PassageText],
    after: Sequence[PassageText],
    resting: Sequence[Rest],
    musts: frozenset[str],
) -> list[Lost]:
    """Return what a changed article would no longer carry, of what its text before carries.

    musts are the codes of the statements whose force is must.
    """
    old_codes, new_codes = (
        {passage.key: set(passage.statements) for passage in text} for text in (before, after)
    )
    return [
        *_lost_passages(old_codes, new_codes, resting),
        *_lost_statements(old_codes, new_codes, resting),
        *_lost_musts(old_codes, new_codes, musts),
    ]


def _lost_passages(old: Codes, new: Codes, resting: Sequence[Rest]) -> Iterator[Lost]:
    for key in old:
        names = _names(rest for rest in resting if key in rest.keys)
        if names and key not in new:
            yield Lost("", f"the passage {key} stays, with its key: needed by {names}")


def _lost_statements(old: Codes, new: Codes, resting: Sequence[Rest]) -> Iterator[Lost]:
    """Yield the statements for which something rests on a passage that no longer carries them.

    Another passage that the same item rests on may carry them as well.
    """
    for key, codes in old.items():
        for code in sorted(codes - new.get(key, codes), key=_by_number):
            names = _names(
                rest
                for rest in resting
                if key in rest.keys
                and code in rest.statements
                and not any(code in new.get(other, ()) for other in rest.keys)
            )
            if names:
                yield Lost(key, f"this passage carries {code}: needed by {names}")


def _lost_musts(old: Codes, new: Codes, musts: frozenset[str]) -> Iterator[Lost]:
    carried = set().union(*new.values())
    for key, codes in old.items():
        for code in sorted((codes & musts) - carried, key=_by_number):
            message = f"{code} is a must of the source, so a passage carries it"
            yield Lost(key if key in new else "", message)


def _names(rests_on_it: Iterable[Rest]) -> str:
    return ", ".join(dict.fromkeys(rest.name for rest in rests_on_it))


def _by_number(code: str) -> int:
    return int(code[1:])
