"""Flask-Security's forms with our fields, messages and limits on attempts.

Some of Flask-Security's views move messages away from their fields, so that nobody learns from them
who has an account. What a person left blank or mistyped is no secret: settle() puts those back.

In one file: each form of the library with the limit on its failures.
"""

from typing import Any, cast
from uuid import UUID

from flask import abort, after_this_request, current_app, redirect, request
from flask_babel import lazy_gettext as _l
from flask_login import current_user
from flask_security import forms as library
from flask_security.recovery_codes import MfRecoveryForm
from werkzeug.wrappers import Response

from tracker.accounts import messages, queries
from tracker.accounts.factors import (
    attempts,
    binding,
    passwords,
    seals,
    second_factor,
)
from tracker.accounts.factors.identity_proof import too_many, used_words, wrong_words
from tracker.accounts.factors.second_factor import Answer, OnceTotp
from tracker.accounts.models import SecurityKind, SignInMethod, User
from tracker.accounts.security_log import service as security_log
from tracker.accounts.sign_in import sessions
from tracker.core.db import db
from tracker.ui.fields import ChoiceField, CodeField, EmailField, LineField, PasswordField
from tracker.ui.form_base import Form
from tracker.ui.validators import Required

NOT_RIGHT = _l("The email address or password is wrong.")
CLOSED = _l("Your account is suspended. Ask an administrator.")


def onward() -> str:
    """Return the next page given in the URL, which is one of ours; empty if there is none."""
    return request.args.get("next", "")


def sent_twice() -> Response:
    """Redirect somebody whose session ended while they confirmed that it's them, without a cookie.

    Whoever sent the form twice has the cookie of the session that the first confirmation began, and
    goes on with it. Anybody else is led to the sign-in page from there.
    """
    sessions.leave_cookie()
    return redirect(request.form.get("next") or onward() or "/", 303)


class Limited(Form):
    """A form that proves something: after too many failures people have to wait."""

    user: Any
    missing: dict[str, list[str]]
    # How the form proves it, and what a failure is in the security log; None: no failure.
    method = SignInMethod.PASSWORD
    failure: SecurityKind | None = SecurityKind.SIGN_IN_FAILED
    # Whether too many failures block even a correct proof for a while.
    can_be_guessed = True

    def counters(self) -> list[attempts.Counter]:
        """Return the counters for failures of this form."""
        raise NotImplementedError

    def judge(self) -> bool:
        """Return whether the form proves what it should; add messages to the fields."""
        raise NotImplementedError

    def validate(self, **_options: Any) -> bool:
        """Validate the fields, then the limits, then the proof itself."""
        self.missing = {}
        if not Form.validate(self):
            self.missing = {field.short_name: list(field.errors) for field in self if field.errors}
            return False
        counters = self.counters()
        minutes = attempts.minutes_to_wait(counters)
        if minutes and self.can_be_guessed:
            self.form_errors = [too_many(minutes)]
            self._log(self.person_id(), SignInMethod.TOO_MANY)
            return False
        if self.judge():
            return True
        person_id = self.person_id()
        if self.counts_as_failure() and not minutes:
            attempts.note(counters)
        if self.is_logged():
            self._log(person_id, self.method)
        return False

    def person_id(self) -> UUID | None:
        """Return whose account a failure is about, if known."""
        return self.user.id if self.user else None

    def is_logged(self) -> bool:
        """Return whether a failure is logged: every failed proof, counted as a guess or not."""
        return True

    def _log(self, person_id: UUID | None, method: SignInMethod) -> None:
        """Log a failure permanently, as attempts.note() does."""
        if self.failure is not None:
            security_log.record_apart(self.failure, person_id, detail=method)

    def counts_as_failure(self) -> bool:
        """Return whether the failure was a guess."""
        return True

    def settle(self) -> None:
        """Restore the messages that the views moved away, just before the page is rendered."""
        for name, message in getattr(self, "missing", {}).items():
            self[name].errors = message
        if getattr(self, "missing", {}):
            self.form_errors = []


class SignInForm(Limited, library.LoginForm):
    """Email address and password."""

    email = EmailField(
        _l("Email address"), [Required(_l("Enter the email address"))], autocomplete="username"
    )
    password = PasswordField(_l("Password"), [Required(_l("Enter your password"))])
    closed = False

    def __init__(self, *args: Any, **kw: Any) -> None:
        super().__init__(*args, **kw)
        del self.remember  # sessions end when they are idle
        self.password.description = ""

    def counters(self) -> list[attempts.Counter]:
        """Return the counters for the address typed and for the client."""
        return [attempts.account(_typed(self.email)), attempts.client(request.remote_addr)]

    def judge(self) -> bool:
        """Accept a person with an active account, the right password and a current role."""
        user = queries.find_user_by_email(_typed(self.email))
        if not passwords.is_right(user or User(), _typed(self.password)):
            self.form_errors = [str(NOT_RIGHT)]
            return False
        self.user = cast("Any", user)
        if not user or not user.active or not _has_a_role(user):
            self._close()
            self.form_errors = [str(CLOSED)]
            return False
        if _is_refused(self, user):
            self._close()
            return False
        sessions.note_password(user.fs_uniquifier)
        return True

    def counts_as_failure(self) -> bool:
        """Don't count the right password for a suspended or refused account."""
        return not self.closed

    def person_id(self) -> UUID | None:
        """Return who has the address typed, if anybody has."""
        user = queries.find_user_by_email(_typed(self.email))
        return user.id if user else None

    def _close(self) -> None:
        self.closed, self.method = True, SignInMethod.CLOSED


