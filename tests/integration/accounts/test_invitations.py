"""Invitations: who may invite whom, accepting, revoking, tampering.

In one file: one invitation, from sending to its end, with every way it is refused.
"""

import datetime as dt
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from threading import Barrier
from typing import Any
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories import powers
from tests.factories import prior_agreements as former
from tests.factories.accounts import PASSWORD, People, sign_in, signed_in
from tests.factories.evidence.tampering import EVENTS, hands, table_of
from tests.integration.accounts.conftest import NOON, Clock
from tests.pages import Page
from tests.servers.smtp import SmtpServer
from tracker.access.actor import Role
from tracker.accounts import messages, queries
from tracker.accounts.labels import InvitationState
from tracker.accounts.models import (
    Invitation,
    Membership,
    SecurityKind,
    SecurityLogEntry,
    User,
)
from tracker.accounts.people import invitations, service
from tracker.accounts.people.invitations import NewInvitation, SentInvitation
from tracker.activity import binding
from tracker.activity.models import Event, EventDetail
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.mail import sending, transport
from tracker.mail.models import OutboxMessage
from tracker.oversight import integrity
from tracker.worker import prepare

EMAIL = "new.person@example.org"
REFUSED = "The email couldn't be delivered to this address."


def wanted(people: People, where: str | None, *roles: Role, **more: object) -> NewInvitation:
    return NewInvitation(
        email=EMAIL,
        roles=set(roles),
        organisation_id=people.organisations[where] if where else None,
        **more,  # type: ignore[arg-type] # plain values of a test
    )


@pytest.fixture
def invited(people: People, session: Session) -> SentInvitation:
    invitation = invitations.invite(people.actor("samira"), wanted(people, "door", Role.MEMBER))
    session.commit()
    return invitation


def accept(client: CheckedClient, token: str, **more: str) -> Page:
    fields: dict[str, Any] = {"name": "New Person", "language": "en", "password": PASSWORD, **more}
    return Page.of(client.submit(f"/invitations/{token}", **fields))


# Inviting -----------------------------------------------------------------------------------


def test_an_invitation_goes_to_the_address_and_names_nothing(
    people: People, invited: SentInvitation, session: Session
) -> None:
    mail = session.query(OutboxMessage).filter_by(recipient=EMAIL).one()
    assert f"http://localhost:8000/invitations/{invited.token}" in mail.body
    mail_text = mail.subject + mail.body
    for name in ("Open Door", "Samira", "Marsh", "member"):
        assert name not in mail_text
    # Nobody can sign in yet.
    assert "after signing in" not in mail_text


def test_its_page_says_what_the_roles_may_do_and_only_the_npm_opens_cooperations(
    people: People, browsers: Callable[[], CheckedClient]
) -> None:
    for by, where, opens in (("samira", "door", False), ("ilena", "npm", True)):
        roles = (Role.COORDINATOR, Role.MEMBER)
        invited = invitations.invite(people.actor(by), wanted(people, where, *roles))
        people.session.commit()
        text = browsers().page(f"/invitations/{invited.token}").text
        assert "Fills in and comments when invited" in text, by
        assert "nvites people, fills in checklists, sends texts for signature" in text, by
        assert ("Opens cooperations" in text) is opens, by
        invitations.revoke(people.actor(by), invited.id)
        people.session.commit()


@pytest.mark.parametrize("name", ["Visit evil.example to claim", "Prize@evil", "O\u0440en Door"])
def test_a_name_that_is_a_message_is_refused_and_never_mailed(
    people: People, browser_of: Callable[[str], CheckedClient], session: Session, name: str
) -> None:
    """An invitation greets a stranger by the name that somebody else typed."""
    samira = browser_of("samira")
    answer = Page.of(
        samira.submit(
            f"/people/invite/{people.organisations['door']}",
            email=EMAIL,
            name=name,
            roles=["member"],
            language="en",
        )
    )
    assert "There is a problem" in answer.text
    assert session.query(OutboxMessage).filter_by(recipient=EMAIL).count() == 0
    with pytest.raises(RuleBrokenError) as caught:
        invitations.invite(people.actor("samira"), wanted(people, "door", Role.MEMBER, name=name))
    assert caught.value.field == "name"
    # One that was stored before there was a rule is left out of the mail.
    sent = invitations.invite(people.actor("samira"), wanted(people, "door", Role.MEMBER))
    invitation = session.get_one(Invitation, sent.id)
    invitation.name = name
    session.query(OutboxMessage).filter_by(recipient=EMAIL).delete()
    messages.invitation(invitation, sent.token)
    session.commit()
    mail = session.query(OutboxMessage).filter_by(recipient=EMAIL).one()
    assert name not in mail.body
    assert sent.token in mail.body


