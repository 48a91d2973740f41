"""Binding of credentials to the person they belong to, and refusal of any set elsewhere.

Whoever sets or changes credentials locks the person's row, checks that it was valid before, and
binds it again: with a seal in the row (accounts.factors.seals), and an event with the seal's
digest. The seal detects what was copied from another row or made up; the event detects an older row
that was restored as a whole.
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

# How many accounts are checked at a time.
PORTION = 200

REFUSED = _l(
    "The details you sign in with were changed outside this application, so they can't be used. "
    "Ask an administrator, or a manager of your organisation, to reset them."
)
NOTHING_SIGNED = _l("%(why)s Nothing was signed.", why=REFUSED)


class Change(enum.StrEnum):
    """What was set or changed, as the event records it."""

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
    KEY = "key"


class Fault(enum.StrEnum):
    """The reason why credentials are refused."""

    NOT_SEALED = "the row holds what was not sealed for this person"
    OTHER_PASSKEYS = "the passkeys are not those that were sealed"
    NOT_LAST = "the row is not what the last event binds: it was put back"


class NotBoundError(RuleBrokenError):
    """Raised when credentials were not set by this application."""


def hold(user_id: UUID) -> User:
    """Return a person with the row locked until the transaction ends; for changes of accounts."""
    return db.session.scalars(
        sa.select(User)
        .where(User.id == user_id)
        .with_for_update(of=User)
        .execution_options(populate_existing=True)
    ).one()


def hold_for_use(user_id: UUID) -> None:
    """Lock a person's row while a credential is used or a session begins or ends.

    Whoever changes a person locks the row first (hold), then changes passkeys and sessions. With
    the same order here, neither waits for what the other has locked. Rows that refer to the person
    can still be added meanwhile.
    """
    db.session.execute(sa.select(User.id).where(User.id == user_id).with_for_update(key_share=True))


def fault_of(user: User) -> Fault | None:
    """Return what is wrong with a person's credentials; log it, without any of their values."""
    fault = _fault_of(user)
    if fault is not None:
        note(user, fault)
    return fault


def note(user: User, fault: Fault) -> None:
    """Log that a person's credentials are refused, and why."""
    logger.error("The credentials of account %s are refused: %s.", user.id, fault.value)


def require(user: User, words: object = REFUSED) -> None:
    """Raise NotBoundError if the credentials were not bound to this person here."""
    if fault_of(user) is not None:
        raise NotBoundError(words)


def bind(actor: Actor | None, user: User, what: Change) -> None:
    """Seal the person's current credentials, and record an event that binds the seal.

    The caller has locked the row and checked that it was valid before the change (require,
    keeping). If the worker had recorded the account as refused, that record is deleted.
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
    """Bind the address and credentials of a new account."""
    user.address_seal = seals.address_seal(user.id, user.email)
    bind(actor, user, what)


@contextmanager
def keeping(actor: Actor | None, user: User, what: Change) -> Iterator[None]:
    """Bind what the block changes, if the credentials were valid before.

    For what must always be possible, such as ending sessions: credentials that were not valid stay
    refused. The caller has locked the row.
    """
    is_sound = fault_of(user) is None
    yield
    if is_sound:
        bind(actor, user, what)


@dataclass(frozen=True, slots=True)
class Judged:
    """An account, and why it is refused; fault is None if it isn't."""

    user_id: UUID
    email: str
    fault: Fault | None


def judge(wanted: "sa.Select[User]") -> list[Judged]:
    """Check the accounts that a query finds, in its order, in two queries; logs nothing.

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
    """Check a limited number of accounts in the order of their ids, after one or from the first."""
    wanted = sa.select(User).order_by(User.id).limit(portion)
    return judge(wanted if after is None else wanted.where(User.id > after))


def refused() -> list[tuple[str, Fault]]:
    """Return the accounts whose credentials are refused, by address; checks all, in batches.

    Not scoped: for tracker check. The cost grows with the number of people, so pages read what the
    worker recorded (refused_accounts).
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
    """Return the digest of a person's passkeys as they are in the database."""
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
