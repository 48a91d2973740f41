"""What a request says about itself, behind proxies and without."""

from pathlib import Path

import pytest
from flask import Flask, request, request_started

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