def test_the_token_is_not_kept(people: People, invited: SentInvitation, session: Session) -> None:
    stored = session.get_one(Invitation, invited.id)
    assert invited.token not in str(vars(stored))
    raw = session.connection().exec_driver_sql("SELECT sealed_body FROM outbox_message").all()
    assert not any(invited.token.encode() in bytes(row[0]) for row in raw)


@pytest.mark.parametrize(
    ("who", "where", "roles"),
    [
        ("samira", "lantern", {Role.MEMBER}),
        ("samira", "npm", {Role.MEMBER}),
        ("samira", "door", {Role.MANAGER}),
        ("samira", "door", {Role.MEMBER, Role.MANAGER}),
        ("samira", None, {Role.ADMINISTRATOR}),
        ("ilena", "npm", {Role.AUDITOR}),
        ("nadia", "npm", {Role.MEMBER}),
        ("henrik", "door", {Role.MEMBER}),
        ("dora", "door", {Role.MEMBER}),
    ],
)
def test_nobody_invites_to_roles_they_may_not_give(
    people: People, session: Session, who: str, where: str | None, roles: set[Role]
) -> None:
    with pytest.raises(RefusedError):
        invitations.invite(people.actor(who), wanted(people, where, *roles))


@pytest.mark.parametrize(
    ("where", "roles", "field"),
    [
        ("door", {Role.AUDITOR}, "roles"),
        ("court", {Role.COORDINATOR}, "roles"),
        ("door", {Role.ADMINISTRATOR}, "roles"),
        (None, {Role.MEMBER}, "organisation"),
        ("door", set(), "roles"),
        ("door", {Role.SIGNATORY}, "name"),
        ("door", {Role.MANAGER}, "name"),
        ("court", {Role.AUDITOR}, "audits"),
    ],
)
def test_an_administrator_invites_only_into_roles_there_are(
    people: People, session: Session, where: str | None, roles: set[Role], field: str
) -> None:
    with pytest.raises(RuleBrokenError) as caught:
        invitations.invite(people.actor("ada"), wanted(people, where, *roles))
    assert caught.value.field == field


def test_a_signatory_is_invited_with_their_office(people: People) -> None:
    with pytest.raises(RuleBrokenError, match="office") as caught:
        invitations.invite(
            people.actor("ada"), wanted(people, "door", Role.SIGNATORY, name="New Person")
        )
    assert caught.value.field == "office"


@pytest.mark.parametrize(
    "email", ["", "nobody", "a@b", "a@localhost", "a b@example.org", "x" * 300 + "@example.org"]
)
def test_an_address_must_be_one(people: People, session: Session, email: str) -> None:
    with pytest.raises(RuleBrokenError) as caught:
        invitations.invite(
            people.actor("samira"),
            NewInvitation(
                email=email, roles={Role.MEMBER}, organisation_id=people.organisations["door"]
            ),
        )
    assert caught.value.field == "email"


def test_a_second_invitation_beside_an_open_one_is_refused(
    people: People, invited: SentInvitation, session: Session
) -> None:
    with pytest.raises(RuleBrokenError, match="Send it again"):
        invitations.invite(people.actor("samira"), wanted(people, "door", Role.MEMBER))


def test_a_person_who_has_the_role_is_not_invited_again(people: People, session: Session) -> None:
    with pytest.raises(RuleBrokenError, match="already has this role here"):
        invitations.invite(
            people.actor("samira"),
            NewInvitation(
                "DORA@example.org", {Role.MEMBER}, organisation_id=people.organisations["door"]
            ),
        )


def test_a_coordinator_invites_in_the_browser(
    people: People, browser_of: Callable[[str], CheckedClient], session: Session
) -> None:
    samira = browser_of("samira")
    page = samira.page("/people/invite")
    response = samira.submit(
        page.where,
        email=EMAIL,
        name="New Person",
        roles=["member", "signatory"],
        office="Director",
        power="Decision of the board",
        power_until="2099-05-02",
    )
    assert response.request.path == "/people/invitations"
    assert EMAIL in Page.of(response).text
    invitation = session.query(Invitation).filter_by(email=EMAIL).one()
    assert invitation.organisation_id == people.organisations["door"]
    assert invitation.roles == ["member", "signatory"]
    assert (invitation.power_from, invitation.power_until) == (None, dt.date(2099, 5, 2))


def test_the_days_of_the_power_come_with_the_role_of_signatory_alone(people: People) -> None:
    first, last = dt.date(2026, 5, 3), dt.date(2099, 5, 2)
    invitation = invitations.invite(
        people.actor("samira"),
        wanted(
            people,
            "door",
            Role.MEMBER,
            Role.SIGNATORY,
            name="New Person",
            office="Director",
            power="Decision of the board",
            power_from=first,
            power_until=last,
        ),
    )
    user = invitations.accept(invitation.token, name="New Person", password=PASSWORD, language="en")
    powers.let_begin(user.id)
    db.session.commit()
    by_role = {
        membership.role: membership for membership in queries.memberships_of(user.id, clock.today())
    }
    signs, works = by_role[Role.SIGNATORY], by_role[Role.MEMBER]
    assert (signs.power_from, signs.power_until) == (first, last)
    assert (works.power_from, works.power_until) == (None, None)


