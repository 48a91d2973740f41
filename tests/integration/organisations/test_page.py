"""An organisation's page: who sees its people and its cooperations, and who sees none of it."""

from collections.abc import Callable
from contextlib import AbstractContextManager

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.cooperations import Country, bring_in, copied_country, open_one
from tests.factories.demonstration import Demonstration
from tests.pages import Page
from tracker.access.actor import OrganisationKind, Role
from tracker.accounts.models import Membership
from tracker.cooperations.models import Cooperation
from tracker.core import clock

TITLE = "Joint monitoring of police custody"


@pytest.fixture
def country(session: Session) -> Country:
    country = copied_country(session)
    session.commit()
    return country


@pytest.fixture
def cooperation(country: Country) -> Cooperation:
    """One of the NPM with Open Door; Lantern has no part in it."""
    cooperation = open_one(country, "door")
    country.session.commit()
    return cooperation


def page(app: Flask, country: Country, first: str, key: str = "door") -> Page:
    return country.browser(app, first).page(f"/organisations/{country.id(key)}")


def status(app: Flask, country: Country, first: str, key: str = "door") -> int:
    return country.browser(app, first).get(f"/organisations/{country.id(key)}").status_code


@pytest.mark.parametrize("first", ["samira", "henrik", "root"])
def test_coordinators_signatories_and_administrators_see_all_its_people_with_their_roles(
    app: Flask, country: Country, cooperation: Cooperation, first: str
) -> None:
    shown = page(app, country, first)
    for words in ("Samira Okell", "Coordinator", "Henrik Asante", "Signatory, confirmed"):
        assert words in shown.text
    assert "Dora Lund" in shown.text
    assert f"/people/{country.users['dora'].id}" in shown.addresses()


def test_a_member_sees_who_acts_for_the_own_organisation_and_nobody_else(
    app: Flask, country: Country, cooperation: Cooperation
) -> None:
    country.person("Rasmus Vale", "door", Role.MEMBER)
    country.session.commit()
    shown = page(app, country, "dora")
    assert "Who acts for it" in shown.text
    assert "Samira Okell" in shown.text
    assert "Rasmus Vale" not in shown.text
    assert f"/people/{country.users['samira'].id}" not in shown.addresses()


def test_a_role_that_waits_says_so(app: Flask, country: Country) -> None:
    user = country.person("Rasmus Vale", "door")
    country.session.add(
        Membership(
            user_id=user.id,
            organisation_id=country.id("door"),
            role=Role.MANAGER,
            starts_on=clock.today(),
            created_at=clock.now(),
        )
    )
    country.session.commit()
    assert "Manager, not confirmed yet" in page(app, country, "samira").text


@pytest.mark.parametrize("first", ["ilena", "tomas", "ada"])
def test_partners_and_their_auditor_see_its_details_and_shared_cooperations_but_not_its_people(
    app: Flask, country: Country, cooperation: Cooperation, first: str
) -> None:
    shown = page(app, country, first)
    assert shown.h1 == "Open Door Legal Aid"
    assert TITLE in shown.text
    for name in ("Samira Okell", "Henrik Asante", "Dora Lund"):
        assert name not in shown.text
    assert not [address for address in shown.addresses() if address.endswith("/change")]


def test_a_csos_people_see_of_the_npm_no_more_than_that(
    app: Flask, country: Country, cooperation: Cooperation
) -> None:
    other = open_one(country, "lantern", title="Health in prisons")
    country.session.commit()
    shown = page(app, country, "samira", "npm")
    assert TITLE in shown.text
    assert "Health in prisons" not in shown.text
    assert other.reference not in shown.text
    assert "Oren Maki" not in shown.text


@pytest.mark.parametrize(
    ("first", "key"),
    [
        ("joana", "door"),
        ("vesna", "door"),
        ("marek", "npm"),
        ("oren", "door"),
        ("samira", "lantern"),
        ("ilena", "court"),
    ],
)
def test_whoever_shares_no_cooperation_with_it_does_not_find_it(
    app: Flask, country: Country, cooperation: Cooperation, first: str, key: str
) -> None:
    assert status(app, country, first, key) == 404


def test_a_member_finds_a_partner_once_they_take_part_in_the_cooperation(
    app: Flask, country: Country, cooperation: Cooperation
) -> None:
    bring_in(country, cooperation, "oren")
    country.session.commit()
    assert status(app, country, "oren") == 200


def test_administrators_see_no_cooperations(
    app: Flask, country: Country, cooperation: Cooperation
) -> None:
    shown = page(app, country, "root")
    assert TITLE not in shown.text
    assert cooperation.reference not in shown.text


def test_partners_can_neither_change_it_nor_invite_into_it(
    app: Flask, country: Country, cooperation: Cooperation
) -> None:
    client = country.browser(app, "ilena")
    assert client.get(f"/organisations/{country.id('door')}/change").status_code == 404
    assert client.get(f"/people/invite/{country.id('door')}").status_code == 404


def test_the_cooperations_page_leads_to_each_party(
    app: Flask, country: Country, cooperation: Cooperation
) -> None:
    client = country.browser(app, "ilena")
    for place in ("", "/people"):
        shown = client.page(f"/cooperations/{cooperation.reference}{place}")
        assert f"/organisations/{country.id('door')}" in shown.addresses()


def test_the_list_names_organisations_for_which_nobody_can_act(
    app: Flask, country: Country
) -> None:
    new = country.organisation("fields", "Fields of Home", OrganisationKind.CSO)
    country.session.commit()
    client = country.browser(app, "root")
    shown = client.page("/organisations")
    assert "Nobody there has an account yet." in shown.text
    assert f"/people/invite/{new.id}?role=coordinator" in shown.addresses()
    filtered = client.page("/organisations?kind=nobody_acts")
    assert "Fields of Home" in filtered.text
    assert "Open Door Legal Aid" not in filtered.text
    assert "Court of Accounts" not in filtered.text
    of_it = client.page(f"/organisations/{new.id}")
    assert "Nobody can act for Fields of Home yet. Nobody there has an account yet." in of_it.text
    # Said once: there's no empty list of people below it.
    assert "Nobody yet." not in of_it.text
    assert "Invite a coordinator" in of_it.links()


def test_the_page_takes_as_many_statements_for_many_people_and_cooperations_as_for_few(
    app: Flask, country: Country, statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    counts = []
    for number in (1, 12):
        for each in range(number):
            country.person(f"P{number}x{each} Vale", "door", Role.MEMBER)
            open_one(country, "door", title=f"One of {number}, {each}")
        country.session.commit()
        client = country.browser(app, "samira")
        client.page(f"/organisations/{country.id('door')}")
        with statements() as sent:
            client.get(f"/organisations/{country.id('door')}", read=False)
        counts.append(len(sent))
    assert counts[0] == counts[1]


@pytest.mark.parametrize("who", ["milan", "greta"])
def test_the_register_leads_to_each_party_whose_page_opens(
    app: Flask, demonstration: Demonstration, who: str
) -> None:
    client = demonstration.browser(app, who)
    address = f"/organisations/{demonstration.organisations['od']}"
    assert address in client.page("/register").addresses()
    assert client.page(address).h1 == "Open Door Legal Aid"
