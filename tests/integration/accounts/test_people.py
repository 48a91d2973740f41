"""People: lists and pages from every side, roles, suspending, leaving, people's own profile.

In one file: the lists and the page of one person, each tested from the same sides.
"""

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from functools import partial
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests import due
from tests.at_once import at_once
from tests.client import CheckedClient
from tests.effort import tries
from tests.factories import powers
from tests.factories.accounts import People, signed_in
from tests.integration.accounts.conftest import NOON, Clock
from tests.pages import Page
from tracker.access.actor import OrganisationKind, Role
from tracker.accounts import queries
from tracker.accounts.factors import attempts
from tracker.accounts.models import Attempt, Membership, User
from tracker.accounts.people import invitations, service
from tracker.accounts.people.invitations import NewInvitation
from tracker.accounts.people.service import NewRole
from tracker.activity.models import Event, EventDetail
from tracker.core import clock
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.mail.models import OutboxMessage

pytestmark = pytest.mark.some_on_postgresql(3)

NOBODY = "00000000-0000-4000-8000-000000000000"
BrowserOf = Callable[[str], CheckedClient]
Statements = Callable[[], AbstractContextManager[list[str]]]


# Lists --------------------------------------------------------------------------------------


def test_an_administrator_sees_everybody(people: People, browser_of: BrowserOf) -> None:
    page = browser_of("ada").page("/people")
    for name in ("Samira Marsh", "Joana Marsh", "Ilena Marsh", "Ada Marsh"):
        assert name in page.text


def test_a_coordinator_sees_only_their_own_people(people: People, browser_of: BrowserOf) -> None:
    page = browser_of("samira").page("/people")
    assert page.h1 == "People in your organisation"
    assert "Dora Marsh" in page.text
    assert "Joana" not in page.text
    assert "Ilena" not in page.text
    assert "3 people" in page.text


@pytest.mark.both_databases
def test_a_search_counts_and_shows_only_ones_own_side(
    people: People, browser_of: BrowserOf
) -> None:
    page = browser_of("samira").page("/people?q=joana")
    assert "Nobody found" in page.text
    assert "Open accounts 0" in page.text


@pytest.mark.both_databases
@pytest.mark.parametrize("words", ["%", "_", "'", "<b>", "\\", "x" * 5000, "a b c d e f g h i j"])
def test_hostile_searches_find_nothing_more(
    people: People, browser_of: BrowserOf, words: str
) -> None:
    response = browser_of("ada").get("/people", query_string={"q": words, "page": words})
    assert response.status_code == 200
    assert "Samira" not in response.text


@pytest.mark.both_databases
def test_members_do_not_list_people(people: People, browser_of: BrowserOf) -> None:
    assert browser_of("dora").get("/people").status_code == 403


def test_signatories_see_their_own_people_whose_powers_they_confirm(
    people: People, browser_of: BrowserOf
) -> None:
    page = browser_of("henrik").page("/people")
    assert "Dora Marsh" in page.text
    assert "Joana" not in page.text
    assert "Invite" not in page.text


def test_strangers_are_sent_to_the_sign_in(people: People, client: CheckedClient) -> None:
    for path in ("/people", f"/people/{people.people['dora']}", "/account", "/organisations"):
        response = client.get(path)
        assert response.status_code == 302
        assert response.location.startswith("/sign-in")


@pytest.mark.both_databases
def test_the_list_asks_no_more_when_it_is_longer(
    people: People, session: Session, browser_of: BrowserOf, statements: Statements
) -> None:
    ada = browser_of("ada")

    def cost(path: str) -> int:
        with statements() as seen:
            assert ada.get(path).status_code == 200
        return len(seen)

    paths = ("/people", "/people/invitations", "/organisations", "/people/invite")
    before = [cost(path) for path in paths]
    for number in range(12):
        key = f"cso{number}"
        people.add_organisation(key, f"Association number {number}", OrganisationKind.CSO)
        people.add_person(f"person{number}", key, Role.MEMBER)
        invitations.invite(
            people.actor("ada"),
            NewInvitation(
                f"new{number}@example.org",
                {Role.MEMBER},
                organisation_id=people.organisations[key],
            ),
        )
        session.commit()
    session.expire_all()
    assert [cost(path) for path in paths] == before


