"""The pages by which a party leaves by itself, and what it can read afterwards."""

import pytest
from flask import Flask

from tests.client import CheckedClient
from tests.factories.negotiations import Negotiation
from tests.integration.agreements.conftest import DAY, NOTICE, Clock
from tests.integration.agreements.notices.test_notices import give
from tests.integration.agreements.parties.test_leaving import WHY, gone, notify, row
from tracker.checklists.models import NoticeKind
from tracker.cooperations.models import Cooperation, Stage
from tracker.core import clock


def browser(app: Flask, negotiation: Negotiation, first: str) -> CheckedClient:
    return negotiation.country.browser(app, first)


def address(negotiation: Negotiation, page: str = "leave") -> str:
    return f"/cooperations/{negotiation.cooperation.reference}/{page}"


def departure(negotiation: Negotiation, key: str = "lantern") -> str:
    return address(negotiation, f"departures/{negotiation.country.id(key)}")


def test_a_signatory_gives_notice_from_the_cooperations_page(
    app: Flask, in_force: Negotiation
) -> None:
    client = browser(app, in_force, "otto")
    links = client.page(address(in_force, "").rstrip("/")).links()
    assert links["Leave this cooperation"] == address(in_force)
    page = client.page(address(in_force))
    assert page.h1 == "Leave this cooperation"
    assert "Agreed notice: 30 days." in page.text
    assert "Thanks are owed." in page.text
    day = (clock.today() + NOTICE * DAY).isoformat()
    text = client.submit(address(in_force), from_on=day, reason=WHY).get_data(as_text=True)
    assert "Notice given. All parties are notified." in text
    assert "Lantern Health Network is leaving" in text
    assert WHY in text
    assert client.get(address(in_force)).status_code == 403
    others = browser(app, in_force, "samira").page(departure(in_force)).text
    assert "Withdraw the notice" not in others
    assert WHY in others


def test_whoever_ends_the_terms_reads_that_it_is_for_all_and_how_to_leave_alone(
    app: Flask, in_force: Negotiation
) -> None:
    ending = f"/checklists/{in_force.checklist().id}/end"
    page = browser(app, in_force, "otto").page(ending)
    assert "It ends the text for all parties." in page.text
    assert page.links()["Leave this cooperation"] == address(in_force)
    # No other body of the NPM would be left.
    assert "Leave this cooperation" not in browser(app, in_force, "tomas").page(ending).links()


def test_once_an_end_for_all_is_announced_leaving_alone_is_not_offered(
    app: Flask, in_force: Negotiation
) -> None:
    give(in_force, "tomas", NoticeKind.ENDED)
    page = browser(app, in_force, "otto").page(f"/checklists/{in_force.checklist().id}/end")
    assert "Leave this cooperation" not in page.links()


def test_once_the_cooperation_has_ended_no_notice_is_left_to_withdraw(
    app: Flask, in_force: Negotiation
) -> None:
    notify(in_force)
    client = browser(app, in_force, "otto")
    assert "Withdraw the notice" in client.page(departure(in_force)).links()
    in_force.session.get_one(Cooperation, in_force.cooperation.id).stage = Stage.CLOSED
    in_force.session.commit()
    page = client.page(departure(in_force))
    assert "Withdraw the notice" not in page.links()
    assert "The cooperation has ended." in page.text
    assert client.get(address(in_force, "leave/take-back")).status_code == 403


def test_an_invalid_day_is_reported_beside_its_field_and_text_is_kept(
    app: Flask, in_force: Negotiation
) -> None:
    client = browser(app, in_force, "otto")
    response = client.submit(address(in_force), from_on=clock.today().isoformat(), reason=WHY)
    text = response.get_data(as_text=True)
    assert "Notice agreed: 30 days" in text
    assert WHY in text
    assert row(in_force).left_on is None


@pytest.mark.parametrize(
    ("first", "status"),
    [("joana", 403), ("ilena", 403), ("tomas", 403), ("vesna", 404), ("marek", 404), ("root", 404)],
)
def test_others_are_refused_or_see_nothing(
    app: Flask, in_force: Negotiation, first: str, status: int
) -> None:
    client = browser(app, in_force, first)
    assert client.get(address(in_force)).status_code == status
    assert client.get(address(in_force, "leave/take-back")).status_code == status
    assert row(in_force).left_on is None


def test_who_left_reads_the_duties_and_nothing_else(
    app: Flask, in_force: Negotiation, frozen_time: Clock
) -> None:
    gone(in_force, frozen_time)
    client = browser(app, in_force, "joana")
    page = client.page(departure(in_force))
    assert page.h1 == "Lantern Health Network has left"
    assert "Thanks are owed." in page.text
    assert "What has to change" not in page.text
    assert client.get(departure(in_force, "door")).status_code == 404
    assert client.get(address(in_force, "").rstrip("/")).status_code == 404
    assert client.get(address(in_force, "leave/take-back")).status_code == 404
    assert browser(app, in_force, "marek").get(departure(in_force)).status_code == 404
    staying = browser(app, in_force, "ilena").page(departure(in_force))
    assert "What has to change No text in force names it." in staying.text
    assert browser(app, in_force, "ada").get(departure(in_force)).status_code == 200


def test_notice_sent_twice_where_none_is_agreed_leads_to_the_same_page(
    app: Flask, negotiation: Negotiation
) -> None:
    client = browser(app, negotiation, "otto")
    day = clock.today().isoformat()
    sent = client.submit(address(negotiation), from_on=day, reason=WHY)
    again = client.post(
        address(negotiation), data={"from_on": day, "reason": WHY}, follow_redirects=True
    )
    for response in (sent, again):
        assert "Lantern Health Network has left" in response.get_data(as_text=True)
    assert len(negotiation.events("party_left")) == 1


def test_the_record_says_who_has_left(
    app: Flask, in_force: Negotiation, frozen_time: Clock
) -> None:
    gone(in_force, frozen_time)
    page = browser(app, in_force, "ilena").page(f"/checklists/{in_force.checklist().id}/record")
    assert "Lantern Health Network has left. Its last day was" in page.text


def test_once_the_cooperation_has_ended_nothing_is_to_be_changed_any_more(
    app: Flask, in_force: Negotiation, frozen_time: Clock
) -> None:
    gone(in_force, frozen_time)
    overview = address(in_force, "").rstrip("/")
    client = browser(app, in_force, "samira")
    assert "See what has to change" in client.page(overview).links()
    in_force.session.get_one(Cooperation, in_force.cooperation.id).stage = Stage.CLOSED
    in_force.session.commit()
    page = client.page(overview)
    assert page.links()["See the duties that continue"] == departure(in_force)
    assert "See what has to change" not in page.links()
    after = client.page(departure(in_force)).text
    assert "The cooperation has since ended." in after
    assert "What has to change" not in after
    # Those who left aren't told what became of it.
    left = browser(app, in_force, "joana").page(departure(in_force)).text
    assert "has since ended" not in left
