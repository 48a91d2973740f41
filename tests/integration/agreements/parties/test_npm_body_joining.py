"""A further body of the NPM joining while terms are in force: it decides once it has signed."""

import datetime as dt
from dataclasses import replace

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories import agreements
from tests.factories.checklists import flag_term
from tests.factories.negotiations import Negotiation
from tests.integration.agreements.conftest import SIGNERS
from tests.integration.agreements.parties.test_joining import (
    invite,
    sees_in_part,
    take_back,
)
from tests.integration.agreements.parties.test_leaving import cooperation, parties, row, sees
from tests.integration.agreements.parties.test_succession import replace as replace_body
from tests.integration.agreements.test_who_vouches_for_a_scan import add_to
from tracker.access.actor import OrganisationKind, Role
from tracker.accounts.models import Membership
from tracker.agreements import joining
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.negotiation import safeguards
from tracker.cooperations import people as cooperation_people
from tracker.cooperations import service
from tracker.cooperations.models import CooperationEntry
from tracker.cooperations.scope import is_of_npms
from tracker.core import clock
from tracker.core.db import Identifier
from tracker.core.errors import RefusedError
from tracker.oversight import integrity
from tracker.oversight.models import RegisterEntry
from tracker.signoff.models import Revision
from tracker.undertakings import people
from tracker.undertakings import scope as undertaking_scope
from tracker.undertakings.models import AddedInterest
from tracker.visits import service as visits

ALL_SIGNERS = {**SIGNERS, "other_npm": "runo"}


@pytest.fixture
def council(inviting: Negotiation) -> Negotiation:
    """The terms in force, and a further body of the NPM that is invited."""
    inviting.go_on("council", _invite)
    return inviting


def _invite(negotiation: Negotiation) -> None:
    invite(negotiation, key="other_npm")
    service.add_person(
        negotiation["vesna"],
        cooperation(negotiation),
        user_id=negotiation.country.users["vesna"].id,
        organisation_id=negotiation.country.id("other_npm"),
    )
    negotiation.session.commit()


def join(negotiation: Negotiation) -> None:
    """Sign the amendment of the terms by all, the newcomer last."""
    agreements.send(negotiation.country, negotiation.checklist(), ALL_SIGNERS)
    agreements.sign(negotiation.country, negotiation.checklist(), *ALL_SIGNERS.values())
    negotiation.session.commit()


def counts_as_npm(negotiation: Negotiation) -> set[bool]:
    """Return what each place that says who is of the NPM says about the body."""
    negotiation.session.expire_all()
    shared, body = cooperation(negotiation, "ilena"), negotiation.country.id("other_npm")
    vesna = negotiation.country.users["vesna"].id
    entries = [
        is_of_npm
        for entry in (CooperationEntry, RegisterEntry)
        for is_of_npm in negotiation.session.scalars(
            sa.select(entry.is_of_npm).where(entry.organisation_id == body)
        )
    ]
    return {
        *entries,
        body in people.npm_ids(shared.id),
        body in visits.npm_ids(shared),
        vesna in cooperation_people.npm_user_ids(shared.id),
        vesna in {person.user_id for person in cooperation_people.coordinators_for_npm(shared.id)},
        vesna in negotiation.loaded().surroundings.npm_people,
        # Its auditor sees what it takes part in.
        sees(negotiation, "cleo"),
    }


@pytest.mark.both_databases
def test_a_further_body_of_the_npm_decides_once_it_has_signed(council: Negotiation) -> None:
    assert row(council, "other_npm").is_joining
    assert parties(council) == ["npm", "door", "lantern", "other_npm"]
    (opened,) = council.events("amendment_opened")
    assert opened["items"] == ["M1", "M4", "M7", "M14", "M15"]
    assert (sees(council, "vesna"), sees_in_part(council, "vesna")) == (False, True)
    assert counts_as_npm(council) == {False}
    join(council)
    assert not row(council, "other_npm").is_joining
    assert sees(council, "vesna")
    assert counts_as_npm(council) == {True}
    (event,) = council.events("party_joined")
    assert event["organisation"] == "Prevention Council of Tressia"
    # It acts as the NPM now.
    joining.can_add(council["vesna"], cooperation(council)).require()
    assert integrity.check_all().finding is None


def test_until_then_its_people_decide_nothing_for_the_npm(app: Flask, council: Negotiation) -> None:
    flag = flag_term(council["samira"], council.checklist(), "M4", "It may limit the NPM.")
    council.session.commit()
    with pytest.raises(RefusedError, match="Only the NPM can explain"):
        safeguards.explain_flag(
            council["vesna"], council.checklist(), flag.id, explanation="It does not."
        )
    council.session.rollback()
    with pytest.raises(RefusedError, match="Only the cooperation's NPM"):
        take_back(council, "vesna")
    council.session.rollback()
    browser = council.country.browser(app, "vesna")
    shared = f"/cooperations/{council.cooperation.reference}"
    assert "Your organisation is joining." in browser.page(shared).text
    closed = ("/parties/add", "/selection", "/history", "/visits", "/undertakings", "/ways")
    for part in closed:
        assert browser.get(f"{shared}{part}").status_code == 404, part
    # Items wait for it, the flag doesn't.
    mine = browser.page("/").text
    assert "to answer" in mine
    assert "flag to settle" not in mine


