"""Checkpoints: the log's root, signed at intervals and kept for good."""

import datetime as dt
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from cryptography.hazmat.primitives.asymmetric import ed25519

from tracker.activity.service import lock_chain
from tracker.core import clock
from tracker.core.db import db
from tracker.core.services import Slot
from tracker.evidence.keys import signing_keys
from tracker.evidence.log import service as log
from tracker.evidence.log.notes import Checkpoint, Consistency
from tracker.evidence.models import EvidenceKey, KeyUse, SignedCheckpoint

SIZES_AT_A_TIME = 500


@dataclass(frozen=True, slots=True)
class CheckpointSettings:
    """The address that checkpoints name, and the minimum time between two."""

    origin: str = ""
    every: dt.timedelta = dt.timedelta(hours=1)


SETTINGS: Slot[CheckpointSettings] = Slot("checkpoints", CheckpointSettings())


def origin() -> str:
    """Return the address of this instance as checkpoints name it."""
    return SETTINGS.get().origin


def is_due() -> bool:
    """Return whether the newest checkpoint is old enough for another one."""
    last = newest()
    return last is None or clock.now() - last.at >= SETTINGS.get().every


def make(chain_ids: Collection[UUID]) -> Checkpoint | None:
    """Add to the log what some chains recorded, at most BATCH of them, and sign a checkpoint.

    Return the newest one: the previous one if nothing was recorded since; None if nothing was ever
    recorded. In the caller's transaction, which holds the lock of the instance's chain from now on.
    Raise KeysError if the key can't be read, LogError if the log is damaged.
    """
    key = signing_keys.current(KeyUse.CHECKPOINT)
    lock_chain(None)
    return _grow_and_sign(newest(), chain_ids, key)


def make_next(last: Checkpoint | None, chain_ids: Collection[UUID]) -> Checkpoint | None:
    """Do the same if last is still the newest checkpoint; otherwise return None.

    For a worker that found one due: another worker may have made it since.
    """
    key = signing_keys.current(KeyUse.CHECKPOINT)
    lock_chain(None)
    return _grow_and_sign(last, chain_ids, key) if newest() == last else None


def newest() -> Checkpoint | None:
    """Return the latest checkpoint."""
    return _find_one(sa.select(sa.func.max(SignedCheckpoint.size)).scalar_subquery())


def of_size(size: int) -> Checkpoint | None:
    """Return the checkpoint of that size, or None."""
    return _find_one(size)


def of_sizes(wanted: Iterable[int]) -> list[Checkpoint]:
    """Return the checkpoints of some sizes, smallest first."""
    sizes = sorted(set(wanted))
    checkpoints_found: list[Checkpoint] = []
    for start in range(0, len(sizes), SIZES_AT_A_TIME):
        some = sizes[start : start + SIZES_AT_A_TIME]
        rows = db.session.execute(
            _KEPT.where(SignedCheckpoint.size.in_(some)).order_by(SignedCheckpoint.size)
        )
        checkpoints_found += [_checkpoint(row, fingerprint) for row, fingerprint in rows]
    return checkpoints_found


def consistency(before: int, after: int) -> Consistency | None:
    """Return the proof between two checkpoints, if both exist in this order."""
    if before > after or {checkpoint.size for checkpoint in of_sizes({before, after})} != {
        before,
        after,
    }:
        return None
    return Consistency(SETTINGS.get().origin, before, after, log.consistency(before, after))


def signature(key: signing_keys.SigningKey, data: bytes) -> bytes:
    """Return a checkpoint key's signature of some bytes."""
    if not isinstance(key.private, ed25519.Ed25519PrivateKey):  # the only type made for this use
        raise TypeError(type(key.private))
    return key.private.sign(data)


def _grow_and_sign(
    before: Checkpoint | None, chain_ids: Collection[UUID], key: signing_keys.SigningKey
) -> Checkpoint | None:
    size = log.grow(chain_ids)
    if before is not None and before.size == size:
        return before
    return _sign(size, before.size if before else 0, key) if size else None


def _sign(size: int, previous: int, key: signing_keys.SigningKey) -> Checkpoint:
    plain = Checkpoint(
        origin=SETTINGS.get().origin,
        size=size,
        previous=previous,
        root=log.root(size).hex(),
        at=clock.now().replace(microsecond=0),
        key=key.fingerprint,
    )
    row = SignedCheckpoint(
        size=size,
        previous=previous,
        root=plain.root,
        at=plain.at,
        origin=plain.origin,
        key_id=key.id,
        signature=signature(key, plain.signed()),
    )
    db.session.add(row)
    db.session.flush()
    return _checkpoint(row, key.fingerprint)


_KEPT = sa.select(SignedCheckpoint, EvidenceKey.fingerprint).join(
    EvidenceKey, EvidenceKey.id == SignedCheckpoint.key_id
)


def _find_one(size: int | sa.ScalarSelect[int]) -> Checkpoint | None:
    row = db.session.execute(_KEPT.where(SignedCheckpoint.size == size)).one_or_none()
    return None if row is None else _checkpoint(*row)


def _checkpoint(row: SignedCheckpoint, fingerprint: str) -> Checkpoint:
    return Checkpoint(
        origin=row.origin,
        size=row.size,
        previous=row.previous,
        root=row.root,
        at=row.at,
        key=fingerprint,
        signature=row.signature,
    )
