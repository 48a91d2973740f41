"""A second factor that a role requires: people without one are redirected to set one up."""

from collections.abc import Callable
from urllib.parse import quote

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories import powers
from tests.factories.accounts import PASSWORD, People, signed_in
from tests.factories.accounts import sign_in as give_password
from tests.factories.passkeys import Device, asked_on, give, send
from tests.factories.passkeys import sign_in as sign_in_with
from tests.integration.accounts.test_passkeys import stored
from tests.integration.accounts.test_second_factor import set_up
from tests.pages import Page
from tests.services import put
from tracker.access.actor import Role
from tracker.accounts.factors import credentials
from tracker.accounts.factors.credentials import COMPULSORY_ROLES
from tracker.accounts.people import service
from tracker.accounts.people.service import NewRole
from tracker.core.errors import RefusedError

Browsers = Callable[[], CheckedClient]
NEEDED = "/account/second-factor/needed"


@pytest.fixture(autouse=True)
def compulsory(app: Flask, people: People) -> None:
    """An instance's default setting, once the application is on its database."""
    roles = frozenset({Role.SIGNATORY, Role.MANAGER, Role.ADMINISTRATOR})
    put(app, COMPULSORY_ROLES.holding(roles))


@pytest.mark.parametrize("key", ["ada", "nadia", "henrik"])
def test_a_person_without_a_second_factor_is_redirected_to_set_one_up_at_sign_in(
    people: People, client: CheckedClient, key: str
) -> None:
    page = Page.of(give_password(client, key))
    assert page.where == NEEDED
    assert page.h1 == "Set up a second factor first"
    assert {"Set up a passkey", "Set up a code app"} <= set(page.links())


@pytest.mark.parametrize("key", ["samira", "dora", "ilena"])
def test_other_roles_go_on_without_one(people: People, client: CheckedClient, key: str) -> None:
    assert give_password(client, key).request.path == "/"
    assert client.page(NEEDED).where == "/account"


@pytest.mark.parametrize(
    "path", ["/", "/account", "/people", "/register", "/cooperations", "/account/acting"]
)
def test_nothing_else_can_be_opened_until_then(
    people: People, client: CheckedClient, path: str
) -> None:
    signed_in(client, "nadia")
    onward = "" if path == "/" else f"?next={path}"
    assert client.get(path).location == NEEDED + onward
    assert client.page(path).where == NEEDED


def test_nothing_can_be_sent_until_then(
    people: People, client: CheckedClient, session: Session
) -> None:
    signed_in(client, "ada")
    path = f"/people/{people.people['dora']}/suspend"
    assert client.post(path, data={"reason": "None"}).location == NEEDED
    assert people.user("dora").active


def test_what_leads_there_and_away_is_open(people: People, client: CheckedClient) -> None:
    signed_in(client, "nadia")
    for path in ("/account/second-factor", "/account/passkeys/new", "/accessibility", "/guidance"):
        assert client.page(path).where == path
    assert client.post("/sign-out").status_code == 302
    signed_in(client, "nadia")
    assert client.post("/account/sessions/end").status_code == 302
    assert client.page("/account").where == "/sign-in"


def test_an_app_for_codes_opens_the_rest(people: People, client: CheckedClient) -> None:
    signed_in(client, "nadia")
    set_up(client, people, "nadia")
    assert client.get("/account").status_code == 200


def test_a_passkey_opens_the_rest(people: People, client: CheckedClient) -> None:
    signed_in(client, "nadia")
    prompt = asked_on(Page.of(client.submit("/account/passkeys/new", name="Key")))
    assert send(client, prompt, Device().make(prompt.challenge)).request.path == "/account"


def test_who_was_going_somewhere_goes_on_there_with_an_app(
    people: People, client: CheckedClient
) -> None:
    signed_in(client, "nadia")
    page = client.page("/people?page=2")
    assert "Your role gives access to more" in page.text
    path = page.links()["Set up a code app"]
    saved = set_up(client, people, "nadia", path).links()["I have saved the codes"]
    assert client.get(saved).location == "/people?page=2"


def test_who_was_going_somewhere_goes_on_there_with_a_passkey(
    people: People, client: CheckedClient
) -> None:
    signed_in(client, "nadia")
    path = client.page("/people?page=2").links()["Set up a passkey"]
    prompt = asked_on(Page.of(client.submit(path, name="Key")))
    # A response that isn't a passkey's also keeps the page to return to.
    failed = send(client, prompt, "{}")
    assert failed.request.full_path == path
    prompt = asked_on(Page.of(client.submit(path, name="Key")))
    response = send(client, prompt, Device().make(prompt.challenge))
    assert response.request.full_path == "/people?page=2"


