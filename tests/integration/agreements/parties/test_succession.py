"""A body replaced by another (N13): the successor takes over its place, not what its people did."""

import datetime as dt
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from tests import starting_points
from tests.client import CheckedClient
from tests.factories import checklists, paper, powers
from tests.factories.comments import comment
from tests.factories.demonstration import Demonstration
from tests.factories.negotiations import Negotiation, StoredNegotiation, begin
from tests.factories.powers import begun
from tests.factories.templates import publish, small_terms
from tests.integration.agreements.test_paper import record, request_on, signatures
from tracker.access.actor import OrganisationKind, Role
from tracker.accounts.models import Membership
from tracker.activity.models import Chain, Event
from tracker.agreements import notices
from tracker.checklists import queries
from tracker.checklists.loading import load
from tracker.checklists.models import ChecklistState, NoticeKind
from tracker.comments import service as comments
from tracker.comments.models import CommentTask
from tracker.cooperations import queries as cooperations
from tracker.cooperations.models import Clearance, Party
from tracker.cooperations.succession import service as succession
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.mail.models import OutboxMessage
from tracker.organisations import service as organisations
from tracker.organisations.labels import CsoType
from tracker.organisations.models import Succession
from tracker.organisations.service import Details
from tracker.oversight import integrity
from tracker.signoff.models import RequestState
from tracker.undertakings.models import Undertaking, UndertakingState

SINCE = dt.date(2025, 9, 10)
ACT = "Constitutional Law 12 of 2025, article 4"


@pytest.fixture
def heir(app: Flask, session: Session) -> Negotiation:
    """A new body that could take the place of Open Door, with its people."""
    return starting_points.of(app).use("heir", _add_heir).load(session, "heir")


def _add_heir() -> StoredNegotiation:
    publish(small_terms())
    negotiation = begin(db.session())
    negotiation.country.organisation("heir", "New Door Foundation", OrganisationKind.CSO)
    negotiation.country.person("Runa Ekdal", "heir", Role.COORDINATOR)
    negotiation.country.person("Sten Mohr", "heir", Role.SIGNATORY, power="Deed of foundation")
    return StoredNegotiation.of(negotiation)


def replace(
    negotiation: Negotiation, former: str = "door", successor: str = "heir", *, first: str = "root"
) -> None:
    succession.replace(
        negotiation[first],
        negotiation.country.id(former),
        negotiation.country.id(successor),
        since=SINCE,
        source=ACT,
    )
    negotiation.session.commit()


def sees(negotiation: Negotiation, first: str) -> bool:
    cooperation = cooperations.find_by_id(negotiation[first], negotiation.cooperation.id)
    opened = queries.find(negotiation[first], negotiation.checklist().id)
    assert (cooperation is None) is (opened is None)
    return cooperation is not None


def test_the_successor_takes_the_place_and_the_former_loses_access(heir: Negotiation) -> None:
    """domain.md, N13."""
    assert (sees(heir, "samira"), sees(heir, "runa")) == (True, False)
    replace(heir)
    assert (sees(heir, "samira"), sees(heir, "runa")) == (False, True)
    assert not sees(heir, "dora")
    assert not sees(heir, "henrik")
    parties = [party.name for party in heir.loaded().parties]
    assert parties == [
        "Office of the People's Advocate",
        "New Door Foundation",
        "Lantern Health Network",
    ]
    row = heir.session.scalars(
        sa.select(Party).where(Party.organisation_id == heir.country.id("door"))
    ).one()
    assert (row.replaced_by_id, row.replaced_on) == (heir.country.id("heir"), SINCE)
    assert row.left_on == clock.today() - dt.timedelta(days=1)


def test_a_succession_is_recorded_in_the_chains_of_instance_and_cooperation(
    heir: Negotiation,
) -> None:
    replace(heir)
    (event,) = heir.events("party_replaced")
    assert (event["former"], event["successor"]) == ("Open Door Legal Aid", "New Door Foundation")
    assert (event["since"], event["source"]) == ("2025-09-10", ACT)
    own = heir.session.scalars(
        sa.select(Event)
        .join(Chain, Chain.id == Event.chain_id)
        .where(Chain.cooperation_id.is_(None), Event.verb == "organisation_replaced")
    ).one()
    row = heir.session.scalars(sa.select(Succession)).one()
    assert own.evidence == row.digest
    assert integrity.check_all().finding is None


def test_acceptances_of_the_former_party_do_not_count_for_its_successor(heir: Negotiation) -> None:
    heir.settle("M1")
    replace(heir)
    assert heir.country.id("heir") in heir.standing("M1").waiting_for
    assert heir.country.id("door") not in heir.standing("M1").waiting_for


