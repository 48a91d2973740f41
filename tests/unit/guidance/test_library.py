"""Reading the guidance: valid content is read, and mistakes are reported."""

from pathlib import Path

import pytest

from tests.factories.guidance import SHIPPED, ContentFolder, content_folder
from tracker.core.mistakes import ContentError
from tracker.guidance.library import (
    FrontMatter,
    PassageText,
    as_body,
    as_file,
    digest_of,
    read,
    read_body,
    read_file,
    read_own_body,
)

FIRST = "guidance/en/article-1.md"
SLUGS = ("settling-terms", "ways-of-working", "which-organisations", "why-work-together")


@pytest.fixture
def folder(tmp_path: Path) -> ContentFolder:
    return content_folder(tmp_path)


def mistakes_of(folder: ContentFolder) -> list[str]:
    with pytest.raises(ContentError) as caught:
        read(folder.path)
    return [str(mistake) for mistake in caught.value.mistakes]


def test_the_shipped_content_carries_every_statement() -> None:
    library = read(SHIPPED)
    assert [term.name for term in library.categories] == [
        "Activities",
        "Engaging with others",
        "Institutional development",
        "NPM Models",
    ]
    assert len(library.topics) == 28
    assert [statement.code for statement in library.statements] == [f"S{n}" for n in range(1, 73)]
    assert library.not_carried == ()
    assert {article.identity for article in library.articles} == {
        (slug, language) for slug in SLUGS for language in ("en", "ar")
    }


def test_an_article_is_read_with_its_lead_and_passages(folder: ContentFolder) -> None:
    library = read(folder.path)
    article = library.articles[0]
    assert article.identity == ("article-1", "en")
    assert article.lead == "A word to begin with."
    assert [(p.number, p.key, p.title, p.statements) for p in article.passages] == [
        (1, "expected", "Say what is expected", ("S1",)),
        (2, "rules", "Keep the rules", ("S2",)),
    ]
    assert article.passages[1].markdown.endswith("- another, with **weight**.")
    assert library.carried["article-2/rules"] == {"S4"}
    assert "another, with weight." in article.plain_text.splitlines()


def test_a_passage_may_name_the_items_it_concerns(folder: ContentFolder) -> None:
    folder.change(FIRST, "{#expected S1}", "{#expected S1 M4 U16}")
    passage = read(folder.path).articles[0].passages[0]
    assert (passage.statements, passage.items) == (("S1",), ("M4", "U16"))
    assert "## Say what is expected {#expected S1 M4 U16}" in as_body("", [passage])


def test_an_item_that_an_edited_passage_names_must_be_there() -> None:
    with pytest.raises(ContentError) as caught:
        read_body("## One {#one S1 M4 U19}\n\nText.", "article", {"S1": "article"}, {"M4"})
    assert [mistake.message for mistake in caught.value.mistakes] == [
        "there is no item U19 in the checklists"
    ]


def test_terms_and_statements_have_words_in_other_languages(folder: ContentFolder) -> None:
    folder.change("taxonomy.yaml", "name: Topic 2", "name: Topic 2, names: {ar: موضوع}")
    folder.change("statements.yaml", "  text: What", "  texts: {ar: نص}\n  text: What")
    library = read(folder.path)
    assert library.topics[2].names == {"ar": "موضوع"}
    assert library.statements[0].texts == {"ar": "نص"}


def test_a_statement_without_a_passage_is_reported(folder: ContentFolder) -> None:
    folder.change(FIRST, "{#expected S1}", "{#expected}")
    assert read(folder.path).not_carried == ("S1",)


def test_the_digest_follows_the_text_and_not_the_line_ends(folder: ContentFolder) -> None:
    before = read(folder.path).articles[0].digest
    path = folder.path / FIRST
    path.write_bytes(path.read_bytes().replace(b"\n", b"\r\n"))
    assert read(folder.path).articles[0].digest == before
    folder.change(FIRST, "A word", "Another word")
    assert read(folder.path).articles[0].digest != before


def test_a_heading_inside_code_begins_no_passage(folder: ContentFolder) -> None:
    folder.change(FIRST, "Both sides say", "```\n## Not a passage\n```\n\nBoth sides say")
    assert len(read(folder.path).articles[0].passages) == 2


