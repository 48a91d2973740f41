"""Service functions for the model text of this instance: change an item, go back (adr 114)."""

from dataclasses import dataclass
from uuid import uuid4

from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError

from tracker.access.actor import Actor
from tracker.activity import verbs
from tracker.authoring import policy
from tracker.authoring.checklists.service import tidy_reason
from tracker.authoring.model_texts import faults
from tracker.authoring.recording import record
from tracker.checklist_templates import library as checklists
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklist_templates.schema import Template
from tracker.checklists.model_texts import in_use, library
from tracker.checklists.model_texts.in_use import ItemText
from tracker.checklists.model_texts.schema import ModelTextContent
from tracker.checklists.models import ModelTextRevision
from tracker.core import clock
from tracker.core.db import db, let_others_write
from tracker.core.errors import RuleBrokenError, StaleError
from tracker.core.mistakes import ContentError, Mistake
from tracker.ui import locale


@dataclass(frozen=True, slots=True)
class Address:
    """Which model text: of which checklist, in which language, of which item."""

    kind: ChecklistKind
    language: str
    code: str


@dataclass(frozen=True, slots=True)
class _Read:
    """What a check is based on, read before it."""

    content: ModelTextContent
    template: Template
    numbers: dict[str, int]


def check(address: Address, text: ItemText) -> None:
    """Raise ContentError if an item's model text doesn't fit, or has faults in any way of working.

    It takes seconds, during which others can write: anything read before may be out of date.
    """
    _check(address, text, _read(address))


def publish(
    actor: Actor, address: Address, text: ItemText, *, seen_number: int | None, reason: str
) -> ModelTextRevision:
    """Make an edited text the model text of an item; cooperations that began with it keep theirs.

    Raises RefusedError, ContentError, RuleBrokenError if nothing differs, or StaleError if somebody
    else published one since the person saw seen_number.
    """
    policy.can_look_after_checklists(actor).require()
    reason = tidy_reason(reason)
    read = _read(address)
    _check(address, text, read)
    policy.can_look_after_checklists(actor).require()
    current = _locked(address, seen_number, read.numbers)
    product = library.content_in(address.kind, address.language).items[address.code]
    _require_difference(current, text, product)
    row = _next(actor, address, current, reason)
    row.content = in_use.as_stored(text)
    row.digest = in_use.digest_of(text)
    _add(row, current)
    _record(verbs.MODEL_TEXT_CHANGED, actor, row)
    return row


def reset(
    actor: Actor, address: Address, *, seen_number: int | None, reason: str
) -> ModelTextRevision:
    """Go back to the product's own text of an item; what was written here stays as a revision."""
    policy.can_look_after_checklists(actor).require()
    current = _locked(address, seen_number)
    if current is None or current.content is None:
        raise RuleBrokenError(_l("The product's own text is in use already."))
    row = _next(actor, address, current, tidy_reason(reason))
    row.content = None
    row.digest = row.product_digest
    _add(row, current)
    _record(verbs.MODEL_TEXT_RESET, actor, row)
    return row


def template_of(kind: ChecklistKind) -> Template:
    """Return the checklist that new cooperations begin on, in the language of the page."""
    return checklists.localized(checklists.newest(kind), locale.language())


def _read(address: Address) -> _Read:
    rows = in_use.current_rows(address.kind, [address.language])
    return _Read(
        in_use.content_with(address.kind, address.language, rows),
        template_of(address.kind),
        {row.item: row.number for row in rows},
    )


def _check(address: Address, text: ItemText, read: _Read) -> None:
    item = read.template.by_code[address.code]
    misfits = [
        Mistake(faults.TEXT, 1, message) for _path, message in library.item_misfits(item, text)
    ]
    if misfits:
        raise ContentError(misfits)
    if not text:
        raise RuleBrokenError(_l("The model text of an item can't be empty."))
    let_others_write()
    edited = in_use.with_items(read.content, {address.code: text})
    faults.require_sound(edited, read.content, read.template, address.code)


def _locked(
    address: Address, seen_number: int | None, numbers: dict[str, int] | None = None
) -> ModelTextRevision | None:
    """Lock a model text's changed items; return the current revision of this one, if any.

    numbers are those that a check is based on: another item may have been published since.
    """
    rows = in_use.current_rows(address.kind, [address.language], to_change=True)
    current = next((row for row in rows if row.item == address.code), None)
    if (current.number if current else 0) != seen_number:
        raise StaleError(
            _l("Somebody else changed this text in the meantime. Compare, then publish.")
        )
    if numbers is not None and numbers != {row.item: row.number for row in rows}:
        raise StaleError(
            _l("Somebody else published another item at the same moment. Publish again.")
        )
    return current


def _require_difference(
    current: ModelTextRevision | None, text: ItemText, product: ItemText
) -> None:
    """Raise RuleBrokenError unless a text differs, or keeps ours in place of a newer one."""
    stored = in_use.as_stored(text)
    if current is None or current.content is None:
        if stored == in_use.as_stored(product):
            raise RuleBrokenError(_l("This is the product's own text. Change something."))
    elif stored == current.content and current.product_digest == in_use.digest_of(product):
        raise RuleBrokenError(_l("Nothing is different from the text in use. Change something."))


def _next(
    actor: Actor, address: Address, current: ModelTextRevision | None, reason: str
) -> ModelTextRevision:
    product = library.content_in(address.kind, address.language).items[address.code]
    return ModelTextRevision(
        id=uuid4(),
        kind=address.kind,
        language=address.language,
        item=address.code,
        number=(current.number if current else 0) + 1,
        is_current=True,
        product_digest=in_use.digest_of(product),
        reason=reason,
        author=actor.name,
        published_at=clock.now(),
    )


def _add(row: ModelTextRevision, current: ModelTextRevision | None) -> None:
    try:
        with db.session.begin_nested():
            if current is not None:
                current.is_current = False
                db.session.flush()
            db.session.add(row)
    except IntegrityError as error:
        raise StaleError(
            _l("Another revision was published at the same moment. Try again.")
        ) from error


def _record(verb: verbs.Verb, actor: Actor, row: ModelTextRevision) -> None:
    record(verb, actor, row, language=row.language, item=row.item, reason=row.reason)