def test_a_power_that_ends_before_it_begins_is_refused(people: People) -> None:
    backwards = wanted(
        people,
        "door",
        Role.SIGNATORY,
        name="New Person",
        office="Director",
        power="Decision of the board",
        power_from=dt.date(2099, 5, 2),
        power_until=dt.date(2026, 5, 3),
    )
    with pytest.raises(RuleBrokenError, match="The last day is before the first") as error:
        invitations.invite(people.actor("samira"), backwards)
    assert error.value.field == "power_until"


def test_what_a_role_needs_is_below_it_and_marked(
    people: People, browser_of: Callable[[str], CheckedClient]
) -> None:
    def below(path: str) -> dict[str, str]:
        page = browser_of("ada").page(path)
        words = {
            label.attrib["id"]: "".join(label.itertext())
            for label in page.root.iter("label")
            if "id" in label.attrib
        }
        return {
            words[part.attrib["aria-labelledby"]]: " ".join("".join(part.itertext()).split())
            for part in page.root.iter("div")
            if part.attrib.get("class") == "parts"
        }

    invite = "/people/invite/{}".format
    at_door = below(invite(people.organisations["door"]))
    assert list(at_door) == ["Signatory"]
    signatory = at_door["Signatory"]
    assert "Office (needed for this role)" in signatory
    assert "Power to sign (needed for this role)" in signatory
    assert "Valid until (optional)" in signatory
    npm = below(invite(people.organisations["npm"]))
    assert "Outside expert of an NPM" in npm["Member"]
    assert "NPM to audit" not in npm.get("Auditor", "")
    court = below(invite(people.organisations["court"]))
    assert list(court) == ["Auditor"]
    assert "NPM to audit (needed for this role)" in court["Auditor"]
    assert below("/people/invite/administrator") == {}
    given = below(f"/people/{people.people['dora']}/roles/new/{people.organisations['door']}")
    assert "Office (needed for this role)" in given["Signatory"]
    assert "Member" not in given


def test_mistakes_are_shown_and_typed_text_is_kept(
    people: People, browser_of: Callable[[str], CheckedClient], session: Session
) -> None:
    samira = browser_of("samira")
    where = f"/people/invite/{people.organisations['door']}"
    before = session.query(Invitation).count()
    response = samira.submit(where, email=EMAIL, roles=["signatory"], name="New & Old")
    page = Page.of(response)
    assert "Enter the office of the signatory" in page.text
    assert page.form().values["email"] == [EMAIL]
    assert page.form().values["name"] == ["New & Old"]
    session.rollback()
    assert session.query(Invitation).count() == before


@pytest.mark.parametrize("roles", [["manager"], ["administrator"], ["nonsense"], ["member", "x"]])
def test_roles_that_are_not_offered_are_refused(
    people: People,
    browser_of: Callable[[str], CheckedClient],
    session: Session,
    roles: list[str],
) -> None:
    where = f"/people/invite/{people.organisations['door']}"
    before = session.query(Invitation).count()
    response = browser_of("samira").post(
        where, data={"email": EMAIL, "language": "en", "roles": roles}
    )
    assert response.status_code == 200
    assert "Choose one of the answers offered" in Page.of(response).text
    session.rollback()
    assert session.query(Invitation).count() == before


@pytest.mark.parametrize("where", ["npm", "lantern", "administrator", "nonsense", "unknown"])
def test_another_organisation_is_not_there_for_a_coordinator(
    people: People, browser_of: Callable[[str], CheckedClient], where: str
) -> None:
    place = str(people.organisations.get(where, uuid4() if where == "unknown" else where))
    response = browser_of("samira").get(f"/people/invite/{place}")
    assert response.status_code == (403 if where == "administrator" else 404)


def test_an_administrator_invites_into_any_organisation(
    people: People, browser_of: Callable[[str], CheckedClient], session: Session
) -> None:
    ada = browser_of("ada")
    chosen = ada.submit("/people/invite", organisation=str(people.organisations["court"]))
    response = ada.submit(
        chosen.request.path,
        email=EMAIL,
        roles=["auditor"],
        audits=str(people.organisations["npm"]),
    )
    assert response.request.path == "/people/invitations"
    invitation = session.query(Invitation).filter_by(email=EMAIL).one()
    assert invitation.audits_id == people.organisations["npm"]


# Accepting ----------------------------------------------------------------------------------


