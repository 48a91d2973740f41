"""The application factory; importing one module never imports the whole application."""

import importlib
from typing import TYPE_CHECKING, cast

if TYPE_CHECKING:
    from flask import Flask

    from tracker.settings import Settings


def create_app(settings: "Settings | None" = None, *, may_create: bool = True) -> "Flask":
    """Build the application from the given settings, or from the environment.

    The folder and keys of a new instance are created only if may_create allows it. Raise
    SettingsError or KeysError with a one-line message if it can't start.
    """
    app = importlib.import_module("tracker.app")
    return cast("Flask", app.build_app(settings, may_create=may_create))
