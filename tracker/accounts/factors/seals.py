"""Seals that bind credentials to a person, under a key kept outside the database.

Whoever can write to the database but doesn't have that key can copy a password hash, a secret or a
session marker from one row to another, but can't make a seal for it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from uuid import UUID

from tracker.accounts.models import Passkey, User
from tracker.core import canonical, crypto

ADDRESS = "accounts/address/1"
CREDENTIALS = "accounts/credentials/1"


@dataclass(frozen=True, slots=True)
class Credentials:
    """Everything a person signs in with, its owner, and whether the account is active.

    mark is the session marker, which names the person in sessions; links for new passwords go to
    the address. passkeys is the digest of all of them. The app's last time step is not bound: it
    matters for a minute, and changes with each code.
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
        """Return the credentials in a person's row."""
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
        """Return the code for them that only this instance's key can make."""
        return crypto.authenticate_for(CREDENTIALS, self._text())

    def is_seal(self, stored: str | None) -> bool:
        """Return whether a stored seal is theirs, under whichever key of this instance."""
        return crypto.is_authentic_for(CREDENTIALS, self._text(), stored)

    def _text(self) -> str:
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
        return canonical.to_bytes(content).decode()


@dataclass(frozen=True, slots=True)
class BoundPasskey:
    """The bound values of a passkey: its owner, its public key, and whether it was disabled."""

    user_id: UUID
    credential_id: bytes
    public_key: bytes
    is_set_aside: bool

    @classmethod
    def of(cls, passkey: Passkey) -> "BoundPasskey":
        """Return the bound values of a row."""
        return cls(
            passkey.user_id,
            passkey.credential_id,
            passkey.public_key,
            passkey.set_aside_at is not None,
        )


def address_seal(user_id: UUID, email: str) -> str:
    """Return the code that binds an address to its account permanently."""
    return crypto.authenticate_for(ADDRESS, _address(user_id, email))


def is_address_seal(stored: str | None, user_id: UUID, email: str) -> bool:
    """Return whether a stored code is that of an account and its address."""
    return crypto.is_authentic_for(ADDRESS, _address(user_id, email), stored)


def _address(user_id: UUID, email: str) -> str:
    return canonical.to_bytes({"user": str(user_id), "email": email}).decode()


def passkeys_digest(passkeys: Iterable[BoundPasskey]) -> str:
    """Return the digest of all passkeys of a person, in any order."""
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
    """Return the digest of a seal that an event binds: useless for guessing a password."""
    return canonical.digest_of({"seal": seal})


def is_sealed(user: User) -> bool:
    """Return whether a person's row has what this instance sealed; sends no query."""
    return Credentials.of(user).is_seal(user.credentials_seal)


def has_own_address(user: User) -> bool:
    """Return whether the address is the one the account was created for."""
    return is_address_seal(user.address_seal, user.id, user.email)