class CodeForm(Limited, library.TwoFactorVerifyCodeForm):
    """The one-time code after the password."""

    method = SignInMethod.CODE
    code = CodeField(_l("Six-digit code from your app"), [Required(_l("Enter the six-digit code"))])
    outcome = Answer.WRONG

    def counters(self) -> list[attempts.Counter]:
        """Return the counters for the account and for the client."""
        return _counters(self.user)

    def judge(self) -> bool:
        """Accept the current code; a person without an app has none."""
        if _is_refused(self, self.user):
            self.outcome = Answer.USED  # not a guess
            return False
        if not self.tf_totp_secret:
            return _code_is_right(self, Answer.WRONG)
        self.outcome = _totp().answer(
            _typed(self.code), self.tf_totp_secret, cast("User", self.user)
        )
        return _code_is_right(self, self.outcome)

    def counts_as_failure(self) -> bool:
        """Don't count a code that was already used."""
        return self.outcome is Answer.WRONG


class RecoveryForm(Limited, MfRecoveryForm):
    """A recovery code instead of the one-time code."""

    method = SignInMethod.RECOVERY_CODE
    code = LineField(_l("Recovery code"), [Required(_l("Enter a recovery code"))])
    refused = False

    def counters(self) -> list[attempts.Counter]:
        """Return the counters for the account and for the client."""
        return _counters(self.user)

    def judge(self) -> bool:
        """Accept a code that is unused."""
        codes = current_app.extensions["security"].mf_recovery_codes_util
        is_one = codes.check_recovery_code(self.user, _typed(self.code))
        if _is_refused(self, self.user):
            self.refused = True
            return False
        if is_one:
            return True
        self.code.errors = [str(_l("This isn't one of your unused recovery codes"))]
        return False

    def counts_as_failure(self) -> bool:
        """Don't count a code for an account that is refused."""
        return not self.refused


class NoRescueForm(Form, library.TwoFactorRescueForm):
    """Flask-Security's other ways to recover, none of which is used; the page stays disabled."""

    help_setup = ChoiceField(choices=[])


class ConfirmIdentityForm(Limited, library.VerifyForm):
    """Password, and a code if there is a second factor, before a sensitive change."""

    failure = SecurityKind.PROOF_FAILED
    password = PasswordField(_l("Password"), [Required(_l("Enter your password"))])
    code = CodeField(_l("Six-digit code from your app"))
    outcome = Answer.WRONG

    def __init__(self, *args: Any, user: Any, **kw: Any) -> None:
        super().__init__(*args, user=user, **kw)
        if not user.has_app:
            del self.code

    def counters(self) -> list[attempts.Counter]:
        """Return the counter for the signed-in person's proofs."""
        return [attempts.proof(cast("User", self.user).id)]

    def judge(self) -> bool:
        """Check both; afterwards the session belongs to this browser again."""
        user = cast("User", _plain(self.user))
        is_right = self._is_right(user)
        may_repeat = is_right or self.outcome is Answer.USED
        if (may_repeat and sessions.has_ended()) or (is_right and not sessions.confirm(user.id)):
            abort(sent_twice())
        return is_right

    def _is_right(self, user: User) -> bool:
        if _is_refused(self, user):
            return False
        if user.has_passkey and not user.has_app:
            self.form_errors = [str(_l("Confirm with your passkey. The password isn't enough."))]
            return False
        if not passwords.is_right(user, _typed(self.password)):
            self.password.errors = [str(_l("That isn't your password"))]
            return False
        is_right = True
        if self.code is not None:
            self.method = SignInMethod.CODE
            self.outcome = second_factor.check(user, _typed(self.code))
            is_right = _code_is_right(self, self.outcome)
        return is_right

    def counts_as_failure(self) -> bool:
        """Don't count a used code, nor a password that isn't needed."""
        return self.outcome is not Answer.USED and not self.form_errors


