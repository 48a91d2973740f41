"""Tokens of what a page of a visit showed, which its form sends back.

People accept or confirm what they saw (product.md, 5.3). Each token (tracker/access/page_tokens.py)
is for one person, one visit and one button. Its digest is keyed and made of ids and versions, so
that it says nothing about place, days or tasks (class K2).
"""

from uuid import UUID

from tracker.access import page_tokens
from tracker.access.actor import Actor
from tracker.core import canonical
from tracker.visits import excusing
from tracker.visits.readiness import Reading

_TASK, _PLAN, _OVERRIDE = "visit-task", "visit-plan", "visit-override"


def task_mark(actor: Actor, reading: Reading, user_id: UUID | None = None) -> str:
    """Return the token of a person's task (V5), at the place and on the days of the visit.

    user_id is the person whose task it is, if not the actor.
    """
    return page_tokens.token_of(actor, _TASK, _task(reading, user_id or actor.user_id))


def require_task(actor: Actor, reading: Reading, user_id: UUID, mark: str, changed: object) -> None:
    """Raise NotShownError, saying what changed, unless the page showed this person's task."""
    page_tokens.require_shown(actor, _TASK, mark, _task(reading, user_id), changed)


def plan_mark(actor: Actor, reading: Reading, user_id: UUID | None = None) -> str:
    """Return the token of the urgent-action plan in force (V20), for the place and the days.

    user_id is the person who knows the plan, if not the actor.
    """
    return page_tokens.token_of(actor, _PLAN, _plan(reading, user_id or actor.user_id))


def require_plan(actor: Actor, reading: Reading, user_id: UUID, mark: str, changed: object) -> None:
    """Raise NotShownError, saying what changed, unless the page showed this person the plan."""
    page_tokens.require_shown(actor, _PLAN, mark, _plan(reading, user_id), changed)


def override_mark(actor: Actor, reading: Reading) -> str:
    """Return the token of what is missing, as an override excuses it (visits/excusing.py)."""
    return page_tokens.token_of(actor, _OVERRIDE, _missing(reading))


def require_override(actor: Actor, reading: Reading, mark: str, changed: object) -> None:
    """Raise NotShownError, saying what changed, unless the page showed what is missing now."""
    page_tokens.require_shown(actor, _OVERRIDE, mark, _missing(reading), changed)


def _task(reading: Reading, user_id: UUID) -> str:
    tasks = reading.roles.sheet.shared("V5")
    return _digest(reading, str(user_id), str(tasks.answer_id) if tasks is not None else "")


def _plan(reading: Reading, user_id: UUID) -> str:
    # The text of a revision never changes, so its id identifies it.
    return _digest(reading, str(user_id), str(reading.urgent_plan.revision_in_force_id or ""))


def _missing(reading: Reading) -> str:
    judgement = reading.judgement
    parts = {
        canonical.digest_of([*part])
        for requirement in judgement.requirements
        for part in excusing.shown(requirement, judgement.facts)
    }
    return _digest(reading, *sorted(parts))


def _digest(reading: Reading, *parts: str) -> str:
    """Return a digest of parts of a page; the visit's version changes with its place and days."""
    return page_tokens.digest_of(str(reading.visit.id), str(reading.visit.version), *parts)
