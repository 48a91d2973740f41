"""Signing out everywhere: people themselves, and somebody else with a reason."""

from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.accounts import People, signed_in
from tests.factories.accounts import sign_in as give_password
from tests.factories.passkeys import Device, begin, give, send, sign_in
from tests.integration.accounts.test_passkeys import is_in, last_events, mails, text
from tracker.accounts.people import service
from tracker.activity.models import Event, EventDetail
from tracker.core.errors import RefusedError, RuleBrokenError

Browsers = Callable[[], CheckedClient]


def last_details(session: Session) -> dict[str, object]:
    event = session.query(Event).order_by(Event.number.desc()).first()
    assert event is not None
    return session.get_one(EventDetail, event.id).content


def test_all_sessions_end_immediately_however_they_were_started(
    people: People, browsers: Browsers, session: Session
) -> None:
    device = Device()
    by_passkey, by_password, pending = browsers(), browsers(), browsers()
    signed_in(by_password, "samira")
    give(people, "samira", device)
    sign_in(by_passkey, device)
    give_password(pending, "samira")
    prompt = begin(pending, x="")
    response = by_passkey.post("/account/sessions/end", follow_redirects=True)
    assert "You are signed out on every device." in text(response)
    assert not is_in(by_passkey)
    assert not is_in(by_password)
    send(pending, prompt, device.answer(prompt.challenge))
    assert not is_in(pending)
    assert last_events(session) == ["sessions_ended"]


def test_an_administrator_signs_somebody_out_with_a_reason(
    people: People, browsers: Browsers, session: Session
) -> None:
    victim, ada = signed_in(browsers(), "dora"), signed_in(browsers(), "ada")
    path = f"/people/{people.people['dora']}/sessions/end"
    assert "Say why" in text(ada.submit(path, reason=""))
    assert is_in(victim)
    response = ada.submit(path, reason="Telephone left on a train")
    assert "Dora Marsh is signed out everywhere." in text(response)
    assert not is_in(victim)
    assert last_events(session) == ["sessions_ended"]
    assert last_details(session)["reason"] == "Telephone left on a train"
    assert last_details(session)["person"] == "Dora Marsh"
    assert mails(session, "sessions_ended") == ["dora@example.org"]
    assert give_password(victim, "dora").request.path == "/"


def test_a_coordinator_can_sign_out_only_their_own_side(
    people: People, browsers: Browsers, session: Session
) -> None:
    samira = signed_in(browsers(), "samira")
    samira.submit(f"/people/{people.people['dora']}/sessions/end", reason="Lost telephone")
    assert last_events(session) == ["sessions_ended"]
    assert samira.get(f"/people/{people.people['joana']}/sessions/end").status_code == 404


@pytest.mark.parametrize(
    ("key", "status"), [("dora", 404), ("joana", 404), ("nadia", 404), ("henrik", 403)]
)
def test_nobody_else_signs_anybody_out(
    people: People, browsers: Browsers, session: Session, key: str, status: int
) -> None:
    client = signed_in(browsers(), key)
    path = f"/people/{people.people['samira']}/sessions/end"
    assert client.get(path).status_code == status
    assert client.post(path, data={"reason": "Mine"}).status_code == status
    with pytest.raises(RefusedError):
        service.end_sessions_of(people.actor(key), people.people["samira"], reason="Mine")


def test_a_coordinator_reads_why_a_manager_is_not_signed_out(
    people: People, browsers: Browsers
) -> None:
    ilena = signed_in(browsers(), "ilena")
    response = ilena.get(f"/people/{people.people['nadia']}/sessions/end")
    assert response.status_code == 403
    assert "Only people who can suspend this account can sign the person out" in response.text
    with pytest.raises(RefusedError):
        service.end_sessions_of(people.actor("ilena"), people.people["nadia"], reason="Lost")


def test_people_end_their_sessions_in_their_account(
    people: People, browsers: Browsers, session: Session
) -> None:
    ada = signed_in(browsers(), "ada")
    path = f"/people/{people.people['ada']}/sessions/end"
    response = ada.get(path)
    assert response.status_code == 403
    assert "go to your own account" in response.text
    with pytest.raises(RefusedError):
        service.end_sessions_of(people.actor("ada"), people.people["ada"], reason="Mine")


def test_without_a_reason_nothing_ends(people: People, session: Session) -> None:
    before = people.user("dora").fs_uniquifier
    with pytest.raises(RuleBrokenError) as broken:
        service.end_sessions_of(people.actor("ada"), people.people["dora"], reason="  ")
    assert broken.value.field == "reason"
    session.rollback()
    assert people.user("dora").fs_uniquifier == before


def test_with_another_secret_key_everybody_is_signed_out(
    people: People,
    browsers: Browsers,
    app: Flask,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    clients = [signed_in(browsers(), key) for key in ("samira", "dora")]
    assert {client.get("/account").status_code for client in clients} == {200}
    monkeypatch.setitem(app.config, "SECRET_KEY", "another key " * 4)
    assert {client.get("/account").status_code for client in clients} == {302}
