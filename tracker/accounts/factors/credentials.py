"""Service functions for passkeys: add, name, remove, disable one suspected of being cloned."""

from collections.abc import Sequence
from dataclasses import dataclass
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor, Role
from tracker.access.decision import Decision
from tracker.accounts import messages, policy, queries
from tracker.accounts.factors import binding
from tracker.accounts.factors.binding import Change
from tracker.accounts.models import Passkey, User
from tracker.activity import service as trail
from tracker.activity.verbs import (
    PASSKEY_ADDED,
    PASSKEY_REMOVED,
    PASSKEY_RENAMED,
    PASSKEY_SET_ASIDE,
)
from tracker.core import canonical, clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.core.services import Slot

NAME_LENGTH = 64
MOST = 20


@dataclass(frozen=True, slots=True)
class NewPasskey:
    """A new passkey as its device presented it."""

    name: str
    credential_id: bytes
    public_key: bytes
    sign_count: int
    transports: Sequence[str]
    backed_up: bool
    device_type: str


# The roles that need a second factor; app supplies them from the settings.
COMPULSORY_ROLES: Slot[frozenset[Role]] = Slot("compulsory_roles", frozenset())


def lacks_second_factor(actor: Actor) -> bool:
    """Return whether a role of the person needs a second factor that they don't have."""
    return not actor.has_second_factor and policy.needs_second_factor(
        _roles(actor), COMPULSORY_ROLES.get()
    )


def lacks_second_factor_to_read(actor: Actor) -> bool:
    """Return whether a person needs a second factor before they read class K2 to K7.

    Whatever their roles: where any role needs one, whoever reads these classes does.
    """
    return not actor.has_second_factor and bool(COMPULSORY_ROLES.get())


def add(actor: Actor, new: NewPasskey) -> Passkey:
    """Add a passkey to the person's own account.

    Raises RuleBrokenError with the field name if the name is missing or taken or there are too many
    passkeys; NotBoundError if the credentials were changed outside the application.
    """
    user = queries.hold(actor.user_id)
    binding.require(user)
    name = free_name(user.id, new.name)
    now = clock.now()
    passkey = Passkey(
        id=uuid4(),
        user_id=user.id,
        name=name,
        credential_id=new.credential_id,
        public_key=new.public_key,
        sign_count=new.sign_count,
        transports=list(new.transports),
        backup_state=new.backed_up,
        device_type=new.device_type,
        created_at=now,
        lastuse_datetime=now,
    )
    db.session.add(passkey)
    db.session.flush()
    _forget_known(user)
    trail.record(
        PASSKEY_ADDED,
        actor=actor,
        subject_type="user",
        subject_id=user.id,
        evidence=evidence_of(user.id, new.credential_id, new.public_key),
    )
    binding.bind(actor, user, Change.PASSKEYS)
    messages.passkey_added(user)
    return passkey


def evidence_of(user_id: UUID, credential_id: bytes, public_key: bytes) -> str:
    """Return the digest that the trail binds: of the passkey's owner and public key."""
    return canonical.digest_of(
        {
            "user": str(user_id),
            "credential_id": credential_id.hex(),
            "public_key": public_key.hex(),
        }
    )


def free_name(user_id: UUID, name: str, but: UUID | None = None) -> str:
    """Return the name if no other passkey of the person has it.

    Raises RuleBrokenError with the field name if it is missing or taken or there are too many
    passkeys.
    """
    wanted = " ".join(name.split())[:NAME_LENGTH]
    others = [passkey for passkey in _of(user_id) if passkey.id != but]
    if not wanted:
        raise RuleBrokenError(_l("Give the passkey a name"), "name")
    if wanted.casefold() in {other.name.casefold() for other in others}:
        raise RuleBrokenError(
            _l("You already have a passkey with this name. Choose another name"), "name"
        )
    if len(others) >= MOST:
        raise RuleBrokenError(_l("You already have many passkeys. Remove one first"), "name")
    return wanted


