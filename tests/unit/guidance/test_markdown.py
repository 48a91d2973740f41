"""Markdown becomes safe HTML, with search words marked."""

import pytest

from tests.stopwatch import measured
from tracker.guidance.markdown import (
    PassageHeading,
    as_title,
    from_plain,
    headings,
    own_heading,
    passage_heading,
    plain,
    render,
    unfit,
)
from tracker.search.words import ask


@pytest.mark.parametrize(
    ("text", "html"),
    [
        ("*One* **two**", "<p><em>One</em> <strong>two</strong></p>\n"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n"),
        ("a <b onclick=x>b</b>", "<p>a &lt;b onclick=x&gt;b&lt;/b&gt;</p>\n"),
        ("![x](https://a.example/x.png)", "<p></p>\n"),
        ("[x](javascript:alert)", "<p>[x](javascript:alert)</p>\n"),
        ("[x](data:text/html,x)", "<p>[x](data:text/html,x)</p>\n"),
        ("[x](elsewhere)", '<p><a rel="noopener noreferrer">x</a></p>\n'),
        (
            "[x](https://a.example/?a=1&b=2)",
            '<p><a href="https://a.example/?a=1&amp;b=2" rel="noopener noreferrer">x</a></p>\n',
        ),
        ("### Part", "<h3>Part</h3>\n"),
    ],
)
def test_only_allowed_markup_becomes_html(text: str, html: str) -> None:
    assert str(render(text)) == html


def test_headings_rank_below_the_pages() -> None:
    text = "### Part\n\n#### Smaller\n\n###### Smallest"
    assert str(render(text, headings_from=4)) == (
        "<h4>Part</h4>\n<h5>Smaller</h5>\n<h6>Smallest</h6>\n"
    )
    assert "<h1" not in render("# Top", headings_from=3)


def test_words_looked_for_are_marked_in_text_alone() -> None:
    html = str(render("Before *before* [be](https://before.example)", question=ask("before")))
    assert html == (
        "<p><mark>Before</mark> <em><mark>before</mark></em> "
        '<a href="https://before.example" rel="noopener noreferrer">be</a></p>\n'
    )


def test_a_mark_opens_no_way_for_html() -> None:
    html = str(render("before <mark>x</mark> & <i>", question=ask("mark before i")))
    assert html == (
        "<p><mark>before</mark> &lt;<mark>mark</mark>&gt;x&lt;/<mark>mark</mark>&gt; "
        "&amp; &lt;<mark>i</mark>&gt;</p>\n"
    )


def test_plain_text_keeps_the_words_and_a_line_for_each_paragraph() -> None:
    assert plain("### A\n\nOne *two*\nthree.\n\n- [four](https://a.example)\n- `five`") == (
        "A\nOne two three.\nfour\nfive"
    )


@pytest.mark.parametrize(
    ("words", "read"),
    [
        ("Title {#key}", ("Title", "key", ())),
        ("A {b} c {#the-key S1 S22}", ("A {b} c", "the-key", ("S1", "S22"))),
        ("Title {#key S1 }", ("Title", "key", ("S1",))),
        ("Title", None),
        ("Title {#}", None),
        ("Title {# b} {#key}", ("Title {# b}", "key", ())),
        ("Title {#key {#S1}", ("Title", "key", ("{#S1",))),
        ("Two\nlines {#key}", None),
        ("{#key}", None),
        ("Title {key}", None),
    ],
)
def test_the_heading_of_a_passage(
    words: str, read: tuple[str, str, tuple[str, ...]] | None
) -> None:
    heading = passage_heading(words)
    assert (heading and (heading.title, heading.key, heading.statements)) == read


@pytest.mark.parametrize(
    ("words", "title", "items"),
    [
        ("Title", "Title", ()),
        ("Title {M10}", "Title", ("M10",)),
        ("Title {M10, C3}", "Title", ("M10", "C3")),
        ("Title {}", "Title", ()),
        ("Title {M10} and more", "Title {M10} and more", ()),
        ("Title {M10}}", "Title {M10}}", ()),
        ("{M10}", "{M10}", ()),
    ],
)
def test_the_heading_of_an_organisations_passage_names_items(
    words: str, title: str, items: tuple[str, ...]
) -> None:
    assert own_heading(words, 3) == PassageHeading(title, "passage-3", items)


@pytest.mark.parametrize("words", ["Title" + " {#key" * 8000, "Title" + " " * 48_000 + "S1"])
def test_a_heading_as_long_as_an_article_is_read_quickly(words: str) -> None:
    with measured() as taken:
        assert passage_heading(words) is None
        assert own_heading(words, 1).title == words
    assert taken.seconds < 1


# Plain text ------------------------------------------------------------------------------------

HOSTILE = """\
*Stars* and _lines_, <b>tags</b>, [x](javascript:alert(1)) and `ticks`
# not a heading
> not a quotation
    not code
~~~
```
-
=
1. is a list
- and so is this
![x](https://pictures.example/x.png) &lt;&amp; \\ {#key S1}
"""


def test_a_plain_text_is_shown_unchanged() -> None:
    text = from_plain(HOSTILE)
    assert list(unfit(text)) == []
    assert headings(text) == []
    shown = plain(text)
    for line in HOSTILE.splitlines():
        words = line.strip().removeprefix("1. ").removeprefix("- ")
        assert words in shown, line
    html = str(render(text))
    assert html.count("<li>") == 2
    for tag in ("<b>", "<a", "<h", "<code", "<blockquote", "<img", "<em>", "<hr"):
        assert tag not in html


def test_an_underlined_line_of_a_plain_text_begins_a_passage_on_its_own_line() -> None:
    text = "Before\n\nFirst thing {M10}\n=======\nWords.\nMore\n\nSecond\n---\nWords.\n\n-----\nEnd"
    written = from_plain(text)
    assert [(heading.words, heading.line) for heading in headings(written)] == [
        ("First thing (M10)", 2),
        ("Second", 7),
    ]
    assert len(written.splitlines()) == len(text.splitlines())
    assert "---" not in written


def test_a_title_is_read_as_words_alone() -> None:
    assert as_title("# What is {#key S1}?") == "What is (#key S1)?"
    assert own_heading(as_title("Whose {M1}"), 1).statements == ()
