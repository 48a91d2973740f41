"""Who is asked for an undertaking, and what closes one immediately.

In one file: whatever closes an undertaking decides who is asked again.
"""

import datetime as dt

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests import due
from tests.factories import undertakings
from tests.factories.undertakings import DAYS, TOLD, Clearing
from tests.integration.undertakings.conftest import Clock
from tracker.accounts.people import service as accounts
from tracker.activity import queries as trail
from tracker.activity import verbs
from tracker.agreements import notices
from tracker.agreements import service as agreements
from tracker.checklists.models import Notice, NoticeKind
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import Clearance
from tracker.core import clock
from tracker.core.db import db
from tracker.demo import checklists as demo_checklists
from tracker.demo.people import DemoPeople
from tracker.mail.models import OutboxMessage
from tracker.undertakings import encryption, service
from tracker.undertakings.models import (
    InterestsDecision,
    Undertaking,
    UndertakingEnd,
    UndertakingState,
)

pytestmark = pytest.mark.some_on_postgresql(4)

ASKED, SIGNED = UndertakingState.ASKED, UndertakingState.SIGNED
COUNTERSIGNED, CLOSED = UndertakingState.COUNTERSIGNED, UndertakingState.CLOSED
LISTED = {"marek", "samira", "dina", "henrik", "leyla", "otto", "joana"}


def verbs_of(clearing: Clearing, key: str) -> list[str]:
    """Return the events of a person's undertaking, the oldest first."""
    lines = trail.subject_history(clearing.cooperation.id, [clearing.undertaking(key).id])
    return [line.verb for line in reversed(lines)]


def mails_to(clearing: Clearing, key: str, kind: str) -> int:
    """Count the messages of a kind to a person."""
    return (
        db.session.scalar(
            sa.select(sa.func.count()).where(
                OutboxMessage.recipient == clearing.demo_people.users[key].email,
                OutboxMessage.kind == kind,
            )
        )
        or 0
    )


def end_of(clearing: Clearing, key: str) -> str:
    """Return why a person's newest undertaking was closed."""
    return clearing.undertaking(key).closed_reason


# Who is asked ----------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_everybody_listed_is_asked_when_the_terms_come_into_force(clearing: Clearing) -> None:
    assert clearing.states() == dict.fromkeys(LISTED, ASKED)
    assert clearing.undertaking("leyla").organisation_id == clearing.demo_people.bodies["lh"].id
    assert clearing.undertaking("marek").organisation_id == clearing.demo_people.bodies["npm"].id
    assert clearing.undertaking("leyla").function == "Physician"
    assert verbs_of(clearing, "leyla") == ["undertaking_asked"]


def test_nobody_is_asked_before_the_terms_are_in_force(demo_people: DemoPeople) -> None:
    drafted = undertakings.clearing(demo_people, in_force=False)
    assert drafted.states() == {}
    drafted.list_people("lh", "leyla")
    assert drafted.states() == {}


def test_each_person_asked_gets_one_neutral_mail(clearing: Clearing) -> None:
    for key in LISTED:
        assert mails_to(clearing, key, "undertaking_asked") == 1
    assert mails_to(clearing, "nadia", "undertaking_asked") == 0
    message = db.session.scalars(
        sa.select(OutboxMessage).where(
            OutboxMessage.recipient == clearing.demo_people.users["leyla"].email,
            OutboxMessage.kind == "undertaking_asked",
        )
    ).one()
    assert f"/undertakings/{clearing.undertaking('leyla').id}" in message.body
    for word in ("police", "Joint monitoring", "People's Advocate", "C-20", "Lantern"):
        assert word not in message.body
        assert word not in message.subject


@pytest.mark.both_databases
def test_a_person_listed_later_is_asked_later(clearing: Clearing) -> None:
    clearing.list_people("lh", "leyla", "otto")
    assert clearing.states()["joana"] is CLOSED
    clearing.list_people("lh", "leyla", "otto", "joana")
    assert clearing.states()["joana"] is ASKED
    assert mails_to(clearing, "joana", "undertaking_asked") == 2
    assert mails_to(clearing, "leyla", "undertaking_asked") == 1


