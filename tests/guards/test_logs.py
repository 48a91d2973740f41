"""Log lines are made of fixed words: nothing else is put into their messages."""

import ast
import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.guards.sources import nodes_of, package_modules
from tracker.core.paths import PACKAGE

_METHODS = {"debug", "info", "warning", "error", "exception", "critical", "log"}
# What may fill in a place of a message: an id, or the value of one of our enumerations.
_ATTRIBUTES = {"id", "value"}
# The lines of a start, which people read otherwise.
_MAY = {"worker/cli.py"}


def calls(nodes: Iterable[ast.AST]) -> Iterator[ast.Call]:
    """Yield the calls of a logger's methods."""
    for node in nodes:
        if (
            isinstance(node, ast.Call)
            and isinstance(node.func, ast.Attribute)
            and node.func.attr in _METHODS
            and ast.unparse(node.func.value).rpartition(".")[2] == "logger"
        ):
            yield node


def is_fixed(call: ast.Call) -> bool:
    """Return whether a call logs fixed words, with nothing but ids and our own values in them."""
    names_level = isinstance(call.func, ast.Attribute) and call.func.attr == "log"
    words, *values = call.args[1:] if names_level else call.args
    choices = [words.body, words.orelse] if isinstance(words, ast.IfExp) else [words]
    return all(isinstance(choice, ast.Constant) for choice in choices) and all(
        isinstance(value, ast.Attribute) and value.attr in _ATTRIBUTES for value in values
    )


def modules() -> list[Path]:
    return [path for path in package_modules() if str(path.relative_to(PACKAGE)) not in _MAY]


def test_lines_are_fixed_words() -> None:
    logging = [
        (str(path.relative_to(PACKAGE)), call)
        for path in modules()
        for call in calls(nodes_of(path))
    ]
    assert len(logging) > 8
    assert [f"{name}:{call.lineno}" for name, call in logging if not is_fixed(call)] == []


@pytest.mark.parametrize(
    "code",
    [
        'logger.error(f"no {title}")',
        'logger.error("no %s", title)',
        'logger.error("no " + title)',
        'current_app.logger.warning("no %s", error)',
        "logger.exception(error)",
        'logger.log(20, "no %s", person.name)',
    ],
)
def test_what_is_put_into_a_line_is_seen(code: str) -> None:
    (call,) = calls(ast.walk(ast.parse(code)))
    assert not is_fixed(call)


def test_nothing_is_printed_where_lines_are_logged() -> None:
    """The worker and the web processes log; only commands print."""
    printing = [
        str(path.relative_to(PACKAGE))
        for path in modules()
        if path.parent.name == "worker"
        and path.stem != "cli"
        and re.search(r"\b(?:echo|print)\(", path.read_text())
    ]
    assert printing == []
