"""People who took somebody's signature neither decide on its interests nor countersign it.

On paper and on their own device alike: on pages, in My work, in mails, and for the audit.

In one file: each case begins with a driver whose signature somebody took, in one way or the other.
"""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.client import CheckedClient
from tests.factories import undertakings_on_paper as on_paper
from tests.factories import undertakings_taken
from tests.factories.evidence.tampering import DETAILS, SIGNATURES, Tampering, hands
from tests.factories.undertakings import TOLD, Clearing
from tests.factories.undertakings_on_paper import DRIVER, NAME
from tests.factories.undertakings_taken import (
    ANOTHER,
    OTHER,
    TAKER,
    WAYS,
    address,
    mailed,
    take,
    take_roles,
)
from tests.pages import Page
from tracker.access.actor import Actor
from tracker.access.decision import YES
from tracker.accounts.models import User
from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.activity.models import Event
from tracker.cooperations.models import CooperationPerson
from tracker.core.db import db
from tracker.core.errors import RefusedError
from tracker.mail.models import OutboxMessage
from tracker.oversight import integrity
from tracker.oversight.facts import Fault, Table
from tracker.undertakings import adding, bound, lists, pages, policy, queries, waiting
from tracker.undertakings import service as undertakings
from tracker.undertakings.clearing_states import clearing_states
from tracker.undertakings.models import InterestsDecision, Reach, UndertakingState
from tracker.undertakings.places import Places
from tracker.undertakings.waiting import TaskKind

Browser = Callable[[str], CheckedClient]


@pytest.fixture
def driver(app: Flask, clearing: Clearing) -> Clearing:
    """The cooperation with a driver who has no account, and a coordinator who also signs."""
    return undertakings_taken.with_driver(app, clearing)


@pytest.fixture
def browser(app: Flask, driver: Clearing) -> Browser:
    return lambda key: driver.browser(app, key)


def tasks_of(actor: Actor) -> list[TaskKind]:
    return [task.kind for task in waiting.tasks(actor).mine if task.person == NAME]


def is_cleared(clearing: Clearing) -> bool:
    driver_id = clearing.id(DRIVER)
    return clearing_states(clearing.cooperation.id, [driver_id])[driver_id].cleared


@pytest.mark.parametrize("way", WAYS)
def test_whoever_took_a_signature_neither_decides_nor_countersigns_and_is_not_asked_to(
    driver: Clearing, way: str
) -> None:
    db.session.execute(sa.delete(OutboxMessage))
    take(driver, way, TOLD)
    assert mailed("undertaking_signed") == {driver.actor(OTHER).email}
    assert_lists_follow_the_rule(driver)
    assert tasks_of(driver.actor(TAKER)) == []
    assert tasks_of(driver.actor(OTHER)) == [TaskKind.DECIDE]
    with pytest.raises(RefusedError, match=ANOTHER):
        driver.decide(DRIVER, by=TAKER)
    db.session.rollback()
    driver.decide(DRIVER, by=OTHER)
    db.session.commit()
    assert tasks_of(driver.actor(TAKER)) == []
    assert tasks_of(driver.actor(OTHER)) == [TaskKind.COUNTERSIGN]
    with pytest.raises(RefusedError, match=ANOTHER):
        driver.decide(DRIVER, by=TAKER)
    db.session.rollback()
    with pytest.raises(RefusedError, match=ANOTHER):
        driver.countersign(DRIVER, by=TAKER)
    db.session.rollback()
    driver.countersign(DRIVER, by=OTHER)
    assert is_cleared(driver)


def assert_lists_follow_the_rule(driver: Clearing) -> None:
    """Require that the condition for lists and the rule agree."""
    standing = queries.load(driver.undertaking(DRIVER)).standing
    assert standing.state is UndertakingState.SIGNED
    for key in (TAKER, OTHER, "ilena"):
        actor = driver.actor(key)
        overview = lists.overview(actor, driver.cooperation)
        lines = [line for party in overview.parties for line in party.lines]
        line = next(line for line in lines if line.undertaking.user_id == driver.id(DRIVER))
        assert line.is_taken is (actor.user_id in standing.taken_by)
        assert (pages.state(line, decides=True)[1] == "wait") is not line.is_taken


