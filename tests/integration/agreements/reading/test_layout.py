"""A frozen text reads like an agreement, on the pages where it is read and signed and as a PDF."""

from collections.abc import Iterator
from dataclasses import replace
from uuid import UUID
from xml.etree.ElementTree import Element

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.demonstration import Demonstration
from tests.factories.evidence.certificates import make_all, words_of
from tests.pages import Page
from tracker.agreements import frozen_text
from tracker.agreements.frozen_text import FrozenText
from tracker.signoff import service as signoff
from tracker.signoff.models import Revision

SENTENCE = "I, Otto Brandis, President, sign revision 1 of the text"
POWER = "by decision of its board of 3 November"


@pytest.fixture
def otto(app: Flask, demonstration: Demonstration) -> CheckedClient:
    return demonstration.browser(app, "otto")


@pytest.fixture
def to_sign(otto: CheckedClient, demonstration: Demonstration) -> Page:
    return otto.page(f"/checklists/{demonstration.checklists['waiting', 'terms']}/sign")


@pytest.fixture
def record(otto: CheckedClient, demonstration: Demonstration) -> Page:
    return otto.page(f"/checklists/{demonstration.checklists['complete', 'terms']}/record")


def words(element: Element) -> str:
    return " ".join("".join(element.itertext()).split())


def clause(page: Page, code: str) -> Element:
    """Return the part of a page with one item of the text."""
    return next(
        part
        for part in page.root.iter("section")
        if part.attrib.get("aria-labelledby") == f"clause-{code}"
    )


def fields(page: Page, code: str) -> Iterator[tuple[Element, Element]]:
    """Yield the label and the answer of each field of an item."""
    for pair in clause(page, code).iter("div"):
        parts = [part for part in pair if part.tag in {"dt", "dd"}]
        if [part.tag for part in parts] == ["dt", "dd"]:
            yield parts[0], parts[1]


def ids(page: Page) -> set[str]:
    return {part.attrib["id"] for part in page.root.iter() if "id" in part.attrib}


def contents(page: Page) -> dict[str, str]:
    """Return the list of contents of a page: the words of each entry, and where it leads."""
    return {
        words(link): link.attrib["href"]
        for nav in page.root.iter("nav")
        if nav.attrib.get("aria-label") == "Contents"
        for link in nav.iter("a")
    }


def text_of(session: Session, checklist_id: UUID) -> FrozenText:
    revision = session.scalars(sa.select(Revision).where(Revision.subject_id == checklist_id)).one()
    return frozen_text.read(signoff.document_of(revision, None))


# Labels, answers, lists


def test_several_choices_are_a_list(to_sign: Page, record: Page) -> None:
    for page in (to_sign, record):
        answers = {words(label): answer for label, answer in fields(page, "M20")}
        assert [words(entry) for entry in answers["Who may end"].iter("li")] == ["The NPM", "A CSO"]


def test_one_choice_is_no_list(to_sign: Page) -> None:
    answers = {words(label): answer for label, answer in fields(to_sign, "M3")}
    assert not list(answers["Forms of cooperation in scope"].iter("li"))
    assert words(answers["Form of the agreement"]) == "Memorandum of understanding"


def test_what_was_confirmed_reads_as_the_statement_that_binds(to_sign: Page) -> None:
    """The statement is what was agreed; that it was confirmed is said quietly below it."""
    statements = [
        words(label)
        for pair in clause(to_sign, "M20").iter("div")
        if pair.attrib.get("class") == "statement"
        for label in pair.iter("dt")
    ]
    assert "Notice is given in writing only. Nothing ends by silence." in statements
    assert "Days of notice" not in statements


def test_a_label_that_says_what_the_heading_says_is_not_seen_twice(to_sign: Page) -> None:
    labels = {
        words(label): label.attrib.get("class", "") for label, _answer in fields(to_sign, "M2")
    }
    assert labels == {"Objectives": "vh", "How you will know": ""}


def test_empty_cells_are_left_out_where_a_table_is_read_line_by_line(record: Page) -> None:
    cells = [
        (words(cell), cell.attrib.get("class", "")) for cell in clause(record, "M1").iter("td")
    ]
    assert ("Takes cases to court: –", "blank") in cells
    assert ("Takes cases to court: Yes", "") in cells


# Contents


def test_a_long_text_has_a_list_of_its_contents(to_sign: Page, record: Page) -> None:
    for page in (to_sign, record):
        entries = contents(page)
        assert entries["Purpose and parties"] == "#part-1"
        assert entries["Anything else"]
        assert entries["About this text"] == "#about"
        assert {address.removeprefix("#") for address in entries.values()} <= ids(page)


def test_a_short_text_has_none(session: Session, demonstration: Demonstration) -> None:
    text = text_of(session, demonstration.checklists["complete", "terms"])
    assert text.is_long
    assert not replace(text, sections=text.sections[:2]).is_long


# Who signs, before the button


def test_who_signs_and_by_what_power_stands_before_the_button(to_sign: Page) -> None:
    before, after = to_sign.text.rsplit("Continue to sign", 1)
    last = before.rsplit("About this text", 1)[1]
    assert "Otto Brandis" in last
    assert POWER in last
    assert SENTENCE in last
    assert last.index("Who signs") < last.index(POWER) < last.index(SENTENCE)
    assert "Who signs" not in after


def test_the_sentence_is_the_last_thing_before_the_proof(
    otto: CheckedClient, to_sign: Page
) -> None:
    page = otto.page(to_sign.links()["Continue to sign"])
    before, after = page.text.split("Prove it's you", 1)
    assert before.index("Who signs") < before.index(POWER) < before.index(SENTENCE)
    assert "Digest of that text" in before[: before.index(SENTENCE)]
    assert "Who signs" not in after


# Certificate


def test_the_certificate_has_contents_and_lists_and_no_empty_lines(
    session: Session, demonstration: Demonstration
) -> None:
    checklist_id = demonstration.checklists["complete", "terms"]
    revision = session.scalars(sa.select(Revision).where(Revision.subject_id == checklist_id)).one()
    row = next(row for row in make_all()[revision.id] if row.language == "en")
    text = words_of(row)
    first_page = text.split("\f", 1)[0]
    assert "Contents" in first_page
    assert "Purpose and parties" in first_page
    assert "Signatures" in first_page
    assert "• The NPM" in text
    assert "• A CSO" in text
    # Where a table is written line by line.
    partners = text[text.index("Kind of body") : text.index("How each partner was chosen")]
    assert partners.count("Takes cases to court") == 1
