"""Interests added after signing: who adds and decides, and what closes until the decision.

In one file: the same interest is added, decided on and judged in each.
"""

import datetime as dt
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.factories.evidence.tampering import hands, table_of
from tests.factories.undertakings import HARBOUR, TOLD, Clearing
from tracker.access.actor import OrganisationKind
from tracker.activity import queries as trail
from tracker.activity.stale import recompute
from tracker.cooperations.models import Party
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError
from tracker.mail.models import OutboxMessage
from tracker.undertakings import (
    added_interests,
    adding,
    encryption,
    pages,
    queries,
    service,
    waiting,
)
from tracker.undertakings.models import (
    AddedInterest,
    InterestsDecision,
    Reach,
    Undertaking,
    UndertakingState,
)
from tracker.undertakings.places import Places
from tracker.undertakings.waiting import TaskKind

ALL = Places(Reach.ALL)
POLICE = Places(Reach.KIND, kind="police")
TEXT = "My brother works for the Quillfen guards since May."
ACCEPT, LIMIT, REPLACE = InterestsDecision
NOT_DECIDERS = ["leyla", "dina", "samira", "henrik", "ilena", "iris", "greta", "otto"]


def add(
    clearing: Clearing, key: str = "leyla", places: Places = ALL, text: str = TEXT
) -> AddedInterest:
    interest = adding.add(clearing.actor(key), clearing.undertaking(key).id, text, places)
    recompute()
    return interest


def decide(
    clearing: Clearing,
    interest: AddedInterest,
    decision: InterestsDecision = ACCEPT,
    reason: str = "",
    places: Places | None = None,
    *,
    by: str = "tomas",
    key: str = "leyla",
) -> None:
    adding.decide(
        clearing.actor(by),
        clearing.undertaking(key).id,
        interest.id,
        decision,
        reason,
        places,
        seen=adding.mark(interest),
    )
    recompute()


def kinds(clearing: Clearing, key: str) -> list[TaskKind]:
    return [task.kind for task in waiting.tasks_in(clearing.actor(key), clearing.cooperation.id)]


@pytest.mark.parametrize("table", [Undertaking, AddedInterest])
def test_a_decision_that_only_a_row_says_is_not_countersigned(
    clearing: Clearing, table: type[Undertaking | AddedInterest]
) -> None:
    if table is Undertaking:
        clearing.sign("leyla", TEXT)
        clearing.decide("leyla", REPLACE, "Somebody else has to come.")
    else:
        clearing.sign("leyla")
        add(clearing)
    db.session.commit()
    with hands() as connection:
        connection.execute(
            sa.update(table_of(table)).values(decision=ACCEPT, decided_at=clock.now())
        )
    db.session.expire_all()
    with pytest.raises(RuleBrokenError, match="differs from the signatures and the history"):
        clearing.countersign("leyla")


@pytest.mark.parametrize("change", ["delete", "give away"])
def test_an_interest_that_was_taken_out_of_the_database_lets_nobody_countersign(
    clearing: Clearing, change: str
) -> None:
    clearing.sign("leyla")
    interest_id, other = add(clearing).id, clearing.actor("samira").user_id
    db.session.commit()
    rows = table_of(AddedInterest)
    with hands() as connection:
        connection.execute(
            sa.delete(rows)
            if change == "delete"
            else sa.update(rows).where(rows.c.id == interest_id).values(user_id=other)
        )
    db.session.expire_all()
    with pytest.raises(RuleBrokenError, match="differs from the signatures and the history"):
        clearing.countersign("leyla")


def test_an_added_interest_closes_the_clearance_until_the_npm_accepts_it(
    clearing: Clearing,
) -> None:
    clearing.clear("leyla")
    assert clearing.is_cleared("leyla")
    interest = add(clearing)
    assert not clearing.is_cleared("leyla")
    assert clearing.undertaking("leyla").state is UndertakingState.COUNTERSIGNED
    decide(clearing, interest)
    assert clearing.is_cleared("leyla")


def test_an_interest_in_a_kind_of_place_leaves_the_rest_of_the_work_open(
    clearing: Clearing,
) -> None:
    clearing.clear("leyla")
    add(clearing, places=POLICE)
    assert clearing.is_cleared("leyla")


