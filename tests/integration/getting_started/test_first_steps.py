"""The first steps: what is still open, where each leads, and that the list empties itself.

In one file: each step is told by the same few people.
"""

import datetime as dt
import re
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.accounts import PASSWORD, People, make_people, signed_in
from tests.pages import Page
from tracker.access.actor import OrganisationKind, Role
from tracker.accounts.models import User
from tracker.accounts.people import invitations
from tracker.accounts.people.invitations import NewInvitation
from tracker.accounts.queries import has_people
from tracker.activity.models import Event
from tracker.cooperations.succession import service as succession
from tracker.core import clock
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.getting_started import pages, queries, service
from tracker.mail.models import OutboxMessage

BrowserOf = Callable[[str], CheckedClient]
TEST_PAGE = "/administration/mail/test"
SETTINGS = "/administration/settings"


@pytest.fixture
def people(session: Session) -> People:
    return make_people(session)


@pytest.fixture
def browser_of(people: People, browsers: Callable[[], CheckedClient]) -> BrowserOf:
    return lambda key: signed_in(browsers(), key)


@pytest.fixture
def nothing_chosen(app: Flask, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment that gives no settings; that of the tests does."""
    settings = replace(app.extensions["settings"], chosen=frozenset())
    monkeypatch.setitem(app.extensions, "settings", settings)


@pytest.fixture
def alone(session: Session, nothing_chosen: None) -> People:
    """An instance with its first administrator and nothing else."""
    first = People(session)
    first.add_person("ada", None, Role.ADMINISTRATOR)
    return first


def labels(app: Flask, make_people: People, key: str) -> list[str]:
    """Return the open steps of a person."""
    with app.test_request_context():
        steps = pages.first_steps(make_people.actor(key))
    return [str(step.label) for step in steps.open] if steps else []


def states(app: Flask, make_people: People, key: str) -> dict[str, str]:
    """Return the states of a person's open steps, by their labels."""
    with app.test_request_context():
        steps = pages.first_steps(make_people.actor(key))
    return {str(step.label): str(step.state) for step in steps.open} if steps else {}


def a_signatory(make_people: People, by: str, organisation: str) -> str:
    """Invite somebody who signs for an organisation; return the token."""
    invited = invitations.invite(
        make_people.actor(by),
        NewInvitation(
            "bo@example.org",
            [Role.SIGNATORY],
            name="Bo Marsh",
            organisation_id=make_people.organisations[organisation],
            power="Statutes, article 9",
            office="President",
        ),
    )
    make_people.session.commit()
    return invited.token


def link_in(session: Session) -> str:
    """Return the path in the newest test email."""
    message = (
        session.query(OutboxMessage)
        .filter_by(kind="mail_test")
        .order_by(OutboxMessage.created_at.desc())
        .first()
    )
    assert message is not None
    link = re.search(r"/administration/mail/test/\S+", message.body)
    assert link is not None
    return link[0]


def test_an_instance_has_people_once_somebody_has_an_account(app: Flask, session: Session) -> None:
    assert not has_people()
    make_people(session)
    assert has_people()


def test_the_first_administrator_sees_every_step_and_where_it_is_done(
    alone: People, browsers: Callable[[], CheckedClient]
) -> None:
    page = signed_in(browsers(), "ada").page("/")
    assert "0 of 10 steps done." in page.text
    assert "Start with the steps below." in page.text
    assert "You have no tasks." not in page.text
    for address in (
        TEST_PAGE,
        "/administration/settings",
        "/organisations/new/npm",
        "/organisations/new/cso",
        "/people/invite/administrator",
    ):
        assert address in page.addresses()


@pytest.mark.both_databases
def test_a_step_is_gone_once_it_is_done(app: Flask, alone: People, session: Session) -> None:
    assert "Add the NPM" in labels(app, alone, "ada")
    alone.add_organisation("npm", "Office of the People's Advocate", OrganisationKind.NPM)
    assert "Add the NPM" not in labels(app, alone, "ada")
    assert "Invite a coordinator of the NPM" in labels(app, alone, "ada")
    alone.add_person("ilena", "npm", Role.COORDINATOR)
    assert "Invite a coordinator of the NPM" not in labels(app, alone, "ada")
    alone.add_organisation("door", "Open Door Legal Aid", OrganisationKind.CSO)
    alone.add_person("samira", "door", Role.COORDINATOR)
    alone.add_person("henrik", "door", Role.SIGNATORY)
    alone.add_person("tomas", "npm", Role.SIGNATORY)
    alone.add_person("iris", None, Role.ADMINISTRATOR)
    assert labels(app, alone, "ada") == [
        "Test the email",
        "Check the time zone",
        "Check the languages",
    ]


def test_the_step_names_the_organisation_for_which_nobody_can_act(
    alone: People, browsers: Callable[[], CheckedClient]
) -> None:
    door = alone.add_organisation("door", "Open Door Legal Aid", OrganisationKind.CSO)
    page = signed_in(browsers(), "ada").page("/")
    assert "Nobody can act for Open Door Legal Aid yet." in page.text
    assert "Nobody can sign for Open Door Legal Aid yet." in page.text
    assert f"/people/invite/{door}?role=coordinator" in page.addresses()
    assert f"/people/invite/{door}?role=signatory" in page.addresses()


@pytest.mark.parametrize("role", ["coordinator", "signatory"])
def test_the_link_of_a_step_chooses_the_role(
    alone: People, browsers: Callable[[], CheckedClient], role: str
) -> None:
    door = alone.add_organisation("door", "Open Door Legal Aid", OrganisationKind.CSO)
    ada = signed_in(browsers(), "ada")

    def chosen(address: str) -> list[str]:
        inputs = Page.of(ada.get(address)).root.iter("input")
        return [
            box.get("value", "")
            for box in inputs
            if box.get("name") == "roles" and "checked" in box.attrib
        ]

    assert chosen(f"/people/invite/{door}?role={role}") == [role]
    assert chosen(f"/people/invite/{door}") == []
    # A role that isn't given there, or that nobody knows.
    assert chosen(f"/people/invite/{door}?role=administrator") == []
    assert chosen(f"/people/invite/{door}?role=") == []


def test_a_step_says_that_somebody_was_invited_until_they_accept_or_it_is_revoked(
    alone: People, browsers: Callable[[], CheckedClient], session: Session
) -> None:
    door = alone.add_organisation("door", "Open Door Legal Aid", OrganisationKind.CSO)
    ada = signed_in(browsers(), "ada")
    invited = [
        invitations.invite(
            alone.actor("ada"),
            NewInvitation(email, [role], name="Bo Marsh", organisation_id=organisation),
        )
        for email, role, organisation in (
            ("bo@example.org", Role.COORDINATOR, door),
            ("ivo@example.org", Role.ADMINISTRATOR, None),
        )
    ]
    session.commit()
    page = ada.page("/")
    assert page.text.count("Done once they accept.") == 2
    assert f"/people/invite/{door}?role=coordinator" not in page.addresses()
    assert f"/people/invite/{door}?role=signatory" in page.addresses()
    for invitation in invited:
        invitations.revoke(alone.actor("ada"), invitation.id)
    session.commit()
    page = ada.page("/")
    assert "Done once they accept." not in page.text
    assert f"/people/invite/{door}?role=coordinator" in page.addresses()


def test_an_administrator_of_no_organisation_reads_nothing_about_visits_on_my_work(
    alone: People, browsers: Callable[[], CheckedClient]
) -> None:
    assert "visit" not in signed_in(browsers(), "ada").page("/").text


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("file:///srv/mail", "each message becomes a file in /srv/mail on the server"),
        ("console://", "messages are only printed where the application runs"),
        ("smtp://sender:secret-word@mail.example:587", "through the server mail.example."),
    ],
)
def test_the_page_of_the_test_email_says_where_email_goes_without_the_account(
    app: Flask, browser_of: BrowserOf, monkeypatch: pytest.MonkeyPatch, address: str, words: str
) -> None:
    settings = replace(app.extensions["settings"], mail_url=address)
    monkeypatch.setitem(app.extensions, "settings", settings)
    text = browser_of("ada").page(TEST_PAGE).text
    assert words in text
    assert "secret-word" not in text
    assert "sender" not in text