@pytest.mark.parametrize(
    "hostile",
    [
        "https://elsewhere.example/",
        "//elsewhere.example",
        "/\\elsewhere.example",
        "/\t/elsewhere.example",
        "javascript:alert(1)",
        "people",
    ],
)
def test_nobody_is_led_elsewhere(people: People, client: CheckedClient, hostile: str) -> None:
    signed_in(client, "nadia")
    page = Page.of(client.get(NEEDED, query_string={"next": hostile}))
    assert page.links()["Set up a passkey"] == "/account/passkeys/new"
    path = f"/account/passkeys/new?next={quote(hostile, safe='')}"
    prompt = asked_on(Page.of(client.submit(path, name="Key")))
    assert send(client, prompt, Device().make(prompt.challenge)).request.path == "/account"
    response = client.get(NEEDED, query_string={"next": hostile})
    assert response.location == "/account"


def test_a_disabled_passkey_does_not_work(
    people: People, browsers: Browsers, session: Session
) -> None:
    device = Device()
    give(people, "nadia", device)
    client = browsers()
    assert sign_in_with(client, device).request.path == "/"
    credentials.set_aside(give(people, "dora", Device()).id)
    passkey = stored(session, device)
    assert passkey is not None
    credentials.set_aside(passkey.id)
    session.commit()
    assert client.page("/").where == NEEDED


def test_a_session_that_runs_is_led_there_when_the_role_is_given(
    people: People, client: CheckedClient, session: Session
) -> None:
    signed_in(client, "dora")
    assert client.get("/account").status_code == 200
    service.give_role(
        people.actor("ada"),
        people.people["dora"],
        NewRole(Role.MANAGER, people.organisations["door"]),
    )
    powers.let_begin(people.people["dora"])
    session.commit()
    assert client.page("/account").where == NEEDED


def test_it_is_the_role_in_any_organisation_that_counts(
    people: People, client: CheckedClient, session: Session
) -> None:
    service.give_role(
        people.actor("ada"),
        people.people["samira"],
        NewRole(Role.MANAGER, people.organisations["lantern"]),
    )
    powers.let_begin(people.people["samira"])
    session.commit()
    assert give_password(client, "samira").request.path == NEEDED


def test_a_reset_leads_there_again(people: People, browsers: Browsers, session: Session) -> None:
    people.enrol("nadia")
    service.reset_second_factor(people.actor("ada"), people.people["nadia"], reason="Lost it")
    session.commit()
    assert give_password(browsers(), "nadia").request.path == NEEDED


def test_the_last_one_is_not_removed_and_the_page_says_why(
    people: People, client: CheckedClient, session: Session
) -> None:
    device = Device()
    passkey_id = give(people, "nadia", device).id
    sign_in_with(client, device)
    page = client.page(f"/account/passkeys/{passkey_id}")
    assert "It can't be removed: One of your roles needs a second factor" in page.text
    assert "Remove this passkey" not in page.links()
    path = f"/account/passkeys/{passkey_id}/remove"
    refused = client.get(path)
    assert refused.status_code == 403
    assert "One of your roles needs a second factor, and this is your last one." in refused.text
    assert client.post(path).status_code == 403
    with pytest.raises(RefusedError):
        credentials.remove(people.actor("nadia"), passkey_id)
    session.rollback()
    assert stored(session, device) is not None


def test_one_of_two_is_removed_and_the_second_is_not(
    people: People, client: CheckedClient, session: Session
) -> None:
    first, second = Device(), Device()
    ids = [give(people, "nadia", device, str(n)).id for n, device in enumerate((first, second))]
    sign_in_with(client, first)
    assert client.submit(f"/account/passkeys/{ids[1]}/remove").request.path == "/account"
    assert client.get(f"/account/passkeys/{ids[0]}/remove").status_code == 403


def test_beside_an_app_a_passkey_is_removed(
    people: People, client: CheckedClient, session: Session
) -> None:
    device = Device()
    passkey_id = give(people, "nadia", device).id
    people.enrol("nadia")
    sign_in_with(client, device)
    client.submit(f"/account/passkeys/{passkey_id}/remove")
    assert stored(session, device) is None


def test_one_that_was_set_aside_is_removed_and_is_no_other_one(
    people: People, client: CheckedClient, session: Session
) -> None:
    good, bad = Device(), Device()
    ids = [give(people, "nadia", device, str(n)).id for n, device in enumerate((good, bad))]
    credentials.set_aside(ids[1])
    session.commit()
    sign_in_with(client, good)
    assert client.get(f"/account/passkeys/{ids[0]}/remove").status_code == 403
    client.submit(f"/account/passkeys/{ids[1]}/remove")
    assert stored(session, bad) is None


def test_where_none_is_needed_the_last_one_is_removed(
    people: People, browsers: Browsers, session: Session
) -> None:
    device, client = Device(), browsers()
    passkey_id = give(people, "dora", device).id
    sign_in_with(client, device)
    client.submit(f"/account/passkeys/{passkey_id}/remove")
    other = browsers()
    response = other.post("/sign-in", data={"email": "dora@example.org", "password": PASSWORD})
    assert response.location == "/"
