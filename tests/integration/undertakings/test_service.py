"""The service functions of undertakings: each checks its policy, changes, records and mails.

In one file: each function begins where the one before it ends.
"""

import datetime as dt
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import replace
from itertools import product
from uuid import UUID, uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories import undertakings
from tests.factories.undertakings import HARBOUR, TOLD, Clearing
from tests.integration.undertakings.conftest import Clock
from tests.services import put
from tracker.access.page_tokens import NotShownError
from tracker.activity import queries as trail
from tracker.activity.models import Event
from tracker.checklist_templates.models import AnswerScope
from tracker.checklists import service as checklists
from tracker.cooperations import keys
from tracker.cooperations.models import Clearance, ClearanceScope, Mode
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError
from tracker.demo.people import DemoPeople
from tracker.lifecycle.policy import gates as gates_of
from tracker.lifecycle.queries import facts_of
from tracker.mail.models import OutboxMessage
from tracker.signoff import service as signoff
from tracker.signoff import shown
from tracker.signoff.identity_proof import Identity, SigningPage
from tracker.signoff.models import Revision, Signature, SignatureKind
from tracker.undertakings import encryption, queries, service, waiting
from tracker.undertakings.clearing_states import ClearingState, Interests, clearing_states
from tracker.undertakings.facts import Draft
from tracker.undertakings.models import InterestsDecision, Reach, UndertakingEnd, UndertakingState
from tracker.undertakings.places import Places
from tracker.undertakings.queries import (
    VISIT_READER,
    VisitChoice,
    VisitReader,
)
from tracker.undertakings.waiting import TaskKind

OTHERS = ["dina", "otto", "joana", "samira", "henrik", "tomas", "milan", "ilena", "greta", "iris"]
NOT_DECIDERS = [
    "leyla",
    "otto",
    "joana",
    "henrik",
    "samira",
    "ilena",
    "nadia",
    "marek",
    "greta",
    "iris",
]


def document(revision: Revision) -> dict[str, object]:
    return signoff.document_of(revision, keys.key_of(revision.cooperation_id))


def revision_of(clearing: Clearing, key: str) -> Revision:
    revision_id = clearing.undertaking(key).revision_id
    assert revision_id is not None
    return db.session.get_one(Revision, revision_id)


def signatures(revision: Revision) -> dict[SignatureKind, Signature]:
    rows = db.session.scalars(sa.select(Signature).where(Signature.revision_id == revision.id))
    return {row.kind: row for row in rows}


def evidence(clearing: Clearing) -> list[str]:
    rows = db.session.scalars(
        sa.select(Event.evidence).where(
            Event.evidence.is_not(None), Event.subject_type == "undertaking"
        )
    )
    return [row for row in rows if row]


def sign_again(
    clearing: Clearing,
    key: str,
    page: SigningPage | None = None,
    identity: Identity | None = None,
) -> None:
    service.sign(
        clearing.actor(key),
        clearing.undertaking(key).id,
        page=page or clearing.page(key, "I undertake this."),
        sentence="I undertake this.",
        language="en",
        identity=identity or clearing.proof(key),
    )


def accepted_from(people: list[str], act: Callable[[str], object], why: str = "") -> list[str]:
    """Return who of some people is not refused an act, or for another reason."""
    accepted = []
    for key in people:
        try:
            act(key)
        except RefusedError as refusal:
            if why in str(refusal):
                continue
        accepted.append(key)
    return accepted


# The draft -------------------------------------------------------------------------------------


def test_a_draft_is_kept_as_it_was_typed_and_records_no_event(clearing: Clearing) -> None:
    before, _lines = trail.history(clearing.cooperation.id)
    draft = clearing.put_in("leyla", TOLD, briefed=False, briefed_on=None, is_ready=False)
    assert encryption.draft_of(clearing.undertaking("leyla")) == draft
    assert clearing.undertaking("leyla").state is UndertakingState.ASKED
    after, _lines = trail.history(clearing.cooperation.id)
    assert after == before


