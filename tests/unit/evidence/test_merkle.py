"""The Merkle tree: known answers, the RFC's own example, and a naive model."""

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tracker.evidence.log import merkle
from tracker.evidence.log.merkle import Tree, leaf_hash, node_hash

# The eight entries and the roots over the first n of them that implementations of RFC 6962 and
# RFC 9162 check themselves against.
ENTRIES = [
    bytes.fromhex(text)
    for text in (
        "",
        "00",
        "10",
        "2021",
        "3031",
        "40414243",
        "5051525354555657",
        "606162636465666768696a6b6c6d6e6f",
    )
]
ROOTS = [
    "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855",
    "6e340b9cffb37a989ca544e6bb780a2c78901d3fb33738768511a30617afa01d",
    "fac54203e7cc696cf0dfcb42c92a1d9dbaf70ad9e621f4bd8d98662f00e3c125",
    "aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77",
    "d37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7",
    "4e3bbb1f7b478dcfe71fb631631519a3bca12c9aefca1612bfce4c13a86264d4",
    "76e67dadbcdf1e10e1b74ddc608abd2f98dfb16fbce75277b5232a127f2087ef",
    "ddb89be403809e325750d3d263cd78929c2942b7942a34b77e122c9594a74c8c",
    "5dc9da79a70659a9ad559cb701ded9a2ab9d823aad2f4960cfe370eff4604328",
]


def tree(count: int) -> Tree:
    return Tree.of(leaf_hash(str(number).encode()) for number in range(count))


# A naive model that follows RFC 9162, sections 2.1.1, 2.1.3.1 and 2.1.4.1, literally.


def largest_power_below(count: int) -> int:
    power = 1
    while power * 2 < count:
        power *= 2
    return power


def mth(entries: list[bytes]) -> bytes:
    if not entries:
        return hashlib.sha256().digest()
    if len(entries) == 1:
        return hashlib.sha256(b"\x00" + entries[0]).digest()
    k = largest_power_below(len(entries))
    return hashlib.sha256(b"\x01" + mth(entries[:k]) + mth(entries[k:])).digest()


def path(m: int, entries: list[bytes]) -> list[bytes]:
    if len(entries) == 1:
        return []
    k = largest_power_below(len(entries))
    if m < k:
        return [*path(m, entries[:k]), mth(entries[k:])]
    return [*path(m - k, entries[k:]), mth(entries[:k])]


def subproof(m: int, entries: list[bytes], known: bool) -> list[bytes]:
    if m == len(entries):
        return [] if known else [mth(entries)]
    k = largest_power_below(len(entries))
    if m <= k:
        return [*subproof(m, entries[:k], known), mth(entries[k:])]
    return [*subproof(m - k, entries[k:], False), mth(entries[:k])]


# Known answers ------------------------------------------------------------------------------------


@pytest.mark.parametrize("count", range(9))
def test_roots_are_those_that_everybody_gets(count: int) -> None:
    grown = Tree.of(leaf_hash(entry) for entry in ENTRIES[:count])
    assert grown.root().hex() == ROOTS[count]
    assert mth(ENTRIES[:count]).hex() == ROOTS[count]


def test_proofs_match_the_example_in_the_rfc() -> None:
    """RFC 9162, section 2.1.5: seven leaves a to j, and which nodes are in which proof."""
    a, b, c, d, e, f, j = (leaf_hash(entry) for entry in ENTRIES[:7])
    g, h, i = node_hash(a, b), node_hash(c, d), node_hash(e, f)
    k, m = node_hash(g, h), node_hash(i, j)
    grown = Tree.of([a, b, c, d, e, f, j])
    assert grown.root() == node_hash(k, m)
    assert merkle.inclusion(grown, 0, 7) == [b, h, m]
    assert merkle.inclusion(grown, 3, 7) == [c, g, m]
    assert merkle.inclusion(grown, 4, 7) == [f, j, k]
    assert merkle.inclusion(grown, 6, 7) == [i, k]
    assert merkle.consistency(grown, 3, 7) == [c, d, g, m]
    assert merkle.consistency(grown, 4, 7) == [m]
    assert merkle.consistency(grown, 6, 7) == [i, j, k]


# Against the model --------------------------------------------------------------------------------


@pytest.mark.parametrize("count", range(1, 40))
def test_every_proof_of_a_small_tree_matches_the_model_and_verifies(count: int) -> None:
    entries = [str(number).encode() for number in range(count)]
    grown = tree(count)
    assert grown.root() == mth(entries)
    for number in range(count):
        proof = merkle.inclusion(grown, number, count)
        assert proof == path(number, entries)
        assert merkle.includes(leaf_hash(entries[number]), number, count, proof, grown.root())
    for before in range(1, count + 1):
        proof = merkle.consistency(grown, before, count)
        assert proof == subproof(before, entries, True)
        assert merkle.grew(before, count, mth(entries[:before]), grown.root(), proof)


