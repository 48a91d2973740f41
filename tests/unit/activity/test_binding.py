"""The names that digests of rows contain: as stored, whatever the code calls them (adr 57)."""

import pytest
from sqlalchemy import inspect

from tracker.activity.binding import BoundTable, bound_table, mappers
from tracker.activity.checked import row_digest
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


def test_the_attributes_read_the_columns_of_before() -> None:
    columns = Checklist.__table__.columns
    assert {"halt", "halted_id"} <= set(columns.keys())
    assert {"stopped_by", "stopped_id"}.isdisjoint(columns.keys())