def test_nobody_fills_in_anything_for_another_or_beyond_its_limit_or_after_signing(
    clearing: Clearing,
) -> None:
    own = clearing.undertaking("leyla").id
    draft = encryption.draft_of(clearing.undertaking("leyla"))

    def fill_in(key: str) -> None:
        service.save_draft(clearing.actor(key), own, Draft())

    assert accepted_from(OTHERS, fill_in, "You can't sign for somebody else") == []
    assert encryption.draft_of(clearing.undertaking("leyla")) == draft
    with pytest.raises(RuleBrokenError, match="at most") as caught:
        clearing.put_in("leyla", "x" * (service.MAX_INTERESTS + 1))
    assert caught.value.field == "interests"
    clearing.put_in("leyla", "x" * service.MAX_INTERESTS)
    clearing.sign("leyla")
    with pytest.raises(RefusedError, match="already signed this undertaking"):
        clearing.put_in("leyla")


# Signing ---------------------------------------------------------------------------------------


def test_signing_freezes_what_was_put_in(clearing: Clearing) -> None:
    clearing.sign("leyla", TOLD)
    revision = revision_of(clearing, "leyla")
    text = document(revision)
    assert revision.is_sealed
    assert revision.subject_id == clearing.undertaking("leyla").id
    assert text["person"] == {
        "id": str(clearing.id("leyla")),
        "name": "Leyla Marchetti",
        "function": "Physician",
    }
    assert text["organisation"] == {
        "id": str(clearing.demo_people.bodies["lh"].id),
        "name": "Lantern Health Network",
    }
    in_force = db.session.get_one(Revision, clearing.checklist.revision_in_force_id)
    terms = text["terms"]
    assert isinstance(terms, dict)
    assert (terms["revision"], terms["digest"]) == (1, in_force.digest)
    points = text["points"]
    assert isinstance(points, list)
    codes = ["C6", "C6", "C7", "C8", "C10", "C14", "C15", "C17"]
    assert [point["code"] for point in points] == codes
    assert all(point["confirmed"] for point in points)
    questions = queries.questions_of(queries.load(clearing.undertaking("leyla")))
    assert text["interests"] == {
        "question": {"en": questions.interests.prompt if questions.interests else ""},
        "declared": True,
        "text": TOLD,
    }
    assert text["sentence"] == {"en": "I, Leyla Marchetti, undertake this."}


def test_a_person_signs_in_their_own_name_and_only_people_who_decide_get_a_mail(
    clearing: Clearing,
) -> None:
    clearing.sign("leyla", TOLD)
    undertaking = clearing.undertaking("leyla")
    assert undertaking.state is UndertakingState.SIGNED
    assert undertaking.signed_at is not None
    assert undertaking.briefed_on == clock.today()
    assert undertaking.has_interests is True
    assert undertaking.sealed_draft is None
    assert not clearing.is_cleared("leyla")
    signature = signatures(revision_of(clearing, "leyla"))[SignatureKind.SIGNATURE]
    assert signature.user_id == clearing.id("leyla")
    assert signature.organisation_id is None
    assert signature.signer_name == "Leyla Marchetti"
    assert signature.organisation_name == "Lantern Health Network"
    rows = db.session.scalars(
        sa.select(OutboxMessage).where(OutboxMessage.kind == "undertaking_signed")
    ).all()
    assert {row.recipient for row in rows} == {
        clearing.demo_people.users["tomas"].email,
        clearing.demo_people.users["milan"].email,
    }
    for row in rows:
        assert "Leyla" not in row.body
        assert "Leyla" not in row.subject


