"""Service functions for one item of a checklist: change its texts and whether it is required.

The result is a draft, checked and stored like an uploaded text. What the form doesn't show stays as
it is in the text, with its comments.
"""

import copy
import io
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from flask_babel import lazy_gettext as _l
from ruamel.yaml.comments import CommentedMap

from tracker.access.actor import Actor
from tracker.authoring import policy
from tracker.authoring.checklists import service, strictness
from tracker.authoring.models import TemplateDraft
from tracker.checklist_templates import library
from tracker.checklist_templates.models import ChecklistTemplate
from tracker.checklist_templates.schema import Item, Required, Template
from tracker.checklist_templates.strict import with_parts
from tracker.core.content import read_yaml, yaml_writer
from tracker.core.db import db, let_others_write
from tracker.core.errors import RuleBrokenError, StaleError
from tracker.core.mistakes import ContentError, Mistake


@dataclass(frozen=True, slots=True)
class ItemChange:
    """What the form of an item holds: its texts, and whether the item is required."""

    label: str
    prompt: str
    help: str
    required: Required


def change_of(item: Item) -> ItemChange:
    """Return what the form of an item shows before anybody types."""
    return ItemChange(item.label, item.prompt, item.help or "", item.required)


def applied(change: ItemChange, item: Item, base: Item | None) -> Item:
    """Return an item with a change; a condition comes from the item, or from its base version."""
    condition = None
    if change.required is Required.CONDITIONAL:
        condition = item.required_when or (base.required_when if base else None)
    return with_parts(
        item,
        label=change.label,
        prompt=change.prompt,
        help=change.help or None,
        required=change.required,
        required_when=condition,
    )


def least_of(row: ChecklistTemplate, code: str, musts: frozenset[str]) -> Required:
    """Return what an item of a draft of this version must be required at least."""
    olds = service.compared_with(row, library.versions(row.kind))
    return strictness.least_required(olds, code, musts)


def begin_draft(actor: Actor, template_id: UUID, code: str, change: ItemChange) -> TemplateDraft:
    """Store a version with one item changed as a draft, which only administrators see.

    Raises what take_in raises.
    """
    policy.can_look_after_checklists(actor).require()
    base = library.parsed(db.session.get_one(ChecklistTemplate, template_id))
    _require_own_name(base, code, change)
    let_others_write()
    return service.take_in(actor, library.as_text(_changed(base, code, change)))


def change_draft(
    actor: Actor, draft_id: UUID, code: str, change: ItemChange, *, seen_version: int | None
) -> TemplateDraft:
    """Change one item of a draft.

    Raises RuleBrokenError if nothing differs, StaleError if somebody changed the draft in the
    meantime, and ContentError.
    """
    policy.can_look_after_checklists(actor).require()
    draft = db.session.get(TemplateDraft, draft_id, populate_existing=True)
    template = Template.model_validate(draft.content) if draft is not None else None
    item = template.item(code) if template is not None else None
    if draft is not None and item is None:
        raise StaleError(_l("This item was removed from the draft in the meantime."))
    if draft is None or template is None or item is None or draft.version != seen_version:
        raise StaleError(
            _l("Somebody else changed this draft in the meantime. Compare, then save again.")
        )
    base = library.parsed(db.session.get_one(ChecklistTemplate, draft.base_id))
    if applied(change, item, base.item(code)) == item:
        raise RuleBrokenError(_l("Nothing is different from the draft. Change something."))
    _require_own_name(template, code, change)
    text = _with_item(draft.text, code, change, base)
    return service.change(actor, draft_id, text, seen_version=seen_version)


def _require_own_name(template: Template, code: str, change: ItemChange) -> None:
    """Refuse a new name that another item has: pages and mails name items by it alone."""
    same = service.comparable(change.label)
    if service.comparable(template.by_code[code].label) == same:
        return
    if any(service.comparable(item.label) == same for item in template.items if item.code != code):
        raise RuleBrokenError(
            _l("Another item of this checklist has this name. Choose another."), "label"
        )


def _changed(base: Template, code: str, change: ItemChange) -> Template:
    """Return a version with one item changed, which nothing has checked yet."""
    sections = tuple(
        with_parts(
            section,
            items=tuple(
                applied(change, item, item) if item.code == code else item for item in section.items
            ),
        )
        for section in base.sections
    )
    return with_parts(base, sections=sections)


def _with_item(text: str, code: str, change: ItemChange, base: Template) -> str:
    """Return a checklist's text with one item changed; others can write in the meantime."""
    let_others_write()
    mistakes: list[Mistake] = []
    tree = read_yaml(text, service.CHECKLIST, mistakes)
    if tree is None:
        raise ContentError(mistakes)
    whole = copy.deepcopy(tree.tree)
    node = next(
        item for section in whole["sections"] for item in section["items"] if item["code"] == code
    )
    _set(node, "label", change.label)
    _set(node, "prompt", change.prompt, after="label")
    _set(node, "help", change.help or None, after="prompt")
    _set(node, "required", change.required.value, after="part")
    if change.required is not Required.CONDITIONAL:
        _set(node, "required_when", None)
    elif "required_when" not in node:
        _set(node, "required_when", _condition(base.item(code)), after="required")
    written = io.StringIO()
    yaml_writer().dump(whole, written)
    return written.getvalue()


def _condition(item: Item | None) -> dict[str, Any] | None:
    if item is None or item.required_when is None:
        return None
    return item.required_when.model_dump(mode="json", by_alias=True, exclude_defaults=True)


def _set(node: CommentedMap, key: str, value: object, after: str = "") -> None:
    """Set a key of an item, or remove it; a new key comes after another one."""
    if value is None:
        node.pop(key, None)
    elif key in node or after not in node:
        # A value that stays keeps the way it was written.
        if key not in node or node[key] != value:
            node[key] = value
    else:
        node.insert(list(node).index(after) + 1, key, value)
