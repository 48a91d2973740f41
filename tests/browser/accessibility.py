"""Accessibility problems of a page: those that axe finds, and targets that are too small."""

from axe_playwright_python.base import AXE_SCRIPT
from playwright.sync_api import BrowserContext, Page

from tests.browser.every_page.targets import small_targets

# Only the requested parts of the result are sent from the browser to the test. Rules of which each
# fault is minor or moderate don't run, nor is anything loaded in advance, as only those need it.
#
# Contrast takes axe most of its time, and most texts of a page look like others: it depends on the
# listed styles of an element and of all that contain it. So what passed once isn't measured again
# in a text that looks the same, unless something else may lie behind it, as positioned parts can.
_FIND = """async () => {
    if (!window.axe) return null;
    const styles = ["color", "background-color", "background-image", "opacity", "font-size",
        "font-weight", "text-shadow", "filter", "mix-blend-mode", "-webkit-text-fill-color",
        "-webkit-text-stroke-width"];
    const numbers = new Map(), looks = new Map([[null, 0]]), passed = new Set();
    const lookOf = (element) => {
        if (looks.has(element)) return looks.get(element);
        const style = getComputedStyle(element), around = lookOf(element.parentElement);
        const isInPlace = around !== null && ["static", "relative"].includes(style.position);
        const look = [around, ...styles.map((name) => style.getPropertyValue(name))].join("|");
        if (!numbers.has(look)) numbers.set(look, numbers.size + 1);
        looks.set(element, isInPlace ? numbers.get(look) : null);
        return looks.get(element);
    };
    const contrast = axe._audit.checks["color-contrast"], { evaluate } = contrast;
    contrast.evaluate = function (element, ...more) {
        const look = lookOf(element);
        if (passed.has(look)) return true;
        // Nothing was measured in what passes because it is hidden, or no text.
        let ratio;
        const data = (facts) => {
            ratio = facts.contrastRatio;
            this.data(facts);
        };
        const result = evaluate.call({ ...this, data }, element, ...more);
        if (result === true && ratio && look !== null) passed.add(look);
        return result;
    };
    const lesser = axe._audit.rules.filter(({ impact }) => /^(minor|moderate)$/.test(impact));
    const rules = Object.fromEntries(lesser.map(({ id }) => [id, { enabled: false }]));
    const wanted = { resultTypes: ["violations"], rules, preload: false };
    try {
        const { violations } = await axe.run(wanted);
        return violations
            .filter(({ impact }) => impact === "serious" || impact === "critical")
            .flatMap(({ id, nodes }) =>
                nodes.map((node) => [id, node.target, node.failureSummary]));
    } finally {
        contrast.evaluate = evaluate;
    }
}"""


def add_axe(context: BrowserContext) -> None:
    """Have each page of a context contain axe from its start: sending it again takes longer."""
    context.add_init_script(AXE_SCRIPT)


def grave_faults(page: Page) -> list[str]:
    """Return targets that are too small, and what axe calls serious or critical, with reasons."""
    faults = page.evaluate(_FIND)
    if faults is None:
        page.evaluate(AXE_SCRIPT)
        faults = page.evaluate(_FIND)
    of_axe = [f"{page.url}: {rule} at {place}: {reason}" for rule, place, reason in faults]
    return of_axe + small_targets(page)
