"""The log's Merkle tree (RFC 9162, section 2.1): hashes, proofs, their verification. Pure."""

import hashlib
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

HASH_BYTES = 32
EMPTY_ROOT = hashlib.sha256(b"").digest()


def leaf_hash(data: bytes) -> bytes:
    """Return the hash of a leaf; its first byte distinguishes leaves from nodes."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of a node with two children."""
    return hashlib.sha256(b"\x01" + left + right).digest()


# Where hashes come from ---------------------------------------------------------------------------

# Level and place of a complete subtree: it has 2**level leaves and begins at place * 2**level.
Position = tuple[int, int]


class Nodes(Protocol):
    """Returns the hash of a complete subtree."""

    def __call__(self, level: int, place: int, /) -> bytes:
        """Return the hash at a position."""


@dataclass(slots=True)
class Tree:
    """A tree that grows on the right; keeps the hashes of all complete subtrees."""

    size: int = 0
    _nodes: dict[Position, bytes] = field(default_factory=dict)

    @classmethod
    def of(cls, leaves: Iterable[bytes]) -> "Tree":
        """Return the tree over hashes of leaves."""
        tree = cls()
        for leaf in leaves:
            tree.append(leaf)
        return tree

    def append(self, leaf: bytes) -> None:
        """Add the hash of a leaf."""
        self._nodes.update(completed(leaf, self.size, self))
        self.size += 1

    def __call__(self, level: int, place: int) -> bytes:
        """Return the hash at a position; KeyError if there is no complete subtree yet."""
        return self._nodes[level, place]

    def root(self) -> bytes:
        """Return the root over all leaves."""
        return root(self, self.size)


@dataclass(slots=True)
class Edge:
    """A tree that grows on the right; keeps only what its root needs."""

    size: int = 0
    _by_level: dict[int, bytes] = field(default_factory=dict)

    def append(self, leaf: bytes) -> list[tuple[Position, bytes]]:
        """Add the hash of a leaf; return what it completed."""
        nodes_added = completed(leaf, self.size, self)
        for (level, _), _hash in nodes_added[:-1]:
            del self._by_level[level]
        (top, _), last = nodes_added[-1]
        self._by_level[top] = last
        self.size += 1
        return nodes_added

    def __call__(self, level: int, _place: int) -> bytes:
        """Return the hash of the last complete subtree of a level at the edge."""
        return self._by_level[level]

    def root(self) -> bytes:
        """Return the root over all leaves."""
        return root(self, self.size)


def completed(leaf: bytes, size: int, nodes: Nodes) -> list[tuple[Position, bytes]]:
    """Return the positions that a leaf completes when it is added to a tree of a size."""
    level, place, node = 0, size, leaf
    nodes_added = [((level, place), node)]
    while place % 2:
        node = node_hash(nodes(level, place - 1), node)
        level, place = level + 1, place // 2
        nodes_added.append(((level, place), node))
    return nodes_added


def needed(ask: Callable[[Nodes], object]) -> set[Position]:
    """Return the positions a computation will need, which depend only on sizes."""
    wanted: set[Position] = set()

    def note(level: int, place: int) -> bytes:
        wanted.add((level, place))
        return b""

    ask(note)
    return wanted


# Roots and proofs ---------------------------------------------------------------------------------


def root(nodes: Nodes, size: int) -> bytes:
    """Return the root of the tree over the first leaves."""
    return _over(nodes, 0, size) if size else EMPTY_ROOT


def inclusion(nodes: Nodes, number: int, size: int) -> list[bytes]:
    """Return the proof that a leaf is in the tree of a size: PATH(m, D_n) of the RFC."""
    if not 0 <= number < size:
        raise ValueError(f"There is no leaf {number} in a tree of {size}.")
    proof: list[bytes] = []
    begin, end = 0, size
    while end - begin > 1:
        middle = begin + _left(end - begin)
        if number < middle:
            proof.append(_over(nodes, middle, end))
            end = middle
        else:
            proof.append(_over(nodes, begin, middle))
            begin = middle
    return proof[::-1]


def consistency(nodes: Nodes, before: int, after: int) -> list[bytes]:
    """Return the proof that a tree extends a smaller one: PROOF(m, D_n) of the RFC."""
    if not 0 < before <= after:
        raise ValueError(f"There is no proof from a tree of {before} to one of {after}.")
    proof: list[bytes] = []
    begin, end, whole = 0, after, True
    while before != end:
        middle = begin + _left(end - begin)
        if before <= middle:
            proof.append(_over(nodes, middle, end))
            end = middle
        else:
            proof.append(_over(nodes, begin, middle))
            begin, whole = middle, False
    if not whole:
        proof.append(_over(nodes, begin, end))
    return proof[::-1]


def _over(nodes: Nodes, begin: int, end: int) -> bytes:
    """Return the hash over leaves that start where the RFC's halving starts a subtree."""
    count = end - begin
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return nodes(level, begin >> level)
    middle = begin + _left(count)
    return node_hash(_over(nodes, begin, middle), _over(nodes, middle, end))


def _left(count: int) -> int:
    """Return how many of several leaves go to the left: the largest power of two below."""
    return 1 << ((count - 1).bit_length() - 1)


# Checking -----------------------------------------------------------------------------------------


def includes(leaf: bytes, number: int, size: int, proof: Sequence[bytes], root: bytes) -> bool:
    """Return whether a proof shows a leaf in the tree with a root (RFC 9162, 2.1.3.2)."""
    if not 0 <= number < size:
        return False
    sides = _at_left(number, size - 1, len(proof))
    if sides is None:
        return False
    node = leaf
    for other, at_left in zip(proof, sides, strict=True):
        node = node_hash(other, node) if at_left else node_hash(node, other)
    return node == root


def grew(
    before: int, after: int, root_before: bytes, root_after: bytes, proof: Sequence[bytes]
) -> bool:
    """Return whether a proof shows that a tree extends a smaller one (RFC 9162, 2.1.4.2)."""
    if before == after:
        return not proof and root_before == root_after
    if not 0 < before < after or not proof:
        return False
    first, last = before - 1, after - 1
    while first % 2:
        first, last = first >> 1, last >> 1
    is_whole = before & (before - 1) == 0
    start, path = (root_before, proof) if is_whole else (proof[0], proof[1:])
    sides = _at_left(first, last, len(path))
    if sides is None:
        return False
    old = new = start
    for other, at_left in zip(path, sides, strict=True):
        if at_left:
            old, new = node_hash(other, old), node_hash(other, new)
        else:
            new = node_hash(new, other)
    return old == root_before and new == root_after


def _at_left(first: int, last: int, length: int) -> list[bool] | None:
    """Return for each hash of a proof whether it is on the left, on the way up to the root.

    first and last are positions on one level; None if a proof of this length doesn't fit.
    """
    sides = []
    for _ in range(length):
        if last == 0:
            return None
        at_left = bool(first % 2) or first == last
        sides.append(at_left)
        if at_left:
            while first and not first % 2:
                first, last = first >> 1, last >> 1
        first, last = first >> 1, last >> 1
    return sides if last == 0 else None
