"""Pages are compressed, and their CSRF tokens look different each time."""

import gzip
import re

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.client import CheckedClient
from tests.factories.demonstration import Demonstration
from tests.pages import Page

GZIP = {"Accept-Encoding": "gzip"}
TOKEN = re.compile(r'name="csrf_token"[^>]*? value="([^"]+)"')


def is_packed(response: TestResponse) -> bool:
    return response.headers.get("Content-Encoding") == "gzip"


def packed(client: CheckedClient, address: str) -> TestResponse:
    response = client.get(address, headers=GZIP, read=False)
    assert response.status_code == 200
    return response


@pytest.mark.parametrize("address", ["/", "/guidance", "/cooperations", "/account", "/people"])
def test_a_page_is_sent_compressed_and_is_the_same_page(
    app: Flask, demonstration: Demonstration, address: str
) -> None:
    client = demonstration.browser(app, "samira")
    response, plain = packed(client, address), client.get(address)
    assert is_packed(response)
    assert not is_packed(plain)
    assert "Accept-Encoding" in response.vary
    assert "Accept-Encoding" in plain.vary
    assert len(response.data) < len(plain.data) / 2
    page = Page(gzip.decompress(response.data).decode(), address)
    page.check()
    assert page.text == Page.of(plain).text


def test_a_page_for_nobody_signed_in_is_compressed_too(client: CheckedClient) -> None:
    assert is_packed(packed(client, "/sign-in"))


def test_responses_other_than_pages_are_sent_unchanged(
    app: Flask, demonstration: Demonstration
) -> None:
    response = packed(demonstration.browser(app, "milan"), "/healthz")
    assert not is_packed(response)


def test_the_page_of_an_invitation_is_not_compressed(
    app: Flask, demonstration: Demonstration
) -> None:
    """Its address is a secret, and is in its form."""
    address = f"/invitations/{demonstration.invitation_token}"
    response = packed(demonstration.browser(app, None), address)
    assert not is_packed(response)
    assert Page.of(response).h1 == "Accept your invitation"


def test_the_token_of_a_session_looks_different_in_each_answer_and_is_good(
    app: Flask, demonstration: Demonstration
) -> None:
    client = demonstration.browser(app, "ilena")
    address = f"/checklists/{demonstration.checklists['differing', 'terms']}"
    first, second = (TOKEN.findall(client.get(address).text) for _ in range(2))
    assert len(first) >= 3
    assert len({*first}) == len({*second}) == 1
    assert first[0] != second[0]
    assert first[0][:12] != second[0][:12]
    for token in (first[0], second[0]):
        sent = client.post("/language", data={"csrf_token": token, "language": "en"}, csrf=False)
        assert sent.status_code == 302


def test_a_token_of_another_session_is_refused_though_it_is_masked(
    app: Flask, demonstration: Demonstration
) -> None:
    other = demonstration.browser(app, "samira").get("/account").text
    token = TOKEN.findall(other)[0]
    client = demonstration.browser(app, "ilena")
    sent = client.post("/sign-out", data={"csrf_token": token}, csrf=False)
    assert sent.status_code == 400
    assert client.get("/account").status_code == 200
