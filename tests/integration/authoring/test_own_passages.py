"""An organisation's own guidance is edited passage by passage, by its coordinators and managers."""

from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session, selectinload

from tests.client import CheckedClient
from tests.factories.authoring import own_article
from tests.factories.negotiations import Negotiation, set_out
from tests.integration.authoring.conftest import events
from tests.pages import Page
from tracker.authoring.models import OwnArticle
from tracker.authoring.own_passages import service
from tracker.authoring.passages.splicing import PassageWords
from tracker.core.db import db
from tracker.core.errors import RefusedError, StaleError

BODY = """Before all passages.

## Send it within a day {#within M1}

Write it down on the same day.

## Whom you call

The coordinator, at any hour.

## Afterwards {M1}

Tell the partner what came of it."""


@pytest.fixture
def negotiation(session: Session) -> Negotiation:
    return set_out(session)


@pytest.fixture
def row(negotiation: Negotiation) -> OwnArticle:
    """The NPM's own article, of three passages, which its partners may read too."""
    return own_article(negotiation["ilena"], BODY, for_partners=True)


def now(row: OwnArticle) -> OwnArticle:
    """Return the article as it is saved."""
    db.session.rollback()
    return db.session.scalars(
        sa.select(OwnArticle)
        .where(OwnArticle.id == row.id)
        .options(selectinload(OwnArticle.passages))
        .execution_options(populate_existing=True)
    ).one()


def address(row: OwnArticle, rest: str = "") -> str:
    return f"/own-guidance/{row.id}/passages{rest}"


def send(browser: CheckedClient, page: str, **fields: Any) -> Page:
    return Page.of(browser.submit(page, action=None, follow=True, **fields))


def titles(row: OwnArticle) -> list[str]:
    return [
        passage.title for passage in sorted(now(row).passages, key=lambda passage: passage.number)
    ]


def test_each_passage_is_listed_with_its_beginning_and_the_items_beside_it(
    app: Flask, negotiation: Negotiation, row: OwnArticle
) -> None:
    page = negotiation.country.browser(app, "ilena").page(address(row))
    assert page.h1 == "Passages of “How do we pass on what we see?”"
    assert "Send it within a day" in page.text
    assert "The coordinator, at any hour." in page.text
    assert page.text.count("Shown beside") == 2
    assert "#within" not in page.text


def test_one_passage_is_changed_and_the_others_stay_byte_for_byte(
    app: Flask, negotiation: Negotiation, row: OwnArticle
) -> None:
    page = send(
        negotiation.country.browser(app, "ilena"),
        address(row, "/1"),
        title="Send it at once",
        text="Write it down on that day.",
        step="save",
    )
    assert "The article is saved." in page.text
    after = BODY.replace("Send it within a day", "Send it at once").replace("the same", "that")
    assert (now(row).body, now(row).version) == (after, 2)
    assert (now(row).for_partners, now(row).language) == (True, "en")
    assert [passage.items for passage in now(row).passages] == [["M1"], [], ["M1"]]
    assert len(events(negotiation.session, "own_article_changed")) == 1


def test_the_form_hides_keys_and_the_preview_shows_the_differences_as_text(
    app: Flask, negotiation: Negotiation, row: OwnArticle
) -> None:
    ilena = negotiation.country.browser(app, "ilena")
    page = ilena.page(address(row, "/1"))
    assert page.form().values["text"] == ["Write it down on the same day."]
    assert "within}" not in page.html
    page = send(ilena, address(row, "/1"), text="Write **it** on the same day.", step="preview")
    assert page.root.find(".//ins") is not None
    assert "<strong>it</strong>" in page.html
    assert now(row).version == 1


def test_a_mistake_has_the_line_of_the_passages_own_text_and_nothing_typed_is_lost(
    app: Flask, negotiation: Negotiation, row: OwnArticle
) -> None:
    ilena = negotiation.country.browser(app, "ilena")
    page = send(ilena, address(row, "/2"), text="Words.\n\n<b>so</b>", step="save")
    assert "Line 3: HTML isn't shown; write Markdown" in page.text
    assert page.form().values["text"] == ["Words.\n\n<b>so</b>"]
    page = send(ilena, address(row, "/2"), text="Words.\n\n## Another", step="save")
    assert "Line 3: a heading inside a passage begins with ###" in page.text
    page = send(ilena, address(row, "/2"), step="save")
    assert "Nothing is different from what is saved." in page.text
    assert now(row).body == BODY


