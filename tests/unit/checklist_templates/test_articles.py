"""Articles that don't fit the checklists, or the article they translate, are reported."""

from dataclasses import replace

import pytest

from tests.factories.templates import a_template, an_item
from tracker.checklist_templates import articles
from tracker.core.paths import CONTENT
from tracker.guidance import library as guidance
from tracker.guidance.library import ArticleText, Library

RESTS_ON = {"statements": ["S1"], "passages": ["settling-terms/expectations"]}
TEMPLATES = (a_template(an_item("M1", rests_on=RESTS_ON)),)
SHIPPED = guidance.read(CONTENT)
SETTLING = next(
    article for article in SHIPPED.articles if article.identity == ("settling-terms", "en")
)
ORIGINAL = replace(SETTLING, passages=())
FIRST = SETTLING.passages[0]


def messages_about(*articles_given: ArticleText) -> list[str]:
    library = Library(SHIPPED.categories, SHIPPED.topics, SHIPPED.statements, articles_given)
    return [mistake.message for mistake in articles.mistakes(library, TEMPLATES)]


def translation(**head: object) -> ArticleText:
    update = {"language": "ar", "translates": ORIGINAL.head.revision, **head}
    return replace(ORIGINAL, file="ar", head=ORIGINAL.head.model_copy(update=update))


def test_a_passage_names_items_that_are_there_and_rest_on_what_it_carries() -> None:
    assert messages_about(replace(ORIGINAL, passages=(replace(FIRST, items=("M1",)),))) == []
    assert messages_about(replace(ORIGINAL, passages=(replace(FIRST, items=("M1", "M2")),))) == [
        "passage expectations names M2: not there"
    ]
    other = replace(FIRST, statements=("S2",), items=("M1",))
    assert messages_about(replace(ORIGINAL, passages=(other,))) == [
        "passage expectations carries nothing that M1 rests on"
    ]


def test_a_translation_of_the_revision_there_is_fits() -> None:
    assert messages_about(ORIGINAL, translation()) == []


@pytest.mark.parametrize("translates", [None, 1, 99])
def test_a_translation_of_another_revision_is_to_be_looked_at(translates: int | None) -> None:
    (message,) = messages_about(ORIGINAL, translation(translates=translates))
    assert message.startswith(f"it translates revision {translates or 'none'} of guidance/en/")
    assert message.endswith(f"say translates: {ORIGINAL.head.revision}")


def test_a_translation_with_another_source_category_or_topics_is_reported() -> None:
    messages = messages_about(ORIGINAL, translation(category="activities", topics=("finances",)))
    assert [message.split(" isn't")[0] for message in messages] == ["category", "topics"]


def test_a_translation_with_other_passages_is_reported() -> None:
    original = replace(ORIGINAL, passages=(FIRST,))
    for passages in (
        (),
        (replace(FIRST, key="other"),),
        (replace(FIRST, statements=("S2",)),),
        (replace(FIRST, items=("M1",)),),
    ):
        messages = messages_about(original, replace(translation(), passages=passages))
        assert messages == [
            f"its passages, their statements and items aren't those of {ORIGINAL.file}"
        ]
    assert (
        messages_about(original, replace(translation(), passages=(replace(FIRST, title="أخرى"),)))
        == []
    )


def test_an_article_that_there_is_in_one_language_alone_translates_none() -> None:
    assert messages_about(translation(translates=None)) == []
