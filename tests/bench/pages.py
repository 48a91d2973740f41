"""The pages to measure, who opens them, and their limits."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.factories.bulk.large import Crowd
from tests.factories.demonstration import Demonstration

# How many times the bare view a page may take, and how many statements, by default.
# docs/architecture.md, section 7, explains which pages need more.
RATIO, STATEMENTS = 8.0, 15


@dataclass(frozen=True, slots=True)
class TimedPage:
    """A page: its name in the table, who opens it, its URL, and its limits."""

    name: str
    who: str
    address: str
    ratio: float = RATIO
    statements: int = STATEMENTS


def of_the_demonstration(demonstration: Demonstration) -> Iterator[TimedPage]:
    """Yield the pages of the demonstration that are measured."""
    reference = demonstration.references["complete"]
    draft = demonstration.checklists["differing", "terms"]
    waiting = demonstration.checklists["waiting", "terms"]
    signed = demonstration.checklists["complete", "terms"]
    roles = demonstration.checklists["complete", "visit_roles"]
    visit = f"/cooperations/{reference}/visits/1"
    yield TimedPage("Guidance: library", "ilena", "/guidance")
    yield TimedPage("Guidance: search", "ilena", "/guidance?q=independence")
    yield TimedPage("My work", "ilena", "/", ratio=9.0, statements=34)
    yield TimedPage("Cooperations", "ilena", "/cooperations")
    yield TimedPage("Cooperation", "ilena", f"/cooperations/{reference}", ratio=9.0, statements=30)
    yield TimedPage("Cooperation: people", "ilena", f"/cooperations/{reference}/people")
    yield TimedPage("Undertakings", "ilena", "/undertakings")
    yield TimedPage("Checklist: terms, 21 items", "ilena", f"/checklists/{draft}", statements=22)
    yield TimedPage(
        "Checklist: one item", "ilena", f"/checklists/{draft}/items/M18/propose", statements=16
    )
    yield TimedPage("Checklist: before signing", "otto", f"/checklists/{waiting}/sign")
    yield TimedPage(
        "Checklist: what was signed", "ilena", f"/checklists/{signed}/record", statements=31
    )
    yield TimedPage("Register", "milan", "/register", statements=18)
    yield TimedPage("Visit", "leyla", visit, ratio=10.5, statements=30)
    yield TimedPage("Visit: readiness", "leyla", f"{visit}/ready", ratio=10.5, statements=30)
    yield TimedPage("Visit: roles, 20 items", "ilena", f"/checklists/{roles}", statements=25)


def of_a_large_checklist(crowd: Crowd, who: str) -> Iterator[TimedPage]:
    """Yield the pages of a checklist of 200 items, 5 parties and 2,000 comments."""
    addresses = crowd.addresses()
    yield TimedPage("200 items: checklist", who, addresses["checklist"], statements=23)
    yield TimedPage("200 items: waiting for us", who, addresses["filter"], statements=23)
    yield TimedPage("200 items: one item", who, addresses["propose"], statements=17)
    yield TimedPage("200 items: comments", who, addresses["comments on an item"])
    yield TimedPage(
        "200 items: cooperation", who, addresses["cooperation"], ratio=12.0, statements=23
    )
    yield TimedPage("200 items: my work", who, addresses["my work"], statements=21)
