"""The kinds of a cooperation's events, by which its history is filtered and grouped. Pure."""

import enum

from tracker.activity import verbs
from tracker.activity.verbs import Verb


class EventKind(enum.StrEnum):
    """The filters of a history; each event of a cooperation has one kind besides milestones."""

    MILESTONES = "milestones"
    ANSWERS = "answers"
    SIGNING = "signing"
    PEOPLE = "people"
    VISITS = "visits"
    COURSE = "course"


class Act(enum.StrEnum):
    """What people do many times in a row, which a history tells in one line."""

    ANSWERED = "answered"
    ACCEPTED = "accepted"
    DISCUSSED = "discussed"
    SUGGESTED = "suggested"
    COMMENTED = "commented"
    FLAGGED = "flagged"
    JOINED = "joined"
    ASKED = "asked"
    CERTIFIED = "certified"


# What somebody who was away wants to know first.
_MILESTONES = (
    verbs.COOPERATION_OPENED,
    verbs.PARTY_JOINED,
    verbs.PARTY_LEFT,
    verbs.PARTY_REPLACED,
    verbs.STAGE_CHANGED,
    verbs.SENT_FOR_SIGNATURE,
    verbs.DECLINED,
    verbs.CAME_INTO_FORCE,
    verbs.FORMER_AGREEMENT_RECORDED,
    verbs.AMENDMENT_OPENED,
    verbs.NOTICE_GIVEN,
    verbs.TEXT_SUSPENDED,
    verbs.SUSPENSION_LIFTED,
    verbs.TEXT_ENDED,
    verbs.TEXT_RENEWED,
    verbs.VISIT_PLANNED,
    verbs.GATE_OVERRIDDEN,
    verbs.VISIT_STOPPED,
    verbs.REVIEW_CONCLUDED,
    verbs.CLOSING_COMPLETED,
)
_ANSWERS = (
    verbs.CHECKLIST_STARTED,
    verbs.CHECKLIST_MOVED,
    verbs.ANSWER_SAVED,
    verbs.ANSWERS_COPIED,
    verbs.MODEL_TEXT_USED,
    verbs.OWN_MODEL_TEXT_USED,
    verbs.COPIES_READ,
    verbs.ITEMS_ACCEPTED,
    verbs.ACCEPTANCE_UNDONE,
    verbs.POSITION_TAKEN,
    verbs.PROPOSAL_MADE,
    verbs.PROPOSAL_ANSWERED,
    verbs.PROPOSAL_ACCEPTED,
    verbs.PROPOSAL_TURNED_DOWN,
    verbs.PROPOSAL_WITHDRAWN,
    verbs.FLAG_RAISED,
    verbs.FLAG_CLOSED,
    verbs.HINT_ANSWERED,
    verbs.SAFEGUARDS_REVIEWED,
    verbs.OUTSIDE_READER_ASKED,
    verbs.OUTSIDE_READER_ACCEPTED,
    verbs.OUTSIDE_READING_ENDED,
    verbs.COMMENT_MADE,
    verbs.COMMENT_EDITED,
    verbs.COMMENT_WITHDRAWN,
    verbs.COMMENT_SETTLED,
    verbs.COMMENT_REOPENED,
    verbs.COMMENT_TASK_MADE,
    verbs.COMMENT_TASK_DONE,
)
_SIGNING = (
    verbs.SENT_FOR_SIGNATURE,
    verbs.SIGNATURE_REQUEST_WITHDRAWN,
    verbs.SIGNATURE_REQUEST_EXPIRED,
    verbs.SIGNATORIES_REMINDED,
    verbs.SIGNING_PASSED_ON,
    verbs.SIGNED,
    verbs.PAPER_RECORDED,
    verbs.FORMER_AGREEMENT_RECORDED,
    verbs.PAPER_CONFIRMED,
    verbs.PAPER_REFUSED,
    verbs.PAPER_WITHDRAWN,
    verbs.SIGNED_ON_PAPER,
    verbs.DECLINED,
    verbs.AMENDMENT_OPENED,
    verbs.AMENDMENT_CALLED_OFF,
    verbs.CAME_INTO_FORCE,
    verbs.NOTICE_GIVEN,
    verbs.NOTICE_TAKEN_BACK,
    verbs.TEXT_SUSPENDED,
    verbs.TEXT_ENDED,
    verbs.SUSPENSION_LIFTED,
    verbs.TEXT_RENEWED,
    verbs.CERTIFICATE_MADE,
    verbs.VERIFICATION_CHANGED,
    verbs.EVIDENCE_EXPORTED,
)
_PEOPLE = (
    verbs.OUTSIDE_BODY_ADDED,
    verbs.OUTSIDE_BODY_REMOVED,
    verbs.PARTNER_SELECTION_RECORDED,
    verbs.INVITATION_REQUESTED,
    verbs.INVITATION_REQUEST_CONFIRMED,
    verbs.INVITATION_REQUEST_DECLINED,
    verbs.INVITATION_REQUEST_LAPSED,
    verbs.INVITATION_REQUEST_WITHDRAWN,
    verbs.PARTY_JOINED,
    verbs.PARTY_JOINING,
    verbs.JOINING_TAKEN_BACK,
    verbs.PARTY_LEAVING,
    verbs.PARTY_STAYS,
    verbs.PARTY_LEFT,
    verbs.PARTY_REPLACED,
    verbs.PERSON_JOINED,
    verbs.PERSON_LEFT,
    verbs.UNDERTAKING_ASKED,
    verbs.UNDERTAKING_SIGNED,
    verbs.UNDERTAKING_FROZEN,
    verbs.UNDERTAKING_SCAN_RECORDED,
    verbs.UNDERTAKING_SCAN_CONFIRMED,
    verbs.UNDERTAKING_SCAN_REFUSED,
    verbs.UNDERTAKING_SCAN_WITHDRAWN,
    verbs.INTEREST_ADDED,
    verbs.INTERESTS_DECIDED,
    verbs.UNDERTAKING_COUNTERSIGNED,
    verbs.UNDERTAKING_CLOSED,
    verbs.RETURN_REQUESTED,
    verbs.RETURN_CONFIRMED,
    verbs.RETURN_RECORDED,
    verbs.RETURN_EXCEPTED,
    verbs.RETURN_CANCELLED,
    verbs.MAILED_CODES_ALLOWED,
    verbs.MAILED_CODES_STOPPED,
    verbs.CLEARANCE_OPENED,
    verbs.CLEARANCE_CLOSED,
)
_VISITS = (
    verbs.VISIT_PLANNED,
    verbs.VISIT_CHANGED,
    verbs.VISIT_STAGE_CHANGED,
    verbs.VISIT_BECAME_READY,
    verbs.VISIT_LOST_READINESS,
    verbs.GATE_OVERRIDDEN,
    verbs.VISIT_STOPPED,
    verbs.VISIT_PUT_IN_CHARGE,
    verbs.AUDIENCE_CHANGED,
    verbs.TEAM_CHANGED,
)
_COURSE = (
    verbs.COOPERATION_OPENED,
    verbs.COOPERATION_CHANGED,
    verbs.MODES_CHANGED,
    verbs.STAGE_CHANGED,
    verbs.REVIEW_BEGUN,
    verbs.REVIEW_SAVED,
    verbs.REVIEW_CONFIRMED,
    verbs.REVIEW_CONCLUDED_WITHOUT,
    verbs.REVIEW_CONCLUDED,
    verbs.REVIEW_CALLED_OFF,
    verbs.CLOSING_COMPLETED,
)

