"""Notices and renewals are immutable: the database refuses changes, the audit finds them."""

from collections.abc import Callable
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.exc import DBAPIError

from tests.factories.evidence.tampering import (
    NOTICES,
    RENEWALS,
    Tampering,
    fresh,
    hands,
)
from tests.factories.negotiations import Negotiation
from tests.integration.agreements.conftest import DAY, DAYS, Clock
from tests.integration.agreements.notices.test_notices import give
from tests.integration.agreements.test_renewal import on
from tracker.checklists.models import Notice, NoticeKind, Renewal
from tracker.core import clock
from tracker.oversight import facts, integrity
from tracker.oversight.facts import Fault

pytestmark = [pytest.mark.both_databases, pytest.mark.some_on_postgresql(4)]

LATER = clock.today() + 700 * DAY
# What only events say: what became of a notice.
GOES_ON = {"taken_effect_at", "closed_at", "closed_by_id", "closed_reason"}


@pytest.fixture
def noticed(in_force: Negotiation, frozen_time: Clock) -> Negotiation:
    """The terms renewed automatically once, and a party has given notice of their end."""

    def renew_and_give_notice(negotiation: Negotiation) -> None:
        on(negotiation, frozen_time, DAYS + 1)
        give(negotiation, "henrik", NoticeKind.ENDED, "Our board has decided so.")

    in_force.go_on("noticed", renew_and_give_notice)
    return in_force


def first(negotiation: Negotiation, bound: sa.Table) -> UUID:
    row_id = negotiation.session.scalar(sa.select(bound.c.id))
    negotiation.session.rollback()
    assert isinstance(row_id, UUID)
    return row_id


# The database refuses


@pytest.mark.parametrize("table", [NOTICES, RENEWALS], ids=str)
def test_every_column_that_was_given_stays(noticed: Negotiation, table: sa.Table) -> None:
    for column in table.columns:
        statement = sa.update(table).values({column.name: column})
        if column.name in GOES_ON:
            noticed.session.execute(statement)
        else:
            with pytest.raises(DBAPIError, match=f"rows of {table.name} are never changed"):
                noticed.session.execute(statement)
        noticed.session.rollback()


@pytest.mark.parametrize("table", [NOTICES, RENEWALS], ids=str)
def test_no_row_is_deleted(noticed: Negotiation, table: sa.Table) -> None:
    with pytest.raises(DBAPIError, match=f"rows of {table.name} are never changed or deleted"):
        noticed.session.execute(sa.delete(table))
    noticed.session.rollback()
    if noticed.session.get_bind().dialect.name == "postgresql":
        with pytest.raises(DBAPIError, match="never changed or deleted"):
            noticed.session.execute(sa.text(f"TRUNCATE {table.name}"))


# The audit notices


def finding_after(
    negotiation: Negotiation, act: Callable[[Tampering], object]
) -> facts.Finding | None:
    cooperation_id = negotiation.cooperation.id
    negotiation.session.rollback()
    with hands() as connection:
        act(Tampering(connection, cooperation_id))
    return integrity.check_all().finding


def test_notices_and_renewals_are_bound_by_events(noticed: Negotiation) -> None:
    noticed.session.rollback()
    verdict = integrity.check_all()
    assert verdict.finding is None
    assert (verdict.counts.notices, verdict.counts.renewals) == (1, 1)


NOTICE_CASES: dict[str, dict[str, object]] = {
    "id": {"id": fresh()},
    "revision": {"revision_id": fresh()},
    "kind": {"kind": NoticeKind.SUSPENDED},
    "party": {"organisation_id": fresh()},
    "person": {"given_by_id": fresh()},
    "moment": {"given_at": clock.now()},
    "day": {"from_on": LATER},
    "days of notice": {"notice_days": 1},
    "reason": {"reason": "For no reason."},
}


@pytest.mark.few_on_postgresql(3)
@pytest.mark.parametrize("case", NOTICE_CASES)
def test_a_notice_tampered_with_is_named(noticed: Negotiation, case: str) -> None:
    row_id, reference = first(noticed, NOTICES), noticed.cooperation.reference
    finding = finding_after(noticed, lambda own: own.update(NOTICES, row_id, **NOTICE_CASES[case]))
    assert finding is not None
    assert (finding.fault, finding.place.table) == (Fault.NOT_BOUND, facts.Table.NOTICE)
    assert finding.place.reference == reference


RENEWAL_CASES: dict[str, dict[str, object]] = {
    "id": {"id": fresh()},
    "revision": {"revision_id": fresh()},
    "number": {"number": 7},
    "first day": {"from_on": clock.today()},
    "last day": {"until_on": LATER},
    "review": {"review_on": None},
    "moment": {"renewed_at": clock.now()},
}


@pytest.mark.few_on_postgresql(3)
@pytest.mark.parametrize("case", RENEWAL_CASES)
def test_a_renewal_tampered_with_is_named(noticed: Negotiation, case: str) -> None:
    row_id = first(noticed, RENEWALS)
    finding = finding_after(
        noticed, lambda own: own.update(RENEWALS, row_id, **RENEWAL_CASES[case])
    )
    assert finding is not None
    assert (finding.fault, finding.place.table) == (Fault.NOT_BOUND, facts.Table.RENEWAL)


@pytest.mark.parametrize("table", [NOTICES, RENEWALS], ids=str)
def test_a_deleted_row_leaves_its_event_behind(noticed: Negotiation, table: sa.Table) -> None:
    row_id = first(noticed, table)
    finding = finding_after(noticed, lambda own: own.delete(table, row_id))
    assert finding is not None
    assert (finding.fault, finding.place.table) == (Fault.ROW_GONE, facts.Table.EVENT)


@pytest.mark.parametrize(
    ("table", "more"), [(NOTICES, {}), (RENEWALS, {"number": 9})], ids=["notice", "renewal"]
)
def test_a_row_put_in_is_named(
    noticed: Negotiation, table: sa.Table, more: dict[str, object]
) -> None:
    row_id = first(noticed, table)
    finding = finding_after(noticed, lambda own: own.copy(table, row_id, id=fresh(), **more))
    assert finding is not None
    assert (finding.fault, finding.place.table.value) == (Fault.NOT_BOUND, table.name)


@pytest.mark.parametrize("table", [NOTICES, RENEWALS], ids=str)
def test_a_row_of_no_checklist_is_named(noticed: Negotiation, table: sa.Table) -> None:
    row_id = first(noticed, table)
    finding = finding_after(noticed, lambda own: own.update(table, row_id, checklist_id=fresh()))
    assert finding is not None
    # Its event reports it missing before the stray row itself is found.
    assert finding.fault in {Fault.ROW_GONE, Fault.BELONGS_NOWHERE}


def test_an_unknown_kind_is_named(noticed: Negotiation) -> None:
    row_id = first(noticed, NOTICES)
    values = {"kind": sa.literal("wax", sa.Text())}
    finding = finding_after(noticed, lambda own: own.update(NOTICES, row_id, **values))
    assert finding is not None
    assert (finding.fault, finding.place.table) == (Fault.DAMAGED, facts.Table.NOTICE)


# What content() binds


def test_every_column_that_was_given_is_bound(noticed: Negotiation) -> None:
    notice = noticed.session.scalars(sa.select(Notice)).one()
    renewal = noticed.session.scalars(sa.select(Renewal)).one()
    for table, content, left_out in (
        (NOTICES, notice.content(), GOES_ON),
        (RENEWALS, renewal.content(), set[str]()),
    ):
        columns = {column.name for column in table.columns} - left_out
        assert {name.removesuffix("_id") for name in columns} == set(content)
