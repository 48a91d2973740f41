"""A partner without a coordinator: who is told, who asks for an invitation, and who answers.

In one file: asking and answering are tested on the same request.
"""

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask, current_app
from sqlalchemy.orm import Session, selectinload

from tests import starting_points
from tests.factories.cooperations import Country, StoredCountry, copied_country, open_one
from tests.pages import Page
from tracker.access.actor import OrganisationKind, Role
from tracker.accounts import coordinators
from tracker.accounts.labels import NobodyActs
from tracker.accounts.models import Invitation, Membership
from tracker.accounts.people import invitations
from tracker.accounts.people.invitations import NewInvitation
from tracker.activity.models import Chain, Event, EventDetail
from tracker.cooperations.invitation_requests import service
from tracker.cooperations.invitation_requests.models import InvitationRequest, RequestOutcome
from tracker.cooperations.models import Cooperation, Party, Stage
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.mail.models import OutboxMessage
from tracker.notifications.models import Notification
from tracker.oversight import integrity

NAME, EMAIL = "Runa Holt", "runa.holt@example.org"
NOBODY = "Nobody can act for Fields of Home yet."
BUTTON = "Ask for an invitation"


WITH_FIELDS, WITH_COOPERATION = "partner_without_account", "cooperation_without_account"


@pytest.fixture
def country(session: Session) -> Country:
    """A country with a CSO that nobody has an account for."""
    stored = StoredCountry.of(copied_country(session))

    def build() -> StoredCountry:
        country = stored.load(db.session())
        country.organisation("fields", "Fields of Home", OrganisationKind.CSO)
        return StoredCountry.of(country)

    return starting_points.of(current_app).use(WITH_FIELDS, build, on="country").load(session)


@pytest.fixture
def cooperation(country: Country) -> Cooperation:
    stored, session = StoredCountry.of(country), country.session

    def build() -> UUID:
        return open_one(stored.load(db.session()), "door", "fields").id

    points = starting_points.of(current_app)
    cooperation_id = points.use(WITH_COOPERATION, build, on=WITH_FIELDS)
    again = stored.load(session)
    country.organisations, country.users = again.organisations, again.users
    country.homes = again.homes
    parties = selectinload(Cooperation.parties).joinedload(Party.organisation)
    return session.get_one(Cooperation, cooperation_id, options=[parties])


def reason(country: Country) -> NobodyActs | None:
    return coordinators.nobody_acts([country.id("fields")]).get(country.id("fields"))


def ask(
    country: Country,
    cooperation: Cooperation,
    first: str = "ilena",
    email: str = EMAIL,
    **more: Any,
) -> InvitationRequest:
    where = more.pop("organisation_id", country.id("fields"))
    row = service.make(
        country.actor(first), cooperation, where, name=NAME, email=email, language="en", **more
    )
    country.session.commit()
    return row


def form_url(country: Country, cooperation: Cooperation) -> str:
    return f"/cooperations/{cooperation.reference}/parties/{country.id('fields')}/invitation"


def answer_url(row: InvitationRequest) -> str:
    return f"/people/invitation-requests/{row.id}"


def events(session: Session, verb: str) -> list[dict[str, Any]]:
    rows = session.scalars(
        sa.select(EventDetail.content)
        .join(Event, Event.id == EventDetail.event_id)
        .join(Chain, Chain.id == Event.chain_id)
        .where(Event.verb == verb)
    )
    return [dict(row) for row in rows]


def mails(session: Session, kind: str) -> list[str]:
    return list(
        session.scalars(sa.select(OutboxMessage.recipient).where(OutboxMessage.kind == kind))
    )


# Why nobody can act


def test_without_an_account_a_partner_cannot_act(country: Country) -> None:
    assert reason(country) is NobodyActs.NO_ACCOUNT


def test_an_invitation_that_nobody_has_accepted_is_the_reason_until_it_runs_out(
    country: Country, frozen_time: Callable[[dt.datetime | None], None]
) -> None:
    wanted = NewInvitation(
        email=EMAIL, name=NAME, roles={Role.COORDINATOR}, organisation_id=country.id("fields")
    )
    invitations.invite(country.actor("root"), wanted)
    country.session.commit()
    assert reason(country) is NobodyActs.NOT_ACTIVATED
    frozen_time(clock.now() + dt.timedelta(days=20))
    assert reason(country) is NobodyActs.NO_ACCOUNT


