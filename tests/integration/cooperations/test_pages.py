"""Pages of cooperations: with and without permission, and with bad input.

In one file: the pages of one cooperation, each tested from the same sides.
"""

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from uuid import uuid4

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests import starting_points
from tests.client import CheckedClient
from tests.factories.agreements import checklist_of, send, sign
from tests.factories.cooperations import Country, StoredCountry, bring_in, copied_country, open_one
from tests.pages import Page
from tracker.access.actor import Role
from tracker.accounts.models import Invitation
from tracker.checklist_templates.models import ChecklistKind
from tracker.cooperations import people, queries
from tracker.cooperations.models import Cooperation, Mode
from tracker.core import clock
from tracker.core.db import db


@pytest.fixture
def country(session: Session) -> Country:
    return copied_country(session)


@pytest.fixture
def reference(app: Flask, country: Country) -> str:
    """The reference of a cooperation with two CSOs."""
    stored_land = StoredCountry.of(country)

    def build() -> str:
        return open_one(stored_land.load(db.session()), "door", "lantern").reference

    reference = starting_points.of(app).use("cooperation", build, on="country")
    country.session.expire_all()
    stored_land.load(country.session)
    return reference


Browser = Callable[[str], CheckedClient]


@pytest.fixture
def browser(app: Flask, country: Country, reference: str) -> Browser:
    country.session.commit()
    return lambda first: country.browser(app, first)


def reloaded(country: Country, reference: str) -> Cooperation:
    country.session.expire_all()
    cooperation = queries.find(country.actor("ilena"), reference)
    assert cooperation is not None
    return cooperation


READING = ["", "/people", "/history"]
CHANGING = ["/head", "/ways", "/people/add", "/people/invite"]


# Who gets where


@pytest.mark.parametrize("page", READING)
@pytest.mark.parametrize("first", ["ilena", "tomas", "nadia", "samira", "henrik", "joana", "ada"])
def test_a_person_who_may_see_a_cooperation_can_read_its_pages(
    browser: Browser, reference: str, first: str, page: str
) -> None:
    browser(first).page(f"/cooperations/{reference}{page}")


@pytest.mark.parametrize("page", READING + CHANGING)
@pytest.mark.parametrize("first", ["oren", "petra", "dora", "leyla", "marek", "vesna", "root"])
def test_for_everybody_else_the_pages_do_not_exist(
    browser: Browser, reference: str, first: str, page: str
) -> None:
    client = browser(first)
    assert client.get(f"/cooperations/{reference}{page}").status_code == 404
    if page in CHANGING:
        assert client.post(f"/cooperations/{reference}{page}").status_code == 404


@pytest.mark.parametrize("page", READING + CHANGING)
def test_a_stranger_is_sent_to_the_sign_in(
    browser: Browser, client: CheckedClient, reference: str, page: str
) -> None:
    response = client.get(f"/cooperations/{reference}{page}")
    assert response.status_code == 302
    assert "/sign-in" in response.location


@pytest.mark.parametrize("page", ["/head", "/ways"])
@pytest.mark.parametrize("first", ["tomas", "nadia", "samira", "henrik", "ada"])
def test_the_head_is_the_npm_coordinators_with_the_reason_why(
    browser: Browser, reference: str, first: str, page: str
) -> None:
    client = browser(first)
    refused = client.get(f"/cooperations/{reference}{page}")
    assert refused.status_code == 403
    assert "NPM" in refused.text
    assert client.post(f"/cooperations/{reference}{page}").status_code == 403


@pytest.mark.parametrize("page", ["/people/add", "/people/invite"])
@pytest.mark.parametrize("first", ["tomas", "nadia", "henrik", "ada"])
def test_only_coordinators_add_people(
    browser: Browser, reference: str, first: str, page: str
) -> None:
    client = browser(first)
    assert client.get(f"/cooperations/{reference}{page}").status_code == 403
    assert client.post(f"/cooperations/{reference}{page}").status_code == 403


