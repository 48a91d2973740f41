"""The pictures on pages of help, with what their pages were like when they were taken."""

import json
from dataclasses import dataclass
from functools import cache

from tracker.help.texts import FOLDER

# Written by `make pictures`, beside the pictures in static/help.
RECORD = FOLDER / "pictures.json"


@dataclass(frozen=True, slots=True)
class Picture:
    """A picture of a page: its file in the static folder, its size, and the parts of the page.

    The outline begins with the page's heading. A test compares it with the page as it is now.
    """

    file: str
    width: int
    height: int
    outline: tuple[str, ...]

    @property
    def title(self) -> str:
        """The heading of the page."""
        return self.outline[0]


def picture(name: str, language: str) -> Picture | None:
    """Return the picture on a page of help in a language; None if it has none."""
    return recorded().get(f"{language}/{name}")


@cache
def recorded() -> dict[str, Picture]:
    """Return all pictures, by language and page."""
    written = json.loads(RECORD.read_text(encoding="utf-8"))
    return {
        key: Picture(f"help/{key}.webp", row["width"], row["height"], tuple(row["outline"]))
        for key, row in written.items()
    }
