"""What a derived checklist may not loosen: items based on a must of the source. Pure.

A *must* binds the NPM or its partners whoever writes the checklist (product.md, section 3). So an
item based on one stays, with its part and its fields, and may only be tightened. The same is true
of items that the application itself depends on.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from flask_babel import gettext as _

from tracker.checklist_templates.checks import Check
from tracker.checklist_templates.conditions import AnyCondition, Condition, ModesCondition
from tracker.checklist_templates.schema import (
    Accepts,
    Column,
    Item,
    Required,
    Template,
    TemplateField,
)
from tracker.ui.locale import with_commas

# Items whose answers the application reads: dates, the list of signatories, the team, the lead.
WORKED_WITH = frozenset(
    {
        *("M3", "M5", "M6", "M9", "M19"),
        *("C1", "C2", "C3", "C13", "C16", "C17", "C18"),
        *("V1", "V2", "V3", "V4", "V5", "V13", "V15", "V18", "V20"),
    }
)
_REQUIRED = (
    Required.OPTIONAL,
    Required.RECOMMENDED,
    Required.CONDITIONAL,
    Required.ALWAYS,
)


@dataclass(frozen=True, slots=True)
class Loosening:
    """Something that would be looser than before: its item (no code for the whole), and why not."""

    code: str
    message: str


def loosenings(old: Template, new: Template, musts: frozenset[str]) -> list[Loosening]:
    """Return what a changed checklist would loosen that must stay.

    musts are the codes of the statements whose force is must.
    """
    changes: list[Loosening] = []
    if new.language != old.language:
        changes.append(
            Loosening(
                "",
                _(
                    "the language is %(language)s, and it was %(before)s",
                    language=new.language,
                    before=old.language,
                ),
            )
        )
    for item in old.items:
        bound = [code for code in item.rests_on.statements if code in musts]
        if not bound and item.code not in WORKED_WITH:
            continue
        after = new.item(item.code)
        if after is None:
            changes.append(Loosening(item.code, _why_it_stays(bound)))
            continue
        lost = [code for code in bound if code not in after.rests_on.statements]
        if lost:
            words = with_commas(lost)
            changes.append(
                Loosening(
                    item.code,
                    _("it is no longer based on %(words)s, a must of the source", words=words),
                )
            )
        changes += [Loosening(item.code, message) for message in _item(item, after)]
    return changes


def least_required(olds: Iterable[Template], code: str, musts: frozenset[str]) -> Required:
    """Return the least strict way in which an item may be required, by earlier versions."""
    bound = [
        item.required
        for old in olds
        if (item := old.item(code)) is not None
        and (code in WORKED_WITH or not musts.isdisjoint(item.rests_on.statements))
    ]
    return max(bound, key=_REQUIRED.index, default=Required.OPTIONAL)


def is_less(required: Required, other: Required) -> bool:
    """Return whether one way of being required is less strict than another."""
    return _REQUIRED.index(required) < _REQUIRED.index(other)


def _why_it_stays(bound: Sequence[str]) -> str:
    if bound:
        return str(
            _(
                "it is based on %(names)s, a must of the source, so it can't be removed",
                names=with_commas(bound),
            )
        )
    return str(_("the application works with its answer, so it can't be removed"))


def _item(old: Item, new: Item) -> Iterator[str]:
    if new.part is not old.part:
        yield _("its part must stay %(part)s", part=old.part.value)
    if is_less(new.required, old.required):
        yield _("it must stay required: %(required)s, or more", required=old.required.value)
    elif new.required is Required.CONDITIONAL and not _is_as_wide(
        old.required_when, new.required_when
    ):
        yield _("required_when may only be widened: any of the old condition and another")
    if new.shown_when is not None and not _is_as_wide(old.shown_when, new.shown_when):
        yield _("shown_when may only be widened: any of the old condition and another")
    yield from _fields(old.fields, new.fields)
    remaining = list(new.done.checks)
    for check in old.done.checks:
        if not any(_is_as_strict(check, other) for other in remaining):
            yield _("its check %(check)s must stay", check=check.check.value)


def _is_as_wide(old: Condition | None, new: Condition | None) -> bool:
    """Return whether a condition is true at least whenever the old one was."""
    if old is None:
        return new is None
    if new is None or new == old:
        return True
    if isinstance(new, AnyCondition):
        return old in new.any
    if isinstance(new, ModesCondition) and isinstance(old, ModesCondition):
        return set(new.modes) >= set(old.modes)
    return False


def _is_as_strict(old: Check, new: Check) -> bool:
    same = old.model_copy(update={"n": None, "values": ()}) == new.model_copy(
        update={"n": None, "values": ()}
    )
    return same and (new.n or 0) >= (old.n or 0) and set(new.values) >= set(old.values)


def _fields(old: Iterable[TemplateField], new: Sequence[TemplateField]) -> Iterator[str]:
    by_key = {field.key: field for field in new}
    for field in old:
        after = by_key.get(field.key)
        if after is None:
            yield _("its field %(key)s must stay", key=field.key)
            continue
        for message in (
            *_looser_in_part(field, after),
            *_owners(field, after),
            *_table(field, after),
        ):
            yield _("field %(key)s: %(message)s", key=field.key, message=message)


def _looser_in_part(old: TemplateField | Column, new: TemplateField | Column) -> Iterator[str]:
    """Yield what is looser in a field or a column."""
    if new.type is not old.type:
        yield _("its type must stay %(type)s", type=old.type.value)
    if _need(new) < _need(old):
        yield _("it can't be required less than before")
    elif old.required_when and new.required_when:
        looked_at = [
            condition.model_copy(update={"values": ()})
            for condition in (old.required_when, new.required_when)
        ]
        values = [set(condition.values) for condition in (old.required_when, new.required_when)]
        if looked_at[0] != looked_at[1] or not values[1] >= values[0]:
            yield _("required_when may only be widened")
    gone = {option.value for option in old.options} - {option.value for option in new.options}
    if gone:
        yield _("its choices must stay: %(names)s", names=with_commas(sorted(gone)))
    if (new.min or 0) < (old.min or 0):
        yield _("min must be at least %(min)s", min=old.min)
    if old.max is not None and (new.max is None or new.max > old.max):
        yield _("max must be at most %(max)s", max=old.max)


def _need(part: TemplateField | Column) -> int:
    if part.required_when is not None:
        return 1
    return 2 if part.required else 0


def _owners(old: TemplateField, new: TemplateField) -> Iterator[str]:
    """Yield where fewer people than before set, accept, confirm or countersign a field."""
    if new.sets is not old.sets:
        yield _("it must still be set by %(sets)s", sets=old.sets.value)
    if new.accepts not in {old.accepts, Accepts.ALL} and old.accepts is not Accepts.NONE:
        if old.accepts is Accepts.ALL:
            yield _("it must still be accepted by %(accepts)s", accepts=old.accepts.value)
        else:
            yield _(
                "it must still be accepted by %(accepts)s, or by all", accepts=old.accepts.value
            )
    if old.confirms not in {"none", new.confirms}:
        yield _("it must still be confirmed by %(confirms)s", confirms=old.confirms)
    if old.countersigns not in {"none", new.countersigns}:
        yield _("it must still be countersigned by %(countersigns)s", countersigns=old.countersigns)
    lost = [limit.key for limit in old.limits if limit not in new.limits]
    if lost:
        yield _("its limits must stay: %(names)s", names=with_commas(lost))


def _table(old: TemplateField, new: TemplateField) -> Iterator[str]:
    if old.rows is None or new.rows is None:
        return
    if new.rows.min < old.rows.min:
        yield _("it must keep at least %(min)s rows", min=old.rows.min)
    gone = {row.key for row in old.rows.fixed} - {row.key for row in new.rows.fixed}
    if gone:
        yield _("its fixed rows must stay: %(names)s", names=with_commas(sorted(gone)))
    by_key = {column.key: column for column in new.columns}
    for column in old.columns:
        after = by_key.get(column.key)
        if after is None:
            yield _("its column %(key)s must stay", key=column.key)
            continue
        for message in _looser_in_part(column, after):
            yield _("column %(key)s: %(message)s", key=column.key, message=message)
        if after.shown_when is not None and not _is_as_wide(column.shown_when, after.shown_when):
            yield _("column %(key)s: shown_when may only be widened", key=column.key)
