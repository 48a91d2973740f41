"""The security log: what it has, who sees it, and what a flood leaves out.

In one file: all read the same entries of the same people.
"""

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests import plans
from tests.bench import growth
from tests.client import CheckedClient
from tests.factories.accounts import PASSWORD, People, sign_in, signed_in
from tests.factories.demonstration import Demonstration
from tests.factories.passkeys import Device, give
from tests.factories.passkeys import sign_in as sign_in_by_passkey
from tests.integration.accounts.conftest import NOON, Clock
from tests.integration.accounts.test_passwords import NEW, ask_for_link, link_in
from tests.integration.accounts.test_sessions import PHONE, on_the_phone
from tests.pages import Page
from tracker.access.actor import Role
from tracker.accounts.factors import identity_proof
from tracker.accounts.models import SecurityKind, SecurityLogEntry, UserSession
from tracker.accounts.people import service
from tracker.accounts.security_log import entry_origins, queries
from tracker.accounts.security_log import service as security_log
from tracker.core.errors import RuleBrokenError

Browsers = Callable[[], CheckedClient]
Statements = Callable[[], AbstractContextManager[list[str]]]
OWN, ALL = "/account/security-log", "/administration/security-log"

pytestmark = [pytest.mark.both_databases, pytest.mark.some_on_postgresql(3)]


def logged(session: Session, people: People, key: str | None) -> list[tuple[str, str]]:
    """Return the log's entries about a person since the tests' people existed, oldest first."""
    session.rollback()
    of_nobody = SecurityLogEntry.user_id.is_(None)
    whose = SecurityLogEntry.user_id == people.people[key] if key else of_nobody
    rows = session.scalars(sa.select(SecurityLogEntry).where(whose).order_by(SecurityLogEntry.at))
    return [(row.kind.value, row.detail) for row in rows]


@pytest.fixture
def people(people: People, session: Session) -> People:
    """The same people, with nothing in the log about how they were created."""
    session.execute(sa.delete(SecurityLogEntry))
    session.commit()
    return people


def test_signing_in_and_out_and_a_wrong_password_are_logged_with_browser_and_address(
    people: People, browsers: Browsers, session: Session
) -> None:
    phone = browsers()
    phone.environ_base = {"HTTP_USER_AGENT": PHONE, "REMOTE_ADDR": "192.0.2.17"}
    sign_in(phone, "samira", "not the one at all")
    sign_in(phone, "samira", PASSWORD)
    page = phone.page(OWN)
    assert "Chrome Mobile on Android" in page.text
    assert "192.0.2.17" in page.text
    phone.post("/sign-out")
    assert logged(session, people, "samira") == [
        ("sign_in_failed", "password"),
        ("signed_in", "password"),
        ("signed_out", ""),
    ]
    stored = session.scalars(sa.select(SecurityLogEntry.sealed_origin)).all()
    assert all(origin and b"192.0.2" not in origin for origin in stored)


def test_what_a_stranger_types_is_not_stored(
    people: People, browsers: Browsers, session: Session
) -> None:
    stranger = browsers()
    stranger.post("/sign-in", data={"email": "mistyped@example.org", "password": "hunter2 x"})
    ask_for_link(stranger, "mistyped@example.org")
    assert logged(session, people, None) == [
        ("sign_in_failed", "password"),
        ("password_link_requested", ""),
    ]
    for row in session.scalars(sa.select(SecurityLogEntry)):
        origin = entry_origins.origin_of(row)
        assert origin is not None
        assert "mistyped" not in f"{origin} {row.detail}"
        assert "hunter2" not in f"{origin} {row.detail}"


def test_each_way_of_signing_in_and_each_wrong_proof_is_logged_by_its_name(
    people: People, browsers: Browsers, session: Session, frozen_time: Clock
) -> None:
    frozen_time(NOON)
    people.enrol("henrik")
    henrik = browsers()
    sign_in(henrik, "henrik", PASSWORD)
    henrik.submit("/sign-in/code", code="000000")
    frozen_time(NOON + dt.timedelta(seconds=1))
    henrik.submit("/sign-in/recovery-code", code="not-one-of-them")
    frozen_time(NOON + dt.timedelta(seconds=2))
    henrik.submit("/sign-in/code", code=people.code("henrik"))
    frozen_time(NOON + dt.timedelta(seconds=3))
    with pytest.raises(RuleBrokenError):
        identity_proof.prove(people.people["henrik"], "not the one at all", "000000")
    assert logged(session, people, "henrik") == [
        ("sign_in_failed", "code"),
        ("sign_in_failed", "recovery_code"),
        ("signed_in", "code"),
        ("proof_failed", "password"),
    ]


