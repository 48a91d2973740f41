"""The audit of the log: evidence keys, leaves, tree, and signed checkpoints."""

import datetime as dt
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa

from tracker.activity import verbs
from tracker.activity.chain import Link
from tracker.core import canonical
from tracker.evidence.log import merkle, notes
from tracker.evidence.log.notes import Checkpoint, KeyNote
from tracker.evidence.models import EvidenceKey, LogLeaf, LogNode, SignedCheckpoint
from tracker.oversight import stored
from tracker.oversight.facts import Fault, RowLocation, Table
from tracker.oversight.reading import Reader, broken, printable, read
from tracker.oversight.stored import Stored

_BIND = {verbs.EVIDENCE_KEY_MADE.name, verbs.EVIDENCE_KEY_IMPORTED.name}


@dataclass(slots=True)
class InstanceEvents:
    """What the instance's chain says about keys, passkeys, accounts and replaced bodies."""

    keys: dict[str, int] = field(default_factory=dict)
    retired: dict[UUID, dt.datetime] = field(default_factory=dict)
    revoked: dict[UUID, tuple[dt.datetime, str | None]] = field(default_factory=dict)
    # Digests of the passkeys added, each with its person; of the replacements, with their events.
    passkeys: set[str] = field(default_factory=set)
    replaced: dict[str, int] = field(default_factory=dict)
    # For each account the last event that binds its credentials: its number, and the digest.
    bound: dict[UUID, tuple[int, str | None]] = field(default_factory=dict)
    # Whether accounts of an earlier version were bound: from then on every account is.
    adopted: bool = False

    def hear(self, link: Link) -> None:
        """Add an event of that chain."""
        if link.verb in _BIND and link.evidence is not None:
            self.keys[link.evidence] = link.number
        elif link.verb == verbs.EVIDENCE_KEY_RETIRED.name:
            self.retired[link.subject_id] = link.at
        elif link.verb == verbs.EVIDENCE_KEY_REVOKED.name:
            self.revoked[link.subject_id] = (link.at, link.evidence)
        elif link.verb == verbs.PASSKEY_ADDED.name:
            self.passkeys.add(link.evidence or "")
        elif link.verb == verbs.CREDENTIALS_BOUND.name:
            self.bound[link.subject_id] = (link.number, link.evidence)
        elif link.verb == verbs.CREDENTIALS_ADOPTED.name:
            self.adopted = True
        elif link.verb == verbs.ORGANISATION_REPLACED.name:
            self.replaced[link.evidence or ""] = link.number


@dataclass(frozen=True, slots=True)
class Logged:
    """The log's leaves of the chains, once the log is verified."""

    checkpoints: tuple[Checkpoint, ...]

    def checkpoint_of(self, leaf: int) -> int:
        """Return the size of the first checkpoint that covers a leaf."""
        sizes = [checkpoint.size for checkpoint in self.checkpoints]
        return sizes[bisect_right(sizes, leaf)]


def keys_of(reader: Reader) -> dict[UUID, KeyNote]:
    """Return all keys as stored."""
    return {
        key.id: KeyNote(key.use.value, key.number, key.fingerprint, key.public_key, key.made_at)
        for _place, key in _keys(reader)
    }


def check_keys(reader: Reader, events: InstanceEvents) -> None:
    """Check each key against the instance's chain."""
    created = dict(events.keys)
    for place, key in _keys(reader):
        if created.pop(canonical.digest_of(key.content()), None) is None:
            broken(Fault.NOT_BOUND, place)
        if not _ended_so(key, events):
            broken(Fault.END_CHANGED, place)
        reader.note(keys=1)
    if created:
        broken(Fault.ROW_GONE, RowLocation(Table.EVENT, event=min(created.values())))


def check_log(reader: Reader, keys: dict[UUID, KeyNote]) -> Logged:
    """Check that leaves, tree and checkpoints agree, and that each checkpoint was signed."""
    checkpoints = _checkpoints(reader, keys)
    waiting = {checkpoint.size: checkpoint for checkpoint in checkpoints}
    nodes = _nodes(reader)
    edge = merkle.Edge()
    query = sa.select(*stored.columns(LogLeaf)).order_by(LogLeaf.number)
    for row in reader.rows(query):
        place = RowLocation(Table.LEAF, row=printable(row["number"]))
        leaf = read(stored.leaf, row, place)
        if leaf.number != edge.size:
            broken(Fault.NOT_NUMBERED, place)
        leaf_note = notes.leaf(str(leaf.chain_id), leaf.count, leaf.head)
        for (level, at), new_node in edge.append(merkle.leaf_hash(leaf_note)):
            node = next(nodes, None)
            if node is None or (node.level, node.place, node.hash) != (level, at, new_node):
                broken(Fault.OTHER_HASH, place)
        reached = waiting.pop(edge.size, None)
        if reached is not None and edge.root().hex() != reached.root:
            broken(Fault.OTHER_ROOT, _place(reached.size))
        reader.note(leaves=1)
    _require_end(edge.size, checkpoints, waiting, nodes)
    return Logged(checkpoints)


