"""Templates under test: compiled once in a run, and an attribute that is missing is an error."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from flask import Flask
from jinja2 import FileSystemBytecodeCache, StrictUndefined, Undefined
from jinja2.utils import missing
from wtforms import Field
from wtforms.form import BaseForm

# A template may ask whether these have something.
_FIELDS = (Field, BaseForm)
_LIBRARIES = ("flask", "wtforms")


def compile_once(folder: Path) -> None:
    """Have each template compiled once for all processes and applications of a run.

    Compiling all takes two seconds, which each process and each application would need.
    """
    folder.mkdir(exist_ok=True)
    cache = FileSystemBytecodeCache(str(folder))
    Flask.jinja_options = {**Flask.jinja_options, "bytecode_cache": cache}


def let_missing_attributes_fail(app: Flask) -> None:
    """Raise UndefinedError where a template uses an attribute that its object lacks.

    Three things may be absent: a name, because layouts ask for what only some pages pass; a key of
    a dictionary, because events of earlier versions have fewer; what only some fields have.
    """
    app.jinja_env.undefined = _Absent


class _Absent(Undefined):
    """Something that a template asked for and that isn't there."""

    def __new__(cls, hint: str | None = None, obj: Any = missing, **more: Any) -> Any:
        """Return the kind of absence that this is."""
        may_be = obj is missing or isinstance(obj, (Mapping, *_FIELDS))
        may_be |= type(obj).__module__.startswith(_LIBRARIES)
        return (Undefined if may_be else StrictUndefined)(hint, obj, **more)
