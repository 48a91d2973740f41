"""Differences between two versions of a checklist: new, changed and removed items. Pure."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

from flask_babel import lazy_gettext as _l

from tracker.checklist_templates import value_differences
from tracker.checklist_templates.labels import REQUIRED
from tracker.checklist_templates.schema import (
    Column,
    Item,
    Required,
    Template,
    TemplateField,
)
from tracker.checklist_templates.value_differences import Difference
from tracker.ui.locale import with_commas

Thing = Item | TemplateField | Column

# The texts of an item, a field and a column that people read.
WORDS: dict[str, object] = {
    "label": _l("Name"),
    "prompt": _l("Question"),
    "help": _l("How to answer"),
    "hint": _l("Hint"),
}
# The rules of an item (when it is done, and for whom) and of fields (what values they accept).
ITEM_RULES: dict[str, object] = {
    "part": _l("Part"),
    "required": _l("Required"),
    "required_when": _l("Required when"),
    "shown_when": _l("Shown when"),
}
FIELD_RULES: dict[str, object] = {
    "type": _l("Type"),
    "sets": _l("Set by"),
    "accepts": _l("Accepted by"),
    "confirms": _l("Confirmed by"),
    "countersigns": _l("Countersigned by"),
    "required": _l("Required"),
    "required_when": _l("Required when"),
    "shown_when": _l("Shown when"),
    "unit": _l("Unit"),
    "min": _l("Least"),
    "max": _l("Most"),
    "options": _l("Choices"),
    "rows": _l("Rows"),
    "limits": _l("Limits"),
}


@dataclass(frozen=True, slots=True)
class Change:
    """One change: where, and how, word by word."""

    name: object
    pieces: Difference
    # The part of an item: for a field or column its label.
    where: str = ""


@dataclass(frozen=True, slots=True)
class ItemDifference:
    """How an item changed."""

    code: str
    label: str
    # Changed texts, and changed rules.
    words: tuple[Change, ...] = ()
    rules: tuple[Change, ...] = ()
    rests_on: tuple[Change, ...] = ()
    section: Change | None = None
    is_reworded: bool = False
    fields_changed: bool = False
    test_changed: bool = False

    @property
    def asks_again(self) -> bool:
        """Whether people who accepted an answer are asked again, since texts or fields changed."""
        return self.is_reworded or self.fields_changed

    @property
    def changes(self) -> tuple[Change, ...]:
        """All changes, texts first."""
        moved = (self.section,) if self.section else ()
        return (*moved, *self.words, *self.rules, *self.rests_on)


@dataclass(frozen=True, slots=True)
class TemplateDifference:
    """The differences between two versions of a checklist."""

    head: tuple[Change, ...] = ()
    new: tuple[Item, ...] = ()
    gone: tuple[Item, ...] = ()
    changed: tuple[ItemDifference, ...] = field(default=())

    def __bool__(self) -> bool:
        return bool(self.head or self.new or self.gone or self.changed)


def between(old: Template, new: Template) -> TemplateDifference:
    """Return what changed from one version to another; items are matched by code."""
    sections = [_section_of(template) for template in (old, new)]
    changed = []
    for item in new.items:
        before = old.item(item.code)
        if before is not None:
            moved = _change(_l("Section"), sections[0][item.code], sections[1][item.code])
            change = _item(before, item, moved)
            if change.changes:
                changed.append(change)
    return TemplateDifference(
        head=tuple(_words(old, new, {"title": _l("Title"), "summary": _l("Summary")})),
        new=tuple(item for item in new.items if old.item(item.code) is None),
        gone=tuple(item for item in old.items if new.item(item.code) is None),
        changed=tuple(changed),
    )


def between_items(old: Item, new: Item) -> ItemDifference:
    """Return what changed from one state of an item to another."""
    return _item(old, new, None)


def _section_of(template: Template) -> dict[str, str]:
    return {item.code: section.title for section in template.sections for item in section.items}


def _item(old: Item, new: Item, moved: Change | None) -> ItemDifference:
    words = [*_words(old, new, WORDS)]
    tests = [
        change
        for change in (
            _change(_l("Check that"), old.done.look or "", new.done.look or ""),
            _change(_l("Done-tests"), _checks(old), _checks(new)),
        )
        if change
    ]
    field_words, field_rules = _fields(old.fields, new.fields)
    rules = [*_rules(old, new, ITEM_RULES)]
    return ItemDifference(
        code=new.code,
        label=new.label,
        words=(*words, *field_words),
        rules=(*rules, *field_rules, *tests),
        rests_on=tuple(_rests_on(old, new)),
        section=moved,
        is_reworded=(old.label, old.prompt) != (new.label, new.prompt),
        fields_changed=bool(field_words or field_rules),
        test_changed=bool(tests or rules),
    )


def _fields(
    old: Sequence[TemplateField | Column], new: Sequence[TemplateField | Column], where: str = ""
) -> tuple[list[Change], list[Change]]:
    """Return what changed in the texts and the rules of fields or of a table's columns."""
    before = {old_part.key: old_part for old_part in old}
    words: list[Change] = []
    rules: list[Change] = []
    for part in new:
        place = f"{where}{part.label}"
        counterpart = before.pop(part.key, None)
        if counterpart is None:
            rules += _only(Change(_l("New field"), [("in", _in_short(part))], place))
            continue
        words += _words(counterpart, part, WORDS, place)
        rules += _rules(counterpart, part, FIELD_RULES, place)
        if isinstance(counterpart, TemplateField) and isinstance(part, TemplateField):
            inner_words, inner_rules = _fields(counterpart.columns, part.columns, f"{place}: ")
            words += inner_words
            rules += inner_rules
    for gone in before.values():
        rules += _only(Change(_l("Field gone"), [("out", _in_short(gone))], f"{where}{gone.label}"))
    return words, rules


