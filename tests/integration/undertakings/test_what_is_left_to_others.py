"""What people who took a signature are told about what others have to do: when, and if nobody can.

On paper and on their own device alike.

In one file: each case begins with the same driver, whose signature somebody took.
"""

import datetime as dt
import re
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.client import CheckedClient
from tests.due import note_powers_run_out
from tests.factories import undertakings as factory
from tests.factories import undertakings_on_paper as on_paper
from tests.factories import undertakings_taken
from tests.factories.undertakings import TOLD, Clearing
from tests.factories.undertakings_on_paper import DRIVER, NAME
from tests.factories.undertakings_taken import (
    ANOTHER,
    OTHER,
    TAKER,
    WAYS,
    address,
    give_role,
    mailed,
    take,
    take_roles,
)
from tests.integration.undertakings.conftest import Clock
from tracker.access.actor import Role
from tracker.accounts.models import Membership
from tracker.accounts.people import service as accounts
from tracker.core import clock
from tracker.core.db import db
from tracker.mail.models import OutboxMessage
from tracker.undertakings import adding, messages, queries, waiting
from tracker.undertakings import service as undertakings
from tracker.undertakings.models import AddedInterest, InterestsDecision, Reach
from tracker.undertakings.places import Places
from tracker.undertakings.waiting import Task, TaskKind

Browser = Callable[[str], CheckedClient]
OTHER_CAN = "Milan Osterin can do this."
NOBODY = "Nobody else in the NPM can do this now."
NEEDED = "undertaking_needs_another"
ACCEPT, REPLACE = InterestsDecision.ACCEPT, InterestsDecision.REPLACE


@pytest.fixture
def driver(app: Flask, clearing: Clearing) -> Clearing:
    """The cooperation with a driver who has no account, and a coordinator who also signs."""
    return undertakings_taken.with_driver(app, clearing)


@pytest.fixture
def browser(app: Flask, driver: Clearing) -> Browser:
    return lambda key: driver.browser(app, key)


def add(clearing: Clearing) -> AddedInterest:
    """Have the driver add an interest, as once they have an account."""
    interest = adding.add(
        on_paper.as_actor(clearing),
        clearing.undertaking(DRIVER).id,
        TOLD,
        Places(Reach.NAMED, name="The Lower Harbour"),
    )
    db.session.commit()
    return interest


def decide_added(clearing: Clearing, interest: AddedInterest, decision: InterestsDecision) -> None:
    adding.decide(
        clearing.actor(OTHER),
        clearing.undertaking(DRIVER).id,
        interest.id,
        decision,
        "Read by the NPM.",
        seen=adding.mark(interest),
    )
    db.session.commit()


def forget_mails() -> None:
    db.session.execute(sa.delete(OutboxMessage))
    db.session.commit()


def the_mail() -> OutboxMessage:
    return db.session.scalars(sa.select(OutboxMessage).where(OutboxMessage.kind == NEEDED)).one()


def left_to_others(clearing: Clearing, key: str = TAKER) -> list[Task]:
    return [
        task
        for task in waiting.tasks(clearing.actor(key)).others
        if task.kind is TaskKind.WAITS_FOR_ANOTHER
    ]


def after_the_terms() -> dt.datetime:
    return clock.now() + dt.timedelta(days=factory.DAYS + 1)


def keep_one_coordinator(clearing: Clearing) -> None:
    """End the role of every coordinator of the NPM but the taker's."""
    db.session.execute(
        sa.delete(Membership).where(
            Membership.organisation_id == clearing.demo_people.bodies["npm"].id,
            Membership.role == Role.COORDINATOR,
            Membership.user_id != clearing.id(TAKER),
        )
    )
    db.session.commit()


# Only where the rule is all that keeps them from it ---------------------------------------------


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("interests", ["", TOLD])
def test_once_the_terms_have_passed_nobody_is_named_and_nothing_is_to_be_taken_again(
    driver: Clearing, browser: Browser, frozen_time: Clock, way: str, interests: str
) -> None:
    take(driver, way, interests)
    frozen_time(after_the_terms())
    page = browser(TAKER).page(address(driver))
    assert "The time that these terms cover has passed." in page.text
    assert ANOTHER not in page.text
    assert OTHER_CAN not in page.text
    take_roles(driver, OTHER)
    page = browser(TAKER).page(address(driver))
    assert "The time that these terms cover has passed." in page.text
    assert NOBODY not in page.text


@pytest.mark.parametrize("way", WAYS)
def test_after_the_decision_to_ask_for_somebody_else_nothing_is_left_to_others(
    driver: Clearing, browser: Browser, way: str
) -> None:
    take(driver, way, TOLD)
    driver.decide(DRIVER, REPLACE, "Too close to the guards.", by=OTHER)
    db.session.commit()
    page = browser(TAKER).page(address(driver))
    assert "The NPM decided to ask for somebody else." in page.text
    assert ANOTHER not in page.text
    assert OTHER_CAN not in page.text
    assert left_to_others(driver) == []


