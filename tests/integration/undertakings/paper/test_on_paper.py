"""Undertakings on paper: recorded by the NPM, confirmed by a second person, then countersigned.

In one file: one scan, from its recording to a clearance, with every way it is refused.
"""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
import sqlalchemy as sa
from flask import Flask

from tests.factories import paper as scans
from tests.factories import powers, undertakings
from tests.factories import undertakings_on_paper as on_paper
from tests.factories.evidence.tampering import hands
from tests.factories.undertakings import TOLD, Clearing
from tests.factories.undertakings_on_paper import DRIVER, NAME
from tests.factories.undertakings_taken import give_role
from tests.integration.undertakings.conftest import Clock
from tracker.access.actor import Actor, ActorMembership, OrganisationKind, Role
from tracker.access.decision import YES
from tracker.access.page_tokens import NotShownError
from tracker.activity import queries as trail
from tracker.cooperations import keys
from tracker.core import clock
from tracker.core.crypto import SealBrokenError
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.mail.models import OutboxMessage
from tracker.oversight import integrity
from tracker.oversight.facts import Fault, Table
from tracker.signoff import paper, shown
from tracker.signoff import service as signoff
from tracker.signoff.models import Method, Revision, Signature
from tracker.undertakings import bound, waiting
from tracker.undertakings import service as electronic
from tracker.undertakings.clearing_states import clearing_states
from tracker.undertakings.models import InterestsDecision, UndertakingState
from tracker.undertakings.paper import service
from tracker.undertakings.waiting import TaskKind

# Everybody who is no coordinator of the NPM: the other parties, an outsider, the auditor ...
NOT_RECORDERS = ["tomas", "milan", "nadia", "pavo", "samira", "henrik", "dina", "joana", "otto"]
OUTSIDERS = ["greta", "celia", "iris"]
# Everybody who neither signs for the NPM nor manages it; ilena recorded it.
NOT_SECOND = ["ilena", "nadia", "pavo", "samira", "henrik", "dina", "joana", "otto", "leyla"]


@pytest.fixture
def driver(app: Flask, clearing: Clearing) -> Clearing:
    """The cooperation, with a driver of the NPM who has no account and was asked."""
    on_paper.with_driver(app, clearing)
    return clearing


def state(clearing: Clearing) -> UndertakingState:
    return clearing.undertaking(DRIVER).state


def is_cleared(clearing: Clearing) -> bool:
    clearances = clearing_states(clearing.cooperation.id, [clearing.id(DRIVER)])
    return clearances[clearing.id(DRIVER)].cleared


def also(actor: Actor, role: Role) -> Actor:
    """Return a person of the NPM with one more role."""
    return powers.hold(actor.user_id, actor.organisation_id, role)


def verbs_of(clearing: Clearing) -> list[str]:
    lines = trail.subject_history(clearing.cooperation.id, [clearing.undertaking(DRIVER).id])
    return [line.verb for line in reversed(lines)]


def refused(attempt: Callable[[], Any], words: str) -> None:
    with pytest.raises(RefusedError, match=words):
        attempt()
    db.session.rollback()


# From paper to a clearance ----------------------------------------------------------------------


def test_a_scan_that_two_people_of_the_npm_vouch_for_opens_a_clearance(driver: Clearing) -> None:
    on_paper.record(driver)
    assert state(driver) is UndertakingState.ON_PAPER
    assert not is_cleared(driver)
    on_paper.confirm(driver)
    assert state(driver) is UndertakingState.SIGNED
    assert not is_cleared(driver)
    driver.countersign(DRIVER)
    db.session.commit()
    assert state(driver) is UndertakingState.COUNTERSIGNED
    assert is_cleared(driver)
    assert verbs_of(driver) == [
        "undertaking_asked",
        "undertaking_frozen",
        "undertaking_scan_recorded",
        "undertaking_scan_confirmed",
        "undertaking_signed",
        "undertaking_countersigned",
    ]
    assert integrity.check_all().finding is None