def test_a_member_who_takes_part_reads_and_changes_nothing(
    app: Flask, country: Country, session: Session, reference: str
) -> None:
    bring_in(country, reloaded(country, reference), "dora")
    session.commit()
    client = country.browser(app, "dora")
    for page in READING:
        client.page(f"/cooperations/{reference}{page}")
    for page in CHANGING:
        assert client.get(f"/cooperations/{reference}{page}").status_code == 403


@pytest.mark.parametrize("odd", ["C-2026-9999", "c", "C-2026-0001%00", "..%2F..", "%F0%9F%92%A5"])
def test_unknown_references_are_404(browser: Browser, odd: str) -> None:
    client = browser("ilena")
    for page in READING + CHANGING:
        assert client.get(f"/cooperations/{odd}{page}").status_code == 404


# The list


def test_the_list_shows_own_cooperations_with_their_stage_in_words(
    browser: Browser, reference: str
) -> None:
    page = browser("samira").page("/cooperations")
    assert "Joint monitoring of police custody" in page.links()
    assert reference in page.text
    assert "Drafting terms" in page.text
    assert "Open a cooperation" not in page.links()
    assert "Open a cooperation" in browser("ilena").page("/cooperations").links()


def test_the_list_is_empty_for_others_and_says_why(browser: Browser, reference: str) -> None:
    page = browser("marek").page("/cooperations")
    assert reference not in page.text
    assert "You don't take part in a cooperation yet" in page.text


@pytest.mark.parametrize(
    ("question", "is_found"),
    [
        ("?q=custody", True),
        ("?q=lantern+joint", True),
        ("?q=nothing+like+this", False),
        ("?stage=P1", True),
        ("?stage=P4", False),
        ("?page=2", False),
        ("?page=-1", True),
        ("?page=99999999999999999999", True),
        ("?q=%00%27%3B--", False),
        ("?q=" + "x" * 3000, False),
    ],
)
def test_the_list_is_narrowed_by_its_address(
    browser: Browser, reference: str, question: str, is_found: bool
) -> None:
    page = browser("ilena").page(f"/cooperations{question}")
    assert (reference in page.text) is is_found


def test_an_unknown_stage_is_not_the_list_of_all_stages(browser: Browser, reference: str) -> None:
    assert reference not in browser("ilena").page("/cooperations?stage=nonsense", 404).text


def test_a_long_list_is_paged(app: Flask, country: Country, session: Session) -> None:
    for number in range(26):
        open_one(country, title=f"Cooperation {number}", modes=())
    session.commit()
    client = country.browser(app, "ilena")
    first, second = client.page("/cooperations"), client.page("/cooperations?page=2")
    assert "Cooperation 25" in first.links()
    assert "Cooperation 0" not in first.links()
    assert "Cooperation 0" in second.links()


# The head


def test_a_coordinator_changes_the_head(browser: Browser, country: Country, reference: str) -> None:
    answer = browser("ilena").submit(
        f"/cooperations/{reference}/head",
        title="Custody, the first hours",
        starts_on="2027-01-15",
        ends_on="2029-01-14",
        review_on="2027-07-15",
    )
    assert "Saved." in answer.text
    assert "15 January 2027 to 14 January 2029" in answer.text
    assert reloaded(country, reference).title == "Custody, the first hours"


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        ({"title": " "}, "Enter a title"),
        ({"title": "x" * 201}, "Use at most 200 characters"),
        ({"purpose": ""}, "Enter what the cooperation is for"),
        ({"purpose": "x" * 5001}, "Use at most"),
        ({"starts_on": "2027-02-30"}, "Enter a date"),
        ({"starts_on": "0001-01-01"}, "year"),
        ({"starts_on": "2027-02-01", "ends_on": "2027-01-01"}, "The end must come after the start"),
        ({"starts_on": "2027-02-01", "review_on": "2027-02-01"}, "must come after the start"),
    ],
)
def test_a_problem_is_shown_beside_its_field_and_nothing_typed_is_lost(
    browser: Browser, country: Country, reference: str, fields: dict[str, Any], problem: str
) -> None:
    typed: dict[str, Any] = {"title": "Typed title", "purpose": "Typed purpose", **fields}
    answer = browser("ilena").submit(f"/cooperations/{reference}/head", **typed)
    assert problem in answer.text
    assert "There is a problem" in answer.text
    assert "Typed" in answer.text
    cooperation = reloaded(country, reference)
    assert (cooperation.title, cooperation.starts_on, cooperation.version) == (
        "Joint monitoring of police custody",
        None,
        1,
    )


