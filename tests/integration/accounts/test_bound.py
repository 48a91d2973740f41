"""Credentials belong to their person: rows changed outside the application are refused.

In one file: a table of rows changed in the database, each tested on the same accounts.
"""

import logging
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories import passkeys
from tests.factories.accounts import PASSWORD, People, sign_in, signed_in
from tests.factories.evidence.tampering import (
    CHAINS,
    EVENTS,
    hands,
    table_of,
)
from tests.factories.passkeys import Device
from tests.integration.accounts.conftest import NOON, Clock
from tests.pages import Page
from tracker.access.actor import Role
from tracker.accounts.factors import (
    adoption,
    binding,
    credentials,
    identity_proof,
    mailed_codes,
    refused_accounts,
    second_factor,
)
from tracker.accounts.models import Attempt, MailedCode, Passkey, User, UserSession
from tracker.accounts.people import service
from tracker.activity.models import Event
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.mail.models import OutboxMessage
from tracker.oversight import integrity
from tracker.oversight.facts import Fault, Table
from tracker.worker import health

pytestmark = pytest.mark.some_on_postgresql(5)

USERS, PASSKEYS, CODES = table_of(User), table_of(Passkey), table_of(MailedCode)
REFUSED = "were changed outside this application"
Row = Mapping[str, Any]
Browsers = Callable[[], CheckedClient]


@pytest.fixture
def cast(people: People, frozen_time: Clock) -> People:
    """Dora is the attacker, a member with her own code app; Henrik is a signatory."""
    frozen_time(NOON)
    people.enrol("henrik")
    people.enrol("dora")
    for key in ("henrik", "dora"):
        second_factor.make_recovery_codes(people.user(key))
    people.session.commit()
    return people


# Hands in the database ---------------------------------------------------------------------------


def row_of(cast: People, key: str) -> Row:
    cast.session.rollback()
    with db.engine.connect() as connection:
        query = sa.select(USERS).where(USERS.c.id == cast.people[key])
        return dict(connection.execute(query).mappings().one())


def put(cast: People, key: str, **values: Any) -> None:
    """Write into a person's row, as anybody with the database's password can."""
    cast.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(sa.update(USERS).where(USERS.c.id == cast.people[key]).values(**values))
    cast.session.expire_all()


def without_id(row: Row) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "id"}


def copy(cast: People, *columns: str) -> None:
    """Copy columns of the attacker's row to the signatory's."""
    source = row_of(cast, "dora")
    put(cast, "henrik", **{column: source[column] for column in columns})


@contextmanager
def is_found(
    cast: People, fault: Fault, table: Table = Table.ACCOUNT, row: str = "henrik@example.org"
) -> Iterator[None]:
    """Check that all is well before, and that check and health name the account afterwards."""
    cast.session.rollback()
    assert integrity.check_all().finding is None
    assert accounts_by_the_worker() == "well"
    cast.session.rollback()
    yield
    cast.session.rollback()
    finding = integrity.check_all().finding
    assert finding is not None
    assert (finding.fault, finding.place.table, finding.place.row) == (fault, table, row)
    assert accounts_by_the_worker() == "some are refused"
    cast.session.rollback()


def accounts_by_the_worker() -> str:
    """Return what health says about accounts once the worker has run."""
    refused_accounts.check_some()
    db.session.commit()
    return health.look().accounts


def proving(
    cast: People, key: str, password: str, code_of: str
) -> Callable[[], identity_proof.Proof]:
    code = cast.code(code_of)
    return lambda: identity_proof.prove(cast.people[key], password, code)


def refused(act: Callable[[], object]) -> None:
    """Check that an act is refused because of the person's credentials, and nothing is signed."""
    with pytest.raises(binding.NotBoundError) as caught:
        act()
    assert REFUSED in str(caught.value)
    db.session.rollback()


def is_in(client: CheckedClient) -> bool:
    return client.get("/account").status_code == 200


# What was copied from another person's row -------------------------------------------------------

ALL = ("password", "tf_totp_secret", "tf_primary_method", "mf_recovery_codes")


