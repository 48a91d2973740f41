"""Sign-in: Flask-Security's settings, how long a person stays signed in, and the actor.

In one file: one library is set up here, and its settings, hooks and forms refer to each other.
"""

import datetime as dt
from collections.abc import Callable, Mapping
from http import HTTPStatus
from typing import Any, cast
from uuid import UUID

from flask import (
    Flask,
    abort,
    after_this_request,
    current_app,
    flash,
    g,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask_babel import gettext as _
from flask_login import current_user, user_logged_out
from flask_security import (
    MailUtil,
    RoleMixin,
    Security,
    password_changed,
    password_reset,
    tf_plugin,
    user_authenticated,
)
from flask_security.utils import set_request_attr, uia_email_mapper
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.wrappers import Response

from tracker.access.actor import Actor, ActorClearance, ActorMembership
from tracker.access.gate import SAFE_METHODS, mark_endpoint, mark_of, optional_actor
from tracker.accounts import messages, queries
from tracker.accounts.factors import (
    attempts,
    binding,
    credentials,
    passkeys,
    passwords,
    seals,
    second_factor,
)
from tracker.accounts.models import Passkey, SecurityKind, SignInMethod, User
from tracker.accounts.people import sessions as stored_sessions
from tracker.accounts.security_log import service as security_log
from tracker.accounts.sign_in import forms as sign_in_forms
from tracker.accounts.sign_in import passkeys as sign_in_passkeys
from tracker.accounts.sign_in import sessions
from tracker.activity import service as trail
from tracker.activity.verbs import PASSWORD_CHANGED
from tracker.core import clock, keys
from tracker.core.db import db
from tracker.settings import Settings
from tracker.ui import errors

ClearancesOf = Callable[[UUID, dt.date], tuple[ActorClearance, ...]]

RESET_WITHIN = dt.timedelta(hours=1)
FRESH = dt.timedelta(minutes=15)
GRACE = dt.timedelta(0)
SETUP_WITHIN = dt.timedelta(minutes=30)
RECOVERY_CODES = 8

# Flask-Security's views that we use. All of its other views are disabled (404).
PUBLIC_PAGES = (
    "login",
    "logout",
    "two_factor_token_validation",
    "mf_recovery",
    "forgot_password",
    "reset_password",
    "wan_signin",
    "wan_signin_response",
)
SIGNED_IN_PAGES = (
    "verify",
    "change_password",
    "mf_recovery_codes",
    "wan_register",
    "wan_register_response",
    "wan_verify",
    "wan_verify_response",
)
# Pages for signing in; people who are signed in are redirected to the first page.
_ON_THE_WAY_IN = {
    "security.two_factor_token_validation",
    "security.mf_recovery",
    "security.wan_signin",
    "security.wan_signin_response",
}
# The endpoints that receive passkey responses.
_ANSWERS = {
    "security.wan_register_response",
    "security.wan_signin_response",
    "security.wan_verify_response",
}
# The endpoints where somebody who is signed in confirms that it's them.
_CONFIRMING = {"security.verify", "security.wan_verify", "security.wan_verify_response"}
# Endpoints open to people whose role needs a second factor that they have yet to set up.
_ON_THE_WAY_TO_A_SECOND_FACTOR = {
    "accounts.end_sessions",
    "accounts.second_factor_needed",
    "accounts.set_up_second_factor",
    "security.verify",
    "security.wan_register",
    "security.wan_register_response",
}
# How somebody who signs in on a page has just proved who they are. A new password, which begins a
# new session too, is logged as such.
_METHODS = {
    "accounts.accept_invitation": SignInMethod.INVITATION,
    "security.login": SignInMethod.PASSWORD,
    "security.mf_recovery": SignInMethod.RECOVERY_CODE,
    "security.two_factor_token_validation": SignInMethod.CODE,
    "security.wan_signin_response": SignInMethod.PASSKEY,
}

# Blueprints whose pages show nothing of cooperations, so that the security log may name them.
_NAMED_IF_REFUSED = {
    "accounts",
    "authoring",
    "guidance_editing",
    "mail",
    "organisations",
    "oversight",
    "people",
    "security",
    "security_log",
}

# The form that each of Flask-Security's templates shows.
_FORMS = {
    "security/login_user.html": "login_user_form",
    "security/two_factor_verify_code.html": "two_factor_verify_code_form",
    "security/mf_recovery.html": "mf_recovery_form",
    "security/forgot_password.html": "forgot_password_form",
    "security/reset_password.html": "reset_password_form",
    "security/verify.html": "verify_form",
    "security/change_password.html": "change_password_form",
    "security/mf_recovery_codes.html": "mf_recovery_codes_form",
    "security/wan_register.html": "wan_register_form",
    "security/wan_signin.html": "wan_signin_form",
    "security/wan_verify.html": "wan_verify_form",
}


def init_sign_in(app: Flask) -> None:
    """Set up signing in; call it after the database and CSRF protection, before the gate."""
    app.config.update(_settings(app.extensions["settings"], app))
    security = Security(
        app,
        sign_in_passkeys.Store(db, User, RoleMixin, webauthn_model=Passkey),
        login_form=sign_in_forms.SignInForm,
        two_factor_verify_code_form=sign_in_forms.CodeForm,
        two_factor_rescue_form=sign_in_forms.NoRescueForm,
        mf_recovery_form=sign_in_forms.RecoveryForm,
        verify_form=sign_in_forms.ConfirmIdentityForm,
        forgot_password_form=sign_in_forms.ForgottenForm,
        reset_password_form=sign_in_forms.NewPasswordForm,
        change_password_form=sign_in_forms.ChangePasswordForm,
        wan_register_form=sign_in_passkeys.NewPasskeyForm,
        wan_register_response_form=sign_in_passkeys.MadePasskeyForm,
        wan_signin_form=sign_in_passkeys.BeginSignInForm,
        wan_signin_response_form=sign_in_passkeys.PasskeyAnswerForm,
        wan_verify_form=sign_in_passkeys.BeginConfirmForm,
        mail_util_cls=OutboxMail,
        totp_cls=second_factor.OnceTotp,
        webauthn_util_cls=sign_in_passkeys.Options,
        mf_recovery_codes_util_cls=second_factor.DigestRecoveryCodes,
        render_template=_render,
    )
    security.want_json(lambda _request: False)
    _load_people_by_session_only(security)
    for name in PUBLIC_PAGES:
        mark_endpoint(app, f"security.{name}", "public")
    for name in SIGNED_IN_PAGES:
        mark_endpoint(app, f"security.{name}", "signed_in")
    app.before_request(_guard_pages)
    app.after_request(_log_refusal)
    user_authenticated.connect(_signed_in, app)
    user_logged_out.connect(_signed_out, app)
    password_changed.connect(_password_changed, app)
    password_reset.connect(_password_reset, app)


def init_second_factor(app: Flask) -> None:
    """Redirect people who need a second factor to set it up; call it after the gate."""
    app.before_request(_lead_to_second_factor)


# For the application -----------------------------------------------------------------------------


def signed_in_user() -> User | None:
    """Return the person who is signed in."""
    user = current_user
    return cast("User", user._get_current_object()) if user.is_authenticated else None  # noqa: SLF001 -- werkzeug's way to the person behind the proxy


def load_actor(clearances_of: ClearancesOf | None = None) -> Actor | None:
    """Return the actor of this request for the chosen organisation, or None.

    clearances_of returns a person's open clearances on a day; app supplies it.
    """
    user = signed_in_user()
    if user is None:
        return None
    memberships = _memberships(user)
    own = [m.organisation_id for m in memberships if m.organisation_id is not None]
    chosen = sessions.acting_for()
    acting = next(
        (membership for membership in own if str(membership) == chosen), own[0] if own else None
    )
    return Actor(
        user_id=user.id,
        name=user.name,
        email=user.email,
        memberships=memberships,
        organisation_id=acting,
        clearances=clearances_of(user.id, clock.today()) if clearances_of else (),
        has_second_factor=user.has_second_factor,
    )


def unread_notifications() -> int:
    """Return the number of unread notifications of the signed-in person, read with the person."""
    number: int = g.get("unread_notifications", 0)
    return number


def turn_away() -> Response:
    """Redirect to the sign-in page and back; a form that was sent is shown for copying.

    A form leaves the cookie as it is: it may have been sent twice, and the first have brought a new
    session.
    """
    was_signed_in = "_user_id" in session
    ended = g.get("session_ended")
    if request.method not in SAFE_METHODS:
        if was_signed_in and request.endpoint in _CONFIRMING:
            return sign_in_forms.sent_twice()
        sessions.leave_cookie()
        return errors.session_ended()
    if was_signed_in:
        sessions.forget()
    if g.get("credentials_refused"):
        flash(str(binding.REFUSED), "error")
    elif ended is sessions.End.IDLE:
        flash(_("You were signed out because this session wasn't used for a while."), "warning")
    elif was_signed_in:
        flash(_("Your session has ended. Sign in again."), "warning")
    return redirect(url_for("security.login", next=_here()))


def profile_language() -> str | None:
    """Return the language that the signed-in person has set."""
    user = signed_in_user()
    return user.language if user else None


# Flask-Security's configuration ------------------------------------------------------------------


def _settings(settings: Settings, app: Flask) -> dict[str, Any]:
    prefix = "__Host-" if settings.secure else ""
    cookies = {
        "SESSION_COOKIE_NAME": f"{prefix}session",
        "SESSION_COOKIE_SECURE": settings.secure,
        "SESSION_COOKIE_HTTPONLY": True,
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_PATH": "/",
        "SESSION_PROTECTION": "basic",
        "REMEMBER_COOKIE_NAME": f"{prefix}remember",
        "REMEMBER_COOKIE_SECURE": settings.secure,
        "REMEMBER_COOKIE_SAMESITE": "Lax",
        "PERMANENT_SESSION_LIFETIME": dt.timedelta(hours=settings.session_hours),
        # A CSRF token is valid as long as its session.
        "WTF_CSRF_TIME_LIMIT": None,
    }
    machinery = {
        "REGISTERABLE": False,
        "CONFIRMABLE": False,
        "RECOVERABLE": True,
        "CHANGEABLE": True,
        "TWO_FACTOR": True,
        "TWO_FACTOR_ENABLED_METHODS": ["authenticator"],
        "TWO_FACTOR_REQUIRED": False,
        "TWO_FACTOR_ALWAYS_VALIDATE": True,
        "TWO_FACTOR_RESCUE_EMAIL": False,
        "TWO_FACTOR_AUTHENTICATOR_VALIDITY": second_factor.SKEW,
        "TWO_FACTOR_SETUP_WITHIN": SETUP_WITHIN,
        "TWO_FACTOR_IMPLEMENTATIONS": {
            "code": "flask_security.twofactor.CodeTfPlugin",
            "passkey": "tracker.accounts.sign_in.passkeys.SecondFactor",
        },
        "WEBAUTHN": True,
        "WAN_RP_NAME": "Common Terms",
        "WAN_ALLOW_AS_FIRST_FACTOR": True,
        "WAN_ALLOW_AS_MULTI_FACTOR": True,
        # A typed name must not reveal which passkeys a person has.
        "WAN_ALLOW_USER_HINTS": False,
        "WAN_ALLOW_AS_VERIFY": [Passkey.usage],
        "WAN_REGISTER_WITHIN": sign_in_passkeys.WITHIN,
        "WAN_SIGNIN_WITHIN": sign_in_passkeys.WITHIN,
        "DATETIME_FACTORY": clock.now,
        "TOTP_SECRETS": {"1": keys.of(app).totp.hex()},
        "TOTP_ISSUER": "Common Terms",
        "MULTI_FACTOR_RECOVERY_CODES": True,
        "MULTI_FACTOR_RECOVERY_CODES_N": RECOVERY_CODES,
        "JOIN_USER_ROLES": False,
        "USER_IDENTITY_ATTRIBUTES": [
            {"email": {"mapper": uia_email_mapper, "case_insensitive": False}}
        ],
        "EMAIL_VALIDATOR_ARGS": {"check_deliverability": False, "allow_smtputf8": False},
        "EMAIL_PLAINTEXT": False,
        "EMAIL_HTML": False,
        "PASSWORD_HASH": "argon2",
        "PASSWORD_SCHEMES": ["argon2"],
        "DEPRECATED_PASSWORD_SCHEMES": [],
        "PASSWORD_SINGLE_HASH": {"argon2"},
        "PASSWORD_LENGTH_MIN": passwords.LEAST,
        # Tests hash often; instances use the library's default cost (64 MiB, three passes).
        "PASSWORD_HASH_PASSLIB_OPTIONS": _CHEAP if settings.testing else {},
        "RESET_PASSWORD_WITHIN": RESET_WITHIN,
        "RETURN_GENERIC_RESPONSES": True,
        "FRESHNESS": FRESH,
        "FRESHNESS_GRACE_PERIOD": GRACE,
        "API_ENABLED_METHODS": ["session"],
        "DEFAULT_REMEMBER_ME": False,
        "STATIC_FOLDER": None,
        "CLI_USERS_NAME": None,
        "CLI_ROLES_NAME": None,
        "I18N_DIRNAME": [f"{app.root_path}/translations", "builtin"],
        "I18N_DOMAIN": "messages;flask_security",
    }
    pages = {
        "LOGIN_URL": "/sign-in",
        "LOGOUT_URL": "/sign-out",
        "LOGOUT_METHODS": ["POST"],
        "TWO_FACTOR_TOKEN_VALIDATION_URL": "/sign-in/code",
        "MULTI_FACTOR_RECOVERY_URL": "/sign-in/recovery-code",
        "RESET_URL": "/new-password",
        "VERIFY_URL": "/account/confirm",
        "CHANGE_URL": "/account/password",
        "MULTI_FACTOR_RECOVERY_CODES_URL": "/account/recovery-codes",
        "WAN_REGISTER_URL": "/account/passkeys/new",
        "WAN_SIGNIN_URL": "/sign-in/passkey",
        "WAN_VERIFY_URL": "/account/confirm/passkey",
        # These are disabled; their names say so in lists of URLs.
        "TWO_FACTOR_SETUP_URL": "/closed/second-factor",
        "TWO_FACTOR_RESCUE_URL": "/closed/rescue",
        "TWO_FACTOR_SELECT_URL": "/closed/select",
        "WAN_DELETE_URL": "/closed/passkey",
        "POST_LOGIN_VIEW": "/",
        "POST_LOGOUT_VIEW": "/sign-in",
        "POST_CHANGE_VIEW": "accounts.profile",
        "WAN_POST_REGISTER_VIEW": "accounts.after_factor_change",
    }
    words = {f"MSG_{name}": message for name, message in _WORDS.items()}
    ours = {f"SECURITY_{name}": value for name, value in {**machinery, **pages, **words}.items()}
    return {**cookies, **ours}


_CHEAP: Mapping[str, int] = {
    "argon2__time_cost": 1,
    "argon2__memory_cost": 1024,
    "argon2__parallelism": 1,
}


def N_(text: str) -> str:  # noqa: N802 -- the function that marks texts for the catalogues
    """Mark a string that Flask-Security translates when it shows it."""
    return text


_WORDS: dict[str, tuple[str, str]] = {
    "GENERIC_AUTHN_FAILED": (N_("The email address or password is wrong."), "error"),
    "UNAUTHENTICATED": (N_("Sign in to see this page."), "warning"),
    "REAUTHENTICATION_REQUIRED": (
        N_("Confirm it's you. The next page is sensitive."),
        "warning",
    ),
    "REAUTHENTICATION_SUCCESSFUL": (N_("Thank you. You've confirmed it's you."), "success"),
    "TWO_FACTOR_LOGIN_SUCCESSFUL": (N_("You are signed in."), "success"),
    "TWO_FACTOR_PERMISSION_DENIED": (
        N_("Start with your email address and password."),
        "warning",
    ),
    "PASSWORD_CHANGE": (
        N_("Your password is changed. Your other sessions have ended."),
        "success",
    ),
    "PASSWORD_RESET_REQUEST": (
        N_("If %(email)s has an account, we've emailed a link to it. The link works for one hour."),
        "success",
    ),
    "PASSWORD_RESET_NO_LOGIN": (N_("Your password is changed. Sign in with it."), "success"),
    "PASSWORD_RESET_EXPIRED": (
        N_("This link is older than one hour. Ask for a new one."),
        "error",
    ),
    "INVALID_RESET_PASSWORD_TOKEN": (
        N_("This link isn't valid, or has already been used. Ask for a new one."),
        "error",
    ),
    "INVALID_REDIRECT": (N_("The address to continue to isn't part of this tool."), "error"),
    "ANONYMOUS_USER_REQUIRED": (N_("You're already signed in."), "warning"),
    "WEBAUTHN_REGISTER_SUCCESSFUL": (
        N_("The passkey %(name)s is set up. You can sign in and sign texts with it."),
        "success",
    ),
    "WEBAUTHN_EXPIRED": (N_("That took longer than %(within)s. Start again."), "error"),
    "API_ERROR": (N_("Your browser sent nothing we can use. Start again."), "error"),
    "NO_RECOVERY_CODES_SETUP": (N_("Codes are only shown once, when they're created."), "warning"),
}


class OutboxMail(MailUtil):
    """Flask-Security's emails with our texts, sent through the outbox.

    Flask-Security's views commit, so this does too.
    """

    def send_mail(
        self,
        template: str,
        subject: str,  # noqa: ARG002 -- the library's own
        recipient: Any,  # noqa: ARG002
        sender: Any,  # noqa: ARG002
        body: str | None,  # noqa: ARG002
        html: str | None,  # noqa: ARG002
        **kwargs: Any,
    ) -> None:
        """Queue the email for one of Flask-Security's templates."""
        user = cast("User", kwargs["user"])
        if template.endswith("reset_instructions"):
            messages.password_link(user, kwargs["reset_token"], RESET_WITHIN)
        else:
            messages.password_changed(user)
        after_this_request(_commit)


# Request hooks ------------------------------------------------------------------------------------


def _load_people_by_session_only(security: Security) -> None:
    """Load the signed-in person from the session, as long as the session is valid.

    Flask-Security's other ways to sign in (tokens, basic authentication) are disabled, and so is
    its second check of each request, which would also run for static files.
    """

    def load_user(fs_uniquifier: str) -> User | None:
        g.session_ended = sessions.over()
        if g.session_ended:
            return None
        signed_in = stored_sessions.person_of(fs_uniquifier, sessions.session_id())
        if signed_in is None:
            return None
        user = signed_in.person
        g.unread_notifications = signed_in.unread
        g.setdefault("memberships_of", {})[user.id] = signed_in.memberships
        if not (signed_in.memberships or queries.may_come_in(user.id)):
            return None
        if not seals.is_sealed(user):
            binding.note(user, binding.Fault.NOT_SEALED)
            g.credentials_refused = True
            return None
        # As Flask-Security's own loader does.
        set_request_attr("fs_authn_via", "session")
        set_request_attr("fs_paa", session.get("fs_paa", 0))
        sessions.touch()
        _ask_again_on_another_device()
        return user

    security.login_manager.user_loader(load_user)
    security.login_manager.request_loader(None)
    security.principal.identity_loaders.clear()


def _ask_again_on_another_device() -> None:
    """Require a new proof for sensitive changes from another address or browser."""
    if session.get("_fresh") is False:
        session.pop("fs_paa", None)
        session.pop("fs_gexp", None)
        g.pop("fs_paa", None)


def _memberships(user: User) -> tuple[ActorMembership, ...]:
    """Return the person's roles of today: read with their session, or in one query per request."""
    known = g.setdefault("memberships_of", {})
    if user.id not in known:
        known[user.id] = queries.memberships_of(user.id, clock.today())
    memberships: tuple[ActorMembership, ...] = known[user.id]
    return memberships


def _guard_pages() -> Response | None:
    """Refuse JSON on Flask-Security's pages, and redirect signed-in people from sign-in pages."""
    if request.blueprint != "security":
        return None
    if request.is_json:
        abort(415)
    if request.endpoint == "security.logout" and signed_in_user() is None:
        # The session had expired, and the library signs nobody out: a copy of its cookie may be in
        # use.
        sessions.end()
        after_this_request(_commit)
    if request.endpoint in _ANSWERS and not _is_address(request.endpoint):
        abort(404)
    if sign_in_passkeys.PENDING in session and not sessions.has_password(
        session[sign_in_passkeys.PENDING]
    ):
        _forget_pending()
    if request.endpoint in _ON_THE_WAY_IN and optional_actor():
        return redirect(url_for("security.login"))
    if request.endpoint == "security.wan_signin" and "alone" in request.form:
        # Started on the sign-in page: the passkey alone signs in, whoever gave a password before.
        _forget_pending()
    return None


def _is_address(endpoint: str) -> bool:
    """Return whether a URL for a passkey response was issued; without revealing it to others."""
    if mark_of(current_app, endpoint) == "signed_in" and optional_actor() is None:
        return True
    token = str((request.view_args or {}).get("token", ""))
    return sign_in_passkeys.was_given_out(token, endpoint)


def _forget_pending() -> None:
    """Forget who has given the password but not the second factor yet."""
    forget: Callable[[], None] = tf_plugin.tf_clean_session
    forget()


def _lead_to_second_factor() -> Response | None:
    """Redirect a person who lacks a required second factor to setting it up."""
    endpoint = request.endpoint or ""
    if endpoint in _ON_THE_WAY_TO_A_SECOND_FACTOR or endpoint not in current_app.view_functions:
        return None
    if mark_of(current_app, endpoint) != "signed_in":
        return None
    actor = optional_actor()
    if actor is None or not credentials.lacks_second_factor(actor):
        return None
    back = request.full_path.rstrip("?") if request.method in SAFE_METHODS else "/"
    onward = None if back == "/" else back
    return redirect(url_for("accounts.second_factor_needed", next=onward), 303)


def second_factor_to_set_up(*, to_read: bool) -> Response | None:
    """Return where somebody sets up the second factor that they lack to read class K2 to K7.

    Unless to_read, the page says that they lack it to sign.
    """
    actor = optional_actor()
    if actor is None or not credentials.lacks_second_factor_to_read(actor):
        return None
    onward = request.full_path.rstrip("?") if request.method in SAFE_METHODS else "/"
    # Flask leaves out what is None.
    why = 1 if to_read else None
    return redirect(url_for("accounts.second_factor_needed", to_read=why, next=onward), 303)


def _render(template: str, **context: Any) -> str:
    """Render a Flask-Security page: its form as `form`, with its own messages restored."""
    form = context.get(_FORMS.get(template, ""))
    settle = getattr(form, "settle", None)
    if settle:
        settle()
    return render_template(
        template,
        form=form,
        passkeys_work=passkeys.are_possible(),
        pending=sign_in_passkeys.pending() if context.get("is_secondary") else None,
        origin=passkeys.own_origin().origin,
        onward=sign_in_forms.onward(),
        **context,
    )


def _signed_in(_app: Flask, *, user: User, authn_via: list[str] | None, **_more: Any) -> None:
    """Begin the session and delete the failures; the view commits.

    A passkey signs in while password and code have to wait, and doesn't end that wait: whoever
    guesses them would get as many attempts again.
    """
    session.pop(sessions.ACTING_FOR, None)
    sessions.begin(user.id)
    if "webauthn" not in (authn_via or ()):
        attempts.forgive(attempts.account(user.email))
    method = _METHODS.get(request.endpoint or "")
    if method is not None:
        security_log.record(SecurityKind.SIGNED_IN, user.id, by_id=user.id, detail=method)


def _signed_out(_app: Flask, *, user: Any, **_more: Any) -> None:
    """End the session of somebody who signs out."""
    if user.is_authenticated:
        binding.hold_for_use(user.id)
        sessions.end()
        security_log.record(SecurityKind.SIGNED_OUT, user.id, by_id=user.id)
        after_this_request(_commit)


def _password_changed(_app: Flask, *, user: User, **_more: Any) -> None:
    """Record and bind it; the view commits. The form has checked the old credentials."""
    actor = optional_actor() or Actor(user_id=user.id, name=user.name, email=user.email)
    trail.record(PASSWORD_CHANGED, actor=actor, subject_type="user", subject_id=user.id)
    binding.bind(actor, user, binding.Change.PASSWORD)
    # Flask-Security has begun a new session for this browser.
    stored_sessions.end_all(user.id, but=sessions.session_id())


def _password_reset(app: Flask, *, user: User, **more: Any) -> None:
    """The same with a link from an email: the person signs in again, in this browser too."""
    _password_changed(app, user=user, **more)
    stored_sessions.end_all(user.id)


def _log_refusal(response: Response) -> Response:
    """Log that a policy refused something: who, and which page, with nothing of its content.

    A page of a cooperation is not named: that it was refused, not absent, can reveal who is on a
    visit's list (K2). Whatever the request did is rolled back. If the log can't be written, the
    refusal still stands.
    """
    if response.status_code != HTTPStatus.FORBIDDEN:
        return response
    actor = optional_actor()
    user_id = actor.user_id if actor else None
    is_named = request.blueprint in _NAMED_IF_REFUSED
    page = f"{request.method} {request.endpoint}" if is_named else ""
    try:
        security_log.record_apart(SecurityKind.REFUSED, user_id, by_id=user_id, detail=page)
    except SQLAlchemyError:
        current_app.logger.exception("a refusal could not be logged")
    return response


def _commit(response: Response) -> Response:
    db.session.commit()
    return response


def _here() -> str | None:
    """Return the requested URL to come back to; empty for the first page."""
    if request.path == "/":
        return None
    return request.full_path if request.query_string else request.path
