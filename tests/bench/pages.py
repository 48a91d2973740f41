"""Which pages are measured, who opens them, and what each may take at most."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.factories.demonstration import Demonstration
from tests.factories.large import Crowd

# How many times the bare view a page may take (issue: main pages 8), and how many statements.
RATIO, STATEMENTS = 8.0, 15


@dataclass(frozen=True, slots=True)
class TimedPage:
    """One page: its name in the table, who opens it, where it is, and its limits."""

    name: str
    who: str
    address: str
    ratio: float = RATIO
    statements: int = STATEMENTS


def of_the_demonstration(made: Demonstration) -> Iterator[TimedPage]:
    """Yield the pages of the demonstration that are measured."""
    reference = made.references["complete"]
    draft = made.checklists["differing", "terms"]
    waiting = made.checklists["waiting", "terms"]
    signed = made.checklists["complete", "terms"]
    roles = made.checklists["complete", "visit_roles"]
    visit = f"/cooperations/{reference}/visits/1"
    yield TimedPage("Guidance: library", "ilena", "/guidance")
    yield TimedPage("Guidance: search", "ilena", "/guidance?q=independence")
    yield TimedPage("My work", "ilena", "/")
    yield TimedPage("Cooperations", "ilena", "/cooperations")
    yield TimedPage("Cooperation", "ilena", f"/cooperations/{reference}")
    yield TimedPage("Cooperation: people", "ilena", f"/cooperations/{reference}/people")
    yield TimedPage("Undertakings", "ilena", "/undertakings")
    yield TimedPage("Checklist: terms, 20 items", "ilena", f"/checklists/{draft}")
    yield TimedPage("Checklist: one item", "ilena", f"/checklists/{draft}/items/M18/propose")
    yield TimedPage("Checklist: before signing", "otto", f"/checklists/{waiting}/sign")
    yield TimedPage("Checklist: what was signed", "ilena", f"/checklists/{signed}/record")
    yield TimedPage("Register", "milan", "/register")
    yield TimedPage("Visit", "leyla", visit)
    yield TimedPage("Visit: readiness", "leyla", f"{visit}/ready")
    yield TimedPage("Visit: roles, 20 items", "ilena", f"/checklists/{roles}")


def of_a_large_checklist(crowd: Crowd, who: str) -> Iterator[TimedPage]:
    """Yield the pages of a checklist of 200 items, 5 parties and 2,000 comments."""
    addresses = crowd.addresses()
    yield TimedPage("200 items: checklist", who, addresses["checklist"])
    yield TimedPage("200 items: waiting for us", who, addresses["filter"])
    yield TimedPage("200 items: one item", who, addresses["propose"])
    yield TimedPage("200 items: comments", who, addresses["comments on an item"])
    yield TimedPage("200 items: cooperation", who, addresses["cooperation"])
    yield TimedPage("200 items: my work", who, addresses["my work"])
