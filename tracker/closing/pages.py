"""View models for closing pages: tasks, continuing duties and how long they last."""

import datetime as dt
from collections.abc import Sequence
from dataclasses import dataclass

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from tracker.access.actor import Actor
from tracker.agreements import notices
from tracker.agreements.notices import Duties
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import heads
from tracker.closing import confidentiality_days, queries
from tracker.closing.models import Closing, MaterialReturn, RecordedHow
from tracker.closing.queries import PartyReturns
from tracker.cooperations.models import Cooperation, Stage
from tracker.cooperations.pages import task_heading
from tracker.core import clock
from tracker.ui.locale import as_date
from tracker.ui.tasks import OTHERS, YOURS, Task, Tasks


@dataclass(frozen=True, slots=True)
class LastingDuties:
    """The continuing duties in the signed texts, and the last day of confidentiality.

    That day depends on the text under which each person had access; first is the earliest.
    """

    duties: list[Duties]
    # None if the terms name no number of years.
    until: dt.date | None
    first: dt.date | None = None


def lasting_duties(cooperation: Cooperation, closing: Closing, language: str) -> LastingDuties:
    """Return the duties that continue after a cooperation has ended (C17, M20)."""
    confidentiality = next(
        (
            checklist
            for checklist in heads.of_cooperation(cooperation.id)
            if checklist.kind is ChecklistKind.CONFIDENTIALITY
        ),
        None,
    )
    if confidentiality is None:
        terms = next(iter(heads.of_cooperation(cooperation.id)), None)
        return LastingDuties(notices.surviving_duties(terms, language) if terms else [], None)
    days = confidentiality_days.last_days(
        cooperation.id,
        ended_on=closing.begun_at.astimezone(clock.zone()).date(),
        standing_id=notices.standing_revision_id(confidentiality),
    )
    return LastingDuties(
        notices.surviving_duties(confidentiality, language),
        max(days, default=None),
        min(days, default=None),
    )


def numbers(party: PartyReturns) -> str:
    """Return a text saying how many people of a party were asked and how many have answered."""
    asked_words = ngettext("%(num)s person was asked", "%(num)s people were asked", party.total)
    answered = party.total - party.open
    return str(_("%(asked)s, %(answered)s answered.", asked=asked_words, answered=answered))


def recorded_words(request: MaterialReturn) -> str:
    """Return who recorded what a person without an account confirmed, and how they confirmed it."""
    name = request.answered_by.name if request.answered_by else ""
    if request.recorded_how is RecordedHow.ON_PAPER:
        return str(_("They confirmed it on paper; %(name)s recorded it.", name=name))
    return str(_("They confirmed it in person; %(name)s recorded it.", name=name))


def my_tasks(actor: Actor) -> Tasks:
    """Return what a person has to confirm, and closings to complete. A source for My work.

    For people who decide for the NPM, also what to record for people without an account.
    """
    own = [
        Task(
            _("Confirm what became of your copies"),
            _("Your turn"),
            YOURS,
            url_for("closing.confirm", return_id=request.id),
            _("%(title)s, %(reference)s", title=cooperation.title, reference=cooperation.reference),
            due=request.due_on,
            act=_("Confirm"),
        )
        for request, cooperation in queries.own_open(actor)
    ]
    of_others = [
        Task(
            _("Record what became of the copies of %(person)s", person=request.user.name),
            _("Your turn"),
            YOURS,
            url_for(
                "closing.record_confirmation",
                reference=cooperation.reference,
                return_id=request.id,
            ),
            due=request.due_on,
            under=task_heading(cooperation.reference, cooperation.title),
        )
        for request, cooperation in queries.of_people_without_account(actor)
    ]
    to_complete = [
        Task(
            _("Complete the closing"),
            _("Your turn"),
            YOURS,
            url_for("closing.show", reference=cooperation.reference),
            under=task_heading(cooperation.reference, cooperation.title),
        )
        for cooperation in queries.to_complete(actor)
    ]
    return Tasks(mine=(*own, *of_others, *to_complete))


def cooperation_tasks(
    _actor: Actor, cooperation: Cooperation, *_rest: object
) -> dict[str, Sequence[Task]]:
    """Return the closing task for a cooperation's page, once the cooperation has ended."""
    if cooperation.stage is not Stage.CLOSED:
        return {}
    closing = queries.closing_of(cooperation.id)
    if closing is None:
        return {}
    url = url_for("closing.show", reference=cooperation.reference)
    if closing.completed_at is not None:
        day = as_date(closing.completed_at.astimezone(clock.zone()).date())
        return {
            "closing": [Task(_("Closing"), _("Complete"), "done", url, _("On %(day)s.", day=day))]
        }
    waiting = queries.open_count(cooperation.id)
    words = ngettext(
        "%(num)s person still has to confirm what became of their copies.",
        "%(num)s people still have to confirm what became of their copies.",
        waiting,
    )
    state = (_l("Waiting for people"), OTHERS) if waiting else (_l("To complete"), "half")
    return {"closing": [Task(_("Closing"), *state, url, words if waiting else "")]}
