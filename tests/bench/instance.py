"""The data to measure: the demonstration and a large checklist, on either database."""

from dataclasses import dataclass
from pathlib import Path
from uuid import UUID

from flask import Flask

from tests import open_sessions
from tests.bench import pages
from tests.bench.pages import TimedPage
from tests.factories import demonstration as demonstrations
from tests.factories.bulk import large
from tests.factories.demonstration import Demonstration
from tests.servers.ports import free_port
from tracker import create_app
from tracker.core.db import db
from tracker.core.security import SessionInterface
from tracker.settings import Settings
from tracker.worker import schema

# Who opens the large checklist; the other pages are opened by people of the demonstration.
OF_THE_LARGE_ONE = "writer0x0"


@dataclass(frozen=True)
class Instance:
    """An instance ready for requests: its settings, the pages, the cookies of the people."""

    environment: dict[str, str]
    pages: tuple[TimedPage, ...]
    cookies: dict[str, str]
    demonstration: Demonstration

    @property
    def settings(self) -> Settings:
        return Settings.from_environment(self.environment)


def build(data_dir: Path, database_url: str | None = None) -> Instance:
    """Create an instance in a folder; on SQLite unless a database URL is given."""
    environment = {
        "TRACKER_DATA_DIR": str(data_dir),
        "TRACKER_BASE_URL": f"http://127.0.0.1:{free_port()}",
        "TRACKER_WORKERS": "1",
        **({"TRACKER_DATABASE_URL": database_url} if database_url else {}),
    }
    app = create_app(Settings.from_environment(environment))
    with app.app_context():
        schema.upgrade()
        loaded = app.test_cli_runner().invoke(args=["content", "load"])
        assert loaded.exit_code == 0, loaded.output
        demonstration = demonstrations.make()
        crowd = large.make(db.session(), large.LARGE)
        db.session.commit()
        chosen = (
            *pages.of_the_demonstration(demonstration),
            *pages.of_a_large_checklist(crowd, OF_THE_LARGE_ONE),
        )
        user = crowd.country.users[OF_THE_LARGE_ONE]
        cookies = {
            key: _cookie(app, demonstration.users[key], mark)
            for key, mark in demonstration.sign_in_marks.items()
        } | {OF_THE_LARGE_ONE: _cookie(app, user.id, user.fs_uniquifier)}
        db.session.remove()
        db.engine.dispose()
    return Instance(environment, chosen, cookies, demonstration)


def _cookie(app: Flask, user_id: UUID, mark: str) -> str:
    """Return the cookie of somebody who has just signed in."""
    signer = SessionInterface().get_signing_serializer(app)
    assert signer is not None
    session = open_sessions.cookie_of(app, user_id, mark) | {"csrf_token": "x" * 40}
    signed = signer.dumps(session)
    return f"{app.config['SESSION_COOKIE_NAME']}={signed!s}"
