"""Passkeys in Flask-Security: its options, its forms with our messages, and what it stores."""

import datetime as dt
from functools import partial
from types import SimpleNamespace
from typing import Any, cast
from uuid import UUID

import sqlalchemy as sa
from flask import abort, after_this_request, request, session, url_for
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_security import SQLAlchemyUserDatastore, WebauthnUtil
from flask_security import webauthn as library
from flask_security.twofactor import is_tf_setup
from flask_security.utils import check_and_get_token_status
from webauthn.helpers.structs import (
    AuthenticatorSelectionCriteria,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.accounts import queries
from tracker.accounts.factors import (
    attempts,
    binding,
    credentials,
    identity_proof,
    passkeys,
)
from tracker.accounts.factors.identity_proof import set_aside_words
from tracker.accounts.models import Passkey, SecurityKind, SignInMethod, User
from tracker.accounts.sign_in import sessions
from tracker.accounts.sign_in.forms import CLOSED, Limited, onward, sent_twice
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.ui.fields import HiddenValueField, LineField
from tracker.ui.form_base import Form
from tracker.ui.proof_fields import ANSWER_LENGTH
from tracker.ui.validators import Required

# How long a browser may take to respond with a passkey.
WITHIN = dt.timedelta(minutes=10)
# The purpose of a challenge, by the Flask-Security view that makes it.
REGISTER, SIGN_IN, CONFIRM = "register", "sign in", "confirm"
PURPOSES = {
    "security.wan_register": REGISTER,
    "security.wan_signin": SIGN_IN,
    "security.wan_verify": CONFIRM,
}
# Where Flask-Security stores who has given the password but not the second factor yet.
PENDING = "tf_user_id"

NOT_TAKEN = _l(
    "Your device didn't create a passkey that works here. Try again, or use another device."
)
NOT_KNOWN = _l("We don't know this passkey. It may have been removed.")
NOT_YOURS = _l("This passkey belongs to another person.")
NO_ANSWER = _l("Your passkey didn't answer as it should. Try again.")


# Sent with every page: the signed-in person.
_WHO = sa.select(User).where(User.fs_uniquifier == sa.bindparam("fs_uniquifier"))


class Store(SQLAlchemyUserDatastore):
    """Flask-Security's store of people; new passkeys are added by our own service function."""

    def find_user(self, case_insensitive: bool = False, **by: Any) -> Any:  # noqa: FBT001, FBT002
        """Return a person by an attribute, or None; our own query for each request."""
        if "fs_uniquifier" in by:
            return db.session.scalar(_WHO, by)
        return super().find_user(case_insensitive, **by)

    def create_webauthn(self, user: Any, **credential: Any) -> None:  # type: ignore[override] # by name
        """Add a passkey to a person's account; the view commits."""
        credentials.add(
            Actor(user_id=user.id, name=user.name, email=user.email),
            credentials.NewPasskey(
                name=credential["name"],
                credential_id=credential["credential_id"],
                public_key=credential["public_key"],
                sign_count=credential["sign_count"],
                transports=[str(way.value) for way in credential["transports"] or ()],
                backed_up=credential["backup_state"],
                device_type=str(credential["device_type"].value),
            ),
        )


class Options(WebauthnUtil):
    """Passkey options for browsers: for this origin, with user verification."""

    def generate_challenge(self, nbytes: int | None = None) -> str:
        """Return a challenge bound to its purpose and to the person, if known."""
        purpose = PURPOSES[request.endpoint or ""]
        return passkeys.bound_challenge(purpose, _person(purpose), nbytes)

    def origin(self) -> str:
        """Return the origin of the pages, as people type it."""
        return passkeys.own_origin().origin

    def registration_options(
        self, user: Any, usage: str, existing_options: dict[str, Any]
    ) -> dict[str, Any]:
        """Ask for a discoverable passkey, which needs no name to be typed."""
        options = super().registration_options(user, usage, existing_options)
        return options | {
            "rp_id": passkeys.own_origin().host,
            "user_display_name": user.name,
            "supported_pub_key_algs": passkeys.ALGORITHMS,
            "timeout": passkeys.PATIENCE,
        }

    def authenticator_selection(self, user: Any, usage: str) -> AuthenticatorSelectionCriteria:
        """Accept any device that verifies its user and stores the passkey itself."""
        wanted = super().authenticator_selection(user, usage)
        wanted.authenticator_attachment = None
        wanted.resident_key = ResidentKeyRequirement.REQUIRED
        wanted.user_verification = UserVerificationRequirement.REQUIRED
        return wanted

    def authentication_options(
        self, user: Any, usage: list[str], existing_options: dict[str, Any]
    ) -> dict[str, Any]:
        """Ask for one of the person's passkeys, if the person is known."""
        options = super().authentication_options(user, usage, existing_options)
        own = passkeys.descriptors(passkeys.usable(user.id)) if user else None
        return options | {
            "rp_id": passkeys.own_origin().host,
            "allow_credentials": own,
            "user_verification": UserVerificationRequirement.REQUIRED,
            "timeout": passkeys.PATIENCE,
        }


class SecondFactor(library.WebAuthnTfPlugin):
    """A passkey after the password, for people without an app; the code page offers it too."""

    def get_setup_methods(self, user: Any) -> list[tuple[str, str]]:
        """Return the passkey if it is the only second factor."""
        return [] if is_tf_setup(user) or not user.has_passkey else [("webauthn", "webauthn")]


class NewPasskeyForm(Form, library.WebAuthnRegisterForm):
    """The name of a new passkey."""

    name = LineField(
        _l("Name of the passkey"),
        [Required(_l("Give the passkey a name"))],
        most=credentials.NAME_LENGTH,
        description=_l("So that you recognise it, for example: my phone."),
    )
    usage = cast("Any", SimpleNamespace(data=Passkey.usage))

    def validate(self, **_options: Any) -> bool:
        """Check that the name is free."""
        if not Form.validate(self):
            return False
        try:
            self.clean_name = credentials.free_name(current_user.id, self.name.data or "")
        except RuleBrokenError as error:
            self.refuse(error)
            return False
        return True


class MadePasskeyForm(Form, library.WebAuthnRegisterResponseForm):
    """A new passkey, as the browser created it."""

    credential = HiddenValueField(most=ANSWER_LENGTH)
    extensions = ""

    def validate(self, **_options: Any) -> bool:
        """Accept it if it answers a challenge made for exactly this person."""
        bound = passkeys.is_bound(self.challenge, REGISTER, current_user.fs_uniquifier)
        taken = Form.validate(self) and bound and self._is_taken()
        if not taken and not self.form_errors:
            self.form_errors.append(str(NOT_TAKEN))
        if onward():
            again = url_for("security.wan_register", next=onward())
            offer = url_for("accounts.after_factor_change", next=onward())
            after_this_request(partial(_go_to, offer if taken else again))
        return taken

    def _is_taken(self) -> bool:
        try:
            binding.require(cast("Any", current_user)._get_current_object())  # noqa: SLF001 -- werkzeug's way
            sent = passkeys.read_new(self.credential.data or "")
            self.name = credentials.free_name(current_user.id, self.name)
            self.registration_verification = passkeys.verify_new(sent, self.challenge.encode())
        except passkeys.NoAnswerError:
            self.form_errors.append(str(NOT_TAKEN))
            return False
        except RuleBrokenError as error:
            self.form_errors.append(str(error))
            return False
        self.transports = list(sent.response.transports or ())
        return True


class _Begin(Form):
    """A button that starts something."""

    user: Any = None

    def validate(self, **_options: Any) -> bool:
        """Check only the token."""
        return bool(Form.validate(self))


class BeginSignInForm(_Begin, library.WebAuthnSigninForm):
    """Starts a sign-in with a passkey, alone or after the password."""

    def validate(self, **_options: Any) -> bool:
        """Remember who has already given the password."""
        self.user = pending() if self.is_secondary else None
        return super().validate()


class BeginConfirmForm(_Begin, library.WebAuthnVerifyForm):
    """Starts confirming with a passkey that this is still the same person."""

    def validate(self, **_options: Any) -> bool:
        """Ask the signed-in person."""
        self.user = current_user
        return super().validate()


class PasskeyAnswerForm(Limited, library.WebAuthnSigninResponseForm):
    """A passkey's response: at sign-in, after the password, or to confirm."""

    credential = HiddenValueField(most=ANSWER_LENGTH)
    # The device has verified its user: nothing more is needed.
    mf_check = True
    cred: Any = None
    user: Any = None
    # Sessions end when they are idle.
    remember = cast("Any", SimpleNamespace(data=False))
    is_guess = True
    can_be_guessed = False
    method = SignInMethod.PASSKEY

    def validate(self, **options: Any) -> bool:
        """Validate, and put messages where Flask-Security's views look for them."""
        if super().validate(**options):
            return True
        self.credential.errors = [*self.credential.errors, *self.form_errors]
        self.form_errors = []
        return False

    def counters(self) -> list[attempts.Counter]:
        """Return the counter for the client."""
        if self.is_verify:
            self.failure = SecurityKind.PROOF_FAILED
        self.sent, self.cred = self._read()
        return [attempts.passkey_client(request.remote_addr)]

    def judge(self) -> bool:
        """Accept the owner of the passkey that answered this page's challenge, if active."""
        if self.sent is None or self.cred is None:
            return self._no(NOT_KNOWN if self.sent else NO_ANSWER)
        purpose = CONFIRM if self.is_verify else SIGN_IN
        expected = _person(purpose) if self.is_verify or self.is_secondary else ""
        self.user = user = self.cred.user
        if expected and user.fs_uniquifier != expected:
            return self._no(NOT_YOURS)
        if not user.active or not queries.may_come_in(user.id):
            self.is_guess = False
            return self._no(CLOSED)
        if binding.fault_of(user) is not None:
            self.is_guess = False
            return self._no(binding.REFUSED)
        if not passkeys.is_bound(self.challenge, purpose, expected):
            return self._no(NO_ANSWER)
        return self._has_answered(self.cred)

    def counts_as_failure(self) -> bool:
        """Don't count twice, nor a suspended account."""
        return self.is_guess

    def person_id(self) -> UUID | None:
        """Return who has to prove it; with only a passkey, whose passkey was tried."""
        if self.is_verify:
            return cast("UUID", current_user.id)
        user = pending() if self.is_secondary else self.user
        return user.id if user else None

    def _has_answered(self, passkey: Passkey) -> bool:
        try:
            self.authentication_verification = passkeys.verify(
                passkey, self.sent, self.challenge.encode()
            )
        except passkeys.NoAnswerError:
            return self._no(NO_ANSWER)
        except passkeys.CountFellBackError as error:
            attempts.note(self.counters())
            identity_proof.set_aside(error.passkey_id)
            self.is_guess = False
            return self._no(set_aside_words())
        if self.is_verify and not sessions.confirm(passkey.user_id):
            abort(sent_twice())
        return True

    def _read(self) -> tuple[Any, Passkey | None]:
        try:
            sent = passkeys.read(self.credential.data or "")
        except passkeys.NoAnswerError:
            return None, None
        return sent, passkeys.find(sent.raw_id)

    def _no(self, words: object) -> bool:
        self.form_errors = [str(words)]
        following = self.next.data or request.args.get("next")
        if following:
            page = "security.wan_verify" if self.is_verify else "security.wan_signin"
            after_this_request(partial(_go_to, url_for(page, next=following)))
        return False


def _go_to(address: str, response: Response) -> Response:
    """Keep the next URL, which Flask-Security's view would lose."""
    if response.location:
        response.location = address
    return response


def pending() -> User | None:
    """Return who has given the password but not the second factor yet."""
    return queries.find_user_by_mark(session.get(PENDING))


def was_given_out(token: str, endpoint: str) -> bool:
    """Return whether a response URL was issued here and for this page; it may have expired."""
    expired, invalid, state = check_and_get_token_status(token, "wan", WITHIN)
    if expired or invalid:
        return bool(expired)
    return ("name" in state) is (endpoint == "security.wan_register_response")


def _person(purpose: str) -> str:
    """Return the marker of the person a challenge is for; empty if the passkey identifies them."""
    if purpose == SIGN_IN:
        return str(session.get(PENDING, ""))
    return cast("User", current_user).fs_uniquifier
