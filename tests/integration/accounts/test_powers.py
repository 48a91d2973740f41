"""Nobody gives themselves a power: signatory and manager roles come from somebody else.

In one file: the paths by which one role could be gained, which must all be closed.
"""

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.at_once import at_once
from tests.client import CheckedClient
from tests.effort import tries
from tests.factories import powers as begun
from tests.factories.accounts import PASSWORD, People
from tests.pages import Page
from tracker.access.actor import Confirmation, OrganisationKind, Role
from tracker.accounts.models import Invitation, Membership
from tracker.accounts.people import invitations, powers, service
from tracker.accounts.people.invitations import NewInvitation
from tracker.accounts.people.service import NewRole
from tracker.activity.models import Event, EventDetail
from tracker.core import clock
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.mail.models import OutboxMessage

BrowserOf = Callable[[str], CheckedClient]
SIGNS: dict[str, Any] = {"office": "Director", "power": "Board, 3 May"}


def give(people: People, who: str, whom: str, role: Role, **more: object) -> Membership:
    """Have somebody give a role in Open Door."""
    details = SIGNS | more if role is Role.SIGNATORY else more
    membership = service.give_role(
        people.actor(who),
        people.people[whom],
        NewRole(role, people.organisations["door"], **details),
    )
    people.session.commit()
    return membership


def roles(people: People, key: str) -> set[Role]:
    return {membership.role for membership in people.actor(key).memberships}


def mailed(people: People, kind: str) -> set[str]:
    mails = people.session.scalars(sa.select(OutboxMessage).where(OutboxMessage.kind == kind))
    return {mail.recipient.split("@")[0] for mail in mails}


def events(session: Session, verb: str) -> list[dict[str, object]]:
    rows = session.execute(
        sa.select(EventDetail.content)
        .join(Event, Event.id == EventDetail.event_id)
        .where(Event.verb == verb)
        .order_by(Event.number)
    )
    return [row.content for row in rows]


def address(people: People, whom: str, membership: Membership | UUID, act: str) -> str:
    membership_id = membership.id if isinstance(membership, Membership) else membership
    return f"/people/{people.people[whom]}/roles/{membership_id}/{act}"


# Giving ------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["samira", "ada"])
@pytest.mark.parametrize("role", [Role.SIGNATORY, Role.MANAGER, Role.MEMBER])
def test_nobody_gives_themselves_a_role(
    people: People, browser_of: BrowserOf, who: str, role: Role
) -> None:
    before = roles(people, who)
    with pytest.raises(RefusedError, match="You can't give yourself a role"):
        give(people, who, who, role)
    people.session.rollback()
    path = f"/people/{people.people[who]}/roles/new"
    browser = browser_of(who)
    for page in (path, f"{path}/{people.organisations['door']}"):
        assert browser.get(page).status_code == 403
        assert browser.post(page, data={"role": role.value, **SIGNS}).status_code == 403
    assert "Give a role" not in browser.page(f"/people/{people.people[who]}").text
    assert roles(people, who) == before


@pytest.mark.parametrize("who", ["samira", "ada"])
def test_nobody_invites_themselves(people: People, who: str) -> None:
    wanted = NewInvitation(
        f"{who}@example.org",
        {Role.SIGNATORY},
        organisation_id=people.organisations["door"],
        **SIGNS,
    )
    with pytest.raises(RuleBrokenError, match="You can't give yourself a role") as error:
        invitations.invite(people.actor(who), wanted)
    assert error.value.field == "email"


