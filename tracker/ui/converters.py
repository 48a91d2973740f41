"""Parts of addresses that are numbers: never beyond what a database stores."""

from typing import Any

from werkzeug.routing import IntegerConverter, Map

# The largest number of a column, on either database.
MOST = 2**31 - 1


class StoredNumber(IntegerConverter):
    """A number from 0 up to the largest that is stored; the address of a larger one is nowhere."""

    def __init__(self, url_map: Map, *args: Any, **options: Any) -> None:
        super().__init__(url_map, *args, **{"max": MOST, **options})
