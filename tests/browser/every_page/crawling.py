"""What is checked on every page in a browser: axe, targets, narrow screens, right to left."""

from collections.abc import Collection, Iterator
from typing import Any

from playwright.sync_api import BrowserContext, Page, ViewportSize, expect

from tests.browser.accessibility import add_axe, grave_faults
from tests.browser.conftest import PHONE, WIDE, NewContext
from tests.browser.demonstration import Visitor
from tests.browser.every_page.targets import small_targets

# What a person signs on paper is in the language of its terms, whoever prints it.
PRINTED = "/paper/blank"
NARROW: ViewportSize = {"width": 320, "height": 640}
FITS = """(side) => {
    const { documentElement: all } = document;
    all.dir = side;
    return all.scrollWidth <= all.clientWidth;
}"""
# The links in rows that a click in their middle doesn't reach, since another one is on top.
COVERED = """() => [...document.querySelectorAll(".tasks a, .tasks button")].filter((link) => {
    if (!link.checkVisibility()) return false;
    link.scrollIntoView({ block: "center", behavior: "instant" });
    const { x, y, width, height } = link.getClientRects()[0];
    return !link.contains(document.elementFromPoint(x + width / 2, y + height / 2));
}).map((link) => link.textContent.trim())"""
# The wide tables that take the focus although they fit, or don't although they have to be scrolled.
FOCUSED = """() => [...document.querySelectorAll(".scroll")]
    .filter((place) => place.checkVisibility())
    .filter((place) => place.matches("[tabindex]") !== place.scrollWidth > place.clientWidth)
    .map((place) => place.textContent.trim().slice(0, 40))"""


def every_page(
    visitors: Collection[Visitor], new_context: NewContext, *, language: str = "en", **options: Any
) -> Iterator[tuple[Page, str]]:
    """Yield a browser's page at each address in turn."""
    for visitor in visitors:
        context = new_context(storage_state=visitor.state, **options)
        context.add_cookies(
            [{"name": "language", "value": language, "domain": "localhost", "path": "/"}]
        )
        page = context.new_page()
        for address in visitor.addresses.values():
            answer = page.goto(address)
            assert answer is not None
            assert answer.status == 200, address
            yield page, f"{address}, as {visitor.key}"
        context.close()


def faults_with_scripts(visitors: Collection[Visitor], new_context: NewContext) -> list[str]:
    """Return what is wrong with pages in English, wide and on a phone."""

    def with_axe(**options: Any) -> BrowserContext:
        context = new_context(**options)
        add_axe(context)
        return context

    faults = []
    for page, where in every_page(visitors, with_axe):
        faults += grave_faults(page)
        faults += [f"{where}, covered: {words}" for words in page.evaluate(COVERED)]
        faults += [f"{where}, focus: {words}" for words in page.evaluate(FOCUSED)]
        page.set_viewport_size(PHONE)
        faults += small_targets(page)
        page.set_viewport_size(NARROW)
        faults += [
            f"{where}, too wide: {side}" for side in ("ltr", "rtl") if not page.evaluate(FITS, side)
        ]
        page.set_viewport_size(WIDE)
    return faults


def look_without_scripts(visitors: Collection[Visitor], new_context: NewContext) -> int:
    """Check each page in Arabic on a narrow screen without scripts; return how many there are."""
    looked, wide = 0, []
    pages = every_page(
        visitors, new_context, language="ar", java_script_enabled=False, viewport=NARROW
    )
    for page, where in pages:
        is_blank = PRINTED in where
        side = "ltr" if is_blank else "rtl"
        assert page.locator("html").get_attribute("dir") == side, where
        expect(page.locator("h1"), where).to_be_visible()
        expect(page.locator("main"), where).not_to_be_empty()
        # What only a script could open would be missing here.
        assert page.locator("main [hidden]:not(script)").count() == 0, where
        if not page.evaluate(FITS, side):
            wide.append(where)
        looked += 1
    assert wide == []
    return looked
