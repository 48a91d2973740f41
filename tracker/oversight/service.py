"""The service function that exports the register, which is recorded."""

from collections.abc import Callable

from tracker.access.actor import Actor
from tracker.activity import verbs
from tracker.activity.service import record
from tracker.core.db import reading
from tracker.evidence.public_check.facts import REGISTER
from tracker.oversight import policy, queries
from tracker.oversight.export import CsvFile
from tracker.oversight.facts import Question, RegisterLine


def export(
    actor: Actor, question: Question, file: CsvFile, row: Callable[[RegisterLine], list[object]]
) -> None:
    """Add all agreements that match the filters to a file; record REGISTER_EXPORTED.

    Reads in batches, while others can write. The event binds the digest of the file, by which the
    public check recognises it. Call it only if nothing was written before in the transaction.
    """
    policy.can_see_register(actor).require()
    with reading():
        for lines in queries.all_lines(actor, question):
            file.add(map(row, lines))
    record(
        verbs.REGISTER_EXPORTED,
        actor=actor,
        subject_type=REGISTER,
        subject_id=actor.organisation_id or actor.user_id,
        evidence=file.digest,
        rows=file.rows,
        format="csv",
    )
