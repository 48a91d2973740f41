"""Texts and links shared by My work and the cooperation page."""

import datetime as dt
from collections.abc import Callable
from uuid import UUID

from flask import url_for
from flask_babel import lazy_gettext as _l
from flask_babel import lazy_ngettext, ngettext

from tracker.access.actor import Actor, Role
from tracker.activity.kinds import Act, EventKind
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import ChecklistState
from tracker.checklists.policy import WRITERS
from tracker.cooperations.models import Stage
from tracker.core import clock
from tracker.signoff.outcomes import Validity, validity

# Who does the work of a side, and decides for it.
DECIDERS = (Role.COORDINATOR, Role.SIGNATORY, Role.MANAGER)
# Who renews terms that have run out, or gives notice of the end.
RENEWERS = (Role.COORDINATOR, Role.SIGNATORY)
RENEW_OR_END = _l("Renew the agreed terms or end them")
EVENT_KINDS: dict[EventKind, object] = {
    EventKind.MILESTONES: _l("Milestones"),
    EventKind.ANSWERS: _l("Answers and comments"),
    EventKind.SIGNING: _l("Signing"),
    EventKind.PEOPLE: _l("Parties and people"),
    EventKind.VISITS: _l("Visits"),
    EventKind.COURSE: _l("Stages and reviews"),
}
# What several events of an act are together, by the number of items or people.
ACT_WORDS: dict[Act, Callable[[int], object]] = {
    Act.ANSWERED: lambda number: ngettext(
        "%(num)s item answered", "%(num)s items answered", number
    ),
    Act.ACCEPTED: lambda number: ngettext(
        "%(num)s item accepted", "%(num)s items accepted", number
    ),
    Act.DISCUSSED: lambda number: ngettext(
        "%(num)s item to discuss", "%(num)s items to discuss", number
    ),
    Act.SUGGESTED: lambda number: ngettext(
        "Changes suggested to %(num)s item", "Changes suggested to %(num)s items", number
    ),
    Act.COMMENTED: lambda number: ngettext(
        "Comments on %(num)s item", "Comments on %(num)s items", number
    ),
    Act.FLAGGED: lambda number: ngettext("%(num)s item flagged", "%(num)s items flagged", number),
    Act.JOINED: lambda number: ngettext("%(num)s person added", "%(num)s people added", number),
    Act.ASKED: lambda number: ngettext(
        "%(num)s person asked for an undertaking",
        "%(num)s people asked for an undertaking",
        number,
    ),
    Act.CERTIFIED: lambda number: ngettext(
        "%(num)s certificate made", "%(num)s certificates made", number
    ),
}
FILL: dict[ChecklistKind, object] = {
    ChecklistKind.TERMS: _l("Fill in the agreed terms"),
    ChecklistKind.CONFIDENTIALITY: _l("Agree the confidentiality terms"),
    ChecklistKind.VISIT_ROLES: _l("Agree the roles for a joint visit"),
    ChecklistKind.URGENT_PLAN: _l("Agree the urgent-action plan"),
}
SIGN: dict[ChecklistKind, object] = {
    ChecklistKind.TERMS: _l("Sign the agreed terms"),
    ChecklistKind.CONFIDENTIALITY: _l("Sign the confidentiality terms"),
    ChecklistKind.VISIT_ROLES: _l("Sign the roles for a joint visit"),
    ChecklistKind.URGENT_PLAN: _l("Sign the urgent-action plan"),
}
SEND: dict[ChecklistKind, object] = {
    ChecklistKind.TERMS: _l("Send the agreed terms for signature"),
    ChecklistKind.CONFIDENTIALITY: _l("Send the confidentiality terms for signature"),
    ChecklistKind.VISIT_ROLES: _l("Send the roles for signature"),
    ChecklistKind.URGENT_PLAN: _l("Send the urgent-action plan for signature"),
}
# The task to amend a text of the cooperation that names somebody who can't act any more.
NAME_SOMEBODY_ELSE: dict[ChecklistKind, object] = {
    ChecklistKind.TERMS: _l("Name somebody else in the agreed terms"),
    ChecklistKind.CONFIDENTIALITY: _l("Name somebody else in the confidentiality terms"),
    ChecklistKind.URGENT_PLAN: _l("Name somebody else in the urgent-action plan"),
}
# Why that amendment is needed.
MISNAMING = _l(
    "Somebody named in this text can't act any more. Propose an amendment that names somebody else."
)
# Why a text has to be agreed again, as is_to_agree_anew() says.
AGREE_AGAIN = _l("The signed text has ended, and this cooperation still needs one.")


