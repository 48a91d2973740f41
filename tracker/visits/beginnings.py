"""How the texts of a visit begin as it is planned: with the model text, or as at an earlier visit.

Nobody has read any of it then: each party reads and accepts it like any text from elsewhere
(adr 22, 93 and 125).
"""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor
from tracker.accounts import queries as accounts
from tracker.activity import service as trail
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import queries as checklists
from tracker.checklists.loading import load
from tracker.checklists.model_texts import library
from tracker.checklists.model_texts.schema import Task
from tracker.checklists.models import Checklist
from tracker.checklists.reuse import beginning, copying, visit_tasks
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.ui.locale import name_of
from tracker.visits import queries
from tracker.visits.models import Visit, VisitStage

# The texts of a visit, in the order in which they are agreed.
KINDS = (ChecklistKind.VISIT_ROLES, ChecklistKind.URGENT_PLAN)
LATER = "later"
# The page in the read log: that of copying answers.
COPIED = "copied"
TASKS = tuple(task for task in Task if task in visit_tasks.CIRCLES)
MODEL, FORMER = "model-", "visit-"


@dataclass(frozen=True, slots=True)
class TextPlan:
    """How the texts begin: in which language of the model text, or as at which earlier visit.

    tasks says who takes which task of the visit, where the model text has a place for somebody;
    briefing is its day, None if it is counted from the visit as the text does (V18).
    """

    language: str = ""
    former: Visit | None = None
    tasks: Mapping[str, UUID] = field(default_factory=dict)
    briefing: dt.date | None = None

    @property
    def given(self) -> copying.GivenValues:
        """What was entered that takes the place of a text's values, by item."""
        return {"V18": {"briefing": self.briefing.isoformat()}} if self.briefing else {}


def former_visit(actor: Actor, cooperation_id: UUID) -> Visit | None:
    """Return the newest visit that is open to the person and wasn't stopped, or None."""
    opened = queries.of_cooperation(actor, cooperation_id)
    return next((v for v in reversed(opened) if v.stage is not VisitStage.STOPPED), None)


def languages(offered: Iterable[str]) -> list[str]:
    """Return those of some languages in which both texts exist."""
    written = [set(library.languages(kind)) for kind in KINDS]
    return [code for code in offered if all(code in codes for codes in written)]


def text_plan(
    way: str | None,
    former: Visit | None,
    tasks: Mapping[str, UUID],
    briefing: dt.date | None = None,
) -> TextPlan | None:
    """Return what was chosen on the form; None if the texts begin later."""
    if way and way.startswith(MODEL):
        return TextPlan(language=way.removeprefix(MODEL), tasks=tasks, briefing=briefing)
    if former is not None and way == f"{FORMER}{former.number}":
        return TextPlan(former=former, briefing=briefing)
    return None


def begin(actor: Actor, visit: Visit, chosen: TextPlan) -> None:
    """Begin both texts of a visit that is being planned.

    Raise RuleBrokenError with the field if somebody who was chosen can't take that task, or if the
    earlier visit had other parties.
    """
    texts = _of_visit(visit.id)
    if chosen.former is not None:
        formers = checklists.of_visit(actor, chosen.former.id)
        if formers:
            _note_reading(actor, list(formers.values()))
        for kind in KINDS:
            _copy(actor, texts[kind], formers.get(kind), chosen)
        return
    leaders = visit_tasks.leaders(actor, load(texts[ChecklistKind.VISIT_ROLES]))
    for kind in KINDS:
        _use_model(actor, texts[kind], chosen, leaders)


def _note_reading(actor: Actor, read: Sequence[Checklist]) -> None:
    """Log that a person has an earlier visit's checklists read for a new one (K2)."""
    trail.log_reads(
        actor,
        cooperation_id=read[0].cooperation_id,
        subject_type="checklist",
        subject_ids=[checklist.id for checklist in read],
        page=COPIED,
    )


def _of_visit(visit_id: UUID) -> dict[ChecklistKind, Checklist]:
    rows = db.session.scalars(sa.select(Checklist).where(Checklist.visit_id == visit_id))
    return {row.kind: row for row in rows}


def _use_model(
    actor: Actor, checklist: Checklist, chosen: TextPlan, leaders: Mapping[str, UUID]
) -> None:
    offered = {
        given.task.value: {person for person, _name in given.people}
        for given in visit_tasks.to_give(load(checklist))
    }
    people = {task: person for task, person in chosen.tasks.items() if task in offered}
    for task, person in people.items():
        if person not in offered[task]:
            raise RuleBrokenError(_l("Choose somebody on the team, or a person of the NPM."), task)
    given = {task: str(person) for task, person in people.items()}
    beginning.begin(
        actor,
        checklist,
        chosen.language,
        seen=None,
        chosen=given,
        given=chosen.given,
        leaders=leaders,
    )


def _copy(actor: Actor, checklist: Checklist, former: Checklist | None, chosen: TextPlan) -> None:
    before = former and checklists.earlier_checklist(actor, checklist, former.id)
    if before is None:
        words = _l(
            "The texts of joint visit %(number)s can't be copied, because other parties agreed "
            "them or nothing is written in them. Choose another way to begin.",
            number=chosen.former.number if chosen.former else "",
        )
        raise RuleBrokenError(words, "beginning")
    look = copying.preview(actor, load(checklist), load(before))
    if look.codes:
        copying.copy(
            actor, checklist, before.id, sorted(look.codes), seen=look.seen, given=chosen.given
        )


# What is known of people -------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of a person, for their row in the team (V4)."""

    skill: str = ""
    languages: str = ""


def known_of(actor: Actor, cooperation_id: UUID, user_ids: Iterable[UUID]) -> dict[UUID, Known]:
    """Return why people were on a team before, and which languages they speak.

    From the newest visit that is open to the person who plans, and otherwise from the list of who
    must sign (C2) and from the language of people's accounts.
    """
    known = {
        user_id: Known(languages=name_of(contact.language))
        for user_id, contact in accounts.contacts(user_ids).items()
    }
    for user_id, function in _functions(cooperation_id).items():
        known[user_id] = replace(known.get(user_id, Known()), skill=function)
    former = former_visit(actor, cooperation_id)
    roles = checklists.of_visit(actor, former.id).get(KINDS[0]) if former else None
    if roles is None:
        return known
    _note_reading(actor, [roles])
    for row in load(roles).sheet.value("V4", "team") or ():
        user_id = UUID(row["person"])
        before = known.get(user_id, Known())
        known[user_id] = Known(
            row.get("skill") or before.skill, row.get("languages") or before.languages
        )
    return known


def _functions(cooperation_id: UUID) -> dict[UUID, str]:
    """Return what people do for a cooperation, as its parties list them (C2)."""
    checklist = db.session.scalar(
        sa.select(Checklist).where(
            Checklist.cooperation_id == cooperation_id,
            Checklist.kind == ChecklistKind.CONFIDENTIALITY,
            Checklist.visit_id.is_(None),
        )
    )
    if checklist is None:
        return {}
    rows: list[Mapping[str, Any]] = [
        row
        for (code, scope, _owner), answer in load(checklist).sheet.answers.items()
        if code == "C2" and scope is AnswerScope.PARTY
        for row in answer.values.get("persons") or ()
    ]
    return {UUID(row["person"]): row["function"] for row in rows if row.get("function")}
