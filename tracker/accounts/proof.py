"""A fresh proof of identity on a form: password with one-time code, used for signing."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from tracker.accounts import attempts, passwords, second_factor
from tracker.accounts.models import User
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError

PASSWORD_TOTP = "password_totp"  # noqa: S105 -- the name of a method


@dataclass(frozen=True, slots=True)
class Proof:
    """That a person proved who they are: how, and when."""

    user_id: UUID
    method: str
    at: dt.datetime


def prove(user_id: UUID, password: str, code: str) -> Proof:
    """Prove a person's identity by password and one-time code (product.md, section 5.3).

    Call it before the first change of the transaction: the code is used up in the caller's
    transaction, but a failure gives that transaction up and counts for good. What was read
    before can then still be shown, but not changed. Raises RuleBrokenError with the field
    password or code.
    """
    user = db.session.get_one(User, user_id)
    counters = [attempts.account(user.email)]
    minutes = attempts.minutes_to_wait(counters)
    if minutes:
        raise RuleBrokenError(too_many(minutes), "password")
    if not user.has_second_factor:
        raise RuleBrokenError(
            _l("You have no second factor yet. Set one up in your account, then come back."), "code"
        )
    if not passwords.is_right(user, password):
        attempts.note(counters)
        raise RuleBrokenError(_l("This is not your password"), "password")
    answer = second_factor.check(user, code)
    if answer is second_factor.Answer.USED:
        raise RuleBrokenError(used_words(), "code")
    if answer is second_factor.Answer.WRONG:
        attempts.note(counters)
        raise RuleBrokenError(wrong_words(), "code")
    attempts.forgive(user.email)
    return Proof(user_id, PASSWORD_TOTP, clock.now())


def too_many(minutes: int) -> str:
    """Return the words for too many attempts, with the wait."""
    words: str = ngettext(
        "Too many attempts. Try again in %(num)s minute.",
        "Too many attempts. Try again in %(num)s minutes.",
        minutes,
    )
    return words


def used_words() -> object:
    """Return the words for a code that was used already."""
    return _l("This code was used already. Wait for the next one, up to half a minute")


def wrong_words() -> object:
    """Return the words for a code that is wrong or has run out."""
    return _l("The code is wrong or has run out. Enter the one your app shows now")
