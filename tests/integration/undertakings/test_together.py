"""Several undertakings countersigned with one proof of identity."""

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.client import CheckedClient
from tests.factories import passkeys
from tests.factories.evidence.tampering import hands
from tests.factories.passkeys import Device, asked_on
from tests.factories.undertakings import HARBOUR, PASSWORD, TOLD, Clearing
from tests.integration.undertakings.conftest import Clock
from tests.pages import Page
from tracker.activity.models import ReadLogEntry
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.oversight import integrity
from tracker.signoff import assertion
from tracker.signoff.identity_proof import OPEN_FOR
from tracker.signoff.models import Method, Signature, SignatureKind
from tracker.undertakings import adding, bound, queries, service
from tracker.undertakings.clearing_states import clearing_states
from tracker.undertakings.models import InterestsDecision, Reach, Undertaking, UndertakingState
from tracker.undertakings.places import Places
from tracker.undertakings.service import OpenedText
from tracker.undertakings.together import queries as together

Statements = Callable[[], AbstractContextManager[list[str]]]
SIGNERS = ("leyla", "otto", "joana")
DIFFERS = "match its signatures"


class Hand:
    """A browser of somebody who decides for the NPM, with a passkey."""

    def __init__(self, app: Flask, clearing: Clearing, key: str = "tomas") -> None:
        self.stage, self.key, self.device = clearing, key, Device()
        passkeys.add(clearing.actor(key), self.device)
        self.client: CheckedClient = clearing.browser(app, key)
        self.listed = f"/cooperations/{clearing.cooperation.reference}/undertakings"
        self.address = f"{self.listed}/countersign"
        # The address of page 2, with what was chosen.
        self.page_2 = ""

    def page_1(self) -> Page:
        return self.client.page(self.address)

    def tokens(self) -> list[str]:
        boxes = (box.attrib for box in self.page_1().root.iter("input"))
        return [box["value"] for box in boxes if box.get("name") == "opened"]

    def choose(self, count: int, until: dt.date | None = None) -> Page:
        """Tick the first ones on page 1, and continue."""
        last = until or queries.load(self.stage.undertaking("leyla")).terms.until
        marks = "".join(f"&opened={token}" for token in self.tokens()[:count])
        address = f"{self.address}?chosen=1&until={last}{marks}"
        response = self.client.get(address, follow_redirects=True)
        self.page_2 = response.request.full_path
        return Page.of(response)

    def sign(self, page: Page, **more: str) -> Page:
        """Confirm page 2 with the passkey."""
        answer = self.device.answer(asked_on(page).challenge)
        return self.send(page, passkey=answer, **more)

    def send(self, page: Page, **fields: str) -> Page:
        data = page.form().filled_in(**fields)
        response = self.client.post(self.page_2, data=data, csrf=False, follow_redirects=True)
        return Page.of(response)


@pytest.fixture
def tomas(app: Flask, clearing: Clearing) -> Hand:
    """The signatory, for whom three undertakings wait in which nothing was declared."""
    for key in SIGNERS:
        clearing.sign(key)
    db.session.commit()
    return Hand(app, clearing)


def countersignatures() -> list[Signature]:
    db.session.rollback()
    wanted = sa.select(Signature).where(Signature.kind == SignatureKind.COUNTERSIGNATURE)
    return list(db.session.scalars(wanted.order_by(Signature.signed_at)))


def test_the_list_leads_to_what_each_person_signed(tomas: Hand) -> None:
    page = tomas.client.page(tomas.listed)
    assert page.links()["Countersign several together"] == tomas.address
    page = tomas.page_1()
    assert page.h1 == "Read the undertakings you countersign"
    assert page.text.count("Nothing declared.") == 3
    for key in SIGNERS:
        undertaking = tomas.stage.undertaking(key)
        assert undertaking.user.name in page.text


def test_opening_the_page_is_logged_for_each_undertaking(tomas: Hand) -> None:
    tomas.page_1()
    db.session.rollback()
    read = set(db.session.scalars(sa.select(ReadLogEntry.subject_id)))
    assert read == {tomas.stage.undertaking(key).id for key in SIGNERS}


