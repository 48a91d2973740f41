"""Coordinators are mailed the newest checkpoint: rarely, only when it concerns them, neutrally."""

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests import due
from tests.factories.agreements import answer, checklist_of, send, send_sealed, sign, term
from tests.factories.cooperations import Country, load_checklists, make_country, open_one
from tests.starting_points import noon_in
from tracker.accounts.models import Membership
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist
from tracker.cooperations.models import Cooperation, Party
from tracker.core import clock
from tracker.evidence.keys import signing_keys
from tracker.evidence.log import anchors, checkpoints
from tracker.evidence.log.notes import Checkpoint
from tracker.evidence.models import Anchor
from tracker.mail.models import OutboxMessage

pytestmark = [pytest.mark.both_databases, pytest.mark.some_on_postgresql(3)]

Freeze = Callable[[dt.datetime], None]
Statements = Callable[[], AbstractContextManager[list[str]]]
NOW = noon_in(1)
DAY = dt.timedelta(days=1)


@pytest.fixture
def country(folder: Path, session: Session, frozen_time: Freeze) -> Country:
    """The invented country, with one cooperation of the NPM with Open Door."""
    frozen_time(NOW)
    signing_keys.make_missing()
    load_checklists()
    country = make_country(session)
    open_one(country)
    session.commit()
    return country


def a_round(session: Session) -> list[str]:
    """Make a checkpoint and mail it; return the recipients by first name."""
    due.make_checkpoint()
    before = set(session.scalars(sa.select(OutboxMessage.id)))
    due.send_checkpoints()
    session.commit()
    sent = session.scalars(sa.select(OutboxMessage).where(OutboxMessage.id.not_in(before)))
    return sorted(message.recipient.split("@")[0].split(".")[0] for message in sent)


def touch(session: Session, cooperation: Cooperation) -> None:
    trail.record(
        verbs.COOPERATION_CHANGED,
        actor=None,
        subject_type="cooperation",
        subject_id=cooperation.id,
        cooperation_id=cooperation.id,
        changed=["title"],
    )
    session.commit()


def the_one(session: Session) -> Cooperation:
    return session.scalars(sa.select(Cooperation).order_by(Cooperation.reference)).all()[0]


def test_the_coordinators_of_each_party_are_mailed_and_nobody_else(
    country: Country, session: Session
) -> None:
    assert a_round(session) == ["ilena", "samira"]
    stored = session.scalars(sa.select(Anchor)).all()
    assert {anchor.user_id for anchor in stored} == {
        country.users["ilena"].id,
        country.users["samira"].id,
    }


def test_the_mail_contains_the_checkpoint_and_nothing_that_was_agreed(
    country: Country, session: Session
) -> None:
    country.users["samira"].language = "ar"
    a_round(session)
    newest = checkpoints.newest()
    assert newest is not None
    cooperation = the_one(session)
    mailed = sa.select(OutboxMessage).where(OutboxMessage.kind == "checkpoint")
    messages = session.scalars(mailed).all()
    assert messages
    for message in messages:
        assert Checkpoint.read(message.body) == newest
        assert f"http://localhost:8000/checkpoints/{newest.size}" in message.body
        assert "after signing in" not in message.body  # it says all there is
        for word in (cooperation.reference, cooperation.title, "Advocate", "Door"):
            assert word not in message.body
            assert word not in message.subject


def test_nobody_is_mailed_twice_in_a_week_whatever_happens(
    country: Country, session: Session, frozen_time: Freeze
) -> None:
    a_round(session)
    for days in range(1, 7):
        frozen_time(NOW + days * DAY)
        touch(session, the_one(session))
        assert a_round(session) == []
    frozen_time(NOW + 7 * DAY)
    assert a_round(session) == ["ilena", "samira"]
    assert a_round(session) == []


def test_what_happened_within_the_week_is_mailed_after_it_though_nothing_happened_since(
    country: Country, session: Session, frozen_time: Freeze
) -> None:
    a_round(session)
    frozen_time(NOW + DAY)
    touch(session, the_one(session))
    assert a_round(session) == []
    frozen_time(NOW + 8 * DAY)
    assert a_round(session) == ["ilena", "samira"]


