"""The one verb of the register: taking it out, which is recorded."""

from tracker.access.actor import Actor
from tracker.activity import verbs
from tracker.activity.service import record
from tracker.oversight import policy, queries
from tracker.oversight.facts import Question, RegisterLine


def export(actor: Actor, question: Question) -> list[RegisterLine]:
    """Return all agreements that answer a question, to be taken out; record REGISTER_EXPORTED."""
    policy.can_see_register(actor).require()
    lines = queries.register(actor, question, limit=None)[1]
    record(
        verbs.REGISTER_EXPORTED,
        actor=actor,
        subject_type="register",
        subject_id=actor.organisation_id or actor.user_id,
        rows=len(lines),
        format="csv",
    )
    return lines
