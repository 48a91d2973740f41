"""Pagination: one page of a long list, and links to the others."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar
from uuid import UUID

from flask import request

from tracker.ui.filters import PAGE, here

Item = TypeVar("Item")

SIZE = 25
FARTHEST = 100_000
_AROUND = 1


@dataclass(frozen=True, slots=True)
class Page(Generic[Item]):
    """The items of one page, its number from 1, its size, and the total number of items."""

    items: Sequence[Item]
    number: int
    size: int
    total: int

    @property
    def pages(self) -> int:
        """The number of pages; an empty list has one."""
        return max(1, -(-self.total // self.size))

    @property
    def first_item(self) -> int:
        """The number of the first item shown, from 1; 0 if there is none."""
        return (self.number - 1) * self.size + 1 if self.items else 0

    @property
    def last_item(self) -> int:
        """The number of the last item shown."""
        return self.first_item + len(self.items) - 1 if self.items else 0

    @property
    def previous(self) -> int | None:
        """The number of the previous page, or of the last one if this is beyond it."""
        return min(self.number - 1, self.pages) if self.number > 1 else None

    @property
    def following(self) -> int | None:
        """The number of the next page."""
        return self.number + 1 if self.number < self.pages else None

    @property
    def numbers(self) -> list[int | None]:
        """The pages to link to: first, last and those around this one; None for a gap."""
        near = range(self.number - _AROUND, self.number + _AROUND + 1)
        shown = sorted({1, self.pages, *(n for n in near if 1 <= n <= self.pages)})
        numbers_shown: list[int | None] = []
        for number in shown:
            before = numbers_shown[-1] if numbers_shown else None
            if before is not None and number - before > 1:
                numbers_shown.append(None)
            numbers_shown.append(number)
        return numbers_shown


def asked_number(arguments: Mapping[str, str] | None = None, name: str = "page") -> int:
    """Return the requested page number; anything invalid means the first.

    name is that of the list, if a page shows several.
    """
    typed = (request.args if arguments is None else arguments).get(name, "")
    if typed.isascii() and typed.isdecimal() and 1 <= int(typed[:9]) <= FARTHEST:
        return int(typed[:9])
    return 1


def asked_after() -> UUID | None:
    """Return the entry after which the requested page begins; None if the parameter is invalid."""
    try:
        return UUID(request.args.get(PAGE, ""))
    except ValueError:
        return None


def offset(number: int, size: int = SIZE) -> int:
    """Return the number of items before a page."""
    return (number - 1) * size


def page_url(number: int, name: str = "page") -> str:
    """Return the URL of another page of the list, with all other parameters unchanged."""
    return here({name: str(number) if number > 1 else None})
