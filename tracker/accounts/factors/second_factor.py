"""The second factor: time-based codes that work once, and recovery codes stored as digests."""

import enum
import hashlib
import hmac
import json
from dataclasses import dataclass
from typing import Any, cast

import sqlalchemy as sa
from flask import current_app, has_request_context
from flask_security import MfRecoveryCodesUtil, Totp
from flask_security.utils import check_and_get_token_status
from passlib.exc import TokenError, UsedTokenError
from passlib.totp import TOTP, AppWallet, TotpMatch
from sqlalchemy.orm.attributes import set_committed_value

from tracker.access.actor import Actor
from tracker.access.gate import optional_actor
from tracker.accounts.factors import binding
from tracker.accounts.factors.binding import Change
from tracker.accounts.models import User
from tracker.activity import service as trail
from tracker.activity.verbs import RECOVERY_CODES_MADE
from tracker.core import clock, keys, slow_work
from tracker.core.db import db
from tracker.core.keys import KeyMissingError
from tracker.ui import qr_code

# How far a phone's clock may be off, in seconds.
SKEW = 30
SETUP = "tf_setup"
SETUP_WITHIN = "SECURITY_TWO_FACTOR_SETUP_WITHIN"


class Answer(enum.Enum):
    """The result of checking a code."""

    RIGHT = "right"
    USED = "used"
    WRONG = "wrong"


@dataclass(frozen=True, slots=True)
class Setup:
    """What a person needs to set up an app: the QR code to scan, the key to type, the token."""

    picture: str
    key: str
    token: str


@dataclass(frozen=True, slots=True)
class CurrentCode:
    """The code an app shows now, how many seconds it lasts, and whether it was used."""

    code: str
    seconds: int
    used: bool


class OnceTotp(Totp):
    """Time-based codes that work once, using core.clock.

    The last used time step is stored in the person's row. It is claimed by a comparison in the
    database, so that of two requests with the same code only one succeeds. Secrets are encrypted
    with the instance's key in use and say its number, so earlier keys can be read.
    """

    def __init__(self, secrets: Any, issuer: str) -> None:
        """Set up as the library does; its own secrets are not used."""
        super().__init__(secrets, issuer)
        self._codes: tuple[keys.Keys, type[TOTP]] | None = None

    @property
    def _totp(self) -> type[TOTP]:
        """The factory of codes with the keys in use now."""
        own = keys.current()
        if self._codes is None or self._codes[0] is not own:
            secrets = {str(number): key.hex() for number, key in own.of("totp").items()}
            wallet = AppWallet(secrets, default_tag=str(own.number("totp")))
            self._codes = own, TOTP.using(issuer=self._issuer, wallet=wallet)
        return self._codes[1]

    @_totp.setter
    def _totp(self, factory: type[TOTP]) -> None:
        self._issuer = factory.issuer

    def under_key_in_use(self, secret: str) -> str:
        """Return a secret encrypted with the key in use; the same text if it is already.

        Raise KeyError if the file of its key is missing, ValueError if it can't be decrypted.
        """
        if key_number(secret) == keys.current().number("totp"):
            return secret
        return str(self._totp.from_source(secret).to_json(encrypt=True))

    def answer(self, code: str, secret: str, user: User, window: int = SKEW) -> Answer:
        """Check a code, at the time its request arrived; a right one is used up.

        That is in the caller's transaction, which may have begun again after slow work.
        """
        is_own = secret == user.tf_totp_secret
        try:
            match = self._totp.verify(
                code,
                secret,
                time=slow_work.begun_at(),
                window=window,
                last_counter=user.totp_last_step if is_own else None,
            )
        except UsedTokenError:
            return Answer.USED
        except (TokenError, ValueError, KeyError):  # KeyError: the file of its key is missing
            return Answer.WRONG
        return Answer.RIGHT if _take_step(user, match, is_own=is_own) else Answer.USED

    def verify_totp(self, token: str, totp_secret: str, user: Any, window: int = 0) -> bool:
        """Check a code for Flask-Security."""
        return self.answer(str(token), totp_secret, user, window) is Answer.RIGHT

    def generate_totp_password(self, totp_secret: str) -> str:
        """Return the current code."""
        return str(self._totp.from_source(totp_secret).generate(time=clock.now()).token)

    def generate_qrcode(self, username: str, totp: str) -> str:
        """Return the QR code on a white background, so that dark pages can show it too."""
        return qr_code.data_uri(self.get_totp_uri(username, totp))

    def current(self, user: User) -> CurrentCode:
        """Return the current code, how long it lasts, and whether it was used."""
        app: TOTP = self._totp.from_source(_own_secret(user))
        token = app.generate(time=clock.now())
        return CurrentCode(
            code=str(token.token),
            seconds=max(0, int(token.expire_time - clock.now().timestamp())),
            used=user.totp_last_step is not None and token.counter <= user.totp_last_step,
        )


