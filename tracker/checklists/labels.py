"""Labels for checklists: kinds, statuses and positions, each with its style mark."""

from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.checklist_templates.models import ChecklistKind
from tracker.checklist_templates.schema import Power
from tracker.checklists.models import ChecklistState, NoticeKind, Stance
from tracker.checklists.rules.completeness import ItemStatus, WorkState

KINDS = {
    ChecklistKind.TERMS: _l("Agreed terms"),
    ChecklistKind.CONFIDENTIALITY: _l("Confidentiality"),
    ChecklistKind.VISIT_ROLES: _l("Roles for a joint visit"),
    ChecklistKind.URGENT_PLAN: _l("Urgent-action plan"),
}

NUMBERS = {kind: number for number, kind in enumerate(ChecklistKind, 1)}

STATES = {
    ChecklistState.DRAFTING: _l("Draft"),
    ChecklistState.SENT: _l("Sent for signature"),
    ChecklistState.IN_FORCE: _l("In force"),
    ChecklistState.SUSPENDED: _l("Suspended"),
    ChecklistState.ENDED: _l("Ended"),
}

# A suspension or an ending: its status with a style mark, and what a notice is called.
NOTICE_STATES = {
    NoticeKind.SUSPENDED: (_l("Suspended"), "stop"),
    NoticeKind.ENDED: (_l("Ended"), "off"),
}

WORK = {
    WorkState.NOT_STARTED: (_l("Not started"), "todo"),
    WorkState.IN_PROGRESS: (_l("In progress"), "half"),
    WorkState.WAITING: (_l("Waiting for others"), "other"),
    WorkState.AGREED: (_l("Agreed"), "done"),
    WorkState.HIDDEN: (_l("Does not apply"), "off"),
    WorkState.NOT_KNOWN: (_l("Not known yet whether it applies"), "off"),
}
# An optional item that nobody has written anything in.
UNUSED = (_l("Nothing added"), "off")
# The text of a visit that was stopped.
UNSIGNED_AT_THE_END = _l("Not signed when the cooperation ended")
ENDED_WITH_VISIT = (_l("Ended: the visit was stopped"), "off")
# An item that was still open when its visit was stopped.
NOT_AGREED = (_l("Not agreed when the visit was stopped"), "off")


def work_of(item_status: ItemStatus | None, own: UUID | None) -> tuple[object, str]:
    """Return the status of an item for people of an organisation, with its style mark.

    None for an item that each person answers.
    """
    if item_status is None:
        return _l("Each person answers"), "off"
    if item_status.is_unused:
        return UNUSED
    if item_status.is_ended and not item_status.done:
        return NOT_AGREED
    if own in item_status.waiting_for:
        return _l("Waiting for us"), "wait"
    return WORK[item_status.state]


# The filters of a checklist, in order. People know assignments only on their own side.
FILTERS = {
    "": _l("All items"),
    "us": _l("Waiting for us"),
    "mine": _l("Assigned to me"),
    "others": _l("Waiting for others"),
    "differs": _l("Open differences"),
    "flagged": _l("Flagged"),
    "open": _l("Not started"),
    "copied": _l("Prepared, not read by us yet"),
}

STANCES = {
    Stance.ACCEPTS: (_l("Accepts"), "done"),
    Stance.WANTS_CHANGE: (_l("Wants a change"), "half"),
    Stance.WANTS_TALK: (_l("Wants to discuss"), "half"),
}

# What a rule's flag protects: decisions of the NPM alone, and its freedom to act.
POWERS = {
    Power.PLACES: _l("Choice of places"),
    Power.PERSONS: _l("Choice of people to interview"),
    Power.TIMING: _l("Timing"),
    Power.METHOD: _l("Method"),
    Power.FINDINGS: _l("Findings"),
    Power.RECOMMENDATIONS: _l("Recommendations"),
    Power.PUBLICATION: _l("Publication"),
    Power.VISIT_ALONE: _l("Visiting alone"),
    Power.CHANGE_PROGRAMME: _l("Changing the programme"),
    Power.ACT_URGENTLY: _l("Acting urgently"),
    Power.WORK_WITH_OTHERS: _l("Working with others"),
    Power.STOP: _l("Stopping the cooperation"),
}

UNITS = {
    "hours": _l("hours"),
    "days": _l("days"),
    "months": _l("months"),
    "years": _l("years"),
}

CLASSES = {
    "K0": _l("K0 Public"),
    "K1": _l("K1 The CSO's own"),
    "K2": _l("K2 Planning"),
    "K3": _l("K3 Visit material, nobody identifiable"),
    "K4": _l("K4 Personal data"),
    "K5": _l("K5 Urgent case and medical"),
    "K6": _l("K6 Draft report and dialogue"),
    "K7": _l("K7 Sources and reprisals"),
    "K8": _l("K8 Cooperation record"),
}