@pytest.mark.both_databases
def test_a_copied_password_and_second_factor_prove_nothing(
    cast: People, session: Session, browsers: Browsers, caplog: pytest.LogCaptureFixture
) -> None:
    with is_found(cast, Fault.OTHER_CREDENTIALS):
        copy(cast, *ALL)
    with caplog.at_level(logging.ERROR):
        refused(proving(cast, "henrik", PASSWORD, "dora"))
    assert str(cast.people["henrik"]) in caplog.text
    assert str(cast.user("henrik").password) not in caplog.text
    browser = browsers()
    assert REFUSED in Page.of(sign_in(browser, "henrik")).text
    assert not is_in(browser)
    # It was no guess: whoever it is has proved that they know a password.
    assert session.query(Attempt).count() == 0


def test_the_seal_copied_along_is_the_other_persons(cast: People, browsers: Browsers) -> None:
    with is_found(cast, Fault.OTHER_CREDENTIALS):
        copy(cast, *ALL, "credentials_seal", "passkeys_digest")
    refused(proving(cast, "henrik", PASSWORD, "dora"))


@pytest.mark.both_databases
@pytest.mark.parametrize("column", ["password", "tf_totp_secret", "mf_recovery_codes"])
def test_a_single_copied_value_is_refused(cast: People, column: str) -> None:
    with is_found(cast, Fault.OTHER_CREDENTIALS):
        copy(cast, column)
    refused(proving(cast, "henrik", PASSWORD, "henrik"))


@pytest.mark.both_databases
@pytest.mark.parametrize(
    "values",
    [
        {"tf_primary_method": None, "tf_totp_secret": None},
        {"mf_recovery_codes": None},
        {"credentials_seal": None},
        {"credentials_seal": "0" * 64},
        {"passkeys_digest": None},
    ],
)
def test_credentials_that_were_removed_are_refused(cast: People, values: dict[str, object]) -> None:
    with is_found(cast, Fault.OTHER_CREDENTIALS):
        put(cast, "henrik", **values)
    refused(lambda: identity_proof.prove(cast.people["henrik"], PASSWORD, "000000"))


def test_a_row_without_seals_is_not_taken_for_one_of_a_former_version(
    cast: People, session: Session
) -> None:
    assert adoption.adopt() is not None
    session.commit()
    seals = dict.fromkeys(("credentials_seal", "address_seal", "passkeys_digest"))
    with is_found(cast, Fault.OTHER_ADDRESS):
        copy(cast, *ALL)
        put(cast, "henrik", **seals)
    assert adoption.adopt() is None
    session.commit()
    refused(proving(cast, "henrik", PASSWORD, "dora"))


def test_marks_of_sessions_that_changed_places_open_no_account(
    cast: People, browsers: Browsers
) -> None:
    """Somebody signed in as the one must not become the other, and set up a passkey."""
    browser = signed_in(browsers(), "samira")
    assert is_in(browser)
    marks = {key: row_of(cast, key)["fs_uniquifier"] for key in ("samira", "henrik")}
    with is_found(cast, Fault.OTHER_CREDENTIALS, row="samira@example.org"):
        put(cast, "samira", fs_uniquifier="between")
        put(cast, "henrik", fs_uniquifier=marks["samira"])
        with db.engine.begin() as connection:
            connection.execute(sa.update(UserSession).values(user_id=cast.people["henrik"]))
    page = Page.of(browser.get("/account/second-factor", follow_redirects=True))
    assert REFUSED in page.text
    assert "Sign in" in page.title
    assert not is_in(browser)


def test_another_address_gets_no_link_for_a_new_password(
    cast: People, session: Session, browsers: Browsers
) -> None:
    with is_found(cast, Fault.OTHER_ADDRESS, row="mallory@example.org"):
        put(cast, "henrik", email="mallory@example.org")
    browsers().submit("/new-password", email="mallory@example.org")
    assert session.query(OutboxMessage).filter_by(recipient="mallory@example.org").count() == 0


def test_a_suspended_account_is_not_opened_in_the_database(
    cast: People, session: Session, browsers: Browsers
) -> None:
    service.suspend(cast.actor("ada"), cast.people["samira"], reason="Left")
    session.commit()
    with is_found(cast, Fault.OTHER_CREDENTIALS, row="samira@example.org"):
        put(cast, "samira", active=True)
    browser = browsers()
    assert REFUSED in Page.of(sign_in(browser, "samira")).text
    assert not is_in(browser)


