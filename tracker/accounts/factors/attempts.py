"""Limits on proofs of identity and other acts, counted in the database per account and client.

Keys are authenticated digests, so that the table reveals no address.
"""

import datetime as dt
import hashlib
import hmac
import ipaddress
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID, uuid4

import sqlalchemy as sa

from tracker.accounts.models import Attempt
from tracker.core import clock, keys
from tracker.core.db import after_rollback, db, delete_batch

WINDOW = dt.timedelta(minutes=15)
IPV6_PREFIX = 64


@dataclass(frozen=True, slots=True)
class Counter:
    """A limit: so many attempts within a window, then a wait."""

    subject: str
    most: int

    @property
    def key(self) -> str:
        """The name it is counted under."""
        secret = keys.current().secret
        return hmac.new(secret, f"attempt|{self.subject}".encode(), hashlib.sha256).hexdigest()


def account(email: str) -> Counter:
    """Count failed attempts to sign in to an account: password, code, recovery code."""
    return Counter(f"account|{email.strip().lower()}", 10)


def client(address: str | None) -> Counter:
    """Count failures from one client address."""
    return Counter(f"client|{_network(address)}", 30)


def proof(user_id: UUID) -> Counter:
    """Count a signed-in person's failed proofs, separately: strangers can run up account()."""
    return Counter(f"proof|{user_id}", 10)


def passkey_client(address: str | None) -> Counter:
    """Count failures with passkeys from one client address; a valid passkey works all the same."""
    return Counter(f"passkey-client|{_network(address)}", 30)


def reset_account(email: str) -> Counter:
    """Count requests for a new password for one address."""
    return Counter(f"reset|{email.strip().lower()}", 5)


def reset_client(address: str | None) -> Counter:
    """Count requests for new passwords from one client address."""
    return Counter(f"reset-client|{_network(address)}", 20)


def mailed(email: str) -> Counter:
    """Count requests for mailed codes."""
    return Counter(f"mailed|{email.strip().lower()}", 5)


def guesses(code: str) -> Counter:
    """Count wrong guesses of one mailed code."""
    return Counter(f"guesses|{code}", 5)


def verification(address: str | None) -> Counter:
    """Count a client's verifications of documents that showed nothing genuine."""
    return Counter(f"verification|{_network(address)}", 30)


def long_work(user_id: UUID) -> Counter:
    """Count a person's exports, bundles and audits."""
    return Counter(f"long-work|{user_id}", 20)


def minutes_to_wait(counters: Iterable[Counter]) -> int:
    """Return the minutes until another attempt is allowed; 0 if it is allowed now."""
    return max((_minutes(counter) for counter in counters), default=0)


def note(counters: Iterable[Counter]) -> None:
    """Record one attempt permanently, whatever becomes of the caller's transaction.

    Rolls the caller's transaction back, since SQLite allows only one writer. What was read before
    can still be shown, but not changed.
    """
    rows = [{"id": uuid4(), "key": counter.key, "at": clock.now()} for counter in counters]
    with after_rollback() as own:
        own.execute(sa.insert(Attempt), rows)


def forgive(counter: Counter) -> None:
    """Delete the failures of a counter after a success, in the caller's transaction."""
    db.session.execute(
        sa.delete(Attempt)
        .where(Attempt.key == counter.key)
        .execution_options(synchronize_session=False)
    )


def forget_old() -> int:
    """Delete a batch of attempts that no longer count (db.delete_batch); for the worker."""
    return delete_batch(Attempt.id, Attempt.at < clock.now() - WINDOW)


def _minutes(counter: Counter) -> int:
    """Return the wait until the attempt that fills the window expires."""
    now = clock.now()
    oldest_counting = db.session.scalar(
        sa.select(Attempt.at)
        .where(Attempt.key == counter.key, Attempt.at > now - WINDOW)
        .order_by(Attempt.at.desc())
        .offset(counter.most - 1)
        .limit(1)
    )
    if oldest_counting is None:
        return 0
    seconds = (oldest_counting + WINDOW - now).total_seconds()
    return max(1, -(-int(seconds) // 60))


def _network(address: str | None) -> str:
    """Return the address, or for IPv6 its network, since one client has all of it."""
    try:
        known = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    # An address of IPv4 as a socket for both protocols gives it: all of them are in one network.
    known = getattr(known, "ipv4_mapped", None) or known
    if known.version == 4:  # noqa: PLR2004 -- the version of the protocol
        return str(known)
    return str(ipaddress.ip_network((known, IPV6_PREFIX), strict=False))
