"""The decorator that lets a view accept files, and larger requests than others."""

from collections.abc import Callable
from typing import Any, TypeVar

from flask import Flask, request

View = TypeVar("View", bound=Callable[..., Any])
MARK = "takes_files_of"


def takes_files(most: int) -> Callable[[View], View]:
    """Mark a view that accepts a file, and set the limit for its request in bytes."""

    def mark(view: View) -> View:
        setattr(view, MARK, most)
        return view

    return mark


def largest_request(app: Flask) -> int:
    """Return how many bytes the largest request may have that any view accepts."""
    marked = [getattr(view, MARK, 0) for view in app.view_functions.values()]
    return max(app.config["MAX_CONTENT_LENGTH"] or 0, *marked)


def init_uploads(app: Flask) -> None:
    """Apply the marked views' limits; call it before anything that reads the request body."""

    @app.before_request
    def _let_files_in() -> None:
        view = app.view_functions.get(request.endpoint or "")
        most = getattr(view, MARK, None)
        if most is not None:
            request.max_content_length = most