@pytest.mark.both_databases
def test_long_lists_have_pages(people: People, session: Session, browser_of: BrowserOf) -> None:
    for number in range(30):
        people.add_person(f"person{number:02}", "door", Role.MEMBER)
    samira = browser_of("samira")
    first, second = samira.page("/people"), samira.page("/people?page=2")
    assert "1 to 25 of 33" in first.text
    assert "26 to 33 of 33" in second.text
    assert "Nobody yet." in samira.page("/people?page=99").text


# One person, from each side -----------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "status"),
    [("ada", 200), ("samira", 200), ("joana", 404), ("ilena", 404), ("dora", 404), ("nadia", 404)],
)
def test_a_person_is_visible_to_their_own_side_and_to_administrators(
    people: People, browser_of: BrowserOf, who: str, status: int
) -> None:
    assert browser_of(who).get(f"/people/{people.people['dora']}").status_code == status


@pytest.mark.parametrize(
    "page", ["suspend", "restore", "second-factor/reset", "roles/new", "roles/{membership}/end"]
)
@pytest.mark.parametrize(
    ("who", "status"),
    [("joana", 404), ("ilena", 404), ("nadia", 404), ("dora", 404), ("henrik", 403)],
)
def test_nobody_else_reaches_what_changes_a_person(
    people: People, browser_of: BrowserOf, who: str, status: int, page: str
) -> None:
    membership = people.membership("samira", Role.COORDINATOR)
    path = f"/people/{people.people['samira']}/{page.format(membership=membership)}"
    browser = browser_of(who)
    assert browser.get(path).status_code == status
    assert browser.post(path, data={"reason": "x"}).status_code == status


@pytest.mark.parametrize("user_id", ["nonsense", "0", NOBODY, "%00", "x" * 500])
def test_an_unknown_person_is_not_there(
    people: People, browser_of: BrowserOf, user_id: str
) -> None:
    ada = browser_of("ada")
    for page in ("", "/suspend", "/restore", "/roles/new"):
        assert ada.get(f"/people/{user_id}{page}").status_code == 404


def test_a_coordinator_sees_only_the_roles_on_their_own_side(
    people: People, session: Session, browser_of: BrowserOf
) -> None:
    service.give_role(
        people.actor("ada"),
        people.people["dora"],
        NewRole(Role.MEMBER, people.organisations["lantern"]),
    )
    session.commit()
    path = f"/people/{people.people['dora']}"
    assert "Lantern" not in browser_of("samira").page(path).text
    assert "Lantern" in browser_of("ada").page(path).text


def test_a_role_of_somebody_else_is_not_ended_by_a_changed_address(
    people: People, browser_of: BrowserOf
) -> None:
    other = people.membership("joana", Role.COORDINATOR)
    path = f"/people/{people.people['dora']}/roles/{other}/end"
    assert browser_of("samira").get(path).status_code == 404
    assert browser_of("ada").get(path).status_code == 404


# Suspending ---------------------------------------------------------------------------------