def test_of_two_people_the_later_save_is_stopped_and_sees_both(
    browser: Browser, country: Country, reference: str
) -> None:
    client = browser("ilena")
    stale = client.page(f"/cooperations/{reference}/head").form()
    client.submit(f"/cooperations/{reference}/head", title="Saved first")
    answer = client.post(
        f"/cooperations/{reference}/head", data=stale.filled_in(title="Saved second"), csrf=False
    )
    assert "Saved in the meantime" in answer.text
    assert "Saved first" in answer.text
    assert "Saved second" in answer.text
    assert reloaded(country, reference).title == "Saved first"


def test_hostile_text_is_shown_as_text(browser: Browser, reference: str) -> None:
    hostile = "<script>alert(1)</script> {{ 7*7 }} ' OR 1=1"
    client = browser("ilena")
    client.submit(f"/cooperations/{reference}/head", title=hostile)
    for address in (f"/cooperations/{reference}", "/cooperations", "/"):
        page = client.page(address)
        assert "<script>alert(1)" not in page.html
        assert hostile in page.text


def test_once_terms_are_sent_m19_sets_the_dates(
    app: Flask, country: Country, session: Session, reference: str
) -> None:
    cooperation = reloaded(country, reference)
    terms = checklist_of(cooperation, ChecklistKind.TERMS)
    country.person("Otto Brandis", "lantern", Role.SIGNATORY, power="Board minutes")
    session.commit()
    client = country.browser(app, "ilena")
    before = client.page(f"/cooperations/{reference}/head").form()
    send(country, terms, {"npm": "tomas", "door": "henrik", "lantern": "otto"})
    session.commit()
    # Typed on a page that was opened before the terms were sent, and on one opened since.
    review_on = cooperation.review_on
    late = client.post(
        f"/cooperations/{reference}/head",
        data=before.filled_in(title="Later review", review_on="2029-01-01"),
    )
    assert late.status_code == 403
    assert "call the text back first" in late.get_data(as_text=True)
    assert "2029-01-01" in late.get_data(as_text=True)
    assert reloaded(country, reference).review_on == review_on
    page = client.page(f"/cooperations/{reference}/head")
    assert "starts_on" not in page.form().names
    assert "call the text back first" in page.text
    client.submit(f"/cooperations/{reference}/head", title="Sent")
    assert reloaded(country, reference).title == "Sent"
    sign(country, terms, "tomas", "henrik", "otto")
    session.commit()
    page = client.page(f"/cooperations/{reference}/head")
    assert "starts_on" not in page.form().names
    assert "The dates were agreed in the terms." in page.text
    client.submit(f"/cooperations/{reference}/head", title="Other title")
    assert reloaded(country, reference).title == "Other title"


# Ways of working


