"""Which passages stand beside an item of a checklist. Pure.

A version of a checklist names the passages that its items rest on and never changes. Where several
items rest on one passage, the guidance may part it, and name in each part the items it concerns
most: such a part takes the place of the passage for the statements it carries itself. So running
checklists show the right part too, on whatever version they are.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Protocol, TypeVar


class Named(Protocol):
    """A passage with the statements it carries and the items that it names."""

    @property
    def statements(self) -> Sequence[str]:
        """The codes of the statements it carries."""

    @property
    def items(self) -> Sequence[str]:
        """The codes of the items that it concerns most."""


P = TypeVar("P", bound=Named)


def beside(
    item: str, statements: Collection[str], refs: Iterable[str], passages: Mapping[str, P]
) -> tuple[P, ...]:
    """Return the passages to show beside an item, those that name it first.

    The item rests on some statements and passages (refs). Of these a passage is left out once
    passages that name the item carry all for which the item rests on it.
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
