"""Forms use only our own fields and validators, whose messages are translated."""

import ast
from collections.abc import Iterator

from wtforms.fields.core import UnboundField

import tracker.app  # noqa: F401 -- imports all forms
from tests.guards.sources import nodes_of, package_modules
from tracker.core.paths import ROOT
from tracker.ui.form_base import Form

# What packages may import from the form library: nothing that has a message.
_ALLOWED = {"CSRFError", "StopValidation", "generate_csrf"}
# Fields of Flask-Security's forms that nobody fills in, or that our forms remove.
_MACHINERYS = {"identity", "next", "remember", "submit"}


def _features() -> Iterator[tuple[str, ast.ImportFrom | ast.Import]]:
    for path in package_modules():
        if path.parent.name in {"core", "ui"}:
            continue
        for node in nodes_of(path):
            if isinstance(node, ast.ImportFrom | ast.Import):
                yield str(path.relative_to(ROOT)), node


def _forms(kind: type[Form] = Form) -> Iterator[type[Form]]:
    for subclass in kind.__subclasses__():
        if subclass.__module__.startswith("tracker."):
            yield subclass
        yield from _forms(subclass)


def test_only_ui_takes_fields_and_validators_from_the_form_library() -> None:
    taken = [
        (path, alias.name)
        for path, node in _features()
        for alias in node.names
        if (getattr(node, "module", None) or alias.name).split(".")[0] in {"flask_wtf", "wtforms"}
        and alias.name not in _ALLOWED
    ]
    assert taken == []


def test_every_field_of_every_form_is_ours() -> None:
    fields = {
        (form.__name__, name): field.field_class.__module__
        for form in _forms()
        for name in dir(form)
        if isinstance(field := getattr(form, name, None), UnboundField)
    }
    assert len(fields) > len(_MACHINERYS)
    assert {
        (form, name)
        for (form, name), module in fields.items()
        if not module.startswith("tracker.") and name not in _MACHINERYS
    } == set()
