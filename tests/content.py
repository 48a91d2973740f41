"""Reading content in tests: each YAML text is parsed once in a process, however often it is read.

Thousands of tests read the shipped checklists, which takes a second each time; what is parsed is
looked at and never changed.
"""

from functools import lru_cache
from typing import Any

from ruamel.yaml import YAML

from tracker.core import content

# Those shipped, and some of a test's own.
MOST_TEXTS = 64
_new_reader = content.yaml_reader


@lru_cache(maxsize=MOST_TEXTS)
def _tree_of(text: str) -> Any:
    return _new_reader().load(text)


class _ReadOnce(YAML):
    """A reader of YAML that remembers what it has parsed."""

    def load(self, stream: Any) -> Any:
        """Return the tree of a text; raise what the reader raises, each time anew."""
        return _tree_of(stream)


def read_once() -> None:
    """Have the application parse each text once in this process."""
    content.yaml_reader = _ReadOnce
