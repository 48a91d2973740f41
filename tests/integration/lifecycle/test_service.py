"""Opening a cooperation with its checklists, and advancing it as its gates allow."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from uuid import UUID

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests.factories.cooperations import Country, bring_in, copied_country, open_one
from tests.factories.evidence.tampering import table_of
from tracker.activity import queries as trail
from tracker.activity import verbs
from tracker.activity.service import record
from tracker.activity.stale import recompute
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist, ChecklistState
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import Cooperation, CooperationPerson, Mode, Party, Stage
from tracker.cooperations.modes import STANDING_PLAN
from tracker.core.db import Base
from tracker.core.errors import RefusedError, RuleBrokenError
from tracker.lifecycle import policy, queries, service
from tracker.signoff import service as signoff

NO_QUESTION = {"unpublished_shared": "no", "npm_passes_restricted": "no"}


@pytest.fixture
def country(session: Session) -> Country:
    return copied_country(session)


def begun(cooperation: Cooperation) -> set[ChecklistKind]:
    return set(queries.own_checklists(cooperation.id))


@pytest.mark.parametrize(
    ("modes", "questions", "expected"),
    [
        ((), {}, {"terms"}),
        ((Mode.SUPP,), NO_QUESTION, {"terms"}),
        ((Mode.SUPP,), {}, {"terms", "confidentiality"}),
        ((Mode.VISIT,), {}, {"terms", "confidentiality"}),
        ((Mode.OMB_PLUS,), {}, {"terms", "confidentiality", "urgent_plan"}),
        ((Mode.INFO_F,), NO_QUESTION, {"terms"}),
        ((Mode.INFO_F,), {}, {"terms", "confidentiality"}),
        ((Mode.VISIT, Mode.INFO_F), {}, {"terms", "confidentiality"}),
        ((Mode.PROT,), {"named_case_discussed": "no"}, {"terms"}),
    ],
)
def test_opening_starts_what_the_modes_require(
    country: Country, modes: tuple[Mode, ...], questions: dict[str, str], expected: set[str]
) -> None:
    cooperation = open_one(country, modes=modes, questions=questions)
    assert {kind.value for kind in begun(cooperation)} == expected


def test_all_parties_are_asked_for_their_agreement(country: Country) -> None:
    cooperation = open_one(country, "door", "lantern")
    for checklist in queries.own_checklists(cooperation.id).values():
        assert [party.organisation_id for party in checklist.parties] == [
            country.id("npm"),
            country.id("door"),
            country.id("lantern"),
        ]


def test_a_cooperation_with_a_mode_begins_in_p1_and_without_one_in_p0(country: Country) -> None:
    assert open_one(country).stage is Stage.DRAFT
    assert open_one(country, modes=()).stage is Stage.EXPLORED


def test_a_stage_that_changed_is_in_the_history(country: Country) -> None:
    cooperation = open_one(country)
    changes = [
        line.details for line in trail.history(cooperation.id)[1] if line.verb == "stage_changed"
    ]
    assert changes == [{"before": "P0", "after": "P1"}]


def test_naming_a_mode_later_starts_its_checklists_and_moves_on(country: Country) -> None:
    cooperation = open_one(country, modes=())
    cooperations.set_modes(
        country.actor("ilena"), cooperation, version=1, modes=[Mode.OMB_PLUS], questions={}
    )
    recompute()
    assert cooperation.stage is Stage.DRAFT
    assert {kind.value for kind in begun(cooperation)} == {
        "terms",
        "confidentiality",
        "urgent_plan",
    }


def test_what_was_begun_stays_when_a_mode_is_given_up(country: Country) -> None:
    cooperation = open_one(country, modes=(Mode.OMB_PLUS,))
    cooperations.set_modes(
        country.actor("ilena"),
        cooperation,
        version=1,
        modes=[Mode.SUPP],
        questions={"unpublished_shared": "no"},
    )
    assert len(begun(cooperation)) == 3


def test_a_mode_given_up_altogether_leads_back_to_p0(country: Country) -> None:
    cooperation = open_one(country)
    cooperations.set_modes(country.actor("ilena"), cooperation, version=1, modes=[], questions={})
    recompute()
    assert cooperation.stage is Stage.EXPLORED


def test_a_joining_party_is_asked_about_drafts(country: Country, session: Session) -> None:
    cooperation = open_one(country, "door")
    own = queries.own_checklists(cooperation.id)
    own[ChecklistKind.CONFIDENTIALITY].state = ChecklistState.SENT
    session.flush()
    cooperations.join_party(country.actor("ilena"), cooperation, country.id("bridge"))
    session.expire_all()
    questions = {
        kind: country.id("bridge") in {party.organisation_id for party in checklist.parties}
        for kind, checklist in queries.own_checklists(cooperation.id).items()
    }
    assert questions == {ChecklistKind.TERMS: True, ChecklistKind.CONFIDENTIALITY: False}


def test_nobody_but_a_coordinator_of_an_npm_opens(country: Country) -> None:
    with pytest.raises(RefusedError):
        open_one(country, by="samira")


def test_the_gates_name_what_is_missing_at_the_beginning(country: Country) -> None:
    cooperation = open_one(country)
    bring_in(country, cooperation, "dora")
    by_code = {gate.code: gate for gate in policy.gates(queries.facts_of(cooperation))}
    assert by_code["G1"].is_open
    required = {requirement.target.item for requirement in by_code["G2"].missing}
    assert {"M1", "M2", "M10", "M13", "M19", "M20"} <= required
    assert not required & {"M5", "M6", "M11"}
    safeguards = [requirement.target for requirement in by_code["G3"].missing]
    assert [safeguard.item for safeguard in safeguards if safeguard.item] == ["M5", "M6"]
    assert safeguards[-1].place is policy.PageKind.REVIEW
    assert "Dora Lund" in str(by_code["G4"].missing[0].reason)
    assert by_code["G5"].is_open


def test_gathering_the_facts_takes_as_many_queries_for_many_people(
    country: Country,
    session: Session,
    statements: Callable[[], AbstractContextManager[list[str]]],
) -> None:
    cooperation = open_one(country, "door", "lantern")

    def count() -> int:
        session.flush()
        session.expunge_all()
        with statements() as sent:
            queries.facts_of(session.get_one(Cooperation, cooperation.id))
        return len(sent)

    with_one = count()
    for first in ("dora", "leyla", "oren", "petra", "henrik"):
        bring_in(country, cooperation, first)
    assert count() == with_one


def test_terms_that_only_a_row_says_are_in_force_move_no_cooperation(
    country: Country, session: Session
) -> None:
    cooperation = open_one(country)
    own = queries.own_checklists(cooperation.id)
    revision_id = _freeze(country, cooperation, own[ChecklistKind.TERMS])
    for checklist in own.values():
        checklist.revision_in_force_id = revision_id
    session.flush()
    assert service.advance(cooperation.id, None) is Stage.DRAFT
    assert stages(cooperation) == ["P1"]


def test_a_stage_that_only_the_row_states_is_in_no_event(
    country: Country, session: Session
) -> None:
    cooperation = open_one(country)
    recompute()
    cooperation.stage = Stage.CLEARED
    session.flush()
    assert service.advance(cooperation.id, None) is Stage.CLEARED
    assert stages(cooperation) == ["P1"]
    with pytest.raises(RuleBrokenError, match="differs from the signatures and the history"):
        service.begin_review(country.actor("ilena"), cooperation)
    cooperation.stage = Stage.UNDER_REVIEW
    service.end_review(country.actor("ilena"), cooperation)
    assert stages(cooperation) == ["P1"]
    cooperation.stage = Stage.SUSPENDED
    for verb, moves in ((verbs.SUSPENSION_LIFTED, ["P1"]), (verbs.TEXT_ENDED, ["P1", "P7"])):
        record(
            verb,
            actor=None,
            subject_type="checklist",
            subject_id=queries.own_checklists(cooperation.id)[ChecklistKind.TERMS].id,
            cooperation_id=cooperation.id,
            kind="terms",
            reason="The law changed.",
        )
        assert stages(cooperation) == moves
    ended = next(row for row in trail.history(cooperation.id)[1] if row.verb == "stage_changed")
    assert ended.details["before"] == "P1"


@pytest.mark.both_databases
@pytest.mark.parametrize(
    ("row", "value"),
    [(Party, {"invite_reason": "They asked."}), (CooperationPerson, {"function": "Director"})],
)
def test_parties_or_people_that_no_event_binds_move_no_stage(
    country: Country, session: Session, row: type[Base], value: dict[str, str]
) -> None:
    cooperation = open_one(country, modes=())
    recompute()
    assert stages(cooperation) == []
    of_cooperation = table_of(row).c.cooperation_id == cooperation.id
    session.execute(sa.update(table_of(row)).where(of_cooperation).values(value))
    session.expire_all()
    cooperations.set_modes(
        country.actor("ilena"), cooperation, version=1, modes=[Mode.OMB_PLUS], questions={}
    )
    recompute()
    assert (cooperation.stage, stages(cooperation)) == (Stage.EXPLORED, [])


def stages(cooperation: Cooperation) -> list[str]:
    """Return the stages that events say a cooperation has entered."""
    return [
        line.details["after"]
        for line in reversed(trail.history(cooperation.id)[1])
        if line.verb == "stage_changed"
    ]


# What is only recommended

PUBLIC = {"npm_passes_restricted": "no", "cso_passes_restricted": "no"}


@pytest.mark.both_databases
@pytest.mark.parametrize("first", ["ilena", "samira"])
def test_a_coordinator_of_a_party_starts_a_recommended_checklist(
    country: Country, first: str
) -> None:
    cooperation = open_one(country, "door", modes=(Mode.VISIT, Mode.INFO_F))
    plan = service.start_recommended(country.actor(first), cooperation, STANDING_PLAN)
    assert begun(cooperation) == {"terms", "confidentiality", "urgent_plan"}
    parties = queries.own_checklists(cooperation.id)[ChecklistKind.URGENT_PLAN].parties
    assert [party.organisation_id for party in parties] == [country.id("npm"), country.id("door")]
    again = service.start_recommended(country.actor("ilena"), cooperation, STANDING_PLAN)
    assert again.id == plan.id
    started = [
        line for line in trail.history(cooperation.id)[1] if line.verb == "checklist_started"
    ]
    assert [line.details["kind"] for line in started].count("urgent_plan") == 1


@pytest.mark.parametrize(
    ("first", "modes", "questions", "stage"),
    [
        ("henrik", (Mode.INFO_F,), {}, Stage.DRAFT),
        ("nadia", (Mode.INFO_F,), {}, Stage.DRAFT),
        ("oren", (Mode.INFO_F,), {}, Stage.DRAFT),
        ("ilena", (Mode.VISIT,), {}, Stage.DRAFT),
        ("ilena", (Mode.INFO_F,), PUBLIC, Stage.DRAFT),
        ("ilena", (Mode.INFO_F,), {}, Stage.SUSPENDED),
        ("ilena", (Mode.INFO_F,), {}, Stage.CLOSED),
    ],
)
def test_other_people_and_other_checklists_are_refused(
    country: Country,
    first: str,
    modes: tuple[Mode, ...],
    questions: dict[str, str],
    stage: Stage,
) -> None:
    cooperation = open_one(country, "door", modes=modes, questions=questions)
    cooperation.stage = stage
    with pytest.raises(RefusedError):
        service.start_recommended(country.actor(first), cooperation, STANDING_PLAN)
    assert ChecklistKind.URGENT_PLAN not in begun(cooperation)


def test_a_plan_begun_before_it_was_only_recommended_stays(country: Country) -> None:
    cooperation = open_one(country, "door", modes=(Mode.OMB_PLUS,))
    cooperations.set_modes(
        country.actor("ilena"), cooperation, version=1, modes=[Mode.INFO_F], questions=PUBLIC
    )
    recompute()
    assert ChecklistKind.URGENT_PLAN in begun(cooperation)


def _freeze(country: Country, cooperation: Cooperation, checklist: Checklist) -> UUID:
    return signoff.freeze(
        country.actor("ilena"),
        cooperation_id=cooperation.id,
        subject_type="checklist",
        subject_id=checklist.id,
        kind=checklist.kind.value,
        document={"text": "agreed"},
    ).id
