"""An application with only the page frame: no database, and a few pages of its own."""

import uuid
from dataclasses import dataclass
from typing import Any
from zoneinfo import ZoneInfo

from flask import Flask, abort, redirect, render_template_string, request
from flask.testing import FlaskClient
from flask_babel import Babel

from tests.pages import Page
from tracker.access.actor import Actor, ActorMembership, OrganisationKind, Role
from tracker.access.gate import init_gate, public, signed_in
from tracker.core import clock, paths
from tracker.core.csrf import MaskedCSRFProtect
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.core.security import init_security_headers
from tracker.core.services import Services, give
from tracker.settings import Settings
from tracker.ui import routes
from tracker.ui.addresses import init_addresses
from tracker.ui.assets import init_assets
from tracker.ui.errors import Application, register_error_pages
from tracker.ui.gallery import register_gallery
from tracker.ui.locale import init_locale, select_language
from tracker.ui.navigation import Entry, everybody, init_frame, register_navigation

PLAIN = (
    '{% extends "layouts/page.html" %}{% block title %}Sample{% endblock %}'
    "{% block content %}<p>{{ words }}</p>{% endblock %}"
)
OPEN_TO_ALL = uuid.UUID(int=1)
ADVOCATE = uuid.UUID(int=2)


def person(*memberships: ActorMembership, organisation: uuid.UUID | None = OPEN_TO_ALL) -> Actor:
    """Return Samira Okell, by default a coordinator of a CSO."""
    own = memberships or (
        ActorMembership(Role.COORDINATOR, OPEN_TO_ALL, "Open Door Legal Aid", OrganisationKind.CSO),
    )
    return Actor(uuid.UUID(int=9), "Samira Okell", memberships=own, organisation_id=organisation)


@dataclass
class PageFrame:
    """The application, and who acts in it."""

    app: Flask
    actor: Actor | None = None

    @property
    def client(self) -> FlaskClient:
        return self.app.test_client()

    def page(self, url: str, status: int = 200, **kw: Any) -> Page:
        response = self.client.get(url, **kw)
        assert response.status_code == status
        page = Page.of(response)
        page.check()
        return page


def settings(**environment: str) -> Settings:
    """Return settings of an instance in Maravena."""
    given = {"TRACKER_COUNTRY": "Maravena", "TRACKER_TIMEZONE": "Africa/Cairo", **environment}
    return Settings.from_environment(given)


def make_page_frame(**environment: str) -> PageFrame:
    """Create an application with the page frame, set up as tracker.app does."""
    app = Application(
        "tracker",
        root_path=str(paths.PACKAGE),
        template_folder=str(paths.TEMPLATES),
        static_folder=str(paths.STATIC),
        static_url_path="/static",
    )
    chosen_settings = settings(**environment)
    app.extensions["settings"] = chosen_settings
    give(app, Services.of(clock.ZONE.holding(ZoneInfo(chosen_settings.timezone))))
    app.config.update(SECRET_KEY="a key for tests", TESTING=True, PROPAGATE_EXCEPTIONS=False)
    init_addresses(app)
    frame = PageFrame(app)
    MaskedCSRFProtect(app)
    init_gate(app, lambda: frame.actor, lambda: redirect("/sign-in"))
    Babel(app, locale_selector=select_language)
    init_locale(app)
    init_assets(app)
    init_frame(app)
    init_security_headers(app)
    register_error_pages(app)
    register_gallery(app)
    app.register_blueprint(routes.blueprint)
    _add_pages(app)
    return frame


def _add_pages(app: Flask) -> None:
    @public
    def plain() -> str:
        return render_template_string(PLAIN, words=request.args.get("words", "Words"))

    @signed_in
    def refused() -> str:
        raise RefusedError("Only the NPM may do this.")

    @signed_in
    def closed() -> str:
        abort(403)

    @public
    def broken() -> str:
        raise RuleBrokenError("The terms are signed already.")

    @public
    def fault() -> str:
        raise ZeroDivisionError

    app.add_url_rule("/", "plain", plain, methods=["GET", "POST"])
    app.add_url_rule("/sign-in", "sign_in", plain)
    app.add_url_rule("/sign-out", "sign_out", plain, methods=["POST"])
    app.add_url_rule("/profile", "accounts.profile", plain)
    app.add_url_rule("/switch", "accounts.switch", plain)
    app.add_url_rule("/refused", "refused", refused)
    app.add_url_rule("/closed", "closed", closed)
    app.add_url_rule("/broken", "broken", broken)
    app.add_url_rule("/fault", "fault", fault, methods=["GET", "POST"])
    register_navigation(
        app,
        [
            Entry("plain", "My work"),
            ("gallery.show", "Guidance", everybody),
            Entry("not.there", "Register", everybody),
        ],
        home="plain",
        sign_in="sign_in",
        sign_out="sign_out",
    )
