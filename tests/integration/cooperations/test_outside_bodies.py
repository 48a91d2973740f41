"""The list of a cooperation's outside bodies: who adds and removes, and what is refused."""

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.negotiations import Negotiation, set_out
from tests.pages import Page
from tracker.cooperations import outside_bodies
from tracker.cooperations.models import BodyKind, Stage
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError


@pytest.fixture
def negotiation(session: Session) -> Negotiation:
    return set_out(session)


def add(negotiation: Negotiation, first: str = "samira", name: str = "Ministry of Justice") -> None:
    outside_bodies.add(
        negotiation[first], negotiation.cooperation, name=name, kind=BodyKind.MINISTRY
    )
    negotiation.session.commit()


def names(negotiation: Negotiation) -> list[str]:
    return [body.name for body in outside_bodies.of(negotiation.cooperation) if not body.is_removed]


@pytest.mark.parametrize("first", ["ilena", "samira", "joana", "oren"])
def test_whoever_writes_for_a_party_adds_a_body(negotiation: Negotiation, first: str) -> None:
    add(negotiation, first, "  Ministry  of Justice ")
    assert names(negotiation) == ["Ministry of Justice"]
    (event,) = negotiation.events("outside_body_added")
    assert (event["name"], event["kind"]) == ("Ministry of Justice", "ministry")


@pytest.mark.parametrize("first", ["marek", "ada", "root", "vesna"])
def test_nobody_else_does(negotiation: Negotiation, first: str) -> None:
    with pytest.raises(RefusedError):
        add(negotiation, first)
    assert names(negotiation) == []


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("  ", "Enter a name"),
        ("x" * 201, "at most 200 characters"),
        ("MINISTRY of justice", "already on the list"),
    ],
)
def test_a_name_is_new_and_short(negotiation: Negotiation, name: str, words: str) -> None:
    add(negotiation)
    with pytest.raises(RuleBrokenError, match=words):
        add(negotiation, name=name)


def test_a_list_is_not_endless(negotiation: Negotiation) -> None:
    for number in range(outside_bodies.MOST):
        outside_bodies.add(
            negotiation["ilena"],
            negotiation.cooperation,
            name=f"Body {number}",
            kind=BodyKind.DONOR,
        )
    with pytest.raises(RuleBrokenError, match="at most 50"):
        add(negotiation)


def test_one_that_is_removed_makes_room_for_another(
    negotiation: Negotiation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(outside_bodies, "MOST", 1)
    monkeypatch.setattr(outside_bodies, "MOST_EVER", 2)
    for name in ("Ministry of Health", "Ministry of Justice"):
        add(negotiation, name=name)
        (body,) = (
            body for body in outside_bodies.of(negotiation.cooperation) if not body.is_removed
        )
        with pytest.raises(RuleBrokenError, match="at most 1 "):
            add(negotiation, name="Prosecutor")
        outside_bodies.remove(negotiation["ilena"], negotiation.cooperation, body.id)
    with pytest.raises(RuleBrokenError, match="At most 2 outside bodies can ever"):
        add(negotiation, name="Prosecutor")


def test_the_npm_removes_one_and_it_can_be_added_again(negotiation: Negotiation) -> None:
    add(negotiation)
    (body,) = outside_bodies.of(negotiation.cooperation)
    with pytest.raises(RefusedError):
        outside_bodies.remove(negotiation["samira"], negotiation.cooperation, body.id)
    outside_bodies.remove(negotiation["ilena"], negotiation.cooperation, body.id)
    negotiation.session.commit()
    assert names(negotiation) == []
    assert len(negotiation.events("outside_body_removed")) == 1
    with pytest.raises(StaleError):
        outside_bodies.remove(negotiation["ilena"], negotiation.cooperation, body.id)
    add(negotiation)
    assert names(negotiation) == ["Ministry of Justice"]


def test_a_closed_cooperation_keeps_its_list(negotiation: Negotiation) -> None:
    negotiation.cooperation.stage = Stage.CLOSED
    negotiation.session.commit()
    with pytest.raises(RefusedError, match="This cooperation is closed"):
        add(negotiation)


# Pages


def test_a_body_is_added_and_removed_on_its_page(app: Flask, negotiation: Negotiation) -> None:
    address = f"/cooperations/{negotiation.cooperation.reference}/outside-bodies"
    browser = negotiation.country.browser(app, "samira")
    page = Page.of(browser.submit(address, name="Agency for Aid", kind="donor"))
    assert "Agency for Aid is now on the list." in page.text
    assert "Remove" not in page.text
    assert "Enter" in Page.of(browser.submit(address, name="", kind="donor")).text
    again = Page.of(browser.submit(address, name="agency for aid", kind="donor"))
    assert "This body is already on the list." in again.text
    (body,) = outside_bodies.of(negotiation.cooperation)
    remove = f"{address}/{body.id}/remove"
    assert browser.post(remove).status_code == 403
    ilena = negotiation.country.browser(app, "ilena")
    ilena.page(address)
    assert ilena.post(remove).status_code == 303
    assert "No outside bodies are listed yet." in ilena.page(address).text


@pytest.mark.parametrize(("first", "status"), [("marek", 404), ("vesna", 404), ("ada", 200)])
def test_who_sees_the_cooperation_sees_its_list(
    app: Flask, negotiation: Negotiation, first: str, status: int
) -> None:
    add(negotiation)
    address = f"/cooperations/{negotiation.cooperation.reference}/outside-bodies"
    page = negotiation.country.browser(app, first).page(address, status)
    if status == 200:
        assert "Ministry of Justice" in page.text
        assert "Add an outside body" not in page.text
