"""Which items of the terms a way of working requires (domain.md, sections 2.1 and 3)."""

import pytest

from tests.factories.templates import a_sheet, around
from tracker.checklist_templates import library
from tracker.checklist_templates.conditions import Truth
from tracker.checklists.rules.completeness import is_required, is_shown
from tracker.cooperations.models import Mode
from tracker.core.paths import CONTENT

TERMS = next(file.template for file in library.read(CONTENT) if file.template.letter == "M")
WHOLE = {"M1", "M2", "M3", "M4", "M5", "M6", "M7", "M9", "M10", "M12", "M14", "M18", "M19", "M20"}


def required(*modes: Mode) -> set[str]:
    surroundings = around(modes=modes, questions={"personal_data": "no"})
    return {item.code for item in TERMS.items if is_required(item, a_sheet(), surroundings)}


def test_mutual_protection_alone_takes_the_short_form() -> None:
    """M5 and M6 are asked by G3, whatever the form (S6, S7)."""
    assert required(Mode.PROT) == {"M1", "M15", "M19", "M20", "M5", "M6"}


@pytest.mark.parametrize("mode", [mode for mode in Mode if mode is not Mode.PROT])
def test_any_other_way_of_working_takes_the_whole_form(mode: Mode) -> None:
    assert required(mode) >= WHOLE
    assert required(mode, Mode.PROT) >= WHOLE | {"M15"}


def test_before_a_way_of_working_is_chosen_the_whole_form_is_required() -> None:
    assert required() == WHOLE


@pytest.mark.parametrize("mode", Mode)
def test_protection_against_reprisals_is_shown_in_every_way_of_working(mode: Mode) -> None:
    shown = is_shown(TERMS.by_code["M15"], a_sheet(), around(modes=(mode,)))
    assert shown is Truth.TRUE
    wanted = {Mode.VISIT, Mode.ADVIS, Mode.OMB_PLUS, Mode.PROT, Mode.EXP}
    assert ("M15" in required(mode)) is (mode in wanted)
