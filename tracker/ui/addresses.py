"""What a request may contain: storable numbers, named fields, next pages of this application."""

import re
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit, urlunsplit

from flask import Flask, Response, abort, request
from werkzeug.datastructures import ImmutableMultiDict, MultiDict
from werkzeug.exceptions import SecurityError
from werkzeug.routing import IntegerConverter, Map

from tracker.access.gate import SAFE_METHODS

# The page that whatever watches the instance asks for, by any name or address of the machine.
HEALTH = "/healthz"
# The largest number of a column, on either database.
MOST = 2**31 - 1
# PostgreSQL can't store NUL, and no name in a path contains another control character. Search words
# may contain some; they are tidied when they are read.
_CONTROL = re.compile("[\x00-\x1f\x7f]")
# The parameters and fields that name the page to go to afterwards.
_ONWARD = ("next", "back")


class StoredNumber(IntegerConverter):
    """A number from 0 up to the largest that can be stored; URLs with a larger one don't exist."""

    def __init__(self, url_map: Map, *args: Any, **options: Any) -> None:
        super().__init__(url_map, *args, **{"max": MOST, **options})


def init_addresses(app: Flask) -> None:
    """Refuse requests that contain what no page of ours sends; before any view reads them.

    A path that no page links to is a 404, a field without a name or an unknown host a 400. An
    address elsewhere to go to next is dropped, from the addresses of redirects too.
    """
    app.url_map.converters["int"] = StoredNumber
    app.before_request(_refuse_other_hosts)
    app.before_request(_refuse_control_characters)
    app.before_request(_refuse_fields_without_a_name)
    app.before_request(_stay_here)
    app.after_request(_lead_nowhere_else)


def is_own_path(address: str) -> bool:
    """Return whether an address is a path within this application, however a browser reads it.

    Browsers read a backslash as a slash, and drop control characters.
    """
    is_path = address.startswith("/") and not address.startswith("//")
    return is_path and "\\" not in address and address.isprintable()


def _refuse_other_hosts() -> None:
    """Refuse a request for a host that TRUSTED_HOSTS doesn't name, before anything is read for it.

    Flask would do so only where the view is called.
    """
    if isinstance(request.routing_exception, SecurityError):
        raise request.routing_exception


def _refuse_control_characters() -> None:
    if _CONTROL.search(request.path):
        abort(404)


def _refuse_fields_without_a_name() -> None:
    if _sends_fields() and (None in request.form or None in request.files):
        abort(400)


def _stay_here() -> None:
    """Drop the next page if it is elsewhere: the only check of where redirects lead."""
    request.args = _without_elsewhere(request.args)
    if _sends_fields():
        request.form = _without_elsewhere(request.form)


def _lead_nowhere_else(response: Response) -> Response:
    """Drop the host from the address of a redirect, and a next page that would be dropped there.

    For a path with two slashes, Werkzeug names the host of the request, which anybody can set.
    Without a next page, Flask-Security names the address of its own page, with scheme and host.
    """
    if not response.location:
        return response
    address = urlsplit(response.location)
    if address.netloc == request.host and is_own_path(address.path):
        address = address._replace(scheme="", netloc="")
    named = parse_qsl(address.query, keep_blank_values=True)
    left = [(name, value) for name, value in named if name not in _ONWARD or is_own_path(value)]
    if len(left) < len(named):
        address = address._replace(query=urlencode(left))
    response.location = urlunsplit(address)
    return response


def _without_elsewhere(sent: MultiDict[str, str]) -> ImmutableMultiDict[str, str]:
    return ImmutableMultiDict(
        (name, value)
        for name, value in sent.items(multi=True)
        if name not in _ONWARD or is_own_path(value)
    )


def _sends_fields() -> bool:
    return request.endpoint is not None and request.method not in SAFE_METHODS