def test_an_interest_added_before_a_body_was_invited_is_not_for_that_body(
    clearing: Clearing, session: Session
) -> None:
    clearing.clear("leyla")
    interest, tomas = add(clearing), clearing.actor("tomas")
    party = session.scalars(
        sa.select(Party).where(
            Party.cooperation_id == clearing.cooperation.id,
            Party.organisation_id == tomas.organisation_id,
        )
    ).one()
    party.invited_at = party.joined_at = interest.added_at + dt.timedelta(hours=1)
    session.flush()
    # Nobody else is left to decide.
    assert added_interests.find(tomas, clearing.undertaking("leyla"), interest.id) is not None
    session.add(
        Party(
            cooperation_id=clearing.cooperation.id,
            organisation_id=clearing.demo_people.bodies["court"].id,
            side=OrganisationKind.NPM,
            position=9,
            joined_on=party.joined_on,
        )
    )
    session.flush()
    assert added_interests.find(tomas, clearing.undertaking("leyla"), interest.id) is None
    own = clearing.actor("leyla")
    assert added_interests.find(own, clearing.undertaking("leyla"), interest.id) is not None


def test_a_second_interest_keeps_all_closed_when_the_first_is_accepted(clearing: Clearing) -> None:
    clearing.clear("leyla")
    first, second = add(clearing), add(clearing, text="And a contract with the ministry.")
    decide(clearing, first)
    assert not clearing.is_cleared("leyla")
    decide(clearing, second)
    assert clearing.is_cleared("leyla")


def test_asking_for_another_person_closes_the_undertaking(clearing: Clearing) -> None:
    clearing.clear("leyla")
    decide(clearing, add(clearing, places=POLICE), REPLACE, "Too close to the guards.")
    assert clearing.undertaking("leyla").state is UndertakingState.CLOSED
    assert not clearing.is_cleared("leyla")


def test_a_refused_person_is_not_cleared_before_the_npm_decides_again(clearing: Clearing) -> None:
    clearing.clear("leyla")
    interest = add(clearing)
    decide(clearing, interest, REPLACE, "Too close to the guards.")
    service.ask_again(clearing.actor("tomas"), clearing.undertaking("leyla").id)
    clearing.sign("leyla")
    with pytest.raises(RefusedError, match="ask for somebody else"):
        clearing.countersign("leyla")
    decide(clearing, interest)
    clearing.countersign("leyla")
    assert clearing.is_cleared("leyla")


def test_withdrawing_and_signing_again_does_not_get_round_a_decision(clearing: Clearing) -> None:
    clearing.clear("leyla")
    interest = add(clearing)
    service.withdraw(clearing.actor("leyla"), clearing.undertaking("leyla").id)
    assert kinds(clearing, "tomas").count(TaskKind.DECIDE_ADDED) == 0
    service.ask_again(clearing.actor("leyla"), clearing.undertaking("leyla").id)
    clearing.sign("leyla")
    assert kinds(clearing, "tomas").count(TaskKind.DECIDE_ADDED) == 1
    with pytest.raises(RefusedError, match="that the person added"):
        clearing.countersign("leyla")
    decide(clearing, interest)
    clearing.countersign("leyla")
    assert clearing.is_cleared("leyla")


def test_signing_again_lifts_no_limit_until_the_npm_decides_again(clearing: Clearing) -> None:
    def sign_again(interests: str = "") -> None:
        own = clearing.undertaking("leyla").id
        service.withdraw(clearing.actor("leyla"), own)
        service.ask_again(clearing.actor("leyla"), own)
        clearing.sign("leyla", interests)

    def closed() -> list[tuple[UUID, Places]]:
        in_cooperation = added_interests.closed_in(clearing.cooperation.id)
        return [(part.user_id, part.places) for part in in_cooperation]

    limited = [(clearing.id("leyla"), HARBOUR)]
    clearing.sign("leyla", TEXT)
    clearing.decide("leyla", LIMIT, "Not there.")
    assert closed() == limited
    sign_again()
    assert closed() == limited
    assert added_interests.bearing_of(clearing.undertaking("leyla")).is_limited
    shown = pages.decided(clearing.undertaking("leyla"), "en")
    assert shown is not None
    assert (shown.limit, shown.reason, shown.is_earlier) == (HARBOUR.name, "", True)
    sign_again(TEXT)
    clearing.decide("leyla", REPLACE, "Somebody else has to come.")
    assert closed() == limited
    clearing.decide("leyla")
    assert closed() == []
    assert not added_interests.bearing_of(clearing.undertaking("leyla")).is_limited


