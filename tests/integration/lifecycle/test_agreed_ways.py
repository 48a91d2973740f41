"""Ways of working once all parties have signed them: widened by an amendment alone (M3)."""

import pytest
from flask import Flask

from tests.factories import checklists
from tests.factories.negotiations import QUESTIONS, Negotiation
from tests.integration.agreements.test_prior_agreements import agree_all, attempt
from tracker.agreements import service as agreements
from tracker.checklists.negotiation import positions
from tracker.cooperations import service as cooperations
from tracker.cooperations.agreed_ways import visits_count
from tracker.cooperations.models import Mode, Stage
from tracker.core.errors import RefusedError
from tracker.lifecycle import policy, queries
from tracker.lifecycle import service as lifecycle
from tracker.lifecycle.policy import GateState

WIDER = [Mode.VISIT, Mode.OMB_PLUS]


@pytest.fixture
def signed(shipped_negotiation: Negotiation) -> Negotiation:
    """Terms for joint visits, signed by all."""
    shipped_negotiation.sign()
    return shipped_negotiation


def choose(negotiation: Negotiation, *modes: Mode, **answers: str) -> None:
    cooperations.set_modes(
        negotiation["ilena"],
        negotiation.cooperation,
        version=negotiation.cooperation.version,
        modes=modes,
        questions=QUESTIONS | answers,
    )
    negotiation.session.commit()


def agreed(negotiation: Negotiation) -> set[Mode]:
    ways = queries.terms_state(negotiation.cooperation.id).agreed
    return set(ways.modes or ()) if ways else set()


def test_the_npm_alone_cannot_add_a_way_of_working_to_what_all_signed(signed: Negotiation) -> None:
    with pytest.raises(RefusedError, match="amendment"):
        choose(signed, *WIDER)
    signed.session.rollback()
    choose(signed)
    choose(signed, Mode.VISIT)


def test_a_way_added_by_an_amendment_counts_once_all_have_signed_it(signed: Negotiation) -> None:
    agreements.amend(signed["ilena"], signed.checklist(), reason="A partnership.", items=["M3"])
    choose(signed, *WIDER)
    assert agreed(signed) == {Mode.VISIT}
    answer = signed.loaded().sheet.shared("M3")
    assert answer is not None
    proposal = positions.propose(
        signed["ilena"],
        signed.checklist(),
        "M3",
        {**answer.values, "in_scope": [mode.value for mode in WIDER]},
        answer_id=answer.answer_id,
        reason="A partnership.",
    )
    positions.accept_proposal(signed["samira"], signed.checklist(), proposal.id)
    signed.accept("M3", "joana")
    checklists.agree(signed.checklist(), signed.writers, signed["oren"])
    checklists.send(signed.checklist(), signed["ilena"], signed.signatories)
    assert agreed(signed) == {Mode.VISIT}
    checklists.sign(signed.checklist(), *signed.signatories.values())
    assert agreed(signed) == set(WIDER)


def test_a_way_that_nobody_has_signed_keeps_no_cooperation_from_staying_active(
    shipped_negotiation: Negotiation,
) -> None:
    choose(shipped_negotiation, Mode.INFO_A)
    shipped_negotiation.sign()
    terms = shipped_negotiation.checklist()
    agreements.amend(shipped_negotiation["ilena"], terms, reason="Visits.", items=["M3"])
    choose(shipped_negotiation, Mode.INFO_A, Mode.VISIT)
    lifecycle.begin_review(shipped_negotiation["ilena"], shipped_negotiation.cooperation)
    lifecycle.end_review(shipped_negotiation["ilena"], shipped_negotiation.cooperation)
    assert shipped_negotiation.cooperation.stage is Stage.ACTIVE


def test_an_agreement_on_paper_covers_the_ways_that_were_chosen_when_it_was_recorded(
    shipped_negotiation: Negotiation,
) -> None:
    on_paper(shipped_negotiation)
    choose(shipped_negotiation)
    choose(shipped_negotiation, Mode.VISIT)
    with pytest.raises(RefusedError, match="amendment"):
        choose(shipped_negotiation, *WIDER)
    shipped_negotiation.session.rollback()
    terms = shipped_negotiation.checklist()
    agreements.amend(shipped_negotiation["ilena"], terms, reason="A partnership.", items=["M3"])
    choose(shipped_negotiation, *WIDER)
    assert agreed(shipped_negotiation) == {Mode.VISIT}


@pytest.mark.parametrize("answer", ["no", "yes"])
def test_an_answer_changed_after_an_agreement_on_paper_adds_no_visits_to_it(
    shipped_negotiation: Negotiation, answer: str
) -> None:
    choose(shipped_negotiation, Mode.EXP, expert_on_visit=answer)
    on_paper(shipped_negotiation)
    choose(shipped_negotiation, Mode.EXP, expert_on_visit="no" if answer == "yes" else "yes")
    choose(shipped_negotiation, Mode.EXP, expert_on_visit="yes")
    facts = queries.facts_of(shipped_negotiation.cooperation)
    may = visits_count(facts.modes, facts.questions, facts.agreed_ways)
    assert may is (answer == "yes")


def on_paper(negotiation: Negotiation) -> None:
    """Record a prior agreement that says nothing, confirmed by all."""
    attempt(negotiation)
    agree_all(negotiation)
    negotiation.session.commit()


def test_an_answer_that_requires_more_than_was_signed_closes_g2(signed: Negotiation) -> None:
    assert gate(signed, "G2") is GateState.MET
    choose(signed, Mode.VISIT, personal_data="yes")
    assert gate(signed, "G2") is GateState.NOT_MET
    agreements.amend(signed["ilena"], signed.checklist(), reason="Personal data.", items=["M1"])
    assert gate(signed, "G2") is GateState.MET


def test_a_coordinator_reads_on_the_page_why_a_way_cannot_be_added(
    app: Flask, signed: Negotiation
) -> None:
    client = signed.country.browser(app, "ilena")
    url = f"/cooperations/{signed.cooperation.reference}/ways"
    page = client.page(url)
    assert "All parties signed the ways of working" in page.text
    assert f"/checklists/{signed.checklist().id}/record" in page.links().values()
    answer = client.submit(url, modes=[mode.value for mode in WIDER], step="questions")
    assert "ask for an amendment of the terms first" in answer.text


def gate(negotiation: Negotiation, code: str) -> GateState:
    facts = queries.facts_of(negotiation.cooperation)
    return next(gate.state for gate in policy.gates(facts) if gate.code == code)