@pytest.mark.parametrize("way", WAYS)
def test_where_nobody_else_takes_part_all_others_who_decide_are_mailed(
    driver: Clearing, way: str
) -> None:
    db.session.execute(
        sa.delete(CooperationPerson).where(CooperationPerson.user_id == driver.id(OTHER))
    )
    db.session.execute(sa.delete(OutboxMessage))
    db.session.commit()
    take(driver, way)
    assert mailed("undertaking_signed") == {driver.actor(OTHER).email}


@pytest.mark.parametrize("way", WAYS)
def test_pages_offer_them_nothing_and_say_who_can(
    driver: Clearing, browser: Browser, way: str
) -> None:
    take(driver, way, TOLD)
    page = browser(TAKER).page(address(driver))
    assert ANOTHER in page.text
    assert "Milan Osterin can do this." in page.text
    assert "Record the decision" not in page.text
    assert "Continue to countersign" not in page.text
    assert "Waiting for your countersignature" not in page.text
    assert "Interests waiting for a decision" not in page.text
    other = browser(OTHER).page(address(driver))
    assert "Record the decision" in other.text
    assert "can do this." not in other.text
    # Sent all the same, it's refused with the reason.
    client = browser(TAKER)
    sent = client.post(address(driver), data={"decision": "accept", "reason": "", "seen": ""})
    assert sent.status_code == 403
    assert ANOTHER in Page.of(sent).text
    assert ANOTHER in client.page(address(driver, "/countersign"), 403).text
    db.session.rollback()
    assert driver.undertaking(DRIVER).decision is None
    # Once it's decided, the list says to them that it waits for the NPM.
    driver.decide(DRIVER, by=OTHER)
    where = f"/cooperations/{driver.cooperation.reference}/undertakings"
    waits = "Waiting for your countersignature"
    assert waits in browser(OTHER).page(where).text
    page = browser(TAKER).page(where)
    assert waits not in page.text
    assert "Signed, waiting for the NPM" in page.text
    # Where nobody else decides, the page says what to do.
    take_roles(driver, OTHER)
    page = browser(TAKER).page(address(driver))
    assert "Nobody else in the NPM can do this now." in page.text
    assert "Close this undertaking, ask the person again" in page.text
    assert f"{address(driver)}/withdraw" in page.addresses()
    # The rule outlasts that the person has no account.
    driver_id = driver.id(DRIVER)
    db.session.rollback()
    with hands() as connection:
        connection.execute(
            sa.update(User).where(User.id == driver_id).values(email="bruno@example.org")
        )
    db.session.expire_all()
    standing = queries.load(driver.undertaking(DRIVER)).standing
    assert standing.signs_in
    assert standing.taken_by == {driver.id(TAKER)}
    with pytest.raises(RefusedError, match=ANOTHER):
        driver.decide(DRIVER, by=TAKER)


@pytest.mark.parametrize("way", WAYS)
def test_what_the_person_adds_later_is_for_others_too(
    driver: Clearing, browser: Browser, way: str
) -> None:
    take(driver, way)
    driver.countersign(DRIVER, by=OTHER)
    undertaking = driver.undertaking(DRIVER)
    interest = adding.add(
        on_paper.as_actor(driver),
        undertaking.id,
        TOLD,
        Places(Reach.NAMED, name="The Lower Harbour"),
    )
    db.session.commit()
    assert tasks_of(driver.actor(TAKER)) == []
    assert tasks_of(driver.actor(OTHER)) == [TaskKind.DECIDE_ADDED]
    assert mailed("interest_added") == {driver.actor(OTHER).email}
    with pytest.raises(RefusedError, match=ANOTHER):
        adding.decide(
            driver.actor(TAKER),
            undertaking.id,
            interest.id,
            InterestsDecision.ACCEPT,
            seen=adding.mark(interest),
        )
    where = address(driver, f"/interests/{interest.id}")
    page = browser(TAKER).page(where)
    assert ANOTHER in page.text
    assert "Milan Osterin can do this." in page.text
    assert "Record the decision" not in page.text
    assert "Decide on it" not in browser(TAKER).page(address(driver)).text
    assert "Record the decision" in browser(OTHER).page(where).text