def test_people_without_a_coordinator_are_the_reason(country: Country) -> None:
    country.person("Runa Holt", "fields", Role.MEMBER)
    assert reason(country) is NobodyActs.NO_COORDINATOR


def test_a_power_that_waits_to_be_confirmed_is_the_reason(country: Country) -> None:
    user = country.person("Runa Holt", "fields")
    waiting = Membership(
        user_id=user.id,
        organisation_id=country.id("fields"),
        role=Role.MANAGER,
        starts_on=clock.today(),
        created_at=clock.now(),
    )
    country.session.add(waiting)
    country.session.flush()
    assert reason(country) is NobodyActs.NOT_CONFIRMED


def test_with_a_coordinator_somebody_acts_until_the_account_is_suspended(country: Country) -> None:
    user = country.person("Runa Holt", "fields", Role.COORDINATOR)
    assert reason(country) is None
    user.active = False
    country.session.flush()
    assert reason(country) is NobodyActs.NO_COORDINATOR


def test_an_auditing_body_needs_no_coordinator(country: Country) -> None:
    assert coordinators.nobody_acts([country.id("court")]) == {}


# Asking


@pytest.mark.both_databases
@pytest.mark.parametrize("first", ["ilena", "samira"])
def test_a_coordinator_of_another_party_asks_and_the_trail_does_not_name_the_person(
    country: Country, cooperation: Cooperation, first: str
) -> None:
    row = ask(country, cooperation, first)
    assert (row.name, row.email, row.outcome) == (NAME, EMAIL, None)
    (event,) = events(country.session, "invitation_requested")
    event.pop("who")
    assert event == {"organisation": "Fields of Home"}
    assert mails(country.session, "invitation_requested") == ["root.admin@example.org"]
    country.session.rollback()
    assert integrity.check_all().finding is None


@pytest.mark.parametrize(
    "first", ["henrik", "dora", "tomas", "nadia", "oren", "joana", "vesna", "ada", "root"]
)
def test_nobody_else_asks(country: Country, cooperation: Cooperation, first: str) -> None:
    with pytest.raises(RefusedError):
        ask(country, cooperation, first)
    assert country.session.scalar(sa.select(sa.func.count(InvitationRequest.id))) == 0


def test_nobody_asks_for_a_party_that_has_a_coordinator_or_for_none(
    country: Country, cooperation: Cooperation
) -> None:
    with pytest.raises(RefusedError):
        ask(country, cooperation, organisation_id=country.id("door"))
    country.organisation("hill", "Hill Watch", OrganisationKind.CSO)
    with pytest.raises(RuleBrokenError):
        ask(country, cooperation, organisation_id=country.id("hill"))


def test_nobody_asks_in_a_closed_cooperation(country: Country, cooperation: Cooperation) -> None:
    cooperation.stage = Stage.CLOSED
    country.session.flush()
    country.session.refresh(cooperation, ["parties"])
    with pytest.raises(RefusedError):
        ask(country, cooperation)


def test_nobody_proposes_themselves(country: Country, cooperation: Cooperation) -> None:
    with pytest.raises(RuleBrokenError) as refused:
        ask(country, cooperation, email="Ilena.Dorvath@example.org")
    assert refused.value.field == "email"


def test_a_second_request_waits_for_the_answer_to_the_first(
    country: Country, cooperation: Cooperation
) -> None:
    ask(country, cooperation)
    with pytest.raises(RuleBrokenError):
        ask(country, cooperation, "samira")


def test_the_form_says_the_same_of_an_address_with_an_account_as_of_one_without(
    app: Flask, country: Country
) -> None:
    shown = []
    for email in ("marek.tull@example.org", EMAIL):
        cooperation = open_one(country, "fields")
        country.session.commit()
        client = country.browser(app, "ilena")
        response = client.submit(form_url(country, cooperation), name=NAME, email=email)
        assert response.status_code == 200
        shown.append(Page.of(response).text.replace(cooperation.reference, ""))
    assert shown[0] == shown[1]


# The pages


