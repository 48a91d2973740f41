"""Every route is marked; the public ones, and those that stay disabled, are listed here by hand."""

import pytest
from flask import Flask

from tracker import create_app
from tracker.access.gate import mark_of
from tracker.settings import Settings

# Adding a line here opens a page to the whole world.
PUBLIC = {
    "accounts.accept_invitation",
    "evidence.checkpoint",
    "evidence.consistency",
    "evidence.newest_checkpoint",
    "evidence.public_keys",
    "guidance.article",
    "guidance.library",
    "guidance.revision",
    "help.index",
    "help.mine",
    "help.reader",
    "help.words",
    "running.healthz",
    "security.forgot_password",
    "security.login",
    "security.logout",
    "security.mf_recovery",
    "security.reset_password",
    "security.two_factor_token_validation",
    "security.wan_signin",
    "security.wan_signin_response",
    "static",
    "ui.accessibility",
    "ui.choose_language",
    "ui.protects",
    "verification.verify",
}
# Flask-Security's pages that ours replace.
CLOSED = {
    "security.tf_select",
    "security.two_factor_rescue",
    "security.two_factor_setup",
    "security.two_factor_setup_validate",
    "security.wan_delete",
}


@pytest.fixture(scope="module")
def app(tmp_path_factory: pytest.TempPathFactory) -> Flask:
    """The whole application; its database isn't used here."""
    return create_app(
        Settings.from_environment({"TRACKER_DATA_DIR": str(tmp_path_factory.mktemp("data"))})
    )


def endpoints(app: Flask) -> set[str]:
    return {rule.endpoint for rule in app.url_map.iter_rules()}


def test_every_page_is_public_or_for_signed_in_people(app: Flask) -> None:
    marks = {endpoint: mark_of(app, endpoint) for endpoint in endpoints(app)}
    assert len(marks) > 60
    assert {name for name, mark in marks.items() if mark == "public"} == PUBLIC
    assert {name for name, mark in marks.items() if mark is None} == CLOSED
    assert set(marks.values()) == {"public", "signed_in", None}


def test_a_page_without_a_mark_is_closed_to_everybody(app: Flask) -> None:
    client = app.test_client()
    for rule in app.url_map.iter_rules():
        if rule.endpoint in CLOSED:
            address = app.url_map.bind("localhost").build(
                rule.endpoint, dict.fromkeys(rule.arguments, "x"), method=None
            )
            for method in (rule.methods or set()) & {"GET", "POST"}:
                assert client.open(address, method=method).status_code in {400, 404}, address


def test_every_address_is_plain(app: Flask) -> None:
    untidy = [
        rule.rule
        for rule in app.url_map.iter_rules()
        if rule.rule != rule.rule.lower() or (rule.rule.endswith("/") and rule.rule != "/")
    ]
    assert untidy == []
