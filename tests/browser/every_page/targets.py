"""Links, buttons and fields of a page that are too small to hit, or lie on top of each other."""

from playwright.sync_api import Page

# The least size of a target (WCAG 2.2, 2.5.8), in CSS pixels. A link in a sentence is as high as
# its line, so two such links in lines below each other are no fault; nor is a target that is small
# in one direction if nothing else is near it. Sizes are rounded by less than a pixel.
_SMALL = """() => {
    const least = 24, rounding = 0.6;
    const kinds = "a[href], button, input:not([type=hidden]), select, textarea, summary";
    const targets = [...document.querySelectorAll(kinds)]
        .filter((target) => target.checkVisibility({ visibilityProperty: true }))
        .filter((target) => !target.matches(".vh, .skip"));
    const parts = targets.flatMap((target) =>
        [...target.getClientRects()].filter(({ width }) => width).map((box) => ({ target, box })));
    const inSentence = (target) => getComputedStyle(target).display === "inline"
        && [target.previousSibling, target.nextSibling]
            .some((beside) => beside?.nodeType === Node.TEXT_NODE && beside.data.trim());
    const isNarrow = ({ target, box }) =>
        Math.max(box.width, target.getBoundingClientRect().width) < least - rounding;
    const isApart = (part, other) => {
        const [a, b] = [part.box, other.box];
        const across = Math.max(a.left, b.left) - Math.min(a.right, b.right);
        const down = Math.abs(a.top + a.bottom - b.top - b.bottom) / 2;
        if (down >= least - rounding) return true;
        // Beside each other: circles of the least size around narrow ones don't touch others.
        const missing = (part) => isNarrow(part) ? (least - part.box.width) / 2 : 0;
        return across >= Math.max(missing(part), missing(other)) - rounding;
    };
    const faults = [];
    for (const part of parts) {
        const { target, box } = part;
        if (inSentence(target)) continue;
        const words = (target.textContent.trim() || target.name || target.type).slice(0, 40);
        if (box.height < least - rounding) faults.push(`${words}: too low`);
        const near = parts.find((other) => !isApart(part, other) && !inSentence(other.target)
            && !target.contains(other.target) && !other.target.contains(target));
        if (near) faults.push(`${words}: too near ${near.target.textContent.trim().slice(0, 40)}`);
    }
    return faults;
}"""


def small_targets(page: Page) -> list[str]:
    """Return the page's targets that are smaller than 24 px, at the present width."""
    width = (page.viewport_size or {"width": 0})["width"]
    return [f"{page.url}, {width} px wide: {fault}" for fault in page.evaluate(_SMALL)]