def test_an_invitation_of_ones_own_is_not_accepted_under_a_new_address(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    """The address of an account may change after the invitation."""
    invited = invitations.invite(
        people.actor("samira"),
        NewInvitation(
            "second@example.org",
            {Role.SIGNATORY},
            name="Samira Marsh",
            organisation_id=door(people),
            **SIGNS,
        ),
    )
    people.user("samira").email = "second@example.org"
    session.commit()
    with pytest.raises(RefusedError, match="You can't give yourself a role"):
        invitations.accept_signed_in(people.actor("samira"), invited.token)


def test_what_a_coordinator_gives_waits_for_another_holder(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    """Henrik already signs for Open Door, so he confirms."""
    path = f"/people/{people.people['dora']}/roles/new/{people.organisations['door']}"
    page = Page.of(browser_of("samira").submit(path, role="signatory", **SIGNS))
    assert "begins once it's confirmed" in page.text
    assert "Waiting to be confirmed" in page.text
    assert "Confirm this role" not in page.text
    assert "Another signatory or manager of the organisation has to confirm this role." in page.text
    assert roles(people, "dora") == {Role.MEMBER}
    assert mailed(people, "power_waits") == {"henrik"}
    assert "Door" not in str(session.scalars(sa.select(OutboxMessage.subject)).all())


def test_the_other_holder_confirms_and_it_begins(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    waits = give(people, "samira", "dora", Role.SIGNATORY)
    henrik = browser_of("henrik")
    assert "Confirm Dora Marsh as Signatory" in henrik.page("/").text
    page = henrik.page(address(people, "dora", waits, "confirm"))
    assert "Board, 3 May" in page.text
    assert "The role begins immediately" in page.text
    done = Page.of(henrik.submit(address(people, "dora", waits, "confirm")))
    assert "The role of Dora Marsh is confirmed." in done.text
    assert "Confirmed by Henrik Marsh" in done.text
    assert roles(people, "dora") == {Role.MEMBER, Role.SIGNATORY}
    signs = next(m for m in people.actor("dora").memberships if m.role is Role.SIGNATORY)
    assert (signs.confirmed_how, signs.confirmed_by) == (Confirmation.COLLEAGUE, "Henrik Marsh")
    details = events(session, "role_confirmed")[-1]
    assert (details["person"], details["how"]) == ("Dora Marsh", "colleague")
    assert "as Signatory" not in henrik.page("/").text


def test_a_holder_who_gives_it_has_confirmed_it(people: People, session: Session) -> None:
    give_by_all(people, "henrik", Role.COORDINATOR)
    given = give(people, "henrik", "dora", Role.SIGNATORY)
    assert given.begun_at is not None
    assert given.confirmed_how is Confirmation.COLLEAGUE


@pytest.mark.parametrize(
    ("who", "status"),
    [
        ("ada", 403),
        ("samira", 403),
        ("dora", 404),
        ("joana", 404),
        ("ilena", 404),
        ("nadia", 404),
    ],
)
def test_nobody_else_confirms(
    people: People, browser_of: BrowserOf, session: Session, who: str, status: int
) -> None:
    waits = give(people, "samira", "dora", Role.SIGNATORY)
    path = address(people, "dora", waits, "confirm")
    browser = browser_of(who)
    assert browser.get(path).status_code == status
    assert browser.post(path).status_code == status
    with pytest.raises(RefusedError):
        powers.confirm(people.actor(who), waits.id)
    with pytest.raises(RefusedError):
        powers.confirm(None, waits.id)
    session.rollback()
    assert roles(people, "dora") == {Role.MEMBER}


def test_a_holder_whose_own_power_has_run_out_confirms_nothing(
    people: People, session: Session
) -> None:
    membership = session.get_one(Membership, people.membership("henrik", Role.SIGNATORY))
    membership.power_until = clock.today() - dt.timedelta(days=1)
    session.commit()
    waits = give(people, "samira", "dora", Role.SIGNATORY)
    assert mailed(people, "power_waits") == {"ada"}
    with pytest.raises(RefusedError, match="an administrator has to confirm"):
        powers.confirm(people.actor("henrik"), waits.id)


def test_who_suspends_the_only_other_holder_does_not_confirm_in_their_place(
    people: People, browser_of: BrowserOf
) -> None:
    """Otherwise the signature would say that there was nobody else, after restoring it."""
    service.suspend(people.actor("ada"), people.people["henrik"], reason="Stolen telephone")
    waits = give(people, "samira", "dora", Role.SIGNATORY)
    assert mailed(people, "power_waits") == {"ada"}
    with pytest.raises(RefusedError):
        powers.confirm(people.actor("henrik"), waits.id)
    for actor in (people.actor("ada"), people.actor("samira"), None):
        with pytest.raises(RefusedError, match="is suspended"):
            powers.confirm(actor, waits.id)
    people.session.rollback()
    given = give(people, "ada", "dora", Role.MANAGER)
    assert (given.begun_at, given.confirmed_how) == (None, None)
    ada = browser_of("ada")
    path = address(people, "dora", waits, "confirm")
    assert (ada.get(path).status_code, ada.post(path).status_code) == (403, 403)
    assert "Confirm Dora Marsh as Signatory" in ada.page("/").text
    page = ada.page(f"/people/{people.people['dora']}")
    assert "Reopen the account, or end that role first." in page.text
    assert "Confirm this role" not in page.text
    service.restore(people.actor("ada"), people.people["henrik"])
    confirmed = powers.confirm(people.actor("henrik"), waits.id)
    assert confirmed.confirmed_how is Confirmation.COLLEAGUE


def test_once_the_suspended_holders_role_is_ended_the_administrator_confirms(
    people: People, session: Session
) -> None:
    waits = give(people, "samira", "dora", Role.SIGNATORY)
    service.suspend(people.actor("ada"), people.people["henrik"], reason="Stolen telephone")
    his = people.membership("henrik", Role.SIGNATORY)
    with pytest.raises(RefusedError, match="an administrator can end this role"):
        service.end_role(people.actor("samira"), his, reason="Gone")
    service.end_role(people.actor("ada"), his, reason="Gone")
    session.commit()
    powers.confirm(people.actor("ada"), waits.id)
    assert waits.confirmed_how is Confirmation.ADMINISTRATOR


def test_a_holder_who_is_left_alone_by_a_suspension_does_not_leave(
    people: People, session: Session
) -> None:
    waits = give(people, "samira", "dora", Role.SIGNATORY)
    powers.confirm(people.actor("henrik"), waits.id)
    service.suspend(people.actor("ada"), people.people["dora"], reason="Stolen telephone")
    with pytest.raises(RefusedError, match="last signatory or manager"):
        service.leave(people.actor("henrik"), door(people))


# Without another holder ---------------------------------------------------------------------------


def test_a_one_person_organisation_gets_its_power_from_the_administrator_and_accepts_it(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    """A coordinator alone in her CSO: invited as both, she can sign once she has accepted."""
    user_id = sole_person(people)
    assert roles(people, "sole") == {Role.COORDINATOR}
    assert "sole" in mailed(people, "power_to_accept")
    sole = browser_of("sole")
    people.enrol("sole")
    assert "Accept your role: Signatory" in sole.page("/").text
    [waits] = begun.waiting(user_id)
    path = f"/account/roles/{waits.id}/accept"
    assert path in sole.page("/account").links().values()
    page = sole.page(path)
    assert "Confirmed by the administrator Ada Marsh" in page.text
    assert "I, Sole Marsh, accept the role of Signatory of Shore Watch" in page.text
    refused = Page.of(sole.submit(path, password="wrong", code=people.code("sole")))
    assert "That isn't your password" in refused.text
    assert roles(people, "sole") == {Role.COORDINATOR}
    done = sole.submit(path, password=PASSWORD, code=people.code("sole"))
    assert "Your role has begun." in done.text
    assert roles(people, "sole") == {Role.COORDINATOR, Role.SIGNATORY}
    details = events(session, "role_accepted")[-1]
    assert (details["person"], details["method"]) == ("Sole Marsh", "password_totp")
    assert sole.get(path).status_code == 404


@pytest.mark.parametrize("who", ["ada", "samira", "dora"])
def test_nobody_else_accepts_a_role(people: People, browser_of: BrowserOf, who: str) -> None:
    sole = sole_person(people)
    [waits] = begun.waiting(sole)
    assert browser_of(who).get(f"/account/roles/{waits.id}/accept").status_code == 404
    with pytest.raises(RefusedError, match="accept a role for somebody else"):
        powers.accept(
            people.actor(who), waits.id, digest=powers.digest_of(waits), method="password_totp"
        )


def test_a_role_that_was_changed_after_it_was_read_is_not_accepted(people: People) -> None:
    sole = sole_person(people)
    [waits] = begun.waiting(sole)
    read = powers.digest_of(waits)
    waits.power = "Everything"
    people.session.commit()
    with pytest.raises(RuleBrokenError, match="changed in the meantime"):
        powers.accept(people.actor("sole"), waits.id, digest=read, method="password_totp")


def test_a_role_confirmed_by_the_administrator_is_accepted_though_another_has_begun_since(
    people: People, session: Session
) -> None:
    """What was confirmed was true on its day, which the signature names."""
    sole = sole_person(people)
    [waits] = begun.waiting(sole)
    organisation = waits.organisation_id
    second = people.add_person("second", "door", Role.MEMBER)
    given = service.give_role(
        people.actor("ada"), second, NewRole(Role.SIGNATORY, organisation, **SIGNS)
    )
    begun.accept(given)
    begun.accept(waits)
    signs = next(m for m in people.actor("sole").memberships if m.role is Role.SIGNATORY)
    assert signs.confirmed_how is Confirmation.ADMINISTRATOR
    assert signs.confirmed_at == waits.confirmed_at


def test_a_person_whose_role_only_needs_acceptance_can_sign_in(
    people: People, browser_of: BrowserOf
) -> None:
    """Invited only as signatory: without signing in they could never accept."""
    sole_person(people, Role.SIGNATORY)
    sole = browser_of("sole")
    page = sole.page("/")
    assert "Accept your role: Signatory" in page.text
    assert sole.get("/cooperations").status_code in {200, 403}
    assert sole.get("/people").status_code == 403


@pytest.mark.both_databases
def test_two_people_of_an_npm_confirm_each_other(people: People, session: Session) -> None:
    """Nadia manages the NPM; Ilena becomes its signatory, then both look after each other."""
    given = service.give_role(
        people.actor("ada"),
        people.people["ilena"],
        NewRole(Role.SIGNATORY, people.organisations["npm"], **SIGNS),
    )
    session.commit()
    assert given.begun_at is None
    powers.confirm(people.actor("nadia"), given.id)
    session.commit()
    assert roles(people, "ilena") == {Role.COORDINATOR, Role.SIGNATORY}
    manager = session.get_one(Membership, people.membership("nadia", Role.MANAGER))
    service.end_role(people.actor("ilena"), manager.id, reason="On leave")
    session.commit()
    again = service.give_role(
        people.actor("ada"),
        people.people["nadia"],
        NewRole(Role.MANAGER, people.organisations["npm"]),
    )
    session.commit()
    powers.confirm(people.actor("ilena"), again.id)
    session.commit()
    assert roles(people, "nadia") == {Role.MANAGER}


def test_on_a_fresh_instance_the_command_line_counts_as_the_administrator(
    people: People, session: Session
) -> None:
    people.add_organisation("shore", "Shore Watch", OrganisationKind.CSO)
    for key, role in (("first", Role.SIGNATORY), ("second", Role.MANAGER)):
        invited = invitations.invite(
            None,
            NewInvitation(
                f"{key}@example.org",
                {role},
                name=key,
                organisation_id=people.organisations["shore"],
                **SIGNS,
            ),
        )
        user = invitations.accept(invited.token, name=key, password=PASSWORD, language="en")
        people.people[key] = user.id
        session.commit()
    [first] = begun.waiting(people.people["first"])
    [second] = begun.waiting(people.people["second"])
    # Both have to be accepted by their person: when they were given there was nobody else.
    assert first.confirmed_how is second.confirmed_how is Confirmation.ADMINISTRATOR
    begun.accept(first)
    session.commit()
    third = invitations.invite(
        None,
        NewInvitation(
            "third@example.org",
            {Role.SIGNATORY},
            name="Third",
            organisation_id=people.organisations["shore"],
            **SIGNS,
        ),
    )
    user = invitations.accept(third.token, name="Third", password=PASSWORD, language="en")
    [waits] = begun.waiting(user.id)
    assert waits.confirmed_how is None
    with pytest.raises(RefusedError):
        powers.confirm(None, waits.id)


# Prolonging and widening --------------------------------------------------------------------------


@pytest.mark.both_databases
def test_a_power_is_prolonged_by_a_new_role_that_another_confirms(
    people: People, session: Session
) -> None:
    """The earlier one continues until then, and ends when the new one begins."""
    give_by_all(people, "dora", Role.MANAGER)
    former = people.membership("henrik", Role.SIGNATORY)
    new = give(people, "samira", "henrik", Role.SIGNATORY, power="Board, 9 May")
    assert powers_of(people, "henrik") == ["Statutes, article 9"]
    with pytest.raises(RefusedError, match="your own"):
        powers.confirm(people.actor("henrik"), new.id)
    powers.confirm(people.actor("dora"), new.id)
    session.commit()
    assert powers_of(people, "henrik") == ["Board, 9 May"]
    assert session.get_one(Membership, former).ended_at is not None
    assert events(session, "role_ended")[-1]["reason"] == "replaced"


def test_a_power_that_begins_later_lets_the_former_go_on_until_the_day_before(
    people: People, session: Session
) -> None:
    give_by_all(people, "dora", Role.MANAGER)
    former = session.get_one(Membership, people.membership("henrik", Role.SIGNATORY))
    day = clock.today() + dt.timedelta(days=30)
    new = give(people, "samira", "henrik", Role.SIGNATORY, power="New", power_from=day)
    powers.confirm(people.actor("dora"), new.id)
    session.commit()
    assert former.ended_at is None
    assert former.ends_on == day - dt.timedelta(days=1)
    assert new.starts_on == day
    assert powers_of(people, "henrik") == ["Statutes, article 9"]


def test_a_second_role_that_waits_is_not_given(people: People) -> None:
    give(people, "samira", "dora", Role.SIGNATORY)
    with pytest.raises(RuleBrokenError, match="already has a role waiting"):
        give(people, "samira", "dora", Role.SIGNATORY)


# Ending -------------------------------------------------------------------------------------------


@pytest.mark.parametrize("who", ["ada", "samira"])
def test_only_another_holder_ends_a_power(
    people: People, browser_of: BrowserOf, session: Session, who: str
) -> None:
    give_by_all(people, "dora", Role.MANAGER)
    signs = people.membership("henrik", Role.SIGNATORY)
    path = address(people, "henrik", signs, "end")
    assert browser_of(who).get(path).status_code == 403
    with pytest.raises(RefusedError, match="nother signatory or manager"):
        service.end_role(people.actor(who), signs, reason="I want it")
    session.rollback()
    done = browser_of("dora").submit(path, reason="Left the board")
    assert "The role is ended." in done.text
    assert roles(people, "henrik") == set()


def test_the_last_power_is_ended_by_the_administrator_alone(
    people: People, browser_of: BrowserOf, session: Session
) -> None:
    signs = people.membership("henrik", Role.SIGNATORY)
    with pytest.raises(RefusedError, match="an administrator can end this role"):
        service.end_role(people.actor("samira"), signs, reason="x")
    session.rollback()
    path = address(people, "henrik", signs, "end")
    assert browser_of("samira").get(path).status_code == 403
    assert "The role is ended." in browser_of("ada").submit(path, reason="Asked for").text


def test_the_last_holder_does_not_leave_and_is_told_whom_to_ask(
    people: People, browser_of: BrowserOf
) -> None:
    path = f"/account/leave/{people.organisations['door']}"
    henrik = browser_of("henrik")
    account = henrik.page("/account")
    assert "You are the last signatory or manager of this organisation." in account.text
    assert path not in account.links().values()
    refused = henrik.get(path)
    assert refused.status_code == 403
    assert "Ask an administrator" in refused.text
    assert henrik.post(path).status_code == 403
    assert roles(people, "henrik") == {Role.SIGNATORY}
    give_by_all(people, "dora", Role.MANAGER)
    assert path in henrik.page("/account").links().values()
    assert henrik.get(path).status_code == 200


@pytest.mark.both_databases
@pytest.mark.parametrize("turn", range(tries(1, 3)))
def test_of_the_two_last_holders_who_leave_in_the_same_moment_one_stays(
    app: Flask, people: People, turn: int
) -> None:
    waits = give(people, "samira", "dora", Role.SIGNATORY)
    powers.confirm(people.actor("henrik"), waits.id)
    people.session.commit()
    both = [people.actor(who) for who in ("henrik", "dora")]
    where = door(people)
    people.session.commit()
    [refused] = at_once(app, *(partial(service.leave, actor, where) for actor in both))
    assert isinstance(refused, RefusedError), refused
    assert "last signatory or manager" in str(refused.reason)


@pytest.mark.both_databases
@pytest.mark.parametrize("turn", range(tries(1, 3)))
def test_of_the_two_last_holders_who_end_each_other_in_the_same_moment_one_stays(
    app: Flask, people: People, turn: int
) -> None:
    waits = give(people, "samira", "dora", Role.SIGNATORY)
    powers.confirm(people.actor("henrik"), waits.id)
    his, hers = people.membership("henrik", Role.SIGNATORY), waits.id
    acts = [(people.actor("henrik"), hers), (people.actor("dora"), his)]
    people.session.commit()
    [refused] = at_once(
        app, *(partial(service.end_role, actor, whose, reason="Gone") for actor, whose in acts)
    )
    assert isinstance(refused, RefusedError), refused


def test_who_gave_it_takes_back_what_waits(people: People, browser_of: BrowserOf) -> None:
    waits = give(people, "samira", "dora", Role.SIGNATORY)
    done = browser_of("samira").submit(address(people, "dora", waits, "end"), reason="A mistake")
    assert "The role is ended." in done.text
    with pytest.raises(RuleBrokenError, match="already ended"):
        powers.confirm(people.actor("henrik"), waits.id)


# Administrators -----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [Role.SIGNATORY, Role.MANAGER])
def test_an_administrator_never_holds_a_power(people: People, session: Session, role: Role) -> None:
    people.add_person("ivo", None, Role.ADMINISTRATOR)
    with pytest.raises(RuleBrokenError, match="An administrator can't be a signatory or manager"):
        give(people, "ada", "ivo", role)
    session.rollback()
    with pytest.raises(RuleBrokenError, match="An administrator can't be a signatory or manager"):
        invitations.invite(
            people.actor("ada"),
            NewInvitation("ivo@example.org", {role}, organisation_id=door(people), **SIGNS),
        )
    session.rollback()
    with pytest.raises(RuleBrokenError, match="An administrator can't be a signatory or manager"):
        service.give_role(
            people.actor("ada"), people.people["henrik"], NewRole(Role.ADMINISTRATOR, None)
        )


def test_an_administrator_may_be_coordinator_of_a_party(people: People) -> None:
    people.add_person("ivo", None, Role.ADMINISTRATOR)
    give(people, "ada", "ivo", Role.COORDINATOR)
    assert roles(people, "ivo") == {Role.ADMINISTRATOR, Role.COORDINATOR}


def test_an_invited_signatory_who_became_administrator_cannot_accept(
    people: People, session: Session
) -> None:
    invited = invitations.invite(
        people.actor("samira"),
        NewInvitation(
            "dora@example.org",
            {Role.SIGNATORY},
            name="Dora Marsh",
            organisation_id=door(people),
            **SIGNS,
        ),
    )
    service.give_role(people.actor("ada"), people.people["dora"], NewRole(Role.ADMINISTRATOR, None))
    session.commit()
    with pytest.raises(RuleBrokenError, match="An administrator can't be a signatory or manager"):
        invitations.accept_signed_in(people.actor("dora"), invited.token)


# Whose role it is ---------------------------------------------------------------------------------


def invite_second(people: People, who: str) -> str:
    """Invite a second signatory of Open Door, and return the token."""
    sent = invitations.invite(
        people.actor(who),
        NewInvitation(
            "second@example.org",
            {Role.SIGNATORY},
            name="Sera Lind",
            organisation_id=door(people),
            **SIGNS,
        ),
    )
    people.session.commit()
    return sent.token


def accepted_by(people: People, token: str, name: str) -> Membership:
    user = invitations.accept(token, name=name, password=PASSWORD, language="en")
    people.session.commit()
    people.people["second"] = user.id
    return people.session.scalars(
        sa.select(Membership).where(
            Membership.user_id == user.id, Membership.role == Role.SIGNATORY
        )
    ).one()


def test_a_holder_who_invites_has_confirmed_whoever_accepts_under_that_name(people: People) -> None:
    begun.hold(people.people["henrik"], door(people), Role.COORDINATOR)
    role = accepted_by(people, invite_second(people, "henrik"), " Sera  Lind ")
    assert (role.confirmed_how, role.confirmed_by) == (Confirmation.COLLEAGUE, "Henrik Marsh")


def test_somebody_who_accepts_under_another_name_waits_for_a_confirmation(people: People) -> None:
    begun.hold(people.people["henrik"], door(people), Role.COORDINATOR)
    role = accepted_by(people, invite_second(people, "henrik"), "Somebody Else")
    assert (role.begun_at, role.confirmed_how) == (None, None)
    assert mailed(people, "power_waits") == {"henrik"}


def test_who_could_not_confirm_when_they_invited_has_not_confirmed(people: People) -> None:
    token = invite_second(people, "samira")
    begun.hold(people.people["samira"], door(people), Role.MANAGER)
    people.session.commit()
    role = accepted_by(people, token, "Sera Lind")
    assert (role.begun_at, role.confirmed_how) == (None, None)


def test_who_can_confirm_when_they_send_an_invitation_again_has_confirmed(people: People) -> None:
    invite_second(people, "samira")
    begun.hold(people.people["samira"], door(people), Role.MANAGER)
    [invitation] = people.session.scalars(
        sa.select(Invitation).where(Invitation.email == "second@example.org")
    )
    token = invitations.send_again(people.actor("samira"), invitation.id)
    people.session.commit()
    role = accepted_by(people, token, "Sera Lind")
    assert (role.confirmed_how, role.confirmed_by) == (Confirmation.COLLEAGUE, "Samira Marsh")


@pytest.mark.parametrize("changed", ["name", "power"])
def test_nothing_is_confirmed_if_the_role_or_its_person_differs_from_the_page(
    people: People, browser_of: BrowserOf, changed: str
) -> None:
    role = give(people, "samira", "dora", Role.SIGNATORY)
    path, henrik = address(people, "dora", role, "confirm"), browser_of("henrik")
    shown = henrik.page(path).form().filled_in()
    if changed == "name":
        people.user("dora").name = "Tomas Beridan"
    else:
        people.session.get_one(Membership, role.id).power = "Whatever I like"
    people.session.commit()
    refused = Page.of(henrik.post(path, data=shown, csrf=False)).text
    assert "The role was changed in the meantime. Read it again." in refused
    assert ("Tomas Beridan" if changed == "name" else "Whatever I like") in refused
    assert Role.SIGNATORY not in roles(people, "dora")
    assert "is confirmed" in Page.of(henrik.submit(path)).text
    assert Role.SIGNATORY in roles(people, "dora")


# Being told ---------------------------------------------------------------------------------------


def test_managers_and_signatories_are_told_of_each_change(people: People, session: Session) -> None:
    give_by_all(people, "dora", Role.MANAGER)
    assert mailed(people, "powers_changed") == set()  # they both know
    people.add_person("lena", "door", Role.MEMBER)
    waits = give(people, "samira", "lena", Role.SIGNATORY)
    powers.confirm(people.actor("dora"), waits.id)
    session.commit()
    assert mailed(people, "powers_changed") == {"henrik"}
    service.end_role(people.actor("henrik"), waits.id, reason="Left")
    session.commit()
    assert mailed(people, "powers_changed") == {"henrik", "dora"}


# Parts --------------------------------------------------------------------------------------------


def door(people: People) -> UUID:
    return people.organisations["door"]


def give_by_all(people: People, whom: str, role: Role) -> None:
    """Have a role given and begun by the people that the rules require."""
    give(people, "ada", whom, role)
    begun.let_begin(people.people[whom])
    people.session.commit()


def powers_of(people: People, key: str) -> list[str]:
    return [m.power for m in people.actor(key).memberships if m.role is Role.SIGNATORY]


def sole_person(people: People, *roles: Role) -> UUID:
    """Add an organisation of one person, who has yet to accept the role of signatory."""
    people.add_organisation("shore", "Shore Watch", OrganisationKind.CSO)
    invited = invitations.invite(
        people.actor("ada"),
        NewInvitation(
            "sole@example.org",
            name="Sole Marsh",
            roles=set(roles) or {Role.COORDINATOR, Role.SIGNATORY},
            organisation_id=people.organisations["shore"],
            **SIGNS,
        ),
    )
    user = invitations.accept(invited.token, name="Sole Marsh", password=PASSWORD, language="en")
    people.session.commit()
    people.people["sole"] = user.id
    return user.id
