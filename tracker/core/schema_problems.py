"""What is wrong with content that doesn't fit its model, in plain words. Pure.

A value that may have several forms, such as a condition, has one problem and not one for each form.
"""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches
from typing import Any, Literal

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from pydantic import BaseModel
from pydantic_core import ErrorDetails
from ruamel.yaml.comments import CommentedMap, CommentedSeq

from tracker.core.mistakes import UnfitError

NodePath = Sequence[int | str]
# What of a line is marked: the key, its value, or nothing.
Mark = Literal["key", "value", ""]
Error = tuple[tuple[int | str, ...], Mapping[str, Any]]

# For how many problems of a text what to write is worked out; pages show fewer.
_MOST_ADVISED = 200
_LONGEST_WORD = 60
_PLAIN_FORMS = frozenset({"str", "bool", "int"})
_SOME_OF_SEVERAL = "none_of_its_forms"
_IN_QUOTES = re.compile(r"'([^']*)'")


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong at a path, and what to write instead."""

    place: NodePath
    message: str
    advice: str = ""
    mark: Mark = "value"


def _as_it_is(path: NodePath) -> tuple[str, NodePath]:
    return "", path


@dataclass(frozen=True, slots=True)
class Reading:
    """How the problems of one kind of content are worded."""

    # Splits a path into the name of the thing it leads into, and the rest.
    parted: Callable[[NodePath], tuple[str, NodePath]] = _as_it_is
    # What a text that must have a pattern looks like, by pattern.
    forms: Mapping[str, object] = field(default_factory=dict)


PLAIN = Reading()
_TYPES: dict[str, tuple[object, object]] = {
    "text": (
        _l("%(place)s must be text"),
        _l('Write text. A number, a date, or true and false need quotes to be text: "…"'),
    ),
    "number": (
        _l("%(place)s must be a whole number"),
        _l("Write digits only, such as 2."),
    ),
    "yes_or_no": (_l("%(place)s must be true or false"), _l("Write true or false.")),
    "list": (
        _l("%(place)s must be a list"),
        _l("Begin each entry on a line of its own with a hyphen and a space, or write [one, two]."),
    ),
    "mapping": (
        _l("%(place)s must be lines with keys and values"),
        _l("Write each key on a line of its own, indented: key: value."),
    ),
    "date": (_l("%(place)s must be a date"), _l("Write year, month and day: 2026-03-01.")),
    "characters": (
        _l("%(place)s contains characters that can't be stored"),
        _l("Type the text again without them."),
    ),
}
_TYPE_OF = {
    "string_type": "text",
    "string_sub_type": "text",
    "string_unicode": "characters",
    "int_type": "number",
    "int_parsing": "number",
    "int_from_float": "number",
    "bool_type": "yes_or_no",
    "bool_parsing": "yes_or_no",
    "tuple_type": "list",
    "list_type": "list",
    "model_type": "mapping",
    "model_attributes_type": "mapping",
    "dict_type": "mapping",
    "mapping_type": "mapping",
    "date_type": "date",
    "date_parsing": "date",
    "date_from_datetime_parsing": "date",
}


def problems(
    model: type[BaseModel], tree: Any, details: Iterable[ErrorDetails], reading: Reading
) -> Iterator[Problem]:
    """Yield what is wrong with a tree that doesn't fit a model."""
    schema = _Schema(model.model_json_schema(by_alias=True))
    errors: list[Error] = [(detail["loc"], detail) for detail in details]
    for number, (loc, detail) in enumerate(_narrowed(tree, errors, schema)):
        advised = schema if number < _MOST_ADVISED else None
        yield _problem(tree, loc, detail, advised, reading)


def nearest(word: str, words: Iterable[str]) -> str:
    """Return the most similar of some words; empty if none is."""
    if len(word) > _LONGEST_WORD:
        return ""
    return next(iter(get_close_matches(word, list(words), n=1, cutoff=0.6)), "")


def write_instead(word: str, words: Sequence[str]) -> str:
    """Return the advice to write the most similar of some words, and which there are."""
    closest = nearest(word, words)
    choices = ", ".join(words)
    if closest:
        return str(
            _("Write %(word)s instead. It can be: %(choices)s.", word=closest, choices=choices)
        )
    return str(_("Write one of: %(choices)s.", choices=choices))


def holds(node: Any, step: int | str) -> bool:
    """Return whether parsed YAML has a value at a step."""
    if isinstance(node, CommentedMap):
        return step in node
    return isinstance(node, CommentedSeq) and isinstance(step, int) and step < len(node)


