"""Security headers of every response: what a browser may load, send and store."""

import hashlib
from http import HTTPStatus

from flask import Flask, request
from flask.sessions import SecureCookieSessionInterface
from itsdangerous import Signer
from werkzeug.wrappers import Response

STATIC = "static"
ONE_YEAR = 365 * 24 * 60 * 60

CONTENT_SECURITY_POLICY = (
    "default-src 'none'; "
    "script-src 'self'; "
    "style-src 'self'; "
    "img-src 'self' data:; "
    "font-src 'self'; "
    "connect-src 'self'; "
    "manifest-src 'self'; "
    "form-action 'self'; "
    "base-uri 'none'; "
    "frame-ancestors 'none'; "
    "object-src 'none'"
)
NO_STORE = "no-store"
HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Permissions-Policy": (
        "accelerometer=(), camera=(), display-capture=(), geolocation=(), gyroscope=(), "
        "magnetometer=(), microphone=(), midi=(), payment=(), usb=()"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}
# The HSTS directives besides max-age, by the value of the setting.
_HSTS = {
    "host": "",
    "subdomains": "; includeSubDomains",
    "preload": "; includeSubDomains; preload",
}


class SessionInterface(SecureCookieSessionInterface):
    """Flask's session in a cookie, signed with SHA-256."""

    digest_method = staticmethod(hashlib.sha256)


def init_signing(app: Flask) -> None:
    """Sign cookies and tokens with SHA-256: itsdangerous, on which all of them rest, has SHA-1."""
    Signer.default_digest_method = staticmethod(hashlib.sha256)
    app.session_interface = SessionInterface()


def init_security_headers(app: Flask) -> None:
    """Set the headers on every response of the application.

    Only static files may be cached: most pages contain what only the signed-in person may see, and
    the rest is small. If the application is reached over https, browsers are told to use only
    https, for the host names that the setting covers.
    """
    settings = app.extensions["settings"]
    headers = headers_of(settings.hsts if settings.secure else None)

    @app.after_request
    def _set_headers(response: Response) -> Response:
        for name, value in headers.items():
            response.headers[name] = value
        if request.endpoint != STATIC or response.status_code >= HTTPStatus.BAD_REQUEST:
            response.headers["Cache-Control"] = NO_STORE
        return response


def headers_of(hsts: str | None) -> dict[str, str]:
    """Return the security headers that every response of an instance has.

    hsts is the value of the setting, None for an instance that isn't reached over https.
    """
    if hsts is None:
        return HEADERS
    return {**HEADERS, "Strict-Transport-Security": f"max-age={ONE_YEAR}{_HSTS[hsts]}"}
