"""Where pages name items and statements by their codes instead of their titles."""

import re
from collections.abc import Iterator
from xml.etree.ElementTree import Element

from tests.pages import Page

CODE = re.compile(r"(?<![\w-])[MCVUS]\d{1,2}\b(?!-)")
# A hint where the answer has to name an item by its code.
ASKS_FOR_CODE = re.compile(r"Name the item, for example M\d+")
# Where codes help: the number beside an item, the source, technical details, and what people typed.
WITH_CODES = {"code", "lines-kept", "source"}
LABELS = ("aria-label", "title", "alt", "placeholder")


def may_have_codes(element: Element, parent: Element) -> bool:
    """Return whether codes help in an element, or people typed what it says."""
    summary = element.find("summary")
    return (
        element.tag in {"code", "script", "style", "textarea"}
        or not WITH_CODES.isdisjoint(element.get("class", "").split())
        or element.get("dir") == "auto"
        or (summary is not None and summary.text == "Technical details")
        # Read aloud with the heading of an item, as the number is shown beside it.
        or (element.get("class") == "vh" and parent.tag in {"h2", "h3"})
    )


def said_on(root: Element) -> Iterator[str]:
    """Yield the words and labels of an element and of all in it, except where codes help."""
    waiting = [root]
    while waiting:
        element = waiting.pop()
        if element.text:
            yield element.text
        if element.attrib:
            yield from (element.attrib[label] for label in LABELS if label in element.attrib)
        for child in element:
            if child.tail:
                yield child.tail
            if not may_have_codes(child, element):
                waiting.append(child)


def codes_on(page: Page) -> list[str]:
    """Return what a page says with the code of an item or a statement, except where it helps."""
    return [
        " ".join(words.split())
        for words in said_on(page.root)
        if CODE.search(words) and CODE.search(ASKS_FOR_CODE.sub("", words))
    ]
