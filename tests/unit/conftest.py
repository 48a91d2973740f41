"""Unit tests use no database."""

from collections.abc import Iterator

import pytest
from sqlalchemy import event
from sqlalchemy.engine import Engine

_REFUSAL = "A unit test reaches no database; such a test belongs to tests/integration."


@pytest.fixture(autouse=True)
def no_database() -> Iterator[None]:
    """Refuse every connection to a database, also one whose refusal an application answers."""
    attempts: list[str] = []

    # Before it is opened: a connection that was opened and refused would have to be closed as well.
    def refuse(*_of_connection: object) -> None:
        attempts.append(_REFUSAL)
        raise AssertionError(_REFUSAL)

    event.listen(Engine, "do_connect", refuse)
    yield
    event.remove(Engine, "do_connect", refuse)
    assert not attempts, _REFUSAL