def test_a_failed_passkey_is_logged_about_its_owner_and_an_unknown_one_about_nobody(
    people: People, client: CheckedClient, session: Session
) -> None:
    device, unknown = Device(), Device()
    give(people, "dora", device)
    sign_in_by_passkey(client, device)
    client.post("/sign-out")
    sign_in_by_passkey(client, Device(credential_id=device.credential_id))
    sign_in_by_passkey(client, unknown)
    assert logged(session, people, "dora") == [
        ("passkey_added", ""),
        ("signed_in", "passkey"),
        ("signed_out", ""),
        ("sign_in_failed", "passkey"),
    ]
    assert logged(session, people, None) == [("sign_in_failed", "passkey")]


def test_a_wrong_password_of_a_signed_in_person_is_a_failed_proof(
    people: People, browsers: Browsers, session: Session
) -> None:
    dora = signed_in(browsers(), "dora")
    dora.submit("/account/confirm", password="not the one at all")
    # A new password that isn't good enough isn't a failed proof of identity.
    for current, new in (("not the one at all", NEW), (PASSWORD, "short")):
        dora.submit(
            "/account/password", password=current, new_password=new, new_password_confirm=new
        )
    failed = [entry for entry in logged(session, people, "dora") if entry[0] == "proof_failed"]
    assert failed == [("proof_failed", "password")] * 2


def test_a_right_password_of_a_suspended_account_is_logged_as_such(
    people: People, client: CheckedClient, session: Session
) -> None:
    service.suspend(people.actor("ada"), people.people["dora"], reason="Telephone stolen")
    session.commit()
    sign_in(client, "dora", PASSWORD)
    assert logged(session, people, "dora")[-1] == ("sign_in_failed", "closed")


def test_too_many_attempts_are_logged_as_such(
    people: People, client: CheckedClient, session: Session
) -> None:
    for _ in range(11):
        client.post("/sign-in", data={"email": "dora@example.org", "password": "wrong"}, read=False)
    assert ("sign_in_failed", "too_many") in logged(session, people, "dora")


def test_changes_of_factors_and_passwords_are_logged(
    people: People, browsers: Browsers, session: Session
) -> None:
    ask_for_link(browsers(), "dora@example.org")
    browsers().submit(link_in(session), password=NEW, password_confirm=NEW)
    give(people, "dora", Device())
    service.reset_second_factor(people.actor("ada"), people.people["dora"], reason="Lost")
    session.commit()
    kinds = [kind for kind, _detail in logged(session, people, "dora")]
    assert kinds[:3] == ["password_link_requested", "password_changed", "passkey_added"]
    assert set(kinds[3:]) == {"passkey_removed", "second_factor_reset"}


def test_what_others_do_to_an_account_is_logged_without_their_address(
    people: People, browsers: Browsers, session: Session
) -> None:
    ada, dora = on_the_phone(browsers(), "ada"), people.people["dora"]
    ada.submit(f"/people/{dora}/suspend", reason="Telephone stolen")
    ada.submit(f"/people/{dora}/restore")
    ada.submit(f"/people/{dora}/roles/new/{people.organisations['door']}", role="coordinator")
    service.end_role(
        people.actor("ada"), people.membership("dora", Role.COORDINATOR), reason="Moved"
    )
    session.commit()
    assert logged(session, people, "dora") == [
        ("person_suspended", ""),
        ("person_restored", ""),
        ("role_given", "coordinator"),
        ("role_ended", "coordinator"),
    ]
    page = signed_in(browsers(), "dora").page(OWN)
    assert "Ada Marsh" in page.text
    assert "192.0.2.17" not in page.text
    assert "Telephone stolen" not in page.text


def test_a_session_that_is_ended_is_logged(
    people: People, browsers: Browsers, session: Session
) -> None:
    here, before = signed_in(browsers(), "samira"), set(session.scalars(sa.select(UserSession.id)))
    on_the_phone(browsers(), "samira")
    session.rollback()
    (other,) = set(session.scalars(sa.select(UserSession.id))) - before
    here.post(f"/account/sessions/{other}/end")
    on_the_phone(browsers(), "samira")
    here.post("/account/sessions/end-others")
    kinds = [kind for kind, _detail in logged(session, people, "samira")]
    assert kinds.count("session_ended") == 2