def test_a_signed_in_person_whose_row_was_changed_is_signed_out_and_told_why(
    cast: People, browsers: Browsers
) -> None:
    browser = signed_in(browsers(), "samira")
    put(cast, "samira", password=row_of(cast, "dora")["password"])
    page = Page.of(browser.get("/account", follow_redirects=True))
    assert REFUSED in page.text
    # The message appears once; after that it is a stranger's browser like any other.
    assert REFUSED not in browser.page("/sign-in").text


# What was put back from an earlier day -----------------------------------------------------------


def change_password(cast: People, browser: CheckedClient, key: str, new: str) -> None:
    signed_in(browser, key)
    browser.submit(
        "/account/password", password=PASSWORD, new_password=new, new_password_confirm=new
    )
    cast.session.rollback()


@pytest.mark.both_databases
def test_nobody_can_sign_in_with_a_restored_older_row(cast: People, browsers: Browsers) -> None:
    before = row_of(cast, "samira")
    change_password(cast, browsers(), "samira", "quiet kettles over the fjord")
    with is_found(cast, Fault.FORMER_CREDENTIALS, row="samira@example.org"):
        put(cast, "samira", **without_id(before))
    browser = browsers()
    assert REFUSED in Page.of(sign_in(browser, "samira")).text
    assert not is_in(browser)


@pytest.mark.both_databases
def test_a_restored_older_row_proves_nothing(cast: People, session: Session) -> None:
    before = row_of(cast, "henrik")
    service.reset_second_factor(cast.actor("ada"), cast.people["henrik"], reason="Lost it")
    session.commit()
    cast.enrol("henrik")
    with is_found(cast, Fault.FORMER_CREDENTIALS):
        put(cast, "henrik", **without_id(before))
    refused(proving(cast, "henrik", PASSWORD, "henrik"))


@pytest.mark.both_databases
def test_an_event_added_behind_the_sealed_end_binds_nothing(cast: People, session: Session) -> None:
    before = row_of(cast, "henrik")
    event = sa.select(EVENTS).where(
        EVENTS.c.verb == "credentials_bound", EVENTS.c.subject_id == cast.people["henrik"]
    )
    with db.engine.connect() as connection:
        old = connection.execute(event.order_by(EVENTS.c.number.desc())).mappings().first()
    assert old is not None
    cast.enrol("henrik")
    put(cast, "henrik", **without_id(before))
    with hands() as connection:
        end = sa.select(CHAINS.c.count).where(CHAINS.c.id == old["chain_id"])
        number = (connection.scalar(end) or 0) + 1
        connection.execute(sa.insert(EVENTS).values({**old, "id": uuid4(), "number": number}))
    refused(proving(cast, "henrik", PASSWORD, "henrik"))


@pytest.mark.both_databases
def test_a_used_recovery_code_that_was_restored_is_refused(
    cast: People, browsers: Browsers
) -> None:
    codes = second_factor.make_recovery_codes(cast.user("dora"))
    cast.session.commit()
    before = row_of(cast, "dora")
    browser = browsers()
    sign_in(browser, "dora")
    browser.submit("/sign-in/recovery-code", code=codes[0])
    assert is_in(browser)
    with is_found(cast, Fault.FORMER_CREDENTIALS, row="dora@example.org"):
        put(cast, "dora", **without_id(before))
    assert REFUSED in Page.of(sign_in(browsers(), "dora")).text


# Passkeys ----------------------------------------------------------------------------------------


def passkey_row(device: Device) -> Row:
    with db.engine.connect() as connection:
        query = sa.select(PASSKEYS).where(PASSKEYS.c.credential_id == device.credential_id)
        return dict(connection.execute(query).mappings().one())


def by_passkey(cast: People, key: str, device: Device) -> Callable[[], identity_proof.Proof]:
    challenge = b"what is to be signed " + uuid4().bytes
    answer = device.answer(challenge)
    return lambda: identity_proof.prove_by_passkey(cast.people[key], answer, challenge)


@pytest.fixture
def device(cast: People) -> Device:
    """The attacker's passkey."""
    device = Device()
    passkeys.give(cast, "dora", device)
    return device


def on_passkeys(statement: Any) -> None:
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(statement)
    db.session.expire_all()


