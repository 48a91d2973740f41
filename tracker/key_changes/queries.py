"""What is written under each key that can be changed, and how much under an earlier one."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute

from tracker.accounts.factors import key_changes as accounts
from tracker.accounts.models import SecurityLogEntry, TelephoneNumber, User, UserSession
from tracker.accounts.people import sessions, telephones
from tracker.accounts.security_log import entry_origins
from tracker.activity import seals as chains
from tracker.activity.models import Chain
from tracker.cooperations import keys as cooperation_keys
from tracker.cooperations.models import CooperationKey
from tracker.core import crypto, keys
from tracker.core.db import db
from tracker.evidence.keys import signing_keys
from tracker.mail import models as mail
from tracker.mail.models import OutboxMessage
from tracker.notifications import models as notifications
from tracker.notifications.models import Notification


@dataclass(frozen=True, slots=True)
class Field:
    """A column that is encrypted with the key of fields.

    context is called with the row's columns: its own key, and what else it is encrypted for.
    """

    name: str
    column: InstrumentedAttribute[Any]
    columns: tuple[InstrumentedAttribute[Any], ...]
    context: Callable[..., str]

    def is_of_another_key(self, number: int) -> sa.ColumnElement[bool]:
        """Return the condition for rows that are not under the key with a number, from 2."""
        prefix = crypto.field_prefix(number)
        begins = sa.func.substr(self.column, 1, len(prefix), type_=sa.LargeBinary())
        return sa.and_(self.column.is_not(None), begins != prefix)


FIELDS = (
    Field(
        "keys of cooperations",
        CooperationKey.wrapped,
        (CooperationKey.cooperation_id,),
        cooperation_keys.context_of,
    ),
    Field("queued mails", OutboxMessage.sealed_body, (OutboxMessage.id,), mail.body_context),
    Field(
        "notifications",
        Notification.sealed_words,
        (Notification.id,),
        notifications.words_context,
    ),
    Field(
        "sessions",
        UserSession.sealed_origin,
        (UserSession.id, UserSession.user_id),
        sessions.origin_context,
    ),
    Field(
        "telephone numbers",
        TelephoneNumber.sealed_number,
        (TelephoneNumber.user_id,),
        telephones.number_context,
    ),
    Field(
        "entries of the security log",
        SecurityLogEntry.sealed_origin,
        (SecurityLogEntry.id, SecurityLogEntry.user_id),
        entry_origins.context_of,
    ),
)
SEALED_CHAINS, SEALED_ACCOUNTS = "chains", "accounts"
APPS, RECOVERY_CODES = "apps", "people with recovery codes"
EVIDENCE_KEYS = "files of evidence keys"
# The keys that can be changed, by what commands and messages call them: the names of their files.
NAMES = {"fields": "fields", "trail": "trail", "factors": "totp"}
_WORDS = {name: word for word, name in NAMES.items()}


@dataclass(frozen=True, slots=True)
class Part:
    """What is written under a key: how many values, and how many are under an earlier key."""

    name: str
    total: int
    left: int


@dataclass(frozen=True, slots=True)
class State:
    """A key that is being changed: its name and number, and what is written under it.

    It is only prepared if nothing is written under it yet.
    """

    name: str
    number: int
    parts: tuple[Part, ...] = ()
    is_prepared: bool = False

    @property
    def word(self) -> str:
        """What commands and messages call the key."""
        return _WORDS[self.name]

    @property
    def left(self) -> int:
        """How many values are under an earlier key."""
        return sum(part.left for part in self.parts)

    @property
    def percent(self) -> int:
        """How much is under the new key; 100 only if everything is."""
        total = sum(part.total for part in self.parts)
        return 100 * (total - self.left) // total if total else 100


def states() -> list[State]:
    """Return the keys that are being changed or prepared; sends no query if there are none."""
    own = keys.current()
    changing = []
    for name in keys.NUMBERED:
        number, numbers = own.number(name), set(own.of(name))
        if min(numbers) < number:
            changing.append(State(name, number, parts(name, number)))
        elif max(numbers) > number:
            changing.append(State(name, max(numbers), is_prepared=True))
    return changing


def parts(name: str, number: int) -> tuple[Part, ...]:
    """Return what is written under a key, and how much is not yet under its number, from 2."""
    if name == "fields":
        fields = (
            _part(field.name, field.column.is_not(None), field.is_of_another_key(number))
            for field in FIELDS
        )
        return (*fields, Part(EVIDENCE_KEYS, *signing_keys.count_files(number)))
    if name == "trail":
        return (
            _part(SEALED_CHAINS, Chain.id.is_not(None), chains.is_of_another_key(number)),
            _part(
                SEALED_ACCOUNTS,
                User.credentials_seal.is_not(None),
                accounts.has_other_seal(number),
            ),
        )
    return (
        _part(APPS, User.tf_totp_secret.is_not(None), accounts.has_other_secret(number)),
        _part(RECOVERY_CODES, accounts.has_codes(), accounts.has_other_codes(number)),
    )


def _part(name: str, every: sa.ColumnElement[bool], left: sa.ColumnElement[bool]) -> Part:
    count = sa.func.count()
    total = db.session.scalar(sa.select(count).where(every)) or 0
    return Part(name, total, db.session.scalar(sa.select(count).where(every, left)) or 0)
