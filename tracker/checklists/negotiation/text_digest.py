"""Digests of what a page shows: a whole text to its second reader, or one item."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from flask_babel import lazy_gettext as _l

from tracker.access import page_tokens
from tracker.access.actor import Actor
from tracker.checklist_templates import library
from tracker.checklist_templates.conditions import Truth
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import Item, Part
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.models import OutsideReading
from tracker.checklists.rules.completeness import applied, counting, is_shown
from tracker.checklists.rules.consistency import asked_again_at
from tracker.checklists.rules.facts import Surroundings
from tracker.checklists.rules.values import shown_only
from tracker.core.canonical import digest_of

_ITEM, _QUESTION, _SENDING = "checklist-item", "checklist-question", "checklist-sending"


def text_digest(loaded: LoadedChecklist, reading: OutsideReading | None = None) -> str:
    """Return a digest of what a reader sees: the text and its open flags.

    reading is the invitation of an outside reader: what is printed about them is included.
    """
    return digest_of(
        {
            "reading": [str(reading.id), reading.name, reading.function, reading.reason]
            if reading
            else [],
            "checklist": str(loaded.checklist.id),
            "template": loaded.checklist.template.digest,
            "items": _shown_items(loaded),
            "flagged": sorted(loaded.flagged),
        }
    )


def item_digest(loaded: LoadedChecklist, item: Item) -> str:
    """Return a digest of one item as its page shows it: the question and the answers.

    The question is the template with the fields and columns that are currently shown.
    """
    return digest_of({**_question(loaded, item), "answers": _shown_answers(loaded, item)})


def item_token(loaded: LoadedChecklist, actor: Actor, item: Item) -> str:
    """Return the token of a page that shows a person an item in its current state."""
    return page_tokens.token_of(actor, _ITEM, item_digest(loaded, item))


def item_digest_in(actor: Actor, token: str | None) -> str:
    """Return the digest of the item in a page's token; empty if the token isn't this actor's.

    Also empty if the page was opened for another organisation.
    """
    return page_tokens.digest_in(actor, _ITEM, token)


def require_item_shown(loaded: LoadedChecklist, actor: Actor, item: Item, token: str) -> None:
    """Raise NotShownError unless the person's page showed the item as it is (product.md, 5.3)."""
    page_tokens.require_shown(actor, _ITEM, token, item_digest(loaded, item))


def is_item_shown(loaded: LoadedChecklist, actor: Actor, item: Item, token: str) -> bool:
    """Return whether the person's page showed the item as it is."""
    return page_tokens.digest_in(actor, _ITEM, token) == item_digest(loaded, item)


def question_token(loaded: LoadedChecklist, actor: Actor, item: Item) -> str:
    """Return the token of a page on which a person answers an item: of its question."""
    return page_tokens.token_of(actor, _QUESTION, digest_of(_question(loaded, item)))


def require_question_shown(loaded: LoadedChecklist, actor: Actor, item: Item, token: str) -> None:
    """Raise NotShownError unless the person's page asked what the item asks now.

    Whoever saves an answer accepts it (product.md, 4.1). Which answer it replaces is compared
    separately.
    """
    page_tokens.require_shown(actor, _QUESTION, token, digest_of(_question(loaded, item)))


def sending_token(loaded: LoadedChecklist, actor: Actor, languages: Iterable[str]) -> str:
    """Return the token of a page on which a person sends a text, as it is, in some languages."""
    return page_tokens.token_of(actor, _SENDING, _to_send(loaded, languages))


def require_sending_shown(
    loaded: LoadedChecklist, actor: Actor, languages: Iterable[str], token: str
) -> None:
    """Raise NotShownError unless the text and its languages are as the person's page had them."""
    page_tokens.require_shown(
        actor,
        _SENDING,
        token,
        _to_send(loaded, languages),
        _l(
            "The text or its languages changed after you opened the page, so nothing was sent. "
            "Read the items again before you send it."
        ),
    )


def _to_send(loaded: LoadedChecklist, languages: Iterable[str]) -> str:
    """Return the digest of what is frozen when a text is sent: with the head of the cooperation."""
    head = loaded.cooperation
    days = (head.starts_on, head.review_on, head.ends_on)
    about = (head.title, head.purpose, *map(str, days))
    return page_tokens.digest_of(text_digest(loaded), *about, *languages)


def shows_the_same(loaded: LoadedChecklist, before: Surroundings) -> bool:
    """Return whether the terms showed the same in earlier surroundings, with these answers."""
    whole = library.parsed(loaded.checklist.template)
    sheet = counting(whole, loaded.sheet, before)
    earlier = replace(
        loaded, template=applied(whole, sheet, before), sheet=sheet, surroundings=before
    )
    return _shown_terms(earlier) == _shown_terms(loaded)


def _question(loaded: LoadedChecklist, item: Item) -> dict[str, Any]:
    asked_at = asked_again_at(item.code, loaded.surroundings)
    return {
        "item": item.code,
        "template": loaded.checklist.template.digest,
        "fields": [[field.key, *(column.key for column in field.columns)] for field in item.fields],
        # Of which place it is asked: a page opened before the visit moved asked of another.
        **({"place": str(asked_at)} if asked_at else {}),
    }


def _shown_terms(loaded: LoadedChecklist) -> Mapping[str, Any]:
    items = _shown_items(loaded)
    return {
        item.code: items[item.code]
        for item in loaded.template.items
        if item.part is Part.TERMS and item.code in items
    }


def _shown_items(loaded: LoadedChecklist) -> dict[str, list[Any]]:
    """Return the items that are shown, each with its answers as they are shown."""
    return {
        item.code: _shown_answers(loaded, item)
        for item in loaded.template.items
        if is_shown(item, loaded.sheet, loaded.surroundings) is Truth.TRUE
    }


def _shown_answers(loaded: LoadedChecklist, item: Item) -> list[Any]:
    owners = [(AnswerScope.SHARED, loaded.checklist.id)]
    owners += [(AnswerScope.PARTY, party.organisation_id) for party in loaded.parties]
    answers = [
        (scope, owner_id, loaded.sheet.answers.get((item.code, scope, owner_id)))
        for scope, owner_id in owners
    ]
    return [
        [
            str(owner_id),
            str(answer.answer_id),
            answer.not_applicable,
            dict(answer.values)
            if answer.not_applicable
            else shown_only(item.fields_of(scope), answer.values),
        ]
        for scope, owner_id, answer in answers
        if answer is not None
    ]
