"""Error pages, headers and files: what every response has, whatever went wrong."""

import gzip
import hashlib
from collections.abc import Callable
from uuid import uuid4

import pytest
from flask import Flask, render_template_string
from itsdangerous import URLSafeSerializer

from tests.factories.ui import PageFrame, make_page_frame, person
from tests.pages import Page
from tracker.ui.gallery import SampleForm, register_gallery
from tracker.ui.typed_text import SHOWN_FIELDS, typed_text


def test_a_refusal_gives_its_reason(frame: PageFrame) -> None:
    frame.actor = person()
    page = frame.page("/refused", status=403)
    assert page.h1 == "You can't do this"
    assert "Only the NPM may do this." in page.text


def test_a_page_closed_to_a_role_says_that_the_person_has_no_access(frame: PageFrame) -> None:
    frame.actor = person()
    page = frame.page("/closed", status=403)
    assert page.h1 == "You don't have access to this"
    assert "Your role doesn't include this." in page.text


def test_a_broken_rule_that_no_form_shows_has_a_page(frame: PageFrame) -> None:
    page = frame.page("/broken", status=409)
    assert "The terms are signed already." in page.text


def test_an_unknown_address_has_a_page_in_the_frame(frame: PageFrame) -> None:
    page = frame.page("/nothing/here", status=404)
    assert page.h1 == "We can't find that page for you"
    assert page.links()["Go to the first page"] == "/"


@pytest.mark.parametrize(("address", "status"), [("/nothing/here", 404), ("/fault", 500)])
def test_what_was_typed_for_a_page_that_is_gone_or_fails_is_shown_again(
    frame: PageFrame, address: str, status: int
) -> None:
    frame.app.config["WTF_CSRF_ENABLED"] = False
    typed = {"reason": "Because it rained."}
    ours = {"Origin": "http://localhost"}
    answer = frame.client.post(address, data=typed, headers=ours)
    assert answer.status_code == status
    assert typed["reason"] in answer.text
    assert typed["reason"] not in frame.client.post(address, data=typed).text


def test_a_wrong_method_has_a_page_that_names_the_right_ones(frame: PageFrame) -> None:
    answer = frame.client.get("/language")
    assert answer.status_code == 405
    assert "POST" in answer.headers["Allow"]
    assert Page.of(answer).h1 == "This address can't take that"


def test_an_internal_error_reveals_no_details(frame: PageFrame) -> None:
    page = frame.page("/fault", status=500)
    assert page.h1 == "Something went wrong on our side"
    assert "ZeroDivision" not in page.html


def test_a_fault_while_reading_who_acts_still_has_a_page(frame: PageFrame) -> None:
    def fail() -> None:
        raise ConnectionError

    frame.app.extensions["load_actor"] = fail
    answer = frame.client.get("/")
    assert answer.status_code == 500
    page = Page.of(answer)
    page.check()
    assert page.h1 == "Something went wrong on our side"


def test_too_large_a_form_is_refused_in_words(frame: PageFrame) -> None:
    frame.app.config["MAX_CONTENT_LENGTH"] = 1000
    answer = frame.client.post("/", data={"words": "x" * 2000})
    assert answer.status_code == 413
    assert Page.of(answer).h1 == "This is too large"


def test_a_form_without_its_token_shows_what_was_typed_for_copying(frame: PageFrame) -> None:
    answer = frame.client.post(
        "/",
        data={"objective": "To see\nlawyers", "password": "secret", "code": "418203"},
        headers={"Origin": "http://localhost"},
    )
    assert answer.status_code == 400
    page = Page.of(answer)
    page.check()
    assert page.h1 == "Your session ended before this was sent"
    assert "To see\nlawyers" in page.html
    assert "secret" not in page.html
    assert "418203" not in page.html


def test_signing_in_again_leads_back_to_the_page_of_the_form(frame: PageFrame) -> None:
    def addresses(sender: str) -> list[str]:
        headers = {"Origin": "http://localhost", "Referer": sender}
        answer = frame.client.post("/", data={"objective": "To see"}, headers=headers)
        return [link for link in Page.of(answer).addresses() if "next=" in link]

    assert addresses("http://localhost/undertakings/7?open=c8") == [
        "/sign-in?next=%2Fundertakings%2F7%3Fopen%3Dc8"
    ]
    assert addresses("https://evil.example/undertakings/7") == []


