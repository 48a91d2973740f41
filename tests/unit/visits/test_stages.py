"""The stage of a visit after its gates were evaluated."""

import pytest

from tracker.visits.models import VisitStage
from tracker.visits.stages import BY_GATES, is_ready, stage_after


def gates(j1: bool, j2: bool, j3: bool) -> dict[str, bool]:
    return {"J1": j1, "J2": j2, "J3": j3}


@pytest.mark.parametrize("current", BY_GATES)
@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ((False, False, False), VisitStage.PROPOSED),
        ((False, True, True), VisitStage.PROPOSED),
        ((True, False, False), VisitStage.PLANNED),
        ((True, False, True), VisitStage.PLANNED),
        ((True, True, False), VisitStage.CLEARED),
        ((True, True, True), VisitStage.CLEARED),
    ],
)
def test_a_visit_goes_on_and_back_as_its_gates_allow(
    current: VisitStage, answers: tuple[bool, bool, bool], expected: VisitStage
) -> None:
    assert stage_after(current, gates(*answers)) is expected


@pytest.mark.parametrize("current", [VisitStage.ON_SITE, VisitStage.STOPPED])
def test_what_was_entered_by_a_decision_stays(current: VisitStage) -> None:
    assert stage_after(current, gates(False, False, False)) is current
    assert not is_ready(current, gates(True, True, True))


def test_a_visit_is_ready_only_when_all_gates_are_open() -> None:
    assert is_ready(VisitStage.CLEARED, gates(True, True, True))
    for answers in ((False, True, True), (True, False, True), (True, True, False)):
        assert not is_ready(VisitStage.CLEARED, gates(*answers))