def _path(tree: Any, loc: NodePath) -> tuple[int | str, ...]:
    """Return the steps of pydantic's path that the tree has; others name forms of a value."""
    node, path = tree, []
    for step in loc:
        if holds(node, step):
            path.append(step)
            node = node[step]
    return tuple(path)


def _value(tree: Any, path: NodePath) -> Any:
    for step in path:
        tree = tree[step]
    return tree


class _Schema:
    """The JSON schema of a model: which keys and forms a value at a path may have."""

    def __init__(self, schema: Mapping[str, Any]) -> None:
        self.schema = schema
        self.forms: Mapping[str, Mapping[str, Any]] = schema.get("$defs", {})

    def at(self, path: NodePath) -> list[Mapping[str, Any]]:
        """Return every form that a value at a path may have."""
        nodes = self._forms([self.schema])
        for step in path:
            nodes = self._forms(node for whole in nodes for node in self._into(whole, step))
        return nodes

    def keys(self, path: NodePath) -> list[str]:
        """Return the keys that a mapping at a path may have."""
        return list(
            dict.fromkeys(key for node in self.at(path) for key in node.get("properties", {}))
        )

    def _forms(self, nodes: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
        seen: dict[int, Mapping[str, Any]] = {}
        ahead = list(nodes)
        while ahead:
            node = ahead.pop(0)
            if "$ref" in node:
                ahead.append(self.forms[node["$ref"].rsplit("/", 1)[1]])
            elif "anyOf" in node:
                ahead += node["anyOf"]
            else:
                seen[id(node)] = node
        return list(seen.values())

    @staticmethod
    def _into(node: Mapping[str, Any], step: int | str) -> Iterator[Mapping[str, Any]]:
        deeper = (
            node.get("items")
            if isinstance(step, int)
            else node.get("properties", {}).get(step, node.get("additionalProperties"))
        )
        if isinstance(deeper, Mapping):
            yield deeper


def _narrowed(tree: Any, errors: Iterable[Error], schema: _Schema) -> Iterator[Error]:
    """Yield errors; of a value with several forms only those of the form that was meant."""
    by_form: dict[tuple[int | str, ...], dict[str, list[Error]]] = {}
    for loc, detail in errors:
        place = _form_step(tree, loc, detail, schema)
        if place is None:
            yield loc, detail
            continue
        name, rest = str(loc[place]), (*loc[:place], *loc[place + 1 :])
        by_form.setdefault(loc[:place], {}).setdefault(name, []).append((rest, detail))
    for path, forms in by_form.items():
        meant = _meant(_value(tree, _path(tree, path)), list(forms), schema)
        if meant is not None:
            yield from _narrowed(tree, forms[meant], schema)
        else:
            yield path, {"type": _SOME_OF_SEVERAL, "ctx": {"forms": list(forms)}}


def _form_step(tree: Any, loc: NodePath, detail: Mapping[str, Any], schema: _Schema) -> int | None:
    """Return the first position in a path that names a form of a value."""
    node = tree
    last = len(loc) - 1 if detail["type"] == "missing" else len(loc)
    for place, step in enumerate(loc[:last]):
        if holds(node, step):
            node = node[step]
        elif step in schema.forms or step in _PLAIN_FORMS:
            return place
    return None


def _meant(value: Any, forms: Sequence[str], schema: _Schema) -> str | None:
    """Return the form that shares the most keys with a value, if there is exactly one."""
    if not isinstance(value, Mapping):
        return None
    shared = {
        name: sum(key in value for key in schema.forms.get(name, {}).get("properties", {}))
        for name in forms
    }
    most = max(shared.values())
    best = [name for name, count in shared.items() if count == most]
    return best[0] if most and len(best) == 1 else None


def _problem(
    tree: Any, loc: NodePath, detail: Mapping[str, Any], schema: _Schema | None, reading: Reading
) -> Problem:
    path = _path(tree, loc)
    absent = (str(loc[-1]),) if detail["type"] == "missing" else ()
    inner: tuple[int | str, ...] = ()
    error = detail.get("ctx", {}).get("error")
    if isinstance(error, UnfitError):
        inner = error.place
    name, rest = reading.parted((*path, *absent))
    place = ".".join(str(step) for step in rest)
    message, advice, mark = _in_words(place, path, detail, schema, reading)
    if name:
        message = _("%(name)s: %(problem)s", name=name, problem=message)
    return Problem((*path, *inner), message, advice, mark)


def _in_words(
    place: str,
    path: NodePath,
    detail: Mapping[str, Any],
    schema: _Schema | None,
    reading: Reading,
) -> tuple[str, str, Mark]:
    """Return what is wrong, what to write, and what to mark."""
    kind, ctx = detail["type"], detail.get("ctx", {})
    place = place or _("this text")
    given = _clipped(detail.get("input"))
    match kind:
        case "missing":
            return _("%(place)s is missing", place=place), _to_add(path, detail, schema), ""
        case "extra_forbidden":
            key = str(path[-1]) if path else ""
            advice = ""
            if schema is not None:
                advice = write_instead(key, schema.keys(path[:-1]))
            return _("there is no key %(place)s", place=place), advice, "key"
        case "string_pattern_mismatch":
            form = str(reading.forms.get(ctx["pattern"], "")) or ctx["pattern"]
            if detail["loc"][-1] == "[key]":
                message = _("the key '%(given)s' has the wrong form", given=given)
                return message, _("Write %(form)s.", form=form), "key"
            return (
                _("%(place)s is '%(given)s', which has the wrong form", place=place, given=given),
                _("Write %(form)s.", form=form),
                "value",
            )
        case "enum" | "literal_error":
            choices = _IN_QUOTES.findall(ctx["expected"])
            message = _(
                "%(place)s is '%(given)s', which isn't allowed there", place=place, given=given
            )
            return message, write_instead(given, choices) if schema else "", "value"
        case "value_error":
            error = ctx["error"]
            advice = error.advice if isinstance(error, UnfitError) else ""
            whole = f"{place}: {error}" if path and place != _("this text") else str(error)
            return whole, advice, "value"
    return _of_type(kind, place, ctx, detail, schema)


def _of_type(
    kind: str, place: str, ctx: Mapping[str, Any], detail: Mapping[str, Any], schema: _Schema | None
) -> tuple[str, str, Mark]:
    """Return what is wrong with the type, the length or the size of a value."""
    match kind:
        case "string_too_short":
            return _("%(place)s is empty", place=place), _("Write the text."), "value"
        case "string_too_long":
            message = _(
                "%(place)s is longer than %(most)s characters", place=place, most=ctx["max_length"]
            )
            return message, _("Shorten it."), "value"
        case "too_short":
            message = _(
                "%(place)s has fewer entries than it needs (%(least)s)",
                place=place,
                least=ctx["min_length"],
            )
            return message, _("Add an entry."), "value"
        case "greater_than_equal":
            message = _("%(place)s must be at least %(least)s", place=place, least=ctx["ge"])
            return message, "", "value"
        case "none_of_its_forms":
            return (
                _("%(place)s can't be read", place=place),
                _forms_in_words(ctx["forms"], schema),
                "value",
            )
    known = _TYPES.get(_TYPE_OF.get(kind, ""))
    if known is None:
        words = str(detail["msg"])
        return f"{place}: {words[0].lower()}{words[1:]}", "", "value"
    return str(known[0]) % {"place": place}, str(known[1]), "value"


def _forms_in_words(forms: Sequence[str], schema: _Schema | None) -> str:
    if _PLAIN_FORMS.issuperset(forms):
        return str(_TYPES["text"][1])
    if schema is None:
        return ""
    keys = [", ".join(schema.forms.get(name, {}).get("properties", {})) for name in forms]
    words = "; ".join(dict.fromkeys(key for key in keys if key))
    return str(_("Write keys with their values. These go together: %(keys)s.", keys=words))


def _to_add(path: NodePath, detail: Mapping[str, Any], schema: _Schema | None) -> str:
    """Return the advice to add a line with a missing key, and what its value can be."""
    key = str(detail["loc"][-1])
    nodes = schema.at((*path, key)) if schema is not None else []
    choices = [str(value) for node in nodes for value in _choices(node)]
    if choices:
        return str(
            _(
                "Add a line: %(key)s: followed by one of: %(choices)s.",
                key=key,
                choices=", ".join(choices),
            )
        )
    return str(_("Add a line: %(key)s: followed by its value.", key=key))


def _choices(node: Mapping[str, Any]) -> Sequence[Any]:
    return [node["const"]] if "const" in node else node.get("enum", ())


def _clipped(value: Any) -> str:
    """Return a value as text; a whole list or mapping would take long to write, and to read."""
    text = str(value) if isinstance(value, str | int | float) else "…"
    return text if len(text) <= _LONGEST_WORD else f"{text[:_LONGEST_WORD]}…"
