"""Replaces services of an application in a test: keys, settings, readers."""

from collections.abc import Iterator
from contextlib import contextmanager

from flask import Flask

from tracker.core.services import Filled, Services, give, of


def put(app: Flask, *filled: Filled) -> None:
    """Put other values into an application; its next fresh database restores its own."""
    give(app, of(app).replacing(*filled))


@contextmanager
def replaced(app: Flask, *filled: Filled) -> Iterator[None]:
    """Put other values into an application for the block."""
    before = of(app)
    put(app, *filled)
    try:
        yield
    finally:
        give(app, before)


@contextmanager
def alone(*filled: Filled) -> Iterator[Flask]:
    """Run in an application that has only these values."""
    app = Flask("alone")
    give(app, Services.of(*filled))
    with app.app_context():
        yield app
