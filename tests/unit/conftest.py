"""Unit tests use no database."""

from collections.abc import Iterator

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Connection, Engine


@pytest.fixture(autouse=True)
def no_database() -> Iterator[None]:
    """Refuse every connection to a database."""

    def refuse(_connection: Connection) -> None:
        message = "A unit test reaches no database; such a test belongs to tests/integration."
        raise AssertionError(message)

    event.listen(Engine, "engine_connect", refuse)
    yield
    event.remove(Engine, "engine_connect", refuse)