def test_one_passkey_countersigns_all_and_opens_access(tomas: Hand) -> None:
    page = tomas.choose(3)
    assert page.h1 == "Countersign 3 undertakings"
    assert "You countersigned 3 undertakings." in tomas.sign(page).text
    given = countersignatures()
    assert len({row.revision_id for row in given}) == 3
    for row in given:
        assert row.method is Method.PASSKEY
        assert row.proof is not None
        digest, sentence = row.document_digest, row.sentence
        assert assertion.flaw(row.proof, document_digest=digest, sentence=sentence) is None
        for other in given:
            # Whoever gets the proof of one learns nothing of the others.
            assert (other.document_digest in str(row.proof)) is False
            assert (other.signer_name in str(row.proof)) is False
    for key in SIGNERS:
        assert tomas.stage.is_cleared(key)
        assert tomas.stage.states()[key] is UndertakingState.COUNTERSIGNED
    assert integrity.check_all().finding is None


def test_one_code_countersigns_all_once(tomas: Hand) -> None:
    page = tomas.choose(2)
    assert "stay closed" not in page.text  # nobody is barred from any place
    code = tomas.stage.code("tomas")
    wrong = tomas.send(page, password=PASSWORD, code="000000")
    assert "The code is wrong or has expired" in wrong.text
    assert countersignatures() == []
    again = tomas.send(page, password=PASSWORD, code=code)
    assert "You countersigned 2 undertakings." in again.text
    assert [row.method for row in countersignatures()] == [Method.PASSWORD_TOTP] * 2
    third = tomas.choose(1)
    assert "This code has already been used" in tomas.send(third, password=PASSWORD, code=code).text
    assert len(countersignatures()) == 2


def test_what_was_declared_has_to_be_looked_at_alone(app: Flask, clearing: Clearing) -> None:
    clearing.sign("leyla", TOLD)
    clearing.sign("otto")
    # Their party represents people concerned, so the NPM decides first (M1, C13).
    clearing.sign("samira")
    db.session.commit()
    hand = Hand(app, clearing)
    assert "Countersign several together" not in hand.client.page(hand.listed).links()
    assert hand.page_1().text.count("Nothing declared.") == 1
    clearing.decide("leyla")
    db.session.commit()
    assert len(hand.tokens()) == 1


def test_an_interest_that_was_removed_in_the_database_is_offered_to_nobody(
    app: Flask, clearing: Clearing
) -> None:
    clearing.sign("leyla", TOLD)
    clearing.sign("otto")
    db.session.commit()
    hand = Hand(app, clearing)
    change(clearing, "leyla", has_interests=False)
    assert len(hand.tokens()) == 1
    assert DIFFERS in hand.client.page(hand.listed).text
    undertaking = clearing.undertaking("leyla")
    assert DIFFERS in hand.client.page(f"{hand.listed}/{undertaking.id}").text


@pytest.mark.parametrize(
    "values",
    [
        {"decision": InterestsDecision.ACCEPT},
        {"has_interests": None},
        {"party_has_interest": None},
        {"briefed_on": None},
    ],
)
def test_a_decision_that_was_changed_in_the_database_counts_for_nothing(
    clearing: Clearing, values: dict[str, Any]
) -> None:
    clearing.sign("leyla", TOLD)
    clearing.decide("leyla", InterestsDecision.LIMIT, "Her brother works there.")
    db.session.commit()
    change(clearing, "leyla", **values)
    undertaking = clearing.undertaking("leyla")
    assert not bound.compare([undertaking])[undertaking.id].agrees
    person = undertaking.user_id
    [state] = clearing_states(clearing.cooperation.id, [person]).values()
    assert not state.agrees
    assert not state.signed


def change(clearing: Clearing, key: str, **values: Any) -> None:
    undertaking_id = clearing.undertaking(key).id
    db.session.commit()
    with hands() as connection:
        connection.execute(
            sa.update(Undertaking).where(Undertaking.id == undertaking_id).values(**values)
        )
    db.session.expire_all()


def test_an_interest_added_meanwhile_stops_all_of_them(tomas: Hand) -> None:
    page = tomas.choose(3)
    add_interest(tomas.stage, "otto")
    again = tomas.sign(page)
    assert "One of the undertakings can't be countersigned any more" in again.text
    assert countersignatures() == []


def test_an_interest_added_between_both_pages_is_noticed_by_the_verb_itself(tomas: Hand) -> None:
    texts = texts_of(tomas)
    add_interest(tomas.stage, "otto")
    with pytest.raises(RefusedError, match="Decide on the interests"):
        countersign(tomas.stage, texts)
    db.session.rollback()
    assert countersignatures() == []


def add_interest(clearing: Clearing, key: str) -> None:
    undertaking = clearing.undertaking(key)
    adding.add(clearing.actor(key), undertaking.id, TOLD, HARBOUR)
    db.session.commit()


