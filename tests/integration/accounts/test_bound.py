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

USERS, PASSKEYS, CODES = table_of(User), table_of(Passkey), table_of(MailedCode)
REFUSED = "were changed outside this application"
Row = Mapping[str, Any]
Browsers = Callable[[], CheckedClient]


@pytest.fixture
def demo_people(people: People, frozen_time: Clock) -> People:
    """Dora is the attacker, a member with her own code app; Henrik is a signatory."""
    frozen_time(NOON)
    people.enrol("henrik")
    people.enrol("dora")
    for key in ("henrik", "dora"):
        second_factor.make_recovery_codes(people.user(key))
    people.session.commit()
    return people


# Hands in the database ---------------------------------------------------------------------------


def row_of(demo_people: People, key: str) -> Row:
    demo_people.session.rollback()
    with db.engine.connect() as connection:
        query = sa.select(USERS).where(USERS.c.id == demo_people.people[key])
        return dict(connection.execute(query).mappings().one())


def put(demo_people: People, key: str, **values: Any) -> None:
    """Write into a person's row, as anybody with the database's password can."""
    demo_people.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(
            sa.update(USERS).where(USERS.c.id == demo_people.people[key]).values(**values)
        )
    demo_people.session.expire_all()


def without_id(row: Row) -> dict[str, Any]:
    return {name: value for name, value in row.items() if name != "id"}


def copy(demo_people: People, *columns: str) -> None:
    """Copy columns of the attacker's row to the signatory's."""
    source = row_of(demo_people, "dora")
    put(demo_people, "henrik", **{column: source[column] for column in columns})


@contextmanager
def is_found(
    demo_people: People, fault: Fault, table: Table = Table.ACCOUNT, row: str = "henrik@example.org"
) -> Iterator[None]:
    """Check that all is well before, and that check and health name the account afterwards."""
    demo_people.session.rollback()
    assert integrity.check_all().finding is None
    assert accounts_by_the_worker() == "well"
    demo_people.session.rollback()
    yield
    demo_people.session.rollback()
    finding = integrity.check_all().finding
    assert finding is not None
    assert (finding.fault, finding.place.table, finding.place.row) == (fault, table, row)
    assert accounts_by_the_worker() == "some are refused"
    demo_people.session.rollback()


def accounts_by_the_worker() -> str:
    """Return what health says about accounts once the worker has run."""
    refused_accounts.check_some()
    db.session.commit()
    return health.look().accounts


def proving(
    demo_people: People, key: str, password: str, code_of: str
) -> Callable[[], identity_proof.Proof]:
    code = demo_people.code(code_of)
    return lambda: identity_proof.prove(demo_people.people[key], password, code)


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
    demo_people: People, session: Session, browsers: Browsers, caplog: pytest.LogCaptureFixture
) -> None:
    with is_found(demo_people, Fault.OTHER_CREDENTIALS):
        copy(demo_people, *ALL)
    with caplog.at_level(logging.ERROR):
        refused(proving(demo_people, "henrik", PASSWORD, "dora"))
    assert str(demo_people.people["henrik"]) in caplog.text
    assert str(demo_people.user("henrik").password) not in caplog.text
    browser = browsers()
    assert REFUSED in Page.of(sign_in(browser, "henrik")).text
    assert not is_in(browser)
    # It was no guess: whoever it is has proved that they know a password.
    assert session.query(Attempt).count() == 0


def test_the_seal_copied_along_is_the_other_persons(
    demo_people: People, browsers: Browsers
) -> None:
    with is_found(demo_people, Fault.OTHER_CREDENTIALS):
        copy(demo_people, *ALL, "credentials_seal", "passkeys_digest")
    refused(proving(demo_people, "henrik", PASSWORD, "dora"))


@pytest.mark.parametrize("column", ["password", "tf_totp_secret", "mf_recovery_codes"])
def test_a_single_copied_value_is_refused(demo_people: People, column: str) -> None:
    with is_found(demo_people, Fault.OTHER_CREDENTIALS):
        copy(demo_people, column)
    refused(proving(demo_people, "henrik", PASSWORD, "henrik"))


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
def test_credentials_that_were_removed_are_refused(
    demo_people: People, values: dict[str, object]
) -> None:
    with is_found(demo_people, Fault.OTHER_CREDENTIALS):
        put(demo_people, "henrik", **values)
    refused(lambda: identity_proof.prove(demo_people.people["henrik"], PASSWORD, "000000"))