def test_everybody_who_sees_the_cooperation_is_told_and_coordinators_can_ask(
    app: Flask, country: Country, cooperation: Cooperation
) -> None:
    url = f"/cooperations/{cooperation.reference}"
    for first, asks in (("ilena", True), ("samira", True), ("tomas", False), ("ada", False)):
        page = country.browser(app, first).page(url)
        assert NOBODY in page.text
        assert "Nobody there has an account yet." in page.text
        assert (BUTTON in page.text) is asks, first
    ask(country, cooperation)
    for first in ("ilena", "samira"):
        page = country.browser(app, first).page(url)
        assert "An administrator has to confirm it." in page.text
        assert BUTTON not in page.text
        assert NAME not in page.text
        assert EMAIL not in page.text


@pytest.mark.parametrize(
    ("first", "status"),
    [("henrik", 403), ("tomas", 403), ("vesna", 404), ("joana", 404), ("root", 404), ("ada", 403)],
)
def test_others_get_no_form(
    app: Flask, country: Country, cooperation: Cooperation, first: str, status: int
) -> None:
    assert country.browser(app, first).get(form_url(country, cooperation)).status_code == status


def test_what_was_typed_stays_when_the_address_is_wrong(
    app: Flask, country: Country, cooperation: Cooperation
) -> None:
    client = country.browser(app, "ilena")
    response = client.submit(form_url(country, cooperation), name=NAME, email="runa at example")
    page = Page.of(response)
    assert "Enter an email address" in page.text
    assert page.form().values["name"] == [NAME]


def test_an_administrator_finds_the_request_in_my_work_and_confirms(
    app: Flask, country: Country, cooperation: Cooperation
) -> None:
    row = ask(country, cooperation)
    client = country.browser(app, "root")
    work = client.page("/")
    assert "Invite a coordinator of Fields of Home?" in work.text
    assert NAME not in work.text
    page = client.page(answer_url(row))
    assert NAME in page.text
    assert EMAIL in page.text
    assert cooperation.title not in page.text
    response = client.post(f"{answer_url(row)}/confirm")
    assert response.location.endswith("/people/invitations")
    country.session.expire_all()
    assert (row.name, row.email, row.outcome) == ("", "", RequestOutcome.CONFIRMED)
    invitation = country.session.scalars(sa.select(Invitation)).one()
    assert (invitation.email, invitation.roles) == (EMAIL, ["coordinator"])
    assert invitation.organisation_id == country.id("fields")
    assert mails(country.session, "invitation_request_answered") == ["ilena.dorvath@example.org"]
    assert client.get(answer_url(row)).status_code == 404
    later = country.browser(app, "samira").page(f"/cooperations/{cooperation.reference}")
    assert "An administrator sent an invitation on" in later.text
    assert "A coordinator was invited" in later.text
    country.session.rollback()
    assert integrity.check_all().finding is None


def test_an_administrator_declines_with_a_reason_that_the_parties_read(
    app: Flask, country: Country, cooperation: Cooperation
) -> None:
    row = ask(country, cooperation)
    client = country.browser(app, "root")
    url = f"{answer_url(row)}/decline"
    refused = client.post(url, data={"reason": " "})
    assert "Say why" in refused.text
    assert client.post(url, data={"reason": "They want somebody else."}).status_code == 303
    country.session.expire_all()
    assert (row.name, row.email, row.outcome) == ("", "", RequestOutcome.DECLINED)
    page = country.browser(app, "ilena").page(f"/cooperations/{cooperation.reference}")
    assert "They want somebody else." in page.text
    assert BUTTON in page.text
    (event,) = events(country.session, "invitation_request_declined")
    event.pop("who")
    assert event == {"organisation": "Fields of Home", "reason": "They want somebody else."}
    history = country.browser(app, "ilena").page(f"/cooperations/{cooperation.reference}/history")
    assert "declined to invite the person proposed" in history.text


@pytest.mark.parametrize("first", ["ilena", "samira", "tomas", "vesna", "ada", "marek"])
def test_nobody_but_administrators_sees_or_answers_a_request(
    app: Flask, country: Country, cooperation: Cooperation, first: str
) -> None:
    row = ask(country, cooperation)
    client = country.browser(app, first)
    assert client.get(answer_url(row)).status_code == 404
    for end in ("confirm", "decline"):
        assert client.post(f"{answer_url(row)}/{end}", data={"reason": "No"}).status_code == 404
    with pytest.raises(RefusedError):
        service.confirm(country.actor(first), row.id, days=14)
    with pytest.raises(RefusedError):
        service.decline(country.actor(first), row.id, reason="No")


