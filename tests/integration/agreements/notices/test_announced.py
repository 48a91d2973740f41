"""The page of a cooperation names notices that have yet to take effect, and when they do."""

import pytest
from flask import Flask

from tests.factories.negotiations import Negotiation
from tests.integration.agreements.conftest import DAY, NOTICE
from tests.integration.agreements.notices.test_notices import close, give
from tests.pages import Page
from tracker.agreements.evidence import Compared
from tracker.checklists.models import NoticeKind
from tracker.core import clock


def page_of(app: Flask, negotiation: Negotiation, first: str) -> Page:
    negotiation.session.commit()
    client = negotiation.country.browser(app, first)
    return client.page(f"/cooperations/{negotiation.cooperation.reference}")


@pytest.mark.parametrize("first", ["ilena", "samira", "joana", "ada"])
def test_everyone_reads_that_the_agreement_will_end_until_the_notice_is_withdrawn(
    app: Flask, in_force: Negotiation, first: str
) -> None:
    assert "has given notice" not in page_of(app, in_force, first).text
    last_day = clock.today() + (NOTICE - 1) * DAY
    notice = give(in_force, "tomas", NoticeKind.ENDED)
    page = page_of(app, in_force, first)
    words = f"Agreed terms: the last day is {last_day.day} {last_day:%B %Y}."
    assert words in page.text
    assert "has given notice of the end." in page.text
    assert page.links()["Read the notice"].startswith(f"/checklists/{in_force.checklist().id}/")
    close(in_force, "tomas", notice)
    assert "has given notice" not in page_of(app, in_force, first).text


def test_a_suspension_to_come_is_named_with_its_first_day(
    app: Flask, in_force: Negotiation
) -> None:
    day = clock.today() + 5 * DAY
    give(in_force, "henrik", NoticeKind.SUSPENDED, from_on=day)
    words = f"Agreed terms: suspended from {day.day} {day:%B %Y}. Open Door Legal Aid has given"
    assert words in page_of(app, in_force, "ilena").text


def test_of_two_notices_of_the_end_only_the_earlier_is_announced(
    app: Flask, in_force: Negotiation
) -> None:
    day = clock.today() + (NOTICE + 10) * DAY
    give(in_force, "henrik", NoticeKind.ENDED, from_on=day)
    give(in_force, "tomas", NoticeKind.ENDED)
    text = page_of(app, in_force, "ilena").text
    assert text.count("the last day is") == 1
    assert f"{clock.today() + (NOTICE - 1) * DAY:%B %Y}. Office of the People's Advocate" in text


def test_a_notice_after_the_end_is_not_announced(app: Flask, in_force: Negotiation) -> None:
    after = clock.today() + (NOTICE + 10) * DAY
    give(in_force, "henrik", NoticeKind.SUSPENDED, from_on=after)
    assert "suspended from" in page_of(app, in_force, "ilena").text
    give(in_force, "tomas", NoticeKind.ENDED)
    assert "suspended from" not in page_of(app, in_force, "ilena").text


def test_nor_is_one_after_the_last_day_of_the_text_itself(
    app: Flask, in_force: Negotiation, monkeypatch: pytest.MonkeyPatch
) -> None:
    give(in_force, "henrik", NoticeKind.ENDED)
    assert "the last day is" in page_of(app, in_force, "ilena").text
    own_last_day = clock.today() + 20 * DAY
    monkeypatch.setattr(Compared, "last", lambda _compared, _revision_id: own_last_day)
    assert "the last day is" not in page_of(app, in_force, "ilena").text