def test_accepting_makes_the_account_and_signs_in(
    people: People, invited: SentInvitation, client: CheckedClient, session: Session
) -> None:
    page = accept(client, invited.token)
    assert page.where == "/account/second-factor"
    assert "Your account is ready" in page.text
    # From the recovery codes, it goes on to My work.
    passkey = page.links()["Set up a passkey instead"]
    assert passkey.endswith("?next=/")
    user = session.query(User).filter_by(email=EMAIL).one()
    memberships = queries.memberships_of(user.id, clock.today())
    assert [(m.role, m.organisation_id) for m in memberships] == [
        (Role.MEMBER, people.organisations["door"])
    ]


def test_accepting_is_recorded_with_what_follows_from_it(
    people: People, client: CheckedClient, session: Session
) -> None:
    cooperation = uuid4()
    invitation = invitations.invite(
        people.actor("samira"),
        wanted(people, "door", Role.MEMBER, cooperation_id=cooperation, function="Expert"),
    )
    session.commit()
    accept(client, invitation.token)
    event = session.query(Event).filter_by(verb="invitation_accepted").all()[-1]
    detail = session.get_one(EventDetail, event.id).content
    user = session.query(User).filter_by(email=EMAIL).one()
    assert event.subject_id == user.id
    assert detail["cooperation"] == str(cooperation)
    assert detail["organisation_id"] == str(people.organisations["door"])
    assert detail["function"] == "Expert"
    assert detail["who"]["name"] == "New Person"


def test_an_invitation_works_once(
    people: People, invited: SentInvitation, browsers: Callable[[], CheckedClient]
) -> None:
    accept(browsers(), invited.token)
    again = browsers().get(f"/invitations/{invited.token}")
    assert again.status_code == 410
    assert "already been used" in Page.of(again).text
    assert browsers().post(f"/invitations/{invited.token}").status_code == 410


@pytest.mark.both_databases
def test_only_one_of_two_simultaneous_requests_accepts(
    people: People, invited: SentInvitation, session: Session, app: Flask
) -> None:
    start = Barrier(3)

    def answer(name: str) -> bool:
        with app.app_context():
            start.wait()
            try:
                invitations.accept(invited.token, name=name, password=PASSWORD, language="en")
                db.session.commit()
            except RuleBrokenError:
                return False
            finally:
                db.session.remove()
            return True

    with ThreadPoolExecutor(3) as pool:
        answers = list(pool.map(answer, ["First", "Second", "Third"]))
    assert answers.count(True) == 1
    assert session.query(User).filter_by(email=EMAIL).count() == 1


def test_an_invitation_expires(
    people: People, session: Session, client: CheckedClient, frozen_time: Clock
) -> None:
    frozen_time(NOON)
    invitation = invitations.invite(people.actor("samira"), wanted(people, "door", Role.MEMBER))
    session.commit()
    frozen_time(NOON + dt.timedelta(days=14))
    response = client.get(f"/invitations/{invitation.token}")
    assert response.status_code == 410
    assert "has expired" in Page.of(response).text
    assert "ask your organisation's coordinator" in Page.of(response).text
    with pytest.raises(RuleBrokenError):
        invitations.accept(invitation.token, name="A", password=PASSWORD, language="en")


def test_a_revoked_invitation_is_closed(
    people: People,
    invited: SentInvitation,
    browser_of: Callable[[str], CheckedClient],
    client: CheckedClient,
) -> None:
    samira = browser_of("samira")
    samira.post(f"/people/invitations/{invited.id}/revoke")
    assert "revoked" in Page.of(client.get(f"/invitations/{invited.token}")).text
    again = samira.post(f"/people/invitations/{invited.id}/revoke", follow_redirects=True)
    assert "has already been revoked" in Page.of(again).text


def test_an_invitation_from_an_account_suspended_since_works_once_somebody_else_sends_it_again(
    people: People, invited: SentInvitation, client: CheckedClient, session: Session
) -> None:
    """Whoever got hold of an account could have invited themselves before it was suspended."""
    service.suspend(people.actor("ada"), people.people["samira"], reason="Stolen password")
    session.commit()
    response = client.get(f"/invitations/{invited.token}")
    assert response.status_code == 410
    assert "whoever sent it can no longer give this access" in Page.of(response).text
    with pytest.raises(RuleBrokenError, match="can't be used now"):
        invitations.accept(invited.token, name="A", password=PASSWORD, language="en")
    session.rollback()
    again = invitations.send_again(people.actor("ada"), invited.id)
    session.commit()
    assert client.get(f"/invitations/{again}").status_code == 200


