"""The stage of a joint visit and whether it is ready, derived from its gates. Pure.

Source: domain.md, section 4.2.
"""

from collections.abc import Mapping

from tracker.visits.models import VisitStage

# The stages before the team leaves, which gates separate; the others are entered by a decision.
# Gate Jn ends stage Jn, and a visit in J3 is ready when gate J3 is open.
BY_GATES = (VisitStage.PROPOSED, VisitStage.PLANNED, VisitStage.CLEARED)
# While a visit is being prepared its plan may change and its readiness is evaluated.
PREPARED = frozenset(BY_GATES)
# The stages that the page shows; JX only if it was stopped.
IN_ORDER = (*BY_GATES, VisitStage.ON_SITE)


def stage_after(current: VisitStage, is_open: Mapping[str, bool]) -> VisitStage:
    """Return the stage that the gates allow, later or earlier; stages entered by a decision stay.

    is_open says for J1 and J2 whether the gate is open.
    """
    if current not in PREPARED:
        return current
    if not is_open["J1"]:
        return VisitStage.PROPOSED
    return VisitStage.CLEARED if is_open["J2"] else VisitStage.PLANNED


def is_ready(current: VisitStage, is_open: Mapping[str, bool]) -> bool:
    """Return whether a visit is ready: all of J3 is met, and everything before it."""
    return current in PREPARED and all(is_open[code] for code in ("J1", "J2", "J3"))
