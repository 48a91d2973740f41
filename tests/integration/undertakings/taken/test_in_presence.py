"""An undertaking signed by a person without an account, on the device of the NPM's coordinator.

In one file: one signature, from its pages to its countersignature, with every way it is refused.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.client import CheckedClient
from tests.factories import passkeys, powers
from tests.factories import undertakings_on_paper as on_paper
from tests.factories.evidence.tampering import hands, table_of
from tests.factories.passkeys import Device, asked_on
from tests.factories.undertakings import PASSWORD, TOLD, Clearing
from tests.factories.undertakings_on_paper import DRIVER, NAME
from tests.pages import Page
from tracker.access.actor import Role
from tracker.access.decision import YES
from tracker.access.page_tokens import NotShownError
from tracker.accounts.models import User
from tracker.activity import queries as trail
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.core.localized import LocalizedStr
from tracker.mail.models import OutboxMessage
from tracker.organisations.models import Organisation
from tracker.oversight import integrity
from tracker.signoff import assertion
from tracker.signoff.identity_proof import Identity, SigningPage
from tracker.signoff.models import Method, Revision, Signature
from tracker.undertakings import bound, encryption, policy, queries
from tracker.undertakings import service as electronic
from tracker.undertakings.clearing_states import clearing_states
from tracker.undertakings.facts import Draft
from tracker.undertakings.in_presence import service
from tracker.undertakings.models import UndertakingState

Browser = Callable[[str], CheckedClient]
OWN_WORDS = LocalizedStr(on_paper.OWN_WORDS, "en")
KNOWN_BY = "Saw the identity card"
# Everybody who is no coordinator of the NPM.
NOT_HOSTS = ["tomas", "milan", "nadia", "pavo", "samira", "henrik", "dina", "joana", "otto"]
OUTSIDE = ["greta", "celia", "iris"]


@pytest.fixture
def driver(app: Flask, clearing: Clearing) -> Clearing:
    """The cooperation, with a driver of the NPM who has no account and was asked."""
    on_paper.with_driver(app, clearing)
    return clearing


@pytest.fixture
def browser(app: Flask, driver: Clearing) -> Browser:
    return lambda key: driver.browser(app, key)


def undertaking_id(clearing: Clearing) -> UUID:
    return clearing.undertaking(DRIVER).id


def put_in(clearing: Clearing, host: str = "ilena", interests: str = "") -> None:
    draft = replace(on_paper.filled_in(clearing, interests), is_ready=True)
    save(clearing, host, draft)


def save(clearing: Clearing, host: str, draft: Draft) -> None:
    """Save a draft on a page that the host has just opened."""
    undertaking, actor = clearing.undertaking(DRIVER), clearing.actor(host)
    seen = service.token_of(actor, undertaking)
    service.save_draft(actor, undertaking.id, draft, seen=seen)


def page_of(clearing: Clearing) -> SigningPage:
    return electronic.page_to_sign(queries.load(clearing.undertaking(DRIVER)), OWN_WORDS)


def sign(clearing: Clearing, host: str = "ilena", **changed: Any) -> Signature:
    values = {
        "page": page_of(clearing),
        "name": NAME,
        "known_by": KNOWN_BY,
        "identity": clearing.proof(host),
        **changed,
    }
    return service.sign(
        clearing.actor(host), undertaking_id(clearing), sentence=OWN_WORDS, **values
    )


def list_of(clearing: Clearing) -> str:
    return f"/cooperations/{clearing.cooperation.reference}/undertakings"


def address(clearing: Clearing, key: str = DRIVER) -> str:
    return f"{list_of(clearing)}/{clearing.undertaking(key).id}/here"


def filled_in(clearing: Clearing, client: CheckedClient, interests: str = "") -> Page:
    """Send page 1 as the person would fill it in, and return what comes next."""
    questions = queries.questions_of(queries.load(clearing.undertaking(DRIVER)))
    ticked: dict[str, Any] = dict.fromkeys((point.name for point in questions.points), True)
    return Page.of(
        client.submit(
            address(clearing),
            briefed=True,
            briefed_on=clock.today().isoformat(),
            has_interests="declared" if interests else "none",
            interests=interests,
            **ticked,
        )
    )


def state(clearing: Clearing) -> UndertakingState:
    db.session.rollback()
    return clearing.undertaking(DRIVER).state


# The signature -------------------------------------------------------------------------------


def test_what_a_person_signs_on_a_coordinators_device_opens_a_clearance(driver: Clearing) -> None:
    put_in(driver, interests=TOLD)
    sign(driver)
    assert driver.undertaking(DRIVER).state is UndertakingState.SIGNED
    assert driver.undertaking(DRIVER).has_interests is True
    assert driver.undertaking(DRIVER).sealed_draft is None
    driver.decide(DRIVER)
    driver.countersign(DRIVER)
    db.session.commit()
    cleared = clearing_states(driver.cooperation.id, [driver.id(DRIVER)])
    assert cleared[driver.id(DRIVER)].cleared
    lines = trail.subject_history(driver.cooperation.id, [undertaking_id(driver)])
    assert [line.verb for line in reversed(lines)] == [
        "undertaking_asked",
        "undertaking_frozen",
        "undertaking_signed",
        "interests_decided",
        "undertaking_countersigned",
    ]
    assert integrity.check_all().finding is None


def test_the_signature_is_the_persons_and_says_who_was_present_and_does_not_decide(
    driver: Clearing,
) -> None:
    put_in(driver)
    db.session.execute(sa.delete(OutboxMessage))
    signature = sign(driver, name="  bruno   KEEL ", known_by=f" {KNOWN_BY}\t")
    assert signature.method is Method.IN_PRESENCE
    assert (signature.user_id, signature.signer_name) == (driver.id(DRIVER), NAME)
    assert signature.organisation_id is None
    assert signature.presence == {
        "host": str(driver.id("ilena")),
        "host_name": "Ilena Dorvath",
        "host_for": driver.demo_people.bodies["npm"].name,
        "method": "password_totp",
        "known_by": KNOWN_BY,
    }
    assert signature.has_its_digest()
    # Those who decide are mailed, but not the host.
    mailed = set(
        db.session.scalars(
            sa.select(OutboxMessage.recipient).where(OutboxMessage.kind == "undertaking_signed")
        )
    )
    assert mailed == {driver.actor(key).email for key in ("tomas", "milan")}
    db.session.commit()
    standing = queries.load(driver.undertaking(DRIVER)).standing
    assert standing.host_id == driver.id("ilena")
    as_decider = replace(driver.actor("tomas"), user_id=driver.id("ilena"), name="Ilena Dorvath")
    refused = policy.can_countersign(as_decider, standing, clock.today())
    assert "signed on your device" in str(refused.reason)
    assert policy.can_countersign(driver.actor("tomas"), standing, clock.today())
    # Nobody signs twice.
    for act in (lambda: put_in(driver), lambda: sign(driver)):
        with pytest.raises(RefusedError, match="already signed"):
            act()


def test_nobody_but_a_coordinator_of_the_npm_takes_a_signature_and_proves_who_they_are(
    driver: Clearing,
) -> None:
    put_in(driver)
    for who in (*NOT_HOSTS, *OUTSIDE):
        with pytest.raises(RefusedError, match="Only a coordinator of the NPM"):
            put_in(driver, who)
        with pytest.raises(RefusedError, match="Only a coordinator of the NPM"):
            sign(driver, who)
    for method in (Method.PASSWORD_MAILED_CODE, Method.PAPER):
        with pytest.raises(RefusedError, match="Prove who you are"):
            sign(driver, identity=Identity(driver.id("ilena"), method, clock.now()))
    with pytest.raises(RefusedError, match="belongs to another person"):
        sign(driver, identity=driver.proof("tomas"))
    for changed, field in (
        ({"name": "Bruno"}, "name"),
        ({"name": ""}, "name"),
        ({"known_by": "  "}, "known_by"),
        ({"known_by": "x" * 121}, "known_by"),
    ):
        with pytest.raises(RuleBrokenError) as refused:
            sign(driver, **changed)
        assert refused.value.field == field
    assert driver.undertaking(DRIVER).state is UndertakingState.ASKED


def test_whoever_has_an_account_signs_for_themselves(driver: Clearing) -> None:
    with pytest.raises(RefusedError, match="has an account"):
        service.save_draft(
            driver.actor("ilena"),
            driver.undertaking("leyla").id,
            on_paper.filled_in(driver),
            seen="",
        )


def test_an_answer_that_is_missing_is_not_signed(driver: Clearing) -> None:
    draft = replace(on_paper.filled_in(driver), confirmed=frozenset(), is_ready=True)
    save(driver, "ilena", draft)
    with pytest.raises(RuleBrokenError, match="Something is missing"):
        sign(driver)


def test_what_was_put_in_on_another_device_is_neither_shown_nor_signed(driver: Clearing) -> None:
    put_in(driver, interests=TOLD)
    undertaking = driver.undertaking(DRIVER)
    other = replace(driver.actor("ilena"), user_id=driver.id("nadia"))
    assert service.draft_of(driver.actor("ilena"), undertaking).interests == TOLD
    assert service.draft_of(other, undertaking).interests == ""
    with pytest.raises(RuleBrokenError, match="Something is missing"):
        service.sign(
            other,
            undertaking.id,
            page=page_of(driver),
            name=NAME,
            known_by=KNOWN_BY,
            sentence=OWN_WORDS,
            identity=Identity(other.user_id, Method.PASSWORD_TOTP, clock.now()),
        )


def test_a_page_that_showed_something_else_signs_nothing(driver: Clearing) -> None:
    put_in(driver)
    page = page_of(driver)
    put_in(driver, interests=TOLD)
    with pytest.raises(NotShownError):
        sign(driver, page=page)
    with pytest.raises(NotShownError):
        sign(driver, page=None)


@pytest.mark.parametrize(
    "presence", [None, {"host": "", "method": "passkey"}, {"host": "x", "known_by": "none"}]
)
def test_a_changed_word_on_who_was_present_is_noticed(driver: Clearing, presence: object) -> None:
    put_in(driver)
    signature_id = sign(driver).id
    driver.countersign(DRIVER)
    db.session.commit()
    undertaking = driver.undertaking(DRIVER)
    assert bound.compare([undertaking])[undertaking.id].agrees
    db.session.rollback()
    with hands() as connection:
        connection.execute(
            sa.update(Signature)
            .where(Signature.id == signature_id)
            .values(presence=sa.null() if presence is None else presence)
        )
    db.session.expire_all()
    undertaking = driver.undertaking(DRIVER)
    assert not bound.compare([undertaking])[undertaking.id].agrees
    assert integrity.check_all().finding is not None


def test_a_host_who_countersigned_all_the_same_is_named_by_the_audit(
    driver: Clearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    put_in(driver)
    sign(driver)
    monkeypatch.setattr(policy, "can_countersign", lambda *_args: YES)
    host = powers.hold(
        driver.actor("ilena").user_id, driver.demo_people.bodies["npm"].id, Role.SIGNATORY
    )
    undertaking = driver.undertaking(DRIVER)
    electronic.countersign(
        host,
        undertaking.id,
        opened=electronic.page_1_token(host, undertaking),
        page=electronic.page_to_countersign(undertaking),
        until=queries.load(undertaking).terms.until,
        sentence="I countersign.",
        language="en",
        identity=driver.proof("ilena"),
    )
    db.session.commit()
    assert not bound.compare([undertaking])[undertaking.id].agrees
    assert integrity.check_all().finding is not None


@pytest.mark.parametrize("written", ["the name", "the organisation"])
def test_nobody_signs_there_by_a_name_that_was_written_into_the_database(
    driver: Clearing, written: str
) -> None:
    put_in(driver)
    undertaking = driver.undertaking(DRIVER)
    user_id, organisation_id = undertaking.user_id, undertaking.organisation_id
    users, organisations = table_of(User), table_of(Organisation)
    change = {
        "the name": sa.update(users).where(users.c.id == user_id).values(language="ar"),
        "the organisation": sa.update(organisations)
        .where(organisations.c.id == organisation_id)
        .values(name="Ministry of Health"),
    }[written]
    db.session.commit()
    with hands() as connection:
        connection.execute(change)
    db.session.expire_all()
    with pytest.raises(RefusedError, match="differs from the history"):
        sign(driver)


# The pages -----------------------------------------------------------------------------------


def test_from_the_list_to_the_signature_on_one_device(driver: Clearing, browser: Browser) -> None:
    client = browser("ilena")
    assert address(driver) in client.page(list_of(driver)).addresses()
    first = client.page(address(driver))
    assert f"Give the device to {NAME}." in first.text
    assert "and the coordinator whose device this is" in first.text
    second = filled_in(driver, client, TOLD)
    assert second.h1 == f"Signature of {NAME}, on this device"
    assert "I, Bruno Keel, have read revision 1" in second.text
    assert TOLD in second.text
    answer = client.submit(
        f"{address(driver)}/sign",
        name=NAME,
        known_by=KNOWN_BY,
        password=PASSWORD,
        code=driver.code("ilena"),
    )
    assert "Somebody else from the NPM now has to countersign." in Page.of(answer).text
    assert state(driver) is UndertakingState.SIGNED
    checked = browser("tomas").page(f"{list_of(driver)}/{undertaking_id(driver)}")
    assert "On the device of Ilena Dorvath" in checked.text
    assert KNOWN_BY in checked.text
    assert "See the scan" not in checked.text
    history = browser("tomas").page(f"/cooperations/{driver.cooperation.reference}/history")
    assert (
        f"{NAME}, {driver.demo_people.bodies['npm'].name}, signed a personal undertaking"
        in history.text
    )


def test_a_host_with_a_passkey_signs_the_text_and_the_sentence(
    driver: Clearing, browser: Browser
) -> None:
    device = Device()
    passkeys.add(driver.actor("ilena"), device)
    db.session.commit()
    client = browser("ilena")
    page = filled_in(driver, client)
    prompt = asked_on(page)
    data = page.form().filled_in(
        passkey=device.answer(prompt.challenge), name=NAME, known_by=KNOWN_BY
    )
    client.post(prompt.action, data=data, csrf=False, follow_redirects=True)
    assert state(driver) is UndertakingState.SIGNED
    revision = db.session.get_one(Revision, driver.undertaking(DRIVER).revision_id)
    signature = db.session.scalars(
        sa.select(Signature).where(Signature.revision_id == revision.id)
    ).one()
    assert signature.presence is not None
    assert signature.presence["method"] == "passkey"
    assert (
        assertion.flaw(
            signature.proof, document_digest=revision.digest, sentence=signature.sentence
        )
        is None
    )
    assert integrity.check_all().finding is None


def test_a_wrong_name_is_reported_beside_its_field_and_uses_up_no_code(
    driver: Clearing, browser: Browser
) -> None:
    client = browser("ilena")
    filled_in(driver, client)
    sent: dict[str, Any] = {
        "known_by": KNOWN_BY,
        "password": PASSWORD,
        "code": driver.code("ilena"),
    }
    page = Page.of(client.submit(f"{address(driver)}/sign", name="Somebody", **sent))
    assert f"Type the name as it is in the text: {NAME}" in page.text
    assert KNOWN_BY in page.html
    answer = client.submit(f"{address(driver)}/sign", name=NAME, **sent)
    assert "Somebody else from the NPM now has to countersign." in Page.of(answer).text


def test_page_two_needs_page_one(driver: Clearing, browser: Browser) -> None:
    page = browser("ilena").page(f"{address(driver)}/sign")
    assert "Fill in and confirm each point first" in page.text
    assert page.h1 == f"Undertaking of {NAME}, on this device"


def test_a_missing_answer_is_reported_beside_its_field(driver: Clearing, browser: Browser) -> None:
    page = Page.of(browser("ilena").submit(address(driver)))
    assert "Confirm “" in page.text
    assert "Say whether you have anything to declare" in page.text
    assert encryption.draft_of(driver.undertaking(DRIVER)).saved_at is None


def test_who_decides_for_the_npm_is_refused_with_the_reason_and_to_others_no_page_is_there(
    driver: Clearing, browser: Browser
) -> None:
    for where in (address(driver), f"{address(driver)}/sign"):
        for who in ("tomas", "milan"):
            assert "Only a coordinator of the NPM" in browser(who).page(where, 403).text
        for who in ("greta", "celia", "samira", "henrik", "dina", "leyla", "nadia", "pavo"):
            browser(who).page(where, 404)


def test_of_another_cooperation_or_a_person_with_an_account_there_is_no_such_page(
    driver: Clearing, browser: Browser
) -> None:
    elsewhere = address(driver).replace(driver.cooperation.reference, "C-2026-0099")
    browser("ilena").page(elsewhere, 404)
    assert "has an account" in browser("ilena").page(address(driver, "leyla"), 403).text