@pytest.mark.both_databases
def test_a_party_that_lists_nobody_asks_nobody(clearing: Clearing) -> None:
    clearing.list_people("lh")
    assert {key for key, state in clearing.states().items() if state is not CLOSED} == {
        "marek",
        "samira",
        "dina",
        "henrik",
    }


@pytest.mark.both_databases
def test_a_person_who_no_longer_takes_part_is_not_asked_because_of_an_old_list(
    demo_people: DemoPeople,
) -> None:
    drafted = undertakings.clearing(demo_people, in_force=False)
    cooperations.end_person(
        drafted.actor("joana"),
        drafted.cooperation,
        user_id=drafted.id("leyla"),
        organisation_id=demo_people.bodies["lh"].id,
    )
    demo_checklists.send(demo_people, drafted.checklist)
    demo_checklists.sign(demo_people, drafted.checklist)
    assert "leyla" not in drafted.states()


def test_nobody_is_asked_once_the_time_of_the_terms_has_passed(
    clearing: Clearing, frozen_time: Clock
) -> None:
    clearing.list_people("lh", "leyla")
    frozen_time(clock.now() + dt.timedelta(days=DAYS + 1))
    clearing.list_people("lh", "leyla", "otto")
    assert clearing.states()["otto"] is CLOSED


def test_the_npms_own_people_are_not_asked(clearing: Clearing) -> None:
    assert clearing.states().keys().isdisjoint({"ilena", "tomas", "nadia", "pavo", "milan"})


@pytest.mark.both_databases
def test_a_person_listed_twice_is_asked_only_once(clearing: Clearing) -> None:
    clearing.list_people("od", "samira", "leyla")
    rows = db.session.scalars(
        sa.select(Undertaking).where(
            Undertaking.user_id == clearing.id("leyla"), Undertaking.state == ASKED
        )
    ).all()
    assert len(rows) == 1
    # Another party's list doesn't change whom a person signs for.
    assert rows[0].organisation_id == clearing.demo_people.bodies["lh"].id


# What closes -----------------------------------------------------------------------------------


@pytest.mark.both_databases
def test_removing_a_person_from_the_list_closes_undertaking_and_clearance(
    clearing: Clearing,
) -> None:
    clearing.clear("leyla")
    assert clearing.is_cleared("leyla")
    clearing.list_people("lh", "otto", "joana")
    assert end_of(clearing, "leyla") == UndertakingEnd.UNLISTED
    assert not clearing.is_cleared("leyla")
    assert verbs_of(clearing, "leyla")[-1] == "undertaking_closed"


@pytest.mark.both_databases
def test_new_terms_close_every_undertaking_immediately_and_ask_again(
    app: Flask, clearing: Clearing
) -> None:
    clearing.clear("leyla")
    clearing.sign("otto")
    first = {key: clearing.undertaking(key).id for key in LISTED}
    clearing.amend()
    assert not clearing.is_cleared("leyla")
    assert clearing.states() == dict.fromkeys(LISTED, ASKED)
    assert set(first.values()).isdisjoint(clearing.undertaking(key).id for key in LISTED)
    old = db.session.get_one(Undertaking, first["leyla"], populate_existing=True)
    assert (old.state, old.closed_reason) == (CLOSED, UndertakingEnd.NEW_TERMS)
    assert mails_to(clearing, "leyla", "undertaking_asked") == 2
    # Whoever signed before reads why they are asked again.
    for key, is_again in (("leyla", True), ("otto", True), ("joana", False)):
        page = clearing.browser(app, key).page(f"/undertakings/{clearing.undertaking(key).id}")
        assert ("You signed an undertaking before." in page.text) is is_again


def test_a_text_in_amendment_leaves_the_clearances_open(clearing: Clearing) -> None:
    clearing.clear("leyla")
    ilena = clearing.actor("ilena")
    agreements.amend(ilena, clearing.checklist, reason="A longer duty.", items=["C17"])
    assert clearing.is_cleared("leyla")


def test_a_draft_is_carried_over_to_new_terms_with_nothing_confirmed(
    clearing: Clearing,
) -> None:
    clearing.put_in("leyla", TOLD)
    clearing.amend()
    draft = encryption.draft_of(clearing.undertaking("leyla"))
    assert draft.interests == TOLD
    assert draft.confirmed == frozenset()
    assert not draft.is_ready


