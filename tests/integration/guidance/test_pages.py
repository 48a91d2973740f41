"""The pages of the guidance, as anybody sees them."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from urllib.parse import urlencode

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.guidance import SHIPPED, ContentFolder, Written, load_shipped
from tests.pages import Page
from tracker.guidance import routes, service
from tracker.guidance.library import read
from tracker.guidance.queries import Use

Watch = Callable[[], AbstractContextManager[list[str]]]


def library(client: CheckedClient, **filters: str) -> Page:
    return client.page(f"/guidance?{urlencode(filters)}")


def marked(page: Page) -> list[str]:
    return ["".join(mark.itertext()) for mark in page.root.iter("mark")]


# The library ---------------------------------------------------------------------------------


def test_the_library_shows_every_article_to_anybody(
    client: CheckedClient, session: Session
) -> None:
    load_shipped()
    page = library(client)
    assert page.h1 == "Guidance"
    assert "4 articles" in page.text
    for link in ("All categories 4", "Activities 0", "Engaging with others 4", "Finances 1"):
        assert link in page.links()
    assert "Reset" not in page.links()
    question = "What should NPMs and civil society settle before they work together?"
    assert page.links()[question] == "/guidance/settling-terms"


def topics_of(page: Page) -> list[str]:
    """The lines of the list of topics, each with its count or mark."""
    topics = next(
        element
        for element in page.root.iter("nav")
        if element.attrib.get("aria-label") in {"Topic", "الموضوع"}
    )
    return [" ".join("".join(line.itertext()).split()) for line in topics.iter("li")]


def test_all_topics_stand_in_one_list_in_the_order_of_the_source(
    client: CheckedClient, session: Session
) -> None:
    load_shipped()
    source = [term.name for term in read(SHIPPED).topics]
    page = library(client)
    lines = topics_of(page)
    assert [next(name for name in source if line.startswith(name)) for line in lines[1:]] == source
    assert "Annual Reports no article yet" in lines
    assert "Finances 1" in lines
    assert sum("no article yet" in line for line in lines) == 9
    assert not [words for words in page.links() if words.startswith("Annual Reports")]


def test_all_topics_are_named_in_arabic_to_who_reads_arabic(
    client: CheckedClient, session: Session
) -> None:
    load_shipped()
    taxonomy = read(SHIPPED)
    answer = client.get("/guidance", headers={"Accept-Language": "ar"})
    page = Page(answer.text, "the library in Arabic")
    lines = topics_of(page)
    assert len(lines) == 29
    for term, line in zip(taxonomy.topics, lines[1:], strict=True):
        assert line.startswith(term.names["ar"])
        assert term.name not in answer.text
    assert taxonomy.categories[0].names["ar"] in answer.text


def test_a_topic_is_marked_empty_only_where_no_article_is_on_it_at_all(
    client: CheckedClient, folder: ContentFolder
) -> None:
    lines = topics_of(library(client, q="no such words anywhere"))
    assert lines == [
        "All topics 0",
        "Shared topic 0",
        "Topic 1 0",
        "Topic 2 0",
        "Bare topic no article yet",
    ]


def test_a_topic_without_an_article_that_was_chosen_by_its_address_is_the_chosen_one(
    client: CheckedClient, folder: ContentFolder
) -> None:
    page = library(client, topic="bare-topic")
    assert "0 articles on the topic Bare topic" in page.text
    assert page.links()["All topics 2"] == "/guidance"
    assert '<a href="/guidance?topic=bare-topic" aria-current="true">Bare topic' in page.html


def test_a_topic_without_a_name_in_the_readers_language_keeps_its_own_marked(
    client: CheckedClient, folder: ContentFolder
) -> None:
    answer = client.get("/guidance", headers={"Accept-Language": "ar"})
    assert '<bdi lang="en" dir="ltr">Bare topic</bdi>' in answer.text


def test_keywords_narrow_the_library_and_are_marked(
    client: CheckedClient, folder: ContentFolder
) -> None:
    folder.articles[0].text = "The harbour pilot waits."
    folder.articles[0].revision = 2
    folder.load()
    page = library(client, q="HARBOUR pil")
    assert "1 article with “HARBOUR pil”" in page.text
    assert marked(page) == ["harbour", "pilot"]
    assert page.links()["1. Say what is expected"] == ("/guidance/article-1?q=HARBOUR+pil#expected")
    assert page.links()["Category 1 1"]
    assert page.links()["Category 2 0"]
    assert page.links()["Reset"] == "/guidance"
    assert 'value="HARBOUR pil"' in page.html


def test_the_passages_named_are_the_nearest_when_none_holds_all_words(
    client: CheckedClient, folder: ContentFolder
) -> None:
    page = library(client, q="both weight")
    assert "1. Say what is expected" in page.links()
    assert "2. Keep the rules" in page.links()


def test_category_and_topic_narrow_the_library_together(
    client: CheckedClient, folder: ContentFolder
) -> None:
    page = library(client, category="category-1")
    assert "1 article in Category 1" in page.text
    assert "How do we settle article-1?" in page.links()
    assert "How do we settle article-2?" not in page.links()
    assert page.links()["Shared topic 1"] == "/guidance?category=category-1&topic=shared-topic"
    page = library(client, category="category-1", topic="topic-2")
    assert "0 articles in Category 1 on the topic Topic 2" in page.text
    assert "No articles found. Try another choice." in page.text
    assert page.links()["All topics 1"] == "/guidance?category=category-1"


@pytest.mark.both_databases
def test_a_search_keeps_category_and_topic(client: CheckedClient, folder: ContentFolder) -> None:
    answer = client.get("/guidance?category=category-1&topic=shared-topic")
    assert '<input type="hidden" name="category" value="category-1">' in answer.text
    assert '<input type="hidden" name="topic" value="shared-topic">' in answer.text
    assert 'name="page"' not in answer.text


def test_the_count_beside_a_choice_is_what_choosing_it_shows(
    client: CheckedClient, folder: ContentFolder
) -> None:
    folder.articles.append(Written("article-3", 3, text="No such word."))
    folder.load()
    page = library(client, q="both")
    for words, address in page.links().items():
        name, _space, count = words.rpartition(" ")
        if name.startswith(("All ", "Category", "Topic", "Shared")):
            noun = "article" if count == "1" else "articles"
            assert f"{count} {noun} with “both”" in client.page(address).text


def test_a_search_without_hits_says_so_and_what_to_do(
    client: CheckedClient, folder: ContentFolder
) -> None:
    page = library(client, q="zebra")
    assert "0 articles with “zebra”" in page.text
    assert "No articles found with all these words." in page.text


def test_signs_alone_are_answered_in_words(client: CheckedClient, folder: ContentFolder) -> None:
    page = library(client, q="*** \"'")
    assert "0 articles" in page.text
    assert "Type words or numbers to search for." in page.text


def test_blanks_ask_for_nothing(client: CheckedClient, folder: ContentFolder) -> None:
    page = library(client, q="   ")
    assert "2 articles" in page.text
    assert "with “" not in page.text


def test_too_many_words_are_said(client: CheckedClient, folder: ContentFolder) -> None:
    page = library(client, q=" ".join(f"word{n}" for n in range(40)))
    assert "Too many words. We only searched for: word0 word1" in page.text


@pytest.mark.parametrize(
    "typed",
    ["<script>alert(1)</script>", 'NEAR("', "a' OR 1=1 --", "\x00", "\ud7ff", "%", "x" * 3000],
)
def test_hostile_keywords_are_shown_back_and_harm_nothing(
    client: CheckedClient, folder: ContentFolder, typed: str
) -> None:
    page = library(client, q=typed)
    assert page.h1 == "Guidance"
    assert "<script>alert" not in page.html


@pytest.mark.parametrize(
    "address",
    [
        "/guidance?category=nothing",
        "/guidance?topic=nothing",
        "/guidance?topic=category-1",
        "/guidance?category=%00",
        "/guidance/nothing",
        "/guidance/%00",
        "/guidance/article-1/expected",
        "/guidance/nothing/revisions/1",
        "/guidance/article-1/revisions/9",
        "/guidance/article-1/revisions/0",
        "/guidance/article-1/revisions/-1",
        "/guidance/article-1/revisions/99999999999999999999",
        "/guidance/article-1/revisions/one",
    ],
)
def test_what_is_not_there_is_not_found(
    client: CheckedClient, folder: ContentFolder, address: str
) -> None:
    assert client.get(address).status_code == 404


@pytest.mark.both_databases
def test_a_long_library_is_paged(client: CheckedClient, folder: ContentFolder) -> None:
    folder.articles += [Written(f"article-{n}", n) for n in range(3, 31)]
    folder.load()
    first, second = library(client), library(client, page="2")
    assert "30 articles" in first.text
    assert "1 to 25 of 30" in first.text
    assert "26 to 30 of 30" in second.text
    shared = {words for words in first.links() if words.startswith("How do we")} & set(
        second.links()
    )
    assert not shared
    beyond = library(client, page="9")
    assert "There aren't that many pages." in beyond.text
    assert library(client, page="x").text == first.text


@pytest.mark.both_databases
def test_the_library_asks_as_many_queries_for_many_articles_as_for_few(
    client: CheckedClient, folder: ContentFolder, session: Session, statements: Watch
) -> None:
    addresses = ("/guidance", "/guidance?q=sides&topic=shared-topic", "/guidance/article-1?q=sides")

    def counts() -> list[int]:
        sent = []
        for address in addresses:
            client.page(address)
            with statements() as seen:
                client.page(address)
            sent.append(len(seen))
        return sent

    few = counts()
    folder.articles += [Written(f"article-{n}", n) for n in range(3, 15)]
    folder.articles[0].revision = 2
    folder.articles[0].text = "Both sides.\n\n" + "\n\n".join(
        f"## More {n} {{#more-{n}}}\n\nThe sides of {n}." for n in range(9)
    )
    folder.load()
    service.set_uses(
        "terms",
        [
            (f"article-{n}/{key}", f"M{m}", f"Label {m}")
            for n in range(1, 15)
            for m in range(1, 9)
            for key in ("expected", "rules")
        ],
    )
    session.commit()
    assert counts() == few
    assert max(few) <= 8


# An article ----------------------------------------------------------------------------------


def test_an_article_shows_its_passages_with_contents_and_source(
    client: CheckedClient, folder: ContentFolder
) -> None:
    page = client.page("/guidance/article-1")
    assert page.h1 == "How do we settle article-1?"
    assert page.links()["1. Say what is expected"] == "#expected"
    assert page.links()["Category 1"] == "/guidance?category=category-1"
    assert page.links()["Topic 1"] == "/guidance?topic=topic-1"
    assert "1, of 1 May 2026" in page.text
    assert "<strong>weight</strong>" in page.html
    assert "Source S1 (must) What number 1 says." in page.text
    source = next(a for a in page.root.iter("a") if "toolkit" in a.attrib.get("href", ""))
    assert source.attrib["href"] == "https://toolkit.example/article-1"
    assert source.attrib["rel"] == "noopener noreferrer"
    assert "Other revisions" not in page.text
    assert "not current" not in page.text


def test_words_that_were_looked_for_are_marked_in_the_article(
    client: CheckedClient, folder: ContentFolder
) -> None:
    assert marked(client.page("/guidance/article-1?q=rule")) == ["rules", "rule"]
    assert marked(client.page("/guidance/article-1?q=***")) == []


def test_a_passage_names_the_items_that_rest_on_it(
    client: CheckedClient, folder: ContentFolder, session: Session
) -> None:
    service.set_uses("terms", [("article-1/rules", "M4", "Expectations <limits>")])
    session.commit()
    page = client.page("/guidance/article-1")
    assert "Used in Expectations <limits>" in page.text
    assert page.text.count("Used in") == 1
    assert "Used in 1 item of the checklists" in library(client).text


def test_an_item_is_linked_once_there_is_a_page_of_templates(app: Flask) -> None:
    use = Use("article-1/rules", "terms", "M4", "Expectations")
    bare = Flask("bare")
    with bare.test_request_context():
        assert routes.item_address(use) is None
    bare.add_url_rule("/templates/<kind>", routes.TEMPLATE_PAGE, lambda kind: kind)
    with bare.test_request_context():
        assert routes.item_address(use) == "/templates/terms#M4"


def test_an_older_revision_can_still_be_read(
    client: CheckedClient, folder: ContentFolder, session: Session
) -> None:
    service.set_uses("terms", [("article-1/rules", "M4", "Expectations")])
    folder.articles[0].text = "Other words altogether."
    folder.articles[0].revision = 2
    folder.load()
    current = client.page("/guidance/article-1")
    assert "Other words altogether." in current.text
    older = client.page(current.links()["Revision 1, of 1 May 2026"])
    assert older.h1 == "How do we settle article-1? (revision 1)"
    assert "Both sides say what they expect." in older.text
    assert "This revision is not current." in older.text
    assert "Used in" not in older.text
    assert older.links()["Read the current revision, number 2"] == "/guidance/article-1"
    assert older.links()["Revision 2, of 2 May 2026"] == (
        "/guidance/article-1/revisions/2?language=en"
    )
    assert (
        "This revision is not current." not in client.page("/guidance/article-1/revisions/2").text
    )


def test_a_withdrawn_article_is_read_by_its_revision_only(
    client: CheckedClient, folder: ContentFolder
) -> None:
    folder.withdraw(folder.articles[1])
    folder.load()
    assert client.get("/guidance/article-2").status_code == 404
    assert "How do we settle article-2?" not in library(client).links()
    page = client.page("/guidance/article-2/revisions/1")
    assert "This revision is not current." in page.text
    assert not [words for words in page.links() if words.startswith("Read the current")]
