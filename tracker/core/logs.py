"""Log lines for people or for machines, with the number of their request and without any content.

A line has the time, what happened in fixed words, ids and numbers. Errors are logged with their
type and place, never with their message, which may quote a text: docs/adr/0089.
"""

import datetime as dt
import errno
import json
import logging
import secrets
import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from types import TracebackType
from typing import Any

from flask import has_request_context, request

from tracker.core.errors import DamagedRowError
from tracker.core.paths import ROOT

HEADER = "X-Request-Id"
# Letters and digits that nobody takes for others when they are read out: 49 bits in two groups.
_LETTERS = "23456789abcdefghjkmnpqrstuvwxyz"
_GROUP = 5
_NUMBER: ContextVar[str] = ContextVar("request_number", default="")
# Whose messages are fixed words with ids and numbers. Other libraries' may quote what was sent, so
# of theirs only the place in the code is logged.
_FIXED_WORDS = {"tracker", "gunicorn"}
_METHODS = {"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"}
_FIELDS = "fields"
_PACKAGES = "site-packages"


def fields(**values: object) -> dict[str, Mapping[str, object]]:
    """Return what to give a log call as `extra`: ids, numbers and fixed words of ours."""
    return {_FIELDS: {name: value for name, value in values.items() if value is not None}}


def log_damage(logger: logging.Logger, error: BaseException) -> None:
    """Log that a stored value can't be read, and where it is stored if that is known."""
    where = {"table": error.table, "row": error.row} if isinstance(error, DamagedRowError) else {}
    logger.error("a row can't be read", exc_info=error, extra=fields(**where))


def request_number() -> str:
    """Return the number of the current request; empty outside one."""
    return _NUMBER.get()


@contextmanager
def numbered_request() -> Iterator[str]:
    """Give a request a number of its own, which all lines in the block have."""
    token = _NUMBER.set(_new_number())
    try:
        yield _NUMBER.get()
    finally:
        _NUMBER.reset(token)


def method_of(method: str) -> str:
    """Return the method of a request; a client can send any word, which isn't logged."""
    return method if method in _METHODS else "other"


def kind_of(error: BaseException) -> str:
    """Return the type of an error and its code, for a line that doesn't say where it was raised."""
    return " ".join(filter(None, (_name_of(type(error)), _code(error))))


def configure(*, as_json: bool) -> None:
    """Write all log records of this process to standard error, as lines of one kind.

    Warnings and errors of libraries, and in addition what is worth knowing of the application.
    """
    handler = logging.StreamHandler()
    handler.setFormatter(JsonLines() if as_json else TextLines())
    root = logging.getLogger()
    for earlier in root.handlers[:]:
        if isinstance(earlier.formatter, TextLines):
            root.removeHandler(earlier)
    root.addHandler(handler)
    root.setLevel(logging.WARNING)
    logging.getLogger("tracker").setLevel(logging.INFO)
    warnings.showwarning = _log_warning  # type: ignore[assignment]  # it needs no more


@contextmanager
def only_warnings() -> Iterator[None]:
    """Leave out the application's lines below warnings, for as long as the block runs."""
    ours = logging.getLogger("tracker")
    level = ours.level
    ours.setLevel(logging.WARNING)
    try:
        yield
    finally:
        ours.setLevel(level)


class TextLines(logging.Formatter):
    """Lines for people: time, level, words, values; and below, where an error was raised."""

    def format(self, record: logging.LogRecord) -> str:
        """Return the lines of a record."""
        shown = _shown(record)
        head = f"{shown.pop('time')} {str(shown.pop('level')).upper()} {shown.pop('message')}"
        faults = shown.pop("errors", [])
        values = " ".join(f"{name}={_bare(value)}" for name, value in shown.items())
        lines = [f"{head} [{values}]"]
        for fault in faults:
            lines.append("  " + " ".join(filter(None, (fault["error"], fault.get("code")))))
            lines += [f"    {place}" for place in fault["stack"]]
        return "\n".join(lines)


