"""The pictures on pages of help: made from the demonstration, and compared with its pages.

`make pictures` takes them (--write-pictures). Without that option the test says which picture no
longer shows its page: the heading and the first sections, columns and buttons are compared,
and never how fonts are drawn.
"""

import base64
import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, ViewportSize

from tests.browser.conftest import NewContext
from tests.browser.demonstration import DEMONSTRATION, FirstStart
from tests.browser.instances import StartingPoint
from tests.pages import Page
from tracker.core.paths import STATIC
from tracker.help import pictures
from tracker.help.rules import READERS
from tracker.settings import KNOWN_LANGUAGES

SIZE: ViewportSize = {"width": 800, "height": 640}
QUALITY = 0.6
# All together; each is loaded only when it's scrolled to.
MOST_BYTES = 600_000
PARTS = {"h1", "h2", "th", "button"}
# How many parts may be seen without scrolling.
FIRST = 6
FOLDER = STATIC / "help"
# Redraws a picture in the format that takes the fewest bytes.
TO_WEBP = """async ([png, quality]) => {
  const image = new Image()
  image.src = "data:image/png;base64," + png
  await image.decode()
  const canvas = document.createElement("canvas")
  canvas.width = image.width
  canvas.height = image.height
  canvas.getContext("2d").drawImage(image, 0, 0)
  return canvas.toDataURL("image/webp", quality).split(",")[1]
}"""


@dataclass(frozen=True)
class Subject:
    """The page that a picture shows: who opens it, where, and the link to follow from there."""

    person: str
    address: str
    link: str = ""

    def find(self, context: BrowserContext) -> str:
        """Return the address of the page."""
        if not self.link:
            return self.address
        match = re.search(f'href="({self.link})"', context.request.get(self.address).text())
        assert match, f"{self.address} has no link to {self.link}"
        return match[1]


ID = "[0-9a-f-]{36}"
SUBJECTS = {
    "npm-coordinator": Subject("ilena", "/cooperations/C-2026-0003"),
    "cso-coordinator": Subject("samira", "/cooperations/C-2026-0003", f"/checklists/{ID}"),
    "expert": Subject("leyla", "/cooperations/C-2026-0001/visits/1/my-part"),
    "signatory": Subject("otto", "/", f"/checklists/{ID}/sign"),
    "manager": Subject("milan", "/register"),
    "administrator": Subject("iris", "/people"),
}


@pytest.fixture(scope="module")
def starting_point() -> StartingPoint[FirstStart]:
    """The demonstration."""
    return DEMONSTRATION


def outline(html: str, address: str) -> list[str]:
    """Return the names of the first parts of a page; numbers in them may change."""
    main = next(Page(html, address).root.iter("main"))
    parts = [
        re.sub(r"\d+", "0", " ".join("".join(element.itertext()).split()))
        for element in main.iter()
        if element.tag in PARTS and element.attrib.get("scope") != "row"
    ]
    return list(dict.fromkeys(part for part in parts if part))[:FIRST]


def take(browser: Browser, context: BrowserContext, address: str) -> bytes:
    """Return a picture of what somebody sees first of a page."""
    page = context.new_page()
    page.goto(address)
    png = base64.b64encode(page.screenshot()).decode()
    page.close()
    drawing = browser.new_page()
    webp = drawing.evaluate(TO_WEBP, [png, QUALITY])
    drawing.close()
    return base64.b64decode(webp)


def test_each_picture_shows_its_page_as_it_is_now(
    new_context: NewContext,
    browser: Browser,
    state_of: Callable[[str], Any],
    request: pytest.FixtureRequest,
) -> None:
    write = request.config.getoption("write_pictures")
    due: dict[str, dict[str, Any]] = {}
    for name, subject in SUBJECTS.items():
        for language in KNOWN_LANGUAGES:
            context = new_context(storage_state=state_of(subject.person), viewport=SIZE)
            context.add_cookies(
                [{"name": "language", "value": language, "domain": "localhost", "path": "/"}]
            )
            address = subject.find(context)
            answer = context.request.get(address)
            assert answer.status == 200, address
            key = f"{language}/{name}"
            due[key] = {**SIZE, "outline": outline(answer.text(), address)}
            if write:
                file = FOLDER / f"{key}.webp"
                file.parent.mkdir(parents=True, exist_ok=True)
                file.write_bytes(take(browser, context, address))
            context.close()
    if write:
        text = json.dumps(due, ensure_ascii=False, indent=1)
        pictures.RECORD.write_text(f"{text}\n", encoding="utf-8")
        return
    recorded = {
        key: {"width": row.width, "height": row.height, "outline": list(row.outline)}
        for key, row in pictures.recorded().items()
    }
    assert recorded == due, "run `make pictures`, and look at them"


def test_each_page_of_help_has_a_picture_in_each_language_and_they_are_small() -> None:
    keys = {f"{language}/{name}" for name in READERS for language in KNOWN_LANGUAGES}
    assert set(pictures.recorded()) == keys
    files = {
        path.relative_to(FOLDER).with_suffix("").as_posix(): path for path in FOLDER.rglob("*.webp")
    }
    assert set(files) == keys
    assert sum(path.stat().st_size for path in files.values()) <= MOST_BYTES