def test_suspending_needs_a_reason_and_is_recorded(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    samira = browser_of("samira")
    path = f"/people/{people.people['dora']}/suspend"
    assert "Say why" in Page.of(samira.submit(path, reason=" ")).text
    samira.submit(path, reason="Long leave")
    dora = people.user("dora")
    assert not dora.active
    event = session.query(Event).filter_by(verb="person_suspended").one()
    detail = session.get_one(EventDetail, event.id).content
    assert detail["person"] == "Dora Marsh"
    assert detail["reason"] == "Long leave"
    assert event.subject_id == dora.id
    page = samira.page(f"/people/{dora.id}")
    assert "Long leave" in page.text
    again = samira.submit(path, reason="Once more")
    assert "already suspended" in Page.of(again).text


def test_a_restored_person_comes_back(people: People, browser_of: BrowserOf) -> None:
    ada = browser_of("ada")
    ada.submit(f"/people/{people.people['dora']}/suspend", reason="Long leave")
    ada.submit(f"/people/{people.people['dora']}/restore")
    assert people.user("dora").active
    assert browser_of("dora").get("/account").status_code == 200
    again = ada.submit(f"/people/{people.people['dora']}/restore")
    assert "This account is open." in Page.of(again).text


@pytest.mark.parametrize(
    ("who", "whom"),
    [
        ("samira", "samira"),
        ("ada", "ada"),
        ("samira", "joana"),
        ("nadia", "ilena"),
        ("dora", "henrik"),
    ],
)
def test_nobody_suspends_people_they_may_not_suspend(
    people: People, session: Session, who: str, whom: str
) -> None:
    with pytest.raises(RefusedError):
        service.suspend(people.actor(who), people.people[whom], reason="x")
    with pytest.raises(RefusedError):
        service.restore(people.actor(who), people.people[whom])


def test_a_coordinator_neither_suspends_nor_reopens_a_signatory(
    people: People, session: Session
) -> None:
    """Product.md, section 2: a coordinator couldn't end that power either."""
    henrik, samira = people.people["henrik"], people.actor("samira")
    with pytest.raises(RefusedError, match="signatory or manager"):
        service.suspend(samira, henrik, reason="x")
    with pytest.raises(RefusedError):
        service.end_sessions_of(samira, henrik, reason="x")
    service.suspend(people.actor("ada"), henrik, reason="Under inquiry")
    with pytest.raises(RefusedError, match="signatory or manager"):
        service.restore(samira, henrik)


@pytest.mark.parametrize(("by", "may"), [("samira", True), ("ada", False)])
def test_a_coordinator_reopens_what_their_own_organisation_suspended(
    people: People, session: Session, browser_of: BrowserOf, by: str, may: bool
) -> None:
    dora = people.people["dora"]
    service.suspend(people.actor(by), dora, reason="Long leave")
    session.commit()
    samira = browser_of("samira")
    page = samira.page(f"/people/{dora}")
    assert ("Reopen the account" in page.text) is may
    assert ("Only an administrator can reopen it." in page.text) is not may
    assert samira.get(f"/people/{dora}/restore").status_code == (200 if may else 403)
    if not may:
        with pytest.raises(RefusedError, match="An administrator or another organisation"):
            service.restore(people.actor("samira"), dora)
        return
    service.restore(people.actor("samira"), dora)
    assert people.user("dora").active


def test_what_an_administrator_suspends_while_acting_for_an_organisation_stays_suspended(
    people: People, session: Session
) -> None:
    dora, door = people.people["dora"], people.organisations["door"]
    both = powers.hold(people.people["ada"], door, Role.COORDINATOR)
    service.suspend(both, dora, reason="Under inquiry")
    with pytest.raises(RefusedError, match="An administrator or another organisation"):
        service.restore(people.actor("samira"), dora)


def test_a_coordinator_does_not_suspend_who_belongs_elsewhere_too(
    people: People, session: Session
) -> None:
    service.give_role(
        people.actor("ada"),
        people.people["dora"],
        NewRole(Role.MEMBER, people.organisations["lantern"]),
    )
    session.commit()
    with pytest.raises(RefusedError):
        service.suspend(people.actor("samira"), people.people["dora"], reason="x")


@pytest.mark.both_databases
@pytest.mark.parametrize("turn", range(tries(1, 3)))
def test_of_the_two_last_administrators_who_suspend_each_other_in_the_same_moment_one_stays(
    app: Flask, people: People, turn: int
) -> None:
    bela = people.add_person("bela", None, Role.ADMINISTRATOR)
    acts = [(people.actor("ada"), bela), (people.actor("bela"), people.people["ada"])]
    people.session.commit()
    [refused] = at_once(
        app, *(partial(service.suspend, actor, whom, reason="Away") for actor, whom in acts)
    )
    assert isinstance(refused, RuleBrokenError), refused


def test_the_last_administrator_stays(people: People, session: Session) -> None:
    people.add_person("bela", None, Role.ADMINISTRATOR)
    service.suspend(people.actor("ada"), people.people["bela"], reason="Away")
    session.commit()
    second = people.add_person("cleo", None, Role.ADMINISTRATOR)
    service.suspend(people.actor("cleo"), people.people["ada"], reason="Away")
    session.commit()
    with pytest.raises(RefusedError):
        service.suspend(people.actor("cleo"), second, reason="Away")
    service.restore(people.actor("cleo"), people.people["ada"])
    session.commit()
    membership = session.scalars(sa.select(Membership.id).where(Membership.user_id == second)).one()
    service.end_role(people.actor("ada"), membership, reason="Left")
    session.commit()
    with pytest.raises(RuleBrokenError, match="last administrator"):
        service._check_not_last_administrator(people.people["ada"])


# Roles --------------------------------------------------------------------------------------


def test_giving_a_role_is_recorded_and_told(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    path = f"/people/{people.people['dora']}/roles/new/{people.organisations['door']}"
    response = browser_of("samira").submit(
        path,
        role="signatory",
        office="Director",
        power="Board, 3 May",
        power_from="2026-05-03",
        power_until="2098-05-02",
        ends_on="2099-12-31",
    )
    assert response.request.path == f"/people/{people.people['dora']}"
    powers.let_begin(people.people["dora"])
    memberships = queries.memberships_of(people.people["dora"], clock.today())
    assert {m.role for m in memberships} == {Role.MEMBER, Role.SIGNATORY}
    signs = next(m for m in memberships if m.role is Role.SIGNATORY)
    assert signs.power_from == dt.date(2026, 5, 3)
    assert signs.power_until == dt.date(2098, 5, 2)
    assert session.query(Event).filter_by(verb="role_given").count() == 1
    mail = session.query(OutboxMessage).filter_by(kind="roles_changed").one()
    assert mail.recipient == "dora@example.org"
    assert "Door" not in mail.body


@pytest.mark.parametrize(
    ("fields", "message"),
    [
        ({"role": "member"}, "already has this role"),
        ({"role": "signatory"}, "Enter the office"),
        ({"role": "signatory", "office": "Director"}, "Say under what power"),
        (
            {
                "role": "signatory",
                "office": "Director",
                "power": "Board",
                "power_from": "2030-02-02",
                "power_until": "2030-02-01",
            },
            "The last day is before the first",
        ),
        ({}, "Choose a role"),
        ({"role": "coordinator", "starts_on": "2030-02-02", "ends_on": "2030-02-01"}, "before"),
        ({"role": "coordinator", "ends_on": "yesterday"}, "Enter a date"),
        ({"role": "coordinator", "office": "x" * 300}, "Use at most 200 characters"),
    ],
)
def test_a_role_that_cannot_be_given_says_why(
    people: People, browser_of: BrowserOf, session: Session, fields: dict[str, Any], message: str
) -> None:
    path = f"/people/{people.people['dora']}/roles/new/{people.organisations['door']}"
    page = Page.of(browser_of("samira").submit(path, **fields))
    assert message in page.text
    assert session.query(Event).filter_by(verb="role_given").count() == 0


def test_a_coordinator_gives_no_role_elsewhere_and_no_greater_one(
    people: People, session: Session
) -> None:
    samira = people.actor("samira")
    for role, where in (
        (Role.MEMBER, "lantern"),
        (Role.MANAGER, "door"),
        (Role.MEMBER, "npm"),
    ):
        with pytest.raises(RefusedError):
            service.give_role(
                samira, people.people["dora"], NewRole(role, people.organisations[where])
            )
    with pytest.raises(RefusedError):
        service.give_role(samira, people.people["dora"], NewRole(Role.ADMINISTRATOR, None))


def test_a_coordinator_does_not_take_somebody_from_elsewhere(
    people: People, session: Session
) -> None:
    with pytest.raises(RuleBrokenError, match="Invite"):
        service.give_role(
            people.actor("samira"),
            people.people["joana"],
            NewRole(Role.MEMBER, people.organisations["door"]),
        )


def test_nobody_ends_their_own_role_but_by_leaving(
    people: People, session: Session, browser_of: BrowserOf
) -> None:
    own = people.membership("samira", Role.COORDINATOR)
    with pytest.raises(RefusedError):
        service.end_role(people.actor("samira"), own, reason="x")
    samira = browser_of("samira")
    response = samira.submit(f"/account/leave/{people.organisations['door']}")
    assert "You left Open Door Legal Aid and are signed out." in Page.of(response).text
    assert samira.get("/account").status_code == 302
    event = session.query(Event).filter_by(verb="role_ended").one()
    detail = session.get_one(EventDetail, event.id).content
    assert detail["last"] is True
    assert detail["reason"] == "left"


def test_one_leaves_only_where_one_is(people: People, browser_of: BrowserOf) -> None:
    samira = browser_of("samira")
    for where in (people.organisations["lantern"], uuid4(), "nonsense"):
        assert samira.get(f"/account/leave/{where}").status_code == 404
    with pytest.raises(RuleBrokenError):
        service.leave(people.actor("samira"), people.organisations["lantern"])


def test_ending_a_role_twice_says_so(people: People, session: Session) -> None:
    membership = people.membership("dora", Role.MEMBER)
    service.end_role(people.actor("samira"), membership, reason="Left")
    session.commit()
    with pytest.raises(RuleBrokenError, match="already ended"):
        service.end_role(people.actor("samira"), membership, reason="Left")


@pytest.mark.both_databases
def test_with_one_of_two_roles_ended_the_session_goes_on(
    people: People, session: Session, browser_of: BrowserOf
) -> None:
    service.give_role(
        people.actor("samira"),
        people.people["dora"],
        NewRole(Role.COORDINATOR, people.organisations["door"]),
    )
    session.commit()
    dora = browser_of("dora")
    service.end_role(
        people.actor("samira"), people.membership("dora", Role.MEMBER), reason="Changed"
    )
    session.commit()
    assert dora.get("/account").status_code == 200


def test_roles_that_ran_out_are_ended_by_the_worker(people: People, session: Session) -> None:
    yesterday = clock.today() - dt.timedelta(days=1)
    session.execute(
        sa.update(Membership)
        .where(Membership.user_id == people.people["dora"])
        .values(ends_on=yesterday)
    )
    session.commit()
    assert due.end_roles_run_out() == 1
    session.commit()
    assert due.end_roles_run_out() == 0
    event = session.query(Event).filter_by(verb="role_ended").one()
    assert session.get_one(EventDetail, event.id).content["who"] is None


def test_the_last_day_is_included(people: People, session: Session) -> None:
    today = clock.today()
    session.execute(
        sa.update(Membership)
        .where(Membership.user_id == people.people["dora"])
        .values(starts_on=today, ends_on=today)
    )
    session.commit()
    assert queries.memberships_of(people.people["dora"], today)
    assert not queries.memberships_of(people.people["dora"], today + dt.timedelta(days=1))
    assert not queries.memberships_of(people.people["dora"], today - dt.timedelta(days=1))


# Resetting a second factor ------------------------------------------------------------------


def test_a_manager_resets_the_second_factor_of_their_own_people(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    people.enrol("ilena")
    nadia = browser_of("nadia")
    path = f"/people/{people.people['ilena']}/second-factor/reset"
    assert "Say why" in Page.of(nadia.submit(path, reason="")).text
    nadia.submit(path, reason="Lost telephone, met in the office")
    assert not people.user("ilena").has_second_factor
    assert session.query(OutboxMessage).filter_by(kind="second_factor_reset").count() == 1
    again = nadia.submit(path, reason="Once more")
    assert "has no second factor" in Page.of(again).text


@pytest.mark.parametrize(
    ("who", "whom"),
    [
        ("nadia", "nadia"),
        ("ada", "ada"),
        ("samira", "dora"),
        ("nadia", "samira"),
        ("dora", "henrik"),
    ],
)
def test_nobody_resets_their_own_or_a_strangers_second_factor(
    people: People, session: Session, who: str, whom: str
) -> None:
    people.enrol(whom)
    with pytest.raises(RefusedError):
        service.reset_second_factor(people.actor(who), people.people[whom], reason="x")


# For whom one acts, and one's own profile ---------------------------------------------------


@pytest.mark.both_databases
def test_a_person_of_two_organisations_chooses_for_whom_to_act(
    people: People, session: Session, client: CheckedClient
) -> None:
    service.give_role(
        people.actor("ada"),
        people.people["dora"],
        NewRole(Role.COORDINATOR, people.organisations["lantern"]),
    )
    session.commit()
    signed_in(client, "dora")
    response = client.submit("/account/acting", organisation=str(people.organisations["door"]))
    assert "acting for Open Door Legal Aid as member" in Page.of(response).text
    assert client.get("/people").status_code == 403
    response = client.submit("/account/acting", organisation=str(people.organisations["lantern"]))
    assert "acting for Lantern Health Network as coordinator" in Page.of(response).text
    assert "Joana Marsh" in client.page("/people").text


@pytest.mark.parametrize("where", ["npm", "nonsense", "unknown", ""])
def test_one_acts_only_for_an_organisation_of_ones_own(
    people: People, browser_of: BrowserOf, where: str
) -> None:
    chosen = str(people.organisations.get(where, uuid4() if where == "unknown" else where))
    samira = browser_of("samira")
    response = samira.post("/account/acting", data={"organisation": chosen})
    assert response.status_code == 200
    assert "acting for Open Door Legal Aid" in samira.page("/account").text


def test_a_person_changes_name_and_language(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    dora = browser_of("dora")
    page = Page.of(dora.submit("/account", action="/account", name=" Dora  Okell ", language="ar"))
    assert page.root.attrib["dir"] == "rtl"
    user = people.user("dora")
    assert (user.name, user.language) == ("Dora Okell", "ar")
    event = session.query(Event).filter_by(verb="person_changed").one()
    assert session.get_one(EventDetail, event.id).content["changed"] == ["name", "language"]


@pytest.mark.parametrize(
    ("name", "language"),
    [("", "en"), ("x" * 201, "en"), ("Dora", "xx"), ("\u202e", "en"), ("\u200b\u3164", "en")],
)
def test_a_bad_profile_is_not_saved(
    people: People, browser_of: BrowserOf, session: Session, name: str, language: str
) -> None:
    response = browser_of("dora").post("/account", data={"name": name, "language": language})
    assert "There is a problem" in Page.of(response).text
    assert people.user("dora").name == "Dora Marsh"


def test_a_form_changes_nothing_else_in_the_account(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    browser_of("dora").post(
        "/account",
        data={"name": "Dora", "language": "en", "email": "evil@example.org", "active": ""},
    )
    user = session.get_one(User, people.people["dora"], populate_existing=True)
    assert user.email == "dora@example.org"
    assert user.active


# What other parts ask -----------------------------------------------------------------------


def test_signatories_are_those_whose_role_runs(people: People, session: Session) -> None:
    today = clock.today()
    signatories = queries.signatories_of(people.organisations["door"], today)
    assert [(signatory.name, signatory.office, signatory.power) for signatory in signatories] == [
        ("Henrik Marsh", "President", "Statutes, article 9")
    ]
    assert signatories[0].holds_on(today)
    service.suspend(people.actor("ada"), people.people["henrik"], reason="Away")
    assert queries.signatories_of(people.organisations["door"], today) == ()


@pytest.mark.parametrize(
    ("first", "last", "runs"),
    [(None, None, True), (0, 0, True), (1, None, False), (None, -1, False), (-1, 1, True)],
)
def test_a_signatorys_power_runs_on_its_days(
    people: People, session: Session, first: int | None, last: int | None, runs: bool
) -> None:
    today = clock.today()
    row = (
        session.query(Membership)
        .filter_by(user_id=people.people["henrik"], role=Role.SIGNATORY)
        .one()
    )
    row.power_from = None if first is None else today + dt.timedelta(days=first)
    row.power_until = None if last is None else today + dt.timedelta(days=last)
    session.commit()
    (signatory,) = queries.signatories_of(people.organisations["door"], today)
    assert signatory.holds_on(today) is runs


def test_people_of_an_organisation_come_once_with_all_roles(
    people: People, session: Session
) -> None:
    service.give_role(
        people.actor("samira"),
        people.people["dora"],
        NewRole(Role.COORDINATOR, people.organisations["door"]),
    )
    people_by_name = {
        person.name: person for person in queries.people_of(people.organisations["door"])
    }
    assert set(people_by_name) == {"Samira Marsh", "Henrik Marsh", "Dora Marsh"}
    assert people_by_name["Dora Marsh"].roles == {Role.MEMBER, Role.COORDINATOR}
    coordinators = queries.people_with_role([people.organisations["door"]], {Role.COORDINATOR})
    assert coordinators == {people.people["samira"], people.people["dora"]}


def test_contacts_leave_out_the_suspended(people: People, session: Session) -> None:
    wanted = [people.people["samira"], people.people["joana"], uuid4()]
    service.suspend(people.actor("ada"), people.people["joana"], reason="Away")
    assert set(queries.contacts(wanted)) == {people.people["samira"]}
    assert queries.contacts([]) == {}
    assert queries.names(wanted)[people.people["joana"]] == "Joana Marsh"


# The rest of the pages ----------------------------------------------------------------------


def test_an_administrator_gives_a_role_in_an_organisation_chosen_first(
    people: People, browser_of: BrowserOf
) -> None:
    ada = browser_of("ada")
    chosen = ada.submit(
        f"/people/{people.people['dora']}/roles/new",
        organisation=str(people.organisations["npm"]),
    )
    response = ada.submit(chosen.request.path, role="member", outside_expert="y")
    assert "Outside expert." in Page.of(response).text
    memberships = queries.memberships_of(people.people["dora"], clock.today())
    assert [m.outside_expert for m in memberships if m.organisation_name.startswith("Office")] == [
        True
    ]


def test_an_administrator_makes_another_administrator(
    people: People, browser_of: BrowserOf
) -> None:
    ada = browser_of("ada")
    path = f"/people/{people.people['dora']}/roles/new"
    chosen = ada.submit(path, organisation="administrator")
    ada.submit(chosen.request.path, role="administrator")
    assert browser_of("dora").get("/organisations").status_code == 200


def test_a_coordinator_is_redirected_to_their_own_organisation(
    people: People, browser_of: BrowserOf
) -> None:
    page = browser_of("samira").page(f"/people/{people.people['dora']}/roles/new")
    assert page.where.endswith(f"/roles/new/{people.organisations['door']}")


def test_a_role_is_ended_in_the_browser_with_a_reason(
    people: People, browser_of: BrowserOf
) -> None:
    samira = browser_of("samira")
    membership = people.membership("dora", Role.MEMBER)
    path = f"/people/{people.people['dora']}/roles/{membership}/end"
    assert "Say why" in Page.of(samira.submit(path, reason="")).text
    assert "The role is ended." in Page.of(samira.submit(path, reason="Left")).text
    again = samira.post(path, data={"reason": "Left"})
    assert "already ended" in Page.of(again).text


def test_an_auditor_of_another_body_audits_a_named_npm(people: People, session: Session) -> None:
    people.add_person("cara", "door", Role.MEMBER)
    court, npm = people.organisations["court"], people.organisations["npm"]
    for audits in (None, people.organisations["door"], uuid4()):
        with pytest.raises(RuleBrokenError) as caught:
            service.give_role(
                people.actor("ada"),
                people.people["cara"],
                NewRole(Role.AUDITOR, court, audits_id=audits),
            )
        assert caught.value.field == "audits"
    service.give_role(
        people.actor("ada"), people.people["cara"], NewRole(Role.AUDITOR, court, audits_id=npm)
    )
    assert people.actor("cara", "court").audited_ids == {npm}


@pytest.mark.parametrize("where", ["door", "court"])
def test_only_an_npm_has_outside_experts(people: People, session: Session, where: str) -> None:
    role = Role.AUDITOR if where == "court" else Role.COORDINATOR
    with pytest.raises(RuleBrokenError) as caught:
        service.give_role(
            people.actor("ada"),
            people.people["dora"],
            NewRole(role, people.organisations[where], outside_expert=True),
        )
    assert caught.value.field == "outside_expert"
    with pytest.raises(RuleBrokenError):
        invitations.invite(
            people.actor("ada"),
            NewInvitation(
                "x@example.org",
                {role},
                organisation_id=people.organisations[where],
                outside_expert=True,
                audits_id=people.organisations["npm"],
            ),
        )


def test_old_attempts_are_removed_and_new_ones_kept(
    people: People, session: Session, frozen_time: Clock
) -> None:
    frozen_time(NOON)
    attempts.note([attempts.account("a@example.org")])
    frozen_time(NOON + dt.timedelta(minutes=10))
    attempts.note([attempts.account("b@example.org")])
    frozen_time(NOON + dt.timedelta(minutes=16))
    assert attempts.forget_old() == 1
    session.commit()
    assert session.query(Attempt).count() == 1