@pytest.mark.parametrize("key", [TAKER, OTHER])
def test_once_the_terms_have_passed_a_scan_is_for_nobody_to_confirm(
    driver: Clearing, browser: Browser, frozen_time: Clock, key: str
) -> None:
    on_paper.record(driver, TAKER)
    db.session.commit()
    frozen_time(after_the_terms())
    page = browser(key).page(address(driver, "/paper"))
    assert "The time that these terms cover has passed." in page.text
    assert ANOTHER not in page.text
    assert OTHER_CAN not in page.text


@pytest.mark.parametrize("way", WAYS)
def test_of_a_closed_undertaking_they_read_that_it_was_closed(
    driver: Clearing, browser: Browser, way: str
) -> None:
    take(driver, way)
    driver.countersign(DRIVER, by=OTHER)
    interest = add(driver)
    undertakings.withdraw_clearance(
        driver.actor(OTHER), driver.undertaking(DRIVER).id, "They left."
    )
    db.session.commit()
    page = browser(TAKER).page(address(driver, f"/interests/{interest.id}"))
    assert "This undertaking was closed." in page.text
    assert ANOTHER not in page.text
    assert OTHER_CAN not in page.text


@pytest.mark.parametrize("way", WAYS)
def test_of_an_added_interest_that_is_decided_nothing_is_left_to_others(
    driver: Clearing, browser: Browser, way: str
) -> None:
    take(driver, way)
    driver.countersign(DRIVER, by=OTHER)
    interest = add(driver)
    decide_added(driver, interest, ACCEPT)
    where = address(driver, f"/interests/{interest.id}")
    page = browser(TAKER).page(where)
    assert "Read by the NPM." in page.text
    assert ANOTHER not in page.text
    assert OTHER_CAN not in page.text
    assert "Decide again" in browser(OTHER).page(where).text


@pytest.mark.parametrize("way", WAYS)
def test_an_interest_added_once_the_terms_have_passed_asks_nobody_to_sign_again(
    driver: Clearing, browser: Browser, frozen_time: Clock, way: str
) -> None:
    take(driver, way)
    driver.countersign(DRIVER, by=OTHER)
    interest = add(driver)
    take_roles(driver, OTHER)
    where = address(driver, f"/interests/{interest.id}")
    again = "Close this undertaking, ask the person again"
    assert again in browser(TAKER).page(where).text
    frozen_time(after_the_terms())
    page = browser(TAKER).page(where)
    assert f"{NOBODY} Ask for somebody else to be made signatory or manager." in page.text
    assert again not in page.text


# Where nobody else can --------------------------------------------------------------------------


@pytest.mark.parametrize("way", WAYS)
def test_the_taker_sees_in_my_work_that_somebody_else_is_waited_for(
    driver: Clearing, browser: Browser, way: str
) -> None:
    take(driver, way, TOLD)
    (task,) = left_to_others(driver)
    assert task.person == NAME
    page = browser(TAKER).page("/")
    assert "Waiting for another signatory or manager" in page.text
    assert address(driver) in page.addresses()
    assert left_to_others(driver, OTHER) == []
    driver.decide(DRIVER, by=OTHER)
    assert len(left_to_others(driver)) == 1
    driver.countersign(DRIVER, by=OTHER)
    assert left_to_others(driver) == []


@pytest.mark.parametrize("way", WAYS)
def test_the_taker_still_sees_it_once_the_other_has_left(driver: Clearing, way: str) -> None:
    take(driver, way)
    take_roles(driver, OTHER)
    assert [task.person for task in left_to_others(driver)] == [NAME]


def test_a_scan_is_in_the_recorders_work_and_leads_to_its_page(
    driver: Clearing, browser: Browser
) -> None:
    on_paper.record(driver, TAKER)
    db.session.commit()
    (task,) = left_to_others(driver)
    assert task.page == "undertaking_paper.show"
    assert address(driver, "/paper") in browser(TAKER).page("/").addresses()


@pytest.mark.parametrize("way", WAYS)
def test_an_added_interest_is_in_the_takers_work_and_leads_to_its_page(
    driver: Clearing, browser: Browser, way: str
) -> None:
    take(driver, way)
    driver.countersign(DRIVER, by=OTHER)
    interest = add(driver)
    (task,) = left_to_others(driver)
    assert task.page == "undertakings.added_interest"
    where = address(driver, f"/interests/{interest.id}")
    assert where in browser(TAKER).page("/").addresses()
    decide_added(driver, interest, ACCEPT)
    assert left_to_others(driver) == []


def test_a_coordinator_who_does_not_decide_waits_for_nobody(driver: Clearing) -> None:
    take(driver, "on their device", by="ilena")
    assert left_to_others(driver, "ilena") == []


@pytest.mark.parametrize("way", WAYS)
def test_where_nobody_else_can_the_taker_is_mailed(driver: Clearing, way: str) -> None:
    if way == "on paper":
        on_paper.record(driver, TAKER)
        on_paper.confirm(driver, OTHER)
        take_roles(driver, OTHER)
        forget_mails()
        loaded = queries.load(driver.undertaking(DRIVER))
        messages.waits_for_npm(loaded.undertaking, loaded.terms.reference, loaded.standing.taken_by)
    else:
        take_roles(driver, OTHER)
        forget_mails()
        take(driver, way)
    assert mailed(NEEDED) == {driver.actor(TAKER).email}
    assert mailed("undertaking_signed") == set()
    body = the_mail().body
    assert address(driver) in body
    assert NAME not in body
    assert "Bruno" not in body


