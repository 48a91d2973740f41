"""A person's telephone number: given in the account, shown to nobody else there, and deleted."""

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.factories.accounts import People
from tests.integration.accounts.test_powers import BrowserOf, door
from tests.pages import Page
from tracker.accounts.models import TelephoneNumber
from tracker.accounts.people import service, telephones

NUMBER = "+356 (21) 220000"


def stored(session: Session) -> list[TelephoneNumber]:
    session.expire_all()
    return list(session.scalars(sa.select(TelephoneNumber)))


def test_a_person_gives_changes_and_deletes_their_number(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    dora = browser_of("dora")
    assert 'type="tel"' in dora.page("/account").html
    page = Page.of(dora.submit("/account", action="/account", telephone=f"  {NUMBER} "))
    assert "Your profile is saved." in page.text
    assert NUMBER in page.html
    [row] = stored(session)
    assert b"220000" not in row.sealed_number
    assert telephones.numbers_of([people.people["dora"]]) == {people.people["dora"]: NUMBER}
    session.rollback()
    dora.submit("/account", action="/account", telephone="020 555 010")
    assert list(telephones.numbers_of([people.people["dora"]]).values()) == ["020 555 010"]
    session.rollback()
    dora.submit("/account", action="/account", telephone="")
    assert stored(session) == []


@pytest.mark.parametrize("typed", ["1234", "call me", "+356-21-220000", "1" * 31, "+ 12 ext. 4"])
def test_what_is_no_number_is_refused_beside_its_field(
    people: People, browser_of: BrowserOf, session: Session, typed: str
) -> None:
    page = Page.of(browser_of("dora").submit("/account", action="/account", telephone=typed))
    assert 'id="telephone-error"' in page.html
    assert (
        len([words for words in page.links() if "telephone" in words.lower() or "Use 5" in words])
        == 1
    )
    assert typed in page.html
    assert stored(session) == []


def test_nobody_else_finds_the_number_in_the_list_of_people_or_on_the_page_of_the_person(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    browser_of("dora").submit("/account", action="/account", telephone=NUMBER)
    for who in ("samira", "henrik", "ilena", "ada"):
        browser = browser_of(who)
        for address in ("/account", "/people", f"/people/{people.people['dora']}"):
            response = browser.get(address, follow_redirects=True)
            assert "220000" not in response.text, (who, address)


def test_a_number_written_for_somebody_else_is_no_number(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    browser_of("dora").submit("/account", action="/account", telephone=NUMBER)
    henrik = people.people["henrik"]
    [row] = stored(session)
    session.add(TelephoneNumber(user_id=henrik, sealed_number=row.sealed_number))
    session.commit()
    assert henrik not in telephones.numbers_of([henrik])


@pytest.mark.parametrize("ends", ["suspended", "left"])
def test_the_number_is_deleted_with_the_account(
    people: People, browser_of: BrowserOf, session: Session, ends: str
) -> None:
    browser_of("dora").submit("/account", action="/account", telephone=NUMBER)
    dora = people.people["dora"]
    if ends == "suspended":
        service.suspend(people.actor("ada"), dora, reason="Left the country.")
    else:
        service.leave(people.actor("dora"), door(people))
    session.commit()
    assert stored(session) == []