def test_an_invitation_from_somebody_whose_role_has_ended_works_once_somebody_else_sends_it_again(
    people: People,
    invited: SentInvitation,
    client: CheckedClient,
    session: Session,
    browser_of: Callable[[str], CheckedClient],
) -> None:
    lines = {"ada": "send it again: it then comes from you", "henrik": "ask a coordinator"}
    for who in lines:
        assert "Can't be used" not in browser_of(who).page("/people/invitations").text
    service.end_role(
        people.actor("ada"), people.membership("samira", Role.COORDINATOR), reason="Moved on"
    )
    session.commit()
    for who, advice in lines.items():
        listed = browser_of(who).page("/people/invitations").text
        assert "Can't be used" in listed
        assert "Works until" not in listed
        assert advice in listed
    response = client.get(f"/invitations/{invited.token}")
    assert response.status_code == 410
    text = Page.of(response).text
    assert "whoever sent it can no longer give this access" in text
    assert "ask your organisation's coordinator" in text
    entry = session.scalars(
        sa.select(SecurityLogEntry).where(SecurityLogEntry.kind == SecurityKind.INVITATION_REFUSED)
    ).one()
    assert (entry.user_id, entry.by_id, entry.left_out) == (None, None, 0)
    with pytest.raises(RuleBrokenError, match="can't be used now"):
        invitations.accept(invited.token, name="A", password=PASSWORD, language="en")
    session.rollback()
    assert queries.find_user_by_email(EMAIL) is None
    again = invitations.send_again(people.actor("ada"), invited.id)
    session.commit()
    assert "Can't be used" not in browser_of("ada").page("/people/invitations").text
    assert client.get(f"/invitations/{again}").status_code == 200
    invitations.accept(again, name="New Person", password=PASSWORD, language="en")


def test_a_role_in_another_organisation_is_no_power_to_invite_into_this_one(
    people: People, invited: SentInvitation, session: Session
) -> None:
    service.end_role(
        people.actor("ada"), people.membership("samira", Role.COORDINATOR), reason="Moved"
    )
    powers.hold(people.people["samira"], people.organisations["lantern"], Role.COORDINATOR)
    session.commit()
    with pytest.raises(RuleBrokenError, match="can't be used now"):
        invitations.accept(invited.token, name="A", password=PASSWORD, language="en")


def end_all_roles(people: People, session: Session, key: str) -> None:
    yesterday = clock.today() - dt.timedelta(days=1)
    session.execute(
        sa.update(Membership)
        .where(Membership.user_id == people.people[key])
        .values(ends_on=yesterday, ended_at=clock.now())
    )
    session.commit()


def test_an_administrators_invitation_ends_with_their_role(
    people: People, client: CheckedClient, session: Session
) -> None:
    sent = invitations.invite(people.actor("ada"), wanted(people, "lantern", Role.COORDINATOR))
    other = invitations.invite(
        None, replace(wanted(people, "door", Role.MEMBER), email="b@example.org")
    )
    end_all_roles(people, session, "ada")
    assert client.get(f"/invitations/{sent.token}").status_code == 410
    # What the command line sent depends on nobody's role.
    assert client.get(f"/invitations/{other.token}").status_code == 200


def test_an_invitation_to_read_one_text_ends_with_the_last_role_of_who_sent_it(
    people: People, client: CheckedClient, session: Session
) -> None:
    sent = invitations.invite_reader(
        people.actor("samira"), EMAIL, name="Reader", language="en", days=3
    )
    session.commit()
    assert client.get(f"/invitations/{sent.token}").status_code == 200
    end_all_roles(people, session, "samira")
    assert client.get(f"/invitations/{sent.token}").status_code == 410


def test_sent_again_it_has_another_link(
    people: People,
    invited: SentInvitation,
    browser_of: Callable[[str], CheckedClient],
    client: CheckedClient,
    session: Session,
) -> None:
    browser_of("samira").post(f"/people/invitations/{invited.id}/again")
    assert client.get(f"/invitations/{invited.token}").status_code == 404
    mails = session.query(OutboxMessage).filter_by(recipient=EMAIL).all()
    assert len(mails) == 2


def test_whoever_invites_reads_that_the_address_was_refused(
    people: People, browsers: Callable[[], CheckedClient], session: Session, smtp_server: SmtpServer
) -> None:
    samira = signed_in(browsers(), "samira")
    sent = invitations.invite(people.actor("samira"), wanted(people, "door", Role.MEMBER))
    session.commit()
    smtp_server.refuse[EMAIL] = "550 No such user"
    way = transport.from_url(smtp_server.url)
    assert sending.send_due(way).failed == 1
    assert REFUSED in samira.page("/people/invitations").text
    # Once sent again, nobody knows yet whether it arrives; the earlier link no longer works.
    invitations.send_again(people.actor("samira"), sent.id)
    session.commit()
    assert REFUSED not in samira.page("/people/invitations").text
    smtp_server.refuse.clear()
    assert sending.send_due(way) == sending.Outcome(sent=1)
    assert sending.send_due(way) == sending.Outcome()
    assert REFUSED not in samira.page("/people/invitations").text


@pytest.fixture
def power_for_samira(people: People, session: Session) -> SentInvitation:
    """An invitation that Henrik sent to Samira's address, for a role with a power."""
    powers.hold(people.people["henrik"], people.organisations["door"], Role.COORDINATOR)
    sent = invitations.invite(
        people.actor("henrik"),
        NewInvitation(
            "samira@example.org",
            {Role.SIGNATORY},
            name="Samira Marsh",
            organisation_id=people.organisations["door"],
            power="Statutes",
            office="Deputy",
        ),
    )
    session.commit()
    return sent


