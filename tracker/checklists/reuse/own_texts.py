"""Service functions for the model texts that a body of the NPM keeps: store, place, retire.

Keeping one from a signed text is agreements.keeping; beginning with one is reuse.beginning.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.checklist_templates import library
from tracker.checklist_templates.checks import CheckName
from tracker.checklist_templates.schema import Item
from tracker.checklists import encryption, policy, queries
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.model_texts import library as model_texts
from tracker.checklists.model_texts import merging
from tracker.checklists.model_texts.merging import ModelText
from tracker.checklists.model_texts.schema import Task
from tracker.checklists.models import Checklist, OwnModelText
from tracker.checklists.rules.facts import Surroundings
from tracker.checklists.service import own_organisation
from tracker.cooperations import keys
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError, StaleError

# How many texts a body of the NPM keeps for one checklist, so that they can be told apart.
MOST = 10


@dataclass(frozen=True, slots=True)
class OwnText:
    """A model text that a body of the NPM keeps, with its answers for one checklist."""

    row: OwnModelText
    answers: Mapping[str, Mapping[str, Any]]
    # Tasks of the visit for which it needs somebody.
    tasks: frozenset[Task] = frozenset()


def store(
    actor: Actor,
    checklist: Checklist,
    revision_number: int,
    template_version: int,
    values: Mapping[str, Any],
) -> OwnModelText:
    """Store what is kept of a signed text; the caller has asked the policy.

    Raise RuleBrokenError if nothing of it can be kept, or if enough or the same is kept already.
    """
    if not values:
        raise RuleBrokenError(
            _l("It only names people, dates and parties. Those aren't kept, so nothing is left.")
        )
    row = OwnModelText(
        id=uuid4(),
        organisation_id=own_organisation(actor),
        kind=checklist.kind,
        cooperation_id=checklist.cooperation_id,
        checklist_id=checklist.id,
        revision_number=revision_number,
        template_version=template_version,
        item_count=len(values),
        is_of_visit=encryption.is_restricted(checklist),
        kept_by_id=actor.user_id,
        kept_at=clock.now(),
    )
    _require_space(row)
    encryption.put_model_text(row, values)
    db.session.add(row)
    db.session.flush()
    _record(verbs.MODEL_TEXT_KEPT, actor, row)
    return row


def _require_space(row: OwnModelText) -> None:
    others = db.session.execute(
        sa.select(OwnModelText.checklist_id, OwnModelText.revision_number).where(
            OwnModelText.organisation_id == row.organisation_id,
            OwnModelText.kind == row.kind,
            OwnModelText.retired_at.is_(None),
        )
    ).all()
    if (row.checklist_id, row.revision_number) in {tuple(other) for other in others}:
        raise RuleBrokenError(_l("Your organisation keeps this text as a model text already."))
    if len(others) >= MOST:
        words = _l(
            "Your organisation keeps %(most)s model texts for this checklist already. Retire one "
            "first.",
            most=MOST,
        )
        raise RuleBrokenError(words)


def retire(actor: Actor, text_id: UUID) -> None:
    """Retire a model text that the actor's body keeps: its content is deleted for good.

    What was begun with it stays as it is.
    """
    policy.can_use_own_texts(actor).require()
    row = queries.own_text(actor, text_id, to_change=True)
    if row is None:
        raise StaleError(_l("This model text has been retired in the meantime."))
    row.values = None
    row.sealed = None
    row.retired_at = clock.now()
    row.retired_by_id = actor.user_id
    db.session.flush()
    _record(verbs.MODEL_TEXT_RETIRED, actor, row)


def for_checklist(
    actor: Actor, loaded: LoadedChecklist, tasks: Mapping[str, UUID] | None = None
) -> list[OwnText]:
    """Return the kept model texts with which a checklist can begin, the newest first.

    Nothing from a visit's checklist (K2) is offered in one that is no visit's. tasks says who takes
    which task of the visit: where the text that comes with the product usually names them, or
    counts a day from the visit, the places of a kept text do too (adr 110).
    """
    rows = [
        row
        for row in queries.own_texts(actor, loaded.checklist.kind)
        if encryption.is_restricted(loaded.checklist) or not row.is_of_visit
    ]
    keys.hold({row.cooperation_id for row in rows if row.is_of_visit})
    around = replace(loaded.surroundings, tasks=tasks or {})
    placed = [_placed(row, loaded, around) for row in rows]
    return [text for text in placed if text.answers]


def _placed(row: OwnModelText, loaded: LoadedChecklist, around: Surroundings) -> OwnText:
    template = library.parsed(loaded.checklist.template)
    content = model_texts.content_of(row.kind)
    stored = {
        code: merging.with_places(content, code, values)
        for code, values in encryption.model_text_of(row).items()
    }
    text = ModelText(row.kind, "", row.template_version, stored)
    answers = merging.answers(text, template, around)
    tasks = (merging.tasks_in(stored[code]) for code in answers)
    return OwnText(
        row,
        {code: _one_row_each(template.by_code[code], values) for code, values in answers.items()},
        frozenset().union(*tasks),
    )


def _one_row_each(item: Item, values: dict[str, Any]) -> dict[str, Any]:
    """Leave each party one row where each has one: what is kept comes before what is open."""
    for check in item.done.checks:
        is_table = check.check in {CheckName.ROW_PER_PARTY, CheckName.ROW_PER_CSO}
        if is_table and check.field in values and check.column:
            rows: dict[Any, dict[str, Any]] = {}
            for row in values[check.field]:
                rows.setdefault(row.get(check.column), row)
            values = {**values, check.field: list(rows.values())}
    return values


def _record(verb: verbs.Verb, actor: Actor, row: OwnModelText) -> None:
    """Record that something was done with a model text, without saying which or from where."""
    trail.record(verb, actor=actor, subject_type="own_model_text", subject_id=row.id)
