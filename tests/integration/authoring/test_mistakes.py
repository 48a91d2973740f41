"""Mistakes in a text that was sent: each with its line, its place and what to write instead."""

import io
import re
from xml.etree.ElementTree import Element

import pytest

from tests.factories.accounts import People
from tests.factories.authoring import changed, text_of
from tests.factories.templates import an_item
from tests.integration.authoring.conftest import BrowserOf
from tests.pages import Page
from tracker.authoring.sent_text import MOST_MISTAKES
from tracker.checklist_templates.models import ChecklistKind

pytestmark = pytest.mark.usefixtures("short_terms")

UPLOAD = "/administration/checklists/upload"
EDIT = "/administration/guidance/settling-terms/en/edit"


def lines_of(text: str, words: str) -> int:
    """Return the number of the first line with some words."""
    return next(n for n, line in enumerate(text.splitlines(), 1) if words in line)


def entry(page: Page, number: int = 1) -> str:
    """Return the text of an entry in the list of mistakes, its parts divided by spaces."""
    return " ".join(" ".join(element(page, number).itertext()).split())


def element(page: Page, number: int) -> Element:
    """Return an entry in the list of mistakes."""
    return next(part for part in page.root.iter("li") if part.get("id") == f"mistake-{number}")


def count(page: Page) -> int:
    """Return how many mistakes are shown."""
    ids = (part.get("id", "") for part in page.root.iter("li"))
    return sum(name.startswith("mistake-") for name in ids)


def summary(page: Page) -> dict[str, str]:
    """Return the links of the list of problems, by their targets."""
    (shown,) = (part for part in page.root.iter("div") if "error-summary" in part.get("class", ""))
    return {link.get("href", ""): "".join(link.itertext()) for link in shown.iter("a")}


# What is written instead of what; what is marked; what is wrong; what to do.
MISTAKES = [
    (
        "label: Parties and mandates",
        "\tlabel: Parties and mandates",
        "→",
        "a tab can't be used to indent",
        "Use spaces instead of the tab.",
    ),
    (
        "label: Parties and mandates",
        "label Parties and mandates",
        "label",
        "a key without a colon",
        "Write a colon and a space between the key and its value: key: value.",
    ),
    (
        "label: Parties and mandates",
        'label: "Parties" and mandates',
        "and",
        "text after a closing quotation mark",
        "Close the quotation mark of the text before, or put the whole text in quotes.",
    ),
    (
        "label: Parties and mandates",
        "labell: Parties and mandates",
        "labell",
        "item M1: there is no key labell",
        "Write label instead.",
    ),
    (
        "label: Parties and mandates",
        "label: [Parties and mandates]",
        "[",
        "item M1: label must be text",
        "Write text.",
    ),
    (
        "type: party",
        "type: partie",
        "partie",
        "type is 'partie', which isn't allowed there",
        "Write party instead. It can be: confirm, choice,",
    ),
    (
        "code: M3\n",
        "code: M2\n",
        "M2",
        "item M2 is there more than once",
        "Give each one a key or a code of its own, or remove one.",
    ),
    (
        "- S4\n",
        "- S90\n",
        "S90",
        "M2 is based on S90, which doesn't exist",
        "Use the code of a statement of the source",
    ),
]


def test_a_mistake_in_a_checklist_shows_its_line_and_what_to_write(
    people: People, browser_of: BrowserOf
) -> None:
    ada = browser_of("ada")
    for old, new, marked, wrong, advice in MISTAKES:
        text = changed(old, new)
        page = Page.of(ada.submit(UPLOAD, text=text))
        assert page.title.startswith("Problem: "), new
        entries = [entry(page, n + 1) for n in range(count(page))]
        shown, number = next((words, n) for n, words in enumerate(entries, 1) if wrong in words)
        assert advice in shown, new
        (mark,) = element(page, number).iter("mark")
        assert mark.text == marked, new
        assert ", character " in shown, new
        assert wrong in summary(page)[f"#mistake-{number}"], new
        assert page.form().values["text"][0].strip() == text.strip(), new


def test_a_missing_key_shows_where_to_add_it(people: People, browser_of: BrowserOf) -> None:
    text = changed("        part: terms\n", "")
    page = Page.of(browser_of("ada").submit(UPLOAD, text=text))
    assert "item M1: part is missing" in entry(page)
    assert "Add a line: part: followed by one of: terms, people, person." in entry(page)
    assert f"Line {lines_of(text, 'code: M1')}:" in entry(page)


