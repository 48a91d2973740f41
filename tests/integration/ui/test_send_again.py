"""A form that meets a busy database is sent again with one button, as it was."""

import io
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.orm import Session
from werkzeug.datastructures import MultiDict
from werkzeug.test import TestResponse

from tests.client import CheckedClient
from tests.factories.accounts import PASSWORD, People, make_people, signed_in
from tests.factories.negotiations import Negotiation, set_out
from tests.factories.templates import KINDS, a_column, a_field, a_table, a_template, an_item
from tests.integration.accounts.test_unavailable import out_of_reach
from tests.pages import Form, Page
from tracker.checklist_templates import library
from tracker.checklist_templates.schema import RESERVED
from tracker.checklists.forms import name_of
from tracker.core.csrf import masked, unmasked
from tracker.core.paths import CONTENT
from tracker.ui import send_again
from tracker.ui.form_base import Form as AnyForm
from tracker.ui.typed_text import NOT_SHOWN, _fields_of, _form_classes

OURS = {"Origin": "http://localhost"}
BUTTON = "Send it again"


def meets_busy(
    app: Flask, client: CheckedClient, address: str, data: Any, headers: Any = None
) -> Page:
    """Send a form while nothing can be saved; return the page that comes back."""
    with out_of_reach(app):
        answer = client.open(address, method="POST", data=data, csrf=False, headers=headers or OURS)
    assert answer.status_code == 503
    return Page.of(answer)


def press(client: CheckedClient, form: Form) -> TestResponse:
    """Press the only button of a page that came back."""
    return client.open(
        form.action, method="POST", data=form.values, csrf=False, follow_redirects=True
    )


def without_token(values: dict[str, list[str]]) -> dict[str, list[str]]:
    return {name: texts for name, texts in values.items() if name != "csrf_token"}


@pytest.fixture
def people(session: Session) -> People:
    return make_people(session)


@pytest.fixture
def chosen(session: Session) -> Negotiation:
    """Terms with a table of selects and texts, boxes, a box to confirm, and a place to decide."""
    who = a_column("who", "choice", options=KINDS)
    fruit = [{"value": code, "label": code} for code in ("apple", "pear", "plum")]
    template = a_template(
        an_item(
            "M1",
            a_field("words"),
            a_field("sure", "confirm", required=False),
            a_field("fruit", "choices", options=fruit, required=False),
            a_table("cover", a_column("note"), who, required=False),
        ),
        an_item("M2", a_field("words")),
    )
    return set_out(session, template=template)


def test_an_item_with_a_table_boxes_and_lists_is_saved_by_the_second_press(
    app: Flask, chosen: Negotiation
) -> None:
    client = chosen.country.browser(app, "samira")
    address = f"/checklists/{chosen.checklist().id}/items/M1/answer"
    shown = client.page(address)
    police, other = KINDS[0]["value"], KINDS[1]["value"]
    sent = {
        **shown.form().values,
        "words": ["First line\n<script>\"quoted\" & 'so'\n\nlast line"],
        "sure": ["y"],
        "fruit": ["plum", "apple"],
        "cover-0-note": ["Travel"],
        "cover-0-who": [other],
        "cover-1-note": ["المبيت"],
        "cover-1-who": [police],
    }
    page = meets_busy(app, client, address, sent)
    assert BUTTON in page.buttons()
    again = page.form()
    assert without_token(again.values) == without_token(sent)
    assert list(without_token(again.values)) == list(without_token(sent))
    answer = press(client, again)
    assert answer.status_code == 200
    saved = client.page(address).form().values
    assert saved["words"] == sent["words"]
    assert (saved["sure"], sorted(saved["fruit"])) == (["y"], ["apple", "plum"])
    for name in ("cover-0-note", "cover-0-who", "cover-1-note", "cover-1-who"):
        assert saved[name] == sent[name]


def test_a_button_of_the_form_that_was_pressed_is_pressed_again(
    app: Flask, chosen: Negotiation
) -> None:
    client = chosen.country.browser(app, "samira")
    address = f"/checklists/{chosen.checklist().id}/items/M1/answer"
    sent = {**client.page(address).form().values, "words": ["Kept"], "go": ["on"]}
    again = meets_busy(app, client, address, sent).form()
    assert again.values["go"] == ["on"]


def test_what_is_left_to_decide_is_saved_by_the_second_press(
    app: Flask, chosen: Negotiation
) -> None:
    chosen.save("ilena", "M2", words="It lasts [to decide: how long].")
    client = chosen.country.browser(app, "ilena")
    address = f"/checklists/{chosen.checklist().id}/decide"
    form = client.page(address).form()
    sent = {**form.values, "M2-words": ["It lasts two years."]}
    again = meets_busy(app, client, address, sent).form()
    assert without_token(again.values) == without_token(sent)
    press(client, again)
    assert (
        "It lasts two years."
        in client.page(f"/checklists/{chosen.checklist().id}/items/M2/answer").html
    )


def test_of_signing_in_only_the_address_comes_back(
    app: Flask, people: People, client: CheckedClient
) -> None:
    sent = client.page("/sign-in").form().filled_in(email="samira@example.org", password=PASSWORD)
    page = meets_busy(app, client, "/sign-in", sent)
    assert PASSWORD not in page.html
    assert "samira@example.org" in page.html