@pytest.mark.both_databases
def test_leaving_closes_the_undertaking_immediately_and_coming_back_asks_again(
    clearing: Clearing,
) -> None:
    clearing.clear("leyla")
    home = clearing.demo_people.bodies["lh"].id
    cooperations.end_person(
        clearing.actor("joana"),
        clearing.cooperation,
        user_id=clearing.id("leyla"),
        organisation_id=home,
    )
    assert end_of(clearing, "leyla") == UndertakingEnd.LEFT
    assert not clearing.is_cleared("leyla")
    cooperations.add_person(
        clearing.actor("joana"),
        clearing.cooperation,
        user_id=clearing.id("leyla"),
        organisation_id=home,
    )
    assert clearing.states()["leyla"] is ASKED


@pytest.mark.both_databases
@pytest.mark.parametrize("how_far", ["asked", "signed", "cleared"])
def test_suspension_closes_an_undertaking_immediately_and_restoring_asks_again(
    clearing: Clearing, how_far: str
) -> None:
    if how_far == "signed":
        clearing.sign("leyla")
    if how_far == "cleared":
        clearing.clear("leyla")
    accounts.suspend(clearing.actor("iris"), clearing.id("leyla"), reason="Asked by the CSO.")
    assert clearing.states()["leyla"] is CLOSED
    assert end_of(clearing, "leyla") == UndertakingEnd.SUSPENDED
    assert not clearing.is_cleared("leyla")
    accounts.restore(clearing.actor("iris"), clearing.id("leyla"))
    assert clearing.states()["leyla"] is ASKED
    assert not clearing.is_cleared("leyla")


def test_the_last_day_is_included_and_the_next_one_is_not(
    clearing: Clearing, frozen_time: Clock
) -> None:
    clearance = clearing.clear("leyla")
    last = dt.datetime.combine(clearance.until_on, dt.time(12), dt.UTC)
    frozen_time(last)
    assert clearing.is_cleared("leyla")
    frozen_time(last + dt.timedelta(days=1))
    assert not clearing.is_cleared("leyla")


def test_the_worker_records_what_has_run_out(clearing: Clearing, frozen_time: Clock) -> None:
    clearance = clearing.clear("leyla")
    frozen_time(dt.datetime.combine(clearance.until_on, dt.time(12), dt.UTC) + dt.timedelta(1))
    assert due.close_expired(clock.today()) == 1
    assert end_of(clearing, "leyla") == UndertakingEnd.EXPIRED
    assert due.close_expired(clock.today()) == 0
    # Nobody is asked to sign on expired terms.
    clearing.list_people("lh", "leyla", "otto")
    assert clearing.states()["leyla"] is CLOSED


@pytest.mark.both_databases
def test_a_withdrawn_person_is_not_asked_again_by_a_change_of_the_list(clearing: Clearing) -> None:
    clearing.clear("leyla")
    service.withdraw(clearing.actor("leyla"), clearing.undertaking("leyla").id)
    clearing.list_people("lh", "leyla", "otto")
    assert clearing.states()["leyla"] is CLOSED
    assert end_of(clearing, "leyla") == UndertakingEnd.WITHDRAWN


def test_another_cooperation_is_left_alone(demo_people: DemoPeople) -> None:
    first, other = undertakings.clearing(demo_people), undertakings.clearing(demo_people)
    first.clear("leyla")
    other.clear("leyla")
    first.amend()
    assert not first.is_cleared("leyla")
    assert other.is_cleared("leyla")
    first.list_people("lh", "otto")
    assert other.states()["leyla"] is COUNTERSIGNED


def test_a_replaced_undertaking_is_asked_for_again_only_on_new_terms(clearing: Clearing) -> None:
    clearing.sign("leyla", TOLD)
    clearing.decide("leyla", InterestsDecision.REPLACE, "Too near.")
    clearing.list_people("lh", "leyla", "otto")
    assert clearing.states()["leyla"] is SIGNED
    clearing.amend()
    assert clearing.states()["leyla"] is ASKED


