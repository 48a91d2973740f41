"""Which passages are shown beside an item of a checklist. Pure.

A version of a checklist names the passages that its items are based on, and never changes. If
several items are based on one passage, the guidance may split it and name in each part the items
that the part concerns most: such a part replaces the passage for the statements it contains. So
running checklists show the right part too, whatever version they are on.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar


class Named(Protocol):
    """A passage with the statements it contains and the items that it names."""

    @property
    def statements(self) -> Sequence[str]:
        """The codes of the statements it contains."""

    @property
    def items(self) -> Sequence[str]:
        """The codes of the items that it concerns most."""


P = TypeVar("P", bound=Named)


def beside(
    item: str, statements: Collection[str], refs: Iterable[str], passages: Mapping[str, P]
) -> tuple[P, ...]:
    """Return the passages to show beside an item, those that name it first.

    The item is based on some statements and passages (refs). A passage is left out if others that
    name the item contain all the statements for which it is needed.
    """
    naming = {ref: passage for ref, passage in passages.items() if item in passage.items}
    carried = {code for passage in naming.values() for code in passage.statements}
    rest = {
        ref: passages[ref]
        for ref in refs
        if ref in passages
        and ref not in naming
        and not (set(passages[ref].statements) & set(statements)) <= carried
    }
    return (*naming.values(), *rest.values())
