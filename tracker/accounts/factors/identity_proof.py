"""A fresh proof of identity on a form, needed to sign: password with a code, or a passkey."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from tracker.accounts.factors import (
    attempts,
    binding,
    credentials,
    mailed_codes,
    passkeys,
    passwords,
    second_factor,
)
from tracker.accounts.models import SecurityKind, SignInMethod, User
from tracker.accounts.security_log import service as security_log
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError

PASSWORD_TOTP = "password_totp"  # noqa: S105 -- the name of a method
PASSWORD_MAILED_CODE = "password_mailed_code"  # noqa: S105 -- the name of a method
PASSKEY = "passkey"


@dataclass(frozen=True, slots=True)
class Proof:
    """A successful proof of identity: how, when, and for a passkey its complete response."""

    user_id: UUID
    method: str
    at: dt.datetime
    assertion: Mapping[str, str] | None = None


def prove(user_id: UUID, password: str, code: str) -> Proof:
    """Prove a person's identity with password and one-time code (product.md, section 5.3).

    Call it before the first change of the transaction: the code is used up in the caller's
    transaction, but a failure rolls that transaction back and is recorded permanently. What was
    read before can then still be shown, but not changed. Raises RuleBrokenError with the field
    password or code.
    """
    user, counters = _person_who_may_try(user_id)
    if not user.has_app:
        raise RuleBrokenError(_without_app(user), "code")
    _check_password(user, password, counters)
    answer = second_factor.check(user, code)
    if answer is second_factor.Answer.USED:
        _log(user_id, SignInMethod.CODE)
        raise RuleBrokenError(used_words(), "code")
    if answer is second_factor.Answer.WRONG:
        _note(user_id, SignInMethod.CODE, counters)
        raise RuleBrokenError(wrong_words(), "code")
    attempts.forgive(attempts.proof(user_id))
    return Proof(user_id, PASSWORD_TOTP, clock.now())


def prove_by_passkey(user_id: UUID, answer: str, challenge: bytes) -> Proof:
    """Prove a person's identity with a passkey's response to a challenge, once (product.md, 5.3).

    The device has verified its user. As with prove(), a failure rolls the caller's transaction back
    and is recorded permanently. A passkey whose counter went backwards is disabled immediately.
    Raises RuleBrokenError without a field.
    """
    # Earlier failures don't matter: a passkey's response can't be guessed.
    _person(user_id)
    counters = [attempts.proof(user_id)]
    try:
        sent = passkeys.read(answer)
        passkey = passkeys.find(sent.raw_id)
        if passkey is None or passkey.user_id != user_id:
            raise passkeys.OtherPersonError
        passkeys.verify(passkey, sent, challenge)
    except passkeys.NoAnswerError as error:
        _note(user_id, SignInMethod.PASSKEY, counters)
        raise RuleBrokenError(_not_confirmed(error)) from error
    except passkeys.CountFellBackError as error:
        _note(user_id, SignInMethod.PASSKEY, counters)
        set_aside(error.passkey_id)
        raise RuleBrokenError(set_aside_words()) from error
    attempts.forgive(attempts.proof(user_id))
    return Proof(user_id, PASSKEY, clock.now(), passkeys.assertion_of(passkey, sent))


def prove_by_mailed_code(user_id: UUID, subject_id: UUID, password: str, code: str) -> Proof:
    """Prove a person's identity with password and a code mailed for one act.

    Only where the NPM allows it; the caller asks its policy. As with prove(), a failure rolls the
    caller's transaction back and is recorded permanently. Raises RuleBrokenError with the field
    password or mailed_code.
    """
    user, counters = _person_who_may_try(user_id)
    _check_password(user, password, counters)
    row = mailed_codes.waits(user_id, subject_id)
    if row is None or attempts.minutes_to_wait([mailed_codes.tries(row)]):
        raise RuleBrokenError(
            _l("Your codes have expired. Ask for a new one by email"), "mailed_code"
        )
    if not mailed_codes.is_right(row, code):
        _note(user_id, SignInMethod.MAILED_CODE, [*counters, mailed_codes.tries(row)])
        raise RuleBrokenError(_l("This isn't the latest code we emailed you"), "mailed_code")
    if not mailed_codes.use_up(row):
        raise RuleBrokenError(
            _l("This code has already been used. Ask for a new one"), "mailed_code"
        )
    attempts.forgive(attempts.proof(user_id))
    return Proof(user_id, PASSWORD_MAILED_CODE, clock.now())


def set_aside(passkey_id: UUID) -> None:
    """Disable a passkey permanently, whatever becomes of the request that noticed it.

    Apart from failed attempts the only thing that is committed here: the caller's transaction has
    been rolled back.
    """
    credentials.set_aside(passkey_id)
    db.session.commit()


def too_many(minutes: int) -> str:
    """Return the message for too many attempts, with the wait."""
    words: str = ngettext(
        "Too many attempts. Try again in %(num)s minute.",
        "Too many attempts. Try again in %(num)s minutes.",
        minutes,
    )
    return words


def used_words() -> object:
    """Return the message for a code that was already used."""
    return _l("This code has already been used. Wait up to 30 seconds for the next one")


def wrong_words() -> object:
    """Return the message for a code that is wrong or has expired."""
    return _l("The code is wrong or has expired. Enter the one your app shows now")


def set_aside_words() -> object:
    """Return the message for a passkey whose counter went backwards."""
    return _l(
        "This passkey no longer works: its counter went backwards, so somebody may have copied "
        "it. Remove it in your account and set up a new one."
    )


def _person(user_id: UUID) -> User:
    """Return the person; refuse credentials that this application did not bind."""
    user = db.session.get_one(User, user_id)
    binding.require(user, binding.NOTHING_SIGNED)
    return user


def _person_who_may_try(user_id: UUID) -> tuple[User, list[attempts.Counter]]:
    """Return the person, and the counters for failures; refuse after too many of them."""
    counters = [attempts.proof(user_id)]
    minutes = attempts.minutes_to_wait(counters)
    if minutes:
        _log(user_id, SignInMethod.TOO_MANY)
        raise RuleBrokenError(too_many(minutes), "password")
    return _person(user_id), counters


def _note(user_id: UUID, method: SignInMethod, counters: list[attempts.Counter]) -> None:
    """Log a failure, and count it unless there are so many that more would change nothing."""
    if not attempts.minutes_to_wait(counters):
        attempts.note(counters)
    _log(user_id, method)


def _log(user_id: UUID, method: SignInMethod) -> None:
    """Log a failure permanently; rolls the caller's transaction back."""
    security_log.record_apart(SecurityKind.PROOF_FAILED, user_id, detail=method)


def _check_password(user: User, password: str, counters: list[attempts.Counter]) -> None:
    if not passwords.is_right(user, password):
        _note(user.id, SignInMethod.PASSWORD, counters)
        raise RuleBrokenError(_l("That isn't your password"), "password")


def _not_confirmed(error: passkeys.NoAnswerError) -> object:
    match error:
        case passkeys.OtherPersonError():
            return _l("This isn't one of your passkeys. Nothing was signed.")
        case passkeys.UsedAnswerError():
            return _l("This confirmation has already been used. Confirm again.")
    return _l(
        "Your passkey didn't confirm this text and this sentence as shown here. Nothing was "
        "signed. Read the page again, then confirm again."
    )


def _without_app(user: User) -> object:
    if user.has_passkey:
        return _l("You don't have a code app. Confirm with your passkey.")
    return _l("You don't have a second factor yet. Set one up in your account, then come back.")
