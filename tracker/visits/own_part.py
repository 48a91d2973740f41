"""Opens a person's own part in a visit with a mailed code, for people without a second factor."""

from uuid import UUID

from tracker.access import reading
from tracker.access.actor import Actor
from tracker.access.decision import Decision
from tracker.accounts.factors import identity_proof, mailed_codes
from tracker.cooperations.models import Cooperation
from tracker.core.db import db
from tracker.visits import messages, policy, queries
from tracker.visits.models import Visit


def may_open(actor: Actor, cooperation: Cooperation, visit: Visit) -> Decision:
    """Return whether a mailed code opens the person's own part."""
    return policy.can_open_own_part(
        actor,
        is_member=queries.is_member(actor, visit),
        has_mailed_codes=cooperation.mailed_codes,
    )


def still_opens(actor: Actor, visit_id: UUID) -> bool:
    """Return whether a mailed code opens the person's own part in a visit, for reading.MAY_OPEN."""
    visit = db.session.get(Visit, visit_id)
    cooperation = visit and db.session.get(Cooperation, visit.cooperation_id)
    return bool(visit and cooperation and may_open(actor, cooperation, visit))


def mail_code(actor: Actor, cooperation: Cooperation, visit: Visit) -> None:
    """Mail a person the code that opens their own part.

    Raises RefusedError for people whom it doesn't, RuleBrokenError after too many requests.
    """
    may_open(actor, cooperation, visit).require()
    mailed_codes.send(actor.user_id, visit.id, messages.visits_page(cooperation.reference))


def open_it(
    actor: Actor, cooperation: Cooperation, visit: Visit, *, password: str, code: str
) -> None:
    """Open a person's own part in this session with their password and the mailed code.

    Raises RefusedError for people whom a code doesn't open it; RuleBrokenError with the field
    password or mailed_code if one is wrong.
    """
    may_open(actor, cooperation, visit).require()
    identity_proof.prove_by_mailed_code(actor.user_id, visit.id, password, code)
    reading.open_own_part(actor, visit.id)