def test_a_row_without_seals_is_not_taken_for_one_of_a_former_version(
    demo_people: People, session: Session
) -> None:
    assert adoption.adopt() is not None
    session.commit()
    seals = dict.fromkeys(("credentials_seal", "address_seal", "passkeys_digest"))
    with is_found(demo_people, Fault.OTHER_ADDRESS):
        copy(demo_people, *ALL)
        put(demo_people, "henrik", **seals)
    assert adoption.adopt() is None
    session.commit()
    refused(proving(demo_people, "henrik", PASSWORD, "dora"))


def test_marks_of_sessions_that_changed_places_open_no_account(
    demo_people: People, browsers: Browsers
) -> None:
    """Somebody signed in as the one must not become the other, and set up a passkey."""
    browser = signed_in(browsers(), "samira")
    assert is_in(browser)
    marks = {key: row_of(demo_people, key)["fs_uniquifier"] for key in ("samira", "henrik")}
    with is_found(demo_people, Fault.OTHER_CREDENTIALS, row="samira@example.org"):
        put(demo_people, "samira", fs_uniquifier="between")
        put(demo_people, "henrik", fs_uniquifier=marks["samira"])
        with db.engine.begin() as connection:
            connection.execute(sa.update(UserSession).values(user_id=demo_people.people["henrik"]))
    page = Page.of(browser.get("/account/second-factor", follow_redirects=True))
    assert REFUSED in page.text
    assert "Sign in" in page.title
    assert not is_in(browser)


def test_another_address_gets_no_link_for_a_new_password(
    demo_people: People, session: Session, browsers: Browsers
) -> None:
    with is_found(demo_people, Fault.OTHER_ADDRESS, row="mallory@example.org"):
        put(demo_people, "henrik", email="mallory@example.org")
    browsers().submit("/new-password", email="mallory@example.org")
    assert session.query(OutboxMessage).filter_by(recipient="mallory@example.org").count() == 0


def test_a_suspended_account_is_not_opened_in_the_database(
    demo_people: People, session: Session, browsers: Browsers
) -> None:
    service.suspend(demo_people.actor("ada"), demo_people.people["samira"], reason="Left")
    session.commit()
    with is_found(demo_people, Fault.OTHER_CREDENTIALS, row="samira@example.org"):
        put(demo_people, "samira", active=True)
    browser = browsers()
    assert REFUSED in Page.of(sign_in(browser, "samira")).text
    assert not is_in(browser)


def test_a_signed_in_person_whose_row_was_changed_is_signed_out_and_told_why(
    demo_people: People, browsers: Browsers
) -> None:
    browser = signed_in(browsers(), "samira")
    put(demo_people, "samira", password=row_of(demo_people, "dora")["password"])
    page = Page.of(browser.get("/account", follow_redirects=True))
    assert REFUSED in page.text
    # The message appears once; after that it is a stranger's browser like any other.
    assert REFUSED not in browser.page("/sign-in").text


# What was put back from an earlier day -----------------------------------------------------------


def change_password(demo_people: People, browser: CheckedClient, key: str, new: str) -> None:
    signed_in(browser, key)
    browser.submit(
        "/account/password", password=PASSWORD, new_password=new, new_password_confirm=new
    )
    demo_people.session.rollback()


def test_nobody_can_sign_in_with_a_restored_older_row(
    demo_people: People, browsers: Browsers
) -> None:
    before = row_of(demo_people, "samira")
    change_password(demo_people, browsers(), "samira", "quiet kettles over the fjord")
    with is_found(demo_people, Fault.FORMER_CREDENTIALS, row="samira@example.org"):
        put(demo_people, "samira", **without_id(before))
    browser = browsers()
    assert REFUSED in Page.of(sign_in(browser, "samira")).text
    assert not is_in(browser)


def test_a_restored_older_row_proves_nothing(demo_people: People, session: Session) -> None:
    before = row_of(demo_people, "henrik")
    service.reset_second_factor(
        demo_people.actor("ada"), demo_people.people["henrik"], reason="Lost it"
    )
    session.commit()
    demo_people.enrol("henrik")
    with is_found(demo_people, Fault.FORMER_CREDENTIALS):
        put(demo_people, "henrik", **without_id(before))
    refused(proving(demo_people, "henrik", PASSWORD, "henrik"))


