"""An expired role ends a person's participation in each cooperation, one at a time."""

import datetime as dt
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.factories.cooperations import Country, load_checklists, make_country, open_one
from tests.starting_points import noon_in
from tests.stopwatch import watched
from tracker.access.actor import Role
from tracker.accounts.models import Membership
from tracker.activity import verbs
from tracker.activity.models import Event
from tracker.cooperations import people
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import Cooperation, CooperationPerson, Stage
from tracker.core import clock
from tracker.core.db import db
from tracker.mail.transport import from_url
from tracker.worker import failures, jobs
from tracker.worker.one_by_one import each

Freeze = Callable[[dt.datetime], None]
DAY = dt.timedelta(days=1)
LEAVE = next(job for job in jobs.DATED if job.name == "leave cooperation")
END = next(job for job in jobs.DATED if job.name == "end role")


@pytest.fixture
def country(session: Session, frozen_time: Freeze) -> Country:
    """The invented country, whose NPM's only coordinator has a role that expired yesterday."""
    frozen_time(noon_in(1))
    load_checklists()
    country = make_country(session)
    for _ in range(4):
        open_one(country)
    session.commit()
    return country


def run_out(country: Country, *roles: Role) -> None:
    """Let ilena's roles expire, or some of them."""
    db.session.execute(
        sa.update(Membership)
        .where(
            Membership.user_id == country.users["ilena"].id,
            Membership.role.in_(roles) if roles else sa.true(),
        )
        .values(ends_on=clock.today() - DAY)
    )
    db.session.commit()


def places(country: Country) -> int:
    """Return how many cooperations ilena takes part in."""
    db.session.rollback()
    today = clock.today()
    return (
        db.session.scalar(
            sa.select(sa.func.count(CooperationPerson.id)).where(
                CooperationPerson.user_id == country.users["ilena"].id,
                sa.or_(CooperationPerson.until_on.is_(None), CooperationPerson.until_on >= today),
            )
        )
        or 0
    )


def stages() -> set[Stage]:
    return set(db.session.scalars(sa.select(Cooperation.stage)))


@pytest.mark.both_databases
def test_each_cooperation_is_left_in_its_own_transaction_and_the_role_ends_last(
    country: Country, tmp_path: Path
) -> None:
    assert places(country) == 4
    assert stages() == {Stage.DRAFT}
    run_out(country)
    with watched() as watch:
        watch.job = LEAVE.name
        each(LEAVE, clock.today())
        assert places(country) == 0
        watch.job = END.name
        each(END, clock.today())
    longest = watch.longest()
    assert longest[LEAVE.name].count >= 4
    assert longest[END.name].statements < 40
    assert list(failures.known()) == []
    left = sa.select(sa.func.count(Event.id)).where(Event.verb == verbs.PERSON_LEFT.name)
    assert db.session.scalar(left) == 4
    ended = sa.select(Event.verb).order_by(Event.at.desc(), Event.number.desc()).limit(1)
    assert db.session.scalar(ended.where(Event.verb == verbs.ROLE_ENDED.name))
    # What depends on it was deferred: the NPM has no coordinator any more (G1).
    jobs.recompute()
    assert stages() == {Stage.EXPLORED}
    jobs.run_once(from_url(f"file://{tmp_path}"), with_dates=True)
    assert db.session.scalar(left) == 4


def test_whoever_has_another_role_there_stays(country: Country) -> None:
    user = country.users["ilena"]
    db.session.add(
        Membership(
            user_id=user.id,
            organisation_id=country.id("npm"),
            role=Role.MEMBER,
            starts_on=clock.today(),
            created_at=clock.now(),
            begun_at=clock.now(),
        )
    )
    db.session.commit()
    run_out(country, Role.COORDINATOR)
    assert cooperations.run_out_people(clock.today()) == []
    for row_id in db.session.scalars(sa.select(CooperationPerson.id)).all():
        assert not cooperations.end_run_out(row_id, clock.today())
    each(END, clock.today())
    jobs.recompute()
    assert places(country) == 4
    # They take part, but no longer coordinate.
    cooperation_id = db.session.scalars(sa.select(Cooperation.id)).all()[0]
    assert people.coordinators_for_npm(cooperation_id) == []
    assert stages() == {Stage.EXPLORED}


def test_a_role_of_an_auditor_keeps_nobody_in_a_cooperation(country: Country) -> None:
    db.session.add(
        Membership(
            user_id=country.users["ilena"].id,
            organisation_id=country.id("npm"),
            role=Role.AUDITOR,
            starts_on=clock.today(),
            created_at=clock.now(),
            begun_at=clock.now(),
        )
    )
    db.session.commit()
    run_out(country, Role.COORDINATOR)
    assert len(cooperations.run_out_people(clock.today())) == 4


def test_on_its_last_day_a_role_ends_nothing(country: Country) -> None:
    run_out(country)
    assert cooperations.run_out_people(clock.today() - DAY) == []
