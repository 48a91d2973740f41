"""Short-lived codes sent by email, each for one act, used once and stored as a digest."""

import datetime as dt
import hashlib
import hmac
import secrets
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from tracker.accounts import messages, queries
from tracker.accounts.factors import attempts
from tracker.accounts.models import MailedCode, User
from tracker.core import clock, keys
from tracker.core.db import db, delete_batch
from tracker.core.errors import RuleBrokenError

GOOD_FOR = dt.timedelta(minutes=10)
DIGITS = 6


def send(user_id: UUID, subject_id: UUID, address: str) -> None:
    """Mail a person a code for signing one thing, replacing any earlier one; address is the link.

    Call it before the first change of the transaction: each request is recorded permanently. Raises
    RuleBrokenError after too many requests. The caller asks the policy.
    """
    user = db.session.get_one(User, user_id)
    counters = [attempts.mailed(user.email)]
    minutes = attempts.minutes_to_wait(counters)
    if minutes:
        raise RuleBrokenError(_l("You've asked for many codes. Wait a while, then ask again."))
    attempts.note(counters)
    # Two simultaneous requests replace each other's code.
    user = queries.hold(user_id)
    db.session.execute(
        sa.delete(MailedCode)
        .where(MailedCode.user_id == user_id, MailedCode.subject_id == subject_id)
        .execution_options(synchronize_session=False)
    )
    code = "".join(secrets.choice("0123456789") for _ in range(DIGITS))
    row = MailedCode(id=uuid4(), user_id=user_id, subject_id=subject_id, made_at=clock.now())
    row.digest = _digest(row, code)
    db.session.add(row)
    db.session.flush()
    messages.code_for_signing(user, code, GOOD_FOR, address)


def waits(user_id: UUID, subject_id: UUID) -> MailedCode | None:
    """Return the stored record of a mailed code that is still valid, or None."""
    return db.session.scalar(
        sa.select(MailedCode).where(
            MailedCode.user_id == user_id,
            MailedCode.subject_id == subject_id,
            MailedCode.made_at > clock.now() - GOOD_FOR,
        )
    )


def tries(row: MailedCode) -> attempts.Counter:
    """Return the counter for wrong guesses of one code."""
    return attempts.guesses(str(row.id))


def is_right(row: MailedCode, code: str) -> bool:
    """Return whether this is the code that was mailed to this person for this one thing."""
    return hmac.compare_digest(_digest(row, code), row.digest)


def use_up(row: MailedCode) -> bool:
    """Delete the code in the caller's transaction; of two requests only one succeeds."""
    taken = db.session.execute(
        sa.delete(MailedCode)
        .where(MailedCode.id == row.id)
        .returning(MailedCode.id)
        .execution_options(synchronize_session=False)
    ).first()
    db.session.expunge(row)
    return taken is not None


def forget_old() -> int:
    """Delete a batch of codes that are no longer valid (db.delete_batch); for the worker."""
    return delete_batch(MailedCode.id, MailedCode.made_at <= clock.now() - GOOD_FOR)


def _digest(row: MailedCode, code: str) -> str:
    """Return the keyed digest of a code, bound to its row, person, act and time."""
    bound = f"{row.id}|{row.user_id}|{row.subject_id}|{row.made_at.isoformat()}"
    text = f"mailed|{bound}|{code}".encode()
    return hmac.new(keys.current().secret, text, hashlib.sha256).hexdigest()