def rename(actor: Actor, passkey_id: UUID, name: str) -> None:
    """Rename a person's own passkey; raise RuleBrokenError with the field name."""
    user = queries.hold(actor.user_id)
    passkey = _find_own(user, passkey_id)
    if passkey.name == " ".join(name.split()):
        return
    passkey.name = free_name(user.id, name, but=passkey.id)
    trail.record(PASSKEY_RENAMED, actor=actor, subject_type="user", subject_id=user.id)


def may_remove(actor: Actor, passkey: Passkey) -> Decision:
    """Decide whether a person may remove their own passkey."""
    user = db.session.get_one(User, actor.user_id)
    others = [
        candidate
        for candidate in _of(user.id)
        if candidate.id != passkey.id and candidate.set_aside_at is None
    ]
    is_last = passkey.set_aside_at is None and not user.has_app and not others
    return policy.can_remove_passkey(
        is_last_factor=is_last, roles=_roles(actor), compulsory=COMPULSORY_ROLES.get()
    )


def remove(actor: Actor, passkey_id: UUID) -> None:
    """Remove a person's own passkey; signatures made with it stay valid and verifiable.

    Raises RefusedError if it is the last second factor and a role of the person needs one.
    """
    user = queries.hold(actor.user_id)
    passkey = _find_own(user, passkey_id)
    may_remove(actor, passkey).require()
    with binding.keeping(actor, user, Change.PASSKEYS):
        _remove(actor, user, passkey, "")
    messages.passkey_removed(user)


def remove_all(actor: Actor | None, user: User, *, reason: str) -> None:
    """Remove all passkeys of a person; the caller asks its policy, and binds what is left."""
    for passkey in _of(user.id):
        _remove(actor, user, passkey, reason)


def set_aside(passkey_id: UUID) -> None:
    """Disable a passkey suspected of being cloned, and tell its owner."""
    passkey = db.session.get_one(Passkey, passkey_id)
    user = queries.hold(passkey.user_id)
    db.session.refresh(passkey)
    if passkey.set_aside_at is not None:
        return
    with binding.keeping(None, user, Change.PASSKEYS):
        passkey.set_aside_at = clock.now()
        trail.record(
            PASSKEY_SET_ASIDE,
            actor=None,
            subject_type="user",
            subject_id=user.id,
            person=user.name,
        )
    messages.passkey_set_aside(user)


def own(actor: Actor) -> list[Passkey]:
    """Return a person's own passkeys, the oldest first."""
    return _of(actor.user_id)


def find_own(actor: Actor, passkey_id: UUID) -> Passkey | None:
    """Return a person's own passkey, or None."""
    return next((passkey for passkey in own(actor) if passkey.id == passkey_id), None)


def _remove(actor: Actor | None, user: User, passkey: Passkey, reason: str) -> None:
    db.session.delete(passkey)
    db.session.flush()
    _forget_known(user)
    trail.record(
        PASSKEY_REMOVED, actor=actor, subject_type="user", subject_id=user.id, reason=reason
    )


def _of(user_id: UUID) -> list[Passkey]:
    return list(
        db.session.scalars(
            sa.select(Passkey)
            .where(Passkey.user_id == user_id)
            .order_by(Passkey.created_at, Passkey.id)
        )
    )


def _find_own(user: User, passkey_id: UUID) -> Passkey:
    own_passkey = next((passkey for passkey in _of(user.id) if passkey.id == passkey_id), None)
    if own_passkey is None:
        raise RuleBrokenError(_l("This passkey has already been removed."))
    return own_passkey


def _forget_known(user: User) -> None:
    """Discard the cached value of whether the person has a passkey."""
    db.session.expire(user, ["has_passkey"])


def _roles(actor: Actor) -> frozenset[Role]:
    """Return the roles of the person in all organisations."""
    return frozenset(membership.role for membership in actor.memberships)
