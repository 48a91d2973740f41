"""Service functions for an organisation's own model answers: save, rename, delete."""

from collections.abc import Mapping
from typing import Any
from uuid import UUID, uuid4

from flask_babel import lazy_gettext as _l
from sqlalchemy.exc import IntegrityError

from tracker.access.actor import Actor
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.checklist_templates.field_content import has_content
from tracker.checklist_templates.models import AnswerScope
from tracker.checklist_templates.schema import NAMING, Item, TemplateField
from tracker.checklists import policy, queries
from tracker.checklists.encryption import is_restricted
from tracker.checklists.loading import LoadedChecklist, load
from tracker.checklists.models import Checklist, ModelAnswer
from tracker.checklists.rules.facts import Filled
from tracker.checklists.rules.values import (
    Fit,
    fit,
    shown_only,
    without,
)
from tracker.checklists.service import own_organisation, owner_of
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError, StaleError

TITLE, NOTE = "title", "note"
MAX_TITLE = 200
MAX_NOTE = 2000


def keep(
    actor: Actor,
    checklist: Checklist,
    item_code: str,
    scope: AnswerScope,
    *,
    answer_id: UUID,
    title: str,
    note: str = "",
) -> ModelAnswer:
    """Save an answer as a model answer of the actor's organisation, without the people it names.

    Never one about a visit (class K2). answer_id is the answer the person saw: raise StaleError if
    it has changed since.
    """
    loaded = load(checklist)
    policy.can_keep_as_model(
        actor, loaded.own_party(actor), is_restricted=is_restricted(checklist)
    ).require()
    item = loaded.item(item_code)
    answer = to_keep(actor, loaded, item, scope)
    if answer is None:
        raise RuleBrokenError(_l("There's no answer to keep yet."))
    if answer.answer_id != answer_id:
        raise StaleError(_l("The answer changed while you were writing. Look at it again."))
    values_kept = without_names(item.fields_of(scope), answer.values)
    if not any(has_content(value) for value in values_kept.values.values()):
        raise RuleBrokenError(
            _l("It only names people and parties. Those aren't kept, so nothing would be left.")
        )
    row = ModelAnswer(
        id=uuid4(),
        organisation_id=own_organisation(actor),
        kind=checklist.kind,
        item=item.code,
        scope=scope,
        title=_tidy(title, TITLE, MAX_TITLE),
        note=_tidy(note, NOTE, MAX_NOTE, required=False),
        values=values_kept.values,
        author_id=actor.user_id,
        changed_at=clock.now(),
    )
    _save(row)
    _record(verbs.MODEL_ANSWER_KEPT, actor, row)
    return row


def to_keep(actor: Actor, loaded: LoadedChecklist, item: Item, scope: AnswerScope) -> Filled | None:
    """Return the answer that would be saved: the shared one or the party's own.

    None if there is none, or if the item was left out; never personal answers or those of other
    parties.
    """
    if scope is AnswerScope.PERSON or scope not in item.scopes:
        return None
    owner_id = owner_of(actor, loaded.checklist, scope)
    answer = loaded.sheet.answers.get((item.code, scope, owner_id))
    return None if answer is None or answer.is_empty or answer.not_applicable else answer


def without_names(fields: tuple[TemplateField, ...], values: Mapping[str, Any]) -> Fit:
    """Return values as a model answer stores them: without people and parties."""
    return without(fields, shown_only(fields, values), NAMING)


def fitted(model: ModelAnswer, loaded: LoadedChecklist, item: Item) -> Fit:
    """Return the part of a model answer that currently fits an item."""
    return fit(item.fields_of(model.scope), model.values, loaded.surroundings)


def rename(actor: Actor, model_id: UUID, *, title: str, note: str, seen_version: int) -> None:
    """Change a model answer's title and note; raise StaleError if it has changed since."""
    row = _locked(actor, model_id)
    if row.version != seen_version:
        raise StaleError(_l("Somebody else changed it while you were writing. Look at it again."))
    _save(
        row,
        title=_tidy(title, TITLE, MAX_TITLE),
        note=_tidy(note, NOTE, MAX_NOTE, required=False),
        version=row.version + 1,
        author_id=actor.user_id,
        changed_at=clock.now(),
    )
    _record(verbs.MODEL_ANSWER_RENAMED, actor, row)


def delete(actor: Actor, model_id: UUID) -> None:
    """Delete a model answer of the actor's organisation for good; answers started from it stay."""
    row = _locked(actor, model_id)
    db.session.delete(row)
    db.session.flush()
    _record(verbs.MODEL_ANSWER_DELETED, actor, row)


def _locked(actor: Actor, model_id: UUID) -> ModelAnswer:
    policy.can_keep_models(actor).require()
    row = queries.model_answer(actor, model_id, to_change=True)
    if row is None:
        raise StaleError(_l("This model answer has been deleted in the meantime."))
    return row


def _save(row: ModelAnswer, **changes: Any) -> None:
    try:
        with db.session.begin_nested():
            for name, value in changes.items():
                setattr(row, name, value)
            db.session.add(row)
    except IntegrityError as error:
        words = _l("Your organisation already has a model answer with this title for this item.")
        raise RuleBrokenError(words, TITLE) from error


def _tidy(text: str, field: str, most: int, *, required: bool = True) -> str:
    tidy = text.strip()
    if required and not tidy:
        raise RuleBrokenError(_l("Give it a title."), field)
    if len(tidy) > most:
        raise RuleBrokenError(_l("Write at most %(most)s characters.", most=most), field)
    return tidy


def _record(verb: verbs.Verb, actor: Actor, row: ModelAnswer) -> None:
    """Record that something was done with a model answer, without saying which or about what."""
    trail.record(verb, actor=actor, subject_type="model_answer", subject_id=row.id)
