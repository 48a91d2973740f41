"""Every page and form as each kind of person: what opens, what is refused, what is not seen."""

from collections.abc import Callable

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.client import CheckedClient
from tests.factories.demonstration import Demonstration
from tests.integration.access import table
from tests.integration.access.places import (
    ANYBODY,
    COLUMNS,
    KINDS,
    Place,
    places,
    unknown_of,
)
from tests.integration.access.table import ABSENT, NOT_FOUND, OPEN, REFUSED, SIGN_IN
from tracker.access.gate import mark_of

# A link by mail that is no longer valid says so; a kind of organisation is asked after the right.
NO_IDS = {"/invitations/<token>", "/new-password/<token>", "/organisations/new/<kind>"}
SIGNED_IN = [column for column in COLUMNS if column != ANYBODY]


def what(response: TestResponse, *, nobody: bool) -> str:
    """Return what an answer means for the one who asked."""
    status = response.status_code
    if status == 403:
        return REFUSED
    if status == 404:
        return NOT_FOUND
    if nobody and status == 302 and response.location.startswith("/sign-in"):
        return SIGN_IN
    if nobody and status == 400:
        return SIGN_IN  # what was typed is shown for copying
    assert status in {200, 302, 303, 400, 409, 422}, f"{response.request.path}: {response.status}"
    return OPEN


def ask(client: CheckedClient, place: Place, method: str) -> TestResponse:
    return client.open(place.address, method=method, data={} if method == "POST" else None)


def test_every_address_is_told_about(app: Flask, demonstration: Demonstration) -> None:
    with app.app_context():
        found = places(app, demonstration)
    assert {place.rule for place in found} == {rule.rule for rule in app.url_map.iter_rules()}


@pytest.mark.parametrize("column", COLUMNS)
def test_who_may_open_what_is_what_the_document_says(
    app: Flask,
    demonstration: Demonstration,
    put_back: Callable[[], None],
    request: pytest.FixtureRequest,
    column: str,
) -> None:
    with app.app_context():
        all_places = places(app, demonstration)
    found, torn = {}, []
    for place in all_places:
        who = KINDS[place.cooperation]
        if column not in who:
            found[table.row_of(place)] = ABSENT
            continue
        client = demonstration.browser(app, who[column])
        outcomes = {}
        for method in place.methods:
            outcomes[method] = what(ask(client, place, method), nobody=column == ANYBODY)
            if method == "POST":
                put_back()
        if len(set(outcomes.values())) > 1:
            torn.append((place.address, place.thing, outcomes))
        found[table.row_of(place)] = outcomes[place.methods[0]]
    # What is refused to look at is refused to send, and the other way round.
    assert torn == []
    written = table.read()
    if request.config.getoption("write_permissions"):
        cells = {row: {**written.get(row, {}), column: found[row]} for row in found}
        table.write([table.row_of(place) for place in all_places], cells)
        return
    assert {row: cells[column] for row, cells in written.items()} == found


@pytest.mark.parametrize("column", SIGNED_IN)
def test_what_is_nowhere_is_not_found_by_anybody(
    app: Flask, demonstration: Demonstration, column: str
) -> None:
    client = demonstration.browser(app, KINDS["complete"][column])
    asked = 0
    for rule, address, methods in unknown_of(app):
        for method in methods:
            response = client.open(address, method=method, data={} if method == "POST" else None)
            if rule in NO_IDS:
                assert response.status_code != 200 or "token" in rule, address
                continue
            assert response.status_code == 404, f"{method} {address}: {response.status}"
            asked += 1
    assert asked > 50


def test_a_stranger_is_led_to_the_sign_in_and_back_from_every_page_that_is_not_public(
    app: Flask, demonstration: Demonstration
) -> None:
    with app.app_context():
        closed = [p for p in places(app, demonstration) if mark_of(app, p.endpoint) == "signed_in"]
    assert len(closed) > 50
    for place in closed:
        client = demonstration.browser(app, None)
        if "GET" in place.methods:
            response = client.get(place.address)
            assert response.status_code == 302, place.address
            back = "" if place.address == "/" else f"?next={place.address}"
            assert response.location == f"/sign-in{back}"
        if "POST" in place.methods:
            assert client.post(place.address, data={"reason": "Typed"}).status_code == 400


def test_an_address_answers_no_other_methods(app: Flask, demonstration: Demonstration) -> None:
    client = demonstration.browser(app, "ilena")
    with app.app_context():
        all_places = places(app, demonstration)
    for place in all_places:
        for method in {"GET", "POST", "PUT", "PATCH", "DELETE"} - set(place.methods):
            status = client.open(place.address, method=method).status_code
            assert status in {404, 405}, f"{method} {place.address}: {status}"


def test_a_form_without_the_token_of_its_session_is_not_taken(
    app: Flask, demonstration: Demonstration
) -> None:
    client = demonstration.browser(app, "ilena")
    with app.app_context():
        forms = [place for place in places(app, demonstration) if "POST" in place.methods]
    taken = []
    for place in forms:
        response = client.open(place.address, method="POST", data={}, csrf=False)
        if response.status_code not in {400, 404}:
            taken.append((place.address, response.status))
    assert len(forms) > 30
    assert taken == []