def test_the_signature_is_the_persons_and_says_how_it_came_about(driver: Clearing) -> None:
    recorded = on_paper.record(driver)
    signature = on_paper.confirm(driver)
    assert signature.method is Method.PAPER
    assert (signature.user_id, signature.signer_name) == (driver.id(DRIVER), NAME)
    assert signature.organisation_id is None
    assert signature.paper == {
        "record": str(recorded.id),
        "scan_digest": recorded.scan_digest,
        "signed_on": clock.today().isoformat(),
        "recorded_by": str(driver.id("ilena")),
        "recorded_by_name": "Ilena Dorvath",
        "recorded_for": driver.demo_people.bodies["npm"].name,
        "confirmed_by": str(driver.id("milan")),
        "confirmed_by_name": "Milan Osterin",
        "confirmed_for": driver.demo_people.bodies["npm"].name,
        "made": "here",
    }
    assert signature.has_its_digest()


def test_what_the_person_filled_in_is_frozen_encrypted_and_carried_over(driver: Clearing) -> None:
    on_paper.record(driver, draft=on_paper.filled_in(driver, TOLD))
    on_paper.confirm(driver)
    undertaking = driver.undertaking(DRIVER)
    revision = db.session.get_one(Revision, undertaking.revision_id)
    text = signoff.document_of(revision, keys.key_of(revision.cooperation_id))
    assert revision.is_sealed
    assert text["person"]["name"] == NAME
    assert text["interests"]["text"] == TOLD
    assert all(point["confirmed"] for point in text["points"])
    assert undertaking.has_interests is True
    assert undertaking.briefed_on == clock.today()
    refused(lambda: driver.countersign(DRIVER), "Decide on the interests first")


def test_declared_interests_are_decided_before_it_is_countersigned(driver: Clearing) -> None:
    on_paper.record(driver, draft=on_paper.filled_in(driver, TOLD))
    on_paper.confirm(driver)
    driver.decide(DRIVER, InterestsDecision.ACCEPT)
    driver.countersign(DRIVER)
    assert is_cleared(driver)


def test_rows_agree_with_their_evidence_at_every_step(driver: Clearing) -> None:
    def agrees() -> bool:
        undertaking = driver.undertaking(DRIVER)
        return bound.compare([undertaking])[undertaking.id].agrees

    for step in (on_paper.record, on_paper.confirm):
        step(driver)
        db.session.commit()
        assert agrees()
        assert integrity.check_all().finding is None


# Who records ------------------------------------------------------------------------------------


@pytest.mark.parametrize("key", NOT_RECORDERS)
def test_nobody_but_a_coordinator_of_the_npm_records_a_scan(driver: Clearing, key: str) -> None:
    refused(lambda: on_paper.record(driver, key), "coordinator of the NPM can record")


@pytest.mark.parametrize("key", OUTSIDERS)
def test_nobody_from_outside_records_a_scan(driver: Clearing, key: str) -> None:
    refused(
        lambda: on_paper.record(driver, driver.demo_people.actor(key)), "coordinator of the NPM"
    )


def test_nobody_records_their_own_undertaking(driver: Clearing) -> None:
    own = also(on_paper.as_actor(driver), Role.COORDINATOR)
    refused(lambda: on_paper.record(driver, own), "coordinator of the NPM can record")


def test_a_person_with_an_account_signs_for_themselves(driver: Clearing) -> None:
    refused(lambda: on_paper.record(driver, of="leyla"), "has an account and signs for themselves")


def test_no_second_scan_is_recorded_while_one_waits(driver: Clearing) -> None:
    on_paper.record(driver)
    db.session.commit()
    refused(lambda: on_paper.record(driver), "is already waiting to be confirmed")


def test_nothing_is_signed_here_while_a_scan_waits(driver: Clearing) -> None:
    on_paper.record(driver)
    own = on_paper.as_actor(driver)
    undertaking = driver.undertaking(DRIVER)
    with pytest.raises(RefusedError, match="already signed this undertaking"):
        electronic.save_draft(own, undertaking.id, on_paper.filled_in(driver))


