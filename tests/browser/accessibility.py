"""Accessibility problems of a page: those that axe finds, and targets that are too small."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import BrowserContext, Page

from tests.browser.every_page.targets import small_targets

# Only the requested parts of the result are sent from the browser to the test. Rules of which each
# fault is minor or moderate don't run, nor is anything loaded in advance, as only those need it.
_FIND = """async () => {
    const lesser = axe._audit.rules.filter(({ impact }) => /^(minor|moderate)$/.test(impact));
    const rules = Object.fromEntries(lesser.map(({ id }) => [id, { enabled: false }]));
    const wanted = { resultTypes: ["violations"], rules, preload: false };
    const { violations } = await axe.run(wanted);
    return violations
        .filter(({ impact }) => impact === "serious" || impact === "critical")
        .flatMap(({ id, nodes }) => nodes.map((node) => [id, node.target, node.failureSummary]));
}"""


def add_axe(context: BrowserContext) -> None:
    """Have each page of a context contain axe from its start: sending it again takes longer."""
    context.add_init_script(AXE_SCRIPT)


def grave_faults(page: Page) -> list[str]:
    """Return targets that are too small, and what axe calls serious or critical, with reasons."""
    if not page.evaluate("() => 'axe' in window"):
        page.evaluate(AXE_SCRIPT)
    faults = page.evaluate(_FIND)
    of_axe = [f"{page.url}: {rule} at {place}: {reason}" for rule, place, reason in faults]
    return of_axe + small_targets(page)