class JsonLines(TextLines):
    """A JSON object a line, for programs that collect logs."""

    def format(self, record: logging.LogRecord) -> str:
        """Return a record as one line of ASCII."""
        return json.dumps(_shown(record), default=str)


def _new_number() -> str:
    letters = [secrets.choice(_LETTERS) for _ in range(2 * _GROUP)]
    return f"{''.join(letters[:_GROUP])}-{''.join(letters[_GROUP:])}"


def _shown(record: logging.LogRecord) -> dict[str, Any]:
    """Return what a line says, in its order."""
    at = dt.datetime.fromtimestamp(record.created, dt.UTC)
    shown: dict[str, Any] = {
        "time": at.isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "level": record.levelname.lower(),
        "message": _words(record),
        "logger": record.name,
        "process": record.process,
    }
    if request_number():
        shown["request"] = request_number()
    shown |= getattr(record, _FIELDS, {})
    if record.name.partition(".")[0] not in _FIXED_WORDS:
        shown["place"] = f"{_short(record.pathname)}:{record.lineno}"
    error = record.exc_info[1] if record.exc_info else None
    if error is not None:
        # Only here: a line that names a person names no page (docs/adr/0079).
        if has_request_context():
            shown |= fields(method=method_of(request.method), page=request.endpoint)[_FIELDS]
        shown["errors"] = list(_faults(error))
    return shown


def _words(record: logging.LogRecord) -> str:
    """Return the first line of a message, if it is of fixed words."""
    if record.name.partition(".")[0] not in _FIXED_WORDS:
        return "a library has logged something"
    return _bare(record.getMessage().partition("\n")[0])


def _bare(value: object) -> str:
    """Return a value on one line, as nothing but visible letters."""
    return "".join(letter for letter in str(value) if letter.isprintable())


def _faults(error: BaseException | None) -> Iterator[dict[str, Any]]:
    """Yield an error and what caused it: type, code and place of each, without their messages."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        fault: dict[str, Any] = {"error": _name_of(type(error))}
        if code := _code(error):
            fault["code"] = code
        yield {**fault, "stack": list(_stack(error.__traceback__))}
        unseen = None if error.__suppress_context__ else error.__context__
        error = error.__cause__ or unseen


def _name_of(kind: type[BaseException]) -> str:
    is_python = kind.__module__ == "builtins"
    return kind.__qualname__ if is_python else f"{kind.__module__}.{kind.__qualname__}"


def _code(error: BaseException) -> str:
    """Return the code that the database or the system gave an error; empty without one."""
    cause = getattr(error, "orig", None) or error  # SQLAlchemy's error has the driver's
    for name in ("sqlite_errorname", "sqlstate"):
        code = getattr(cause, name, None)
        if isinstance(code, str):
            return _bare(code)
    number = cause.errno if isinstance(cause, OSError) else None
    return errno.errorcode.get(number, "") if number is not None else ""


def _stack(trace: TracebackType | None) -> Iterator[str]:
    for frame, line in traceback.walk_tb(trace):
        code = frame.f_code
        yield f"{_short(code.co_filename)}:{line} {code.co_qualname}"


def _short(file: str) -> str:
    """Return a file's path below the packages or below the code; else its last two parts."""
    path = Path(file)
    if _PACKAGES in path.parts:
        last = max(n for n, part in enumerate(path.parts) if part == _PACKAGES)
        return "/".join(path.parts[last + 1 :])
    return str(path.relative_to(ROOT)) if path.is_relative_to(ROOT) else "/".join(path.parts[-2:])


def _log_warning(
    _message: Warning | str, category: type[Warning], filename: str, lineno: int, *_more: object
) -> None:
    """Log a warning of Python by its kind and place."""
    logging.getLogger("tracker.python").warning(
        "Python warns",
        extra=fields(warning=category.__name__, place=f"{_short(filename)}:{lineno}"),
    )