@pytest.mark.parametrize(
    ("days", "words"), [(1, "can't be in the future"), (-1, "asked after this day")]
)
def test_the_date_on_the_paper_is_one_on_which_it_could_be_signed(
    driver: Clearing, days: int, words: str
) -> None:
    day = clock.today() + dt.timedelta(days=days)
    with pytest.raises(RuleBrokenError, match=words) as caught:
        on_paper.record(driver, signed_on=day)
    assert caught.value.field == "signed_on"


@pytest.mark.parametrize(
    "left_out",
    [{"confirmed": frozenset()}, {"briefed_on": None}, {"has_interests": None}],
)
def test_a_paper_that_lacks_something_is_not_recorded(
    driver: Clearing, left_out: dict[str, Any]
) -> None:
    with pytest.raises(RuleBrokenError, match="missing from the paper"):
        on_paper.record(driver, draft=on_paper.filled_in(driver, **left_out))
    assert state(driver) is UndertakingState.ASKED


def test_a_file_that_is_no_scan_leaves_nothing_behind(driver: Clearing) -> None:
    with pytest.raises(RuleBrokenError, match="isn't a complete PDF") as caught:
        on_paper.record(driver, scan=b"<html>")
    db.session.rollback()
    assert caught.value.field == "scan"
    assert state(driver) is UndertakingState.ASKED
    assert driver.undertaking(DRIVER).revision_id is None


# Who confirms -----------------------------------------------------------------------------------


@pytest.mark.parametrize("key", NOT_SECOND)
def test_nobody_but_a_second_person_who_decides_confirms(driver: Clearing, key: str) -> None:
    on_paper.record(driver)
    db.session.commit()
    refused(lambda: on_paper.confirm(driver, key), "signatory or manager of the NPM can confirm")


@pytest.mark.parametrize("key", OUTSIDERS)
def test_nobody_from_outside_confirms(driver: Clearing, key: str) -> None:
    on_paper.record(driver)
    db.session.commit()
    refused(
        lambda: on_paper.confirm(driver, driver.demo_people.actor(key)), "of the NPM can confirm"
    )


def test_whoever_recorded_a_scan_neither_confirms_nor_countersigns_it(driver: Clearing) -> None:
    both = also(driver.actor("tomas"), Role.COORDINATOR)
    on_paper.record(driver, both)
    db.session.commit()
    refused(lambda: on_paper.confirm(driver, both), "Another signatory or manager of the NPM")
    on_paper.confirm(driver, "milan")
    db.session.commit()
    refused(
        lambda: driver.countersign(DRIVER, by="tomas"), "Another signatory or manager of the NPM"
    )
    driver.countersign(DRIVER, by="milan")
    assert is_cleared(driver)


