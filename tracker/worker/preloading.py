"""The application as the web server loads it: once, before it starts its processes."""

import sys

from flask import Flask
from sqlalchemy import orm

from tracker import create_app
from tracker.core.keys import KeysError
from tracker.settings import SettingsError
from tracker.ui import locale


def load() -> Flask:
    """Return the application; exit with one line if a setting is invalid or a key is missing.

    What every process needs is worked out here, where all share it. Nothing here may leave a
    thread, a connection or a file open: processes that are forked can't share those.
    """
    try:
        app = create_app()
    except (SettingsError, KeysError) as error:
        sys.exit(f"tracker: {error}")
    orm.configure_mappers()
    locale.load_languages(app)
    return app
