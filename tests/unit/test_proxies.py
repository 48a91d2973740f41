"""What a request says about itself, behind proxies and without."""

import re
from pathlib import Path

import pytest
from flask import Flask, request, request_started

from tests.pages import Page
from tracker import create_app
from tracker.settings import Settings

FORGED = {
    "X-Forwarded-For": "198.51.100.7, 192.0.2.4",
    "X-Forwarded-Proto": "http",
    "X-Forwarded-Host": "elsewhere.example",
    "X-Forwarded-Port": "81",
    "X-Forwarded-Prefix": "/elsewhere",
    "Forwarded": "for=198.51.100.9;proto=http;host=elsewhere.example",
}


@pytest.mark.parametrize(
    ("proxies", "client"), [(0, "127.0.0.1"), (1, "192.0.2.4"), (2, "198.51.100.7")]
)
def test_only_trusted_proxies_name_the_client_and_nobody_the_host_or_https(
    tmp_path: Path, proxies: int, client: str
) -> None:
    app = create_app(
        Settings.from_environment(
            {
                "TRACKER_DATA_DIR": str(tmp_path),
                "TRACKER_BASE_URL": "https://terms.example",
                "TRACKER_TRUSTED_PROXIES": str(proxies),
            }
        )
    )
    seen = []

    def look(_app: Flask, **_more: object) -> None:
        seen.append((request.remote_addr, request.root_url))

    with request_started.connected_to(look, app):
        # A file, since no page is shown without the database.
        app.test_client().get(
            "/static/icon.svg", base_url="https://terms.example", headers=FORGED
        ).close()
    assert seen == [(client, "https://terms.example/")]


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("terms.example", 200),
        ("terms.example:8443", 200),
        ("terms.internal", 200),
        ("10.0.0.5:8000", 200),
        ("localhost:8000", 200),
        ("127.0.0.1", 200),
        ("Terms.EXAMPLE:8443", 200),
        ("terms.example.", 200),
        ("Terms.Internal.:8000", 200),
        ("LOCALHOST", 200),
        ("terms.example..", 400),
        (".terms.example", 400),
        ("Evil.Example.", 400),
        ("evil.example", 400),
        ("evil.terms.example", 400),
        ("terms.example.evil.example", 400),
        ("terms.example@evil.example", 400),
        ("10.0.0.6", 400),
        ("[::1]", 400),
        ("a" * 300, 400),
        ("terms.example:99999", 400),
        ("", 400),
        (None, 400),
    ],
)
def test_a_host_that_no_setting_names_is_refused_in_words_that_repeat_nothing(
    tmp_path: Path, host: str | None, status: int
) -> None:
    app = create_app(
        Settings.from_environment(
            {
                "TRACKER_DATA_DIR": str(tmp_path),
                "TRACKER_BASE_URL": "https://terms.example",
                "TRACKER_TRUSTED_HOSTS": "terms.internal, 10.0.0.5",
            }
        )
    )
    client = app.test_client()
    named = {"HTTP_HOST": host, "SERVER_NAME": "waitress.invalid"}
    response = client.get("/static/icon.svg", environ_overrides=named)
    assert response.status_code == status
    response.close()
    if status == 200:
        return
    # Whatever is asked for or sent: there is no database, so nothing was read in one either.
    for answer in (
        response,
        client.get("/nowhere?a=evil", environ_overrides=named),
        client.post("/sign-in?next=//evil.example", environ_overrides=named, data={"email": "e"}),
    ):
        page = Page.of(answer)
        assert (answer.status_code, page.h1) == (400, "Common Terms isn't at this address")
        assert not re.search(r"evil|href|src|Host|\[::1|aaaa", answer.text)
        assert "Location" not in answer.headers
        assert answer.headers["Cache-Control"] == "no-store"


def test_addresses_that_a_request_leads_to_have_its_host_in_small_letters(tmp_path: Path) -> None:
    app = create_app(Settings.from_environment({"TRACKER_DATA_DIR": str(tmp_path)}))
    seen = []

    def look(_app: Flask, **_more: object) -> None:
        seen.append((request.host, request.root_url))

    with request_started.connected_to(look, app):
        for host in ("LocalHost:8000", "localhost.:8000"):
            named = {"HTTP_HOST": host}
            app.test_client().get("/static/icon.svg", environ_overrides=named).close()
    # The final dot is part of the address from which a browser says that a form came.
    assert seen == [
        ("localhost:8000", "http://localhost:8000/"),
        ("localhost.:8000", "http://localhost.:8000/"),
    ]


@pytest.mark.parametrize(
    ("base_url", "is_debugged"), [("https://terms.example", False), ("http://localhost:8000", True)]
)
def test_an_instance_that_people_reach_by_https_is_never_debugged(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, base_url: str, is_debugged: bool
) -> None:
    monkeypatch.setenv("FLASK_DEBUG", "1")
    app = create_app(
        Settings.from_environment({"TRACKER_DATA_DIR": str(tmp_path), "TRACKER_BASE_URL": base_url})
    )
    assert app.debug is is_debugged
    assert ("gallery.show" in app.view_functions) is is_debugged
