"""With hundreds of cooperations, pages scan no growing table from end to end."""

import pytest
import sqlalchemy as sa
from flask import Flask

from tests import plans, starting_points
from tests.bench import growth
from tests.bench.growth import GrowingPage
from tests.effort import tries
from tests.factories import demonstration as demonstrations
from tests.factories.bulk.multiplying import multiply
from tests.factories.demonstration import Demonstration
from tracker.cooperations.models import Cooperation
from tracker.core.db import db

# On PostgreSQL only in the long form: there it takes 40 s.
pytestmark = [pytest.mark.both_databases, pytest.mark.few_on_postgresql(0)]

MANY = tries(short=1_000, long=2_000)
# Tables with fewer rows than this don't grow with the number of cooperations.
FEW = 300
# Searches all people for a part of their names.
SCANNING = GrowingPage("all people", "iris", "/people?q=o")
# Counts or lists everything there is, for administrators of the instance.
OF_THE_INSTANCE = frozenset({"people of the instance", "organisations"})
# Counts or exports all undertakings of an NPM, which here is a party of every cooperation: to read
# all rows, PostgreSQL joins whole tables, whatever indexes there are. The limits on growth bound
# their cost.
OF_ALL_ITS_LINES = frozenset(
    {
        "undertakings of all",
        "undertakings of all, open",
        "undertakings of all searched",
        "undertakings export",
        # These count or export agreements of the NPM, by the party's name or all, with their flags.
        "register of a party",
        "register export",
        # These count undertakings beside their own lines.
        "register",
        "register, in force",
        "register, drafting",
        "register searched",
        "register, a later page",
    }
)


def sparse() -> set[str]:
    """Return tables that grow too, of which the demonstration has few rows.

    PostgreSQL reads so few rows without an index.
    """
    return {"renewal"} if db.engine.dialect.name == "sqlite" else set()


def of_many(app: Flask) -> Demonstration:
    """Put the application on the demonstration, with many copies of its cooperations."""
    points = starting_points.of(app)
    demonstration = points.use("demonstration", demonstrations.make)
    sources = [demonstration.cooperations[name] for name in demonstrations.COOPERATIONS]
    points.use("many", lambda: multiply(sources, MANY), on="demonstration")
    return demonstration


# Indexes that contain only what My work looks through, in its order, and what a search reads: both
# databases have to use them.
_WAITING = {"ix_checklist_waiting", "ix_flag_open", "ix_checklist_party_waits"}
_NAMED = {"ix_audience_member_named"}
_WORDS = {"ix_cooperation_entry_words", "ix_cooperation_entry_long"}
USED = {
    "my work": _WAITING | _NAMED,
    "my work of a member": _WAITING | _NAMED,
    "my work of a partner": _WAITING | _NAMED | {"ix_draft_begun"},
    "cooperations searched": _WORDS,
    "register searched": _WORDS,
}
# The last counts the undertakings.
_REGISTER = {
    "ix_register_entry_counts",
    "ix_register_entry_order",
    "ix_cooperation_entry_order",
}
# Indexes in whose order SQLite has to read what it counts: in another order, or row by row, it
# takes many times as long.
IN_ORDER = {
    "cooperations": {"ix_cooperation_entry_order"},
    "register": _REGISTER,
    "register searched": _REGISTER,
}
LOOKED_AT = USED.keys() | IN_ORDER.keys()


def test_no_page_reads_a_growing_table_from_end_to_end(app: Flask) -> None:
    """One test, since copying so large a database takes longer than requesting all pages."""
    demonstration = of_many(app)
    scans_by_page: dict[str, set[str]] = {}
    missing_by_page: dict[str, set[str]] = {}
    with app.app_context():
        tables = sa.inspect(db.engine).get_table_names()
        growing = {table for table in tables if growth.rows_of(table) > FEW} | sparse()
        assert growth.rows_of("cooperation") == MANY
        assert {"checklist", "event", "user", Cooperation.__tablename__} <= growing
        db.session.remove()
    for page in (*growth.pages_of(demonstration), SCANNING):
        taken = growth.ask(app, demonstration.browser(app, page.who), page)
        assert taken.status == 200, page.name
        with app.app_context():
            connection = db.session.connection()
            scanned = plans.scans(connection, taken.statements, growing)
            is_postgres = connection.dialect.name == "postgresql"
            used = plans.indexes(connection, taken.statements) if page.name in LOOKED_AT else set()
            missing_by_page[page.name] = USED.get(page.name, set()) - used
            if not is_postgres and page.name in IN_ORDER:
                of_lists = {name for name in used if "_entry_" in name}
                assert of_lists - _WORDS == IN_ORDER[page.name], page.name
            is_whole = is_postgres and page.name in OF_ALL_ITS_LINES
            db.session.remove()
        if scanned and not is_whole and page.name not in OF_THE_INSTANCE:
            scans_by_page[page.name] = {table for table, _statement in scanned}
    # A page that has to scan shows that scans are noticed.
    assert scans_by_page.pop(SCANNING.name) == {"user"}
    assert scans_by_page == {}
    assert {page: missing for page, missing in missing_by_page.items() if missing} == {}