def test_each_step_to_a_clearance_is_a_task_of_the_next_person_and_bound_by_one_event(
    clearing: Clearing,
) -> None:
    assert kinds(clearing, "leyla") == ([TaskKind.SIGN], [])
    assert kinds(clearing, "tomas") == ([], [TaskKind.WAITS_FOR_PEOPLE])
    clearing.sign("leyla", TOLD)
    assert kinds(clearing, "leyla") == ([], [TaskKind.WAITS_FOR_NPM])
    assert kinds(clearing, "milan")[0] == [TaskKind.DECIDE]
    clearing.decide("leyla")
    assert kinds(clearing, "tomas")[0] == [TaskKind.COUNTERSIGN]
    clearing.countersign("leyla")
    assert kinds(clearing, "leyla") == ([], [])
    assert kinds(clearing, "tomas")[0] == []
    revision = revision_of(clearing, "leyla")
    by_kind = signatures(revision)
    assert sorted(evidence(clearing)) == sorted(
        [
            signoff.evidence_of_revision(revision),
            by_kind[SignatureKind.SIGNATURE].digest,
            by_kind[SignatureKind.COUNTERSIGNATURE].digest,
        ]
    )
    lines = trail.subject_history(clearing.cooperation.id, [clearing.undertaking("leyla").id])
    assert [line.verb for line in reversed(lines)] == [
        "undertaking_asked",
        "undertaking_frozen",
        "undertaking_signed",
        "interests_decided",
        "undertaking_countersigned",
    ]
    decided = next(line for line in lines if line.verb == "interests_decided")
    assert decided.details == {}


def test_nobody_signs_for_another(clearing: Clearing) -> None:
    def sign(key: str) -> None:
        clearing.sign("leyla", by=key)

    assert accepted_from(OTHERS, sign, "You can't sign for somebody else") == []
    assert clearing.undertaking("leyla").state is UndertakingState.ASKED
    assert evidence(clearing) == []


def test_a_proof_of_another_person_or_an_old_one_signs_nothing(clearing: Clearing) -> None:
    clearing.put_in("leyla")
    old = replace(clearing.proof("leyla"), at=clock.now() - dt.timedelta(minutes=3))
    for identity, why in (
        (clearing.proof("otto"), "belongs to another person"),
        (old, "too old"),
    ):
        with pytest.raises(RefusedError, match=why):
            sign_again(clearing, "leyla", identity=identity)


def test_only_a_complete_draft_that_was_read_is_signed_and_only_once(clearing: Clearing) -> None:
    for lacking in ({"confirmed": frozenset({"c6_confirmed"})}, {"is_ready": False}):
        clearing.put_in("leyla", **lacking)
        with pytest.raises(RuleBrokenError, match="Something is missing"):
            sign_again(clearing, "leyla")
    clearing.put_in("leyla", "A cousin.")
    read = clearing.page("leyla", "I undertake this.")
    clearing.put_in("leyla", "Nothing.")
    with pytest.raises(NotShownError, match="changed after you opened it"):
        sign_again(clearing, "leyla", read)
    page = clearing.page("leyla", "I undertake this.")
    sign_again(clearing, "leyla", page)
    with pytest.raises(RefusedError, match="already signed this undertaking"):
        sign_again(clearing, "leyla", page)
    assert len(signatures(revision_of(clearing, "leyla"))) == 1


def test_an_undertaking_based_on_replaced_terms_is_not_signed(clearing: Clearing) -> None:
    clearing.put_in("leyla")
    old, page = clearing.undertaking("leyla").id, clearing.page("leyla", "I undertake this.")
    clearing.amend()
    with pytest.raises(RefusedError, match="has been closed"):
        service.sign(
            clearing.actor("leyla"),
            old,
            page=page,
            sentence="I undertake this.",
            language="en",
            identity=clearing.proof("leyla"),
        )


def test_terms_that_have_run_out_are_not_signed(clearing: Clearing, frozen_time: Clock) -> None:
    clearing.put_in("leyla")
    frozen_time(clock.now() + dt.timedelta(days=undertakings.DAYS + 1))
    with pytest.raises(RefusedError, match="has passed"):
        clearing.sign("leyla")


# Deciding --------------------------------------------------------------------------------------


def test_the_npm_decides_with_a_reason_and_may_decide_again(clearing: Clearing) -> None:
    clearing.sign("leyla", TOLD)
    for decision, by in product(InterestsDecision, ("tomas", "milan")):
        reason = f"{decision} by {by}: not at Lower Harbour."
        clearing.decide("leyla", decision, reason, by=by)
        undertaking = clearing.undertaking("leyla")
        assert undertaking.decision is decision
        assert undertaking.decided_by_id == clearing.id(by)
        assert encryption.decision_reason_of(undertaking) == reason
        limit = HARBOUR if decision is InterestsDecision.LIMIT else None
        assert encryption.limit_of(undertaking) == limit


