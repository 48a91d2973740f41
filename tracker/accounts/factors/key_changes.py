"""Accounts after the key of the trail or of second factors was changed: each is bound again.

Accounts whose credentials are refused stay as they are, and stay refused.
"""

import enum
from uuid import UUID

import sqlalchemy as sa

from tracker.accounts.factors import binding, seals, second_factor
from tracker.accounts.factors.binding import Change
from tracker.accounts.models import User
from tracker.core import crypto
from tracker.core.db import db, reading


class Outcome(enum.Enum):
    """What became of an account."""

    DONE = "done"
    REFUSED = "refused"
    # Somebody changed it at this moment.
    LATER = "later"


def has_other_seal(number: int) -> sa.ColumnElement[bool]:
    """Return the condition for accounts that are not sealed under a trail key, from number 2."""
    prefix = crypto.code_prefix(number)
    return sa.or_(
        ~User.credentials_seal.startswith(prefix, autoescape=True),
        ~User.address_seal.startswith(prefix, autoescape=True),
    )


def has_other_secret(number: int) -> sa.ColumnElement[bool]:
    """Return the condition for accounts whose app's secret is not under a key, from number 2."""
    return ~User.tf_totp_secret.contains(second_factor.key_mark(number), autoescape=True)


def has_codes() -> sa.ColumnElement[bool]:
    """Return the condition for accounts with recovery codes."""
    codes = sa.type_coerce(User.mf_recovery_codes, sa.Text())
    return sa.func.coalesce(codes, "") != ""


def has_other_codes(number: int) -> sa.ColumnElement[bool]:
    """Return the condition for accounts with recovery codes that are not under a key."""
    codes = sa.type_coerce(User.mf_recovery_codes, sa.Text())
    prefix = second_factor.recovery_prefix(number)
    return sa.and_(has_codes(), ~codes.startswith(prefix, autoescape=True))


def seal_again(user_id: UUID) -> Outcome:
    """Seal an account under the trail key in use; the caller commits."""
    user = binding.hold(user_id)
    if binding.fault_of(user) is not None or not seals.has_own_address(user):
        return Outcome.REFUSED
    user.address_seal = seals.address_seal(user.id, user.email)
    binding.bind(None, user, Change.KEY)
    return Outcome.DONE


def encrypt_again(user_id: UUID) -> Outcome:
    """Encrypt the secret of an app with the key in use; the caller commits.

    The library derives a slow key for each secret, so that is done before the row is locked.
    """
    with reading():
        before = db.session.scalar(sa.select(User.tf_totp_secret).where(User.id == user_id))
    try:
        encrypted = before and second_factor.under_key_in_use(before)
    except (KeyError, ValueError):  # written outside the application
        return Outcome.REFUSED
    user = binding.hold(user_id)
    if user.tf_totp_secret != before:
        return Outcome.LATER
    if binding.fault_of(user) is not None:
        return Outcome.REFUSED
    user.tf_totp_secret = encrypted
    binding.bind(None, user, Change.KEY)
    return Outcome.DONE


def drop_codes(user_id: UUID, number: int) -> Outcome:
    """Delete the recovery codes that are not under a key; the caller commits."""
    user = binding.hold(user_id)
    if binding.fault_of(user) is not None:
        return Outcome.REFUSED
    prefix = second_factor.recovery_prefix(number)
    codes = [code for code in user.mf_recovery_codes or () if code.startswith(prefix)]
    user.mf_recovery_codes = codes
    binding.bind(None, user, Change.RECOVERY_CODES)
    return Outcome.DONE
