"""Schema revisions and migrations, for commands: web processes never import Alembic."""

import flask_migrate
from flask import Flask, current_app

from tracker.core.db import db
from tracker.core.paths import MIGRATIONS

_migrate = flask_migrate.Migrate(db=db, directory=str(MIGRATIONS), render_as_batch=True)


def use(app: Flask) -> None:
    """Let an application run Flask-Migrate's commands."""
    _migrate.init_app(app)


def upgrade(revision: str = "head") -> None:
    """Upgrade the database schema to a revision."""
    use(current_app._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001 -- werkzeug's way
    flask_migrate.upgrade(revision=revision)


def downgrade(revision: str = "-1") -> None:
    """Downgrade the database schema to a revision."""
    use(current_app._get_current_object())  # type: ignore[attr-defined]  # noqa: SLF001 -- werkzeug's way
    flask_migrate.downgrade(revision=revision)


def is_known(revision: str) -> bool:
    """Return whether this code has a migration with that revision, which is its file's name."""
    return revision in {path.stem for path in (MIGRATIONS / "versions").glob("[0-9]*.py")}
