"""Loading the guidance: revisions, what is current, the trail, the search, and what uses it."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.factories.guidance import ContentFolder, Written, load_shipped, uses_of
from tracker.activity import queries as trail
from tracker.core.mistakes import ContentError
from tracker.guidance import library, queries, service
from tracker.guidance.models import Article
from tracker.search import service as search

pytestmark = [pytest.mark.both_databases, pytest.mark.some_on_postgresql(3)]

FIRST = "guidance/en/article-1.md"
Watch = Callable[[], AbstractContextManager[list[str]]]


def events() -> list[tuple[str, object, object]]:
    _total, lines = trail.instance_history()
    return [
        (line.verb, line.details.get("name"), line.details.get("version"))
        for line in lines
        if line.verb.startswith("content_") and line.subject_type in {"article", "guidance"}
    ]


def search_hits(typed: str) -> list[str]:
    return sorted(hit.key for hit in search.find(typed, [service.ARTICLE]))


def test_the_shipped_guidance_is_loaded_and_found(session: Session) -> None:
    load_shipped()
    assert load_shipped() == []
    assert [(ref.slug, ref.language) for ref in queries.current_revisions()] == [
        (slug, language)
        for slug in (
            "settling-terms",
            "ways-of-working",
            "which-organisations",
            "why-work-together",
        )
        for language in ("ar", "en")
    ]
    taxonomy = queries.taxonomy()
    assert (len(taxonomy.categories), len(taxonomy.topics)) == (4, 28)
    assert len(queries.statements(f"S{number}" for number in range(1, 73))) == 72
    assert "settling-terms" in search_hits("sensitive undertaking visit")


def test_loading_tells_what_changed_and_notes_it_in_the_trail(folder: ContentFolder) -> None:
    folder.articles.append(Written("article-3", 3))
    assert folder.load() == [
        "8 categories and topics",
        "6 statements",
        "article article-3 (en), revision 1",
    ]
    assert events()[:3] == [
        ("content_loaded", "article-3 (en)", 1),
        ("content_loaded", "statements", None),
        ("content_loaded", "taxonomy", None),
    ]


def test_loading_the_same_again_changes_nothing(folder: ContentFolder) -> None:
    before = events()
    assert folder.load() == []
    assert events() == before


def test_a_text_that_changed_needs_a_new_revision(folder: ContentFolder) -> None:
    before = (events(), queries.current_revisions())
    folder.articles[0].text = "Other words altogether."
    with pytest.raises(ContentError) as caught:
        folder.load()
    assert [str(mistake) for mistake in caught.value.mistakes] == [
        f"{FIRST}:8: the text differs from revision 1 as it is loaded; raise the revision"
    ]
    assert (events(), queries.current_revisions()) == before
    assert search_hits("altogether") == []


def test_a_new_revision_becomes_current_and_the_earlier_one_stays(folder: ContentFolder) -> None:
    (old, _other) = queries.current_revisions()
    folder.articles[0].text = "Other words altogether."
    folder.articles[0].revision = 2
    assert folder.load() == ["article article-1 (en), revision 2"]
    (new, _other) = queries.current_revisions()
    assert (new.revision, new.digest == old.digest) == (2, False)
    assert queries.revision_of("article-1", 1) == old
    assert queries.revision_of("article-1", 2) == new
    assert queries.revision_of("article-1", 3) is None
    older = queries.article("article-1", "en", 1)
    assert older is not None
    assert older.passages[0].markdown == "Both sides say what they expect."
    assert search_hits("altogether") == ["article-1"]
    assert search_hits("sides") == ["article-2"]


def test_an_older_revision_is_not_loaded_over_a_newer_one(folder: ContentFolder) -> None:
    folder.articles[0].revision = 3
    folder.load()
    folder.articles[0].revision = 2
    with pytest.raises(ContentError, match="revision 3 is loaded already; 2 is older"):
        folder.load()


def test_all_revisions_that_do_not_fit_are_named(folder: ContentFolder) -> None:
    for article in folder.articles:
        article.text = "Other words."
    with pytest.raises(ContentError) as caught:
        folder.load()
    assert [mistake.file for mistake in caught.value.mistakes] == [
        "guidance/en/article-1.md",
        "guidance/en/article-2.md",
    ]


def test_an_article_whose_file_is_gone_is_withdrawn_and_can_come_back(
    folder: ContentFolder,
) -> None:
    gone = folder.articles[1]
    folder.withdraw(gone)
    assert folder.load()[-1] == "article article-2 (en), withdrawn"
    assert folder.load() == []
    assert events()[0] == ("content_withdrawn", "article-2 (en)", 1)
    assert queries.article("article-2", "en") is None
    assert queries.revision_of("article-2", 1) is not None
    assert search_hits("sides") == ["article-1"]
    folder.articles.append(gone)
    assert folder.load()[-1] == "article article-2 (en), revision 1"
    assert search_hits("sides") == ["article-1", "article-2"]


def test_each_language_has_its_own_revisions(folder: ContentFolder) -> None:
    folder.articles.append(Written("article-1", 1, "ar", text="قبل العمل"))
    folder.load()
    folder.articles[0].revision = 2
    folder.load()
    assert [(r.slug, r.language, r.revision) for r in queries.current_revisions()] == [
        ("article-1", "ar", 1),
        ("article-1", "en", 2),
        ("article-2", "en", 1),
    ]
    assert [row.language for row in queries.current_articles("ar")] == ["ar", "en"]
    assert [row.language for row in queries.current_articles("fr")] == ["en", "en"]
    assert queries.passages_for(["article-1/expected"], "ar")["article-1/expected"].markdown == (
        "قبل العمل"
    )


def test_passages_are_given_with_their_article_in_one_query(
    folder: ContentFolder, statements: Watch
) -> None:
    refs = ["article-1/expected", "article-2/rules", "article-1/nothing", "article-9/x", "bare", ""]
    with statements() as seen:
        shown = queries.passages_for(refs)
    assert len(seen) == 1
    assert set(shown) == {"article-1/expected", "article-2/rules"}
    rules = shown["article-2/rules"]
    assert (rules.slug, rules.key, rules.number, rules.title) == (
        "article-2",
        "rules",
        2,
        "Keep the rules",
    )
    assert rules.article_question == "How do we settle article-2?"
    assert rules.statements == ("S4",)
    with statements() as seen:
        assert queries.passages_for(["bare"]) == {}
    assert seen == []


def test_passages_that_name_an_item_of_a_checklist_come_with_those_asked_for(
    folder: ContentFolder, statements: Watch
) -> None:
    folder.articles[0].revision = 2
    folder.write()
    folder.change(FIRST, "{#rules S2}", "{#rules S2 U6 U16}")
    service.load(library.read(folder.path))
    with statements() as seen:
        shown = queries.passages_for(["article-2/rules"], items="U")
    assert len(seen) == 1
    assert set(shown) == {"article-1/rules", "article-2/rules"}
    assert shown["article-1/rules"].items == ("U6", "U16")
    assert set(queries.passages_for(["article-2/rules"], items="M")) == {"article-2/rules"}


def test_passages_come_from_the_current_revision(folder: ContentFolder) -> None:
    folder.articles[0].text = "Other words."
    folder.articles[0].revision = 2
    folder.load()
    assert queries.passages_for(["article-1/expected"])["article-1/expected"].markdown == (
        "Other words."
    )


def test_uses_take_the_place_of_those_kept_before(session: Session, folder: ContentFolder) -> None:
    rules, expected = "article-1/rules", "article-1/expected"
    service.set_uses("terms", [(rules, "M10", "Use"), (rules, "M4", "Expectations")])
    service.set_uses("visit", [(rules, "V2", "Who may know"), (expected, "V2", "Who may know")])
    session.commit()
    uses = uses_of("article-1")
    assert [use.code for use in uses["expected"]] == ["V2"]
    assert [(use.code, use.used_by) for use in uses["rules"]] == [
        ("M4", "terms"),
        ("M10", "terms"),
        ("V2", "visit"),
    ]
    assert uses_of("article-2")["rules"] == []
    assert queries.count_uses()["article-1"] == 3
    service.set_uses("terms", [(rules, "M4", "Expectations, limits")])
    session.commit()
    assert [use.label for use in uses_of("article-1")["rules"]] == [
        "Expectations, limits",
        "Who may know",
    ]
    service.set_uses("terms", [])
    session.commit()
    assert [use.used_by for use in uses_of("article-1")["rules"]] == ["visit"]


def test_the_same_uses_again_write_nothing(
    session: Session, folder: ContentFolder, statements: Watch
) -> None:
    uses = [("article-1/rules", "M4", "Expectations")]
    service.set_uses("terms", uses)
    session.commit()
    with statements() as seen:
        service.set_uses("terms", uses)
    assert [statement.split()[0] for statement in seen] == ["SELECT"]


def test_a_revision_is_loaded_only_once(session: Session, folder: ContentFolder) -> None:
    double = Article(
        slug="article-1",
        language="en",
        revision=1,
        question="",
        summary="",
        category="",
        topics=[],
        source_title="",
        source_url="",
        revised_on=session.scalars(sa.select(Article.revised_on)).first(),
        digest="0" * 64,
        loaded_at=session.scalars(sa.select(Article.loaded_at)).first(),
    )
    session.add(double)
    with pytest.raises(sa.exc.IntegrityError):
        session.flush()
    session.rollback()