def test_an_event_added_behind_the_sealed_end_binds_nothing(
    demo_people: People, session: Session
) -> None:
    before = row_of(demo_people, "henrik")
    event = sa.select(EVENTS).where(
        EVENTS.c.verb == "credentials_bound", EVENTS.c.subject_id == demo_people.people["henrik"]
    )
    with db.engine.connect() as connection:
        old = connection.execute(event.order_by(EVENTS.c.number.desc())).mappings().first()
    assert old is not None
    demo_people.enrol("henrik")
    put(demo_people, "henrik", **without_id(before))
    with hands() as connection:
        end = sa.select(CHAINS.c.count).where(CHAINS.c.id == old["chain_id"])
        number = (connection.scalar(end) or 0) + 1
        connection.execute(sa.insert(EVENTS).values({**old, "id": uuid4(), "number": number}))
    refused(proving(demo_people, "henrik", PASSWORD, "henrik"))


def test_a_used_recovery_code_that_was_restored_is_refused(
    demo_people: People, browsers: Browsers
) -> None:
    codes = second_factor.make_recovery_codes(demo_people.user("dora"))
    demo_people.session.commit()
    before = row_of(demo_people, "dora")
    browser = browsers()
    sign_in(browser, "dora")
    browser.submit("/sign-in/recovery-code", code=codes[0])
    assert is_in(browser)
    with is_found(demo_people, Fault.FORMER_CREDENTIALS, row="dora@example.org"):
        put(demo_people, "dora", **without_id(before))
    assert REFUSED in Page.of(sign_in(browsers(), "dora")).text


# Passkeys ----------------------------------------------------------------------------------------


def passkey_row(device: Device) -> Row:
    with db.engine.connect() as connection:
        query = sa.select(PASSKEYS).where(PASSKEYS.c.credential_id == device.credential_id)
        return dict(connection.execute(query).mappings().one())


def by_passkey(demo_people: People, key: str, device: Device) -> Callable[[], identity_proof.Proof]:
    challenge = b"what is to be signed " + uuid4().bytes
    answer = device.answer(challenge)
    return lambda: identity_proof.prove_by_passkey(demo_people.people[key], answer, challenge)


@pytest.fixture
def device(demo_people: People) -> Device:
    """The attacker's passkey."""
    device = Device()
    passkeys.give(demo_people, "dora", device)
    return device


def on_passkeys(statement: Any) -> None:
    db.session.rollback()
    with db.engine.begin() as connection:
        connection.execute(statement)
    db.session.expire_all()


def test_a_passkey_moved_to_another_person_proves_nothing(
    demo_people: People, device: Device, browsers: Browsers
) -> None:
    by_passkey(demo_people, "dora", device)()
    demo_people.session.commit()
    with is_found(
        demo_people, Fault.PASSKEY_NOT_SET_UP, Table.PASSKEY, passkey_row(device)["name"]
    ):
        on_passkeys(sa.update(PASSKEYS).values(user_id=demo_people.people["henrik"]))
    refused(by_passkey(demo_people, "henrik", device))
    # Nor is the rest of the person it was taken from.
    refused(proving(demo_people, "dora", PASSWORD, "dora"))


def test_a_passkey_put_in_for_another_person_proves_nothing(
    demo_people: People, device: Device
) -> None:
    own = Device()
    row = {**passkey_row(device), "id": uuid4(), "user_id": demo_people.people["henrik"]}
    row |= {"credential_id": own.credential_id, "public_key": own.cose(), "name": "mine"}
    with is_found(demo_people, Fault.PASSKEY_NOT_SET_UP, Table.PASSKEY, "mine"):
        on_passkeys(sa.insert(PASSKEYS).values(row))
    refused(by_passkey(demo_people, "henrik", own))


def test_a_removed_passkey_that_was_restored_proves_nothing(
    demo_people: People, device: Device, session: Session
) -> None:
    row = passkey_row(device)
    credentials.remove(demo_people.actor("dora"), row["id"])
    session.commit()
    with is_found(demo_people, Fault.OTHER_CREDENTIALS, row="dora@example.org"):
        on_passkeys(sa.insert(PASSKEYS).values(row))
    refused(by_passkey(demo_people, "dora", device))


def test_a_passkey_that_was_set_aside_is_not_taken_up_again(
    demo_people: People, device: Device, session: Session
) -> None:
    identity_proof.set_aside(passkey_row(device)["id"])
    with is_found(demo_people, Fault.OTHER_CREDENTIALS, row="dora@example.org"):
        on_passkeys(sa.update(PASSKEYS).values(set_aside_at=None))
    refused(by_passkey(demo_people, "dora", device))


