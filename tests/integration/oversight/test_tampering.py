"""Some changes to each table: each is named, or listed in the threat model.

make tampering tries all of them, on both databases.
"""

from collections import Counter

from flask import Flask

from tests.factories.demonstration import Demonstration
from tests.tampering.campaign import Outcome, Result, attempt
from tests.tampering.changes import every_change, sample
from tests.tampering.staging import fill_the_rest
from tracker.activity.checked import BY_THEMSELVES, CHECKED, DECIDES_NOTHING
from tracker.core.db import db
from tracker.oversight import integrity
from tracker.oversight.facts import Table

SEED = 7


def is_placed(result: Result) -> bool:
    """Return whether the audit named the table, or something left without its row."""
    assert result.finding is not None
    place = result.finding.place
    return place.table is not Table.CHECKED or place.of == result.change.table


def test_a_change_to_any_table_is_named_or_is_in_the_threat_model(
    app: Flask, demonstration: Demonstration
) -> None:
    with app.app_context():
        fill_the_rest(demonstration)
        db.session.commit()
        assert integrity.check_all().finding is None
        tried = [
            change for change in sample(every_change(), SEED) if change.table not in DECIDES_NOTHING
        ]
        results = attempt(tried)
        # Nothing of it remained.
        assert integrity.check_all().finding is None
    assert {change.table for change in tried} == {*CHECKED, *BY_THEMSELVES}
    unnoticed = [str(result.change) for result in results if result.outcome is Outcome.UNNOTICED]
    assert unnoticed == []
    misplaced = [
        f"{result.change}: {result.words}"
        for result in results
        if result.outcome is Outcome.NOTICED and not is_placed(result)
    ]
    assert misplaced == []
    counts = Counter(result.outcome for result in results)
    assert counts[Outcome.NOTICED] > len(tried) * 3 // 4
