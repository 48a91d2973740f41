"""Flask-Security's forms with our fields, messages and limits on attempts.

Some views of the machinery move messages away from their fields, so that nobody learns from them
who has an account. What a person left blank or mistyped is no secret: it is put back by settle().
"""

import re
from typing import Any, cast

from flask import after_this_request, current_app, request
from flask_babel import lazy_gettext as _l
from flask_login import confirm_login, current_user
from flask_security import forms as library
from flask_security.recovery_codes import MfRecoveryForm
from flask_security.utils import validate_redirect_url
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
from tracker.accounts.models import User
from tracker.core.db import db
from tracker.ui.fields import ChoiceField, CodeField, EmailField, LineField, PasswordField
from tracker.ui.form_base import Form
from tracker.ui.validators import Required

NOT_RIGHT = _l("The email address or the password is not right.")
CLOSED = _l("Your account is closed for now. Ask an administrator of your instance.")
# A path of this very place. Browsers take a backslash for a slash, and drop what is not printed.
_OWN_PATH = re.compile(r"/(?![/\\])[!-\[\]-~]*")


def onward() -> str:
    """Return where the person was going, as the address says; empty for elsewhere or nowhere."""
    path = request.args.get("next", "")
    return path if _OWN_PATH.fullmatch(path) else ""


class Limited(Form):
    """A form that proves something: failures are counted, and too many have to wait."""

    missing: dict[str, list[str]]

    def counters(self) -> list[attempts.Counter]:
        """Return what failures of this form count for."""
        raise NotImplementedError

    def judge(self) -> bool:
        """Tell whether the filled-in form proves what it should; put problems beside the fields."""
        raise NotImplementedError

    def validate(self, **_options: Any) -> bool:
        """Look at the fields, then at the limits, then at the proof itself."""
        self.missing = {}
        if not Form.validate(self):
            self.missing = {field.short_name: list(field.errors) for field in self if field.errors}
            return False
        counters = self.counters()
        minutes = attempts.minutes_to_wait(counters)
        if minutes:
            self.form_errors = [too_many(minutes)]
            return False
        if self.judge():
            return True
        if self.counts_as_failure():
            attempts.note(counters)
        return False

    def counts_as_failure(self) -> bool:
        """Tell whether the failure was a guess."""
        return True

    def settle(self) -> None:
        """Put back what the views moved away, just before the page is made."""
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
        del self.remember  # a session ends when nobody uses it
        self.password.description = ""

    def validate_next(self, field: Any) -> None:
        """Forget an address outside this application."""
        if field.data and not validate_redirect_url(field.data):
            field.data = ""

    def counters(self) -> list[attempts.Counter]:
        """Count for the address typed and for the client."""
        return [attempts.account(_typed(self.email)), attempts.client(request.remote_addr)]

    def judge(self) -> bool:
        """Let in who has an open account, the right password and a role that runs today."""
        user = queries.find_user_by_email(_typed(self.email))
        if not passwords.is_right(user or User(), _typed(self.password)):
            self.form_errors = [str(NOT_RIGHT)]
            return False
        self.user = cast("Any", user)
        if not user or not user.active or not _has_a_role(user):
            self.closed = True
            self.form_errors = [str(CLOSED)]
            return False
        if _is_refused(self, user):
            self.closed = True
            return False
        return True

    def counts_as_failure(self) -> bool:
        """A right password for an account that is closed or refused is no guess."""
        return not self.closed


class CodeForm(Limited, library.TwoFactorVerifyCodeForm):
    """The one-time code after the password."""

    code = CodeField(_l("Six-digit code from your app"), [Required(_l("Enter the six-digit code"))])
    outcome = Answer.WRONG

    def counters(self) -> list[attempts.Counter]:
        """Count for the account and for the client."""
        return _counters(self.user)

    def judge(self) -> bool:
        """Ask whether the code is the one of this moment; who has no app has none."""
        if _is_refused(self, self.user):
            self.outcome = Answer.USED  # no guess
            return False
        if not self.tf_totp_secret:
            return _code_is_right(self, Answer.WRONG)
        self.outcome = _totp().answer(
            _typed(self.code), self.tf_totp_secret, cast("User", self.user)
        )
        return _code_is_right(self, self.outcome)

    def counts_as_failure(self) -> bool:
        """A code that was used already is no guess."""
        return self.outcome is Answer.WRONG


class RecoveryForm(Limited, MfRecoveryForm):
    """A recovery code in place of the one-time code."""

    code = LineField(_l("Recovery code"), [Required(_l("Enter a recovery code"))])
    refused = False

    def counters(self) -> list[attempts.Counter]:
        """Count for the account and for the client."""
        return _counters(self.user)

    def judge(self) -> bool:
        """Ask whether the code is one of those unused."""
        codes = current_app.extensions["security"].mf_recovery_codes_util
        is_one = codes.check_recovery_code(self.user, _typed(self.code))
        if _is_refused(self, self.user):
            self.refused = True
            return False
        if is_one:
            return True
        self.code.errors = [str(_l("This is none of your unused recovery codes"))]
        return False

    def counts_as_failure(self) -> bool:
        """A code of an account that is refused is no guess."""
        return not self.refused