@pytest.mark.parametrize("act", ["confirm", "refuse"])
def test_the_audit_names_a_scan_that_whoever_recorded_it_decided_on(
    driver: Clearing, act: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Written as by code without that rule: each row is intact, and its event binds it."""
    on_paper.record(driver)
    monkeypatch.setattr("tracker.undertakings.paper.policy.can_decide", lambda *_args: YES)
    if act == "confirm":
        on_paper.confirm(driver, "ilena")
    else:
        service.refuse(
            driver.actor("ilena"), driver.undertaking(DRIVER).id, reason="The date is missing."
        )
    db.session.commit()
    finding = integrity.check_all().finding
    assert finding is not None
    assert (finding.fault, finding.place.table) == (Fault.OWN_SCAN, Table.PAPER_DECISION)


def test_nobody_confirms_their_own_undertaking(driver: Clearing) -> None:
    on_paper.record(driver)
    db.session.commit()
    own = on_paper.as_actor(driver)
    insider = replace(
        own,
        memberships=(
            ActorMembership(
                Role.SIGNATORY, own.organisation_id, "", OrganisationKind.NPM, power="An Act"
            ),
        ),
    )
    refused(lambda: on_paper.confirm(driver, insider), "You can't confirm your own")


def test_a_scan_is_not_countersigned_before_it_is_confirmed(driver: Clearing) -> None:
    on_paper.record(driver)
    db.session.commit()
    refused(lambda: driver.countersign(DRIVER), "waiting to be confirmed")


def test_a_scan_is_confirmed_once(driver: Clearing) -> None:
    on_paper.record(driver)
    page = on_paper.page_of(driver)
    on_paper.confirm(driver, page=page)
    db.session.commit()
    refused(lambda: on_paper.confirm(driver, page=page), "no longer waiting")
    assert (
        db.session.scalar(
            sa.select(sa.func.count(Signature.id)).where(
                Signature.revision_id == driver.undertaking(DRIVER).revision_id
            )
        )
        == 1
    )


def test_a_page_opened_too_long_ago_confirms_nothing(driver: Clearing, frozen_time: Clock) -> None:
    on_paper.record(driver)
    db.session.commit()
    page = on_paper.page_of(driver)
    frozen_time(clock.now() + dt.timedelta(minutes=11))
    with pytest.raises(NotShownError, match="minutes ago"):
        on_paper.confirm(driver, page=page)
    assert state(driver) is UndertakingState.ON_PAPER


def test_a_page_of_another_scan_or_another_sentence_confirms_nothing(
    driver: Clearing,
) -> None:
    on_paper.record(driver)
    page = on_paper.page_of(driver)
    with pytest.raises(NotShownError, match="The sentence you sign changed"):
        on_paper.confirm(driver, page=shown.with_sentence(page, "Another sentence."))
    service.withdraw(driver.actor("ilena"), driver.undertaking(DRIVER).id, reason="Page 2 missing.")
    on_paper.record(driver, scan=scans.jpeg())
    with pytest.raises(NotShownError, match="changed"):
        on_paper.confirm(driver, page=page)
    assert state(driver) is UndertakingState.ON_PAPER


def test_terms_that_have_run_out_confirm_nothing(driver: Clearing, frozen_time: Clock) -> None:
    on_paper.record(driver)
    db.session.commit()
    frozen_time(clock.now() + dt.timedelta(days=undertakings.DAYS + 1))
    with pytest.raises(RefusedError, match="has passed"):
        on_paper.confirm(driver)


def test_new_terms_close_what_waits_on_paper(driver: Clearing) -> None:
    on_paper.record(driver)
    db.session.commit()
    old = driver.undertaking(DRIVER).id
    driver.amend()
    db.session.commit()
    assert driver.undertaking(DRIVER).id != old
    assert state(driver) is UndertakingState.ASKED
    assert integrity.check_all().finding is None


# Refuse and withdraw ----------------------------------------------------------------------------


@pytest.mark.parametrize(("verb", "by"), [("refuse", "milan"), ("withdraw", "ilena")])
def test_a_scan_that_is_refused_or_withdrawn_leaves_the_person_asked_again(
    driver: Clearing, verb: str, by: str
) -> None:
    on_paper.record(driver)
    db.session.commit()
    old = driver.undertaking(DRIVER).id
    getattr(service, verb)(driver.actor(by), old, reason="Not signed on page 2.")
    db.session.commit()
    assert driver.undertaking(DRIVER).id != old
    assert state(driver) is UndertakingState.ASKED
    on_paper.record(driver)
    on_paper.confirm(driver)
    db.session.commit()
    assert integrity.check_all().finding is None


@pytest.mark.parametrize(("verb", "by"), [("refuse", "milan"), ("withdraw", "ilena")])
def test_only_the_same_person_records_a_scan_again_that_did_not_count(
    driver: Clearing, verb: str, by: str
) -> None:
    """Otherwise whoever took the paper first could be the second person who vouches for it."""
    give_role(driver, "tomas", Role.COORDINATOR)
    on_paper.record(driver, "ilena")
    undertaking_id = driver.undertaking(DRIVER).id
    getattr(service, verb)(driver.actor(by), undertaking_id, reason="The wrong day.")
    with pytest.raises(RuleBrokenError, match="recorded this scan before") as caught:
        on_paper.record(driver, "tomas")
    assert caught.value.field == "scan"
    on_paper.record(driver, "ilena")


@pytest.mark.parametrize(("verb", "by"), [("refuse", "milan"), ("withdraw", "ilena")])
def test_the_reason_is_encrypted_and_no_part_of_the_history(
    driver: Clearing, verb: str, by: str
) -> None:
    recorded = on_paper.record(driver)
    old = driver.undertaking(DRIVER).id
    getattr(service, verb)(driver.actor(by), old, reason="A cousin of the warden.")
    (decision,) = paper.on_revisions([recorded.revision_id])[recorded.revision_id][0].decisions
    assert decision.reason == ""
    key = keys.key_of(driver.cooperation.id)
    assert paper.reason_of(decision, key) == "A cousin of the warden."
    lines = trail.subject_history(driver.cooperation.id, [old])
    assert "cousin" not in str([line.details for line in lines])


def test_a_reason_is_needed(driver: Clearing) -> None:
    on_paper.record(driver)
    undertaking_id = driver.undertaking(DRIVER).id
    for verb, by in ((service.refuse, "milan"), (service.withdraw, "ilena")):
        with pytest.raises(RuleBrokenError, match="Say why") as caught:
            verb(driver.actor(by), undertaking_id, reason="  ")
        assert caught.value.field == "reason"


@pytest.mark.parametrize("key", ["milan", "nadia", "samira", "dina"])
def test_nobody_but_a_coordinator_of_the_npm_withdraws_a_scan(driver: Clearing, key: str) -> None:
    on_paper.record(driver)
    db.session.commit()
    undertaking_id = driver.undertaking(DRIVER).id
    refused(
        lambda: service.withdraw(driver.actor(key), undertaking_id, reason="No."),
        "can withdraw a scan",
    )


# What others are told ---------------------------------------------------------------------------


def test_those_who_may_confirm_are_told_without_a_name_and_the_person_gets_no_mail(
    driver: Clearing,
) -> None:
    on_paper.record(driver)
    rows = db.session.scalars(
        sa.select(OutboxMessage).where(OutboxMessage.kind == "undertaking_on_paper")
    ).all()
    assert {row.recipient for row in rows} == {
        driver.demo_people.users[key].email for key in ("tomas", "milan")
    }
    assert all(NAME not in row.body + row.subject for row in rows)
    recipients = set(db.session.scalars(sa.select(OutboxMessage.recipient)))
    assert driver.demo_people.users[DRIVER].email not in recipients


def test_it_is_a_task_of_those_who_may_confirm_and_of_nobody_else(driver: Clearing) -> None:
    both = also(driver.actor("tomas"), Role.COORDINATOR)
    on_paper.record(driver, both)

    def kinds(actor: Actor) -> list[TaskKind]:
        return [task.kind for task in waiting.tasks(actor).mine if task.person == NAME]

    assert kinds(driver.actor("milan")) == [TaskKind.CONFIRM_PAPER]
    assert kinds(both) == []
    assert kinds(driver.actor("ilena")) == []
    assert kinds(driver.actor("samira")) == []


# Tampering --------------------------------------------------------------------------------------


def test_a_scan_that_was_changed_opens_for_nobody_and_is_found(driver: Clearing) -> None:
    recorded = on_paper.record(driver)
    on_paper.confirm(driver)
    db.session.commit()
    with hands() as connection:
        connection.execute(sa.text("UPDATE paper_record SET scan = :x"), {"x": b"another scan"})
    db.session.expire_all()
    with pytest.raises(SealBrokenError):
        paper.scan_of(recorded, keys.key_of(driver.cooperation.id))
    assert integrity.check_all().finding is not None


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE undertaking SET state = 'signed' WHERE state = 'on_paper'",
        "UPDATE undertaking SET state = 'asked' WHERE state = 'on_paper'",
        "UPDATE undertaking SET revision_id = NULL WHERE state = 'on_paper'",
        "UPDATE undertaking SET signed_at = asked_at WHERE state = 'on_paper'",
        "UPDATE paper_record SET user_name = 'Nobody'",
        "DELETE FROM paper_record",
    ],
)
def test_a_row_changed_by_hand_while_a_scan_waits_is_found(driver: Clearing, change: str) -> None:
    on_paper.record(driver)
    db.session.commit()
    assert integrity.check_all().finding is None
    with hands() as connection:
        connection.execute(sa.text(change))
    db.session.expire_all()
    assert integrity.check_all().finding is not None