def test_ways_of_working_are_changed_in_two_steps(
    browser: Browser, country: Country, reference: str
) -> None:
    client = browser("ilena")
    address = f"/cooperations/{reference}/ways"
    questions = client.submit(address, modes=["CAP", "ADVIS"], step="questions")
    assert "Are real cases or files used in training?" in questions.text
    assert "isn't known yet" in questions.text
    again = client.post(
        address,
        data={
            "modes": ["CAP", "ADVIS"],
            "version": "1",
            "step": "questions",
            "question_real_cases_in_training": "no",
            "question_members_see_unpublished": "no",
            "question_members_on_visits": "no",
            "question_consent_hard": "no",
            "question_personal_data": "no",
        },
    )
    assert "Confidentiality: not needed" in " ".join(again.text.split())
    answer = client.post(
        address,
        data={
            "modes": ["CAP", "ADVIS"],
            "version": "1",
            "step": "save",
            "question_real_cases_in_training": "yes",
            "question_members_see_unpublished": "no",
            "question_members_on_visits": "not_known",
            "question_consent_hard": "no",
            "question_personal_data": "no",
        },
        follow_redirects=True,
    )
    assert "Saved." in answer.text
    cooperation = reloaded(country, reference)
    assert cooperation.modes == ["CAP", "ADVIS"]
    assert cooperation.questions["real_cases_in_training"] == "yes"
    assert cooperation.questions["members_on_visits"] == "not_known"


def test_going_back_keeps_what_was_chosen(browser: Browser, reference: str) -> None:
    answer = browser("ilena").post(
        f"/cooperations/{reference}/ways",
        data={"modes": ["CAP"], "version": "1", "step": "back"},
    )
    form = Page.of(answer).form()
    assert form.values["modes"] == ["CAP"]


@pytest.mark.parametrize(
    "sent",
    [
        {"step": "questions", "version": "1"},
        {"step": "questions", "version": "1", "modes": "NOTHING"},
        {"step": "save", "version": "1", "modes": "CAP", "question_personal_data": "maybe"},
        {"step": "save", "version": "1", "modes": "CAP"},
        {"step": "save", "version": "99", "modes": "CAP", "question_personal_data": "no"},
        {"step": "save", "version": "x", "modes": ["CAP", "CAP", "VISIT"]},
        {"step": "nonsense", "version": "1", "modes": "CAP"},
        {},
    ],
)
def test_invalid_input_changes_no_modes(
    browser: Browser, country: Country, reference: str, sent: dict[str, object]
) -> None:
    answer = browser("ilena").post(f"/cooperations/{reference}/ways", data=sent)
    assert answer.status_code == 200
    assert reloaded(country, reference).modes == ["VISIT"]


def test_of_two_people_the_later_change_of_modes_is_stopped(
    browser: Browser, country: Country, reference: str
) -> None:
    client = browser("ilena")
    client.submit(f"/cooperations/{reference}/head", title="Saved first")
    answer = client.post(
        f"/cooperations/{reference}/ways",
        data={
            "modes": "CAP",
            "version": "1",
            "step": "save",
            "question_real_cases_in_training": "no",
            "question_personal_data": "no",
        },
    )
    assert "Somebody else changed this" in answer.text
    assert "Joint monitoring visit" in answer.text
    assert reloaded(country, reference).modes == ["VISIT"]


# People


def test_a_coordinator_adds_and_removes_a_person(
    browser: Browser, country: Country, reference: str
) -> None:
    client = browser("samira")
    answer = client.submit(
        f"/cooperations/{reference}/people/add",
        user_id=country.users["dora"].id,
        function="physician",
    )
    assert "Dora Lund now takes part." in answer.text
    page = client.page(f"/cooperations/{reference}/people")
    assert "physician" in page.text
    answer = client.submit(page.links()["Remove Dora Lund"])
    assert "Dora Lund no longer takes part." in answer.text
    names = [person.name for person in people.people(reloaded(country, reference).id)]
    assert "Dora Lund" not in names


def test_several_people_are_added_together(
    browser: Browser, country: Country, reference: str
) -> None:
    client = browser("samira")
    wanted = [str(country.users[first].id) for first in ("dora", "henrik")]
    address = f"/cooperations/{reference}/people/add"
    answer = client.submit(address, user_id=wanted, function="")
    assert "Dora Lund and Henrik Asante now take part." in answer.text
    present = {str(person.user_id) for person in people.people(reloaded(country, reference).id)}
    assert {*wanted} <= present