def test_somebody_elses_change_is_shown_and_nothing_is_lost(
    app: Flask, negotiation: Negotiation, row: OwnArticle
) -> None:
    ilena = negotiation.country.browser(app, "ilena")
    sent = ilena.page(address(row, "/1")).form().filled_in(text="My text.", step="save")
    service.change(negotiation["nadia"], row.id, 1, PassageWords("Soon", "Theirs."), seen_version=1)
    db.session.commit()
    page = Page.of(ilena.post(address(row, "/1"), data=sent, csrf=False))
    assert "Somebody else changed this article while you were writing." in page.text
    assert "Theirs." in page.text
    assert page.form().values["text"] == ["My text."]
    assert now(row).version == 2
    again = page.form().filled_in(step="save")
    ilena.post(address(row, "/1"), data=again, csrf=False)
    assert now(row).passages[0].markdown == "My text."


def test_what_was_written_on_a_passage_that_somebody_removed_is_kept(
    app: Flask, negotiation: Negotiation, row: OwnArticle
) -> None:
    ilena = negotiation.country.browser(app, "ilena")
    sent = ilena.page(address(row, "/3")).form().filled_in(text="My text.", step="save")
    service.remove(negotiation["nadia"], row.id, 2, seen_version=1)
    db.session.commit()
    page = Page.of(ilena.post(address(row, "/3"), data=sent, csrf=False))
    assert "Somebody else removed this passage while you were writing." in page.text
    assert page.form().values["text"] == ["My text."]


def test_a_passage_is_added_beside_an_item_then_moved_and_removed(
    app: Flask, negotiation: Negotiation, row: OwnArticle
) -> None:
    ilena = negotiation.country.browser(app, "ilena")
    page = send(
        ilena,
        address(row, "/add"),
        title="Who decides",
        text="The head.",
        after="1",
        item="M1",
        step="save",
    )
    assert "The article is saved." in page.text
    order = ["Send it within a day", "Who decides", "Whom you call", "Afterwards"]
    assert titles(row) == order
    assert now(row).passages[1].items == ["M1"]
    page = Page.of(ilena.submit(address(row), action=address(row, "/2/move/up"), follow=True))
    assert "The passages have a new order." in page.text
    assert titles(row) == ["Who decides", "Send it within a day", *order[2:]]
    page = send(ilena, address(row, "/1/remove"))
    assert "The passage is removed." in page.text
    assert titles(row) == ["Send it within a day", *order[2:]]


def test_the_order_changes_only_as_the_page_showed_it(
    negotiation: Negotiation, row: OwnArticle
) -> None:
    service.move(negotiation["ilena"], row.id, 1, 1, seen_version=1)
    db.session.commit()
    for number, by, seen in ((1, 1, 1), (1, 1, None), (1, -1, 2), (3, 1, 2), (4, 1, 2)):
        with pytest.raises(StaleError):
            service.move(negotiation["ilena"], row.id, number, by, seen_version=seen)
        db.session.rollback()


@pytest.mark.parametrize(
    ("first", "status"),
    [("oren", 403), ("samira", 403), ("joana", 403), ("ada", 404), ("root", 404)],
)
def test_other_people_cannot_open_or_change_passages(
    app: Flask, negotiation: Negotiation, row: OwnArticle, first: str, status: int
) -> None:
    browser = negotiation.country.browser(app, first)
    for rest in ("", "/1", "/add", "/1/remove"):
        assert browser.get(address(row, rest)).status_code == status, rest
    for rest in ("/1", "/add", "/1/remove", "/1/move/down"):
        assert browser.post(address(row, rest)).status_code == status, rest
    words = PassageWords("Mine", "Mine.")
    with pytest.raises((RefusedError, StaleError)):
        service.change(negotiation[first], row.id, 1, words, seen_version=1)
    db.session.rollback()
    assert now(row).body == BODY


def test_a_passage_that_is_not_there_is_404(
    app: Flask, negotiation: Negotiation, row: OwnArticle
) -> None:
    ilena = negotiation.country.browser(app, "ilena")
    for rest in ("/4", "/0", "/4/remove", "/1/move/away"):
        assert ilena.get(address(row, rest)).status_code in (404, 405), rest
    assert ilena.post(address(row, "/1/move/away")).status_code == 404


def test_the_only_passage_is_not_removed(app: Flask, negotiation: Negotiation) -> None:
    row = own_article(negotiation["ilena"])
    ilena = negotiation.country.browser(app, "ilena")
    assert "Remove" not in ilena.page(address(row)).text
    page = send(ilena, address(row, "/1/remove"))
    assert "An article needs at least one passage." in page.text
    assert titles(row) == ["Send it within a day"]
