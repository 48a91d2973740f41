"""The guidance is edited passage by passage: each change publishes the article's next revision."""

import pytest
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.accounts import People
from tests.factories.authoring import ARTICLE, current_of, publish_edited
from tests.integration.authoring.conftest import BrowserOf, events
from tests.pages import Page
from tests.writing import write_during
from tracker.authoring.guidance.service import words_of
from tracker.authoring.passages import service
from tracker.authoring.passages.splicing import PassageWords
from tracker.core.errors import RefusedError, StaleError
from tracker.guidance import markdown
from tracker.guidance.models import Article

HOME = f"/administration/guidance/{ARTICLE}/en"
LIST = f"{HOME}/passages"
FIRST = f"{LIST}/expectations"
OLD, NEW = "three short lists", "three plain lists"


def texts(row: Article) -> dict[str, tuple[str, str]]:
    """Return title and text of each passage by its key."""
    return {passage.key: (passage.title, passage.markdown) for passage in row.passages}


def first() -> PassageWords:
    passage = current_of().passages[0]
    return PassageWords(passage.title, passage.markdown)


def preview(ada: CheckedClient, **fields: str) -> Page:
    return Page.of(ada.submit(FIRST, action=None, follow=True, step="preview", **fields))


def publish(ada: CheckedClient, page: Page, address: str = FIRST) -> Page:
    sent = page.form().filled_in(step="publish", reason="Plainer")
    return Page.of(ada.open(address, method="POST", data=sent, csrf=False, follow_redirects=True))


def test_each_passage_is_listed_with_its_beginning_and_the_items_beside_it(
    people: People, browser_of: BrowserOf
) -> None:
    page = browser_of("ada").page(LIST)
    for passage in current_of().passages:
        assert passage.title in page.text
    assert "Beside items M1" in page.text
    assert "Statements: S1, S2, S3." in page.text
    assert "{#" not in page.text


