"""Rows that were altered in the database: no later act of a person makes them good."""

import datetime as dt
from collections.abc import Callable
from typing import Any
from uuid import UUID

import pytest
import sqlalchemy as sa

from tests.factories.negotiations import Negotiation
from tests.integration.accounts.test_roles_written_by_hand import role_of
from tests.integration.signoff.test_written_by_hand import write
from tracker.access.actor import OrganisationKind
from tracker.accounts.models import Membership, User
from tracker.accounts.people import service as people
from tracker.activity import service as trail
from tracker.activity import unaltered, verbs
from tracker.activity.models import Event
from tracker.activity.verbs import Verb
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import Cooperation
from tracker.core.db import Base
from tracker.core.errors import RefusedError
from tracker.organisations.models import Organisation
from tracker.oversight import integrity
from tracker.oversight.facts import Fault

ALTERED = "was altered in the database"


def record(negotiation: Negotiation, verb: Verb, subject_type: str, subject_id: UUID) -> None:
    """Record an act of the NPM's coordinator."""
    trail.record(verb, actor=negotiation["ilena"], subject_type=subject_type, subject_id=subject_id)


def rename(negotiation: Negotiation) -> None:
    user = negotiation.session.get_one(User, negotiation.country.users["tomas"].id)
    user.name = "Tomas Given Otherwise"
    record(negotiation, verbs.PERSON_RENAMED, "user", user.id)


def rename_organisation(negotiation: Negotiation) -> None:
    door = negotiation.session.get_one(Organisation, negotiation.country.id("door"))
    door.name = "Open Door Too"
    record(negotiation, verbs.ORGANISATION_CHANGED, "organisation", door.id)


def name_signers(negotiation: Negotiation) -> None:
    cooperation = negotiation.session.get_one(Cooperation, negotiation.cooperation.id)
    cooperations.set_verification(negotiation["ilena"], cooperation, shows_signers=True)


def give_office(negotiation: Negotiation) -> None:
    """Change another field of a role, as an act that somebody did."""
    role = role_of(negotiation, "tomas")
    role.office = "Deputy head"
    record(negotiation, verbs.ROLE_CONFIRMED, "user", role.user_id)


def reopen(negotiation: Negotiation) -> None:
    """Change a row that is read only once who acts was compared."""
    trail.record(
        verbs.VERIFICATION_CHANGED,
        actor=negotiation["ilena"],
        subject_type="cooperation",
        subject_id=negotiation.cooperation.id,
        cooperation_id=negotiation.cooperation.id,
    )
    negotiation.session.expire_all()
    checklist = negotiation.session.scalars(
        sa.select(Checklist).where(
            Checklist.cooperation_id == negotiation.cooperation.id,
            Checklist.kind == ChecklistKind.TERMS,
        )
    ).one()
    checklist.reason = "Because we agreed."


# What is changed by hand (table, row, values), and the act after it.
ALTERATIONS: dict[str, tuple[type[Base], Callable[[Negotiation], Any], dict[str, Any], Any]] = {
    "the language of a person": (
        User,
        lambda negotiation: User.id == negotiation.country.users["tomas"].id,
        {"language": "ar"},
        rename,
    ),
    "what kind of organisation it is": (
        Organisation,
        lambda negotiation: Organisation.id == negotiation.country.id("door"),
        {"kind": OrganisationKind.NPM},
        rename_organisation,
    ),
    "what a role gives power to": (
        Membership,
        lambda negotiation: Membership.id == role_of(negotiation, "tomas").id,
        {"power": "To sign whatever he likes"},
        give_office,
    ),
    "the last day of a role": (
        Membership,
        lambda negotiation: Membership.id == role_of(negotiation, "tomas").id,
        {"ends_on": dt.date(2099, 1, 1)},
        give_office,
    ),
    "the title of a cooperation": (
        Cooperation,
        lambda negotiation: Cooperation.id == negotiation.cooperation.id,
        {"title": "Nothing in particular"},
        name_signers,
    ),
    "what a cooperation is for": (
        Cooperation,
        lambda negotiation: Cooperation.id == negotiation.cooperation.id,
        {"purpose": "Whatever comes"},
        name_signers,
    ),
    "what an amendment opens": (
        Checklist,
        lambda negotiation: Checklist.id == negotiation.checklist().id,
        {"open_items": ["M2"]},
        reopen,
    ),
}