def test_a_smaller_heading_belongs_to_its_passage(folder: ContentFolder) -> None:
    folder.change(FIRST, "Both sides say", "### A part\n\nBoth sides say")
    passages = read(folder.path).articles[0].passages
    assert len(passages) == 2
    assert passages[0].markdown.startswith("### A part")


@pytest.mark.parametrize(
    ("file", "old", "new", "mistake"),
    [
        (FIRST, "category-1", "category-9", "5: there is no category category-9"),
        (FIRST, "topic-1,", "topic-9,", "6: there is no topic topic-9"),
        (FIRST, "[topic-1, s", "[shared-topic, s", "6: topic shared-topic stands there twice"),
        (FIRST, "[topic-1, shared-topic]", "[]", "6: topics has fewer entries than it needs (1)"),
        (FIRST, "slug: article-1", "slug: other", "2: slug is other, but the file's name"),
        (FIRST, "language: en", "language: fr", "7: language is fr, but the folder's name en"),
        (FIRST, "revision: 1", "revision: 0", "8: revision must be at least 1"),
        (FIRST, "revision: 1", "revision: one", "8: revision must be a whole number"),
        (FIRST, "2026-05-01", "in spring", "9: revised_on must be a date"),
        (FIRST, "https://toolkit.example/article-1", "toolkit", "12: source.url: toolkit isn't"),
        (FIRST, "url: https", "url: ftp", "12: source.url: ftp://toolkit.example/article-1 isn't"),
        (FIRST, "  url: https://toolkit.example/article-1\n", "", "10: source.url is missing"),
        (FIRST, "language: en\n", "", "2: language is missing"),
        (FIRST, "language: en", "language: en\nauthor: x", "8: there is no key author"),
        (
            FIRST,
            "language: en",
            "language: en\nslug: x",
            "8: not valid YAML: this key is there twice",
        ),
        (FIRST, "[topic-1", "[[topic-1", "6: not valid YAML"),
        (FIRST, "---\nslug", "slug", "1: the file has no head"),
        (FIRST, "{#expected S1}", "{#expected S9}", "17: there is no statement S9"),
        (FIRST, "{#expected S1}", "{#expected S1 S1}", "17: S1 is there twice"),
        (FIRST, "{#expected S1}", "{#expected S1 M4 M4}", "17: M4 is there twice"),
        (FIRST, "{#expected S1}", "{#expected M123}", "17: there is no statement M123"),
        ("taxonomy.yaml", "Topic 2", "Topic 2, names: {xx: y}", "7: topics.2.names: language 'xx'"),
        (FIRST, "{#expected S1}", "{#expected S3}", "17: statement S3 belongs to the article"),
        (
            FIRST,
            "{#expected S1}",
            "{#Expected S1}",
            "17: the key Expected may contain small letters",
        ),
        (FIRST, "{#expected S1}", "", "17: this heading isn't one that begins a passage"),
        (FIRST, "{#expected S1}", "{#content S1}", "17: the key content names a part of the page"),
        (FIRST, "{#expected S1}", "{#a-title S1}", "17: the key a-title names a part of the page"),
        (FIRST, "{#rules S2}", "{#expected S2}", "21: passage expected is there twice"),
        (FIRST, "Both sides say what they expect.", "", "17: the passage has no text"),
        (FIRST, "## Say", "# Say", "17: a heading belongs into a passage"),
        (FIRST, "A word", "### Part\n\nA word", "15: a heading belongs into a passage"),
        (FIRST, "A word", "<b>A</b> word", "15: HTML isn't shown; write Markdown"),
        (FIRST, "A word", "<div>A</div>\n\nword", "15: HTML isn't shown; write Markdown"),
        (FIRST, "A word", "![A](https://toolkit.example/a.png) word", "15: pictures aren't shown"),
        (FIRST, "A word", "[A](other#x) word", "15: the link to other#x needs a whole address"),
        (FIRST, "A word", "[A](javascript:x) word", "15: the link to javascript:x needs a whole"),
        (
            "taxonomy.yaml",
            "slug: category-2",
            "slug: category-1",
            "3: category-1 stands there twice",
        ),
        ("taxonomy.yaml", "slug: topic-2", "slug: topic-1", "7: topic-1 stands there twice"),
        ("taxonomy.yaml", "name: Topic 2", "title: x", "7: topics.2.name is missing"),
        ("taxonomy.yaml", "categories:", "kinds:", "1: categories is missing"),
        ("statements.yaml", "code: S2", "code: S1", "5: S1 stands there twice"),
        ("statements.yaml", "code: S2", "code: T2", "5: 1.code is 'T2', which has the wrong form"),
        ("statements.yaml", "article: article-2", "article: x", "10: there is no article x"),
        (
            "statements.yaml",
            "force: must",
            "force: will",
            "3: 0.force is 'will', which isn't allowed",
        ),
    ],
)
def test_a_mistake_is_named_with_its_file_and_line(
    folder: ContentFolder, file: str, old: str, new: str, mistake: str
) -> None:
    folder.change(file, old, new)
    mistakes = mistakes_of(folder)
    assert any(message.startswith(f"{file}:{mistake}") for message in mistakes), "\n".join(mistakes)


