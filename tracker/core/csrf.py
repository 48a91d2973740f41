"""Protection against forged requests, whose token looks different in each answer.

Pages are compressed, and what stands unchanged in many compressed answers can be guessed from their
size (BREACH). The library's own token begins with the same characters for as long as a session.
"""

import base64
import binascii
import secrets
from typing import Any

from flask import Flask, g
from flask_wtf import CSRFProtect, FlaskForm
from flask_wtf.csrf import generate_csrf

_MASKED = "masked_csrf_token"


class MaskedCSRFProtect(CSRFProtect):  # type: ignore[misc] # the library has no types
    """The library's protection, for tokens that were masked and for such as were not."""

    def init_app(self, app: Flask) -> None:
        """Protect an application, and give its templates masked tokens."""
        super().init_app(app)
        app.jinja_env.globals["csrf_token"] = masked_token
        app.context_processor(lambda: {"csrf_token": masked_token})

    def _get_csrf_token(self) -> str | None:
        token = super()._get_csrf_token()
        return None if token is None else unmasked(token)


class MaskedFormCSRF(FlaskForm.Meta.csrf_class):  # type: ignore[misc] # the library has no types
    """The hidden field of forms, with a masked token."""

    def generate_csrf_token(self, csrf_token_field: Any) -> str:  # noqa: ARG002 -- the library's
        """Return what the field sends."""
        return masked_token()


def masked_token() -> str:
    """Return the token of the session for this answer; the same for all forms of a page."""
    if _MASKED not in g:
        setattr(g, _MASKED, masked(generate_csrf()))
    return str(g.get(_MASKED))


def masked(token: str) -> str:
    """Return a token as random bytes, and those that make the token of them."""
    plain = token.encode("ascii")
    mask = secrets.token_bytes(len(plain))
    return base64.urlsafe_b64encode(mask + _mixed(mask, plain)).decode("ascii")


def unmasked(text: str) -> str:
    """Return the token that was masked; what is not masked as it is, for the library to judge."""
    if "." in text:  # between the parts of the library's own
        return text
    try:
        both = base64.urlsafe_b64decode(text.encode("ascii"))
        half = len(both) // 2
        return _mixed(both[:half], both[half:]).decode("ascii") if half else text
    except (UnicodeError, binascii.Error, ValueError):
        return text


def _mixed(left: bytes, other: bytes) -> bytes:
    return bytes(a ^ b for a, b in zip(left, other, strict=True))
