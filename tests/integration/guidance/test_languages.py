"""Articles in the reader's language, and the note on untranslated ones."""

from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.guidance import SHIPPED, ContentFolder, Written, load_shipped
from tests.integration.guidance.test_pages import library
from tracker.guidance import service
from tracker.guidance.library import read


def test_an_article_is_shown_in_the_readers_language_where_it_has_it(
    client: CheckedClient, folder: ContentFolder
) -> None:
    folder.articles.append(Written("article-1", 1, "ar", question="ماذا نتفق؟", text="قبل العمل"))
    folder.load()
    english = client.page("/guidance/article-1")
    assert english.links()["العربية"] == "/guidance/article-1?language=ar"
    chosen = client.get("/guidance/article-1?language=ar")
    assert "ماذا نتفق؟" in chosen.text
    assert '<article class="article" lang="ar" dir="rtl"' in chosen.text
    arabic = {"Accept-Language": "ar"}
    answer = client.get("/guidance/article-1", headers=arabic)
    assert "ماذا نتفق؟" in answer.text
    assert '<article class="article" aria-label' in answer.text
    answer = client.get("/guidance/article-2", headers=arabic)
    assert '<article class="article" lang="en" dir="ltr"' in answer.text
    assert "قبل" in client.get("/guidance?q=قبل", headers=arabic).text
    assert "0 articles" in library(client, q="قبل").text


def test_an_article_that_is_not_in_the_readers_language_says_so(
    client: CheckedClient, folder: ContentFolder
) -> None:
    folder.articles.append(Written("article-3", 3, "ar", question="ماذا نتفق؟", text="قبل العمل"))
    folder.load()
    note = "Available in Arabic only."
    assert note in client.page("/guidance/article-3").text
    assert note in library(client).text
    assert library(client).text.count(note) == 1
    assert note not in client.page("/guidance/article-1").text


def test_an_article_in_the_readers_language_says_nothing_of_the_others(
    client: CheckedClient, folder: ContentFolder
) -> None:
    folder.articles.append(Written("article-1", 1, "ar", question="ماذا نتفق؟", text="قبل العمل"))
    folder.load()
    for address in ("/guidance", "/guidance/article-1", "/guidance/article-1?language=ar"):
        assert "Available in" not in client.page(address).text


def test_the_shipped_articles_are_read_in_arabic_from_right_to_left(
    client: CheckedClient, session: Session
) -> None:
    load_shipped()
    for article in read(SHIPPED).articles:
        if article.head.language != "ar":
            continue
        address = f"/guidance/{article.head.slug}"
        answer = client.get(address, headers={"Accept-Language": "ar"})
        assert '<html lang="ar" dir="rtl"' in answer.text
        assert article.head.question in answer.text
        for passage in article.passages:
            assert f'id="{passage.key}"' in answer.text
        assert "Available in" not in answer.text
        body, _after = answer.text.split("<article")[1].split("</article>")
        assert 'lang="en"' not in body


def test_items_that_use_a_passage_are_named_in_the_readers_language(
    client: CheckedClient, folder: ContentFolder, session: Session
) -> None:
    label = {"en": "Expectations", "ar": "التوقعات"}
    service.set_uses("terms", [("article-1/rules", "M4", label)])
    service.set_uses("visit", [("article-1/rules", "V2", "Who may know")])
    session.commit()
    assert "Expectations" in client.page("/guidance/article-1").text
    answer = client.get("/guidance/article-1", headers={"Accept-Language": "ar"})
    assert "التوقعات" in answer.text
    assert '<bdi lang="en" dir="ltr">Who may know</bdi>' in answer.text


def test_another_language_than_there_is_gives_english(
    client: CheckedClient, folder: ContentFolder
) -> None:
    assert client.page("/guidance/article-1?language=%00").h1 == "How do we settle article-1?"