def test_a_body_that_is_joining_takes_over_from_the_one_that_it_replaces(
    council: Negotiation,
) -> None:
    replace_body(council, "npm", "other_npm")
    assert not row(council, "other_npm").is_joining
    assert sees(council, "vesna")
    joining.can_add(council["vesna"], cooperation(council, "vesna")).require()


def test_whoever_also_takes_part_for_a_joining_body_stays_with_the_npm(
    council: Negotiation,
) -> None:
    add_to(council, "ilena", "other_npm")
    council.session.commit()
    ilena = council.country.users["ilena"].id
    assert ilena in council.loaded().surroundings.npm_people
    assert council.loaded().people[ilena].organisation_id == council.country.id("npm")


def test_people_of_a_joining_body_are_no_second_readers_to_be_asked_first(
    council: Negotiation,
) -> None:
    loaded = council.loaded()
    of_npm = set(
        council.session.scalars(
            sa.select(Membership.user_id).where(
                Membership.organisation_id == council.country.id("npm")
            )
        )
    )
    all_wrote = replace(loaded, sheet=replace(loaded.sheet, authors=frozenset(of_npm)))
    safeguards.require_nobody_else(all_wrote)


@pytest.fixture
def succeeded(council: Negotiation) -> Negotiation:
    """The body that joined later, replaced twice: by a new one, and that one by another."""
    join(council)
    for key, name, first in (
        ("heir", "Council of Care", "Runa"),
        ("last", "Board of Care", "Stella"),
    ):
        council.country.organisation(key, name, OrganisationKind.NPM)
        council.country.person(f"{first} Ekdal", key, Role.COORDINATOR)
    replace_body(council, "other_npm", "heir")
    replace_body(council, "heir", "last")
    return council


def readable(
    negotiation: Negotiation, key: str, first: str
) -> tuple[list[bool], list[bool], list[bool]]:
    """Return what a body may read of what was declared before and after that invitation.

    As those rules say it that are asked of a body, of the terms an undertaking is based on, and of
    interests that were added.
    """
    shared, body = negotiation.cooperation.id, negotiation.country.id(key)
    invited_at = row(negotiation, "other_npm").invited_at
    assert invited_at is not None
    of_terms = sa.select(Revision).where(Revision.kind == ChecklistKind.TERMS.value)
    texts = negotiation.session.scalars(of_terms.order_by(Revision.frozen_at)).all()
    assert texts[0].frozen_at < invited_at < texts[-1].frozen_at
    ends = (texts[0], texts[-1])
    hours = (invited_at - dt.timedelta(hours=1), invited_at + dt.timedelta(hours=1))
    for at in hours:
        negotiation.session.add(
            AddedInterest(
                cooperation_id=shared,
                user_id=negotiation.country.users["samira"].id,
                added_at=at,
                sealed_content=b"sealed",
            )
        )
    negotiation.session.flush()
    added = sa.select(undertaking_scope.added_for(negotiation[first])).order_by(
        AddedInterest.added_at
    )
    on_terms = [
        is_of_npms(
            [body],
            sa.literal(shared, Identifier()),
            on=clock.today(),
            terms_id=sa.literal(text.id, Identifier()),
        )
        for text in ends
    ]
    answers = (
        [body in people.party_ids(shared, text.frozen_at).npm for text in ends],
        [bool(negotiation.session.scalar(sa.select(condition))) for condition in on_terms],
        [bool(may) for may in negotiation.session.scalars(added.select_from(AddedInterest))],
    )
    negotiation.session.rollback()
    return answers


def test_a_body_that_joined_later_reads_only_what_was_declared_since_its_invitation(
    council: Negotiation,
) -> None:
    join(council)
    assert readable(council, "other_npm", "vesna") == ([False, True],) * 3


def test_its_successors_read_no_more_than_it_did(succeeded: Negotiation) -> None:
    """Adr 78: people declared their interests to the bodies that their terms name."""
    assert readable(succeeded, "last", "stella") == ([False, True],) * 3


def test_the_successor_of_a_body_that_was_there_from_the_first_reads_all_of_it(
    council: Negotiation,
) -> None:
    join(council)
    council.country.organisation("heir", "Council of Care", OrganisationKind.NPM)
    council.country.person("Runa Ekdal", "heir", Role.COORDINATOR)
    replace_body(council, "npm", "heir")
    assert readable(council, "heir", "runa") == ([True, True],) * 3