def test_where_nobody_else_can_confirm_a_scan_its_recorder_is_mailed(driver: Clearing) -> None:
    take_roles(driver, OTHER)
    forget_mails()
    on_paper.record(driver, TAKER)
    assert mailed(NEEDED) == {driver.actor(TAKER).email}
    assert mailed("undertaking_on_paper") == set()


@pytest.mark.parametrize("way", WAYS)
def test_where_nobody_else_can_decide_on_an_added_interest_the_taker_is_mailed(
    driver: Clearing, way: str
) -> None:
    take(driver, way)
    driver.countersign(DRIVER, by=OTHER)
    take_roles(driver, OTHER)
    forget_mails()
    interest = add(driver)
    assert mailed(NEEDED) == {driver.actor(TAKER).email}
    body = the_mail().body
    assert address(driver, f"/interests/{interest.id}") in body
    assert "Harbour" not in body
    assert "interest" not in re.sub(r"https?://\S+", "", body)


@pytest.mark.parametrize(("way", "suspends"), [("on paper", False), ("on their device", True)])
def test_the_taker_is_mailed_when_the_last_other_who_decides_is_gone(
    driver: Clearing, way: str, suspends: bool
) -> None:
    give_role(driver, "nadia", Role.MANAGER)
    take(driver, way)
    forget_mails()
    end_role(driver, "nadia")
    assert mailed(NEEDED) == set()
    if suspends:
        accounts.suspend(driver.actor("iris"), driver.id(OTHER), reason="A lost laptop.")
    else:
        end_role(driver, OTHER)
    assert mailed(NEEDED) == {driver.actor(TAKER).email}
    assert address(driver) in the_mail().body


def test_the_taker_is_mailed_when_the_power_of_the_last_other_who_decides_runs_out(
    driver: Clearing,
) -> None:
    take(driver, "on paper")
    role = db.session.scalars(
        sa.select(Membership).where(
            Membership.user_id == driver.id(OTHER), Membership.role == Role.MANAGER
        )
    ).one()
    role.role, role.power = Role.SIGNATORY, "Statutes, article 9"
    role.power_until = clock.today() - dt.timedelta(days=1)
    db.session.commit()
    forget_mails()
    assert note_powers_run_out(clock.today()) == 1
    assert mailed(NEEDED) == {driver.actor(TAKER).email}


def end_role(clearing: Clearing, key: str) -> None:
    """End somebody's role as a manager of the NPM, by another who decides for it."""
    role = db.session.scalars(
        sa.select(Membership).where(
            Membership.user_id == clearing.id(key), Membership.role == Role.MANAGER
        )
    ).one()
    accounts.end_role(clearing.actor(TAKER), role.id, reason="A new task.")


@pytest.mark.parametrize("way", WAYS)
def test_where_somebody_else_can_the_taker_is_not_mailed(driver: Clearing, way: str) -> None:
    take(driver, way)
    assert mailed(NEEDED) == set()


@pytest.mark.parametrize("way", WAYS)
def test_another_coordinator_is_named_as_a_way_out_only_where_there_is_one(
    driver: Clearing, browser: Browser, way: str
) -> None:
    take(driver, way)
    take_roles(driver, OTHER)
    text = browser(TAKER).page(address(driver)).text
    assert "ask another coordinator to collect it" in text
    keep_one_coordinator(driver)
    text = browser(TAKER).page(address(driver)).text
    assert f"{NOBODY} Ask for somebody else to be made signatory or manager." in text
    assert "another coordinator" not in text


@pytest.mark.parametrize("suffix", ["/here", "/paper/blank", "/paper/record"])
def test_before_taking_a_signature_the_only_coordinator_and_decider_reads_what_to_do(
    driver: Clearing, browser: Browser, suffix: str
) -> None:
    take_roles(driver, OTHER)
    text = browser(TAKER).page(address(driver, suffix)).text
    assert "Ask another coordinator to collect it, so that you can do the rest." in text
    assert "Or ask for somebody else to be made signatory or manager." in text
    keep_one_coordinator(driver)
    text = browser(TAKER).page(address(driver, suffix)).text
    assert "another coordinator" not in text
    assert "Ask for somebody else to be made coordinator, who can collect it" in text


def test_an_outside_expert_is_no_other_coordinator(driver: Clearing, browser: Browser) -> None:
    take_roles(driver, OTHER)
    keep_one_coordinator(driver)
    give_role(driver, "ilena", Role.COORDINATOR)
    db.session.execute(
        sa.update(Membership)
        .where(Membership.user_id == driver.id("ilena"))
        .values(outside_expert=True)
    )
    db.session.commit()
    assert "another coordinator" not in browser(TAKER).page(address(driver, "/here")).text