@pytest.mark.both_databases
def test_a_passkey_moved_to_another_person_proves_nothing(
    cast: People, device: Device, browsers: Browsers
) -> None:
    by_passkey(cast, "dora", device)()
    cast.session.commit()
    with is_found(cast, Fault.PASSKEY_NOT_SET_UP, Table.PASSKEY, passkey_row(device)["name"]):
        on_passkeys(sa.update(PASSKEYS).values(user_id=cast.people["henrik"]))
    refused(by_passkey(cast, "henrik", device))
    # Nor is the rest of the person it was taken from.
    refused(proving(cast, "dora", PASSWORD, "dora"))


def test_a_passkey_put_in_for_another_person_proves_nothing(cast: People, device: Device) -> None:
    own = Device()
    row = {**passkey_row(device), "id": uuid4(), "user_id": cast.people["henrik"]}
    row |= {"credential_id": own.credential_id, "public_key": own.cose(), "name": "mine"}
    with is_found(cast, Fault.PASSKEY_NOT_SET_UP, Table.PASSKEY, "mine"):
        on_passkeys(sa.insert(PASSKEYS).values(row))
    refused(by_passkey(cast, "henrik", own))


def test_a_removed_passkey_that_was_restored_proves_nothing(
    cast: People, device: Device, session: Session
) -> None:
    row = passkey_row(device)
    credentials.remove(cast.actor("dora"), row["id"])
    session.commit()
    with is_found(cast, Fault.OTHER_CREDENTIALS, row="dora@example.org"):
        on_passkeys(sa.insert(PASSKEYS).values(row))
    refused(by_passkey(cast, "dora", device))


def test_a_passkey_that_was_set_aside_is_not_taken_up_again(
    cast: People, device: Device, session: Session
) -> None:
    identity_proof.set_aside(passkey_row(device)["id"])
    with is_found(cast, Fault.OTHER_CREDENTIALS, row="dora@example.org"):
        on_passkeys(sa.update(PASSKEYS).values(set_aside_at=None))
    refused(by_passkey(cast, "dora", device))


def test_who_lost_a_passkey_in_the_database_sets_up_no_other_factor_by_the_password(
    cast: People, browsers: Browsers
) -> None:
    own = Device()
    passkeys.give(cast, "samira", own)
    with is_found(cast, Fault.OTHER_CREDENTIALS, row="samira@example.org"):
        on_passkeys(sa.delete(PASSKEYS))
    browser = browsers()
    assert REFUSED in Page.of(sign_in(browser, "samira")).text
    assert not is_in(browser)


# Codes by mail -----------------------------------------------------------------------------------


@pytest.mark.both_databases
@pytest.mark.parametrize("column", ["user_id", "subject_id", "made_at"])
def test_a_mailed_code_moved_to_another_person_or_act_is_not_right(
    cast: People, session: Session, column: str
) -> None:
    row = MailedCode(id=uuid4(), user_id=cast.people["dora"], subject_id=uuid4(), made_at=NOON)
    row.digest = mailed_codes._digest(row, "123456")
    session.add(row)
    session.commit()
    assert mailed_codes.is_right(row, "123456")
    other: dict[str, object] = {
        "user_id": cast.people["henrik"],
        "subject_id": uuid4(),
        "made_at": NOON.replace(year=NOON.year + 1),
    }
    on_passkeys(sa.update(CODES).values({column: other[column]}))
    moved = session.query(MailedCode).one()
    assert not mailed_codes.is_right(moved, "123456")


# What the application itself changes stays bound -------------------------------------------------


def is_bound(cast: People, key: str) -> bool:
    cast.session.rollback()
    return binding.fault_of(cast.user(key)) is None and not binding.refused()


def last_change(cast: People, key: str) -> str:
    """Return what was changed, according to the last event that binds a person's credentials."""
    event = (
        cast.session.query(Event)
        .filter_by(verb="credentials_bound", subject_id=cast.people[key])
        .order_by(Event.number.desc())
        .options(sa.orm.joinedload(Event.detail))
        .first()
    )
    assert event is not None
    assert event.detail is not None
    return str(event.detail.content["what"])


@pytest.mark.both_databases
def test_a_new_account_is_bound(cast: People) -> None:
    assert is_bound(cast, "samira")
    assert last_change(cast, "samira") == "account"
    assert last_change(cast, "henrik") == "recovery_codes"


