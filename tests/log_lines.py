"""The lines that are logged during a test, as a program that collects them reads them."""

import json
import logging
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tracker.core.logs import JsonLines

Lines = list[dict[str, Any]]


class _Collecting(logging.Handler):
    """A handler that reads each line again."""

    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(JsonLines())
        self.lines: Lines = []

    def emit(self, record: logging.LogRecord) -> None:
        text = self.format(record)
        assert "\n" not in text
        self.lines.append(json.loads(text))


@contextmanager
def collected() -> Iterator[Lines]:
    """Collect what is logged in the block, at the levels that are logged when it runs."""
    handler, root, own = _Collecting(), logging.getLogger(), logging.getLogger("tracker")
    level = own.level
    own.setLevel(logging.INFO)
    root.addHandler(handler)
    try:
        yield handler.lines
    finally:
        root.removeHandler(handler)
        own.setLevel(level)
