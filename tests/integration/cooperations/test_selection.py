"""How partners were chosen: who records it, who reads it, until when, and what is refused."""

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.checklists import decline_text
from tests.factories.cooperations import open_one
from tests.factories.negotiations import Negotiation, set_out
from tests.pages import Page
from tests.starting_points import noon_in
from tracker.access.actor import Role
from tracker.cooperations import outside_bodies
from tracker.cooperations.models import BodyKind, Stage
from tracker.cooperations.selection import queries, service
from tracker.cooperations.selection.models import PartnerSelection, SelectionWay
from tracker.cooperations.selection.policy import Selection
from tracker.core import clock
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError
from tracker.oversight import integrity

DAY = dt.timedelta(days=1)
CALL = Selection(
    way=SelectionWay.PUBLIC_CALL,
    opened_on=None,
    decided_on=noon_in(-20).date(),
    criteria="Ten years of work with detained persons.",
    decided_by="Head of the NPM",
)


@pytest.fixture
def negotiation(session: Session) -> Negotiation:
    return set_out(session)


def record(
    negotiation: Negotiation,
    first: str = "ilena",
    partner: str = "door",
    selection: Selection = CALL,
    version: int = 0,
) -> bool:
    if selection.deciding_id is None:
        selection = replace(selection, deciding_id=negotiation.country.id("npm"))
    is_changed = service.record(
        negotiation[first],
        negotiation.cooperation,
        negotiation.country.id(partner),
        selection,
        version=version,
    )
    negotiation.session.commit()
    return is_changed


def row_of(negotiation: Negotiation, partner: str = "door") -> PartnerSelection | None:
    partner_id = negotiation.country.id(partner)
    return queries.recorded(negotiation.cooperation.id, [partner_id]).get(partner_id)


def address(negotiation: Negotiation, partner: str = "") -> str:
    start = f"/cooperations/{negotiation.cooperation.reference}/selection"
    return f"{start}/{negotiation.country.id(partner)}" if partner else start


def words(negotiation: Negotiation, **change: object) -> dict[str, Any]:
    """Return what is typed into the form."""
    return {
        "way": "direct",
        "opened_on": noon_in(-30).date().isoformat(),
        "criteria": "They know the places.\nNobody else does.",
        "deciding_id": str(negotiation.country.id("npm")),
        "decided_by": "Head of the NPM",
        **change,
    }


# The verb


@pytest.mark.both_databases
def test_a_coordinator_of_the_npm_records_and_the_event_says_of_whom_alone(
    negotiation: Negotiation,
) -> None:
    assert record(negotiation)
    row = row_of(negotiation)
    assert row is not None
    assert (row.way, row.decided_on, row.version) == (CALL.way, CALL.decided_on, 1)
    assert row.recorded_by.name == "Ilena Dorvath"
    (event,) = negotiation.events("partner_selection_recorded")
    assert event.pop("who")["name"] == "Ilena Dorvath"
    assert event == {"organisation": "Open Door Legal Aid"}
    negotiation.session.rollback()
    assert integrity.check_all().finding is None


def test_the_same_words_sent_again_change_nothing(negotiation: Negotiation) -> None:
    record(negotiation)
    assert not record(negotiation, version=0)
    assert not record(
        negotiation, selection=replace(CALL, criteria=f"  {CALL.criteria} "), version=1
    )
    assert len(negotiation.events("partner_selection_recorded")) == 1


@pytest.mark.both_databases
def test_of_two_people_the_later_save_is_stopped(negotiation: Negotiation) -> None:
    record(negotiation)
    with pytest.raises(StaleError):
        record(negotiation, selection=replace(CALL, criteria="Other words."), version=0)
    negotiation.session.rollback()
    assert record(negotiation, selection=replace(CALL, criteria="Other words."), version=1)


@pytest.mark.parametrize(
    "first", ["samira", "joana", "oren", "tomas", "nadia", "marek", "ada", "root", "vesna"]
)
def test_nobody_else_records(negotiation: Negotiation, first: str) -> None:
    with pytest.raises(RefusedError):
        record(negotiation, first)
    assert negotiation.session.scalar(sa.select(sa.func.count(PartnerSelection.id))) == 0


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"criteria": "  "}, "criteria"),
        ({"criteria": "x" * 5001}, "criteria"),
        ({"decided_by": " "}, "decided_by"),
        ({"decided_by": "x" * 201}, "decided_by"),
        ({"decided_on": None}, "decided_on"),
    ],
)
def test_what_is_missing_is_refused_with_its_field(
    negotiation: Negotiation, change: dict[str, object], field: str
) -> None:
    selection = replace(CALL, **change)  # type: ignore[arg-type] # the fields of a selection
    with pytest.raises(RuleBrokenError) as error:
        record(negotiation, selection=selection)
    assert error.value.field == field
    assert row_of(negotiation) is None


