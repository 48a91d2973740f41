"""What the path of a URL may contain: numbers that can be stored, no control characters."""

import re
from typing import Any

from flask import Flask, abort, request
from werkzeug.routing import IntegerConverter, Map

# The largest number of a column, on either database.
MOST = 2**31 - 1
# PostgreSQL can't store NUL, and no name in a path contains another control character. Search words
# may contain some; they are tidied when they are read.
_CONTROL = re.compile("[\x00-\x1f\x7f]")


class StoredNumber(IntegerConverter):
    """A number from 0 up to the largest that can be stored; URLs with a larger one don't exist."""

    def __init__(self, url_map: Map, *args: Any, **options: Any) -> None:
        super().__init__(url_map, *args, **{"max": MOST, **options})


def init_addresses(app: Flask) -> None:
    """Respond with 404 to paths that contain what no page of ours links to."""
    app.url_map.converters["int"] = StoredNumber
    app.before_request(_refuse_control_characters)


def _refuse_control_characters() -> None:
    if _CONTROL.search(request.path):
        abort(404)
