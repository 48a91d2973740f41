"""What the public check says of an undertaking whose clearance or terms have ended by their day."""

import datetime as dt
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories import undertakings
from tests.factories.evidence.tampering import DETAILS, Tampering, hands, table_of
from tests.factories.undertakings import DAYS, Clearing
from tests.integration.undertakings.conftest import Clock
from tests.services import put
from tests.starting_points import noon_in
from tracker.activity import verbs
from tracker.activity.models import Event
from tracker.agreements import notices
from tracker.checklists.models import NoticeKind
from tracker.cooperations.models import Clearance
from tracker.core import clock
from tracker.core.db import db
from tracker.demo.people import DemoPeople
from tracker.evidence.public_check import verdicts
from tracker.evidence.public_check.facts import Verdict
from tracker.signoff.models import Revision
from tracker.undertakings.models import Undertaking
from tracker.undertakings.queries import VISIT_READER, VisitChoice

CLEARANCES, UNDERTAKINGS = table_of(Clearance), table_of(Undertaking)


def digest_of(clearing: Clearing) -> str:
    revision_id = clearing.undertaking("leyla").revision_id
    assert revision_id is not None
    return db.session.get_one(Revision, revision_id).digest


def verdict(clearing: Clearing) -> Verdict:
    return verdicts.of_text(clearing.cooperation.reference, digest_of(clearing)).verdict


def cleared(clearing: Clearing, days: int = DAYS) -> Clearing:
    clearing.sign("leyla")
    clearing.countersign("leyla", until=clock.today() + dt.timedelta(days=days))
    db.session.commit()
    return clearing


def test_it_holds_up_to_the_last_day_of_its_clearance(
    clearing: Clearing, frozen_time: Clock
) -> None:
    cleared(clearing, days=3)
    frozen_time(noon_in(3))
    assert verdict(clearing) is Verdict.GENUINE
    frozen_time(noon_in(4))
    assert verdict(clearing) is Verdict.ENDED


def test_a_last_day_put_off_in_the_database_prolongs_no_undertaking(
    clearing: Clearing, frozen_time: Clock
) -> None:
    cleared(clearing, days=3)
    clearance_id = db.session.scalars(sa.select(Clearance.id)).one()
    cooperation_id = clearing.cooperation.id
    db.session.rollback()
    with hands() as connection:
        Tampering(connection, cooperation_id).update(
            CLEARANCES, clearance_id, until_on=noon_in(90).date()
        )
    frozen_time(noon_in(4))
    assert verdict(clearing) is Verdict.ENDED


def test_once_the_event_was_erased_the_clearance_itself_says_its_last_day(
    clearing: Clearing, frozen_time: Clock
) -> None:
    cleared(clearing, days=3)
    opened = sa.select(Event.id).where(Event.verb == verbs.CLEARANCE_OPENED.name)
    with hands() as connection:
        connection.execute(sa.delete(DETAILS).where(DETAILS.c.event_id.in_(opened)))
    assert verdict(clearing) is Verdict.GENUINE
    frozen_time(noon_in(4))
    assert verdict(clearing) is Verdict.ENDED


def test_without_its_clearance_nothing_is_said_of_it(clearing: Clearing) -> None:
    cleared(clearing)
    clearance_id = db.session.scalars(sa.select(Clearance.id)).one()
    cooperation_id = clearing.cooperation.id
    db.session.rollback()
    with hands() as connection:
        Tampering(connection, cooperation_id).delete(CLEARANCES, clearance_id)
    assert verdict(clearing) is Verdict.DISAGREES


@pytest.mark.parametrize(
    ("is_countersigned", "before", "after"),
    [
        (True, Verdict.GENUINE, Verdict.ENDED),
        (False, Verdict.WAITING, Verdict.NOT_SIGNED),
    ],
)
def test_it_ends_with_the_last_day_of_its_terms(
    clearing: Clearing,
    frozen_time: Clock,
    *,
    is_countersigned: bool,
    before: Verdict,
    after: Verdict,
) -> None:
    if is_countersigned:
        cleared(clearing)
    else:
        clearing.sign("leyla")
    frozen_time(noon_in(DAYS))
    assert verdict(clearing) is before
    frozen_time(noon_in(DAYS + 1))
    assert verdict(clearing) is after


@pytest.mark.parametrize("kind", [NoticeKind.ENDED, NoticeKind.SUSPENDED])
def test_it_ends_from_the_day_of_a_notice_on_its_terms(
    clearing: Clearing, frozen_time: Clock, kind: NoticeKind
) -> None:
    cleared(clearing)
    day = noon_in(200)
    notices.give_notice(
        clearing.actor("tomas"),
        clearing.checklist,
        kind,
        reason="The law changed.",
        from_on=day.date(),
    )
    frozen_time(noon_in(199))
    assert verdict(clearing) is Verdict.GENUINE
    frozen_time(day)
    assert verdict(clearing) is Verdict.ENDED


def test_the_terms_are_those_that_the_person_signed(clearing: Clearing) -> None:
    cleared(clearing)
    undertaking, cooperation_id = clearing.undertaking("leyla"), clearing.cooperation.id
    undertaking_id, own = undertaking.id, undertaking.revision_id
    db.session.rollback()
    with hands() as connection:
        Tampering(connection, cooperation_id).update(
            UNDERTAKINGS, undertaking_id, terms_revision_id=own
        )
    assert verdict(clearing) is Verdict.DISAGREES


def test_the_last_day_of_a_clearance_for_one_visit_does_not_show(
    app: Flask, demo_people: DemoPeople, frozen_time: Clock
) -> None:
    """It would tell when the visit is; the last day of the terms is no secret."""
    visit = VisitChoice(uuid4(), 1)
    put(app, VISIT_READER.holding(lambda _cooperation_id: [visit]))
    covers = {"scope": "one_visit", "which": "The one", "until": noon_in(90).date().isoformat()}
    other = undertakings.clearing(demo_people, covers=covers)
    other.sign("leyla")
    other.countersign("leyla", until=clock.today() + dt.timedelta(days=3), visit_id=visit.id)
    db.session.commit()
    frozen_time(noon_in(4))
    assert verdict(other) is Verdict.GENUINE
    db.session.rollback()
    with hands() as connection:
        connection.execute(sa.delete(DETAILS))
    assert verdict(other) is Verdict.GENUINE
    frozen_time(noon_in(91))
    assert verdict(other) is Verdict.ENDED
