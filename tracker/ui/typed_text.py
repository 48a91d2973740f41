"""What people typed into a form that wasn't accepted, under the labels of its fields."""

import re
import sys
from collections.abc import Iterator, Mapping
from typing import Any

from flask import current_app, request
from flask_babel import gettext as _
from wtforms import (
    BooleanField,
    FieldList,
    FileField,
    HiddenField,
    SelectField,
    SelectMultipleField,
)
from wtforms.fields.core import UnboundField

from tracker.core.csrf import TOKEN_FIELD
from tracker.ui.fields import VersionField
from tracker.ui.form_base import Form, fields_with_places, sent_forms
from tracker.ui.locale import with_commas
from tracker.ui.rows import RowForm
from tracker.ui.send_again import PAGE_TOKEN, PROOFS

# Values that are never shown again, by the whole names of their fields: proofs of identity, tokens,
# buttons, and what pages fill in.
NOT_SHOWN = PROOFS | {
    TOKEN_FIELD,
    PAGE_TOKEN,
    "add_row",
    "base_version",
    "draft_base",
    "draft_known",
    "draft_number",
    "draft_page",
    "remove_row",
    "version",
}
# Fields that nobody types into.
_NOT_TYPED = (
    BooleanField,
    FileField,
    HiddenField,
    SelectField,
    SelectMultipleField,
    VersionField,
)
# What pages fill in themselves: signed tokens, digests and ids. Its form tells where it is known.
_FILLED_IN = re.compile(
    r"\.?[\w-]{8,}(\.[\w-]+)?\.[\w-]{43}|[0-9a-f]{64}|[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}",
    re.ASCII,
)
# What a browser sends for a tick.
_TICK = "y"
# A form for several items puts the item's code before the name of a field.
_ITEM = re.compile("^([A-Z][0-9]{1,2})-")
# More than the largest table of an item has (tests/unit/checklist_templates/test_library.py).
SHOWN_FIELDS = 1000


def typed_text() -> list[tuple[str, str]]:
    """Return the labels and values of what was typed, without proofs of identity and tokens.

    The labels are those of the forms that the view made; if it made none, as when the session has
    ended, those of the form class that fits what was sent. A field that neither knows is numbered,
    after the code of its item if its name begins with one.
    """
    labels = _labels(sent_forms()) or _labels_of_class(request.form)
    typed: list[tuple[str, str]] = []
    for name, value in request.form.items():
        if not value.strip() or _ITEM.sub("", name, count=1) in NOT_SHOWN:
            continue
        label = labels.get(name, labels.get(name.split("-")[0], ""))
        if label is None or (not label and _is_no_text(value)):
            continue
        typed.append((str(label) or _numbered(name, len(typed) + 1), value))
        if len(typed) == SHOWN_FIELDS:
            break
    return typed


def _is_no_text(value: str) -> bool:
    return value == _TICK or _FILLED_IN.fullmatch(value) is not None


def _numbered(name: str, number: int) -> str:
    words = str(_("Text %(number)s", number=number))
    item = _ITEM.match(name)
    return with_commas((item[1], words)) if item else words


def _labels(forms: list[Form]) -> dict[str, str | None]:
    """Return the label of each field by its name; None for one that nobody types into."""
    return {
        field.name: None if isinstance(field, _NOT_TYPED) else f"{place}{field.label.text}"
        for form in forms
        for field, place in fields_with_places(form)
        if not isinstance(field, FieldList)
    }


def _labels_of_class(sent: Mapping[str, str]) -> dict[str, str | None]:
    """Return the labels of the form class that has most of the fields that were sent.

    Among several, those that the view names take precedence, then those of its package, then those
    with the fewest other fields. If the rest disagree on a label, it is unknown.
    """
    names = {name.split("-")[0] for name in sent}
    view = current_app.view_functions.get(request.endpoint or "")
    package = getattr(view, "__module__", "").split(".")[:2]
    named = getattr(getattr(view, "__code__", None), "co_names", ())
    ranked: dict[tuple[int, bool, bool, int], list[dict[str, Any]]] = {}
    for form_class in _form_classes(Form):
        fields = _fields_of(form_class)
        is_near = form_class.__module__.split(".")[:2] == package
        is_named = form_class.__name__ in named
        rank = len(names & fields.keys()), is_named, is_near, -len(fields)
        ranked.setdefault(rank, []).append(fields)
    best = ranked[max(ranked)]
    return {
        name: next(iter(labels))
        for name in names
        if len(labels := {_label_of(fields[name]) for fields in best if name in fields}) == 1
    }


def _form_classes(parent: type[Form]) -> Iterator[type[Form]]:
    """Yield the form classes of modules, without those made for a page and those of rows."""
    for form_class in parent.__subclasses__():
        module = sys.modules.get(form_class.__module__)
        if getattr(module, form_class.__name__, None) is form_class:
            if not issubclass(form_class, RowForm):
                yield form_class
            yield from _form_classes(form_class)


def _fields_of(form_class: type[Form]) -> dict[str, Any]:
    attributes = {name: getattr(form_class, name, None) for name in dir(form_class)}
    return {name: field for name, field in attributes.items() if isinstance(field, UnboundField)}


def _label_of(field: Any) -> str | None:
    if issubclass(field.field_class, _NOT_TYPED):
        return None
    # A table's first argument is its rows.
    words = [*field.args[issubclass(field.field_class, FieldList) :], field.kwargs.get("label")]
    return str(words[0] or "")
