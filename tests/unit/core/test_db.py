"""Columns and joins: times in UTC, enums by value, names by joins that read nothing else."""

import datetime as dt
import enum
from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.engine import make_url

from tracker.access.actor import Role
from tracker.accounts.models import User
from tracker.checklists.models import Checklist, ChecklistState
from tracker.comments.models import Comment
from tracker.core.db import Base, UtcDateTime, load_joined

DIALECTS = [make_url(f"{name}://").get_dialect()() for name in ("sqlite", "postgresql")]
PLUS_TWO = dt.timezone(dt.timedelta(hours=2))


def columns() -> list[sa.Column[object]]:
    return [column for table in Base.metadata.tables.values() for column in table.columns]


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_moment_of_any_zone_is_stored_and_read_in_utc(dialect: sa.Dialect) -> None:
    kind = UtcDateTime()
    moment = dt.datetime(2026, 3, 2, 1, 30, tzinfo=PLUS_TWO)
    stored = kind.process_bind_param(moment, dialect)
    assert stored is not None
    assert stored.replace(tzinfo=None) == dt.datetime(2026, 3, 1, 23, 30)  # noqa: DTZ001 -- stored so
    assert (stored.tzinfo is None) == (dialect.name == "sqlite")
    read = kind.process_result_value(stored, dialect)
    assert read == moment
    assert read is not None
    assert read.tzinfo is dt.UTC


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_no_moment_stays_none(dialect: sa.Dialect) -> None:
    assert UtcDateTime().process_bind_param(None, dialect) is None
    assert UtcDateTime().process_result_value(None, dialect) is None


@pytest.mark.parametrize("dialect", DIALECTS, ids=lambda dialect: dialect.name)
def test_a_moment_without_a_zone_is_refused(dialect: sa.Dialect) -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        UtcDateTime().process_bind_param(dt.datetime(2026, 3, 2), dialect)  # noqa: DTZ001 -- naive


def test_every_moment_of_every_table_is_kept_so() -> None:
    moments = [column for column in columns() if isinstance(column.type, sa.DateTime | UtcDateTime)]
    assert len(moments) > 20
    assert [str(column) for column in moments if not isinstance(column.type, UtcDateTime)] == []


def test_every_enum_is_stored_by_its_value_and_not_as_a_type_of_the_database() -> None:
    enums = [column.type for column in columns() if isinstance(column.type, sa.Enum)]
    assert len(enums) > 10
    for kind in enums:
        assert kind.enum_class is not None
        assert kind.enums == [member.value for member in kind.enum_class]
        assert not kind.native_enum
    state = Checklist.__table__.c.state.type
    assert isinstance(state, sa.Enum)
    assert state.enums == [state.value for state in ChecklistState]
    assert issubclass(Role, enum.StrEnum)


def test_every_constraint_has_a_name_so_that_it_can_be_migrated() -> None:
    nameless = [
        f"{table.name}: {constraint}"
        for table in Base.metadata.tables.values()
        for constraint in table.constraints
        if constraint.name is None
    ]
    assert nameless == []


def test_names_are_loaded_by_joins_that_read_nothing_else() -> None:
    joined = str(
        sa.select(Comment).options(
            load_joined(Comment.author, User.name), load_joined(Comment.settled_by, User.name)
        )
    )
    narrow = 'LEFT OUTER JOIN (SELECT "user".id AS id, "user".name AS name'
    assert joined.count(narrow) == joined.count("JOIN") == len(["author", "settled by"])
    assert "password" not in joined


def test_a_statement_that_loads_a_name_copies_no_other_column_of_what_it_joins() -> None:
    statement = sa.select(Comment).options(load_joined(Comment.author, User.name))
    compiled: Any = statement.compile().statement
    joined = compiled.get_final_froms()[0].right
    assert {column.key for column in joined.c} == {"id", "name"}
