"""Puts the parts together: extensions, pages, commands and what follows each event, in plain order."""


from flask import Flask

from config import ROOT, Settings
from tracker.activity import service as trail
from tracker.core import clock, keys
from tracker.core.db import db
from tracker.core.extensions import csrf, migrate

MODELS = (
    "tracker.activity.models",
    "tracker.mail.models",
    "tracker.organisations.models",
    "tracker.accounts.models",
    "tracker.guidance.models",
    "tracker.signoff.models",
    "tracker.cooperations.models",
    "tracker.checklists.models",
    "tracker.undertakings.models",
    "tracker.visits.models",
)


def build_app(settings: Settings | None = None) -> Flask:
    """Return the application; raise SettingsError or KeysError when it can't start."""
    settings = settings or Settings.from_environment()
    app = Flask(
        "tracker",
        root_path=str(ROOT / "tracker"),
        template_folder=str(ROOT / "templates"),
        static_folder=str(ROOT / "static"),
        static_url_path="/static",
    )
    app.extensions["settings"] = settings
    _configure(app, settings)
    db.init_app(app)
    migrate.init_app(app)
    csrf.init_app(app)
    trail.use_handlers({})
    return app


def _configure(app: Flask, settings: Settings) -> None:
    settings.data_dir.mkdir(parents=True, exist_ok=True, mode=0o700)
    ring = keys.load(settings.data_dir / "keys", may_make=True)
    keys.use(ring)
    clock.use_zone(settings.timezone)
    app.config.update(
        SECRET_KEY=settings.secret_key or ring.secret.hex(),
        SQLALCHEMY_DATABASE_URI=settings.database_url,
        TESTING=settings.testing,
        MAX_CONTENT_LENGTH=settings.max_upload_bytes,
    )