def test_who_lost_a_passkey_in_the_database_sets_up_no_other_factor_by_the_password(
    demo_people: People, browsers: Browsers
) -> None:
    own = Device()
    passkeys.give(demo_people, "samira", own)
    with is_found(demo_people, Fault.OTHER_CREDENTIALS, row="samira@example.org"):
        on_passkeys(sa.delete(PASSKEYS))
    browser = browsers()
    assert REFUSED in Page.of(sign_in(browser, "samira")).text
    assert not is_in(browser)


# Codes by mail -----------------------------------------------------------------------------------


@pytest.mark.both_databases
@pytest.mark.few_on_postgresql(1)
@pytest.mark.parametrize("column", ["user_id", "subject_id", "made_at"])
def test_a_mailed_code_moved_to_another_person_or_act_is_not_right(
    demo_people: People, session: Session, column: str
) -> None:
    row = MailedCode(
        id=uuid4(), user_id=demo_people.people["dora"], subject_id=uuid4(), made_at=NOON
    )
    row.digest = mailed_codes._digest(row, "123456")
    session.add(row)
    session.commit()
    assert mailed_codes.is_right(row, "123456")
    other: dict[str, object] = {
        "user_id": demo_people.people["henrik"],
        "subject_id": uuid4(),
        "made_at": NOON.replace(year=NOON.year + 1),
    }
    on_passkeys(sa.update(CODES).values({column: other[column]}))
    moved = session.query(MailedCode).one()
    assert not mailed_codes.is_right(moved, "123456")


# What the application itself changes stays bound -------------------------------------------------


def is_bound(demo_people: People, key: str) -> bool:
    demo_people.session.rollback()
    return binding.fault_of(demo_people.user(key)) is None and not binding.refused()


def last_change(demo_people: People, key: str) -> str:
    """Return what was changed, according to the last event that binds a person's credentials."""
    event = (
        demo_people.session.query(Event)
        .filter_by(verb="credentials_bound", subject_id=demo_people.people[key])
        .order_by(Event.number.desc())
        .options(sa.orm.joinedload(Event.detail))
        .first()
    )
    assert event is not None
    assert event.detail is not None
    return str(event.detail.content["what"])


def test_a_new_account_is_bound(demo_people: People) -> None:
    assert is_bound(demo_people, "samira")
    assert last_change(demo_people, "samira") == "account"
    assert last_change(demo_people, "henrik") == "recovery_codes"


def test_a_changed_password_is_bound(demo_people: People, browsers: Browsers) -> None:
    browser, new = browsers(), "quiet kettles over the fjord"
    change_password(demo_people, browser, "samira", new)
    assert is_bound(demo_people, "samira")
    assert last_change(demo_people, "samira") == "password"
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
    demo_people: People, session: Session, browsers: Browsers
) -> None:
    link, new = link_of(session, browsers(), "samira"), "quiet kettles over the fjord"
    browsers().submit(link, password=new, password_confirm=new)
    assert is_bound(demo_people, "samira")
    sign_in(browser := browsers(), "samira", new)
    assert is_in(browser)


def test_a_link_from_before_the_row_was_changed_heals_nothing(
    demo_people: People, session: Session, browsers: Browsers
) -> None:
    link, new = link_of(session, browsers(), "samira"), "quiet kettles over the fjord"
    put(demo_people, "samira", tf_totp_secret=row_of(demo_people, "dora")["tf_totp_secret"])
    page = Page.of(browsers().submit(link, password=new, password_confirm=new))
    assert REFUSED in page.text
    assert not is_bound(demo_people, "samira")


def test_who_asks_for_a_link_and_is_refused_gets_a_mail_and_the_page_says_the_same_to_all(
    demo_people: People, session: Session, browsers: Browsers
) -> None:
    put(demo_people, "samira", password=row_of(demo_people, "dora")["password"])
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
@pytest.mark.few_on_postgresql(1)
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
def test_every_change_is_bound(
    demo_people: People, session: Session, change: str, what: str
) -> None:
    admin, own, samira = (
        demo_people.actor("ada"),
        demo_people.actor("samira"),
        demo_people.people["samira"],
    )

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
        "leave": lambda: service.leave(own, demo_people.organisations["door"]),
        "suspend": suspend,
        "restore": restore,
        "app": lambda: second_factor.enrol(demo_people.user("samira")),
        "passkey": give,
        "passkey removed": lambda: credentials.remove(own, give()),
        "passkey set aside": lambda: credentials.set_aside(give()),
        "reset": reset,
    }
    acts[change]()
    session.commit()
    assert is_bound(demo_people, "samira")
    assert last_change(demo_people, "samira") == what
    assert integrity.check_all().finding is None


