"""Fixtures for tests of the page frame alone."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.factories.ui import PageFrame, make_page_frame


@pytest.fixture
def frame() -> PageFrame:
    """The frame, with nobody signed in."""
    return make_page_frame()


@pytest.fixture
def in_request(frame: PageFrame) -> Iterator[Callable[..., None]]:
    """Opens a request in which forms can be created without a token; all are closed at the end."""
    frame.app.config["WTF_CSRF_ENABLED"] = False
    opened: list[Any] = []

    def open_request(path: str = "/", **kw: Any) -> None:
        context = frame.app.test_request_context(path, **kw)
        context.push()
        opened.append(context)

    yield open_request
    for context in reversed(opened):
        context.pop()
