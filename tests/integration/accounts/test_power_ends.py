"""People are told before a power to sign or decide ends, and on the day after it has run out."""

import datetime as dt
from collections.abc import Callable

import pytest
import sqlalchemy as sa

from tests.due import end_roles_run_out, note_powers_run_out, remind_of_powers
from tests.factories import powers as begun
from tests.factories.accounts import People
from tests.factories.evidence.tampering import hands, table_of
from tests.integration.accounts.test_powers import events, give, give_by_all
from tests.starting_points import noon_in
from tracker.access.actor import Role
from tracker.accounts.models import Membership
from tracker.accounts.people import powers, service
from tracker.accounts.people.power_ends import AHEAD
from tracker.activity.witness import NotSoundError
from tracker.core import clock
from tracker.mail.models import OutboxMessage

pytestmark = [pytest.mark.both_databases, pytest.mark.some_on_postgresql(2)]

Freeze = Callable[[dt.datetime], None]
DAY = dt.timedelta(days=1)
MEMBERSHIPS = table_of(Membership)


def set_last_day(people: People, key: str, role: Role, **days: dt.date) -> None:
    """Give a role or its power a last day."""
    membership = people.session.get_one(Membership, people.membership(key, role))
    for name, day in days.items():
        setattr(membership, name, day)
    people.session.commit()


def queued(people: People) -> list[tuple[str, str]]:
    """Return the kind and the addressee of each mail about powers that end, and forget them."""
    people.session.commit()
    rows = people.session.scalars(
        sa.select(OutboxMessage).where(OutboxMessage.kind.like("power_%end%"))
    ).all()
    mails = sorted((mail.kind, mail.recipient.split("@")[0]) for mail in rows)
    for row in rows:
        people.session.delete(row)
    people.session.commit()
    return mails


def test_a_person_and_whoever_can_confirm_are_reminded_once_before_a_power_ends(
    people: People, frozen_time: Freeze
) -> None:
    frozen_time(noon_in(1))
    give_by_all(people, "dora", Role.MANAGER)
    last = clock.today() + AHEAD
    set_last_day(people, "henrik", Role.SIGNATORY, power_until=last)
    assert remind_of_powers(clock.today() - DAY) == 0
    assert remind_of_powers(clock.today()) == 1
    assert queued(people) == [("power_ends", "henrik"), ("power_to_confirm_ends", "dora")]
    assert remind_of_powers(clock.today()) == 0
    assert remind_of_powers(last) == 0
    [event] = events(people.session, "power_end_reminded")
    assert event["person"] == people.user("henrik").name
    assert event["until"] == last.isoformat()


def test_administrators_are_reminded_where_nobody_else_can_confirm(
    people: People, frozen_time: Freeze
) -> None:
    frozen_time(noon_in(1))
    set_last_day(people, "henrik", Role.SIGNATORY, power_until=clock.today())
    assert remind_of_powers(clock.today()) == 1
    assert queued(people) == [("power_ends", "henrik"), ("power_to_confirm_ends", "ada")]


@pytest.mark.parametrize("how", ["end of the role", "manager", "suspended", "followed", "waits"])
def test_whose_power_is_reminded_of(people: People, frozen_time: Freeze, how: str) -> None:
    """Also of the role's own last day; not where a confirmed role follows or the person is out."""
    frozen_time(noon_in(1))
    give_by_all(people, "dora", Role.MANAGER)
    last = clock.today() + DAY
    is_reminded = how in {"end of the role", "manager", "waits"}
    if how == "manager":
        set_last_day(people, "dora", Role.MANAGER, ends_on=last)
    elif how == "end of the role":
        set_last_day(people, "henrik", Role.SIGNATORY, ends_on=last)
    else:
        set_last_day(people, "henrik", Role.SIGNATORY, power_until=last)
    if how == "suspended":
        service.suspend(people.actor("ada"), people.people["henrik"], reason="Stolen telephone")
    if how in {"followed", "waits"}:
        new = give(people, "samira", "henrik", Role.SIGNATORY, power_from=last + DAY)
        if how == "followed":
            powers.confirm(people.actor("dora"), new.id)
    people.session.commit()
    assert remind_of_powers(clock.today()) == is_reminded
    assert bool(queued(people)) is is_reminded


def test_a_power_that_runs_out_is_in_the_trail_on_the_day_after_and_told_once(
    people: People, frozen_time: Freeze
) -> None:
    frozen_time(noon_in(1))
    give_by_all(people, "dora", Role.MANAGER)
    last = clock.today()
    set_last_day(people, "henrik", Role.SIGNATORY, power_until=last)
    assert note_powers_run_out(last) == 0
    assert note_powers_run_out(last + DAY) == 1
    assert note_powers_run_out(last + DAY) == 0
    assert queued(people) == [("power_ended", "henrik"), ("power_of_other_ended", "dora")]
    [event] = events(people.session, "power_ran_out")
    assert (event["until"], event["nobody_left"]) == (last.isoformat(), False)


@pytest.mark.parametrize("due", [remind_of_powers, note_powers_run_out])
def test_a_last_day_that_no_event_binds_is_neither_reminded_of_nor_recorded(
    people: People, frozen_time: Freeze, due: Callable[[dt.date], int]
) -> None:
    """The event would say it for good, also once the row is as it was again."""
    frozen_time(noon_in(1))
    of_henrik = MEMBERSHIPS.c.id == people.membership("henrik", Role.SIGNATORY)
    day = clock.today() + (DAY if due is remind_of_powers else -DAY)
    people.session.commit()
    with hands() as connection:
        connection.execute(sa.update(MEMBERSHIPS).where(of_henrik).values(power_until=day))
    people.session.expire_all()
    with pytest.raises(NotSoundError):
        due(clock.today())
    people.session.rollback()
    assert queued(people) == []
    assert not events(people.session, "power_end_reminded")
    assert not events(people.session, "power_ran_out")


def test_coordinators_and_administrators_are_told_if_nobody_is_left_who_decides(
    people: People, frozen_time: Freeze
) -> None:
    frozen_time(noon_in(1))
    set_last_day(people, "henrik", Role.SIGNATORY, power_until=clock.today())
    frozen_time(noon_in(2))
    assert note_powers_run_out(clock.today()) == 1
    assert queued(people) == [
        ("power_ended", "henrik"),
        ("power_of_last_ended", "ada"),
        ("power_of_last_ended", "samira"),
    ]
    [event] = events(people.session, "power_ran_out")
    assert event["nobody_left"] is True


def test_a_role_that_ends_with_its_last_day_leaves_nobody_untold(
    people: People, frozen_time: Freeze
) -> None:
    frozen_time(noon_in(1))
    set_last_day(people, "henrik", Role.SIGNATORY, ends_on=clock.today())
    frozen_time(noon_in(2))
    assert note_powers_run_out(clock.today()) == 0
    assert end_roles_run_out() == 1
    assert queued(people) == [
        ("power_ended", "henrik"),
        ("power_of_last_ended", "ada"),
        ("power_of_last_ended", "samira"),
    ]


def test_a_power_that_a_later_role_replaced_runs_out_unnoticed(
    people: People, frozen_time: Freeze
) -> None:
    frozen_time(noon_in(1))
    set_last_day(people, "henrik", Role.SIGNATORY, power_until=clock.today())
    give(people, "ada", "henrik", Role.SIGNATORY, power_from=clock.today() + DAY)
    begun.let_begin(people.people["henrik"])
    queued(people)
    frozen_time(noon_in(2))
    assert note_powers_run_out(clock.today()) == 0
    assert end_roles_run_out() == 1
    assert queued(people) == []