def test_what_a_password_hash_is_cannot_be_guessed_from_the_event(demo_people: People) -> None:
    """The event binds a digest of a seal that nobody makes without the key."""
    row = row_of(demo_people, "henrik")
    event = (
        demo_people.session.query(Event)
        .filter_by(verb="credentials_bound", subject_id=demo_people.people["henrik"])
        .order_by(Event.number.desc())
        .first()
    )
    assert event is not None
    assert event.evidence not in {row["credentials_seal"], None}


# The way out -------------------------------------------------------------------------------------


def test_a_second_person_resets_what_was_changed_and_the_password_goes_too(
    demo_people: People, session: Session, browsers: Browsers
) -> None:
    copy(demo_people, *ALL)
    admin = signed_in(browsers(), "ada")
    page = admin.page(f"/people/{demo_people.people['henrik']}")
    assert REFUSED in page.text
    asking = admin.page(page.links()["Reset the password and second factor"])
    assert asking.h1 == "Reset the password and second factor of Henrik Marsh"
    assert "email the link to henrik@example.org" in asking.text
    done = admin.submit(asking.where, reason="Changed by hand; I met him")
    assert "The password and second factor of Henrik Marsh are reset." in Page.of(done).text
    session.rollback()
    assert is_bound(demo_people, "henrik")
    user = demo_people.user("henrik")
    assert (user.password, user.has_second_factor, user.mf_recovery_codes) == (None, False, [])
    assert "is wrong" in Page.of(sign_in(browsers(), "henrik")).text
    link, new = link_of(session, browsers(), "henrik"), "quiet kettles over the fjord"
    browsers().submit(link, password=new, password_confirm=new)
    sign_in(browser := browsers(), "henrik", new)
    assert browser.get("/account/second-factor").status_code == 200


def test_no_reset_is_offered_while_the_address_is_another_one(
    demo_people: People, session: Session, browsers: Browsers
) -> None:
    """The link for a new password would go to whoever changed it."""
    put(demo_people, "henrik", email="mallory@example.org")
    admin = signed_in(browsers(), "ada")
    page = admin.page(f"/people/{demo_people.people['henrik']}")
    assert "The email address of this account was changed outside this application" in page.text
    assert not [words for words in page.links() if words.startswith("Reset")]
    asking = admin.page(f"/people/{demo_people.people['henrik']}/second-factor/reset")
    assert "the link for a new password would go to somebody else" in asking.text
    assert "mallory" not in asking.text
    admin.post(asking.where, data={"reason": "Asked"})
    session.rollback()
    assert not is_bound(demo_people, "henrik")


def test_ordinary_resets_keep_the_password(demo_people: People, session: Session) -> None:
    before = demo_people.user("henrik").password
    service.reset_second_factor(
        demo_people.actor("ada"), demo_people.people["henrik"], reason="Lost it"
    )
    session.commit()
    assert demo_people.user("henrik").password == before


def test_nothing_is_reset_while_the_address_is_another_one(
    demo_people: People, session: Session
) -> None:
    put(demo_people, "henrik", email="mallory@example.org")
    with pytest.raises(RuleBrokenError, match="address of this account was changed"):
        service.reset_second_factor(
            demo_people.actor("ada"), demo_people.people["henrik"], reason="Asked"
        )
    session.rollback()
    put(demo_people, "henrik", email="henrik@example.org")
    assert is_bound(demo_people, "henrik")


@pytest.mark.parametrize("act", ["sessions", "suspend", "restore", "leave"])
def test_other_acts_go_on_and_heal_nothing(demo_people: People, session: Session, act: str) -> None:
    copy(demo_people, *ALL)
    admin, henrik = demo_people.actor("ada"), demo_people.people["henrik"]
    if act == "sessions":
        service.end_sessions_of(admin, henrik, reason="x")
    elif act == "leave":
        service.end_role(admin, demo_people.membership("henrik", Role.SIGNATORY), reason="x")
    else:
        service.suspend(admin, henrik, reason="x")
        if act == "restore":
            service.restore(admin, henrik)
    session.commit()
    assert not is_bound(demo_people, "henrik")