@given(st.data())
def test_proofs_of_any_tree_match_the_model(data: st.DataObject) -> None:
    entries = data.draw(st.lists(st.binary(max_size=4), min_size=1, max_size=200))
    size = data.draw(st.integers(1, len(entries)))
    number = data.draw(st.integers(0, size - 1))
    before = data.draw(st.integers(1, size))
    grown = Tree.of(map(leaf_hash, entries))
    assert merkle.root(grown, size) == mth(entries[:size])
    assert merkle.inclusion(grown, number, size) == path(number, entries[:size])
    assert merkle.consistency(grown, before, size) == subproof(before, entries[:size], True)


# What does not hold is seen -----------------------------------------------------------------------


@given(st.data())
def test_no_other_leaf_number_size_or_root_has_the_same_proof(data: st.DataObject) -> None:
    size = data.draw(st.integers(1, 300))
    number = data.draw(st.integers(0, size - 1))
    grown = tree(size)
    proof, root = merkle.inclusion(grown, number, size), grown.root()
    leaf = leaf_hash(str(number).encode())
    assert merkle.includes(leaf, number, size, proof, root)
    assert not merkle.includes(leaf_hash(b"other"), number, size, proof, root)
    other = data.draw(st.integers(-2, size + 2).filter(lambda value: value != number))
    assert not merkle.includes(leaf, other, size, proof, root)
    assert not merkle.includes(leaf, number, size, proof, node_hash(root, root))
    assert not merkle.includes(leaf, number, size, [*proof, root], root)
    if proof:
        place = data.draw(st.integers(0, len(proof) - 1))
        changed = [*proof]
        changed[place] = leaf_hash(changed[place])
        assert not merkle.includes(leaf, number, size, changed, root)
        assert not merkle.includes(leaf, number, size, proof[:-1], root)


@given(st.data())
def test_a_rewritten_tree_does_not_extend_the_previous_one(data: st.DataObject) -> None:
    before = data.draw(st.integers(1, 200))
    after = data.draw(st.integers(before, 260))
    grown = tree(after)
    proof = merkle.consistency(grown, before, after)
    old, new = merkle.root(grown, before), grown.root()
    assert merkle.grew(before, after, old, new, proof)
    changed_at = data.draw(st.integers(0, before - 1))
    other = Tree.of(
        leaf_hash(b"changed" if number == changed_at else str(number).encode())
        for number in range(after)
    )
    assert not merkle.grew(
        before, after, old, other.root(), merkle.consistency(other, before, after)
    )
    assert not merkle.grew(before, after, node_hash(old, old), new, proof)
    assert not merkle.grew(before, after, old, node_hash(new, new), proof)
    assert not merkle.grew(before, after, old, new, [*proof, old])
    if proof:
        assert not merkle.grew(before, after, old, new, proof[:-1])


def test_no_tree_extends_an_empty_or_a_larger_one() -> None:
    grown = tree(5)
    proof = merkle.consistency(grown, 3, 5)
    assert not merkle.grew(0, 5, merkle.EMPTY_ROOT, grown.root(), [])
    assert not merkle.grew(5, 3, grown.root(), merkle.root(grown, 3), proof)
    assert not merkle.grew(-1, 5, grown.root(), grown.root(), proof)
    assert not merkle.grew(3, 5, merkle.root(grown, 3), grown.root(), [])


def test_a_proof_that_cannot_exist_is_refused() -> None:
    grown = tree(5)
    for number, size in ((5, 5), (-1, 5), (0, 0)):
        with pytest.raises(ValueError, match="no leaf"):
            merkle.inclusion(grown, number, size)
    for before, after in ((0, 5), (4, 3), (-1, 3)):
        with pytest.raises(ValueError, match="no proof"):
            merkle.consistency(grown, before, after)


def test_an_empty_tree_has_the_root_that_the_rfc_gives_it() -> None:
    assert Tree().root() == merkle.root(Tree(), 0) == hashlib.sha256(b"").digest()


# Kept by position ---------------------------------------------------------------------------------


@given(st.integers(1, 500))
def test_what_leaves_complete_is_all_a_proof_asks_for(size: int) -> None:
    grown = tree(size)
    kept_nodes = dict(grown._nodes)
    assert len(kept_nodes) < 2 * size
    nodes_needed = merkle.needed(lambda nodes: merkle.root(nodes, size))
    nodes_needed |= merkle.needed(lambda nodes: merkle.inclusion(nodes, size // 2, size))
    nodes_needed |= merkle.needed(lambda nodes: merkle.consistency(nodes, size // 2 + 1, size))
    assert nodes_needed <= kept_nodes.keys()
    assert len(nodes_needed) <= 4 * size.bit_length() + 2
    few = {position: kept_nodes[position] for position in nodes_needed}
    again = merkle.consistency(lambda level, place: few[level, place], size // 2 + 1, size)
    assert again == merkle.consistency(grown, size // 2 + 1, size)
