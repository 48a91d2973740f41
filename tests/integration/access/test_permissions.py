"""Every page and form as each kind of person: what opens, what is refused, what is 404.

The worker that walks over all pages (tests/conftest.py) runs this file too, so that pages requested
on a walk are not requested again.
"""

import contextvars
from dataclasses import dataclass, field
from itertools import cycle

import pytest
from flask import Flask
from werkzeug.test import TestResponse

from tests.client import CheckedClient
from tests.effort import is_long
from tests.factories.demonstration import Demonstration
from tests.integration.access import table
from tests.integration.access.places import (
    ANYBODY,
    COLUMNS,
    GALLERY,
    KINDS,
    Address,
    places,
    unknown_of,
)
from tests.integration.access.table import ABSENT, LED, LOOK, NOT_FOUND, OPEN, REFUSED, SIGN_IN
from tests.integration.access.walks import DEMONSTRATION, PEOPLE, Walks
from tests.pages import Form, Page
from tracker.access.gate import mark_of

# An emailed link that is no longer valid says so.
BY_MAIL = {"/invitations/<token>", "/new-password/<token>"}
# Second pages, which only the first one leads to, since its link says what was read there; and what
# their addresses have in addition.
SECOND = {"signing.sign": "/confirm"}
SIGNED_IN = [column for column in COLUMNS if column != ANYBODY]
# Who, in the short form, also requests the pages of cooperations in other states: people who take
# part in these, and some from outside. In the long form everybody does.
IN_OTHER_STATES = {ANYBODY, "NPM coordinator", "other CSO", "CSO coordinator", "CSO signatory"}
# In the short form, a few, who are refused other addresses.
WHO_GUESSES = SIGNED_IN if is_long() else SIGNED_IN[:: len(SIGNED_IN) // 2]


@dataclass
class Asker:
    """One kind of person, who opens pages and sends their forms empty."""

    walks: Walks
    column: str
    # By person; kept until something it sends is accepted: the session then has a message for the
    # next page.
    _clients: dict[str | None, CheckedClient] = field(default_factory=dict)

    def outcome(self, place: Address) -> str:
        """Return the outcome of reading and of sending; what isn't shown isn't accepted either."""
        who = KINDS[place.cooperation]
        if self.column not in who:
            return ABSENT
        key = who[self.column]
        outcomes, shown = self._ask_each_way(place, key)
        if outcomes.get("GET") == LED:
            assert set(outcomes.values()) <= {LED, OPEN, REFUSED}, f"{place.address}: {outcomes}"
            return LED
        if outcomes == {"GET": OPEN, "POST": REFUSED}:
            forms = [Form(form) for form in Page(shown, place.address).root.iter("form")]
            own = [form for form in forms if form.method == "post" and not form.action]
            assert not own, f"{place.address} offers a form that is refused"
            return LOOK
        assert len(set(outcomes.values())) == 1, f"{place.address}: {outcomes}"
        return outcomes.popitem()[1]

    def _ask_each_way(self, place: Address, key: str | None) -> tuple[dict[str, str], str]:
        """Return the outcome of each method, and the page that is shown."""
        if key not in self._clients:
            self._clients[key] = self.walks.demonstration.browser(self.walks.app, key)
        client, outcomes, shown = self._clients[key], {}, ""
        address = come_to(client, place)
        for method in place.methods:
            if method == "GET" and self.walks.has_opened(key, address):
                outcomes[method] = OPEN
                shown = self.walks.walk(key).texts.get(address, "")
                continue
            # What a stranger typed is not accepted either.
            data = {"reason": "Typed"} if key is None else {}
            response = ask(client, address, method, data)
            leads_on = bool(response.location)
            outcomes[method] = self._meaning(place, response, leads_on and is_stopped(client))
            if leads_on or (method == "POST" and response.status_code not in {403, 404}):
                self._clients.clear()
            if method == "GET" and response.mimetype == "text/html":
                shown = response.get_data(as_text=True)
            elif leads_on:
                # The form was accepted; what is refused or wrong leaves nothing.
                self.walks.reset(DEMONSTRATION)
        return outcomes, shown

    def _meaning(self, place: Address, response: TestResponse, stopped: bool) -> str:
        status, looks = response.status_code, response.request.method == "GET"
        leads = response.location or ""
        # Something that isn't a passkey's response is reported in the same way.
        if status == 403 or (stopped and not place.endpoint.startswith("security.wan_")):
            return REFUSED
        if status == 404:
            return NOT_FOUND
        if mark_of(self.walks.app, place.endpoint) == "signed_in":
            if self.column == ANYBODY:
                # Led to the sign-in and back.
                back = "" if place.address == "/" else f"?next={place.address}"
                turned_away = (302, f"/sign-in{back}") if looks else (400, "")
                assert (status, leads) == turned_away, f"{place.address}: {status}, {leads}"
                return SIGN_IN
            assert not (looks and leads.startswith("/sign-in")), f"{place.address}: led to sign-in"
        # No worker runs during the tests, and that page says so.
        well = [503] if place.endpoint == "running.healthz" else []
        assert status in {200, 302, 303, 400, 409, 422, *well}, f"{place.address}: {status}"
        return LED if looks and leads else OPEN


def come_to(client: CheckedClient, place: Address) -> str:
    """Return the address by which a person reaches a place: for a second page, from the first."""
    if place.endpoint not in SECOND:
        return place.address
    first = client.get(place.address.removesuffix(SECOND[place.endpoint]))
    if first.status_code != 200:
        return place.address
    (onward,) = [
        address for address in Page.of(first).addresses() if address.startswith(f"{place.address}?")
    ]
    return onward


def ask(
    client: CheckedClient, address: str, method: str, data: dict[str, str] | None = None
) -> TestResponse:
    # The crawl checks the pages; here only the responses to forms are checked.
    sends = method == "POST"
    sent = (data or {}) if sends else None
    response = client.open(address, method=method, data=sent, read=sends)
    response.close()
    return response


def is_stopped(client: CheckedClient) -> bool:
    """Return whether a refusal is waiting to be shown on the next page."""

    def look() -> bool:
        with client.session_transaction() as session:
            return any(kind == "error" for kind, _words in session.get("_flashes", ()))

    # In an empty context: opening the session must not see the test's own.
    return contextvars.Context().run(look)


def test_the_document_covers_every_url(app: Flask, demonstration: Demonstration) -> None:
    with app.app_context():
        known = places(app, demonstration)
    assert {place.rule for place in known} == {
        rule.rule for rule in app.url_map.iter_rules() if rule.endpoint != GALLERY
    }


@pytest.mark.parametrize("column", COLUMNS)
def test_access_to_every_page_is_as_the_document_says(
    walks: Walks, request: pytest.FixtureRequest, column: str
) -> None:
    asker = Asker(walks, column)
    for key in {who[column] for who in KINDS.values() if column in who} & PEOPLE:
        walks.walk(key)
    codes, faults = {}, []
    writes = request.config.getoption("write_permissions")
    asks_all = writes or is_long() or column in IN_OTHER_STATES
    with walks.fresh(DEMONSTRATION):
        all_places = places(walks.app, walks.demonstration)
        for place in all_places:
            if place.cooperation != "complete" and not asks_all:
                continue
            try:
                codes[table.row_of(place)] = asker.outcome(place)
            except AssertionError as fault:
                faults.append(str(fault))
                codes[table.row_of(place)] = "?"
    assert faults == []
    written = table.read()
    if writes:
        cells = {row: {**written.get(row, {}), column: codes[row]} for row in codes}
        table.write([table.row_of(place) for place in all_places], cells)
        return
    asked_for = written.keys() if asks_all else codes.keys()
    assert {row: written[row][column] for row in asked_for} == codes


@pytest.mark.parametrize("column", WHO_GUESSES)
def test_a_url_that_does_not_exist_is_404_for_everybody(
    app: Flask, demonstration: Demonstration, column: str
) -> None:
    client = demonstration.browser(app, KINDS["complete"][column])
    with app.app_context():
        known = places(app, demonstration)
    requests = 0
    for rule, address, methods in unknown_of(app):
        for method in methods if rule not in BY_MAIL else ():
            status = ask(client, address, method).status_code
            if status == 403:
                # Refused before anything is looked up: then what exists is refused as well.
                matching = [place.address for place in known if place.rule == rule]
                assert {ask(client, address, method).status_code for address in matching} == {
                    403
                }, rule
                continue
            assert status == 404, f"{method} {address}: {status}"
            requests += 1
    assert requests > 50


def test_an_address_answers_no_other_methods(app: Flask, demonstration: Demonstration) -> None:
    client = demonstration.browser(app, "ilena")
    with app.app_context():
        of_each_rule = {place.rule: place for place in places(app, demonstration)}
    known = {"GET", "HEAD", "OPTIONS", "POST"}
    assert {
        rule.rule for rule in app.url_map.iter_rules() if (rule.methods or set()) - known
    } == set()
    # Whether a method is known depends on the rule alone: in the short form each rule is requested
    # with one of those that no rule has, in turn.
    in_turn = cycle([{"PUT"}, {"PATCH"}, {"DELETE"}])
    for place, never in zip(of_each_rule.values(), in_turn, strict=False):
        unknown = {"PUT", "PATCH", "DELETE"} if is_long() else never
        for method in {"GET", "POST", *unknown} - set(place.methods):
            status = client.open(place.address, method=method, read=False).status_code
            assert status in {404, 405}, f"{method} {place.address}: {status}"


def test_whoever_has_no_role_any_more_is_a_stranger(
    app: Flask, demonstration: Demonstration
) -> None:
    client = demonstration.browser(app, "noor")
    page = client.page("/")
    assert page.h1 == "Sign in"
    assert "Your session has ended" in page.text
    assert client.get("/guidance").status_code == 200


def test_a_form_without_its_sessions_token_is_rejected(
    app: Flask, demonstration: Demonstration
) -> None:
    client = demonstration.browser(app, "ilena")
    with app.app_context():
        forms = [place for place in places(app, demonstration) if "POST" in place.methods]
    # Which row a form is about matters to no token: the short form takes one for each.
    if not is_long():
        forms = list({place.endpoint: place for place in forms}.values())
    taken = []
    for place in forms:
        response = client.open(place.address, method="POST", data={}, csrf=False)
        if response.status_code not in {400, 404}:
            taken.append((place.address, response.status))
    assert len(forms) > 30
    assert taken == []
