"""People without an email address: added by name, they never sign in and get no mail."""

from collections.abc import Callable

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.accounts import PASSWORD, People
from tracker.access.actor import Role
from tracker.accounts import queries
from tracker.accounts.models import Membership, User
from tracker.accounts.people import invitations, service, without_email
from tracker.accounts.people.service import NewRole
from tracker.accounts.people.without_email import NewPerson
from tracker.activity.models import Event, EventDetail
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.mail import addresses, outbox
from tracker.mail.models import OutboxMessage
from tracker.oversight import integrity

Browser = Callable[[str], CheckedClient]


def add(
    people: People, by: str, where: str, name: str = "Bruno Keel", outside_expert: bool = False
) -> User:
    user = without_email.add(
        people.actor(by),
        NewPerson(name, people.organisations[where], outside_expert=outside_expert),
    )
    people.session.commit()
    return user


def named(name: str) -> list[User]:
    return list(db.session.scalars(sa.select(User).where(User.name == name)))


def test_a_coordinator_adds_a_person_who_is_a_member_and_never_signs_in(people: People) -> None:
    user = add(people, "ilena", "npm", outside_expert=True)
    assert not user.signs_in
    assert user.password is None
    (role,) = queries.memberships_of(user.id, clock.today())
    assert (role.role, role.organisation_id) == (Role.MEMBER, people.organisations["npm"])
    assert role.outside_expert
    assert integrity.check_all().finding is None


def test_the_history_says_who_added_whom(people: People) -> None:
    user = add(people, "ilena", "npm")
    event = db.session.scalars(sa.select(Event).where(Event.verb == "person_added")).one()
    assert event.subject_id == user.id
    content = db.session.scalars(
        sa.select(EventDetail.content).where(EventDetail.event_id == event.id)
    ).one()
    assert content["who"]["name"] == people.user("ilena").name
    assert content["person"] == "Bruno Keel"


def test_everybody_with_an_address_signs_in(people: People) -> None:
    assert people.user("ilena").signs_in


def test_no_mail_is_queued_for_a_person_without_an_address(people: People) -> None:
    user = add(people, "ilena", "npm")
    assert outbox.queue(user.email, "en", "trial", "Something", "Look.\n") is None
    service.suspend(people.actor("ada"), user.id, reason="Left.")
    people.session.commit()
    recipients = db.session.scalars(sa.select(OutboxMessage.recipient)).all()
    assert user.email not in recipients


def test_two_people_of_one_name_are_two_people(people: People) -> None:
    first, second = add(people, "ilena", "npm"), add(people, "ilena", "npm")
    assert first.id != second.id
    assert first.email != second.email


def test_nobody_is_invited_to_a_placeholder_address(people: People) -> None:
    user = add(people, "ilena", "npm")
    with pytest.raises(RuleBrokenError, match="Enter an email address"):
        invitations.address_of(user.email)


def test_nobody_signs_in_as_a_person_without_an_address(
    people: People, browsers: Callable[[], CheckedClient]
) -> None:
    user = add(people, "ilena", "npm")
    client = browsers()
    for password in (PASSWORD, "None", str(user.id)):
        client.submit("/sign-in", email=user.email, password=password)
        assert client.get("/people").status_code == 302


@pytest.mark.parametrize("role", [Role.COORDINATOR, Role.SIGNATORY, Role.MANAGER, Role.AUDITOR])
def test_a_person_without_an_address_is_a_member_only(people: People, role: Role) -> None:
    user = add(people, "ilena", "npm")
    wanted = NewRole(role, people.organisations["npm"], power="Law, section 4", office="Head")
    with pytest.raises(RuleBrokenError, match="can only be a member") as caught:
        service.give_role(people.actor("ada"), user.id, wanted)
    assert caught.value.field == "role"


@pytest.mark.parametrize("by", ["samira", "dora", "nadia", "joana"])
def test_nobody_but_a_coordinator_of_the_organisation_adds_a_person(
    people: People, by: str
) -> None:
    with pytest.raises(RefusedError):
        add(people, by, "npm")
    assert named("Bruno Keel") == []


def test_a_cso_has_no_outside_experts(people: People) -> None:
    with pytest.raises(RuleBrokenError, match="outside expert") as caught:
        add(people, "samira", "door", outside_expert=True)
    assert caught.value.field == "outside_expert"


@pytest.mark.parametrize(
    ("name", "words"),
    [("  ", "Enter the name"), ("x" * 201, "at most"), ("Visit evil.example", "web address")],
)
def test_an_invalid_name_adds_nobody(people: People, name: str, words: str) -> None:
    with pytest.raises(RuleBrokenError, match=words) as caught:
        add(people, "ilena", "npm", name)
    assert caught.value.field == "name"


def test_the_page_adds_a_person_and_the_list_says_that_there_is_no_address(
    people: People, browser_of: Browser, session: Session
) -> None:
    browser = browser_of("ilena")
    address = f"/people/without-email/{people.organisations['npm']}"
    empty = browser.submit(address, name="", language="en")
    assert "Enter the name" in empty.text
    sent = browser.submit(address, name="Bruno Keel", language="ar")
    (user,) = named("Bruno Keel")
    assert sent.request.path == f"/people/{user.id}"
    assert user.language == "ar"
    for where in ("/people", f"/people/{user.id}"):
        shown = browser.get(where).text
        assert "no-email.invalid" not in shown
    assert "No email address" in browser.get("/people").text
    assert "never signs in" in browser.get(f"/people/{user.id}").text
    assert session.scalar(sa.select(sa.func.count(Membership.id)).filter_by(user_id=user.id)) == 1


def test_only_the_reserved_domain_is_a_placeholder(people: People) -> None:
    user_id = people.people["ilena"]
    assert addresses.is_of_nobody(addresses.of_nobody(user_id))
    assert not addresses.is_of_nobody("no-email.invalid@example.org")
