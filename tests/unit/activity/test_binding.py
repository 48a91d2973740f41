"""What events say about rows: their stored names (adr 57), and their values before a change."""

from uuid import UUID

import pytest
from sqlalchemy import inspect

from tracker.activity.binding import BoundTable, ChainKey, bound_table, is_of_its_team, mappers
from tracker.activity.checked import Entry, after, follows, row_digest
from tracker.checklist_templates.models import AnswerScope
from tracker.checklists.models import Checklist
from tracker.signoff.models import SignatureSlot

KEY = b"k" * 32


def bound(name: str) -> BoundTable:
    table = bound_table(name)
    assert table is not None
    return table


def test_a_slot_is_bound_under_the_name_of_its_table() -> None:
    assert mappers()["signature_place"] is inspect(SignatureSlot)
    assert bound("signature_place").name == "signature_place"


@pytest.mark.parametrize(
    ("attribute", "column"), [("stopped_by", "halt"), ("stopped_id", "halted_id")]
)
def test_what_stops_a_text_is_bound_under_the_names_of_its_columns(
    attribute: str, column: str
) -> None:
    checklist = bound("checklist")
    assert checklist.attributes[column] == attribute
    values = dict.fromkeys(checklist.attributes.values()) | {"id": "1", attribute: "ended"}
    expected = {c.column.name: None for c in checklist.columns if c.left_out is not None}
    assert checklist.digest(KEY, values) == row_digest(
        KEY, "checklist", "1", expected | {column: "ended"}
    )


@pytest.mark.parametrize(
    ("known", "entry", "expected"),
    [
        ("a", ["a", "b"], True),
        ("a", ["c", "b"], False),
        ("a", ["a", None], True),
        ("a", [None, "b"], False),  # deleted by hand, then put in
        (None, ["a", "b"], False),  # put in by hand, then changed
        (None, [None, "b"], True),
        ("a", ["", ""], True),  # the key was destroyed since
        ("", ["a", "b"], True),
        ("", [None, ""], False),
        ("a", "b", True),  # an event that doesn't say
        ("a", None, True),
    ],
)
def test_a_row_follows_what_the_last_event_said_of_it(
    known: str | None, entry: Entry, expected: bool
) -> None:
    assert follows(known, entry) is expected
    assert after(entry) == (entry[1] if isinstance(entry, list) else entry)


def test_the_attributes_read_the_columns_of_before() -> None:
    columns = Checklist.__table__.columns
    assert {"halt", "halted_id"} <= set(columns.keys())
    assert {"stopped_by", "stopped_id"}.isdisjoint(columns.keys())


@pytest.mark.parametrize("scope", AnswerScope)
def test_only_what_somebody_answers_for_themselves_is_of_a_visits_team(scope: AnswerScope) -> None:
    assert is_of_its_team(bound("answer"), {"scope": scope}) is (scope is AnswerScope.PERSON)
    assert not is_of_its_team(bound("position"), {"scope": scope})


def test_chains_are_locked_in_one_order_the_instances_then_each_cooperations_then_its_visits() -> (
    None
):
    first, second, visit = (UUID(int=number) for number in (1, 2, 3))
    in_order = [
        ChainKey(),
        ChainKey(first),
        ChainKey(first, visit),
        ChainKey(second),
        ChainKey(second, visit),
    ]
    mixed = [in_order[place] for place in (3, 0, 4, 2, 1)]
    assert sorted(mixed, key=lambda key: key.order) == in_order
