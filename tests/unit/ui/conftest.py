"""Fixtures for tests of the page frame alone."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.factories.ui import Furniture, make_furniture


@pytest.fixture
def furniture() -> Furniture:
    """The furniture, with nobody signed in."""
    return make_furniture()


@pytest.fixture
def in_request(furniture: Furniture) -> Iterator[Callable[..., None]]:
    """Opens a request in which forms can be made without a token; all are closed at the end."""
    furniture.app.config["WTF_CSRF_ENABLED"] = False
    opened: list[Any] = []

    def open_request(path: str = "/", **kw: Any) -> None:
        context = furniture.app.test_request_context(path, **kw)
        context.push()
        opened.append(context)

    yield open_request
    for context in reversed(opened):
        context.pop()
