"""Administrators change the product's model text item by item; updates leave theirs as it is."""

from typing import Any

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.accounts import People
from tests.factories.evidence.tampering import hands
from tests.integration.authoring.conftest import BrowserOf, events
from tests.pages import Page
from tracker.authoring.model_texts import faults, queries, service
from tracker.authoring.model_texts.faults import FaultsError
from tracker.authoring.model_texts.service import Address
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.model_texts import in_use, library
from tracker.checklists.model_texts.in_use import ItemText
from tracker.checklists.models import ModelTextRevision
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError
from tracker.oversight import integrity
from tracker.oversight.facts import Fault

HOME = "/administration/checklists/terms/model-text/en"
M2 = f"{HOME}/items/M2"
BASE = "value-objectives-base"
WORDS = "We work together so that fewer people are at risk."
# The English model text of the objectives.
ADDRESS = Address(ChecklistKind.TERMS, "en", "M2")


def product(code: str = "M2", language: str = "en") -> ItemText:
    return library.content_in(ChecklistKind.TERMS, language).items[code]


def with_base(text: ItemText, key: str, words: str) -> ItemText:
    stored = in_use.as_stored(text)
    return in_use.item_from({**stored, key: {**stored[key], "base": words}})


def in_use_now(language: str = "en") -> ItemText:
    return in_use.contents(ChecklistKind.TERMS, [language])[language].items["M2"]


