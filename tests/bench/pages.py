"""Which pages are timed, and who opens them."""

from collections.abc import Iterator
from dataclasses import dataclass

from tests.factories.demonstration import Demonstration
from tests.factories.large import Crowd


@dataclass(frozen=True, slots=True)
class TimedPage:
    """One page: its name in the table, who opens it, and where it is."""

    name: str
    who: str
    address: str


def of_the_demonstration(made: Demonstration) -> Iterator[TimedPage]:
    """Yield the pages of the demonstration that are timed."""
    reference = made.references["complete"]
    draft = made.checklists["differing", "terms"]
    signed = made.checklists["complete", "terms"]
    roles = made.checklists["complete", "visit_roles"]
    yield TimedPage("Guidance: library", "ilena", "/guidance")
    yield TimedPage("Guidance: search", "ilena", "/guidance?q=independence")
    yield TimedPage("My work", "ilena", "/")
    yield TimedPage("Cooperations", "ilena", "/cooperations")
    yield TimedPage("Cooperation", "ilena", f"/cooperations/{reference}")
    yield TimedPage("Checklist: terms, 20 items", "ilena", f"/checklists/{draft}")
    yield TimedPage("Checklist: one item", "ilena", f"/checklists/{draft}/items/M18/propose")
    yield TimedPage("Checklist: what was signed", "ilena", f"/checklists/{signed}/record")
    yield TimedPage("Register", "milan", "/register")
    yield TimedPage("Visit", "leyla", f"/cooperations/{reference}/visits/1")
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
