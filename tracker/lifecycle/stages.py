"""The stage of a cooperation, derived from its gates. Pure.

Source: domain.md, section 4.1.
"""

from collections.abc import Mapping

from tracker.cooperations.models import Stage

# The stages separated by gates; the others are entered by a decision.
BY_GATES = (Stage.EXPLORED, Stage.DRAFT, Stage.REVIEWED, Stage.CLEARED, Stage.ACTIVE)
# The stages that gates move forward or back; an active cooperation stays so until somebody decides.
MOVED_BY_GATES = frozenset(BY_GATES[:-1])
# Entered and left by a decision, from an active cooperation and back to it.
BESIDE = (Stage.UNDER_REVIEW, Stage.SUSPENDED)
# All stages, in the order in which the page draws them.
IN_ORDER = (*BY_GATES, *BESIDE, Stage.CLOSED)
# The stages in which work goes on: terms may be changed, visits planned.
RUNNING = frozenset({*BY_GATES, Stage.UNDER_REVIEW})
# The stages in which a review can begin.
REVIEWABLE = frozenset({Stage.ACTIVE, Stage.UNDER_REVIEW})


def stage_after(current: Stage, passed: Mapping[Stage, bool], *, terms_in_force: bool) -> Stage:
    """Return the stage that the gates allow.

    passed says for each stage of BY_GATES but the last whether it may be left. A cooperation
    advances as long as it may, and goes back while its terms are not in force and an earlier gate
    is closed again. Once its terms are in force it isn't moved back before P3, and a stage that was
    entered by a decision (review, suspension, closing) stays.
    """
    if current not in MOVED_BY_GATES:
        return current
    if terms_in_force:
        return Stage.ACTIVE if passed[Stage.CLEARED] else Stage.CLEARED
    for stage in BY_GATES[:-1]:
        if not passed[stage]:
            return stage
    return Stage.ACTIVE
