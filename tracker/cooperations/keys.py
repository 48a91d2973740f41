"""A cooperation's encryption key: created with it, stored wrapped, destroyed for good."""

from collections.abc import Collection, Iterable
from uuid import UUID

import sqlalchemy as sa

from tracker.activity.checked import row_key
from tracker.cooperations.models import CooperationKey
from tracker.core import crypto
from tracker.core.db import db
from tracker.core.errors import DamagedRowError, KeyDestroyedError, UnreadableError

_KEYS = sa.select(CooperationKey).where(
    CooperationKey.cooperation_id.in_(sa.bindparam("ids", expanding=True))
)


def new_key(cooperation_id: UUID) -> None:
    """Create and store the key of a cooperation that has none yet."""
    wrapped = crypto.wrap(crypto.new_key(), context_of(cooperation_id))
    db.session.add(CooperationKey(cooperation_id=cooperation_id, wrapped=wrapped))


def hold(cooperation_ids: Collection[UUID]) -> None:
    """Load the keys of several cooperations in one query, before what they encrypt is read."""
    keys = _loaded_keys()
    known_ids = {cooperation_id for cooperation_id, row in keys.items() if row in db.session}
    wanted = set(cooperation_ids) - known_ids
    if wanted:
        keep(db.session.scalars(_KEYS, {"ids": list(wanted)}))


def keep(rows: Iterable[CooperationKey | None]) -> None:
    """Note that this session has loaded some keys, so that key_of() doesn't load them again."""
    _loaded_keys().update({row.cooperation_id: row for row in rows if row is not None})


def _loaded_keys() -> dict[UUID, CooperationKey]:
    """Return the keys that this session has loaded.

    The session's references are weak: without our own, each answer would load its key again.
    """
    keys: dict[UUID, CooperationKey] = db.session.info.setdefault("cooperation_keys", {})
    return keys


def key_of(cooperation_id: UUID) -> bytes:
    """Return the key of a cooperation.

    Raise KeyDestroyedError if it was destroyed, UnreadableError if it is missing or was altered, or
    another instance wrapped it.
    """
    keys = _loaded_keys()
    key_row = keys.get(cooperation_id)
    if key_row is None or key_row not in db.session:
        key_row = db.session.get(CooperationKey, cooperation_id)
    if key_row is None:
        raise DamagedRowError(CooperationKey.__tablename__, cooperation_id)
    keys[cooperation_id] = key_row
    return unwrapped(cooperation_id, key_row.wrapped)


def rows_key_of(cooperation_id: UUID) -> bytes | None:
    """Return the key for digests of a cooperation's restricted rows; None if it can't be opened.

    Raise KeyNotThereError if the file of the key that wrapped it is missing on this machine. The
    audit reports keys that were deleted or altered; they must not prevent ending a clearance.
    """
    try:
        return row_key(key_of(cooperation_id))
    except crypto.KeyNotThereError:  # it can be copied here, and then it opens
        raise
    except (KeyDestroyedError, UnreadableError):
        return None


def unwrapped(cooperation_id: UUID, wrapped: bytes | None) -> bytes:
    """Return the key from a cooperation's stored one; raise as key_of does."""
    if wrapped is None:
        message = f"The key of cooperation {cooperation_id} was destroyed; its content is erased."
        raise KeyDestroyedError(message)
    return crypto.unwrap(wrapped, context_of(cooperation_id))


def context_of(cooperation_id: UUID) -> str:
    """Return the context that a cooperation's key is wrapped for."""
    return f"cooperation:{cooperation_id}"
