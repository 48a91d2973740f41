"""Labels for stages, levels, answers and reasons for closing."""

import datetime as dt

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from tracker.access.actor import OrganisationKind
from tracker.cooperations.agreed_ways import TermsStop
from tracker.cooperations.models import (
    BodyKind,
    ChecklistKind,
    ClearanceEnd,
    Knowledge,
    ListState,
    Stage,
)
from tracker.cooperations.modes import STANDING_PLAN, VISIT_PLAN, Column, Level, Requirement
from tracker.signoff.labels import DISAGREES, validity_words
from tracker.signoff.outcomes import Validity, validity
from tracker.ui.locale import as_date

STAGES: dict[Stage, object] = {
    Stage.EXPLORED: _l("Exploring"),
    Stage.DRAFT: _l("Drafting terms"),
    Stage.REVIEWED: _l("Reviewing safeguards"),
    Stage.CLEARED: _l("Clearing people"),
    Stage.ACTIVE: _l("Active"),
    Stage.UNDER_REVIEW: _l("Under review"),
    Stage.SUSPENDED: _l("Suspended"),
    Stage.CLOSED: _l("Closed"),
}

# The filters of the list of cooperations, in order.
LIST_STATES: dict[ListState, object] = {
    Stage.EXPLORED: STAGES[Stage.EXPLORED],
    Stage.DRAFT: STAGES[Stage.DRAFT],
    Stage.REVIEWED: STAGES[Stage.REVIEWED],
    Stage.CLEARED: STAGES[Stage.CLEARED],
    Validity.BEGINS_LATER: _l("Begins later"),
    Stage.ACTIVE: STAGES[Stage.ACTIVE],
    Validity.RUN_OUT: _l("Terms ended"),
    Stage.UNDER_REVIEW: STAGES[Stage.UNDER_REVIEW],
    Stage.SUSPENDED: STAGES[Stage.SUSPENDED],
    Stage.CLOSED: STAGES[Stage.CLOSED],
}

# The style marks of stages; "half" while work goes on.
_MARKS = {
    Stage.ACTIVE: "held",
    Stage.CLOSED: "off",
    Stage.EXPLORED: "todo",
    Stage.SUSPENDED: "stop",
}

BODY_KINDS: dict[BodyKind, object] = {
    BodyKind.AUTHORITY: _l("Authority"),
    BodyKind.MINISTRY: _l("Ministry"),
    BodyKind.PROSECUTOR: _l("Prosecutor"),
    BodyKind.DONOR: _l("Donor"),
    BodyKind.OTHER_STATE_BODY: _l("Other state body"),
}


def stage_words(
    stage: Stage,
    starts_on: dt.date | None,
    ends_on: dt.date | None,
    today: dt.date,
    *,
    agrees: bool,
    stop: TermsStop | None = None,
) -> tuple[object, str]:
    """Return the state of a cooperation on a day as a label with its style mark.

    Usually that is the name of its stage. It is only *Active* from the first to the last day of the
    agreed terms (M19), starts_on and ends_on: before that, everything is signed and begins later;
    after that, the terms have ended, without a renewal or a notice. stop is a notice that is due,
    and that the worker hasn't applied yet. If the cooperation's rows
    disagree with signatures and events, only that is said.
    """
    if not agrees:
        return DISAGREES
    if stop is not None and stage in {Stage.ACTIVE, Stage.UNDER_REVIEW}:
        if stop.stage is Stage.SUSPENDED:
            return STAGES[Stage.SUSPENDED], _MARKS[Stage.SUSPENDED]
        return _("Terms ended on %(day)s", day=as_date(stop.day)), "stop"
    if stage is Stage.ACTIVE:
        match validity(starts_on, ends_on, today):
            case Validity.BEGINS_LATER:
                return validity_words(Validity.BEGINS_LATER, starts_on)
            case Validity.RUN_OUT:
                return _("Terms ended on %(day)s", day=as_date(ends_on)), "stop"
    return STAGES[stage], _MARKS.get(stage, "half")


SIDES: dict[OrganisationKind, object] = {
    OrganisationKind.NPM: _l("An NPM body"),
    OrganisationKind.CSO: _l("A civil society organisation"),
}

KINDS: dict[ChecklistKind, object] = {
    ChecklistKind.TERMS: _l("Agreed terms"),
    ChecklistKind.CONFIDENTIALITY: _l("Confidentiality"),
    ChecklistKind.VISIT_ROLES: _l("Roles for a joint visit"),
    ChecklistKind.URGENT_PLAN: _l("Urgent-action plan"),
}

# What distinguishes the two columns of the urgent-action plan.
COLUMNS: dict[Column, object] = {
    STANDING_PLAN: _l("Urgent-action plan of the cooperation"),
    VISIT_PLAN: _l("Urgent-action plan of each visit"),
}

LEVELS: dict[Level, object] = {
    Level.REQUIRED: _l("required"),
    Level.RECOMMENDED: _l("recommended"),
    Level.NOT_APPLICABLE: _l("not needed"),
}

KNOWLEDGE: dict[Knowledge, object] = {
    Knowledge.YES: _l("Yes"),
    Knowledge.NO: _l("No"),
    Knowledge.NOT_KNOWN: _l("Not known yet"),
}

CLOSED_BECAUSE: dict[ClearanceEnd, object] = {
    ClearanceEnd.EXPIRED: _l("its last day has passed"),
    ClearanceEnd.NEW_TERMS: _l("new confidentiality terms are in force"),
    ClearanceEnd.SUSPENDED: _l("the person was suspended"),
    ClearanceEnd.LEFT: _l("the person left"),
    ClearanceEnd.UNLISTED: _l("the person is no longer on the list of people who must sign"),
    ClearanceEnd.WITHDRAWN: _l("the undertaking was withdrawn"),
    ClearanceEnd.REPLACED: _l("a newer undertaking took its place"),
    ClearanceEnd.TERMS_SUSPENDED: _l("the terms it's based on were suspended"),
    ClearanceEnd.TERMS_ENDED: _l("the terms it's based on have ended"),
}

# The parts of the head, as the history names them.
HEAD: dict[str, object] = {
    "title": _l("title"),
    "purpose": _l("purpose"),
    "starts_on": _l("start"),
    "ends_on": _l("end"),
    "review_on": _l("review"),
}


def of_requirement(requirement: Requirement) -> object:
    """Return the name of a checklist for its purpose."""
    column = (requirement.kind, requirement.purpose)
    return COLUMNS.get(column, KINDS[requirement.kind])
