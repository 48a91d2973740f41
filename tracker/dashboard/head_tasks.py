"""Tasks on the heads of cooperations, and their dates ahead, for My work."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from uuid import UUID

from flask_babel import gettext as _

from tracker.access.actor import Actor, OrganisationKind, Role
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import ChecklistState
from tracker.cooperations import policy
from tracker.cooperations.models import Mode, Stage
from tracker.cooperations.modes import Purpose, requirement
from tracker.cooperations.pages import task_heading
from tracker.core import clock
from tracker.dashboard import agreeing, queries
from tracker.dashboard.queries import Running, TermsAnswers
from tracker.dashboard.wording import (
    AGREE_AGAIN,
    FILL,
    MISNAMING,
    NAME_SOMEBODY_ELSE,
    RENEW_OR_END,
    RENEWERS,
    cooperation_url,
    has_run_out,
    is_to_agree_anew,
    modes_url,
    record_url,
    review_is_overdue,
    reviews_url,
)
from tracker.lifecycle import policy as lifecycle
from tracker.signoff.labels import DISAGREES
from tracker.ui.locale import as_date
from tracker.ui.tasks import YOURS, DateAhead, Task, Waiting

FEW_DATES = 8


@dataclass(frozen=True, slots=True)
class _Dated:
    """A task on a cooperation whose day has passed."""

    label: str
    cooperation: Running
    due: dt.date | None
    url: str


def tasks(
    actor: Actor, cooperations: Iterable[Running], terms: Mapping[UUID, TermsAnswers]
) -> list[Task | Waiting[_Dated]]:
    """Return tasks on heads: choose ways of working, hold the review, renew or end the terms.

    And on texts that have to be amended: somebody else is to be named, or they have ended and are
    still needed. A coordinator's; a signatory can end what has run out. terms contains the answers
    of each cooperation that has something to amend.
    """
    if not actor.has(*RENEWERS):
        return []
    cooperations = list(cooperations)
    waiting = [
        cooperation
        for cooperation in cooperations
        if not cooperation.modes
        or _review_is_to_begin(cooperation)
        or _is_to_renew_or_end(cooperation)
    ]
    sides = queries.own_sides(actor, [cooperation.id for cooperation in waiting])
    return [
        task
        for cooperation in waiting
        for task in _tasks_of_head(actor, cooperation, sides.get(cooperation.id))
    ] + _amending(
        actor,
        {cooperation.id: cooperation for cooperation in cooperations if cooperation.to_amend},
        terms,
    )


def _amending(
    actor: Actor, cooperations: Mapping[UUID, Running], terms: Mapping[UUID, TermsAnswers]
) -> list[Task | Waiting[_Dated]]:
    """Return the tasks to amend texts that name people who can't act, or to agree on them again."""
    if not cooperations or not actor.has(Role.COORDINATOR):
        return []
    tasks_found: list[Task | Waiting[_Dated]] = []
    for text in queries.texts_to_amend(actor, cooperations):
        cooperation = cooperations[text.cooperation_id]
        is_needed = is_work(cooperation, text.kind, terms.get(cooperation.id, TermsAnswers()))
        if is_to_agree_anew(text.state, is_needed=is_needed):
            label, why = FILL[text.kind], AGREE_AGAIN
        elif text.state is ChecklistState.IN_FORCE:
            label, why = NAME_SOMEBODY_ELSE[text.kind], MISNAMING
        else:
            continue
        tasks_found.append(
            Task(
                label,
                _("Waiting for you"),
                YOURS,
                record_url(text.checklist_id),
                why,
                under=task_heading(cooperation.reference, cooperation.title),
            )
        )
    return tasks_found


def is_work(cooperation: Running, kind: ChecklistKind, terms: TermsAnswers) -> bool:
    """Return whether a cooperation's own text is work for its parties (product.md, 6).

    Not if it is just recommended, or not needed any more.
    """
    modes = [mode for mode in Mode if mode in cooperation.modes]
    return lifecycle.is_to_do(
        requirement((kind, Purpose.COOPERATION), modes, cooperation.questions, m9=terms.access)
    )


def _review_is_to_begin(cooperation: Running) -> bool:
    """Return whether the review is overdue and not being held yet; any party can begin it."""
    is_overdue = review_is_overdue(cooperation.stage, cooperation.review_on)
    return is_overdue and cooperation.stage is Stage.ACTIVE


def _is_to_renew_or_end(cooperation: Running) -> bool:
    """Return whether its terms have run out, and nobody has begun to renew or to end them."""
    return cooperation.goes_on and has_run_out(cooperation.stage, cooperation.ends_on)


def _tasks_of_head(
    actor: Actor, cooperation: Running, side: OrganisationKind | None
) -> list[Task | Waiting[_Dated]]:
    if actor.organisation_id is None or side is None:
        return []
    own = policy.PartyFact(actor.organisation_id, side)
    tasks_found: list[Task | Waiting[_Dated]] = []
    if _is_to_renew_or_end(cooperation):
        url = cooperation_url(cooperation.reference)
        tasks_found.append(_overdue(str(RENEW_OR_END), cooperation, cooperation.ends_on, url))
    if not actor.has(Role.COORDINATOR):
        return tasks_found
    if not cooperation.modes and policy.can_change(
        actor, policy.CooperationFact(cooperation.stage, (own,))
    ):
        tasks_found.append(
            Task(
                _("Name the ways of working"),
                _("Waiting for you"),
                YOURS,
                modes_url(cooperation.reference),
                under=task_heading(cooperation.reference, cooperation.title),
            )
        )
    if _review_is_to_begin(cooperation):
        url = reviews_url(cooperation.reference)
        tasks_found.append(_overdue(_("Hold the review"), cooperation, cooperation.review_on, url))
    return tasks_found


def _overdue(label: str, cooperation: Running, due: dt.date | None, url: str) -> Waiting[_Dated]:
    under = task_heading(cooperation.reference, cooperation.title)
    return Waiting(YOURS, _Dated(label, cooperation, due, url), _tell, due, under=under)


def _tell(shown: Sequence[_Dated]) -> list[Task]:
    """Return tasks for display; of a cooperation that was changed by hand none tells a day."""
    agree = agreeing.cooperations(task.cooperation.id for task in shown)
    return [
        Task(
            task.label,
            _("Overdue since %(day)s", day=as_date(task.due)),
            YOURS,
            task.url,
            due=task.due,
        )
        if task.cooperation.id in agree
        else Task(task.label, *DISAGREES, task.url)
        for task in shown
    ]


def dates(cooperations: Iterable[Running]) -> list[DateAhead]:
    """Return the next start, review and end dates of cooperations from today on, in order."""
    today = clock.today()
    ahead = [
        (day, words, cooperation)
        for cooperation in cooperations
        for day, words in (
            (cooperation.starts_on, _start_words),
            (cooperation.review_on, _review_words),
            (cooperation.ends_on, _end_words),
        )
        if day is not None and day >= today
    ]
    first = sorted(ahead, key=lambda date: date[0])[:FEW_DATES]
    agree = agreeing.cooperations(cooperation.id for _day, _words, cooperation in first)
    return [
        DateAhead(
            day,
            words(cooperation.title),
            cooperation_url(cooperation.reference),
            instead="" if cooperation.id in agree else DISAGREES[0],
        )
        for day, words, cooperation in first
    ]


def _start_words(title: str) -> str:
    return str(_("Start: %(title)s", title=title))


def _review_words(title: str) -> str:
    return str(_("Review: %(title)s", title=title))


def _end_words(title: str) -> str:
    return str(_("End: %(title)s", title=title))