def test_an_administrator_does_not_answer_their_own_request(
    country: Country, cooperation: Cooperation
) -> None:
    row = ask(country, cooperation)
    country.session.add(
        Membership(
            user_id=country.users["ilena"].id,
            role=Role.ADMINISTRATOR,
            starts_on=clock.today(),
            begun_at=clock.now(),
            created_at=clock.now(),
        )
    )
    country.session.flush()
    with pytest.raises(RefusedError, match="yourself"):
        service.confirm(country.actor("ilena"), row.id, days=14)


def test_a_request_is_answered_once(country: Country, cooperation: Cooperation) -> None:
    row = ask(country, cooperation)
    service.decline(country.actor("root"), row.id, reason="No")
    with pytest.raises(RuleBrokenError, match="already"):
        service.confirm(country.actor("root"), row.id, days=14)
    with pytest.raises(RuleBrokenError, match="already"):
        service.confirm(country.actor("root"), uuid4(), days=14)


@pytest.mark.parametrize("change", ["coordinator", "closed"])
def test_a_request_that_lost_its_reason_can_only_be_declined(
    country: Country, cooperation: Cooperation, change: str
) -> None:
    row = ask(country, cooperation)
    if change == "coordinator":
        country.person("Runa Holt", "fields", Role.COORDINATOR)
    else:
        cooperation.stage = Stage.CLOSED
        country.session.commit()
    with pytest.raises(RuleBrokenError, match="only decline"):
        service.confirm(country.actor("root"), row.id, days=14)
    assert country.session.scalar(sa.select(sa.func.count(Invitation.id))) == 0
    service.decline(country.actor("root"), row.id, reason="It's done.")


def test_nobody_of_the_party_that_asks_becomes_its_partners_coordinator(
    country: Country, cooperation: Cooperation
) -> None:
    """It would act for both; the form says nothing, since it looks no address up."""
    row = ask(country, cooperation, email=country.users["tomas"].email)
    with pytest.raises(RuleBrokenError, match="acts for"):
        service.confirm(country.actor("root"), row.id, days=14)
    assert country.session.scalar(sa.select(sa.func.count(Invitation.id))) == 0
    service.decline(country.actor("root"), row.id, reason="Propose somebody of theirs.")


def test_an_address_written_into_the_database_is_not_invited(
    country: Country, cooperation: Cooperation
) -> None:
    row_id = ask(country, cooperation).id
    country.session.execute(sa.text("UPDATE invitation_request SET email = 'mallory@example.org'"))
    country.session.commit()
    with pytest.raises(RuleBrokenError, match="outside this application"):
        service.confirm(country.actor("root"), row_id, days=14)
    country.session.rollback()
    assert integrity.check_all().finding is not None


# Without an answer


def test_a_request_without_an_answer_ends_and_the_person_is_erased(
    country: Country,
    cooperation: Cooperation,
    frozen_time: Callable[[dt.datetime | None], None],
) -> None:
    row = ask(country, cooperation)
    assert service.due(clock.today() + dt.timedelta(days=service.DAYS - 1)) == []
    later = clock.now() + dt.timedelta(days=service.DAYS + 2)
    frozen_time(later)
    assert service.due(clock.today()) == [row.id]
    assert service.lapse(row.id, clock.today())
    country.session.commit()
    assert (row.name, row.email, row.outcome) == ("", "", RequestOutcome.LAPSED)
    assert service.due(clock.today()) == []
    assert not service.lapse(row.id, clock.today())


# Withdrawing


def withdraw_url(cooperation: Cooperation, row: InvitationRequest) -> str:
    return f"/cooperations/{cooperation.reference}/invitation-requests/{row.id}/withdraw"


WITHDRAW = "Withdraw the request"


