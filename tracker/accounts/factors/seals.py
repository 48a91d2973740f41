"""Seals that bind credentials to a person, under a key kept outside the database.

Whoever writes to the database without that key can copy a password hash, a secret or a mark of
sessions from one row to another, and can make no seal for it.
"""

import hmac
from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from tracker.accounts.models import Passkey, User
from tracker.core import canonical, crypto

ADDRESS = "accounts/address/1"
CREDENTIALS = "accounts/credentials/1"


@dataclass(frozen=True, slots=True)
class Credentials:
    """All by which a person is known when signing in, whose they are, and the open account.

    mark is what sessions name the person by; a link for a new password goes to the address.
    passkeys is the digest of all of them. The last time step of the app is not bound: it is good
    for a minute, and changes with each code.
    """

    user_id: UUID
    email: str
    active: bool
    mark: str
    password: str | None
    method: str | None
    secret: str | None
    recovery_codes: tuple[str, ...]
    passkeys: str | None

    @classmethod
    def of(cls, user: User) -> "Credentials":
        """Return them as stored in a person's row."""
        return cls(
            user_id=user.id,
            email=user.email,
            active=user.active,
            mark=user.fs_uniquifier,
            password=user.password,
            method=user.tf_primary_method,
            secret=user.tf_totp_secret,
            recovery_codes=tuple(user.mf_recovery_codes or ()),
            passkeys=user.passkeys_digest,
        )

    def seal(self) -> str:
        """Return the code that only this instance's key makes of them."""
        content = {
            "user": str(self.user_id),
            "email": self.email,
            "active": self.active,
            "mark": self.mark,
            "password": self.password,
            "method": self.method,
            "secret": self.secret,
            "recovery_codes": list(self.recovery_codes),
            "passkeys": self.passkeys,
        }
        return crypto.authenticate_for(CREDENTIALS, canonical.to_bytes(content).decode())


@dataclass(frozen=True, slots=True)
class BoundPasskey:
    """A passkey as it is bound: whose it is, its public key, and whether it was set aside."""

    user_id: UUID
    credential_id: bytes
    public_key: bytes
    is_set_aside: bool

    @classmethod
    def of(cls, passkey: Passkey) -> "BoundPasskey":
        """Return one as stored in its row."""
        return cls(
            passkey.user_id,
            passkey.credential_id,
            passkey.public_key,
            passkey.set_aside_at is not None,
        )


def address_seal(user_id: UUID, email: str) -> str:
    """Return the code that binds an address to its account for good."""
    content = {"user": str(user_id), "email": email}
    return crypto.authenticate_for(ADDRESS, canonical.to_bytes(content).decode())


def passkeys_digest(passkeys: Iterable[BoundPasskey]) -> str:
    """Return the digest of all passkeys of one person, in whichever order they come."""
    rows = [
        {
            "user": str(passkey.user_id),
            "credential_id": passkey.credential_id.hex(),
            "public_key": passkey.public_key.hex(),
            "is_set_aside": passkey.is_set_aside,
        }
        for passkey in sorted(passkeys, key=lambda passkey: passkey.credential_id)
    ]
    return canonical.digest_of({"passkeys": rows})


def evidence_of(seal: str) -> str:
    """Return the digest of a seal that an event binds: of no use for guessing a password."""
    return canonical.digest_of({"seal": seal})


def is_seal(stored: str | None, computed: str) -> bool:
    """Tell whether a seal that is kept is the one that was made, without leaking time."""
    return stored is not None and hmac.compare_digest(stored.encode(), computed.encode())


def is_sealed(user: User) -> bool:
    """Tell whether a person's row holds what this instance sealed; asks no database."""
    return is_seal(user.credentials_seal, Credentials.of(user).seal())


def has_own_address(user: User) -> bool:
    """Tell whether the address is the one that the account was made for."""
    return is_seal(user.address_seal, address_seal(user.id, user.email))