def _only(change: Change | None) -> list[Change]:
    return [change] if change else []


def _words(
    old: Thing | Template, new: Thing | Template, names: dict[str, object], where: str = ""
) -> Iterator[Change]:
    for key, name in names.items():
        before, after = (getattr(part, key, None) or "" for part in (old, new))
        yield from _only(_change(name, before, after, where))


def _rules(old: Thing, new: Thing, names: dict[str, object], where: str = "") -> Iterator[Change]:
    for key, name in names.items():
        before, after = (_as_words(getattr(part, key, None)) for part in (old, new))
        yield from _only(_change(name, before, after, where))


def _rests_on(old: Item, new: Item) -> Iterator[Change]:
    for key, name in (
        ("statements", _l("Statements it is based on")),
        ("passages", _l("Passages it is based on")),
        ("sources", _l("Other sources")),
    ):
        before, after = (with_commas(getattr(item.rests_on, key)) for item in (old, new))
        yield from _only(_change(name, before, after))


def _checks(item: Item) -> str:
    return "\n".join(_as_words(check) for check in item.done.checks)


def _in_short(part: TemplateField | Column) -> str:
    return f"{part.label} ({part.type.value})"


def _change(name: object, before: str, after: str, where: str = "") -> Change | None:
    if before == after:
        return None
    return Change(name, value_differences.words(before, after), where)


def _as_words(value: Any) -> str:
    """Return a rule of a template in one line, as its file would write it; required in words."""
    if value is None or value == ():
        return ""
    if isinstance(value, Required):
        return str(REQUIRED[value])
    if isinstance(value, bool):
        return "yes" if value else "no"
    if hasattr(value, "model_dump"):
        value = value.model_dump(mode="json", by_alias=True, exclude_defaults=True)
    if isinstance(value, dict):
        return ", ".join(f"{key}: {_as_words(part)}" for key, part in value.items())
    if isinstance(value, tuple | list):
        return "; ".join(_as_words(part) for part in value)
    return str(value)