VERBS_OF: dict[EventKind, tuple[Verb, ...]] = {
    EventKind.MILESTONES: _MILESTONES,
    EventKind.ANSWERS: _ANSWERS,
    EventKind.SIGNING: _SIGNING,
    EventKind.PEOPLE: _PEOPLE,
    EventKind.VISITS: _VISITS,
    EventKind.COURSE: _COURSE,
}

_ACTS: dict[str, Act] = {
    verbs.ANSWER_SAVED.name: Act.ANSWERED,
    verbs.ITEMS_ACCEPTED.name: Act.ACCEPTED,
    verbs.PROPOSAL_MADE.name: Act.SUGGESTED,
    verbs.PROPOSAL_ANSWERED.name: Act.SUGGESTED,
    verbs.COMMENT_MADE.name: Act.COMMENTED,
    verbs.FLAG_RAISED.name: Act.FLAGGED,
    verbs.PERSON_JOINED.name: Act.JOINED,
    verbs.UNDERTAKING_ASKED.name: Act.ASKED,
    verbs.CERTIFICATE_MADE.name: Act.CERTIFIED,
}


def act_of(verb: str, stance: object) -> Act | None:
    """Return the act that an event belongs to, if a history tells several such in one line."""
    if verb == verbs.POSITION_TAKEN.name:
        return Act.ACCEPTED if stance == "accepts" else Act.DISCUSSED
    return _ACTS.get(verb)
