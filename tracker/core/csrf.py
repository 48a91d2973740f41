"""CSRF protection whose token looks different in each response.

Pages are compressed, and whatever stays the same in many compressed responses can be guessed from
their size (BREACH). Flask-WTF's own token begins with the same characters for as long as a session
lasts. The masked token also carries a mark that says for whom the page was opened.
"""

import base64
import binascii
import secrets
from collections.abc import Callable
from typing import Any

from flask import Flask, current_app, g, request
from flask_wtf import CSRFProtect, FlaskForm
from flask_wtf.csrf import generate_csrf, validate_csrf
from wtforms import ValidationError

TOKEN_FIELD = "csrf_token"  # noqa: S105 -- the library's name of the field
_MASKED, _SENT = "masked_csrf_token", "sent_page_mark"
_MARK_OF_PAGE = "mark_of_page"
# Separates the token from the mark; occurs in none of the library's tokens.
_BEFORE_MARK = "|"


class MaskedCSRFProtect(CSRFProtect):  # type: ignore[misc] # the library has no types
    """Flask-WTF's protection, accepting masked and plain tokens."""

    def init_app(self, app: Flask) -> None:
        """Protect an application, and give its templates masked tokens."""
        super().init_app(app)
        app.jinja_env.globals["csrf_token"] = masked_token
        app.context_processor(lambda: {"csrf_token": masked_token})

    def _get_csrf_token(self) -> str | None:
        text = super()._get_csrf_token()
        if text is None:
            return None
        token, _sign, mark = unmasked(text).partition(_BEFORE_MARK)
        setattr(g, _SENT, mark)
        return token


def mark_pages(app: Flask, mark: Callable[[], str]) -> None:
    """Have the token of each page carry a mark, which sent_mark() returns when its form is sent."""
    app.extensions[_MARK_OF_PAGE] = mark


def sent_mark() -> str:
    """Return the mark of the page that a form was sent from; empty if it had none."""
    return str(g.get(_SENT, ""))


def token_to_send_again() -> str | None:
    """Return a fresh token for the form of this request; None if its own isn't the session's.

    It carries the mark of the page that the form was on, not of the current one.
    """
    token, _sign, mark = unmasked(request.form.get(TOKEN_FIELD, "")).partition(_BEFORE_MARK)
    try:
        validate_csrf(token)
    except ValidationError:
        return None
    return masked(f"{generate_csrf()}{_BEFORE_MARK}{mark}")


class MaskedFormCSRF(FlaskForm.Meta.csrf_class):  # type: ignore[misc] # the library has no types
    """The hidden form field, with a masked token."""

    def generate_csrf_token(self, csrf_token_field: Any) -> str:  # noqa: ARG002 -- the library's
        """Return the value of the field."""
        return masked_token()


def masked_token() -> str:
    """Return the session's token for this response; the same for all forms of a page."""
    if _MASKED not in g:
        mark = current_app.extensions.get(_MARK_OF_PAGE, str)()
        setattr(g, _MASKED, masked(f"{generate_csrf()}{_BEFORE_MARK}{mark}"))
    return str(g.get(_MASKED))


def masked(token: str) -> str:
    """Return a token as a random mask followed by the token combined with it."""
    plain = token.encode("ascii")
    mask = secrets.token_bytes(len(plain))
    return base64.urlsafe_b64encode(mask + _mixed(mask, plain)).decode("ascii")


def unmasked(text: str) -> str:
    """Return the token from a masked one; return anything else unchanged for Flask-WTF to judge."""
    if "." in text:  # separates the parts of the library's own token
        return text
    try:
        both = base64.urlsafe_b64decode(text.encode("ascii"))
        half = len(both) // 2
        return _mixed(both[:half], both[half:]).decode("ascii") if half else text
    except (UnicodeError, binascii.Error, ValueError):
        return text


def _mixed(left: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, other, strict=True))
