"""The verdict after the torture finds nothing if all is well, and each thing that isn't."""

import random
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests import starting_points
from tests.factories.cooperations import load_checklists, make_country
from tests.factories.templates import a_template, an_item, publish
from tests.torture import instance
from tests.torture.acts import ITEM, Act, Agreement, Try, choose, perform
from tests.torture.record import Record
from tests.torture.verdict import faults
from tracker.checklists.models import Checklist, ChecklistState
from tracker.core.db import db

PARTIES = range(3)
SIGNED = [Try(Act.ACCEPT, 0, party) for party in PARTIES]
SIGNED += [Try(Act.SEND, 0, 0), *(Try(Act.SIGN, 0, party) for party in PARTIES)]


@pytest.fixture
def agreements(app: Flask) -> tuple[Agreement, ...]:
    """One agreement of three parties, to be accepted, sent and signed."""
    return (starting_points.of(app).use("an agreement of three", _build),)


def _build() -> Agreement:
    load_checklists()
    publish(a_template(an_item(ITEM), kind="urgent_plan"))
    return instance.add_agreement(instance.with_signatories(make_country(db.session())))


def told_of(app: Flask, agreements: tuple[Agreement, ...], tries: list[Try]) -> Record:
    record = Record()
    for attempt in tries:
        record.add(attempt, perform(app, agreements, attempt))
    return record


def test_where_all_is_as_it_must_be_nothing_is_found(
    app: Flask, agreements: tuple[Agreement, ...]
) -> None:
    record = told_of(app, agreements, SIGNED)
    assert record.done[Act.SIGN] == 3
    assert faults(app, agreements, record) == []


@pytest.mark.both_databases
def test_acts_in_any_order_leave_nothing_to_be_found(
    app: Flask, agreements: tuple[Agreement, ...]
) -> None:
    chance = random.Random(1)
    record = told_of(app, agreements, [choose(chance, agreements) for _ in range(80)])
    assert record.refused
    assert faults(app, agreements, record) == []


def test_a_confirmed_signature_that_is_missing_is_found(
    app: Flask, agreements: tuple[Agreement, ...]
) -> None:
    record = told_of(app, agreements, SIGNED)
    record.signatures.append("0" * 64)
    assert any(
        "acknowledged and is not there" in fault for fault in faults(app, agreements, record)
    )


@pytest.mark.parametrize("act", [Act.SEND, Act.SIGN, Act.DECLINE, Act.AMEND])
def test_a_confirmed_action_that_is_missing_is_found(
    app: Flask, agreements: tuple[Agreement, ...], act: Act
) -> None:
    record = told_of(app, agreements, SIGNED)
    record.done[act] += 1
    assert any(f"times {act.value} were told" in fault for fault in faults(app, agreements, record))


def test_an_unconfirmed_action_is_found_unless_its_response_was_lost(
    app: Flask, agreements: tuple[Agreement, ...]
) -> None:
    record = told_of(app, agreements, SIGNED)
    record.done[Act.SIGN] -= 1
    assert faults(app, agreements, record) != []
    assert faults(app, agreements, replace(record, lost=1)) == []


def test_a_state_that_no_event_led_to_is_found(
    app: Flask, session: Session, agreements: tuple[Agreement, ...]
) -> None:
    record = told_of(app, agreements, SIGNED)
    session.execute(
        sa.update(Checklist)
        .where(Checklist.id == agreements[0].checklist_id)
        .values(state=ChecklistState.DRAFTING)
    )
    session.commit()
    assert any("is drafting, not in_force" in fault for fault in faults(app, agreements, record))
