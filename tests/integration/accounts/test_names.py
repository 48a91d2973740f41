"""Names: who changes whose, and what it says beside a signature or a scan."""

import pytest
from sqlalchemy.orm import Session

from tests.factories import powers as begun
from tests.factories.accounts import People
from tests.integration.accounts.test_powers import BrowserOf, door, events, give, mailed
from tests.pages import Page
from tracker.access.actor import Role


@pytest.mark.parametrize(
    ("who", "waits"), [("henrik", False), ("samira", False), ("ilena", False), ("dora", True)]
)
def test_nobody_who_signs_or_vouches_by_it_changes_their_own_name(
    people: People, browser_of: BrowserOf, who: str, waits: bool
) -> None:
    """Henrik signs, Dora's role waits; Samira and Ilena coordinate, so they vouch for scans."""
    browser = browser_of(who)
    opened = browser.page("/account") if waits else None
    if waits:
        give(people, "samira", who, Role.SIGNATORY)
    assert "Your name is shown on everything you sign and confirm" in browser.page("/account").text
    changed = {"name": "President Aurelio Vast", "language": "ar"}
    form = opened.form("/account").filled_in(**changed) if opened else changed
    refused = browser.post("/account", data=form, csrf=opened is None)
    assert "so somebody else has to change it" in Page.of(refused).text
    assert (people.user(who).name, people.user(who).language) == (f"{who.title()} Marsh", "en")
    # The language is still theirs to choose.
    browser.submit("/account", action="/account", language="ar")
    assert people.user(who).language == "ar"


def test_another_holder_changes_the_name_that_signatures_show(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    begun.hold(people.people["dora"], door(people), Role.MANAGER)
    session.commit()
    dora = browser_of("dora")
    assert "Change the name" in dora.page(f"/people/{people.people['henrik']}").text
    path = f"/people/{people.people['henrik']}/name"
    for name, words in ((" ", "Enter the name"), ("Henrik  Marsh", "This is the name they have")):
        assert words in Page.of(dora.submit(path, name=name)).text
    page = Page.of(dora.submit(path, name=" Henrik  Lind "))
    assert "The name is changed." in page.text
    assert people.user("henrik").name == "Henrik Lind"
    assert mailed(people, "renamed") == {"henrik"}
    [event] = events(session, "person_renamed")
    assert (event["person"], event["former"]) == ("Henrik Lind", "Henrik Marsh")
    # With a colleague who could confirm, an administrator can't.
    assert browser_of("ada").get(path).status_code == 403


@pytest.mark.parametrize(
    ("who", "whom", "status"),
    [
        ("ada", "henrik", 200),
        ("samira", "henrik", 403),
        ("henrik", "henrik", 403),
        ("ada", "dora", 403),
        ("samira", "dora", 403),
        ("henrik", "samira", 200),
        ("ada", "samira", 403),
        ("samira", "samira", 403),
        ("joana", "samira", 404),
        ("nadia", "ilena", 200),
        ("ada", "joana", 200),
        ("dora", "henrik", 404),
        ("joana", "henrik", 404),
        ("ilena", "henrik", 404),
    ],
)
def test_who_reaches_the_page_that_changes_a_name(
    people: People, browser_of: BrowserOf, who: str, whom: str, status: int
) -> None:
    """Henrik is the only one who signs for Open Door, Nadia manages the NPM; Lantern has neither.

    Samira, Ilena and Joana coordinate; Dora is a member, and names herself.
    """
    browser, path = browser_of(who), f"/people/{people.people[whom]}/name"
    assert browser.get(path).status_code == status
    before = people.user(whom).name
    answer = browser.post(path, data={"name": "Somebody Else"})
    assert (people.user(whom).name != before) is (status == 200)
    assert answer.status_code == (302 if status == 200 else status)