class DigestRecoveryCodes(MfRecoveryCodesUtil):
    """Recovery codes stored as authenticated digests: shown once, never again."""

    def create_recovery_codes(self, user: Any) -> list[str]:
        """Create and return new codes, replacing all earlier ones."""
        person = binding.hold(user.id)
        binding.require(person)
        codes = super().create_recovery_codes(person)
        actor = _actor()
        trail.record(RECOVERY_CODES_MADE, actor=actor, subject_type="user", subject_id=person.id)
        binding.bind(actor, person, Change.RECOVERY_CODES)
        return codes

    def get_recovery_codes(self, user: Any) -> list[str]:  # noqa: ARG002 -- the library's own
        """Return nothing: only digests are stored."""
        return []

    def check_recovery_code(self, user: Any, code: str) -> bool:
        """Return whether a code is one of the unused ones; locks the row."""
        db.session.refresh(user, with_for_update=True)
        return any(_is_digest(code, stored) for stored in user.mf_recovery_codes or ())

    def delete_recovery_code(self, user: Any, code: str) -> bool:
        """Use up the code that check_recovery_code() found."""
        user.mf_recovery_codes = [
            stored for stored in user.mf_recovery_codes or () if not _is_digest(code, stored)
        ]
        own = Actor(user_id=user.id, name=user.name, email=user.email)
        binding.bind(own, user, Change.RECOVERY_CODE_USED)
        return True

    def _encrypt_codes(self, codes: list[str]) -> list[str]:
        return [_digest(code) for code in codes]


def check(user: User, code: str) -> Answer:
    """Check the code of a person with a second factor; a right one is used up."""
    return _machine().answer(code, _own_secret(user), user)


def current_code(user: User) -> CurrentCode:
    """Return the code the person's app shows now; for demonstration accounts and tests."""
    return _machine().current(user)


def begin(user: User, token: str | None = None) -> Setup:
    """Return what is needed to set up an app; with an earlier token, the same again."""
    secret = _secret_of(token, user) if token else None
    if secret is None or token is None:
        secret = _machine().generate_totp_secret()
        token = str(_security().tf_setup_serializer.dumps({"secret": secret, "user": str(user.id)}))
    values = _machine().fetch_setup_values(secret, user)
    return Setup(picture=values["image"], key=values["key"], token=token)


def finish(user: User, token: str, code: str) -> Answer | None:
    """Set the second factor if the code matches the token's secret; None for an old token."""
    secret = _secret_of(token, user)
    if secret is None:
        return None
    answer = _machine().answer(code, secret, user)
    if answer is Answer.RIGHT:
        enrol(user, secret)
    return answer


def enrol(user: User, secret: str | None = None) -> None:
    """Set up a second factor with the secret or a new one, in the caller's transaction.

    Raises NotBoundError if the credentials were changed outside the application.
    """
    person = binding.hold(user.id)
    binding.require(person)
    own = _machine()
    # The key may have changed since the person was shown the secret.
    person.tf_totp_secret = own.under_key_in_use(secret or own.generate_totp_secret())
    person.tf_primary_method = "authenticator"
    binding.bind(_actor(), person, Change.APP)


def make_recovery_codes(user: User) -> list[str]:
    """Create recovery codes, replacing all earlier ones, and return them to be shown once."""
    return list(_security().mf_recovery_codes_util.create_recovery_codes(user))


def _take_step(user: User, match: TotpMatch, *, is_own: bool) -> bool:
    """Claim the time step; of two requests only one succeeds. A new secret starts over."""
    unused = sa.or_(User.totp_last_step.is_(None), User.totp_last_step < match.counter)
    wanted = sa.update(User).where(User.id == user.id, unused if is_own else sa.true())
    taken = db.session.execute(
        wanted.values(totp_last_step=match.counter)
        .returning(User.id)
        .execution_options(synchronize_session=False)
    ).first()
    if taken is None:
        return False
    set_committed_value(user, "totp_last_step", match.counter)
    return True


def _actor() -> Actor | None:
    return optional_actor() if has_request_context() else None


def _own_secret(user: User) -> str:
    if user.tf_totp_secret is None:
        message = "Ask first whether the person has a second factor."
        raise LookupError(message)
    return user.tf_totp_secret


def _secret_of(token: str, user: User) -> str | None:
    expired, invalid, secret = check_and_get_token_status(
        token, SETUP, current_app.config[SETUP_WITHIN]
    )
    if expired or invalid or secret.get("user") != str(user.id):
        return None
    return str(secret["secret"])


def under_key_in_use(secret: str) -> str:
    """Return the secret of an app, encrypted with the key in use (OnceTotp.under_key_in_use)."""
    return _machine().under_key_in_use(secret)


def key_mark(number: int) -> str:
    """Return what the text of each secret contains that is encrypted with a numbered key."""
    return f'"t":"{number}"'


def key_number(secret: str) -> int:
    """Return the number of the key that a secret is encrypted with, as the library writes it.

    Raise ValueError if it is none.
    """
    content = json.loads(secret)
    try:
        return int(content["enckey"]["t"])
    except (KeyError, TypeError) as error:
        raise ValueError("This is no encrypted secret.") from error


def recovery_prefix(number: int) -> str:
    """Return how every digest of a recovery code begins that was made with a numbered key."""
    return "" if number == 1 else f"{number}."


def _digest(code: str) -> str:
    own = keys.current()
    return _digest_with(own.number("totp"), own.totp, code)


def _digest_with(number: int, key: bytes, code: str) -> str:
    plain = "".join(letter for letter in code.lower() if letter.isalnum())
    digest = hmac.new(key, f"recovery|{plain}".encode(), hashlib.sha256).hexdigest()
    return recovery_prefix(number) + digest


def _is_digest(code: str, stored: str) -> bool:
    """Return whether a stored digest is that of a code; not if the file of its key is missing."""
    number, point, _digest_part = stored.partition(".")
    of_key = int(number) if point and number.isdecimal() else 1
    try:
        key = keys.current().numbered("totp", of_key)
    except KeyMissingError:
        return False
    return hmac.compare_digest(_digest_with(of_key, key, code), stored)


def _security() -> Any:
    return current_app.extensions["security"]


def _machine() -> OnceTotp:
    return cast("OnceTotp", _security().totp_factory)