def test_only_the_npm_decides_and_a_limit_needs_its_reason_and_places(clearing: Clearing) -> None:
    clearing.sign("leyla", TOLD)
    limit = InterestsDecision.LIMIT
    for decision, reason in product((limit, InterestsDecision.REPLACE), ("", "   ")):
        with pytest.raises(RuleBrokenError, match="what you decide, and why") as caught:
            clearing.decide("leyla", decision, reason)
        assert caught.value.field == "reason"
    for places, field in ((None, "reach"), (Places(Reach.KIND), "kind")):
        with pytest.raises(RuleBrokenError) as caught:
            clearing.decide("leyla", limit, "Not there.", places)
        assert caught.value.field == field
    with pytest.raises(RuleBrokenError, match="at most"):
        clearing.decide("leyla", limit, "x" * (service.MAX_REASON + 1))
    assert accepted_from(NOT_DECIDERS, lambda key: clearing.decide("leyla", by=key)) == []
    assert clearing.undertaking("leyla").decision is None
    with pytest.raises(RefusedError, match="Decide on the interests first"):
        clearing.countersign("leyla")


def test_a_decision_may_change_until_it_is_countersigned(clearing: Clearing) -> None:
    clearing.sign("leyla", TOLD)
    clearing.decide("leyla", InterestsDecision.REPLACE, "Too near.")
    # An undertaking to be replaced is nobody's task.
    assert kinds(clearing, "tomas")[0] == []
    with pytest.raises(RefusedError, match="somebody else"):
        clearing.countersign("leyla")
    clearing.decide("leyla", InterestsDecision.LIMIT, "Not at Lower Harbour.", by="milan")
    clearing.countersign("leyla")
    with pytest.raises(RefusedError, match="nothing to decide"):
        clearing.decide("leyla")


def test_the_mail_tells_the_person_that_a_decision_was_made_but_not_which(
    clearing: Clearing,
) -> None:
    clearing.sign("leyla", TOLD)
    clearing.decide("leyla", InterestsDecision.REPLACE, "Too near to Lower Harbour.")
    row = db.session.scalars(
        sa.select(OutboxMessage).where(OutboxMessage.kind == "undertaking_decided")
    ).one()
    assert row.recipient == clearing.demo_people.users["leyla"].email
    for word in ("Lower Harbour", "replace", "somebody else", "Too near"):
        assert word not in row.body
        assert word not in row.subject


# Countersigning --------------------------------------------------------------------------------


def test_a_countersignature_opens_a_clearance(clearing: Clearing) -> None:
    clearing.sign("leyla")
    clearance = clearing.countersign("leyla")
    terms = queries.load(clearing.undertaking("leyla")).terms
    assert clearing.undertaking("leyla").state is UndertakingState.COUNTERSIGNED
    assert clearance.scope is ClearanceScope.ALL
    assert (clearance.from_on, clearance.until_on) == (clock.today(), terms.until)
    assert clearance.undertaking_id == clearing.undertaking("leyla").id
    assert clearing.is_cleared("leyla")
    assert not clearing.is_cleared("otto")
    signature = signatures(revision_of(clearing, "leyla"))[SignatureKind.COUNTERSIGNATURE]
    assert signature.organisation_id == clearing.demo_people.bodies["npm"].id
    assert signature.power == "section 12 of the People's Advocate Act"