def test_nobody_sends_themselves_an_invitation_that_somebody_else_began(
    people: People, power_for_samira: SentInvitation, session: Session
) -> None:
    with pytest.raises(RefusedError, match="You can't give yourself a role"):
        invitations.send_again(people.actor("samira"), power_for_samira.id)


def test_whoever_sends_an_invitation_again_is_the_one_who_invites(
    people: People, power_for_samira: SentInvitation, session: Session
) -> None:
    token = invitations.send_again(people.actor("ada"), power_for_samira.id)
    session.commit()
    invitations.accept_signed_in(people.actor("samira"), token)
    session.commit()
    role = session.get_one(Membership, people.membership("samira", Role.SIGNATORY))
    assert "Henrik" not in role.confirmed_by


@pytest.mark.parametrize("token", ["x", "%00", "../../etc", "é" * 50, "a" * 2000])
def test_an_unknown_token_is_not_there(client: CheckedClient, token: str) -> None:
    assert client.get(f"/invitations/{token}").status_code == 404


@pytest.mark.parametrize(
    ("field", "value", "message"),
    [
        ("name", "", "Enter your name"),
        ("name", "x" * 300, "Use at most 200 characters"),
        ("password", "", "Choose a password"),
        ("password", "short", "Use at least 12 characters"),
        ("password", "new.person-new.person", "Don't use your name or address"),
        ("password", "opendoorlegalaid", "Don't use the name of your organisation"),
        ("language", "xx", "Choose one of the answers offered"),
    ],
)
def test_bad_input_keeps_what_was_typed_and_makes_no_account(
    people: People,
    invited: SentInvitation,
    client: CheckedClient,
    session: Session,
    field: str,
    value: str,
    message: str,
) -> None:
    page = accept(client, invited.token, **{field: value})
    assert message in page.text
    if field == "name":
        assert page.form().values["name"] == [value]
    assert session.query(User).filter_by(email=EMAIL).count() == 0


def test_the_account_has_the_address_invited_whatever_is_sent(
    people: People, invited: SentInvitation, client: CheckedClient, session: Session
) -> None:
    client.post(
        f"/invitations/{invited.token}",
        data={
            "name": "New Person",
            "language": "en",
            "password": PASSWORD,
            "email": "evil@example.org",
            "roles": "administrator",
        },
    )
    user = session.query(User).filter_by(email=EMAIL).one()
    assert [m.role for m in queries.memberships_of(user.id, clock.today())] == [Role.MEMBER]
    assert session.query(User).filter_by(email="evil@example.org").count() == 0


def test_a_person_signed_in_with_another_address_cannot_use_it(
    people: People,
    invited: SentInvitation,
    browser_of: Callable[[str], CheckedClient],
    session: Session,
) -> None:
    joana = browser_of("joana")
    page = joana.page(f"/invitations/{invited.token}")
    assert "for another address" in page.text
    joana.post(f"/invitations/{invited.token}")
    session.rollback()
    assert session.get_one(Invitation, invited.id).accepted_at is None
    with pytest.raises(RuleBrokenError, match="another address"):
        invitations.accept_signed_in(people.actor("joana"), invited.token)


def test_an_invited_person_with_an_account_signs_in_and_gets_the_roles(
    people: People, client: CheckedClient, session: Session
) -> None:
    invitation = invitations.invite(
        people.actor("ada"),
        NewInvitation(
            "joana@example.org", {Role.MEMBER}, organisation_id=people.organisations["npm"]
        ),
    )
    session.commit()
    page = client.page(f"/invitations/{invitation.token}")
    assert "joana@example.org already has an account" in page.text
    signed_in(client, "joana")
    response = client.submit(f"/invitations/{invitation.token}")
    assert "You accepted the invitation." in Page.of(response).text
    assert "acting for Office of the People's Advocate" in Page.of(response).text
    memberships = queries.memberships_of(people.people["joana"], clock.today())
    assert {m.role for m in memberships} == {Role.COORDINATOR, Role.MEMBER}
    with pytest.raises(RuleBrokenError, match="already been used"):
        invitations.accept(invitation.token, name="Evil", password=PASSWORD, language="en")


def test_a_suspended_person_does_not_come_back_by_an_invitation(
    people: People, client: CheckedClient, session: Session
) -> None:
    invitation = invitations.invite(
        people.actor("ada"),
        NewInvitation(
            "joana@example.org", {Role.MEMBER}, organisation_id=people.organisations["npm"]
        ),
    )
    service.suspend(people.actor("ada"), people.people["joana"], reason="Away")
    session.commit()
    assert "already has an account" in client.page(f"/invitations/{invitation.token}").text
    assert sign_in(client, "joana").request.path == "/sign-in"