def test_nobody_is_mailed_for_what_happened_in_cooperations_of_others(
    country: Country, session: Session, frozen_time: Freeze
) -> None:
    a_round(session)
    frozen_time(NOW + 30 * DAY)
    other = open_one(country, "lantern")
    session.commit()
    assert a_round(session) == ["ilena", "joana"]
    frozen_time(NOW + 60 * DAY)
    touch(session, other)
    assert a_round(session) == ["ilena", "joana"]


def in_force(country: Country, session: Session, cooperation: Cooperation) -> Checklist:
    checklist = checklist_of(cooperation, ChecklistKind.TERMS)
    day = clock.today()
    answer(country, checklist, "M19", **term(day, day + 300 * DAY))
    send(country, checklist, {"npm": "tomas", "door": "henrik"})
    sign(country, checklist, "tomas", "henrik")
    session.commit()
    return checklist


def test_a_checkpoint_with_a_new_text_is_mailed_immediately_and_once(
    country: Country, session: Session, frozen_time: Freeze
) -> None:
    a_round(session)
    frozen_time(NOW + DAY)
    in_force(country, session, the_one(session))
    assert a_round(session) == ["ilena", "samira"]
    frozen_time(NOW + 2 * DAY)
    touch(session, the_one(session))
    assert a_round(session) == []


def test_a_text_of_a_visit_in_force_is_not_given_away_by_a_mail(
    country: Country, session: Session, frozen_time: Freeze
) -> None:
    a_round(session)
    frozen_time(NOW + DAY)
    checklist = checklist_of(the_one(session), ChecklistKind.TERMS)
    checklist.kind = ChecklistKind.VISIT_ROLES
    session.commit()
    send_sealed(country, checklist, "the team", {"npm": "tomas", "door": "henrik"})
    sign(country, checklist, "tomas", "henrik")
    session.commit()
    assert a_round(session) == []


def test_who_no_longer_coordinates_is_suspended_or_has_left_is_not_mailed(
    country: Country, session: Session
) -> None:
    country.users["samira"].active = False
    session.query(Membership).filter_by(user_id=country.users["ilena"].id).update(
        {"ended_at": clock.now()}
    )
    session.commit()
    assert a_round(session) == []


def test_a_party_that_has_left_is_not_mailed(country: Country, session: Session) -> None:
    session.query(Party).filter_by(organisation_id=country.id("door")).update(
        {"left_on": clock.today() - DAY}
    )
    session.commit()
    assert a_round(session) == ["ilena"]


def test_without_a_checkpoint_nobody_is_mailed(country: Country, session: Session) -> None:
    assert due.send_checkpoints() == 0


def test_of_two_workers_at_once_one_mails(country: Country, session: Session) -> None:
    checkpoint = due.make_checkpoint()
    assert checkpoint is not None
    session.add(Anchor(user_id=country.users["ilena"].id, size=checkpoint.size, at=clock.now()))
    session.flush()
    assert not anchors._note(country.users["ilena"].id, checkpoint)
    assert anchors._note(country.users["samira"].id, checkpoint)


def test_the_sizes_that_people_of_the_parties_hold_are_known(
    country: Country, session: Session
) -> None:
    a_round(session)
    newest = checkpoints.newest()
    assert newest is not None
    assert anchors.sizes_sent_to(the_one(session).id) == {newest.size}
    other = open_one(country, "lantern", by="ilena")
    assert anchors.sizes_sent_to(other.id) == {newest.size}


def test_deciding_takes_as_many_questions_for_many_cooperations_as_for_one(
    country: Country, session: Session, statements: Statements, frozen_time: Freeze
) -> None:
    counts = []
    for days, partners in ((0, ["door"]), (9, ["lantern", "bridge", "door", "door"])):
        frozen_time(NOW + days * DAY)
        for partner in partners:
            open_one(country, partner)
        due.make_checkpoint()
        session.commit()
        session.expire_all()
        with statements() as seen:
            due_anchors = anchors.due()
        counts.append(sum(statement.startswith("SELECT") for statement in seen))
        assert all(anchors.send(anchor) for anchor in due_anchors)
        session.commit()
    assert counts[0] == counts[1]
