"""Ways of working once all parties have signed them: widened by an amendment alone (M3)."""

import pytest
from flask import Flask

from tests.factories import checklists
from tests.factories.tables import QUESTIONS, Table
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
def signed(whole_table: Table) -> Table:
    """Terms for joint visits, signed by all."""
    whole_table.sign()
    return whole_table


def choose(table: Table, *modes: Mode, **answers: str) -> None:
    cooperations.set_modes(
        table["ilena"],
        table.cooperation,
        version=table.cooperation.version,
        modes=modes,
        questions=QUESTIONS | answers,
    )
    table.session.commit()


def agreed(table: Table) -> set[Mode]:
    ways = queries.terms_state(table.cooperation.id).agreed
    return set(ways.modes or ()) if ways else set()


def test_the_npm_alone_cannot_add_a_way_of_working_to_what_all_signed(signed: Table) -> None:
    with pytest.raises(RefusedError, match="amendment"):
        choose(signed, *WIDER)
    signed.session.rollback()
    choose(signed)
    choose(signed, Mode.VISIT)


def test_a_way_added_by_an_amendment_counts_once_all_have_signed_it(signed: Table) -> None:
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
    whole_table: Table,
) -> None:
    choose(whole_table, Mode.INFO_A)
    whole_table.sign()
    terms = whole_table.checklist()
    agreements.amend(whole_table["ilena"], terms, reason="Visits.", items=["M3"])
    choose(whole_table, Mode.INFO_A, Mode.VISIT)
    lifecycle.begin_review(whole_table["ilena"], whole_table.cooperation)
    lifecycle.end_review(whole_table["ilena"], whole_table.cooperation)
    assert whole_table.cooperation.stage is Stage.ACTIVE


def test_an_agreement_on_paper_covers_the_ways_that_were_chosen_when_it_was_recorded(
    whole_table: Table,
) -> None:
    on_paper(whole_table)
    choose(whole_table)
    choose(whole_table, Mode.VISIT)
    with pytest.raises(RefusedError, match="amendment"):
        choose(whole_table, *WIDER)
    whole_table.session.rollback()
    terms = whole_table.checklist()
    agreements.amend(whole_table["ilena"], terms, reason="A partnership.", items=["M3"])
    choose(whole_table, *WIDER)
    assert agreed(whole_table) == {Mode.VISIT}


@pytest.mark.parametrize("answer", ["no", "yes"])
def test_an_answer_changed_after_an_agreement_on_paper_adds_no_visits_to_it(
    whole_table: Table, answer: str
) -> None:
    choose(whole_table, Mode.EXP, expert_on_visit=answer)
    on_paper(whole_table)
    choose(whole_table, Mode.EXP, expert_on_visit="no" if answer == "yes" else "yes")
    choose(whole_table, Mode.EXP, expert_on_visit="yes")
    facts = queries.facts_of(whole_table.cooperation)
    may = visits_count(facts.modes, facts.questions, facts.agreed_ways)
    assert may is (answer == "yes")


def on_paper(table: Table) -> None:
    """Record a prior agreement that says nothing, confirmed by all."""
    attempt(table)
    agree_all(table)
    table.session.commit()


def test_an_answer_that_requires_more_than_was_signed_closes_g2(signed: Table) -> None:
    assert gate(signed, "G2") is GateState.MET
    choose(signed, Mode.VISIT, personal_data="yes")
    assert gate(signed, "G2") is GateState.NOT_MET
    agreements.amend(signed["ilena"], signed.checklist(), reason="Personal data.", items=["M1"])
    assert gate(signed, "G2") is GateState.MET


def test_a_coordinator_reads_on_the_page_why_a_way_cannot_be_added(
    app: Flask, signed: Table
) -> None:
    client = signed.land.browser(app, "ilena")
    url = f"/cooperations/{signed.cooperation.reference}/ways"
    page = client.page(url)
    assert "All parties signed the ways of working" in page.text
    assert f"/checklists/{signed.checklist().id}/record" in page.links().values()
    answer = client.submit(url, modes=[mode.value for mode in WIDER], step="questions")
    assert "ask for an amendment of the terms first" in answer.text


def gate(table: Table, code: str) -> GateState:
    facts = queries.facts_of(table.cooperation)
    return next(gate.state for gate in policy.gates(facts) if gate.code == code)
