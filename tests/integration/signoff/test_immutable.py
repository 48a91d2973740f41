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
