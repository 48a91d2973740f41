"""A cooperation from opening to active, and back, by answers and signatures of both sides."""

import datetime as dt
from collections.abc import Callable
from uuid import UUID

import pytest
from flask import Flask, current_app
from sqlalchemy.orm import Session

from tests import starting_points
from tests.factories.checklists import decline_text, flag_term, read_second
from tests.factories.undertakings import everybody
from tracker.activity import queries as trail
from tracker.activity.stale import recompute
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import service as checklists
from tracker.checklists.loading import load
from tracker.checklists.models import Checklist, Stance
from tracker.checklists.negotiation import positions, safeguards
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import Cooperation, Mode, Stage
from tracker.core import clock
from tracker.core.db import db
from tracker.demo import checklists as demo_checklists
from tracker.demo import people
from tracker.demo.people import DemoPeople
from tracker.lifecycle import policy, queries, service

pytestmark = [pytest.mark.both_databases, pytest.mark.some_on_postgresql(3)]

TERMS, CONFIDENTIALITY = ChecklistKind.TERMS, ChecklistKind.CONFIDENTIALITY


@pytest.fixture
def demo_people(app: Flask, session: Session) -> DemoPeople:
    """Everybody of the fictional country."""
    starting_points.of(app).use("country_of_the_demonstration", _people)
    return everybody()


def _people() -> None:
    people.make("seven lanterns by the harbour")


def opened(demo_people: DemoPeople, *modes: Mode, **questions: str) -> Cooperation:
    today = clock.today()
    cooperation = service.open_cooperation(
        demo_people.actor("ilena"),
        title="Joint monitoring of police custody",
        purpose="To see whether safeguards are kept.",
        organisation_ids=[demo_people.bodies["od"].id],
        # As in M19 of the demonstration's answers.
        starts_on=today + dt.timedelta(days=2),
        modes=modes or (Mode.VISIT,),
        questions=questions,
    )
    for body in ("npm", "od"):
        for person in demo_people.of_body(body):
            if person.key != "ilena":
                cooperations.add_person(
                    demo_people.actor(demo_checklists.COORDINATORS[body]),
                    cooperation,
                    user_id=demo_people.users[person.key].id,
                    organisation_id=demo_people.bodies[body].id,
                    function=person.function,
                )
    recompute()
    return cooperation


def own(cooperation: Cooperation, kind: ChecklistKind) -> Checklist:
    return queries.own_checklists(cooperation.id)[kind]


def stage(cooperation: Cooperation) -> Stage:
    """Return the stage after committing."""
    recompute()
    return cooperation.stage


def agreed(demo_people: DemoPeople) -> tuple[Cooperation, Checklist]:
    """Start where all parties have agreed on the terms."""
    return _go_on("terms_agreed", _agree)


def reviewed(demo_people: DemoPeople) -> tuple[Cooperation, Checklist]:
    """Start where the second reader has read them too."""
    return _go_on("terms_reviewed", _review)


def _go_on(name: str, build: Callable[[], UUID]) -> tuple[Cooperation, Checklist]:
    points = starting_points.of(current_app)
    cooperation_id = points.use(name, build, on="country_of_the_demonstration")
    db.session.expire_all()
    cooperation = db.session.get_one(Cooperation, cooperation_id)
    return cooperation, own(cooperation, TERMS)


def _agree() -> UUID:
    demo_people = everybody()
    cooperation = opened(demo_people)
    demo_checklists.fill_in(demo_people, own(cooperation, TERMS))
    return cooperation.id


def _review() -> UUID:
    cooperation_id = _agree()
    cooperation = db.session.get_one(Cooperation, cooperation_id)
    read_second(everybody().actor("nadia"), own(cooperation, TERMS))
    return cooperation_id


def test_a_cooperation_goes_from_draft_to_active(demo_people: DemoPeople) -> None:
    cooperation = opened(demo_people)
    terms = own(cooperation, TERMS)
    assert stage(cooperation) is Stage.DRAFT
    demo_checklists.fill_in(demo_people, terms, unaccepted=("M2",))
    assert stage(cooperation) is Stage.DRAFT
    demo_checklists.accept(demo_people, terms, "M2")
    assert stage(cooperation) is Stage.REVIEWED
    read_second(demo_people.actor("nadia"), terms)
    assert stage(cooperation) is Stage.CLEARED
    demo_checklists.send(demo_people, terms)
    demo_checklists.sign(demo_people, terms)
    assert stage(cooperation) is Stage.CLEARED
    confidentiality = own(cooperation, CONFIDENTIALITY)
    demo_checklists.fill_in(demo_people, confidentiality)
    demo_checklists.send(demo_people, confidentiality)
    demo_checklists.sign(demo_people, confidentiality)
    assert stage(cooperation) is Stage.ACTIVE
    gates = policy.gates(queries.facts_of(cooperation))
    assert [gate.code for gate in gates if gate.is_open] == ["G1", "G2", "G3", "G5"]
    assert policy.can_plan_visit(queries.facts_of(cooperation), gates)


def test_the_dates_of_m19_become_the_cooperations(demo_people: DemoPeople) -> None:
    cooperation, terms = reviewed(demo_people)
    demo_checklists.send(demo_people, terms)
    demo_checklists.sign(demo_people, terms, "npm")
    before = cooperation.ends_on
    demo_checklists.sign(demo_people, terms, "od")
    sheet = load(terms).sheet
    dates = [cooperation.starts_on, cooperation.review_on, cooperation.ends_on]
    assert [date.isoformat() for date in dates if date] == [
        sheet.value("M19", key) for key in ("start", "review", "end")
    ]
    assert cooperation.ends_on != before