def sign_again_without_interests(clearing: Clearing) -> UUID:
    """Have a person sign anew once an interest was limited; return the first undertaking's id."""
    clearing.sign("leyla", TEXT)
    clearing.decide("leyla", LIMIT, "Not there.")
    first = clearing.undertaking("leyla").id
    service.withdraw(clearing.actor("leyla"), first)
    service.ask_again(clearing.actor("leyla"), first)
    clearing.sign("leyla")
    return first


def test_the_npm_lifts_an_earlier_limit_where_a_person_now_declares_none(
    clearing: Clearing,
) -> None:
    sign_again_without_interests(clearing)
    assert list(added_interests.closed_in(clearing.cooperation.id)) != []
    # The limit simply goes on if the NPM decides nothing.
    assert not queries.load(clearing.undertaking("leyla")).standing.waits_for_decision
    clearing.decide("leyla", ACCEPT)
    assert list(added_interests.closed_in(clearing.cooperation.id)) == []
    clearing.countersign("leyla")
    assert clearing.is_cleared("leyla")


def test_nothing_is_decided_where_a_person_declares_none_and_no_limit_holds(
    clearing: Clearing,
) -> None:
    clearing.sign("leyla")
    with pytest.raises(RefusedError, match="declared no interests"):
        clearing.decide("leyla", ACCEPT)


def test_a_limit_lifted_in_the_database_lets_nobody_countersign_a_later_undertaking(
    clearing: Clearing,
) -> None:
    first = sign_again_without_interests(clearing)
    db.session.commit()
    rows = table_of(Undertaking)
    with hands() as connection:
        connection.execute(sa.update(rows).where(rows.c.id == first).values(decision=ACCEPT))
    db.session.expire_all()
    with pytest.raises(RuleBrokenError, match="differs from the signatures and the history"):
        clearing.countersign("leyla")


def test_an_old_limit_without_places_closes_nothing_and_says_so(clearing: Clearing) -> None:
    clearing.sign("leyla", TEXT)
    clearing.decide("leyla", LIMIT, "Not at Lower Harbour.")
    encryption.put_decision(clearing.undertaking("leyla"), "Not at Lower Harbour.", None)
    assert list(added_interests.closed_in(clearing.cooperation.id)) == []
    shown = pages.decided(clearing.undertaking("leyla"), "en")
    assert shown is not None
    assert shown.names_no_place
    assert shown.reason == "Not at Lower Harbour."


def test_an_interest_added_before_the_countersignature_is_decided_first(clearing: Clearing) -> None:
    clearing.sign("leyla")
    add(clearing)
    with pytest.raises(RefusedError, match="that the person added"):
        clearing.countersign("leyla")


def test_nothing_is_added_before_signing_or_after_the_end(clearing: Clearing) -> None:
    with pytest.raises(RefusedError, match="are declared in it"):
        add(clearing)
    clearing.clear("leyla")
    service.withdraw(clearing.actor("leyla"), clearing.undertaking("leyla").id)
    with pytest.raises(RefusedError, match="is closed"):
        add(clearing)


