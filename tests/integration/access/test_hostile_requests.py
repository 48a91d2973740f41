"""Requests that no browser sends, to every URL and form: none causes an internal error."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from tests.client import CheckedClient
from tests.effort import is_long, tries
from tests.factories.demonstration import Demonstration
from tests.integration.access.places import (
    NUMBERS,
    Place,
    methods_of,
    places,
    things,
    things_of,
)
from tests.pages import Form, Page

HUGE = 10**26 - 1
NUMBERS_SENT = (HUGE, 2**63, 2**31)[: tries(short=1, long=3)]
WORDS_SENT = ("\0", "a\0b", "\N{REVERSE SOLIDUS}..", "x\r\nSet-Cookie: a=b", "9" * 3000)[
    : tries(short=1, long=5)
]
VALUES_SENT = (
    "\0",
    "9" * 5000,
    "-1",
    "\N{RIGHT-TO-LEFT OVERRIDE}",
    "{" * 900,
    "\N{FAMILY}" * 3000,
)[: tries(short=2, long=6)]
PARAMETERS = ("page", "q", "number", "until", "visit", "before", "after", "state", "next", "items")
NOT_CHANGED = {"csrf_token"}
PEOPLE = ["ilena", "tomas", "samira", "iris", None] if is_long() else ["ilena"]


def strange_addresses(app: Flask, demonstration: Demonstration) -> Iterator[tuple[str, str]]:
    """Yield method and address of each rule, with one strange part at a time."""
    urls = app.url_map.bind("localhost")
    known = things(demonstration)
    for rule in app.url_map.iter_rules():
        if not rule.arguments or rule.endpoint == "gallery.show":
            continue
        values = things_of(rule, known)[0].values
        for name in rule.arguments:
            for sent in NUMBERS_SENT if name in NUMBERS else WORDS_SENT:
                address = urls.build(rule.endpoint, {**values, name: sent}, methods_of(rule)[0])
                for method in methods_of(rule):
                    yield method, address


def ask(client: CheckedClient, method: str, address: str, data: object = None) -> int:
    """Return the status of an answer; an error of ours is raised here."""
    sent = (data or {}) if method == "POST" else None
    response = client.open(address, method=method, read=False, data=sent)
    response.close()
    return response.status_code


@pytest.mark.parametrize("key", PEOPLE)
def test_no_address_with_a_strange_part_is_an_error_of_ours(
    app: Flask, demonstration: Demonstration, key: str | None
) -> None:
    client = demonstration.browser(app, key)
    with app.app_context():
        strange = list(strange_addresses(app, demonstration))
    statuses = {ask(client, method, address) for method, address in strange}
    assert len(strange) > 150
    assert statuses <= {200, 302, 303, 308, 400, 403, 404, 405, 409, 422, 503}


@pytest.mark.parametrize("key", PEOPLE)
def test_no_page_with_a_strange_parameter_is_an_error_of_ours(
    app: Flask, demonstration: Demonstration, key: str | None
) -> None:
    client = demonstration.browser(app, key)
    with app.app_context():
        pages = [place for place in places(app, demonstration) if "GET" in place.methods]
    sent = {name: [str(HUGE), "\0", "-1"] for name in PARAMETERS}
    firsts = {place.endpoint: place for place in pages}
    for place in firsts.values():
        for number in range(tries(short=1, long=3)):
            response = client.get(
                place.address,
                query_string={name: values[number] for name, values in sent.items()},
                read=False,
            )
            response.close()
            assert response.status_code < 500 or place.endpoint == "running.healthz", place
    assert len(firsts) > 80


def forms_of(client: CheckedClient, place: Place) -> list[Form]:
    """Return the forms of a page that are sent to an address of their own or to the page's."""
    response = client.get(place.address, read=False)
    if response.status_code != 200 or response.mimetype != "text/html":
        return []
    page = Page.of(response)
    forms = [Form(element) for element in page.root.iter("form")]
    for form in forms:
        form.action = form.action or place.address
    return [form for form in forms if form.method == "post"]


@pytest.mark.parametrize("key", PEOPLE)
def test_no_form_with_strange_values_is_an_error_of_ours(
    app: Flask,
    demonstration: Demonstration,
    reset_demonstration: Callable[[], Demonstration],
    key: str | None,
) -> None:
    client = demonstration.browser(app, key)
    with app.app_context():
        firsts = {
            place.endpoint: place
            for place in places(app, demonstration)
            if place.methods == ("GET", "POST")
        }
    sent = 0
    for place in firsts.values():
        for form in forms_of(client, place):
            names = sorted(form.names - NOT_CHANGED)
            for data in strange_forms(form, names):
                status = ask(client, "POST", form.action, data)
                assert status < 500, (place.address, data)
                sent += 1
                if status in {302, 303}:  # something was taken
                    reset_demonstration()
                    client = demonstration.browser(app, key)
    assert sent > 40 or key is None


def strange_forms(form: Form, names: list[str]) -> Iterator[dict[str, list[str]]]:
    """Yield what is sent: all fields strange at once; in the long form also one at a time."""
    unchanged = {name: form.values[name] for name in NOT_CHANGED if name in form.values}
    for value in VALUES_SENT:
        yield unchanged | {name: [value] for name in names}
        if is_long():
            for name in names:
                yield {**form.filled_in(), name: [value]}


@pytest.mark.parametrize(
    ("address", "status"),
    [
        (f"/checkpoints/{HUGE}", 404),
        (f"/checkpoints/{2**31}", 404),
        ("/guidance/%00", 404),
        ("/guidance/settling-terms%0a", 404),
        ("/guidance?q=%00", 200),
    ],
)
def test_what_no_page_links_to_is_refused_in_a_page_of_ours(
    client: CheckedClient, address: str, status: int
) -> None:
    response = client.get(address)
    assert response.status_code == status
    assert response.mimetype == "text/html"
