"""What an address may hold: numbers that can be stored, and no control characters."""

import re
from typing import Any

from flask import Flask, abort, request
from werkzeug.routing import IntegerConverter, Map

# The largest number of a column, on either database.
MOST = 2**31 - 1
# PostgreSQL stores no NUL; nobody types the others. Lines may end in what a form asks for.
_CONTROL = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]")
_IN_PATH = re.compile("[\x00-\x1f\x7f]")


class StoredNumber(IntegerConverter):
    """A number from 0 up to the largest that is stored; the address of a larger one is nowhere."""

    def __init__(self, url_map: Map, *args: Any, **options: Any) -> None:
        super().__init__(url_map, *args, **{"max": MOST, **options})


def init_addresses(app: Flask) -> None:
    """Answer 404 or 400 to addresses that hold what no page of ours links to."""
    app.url_map.converters["int"] = StoredNumber
    app.before_request(_refuse_control_characters)


def _refuse_control_characters() -> None:
    if _IN_PATH.search(request.path):
        abort(404)
    for name, value in request.args.items(multi=True):
        if _CONTROL.search(name) or _CONTROL.search(value):
            abort(400)
