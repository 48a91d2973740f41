"""What an edited article must still contain: musts of the source, passages behind items. Pure.

A *must* binds the NPM or its partners whoever writes the guidance, so such a statement stays in the
article. A passage that an item of a checklist is based on keeps its key and the statements the item
is based on: it is shown beside the item, and answers were given with it in view.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from tracker.checklist_templates.schema import Template
from tracker.guidance.library import PassageText
from tracker.ui.locale import with_commas


@dataclass(frozen=True, slots=True)
class Rest:
    """Something based on passages of an article: an item, or the hints about risky phrases."""

    # "M10", as mistakes name it.
    name: str
    keys: tuple[str, ...]
    # Each is covered by one of these passages.
    statements: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Lost:
    """What an article would no longer contain; the key is empty if no passage is concerned."""

    key: str
    message: str


Codes = Mapping[str, set[str]]


def rests(template: Template, slug: str) -> Iterator[Rest]:
    """Yield what in a checklist is based on passages of an article: its items and their rules."""
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
    """Return what a changed article would no longer contain, compared with its previous text.

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
            yield Lost(
                "",
                _(
                    "the passage %(key)s must stay, with its key: needed by %(names)s",
                    key=key,
                    names=names,
                ),
            )


def _lost_statements(old: Codes, new: Codes, resting: Sequence[Rest]) -> Iterator[Lost]:
    """Yield statements that something is based on and that its passages no longer cover.

    Another passage that the same item is based on may cover them as well.
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
                yield Lost(
                    key,
                    _(
                        "this passage must carry %(code)s: needed by %(names)s",
                        code=code,
                        names=names,
                    ),
                )


def _lost_musts(old: Codes, new: Codes, musts: frozenset[str]) -> Iterator[Lost]:
    carried = set().union(*new.values())
    for key, codes in old.items():
        for code in sorted((codes & musts) - carried, key=_by_number):
            message = _("%(code)s is a must of the source, so a passage must carry it", code=code)
            yield Lost(key if key in new else "", message)


def _names(rests_on_it: Iterable[Rest]) -> str:
    return with_commas(dict.fromkeys(rest.name for rest in rests_on_it))


def _by_number(code: str) -> int:
    return int(code[1:])