# Seen from the wrong side -------------------------------------------------------------------


@pytest.mark.parametrize(
    ("who", "status"),
    [("joana", 404), ("ilena", 404), ("dora", 404), ("henrik", 403), ("nadia", 404)],
)
@pytest.mark.parametrize("act", ["again", "revoke"])
def test_nobody_else_touches_an_invitation(
    people: People,
    invited: SentInvitation,
    browser_of: Callable[[str], CheckedClient],
    session: Session,
    who: str,
    status: int,
    act: str,
) -> None:
    response = browser_of(who).post(f"/people/invitations/{invited.id}/{act}")
    assert response.status_code == status
    stored = session.get_one(Invitation, invited.id, populate_existing=True)
    assert stored.revoked_at is None
    assert stored.token_digest == queries.token_digest(invited.token)


def test_the_verbs_ask_again_without_their_pages(
    people: People, invited: SentInvitation, session: Session
) -> None:
    for who in ("joana", "dora", "nadia"):
        with pytest.raises(RefusedError):
            invitations.revoke(people.actor(who), invited.id)
        with pytest.raises(RefusedError):
            invitations.send_again(people.actor(who), invited.id)


def test_open_invitations_are_listed_only_to_the_inviting_organisation(
    people: People, invited: SentInvitation, browser_of: Callable[[str], CheckedClient]
) -> None:
    assert EMAIL in browser_of("samira").page("/people/invitations").text
    assert EMAIL in browser_of("ada").page("/people/invitations").text
    assert EMAIL not in browser_of("joana").page("/people/invitations").text
    assert browser_of("dora").get("/people/invitations").status_code == 403


# By command ---------------------------------------------------------------------------------


def test_the_first_administrator_is_invited_by_command(
    app: Flask, client: CheckedClient, session: Session
) -> None:
    result = app.test_cli_runner().invoke(args=["invite", "first@example.org", "--name", "First"])
    assert result.exit_code == 0, result.output
    link = result.output.splitlines()[-1]
    assert link.startswith("http://localhost:8000/invitations/")
    token = link.rsplit("/", 1)[1]
    invitation = client.page(f"/invitations/{token}").text
    # An administrator signs nothing.
    assert "As others should see it." in invitation
    assert "signature" not in invitation
    accept(client, token)
    assert client.page("/people").h1 == "People"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["nonsense"], "email: Enter an email address"),
        (["a@example.org", "--role", "member"], "organisation: Choose the organisation"),
        (["a@example.org", "--organisation", "Nowhere"], "There is no organisation named"),
        (["a@example.org", "--language", "xx"], "--language must be one of"),
        (["a@example.org", "--role", "king"], "king"),
        (["a@example.org", "--name", "Ann evil.example"], "name: A name can't contain a web"),
        (["a@example.org", "--name", "O\u0440en"], "name: Write each word in one alphabet"),
        (["a@example.org", "--name", "x" * 201], "name: Use at most 200 characters"),
    ],
)
def test_the_command_says_what_is_wrong_in_one_line(
    app: Flask, session: Session, arguments: list[str], message: str
) -> None:
    result = app.test_cli_runner().invoke(args=["invite", *arguments])
    assert result.exit_code != 0
    assert message in result.output.splitlines()[-1]
    assert session.query(Invitation).count() == 0


# Changed in the database ---------------------------------------------------------------------

INVITATIONS = table_of(Invitation)
CHANGED = "This invitation can't be used"


def put(invited: SentInvitation, **values: object) -> None:
    """Write into an invitation's row, as anybody with the database's password can."""
    db.session.rollback()
    with hands() as connection:
        own = INVITATIONS.c.id == invited.id
        assert connection.execute(sa.update(INVITATIONS).where(own).values(**values)).rowcount
    db.session.expire_all()


def put_in(invited: SentInvitation, token: str, **values: object) -> None:
    """Insert a copy of an invitation into the table, with a token that the attacker knows."""
    db.session.rollback()
    with hands() as connection:
        row = connection.execute(sa.select(INVITATIONS).where(INVITATIONS.c.id == invited.id))
        copy = {**row.mappings().one(), "id": uuid4(), "token_digest": queries.token_digest(token)}
        connection.execute(sa.insert(INVITATIONS).values({**copy, **values}))


def refused(browsers: Callable[[], CheckedClient], token: str, email: str = EMAIL) -> None:
    """Check that neither page nor service creates an account or gives a role for a token."""
    page = browsers().get(f"/invitations/{token}")
    assert (page.status_code, CHANGED in Page.of(page).text) == (410, True)
    sent = browsers().post(
        f"/invitations/{token}",
        data={"name": "New Person", "language": "en", "password": PASSWORD},
    )
    assert (sent.status_code, CHANGED in Page.of(sent).text) == (410, True)
    db.session.rollback()
    with pytest.raises(RuleBrokenError, match=CHANGED):
        invitations.accept(token, name="New Person", password=PASSWORD, language="en")
    db.session.rollback()
    assert queries.find_user_by_email(email) is None