def test_a_changed_password_is_bound(cast: People, browsers: Browsers) -> None:
    browser, new = browsers(), "quiet kettles over the fjord"
    change_password(cast, browser, "samira", new)
    assert is_bound(cast, "samira")
    assert last_change(cast, "samira") == "password"
    assert is_in(browser)
    sign_in(other := browsers(), "samira", new)
    assert is_in(other)


def link_of(session: Session, client: CheckedClient, key: str) -> str:
    client.submit("/new-password", email=f"{key}@example.org")
    session.rollback()
    mail = session.query(OutboxMessage).filter_by(kind="password_link").one()
    address = next(word for word in mail.body.split() if "/new-password/" in word)
    return "/" + address.partition("//")[2].partition("/")[2]


def test_a_password_chosen_by_a_link_is_bound(
    cast: People, session: Session, browsers: Browsers
) -> None:
    link, new = link_of(session, browsers(), "samira"), "quiet kettles over the fjord"
    browsers().submit(link, password=new, password_confirm=new)
    assert is_bound(cast, "samira")
    sign_in(browser := browsers(), "samira", new)
    assert is_in(browser)


def test_a_link_from_before_the_row_was_changed_heals_nothing(
    cast: People, session: Session, browsers: Browsers
) -> None:
    link, new = link_of(session, browsers(), "samira"), "quiet kettles over the fjord"
    put(cast, "samira", tf_totp_secret=row_of(cast, "dora")["tf_totp_secret"])
    page = Page.of(browsers().submit(link, password=new, password_confirm=new))
    assert REFUSED in page.text
    assert not is_bound(cast, "samira")


def test_who_asks_for_a_link_and_is_refused_gets_a_mail_and_the_page_says_the_same_to_all(
    cast: People, session: Session, browsers: Browsers
) -> None:
    put(cast, "samira", password=row_of(cast, "dora")["password"])
    recipients = [
        Page.of(browsers().submit("/new-password", email=f"{name}@example.org")).text.replace(
            name, ""
        )
        for name in ("samira", "joana", "nobody")
    ]
    assert len(set(recipients)) == 1
    session.rollback()
    kinds = {message.recipient: message.kind for message in session.query(OutboxMessage)}
    assert kinds["samira@example.org"] == "link_refused"
    assert kinds["joana@example.org"] == "password_link"


@pytest.mark.both_databases
@pytest.mark.few_on_postgresql(3)
@pytest.mark.parametrize(
    ("change", "what"),
    [
        ("end own sessions", "sessions"),
        ("end sessions", "sessions"),
        ("leave", "sessions"),
        ("suspend", "suspended"),
        ("restore", "restored"),
        ("app", "app"),
        ("passkey", "passkeys"),
        ("passkey removed", "passkeys"),
        ("passkey set aside", "passkeys"),
        ("reset", "reset"),
    ],
)
def test_every_change_is_bound(cast: People, session: Session, change: str, what: str) -> None:
    admin, own, samira = cast.actor("ada"), cast.actor("samira"), cast.people["samira"]

    def give() -> UUID:
        return passkeys.add(own, Device()).id

    def suspend() -> None:
        service.suspend(admin, samira, reason="x")

    def restore() -> None:
        suspend()
        service.restore(admin, samira)

    def reset() -> None:
        give()
        service.reset_second_factor(admin, samira, reason="x")

    acts: dict[str, Callable[[], object]] = {
        "end own sessions": lambda: service.end_own_sessions(own),
        "end sessions": lambda: service.end_sessions_of(admin, samira, reason="x"),
        "leave": lambda: service.leave(own, cast.organisations["door"]),
        "suspend": suspend,
        "restore": restore,
        "app": lambda: second_factor.enrol(cast.user("samira")),
        "passkey": give,
        "passkey removed": lambda: credentials.remove(own, give()),
        "passkey set aside": lambda: credentials.set_aside(give()),
        "reset": reset,
    }
    acts[change]()
    session.commit()
    assert is_bound(cast, "samira")
    assert last_change(cast, "samira") == what
    assert integrity.check_all().finding is None