def texts_of(hand: Hand) -> list[OpenedText]:
    """Return what page 1 and 2 show now, as the view gives it to the verb."""
    actor = hand.stage.actor(hand.key)
    return [
        OpenedText(
            undertaking.id,
            service.page_1_token(actor, undertaking),
            service.page_to_countersign(undertaking),
            f"I countersign the undertaking of {undertaking.user.name}.",
        )
        for undertaking in map(hand.stage.undertaking, SIGNERS)
    ]


def countersign(clearing: Clearing, texts: list[OpenedText], by: str = "tomas") -> None:
    service.countersign_several(
        clearing.actor(by),
        texts,
        until=queries.load(clearing.undertaking("leyla")).terms.until,
        visit_id=None,
        language="en",
        identity=clearing.proof(by),
    )


@pytest.mark.parametrize("key", ["leyla", "ilena", "samira"])
def test_nobody_but_who_decides_for_the_npm_countersigns(tomas: Hand, key: str) -> None:
    texts = texts_of(tomas)
    with pytest.raises(RefusedError):
        countersign(tomas.stage, texts, by=key)
    db.session.rollback()
    assert countersignatures() == []


def test_nobody_but_who_decides_for_the_npm_opens_the_pages(app: Flask, tomas: Hand) -> None:
    refused = {"ilena": 403, "leyla": 403, "samira": 403, "greta": 403, "iris": 404}
    for key, status in refused.items():
        client = tomas.stage.browser(app, key)
        for rest in ("", "/confirm"):
            assert client.get(f"{tomas.address}{rest}").status_code == status


def test_all_are_countersigned_or_none(tomas: Hand, monkeypatch: pytest.MonkeyPatch) -> None:
    countersign_first = service.countersign
    seen: list[object] = []

    def refuse_the_second(*args: Any, **values: Any) -> Any:
        if seen:
            raise RuleBrokenError("Not this one.")
        seen.append(args)
        return countersign_first(*args, **values)

    monkeypatch.setattr(service, "countersign", refuse_the_second)
    assert "Not this one." in tomas.sign(tomas.choose(3)).text
    assert countersignatures() == []
    assert not tomas.stage.is_cleared("leyla")


def test_a_page_that_was_open_too_long_countersigns_nothing(
    tomas: Hand, frozen_time: Clock
) -> None:
    now = clock.now()
    page = tomas.choose(3)
    frozen_time(now + OPEN_FOR + dt.timedelta(minutes=1))
    assert "You opened the page more than 10 minutes ago" in tomas.sign(page).text
    assert countersignatures() == []


def test_the_last_day_is_asked_again_if_it_is_later_than_the_terms_say(tomas: Hand) -> None:
    last = queries.load(tomas.stage.undertaking("leyla")).terms.until
    page = tomas.choose(2, until=last + dt.timedelta(days=1))
    assert page.title.startswith("Problem: ")
    assert "The last day can't be later than the terms say" in page.text


def test_no_page_sends_a_statement_for_each_undertaking(
    app: Flask, clearing: Clearing, statements: Statements
) -> None:
    clearing.sign("leyla")
    db.session.commit()
    hand = Hand(app, clearing)

    def sent(count: int) -> tuple[int, int]:
        hand.choose(count)
        with statements() as reading:
            hand.page_1()
        with statements() as choosing:
            hand.client.page(hand.page_2)
        return len(reading), len(choosing)

    first = sent(1)
    for key in ("otto", "joana"):
        clearing.sign(key)
    db.session.commit()
    assert sent(3) == first
    assert max(first) <= 26, first


def test_each_undertaking_is_found_by_the_same_rule_as_alone(app: Flask, tomas: Hand) -> None:
    actor = tomas.stage.actor("tomas")
    waiting = together.waiting(actor, tomas.stage.cooperation)
    for row in waiting.undertakings:
        alone = queries.load(row.loaded.undertaking)
        assert row.loaded.standing == alone.standing


def test_the_first_interest_that_is_added_while_undertakings_are_read_disagrees_with_nothing(
    clearing: Clearing, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL it may be committed between two statements of one comparison."""
    clearing.sign("leyla")
    adding.add(clearing.actor("leyla"), clearing.undertaking("leyla").id, TOLD, Places(Reach.ALL))
    db.session.commit()
    beside = bound._beside

    def before(*args: Any, **kwargs: Any) -> dict[UUID, Any]:
        rows = beside(*args, **kwargs)
        return {row_id: row._replace(has_added=False) for row_id, row in rows.items()}

    monkeypatch.setattr(bound, "_beside", before)
    undertaking = clearing.undertaking("leyla")
    assert bound.compare([undertaking])[undertaking.id].agrees