def test_who_was_changed_sets_up_nothing(demo_people: People, session: Session) -> None:
    copy(demo_people, *ALL)
    refused(lambda: second_factor.enrol(demo_people.user("henrik")))
    refused(lambda: second_factor.make_recovery_codes(demo_people.user("henrik")))
    refused(lambda: passkeys.add(demo_people.actor("henrik"), Device()))
    assert not is_bound(demo_people, "henrik")


def test_the_command_resets_the_administrator_whom_nobody_else_can(
    demo_people: People, app: Flask
) -> None:
    put(demo_people, "ada", password=row_of(demo_people, "dora")["password"])
    runner = app.test_cli_runner()
    assert "accounts: some are refused\n  ada@example.org: " in runner.invoke(args=["check"]).output
    done = runner.invoke(args=["reset", "ada@example.org", "--reason", "Changed by hand"])
    assert done.exit_code == 0, done.output
    assert is_bound(demo_people, "ada")
    unknown = runner.invoke(args=["reset", "nobody@example.org", "--reason", "x"])
    assert (unknown.exit_code, "no account" in unknown.output) == (1, True)
    put(demo_people, "ada", email="mallory@example.org")
    done = runner.invoke(args=["reset", "mallory@example.org", "--reason", "x"])
    assert (done.exit_code, "was changed outside" in done.output) == (1, True)


@pytest.mark.both_databases
def test_an_inserted_or_deleted_account_is_named(demo_people: People, session: Session) -> None:
    adoption.adopt()
    session.commit()
    row = row_of(demo_people, "dora")
    new = {"id": uuid4(), "email": "new@example.org", "fs_uniquifier": uuid4().hex}
    with is_found(demo_people, Fault.OTHER_ADDRESS, row="new@example.org"), hands() as connection:
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


def put_back(demo_people: People, key: str) -> None:
    """Restore a person's whole row from before their app was replaced; sessions continue."""
    before = row_of(demo_people, key)
    demo_people.enrol(key)
    put(demo_people, key, **without_id(before))


def test_who_gave_the_password_and_is_changed_then_gets_no_further(
    demo_people: People, session: Session, browsers: Browsers
) -> None:
    codes = second_factor.make_recovery_codes(demo_people.user("dora"))
    session.commit()
    browser, other = browsers(), browsers()
    sign_in(browser, "dora")
    sign_in(other, "dora")
    put_back(demo_people, "dora")
    assert REFUSED in Page.of(browser.submit("/sign-in/code", code=demo_people.code("dora"))).text
    page = Page.of(other.submit("/sign-in/recovery-code", code=codes[0]))
    assert REFUSED in page.text
    assert not is_in(browser)
    assert not is_in(other)
    assert session.query(Attempt).count() == 0


def test_a_person_signed_in_with_a_restored_row_can_neither_confirm_nor_change_anything(
    demo_people: People, browsers: Browsers
) -> None:
    browser = browsers()
    sign_in(browser, "dora")
    browser.submit("/sign-in/code", code=demo_people.code("dora"))
    assert is_in(browser)
    put_back(demo_people, "dora")
    before = row_of(demo_people, "dora")
    new = "quiet kettles over the fjord"
    page = browser.submit(
        "/account/password", password=PASSWORD, new_password=new, new_password_confirm=new
    )
    assert REFUSED in Page.of(page).text
    page = browser.submit("/account/confirm", password=PASSWORD, code=demo_people.code("dora"))
    assert REFUSED in Page.of(page).text
    page = browser.submit("/account/recovery-codes")
    assert REFUSED in Page.of(page).text
    page = browser.submit("/account/passkeys/new", name="Key")
    prompt = passkeys.asked_on(Page.of(page))
    page = passkeys.send(browser, prompt, Device().make(prompt.challenge))
    assert REFUSED in Page.of(page).text
    after = row_of(demo_people, "dora")
    handle = {"fs_webauthn_user_handle": None}
    assert {**after, **handle} == {**before, **handle}


def test_a_passkey_whose_row_was_restored_signs_nobody_in(
    demo_people: People, device: Device, browsers: Browsers
) -> None:
    put_back(demo_people, "dora")
    browser = browsers()
    assert REFUSED in Page.of(passkeys.sign_in(browser, device)).text
    assert not is_in(browser)