def test_nobody_but_signatories_and_managers_countersigns_what_is_signed_within_its_terms_and_once(
    clearing: Clearing,
) -> None:
    with pytest.raises(RefusedError, match="has not signed yet"):
        clearing.countersign("leyla")
    clearing.sign("leyla")
    assert accepted_from(NOT_DECIDERS, lambda key: clearing.countersign("leyla", by=key)) == []
    with pytest.raises(RuleBrokenError, match="limited to one visit"):
        clearing.countersign("leyla", visit_id=uuid4())
    until = queries.load(clearing.undertaking("leyla")).terms.until
    for day in (until + dt.timedelta(days=1), clock.today() - dt.timedelta(days=1)):
        with pytest.raises(RuleBrokenError) as caught:
            clearing.countersign("leyla", until=day)
        assert caught.value.field == "until"
    # Nothing declared needs no decision.
    states = clearing_states(clearing.cooperation.id, [clearing.id("leyla")])
    assert states[clearing.id("leyla")].interests is Interests.NONE
    assert not clearing.is_cleared("leyla")
    last = clock.today() + dt.timedelta(days=30)
    assert clearing.countersign("leyla", by="milan", until=last).until_on == last
    assert clearing.is_cleared("leyla")
    with pytest.raises(RefusedError, match="already been countersigned"):
        clearing.countersign("leyla", by="milan")
    assert len(db.session.scalars(sa.select(Clearance)).all()) == 1


def test_the_second_of_two_simultaneous_deciders_sees_the_first_decision(
    clearing: Clearing,
) -> None:
    """product.md, 4.6."""
    clearing.sign("leyla", TOLD)
    undertaking = clearing.undertaking("leyla")
    seen = service.decision_mark(undertaking)
    limit = InterestsDecision.LIMIT
    clearing.decide("leyla", limit, "Not at Lower Harbour.")
    with pytest.raises(StaleError, match="Somebody decided while you were writing"):
        service.decide(clearing.actor("milan"), undertaking.id, InterestsDecision.ACCEPT, seen=seen)
    assert clearing.undertaking("leyla").decision is limit
    again = service.decision_mark(clearing.undertaking("leyla"))
    service.decide(clearing.actor("milan"), undertaking.id, InterestsDecision.ACCEPT, seen=again)
    assert clearing.undertaking("leyla").decision is InterestsDecision.ACCEPT


def test_a_countersignature_is_on_what_was_read(clearing: Clearing) -> None:
    """product.md, 5.3."""
    clearing.sign("leyla")
    for page in (None, shown.page_with("f" * 64)):
        with pytest.raises(NotShownError):
            service.countersign(
                clearing.actor("tomas"),
                clearing.undertaking("leyla").id,
                opened=service.page_1_token(clearing.actor("tomas"), clearing.undertaking("leyla")),
                page=page,
                until=clock.today(),
                sentence="I countersign.",
                language="en",
                identity=clearing.proof("tomas"),
            )
        assert not clearing.is_cleared("leyla"), page


def test_an_undertaking_signed_on_replaced_terms_is_not_countersigned(clearing: Clearing) -> None:
    clearing.sign("leyla")
    old = clearing.undertaking("leyla").id
    clearing.amend()
    with pytest.raises(RefusedError, match="was closed"):
        service.countersign(
            clearing.actor("tomas"),
            old,
            opened="",
            page=None,
            until=clock.today(),
            sentence="I countersign.",
            language="en",
            identity=clearing.proof("tomas"),
        )


def test_a_person_with_a_signatorys_role_does_not_countersign_their_own(clearing: Clearing) -> None:
    """Even when the NPM lists its own signatory."""
    clearing.list_people("npm", "marek", "tomas")
    clearing.sign("tomas", TOLD)
    with pytest.raises(RefusedError, match="your own"):
        clearing.decide("tomas", by="tomas")
    clearing.decide("tomas", by="milan")
    with pytest.raises(RefusedError, match="your own"):
        clearing.countersign("tomas", by="tomas")
    clearing.countersign("tomas", by="milan")
    assert clearing.is_cleared("tomas")


# What the terms cover --------------------------------------------------------------------------


@pytest.fixture
def with_visits(app: Flask) -> Callable[[VisitReader], None]:
    return lambda reader: put(app, VISIT_READER.holding(reader))


def covering(demo_people: DemoPeople, scope: str) -> Clearing:
    until = clock.today() + dt.timedelta(days=90)
    covers = {"scope": scope, "which": "The one in the south", "until": until.isoformat()}
    return undertakings.clearing(demo_people, covers=covers)