def test_a_file_is_asked_for_again(app: Flask, people: People, client: CheckedClient) -> None:
    signed_in(client, "dora")
    token = client.page("/account").forms()[0].values["csrf_token"][0]
    data = {
        "csrf_token": token,
        "name": "Dora",
        "file": (io.BytesIO(b"secret bytes"), "scan of dora.pdf"),
    }
    page = meets_busy(app, client, "/account", data)
    assert "We don't keep files" in page.text
    assert "secret bytes" not in page.html
    assert "scan of dora" not in page.html


@pytest.mark.parametrize(
    "headers", [{"Origin": "https://evil.example"}, {"Origin": "null"}, {"X-None": "1"}]
)
def test_a_form_of_another_site_is_not_offered_to_be_sent(
    app: Flask, people: People, client: CheckedClient, headers: dict[str, str]
) -> None:
    signed_in(client, "dora")
    token = client.page("/account").forms()[0].values["csrf_token"][0]
    data = {"csrf_token": token, "name": "Evil"}
    page = meets_busy(app, client, "/account", data, headers)
    assert BUTTON not in page.buttons()
    assert "Evil" not in page.html


@pytest.mark.parametrize("token", [None, "", "x"])
def test_a_form_without_the_sessions_token_is_not_offered_to_be_sent(
    app: Flask, people: People, client: CheckedClient, token: str | None
) -> None:
    signed_in(client, "dora")
    data = {"name": "Typed", **({} if token is None else {"csrf_token": token})}
    with out_of_reach(app):
        answer = client.open("/account", method="POST", data=data, csrf=False, headers=OURS)
    assert answer.status_code in {400, 503}
    assert BUTTON not in Page.of(answer).buttons()


def test_the_fresh_token_keeps_the_organisation_of_the_page_that_was_sent(
    app: Flask, people: People, client: CheckedClient
) -> None:
    signed_in(client, "dora")
    sent = client.page("/account").forms()[0].values["csrf_token"][0]
    token, _sign, _mark = unmasked(sent).partition("|")
    data = {"csrf_token": masked(f"{token}|0123abcd"), "name": "Dora"}
    again = meets_busy(app, client, "/account", data).form()
    fresh = again.values["csrf_token"][0]
    assert fresh != data["csrf_token"]
    assert unmasked(fresh).endswith("|0123abcd")


def test_a_form_too_large_to_send_again_is_shown_to_be_copied(
    app: Flask, people: People, client: CheckedClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed_in(client, "dora")
    token = client.page("/account").forms()[0].values["csrf_token"][0]
    data = {"csrf_token": token, "name": "Dora of the harbour"}
    for limit in ("MOST_FIELDS", "MOST_CHARACTERS"):
        with monkeypatch.context() as patched:
            patched.setattr(send_again, limit, 1)
            page = meets_busy(app, client, "/account", data)
        assert BUTTON not in page.buttons()
        assert "Dora of the harbour" in page.text
        assert "Copy it" in page.text


def test_values_of_a_repeated_name_stay_in_their_order(app: Flask) -> None:
    sent = MultiDict([("b", "2"), ("a", "3"), ("b", "1"), ("b", "2")])
    with app.test_request_context("/account?next=%2Fx&q=a+b", method="POST", data=sent):
        assert send_again._fields_in_order() == [("b", "2"), ("b", "1"), ("b", "2"), ("a", "3")]
        assert send_again._address() == "/account?next=%2Fx&q=a+b"


def test_every_field_for_a_proof_is_left_out_and_no_answer_is() -> None:
    proofs: set[str] = set()
    others: set[str] = set()
    for form_class in _form_classes(AnyForm):
        for name, field in _fields_of(form_class).items():
            is_proof = field.field_class.__name__ in {"PasswordField", "CodeField"}
            (proofs if is_proof else others).add(name)
    assert proofs <= send_again.names_left_out(proofs)
    # A recovery code, a passkey's response, and the secret of a new app.
    expected = {"code", "credential", "passkey", "setup", "csrf_token", "page_token"}
    assert send_again.names_left_out(others) == expected


def test_no_field_of_a_shipped_checklist_is_taken_for_a_proof_or_filled_in_by_a_page() -> None:
    reserved = send_again.PROOFS | NOT_SHOWN
    assert reserved <= RESERVED
    for file in library.read(CONTENT):
        names: set[str] = set()
        for item in file.template.items:
            for field in item.fields:
                names.add(name_of(field))
                names |= {f"{field.key}-0-{name_of(column)}" for column in field.columns}
        tokens = {"csrf_token"}
        assert names & (reserved | (send_again.names_left_out(names) - tokens)) == set()
    assert "credentials-0-credential" not in send_again.names_left_out({"credentials-0-credential"})


def test_a_column_called_credential_is_sent_again_and_shown(app: Flask, session: Session) -> None:
    negotiation = a_table(
        "papers", a_column("credential"), a_column("page_token"), a_column("version")
    )
    terms = set_out(session, template=a_template(an_item("M1", negotiation)))
    client = terms.country.browser(app, "samira")
    address = f"/checklists/{terms.checklist().id}/items/M1/answer"
    sent = {
        **client.page(address).form().values,
        "papers-0-credential": ["The letter with a seal"],
        "papers-0-page_token": ["A token of the page"],
        "papers-0-version": ["Version of May"],
    }
    page = meets_busy(app, client, address, sent)
    assert without_token(page.form().values) == without_token(sent)
    assert "passwords or codes" not in page.text
    for text in ("The letter with a seal", "A token of the page", "Version of May"):
        assert text in page.text