def test_an_outside_body_that_decided_is_chosen_and_shown(
    app: Flask, negotiation: Negotiation
) -> None:
    ministry = outside_bodies.add(
        negotiation["ilena"],
        negotiation.cooperation,
        name="Ministry of Justice",
        kind=BodyKind.MINISTRY,
    )
    with pytest.raises(RuleBrokenError) as error:
        record(negotiation, selection=replace(CALL, deciding_id=negotiation.country.id("bridge")))
    assert error.value.field == "deciding_id"
    negotiation.session.commit()
    client = negotiation.country.browser(app, "ilena")
    sent = words(negotiation, deciding_id=str(ministry.id))
    page = Page.of(client.submit(address(negotiation, "door"), **sent))
    assert "Party or outside body that decidedMinistry of Justice" in page.text
    assert integrity.check_all().finding is None


def test_a_day_to_come_is_refused(negotiation: Negotiation) -> None:
    with pytest.raises(RuleBrokenError):
        record(negotiation, selection=replace(CALL, decided_on=clock.today() + DAY))


@pytest.mark.parametrize("partner", ["npm", "bridge"])
def test_only_of_a_partner_of_this_cooperation(negotiation: Negotiation, partner: str) -> None:
    with pytest.raises(RuleBrokenError):
        record(negotiation, partner=partner)


def test_once_the_terms_are_sent_it_stays_until_they_are_declined(negotiation: Negotiation) -> None:
    negotiation.send()
    with pytest.raises(RefusedError, match="Parties and mandates"):
        record(negotiation)
    negotiation.session.rollback()
    decline_text(
        negotiation["henrik"],
        negotiation.checklist(),
        reason="Nobody says why we were chosen.",
        items=["M1"],
    )
    negotiation.session.commit()
    assert record(negotiation)


def test_once_all_have_signed_it_stays(negotiation: Negotiation) -> None:
    negotiation.sign()
    with pytest.raises(RefusedError, match="amendment"):
        record(negotiation)


def test_in_a_closed_cooperation_it_stays(negotiation: Negotiation) -> None:
    negotiation.cooperation.stage = Stage.CLOSED
    negotiation.session.commit()
    with pytest.raises(RefusedError, match="closed"):
        record(negotiation)


# Pages


def test_it_is_recorded_on_its_page_and_a_form_sent_twice_saves_once(
    app: Flask, negotiation: Negotiation
) -> None:
    client = negotiation.country.browser(app, "ilena")
    assert "Nothing is recorded yet." in client.page(address(negotiation)).text
    form = client.page(address(negotiation, "door")).form().filled_in(**words(negotiation))
    for answer in ("Saved.", "Nothing was changed."):
        sent = client.post(address(negotiation, "door"), data=form, follow_redirects=True)
        assert answer in Page.of(sent).text
    page = client.page(address(negotiation))
    assert "Direct contact" in page.text
    assert "They know the places." in page.text
    assert len(negotiation.events("partner_selection_recorded")) == 1
    history = client.page(f"/cooperations/{negotiation.cooperation.reference}/history").text
    assert "How Open Door Legal Aid was chosen as a partner was recorded." in history


def test_a_missing_answer_is_reported_beside_its_field_and_typed_text_is_kept(
    app: Flask, negotiation: Negotiation
) -> None:
    client = negotiation.country.browser(app, "ilena")
    sent = client.submit(
        address(negotiation, "door"), **words(negotiation, way="public_call", decided_by="")
    )
    page = Page.of(sent)
    assert "Enter the date of the decision." in page.text
    assert "Say who decided." in page.text
    assert "Nobody else does." in page.html
    assert row_of(negotiation) is None


def test_an_old_form_shows_both_and_is_saved_on_request_only(
    app: Flask, negotiation: Negotiation
) -> None:
    client = negotiation.country.browser(app, "ilena")
    form = client.page(address(negotiation, "door")).form().filled_in(**words(negotiation))
    record(negotiation)
    page = Page.of(client.post(address(negotiation, "door"), data=form))
    assert "Saved in the meantime:" in page.text
    assert CALL.criteria in page.text
    row = row_of(negotiation)
    assert row is not None
    assert row.criteria == CALL.criteria
    again = client.post(
        address(negotiation, "door"), data=page.form().filled_in(), follow_redirects=True
    )
    assert "Saved." in Page.of(again).text
    assert "They know the places." in client.page(address(negotiation)).text


