"""Cached parsing of content in tests: each YAML text is parsed once in a run.

Thousands of tests read the shipped checklists, which takes a second each time; a parsed text is
never changed.
"""

import hashlib
import pickle
import tempfile
from functools import lru_cache
from pathlib import Path
from typing import Any

from ruamel.yaml import YAML

from tests import starting_points
from tracker.core import content

# Where a run stores what it has parsed.
FOLDER = "yaml"
# Enough for the shipped ones, and some of a test's own.
MOST_TEXTS = 64
_new_reader = content.yaml_reader


@lru_cache(maxsize=MOST_TEXTS)
def _tree_of(text: str) -> Any:
    """Return the tree of a text, from the run's folder if another process has parsed it."""
    folder = starting_points.run_folder() / FOLDER
    file = folder / hashlib.sha256(text.encode()).hexdigest()
    if file.exists():
        return pickle.loads(file.read_bytes())  # noqa: S301  # written by this run alone
    tree = _new_reader().load(text)
    folder.mkdir(exist_ok=True)
    with tempfile.NamedTemporaryFile(dir=folder, delete=False) as whole:
        pickle.dump(tree, whole)
    # It is complete as soon as it exists.
    Path(whole.name).replace(file)
    return tree


class _ReadOnce(YAML):
    """A YAML reader that caches what was parsed."""

    def load(self, stream: Any) -> Any:
        """Return the tree of a text; raise what the reader raises, each time again."""
        return _tree_of(stream)


def read_once() -> None:
    """Have the application parse each text once in this run."""
    content.yaml_reader = _ReadOnce
