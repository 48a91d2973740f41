"""Assembly of evidence bundles, which can be verified without this instance."""

from bisect import bisect_left
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from tracker.activity.queries import tells_the_team
from tracker.cooperations import keys
from tracker.core import canonical
from tracker.core.db import reading
from tracker.core.errors import KeyDestroyedError
from tracker.evidence.bundles import container, parts, queries
from tracker.evidence.bundles.parts import LeftOut, Manifest
from tracker.evidence.bundles.queries import Recorded
from tracker.evidence.bundles.service import Export
from tracker.evidence.certificates import service as certificates
from tracker.evidence.keys import signing_keys
from tracker.evidence.log import (
    anchors,
    checkpoints,
    notes,
)
from tracker.evidence.log import (
    service as log,
)
from tracker.evidence.log.notes import Checkpoint, Inclusion, Seal
from tracker.evidence.log.service import Leaf
from tracker.evidence.models import Certificate, KeyUse
from tracker.signoff import service as signoff
from tracker.signoff.models import Revision


class DamagedError(Exception):
    """Raised when the database no longer contains what the trail binds."""


@dataclass(frozen=True, slots=True)
class _Row:
    """A row that an event binds by its digest, and its file.

    file is None if its kind has none, or if it can't be decrypted any more.
    """

    kind: str
    content: dict[str, object]
    file: bytes | None = None


@dataclass(slots=True)
class _Trail:
    """The events, and what is left out."""

    lines: list[bytes] = field(default_factory=list)
    # What each event binds, by its number.
    bound: dict[int, str] = field(default_factory=dict)
    without_details: list[int] = field(default_factory=list)
    made_at: str = ""


def build(export: Export) -> bytes:
    """Return the bundle of an export, sealed with the checkpoint key.

    Only reads. Raise KeysError if the key can't be read, LogError if the log is damaged,
    DamagedError if a frozen text is not as the trail says, ContainerError if there is too much for
    one file.
    """
    with reading():
        return _build(export)


def _build(export: Export) -> bytes:
    chain_id = queries.chain_of(export.cooperation_id)
    checkpoint = _checkpoint(export.size)
    trail = _read_trail(chain_id, export)
    files = dict(_log_files(export, chain_id, checkpoint))
    files[parts.EVENTS] = b"".join(trail.lines)
    rows, left_out = _row_files(export, trail)
    files.update(rows)
    files.update(_key_files())
    manifest = Manifest(
        origin=checkpoint.origin,
        reference=export.reference,
        cooperation=str(export.cooperation_id),
        chain=str(chain_id),
        count=export.count,
        size=export.size,
        made_at=trail.made_at,
        left_out=left_out,
    )
    return container.pack(_sealed(manifest, files))


def _sealed(manifest: Manifest, files: dict[str, bytes]) -> dict[str, bytes]:
    key = signing_keys.current(KeyUse.CHECKPOINT)
    listed = files | {parts.README: parts.readme(manifest, key.fingerprint)}
    written = canonical.to_bytes(manifest.content(listed))
    plain = Seal(canonical.digest(written), key.fingerprint)
    seal = Seal(plain.manifest, plain.key, checkpoints.signature(key, plain.signed()))
    return listed | {parts.MANIFEST: written, parts.SEAL: seal.text().encode()}


def _checkpoint(size: int) -> Checkpoint:
    checkpoint = checkpoints.of_size(size)
    if checkpoint is None:
        raise LookupError(f"The checkpoint of size {size} is gone.")
    return checkpoint


# Events, and what they bind -----------------------------------------------------------------------


def _read_trail(chain_id: UUID, export: Export) -> _Trail:
    trail = _Trail()
    for event in queries.events(chain_id, export.count):
        content = event.link.content()
        details = None
        if event.details is not None and _goes_along(event, event.details, export):
            details = {"salt": event.salt, "content": event.details}
        else:
            trail.without_details.append(event.link.number)
        if event.link.evidence is not None:
            trail.bound[event.link.number] = event.link.evidence
        trail.lines.append(parts.event_line(content, details))
        trail.made_at = content["at"]
    return trail


def _goes_along(event: Recorded, details: Mapping[str, object], export: Export) -> bool:
    """Return whether an event's details may be included for the person who exports."""
    link = event.link
    if link.subject_id in export.planning_ids:
        return True
    return link.number not in export.unseen and not tells_the_team(
        link.verb, details, is_after_stop=event.is_after_stop
    )