def test_a_clearance_for_one_visit_waits_until_a_visit_is_planned_and_opens_only_that_visit(
    demo_people: DemoPeople, with_visits: Callable[..., None]
) -> None:
    visits: list[VisitChoice] = []
    with_visits(lambda _cooperation_id: visits)
    clearing = covering(demo_people, "one_visit")

    def not_cleared() -> str:
        gates = {gate.code: gate for gate in gates_of(facts_of(clearing.cooperation))}
        return " ".join(str(missing.reason) for missing in gates["G4"].missing)

    def cleared(visit_id: UUID | None) -> bool:
        states = clearing_states(clearing.cooperation.id, [clearing.id("leyla")], visit_id)
        return states[clearing.id("leyla")].cleared

    clearing.sign("leyla")
    with pytest.raises(RuleBrokenError, match="no visit is planned yet") as caught:
        clearing.countersign("leyla", visit_id=uuid4())
    assert caught.value.field == "visit_id"
    visits += [VisitChoice(uuid4(), 1), VisitChoice(uuid4(), 2)]
    for wrong in (None, uuid4()):
        with pytest.raises(RuleBrokenError, match="Choose which visit"):
            clearing.countersign("leyla", visit_id=wrong)
    assert "Leyla Marchetti" in not_cleared()
    clearance = clearing.countersign("leyla", visit_id=visits[1].id)
    assert clearance.scope is ClearanceScope.VISIT
    for visit_id, is_open in ((visits[1].id, True), (visits[0].id, False), (None, False)):
        assert clearing.is_cleared("leyla", visit_id) is is_open
        assert cleared(visit_id) is is_open
    # Where the terms cover one visit, who is cleared for one is no longer missing.
    assert "Leyla Marchetti" not in not_cleared()
    _total, lines = trail.history(clearing.cooperation.id)
    opened = next(line for line in lines if line.verb == "clearance_opened")
    assert "until" not in opened.details


def test_a_clearance_for_one_project_opens_that_project(demo_people: DemoPeople) -> None:
    clearing = covering(demo_people, "one_project")
    clearing.sign("leyla")
    clearance = clearing.countersign("leyla")
    assert clearance.scope is ClearanceScope.PROJECT


# Withdrawing and asking again -------------------------------------------------------------------


def test_a_person_withdraws_when_signed_or_cleared_once_and_starts_again(
    clearing: Clearing,
) -> None:
    old = clearing.undertaking("leyla").id
    for come_so_far in (clearing.sign, clearing.clear):
        come_so_far("leyla")
        old = clearing.undertaking("leyla").id
        service.withdraw(clearing.actor("leyla"), old)
        assert not clearing.is_cleared("leyla")
        assert clearing.undertaking("leyla").id == old
        assert clearing.undertaking("leyla").closed_reason == UndertakingEnd.WITHDRAWN
        # The signatures stay.
        assert signatures(revision_of(clearing, "leyla"))
        with pytest.raises(RefusedError, match="already been closed"):
            service.withdraw(clearing.actor("leyla"), old)
        asked_anew = service.ask_again(clearing.actor("leyla"), old)
        assert asked_anew.id != old
        assert not clearing.is_cleared("leyla")
    clearing.clear("leyla", TOLD)
    assert clearing.is_cleared("leyla")
    with pytest.raises(RefusedError, match="already been asked"):
        service.ask_again(clearing.actor("ilena"), old)


def test_only_the_npm_withdraws_a_clearance_of_another_with_a_reason_and_asks_again(
    clearing: Clearing,
) -> None:
    clearing.clear("leyla")
    own = clearing.undertaking("leyla").id

    def withdraw(key: str) -> None:
        service.withdraw_clearance(clearing.actor(key), own, "Because.")

    assert accepted_from(OTHERS, lambda key: service.withdraw(clearing.actor(key), own)) == []
    assert accepted_from(NOT_DECIDERS, withdraw) == []
    for reason in ("", " "):
        with pytest.raises(RuleBrokenError, match="Give the reason"):
            service.withdraw_clearance(clearing.actor("tomas"), own, reason)
    assert clearing.is_cleared("leyla")
    service.withdraw_clearance(clearing.actor("milan"), own, "Spoke to the press.")
    assert not clearing.is_cleared("leyla")
    undertaking = clearing.undertaking("leyla")
    assert undertaking.closed_reason == UndertakingEnd.WITHDRAWN_BY_NPM
    assert encryption.closing_reason_of(undertaking) == "Spoke to the press."
    with pytest.raises(RefusedError, match="Only the NPM can ask"):
        service.ask_again(clearing.actor("leyla"), own)
    service.ask_again(clearing.actor("ilena"), own)
    assert clearing.undertaking("leyla").state is UndertakingState.ASKED