def test_every_closing_of_a_clearance_is_in_the_trail(clearing: Clearing, session: Session) -> None:
    clearing.clear("leyla")
    clearing.clear("otto")
    clearing.amend()
    _total, lines = trail.history(clearing.cooperation.id, limit=200)
    closed = [line for line in lines if line.verb == verbs.CLEARANCE_CLOSED.name]
    assert len(closed) == 2
    assert {line.details["reason"] for line in closed} == {"new_terms"}
    open_ones = session.scalars(sa.select(Clearance).where(Clearance.closed_at.is_(None))).all()
    assert open_ones == []


# Terms suspended and ended -----------------------------------------------------------------------


def halt(clearing: Clearing, kind: NoticeKind, *, by: str = "henrik") -> Notice:
    """Suspend or end the confidentiality terms for a party, immediately: no notice is agreed."""
    return notices.give_notice(clearing.actor(by), clearing.checklist, kind, reason="Not safe.")


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("kind", "why"),
    [
        (NoticeKind.SUSPENDED, UndertakingEnd.TERMS_SUSPENDED),
        (NoticeKind.ENDED, UndertakingEnd.TERMS_ENDED),
    ],
)
def test_stopping_the_terms_closes_everything_immediately(
    clearing: Clearing, kind: NoticeKind, why: UndertakingEnd
) -> None:
    clearing.clear("leyla")
    clearing.sign("otto")
    assert clearing.is_cleared("leyla")
    halt(clearing, kind)
    assert set(clearing.states().values()) == {CLOSED}
    assert {end_of(clearing, key) for key in LISTED} == {why}
    assert not clearing.is_cleared("leyla")
    assert verbs_of(clearing, "leyla")[-1] == verbs.UNDERTAKING_CLOSED.name


def test_a_notice_closes_nothing_before_its_day(clearing: Clearing, frozen_time: Clock) -> None:
    clearing.clear("leyla")
    day = clock.today() + dt.timedelta(days=3)
    notices.give_notice(
        clearing.actor("henrik"),
        clearing.checklist,
        NoticeKind.SUSPENDED,
        reason="Not safe.",
        from_on=day,
    )
    assert clearing.is_cleared("leyla")
    frozen_time(clock.now() + dt.timedelta(days=3))
    assert due.carry_out_due(clock.today()) == 1
    assert not clearing.is_cleared("leyla")


def test_everybody_is_asked_again_when_the_suspension_is_lifted(clearing: Clearing) -> None:
    clearing.clear("leyla")
    notice = halt(clearing, NoticeKind.SUSPENDED)
    henrik = clearing.actor("henrik")
    notices.close_notice(henrik, clearing.checklist, notice.id, reason="Safe again.")
    assert set(clearing.states().values()) == {ASKED}
    # What was closed stays closed: each person confirms again.
    assert not clearing.is_cleared("leyla")


@pytest.mark.both_databases
def test_nobody_is_asked_by_a_change_of_the_list_meanwhile(clearing: Clearing) -> None:
    halt(clearing, NoticeKind.SUSPENDED)
    clearing.list_people("lh", "leyla", "otto", "joana")
    assert set(clearing.states().values()) == {CLOSED}


def test_once_the_terms_have_run_out_nobody_is_waited_for_and_a_coordinator_renews_them(
    app: Flask, clearing: Clearing, frozen_time: Clock
) -> None:
    """The agreement continues, so whoever needs access gets it only by a later last day."""
    clearance = clearing.clear("leyla")
    assert clearing.states()["samira"] is UndertakingState.ASKED
    address = f"/cooperations/{clearing.cooperation.reference}"

    def whose_task(key: str) -> str:
        """Return whose task it is on a person's page; empty if there is none."""
        page = clearing.browser(app, key).page(address).text
        return page.partition("have signed a later one.Waiting for ")[2].partition(" ")[0]

    assert not whose_task("ilena")
    frozen_time(dt.datetime.combine(clearance.until_on, dt.time(12), dt.UTC) + dt.timedelta(1))
    due.close_expired(clock.today())
    assert set(clearing.states().values()) == {CLOSED}
    db.session.commit()
    assert (whose_task("ilena"), whose_task("leyla")) == ("you", "a")
    # If the agreement has expired too, that one is renewed first, or ended.
    clearing.cooperation.ends_on = clearance.until_on
    db.session.commit()
    assert not whose_task("ilena")