def test_who_made_a_request_withdraws_it_and_nobody_is_asked_any_more(
    app: Flask, country: Country, cooperation: Cooperation
) -> None:
    row = ask(country, cooperation)
    client = country.browser(app, "ilena")
    assert WITHDRAW in client.page(f"/cooperations/{cooperation.reference}").text
    assert client.post(withdraw_url(cooperation, row)).status_code == 303
    country.session.expire_all()
    assert (row.name, row.email, row.outcome) == ("", "", RequestOutcome.WITHDRAWN)
    page = client.page(f"/cooperations/{cooperation.reference}")
    assert "The request for an invitation was withdrawn on" in page.text
    assert BUTTON in page.text
    assert WITHDRAW not in page.text
    (event,) = events(country.session, "invitation_request_withdrawn")
    event.pop("who")
    assert event == {"organisation": "Fields of Home"}
    history = client.page(f"/cooperations/{cooperation.reference}/history")
    assert "first coordinator of Fields of Home was withdrawn" in history.text
    assert mails(country.session, "invitation_request_answered") == []
    assert unread(country.session, "invitation_requested") == []
    administrator = country.browser(app, "root")
    assert "Invite a coordinator of" not in administrator.page("/").text
    assert administrator.get(answer_url(row)).status_code == 404
    country.session.rollback()
    assert integrity.check_all().finding is None


def unread(session: Session, kind: str) -> list[object]:
    wanted = sa.select(Notification.id).where(
        Notification.kind == kind, Notification.read_at.is_(None)
    )
    return list(session.scalars(wanted))


def test_another_coordinator_of_the_same_party_withdraws_it_and_its_author_is_told(
    country: Country, cooperation: Cooperation
) -> None:
    row = ask(country, cooperation)
    country.person("Edda Linden", "npm", Role.COORDINATOR)
    country.session.commit()
    service.withdraw(country.actor("edda"), row.id)
    country.session.commit()
    assert mails(country.session, "invitation_request_answered") == ["ilena.dorvath@example.org"]


@pytest.mark.parametrize("end", ["confirm", "decline", "lapse"])
def test_no_administrator_is_asked_any_more_once_a_request_has_ended(
    country: Country, cooperation: Cooperation, end: str
) -> None:
    row = ask(country, cooperation)
    assert len(unread(country.session, "invitation_requested")) == 1
    match end:
        case "confirm":
            service.confirm(country.actor("root"), row.id, days=14)
        case "decline":
            service.decline(country.actor("root"), row.id, reason="No")
        case _:
            service.lapse(row.id, clock.today())
    country.session.commit()
    assert unread(country.session, "invitation_requested") == []


@pytest.mark.parametrize(
    ("first", "status"),
    [("samira", 403), ("tomas", 403), ("ada", 403), ("vesna", 404), ("joana", 404), ("root", 404)],
)
def test_nobody_else_withdraws_it(
    app: Flask, country: Country, cooperation: Cooperation, first: str, status: int
) -> None:
    row = ask(country, cooperation)
    client = country.browser(app, first)
    if status == 403:
        assert WITHDRAW not in client.page(f"/cooperations/{cooperation.reference}").text
    assert client.post(withdraw_url(cooperation, row)).status_code == status
    with pytest.raises(RefusedError):
        service.withdraw(country.actor(first), row.id)
    assert row.outcome is None


def test_a_request_of_another_cooperation_is_not_found_here(
    app: Flask, country: Country, cooperation: Cooperation
) -> None:
    row = ask(country, cooperation)
    other = open_one(country, "door")
    country.session.commit()
    assert country.browser(app, "ilena").post(withdraw_url(other, row)).status_code == 404


def test_what_was_answered_or_is_in_a_closed_cooperation_is_not_withdrawn(
    country: Country, cooperation: Cooperation
) -> None:
    row = ask(country, cooperation)
    cooperation.stage = Stage.CLOSED
    country.session.commit()
    with pytest.raises(RefusedError, match="closed"):
        service.withdraw(country.actor("ilena"), row.id)
    service.decline(country.actor("root"), row.id, reason="No")
    with pytest.raises(RuleBrokenError, match="already"):
        service.withdraw(country.actor("ilena"), row.id)


# Growth


def test_the_cooperation_takes_two_statements_for_many_such_parties(
    app: Flask, country: Country, statements: Callable[[], AbstractContextManager[list[str]]]
) -> None:
    counts = []
    for number in (1, 4):
        keys = [f"new{number}-{each}" for each in range(number)]
        for key in keys:
            country.organisation(key, f"Body {key}", OrganisationKind.CSO)
        cooperation = open_one(country, *keys)
        country.session.commit()
        client = country.browser(app, "ilena")
        client.page(f"/cooperations/{cooperation.reference}")
        with statements() as sent:
            client.get(f"/cooperations/{cooperation.reference}", read=False)
        counts.append(len(sent))
    assert counts[0] == counts[1]
