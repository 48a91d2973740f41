"""What is checked on every page in a browser: axe, targets, narrow screens, right to left."""

from collections.abc import Collection, Iterator
from typing import Any

from playwright.sync_api import BrowserContext, Page, ViewportSize

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
# On a wide screen: the links in rows that a click in their middle doesn't reach, since another one
# is on top; and the wide tables that take the focus although they fit, or don't although they have
# to be scrolled. In one call, as each takes time.
WIDE_FAULTS = """() => [
    ...[...document.querySelectorAll(".tasks a, .tasks button")].filter((link) => {
        if (!link.checkVisibility()) return false;
        link.scrollIntoView({ block: "center", behavior: "instant" });
        const { x, y, width, height } = link.getClientRects()[0];
        return !link.contains(document.elementFromPoint(x + width / 2, y + height / 2));
    }).map((link) => `covered: ${link.textContent.trim()}`),
    ...[...document.querySelectorAll(".scroll")]
        .filter((place) => place.checkVisibility())
        .filter((place) => place.matches("[tabindex]") !== place.scrollWidth > place.clientWidth)
        .map((place) => `focus: ${place.textContent.trim().slice(0, 40)}`),
]"""
TOO_WIDE = f"""() => ["ltr", "rtl"].filter((side) => !({FITS})(side))"""
# What is to be seen without scripts, where nothing on a page changes once it has loaded.
SEEN = f"""(side) => {{
    const isShown = (part) => {{
        const {{ width, height }} = part.getBoundingClientRect();
        return part.checkVisibility({{ visibilityProperty: true }}) && width > 0 && height > 0;
    }};
    return {{
        side: document.documentElement.getAttribute("dir"),
        headings: [...document.querySelectorAll("h1")].map(isShown),
        contents: [...document.querySelectorAll("main")].map((part) => !!part.textContent.trim()),
        // What only a script could open would be missing.
        hidden: document.querySelectorAll("main [hidden]:not(script)").length,
        fits: ({FITS})(side),
    }};
}}"""


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
        faults += [f"{where}, {fault}" for fault in page.evaluate(WIDE_FAULTS)]
        page.set_viewport_size(PHONE)
        faults += small_targets(page)
        page.set_viewport_size(NARROW)
        faults += [f"{where}, too wide: {side}" for side in page.evaluate(TOO_WIDE)]
        page.set_viewport_size(WIDE)
    return faults


def look_without_scripts(visitors: Collection[Visitor], new_context: NewContext) -> int:
    """Check each page in Arabic on a narrow screen without scripts; return how many there are."""
    looked, wide = 0, []
    pages = every_page(
        visitors, new_context, language="ar", java_script_enabled=False, viewport=NARROW
    )
    for page, where in pages:
        side = "ltr" if PRINTED in where else "rtl"
        seen = page.evaluate(SEEN, side)
        if not seen.pop("fits"):
            wide.append(where)
        expected = {"side": side, "headings": [True], "contents": [True], "hidden": 0}
        assert seen == expected, where
        looked += 1
    assert wide == []
    return looked
