"""Every table and column is checked by the audit, or says why it decides nothing."""

from importlib import import_module

import pytest

from tests.tampering.campaign import listed
from tracker import app as application
from tracker.activity.checked import (
    BY_THEMSELVES,
    CHECKED,
    DECIDES_NOTHING,
    ON_THE_WAY,
    RESTRICTING,
)
from tracker.core.db import Base


@pytest.fixture(scope="module")
def tables() -> dict[str, set[str]]:
    """The columns of each of the application's tables."""
    for name in application.MODELS:
        import_module(name)
    return {
        table.name: {column.name for column in table.columns}
        for table in Base.metadata.sorted_tables
    }


def test_every_table_is_checked_or_says_why_not(tables: dict[str, set[str]]) -> None:
    known = [*CHECKED, *BY_THEMSELVES, *DECIDES_NOTHING]
    assert sorted(known) == sorted(tables)


def test_each_excluded_column_exists_in_its_table(tables: dict[str, set[str]]) -> None:
    strange = {
        f"{name}.{column}"
        for name, spec in CHECKED.items()
        for column in spec.without
        if column not in tables[name]
    }
    assert strange == set()


def test_every_checked_table_leads_to_its_cooperation(tables: dict[str, set[str]]) -> None:
    ways = CHECKED | ON_THE_WAY
    for start in CHECKED:
        name, seen = start, [start]
        while ways[name].parent and ways[name].parent != "cooperation":
            assert ways[name].column in tables[name], name
            name = ways[name].parent
            assert name not in seen, seen
            seen.append(name)
        if ways[name].parent:
            assert ways[name].column in tables[name], name


def test_each_restricting_column_exists(tables: dict[str, set[str]]) -> None:
    for name, columns in RESTRICTING.items():
        assert set(columns) <= tables[name], name


def test_the_threat_model_lists_what_decides_nothing_and_no_more() -> None:
    left_out = {f"{name}.{column}" for name, spec in CHECKED.items() for column in spec.without}
    assert listed() == set(DECIDES_NOTHING) | left_out
