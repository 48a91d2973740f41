"""Long answers are searched for phrases once, and while others can write."""

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.tables import Table, set_out
from tests.factories.templates import small_terms
from tests.integration.checklists.test_pages import Room
from tests.writing import write_during
from tracker.checklist_templates import risky_phrases
from tracker.checklists.negotiation import hints

TOGETHER = "Visits take place jointly. "
LONG = TOGETHER + "Only with the governor director warden prison. " * 75
OTHER = TOGETHER + "The police military magistrate authority court. " * 75


@pytest.fixture
def room(app: Flask, session: Session) -> Room:
    risky_phrases._remembered.cache_clear()
    return Room(app, set_out(session, template=small_terms()))


def on(table: Table, code: str) -> int:
    loaded = table.loaded()
    return len(hints.on_item(loaded, loaded.item(code)))


@pytest.mark.parametrize("page", ["answer", "propose"])
def test_while_a_long_answer_is_searched_others_can_write(
    room: Room, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    if page == "propose":
        room.submit("ilena", "/items/M1/answer", words="Short.")
        room.table.accept("M1", "samira", "otto")
        room.table.session.commit()
    searches = write_during(monkeypatch, (risky_phrases, "_occurrences"))
    if page == "answer":
        room.submit("ilena", "/items/M1/answer", words=LONG)
        assert on(room.table, "M1")
    else:
        room.submit("ilena", "/items/M1/propose", words=LONG, reason="It changed.")
    assert searches
    # Where the text is shown, and for everybody else, nothing is searched again.
    before = len(searches)
    for first in ("ilena", "samira"):
        room.page(first)
        room.page(first, "/items/M1/answer")
    assert len(searches) == before


def test_a_save_searches_only_what_was_written(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    room.submit("ilena", "/items/M1/answer", words=LONG)
    room.submit("ilena", "/items/M6/answer", words=OTHER)
    searched: list[str] = []
    search = risky_phrases._occurrences

    def note(text: str, *given: object) -> object:
        searched.append(str(text))
        return search(text, *given)  # type: ignore[arg-type] # passed on as it came

    monkeypatch.setattr(risky_phrases, "_occurrences", note)
    room.submit("ilena", "/items/M6/answer", words="A word.")
    assert LONG.strip() not in searched
    assert OTHER.strip() not in searched