@pytest.mark.parametrize("sender", ["https://evil.example", "null", ""])
def test_a_form_that_another_site_sent_is_not_shown(frame: PageFrame, sender: str) -> None:
    answer = frame.client.post("/", data={"words": "Call this number"}, headers={"Origin": sender})
    assert answer.status_code == 400
    assert "Call this number" not in answer.get_data(as_text=True)


def test_of_a_form_with_very_many_fields_some_are_shown(in_request: Callable[..., None]) -> None:
    in_request(method="POST", data={f"field{n}": "x" for n in range(5000)})
    assert len(typed_text()) == SHOWN_FIELDS


def test_what_was_typed_is_shown_under_the_labels_of_the_form_that_the_view_made(
    in_request: Callable[..., None],
) -> None:
    sent = {"objective": "To see", "costs-0-cost": "Fuel", "sensitive": "none", "other": "words"}
    in_request(method="POST", data={**sent, "title": " ", "csrf_token": "x", "add_row": "costs"})
    SampleForm()
    assert typed_text() == [
        ("Objective", "To see"),
        ("Costs, row 1, Cost", "Fuel"),
        ("Text 3", "words"),
    ]


def test_what_was_typed_is_shown_under_the_labels_of_the_form_that_has_its_fields(
    in_request: Callable[..., None],
) -> None:
    sent = {"objective": "To see", "costs-0-cost": "Fuel", "sensitive": "none", "other": "words"}
    in_request(method="POST", data=sent)
    assert typed_text() == [("Objective", "To see"), ("Costs", "Fuel"), ("Text 3", "words")]


def test_what_a_page_filled_in_itself_was_not_typed(in_request: Callable[..., None]) -> None:
    token = URLSafeSerializer("x" * 32, signer_kwargs={"digest_method": hashlib.sha256}).dumps(
        "a" * 9
    )
    sent = {
        "M1-question": token,
        "M1-shown": hashlib.sha256(b"").hexdigest(),
        "M1-who": str(uuid4()),
        "M1-words": "two years",
        "confirmed": "y",
        "address": "https://an-example-of-an-address.example/a.b",
    }
    in_request(method="POST", data=sent)
    assert typed_text() == [("M1, Text 1", "two years"), ("Text 2", sent["address"])]


@pytest.mark.parametrize("url", ["/", "/nothing", "/fault", "/static/css/base.css", "/static/no"])
def test_every_answer_carries_the_security_headers(frame: PageFrame, url: str) -> None:
    headers = frame.client.get(url).headers
    policy = headers["Content-Security-Policy"]
    assert policy.startswith("default-src 'none'; script-src 'self'; style-src 'self'")
    assert "unsafe" not in policy
    assert "frame-ancestors 'none'" in policy
    assert headers["Referrer-Policy"] == "same-origin"
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert "camera=()" in headers["Permissions-Policy"]


@pytest.mark.parametrize("url", ["/", "/nothing", "/fault", "/static/css/base.css"])
def test_no_answer_repeats_a_request_or_is_open_to_another_site(frame: PageFrame, url: str) -> None:
    secret = {"Origin": "https://evil.example", "Authorization": "a-secret-of-a-proxy"}
    for method in ("TRACE", "TRACK", "CONNECT"):
        answer = frame.client.open(url, method=method, headers=secret)
        assert answer.status_code in {404, 405}
        assert secret["Authorization"] not in answer.get_data(as_text=True)
    for method in ("GET", "OPTIONS"):
        answer = frame.client.open(url, method=method, headers=secret)
        assert not [name for name, _ in answer.headers if name.startswith("Access-Control-")]


@pytest.mark.parametrize("url", ["/", "/nothing", "/static/no"])
def test_pages_are_kept_nowhere(frame: PageFrame, url: str) -> None:
    frame.actor = person()
    assert frame.client.get(url).headers["Cache-Control"] == "no-store"


@pytest.mark.parametrize(
    ("setting", "words"),
    [("subdomains", "; includeSubDomains"), ("preload", "; includeSubDomains; preload")],
)
def test_browsers_use_https_for_subdomains_too_if_it_is_set(setting: str, words: str) -> None:
    frame = make_page_frame(TRACKER_BASE_URL="https://terms.example", TRACKER_HSTS=setting)
    header = frame.client.get("/").headers["Strict-Transport-Security"]
    assert header == f"max-age=31536000{words}"


