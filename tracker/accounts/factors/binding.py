"""Binding of credentials to the person they belong to, and refusal of any set elsewhere.

Who sets or changes it holds the person's row, asks that it held before, and binds it anew: a seal
in the row (accounts.seals), and an event with the seal's digest. The seal finds what was copied
from another row or made up; the event finds an older row that was put back as a whole.
"""

import enum
import logging
from collections import defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.accounts.factors import seals
from tracker.accounts.factors.seals import BoundPasskey, Credentials
from tracker.accounts.models import Passkey, RefusedAccount, User
from tracker.activity import queries as activity
from tracker.activity import service as trail
from tracker.activity.verbs import CREDENTIALS_BOUND
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError

logger = logging.getLogger(__name__)

# How many accounts are judged at a time.
PORTION = 200

REFUSED = _l(
    "The details you sign in with were changed outside this application, so they can't be used. "
    "Ask an administrator, or a manager of your organisation, to reset them."
)
NOTHING_SIGNED = _l("%(why)s Nothing was signed.", why=REFUSED)


class Change(enum.StrEnum):
    """What was set or changed, as the event tells it."""

    ACCOUNT = "account"
    ADOPTED = "adopted"
    PASSWORD = "password"  # noqa: S105 -- the name of a change
    APP = "app"
    RECOVERY_CODES = "recovery_codes"
    RECOVERY_CODE_USED = "recovery_code_used"
    PASSKEYS = "passkeys"
    RESET = "reset"
    SESSIONS = "sessions"
    SUSPENDED = "suspended"
    RESTORED = "restored"


class Fault(enum.StrEnum):
    """Why what a person signs in with is refused."""

    NOT_SEALED = "the row holds what was not sealed for this person"
    OTHER_PASSKEYS = "the passkeys are not those that were sealed"
    NOT_LAST = "the row is not what the last event binds: it was put back"


class NotBoundError(RuleBrokenError):
    """What the person signs in with was not set by this application."""


def hold(user_id: UUID) -> User:
    """Return a person and hold the row until the transaction ends; for verbs on accounts."""
    return db.session.scalars(
        sa.select(User)
        .where(User.id == user_id)
        .with_for_update(of=User)
        .execution_options(populate_existing=True)
    ).one()


def fault_of(user: User) -> Fault | None:
    """Tell what is wrong with what a person signs in with; log it, without any of it."""
    fault = _fault_of(user)
    if fault is not None:
        note(user, fault)
    return fault


def note(user: User, fault: Fault) -> None:
    """Log that somebody's credentials are refused, and why."""
    logger.error("The credentials of account %s are refused: %s.", user.id, fault.value)


def require(user: User, words: object = REFUSED) -> None:
    """Refuse what was not bound to this person here; raise NotBoundError."""
    if fault_of(user) is not None:
        raise NotBoundError(words)


def bind(actor: Actor | None, user: User, what: Change) -> None:
    """Seal what a person signs in with from now on, and record an event that binds the seal.

    The caller holds the row and has asked that it held before the change (require, keeping). If the
    worker noted that the account was refused, that is over.
    """
    db.session.flush()
    user.passkeys_digest = passkeys_digest(user.id)
    user.credentials_seal = Credentials.of(user).seal()
    trail.record(
        CREDENTIALS_BOUND,
        actor=actor,
        subject_type="user",
        subject_id=user.id,
        evidence=seals.evidence_of(user.credentials_seal),
        what=what.value,
    )
    db.session.execute(sa.delete(RefusedAccount).where(RefusedAccount.user_id == user.id))


def bind_new(actor: Actor | None, user: User, what: Change = Change.ACCOUNT) -> None:
    """Bind address and credentials of an account for the first time."""
    user.address_seal = seals.address_seal(user.id, user.email)
    bind(actor, user, what)


@contextmanager
def keeping(actor: Actor | None, user: User, what: Change) -> Iterator[None]:
    """Bind anew what the block changes, if it held before.

    For what has to be possible in any case, such as ending sessions: what did not hold stays
    refused. The caller holds the row.
    """
    is_sound = fault_of(user) is None
    yield
    if is_sound:
        bind(actor, user, what)


@dataclass(frozen=True, slots=True)
class Judged:
    """An account, and why it is refused; fault None where it isn't."""

    user_id: UUID
    email: str
    fault: Fault | None


def judge(wanted: "sa.Select[User]") -> list[Judged]:
    """Judge the accounts that a query finds, in its order, in two statements; logs nothing.

    Not scoped: for the health of the instance.
    """
    last = activity.evidence_of_last(CREDENTIALS_BOUND, "user", User.__table__.c.id)
    fresh = {"populate_existing": True}
    rows = db.session.execute(
        wanted.add_columns(last.correlate(User.__table__).scalar_subquery()).execution_options(
            **fresh
        )
    ).all()
    own: dict[UUID, list[BoundPasskey]] = defaultdict(list)
    passkeys = sa.select(Passkey).where(Passkey.user_id.in_([user.id for user, _last in rows]))
    for passkey in db.session.scalars(passkeys.execution_options(**fresh)):
        own[passkey.user_id].append(BoundPasskey.of(passkey))
    return [
        Judged(
            user.id,
            user.email,
            _judged(user, seals.passkeys_digest(own[user.id]), evidence),
        )
        for user, evidence in rows
    ]


def judge_next(after: UUID | None, portion: int) -> list[Judged]:
    """Judge the accounts that come next by their ids, at most so many; after None the first."""
    wanted = sa.select(User).order_by(User.id).limit(portion)
    return judge(wanted if after is None else wanted.where(User.id > after))


def refused() -> list[tuple[str, Fault]]:
    """Return whose credentials are refused, by address; asks every account, some at a time.

    Not scoped: for tracker check. What it costs grows with the number of people, so pages ask
    what the worker noted (refused_accounts).
    """
    faults: list[tuple[str, Fault]] = []
    after: UUID | None = None
    while True:
        some = judge_next(after, PORTION)
        faults += [(account.email, account.fault) for account in some if account.fault is not None]
        if len(some) < PORTION:
            return sorted(faults)
        after = some[-1].user_id


def passkeys_digest(user_id: UUID) -> str:
    """Return the digest of a person's passkeys as stored."""
    rows = db.session.scalars(sa.select(Passkey).where(Passkey.user_id == user_id))
    return seals.passkeys_digest(map(BoundPasskey.of, rows))


def _fault_of(user: User) -> Fault | None:
    last = activity.last_evidence(CREDENTIALS_BOUND, "user", user.id)
    return _judged(user, passkeys_digest(user.id), last)


def _judged(user: User, passkeys: str, last: str | None) -> Fault | None:
    if user.credentials_seal is None or not seals.is_sealed(user):
        return Fault.NOT_SEALED
    if user.passkeys_digest != passkeys:
        return Fault.OTHER_PASSKEYS
    return None if last == seals.evidence_of(user.credentials_seal) else Fault.NOT_LAST
