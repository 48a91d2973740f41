"""Long answers are searched for phrases once, and while others can write."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.negotiations import Negotiation, set_out
from tests.factories.templates import small_terms
from tests.integration.checklists.test_pages import Users, forms
from tests.writing import write_during
from tracker.accounts.models import Membership
from tracker.activity.models import Event
from tracker.activity.verbs import ROWS_NOTED
from tracker.checklist_templates import risky_phrases
from tracker.checklists.negotiation import hints
from tracker.core import clock, services
from tracker.core.db import db

TOGETHER = "Visits take place jointly. "
LONG = TOGETHER + "Only with the governor director warden prison. " * 75
OTHER = TOGETHER + "The police military magistrate authority court. " * 75


def forget(app: Flask) -> None:
    """Forget what was found, as a restart does."""
    searched = services.of(app).get(risky_phrases.SEARCHED)
    assert searched is not None
    searched.forget()


@pytest.fixture
def users(app: Flask, session: Session) -> Users:
    forget(app)
    return Users(app, set_out(session, template=small_terms()))


def on(negotiation: Negotiation, code: str) -> int:
    loaded = negotiation.loaded()
    return len(hints.on_item(loaded, loaded.item(code)))


@pytest.mark.parametrize("page", ["answer", "propose"])
def test_while_a_long_answer_is_searched_others_can_write(
    users: Users, monkeypatch: pytest.MonkeyPatch, page: str
) -> None:
    if page == "propose":
        users.submit(
            "ilena", "/items/M1/answer", words="Visits take place jointly, on any day of the year."
        )
        users.negotiation.accept("M1", "samira", "otto")
        users.negotiation.session.commit()
    searches = write_during(monkeypatch, (risky_phrases, "_occurrences"))
    if page == "answer":
        users.submit("ilena", "/items/M1/answer", words=LONG)
        assert on(users.negotiation, "M1")
    else:
        users.submit("ilena", "/items/M1/propose", words=LONG, reason="It changed.")
    assert searches
    # Where the text is shown, and for everybody else, nothing is searched again.
    before = len(searches)
    for first in ("ilena", "samira"):
        users.page(first)
        users.page(first, "/items/M1/answer")
    assert len(searches) == before


def flag(users: Users) -> None:
    users.submit("samira", "/items/M6/flag", reason="It is for the police alone.")


def accept(users: Users) -> None:
    users.press("samira", "Accept", "M6")


def propose(users: Users) -> None:
    users.submit("samira", "/items/M6/propose", words="Another word.", reason="It changed.")


def flag_without_a_reason(users: Users) -> None:
    users.submit("samira", "/items/M6/flag", reason="")


@pytest.mark.parametrize("act", [accept, propose, flag, flag_without_a_reason])
def test_after_a_restart_others_can_write_while_an_act_searches_a_checklist(
    users: Users, monkeypatch: pytest.MonkeyPatch, act: Callable[[Users], None]
) -> None:
    users.submit("ilena", "/items/M1/answer", words=LONG)
    users.submit("ilena", "/items/M6/answer", words=OTHER)
    before = recorded(users)
    forget(users.app)
    searches = write_during(monkeypatch, (risky_phrases, "_occurrences"))
    act(users)
    assert searches or act is flag_without_a_reason
    assert recorded(users) - before == (act is not flag_without_a_reason)


def recorded(users: Users) -> int:
    events = sa.select(sa.func.count()).select_from(Event).where(Event.verb != ROWS_NOTED.name)
    return users.negotiation.session.scalar(events) or 0


def test_a_role_that_ends_while_a_checklist_is_searched_after_a_restart_counts(
    users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    users.submit("ilena", "/items/M1/answer", words=LONG)
    users.submit("ilena", "/items/M6/answer", words=OTHER)
    forget(users.app)
    samira, before = users.negotiation.country.users["samira"].id, recorded(users)
    page = users.page("samira")
    (form,) = [form for form in forms(page) if form[2].startswith("Accept: Item M6")]
    forget(users.app)
    search = risky_phrases.search

    def end(*given: Any) -> object:
        own = Membership.user_id == samira
        db.session.execute(sa.update(Membership).where(own).values(ended_at=clock.now()))
        db.session.commit()
        return search(*given)

    monkeypatch.setattr(risky_phrases, "search", end)
    answer = users.browser("samira").open(form[0], method="POST", data=form[1], csrf=False)
    assert answer.status_code in {302, 403, 404}
    db.session.expire_all()
    assert recorded(users) == before


def test_a_save_searches_only_what_was_written(
    users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    users.submit("ilena", "/items/M1/answer", words=LONG)
    users.submit("ilena", "/items/M6/answer", words=OTHER)
    searched: list[str] = []
    search = risky_phrases._occurrences

    def note(text: str, *given: object) -> object:
        searched.append(str(text))
        return search(text, *given)  # type: ignore[arg-type] # passed on as it came

    monkeypatch.setattr(risky_phrases, "_occurrences", note)
    users.submit("ilena", "/items/M6/answer", words="A word.")
    assert LONG.strip() not in searched
    assert OTHER.strip() not in searched


def searched_texts(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return a list to which each text is added when it is searched ahead."""
    searched: list[str] = []
    search_ahead = risky_phrases.search_ahead

    def note(texts: list[str], names: risky_phrases.Names) -> None:
        searched.extend(texts)
        search_ahead(texts, names)

    monkeypatch.setattr(risky_phrases, "search_ahead", note)
    return searched