def publish(people: People, words: str = WORDS, *, seen: int = 0, by: str = "ada") -> Any:
    return service.publish(
        people.actor(by),
        ADDRESS,
        with_base(product(), "objectives", words),
        seen_number=seen,
        reason="Plainer",
    )


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out the trial, which takes seconds, where a test is about something else."""
    monkeypatch.setattr(faults, "require_sound", lambda *_args: None)


def preview(ada: CheckedClient, address: str = M2, **fields: Any) -> Page:
    return Page.of(ada.submit(address, action=None, step="preview", **fields))


def send(ada: CheckedClient, page: Page, address: str = M2) -> Page:
    sent = page.form().filled_in(step="publish", reason="Plainer")
    return Page.of(ada.open(address, method="POST", data=sent, csrf=False, follow_redirects=True))


def test_an_administrator_changes_an_item_after_seeing_how_it_differs(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    ada = browser_of("ada")
    assert ada.page("/administration/checklists").links()["English, Agreed terms"] == HOME
    assert ada.page(HOME).links()["Objectives"] == M2
    assert "(optional)" not in ada.page(M2).text
    page = preview(ada, **{BASE: WORDS})
    assert "Differences from the product's text" in page.text
    assert "We tested it with every way of working, and it works." in page.text
    assert in_use_now() == product()
    done = send(ada, page)
    assert "The text is published." in done.text
    assert "Changed here" in done.text
    session.expire_all()
    assert in_use_now()["objectives"].base == WORDS
    assert in_use_now()["objectives"].added == product()["objectives"].added
    (event,) = events(session, "model_text_changed")
    assert (event["kind"], event["language"], event["item"]) == ("terms", "en", "M2")
    assert (event["version"], event["reason"]) == (1, "Plainer")
    assert event["digest"] == in_use.digest_of(in_use_now())
    assert in_use_now("ar") == product(language="ar")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("The CSO must approve where the NPM goes.", "may limit the NPM"),
        ("", "Objectives"),
    ],
)
def test_a_text_that_does_not_hold_is_refused_beside_its_field(
    people: People, browser_of: BrowserOf, words: str, message: str
) -> None:
    text = {f"value-objectives-added-{key}": "" for key in product()["objectives"].added}
    page = preview(browser_of("ada"), **{**text, BASE: words})
    assert page.title.startswith("Problem: ")
    assert message in page.text
    assert page.form().values[BASE] == [words]
    assert "Publish this text" not in page.text


def test_what_does_not_hold_is_not_published_either(people: People, session: Session) -> None:
    with pytest.raises(FaultsError):
        publish(people, "The NPM needs the prior approval of the CSO for each visit.")
    assert session.scalar(sa.select(sa.func.count()).select_from(ModelTextRevision)) == 0


def test_only_what_the_preview_showed_is_published(
    people: People, browser_of: BrowserOf, quick: None
) -> None:
    ada = browser_of("ada")
    page = preview(ada, **{BASE: WORDS})
    sent = page.form().filled_in(step="publish", reason="So", **{BASE: "Something else."})
    again = Page.of(ada.post(M2, data=sent, csrf=False))
    assert "The text was changed since its preview." in again.text
    assert in_use_now() == product()


def test_a_change_and_a_reason_are_needed(people: People, quick: None) -> None:
    with pytest.raises(RuleBrokenError, match="own text"):
        service.publish(people.actor("ada"), ADDRESS, product(), seen_number=0, reason="None")
    publish(people)
    with pytest.raises(RuleBrokenError, match="Nothing is different"):
        publish(people, seen=1)


def test_somebody_elses_text_is_shown_and_what_was_typed_is_kept(
    people: People, browser_of: BrowserOf, session: Session, quick: None
) -> None:
    ada = browser_of("ada")
    page = preview(ada, **{BASE: WORDS})
    publish(people, "Somebody else wrote this.")
    session.commit()
    page = send(ada, page)
    assert "Two people changed this at the same time." in page.text
    assert "Somebody" in page.text
    assert page.form().values[BASE] == [WORDS]
    assert page.form().values["version"] == ["1"]
    with pytest.raises(StaleError):
        publish(people, "Unseen.")


def test_an_administrator_goes_back_to_the_products_text_and_the_revisions_stay(
    people: People, browser_of: BrowserOf, session: Session, quick: None
) -> None:
    publish(people)
    session.commit()
    ada = browser_of("ada")
    back = ada.page(M2).links()["Go back to the product's text"]
    done = Page.of(ada.submit(back, reason="The product says it better"))
    assert "own text of this item is in use again" in done.text
    session.expire_all()
    assert in_use_now() == product()
    (event,) = events(session, "model_text_reset")
    assert (event["version"], event["digest"]) == (2, in_use.digest_of(product()))
    page = ada.page(M2)
    assert "The product says it better" in page.text
    assert "Plainer" in page.text
    with pytest.raises(RuleBrokenError):
        service.reset(people.actor("ada"), ADDRESS, seen_number=2, reason="Again")


def test_an_update_of_the_product_leaves_the_administrators_text_and_asks_to_decide(
    people: People,
    browser_of: BrowserOf,
    session: Session,
    quick: None,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish(people)
    session.commit()
    own = library.content_in
    newer = with_base(product(), "objectives", "The product says this now.")
    monkeypatch.setattr(
        library,
        "content_in",
        lambda kind, language: (
            in_use.with_items(own(kind, language), {"M2": newer})
            if (kind, language) == (ChecklistKind.TERMS, "en")
            else own(kind, language)
        ),
    )
    assert in_use_now()["objectives"].base == WORDS
    ada = browser_of("ada")
    task = "Look at the model text of “Objectives” (English)"
    assert task in ada.page("/").text
    assert "changed since" in ada.page(HOME).text
    page = ada.page(M2)
    assert "An update changed the product's text of this item." in page.text
    assert "says" in page.text
    send(ada, preview(ada))
    session.expire_all()
    assert in_use_now()["objectives"].base == WORDS
    assert task not in ada.page("/").text
    assert queries.with_newer_product_text(people.actor("ada")) == []


def test_the_audit_finds_a_text_that_was_changed_in_the_database(
    people: People, session: Session, quick: None
) -> None:
    row = publish(people)
    changed, row_id = row.content, row.id
    session.commit()
    assert integrity.check_all().finding is None
    content = {**changed, "objectives": {"base": "Altered."}}
    with hands() as connection:
        connection.execute(
            sa.update(ModelTextRevision).filter_by(id=row_id).values(content=content)
        )
    finding = integrity.check_all().finding
    assert finding is not None
    assert (finding.fault, finding.place.of) == (Fault.ROW_DIFFERS, "model_text_revision")


@pytest.mark.parametrize("key", ["ilena", "nadia", "samira", "henrik", "dora"])
def test_only_administrators_change_model_texts(
    people: People, browser_of: BrowserOf, session: Session, quick: None, key: str
) -> None:
    other = browser_of(key)
    for address in (HOME, M2, f"{M2}/product"):
        assert other.get(address).status_code == 403
    for address in (M2, f"{M2}/product"):
        assert other.post(address).status_code == 403
    with pytest.raises(RefusedError):
        publish(people, by=key)
    with pytest.raises(RefusedError):
        service.reset(people.actor(key), ADDRESS, seen_number=0, reason="No")


def test_there_are_only_model_texts_and_items_that_the_product_has(
    people: People, browser_of: BrowserOf
) -> None:
    ada, above = browser_of("ada"), "/administration/checklists"
    for address in (
        f"{above}/elsewhere/model-text/en",
        f"{above}/terms/model-text/xx",
        f"{HOME}/items/M99",
        f"{HOME}/items/M21",
        f"{HOME}/items/M99/product",
    ):
        ada.page(address, 404)
