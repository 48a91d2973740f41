"""Roles, names, requests and scans that were written into the database: nobody signs by them."""

from collections.abc import Callable, Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories import checklists
from tests.factories import paper as scans
from tests.factories.cooperations import LONG_AGO
from tests.factories.demonstration import PASSWORD, Demonstration
from tests.factories.evidence.tampering import hands, table_of
from tests.factories.negotiations import Negotiation
from tests.factories.powers import begun
from tests.integration.agreements.test_paper import confirm, record
from tests.pages import Page
from tracker.access.actor import Role
from tracker.accounts import bound
from tracker.accounts.factors import second_factor
from tracker.accounts.models import Membership, User
from tracker.accounts.people import powers
from tracker.accounts.people import service as people
from tracker.accounts.people.service import NewRole
from tracker.activity.models import IS_OF_THE_INSTANCE, Chain, Event
from tracker.agreements import service as agreements
from tracker.agreements import signature_requests
from tracker.core import clock
from tracker.core.db import Base, db
from tracker.core.errors import RefusedError
from tracker.organisations.models import Organisation
from tracker.signoff.models import Signature, SignatureRequest, SignatureSlot
from tracker.signoff.paper_models import PaperRecord

DIFFERS = "differs from the history, so they can't sign"
REFUSED = "differs from the history, so nothing was done"
ALTERED = "Don't rely on it until somebody has found out why."


def write(model: type[Base], condition: sa.ColumnElement[bool], **values: Any) -> None:
    """Change one row as somebody with the database's password does."""
    db.session.commit()
    with hands() as connection:
        result = connection.execute(sa.update(table_of(model)).where(condition).values(**values))
        assert result.rowcount == 1
    db.session.expire_all()


def put_in(model: type[Base], **values: Any) -> None:
    """Insert a row in the same way."""
    db.session.commit()
    with hands() as connection:
        connection.execute(sa.insert(table_of(model)).values(**values))
    db.session.expire_all()


# In the browser -----------------------------------------------------------------------------------


@pytest.fixture
def path(demonstration: Demonstration) -> str:
    """The demonstration's terms that wait for one signature, Otto's."""
    return f"/checklists/{demonstration.checklists['waiting', 'terms']}"


@pytest.fixture
def browser(app: Flask, demonstration: Demonstration) -> Callable[[str], CheckedClient]:
    return lambda key: demonstration.browser(app, key)


def signing(session: Session, person: CheckedClient, user_id: UUID, path: str) -> tuple[str, Any]:
    """Open both pages of signing; return the address and what is sent to it."""
    to_sign = person.page(f"{path}/sign").links()["Continue to sign"]
    user = session.get_one(User, user_id)
    proof = {"password": PASSWORD, "code": second_factor.current_code(user).code}
    return to_sign, person.page(to_sign).form().filled_in(**proof)


def refused(
    session: Session,
    person: CheckedClient,
    user_id: UUID,
    path: str,
    change: Callable[[], None],
    words: str,
) -> None:
    """Open both pages of signing, then change something: neither is shown again, nobody signs."""
    address, data = signing(session, person, user_id, path)
    before = signatures(session)
    change()
    sent = person.post(address, data=data, csrf=False, follow_redirects=True)
    for answer in (person.get(address), sent):
        assert answer.status_code == 403
        assert words in Page.of(answer).text
    assert signatures(session) == before


def signatures(session: Session) -> int:
    session.expire_all()
    return session.scalar(sa.select(sa.func.count(Signature.id))) or 0


def of_otto(session: Session, user_id: UUID) -> Membership:
    return session.scalars(
        sa.select(Membership).where(
            Membership.user_id == user_id, Membership.role == Role.SIGNATORY
        )
    ).one()


CHANGES: dict[str, Callable[[Membership], None]] = {
    "the power": lambda role: write(
        Membership, Membership.id == role.id, power="A decree that nobody has seen"
    ),
    "who confirmed the power": lambda role: write(
        Membership, Membership.id == role.id, confirmed_by="The Minister"
    ),
    "the office": lambda role: write(
        Membership, Membership.id == role.id, office="Head of nothing"
    ),
    "the name": lambda role: write(User, User.id == role.user_id, name="Otto the Great"),
    "the organisation": lambda role: write(
        Organisation, Organisation.id == role.organisation_id, name="Ministry of Health"
    ),
}