def test_for_an_outsider_nothing_is_searched(users: Users, monkeypatch: pytest.MonkeyPatch) -> None:
    searched = searched_texts(monkeypatch)
    address = f"/checklists/{users.negotiation.checklist().id}/items/M1"
    outsider = users.browser("marek")
    for page in ("answer", "propose"):
        answer = outsider.post(f"{address}/{page}", data={"words": LONG})
        assert answer.status_code == 404
    assert searched == []


def test_tokens_and_short_texts_are_not_searched(
    users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    searched = searched_texts(monkeypatch)
    users.submit("ilena", "/items/M1/answer", words=LONG, then="next " * 20)
    assert searched == [LONG.strip()]


def test_a_role_that_ends_while_a_text_is_searched_counts(
    users: Users, monkeypatch: pytest.MonkeyPatch
) -> None:
    form = users.page("ilena", "/items/M1/answer").form()
    ilena = users.negotiation.country.users["ilena"].id
    address = f"/checklists/{users.negotiation.checklist().id}/items/M1/answer"

    def end(_texts: object, _names: object) -> None:
        own = Membership.user_id == ilena
        db.session.execute(sa.update(Membership).where(own).values(ended_at=clock.now()))
        db.session.commit()

    monkeypatch.setattr(risky_phrases, "search_ahead", end)
    client = users.browser("ilena")
    data = {**form.values, "words": [LONG]}
    answer = client.open(address, method="POST", data=data, csrf=False)
    assert answer.status_code in {302, 403, 404}
    db.session.expire_all()
    assert users.negotiation.loaded().sheet.shared("M1") is None


def test_what_is_remembered_is_limited_and_no_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(risky_phrases, "MOST_REMEMBERED", 3_000)
    calls: list[str] = []

    def search(text: str) -> tuple[()]:
        calls.append(text)
        return ()

    searched = risky_phrases.Searched()
    texts = [f"{number} of many words " * 40 for number in range(5)]
    for text in [*texts, texts[-1], "Short.", "Short."]:
        searched.found_in(text, (), search)
    assert calls == [*texts, "Short.", "Short."]
    assert searched._size <= 3_000
    searched.found_in(texts[0], (), search)
    assert calls[-1] == texts[0]
    assert all(isinstance(key, bytes) for key in searched._matches_by_digest)