def test_a_refusal_is_logged_although_nothing_was_done_and_the_page_was_only_read(
    people: People, browsers: Browsers, session: Session
) -> None:
    dora = signed_in(browsers(), "dora")
    assert dora.get("/people").status_code == 403
    organisation = people.organisations["door"]
    assert dora.post(f"/people/invite/{organisation}", data={"email": "x@y.org"}).status_code == 403
    refusals = [entry for entry in logged(session, people, "dora") if entry[0] == "refused"]
    assert refusals == [("refused", "GET people.listed"), ("refused", "POST people.invite")]
    assert str(organisation) not in str(refusals)
    shown = dora.page("/account/security-log").text
    assert "Form sent to: /people/invite/…" in shown
    assert "Page: /people" in shown


@pytest.mark.both_databases
def test_what_is_refused_stays_refused_if_the_log_cannot_be_written(
    people: People, browsers: Browsers, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_given: object, **_more: object) -> None:
        raise sa.exc.OperationalError("", None, Exception("the database is locked"))

    monkeypatch.setattr(security_log, "record_apart", fail)
    assert signed_in(browsers(), "dora").get("/people").status_code == 403


def test_a_page_that_is_allowed_writes_nothing(
    people: People, browsers: Browsers, session: Session, statements: Statements
) -> None:
    samira = signed_in(browsers(), "samira")
    samira.page("/people")
    with statements() as sent:
        samira.page("/people")
        samira.page(OWN)
    assert not [text for text in sent if not text.lstrip().upper().startswith(("SELECT", "WITH"))]


def test_each_person_sees_their_own_entries_and_an_administrator_all(
    people: People, browsers: Browsers
) -> None:
    on_the_phone(browsers(), "samira").get("/administration/mail")
    for key in ("dora", "ilena", "nadia", "henrik", "joana"):
        other = signed_in(browsers(), key)
        assert "192.0.2.17" not in other.page(OWN).text
        assert other.get(ALL).status_code == 403
        assert other.get(f"{ALL}?person={people.people['samira']}").status_code == 403
        assert queries.listed(people.actor(key)).entries == []
    assert "/sign-in" in browsers().get(ALL).location
    ada = signed_in(browsers(), "ada")
    page = ada.page(f"{ALL}?person={people.people['samira']}&kind=refused")
    assert "192.0.2.17" in page.text
    assert "Samira Marsh" in page.text
    assert "Dora Marsh" not in page.text
    assert "192.0.2.17" not in ada.page(f"{ALL}?kind=signed_out").text
    assert "192.0.2.17" in ada.page(f"{ALL}?kind=&person=&page=7").text


@pytest.mark.parametrize(
    "question",
    ["person=nobody", "person=00000000-0000-0000-0000-000000000000", "kind=nonsense", "person=%00"],
)
def test_the_log_of_an_unknown_person_or_kind_is_not_the_log_of_everybody(
    people: People, browsers: Browsers, question: str
) -> None:
    on_the_phone(browsers(), "samira").get("/administration/mail")
    assert signed_in(browsers(), "ada").get(f"{ALL}?{question}").status_code == 404
    assert signed_in(browsers(), "dora").get(f"{ALL}?{question}").status_code == 403


@pytest.mark.both_databases
def test_pages_follow_each_other_and_take_the_same_statements_whatever_the_number_of_entries(
    people: People, browsers: Browsers, session: Session, statements: Statements
) -> None:
    dora, ada = people.people["dora"], signed_in(browsers(), "ada")
    counts: dict[int, int] = {}
    address = f"{ALL}?person={dora}&kind=signed_out"
    page = ada.page(address)
    for number in (2, 28):
        for minute in range(number):
            at = NOON + dt.timedelta(minutes=minute)
            kind = SecurityKind.SIGNED_OUT
            session.add(SecurityLogEntry(kind=kind, user_id=dora, detail="", at=at, left_out=0))
        session.commit()
        ada.page(address)
        with statements() as sent:
            page = ada.page(address)
        counts[rows_of(page)] = len(sent)
    assert counts == {2: counts[2], 25: counts[2]}
    last = ada.page(page.links()["Next"])
    assert rows_of(last) == 5
    assert rows_of(ada.page(last.links()["First page"])) == 25
    # An entry about somebody else has no link.
    other = session.scalars(sa.select(SecurityLogEntry.id).limit(1)).one()
    assert queries.own(people.actor("samira"), after=other).entries == []