def test_one_passage_is_changed_and_the_others_stay_byte_for_byte(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    before, body, number = texts(current_of()), words_of(current_of()).body, current_of().revision
    ada = browser_of("ada")
    title, text = before["expectations"]
    page = preview(ada, title="What you expect", text=text.replace(OLD, NEW))
    assert "Differences from revision 4" in page.text
    assert current_of().revision == number
    assert "Revision 5 is now current." in publish(ada, page).text
    session.expire_all()
    row = current_of()
    assert texts(row) == before | {"expectations": ("What you expect", text.replace(OLD, NEW))}
    assert words_of(row).body == body.replace(title, "What you expect").replace(OLD, NEW)
    assert row.passages[0].statements == ["S1", "S2", "S3"]
    assert events(session, "article_published")[-1]["reason"] == "Plainer"


def test_no_key_is_typed_or_shown(people: People, browser_of: BrowserOf) -> None:
    page = browser_of("ada").page(FIRST)
    assert "expectations" not in page.text
    assert "It contains statements S1, S2, S3." in page.text
    assert "{#" not in page.form().values["text"][0]


def test_only_what_the_preview_showed_is_published(people: People, browser_of: BrowserOf) -> None:
    ada = browser_of("ada")
    page = preview(ada, text=first().text.replace(OLD, NEW))
    sent = page.form().filled_in(step="publish", reason="So", text="Something else.")
    again = Page.of(ada.post(FIRST, data=sent, csrf=False))
    assert "The text was changed since its preview." in again.text
    assert current_of().revision == 4


def test_a_mistake_has_the_line_of_the_passages_own_text(
    people: People, browser_of: BrowserOf
) -> None:
    text = "Words.\n\n<b>so</b>\n"
    page = preview(browser_of("ada"), text=text)
    assert "Line 3: HTML isn't shown; write Markdown" in page.text
    assert page.form().values["text"] == [text.strip()]
    page = preview(browser_of("ada"), text="Words.\n\n## Another {#x S1}")
    assert "Line 3: a heading inside a passage begins with ###" in page.text
    assert current_of().revision == 4


def test_somebody_elses_change_to_the_same_passage_is_shown_and_nothing_is_lost(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    ada = browser_of("ada")
    mine = first().text.replace(OLD, "three lists of mine")
    page = preview(ada, text=mine)
    publish_edited(people.actor("ada"), OLD, NEW)
    session.commit()
    page = publish(ada, page)
    assert "Two people changed this at the same time." in page.text
    assert NEW.split()[1] in page.text
    assert page.form().values["text"] == [mine]
    assert current_of().revision == 5
    page = preview_again(ada, page)
    assert "Revision 6 is now current." in publish(ada, page).text


def preview_again(ada: CheckedClient, page: Page) -> Page:
    sent = page.form().filled_in(step="preview")
    return Page.of(ada.post(FIRST, data=sent, csrf=False))


def test_somebody_elses_change_to_another_passage_stays(people: People, session: Session) -> None:
    ada = people.actor("ada")
    other = current_of().passages[1]
    seen, words = current_of().revision, first()
    service.change(
        ada,
        ARTICLE,
        "en",
        other.key,
        PassageWords("Another title", other.markdown),
        seen_revision=seen,
        reason="First",
    )
    mine = PassageWords(words.title, words.text.replace(OLD, NEW))
    row = service.change(
        ada, ARTICLE, "en", "expectations", mine, seen_revision=seen, reason="Second"
    )
    session.expire_all()
    assert texts(current_of())[other.key][0] == "Another title"
    assert texts(current_of())["expectations"] == (words.title, mine.text)
    assert row.revision == seen + 2


def test_others_can_write_while_a_passage_is_put_into_its_article(
    people: People, browser_of: BrowserOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each search for headings takes seconds in a long text."""
    ada = browser_of("ada")
    calls = write_during(monkeypatch, (markdown, "headings"))
    page = preview(ada, text=first().text.replace(OLD, NEW))
    assert "Revision 5 is now current." in publish(ada, page).text
    place = f"{HOME}/add-passage"
    page = Page.of(ada.submit(place, title="Ask early", text="Words.", step="preview"))
    assert "Revision 6 is now current." in publish(ada, page, place).text
    page = Page.of(ada.submit(place, title="Ask late", text="## Words", step="preview"))
    assert "a heading inside a passage begins with ###" in page.text
    done = Page.of(ada.submit(f"{LIST}/ask-early/move/up", reason="First of all"))
    assert "Revision 7 is now current." in done.text
    done = Page.of(ada.submit(f"{LIST}/ask-early/remove", reason="Not needed"))
    assert "Revision 8 is now current." in done.text
    assert calls


def test_a_passage_that_was_changed_meanwhile_is_stale(people: People, session: Session) -> None:
    publish_edited(people.actor("ada"), OLD, NEW)
    with pytest.raises(StaleError):
        service.change(
            people.actor("ada"),
            ARTICLE,
            "en",
            "expectations",
            PassageWords("Mine", "Words."),
            seen_revision=4,
            reason="So",
        )


def test_a_passage_is_added_with_a_key_from_its_title_then_moved_and_removed(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    ada = browser_of("ada")
    keys = [passage.key for passage in current_of().passages]
    place = f"{HOME}/add-passage"
    page = Page.of(
        ada.submit(place, title="Ask early", text="Words.", after=keys[0], step="preview")
    )
    assert "1 new passage" in page.text
    assert "Revision 5 is now current." in publish(ada, page, place).text
    session.expire_all()
    assert [row.key for row in current_of().passages] == [keys[0], "ask-early", *keys[1:]]
    done = Page.of(ada.submit(f"{LIST}/ask-early/move/up", reason="First of all"))
    assert "Revision 6 is now current." in done.text
    session.expire_all()
    assert [row.key for row in current_of().passages] == ["ask-early", *keys]
    done = Page.of(ada.submit(f"{LIST}/ask-early/remove", reason="Not needed"))
    assert "Revision 7 is now current." in done.text
    session.expire_all()
    assert [row.key for row in current_of().passages] == keys
    assert len(events(session, "article_published")) == 3


def test_a_passage_that_items_are_based_on_can_not_be_removed(
    people: People, browser_of: BrowserOf
) -> None:
    page = Page.of(browser_of("ada").submit(f"{FIRST}/remove", reason="Away"))
    assert "needed by M" in page.text
    assert "These items show it beside the question: M1" in page.text
    assert current_of().revision == 4


def test_only_administrators_change_passages(people: People, browser_of: BrowserOf) -> None:
    somebody = browser_of("dora")
    for address in (LIST, FIRST, f"{HOME}/add-passage", f"{FIRST}/move/up", f"{FIRST}/remove"):
        assert somebody.get(address).status_code == 403
    with pytest.raises(RefusedError):
        service.change(
            people.actor("dora"),
            ARTICLE,
            "en",
            "expectations",
            PassageWords("Mine", "Words."),
            seen_revision=4,
            reason="So",
        )


@pytest.mark.parametrize("place", ["no-such", "expectations/move/sideways", "no-such/remove"])
def test_a_passage_that_is_not_there_is_404(
    people: People, browser_of: BrowserOf, place: str
) -> None:
    assert browser_of("ada").get(f"{LIST}/{place}").status_code == 404
