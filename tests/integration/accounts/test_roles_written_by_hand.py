"""Roles that were written into the database: whoever acts by one is refused, whatever they do."""

from collections.abc import Callable
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.demonstration import Demonstration
from tests.factories.negotiations import Negotiation
from tests.factories.visits import JointVisit, planned
from tests.integration.signoff.test_written_by_hand import REFUSED, of, put_in, write
from tracker.access.actor import Actor, OrganisationKind, Role
from tracker.accounts import bound
from tracker.accounts.models import Membership
from tracker.accounts.people import service as people
from tracker.accounts.people import without_email
from tracker.accounts.people.without_email import NewPerson
from tracker.activity import verbs
from tracker.activity.models import Event
from tracker.activity.service import HANDLERS
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import service as checklists
from tracker.cooperations import service as cooperations
from tracker.core.errors import RefusedError
from tracker.organisations import service as organisations
from tracker.organisations.service import Details
from tracker.reviews import service as reviews


def role_of(negotiation: Negotiation, first: str) -> Membership:
    own = sa.select(Membership).where(Membership.user_id == negotiation.country.users[first].id)
    return negotiation.session.scalars(own).first() or pytest.fail(f"{first} has no role")


# What somebody tries by which role that nobody gave them, and whether the terms are in force then.
TRIED: dict[str, tuple[Role, bool, Callable[[Negotiation], Any]]] = {
    "suspending somebody": (
        Role.ADMINISTRATOR,
        False,
        lambda negotiation: people.suspend(
            negotiation["oren"], negotiation.country.users["petra"].id, reason="I don't like her."
        ),
    ),
    "ending a role": (
        Role.SIGNATORY,
        False,
        lambda negotiation: people.end_role(
            negotiation["oren"], role_of(negotiation, "tomas").id, reason="I sign now."
        ),
    ),
    "adding a person without an address": (
        Role.COORDINATOR,
        False,
        lambda negotiation: without_email.add(
            negotiation["oren"], NewPerson("Driver Without", negotiation.country.id("npm"))
        ),
    ),
    "adding an organisation": (
        Role.ADMINISTRATOR,
        False,
        lambda negotiation: organisations.add(
            negotiation["oren"],
            OrganisationKind.CSO,
            Details("Open Door Too", types=["human_rights"]),
        ),
    ),
    "renaming an organisation": (
        Role.ADMINISTRATOR,
        False,
        lambda negotiation: organisations.change(
            negotiation["oren"],
            negotiation.country.id("door"),
            Details("Ministry of Health", types=["human_rights"]),
            seen_version=negotiation.country.organisations["door"].version,
        ),
    ),
    "opening a cooperation": (
        Role.COORDINATOR,
        False,
        lambda negotiation: cooperations.open_cooperation(
            negotiation["oren"],
            title="Mine",
            purpose="Mine",
            organisation_ids=[negotiation.country.id("door")],
        ),
    ),
    "letting the public check name who signed": (
        Role.COORDINATOR,
        False,
        lambda negotiation: cooperations.set_verification(
            negotiation["oren"], negotiation.cooperation, shows_signers=True
        ),
    ),
    "opening an amendment": (
        Role.COORDINATOR,
        True,
        lambda negotiation: agreements.amend(
            negotiation["oren"], negotiation.checklist(), reason="I want it.", items=["M2"]
        ),
    ),
    "beginning a review": (
        Role.COORDINATOR,
        True,
        lambda negotiation: reviews.begin(negotiation["oren"], negotiation.cooperation),
    ),
}


@pytest.mark.parametrize(("role", "is_signed", "act"), TRIED.values(), ids=TRIED)
def test_nobody_acts_by_a_role_that_was_inserted_by_hand(
    negotiation: Negotiation, role: Role, *, is_signed: bool, act: Callable[[Negotiation], Any]
) -> None:
    if is_signed:
        negotiation.sign()
    negotiation.session.commit()
    put_in(Membership, **of(negotiation, "oren", role))
    events = negotiation.session.scalar(sa.select(sa.func.count(Event.id)))
    with pytest.raises(RefusedError, match=REFUSED):
        act(negotiation)
    negotiation.session.rollback()
    assert negotiation.session.scalar(sa.select(sa.func.count(Event.id))) == events


def test_every_act_compares_who_acts_or_is_listed_once_with_the_reason_why_not(app: Flask) -> None:
    with app.app_context():
        handlers = HANDLERS.get()
    first = {verb for verb, following in handlers.items() if following[0] is bound.follow_act}
    listed = [verb for out in bound.NOT_COMPARED.values() for verb in out]
    assert len(listed) == len(set(listed))
    assert first.isdisjoint(listed)
    assert first.union(listed) == set(verbs.VERBS.values())


def test_who_acts_is_compared_once_in_a_transaction(
    negotiation: Negotiation, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Further events follow from most acts, and name the same person."""
    compared: list[Actor] = []
    monkeypatch.setattr(bound, "require_as_recorded", lambda actor, *_also: compared.append(actor))
    for title in ("First", "Second"):
        cooperations.open_cooperation(
            negotiation["ilena"],
            title=title,
            purpose="x",
            organisation_ids=[negotiation.country.id("door")],
        )
    assert compared == [negotiation["ilena"]]
    negotiation.session.commit()
    cooperations.set_verification(negotiation["ilena"], negotiation.cooperation, shows_signers=True)
    assert compared == [negotiation["ilena"]] * 2


def test_nobody_accepts_a_task_of_a_visit_by_a_role_that_was_changed_by_hand(
    session: Session, demonstration: Demonstration
) -> None:
    """Readiness rests on it (V5), though the roles are not signed again."""
    joint_visit = JointVisit(session, demonstration)
    planned(joint_visit, members=("leyla",), audience=("leyla",))
    roles = joint_visit.checklist(ChecklistKind.VISIT_ROLES, 2)
    session.commit()
    write(Membership, Membership.user_id == joint_visit.user("leyla"), office="Head of the mission")
    with pytest.raises(RefusedError, match=REFUSED):
        checklists.save_answer(
            joint_visit.actor("leyla"),
            roles,
            "V5",
            AnswerScope.PERSON,
            {"accepted": True},
            base_version=0,
        )
    session.rollback()


def test_people_roles_and_organisations_are_read_in_a_row_each(
    session: Session, demonstration: Demonstration
) -> None:
    """For a whole team, whose roles must not be read once for each of its people."""
    roles = session.scalars(sa.select(Membership)).all()
    user_ids = {role.user_id for role in roles}
    role_ids = {role.id for role in roles}
    organisation_ids = {role.organisation_id for role in roles if role.organisation_id}
    ids = {
        "user_ids": list(user_ids),
        "role_ids": list(role_ids),
        "organisation_ids": list(organisation_ids),
    }
    rows = session.execute(bound._ROWS, ids).all()
    assert len(rows) == len(user_ids) + len(role_ids) + len(organisation_ids)
    assert len(rows) > 14
    assert bound.are_as_recorded(user_ids, role_ids, organisation_ids)