def test_nobody_is_added_if_one_of_several_cannot_be(
    browser: Browser, country: Country, reference: str
) -> None:
    client = browser("samira")
    strange = [str(country.users[first].id) for first in ("dora", "leyla")]
    answer = client.post(f"/cooperations/{reference}/people/add", data={"user_id": strange})
    assert "There is a problem" in answer.text
    assert len(people.people(reloaded(country, reference).id)) == 1


def test_only_ones_own_people_can_be_chosen(
    browser: Browser, country: Country, reference: str
) -> None:
    client = browser("samira")
    page = client.page(f"/cooperations/{reference}/people/add")
    assert "Dora Lund" in page.text
    assert "Leyla Marchetti" not in page.text
    for odd in (country.users["leyla"].id, uuid4(), "nonsense", ""):
        answer = client.post(f"/cooperations/{reference}/people/add", data={"user_id": str(odd)})
        assert "There is a problem" in answer.text
    assert len(people.people(reloaded(country, reference).id)) == 1


def test_removing_another_partys_people_is_refused(
    browser: Browser, country: Country, reference: str
) -> None:
    ilena = people.people(reloaded(country, reference).id)[0]
    address = f"/cooperations/{reference}/people/{ilena.id}/end"
    assert browser("samira").get(address).status_code == 403
    assert browser("samira").post(address).status_code == 403
    assert browser("nadia").post(address).status_code == 403
    assert browser("marek").post(address).status_code == 404
    unknown = f"/cooperations/{reference}/people/{uuid4()}/end"
    assert browser("samira").get(unknown).status_code == 404
    assert people.people(reloaded(country, reference).id)


def test_the_last_npm_coordinator_is_told_why_they_stay(
    browser: Browser, country: Country, reference: str
) -> None:
    ilena = people.people(reloaded(country, reference).id)[0]
    answer = browser("ilena").submit(f"/cooperations/{reference}/people/{ilena.id}/end")
    assert "only coordinator of the NPM" in answer.text


def test_a_person_of_another_cooperation_is_not_found_here(
    app: Flask, country: Country, session: Session, reference: str
) -> None:
    other = open_one(country, "bridge")
    session.commit()
    person = people.people(other.id)[0]
    address = f"/cooperations/{reference}/people/{person.id}/end"
    assert country.browser(app, "ilena").get(address).status_code == 404


def test_a_coordinator_invites_somebody_to_the_cooperation(
    browser: Browser, country: Country, session: Session, reference: str
) -> None:
    client = browser("samira")
    answer = client.submit(
        f"/cooperations/{reference}/people/invite",
        email="new.person@example.org",
        name="New Person",
        function="interpreter",
    )
    assert "An invitation to new.person@example.org is written, but not sent" in answer.text
    assert "New Person, interpreter" in client.page(f"/cooperations/{reference}/people").text
    invitation = session.query(Invitation).filter_by(email="new.person@example.org").one()
    assert invitation.cooperation_id == reloaded(country, reference).id
    assert invitation.organisation_id == country.id("door")
    assert invitation.roles == ["member"]


@pytest.mark.parametrize("first", ["ilena", "samira"])
def test_whoever_invites_is_led_to_adding_somebody_without_an_address(
    browser: Browser, reference: str, first: str
) -> None:
    """An interpreter or a driver may have none; they sign on paper or on a coordinator's device."""
    client = browser(first)
    page = client.page(f"/cooperations/{reference}/people/invite")
    form = client.page(page.links()["The person has no email address"])
    assert "sign their undertaking on paper or on a coordinator's device" in form.text


def test_an_invited_persons_address_is_shown_only_to_their_own_coordinator(
    browser: Browser, reference: str
) -> None:
    browser("samira").submit(
        f"/cooperations/{reference}/people/invite", email="new.person@example.org"
    )
    for first in ("ilena", "henrik", "joana", "ada"):
        page = browser(first).page(f"/cooperations/{reference}/people")
        assert "new.person@example.org" not in page.text