def _row_files(export: Export, trail: _Trail) -> tuple[dict[str, bytes], LeftOut]:
    """Return the rows with their texts as files, and what is left out."""
    rows = dict(_rows(export))
    lines: list[bytes] = []
    files: dict[str, bytes] = {}
    missing: list[int] = []
    unreadable: list[int] = []
    _require_bound(rows, trail)
    for event, digest in trail.bound.items():
        row = rows.get(digest)
        if row is None:
            missing.append(event)
            continue
        lines.append(parts.row_line(event, row.kind, row.content))
        if row.file is not None:
            files[parts.file_name(row.kind, event)] = row.file
        elif row.kind in parts.WITH_FILE:
            unreadable.append(event)
    files[parts.ROWS] = b"".join(lines)
    return files, LeftOut(tuple(trail.without_details), tuple(missing), tuple(unreadable))


def _require_bound(rows: Mapping[str, _Row], trail: _Trail) -> None:
    """Refuse to leave a text out because it was changed."""
    known = set(trail.bound.values())
    if any(row.kind == parts.REVISION and digest not in known for digest, row in rows.items()):
        raise DamagedError("A frozen text is not as the trail says: run tracker audit verify.")


def _rows(export: Export) -> Iterator[tuple[str, _Row]]:
    """Yield the rows to include, by the digest that an event binds."""
    revisions = queries.revisions(export.revision_ids)
    for revision in revisions.values():
        content = revision.content()
        document = _document(revision)
        yield canonical.digest_of(content), _Row(parts.REVISION, content, document)
    for signature in queries.signatures(export.revision_ids):
        yield signature.digest, _Row(parts.SIGNATURE, signature.content())
    for row in queries.certificates(export.revision_ids):
        content = row.content()
        pdf = _pdf(row, revisions[row.revision_id])
        yield canonical.digest_of(content), _Row(parts.CERTIFICATE, content, pdf)


def _pdf(row: Certificate, revision: Revision) -> bytes | None:
    """Return a PDF; None if its cooperation's key was destroyed."""
    try:
        return certificates.file_of(row, revision)
    except KeyDestroyedError:
        return None


def _document(revision: Revision) -> bytes | None:
    """Return the bytes of a frozen text; None if its cooperation's key was destroyed."""
    try:
        key = keys.key_of(revision.cooperation_id) if revision.is_sealed else None
    except KeyDestroyedError:
        return None
    return signoff.plain_bytes(revision, key)


# The log ------------------------------------------------------------------------------------------


def _log_files(
    export: Export, chain_id: UUID, checkpoint: Checkpoint
) -> Iterator[tuple[str, bytes]]:
    """Yield the checkpoint, its proofs, and the earlier checkpoints that the parties have."""
    leaves = [leaf for leaf in log.leaves_of(chain_id) if leaf.count <= export.count]
    sizes = {size for size in anchors.sizes_sent_to(export.cooperation_id) if size < export.size}
    numbers = [leaf.number for leaf in leaves]
    checkpoints_and_leaves = {export.size: (checkpoint, leaves[-1])}
    for earlier in checkpoints.of_sizes(sizes):
        known = bisect_left(numbers, earlier.size)
        if known:  # the cooperation was in the log at that time
            checkpoints_and_leaves[earlier.size] = (earlier, leaves[known - 1])
    proofs = log.proofs(
        {size: leaf.number for size, (_, leaf) in checkpoints_and_leaves.items()}, export.size
    )
    for size, (number, leaf) in checkpoints_and_leaves.items():
        included, grown = proofs[size]
        inclusion = _inclusion(chain_id, leaf, size, included)
        if size == export.size:
            yield parts.CHECKPOINT, number.text().encode()
            yield parts.INCLUSION, inclusion.text().encode()
        else:
            consistency = notes.Consistency(checkpoint.origin, size, export.size, grown)
            yield parts.checkpoint_name(size), parts.earlier(number, inclusion, consistency)


def _inclusion(chain_id: UUID, leaf: Leaf, size: int, proof: tuple[bytes, ...]) -> Inclusion:
    return Inclusion(str(chain_id), leaf.count, leaf.head, leaf.number, size, proof)


def _key_files() -> Iterator[tuple[str, bytes]]:
    public = signing_keys.public_keys()
    yield parts.KEYS, parts.key_notes(key.note() for key in public)
    for key in public:
        if key.certificates:
            yield parts.key_certificates_name(key.number), signing_keys.pem_of(key).encode()
