"""Which ways of working count, by what the parties have signed (M3, M13)."""

import pytest

from tracker.cooperations.agreed_ways import (
    AgreedWays,
    TermsState,
    added,
    counting,
    of_paper,
    visits_count,
)
from tracker.cooperations.models import Mode

PROJECT = AgreedWays(frozenset({Mode.PROJ}))
ON_PAPER = AgreedWays(None)
EXPERT = AgreedWays(frozenset({Mode.EXP}))


@pytest.mark.parametrize(
    ("agreed", "count"),
    [
        (None, [Mode.PROJ, Mode.VISIT]),
        (ON_PAPER, []),
        (of_paper(ON_PAPER, [Mode.PROJ], {}), [Mode.PROJ]),
        (PROJECT, [Mode.PROJ]),
        (AgreedWays(frozenset()), []),
    ],
)
def test_what_is_not_signed_does_not_count(agreed: AgreedWays | None, count: list[Mode]) -> None:
    assert counting([Mode.PROJ, Mode.VISIT], agreed) == count
    assert visits_count([Mode.PROJ, Mode.VISIT], {}, agreed) is (Mode.VISIT in count)


@pytest.mark.parametrize("mode", [Mode.EXP, Mode.ADVIS])
def test_experts_and_members_go_on_visits_only_if_their_safety_is_signed(mode: Mode) -> None:
    signed = frozenset({mode})
    assert visits_count([mode], {}, AgreedWays(signed))
    assert not visits_count([mode], {}, AgreedWays(signed, on_visits=frozenset()))


@pytest.mark.parametrize(
    ("on_visits", "modes", "answer", "counts"),
    [
        ([], [Mode.EXP], "no", False),
        ([], [Mode.EXP], "yes", True),
        ([], [Mode.EXP, Mode.VISIT], "no", False),
        ([Mode.EXP], [Mode.EXP], "no", True),
    ],
)
def test_experts_go_on_visits_by_an_agreement_on_paper_if_that_was_so_when_it_was_recorded(
    on_visits: list[Mode], modes: list[Mode], answer: str, counts: bool
) -> None:
    paper = of_paper(AgreedWays(None, frozenset(on_visits)), modes, {"expert_on_visit": answer})
    assert paper.modes == frozenset(modes)
    assert visits_count([Mode.EXP], {"expert_on_visit": "yes"}, paper) is counts


def test_that_experts_went_on_visits_says_nothing_of_members_of_an_advisory_body() -> None:
    answers = {"expert_on_visit": "yes", "members_on_visits": "no"}
    paper = of_paper(AgreedWays(None, frozenset()), [Mode.EXP, Mode.ADVIS], answers)
    later = answers | {"members_on_visits": "yes"}
    assert visits_count([Mode.EXP], later, paper)
    assert not visits_count([Mode.ADVIS], later, paper)


def test_only_what_is_neither_chosen_nor_signed_is_added() -> None:
    assert added([Mode.PROJ, Mode.VISIT], [Mode.PROJ], None) == {Mode.VISIT}
    assert added([Mode.PROJ, Mode.VISIT], [Mode.VISIT], ON_PAPER) == {Mode.PROJ}
    assert added([Mode.PROJ, Mode.VISIT], [], PROJECT) == {Mode.VISIT}


@pytest.mark.parametrize(
    ("terms", "can_take_more"),
    [
        (TermsState(), True),
        (TermsState(is_drafted=False, is_sent=True), False),
        (TermsState(PROJECT, is_drafted=False), False),
        (TermsState(PROJECT), True),
        (TermsState(ON_PAPER), True),
    ],
)
def test_a_way_is_added_while_all_parties_decide_on_it(
    terms: TermsState, *, can_take_more: bool
) -> None:
    assert terms.can_take_more is can_take_more