def rows_of(page: Page) -> int:
    return page.text.count("When: ")


@pytest.mark.both_databases
def test_a_flood_is_counted_and_not_stored(
    people: People, session: Session, monkeypatch: pytest.MonkeyPatch, frozen_time: Clock
) -> None:
    monkeypatch.setattr(security_log, "MOST_ALIKE", 2)
    monkeypatch.setattr(security_log, "MOST", 4)
    frozen_time(NOON)
    dora = people.people["dora"]
    for _ in range(5):
        security_log.record_apart(SecurityKind.REFUSED, dora, detail="GET people.listed")
    security_log.record_apart(SecurityKind.SIGNED_OUT, dora)
    assert len(logged(session, people, "dora")) == 3
    assert [entry.left_out for entry in queries.own(people.actor("dora")).entries].count(3) == 1
    # Entries that differ still have room, but not without limit.
    for number in range(4):
        security_log.record_apart(SecurityKind.REFUSED, dora, detail=f"GET people.{number}")
    assert len(logged(session, people, "dora")) == 5
    frozen_time(NOON + security_log.WINDOW)
    security_log.record_apart(SecurityKind.REFUSED, dora)
    assert len(logged(session, people, "dora")) == 6


def test_a_refusal_on_a_visit_names_no_page_since_it_tells_who_is_on_its_list(
    app: Flask, session: Session, demonstration: Demonstration
) -> None:
    visit = f"/cooperations/{demonstration.references['complete']}/visits/1"
    assert demonstration.browser(app, "leyla").get(f"{visit}/plan").status_code == 403
    refusals = session.scalars(
        sa.select(SecurityLogEntry.detail).where(SecurityLogEntry.kind == SecurityKind.REFUSED)
    ).all()
    assert refusals == [""]


@pytest.mark.both_databases
def test_the_worker_deletes_what_is_older_than_twelve_months(
    people: People, session: Session, frozen_time: Clock
) -> None:
    frozen_time(NOON)
    security_log.record_apart(SecurityKind.SIGNED_OUT, people.people["dora"])
    frozen_time(NOON + security_log.RETENTION - dt.timedelta(days=1))
    security_log.record_apart(SecurityKind.SIGNED_OUT, people.people["dora"])
    assert security_log.forget_old() == 0
    frozen_time(NOON + security_log.RETENTION)
    assert security_log.forget_old() == 1
    session.commit()
    assert len(logged(session, people, "dora")) == 1


@pytest.mark.both_databases
def test_the_log_is_read_limited_and_shortened_by_its_indexes(
    people: People, session: Session
) -> None:
    ada, dora = people.actor("ada"), people.people["dora"]
    signed_out, taken = SecurityKind.SIGNED_OUT, growth.Taken()
    security_log.record_apart(signed_out, dora)
    (entry,) = queries.listed(ada).entries
    session.rollback()
    with growth.noted(taken):
        queries.listed(ada, after=entry.id)
        queries.listed(ada, kind=signed_out)
        queries.listed(ada, user_id=dora)
        queries.listed(ada, user_id=dora, kind=signed_out)
        queries.own(ada)
        security_log.record_apart(signed_out, dora)
        security_log.record_apart(signed_out, None)
        security_log.forget_old()
    session.rollback()
    connection = session.connection()
    about_log = [pair for pair in taken.statements if "security_log_entry" in pair[0]]
    of_pages = [pair for pair in about_log if "LEFT OUTER JOIN" in pair[0]]
    assert len(of_pages) == 5
    others = [pair for pair in about_log if pair not in of_pages]
    assert plans.scans(connection, others, {"security_log_entry"}) == []
    # The list is read in order and never sorted, so a page reads no more than it shows.
    assert plans.sorts(connection, of_pages) == []


@pytest.mark.parametrize(
    "address",
    [
        "/people?state=nonsense",
        "/organisations?kind=nonsense",
        "/administration/mail?state=nonsense",
    ],
)
def test_lists_for_administrators_do_not_exist_with_an_unknown_filter(
    people: People, browsers: Browsers, address: str
) -> None:
    ada = signed_in(browsers(), "ada")
    assert ada.get(address).status_code == 404
    assert ada.get(address.removesuffix("nonsense")).status_code == 200
