"""The service function that exports the register of undertakings, which is recorded."""

from collections.abc import Callable

from tracker.access.actor import Actor
from tracker.activity import verbs
from tracker.activity.service import record
from tracker.core.db import reading
from tracker.evidence.public_check.facts import REGISTER
from tracker.oversight.export import CsvFile
from tracker.oversight.undertaking_register import policy, queries
from tracker.oversight.undertaking_register.facts import Filters
from tracker.oversight.undertaking_register.queries import GoneLine, RegisteredUndertaking


def export(
    actor: Actor,
    filters: Filters,
    file: CsvFile,
    row: Callable[[RegisteredUndertaking], list[object]],
    gone_row: Callable[[GoneLine], list[object]],
) -> None:
    """Add all undertakings that match the filters to a file; record UNDERTAKINGS_EXPORTED.

    And those that were deleted from the database, which no filter finds.
    Reads in batches, while others can write. The event binds the digest of the file, by which the
    public check recognises it. Call it only if nothing was written before in the transaction.
    """
    policy.can_see_undertakings(actor).require()
    with reading():
        for lines in queries.all_lines(actor, filters):
            file.add(map(row, lines))
        file.add(map(gone_row, queries.gone(actor)))
    record(
        verbs.UNDERTAKINGS_EXPORTED,
        actor=actor,
        subject_type=REGISTER,
        subject_id=actor.organisation_id or actor.user_id,
        evidence=file.digest,
        rows=file.rows,
        format="csv",
    )