def check_anchors(reader: Reader, logged: Logged, anchors: Iterable[Checkpoint]) -> None:
    """Check that checkpoints kept elsewhere are the ones stored here."""
    here = {checkpoint.size: checkpoint for checkpoint in logged.checkpoints}
    for anchor in anchors:
        anchored = here.get(anchor.size)
        if anchored is None:
            broken(Fault.ANCHOR_UNKNOWN, _place(anchor.size))
        if anchored != anchor:
            broken(Fault.ANCHOR_OTHER, _place(anchor.size))
        reader.note(anchors=1)


def leaves_of(reader: Reader, chain_id: UUID) -> dict[int, LogLeaf]:
    """Return the leaves of a chain by the number of events they cover."""
    query = (
        sa.select(*stored.columns(LogLeaf))
        .where(LogLeaf.chain_id == chain_id)
        .order_by(LogLeaf.number)
    )
    leaves = (
        read(stored.leaf, row, RowLocation(Table.LEAF, row=printable(row["number"])))
        for row in reader.rows(query)
    )
    return {leaf.count: leaf for leaf in leaves}


def _keys(reader: Reader) -> Iterator[tuple[RowLocation, EvidenceKey]]:
    query = sa.select(*stored.columns(EvidenceKey)).order_by(EvidenceKey.use, EvidenceKey.number)
    for row in reader.rows(query):
        place = RowLocation(Table.EVIDENCE_KEY, row=printable(f"{row['use']} {row['number']}"))
        yield place, read(stored.evidence_key, row, place)


def _checkpoints(reader: Reader, keys: dict[UUID, KeyNote]) -> tuple[Checkpoint, ...]:
    checkpoints: list[Checkpoint] = []
    query = sa.select(*stored.columns(SignedCheckpoint)).order_by(SignedCheckpoint.size)
    for row in reader.rows(query):
        place = _place(row["size"])
        stored_checkpoint = read(stored.checkpoint, row, place)
        if stored_checkpoint.key_id not in keys:
            broken(Fault.BELONGS_NOWHERE, place)
        key = keys[stored_checkpoint.key_id]
        checkpoint = Checkpoint(
            stored_checkpoint.origin,
            stored_checkpoint.size,
            stored_checkpoint.previous,
            stored_checkpoint.root,
            stored_checkpoint.at,
            key.fingerprint,
            stored_checkpoint.signature,
        )
        if (
            not key.signed(checkpoint.signed(), checkpoint.signature)
            or stored_checkpoint.at.microsecond
        ):
            broken(Fault.NOT_SIGNED, place)
        if stored_checkpoint.previous != (checkpoints[-1].size if checkpoints else 0):
            broken(Fault.CHECKPOINT_GONE, place)
        checkpoints.append(checkpoint)
        reader.note(checkpoints=1)
    return tuple(checkpoints)


def _nodes(reader: Reader) -> Iterator[LogNode]:
    """Yield the stored hashes in the order in which leaves complete them."""
    after = (LogNode.place + 1).bitwise_lshift(LogNode.level)
    query = sa.select(*stored.columns(LogNode)).order_by(after, LogNode.level)
    for row in reader.rows(query):
        yield read(stored.node, row, _node_place(row))


def _node_place(row: Stored) -> RowLocation:
    return RowLocation(Table.NODE, row=printable(f"{row['level']}, {row['place']}"))


def _require_end(
    size: int,
    checkpoints: tuple[Checkpoint, ...],
    waiting: dict[int, Checkpoint],
    nodes: Iterator[LogNode],
) -> None:
    """Check that leaves, hashes and checkpoints, written together, end at the same size."""
    if waiting:
        broken(Fault.OTHER_ROOT, _place(min(waiting)))
    extra = next(nodes, None)
    if extra is not None:
        broken(Fault.BELONGS_NOWHERE, RowLocation(Table.NODE, row=f"{extra.level}, {extra.place}"))
    if size != (checkpoints[-1].size if checkpoints else 0):
        broken(Fault.CHECKPOINT_GONE, RowLocation(Table.LEAF, row=str(size - 1)))


def _ended_so(key: EvidenceKey, events: InstanceEvents) -> bool:
    """Return whether a key was retired and revoked as the events say."""
    revoked_at, evidence = events.revoked.get(key.id, (None, None))
    if (key.retired_at, key.revoked_at) != (events.retired.get(key.id), revoked_at):
        return False
    if revoked_at is None:
        return key.reason == ""
    return canonical.digest_of(key.revocation()) == evidence


def _place(size: object) -> RowLocation:
    return RowLocation(Table.CHECKPOINT, row=printable(size))
