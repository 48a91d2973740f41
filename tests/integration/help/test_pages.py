"""Pages of help: who is led where, what somebody without an account reads, words on the spot."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.accounts import People, make_people, signed_in
from tracker.access.actor import OrganisationKind, Role
from tracker.help.pages import MOST_NAMED
from tracker.help.rules import READERS

Browsers = Callable[[], CheckedClient]
Watch = Callable[[], AbstractContextManager[list[str]]]
LINK = "How this works"


@pytest.fixture
def people(session: Session) -> People:
    return make_people(session)


def landed(client: CheckedClient) -> str:
    """Follow the link at the foot of every page; return where it leads."""
    address = client.page("/accessibility").links()[LINK]
    answer = client.get(address, follow_redirects=True)
    return str(answer.request.path)


@pytest.mark.parametrize("address", ["/accessibility", "/guidance", "/verify", "/sign-in"])
def test_every_page_links_to_help_from_its_foot(client: CheckedClient, address: str) -> None:
    page = client.page(address)
    foot = next(page.root.iter("footer"))
    assert next(link.attrib["href"] for link in foot.iter("a")) == "/help/mine"


def test_somebody_without_an_account_gets_the_list_and_can_read_each_page(
    client: CheckedClient, session: Session
) -> None:
    assert landed(client) == "/help"
    page = client.page("/help")
    assert "Your role" not in page.text
    addresses = [link for link in page.links().values() if link.startswith("/help/")]
    assert [f"/help/{name}" for name in READERS] == [
        address for address in addresses if address.partition("/help/")[2] in READERS
    ]
    for name in READERS:
        assert client.page(f"/help/{name}").h1.startswith("How this works for")


@pytest.mark.parametrize(
    ("role", "page"),
    [
        (Role.MEMBER, "/help/expert"),
        (Role.COORDINATOR, "/help/cso-coordinator"),
        (Role.SIGNATORY, "/help/signatory"),
        (Role.MANAGER, "/help/manager"),
    ],
)
def test_a_person_lands_on_the_page_of_their_role(
    session: Session, browsers: Browsers, role: Role, page: str
) -> None:
    here = People(session)
    here.add_organisation("watch", "Open Doors Watch", OrganisationKind.CSO)
    here.add_person("kai", "watch", role)
    client = signed_in(browsers(), "kai")
    if role in {Role.MEMBER, Role.COORDINATOR}:
        assert landed(client) == page
        assert "Your role" in client.page("/help").text
    else:
        # They have to set up a second factor first, and can read what it is for.
        assert client.get("/help/mine").headers["Location"] == page


def test_an_unknown_page_of_help_does_not_exist(client: CheckedClient) -> None:
    assert client.get("/help/cook").status_code == 404


def test_the_words_have_anchors(client: CheckedClient) -> None:
    page = client.page("/help/words")
    anchors = {element.attrib["id"] for element in page.root.iter() if "id" in element.attrib}
    assert {"gate", "clearance", "undertaking", "flag", "second-reader"} <= anchors


def test_in_arabic_help_is_in_arabic(client: CheckedClient) -> None:
    client.set_cookie("language", "ar")
    page = client.page("/help/expert")
    assert page.root.attrib["dir"] == "rtl"
    assert page.h1 == "كيف يجري العمل للخبراء والمترجمين الشفويين والسائقين"


# For somebody without an account ------------------------------------------------------------


def test_a_stranger_reads_what_this_is_and_whom_to_ask(
    people: People, client: CheckedClient, app: Flask, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(app.extensions["settings"], contact="help@npm.example")
    monkeypatch.setitem(app.extensions, "settings", settings)
    answer = client.get("/", follow_redirects=True)
    text = " ".join(answer.text.split())
    assert answer.request.path == "/sign-in"
    assert "What this is" in text
    assert "you need an invitation" in text
    assert "ask help@npm.example" in text
    assert "send anything about a case or a person deprived of liberty" in text
    links = client.page("/sign-in").links()
    assert links["The guidance library"] == "/guidance"
    assert links["Check whether a signed document is genuine"] == "/verify"
    assert "Questions about this instance: help@npm.example" in client.page("/help/expert").text


@pytest.mark.both_databases
def test_a_stranger_reads_the_names_of_npms_and_of_no_partner(
    session: Session, client: CheckedClient, statements: Watch
) -> None:
    here = People(session)
    here.add_organisation("npm", "Office of the Ombudsperson", OrganisationKind.NPM)
    here.add_organisation("watch", "Open Doors Watch", OrganisationKind.CSO)
    client.get("/sign-in")
    with statements() as sent:
        text = client.page("/sign-in").text
    assert "Office of the Ombudsperson and civil society organisations use this" in text
    assert "Open Doors Watch" not in text
    assert len([line for line in sent if "organisation" in line]) == 1


def test_an_instance_of_many_npms_names_none(session: Session, client: CheckedClient) -> None:
    here = People(session)
    for number in range(MOST_NAMED + 1):
        here.add_organisation(f"npm{number}", f"Body {number}", OrganisationKind.NPM)
    text = client.page("/sign-in").text
    assert "A National Preventive Mechanism (NPM) and civil society" in text
    assert "Body 1" not in text
    assert "ask the person you work with" in text
