"""Encryption of the origin, browser and network address, that a log entry is stored with."""

from tracker.accounts import origins
from tracker.accounts.models import SecurityLogEntry
from tracker.accounts.origins import Origin


def seal(entry: SecurityLogEntry, origin: Origin) -> None:
    """Store an origin with a new entry, encrypted for it."""
    entry.sealed_origin = origins.seal(origin, _context(entry))


def origin_of(entry: SecurityLogEntry) -> Origin | None:
    """Return the origin of an entry; None if it is stored without."""
    if entry.sealed_origin is None:
        return None
    return origins.unseal(entry.sealed_origin, _context(entry))


def _context(entry: SecurityLogEntry) -> str:
    return f"security log {entry.id} of {entry.user_id}"