class ForgottenForm(Limited, library.ForgotPasswordForm):
    """The address to send a link for a new password to."""

    failure = None
    email = EmailField(
        _l("Email address"), [Required(_l("Enter the email address"))], autocomplete="username"
    )

    def counters(self) -> list[attempts.Counter]:
        """Count every request, for the address typed and for the client."""
        return [
            attempts.reset_account(_typed(self.email)),
            attempts.reset_client(request.remote_addr),
        ]

    def validate(self, **options: Any) -> bool:
        """Count the request whoever makes it; the view says the same for an unknown address."""
        valid = super().validate(**options)
        if self.missing:
            # The view removes the field's messages; one above the form makes it show the form
            # again.
            self.form_errors = [""]
        return valid

    def judge(self) -> bool:
        """Count, then look for the account."""
        typed = _typed(self.email)
        attempts.note(self.counters())
        addressee = queries.find_user_by_email(typed)
        security_log.record_apart(
            SecurityKind.PASSWORD_LINK_REQUESTED, addressee.id if addressee else None
        )
        user = queries.find_user_by_email(typed)
        self.user = cast("Any", user)
        if user is None or not user.active or _is_refused_in_secret(user):
            self.email.errors = [str(NOT_RIGHT)]
            return False
        return True

    def counts_as_failure(self) -> bool:
        """Don't count again: it was counted already."""
        return False


class NewPasswordForm(Form, library.ResetPasswordForm):
    """A new password, through a link from an email."""

    password = PasswordField(
        _l("New password"),
        [Required(_l("Enter a new password"))],
        autocomplete="new-password",
    )
    password_confirm = PasswordField(
        _l("Repeat the new password"),
        [Required(_l("Repeat the new password"))],
        autocomplete="new-password",
    )

    def validate(self, **_options: Any) -> bool:
        """Check that both are the same and the password is good enough."""
        if not Form.validate(self) or _is_refused(self, binding.hold(_plain(self.user).id)):
            return False
        return _new_password_is_good(self.password, self.password_confirm, self.user)


class ChangePasswordForm(Limited, library.ChangePasswordForm):
    """The current password, and a new one."""

    failure = SecurityKind.PROOF_FAILED
    password = PasswordField(_l("Current password"), [Required(_l("Enter your current password"))])
    new_password = PasswordField(
        _l("New password"),
        [Required(_l("Enter a new password"))],
        autocomplete="new-password",
    )
    new_password_confirm = PasswordField(
        _l("Repeat the new password"),
        [Required(_l("Repeat the new password"))],
        autocomplete="new-password",
    )
    guessed = False

    def counters(self) -> list[attempts.Counter]:
        """Return the counter for the signed-in person's proofs."""
        return [attempts.proof(current_user.id)]

    def judge(self) -> bool:
        """Check the current password, and a good new one that differs from it."""
        user = binding.hold(_plain(current_user).id)
        if _is_refused(self, user):
            return False
        if not passwords.is_right(user, _typed(self.password)):
            self.guessed = True
            self.password.errors = [str(_l("That isn't your password"))]
            return False
        if passwords.is_right(user, _typed(self.new_password)):
            self.new_password.errors = [
                str(_l("Choose a password that differs from the current one"))
            ]
            return False
        return _new_password_is_good(self.new_password, self.new_password_confirm, user)

    def counts_as_failure(self) -> bool:
        """Count only a wrong current password."""
        return self.guessed

    def is_logged(self) -> bool:
        """Log only a wrong current password, not a new one that isn't good enough."""
        return self.guessed

    def person_id(self) -> UUID | None:
        """Return who is signed in."""
        return cast("UUID", current_user.id)


def _typed(field: Any) -> str:
    return str(field.data or "")


def _has_a_role(user: User) -> bool:
    return queries.may_come_in(user.id)


def _is_refused(form: Form, user: Any) -> bool:
    """Return whether the credentials were not bound here; say so above the form."""
    if binding.fault_of(_plain(user)) is None:
        return False
    form.form_errors = [str(binding.REFUSED)]
    return True


def _is_refused_in_secret(user: User) -> bool:
    """Return the same, but tell only the person, by email: the page must not reveal accounts."""
    if binding.fault_of(user) is None:
        return False
    if seals.has_own_address(user):
        messages.link_refused(user)
        after_this_request(_commit)
    return True


def _commit(response: Response) -> Response:
    db.session.commit()
    return response


def _counters(user: Any) -> list[attempts.Counter]:
    return [attempts.account(user.email), attempts.client(request.remote_addr)]


def _plain(user: Any) -> Any:
    """Return the person object itself instead of the request's proxy."""
    return user._get_current_object() if hasattr(user, "_get_current_object") else user  # noqa: SLF001 -- werkzeug's way


def _totp() -> OnceTotp:
    return cast("OnceTotp", current_app.extensions["security"].totp_factory)


def _code_is_right(form: Any, answer: Answer) -> bool:
    if answer is Answer.RIGHT:
        return True
    words = used_words() if answer is Answer.USED else wrong_words()
    form.code.errors = [str(words)]
    return False


def _new_password_is_good(first: Any, second: Any, user: Any) -> bool:
    own = queries.names_of_organisations(queries.organisations_of(user.id))
    problems = passwords.problems(first.data, name=user.name, email=user.email, organisations=own)
    if problems:
        first.errors = problems
        return False
    if first.data != second.data:
        second.errors = [str(_l("Enter the same password twice"))]
        return False
    first.data = passwords.normalize(first.data)
    return True
