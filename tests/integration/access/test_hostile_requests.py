"""Requests that no browser sends, to every URL and form: none causes an internal error."""

from collections import deque
from collections.abc import Callable, Iterable, Iterator
from typing import Any
from urllib.parse import urlencode, urlsplit

import pytest
from flask import Flask
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from tests.client import CheckedClient
from tests.effort import is_long, tries
from tests.factories.demonstration import Demonstration
from tests.integration.access.places import (
    NUMBERS,
    Address,
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
    """Return the status of a response; errors of the application are raised here."""
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


def each_gets_one(
    places_sent_to: list[Address],
    requests: SearchStrategy[dict[str, Any]],
    send: Callable[[Address, dict[str, Any]], int],
) -> None:
    """Send generated requests to each place, one in the short form; none may cause an error.

    Each example is for the next places, so that a few examples reach all.
    """
    at_a_time = 20
    waiting = deque(places_sent_to * tries(short=1, long=30))
    wrong: list[str] = []

    @settings(max_examples=len(waiting) // at_a_time + 1, suppress_health_check=list(HealthCheck))
    @given(st.lists(requests, min_size=at_a_time, max_size=at_a_time))
    def run(generated: list[dict[str, Any]]) -> None:
        for sent in generated[: len(waiting)]:
            place = waiting.popleft()
            try:
                status: object = send(place, sent)
            except Exception as error:  # noqa: BLE001 -- the test names them all
                status = repr(error)
            if not isinstance(status, int) or status >= 500:
                wrong.append(f"{place.address}: {status}: {sent}")

    run()
    assert not waiting
    assert wrong == []


WILD_TEXT = st.sampled_from(
    ["", "\0", "-1", str(HUGE), "\ud800", "//[", "http://[", "9999-99-99", "\u0663", "{", "\u202e"]
) | st.text(max_size=20)
WILD_HEADER = st.sampled_from(
    [
        *("", "*;q=nan", "http://[", "[::1", "\xff", "a" * 300, "bytes=9-1,,"),
        *('W/"', "Basic ==", "session=x;;="),
    ]
) | st.text(st.characters(max_codepoint=255, exclude_categories=["Cc"]), max_size=20)
HEADERS = st.dictionaries(
    st.sampled_from(
        (
            *("Accept", "Accept-Encoding", "Accept-Language", "Authorization", "Cookie", "Host"),
            *("If-Modified-Since", "If-None-Match", "If-Range", "Origin", "Range", "Referer"),
            *("User-Agent", "X-Forwarded-For", "X-Requested-With"),
        )
    ),
    WILD_HEADER,
    max_size=3,
)
PAIRS = st.lists(
    st.tuples(st.sampled_from(PARAMETERS) | st.text(max_size=5), WILD_TEXT), max_size=5
).map(lambda pairs: urlencode(pairs, errors="surrogatepass"))
PARTS = st.lists(
    st.sampled_from(
        [
            b"Content-Disposition: form-data\r\n\r\nx",
            b"Content-Disposition: form-data; name=a\r\n\r\nx",
            b'Content-Disposition: form-data; name="\xff"; filename="\0../\xff"\r\n\r\n\xff',
            b"Content-Disposition: form-data; filename=a\r\n\r\nx",
            b"Content-Disposition: form-data; name=csrf_token; filename=x\r\n\r\nx",
            b"Content-Type: text/plain; charset=none\r\n\r\n\xff",
            b"\r\n",
        ]
    )
    | st.binary(max_size=30),
    max_size=4,
).map(lambda parts: b"".join(b"--b\r\n" + part + b"\r\n" for part in parts))
BODIES = (
    st.tuples(st.just("application/x-www-form-urlencoded"), PAIRS.map(str.encode))
    | st.tuples(
        st.sampled_from(["multipart/form-data; boundary=b", "multipart/form-data"]),
        PARTS | PARTS.map(lambda parts: parts + b"--b--\r\n"),
    )
    | st.tuples(
        st.sampled_from(["application/json", "text/plain; charset=none", "\xff"]),
        st.sampled_from([b"{", b"[]", b"\xff"]) | st.binary(max_size=30),
    )
)
READING = st.fixed_dictionaries({"query_string": PAIRS, "headers": HEADERS})
WRITING = st.builds(
    lambda body, more: {"content_type": body[0], "data": body[1], **more}, BODIES, READING
)


@pytest.mark.parametrize("key", PEOPLE)
def test_no_generated_request_for_a_page_is_an_error_of_ours(
    app: Flask, demonstration: Demonstration, key: str | None
) -> None:
    client = demonstration.browser(app, key)
    with app.app_context():
        pages = [place for place in places(app, demonstration) if "GET" in place.methods]
    # Reports on purpose what isn't well, with such a status too.
    firsts = {place.endpoint: place for place in pages if place.endpoint != "running.healthz"}

    def send(place: Address, sent: dict[str, Any]) -> int:
        response = client.get(place.address, read=False, **sent)
        response.close()
        return response.status_code

    each_gets_one(list(firsts.values()), READING, send)
    assert len(firsts) > 80


# If a body breaks off, Werkzeug leaves it to Python to close its file.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("key", PEOPLE)
def test_no_generated_body_is_an_error_of_ours(
    app: Flask, demonstration: Demonstration, key: str | None
) -> None:
    client = demonstration.browser(app, key)
    with app.app_context():
        sent_to = [place for place in places(app, demonstration) if "POST" in place.methods]
    firsts = {place.endpoint: place for place in sent_to}

    def send(place: Address, sent: dict[str, Any]) -> int:
        # Without a form's token nothing is accepted: the demonstration stays as it is.
        response = client.post(place.address, read=False, csrf=False, **sent)
        response.close()
        return response.status_code

    each_gets_one(list(firsts.values()), WRITING, send)
    assert len(firsts) > 80


def forms_of(client: CheckedClient, place: Address) -> list[Form]:
    """Return the forms of a page that are sent to their own address or to the page's."""
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
                if status in {302, 303}:  # something was accepted
                    reset_demonstration()
                    client = demonstration.browser(app, key)
    assert sent > 40 or key is None


def buttons_of(
    app: Flask, client: CheckedClient, pages: Iterable[Address], left_out: set[str]
) -> dict[str, Form]:
    """Return forms that pages send elsewhere, one for each endpoint that isn't left out."""
    urls = app.url_map.bind("localhost")
    forms: dict[str, Form] = {}
    for place in pages:
        for form in forms_of(client, place):
            endpoint, _values = urls.match(urlsplit(form.action).path, method="POST")
            if endpoint not in left_out:
                forms.setdefault(endpoint, form)
    return forms


@pytest.mark.parametrize("key", PEOPLE)
def test_no_button_that_sends_strange_values_is_an_error_of_ours(
    app: Flask,
    demonstration: Demonstration,
    reset_demonstration: Callable[[], Demonstration],
    key: str | None,
) -> None:
    client = demonstration.browser(app, key)
    with app.app_context():
        all_places = list(places(app, demonstration))
    # A page's own form is sent by the test above.
    own = {place.endpoint for place in all_places if place.methods == ("GET", "POST")}
    pages = {place.endpoint: place for place in all_places if "GET" in place.methods}
    buttons = buttons_of(app, client, pages.values(), own)
    wrong = []
    for endpoint, form in buttons.items():
        for data in strange_forms(form, sorted(form.names - NOT_CHANGED)):
            try:
                status: object = ask(client, "POST", form.action, data)
            except Exception as error:  # noqa: BLE001 -- the test names them all
                status = repr(error)
            if not isinstance(status, int) or status >= 500:
                wrong.append(f"{endpoint}: {status}: {data}"[:300])
            if status in {302, 303}:
                reset_demonstration()
                client = demonstration.browser(app, key)
    assert wrong == []
    assert len(buttons) > 10 or key != "ilena"


def strange_forms(form: Form, names: list[str]) -> Iterator[dict[str, list[str]]]:
    """Yield what is sent: all fields strange together; in the long form also one at a time."""
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


@pytest.mark.parametrize("sender", ["Origin", "Referer"])
def test_a_form_from_an_address_that_is_none_is_refused_without_its_text(
    client: CheckedClient, sender: str
) -> None:
    response = client.post("/language", csrf=False, headers={sender: "http://["})
    assert response.status_code == 400


def test_a_redirect_names_no_host(client: CheckedClient) -> None:
    response = client.get("/guidance//x?y=1", headers={"Host": "localhost:8080"})
    assert (response.status_code, response.location) == (308, "/guidance/x?y=1")


def test_a_field_without_a_name_is_refused(client: CheckedClient) -> None:
    part = b"--b\r\nContent-Disposition: form-data\r\n\r\nx\r\n--b--\r\n"
    response = client.post("/sign-in", content_type="multipart/form-data; boundary=b", data=part)
    assert response.status_code == 400


@pytest.mark.parametrize("elsewhere", ["http://[", "//elsewhere.example", "/\\x", "/\t/x", "x"])
def test_the_choice_of_a_language_leads_nowhere_else(client: CheckedClient, elsewhere: str) -> None:
    response = client.post("/language", data={"language": "en", "back": elsewhere})
    assert response.location == "/"
    assert client.get("/sign-in", query_string={"next": elsewhere}).status_code == 200