# What waits, and how far each is ----------------------------------------------------------------


def kinds(clearing: Clearing, key: str) -> tuple[list[TaskKind], list[TaskKind]]:
    open_tasks = waiting.tasks(clearing.actor(key))
    return [task.kind for task in open_tasks.mine], [task.kind for task in open_tasks.others]


@pytest.mark.both_databases
def test_coordinators_see_how_many_of_their_own_are_waited_for(clearing: Clearing) -> None:
    def waited_for(key: str) -> list[int]:
        return [
            task.count
            for task in waiting.tasks(clearing.actor(key)).others
            if task.kind is TaskKind.WAITS_FOR_PEOPLE
        ]

    assert waited_for("ilena") == [7]
    assert waited_for("joana") == [2]
    assert waited_for("samira") == [2]
    assert waited_for("leyla") == []
    assert waited_for("greta") == []
    assert waited_for("iris") == []
    assert waited_for("celia") == []


def test_each_step_triggers_a_readiness_check(clearing: Clearing) -> None:
    def state() -> ClearingState:
        return clearing_states(clearing.cooperation.id, [clearing.id("leyla")])[
            clearing.id("leyla")
        ]

    assert state() == ClearingState()
    clearing.sign("leyla", TOLD)
    signed = ClearingState(briefed_on=clock.today(), interests=Interests.UNDECIDED, signed=True)
    assert state() == signed
    clearing.decide("leyla", InterestsDecision.LIMIT, "Not at Lower Harbour.")
    assert state() == replace(signed, interests=Interests.LIMIT)
    clearance = clearing.countersign("leyla")
    assert state() == replace(
        signed,
        interests=Interests.LIMIT,
        countersigned=True,
        cleared=True,
        until=clearance.until_on,
    )
    clearing.amend()
    assert state() == ClearingState()


@pytest.mark.both_databases
def test_readiness_takes_as_many_queries_for_many_as_for_one(
    clearing: Clearing,
    session: Session,
    statements: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    for key in ("leyla", "otto", "dina"):
        clearing.clear(key)

    ids_of = {key: clearing.id(key) for key in ("leyla", "otto", "dina", "samira", "henrik")}
    cooperation_id = clearing.cooperation.id
    session.commit()

    def count(*names: str) -> int:
        ids = [ids_of[key] for key in names]
        session.rollback()
        session.expunge_all()
        with statements() as seen:
            clearing_states(cooperation_id, ids)
        return len(seen)

    assert count("leyla") == count(*ids_of)


def test_terms_of_another_mode_leave_out_what_they_do_not_require(demo_people: DemoPeople) -> None:
    clearing = undertakings.clearing(
        demo_people, modes=(Mode.INFO_F,), questions={"personal_data": "no"}
    )
    clearing.sign("leyla")
    points = document(revision_of(clearing, "leyla"))["points"]
    assert isinstance(points, list)
    assert "C14" not in [point["code"] for point in points]


def test_an_answer_to_another_item_asks_nobody(clearing: Clearing) -> None:
    clearing.list_people("lh", "leyla")
    before, _lines = trail.history(clearing.cooperation.id)
    checklists.save_answer(
        clearing.actor("joana"),
        clearing.checklist,
        "C2",
        AnswerScope.PARTY,
        {"listed": "people", "persons": [stage_row(clearing)]},
        base_version=2,
    )
    _total, lines = trail.history(clearing.cooperation.id)
    after = trail.history(clearing.cooperation.id)[0]
    assert after == before + 1
    assert lines[0].verb == "answer_saved"


def stage_row(clearing: Clearing) -> dict[str, str]:
    return {
        "person": str(clearing.id("leyla")),
        "function": "Physician and trainer",
        "organisation": str(clearing.demo_people.bodies["lh"].id),
    }
