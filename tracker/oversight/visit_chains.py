"""The chains of visits, bound by the events that planned a visit and made it ready (adr 87)."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from uuid import UUID

from tracker.activity import verbs
from tracker.activity.chain import START, Link, visit_chain_digest
from tracker.activity.models import ChainKind
from tracker.activity.verify import Head
from tracker.oversight.facts import Fault, RowLocation, Table
from tracker.oversight.reading import broken


def by_visit(heads: list[Head]) -> dict[UUID, Head]:
    """Return the chains of visits by visit; stop the audit at one that names none, or a second."""
    by_id: dict[UUID, Head] = {}
    for head in heads:
        if head.kind != ChainKind.VISIT:
            continue
        if head.visit_id is None or head.visit_id in by_id:
            broken(Fault.BELONGS_NOWHERE, RowLocation(Table.CHAIN, row=str(head.chain_id)))
        by_id[head.visit_id] = head
    return by_id


@dataclass(slots=True)
class Planned:
    """The visits of a cooperation as its events say they were planned."""

    reference: str
    # The digest that binds the chain of each; None for a visit from before there were any.
    digests: dict[UUID, str | None] = field(default_factory=dict)
    # The ends that the chain of each had when the visit became ready.
    ends: dict[UUID, list[str | None]] = field(default_factory=dict)

    def hear(self, link: Link) -> bool:
        """Add an event of the cooperation's chain; return whether it is about a visit's chain."""
        if link.verb == verbs.VISIT_PLANNED.name:
            self.digests[link.subject_id] = link.evidence
        elif link.verb == verbs.VISIT_BECAME_READY.name:
            self.ends.setdefault(link.subject_id, []).append(link.evidence)
        else:
            return False
        return True

    def require_ends(self, visit_id: UUID, digests: Collection[str]) -> None:
        """Stop the audit if a visit became ready by an end that its chain doesn't have now.

        digests are those of the events in the visit's chain.
        """
        if not {START, *digests}.issuperset(self.ends.get(visit_id, ())):
            place = RowLocation(Table.CHAIN, self.reference, len(digests), of_visit=True)
            broken(Fault.END_REPLACED, place)

    def take_from(self, heads: dict[UUID, Head]) -> Iterator[tuple[UUID, Head]]:
        """Yield each visit that has a chain, with the chain, and remove that from heads.

        Stop the audit at a visit whose chain is gone or isn't the one that was bound.
        """
        place = RowLocation(Table.CHAIN, self.reference, of_visit=True)
        for visit_id, digest in self.digests.items():
            head = heads.pop(visit_id, None)
            if head is None and digest is not None:
                broken(Fault.NO_VISIT_CHAIN, place)
            if head is None:
                continue
            if visit_chain_digest(head.chain_id, visit_id) != digest:
                broken(Fault.NOT_BOUND, place)
            yield visit_id, head