def test_a_scan_that_waits_says_to_its_recorder_who_confirms_it(
    driver: Clearing, browser: Browser
) -> None:
    on_paper.record(driver, TAKER)
    db.session.commit()
    where = address(driver, "/paper")
    page = browser(TAKER).page(where)
    assert ANOTHER in page.text
    assert "Milan Osterin can do this." in page.text
    assert "Confirm the scan" not in page.text
    assert "Confirm the scan" in browser(OTHER).page(where).text
    take_roles(driver, OTHER)
    page = browser(TAKER).page(where)
    assert "Withdraw the scan, and ask another coordinator to collect it." in page.text
    assert f"{where}/withdraw" in page.addresses()


def test_in_an_npm_of_two_the_one_who_decides_is_told_so_and_a_coordinator_takes_the_signature(
    driver: Clearing, browser: Browser
) -> None:
    page = browser(TAKER).page(address(driver, "/here"))
    assert "you can't decide on declared interests or countersign" in page.text
    assert "Milan Osterin" in page.text
    take_roles(driver, OTHER)
    alone = "nobody else in the NPM can"
    for suffix in ("/here", "/paper/blank", "/paper/record"):
        assert alone in browser(TAKER).page(address(driver, suffix)).text
        assert alone not in browser("ilena").page(address(driver, suffix)).text
    take(driver, "on their device", TOLD, by="ilena")
    driver.decide(DRIVER, by=TAKER)
    driver.countersign(DRIVER, by=TAKER)
    assert is_cleared(driver)