def test_what_a_password_hash_is_cannot_be_guessed_from_the_event(cast: People) -> None:
    """The event binds a digest of a seal that nobody makes without the key."""
    row = row_of(cast, "henrik")
    event = (
        cast.session.query(Event)
        .filter_by(verb="credentials_bound", subject_id=cast.people["henrik"])
        .order_by(Event.number.desc())
        .first()
    )
    assert event is not None
    assert event.evidence not in {row["credentials_seal"], None}


# The way out -------------------------------------------------------------------------------------


def test_a_second_person_resets_what_was_changed_and_the_password_goes_too(
    cast: People, session: Session, browsers: Browsers
) -> None:
    copy(cast, *ALL)
    admin = signed_in(browsers(), "ada")
    page = admin.page(f"/people/{cast.people['henrik']}")
    assert REFUSED in page.text
    asking = admin.page(page.links()["Reset the password and second factor"])
    assert asking.h1 == "Reset the password and second factor of Henrik Marsh"
    assert "email the link to henrik@example.org" in asking.text
    done = admin.submit(asking.where, reason="Changed by hand; I met him")
    assert "The password and second factor of Henrik Marsh are reset." in Page.of(done).text
    session.rollback()
    assert is_bound(cast, "henrik")
    user = cast.user("henrik")
    assert (user.password, user.has_second_factor, user.mf_recovery_codes) == (None, False, [])
    assert "is wrong" in Page.of(sign_in(browsers(), "henrik")).text
    link, new = link_of(session, browsers(), "henrik"), "quiet kettles over the fjord"
    browsers().submit(link, password=new, password_confirm=new)
    sign_in(browser := browsers(), "henrik", new)
    assert browser.get("/account/second-factor").status_code == 200


def test_no_reset_is_offered_while_the_address_is_another_one(
    cast: People, session: Session, browsers: Browsers
) -> None:
    """The link for a new password would go to whoever changed it."""
    put(cast, "henrik", email="mallory@example.org")
    admin = signed_in(browsers(), "ada")
    page = admin.page(f"/people/{cast.people['henrik']}")
    assert "The email address of this account was changed outside this application" in page.text
    assert not [words for words in page.links() if words.startswith("Reset")]
    asking = admin.page(f"/people/{cast.people['henrik']}/second-factor/reset")
    assert "the link for a new password would go to somebody else" in asking.text
    assert "mallory" not in asking.text
    admin.post(asking.where, data={"reason": "Asked"})
    session.rollback()
    assert not is_bound(cast, "henrik")


def test_ordinary_resets_keep_the_password(cast: People, session: Session) -> None:
    before = cast.user("henrik").password
    service.reset_second_factor(cast.actor("ada"), cast.people["henrik"], reason="Lost it")
    session.commit()
    assert cast.user("henrik").password == before


def test_nothing_is_reset_while_the_address_is_another_one(cast: People, session: Session) -> None:
    put(cast, "henrik", email="mallory@example.org")
    with pytest.raises(RuleBrokenError, match="address of this account was changed"):
        service.reset_second_factor(cast.actor("ada"), cast.people["henrik"], reason="Asked")
    session.rollback()
    put(cast, "henrik", email="henrik@example.org")
    assert is_bound(cast, "henrik")


@pytest.mark.parametrize("act", ["sessions", "suspend", "restore", "leave"])
def test_other_acts_go_on_and_heal_nothing(cast: People, session: Session, act: str) -> None:
    copy(cast, *ALL)
    admin, henrik = cast.actor("ada"), cast.people["henrik"]
    if act == "sessions":
        service.end_sessions_of(admin, henrik, reason="x")
    elif act == "leave":
        service.end_role(admin, cast.membership("henrik", Role.SIGNATORY), reason="x")
    else:
        service.suspend(admin, henrik, reason="x")
        if act == "restore":
            service.restore(admin, henrik)
    session.commit()
    assert not is_bound(cast, "henrik")


def test_who_was_changed_sets_up_nothing(cast: People, session: Session) -> None:
    copy(cast, *ALL)
    refused(lambda: second_factor.enrol(cast.user("henrik")))
    refused(lambda: second_factor.make_recovery_codes(cast.user("henrik")))
    refused(lambda: passkeys.add(cast.actor("henrik"), Device()))
    assert not is_bound(cast, "henrik")