# A day and JSON, which the two databases store each in its own way.
STORED_OTHERWISE = {"the last day of a role", "what an amendment opens"}


@pytest.mark.parametrize(
    "what",
    [
        pytest.param(what, marks=pytest.mark.both_databases if what in STORED_OTHERWISE else ())
        for what in ALTERATIONS
    ],
)
def test_nobody_changes_another_field_of_a_row_that_was_altered_by_hand(
    negotiation: Negotiation, what: str
) -> None:
    model, condition, values, act = ALTERATIONS[what]
    which = condition(negotiation)
    columns = [getattr(model, name) for name in values]
    before = dict(
        zip(
            values, negotiation.session.execute(sa.select(*columns).where(which)).one(), strict=True
        )
    )
    negotiation.session.commit()
    write(model, which, **values)
    events = negotiation.session.scalar(sa.select(sa.func.count(Event.id)))
    act(negotiation)
    with pytest.raises(RefusedError, match=ALTERED):
        negotiation.session.commit()
    negotiation.session.rollback()
    assert negotiation.session.scalar(sa.select(sa.func.count(Event.id))) == events
    finding = integrity.check_all().finding
    assert finding is not None
    assert finding.fault is Fault.ROW_DIFFERS
    # Once it is as it was, the same act is done.
    write(model, which, **before)
    act(negotiation)
    negotiation.session.commit()
    assert integrity.check_all().finding is None


def test_what_was_not_altered_is_changed_by_one_act_after_another(negotiation: Negotiation) -> None:
    rename(negotiation)
    rename_organisation(negotiation)
    name_signers(negotiation)
    negotiation.session.commit()
    rename(negotiation)
    give_office(negotiation)
    negotiation.session.commit()
    assert integrity.check_all().finding is None


def test_an_altered_role_can_be_ended_and_the_audit_goes_on_naming_it(
    negotiation: Negotiation,
) -> None:
    role_id = role_of(negotiation, "tomas").id
    negotiation.session.commit()
    write(Membership, Membership.id == role_id, power="To sign whatever he likes")
    people.end_role(negotiation["nadia"], role_id, reason="He left.")
    negotiation.session.commit()
    finding = integrity.check_all().finding
    assert finding is not None
    assert (finding.fault, finding.place.row) == (Fault.ROW_DIFFERED, str(role_id))


@pytest.mark.both_databases
def test_what_no_person_does_goes_on_and_the_audit_names_what_it_found(
    negotiation: Negotiation,
) -> None:
    """Otherwise one altered row would stop the worker for everybody."""
    cooperation_id = negotiation.cooperation.id
    write(Cooperation, Cooperation.id == cooperation_id, title="Nothing in particular")
    cooperation = negotiation.session.get_one(Cooperation, cooperation_id)
    cooperation.shows_signers = True
    trail.record(
        verbs.VERIFICATION_CHANGED,
        actor=None,
        subject_type="cooperation",
        subject_id=cooperation_id,
        cooperation_id=cooperation_id,
    )
    negotiation.session.commit()
    finding = integrity.check_all().finding
    assert finding is not None
    assert finding.fault is Fault.ROW_DIFFERED


def test_acts_that_give_something_are_not_among_those_that_take_away() -> None:
    gives = {verbs.ROLE_GIVEN, verbs.ROLE_CONFIRMED, verbs.PERSON_RESTORED, verbs.SIGNED}
    gives |= {verbs.UNDERTAKING_COUNTERSIGNED, verbs.CLEARANCE_OPENED, verbs.PARTY_JOINED}
    assert unaltered.TAKES_AWAY.isdisjoint(gives)