class NoRescueForm(Form, library.TwoFactorRescueForm):
    """The machinery's other ways out, none of which is used: its page stays closed."""

    help_setup = ChoiceField(choices=[])


class ConfirmIdentityForm(Limited, library.VerifyForm):
    """Password, and a code from people with a second factor, before something sensitive."""

    password = PasswordField(_l("Password"), [Required(_l("Enter your password"))])
    code = CodeField(_l("Six-digit code from your app"))
    outcome = Answer.WRONG

    def __init__(self, *args: Any, user: Any, **kw: Any) -> None:
        super().__init__(*args, user=user, **kw)
        if not user.has_app:
            del self.code

    def validate_next(self, field: Any) -> None:
        """Forget an address outside this application."""
        if field.data and not validate_redirect_url(field.data):
            field.data = ""

    def counters(self) -> list[attempts.Counter]:
        """Count for the account and for the client."""
        return _counters(self.user)

    def judge(self) -> bool:
        """Ask for both; afterwards the session counts as this browser's own again."""
        user = cast("User", _plain(self.user))
        if _is_refused(self, user):
            return False
        if user.has_passkey and not user.has_app:
            self.form_errors = [str(_l("Confirm with your passkey. The password is not enough."))]
            return False
        if not passwords.is_right(user, _typed(self.password)):
            self.password.errors = [str(_l("This is not your password"))]
            return False
        if self.code is not None:
            self.outcome = second_factor.check(user, _typed(self.code))
            if not _code_is_right(self, self.outcome):
                return False
        confirm_login()
        return True

    def counts_as_failure(self) -> bool:
        """A code that was used already is no guess, nor is a password that is not asked for."""
        return self.outcome is not Answer.USED and not self.form_errors


class ForgottenForm(Limited, library.ForgotPasswordForm):
    """The address to which a link for a new password goes."""

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
        """Count the request whoever asks; the view says the same for an unknown address."""
        valid = super().validate(**options)
        if self.missing:
            # The view takes messages off the field; one above the form keeps it from going on.
            self.form_errors = [""]
        return valid

    def judge(self) -> bool:
        """Count, then look for the account."""
        typed = _typed(self.email)
        attempts.note(self.counters())
        user = queries.find_user_by_email(typed)
        self.user = cast("Any", user)
        if user is None or not user.active or _is_refused_in_secret(user):
            self.email.errors = [str(NOT_RIGHT)]
            return False
        return True

    def counts_as_failure(self) -> bool:
        """It was counted already."""
        return False


class NewPasswordForm(Form, library.ResetPasswordForm):
    """A new password, by a link from a mail."""

    password = PasswordField(
        _l("New password"),
        [Required(_l("Enter a new password"))],
        autocomplete="new-password",
    )
    password_confirm = PasswordField(
        _l("New password once more"),
        [Required(_l("Enter the new password once more"))],
        autocomplete="new-password",
    )

    def validate(self, **_options: Any) -> bool:
        """Ask for the same twice, and for a good one."""
        if not Form.validate(self) or _is_refused(self, binding.hold(_plain(self.user).id)):
            return False
        return _new_password_is_good(self.password, self.password_confirm, self.user)


class ChangePasswordForm(Limited, library.ChangePasswordForm):
    """The password of now, and a new one."""

    password = PasswordField(_l("Your password now"), [Required(_l("Enter your password of now"))])
    new_password = PasswordField(
        _l("New password"),
        [Required(_l("Enter a new password"))],
        autocomplete="new-password",
    )
    new_password_confirm = PasswordField(
        _l("New password once more"),
        [Required(_l("Enter the new password once more"))],
        autocomplete="new-password",
    )
    guessed = False

    def counters(self) -> list[attempts.Counter]:
        """Count for the account and for the client."""
        return _counters(current_user)

    def judge(self) -> bool:
        """Ask for the right one, and for a good new one that is another."""
        user = binding.hold(_plain(current_user).id)
        if _is_refused(self, user):
            return False
        if not passwords.is_right(user, _typed(self.password)):
            self.guessed = True
            self.password.errors = [str(_l("This is not your password"))]
            return False
        if passwords.is_right(user, _typed(self.new_password)):
            self.new_password.errors = [str(_l("Choose another password than the one of now"))]
            return False
        return _new_password_is_good(self.new_password, self.new_password_confirm, user)

    def counts_as_failure(self) -> bool:
        """Only a wrong password of now is a guess."""
        return self.guessed


def _typed(field: Any) -> str:
    return str(field.data or "")


def _has_a_role(user: User) -> bool:
    return queries.may_come_in(user.id)


def _is_refused(form: Form, user: Any) -> bool:
    """Tell whether what the person signs in with was not bound here; say so above the form."""
    if binding.fault_of(_plain(user)) is None:
        return False
    form.form_errors = [str(binding.REFUSED)]
    return True


def _is_refused_in_secret(user: User) -> bool:
    """Send the same by mail to the person alone: the page never reveals who has an account."""
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
    """Return the person behind the request's proxy."""
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
    problems = passwords.problems(first.data, name=user.name, email=user.email)
    if problems:
        first.errors = problems
        return False
    if first.data != second.data:
        second.errors = [str(_l("Enter the same password twice"))]
        return False
    first.data = passwords.normalize(first.data)
    return True