def test_the_list_disappears_when_all_is_done(
    app: Flask, people: People, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    people.add_person("tomas", "npm", Role.SIGNATORY)
    people.add_person("iris", None, Role.ADMINISTRATOR)
    ada = people.actor("ada")
    service.confirm_test(ada, service.token_for(ada.user_id))
    session.commit()
    chosen = replace(app.extensions["settings"], chosen=frozenset({"TIMEZONE", "LANGUAGES"}))
    monkeypatch.setitem(app.extensions, "settings", chosen)
    assert labels(app, people, "ada") == []
    with app.test_request_context():
        assert pages.first_steps(ada) is None


def test_who_has_only_been_invited_or_is_suspended_does_not_count(
    app: Flask, people: People, session: Session
) -> None:
    invitations.invite(
        people.actor("ada"), NewInvitation("bo@example.org", [Role.ADMINISTRATOR], name="Bo Marsh")
    )
    session.commit()
    assert "Invite a second administrator" in labels(app, people, "ada")
    people.add_person("iris", None, Role.ADMINISTRATOR)
    assert "Invite a second administrator" not in labels(app, people, "ada")
    session.get_one(User, people.people["iris"]).active = False
    session.commit()
    assert "Invite a second administrator" in labels(app, people, "ada")


def test_a_coordinator_of_the_npm_is_led_to_a_signatory_and_the_first_cooperation(
    browser_of: BrowserOf, people: People
) -> None:
    page = browser_of("ilena").page("/")
    assert "Invite somebody who signs for Office of the People's Advocate" in page.text
    assert "Open the first cooperation" in page.text
    assert "/cooperations/open" in page.addresses()
    assert f"/people/invite/{people.organisations['npm']}?role=signatory" in page.addresses()
    assert "Test the email" not in page.text


def test_a_coordinator_of_a_cso_is_not_led_to_open_a_cooperation(
    app: Flask, people: People
) -> None:
    assert labels(app, people, "samira") == []  # Henrik signs for it
    assert labels(app, people, "joana") == ["Invite somebody who signs for Lantern Health Network"]


def test_a_signatory_who_waits_for_confirmation_is_said_to_wait(
    app: Flask, people: People, session: Session
) -> None:
    label = "Invite somebody who signs for Lantern Health Network"
    assert states(app, people, "joana") == {label: "To do"}
    token = a_signatory(people, "joana", "lantern")
    assert states(app, people, "joana") == {label: "Invited"}
    invitations.accept(token, name="Bo Marsh", password=PASSWORD, language="en")
    session.commit()
    assert labels(app, people, "joana") == ["Somebody who signs for Lantern Health Network"]


def test_a_signatory_who_is_confirmed_and_has_not_accepted_is_waited_for_and_has_not_left(
    app: Flask, people: People, browser_of: BrowserOf, session: Session
) -> None:
    """An administrator invited them, and nobody else could have confirmed the role."""
    token = a_signatory(people, "ada", "lantern")
    invitations.accept(token, name="Bo Marsh", password=PASSWORD, language="en")
    session.commit()
    label = "Somebody who signs for Lantern Health Network"
    assert states(app, people, "joana") == {label: "Waiting for the person to accept it"}
    page = browser_of("joana").page("/")
    assert "This list disappears when the step is done." in page.text
    assert "Others have to go on with the steps below." in page.text
    listed = browser_of("ada").page("/people?q=Bo")
    assert "Signatory, Lantern Health Network (not begun yet)" in listed.text
    assert "Left" not in listed.text


def test_administrators_invite_nobody_again_while_a_signatory_waits_for_confirmation(
    app: Flask, people: People, session: Session
) -> None:
    """A manager of the NPM confirms whoever an administrator invited."""
    label = "Invite somebody who signs for the NPM"
    assert states(app, people, "ada")[label] == "To do"
    token = a_signatory(people, "ada", "npm")
    assert states(app, people, "ada")[label] == "Invited"
    invitations.accept(token, name="Bo Marsh", password=PASSWORD, language="en")
    session.commit()
    steps = states(app, people, "ada")
    assert label not in steps
    waiting = "Somebody who signs for Office of the People's Advocate"
    assert steps[waiting] == "Waiting to be confirmed"


def test_a_coordinator_reads_only_of_invitations_to_their_own_organisation(people: People) -> None:
    a_signatory(people, "ada", "npm")
    signs = (people.organisations["npm"], Role.SIGNATORY.value)
    assert queries.invited(people.actor("joana")) == frozenset()
    assert queries.invited(people.actor("ilena")) == {signs}
    assert queries.invited(people.actor("ada")) == {signs}


def test_nobody_is_invited_to_sign_for_a_body_that_another_one_has_replaced(
    people: People, session: Session
) -> None:
    former = queries.without_signatory(OrganisationKind.NPM, clock.today())
    assert former is not None
    assert former.id == people.organisations["npm"]
    people.add_organisation("council", "Council against Torture", OrganisationKind.NPM)
    succession.replace(
        people.actor("ada"),
        people.organisations["npm"],
        people.organisations["council"],
        since=clock.today(),
        source="Act 12 of this year",
    )
    session.commit()
    lacking = queries.without_signatory(OrganisationKind.NPM, clock.today())
    assert lacking is not None
    assert lacking.name == "Council against Torture"
    assert not queries.of_instance(clock.today()).npm_coordinator  # but the former body has one


@pytest.mark.parametrize("who", ["nadia", "henrik", "dora"])
def test_nobody_else_has_first_steps(app: Flask, people: People, who: str) -> None:
    assert labels(app, people, who) == []


@pytest.mark.both_databases
def test_the_steps_take_one_statement_however_many_organisations_there_are(
    app: Flask,
    people: People,
    session: Session,
    statements: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    for number in range(5):
        people.add_organisation(f"more{number}", f"Group {number}", OrganisationKind.CSO)
    ilena = people.actor("ilena")
    with statements() as sent:
        queries.of_instance(clock.today())
    assert len(sent) == 1
    with statements() as sent:
        queries.of_organisation(ilena, clock.today())
    assert len(sent) == 1


# The test email --------------------------------------------------------------------------------


def test_an_administrator_tests_the_email_and_the_step_is_gone(
    app: Flask, browser_of: BrowserOf, people: People, session: Session
) -> None:
    ada = browser_of("ada")
    assert "has been written" in Page.of(ada.submit(TEST_PAGE)).text  # no mail server is set
    assert "Test the email" in labels(app, people, "ada")  # sent is not arrived
    link = link_in(session)
    page = ada.page(link)
    assert page.h1 == "Confirm that the email arrived"
    assert "Nobody gets them until a mail server is set." in page.text
    assert "Test the email" in labels(app, people, "ada")  # reading changes nothing
    ada.submit(link)
    assert session.query(Event).filter_by(verb="mail_tested").count() == 1
    assert "Test the email" not in labels(app, people, "ada")


def test_a_test_email_that_a_mail_server_takes_is_on_its_way(
    app: Flask, browser_of: BrowserOf, session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = replace(app.extensions["settings"], mail_url="smtp://mail.example:587")
    monkeypatch.setitem(app.extensions, "settings", settings)
    ada = browser_of("ada")
    assert "is on its way" in Page.of(ada.submit(TEST_PAGE)).text
    arrived = ada.page(link_in(session))
    assert "Then email from this instance arrives." in arrived.text
    assert "Email from this instance arrives." in Page.of(ada.submit(arrived.where)).text


def test_a_link_works_a_week_and_for_its_reader_only(people: People, session: Session) -> None:
    people.add_person("iris", None, Role.ADMINISTRATOR)
    ada, iris = people.actor("ada"), people.actor("iris")
    token = service.token_for(ada.user_id)
    assert service.is_valid(ada, token)
    for wrong in (token[:-1], "", "x" * 300, f"{token}x"):
        assert not service.is_valid(ada, wrong)
    with pytest.raises(RuleBrokenError):
        service.confirm_test(iris, token)


def test_a_link_that_is_too_old_offers_a_new_email(
    browser_of: BrowserOf, people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    ada = browser_of("ada")
    with monkeypatch.context() as earlier:
        day = clock.today() - dt.timedelta(days=service.DAYS + 1)
        earlier.setattr(clock, "today", lambda: day)
        token = service.token_for(people.people["ada"])
    page = ada.page(f"{TEST_PAGE}/{token}", 404)
    assert "This link doesn't work" in page.text
    assert ada.post(f"{TEST_PAGE}/{token}").status_code == 404
    assert not queries.of_instance(clock.today()).mail_tested


@pytest.mark.parametrize("who", ["ilena", "nadia", "samira", "henrik", "dora"])
def test_only_administrators_set_up_the_instance(
    browser_of: BrowserOf, people: People, session: Session, who: str
) -> None:
    browser, actor = browser_of(who), people.actor(who)
    for address in (TEST_PAGE, f"{TEST_PAGE}/{service.token_for(actor.user_id)}"):
        assert browser.get(address).status_code == 403
        assert browser.post(address).status_code == 403
    assert browser.get(SETTINGS).status_code == 403
    assert browser.post(f"{SETTINGS}/TIMEZONE/check").status_code == 403
    with pytest.raises(RefusedError):
        service.check_setting(actor, queries.TIME_ZONE, "UTC")
    with pytest.raises(RefusedError):
        service.send_test(actor)
    with pytest.raises(RefusedError):
        service.confirm_test(actor, service.token_for(actor.user_id))
    assert session.query(Event).filter_by(verb="mail_tested").count() == 0


def test_an_administrator_says_that_a_setting_is_right_and_the_step_is_gone(
    app: Flask, browser_of: BrowserOf, people: People, session: Session, nothing_chosen: None
) -> None:
    ada = browser_of("ada")
    page = ada.page(SETTINGS)
    assert "TRACKER_TIMEZONE" in page.text
    assert page.text.count("It's right") == 2
    # Once both are decided, the next steps are on My work.
    for setting, step, following in (
        ("TIMEZONE", "Check the time zone", SETTINGS),
        ("LANGUAGES", "Check the languages", "/"),
    ):
        assert step in labels(app, people, "ada")
        for _again in range(2):
            assert ada.post(f"{SETTINGS}/{setting}/check").location.endswith(following)
        assert step not in labels(app, people, "ada")
    assert session.query(Event).filter_by(verb="setting_checked").count() == 2
    page = ada.page(SETTINGS)
    assert "It's right" not in page.text
    assert page.text.count("Checked") == 2
    assert ada.post(f"{SETTINGS}/SECRET_KEY/check").status_code == 404


def test_a_setting_of_the_server_needs_no_check(
    app: Flask, browser_of: BrowserOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = replace(app.extensions["settings"], chosen=frozenset({"TIMEZONE", "LANGUAGES"}))
    monkeypatch.setitem(app.extensions, "settings", chosen)
    page = browser_of("ada").page(SETTINGS)
    assert page.text.count("Set on the server") == 2
    assert "It's right" not in page.text
