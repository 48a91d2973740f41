"""Marks of what a page of a visit showed, which its form sends back.

Who accepts or confirms something accepts what they saw (product.md, 5.3). A mark is a digest, keyed
with the instance's secret, of ids and versions. Nobody else can make one, it is valid for one
person and one visit, and it says nothing about place, days or tasks (class K2).
"""

import hashlib
import hmac
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.core import canonical, keys
from tracker.core.errors import StaleError
from tracker.visits.readiness import Reading


def task_mark(user_id: UUID, reading: Reading) -> str:
    """Return the mark of a person's task (V5), at the place and on the days of the visit."""
    tasks = reading.roles.sheet.shared("V5")
    return _mark("task", user_id, reading, str(tasks.answer_id) if tasks is not None else "")


def plan_mark(user_id: UUID, reading: Reading) -> str:
    """Return the mark of the urgent-action plan in force (V20), for the place and the days.

    The text of a revision never changes, so its id stands for it.
    """
    return _mark("plan", user_id, reading, str(reading.urgent_plan.revision_in_force_id or ""))


def override_mark(user_id: UUID, reading: Reading) -> str:
    """Return the mark of what is missing: of whom, of which item, of whose signature on a text."""
    facts = reading.judgement.facts
    wants = {
        "/".join(
            (
                want.lack.value,
                str(want.member.user_id) if want.member else "",
                want.item.code if want.item else "",
            )
        )
        for want in reading.judgement.wants
    }
    texts = [
        "/".join((text.signing.value, *(str(party.organisation_id) for party in text.unsigned)))
        for text in (facts.confidentiality, facts.roles, facts.plan)
    ]
    return _mark("override", user_id, reading, *sorted(wants), *texts)


def require(mark: str, now: str, changed: object) -> None:
    """Raise StaleError, saying what changed, unless a page showed what there is now."""
    if not mark:
        raise StaleError(_l("We don't know which text you read. Read it here, then continue."))
    if not hmac.compare_digest(mark.encode(), now.encode()):
        raise StaleError(changed)


def _mark(purpose: str, user_id: UUID, reading: Reading, *parts: str) -> str:
    """Return a mark; the version of the visit changes with its place and days."""
    visit = reading.visit
    text = ["visit-page", purpose, str(user_id), str(visit.id), visit.version, *parts]
    return hmac.new(keys.current().secret, canonical.to_bytes(text), hashlib.sha256).hexdigest()
