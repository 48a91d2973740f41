"""What people are told of a mail: on its way with a mail server, else written and not sent."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from flask import Flask

from tracker.mail import wording

SAYS: list[Callable[[], str]] = [
    lambda: wording.of_code("ada@example.org"),
    lambda: wording.of_invitation("ada@example.org"),
    wording.of_reminder,
    lambda: wording.of_test("ada@example.org"),
]


@pytest.mark.parametrize("say", SAYS)
def test_a_mail_is_on_its_way_only_where_a_server_takes_it(
    app: Flask, monkeypatch: pytest.MonkeyPatch, say: Callable[[], str]
) -> None:
    settings = app.extensions["settings"]
    monkeypatch.setitem(app.extensions, "settings", replace(settings, mail_url=""))
    with app.test_request_context():
        assert "written" in say()
        assert "on its way" not in say()
    server = replace(settings, mail_url="smtp://mail.example:25")
    monkeypatch.setitem(app.extensions, "settings", server)
    with app.test_request_context():
        assert "is on its way" in say()
