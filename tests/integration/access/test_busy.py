"""A form that is sent while the database is busy comes back with all that was filled in (4.7)."""

from collections.abc import Iterator
from dataclasses import dataclass

from flask import Flask

from tests.client import CheckedClient
from tests.effort import is_long
from tests.factories.demonstration import Demonstration
from tests.integration.access import table
from tests.integration.access.places import KINDS, Address, places
from tests.integration.access.table import OPEN
from tests.integration.accounts.test_unavailable import out_of_reach
from tests.pages import Form, Page
from tracker.core.db import db

# In the short form, those of these packages.
PARTS = {"deciding", "invitation_requests", "model_texts", "organisations", "people", "visits"}
# The fields for proofs of identity, and what belongs to them.
PROOFS = {
    "code",
    "credential",
    "mailed_code",
    "new_password",
    "new_password_confirm",
    "passkey",
    "password",
    "password_confirm",
    "setup",
}


@dataclass(frozen=True, slots=True)
class Sent:
    """A form to send, with what was typed into it and what its page fills in."""

    client: CheckedClient
    place: Address
    data: dict[str, list[str]]
    typed: list[str]
    filled_in_by_page: list[str]


def written_forms(app: Flask, demonstration: Demonstration) -> Iterator[tuple[Address, str]]:
    """Yield each page with a form, once, with somebody who may send it."""
    written, seen = table.read(), set()
    for place in places(app, demonstration):
        codes = written[table.row_of(place)]
        keys = KINDS[place.cooperation]
        able = next((keys[name] for name, code in codes.items() if code == OPEN), None)
        is_wanted = is_long() or place.endpoint.split(".")[0] in PARTS
        if place.methods == ("GET", "POST") and able and is_wanted and place.rule not in seen:
            seen.add(place.rule)
            yield place, able


def typed_fields(page: Page) -> dict[str, set[str]]:
    """Return the names of fields for text, and of those that the page fills in by itself."""
    fields: dict[str, set[str]] = {"typed": set(), "hidden": set()}
    for control in page.root.iter():
        name, kind = control.attrib.get("name", ""), control.attrib.get("type", "text")
        if "readonly" in control.attrib or not name:
            continue
        if control.tag == "textarea" or (control.tag == "input" and kind == "text"):
            fields["typed"].add(name)
        elif control.tag == "input" and kind == "hidden":
            fields["hidden"].add(name)
    return fields


def test_each_form_comes_back_from_a_busy_database_to_be_sent_again_as_it_was(
    app: Flask, demonstration: Demonstration
) -> None:
    with app.app_context():
        wanted = list(written_forms(app, demonstration))
    to_send: list[Sent] = []
    for place, key in wanted:
        client = demonstration.browser(app, key)
        answer = client.open(place.address, read=False)
        page = Page(answer.get_data(as_text=True), place.address)
        fields = typed_fields(page)
        for form in map(Form, page.root.iter("form")):
            names = sorted((fields["typed"] & form.names) - PROOFS)
            if not names or form.action or form.method != "post":
                continue
            words = {name: f"Words {n} of {place.endpoint}" for n, name in enumerate(names)}
            hidden = [
                text
                for name in fields["hidden"] & form.names
                for text in form.values.get(name, ())
                if len(text) > 20
            ]
            data = {**form.filled_in(), **{name: [text] for name, text in words.items()}}
            to_send.append(Sent(client, place, data, list(words.values()), hidden))
    with app.app_context():
        db.session.remove()
    lost, shown, changed = [], [], []
    with out_of_reach(app):
        for sent in to_send:
            endpoint = sent.place.endpoint
            answer = sent.client.open(
                sent.place.address,
                method="POST",
                data=sent.data,
                csrf=False,
                read=False,
                headers={"Origin": "http://localhost"},
            )
            page = Page(answer.get_data(as_text=True), sent.place.address)
            missing = [text for text in sent.typed if text not in page.text]
            if answer.status_code != 503 or missing:
                lost.append((endpoint, answer.status_code, missing))
                continue
            if any(text in page.text for text in sent.filled_in_by_page):
                shown.append(endpoint)
            (again,) = page.forms(sent.place.address)
            had_proof = any(any(sent.data.get(name, ())) for name in PROOFS)
            left_out = {"csrf_token", *(["page_token"] if had_proof else [])}
            left_out |= {name for name in PROOFS if any(sent.data.get(name, ()))}
            expected = {name: texts for name, texts in sent.data.items() if name not in left_out}
            del again.values["csrf_token"]
            if again.values != expected:
                changed.append(endpoint)
    assert lost == []
    assert shown == []
    assert changed == []
    assert len(to_send) > 5