def test_nobody_adds_for_another_who_has_an_account_or_what_does_not_fit(
    clearing: Clearing,
) -> None:
    clearing.clear("leyla")
    for key, reason in (
        ("dina", "for somebody else"),
        ("samira", "for somebody else"),
        ("tomas", "declares their own interests"),
        ("ilena", "declares their own interests"),
    ):
        with pytest.raises(RefusedError, match=reason):
            adding.add(clearing.actor(key), clearing.undertaking("leyla").id, TEXT, ALL)
    # What doesn't fit is named beside its field.
    for text, places, field in (
        (" ", ALL, "interest"),
        ("x" * 5001, ALL, "interest"),
        (TEXT, Places(Reach.KIND), "kind"),
        (TEXT, Places(Reach.KIND, kind="other"), "kind"),
        (TEXT, Places(Reach.NAMED, name=" "), "place"),
        (TEXT, Places(Reach.NAMED, name="x" * 201), "place"),
    ):
        with pytest.raises(RuleBrokenError) as error:
            add(clearing, places=places, text=text)
        assert error.value.field == field
    assert clearing.is_cleared("leyla")


def test_only_the_npms_signatories_and_managers_decide_in_words_that_fit_and_the_first_of_two(
    clearing: Clearing,
) -> None:
    clearing.clear("leyla")
    clearing.clear("dina")
    interest = add(clearing)
    # The NPM has a task, and the person waits.
    assert TaskKind.DECIDE_ADDED in kinds(clearing, "tomas")
    assert TaskKind.DECIDE_ADDED not in kinds(clearing, "ilena")
    waits = waiting.tasks(clearing.actor("leyla")).others
    assert [task.kind for task in waits] == [TaskKind.WAITS_FOR_NPM]
    for key in NOT_DECIDERS:
        with pytest.raises(RefusedError):
            decide(clearing, interest, by=key)
    # Nor is it decided by somebody else's undertaking.
    with pytest.raises(LookupError):
        decide(clearing, interest, key="dina")
    for decision, reason, places, field in (
        (LIMIT, "", POLICE, "reason"),
        (REPLACE, " ", None, "reason"),
        (LIMIT, "Not there.", None, "reach"),
        (LIMIT, "Not there.", ALL, "reach"),
        (LIMIT, "Not there.", Places(Reach.NAMED), "place"),
    ):
        with pytest.raises(RuleBrokenError) as error:
            decide(clearing, interest, decision, reason, places)
        assert error.value.field == field
    assert interest.decision is None
    assert not clearing.is_cleared("leyla")
    own, seen = clearing.undertaking("leyla").id, adding.mark(interest)
    decide(clearing, interest)
    with pytest.raises(StaleError):
        adding.decide(clearing.actor("milan"), own, interest.id, LIMIT, "No.", seen=seen)


def test_the_trail_says_neither_whose_nor_what_and_it_is_stored_encrypted(
    clearing: Clearing,
) -> None:
    clearing.clear("leyla")
    quillfen = Places(Reach.NAMED, name="Quillfen")
    interest = add(clearing, places=quillfen)
    decide(clearing, interest, LIMIT, "Never in Quillfen.", quillfen)
    decided, added = trail.subject_history(clearing.cooperation.id, [interest.id])
    assert (added.verb, added.details, added.who) == ("interest_added", {}, None)
    assert (decided.verb, decided.details) == ("interests_decided", {})
    assert b"Quillfen" not in interest.sealed_content
    assert b"Quillfen" not in (interest.sealed_decision or b"")
    assert added_interests.text_of(interest) == TEXT
    assert added_interests.limit_of(interest) == quillfen


def test_mails_say_neither_who_nor_what(clearing: Clearing, session: Session) -> None:
    clearing.clear("leyla", TOLD)
    before = set(session.scalars(sa.select(OutboxMessage.id)))
    decide(clearing, add(clearing))
    mails = [m for m in session.scalars(sa.select(OutboxMessage)) if m.id not in before]
    assert {m.kind for m in mails} == {"interest_added", "undertaking_decided"}
    deciders = {clearing.demo_people.users[key].email for key in ("tomas", "milan")}
    assert {m.recipient for m in mails if m.kind == "interest_added"} == deciders
    assert not any("Leyla" in m.subject for m in mails)


def test_new_terms_do_not_forget_an_interest_that_waits(clearing: Clearing) -> None:
    clearing.clear("leyla")
    add(clearing)
    clearing.amend()
    clearing.sign("leyla")
    with pytest.raises(RefusedError, match="that the person added"):
        clearing.countersign("leyla")
