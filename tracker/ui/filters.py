"""Filter links and forms for lists, whose addresses keep the other filters."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

from flask import abort, request

from tracker.ui.form_base import Form

PAGE = "page"


@dataclass(frozen=True, slots=True)
class FilterLink:
    """One filter: its label, its URL, its count, whether it is chosen."""

    label: object
    url: str
    count: int | None
    current: bool
    note: object = ""


class QueryForm(Form):
    """A form that changes nothing: sent by GET, without a token.

    POSTed forms, such as those of exports, send the same names.
    """

    class Meta:
        """No token, so that the URLs can be bookmarked and shared."""

        csrf = False

    def __init__(self, **kw: Any) -> None:
        super().__init__(request.values, **kw)


def here(changes: Mapping[str, str | None]) -> str:
    """Return this page's URL with some query parameters changed; None removes one."""
    values_kept = [
        (name, value)
        for name, values in request.args.lists()
        for value in values
        if name not in changes
    ]
    given = [(name, value) for name, value in changes.items() if value is not None]
    question = urlencode(values_kept + given)
    address = quote(request.script_root + request.path)
    return f"{address}?{question}" if question else address


def chosen_or_404(name: str, values: Collection[str]) -> str:
    """Return the chosen value of a filter, "" for none; abort with 404 if there is no such value.

    A filter that is ignored would show or export everything as if it were what was chosen. POSTed
    forms, such as those of exports, send the same names.
    """
    chosen = request.values.get(name, "")
    if chosen and chosen not in values:
        abort(404)
    return chosen


def way_back() -> str:
    """Return the URL of this page within the application, as a form stores it."""
    question = quote(request.query_string, safe="%=&+;/?:@!$'()*,-._~")
    address = quote(request.path)
    return f"{address}?{question}" if question else address


def filter_links(
    name: str,
    options: Sequence[tuple[str, object]],
    counts: Mapping[str, int] | None = None,
    *,
    of_page: Sequence[str] = (PAGE,),
) -> list[FilterLink]:
    """Return a link for each value of a query parameter; the empty value means all.

    Choosing another value goes back to the first page: of_page are the parameters it drops.
    """
    chosen = request.args.get(name, "")
    return [
        FilterLink(
            label=label,
            url=here({**dict.fromkeys(of_page), name: value or None}),
            count=None if counts is None else counts.get(value, 0),
            current=value == chosen,
        )
        for value, label in options
    ]