def test_all_mistakes_are_named_and_each_once(folder: ContentFolder) -> None:
    folder.change(FIRST, "category-1", "category-9")
    folder.change(FIRST, "S2", "S8")
    folder.change("guidance/en/article-2.md", "https://", "")
    folder.change("taxonomy.yaml", "name: Bare topic", "nom: x")
    assert mistakes_of(folder) == [
        "guidance/en/article-1.md:5: there is no category category-9",
        "guidance/en/article-1.md:21: there is no statement S8",
        "guidance/en/article-2.md:12: source.url: toolkit.example/article-2 isn't a web address",
        "taxonomy.yaml:8: there is no key topics.3.nom",
        "taxonomy.yaml:8: topics.3.name is missing",
    ]


def test_an_article_without_passages_is_named(folder: ContentFolder) -> None:
    path = folder.path / FIRST
    path.write_text(path.read_text().split("## Say")[0])
    assert mistakes_of(folder) == [f"{FIRST}:14: the article has no passage"]


def test_a_file_that_is_no_article_is_named(folder: ContentFolder) -> None:
    (folder.path / "guidance" / "en" / "notes.txt").write_text("x")
    assert mistakes_of(folder) == [
        "guidance/en/notes.txt:1: only articles, named with .md, stand here"
    ]


def test_a_file_that_is_no_text_is_named(folder: ContentFolder) -> None:
    (folder.path / FIRST).write_bytes(b"---\n\xff\n")
    assert mistakes_of(folder) == [f"{FIRST}:1: the file isn't UTF-8 text"]


def test_an_empty_folder_is_named(tmp_path: Path) -> None:
    assert mistakes_of(ContentFolder(tmp_path)) == [
        "guidance:1: there are no articles",
        "statements.yaml:1: the file can't be read: no such file or directory",
        "taxonomy.yaml:1: the file can't be read: no such file or directory",
    ]


@pytest.mark.parametrize("file", ["taxonomy.yaml", "statements.yaml"])
@pytest.mark.parametrize("text", ["", "just words", "- 1\n- [2]\n", "topics: 1\ncategories: {}\n"])
def test_a_file_of_another_shape_is_named(folder: ContentFolder, file: str, text: str) -> None:
    (folder.path / file).write_text(text)
    assert any(message.startswith(f"{file}:") for message in mistakes_of(folder))


@pytest.mark.parametrize(
    "text", ["", "---", "---\n---", "---\n[]\n---\n", "---\nx\n---\n## A {#b}"]
)
def test_an_article_of_another_shape_is_named(folder: ContentFolder, text: str) -> None:
    (folder.path / FIRST).write_text(text)
    assert any(message.startswith(f"{FIRST}:") for message in mistakes_of(folder))


# Texts that somebody wrote ----------------------------------------------------------------------