@pytest.mark.parametrize("way", WAYS)
def test_the_audit_names_whoever_took_a_signature_and_countersigned_it(
    driver: Clearing, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written as by code without that rule: each row is intact, and its event binds it."""
    take(driver, way)
    monkeypatch.setattr(policy, "can_countersign", lambda *_arguments: YES)
    driver.countersign(DRIVER, by=TAKER)
    db.session.commit()
    undertaking = driver.undertaking(DRIVER)
    assert not bound.compare([undertaking])[undertaking.id].agrees
    assert integrity.check_all().finding is not None


def without_the_rule(monkeypatch: pytest.MonkeyPatch) -> None:
    """Let whoever took a signature decide, as code without that rule would."""
    monkeypatch.setattr(policy, "can_vouch", lambda *_arguments: YES)


def decided_at(clearing: Clearing) -> list[int]:
    """Return the numbers of the events of decisions on interests, in order."""
    wanted = sa.select(Event.number).where(Event.verb == verbs.INTERESTS_DECIDED.name)
    return list(db.session.scalars(wanted.order_by(Event.number)))


def named_event() -> int | None:
    """Return the event of a decision that the audit names; None if it finds nothing."""
    finding = integrity.check_all().finding
    if finding is None:
        return None
    assert (finding.fault, finding.place.table) == (Fault.TAKER_DECIDED, Table.EVENT)
    return finding.place.event


@pytest.mark.parametrize("way", WAYS)
def test_the_audit_names_a_decision_by_whoever_took_the_signature(
    driver: Clearing, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(driver, way, TOLD)
    driver.decide(DRIVER, by=OTHER)
    db.session.commit()
    assert named_event() is None
    without_the_rule(monkeypatch)
    driver.decide(DRIVER, by=TAKER)
    driver.decide(DRIVER, by=OTHER)
    db.session.commit()
    assert named_event() == decided_at(driver)[1]


@pytest.mark.parametrize("way", WAYS)
def test_the_audit_names_a_decision_on_an_added_interest_by_whoever_took_the_signature(
    driver: Clearing, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    take(driver, way)
    interest = adding.add(
        on_paper.as_actor(driver), driver.undertaking(DRIVER).id, TOLD, Places(Reach.ALL)
    )
    without_the_rule(monkeypatch)
    for number, by in enumerate((OTHER, TAKER)):
        assert named_event() is None
        adding.decide(
            driver.actor(by),
            driver.undertaking(DRIVER).id,
            interest.id,
            InterestsDecision.REPLACE if number else InterestsDecision.ACCEPT,
            "Somebody else has to drive.",
            seen=adding.mark(interest),
        )
        db.session.commit()
    assert named_event() == decided_at(driver)[1]


@pytest.mark.parametrize("way", WAYS)
def test_whoever_took_an_earlier_signature_decides_once_somebody_else_took_the_next(
    driver: Clearing, way: str
) -> None:
    take(driver, way)
    driver.countersign(DRIVER, by=OTHER)
    interest = adding.add(
        on_paper.as_actor(driver), driver.undertaking(DRIVER).id, TOLD, Places(Reach.ALL)
    )
    npm = driver.actor(OTHER)
    undertakings.withdraw_clearance(npm, driver.undertaking(DRIVER).id, "A new briefing.")
    undertakings.ask_again(npm, driver.undertaking(DRIVER).id)
    take(driver, way, by="ilena")
    undertaking_id = driver.undertaking(DRIVER).id
    accept, seen = InterestsDecision.ACCEPT, adding.mark(interest)
    adding.decide(driver.actor(TAKER), undertaking_id, interest.id, accept, seen=seen)
    db.session.commit()
    assert len(decided_at(driver)) == 1
    assert named_event() is None


def erase_details(clearing: Clearing, after: int = 0) -> int:
    """Erase the details of all events so far, as an event says; return the last one's number.

    Those up to a number were erased before.
    """
    cooperation_id = clearing.cooperation.id
    trail.record(
        verbs.DETAILS_ERASED,
        actor=None,
        subject_type="cooperation",
        subject_id=cooperation_id,
        cooperation_id=cooperation_id,
        reason="retention",
    )
    db.session.commit()
    with hands() as connection:
        own = Tampering(connection, cooperation_id)
        last = own.last() - 1
        for number in range(after + 1, last + 1):
            own.delete(DETAILS, own.event_id(number))
    return last


@pytest.mark.parametrize("way", WAYS)
def test_once_details_are_erased_the_audit_names_the_last_decision_by_its_row(
    driver: Clearing, way: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nothing says any longer who made the decisions before the last."""
    take(driver, way, TOLD)
    without_the_rule(monkeypatch)
    erased = 0
    for by in (TAKER, OTHER, TAKER):
        driver.decide(DRIVER, by=by)
        erased = erase_details(driver, after=erased)
        assert named_event() == (decided_at(driver)[-1] if by == TAKER else None), by


def test_a_host_that_nobody_would_write_so_is_no_error_on_a_page(
    driver: Clearing, browser: Browser
) -> None:
    take(driver, "on their device", TOLD)
    host, undertaking_id = driver.id(TAKER), driver.undertaking(DRIVER).id
    revision_id = driver.undertaking(DRIVER).revision_id
    wanted = sa.and_(SIGNATURES.c.revision_id == revision_id, SIGNATURES.c.presence.is_not(None))
    db.session.rollback()
    with hands() as connection:
        written = connection.execute(sa.select(SIGNATURES.c.presence).where(wanted)).scalar_one()
    cases: tuple[tuple[object, bool], ...] = (
        ({**written, "host": "nobody"}, False),
        ({**written, "host": None}, False),
        ([], False),
        ({**written, "host": str(host).upper()}, True),
    )
    for presence, is_taken in cases:
        db.session.rollback()
        with hands() as connection:
            connection.execute(sa.update(SIGNATURES).where(wanted).values(presence=presence))
        db.session.expire_all()
        standing = queries.load(driver.undertaking(DRIVER)).standing
        assert standing.taken_by == ({host} if is_taken else set()), presence
        assert bool(tasks_of(driver.actor(TAKER))) is not is_taken, presence
        for key in (TAKER, OTHER):
            assert browser(key).get(address(driver)).status_code == 200, presence
        assert integrity.check_all().finding is not None, presence
        assert bound.compare([driver.undertaking(DRIVER)])[undertaking_id].agrees is False, presence
