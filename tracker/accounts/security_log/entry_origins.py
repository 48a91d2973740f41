"""Encryption of the origin, browser and network address, that a log entry is stored with."""

from uuid import UUID

from tracker.accounts import origins
from tracker.accounts.models import SecurityLogEntry
from tracker.accounts.origins import Origin


def seal(entry: SecurityLogEntry, origin: Origin) -> None:
    """Store an origin with a new entry, encrypted for it."""
    entry.sealed_origin = origins.seal(origin, context_of(entry.id, entry.user_id))


def origin_of(entry: SecurityLogEntry) -> Origin | None:
    """Return the origin of an entry; None if it is stored without."""
    if entry.sealed_origin is None:
        return None
    return origins.unseal(entry.sealed_origin, context_of(entry.id, entry.user_id))


def context_of(entry_id: UUID, user_id: UUID | None) -> str:
    """Return the context that the origin of an entry is encrypted for."""
    return f"security log {entry_id} of {user_id}"
