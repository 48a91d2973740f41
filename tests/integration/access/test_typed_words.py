"""People who type a reason for something they may no longer do get their text back (4.7)."""

from collections.abc import Callable, Iterator

import pytest
from flask import Flask

from tests.effort import is_long
from tests.factories.demonstration import Demonstration
from tests.integration.access import table
from tests.integration.access.places import KINDS, Address, places
from tests.integration.access.table import OPEN
from tests.pages import Form, Page
from tracker.access.decision import Decision
from tracker.core.errors import RefusedError

WORDS = "Words that somebody took time to write."
REASON = "You can no longer do this."
# Forms refused to somebody who lost a role, whose pages show what only that role sees. The error
# page then shows what was typed.
ON_ERROR_PAGE = {
    "authoring.change",
    "authoring.publish",
    "authoring.try_item",
    "authoring.upload",
    "checklist_items.of_draft",
    "checklist_items.of_version",
    "checklists.answer",
    "guidance_editing.edit",
    "item_words.change",
    "lifecycle.open_cooperation",
    "model_answers.keep",
    "model_answers.rename",
    "organisations.add_kind",
    "own_guidance.add",
    "own_guidance.change",
    "passages.add",
    "passages.change",
    "passages.move",
    "passages.remove",
    "paper.record_prior_agreement",
    "people.reset_second_factor",
    "positions.propose",
    "safeguards.answer_hint",
    "words.change",
}
# After the session has ended, the labels of these forms are unknown: their class is created for
# each page, or another has the same fields.
LABELS_NOT_KNOWN_LATER = {
    "authoring.try_item",
    "ending.end",
    "ending.suspend",
    "item_words.change",
    "paper.record_prior_agreement",
    "signing.amend",
    "signing.decline",
    "undertakings.show",
    "visits.plan",
}
# In the short form, the forms of these packages.
PARTS = {"closing", "ending", "succession", "undertakings"}


def to_write(app: Flask, demonstration: Demonstration) -> Iterator[tuple[Address, str]]:
    """Yield each page that has a form, once, with somebody who may send it."""
    written, seen = table.read(), set()
    for place in places(app, demonstration):
        codes = written[table.row_of(place)]
        able = next(
            (KINDS[place.cooperation][c] for c, code in codes.items() if code == OPEN), None
        )
        is_wanted = is_long() or place.endpoint.split(".")[0] in PARTS
        if place.methods == ("GET", "POST") and able and is_wanted and place.rule not in seen:
            seen.add(place.rule)
            yield place, able


def refusing_once() -> Callable[[Decision], None]:
    """Return a policy that refuses the first question, and then answers truthfully."""
    real = Decision.require
    asked_before: list[Decision] = []

    def require(decision: Decision) -> None:
        if not asked_before:
            asked_before.append(decision)
            raise RefusedError(REASON)
        real(decision)

    return require


def labels(page: Page) -> list[str]:
    """Return the text of all labels on a page."""
    return [" ".join("".join(label.itertext()).split()) for label in page.root.iter("label")]


def test_what_was_typed_stays_where_its_form_is_refused(
    app: Flask, demonstration: Demonstration, monkeypatch: pytest.MonkeyPatch
) -> None:
    with app.app_context():
        forms = list(to_write(app, demonstration))
    lost, on_error_page, under_another_label = [], set(), set()
    for place, key in forms:
        client = demonstration.browser(app, key)
        page = Page(client.open(place.address, read=False).get_data(as_text=True), place.address)
        fields = [area.attrib["name"] for area in page.root.iter("textarea")]
        own = [form for form in map(Form, page.root.iter("form")) if set(fields) & form.names]
        if not own or own[0].action or own[0].method != "post":
            continue
        data = own[0].filled_in(**{name: WORDS for name in fields if name in own[0].names})
        with monkeypatch.context() as patched:
            patched.setattr(Decision, "require", refusing_once())
            answer = client.open(
                place.address,
                method="POST",
                data=data,
                csrf=False,
                read=False,
                headers={"Origin": "http://localhost"},
            )
        again = answer.get_data(as_text=True)
        # A form with something else missing says so first.
        if WORDS not in again or (answer.status_code == 403 and REASON not in again):
            lost.append((place.endpoint, answer.status))
        if "What you typed" in again:
            on_error_page.add(place.endpoint)
        late = client.open(
            place.address,
            method="POST",
            data={name: value for name, value in data.items() if name != "csrf_token"},
            csrf=False,
            headers={"Origin": "http://localhost"},
        )
        shown = labels(page)
        if not all(any(words.startswith(own) for words in shown) for own in labels(Page.of(late))):
            under_another_label.add(place.endpoint)
    assert len(forms) > 5
    assert lost == []
    assert under_another_label <= LABELS_NOT_KNOWN_LATER
    assert on_error_page <= ON_ERROR_PAGE