def written(text: str, *items: str) -> list[str]:
    """Return the mistakes of an own article, each with its line."""
    with pytest.raises(ContentError) as caught:
        read_own_body(text, frozenset(items))
    return [f"{mistake.line}: {mistake.message}" for mistake in caught.value.mistakes]


def test_every_shipped_article_written_as_a_file_reads_back_equal() -> None:
    library = read(SHIPPED)
    statements = {statement.code: statement.article for statement in library.statements}
    for article in library.articles:
        body = as_body(article.lead, article.passages)
        head, rest = read_file(as_file(article.head, body), "file")
        assert head == article.head
        assert rest == body.strip()
        items = {code for passage in article.passages for code in passage.items}
        read_back = read_body(rest, article.head.slug, statements, items)
        assert read_back == (article.lead, article.passages)


def test_a_file_without_a_head_is_a_text_alone() -> None:
    assert read_file("\nWords.\n\n---\n\nMore.\n", "file") == (None, "Words.\n\n---\n\nMore.")
    assert read_file("", "file") == (None, "")


@pytest.mark.parametrize(
    ("head", "mistake"),
    [
        ("slug: x", "file:2: question is missing"),
        ("slug: [", "file:2: not valid YAML: something else than a value"),
        ("[" * 50_000, "file:2: not valid YAML: it is nested too deeply"),
        ("\n" + '["]",' * 10_000, "file:3: not valid YAML: it is nested too deeply"),
        ("- " * 25_000, "file:2: not valid YAML: it is nested too deeply"),
        ("a: &b [1]\nc: *b", "file:2: not valid YAML: anchors (&) and aliases (*)"),
    ],
)
def test_an_unreadable_head_is_reported_with_its_lines(head: str, mistake: str) -> None:
    with pytest.raises(ContentError) as caught:
        read_file(f"---\n{head}\n---\nText", "file")
    assert any(str(reported).startswith(mistake) for reported in caught.value.mistakes)


def test_a_head_can_contain_words_that_yaml_would_read_differently(
    folder: ContentFolder,
) -> None:
    head = read(folder.path).articles[0].head
    odd = head.model_copy(
        update={"question": "Yes: or #no? 'so' \"or\" {so}", "summary": "2026-11-25"}
    )
    article_head, _body = read_file(as_file(odd, "Text"), "file")
    assert isinstance(article_head, FrontMatter)
    assert (article_head.question, article_head.summary) == (odd.question, odd.summary)


def test_different_texts_have_different_digests() -> None:
    assert digest_of("a") == digest_of("a") != digest_of("b")
    assert len(digest_of("")) == 64


def test_an_organisations_article_is_read_with_its_items_and_needs_no_keys() -> None:
    lead, passages = read_own_body(
        "First.\n\n## One {M10 C3}\n\nText.\n\n## Two\n\nText.\n\n## Three {#three M1}\n\nText.",
        frozenset({"M1", "M10", "C3"}),
    )
    assert lead == "First."
    assert passages == (
        PassageText(1, "passage-1", "One", ("M10", "C3"), "Text."),
        PassageText(2, "passage-2", "Two", (), "Text."),
        PassageText(3, "three", "Three", ("M1",), "Text."),
    )


@pytest.mark.parametrize(
    ("text", "mistake"),
    [
        ("Words.", "1: the article has no passage"),
        ("## One {M9}\n\nText.", "1: there is no item M9 in the checklists"),
        ("## One {S1}\n\nText.", "1: there is no item S1 in the checklists"),
        ("## One {M4 M4}\n\nText.", "1: M4 is there twice"),
        ("## One\n\n## Two\n\nText.", "1: the passage has no text"),
        ("## One\n\nA\n\n## Two {#passage-1}\n\nB", "5: passage passage-1 is there twice"),
        ("## One\n\n<script>alert(1)</script>", "3: HTML isn't shown; write Markdown"),
        ("## One\n\n[a](javascript:b)", "3: the link to javascript:b needs a whole address"),
        ("# Top\n\n## One\n\nText.", "1: a heading belongs into a passage"),
    ],
)
def test_mistakes_in_an_organisations_article_are_reported_with_their_lines(
    text: str, mistake: str
) -> None:
    assert any(message.startswith(mistake) for message in written(text, "M4"))