@pytest.mark.both_databases
@pytest.mark.few_on_postgresql(2)
@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_nobody_signs_by_a_role_or_a_name_that_was_changed_by_hand(
    session: Session,
    demonstration: Demonstration,
    path: str,
    browser: Callable[[str], CheckedClient],
    change: Callable[[Membership], None],
) -> None:
    user_id = demonstration.users["otto"]
    role = of_otto(session, user_id)
    refused(session, browser("otto"), user_id, path, lambda: change(role), REFUSED)


def test_nobody_signs_in_a_slot_that_was_changed_by_hand(
    session: Session,
    demonstration: Demonstration,
    path: str,
    browser: Callable[[str], CheckedClient],
) -> None:
    user_id = demonstration.users["otto"]

    def change() -> None:
        own = sa.and_(SignatureSlot.user_id == user_id, SignatureSlot.request_id.in_(_waiting()))
        write(SignatureSlot, own, on_behalf_of="The Minister")

    refused(session, browser("otto"), user_id, path, change, ALTERED)


def _waiting() -> sa.Select[UUID]:
    return sa.select(SignatureRequest.id).where(SignatureRequest.ended_at.is_(None))


def test_nobody_signs_by_a_role_that_was_inserted_by_hand(sent: Negotiation) -> None:
    """Even if the request was changed too, so that it asks this person."""
    tomas, oren = sent.country.users["tomas"].id, sent.country.users["oren"].id
    put_in(Membership, **of(sent, "oren", Role.SIGNATORY))
    write(SignatureSlot, SignatureSlot.user_id == tomas, user_id=oren)
    with pytest.raises(RefusedError, match=ALTERED):
        checklists.sign(sent.checklist(), sent["oren"])
    sent.session.rollback()
    assert signatures(sent.session) == 0


# On paper -----------------------------------------------------------------------------------------


@pytest.fixture
def sent(negotiation: Negotiation) -> Negotiation:
    """The terms, agreed, frozen and sent; nobody has signed."""
    negotiation.send()
    negotiation.session.commit()
    return negotiation


def test_a_scan_signed_by_a_power_that_was_changed_by_hand_is_not_confirmed(
    sent: Negotiation,
) -> None:
    scan = record(sent, "ilena")
    tomas = sent.country.users["tomas"].id
    write(Membership, Membership.user_id == tomas, power="A decree that nobody has seen")
    with pytest.raises(RefusedError, match=DIFFERS):
        confirm(sent, "samira", scan)
    sent.session.rollback()
    assert signatures(sent.session) == 0


def test_a_scan_whose_record_was_changed_by_hand_is_not_confirmed(sent: Negotiation) -> None:
    scan = record(sent, "ilena")
    signers = [{**signer, "office": "President"} for signer in scan.signers]
    write(PaperRecord, PaperRecord.id == scan.id, signers=signers)
    with pytest.raises(RefusedError, match=ALTERED):
        confirm(sent, "samira", scan)
    sent.session.rollback()
    assert signatures(sent.session) == 0


def of(negotiation: Negotiation, first: str, role: Role) -> dict[str, Any]:
    """Return the values of a role as somebody would insert it for a person, not yet theirs."""
    person = negotiation.country.users[first]
    home = negotiation.country.homes[first]
    return {column.name: None for column in table_of(Membership).columns} | {
        "id": uuid4(),
        "user_id": person.id,
        "organisation_id": home.id if home else None,
        "role": role,
        "starts_on": LONG_AGO,
        "created_at": clock.now(),
        "outside_expert": False,
        "power": "Statutes, article 9" if role is Role.SIGNATORY else "",
        "office": "",
        "confirmed_by": "",
        **begun(role),
    }


@pytest.mark.parametrize("role", [Role.COORDINATOR])
def test_nobody_records_or_confirms_a_scan_by_a_role_that_was_inserted_by_hand(
    sent: Negotiation, role: Role
) -> None:
    """Whoever records it, and whoever confirms it, vouches for a signature."""
    put_in(Membership, **of(sent, "oren", role))
    with pytest.raises(RefusedError, match=REFUSED):
        scans.record(sent["oren"], sent.checklist())
    sent.session.rollback()
    scan = record(sent, "ilena")
    put_in(Membership, **of(sent, "dora", role))
    with pytest.raises(RefusedError, match=REFUSED):
        confirm(sent, "dora", scan)
    sent.session.rollback()
    assert signatures(sent.session) == 0