def test_declining_leads_back_to_the_draft(demo_people: DemoPeople) -> None:
    cooperation, terms = reviewed(demo_people)
    demo_checklists.send(demo_people, terms)
    demo_checklists.sign(demo_people, terms, "npm")
    decline_text(
        demo_people.actor("henrik"),
        terms,
        reason="Who pays interpreters?",
        items=["M12"],
    )
    assert load(terms).standing().blocking == ("M12",)
    assert stage(cooperation) is Stage.DRAFT


def test_what_was_declined_can_be_sent_again_once_the_named_items_are_agreed(
    demo_people: DemoPeople,
) -> None:
    cooperation, terms = reviewed(demo_people)
    demo_checklists.send(demo_people, terms)
    decline_text(
        demo_people.actor("henrik"),
        terms,
        reason="Who pays interpreters?",
        items=["M12"],
    )
    item = load(terms).sheet.shared("M12")
    assert item is not None
    positions.take_position(
        demo_people.actor("samira"), terms, "M12", Stance.ACCEPTS, answer_id=item.answer_id
    )
    demo_checklists.send(demo_people, terms)
    demo_checklists.sign(demo_people, terms)
    assert terms.revision_in_force_id is not None
    assert stage(cooperation) is Stage.CLEARED


def test_a_mark_on_a_term_leads_back_to_the_review(demo_people: DemoPeople) -> None:
    cooperation, terms = reviewed(demo_people)
    assert stage(cooperation) is Stage.CLEARED
    flag = flag_term(demo_people.actor("samira"), terms, "M12", "A donor decides?")
    assert stage(cooperation) is Stage.REVIEWED
    by_code = {gate.code: gate for gate in policy.gates(queries.facts_of(cooperation))}
    assert [requirement.target.item for requirement in by_code["G3"].missing] == ["M12"]
    safeguards.explain_flag(demo_people.actor("ilena"), terms, flag.id, "No donor sees the list.")
    assert stage(cooperation) is Stage.CLEARED


def test_a_proposal_leads_back_to_the_draft_and_its_acceptance_asks_for_another_review(
    demo_people: DemoPeople,
) -> None:
    cooperation, terms = reviewed(demo_people)
    current = load(terms).sheet.shared("M2")
    assert current is not None
    proposal = positions.propose(
        demo_people.actor("samira"),
        terms,
        "M2",
        {**current.values, "objectives": "Another objective."},
        answer_id=current.answer_id,
        reason="It is clearer.",
    )
    assert stage(cooperation) is Stage.DRAFT
    positions.accept_proposal(demo_people.actor("ilena"), terms, proposal.id)
    assert stage(cooperation) is Stage.REVIEWED


def test_the_answer_to_m9_starts_confidentiality(demo_people: DemoPeople) -> None:
    cooperation = opened(demo_people, Mode.SUPP, unpublished_shared="no", personal_data="no")
    assert CONFIDENTIALITY not in queries.own_checklists(cooperation.id)
    checklists.save_answer(
        demo_people.actor("ilena"),
        own(cooperation, TERMS),
        "M9",
        AnswerScope.SHARED,
        {"access": "possible", "checklist_first": True},
        base_version=0,
    )
    assert CONFIDENTIALITY in queries.own_checklists(cooperation.id)


def test_terms_agreed_only_after_the_start_are_not_agreed_in_time(
    demo_people: DemoPeople, frozen_time: Callable[[dt.datetime | None], None]
) -> None:
    cooperation = opened(demo_people)
    terms = own(cooperation, TERMS)
    demo_checklists.fill_in(demo_people, terms, unaccepted=("M2",))
    start = load(terms).sheet.value("M19", "start")
    late = dt.datetime.fromisoformat(start).replace(hour=12, tzinfo=dt.UTC)
    frozen_time(late)
    demo_checklists.accept(demo_people, terms, "M2")
    assert stage(cooperation) is Stage.DRAFT
    gate = next(gate for gate in policy.gates(queries.facts_of(cooperation)) if gate.code == "G2")
    assert [requirement.target.item for requirement in gate.missing] == ["M19"]
    frozen_time(late - dt.timedelta(days=1))
    assert service.advance(cooperation.id, None) is Stage.DRAFT


def test_terms_agreed_in_time_stay_so_when_the_start_passes(
    demo_people: DemoPeople, frozen_time: Callable[[dt.datetime | None], None]
) -> None:
    cooperation, terms = agreed(demo_people)
    start = load(terms).sheet.value("M19", "start")
    frozen_time(dt.datetime.fromisoformat(start).replace(hour=12, tzinfo=dt.UTC))
    assert service.advance(cooperation.id, None) is Stage.REVIEWED


def test_each_step_is_in_the_history(demo_people: DemoPeople) -> None:
    cooperation, terms = reviewed(demo_people)
    demo_checklists.send(demo_people, terms)
    demo_checklists.sign(demo_people, terms)
    stages = [
        (line.details["before"], line.details["after"])
        for line in reversed(trail.history(cooperation.id, limit=500)[1])
        if line.verb == "stage_changed"
    ]
    assert stages == [("P0", "P1"), ("P1", "P2"), ("P2", "P3")]
