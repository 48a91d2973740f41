"""The service function that exports the register, which is recorded."""

from collections.abc import Callable

from tracker.access.actor import Actor
from tracker.activity import verbs
from tracker.activity.service import record
from tracker.core import canonical
from tracker.evidence.facts import REGISTER
from tracker.oversight import policy, queries
from tracker.oversight.facts import Question, RegisterLine


def export(actor: Actor, question: Question, write: Callable[[list[RegisterLine]], bytes]) -> bytes:
    """Return all agreements that answer a question as a file; record REGISTER_EXPORTED.

    The event binds the digest of the file, by which the public check knows it.
    """
    policy.can_see_register(actor).require()
    lines = queries.register(actor, question, limit=None)[1]
    data = write(lines)
    record(
        verbs.REGISTER_EXPORTED,
        actor=actor,
        subject_type=REGISTER,
        subject_id=actor.organisation_id or actor.user_id,
        evidence=canonical.digest(data),
        rows=len(lines),
        format="csv",
    )
    return data