def is_to_agree_anew(state: ChecklistState, *, is_needed: bool) -> bool:
    """Return whether a text has ended that its cooperation, which goes on, still needs."""
    return is_needed and state is ChecklistState.ENDED


def answer_suggestions(number: int) -> object:
    """Return the task to answer what was suggested on a text that is otherwise agreed."""
    return lazy_ngettext("Answer %(num)s suggestion", "Answer %(num)s suggestions", number)


def settle_flags(number: int) -> object:
    """Return the NPM's task to change what is flagged, or to explain why it is acceptable."""
    return lazy_ngettext(
        "Settle %(num)s flag: limits the NPM's independence",
        "Settle %(num)s flags: limits the NPM's independence",
        number,
    )


def review_is_overdue(stage: Stage, review_on: dt.date | None) -> bool:
    """Return whether the review of an active cooperation should have taken place."""
    is_active = stage in {Stage.ACTIVE, Stage.UNDER_REVIEW}
    return is_active and review_on is not None and review_on < clock.today()


def has_run_out(stage: Stage, ends_on: dt.date | None) -> bool:
    """Return whether the last day of the terms of an active cooperation has passed."""
    is_active = stage in {Stage.ACTIVE, Stage.UNDER_REVIEW}
    return is_active and validity(None, ends_on, clock.today()) is Validity.RUN_OUT


def is_plain_member(actor: Actor) -> bool:
    """Return whether a person has no part in their side's work but what is given to them."""
    return actor.has(Role.MEMBER) and not actor.has(*DECIDERS)


def works(actor: Actor, *, taking_part: bool) -> bool:
    """Return whether their side's work is this person's: coordinators, and those who take part."""
    return actor.has(Role.COORDINATOR) or (taking_part and actor.has(*WRITERS))


def cooperation_url(reference: str) -> str:
    """Return the URL of a cooperation's page."""
    return str(url_for("dashboard.cooperation", reference=reference))


def modes_url(reference: str) -> str:
    """Return the URL of the page that sets a cooperation's ways of working."""
    return str(url_for("cooperations.change_modes", reference=reference))


def reviews_url(reference: str) -> str:
    """Return the URL of the list of a cooperation's reviews."""
    return str(url_for("reviews.listed", reference=reference))


def checklist_url(checklist_id: UUID, narrowed: str | None = None, item: str = "") -> str:
    """Return the URL of a checklist, filtered or at an item."""
    return str(
        url_for(
            "checklists.show",
            checklist_id=checklist_id,
            filter=narrowed,
            _anchor=item.lower() or None,
        )
    )


def reading_url(checklist_id: UUID) -> str:
    """Return the URL of a draft as the text it will be, to read and accept it."""
    return str(url_for("reading.show", checklist_id=checklist_id))


def review_url(checklist_id: UUID) -> str:
    """Return the URL of the second reader's page."""
    return str(url_for("safeguards.review", checklist_id=checklist_id))


def send_url(checklist_id: UUID) -> str:
    """Return the URL of the page that sends a text for signature."""
    return str(url_for("signing.send", checklist_id=checklist_id))


def sign_url(checklist_id: UUID) -> str:
    """Return the URL of the first page of signing."""
    return str(url_for("signing.read", checklist_id=checklist_id))


def record_url(checklist_id: UUID) -> str:
    """Return the URL of the record of an agreement."""
    return str(url_for("signing.record", checklist_id=checklist_id))
