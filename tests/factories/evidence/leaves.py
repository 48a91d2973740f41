"""The leaves of a frozen document, as people should find them on a page or a certificate."""

import datetime as dt
import re
from collections.abc import Mapping
from typing import Any
from xml.etree.ElementTree import Element

from flask_babel import gettext

from tests.pages import Page
from tracker.agreements import frozen_text
from tracker.mail.render import in_language
from tracker.signoff.labels import ORDERS
from tracker.signoff.leaves import Leaf, leaves
from tracker.signoff.signers import Order
from tracker.ui.locale import as_date, as_datetime, name_of

# What only machines read. Think before you copy an addition from the software's own list.
TECHNICAL = {
    "format",
    "salt",
    "template.kind",
    "template.digest",
    "template.language",
    "template.words.**",
    "checklist.kind",
    "checklist.template_digest",
    "people.*.id",
    "parties.*.id",
    "parties.*.side",
    "signatories.*.organisation_id",
    "signing.parties.*.organisation_id",
    "guidance.*.digest",
    "sections.*.key",
    "sections.*.items.*.statements.*",
    "sections.*.items.*.answers.*.by",
    "sections.*.items.*.answers.*.version",
    "sections.*.items.*.answers.*.values.**",
    "sections.*.items.*.answers.*.fields.*.key",
    "sections.*.items.*.answers.*.fields.*.type",
    "sections.*.items.*.answers.*.fields.*.columns.*.key",
    "sections.*.items.*.answers.*.fields.*.columns.*.type",
    "made_before.scan_digest",
    "undertaking",
    "person.id",
    "organisation.id",
    "briefing.on",
}
DAYS = re.compile(
    r"cooperation\.(starts|review|ends)_on|signing\.until|made_before\.(signed|ends)_on"
    r"|terms\.until|signatories\.\d+\.power_(from|until)"
)
LANGUAGES = re.compile(r"languages\.\d+|binding_language|language|guidance\.\d+\.language")
# Texts for yes and no; empty if the label itself is shown only in that case.
ANSWERED = {
    ("for_a_visit", True): "One joint visit",
    ("for_a_visit", False): "",
    ("checklist.for_a_visit", False): "",
    ("briefing.confirmed", True): "",
    ("interests.declared", True): "",
    ("interests.declared", False): "Nothing",
}


def shown_on(page: Page) -> str:
    """Return the text of a page, without the technical details."""
    return shown_in(page.root)


def shown_in(part: Element) -> str:
    """Return the text of a part of a page, without the technical details."""
    for parent in part.iter():
        for child in list(parent):
            if child.tag == "details" and _is_technical(child):
                parent.remove(child)
    return "".join(part.itertext())


def articles_on(page: Page) -> list[str]:
    """Return the text of each document on a page, without its technical details."""
    return [
        shown_in(part) for part in page.root.iter("article") if part.attrib.get("class") == "doc"
    ]


def _is_technical(details: Element) -> bool:
    """Whether these are the technical details, in any language: each has a path of a document."""
    return "template.digest" in [cell.text for cell in details.iter("th")]


def unseen(document: Mapping[str, Any], shown: str, language: str, interface: str) -> list[str]:
    """Return the leaves of a document that a page or certificate doesn't show, with their paths.

    The document is shown in a language, on pages in that of the interface.
    """
    known = frozen_text.languages_of(document)
    compact = _tight(shown)
    missing = []
    for leaf in leaves(document, known):
        if leaf.is_technical or (leaf.language and leaf.language != language):
            continue
        ways = _ways(leaf, language, interface)
        if not any(_tight(way) in compact for way in ways):
            missing.append(f"{leaf.place}: {ways}")
    return missing


def _tight(words: str) -> str:
    """Return text without blanks and without marks of writing direction."""
    return re.sub(r"[\s\u200e\u200f\u2066-\u2069\u00ad]", "", words)


def _ways(leaf: Leaf, language: str, interface: str) -> list[str]:
    """Return the ways in which the value at a path may be shown to people."""
    value = leaf.value
    if isinstance(value, bool):
        if re.fullmatch(r"(points|documents)\.\d+\.confirmed", leaf.place):
            return ["" if value else "Not confirmed"]
        with in_language(language):
            words = ANSWERED[leaf.place, value]
            return [gettext(words) if words else "", words]
    ways = []
    for code in dict.fromkeys((language, interface)):
        with in_language(code):
            if DAYS.fullmatch(leaf.place):
                ways.append(as_date(dt.date.fromisoformat(str(value))))
            elif leaf.place == "frozen_at":
                ways.append(as_datetime(dt.datetime.fromisoformat(str(value))))
            elif LANGUAGES.fullmatch(leaf.place):
                ways.append(name_of(str(value)))
            elif leaf.place == "signing.order":
                ways.append(str(ORDERS[Order(str(value))]))
            else:
                ways.append(str(value))
    return ways
