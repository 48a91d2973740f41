"""The log: a leaf for each chain whose end changed, and the hashes that proofs need."""

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from tracker.activity.models import Chain
from tracker.core.db import BATCH, db
from tracker.evidence.log import merkle, notes
from tracker.evidence.log.merkle import Nodes, Position
from tracker.evidence.models import LogLeaf, LogNode

POSITIONS_AT_A_TIME = 300


class LogError(Exception):
    """Raised when the log lacks a hash that it must have: somebody changed its tables."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """A leaf of one chain: its number in the log, and the end of the chain."""

    number: int
    count: int
    head: str


def size() -> int:
    """Return the number of leaves in the log."""
    last = db.session.scalar(sa.select(sa.func.max(LogLeaf.number)))
    return 0 if last is None else last + 1


def changed() -> Sequence[UUID]:
    """Return the chains whose newest leaf, if any, covers fewer events than they have now.

    For the worker, which adds their leaves in batches: this looks at each chain, so it is asked
    before the transaction that keeps others from writing.
    """
    return db.session.scalars(sa.select(Chain.id).where(_HAS_CHANGED).order_by(Chain.id)).all()


def grow(chain_ids: Collection[UUID]) -> int:
    """Add a leaf for each of some chains whose end changed since its last one; return the size.

    At most BATCH chains, so that nobody who writes waits for all of them. The caller has locked the
    instance's chain, so that nobody else adds leaves meanwhile, and signs a checkpoint of that
    size, since the log never continues beyond its newest checkpoint.
    """
    if len(chain_ids) > BATCH:
        message = f"{len(chain_ids)} leaves are too many for one transaction."
        raise ValueError(message)
    number = size()
    new_nodes: dict[Position, bytes] = {}
    before = read(lambda nodes: merkle.root(nodes, number))

    def nodes(level: int, place: int) -> bytes:
        return new_nodes.get((level, place)) or before(level, place)

    for chain_id, count, head in _ends(chain_ids):
        leaf = merkle.leaf_hash(notes.leaf(str(chain_id), count, head))
        new_nodes.update(merkle.completed(leaf, number, nodes))
        db.session.add(LogLeaf(number=number, chain_id=chain_id, count=count, head=head))
        number += 1
    db.session.add_all(
        LogNode(level=level, place=place, hash=node) for (level, place), node in new_nodes.items()
    )
    db.session.flush()
    return number


def read(ask: Callable[[Nodes], object]) -> Nodes:
    """Return a function that supplies the hashes a computation needs, read in few queries."""
    wanted = sorted(merkle.needed(ask))
    nodes: dict[Position, bytes] = {}
    for start in range(0, len(wanted), POSITIONS_AT_A_TIME):
        rows = db.session.execute(
            sa.select(LogNode.level, LogNode.place, LogNode.hash).where(
                sa.tuple_(LogNode.level, LogNode.place).in_(
                    wanted[start : start + POSITIONS_AT_A_TIME]
                )
            )
        )
        nodes.update({(row.level, row.place): row.hash for row in rows})
    if len(nodes) < len(wanted):
        raise LogError("The log is damaged; run tracker audit verify for details.")
    return lambda level, place: nodes[level, place]


def root(count: int) -> bytes:
    """Return the root over the first leaves."""
    return merkle.root(read(lambda nodes: merkle.root(nodes, count)), count)


def consistency(before: int, after: int) -> tuple[bytes, ...]:
    """Return the proof that the log of a size extends a smaller one."""

    def ask(nodes: Nodes) -> list[bytes]:
        return merkle.consistency(nodes, before, after)

    return tuple(ask(read(ask)))


def proofs(
    leaves: Mapping[int, int], after: int
) -> dict[int, tuple[tuple[bytes, ...], tuple[bytes, ...]]]:
    """Return for each size the proofs that its leaf is in that log, and that after extends it.

    leaves gives the number of a leaf for each size. Takes few queries, however many there are.
    """

    def ask(nodes: Nodes) -> dict[int, tuple[tuple[bytes, ...], tuple[bytes, ...]]]:
        return {
            size: (
                tuple(merkle.inclusion(nodes, leaf, size)),
                tuple(merkle.consistency(nodes, size, after)),
            )
            for size, leaf in leaves.items()
        }

    return ask(read(ask))


def leaves_of(chain_id: UUID) -> list[Leaf]:
    """Return the leaves of a chain in order; the caller found the chain in scope."""
    rows = db.session.execute(
        sa.select(LogLeaf.number, LogLeaf.count, LogLeaf.head)
        .where(LogLeaf.chain_id == chain_id)
        .order_by(LogLeaf.number)
    )
    return [Leaf(*row) for row in rows]


# Whether the newest leaf of a chain, if it has any, covers fewer events than it has now.
_LAST = (
    sa.select(sa.func.max(LogLeaf.count))
    .where(LogLeaf.chain_id == Chain.id)
    .correlate(Chain)
    .scalar_subquery()
)
_HAS_CHANGED = Chain.count > sa.func.coalesce(_LAST, 0)


def _ends(chain_ids: Collection[UUID]) -> list[tuple[UUID, int, str]]:
    """Return the ends of those of some chains that changed since their last leaf."""
    rows = db.session.execute(
        sa.select(Chain.id, Chain.count, Chain.head)
        .where(Chain.id.in_(chain_ids), _HAS_CHANGED)
        .order_by(Chain.id)
    )
    return [(chain_id, count, head) for chain_id, count, head in rows]
