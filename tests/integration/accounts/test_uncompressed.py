"""Pages that show a secret are never compressed, since their size would reveal it (BREACH)."""

from collections.abc import Callable

from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests.client import CheckedClient
from tests.factories.accounts import People, signed_in
from tests.factories.passkeys import Device, give
from tests.integration.accounts.test_bound import link_of
from tests.integration.accounts.test_second_factor import RECOVERY, set_up
from tests.pages import Page

GZIP = {"Accept-Encoding": "gzip"}


def is_packed(response: TestResponse) -> bool:
    return response.headers.get("Content-Encoding") == "gzip"


def get(client: CheckedClient, address: str) -> TestResponse:
    return client.get(address, headers=GZIP, read=False, follow_redirects=True)


def assert_plain(response: TestResponse, words: str) -> None:
    """Check that the page is sent uncompressed; others of that length are compressed."""
    assert response.status_code == 200
    assert not is_packed(response)
    assert words in Page.of(response).text


def test_other_pages_are_compressed(people: People, client: CheckedClient) -> None:
    signed_in(client, "samira")
    assert is_packed(get(client, "/account"))


def test_the_key_of_an_app_for_codes_is_not_compressed(
    people: People, client: CheckedClient
) -> None:
    signed_in(client, "samira")
    assert_plain(get(client, "/account/second-factor"), "Set up a code app")


def test_recovery_codes_are_not_compressed(people: People, client: CheckedClient) -> None:
    signed_in(client, "samira")
    set_up(client, people, "samira")
    form = client.page("/account/recovery-codes").form()
    response = client.post(
        "/account/recovery-codes", data=form.filled_in(), csrf=False, headers=GZIP, read=False
    )
    assert_plain(response, "Recovery codes")
    assert RECOVERY.search(response.text)


def test_the_page_of_a_link_for_a_new_password_is_not_compressed(
    people: People, client: CheckedClient, session: Session
) -> None:
    assert_plain(get(client, link_of(session, client, "samira")), "Choose a new password")


def test_the_pages_of_passkeys_are_not_compressed(
    people: People, client: CheckedClient, browsers: Callable[[], CheckedClient]
) -> None:
    give(people, "samira", Device())
    started = client.post("/sign-in/passkey", headers=GZIP, read=False)
    assert_plain(started, "passkey")
    other = browsers()
    signed_in(other, "nadia")
    form = other.page("/account/passkeys/new").form()
    named = other.post(
        "/account/passkeys/new",
        data=form.filled_in(name="Key"),
        csrf=False,
        headers=GZIP,
        read=False,
    )
    assert_plain(named, "passkey")