@pytest.mark.both_databases
def test_an_invitation_put_into_the_database_makes_no_account(
    invited: SentInvitation, browsers: Callable[[], CheckedClient], caplog: pytest.LogCaptureFixture
) -> None:
    put_in(
        invited,
        "made-up",
        email="mallory@example.org",
        roles=["administrator"],
        organisation_id=None,
    )
    assert integrity.check_all().finding is not None
    refused(browsers, "made-up", "mallory@example.org")
    assert "no event binds" in caplog.text
    assert "mallory" not in caplog.text
    # The other one keeps working.
    invitations.accept(invited.token, name="New Person", password=PASSWORD, language="en")


@pytest.mark.few_on_postgresql(3)
@pytest.mark.both_databases
@pytest.mark.parametrize(
    "values",
    [
        {"email": "mallory@example.org"},
        {"roles": ["member", "manager"]},
        {"organisation_id": None, "roles": ["administrator"]},
        {"expires_at": NOON + dt.timedelta(days=4000)},
        {"token_digest": queries.token_digest("made-up")},
        {"invited_by_id": None},
        {"function": "lead"},
    ],
)
def test_an_invitation_changed_in_the_database_makes_no_account(
    invited: SentInvitation, browsers: Callable[[], CheckedClient], values: dict[str, object]
) -> None:
    put(invited, **values)
    token = "made-up" if "token_digest" in values else invited.token
    refused(browsers, token, str(values.get("email", EMAIL)))


def test_a_revoked_invitation_that_was_reopened_in_the_database_is_refused(
    people: People, invited: SentInvitation, browsers: Callable[[], CheckedClient]
) -> None:
    invitations.revoke(people.actor("samira"), invited.id)
    db.session.commit()
    put(invited, revoked_at=None)
    refused(browsers, invited.token)


def test_an_invitation_reset_to_its_first_link_in_the_database_is_refused(
    people: People, invited: SentInvitation, browsers: Callable[[], CheckedClient]
) -> None:
    invitations.send_again(people.actor("samira"), invited.id)
    db.session.commit()
    put(invited, token_digest=queries.token_digest(invited.token))
    refused(browsers, invited.token)


def test_an_event_that_was_changed_binds_no_invitation(
    invited: SentInvitation, browsers: Callable[[], CheckedClient]
) -> None:
    """Not even to what the row says: the event no longer matches its own digest."""
    put(invited, roles=["member", "manager"])
    row = db.session.get_one(Invitation, invited.id)
    state = {"invitation": {str(invited.id): binding.digest_of(row)}}
    db.session.rollback()
    with hands() as connection:
        own = sa.and_(EVENTS.c.subject_type == "invitation", EVENTS.c.subject_id == invited.id)
        assert connection.execute(sa.update(EVENTS).where(own).values(state=state)).rowcount == 1
    refused(browsers, invited.token)


def test_a_signed_in_person_gets_no_role_from_a_changed_invitation(
    people: People, session: Session, browser_of: Callable[[str], CheckedClient]
) -> None:
    invitation = invitations.invite(
        people.actor("samira"),
        NewInvitation(
            "joana@example.org", {Role.MEMBER}, organisation_id=people.organisations["door"]
        ),
    )
    session.commit()
    put(invitation, roles=["coordinator"])
    joana = browser_of("joana")
    sent = joana.post(f"/invitations/{invitation.token}", data={})
    assert (sent.status_code, CHANGED in Page.of(sent).text) == (410, True)
    with pytest.raises(RuleBrokenError, match=CHANGED):
        invitations.accept_signed_in(people.actor("joana"), invitation.token)
    session.rollback()
    memberships = queries.memberships_of(people.people["joana"], clock.today())
    assert {membership.organisation_id for membership in memberships} == {
        people.organisations["lantern"]
    }


def test_a_changed_invitation_is_not_sent_again_but_can_be_revoked(
    people: People, session: Session, invited: SentInvitation
) -> None:
    """Sending it again would bind what was written by hand."""
    put(invited, roles=["coordinator"])
    with pytest.raises(RuleBrokenError, match="changed outside this application"):
        invitations.send_again(people.actor("samira"), invited.id)
    session.rollback()
    invitations.revoke(people.actor("samira"), invited.id)
    session.commit()
    assert queries.state_of(session.get_one(Invitation, invited.id)) is InvitationState.REVOKED


@pytest.mark.both_databases
def test_an_invitation_from_before_rows_were_bound_still_works(invited: SentInvitation) -> None:
    """An update binds it as it is, in an event that is about no invitation."""
    former.forget_rows()
    prepare.adopt_rows(lambda _line: None)
    user = invitations.accept(invited.token, name="New Person", password=PASSWORD, language="en")
    assert user.email == EMAIL
    db.session.commit()
