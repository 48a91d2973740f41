"""The database itself refuses to change or delete what was signed."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests.factories import agreements
from tests.factories.cooperations import copied_country, load_checklists, open_one
from tests.factories.evidence.tampering import (
    DETAILS,
    EVENTS,
    REVISIONS,
    SIGNATURES,
)
from tracker.checklist_templates.models import ChecklistKind
from tracker.cooperations.models import Mode

pytestmark = pytest.mark.both_databases

ACTS: dict[str, Callable[[sa.Table], sa.Executable]] = {
    "changed": lambda table: sa.update(table).values({table.c[0].name: table.c[0]}),
    "deleted": sa.delete,
}


@pytest.fixture
def signed(session: Session) -> None:
    country = copied_country(session)
    load_checklists()
    terms = agreements.checklist_of(open_one(country, modes=(Mode.VISIT,)), ChecklistKind.TERMS)
    agreements.send(country, terms, {"npm": "tomas", "door": "henrik"})
    agreements.sign(country, terms, "tomas", "henrik")
    session.commit()


def test_rows_are_never_changed_or_deleted(session: Session, signed: None) -> None:
    for table in (EVENTS, REVISIONS, SIGNATURES):
        before = session.execute(sa.select(table)).all()
        assert before
        for act in ACTS.values():
            refused = f"rows of {table.name} are never changed or deleted"
            with pytest.raises(DBAPIError, match=refused):
                session.execute(act(table))
            session.rollback()
            assert session.execute(sa.select(table)).all() == before


@pytest.mark.few_on_postgresql(0)  # its upsert is an update, which is refused above
def test_a_row_is_not_replaced_by_inserting_another_in_its_place(
    session: Session, signed: None
) -> None:
    """SQLite deletes what REPLACE replaces without asking the triggers for deleting."""
    refusing = session.scalars(
        sa.text("SELECT tbl_name FROM sqlite_master WHERE name LIKE '%_refuse_delete'")
    ).all()
    replacing = session.scalars(
        sa.text("SELECT tbl_name FROM sqlite_master WHERE name LIKE '%_refuse_replace'")
    ).all()
    assert sorted(replacing) == sorted(refusing)
    for table in (EVENTS, REVISIONS, SIGNATURES):
        before = session.execute(sa.select(table)).all()
        others = [column.name for column in table.c if column.name != "id"]
        new_id = "lower(hex(randomblob(16)))"
        for columns in (
            "*",
            ", ".join([new_id, *others]),
        ):
            names = "" if columns == "*" else f"({', '.join(['id', *others])})"
            with pytest.raises(DBAPIError, match=f"rows of {table.name} are never changed"):
                session.execute(
                    sa.text(
                        f"INSERT OR REPLACE INTO {table.name} {names} "
                        f"SELECT {columns} FROM {table.name}"
                    )
                )
            session.rollback()
        assert session.execute(sa.select(table)).all() == before


def test_a_table_cannot_be_truncated_either(session: Session, signed: None) -> None:
    """SQLite has no TRUNCATE; PostgreSQL's needs its own trigger."""
    truncate = (
        "TRUNCATE signature"
        if session.get_bind().dialect.name == "postgresql"
        else "DELETE FROM signature"
    )
    with pytest.raises(DBAPIError, match="rows of signature are never changed or deleted"):
        session.execute(sa.text(truncate))


def test_details_can_be_erased_without_the_event(session: Session, signed: None) -> None:
    session.execute(sa.delete(DETAILS))
    session.commit()
    assert session.scalar(sa.select(sa.func.count()).select_from(EVENTS))