def test_a_condition_that_can_not_be_read_is_one_mistake(
    people: People, browser_of: BrowserOf
) -> None:
    item = an_item("M1", required="conditional", required_when={"if": "visit"})
    assert item["required_when"] == {"if": "visit"}
    text = changed("required: always", "required: conditional\n        required_when: {if: VISIT}")
    page = Page.of(browser_of("ada").submit(UPLOAD, text=text))
    assert list(summary(page)) == ["#mistake-1"]
    assert "item M1: required_when can't be read" in entry(page)
    assert "These go together: modes; question; item, field, in; any; all; not." in entry(page)


def test_a_limit_may_be_based_on_a_passage_that_no_item_is_based_on(
    people: People, browser_of: BrowserOf
) -> None:
    passage = "which-organisations/unions-and-professions"
    ours = (
        "- {key: of_ours, column: releaser, in: [cso], powers: [publication], because: Ours.,"
        f" statement: S70, passage: {passage}}}\n"
    )
    kind = ChecklistKind.CONFIDENTIALITY
    assert passage not in text_of(kind)
    first = re.search(r"limits:\n( +)- key: released_outside\n", text_of(kind))
    assert first is not None
    line = first.group(0)
    text = changed(line, line.replace("- key", f"{ours}{first.group(1)}- key"), kind)
    assert "error-summary" not in browser_of("ada").submit(UPLOAD, text=text).text
    mistyped = text.replace("/unions-and-professions", "/unions")
    page = Page.of(browser_of("ada").submit(UPLOAD, text=mistyped))
    assert "limit of_ours is based on which-organisations/unions" in entry(page)


def test_several_mistakes_are_listed_together_up_to_a_limit(
    people: People, browser_of: BrowserOf
) -> None:
    ada = browser_of("ada")
    text = changed("label: Parties and mandates", "labell: Parties and mandates")
    page = Page.of(ada.submit(UPLOAD, text=text.replace("type: person", "type: persson")))
    assert len(summary(page)) > 2
    page = Page.of(ada.submit(UPLOAD, text=text.replace("label:", "labell:")))
    assert count(page) == MOST_MISTAKES
    assert "more" in summary(page)["#text"]


def test_a_line_with_markup_is_shown_as_text(people: People, browser_of: BrowserOf) -> None:
    text = changed("label: Parties and mandates", "labell: <b onclick=x>Parties</b>")
    page = Page.of(browser_of("ada").submit(UPLOAD, text=text))
    assert "labell : <b onclick=x>Parties</b>" in entry(page, 2)
    assert [part for part in page.root.iter() if part.get("onclick")] == []


def test_a_mistake_in_an_article_shows_its_line_and_what_to_write(
    people: People, browser_of: BrowserOf
) -> None:
    ada = browser_of("ada")
    text = "## First {#expectations S1}\n\nWords.\n\n## Second {#second S99}\n\n## Third"
    page = Page.of(ada.submit(EDIT, text=text, step="preview"))
    entries = " ".join(entry(page, n + 1) for n in range(len(summary(page))))
    assert "Line 5: there is no statement S99 ## Second {#second S99}" in entries
    assert "This article's statements are S1, S2," in entries
    assert "Line 7: this heading isn't one that begins a passage ## Third Write it like" in entries
    assert page.form().values["text"][0] == text


def test_a_mistake_in_the_head_of_a_file_quotes_the_file(
    people: People, browser_of: BrowserOf
) -> None:
    head = b"---\nslug: settling-terms\nquestions: How?\n---\n\n## A {#a S1}\n\nWords."
    ada = browser_of("ada")
    before = ada.page(EDIT).form().values["text"]
    form = ada.page(EDIT).form()
    sent = {name: values[0] for name, values in form.filled_in(step="preview").items()}
    data = {**sent, "file": (io.BytesIO(head), "text.md")}
    response = ada.post(EDIT, data=data, content_type="multipart/form-data", csrf=False)
    page = Page.of(response)
    assert "Line 3, character 1: there is no key questions questions: How?" in page.text
    assert "Write question instead." in page.text
    assert page.form().values["text"] == before


def test_a_mistake_in_a_translation_says_what_to_translate(
    people: People, browser_of: BrowserOf
) -> None:
    ada = browser_of("ada")
    place = "/administration/checklists/terms/6/words/ar"
    text = ada.get(f"{place}/file").text
    line = next(line for line in text.splitlines() if line.strip().startswith("prompt:"))
    page = Page.of(ada.submit(place, text=text.replace(f"{line}\n", "", 1), reason="Better"))
    assert "item M1: prompt is missing" in page.text
    assert "Add a line: prompt: followed by its value." in page.text