def test_a_coordinator_calls_back_a_text_that_is_waiting_for_signatures(heir: Negotiation) -> None:
    heir.send()
    checklists.sign(heir.checklist(), heir["henrik"])
    heir.session.commit()
    replace(heir)
    assert heir.checklist().state is ChecklistState.DRAFTING
    assert request_on(heir).state is RequestState.WITHDRAWN
    assert request_on(heir).reason == (
        "New Door Foundation took the place of Open Door Legal Aid, which this text names."
    )
    assert len(signatures(heir)) == 1
    assert set(heir.standing("M1").waiting_for) == {heir.country.id("heir")}
    assert integrity.check_all().finding is None


def test_the_suspension_and_the_tasks_of_the_former_party_end(heir: Negotiation) -> None:
    """Nobody else could end them."""
    heir.sign()
    heir.session.commit()
    written = comment(heir["samira"], heir.checklist())
    comments.make_task(heir["samira"], written.id, heir["dora"].user_id, clock.today())
    notices.give_notice(
        heir["henrik"], heir.checklist(), NoticeKind.SUSPENDED, reason="We can't work safely."
    )
    heir.session.commit()
    replace(heir)
    assert heir.checklist().state is ChecklistState.IN_FORCE
    (event,) = heir.events("suspension_lifted")
    assert event["organisation"] == "Open Door Legal Aid"
    assert heir.session.scalars(sa.select(CommentTask)).one().ended_at is not None
    assert integrity.check_all().finding is None


def test_a_waiting_scan_is_void_when_the_request_ends(heir: Negotiation) -> None:
    heir.send()
    heir.session.commit()
    recorded = record(heir, "joana")
    replace(heir)
    with pytest.raises(RuleBrokenError, match="isn't waiting"):
        paper.confirm(heir["ilena"], heir.checklist(), recorded)
    heir.session.rollback()


def test_a_text_in_force_stays_in_force_with_its_signatures(heir: Negotiation) -> None:
    heir.sign()
    heir.session.commit()
    before = {signature.digest for signature in signatures(heir)}
    replace(heir)
    checklist = heir.checklist()
    assert checklist.state is ChecklistState.IN_FORCE
    assert {signature.digest for signature in signatures(heir)} == before
    assert heir.country.id("heir") in {party.organisation_id for party in load(checklist).parties}


def test_a_successor_that_is_already_a_party_stays_a_party_once(negotiation: Negotiation) -> None:
    replace(negotiation, "door", "lantern")
    assert [party.name for party in negotiation.loaded().parties] == [
        "Office of the People's Advocate",
        "Lantern Health Network",
    ]
    assert integrity.check_all().finding is None


def test_an_npm_can_be_replaced_too(negotiation: Negotiation) -> None:
    replace(negotiation, "npm", "other_npm")
    assert (sees(negotiation, "ilena"), sees(negotiation, "vesna")) == (False, True)
    assert negotiation.loaded().parties[0].name == "Prevention Council of Tressia"


def test_the_former_partys_people_no_longer_take_part(heir: Negotiation) -> None:
    replace(heir)
    left = {event["person"] for event in heir.events("person_left")}
    assert left
    assert all(
        person.organisation_id != heir.country.id("door")
        for person in heir.loaded().people.values()
    )


def test_the_coordinators_of_all_parties_get_a_neutral_mail(heir: Negotiation) -> None:
    heir.session.execute(sa.delete(OutboxMessage))
    replace(heir)
    rows = heir.session.scalars(
        sa.select(OutboxMessage.recipient).where(OutboxMessage.kind == "party_replaced")
    ).all()
    assert set(rows) == {heir.country.users[first].email for first in ("ilena", "joana", "runa")}


def refused(
    negotiation: Negotiation, act: Callable[[], object], words: str, error: type[Exception]
) -> None:
    with pytest.raises(error, match=words):
        act()
    negotiation.session.rollback()
    assert negotiation.session.scalar(sa.select(sa.func.count()).select_from(Succession)) == 0


@pytest.mark.parametrize("first", ["ilena", "samira", "runa", "ada", "nadia"])
def test_nobody_but_an_administrator_records_it(heir: Negotiation, first: str) -> None:
    refused(heir, lambda: replace(heir, first=first), "Only administrators", RefusedError)


@pytest.mark.parametrize(("key", "begins_in"), [("door", 0), ("heir", 1)])
def test_an_administrator_with_a_role_in_either_body_leaves_it_to_another(
    heir: Negotiation, key: str, begins_in: int
) -> None:
    """product.md, 2: powers come from somebody else."""
    heir.country.person("Ulla Trent", None, Role.ADMINISTRATOR)
    begins = clock.today() + dt.timedelta(days=begins_in)
    heir.session.add(
        Membership(
            user_id=heir.country.users["ulla"].id,
            organisation_id=heir.country.id(key),
            role=Role.COORDINATOR,
            starts_on=begins,
            created_at=clock.now(),
            **begun(Role.COORDINATOR),
        )
    )
    heir.session.commit()
    refused(heir, lambda: replace(heir, first="ulla"), "another administrator", RefusedError)
    replace(heir)


