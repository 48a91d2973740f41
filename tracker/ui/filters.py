"""Filter links and forms for lists, whose addresses keep the other filters."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from flask import request

from tracker.ui.form_base import Form

PAGE = "page"


@dataclass(frozen=True, slots=True)
class FilterLink:
    """One way to narrow a list: its words, its address, how much it holds, whether it is chosen.

    One that would show nothing may have a note in place of an address.
    """

    label: object
    url: str
    count: int | None
    current: bool
    note: object = ""


class QueryForm(Form):
    """A form that asks and changes nothing: sent by GET, without a token."""

    class Meta:
        """Questions carry no token, so that their addresses can be kept and shared."""

        csrf = False

    def __init__(self, **kw: Any) -> None:
        super().__init__(request.args, **kw)


def here(changes: Mapping[str, str | None]) -> str:
    """Return the address of this page with some of its question changed; None takes a part out."""
    kept = [
        (name, value)
        for name, values in request.args.lists()
        for value in values
        if name not in changes
    ]
    given = [(name, value) for name, value in changes.items() if value is not None]
    question = urlencode(kept + given)
    address = quote(request.script_root + request.path)
    return f"{address}?{question}" if question else address


def way_back() -> str:
    """Return the address of this page inside the application, as a form keeps it."""
    question = quote(request.query_string, safe="%=&+;/?:@!$'()*,-._~")
    address = quote(request.path)
    return f"{address}?{question}" if question else address


def filter_links(
    name: str,
    options: Sequence[tuple[str, object]],
    counts: Mapping[str, int] | None = None,
) -> list[FilterLink]:
    """Return a link for each value of one part of the question; the empty value means all.

    Choosing another value goes back to the first page.
    """
    chosen = request.args.get(name, "")
    return [
        FilterLink(
            label=label,
            url=here({name: value or None, PAGE: None}),
            count=None if counts is None else counts.get(value, 0),
            current=value == chosen,
        )
        for value, label in options
    ]