def test_browsers_are_kept_on_https_when_the_instance_is_reached_by_it() -> None:
    plain = make_page_frame().client.get("/").headers
    secure = make_page_frame(TRACKER_BASE_URL="https://terms.example").client.get("/").headers
    assert "Strict-Transport-Security" not in plain
    assert secure["Strict-Transport-Security"] == "max-age=31536000"


def test_files_are_kept_for_good_under_their_fingerprint(frame: PageFrame) -> None:
    page = frame.client.get("/").get_data(as_text=True)
    address = page.split('rel="stylesheet" href="')[1].split('"')[0]
    assert address.startswith("/static/css/tokens.css?v=")
    caching = frame.client.get(address).headers["Cache-Control"]
    assert "immutable" in caching
    assert "max-age=31536000" in caching
    assert "immutable" not in frame.client.get("/static/css/tokens.css").headers["Cache-Control"]


def test_files_are_sent_compressed_to_browsers_that_take_it(frame: PageFrame) -> None:
    plain = frame.client.get("/static/css/base.css")
    packed = frame.client.get("/static/css/base.css", headers={"Accept-Encoding": "gzip"})
    assert packed.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(packed.data) == plain.data
    assert plain.headers["Vary"] == packed.headers["Vary"] == "Accept-Encoding"
    assert plain.headers["ETag"] != packed.headers["ETag"]


def test_a_file_that_has_not_changed_is_not_sent_again(frame: PageFrame) -> None:
    tag = frame.client.get("/static/js/page.js").headers["ETag"]
    again = frame.client.get("/static/js/page.js", headers={"If-None-Match": tag})
    assert (again.status_code, again.data) == (304, b"")


@pytest.mark.parametrize("name", ["../config.py", "..%2fconfig.py", "css/", "css/none.css"])
def test_only_files_of_the_folder_are_sent(frame: PageFrame, name: str) -> None:
    assert frame.client.get(f"/static/{name}").status_code == 404


def test_the_first_page_needs_little_and_nothing_from_elsewhere(frame: PageFrame) -> None:
    html = frame.client.get("/").data
    page = Page(html.decode(), "/")
    needed = [
        element.attrib.get("href") or element.attrib["src"]
        for element in page.root.iter()
        if element.tag == "link" or "src" in element.attrib
    ]
    assert all(address.startswith("/static/") for address in needed)
    sizes = [
        len(frame.client.get(address, headers={"Accept-Encoding": "gzip"}).data)
        for address in needed
    ]
    assert sum(sizes) + len(html) < 60 * 1024


def test_the_gallery_shows_problems_and_keeps_what_was_typed(frame: PageFrame) -> None:
    frame.app.config["WTF_CSRF_ENABLED"] = False
    answer = frame.client.post("/gallery", data={"title": "Joint work", "costs-0-rule": "fair"})
    page = Page.of(answer)
    page.check()
    assert page.title.startswith("Problem: ")
    assert "Costs, row 1, Cost: Enter an answer" in page.text
    assert 'value="Joint work"' in page.html


def test_the_gallery_is_closed_in_an_instance_that_people_use() -> None:
    app = Flask("tracker")
    register_gallery(app)
    assert "gallery.show" not in app.view_functions


@pytest.mark.parametrize("language", ["en", "ar"])
@pytest.mark.parametrize("url", ["/gallery", "/protects", "/accessibility"])
def test_pages_of_the_frame_are_valid_in_every_language(
    frame: PageFrame, url: str, language: str
) -> None:
    page = frame.page(url, headers={"Accept-Language": language})
    assert page.root.attrib["lang"] == language


def test_the_page_that_promises_erasure_says_what_the_tool_cannot_do_yet(frame: PageFrame) -> None:
    text = frame.page("/protects").text
    assert "Destroying that key erases it, in old backups too. The tool can't do this yet." in text
    assert "but can't erase earlier versions from the history yet." in text


MAIL = '{% extends "layouts/mail.txt" %}{% block body %}Something waits for you.{% endblock %}'


def test_a_mail_is_plain_text_with_a_neutral_frame(frame: PageFrame) -> None:
    link = "https://terms.example/c/1?a=1&b=2"
    with frame.app.test_request_context():
        frame.app.jinja_env.autoescape = False
        text = render_template_string(MAIL, name="D'Arcy & Sons", link=link)
    assert text.splitlines() == [
        "Dear D'Arcy & Sons,",
        "",
        "Something waits for you.",
        "",
        link,
        "",
        "You'll find the details after signing in. To protect the work, this email has none.",
        "Nobody reads replies to this address.",
        "",
        "Common Terms",
    ]