def test_an_open_invitation_leads_to_where_it_is_sent_again_or_revoked(
    browser: Browser, reference: str
) -> None:
    samira = browser("samira")
    samira.submit(f"/cooperations/{reference}/people/invite", email="new.person@example.org")
    links = samira.page(f"/cooperations/{reference}/people").links()
    invitations = samira.page(links["Send an invitation again, or revoke it"])
    assert "new.person@example.org" in invitations.text
    assert "Send again: new.person@example.org" in invitations.buttons()


def test_only_an_npm_is_asked_about_outside_experts(browser: Browser, reference: str) -> None:
    address = f"/cooperations/{reference}/people/invite"
    assert "outside_expert" in browser("ilena").page(address).form().names
    assert "outside_expert" not in browser("samira").page(address).form().names


@pytest.mark.parametrize("email", ["", "nonsense", "a@b@c", "x" * 300 + "@example.org"])
def test_an_invalid_address_is_refused_and_kept_in_the_form(
    browser: Browser, session: Session, reference: str, email: str
) -> None:
    answer = browser("samira").submit(
        f"/cooperations/{reference}/people/invite", email=email, function="kept function"
    )
    assert "There is a problem" in answer.text
    assert "kept function" in answer.text
    assert session.query(Invitation).count() == 0


# History


def test_history_shows_who_did_what(
    app: Flask, country: Country, session: Session, reference: str
) -> None:
    cooperation = reloaded(country, reference)
    bring_in(country, cooperation, "dora", "physician")
    terms = checklist_of(cooperation, ChecklistKind.TERMS)
    country.person("Otto Brandis", "lantern", Role.SIGNATORY, power="Board minutes")
    send(country, terms, {"npm": "tomas", "door": "henrik", "lantern": "otto"})
    sign(country, terms, "tomas", "henrik", "otto")
    session.commit()
    text = country.browser(app, "ada").page(f"/cooperations/{reference}/history").text
    for words in (
        "was opened between Office of the People's Advocate, Open Door Legal Aid and Lantern",
        "The stage “Exploring” ended. The cooperation is now at the stage “Drafting terms”.",
        "Agreed terms: the checklist was started.",
        "Dora Lund takes part for Open Door Legal Aid as physician.",
        "Samira Okell, for Open Door Legal Aid",
        "Agreed terms: revision 1 was sent for signature.",
        "Agreed terms, revision 1, was signed for Open Door Legal Aid.",
        "Agreed terms, revision 1: all have signed.",
    ):
        assert words in text


# Queries


@pytest.mark.parametrize("page", ["/cooperations", "/cooperations/{}/people", "/cooperations/{}"])
def test_pages_send_as_many_queries_for_many_rows_as_for_few(
    app: Flask,
    country: Country,
    session: Session,
    reference: str,
    statements: Callable[[], AbstractContextManager[list[str]]],
    page: str,
) -> None:
    address = page.format(reference)

    def count() -> int:
        client = country.browser(app, "ilena")
        client.page(address)
        with statements() as sent:
            client.page(address)
        return len(sent)

    cooperation = reloaded(country, reference)
    bring_in(country, cooperation, "dora")
    session.commit()
    few = count()
    for key in ("door", "lantern", "bridge", "other_npm"):
        open_one(country, "door", *({key} - {"door"}), modes=(Mode.OMB_PLUS,))
    for first in ("leyla", "joana", "oren", "petra", "henrik", "tomas"):
        bring_in(country, cooperation, first)
    session.commit()
    assert count() == few


def test_dates_are_shown_in_words(app: Flask, country: Country, session: Session) -> None:
    cooperation = open_one(country)
    cooperation.review_on = clock.today() + dt.timedelta(days=400)
    session.commit()
    page = country.browser(app, "ilena").page(f"/cooperations/{cooperation.reference}")
    assert str((clock.today() + dt.timedelta(days=400)).year) in page.text