@pytest.mark.parametrize("successor", ["door", "npm", "court"])
def test_only_another_body_of_the_same_kind_follows(heir: Negotiation, successor: str) -> None:
    refused(heir, lambda: replace(heir, "door", successor), "same kind", RuleBrokenError)


def test_a_day_ahead_and_a_missing_source_are_refused(heir: Negotiation) -> None:
    ids = heir.country.id("door"), heir.country.id("heir")
    ahead = clock.today() + dt.timedelta(days=1)
    refused(
        heir,
        lambda: succession.replace(heir["root"], *ids, since=ahead, source=ACT),
        "is in the future",
        RuleBrokenError,
    )
    refused(
        heir,
        lambda: succession.replace(heir["root"], *ids, since=SINCE, source="  "),
        "Name the act",
        RuleBrokenError,
    )


def test_a_body_is_replaced_once_and_follows_nobody_after(heir: Negotiation) -> None:
    replace(heir)
    for pair in (("door", "bridge"), ("lantern", "door")):
        with pytest.raises(RuleBrokenError, match="replaced"):
            replace(heir, *pair)
        heir.session.rollback()


def test_a_successor_can_be_replaced_in_turn(heir: Negotiation) -> None:
    replace(heir)
    replace(heir, "heir", "bridge")
    assert (sees(heir, "runa"), sees(heir, "marek")) == (False, True)
    assert integrity.check_all().finding is None


@pytest.mark.parametrize("act", ["update succession set source = ''", "delete from succession"])
def test_the_database_refuses_to_change_it(heir: Negotiation, act: str) -> None:
    replace(heir)
    with pytest.raises(DBAPIError):
        heir.session.execute(sa.text(act))
    heir.session.rollback()


# Pages


def browser(app: Flask, negotiation: Negotiation, first: str) -> CheckedClient:
    return negotiation.country.browser(app, first)


def test_an_administrator_records_it_on_the_page_of_the_body(app: Flask, heir: Negotiation) -> None:
    heir.sign()
    heir.session.commit()
    door, new = heir.country.id("door"), heir.country.id("heir")
    checklist_id = heir.checklist().id
    admin = browser(app, heir, "root")
    address = admin.page(f"/organisations/{door}").links()["Record that another body replaces it"]
    answer = admin.submit(
        address, successor=str(new), since=SINCE.isoformat(), source=ACT, sure="y"
    )
    text = answer.get_data(as_text=True)
    assert "takes the place of Open Door Legal Aid in all its cooperations" in text
    assert "Replaced by New Door Foundation on" in text
    for first in ("runa", "ilena"):
        page = browser(app, heir, first).page(f"/checklists/{checklist_id}/record")
        assert "Open Door Legal Aid: taken over by New Door Foundation on" in page.text
        assert "Henrik Asante" in page.text
    register = browser(app, heir, "nadia").page("/register")
    assert "Open Door Legal Aid: taken over by New Door Foundation on" in register.text
    browser(app, heir, "samira").page(f"/checklists/{checklist_id}/record", 404)
    admin.page(f"/checklists/{checklist_id}/record", 404)


def test_a_succession_is_recorded_only_after_explicit_confirmation(
    app: Flask, heir: Negotiation
) -> None:
    address = f"/organisations/{heir.country.id('door')}/replace"
    text = (
        browser(app, heir, "root")
        .submit(address, successor=str(heir.country.id("heir")), since="", source="")
        .get_data(as_text=True)
    )
    assert "Tick the box to confirm" in text
    browser(app, heir, "samira").page(address, 403)
    browser(app, heir, "joana").page(address, 404)


def test_undertakings_and_clearances_of_persons_pass_to_nobody(
    app: Flask, demonstration: Demonstration
) -> None:
    """S11: nobody signs for another."""
    with app.app_context():
        own = demonstration.organisations["od"]
        heir = organisations.add(
            None, OrganisationKind.CSO, Details(name="New Door", types=[CsoType.HUMAN_RIGHTS.value])
        )
        of_former = Undertaking.organisation_id == own
        closed = Undertaking.state == UndertakingState.CLOSED
        open_ones = sa.select(sa.func.count(Undertaking.id)).where(of_former, ~closed)
        assert db.session.scalar(open_ones)
        admin = powers.acting(demonstration.users["iris"], None)
        succession.replace(admin, own, heir.id, since=SINCE, source=ACT)
        db.session.commit()
        assert db.session.scalar(open_ones) == 0
        left = sa.select(sa.func.count(Clearance.id)).where(
            Clearance.organisation_id == own, Clearance.closed_at.is_(None)
        )
        assert db.session.scalar(left) == 0
        passed_on = sa.select(sa.func.count(Undertaking.id)).where(
            Undertaking.organisation_id == heir.id
        )
        assert db.session.scalar(passed_on) == 0
        db.session.rollback()
        assert integrity.check_all().finding is None