@pytest.mark.parametrize(
    ("first", "own", "other"),
    [("samira", "Ten years", "Known nurses"), ("otto", "Known nurses", "Ten years")],
)
def test_a_partner_reads_what_concerns_itself_and_changes_nothing(
    app: Flask, negotiation: Negotiation, first: str, own: str, other: str
) -> None:
    record(negotiation)
    record(negotiation, partner="lantern", selection=replace(CALL, criteria="Known nurses."))
    client = negotiation.country.browser(app, first)
    page = client.page(f"/cooperations/{negotiation.cooperation.reference}")
    assert "How partners were chosen" in page.links()
    page = client.page(address(negotiation))
    assert own in page.text
    assert other not in page.html
    mine, theirs = ("door", "lantern") if first == "samira" else ("lantern", "door")
    assert not [link for link in page.links().values() if str(negotiation.country.id(mine)) in link]
    client.page(address(negotiation, mine), 403)
    client.page(address(negotiation, theirs), 404)
    assert client.post(address(negotiation, mine), data=words(negotiation)).status_code == 403
    assert client.post(address(negotiation, theirs), data=words(negotiation)).status_code == 404


@pytest.mark.parametrize("first", ["oren", "tomas", "nadia"])
def test_the_npms_others_read_all_and_change_nothing(
    app: Flask, negotiation: Negotiation, first: str
) -> None:
    record(negotiation)
    client = negotiation.country.browser(app, first)
    assert "Ten years" in client.page(address(negotiation)).text
    client.page(address(negotiation, "door"), 403)


@pytest.mark.parametrize("first", ["marek", "vesna", "ada", "root"])
def test_for_others_the_pages_do_not_exist(
    app: Flask, negotiation: Negotiation, first: str
) -> None:
    record(negotiation)
    client = negotiation.country.browser(app, first)
    for place in (
        address(negotiation),
        address(negotiation, "door"),
        f"{address(negotiation)}/use",
    ):
        client.page(place, 404)
    assert client.post(address(negotiation, "door"), data=words(negotiation)).status_code == 404


def test_the_auditor_is_led_to_nothing_that_does_not_exist(
    app: Flask, negotiation: Negotiation
) -> None:
    page = negotiation.country.browser(app, "ada").page(
        f"/cooperations/{negotiation.cooperation.reference}"
    )
    assert "How partners were chosen" not in page.links()


def test_a_partner_of_another_cooperation_is_not_found_here(
    app: Flask, negotiation: Negotiation
) -> None:
    other = open_one(negotiation.country, "bridge", title="Another")
    negotiation.session.commit()
    client = negotiation.country.browser(app, "ilena")
    client.page(address(negotiation, "bridge"), 404)
    assert client.post(address(negotiation, "bridge"), data=words(negotiation)).status_code == 404
    client.page(f"/cooperations/{other.reference}/selection/{negotiation.country.id('door')}", 404)


def test_a_coordinator_is_told_why_it_can_no_longer_be_changed(
    app: Flask, negotiation: Negotiation
) -> None:
    negotiation.send()
    client = negotiation.country.browser(app, "ilena")
    page = client.page(address(negotiation))
    assert "The terms were sent to this partner for signature." in page.text
    client.page(address(negotiation, "door"), 403)


@pytest.mark.parametrize("first", ["ilena", "samira"])
def test_once_the_terms_are_sent_the_page_leads_to_what_they_say(
    app: Flask, negotiation: Negotiation, first: str
) -> None:
    """What was answered in M1 alone isn't recorded on this page, and isn't missing either."""
    negotiation.send()
    client = negotiation.country.browser(app, first)
    page = client.page(address(negotiation))
    assert "Nothing is recorded yet." not in page.text
    assert "See “Parties and mandates” in the agreed terms." in page.text
    terms = next(link for words, link in page.links().items() if "Read the agreed terms" in words)
    assert "How each partner was chosen" in client.page(terms).text


def test_a_second_coordinator_of_the_npm_records_too(app: Flask, negotiation: Negotiation) -> None:
    negotiation.country.person("Rhea Sand", "npm", Role.COORDINATOR)
    negotiation.session.commit()
    assert record(negotiation, "rhea")