def test_the_command_resets_the_administrator_whom_nobody_else_can(
    cast: People, app: Flask
) -> None:
    put(cast, "ada", password=row_of(cast, "dora")["password"])
    runner = app.test_cli_runner()
    assert "accounts: some are refused\n  ada@example.org: " in runner.invoke(args=["check"]).output
    done = runner.invoke(args=["reset", "ada@example.org", "--reason", "Changed by hand"])
    assert done.exit_code == 0, done.output
    assert is_bound(cast, "ada")
    unknown = runner.invoke(args=["reset", "nobody@example.org", "--reason", "x"])
    assert (unknown.exit_code, "no account" in unknown.output) == (1, True)
    put(cast, "ada", email="mallory@example.org")
    done = runner.invoke(args=["reset", "mallory@example.org", "--reason", "x"])
    assert (done.exit_code, "was changed outside" in done.output) == (1, True)


@pytest.mark.both_databases
def test_an_inserted_or_deleted_account_is_named(cast: People, session: Session) -> None:
    adoption.adopt()
    session.commit()
    row = row_of(cast, "dora")
    new = {"id": uuid4(), "email": "new@example.org", "fs_uniquifier": uuid4().hex}
    with is_found(cast, Fault.OTHER_ADDRESS, row="new@example.org"), hands() as connection:
        connection.execute(sa.insert(USERS).values({**row, **new}))
    with hands() as connection:
        connection.execute(sa.delete(USERS).where(USERS.c.email == "new@example.org"))
    assert integrity.check_all().finding is None
    with hands() as connection:
        connection.execute(sa.delete(USERS).where(USERS.c.email == "henrik@example.org"))
    finding = integrity.check_all().finding
    assert finding is not None
    assert finding.fault is Fault.ROW_GONE


# Between two pages -------------------------------------------------------------------------------


def put_back(cast: People, key: str) -> None:
    """Restore a person's whole row from before their app was replaced; sessions continue."""
    before = row_of(cast, key)
    cast.enrol(key)
    put(cast, key, **without_id(before))


def test_who_gave_the_password_and_is_changed_then_gets_no_further(
    cast: People, session: Session, browsers: Browsers
) -> None:
    codes = second_factor.make_recovery_codes(cast.user("dora"))
    session.commit()
    browser, other = browsers(), browsers()
    sign_in(browser, "dora")
    sign_in(other, "dora")
    put_back(cast, "dora")
    assert REFUSED in Page.of(browser.submit("/sign-in/code", code=cast.code("dora"))).text
    page = Page.of(other.submit("/sign-in/recovery-code", code=codes[0]))
    assert REFUSED in page.text
    assert not is_in(browser)
    assert not is_in(other)
    assert session.query(Attempt).count() == 0


def test_a_person_signed_in_with_a_restored_row_can_neither_confirm_nor_change_anything(
    cast: People, browsers: Browsers
) -> None:
    browser = browsers()
    sign_in(browser, "dora")
    browser.submit("/sign-in/code", code=cast.code("dora"))
    assert is_in(browser)
    put_back(cast, "dora")
    before = row_of(cast, "dora")
    new = "quiet kettles over the fjord"
    page = browser.submit(
        "/account/password", password=PASSWORD, new_password=new, new_password_confirm=new
    )
    assert REFUSED in Page.of(page).text
    page = browser.submit("/account/confirm", password=PASSWORD, code=cast.code("dora"))
    assert REFUSED in Page.of(page).text
    page = browser.submit("/account/recovery-codes")
    assert REFUSED in Page.of(page).text
    page = browser.submit("/account/passkeys/new", name="Key")
    prompt = passkeys.asked_on(Page.of(page))
    page = passkeys.send(browser, prompt, Device().make(prompt.challenge))
    assert REFUSED in Page.of(page).text
    after = row_of(cast, "dora")
    handle = {"fs_webauthn_user_handle": None}
    assert {**after, **handle} == {**before, **handle}


def test_a_passkey_whose_row_was_restored_signs_nobody_in(
    cast: People, device: Device, browsers: Browsers
) -> None:
    put_back(cast, "dora")
    browser = browsers()
    assert REFUSED in Page.of(passkeys.sign_in(browser, device)).text
    assert not is_in(browser)
