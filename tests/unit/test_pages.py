"""The page checks find each fault that they exist to find."""

import re

import pytest

from tests.pages import Page, PageError

SOUND = """<!doctype html><html lang="en"><head><meta charset="utf-8">
<title>Sign - Common Terms</title></head><body><main><h1>Sign</h1>{body}</main></body></html>"""


def page(body: str = "", html: str = SOUND) -> Page:
    return Page(html.format(body=body), "/sign")


def test_a_sound_page_passes() -> None:
    page(
        '<p id="a">Text</p><a href="#a">To the text</a><label for="b">B</label><input id="b">'
    ).check()


@pytest.mark.parametrize(
    ("body", "fault"),
    [
        ("<h1>Again</h1>", "2 headings h1"),
        ('<p id="a"></p><p id="a"></p>', "the id 'a' stands 2 times"),
        ('<label for="nobody">B</label>', "for='nobody' points at nothing"),
        ('<p aria-describedby="nobody">B</p>', "aria-describedby='nobody' points at nothing"),
        ('<a href="#nowhere">B</a>', "href='nowhere' points at nothing"),
        ('<p style="color: red">B</p>', "a style attribute"),
        ("<script>alert(1)</script>", "an inline script"),
        ('<button onclick="go()">B</button>', "an inline handler: onclick"),
        ('<a href="JavaScript:go()">B</a>', "a script in href"),
        ("<h3>B</h3>", "the heading 'B' (h3) follows an h1"),
        (
            '<h2 id="a">B</h2><nav aria-labelledby="a"></nav><nav aria-label="B"></nav>',
            "2 landmarks (navigation) are named 'B'",
        ),
    ],
)
def test_a_fault_is_found(body: str, fault: str) -> None:
    with pytest.raises(PageError, match=re.escape(fault)):
        page(body).check()


def test_a_title_that_does_not_begin_with_the_heading_is_found() -> None:
    with pytest.raises(PageError, match="does not begin with the h1"):
        page(html=SOUND.replace("<title>Sign", "<title>Home")).check()


def test_the_title_of_a_page_with_a_problem_says_so_first() -> None:
    page(html=SOUND.replace("<title>Sign", "<title>Problem: Sign")).check()


def test_a_page_without_a_language_is_found() -> None:
    with pytest.raises(PageError, match="does not say its language"):
        page(html=SOUND.replace(' lang="en"', "")).check()


@pytest.mark.parametrize(
    "body",
    [
        "<p><div></p></div>",
        "<p><b>B</p>",
        "<div>",
        "</div>",
        "<p/>",
        "<td>B</td>",
        "<table><p>B</p></table>",
        "<h2><h3>B</h3></h2>",
        "<form><form></form></form>",
        "<a href=/a><a href=/b>B</a></a>",
        '<a href="/a"class="b">B</a>',
        '<a href="/a" href="/b">B</a>',
        "<p>A &copy B</p>",
        "<p>&nosuch;</p>",
        "A\x00B",
    ],
)
def test_html_that_is_not_valid_is_found(body: str) -> None:
    with pytest.raises(PageError, match="not valid HTML"):
        page(body)


def test_what_html_may_hold_and_xml_may_not_is_read() -> None:
    form = page(
        '<form method="post"><!-- a -- b -->'
        '<input name="a" aria-label="A" value="1 < 2 &amp; &nbsp;3"> tail'
        '<textarea name="b" aria-label="B">x < y</textarea></form>'
    ).form()
    assert form.values == {"a": ["1 < 2 & \xa03"], "b": ["x < y"]}


def test_a_form_is_sent_as_a_browser_would_send_it() -> None:
    form = page(
        """<form method="post" action="/sign"><input type="hidden" name="token" value="t">
        <input name="name" value="Nour"><textarea name="why">\nBecause</textarea>
        <input type="checkbox" name="one" value="yes" checked><input type="checkbox" name="two">
        <select name="mode"><option value="a">A</option><option selected>b</option></select>
        <input name="off" value="x" disabled><button name="do" value="send">Send</button></form>"""
    ).form()
    assert form.filled_in(name="Amal", two="on", one=None) == {
        "token": ["t"],
        "name": ["Amal"],
        "why": ["Because"],
        "two": ["on"],
        "mode": ["b"],
    }


def test_a_field_that_the_form_does_not_have_is_found() -> None:
    with pytest.raises(PageError, match="no field colour"):
        page('<form method="post"><input name="name"></form>').form().filled_in(colour="red")