def test_nobody_confirms_or_gives_a_power_by_a_role_that_was_inserted_by_hand(
    negotiation: Negotiation,
) -> None:
    """Otherwise a role that was given properly would rest on one that nobody gave."""
    home = negotiation.country.id("npm")
    given = people.give_role(
        negotiation["root"], negotiation["petra"].user_id, NewRole(Role.MANAGER, home)
    )
    negotiation.session.commit()
    put_in(Membership, **of(negotiation, "oren", Role.SIGNATORY))
    with pytest.raises(RefusedError, match=REFUSED):
        powers.confirm(negotiation["oren"], given.id)
    negotiation.session.rollback()
    assert negotiation.session.get_one(Membership, given.id).confirmed_how is None
    put_in(Membership, **of(negotiation, "oren", Role.COORDINATOR))
    with pytest.raises(RefusedError, match=REFUSED):
        people.give_role(
            negotiation["oren"], negotiation["nadia"].user_id, NewRole(Role.MEMBER, home)
        )


def test_nobody_signs_in_the_place_of_somebody_whose_name_was_changed_by_hand(
    sent: Negotiation,
) -> None:
    """The signature says in whose place it was given."""
    tomas = sent.country.users["tomas"].id
    role = people.give_role(
        sent["root"],
        sent["nadia"].user_id,
        NewRole(Role.SIGNATORY, sent.country.id("npm"), power="Order 4", office="Deputy"),
    )
    powers.confirm(sent["tomas"], role.id)
    signature_requests.pass_on(
        sent["tomas"],
        sent.checklist(),
        tomas,
        sent["nadia"].user_id,
        page=agreements.page_with(sent.checklist()),
        reason="On leave.",
    )
    write(User, User.id == tomas, name="The Minister")
    with pytest.raises(RefusedError, match=DIFFERS):
        checklists.sign(sent.checklist(), sent["nadia"])
    sent.session.rollback()
    assert signatures(sent.session) == 0


# What events say about people ---------------------------------------------------------------------


def test_events_about_people_and_their_organisations_are_found_by_their_subject(
    session: Session, demonstration: Demonstration
) -> None:
    """Otherwise people whose role was given properly couldn't sign (bound.are_as_recorded)."""
    owners = dict(session.execute(sa.select(Membership.id, Membership.user_id)).all())
    strays = [
        (event.verb, table, row)
        for event in session.scalars(
            sa.select(Event).join(Chain, Chain.id == Event.chain_id).where(IS_OF_THE_INSTANCE)
        )
        if event.subject_type != "chain"
        for table, row in _about_people(event)
        if _subject(table, UUID(row), owners) != (event.subject_type, event.subject_id)
    ]
    assert strays == []
    people = session.scalars(sa.select(User.id)).all()
    assert len(people) > 10
    assert bound.are_as_recorded(people, owners)


def _about_people(event: Event) -> Iterator[tuple[str, str]]:
    for table in ("user", "membership", "organisation"):
        for row in (event.state or {}).get(table, {}):
            yield table, row


def _subject(table: str, row_id: UUID, owners: dict[UUID, UUID]) -> tuple[str, UUID]:
    if table == "organisation":
        return "organisation", row_id
    return "user", owners.get(row_id, row_id)


def test_an_event_that_does_not_match_its_digest_says_nothing_about_a_role(
    session: Session, demonstration: Demonstration
) -> None:
    user_id = demonstration.users["otto"]
    role_id = of_otto(session, user_id).id
    assert bound.are_as_recorded([user_id], [role_id])
    about_otto = sa.select(Event).where(Event.subject_id == user_id).order_by(Event.number)
    last = [
        event
        for event in session.scalars(about_otto)
        if ("membership", str(role_id)) in set(_about_people(event))
    ][-1]
    write(Event, Event.id == last.id, verb="person_restored")
    assert not bound.are_as_recorded([user_id], [role_id])
