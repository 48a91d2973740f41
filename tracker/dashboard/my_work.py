"""A person's tasks on checklists and signatures, and dates ahead, for My work."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from tracker.access.actor import Actor, Role
from tracker.checklists import queries as checklists
from tracker.checklists.models import ChecklistKind, ChecklistState
from tracker.checklists.queries import ChecklistLine
from tracker.cooperations import policy
from tracker.cooperations.models import Cooperation
from tracker.core import clock
from tracker.dashboard import queries
from tracker.dashboard.queries import Asked
from tracker.dashboard.wording import (
    FILL,
    READ_COPIES,
    SEND,
    SIGN,
    checklist_url,
    cooperation_url,
    listed,
    record_url,
    review_is_overdue,
    review_url,
    send_url,
    sign_url,
    works,
)
from tracker.ui.locale import as_date
from tracker.ui.tasks import OTHERS, YOURS, DateAhead, Task, Tasks

FEW_DATES = 8


@dataclass(frozen=True, slots=True)
class _Desk:
    """What is read once for all checklists of a person."""

    actor: Actor
    cooperations: Mapping[UUID, Cooperation]
    takes_part_in: frozenset[UUID]
    asked: Mapping[UUID, Asked]
    readers: Mapping[UUID, UUID]
    visit_numbers: Mapping[UUID, int]

    def works_on(self, line: ChecklistLine) -> bool:
        """Whether the work of the own side is this person's: coordinators, and who takes part."""
        return self.actor.organisation_id in line.waiting and works(
            self.actor, taking_part=line.cooperation_id in self.takes_part_in
        )

    def names(self, line: ChecklistLine, ids: Iterable[UUID]) -> str:
        """The names of some parties in one phrase."""
        known = {
            party.organisation_id: party.organisation.name
            for party in self.cooperations[line.cooperation_id].parties
        }
        return listed(known[one] for one in ids if one in known)

    def title(self, line: ChecklistLine) -> str:
        """Which cooperation, and which visit, a checklist belongs to."""
        title = self.cooperations[line.cooperation_id].title
        if line.visit_id is None:
            return title
        return str(_("%(title)s, visit %(n)s", title=title, n=self.visit_numbers[line.visit_id]))


def checklist_tasks(actor: Actor) -> Tasks:
    """Tell what waits on checklists and signatures. A source of my work."""
    found = queries.running(actor)
    lines = checklists.overview(actor, [one.id for one in found])
    desk = _Desk(
        actor=actor,
        cooperations={one.id: one for one in found},
        takes_part_in=queries.takes_part_in(actor),
        asked=queries.asked(line.revision_sent_id for line in lines),
        readers=queries.second_readers(
            line.id for line in lines if line.kind is ChecklistKind.TERMS
        ),
        visit_numbers=queries.visit_numbers(actor, (line.visit_id for line in lines)),
    )
    made = [task for line in lines for task in _line_tasks(desk, line)]
    made += [task for one in found for task in _head_tasks(actor, one)]
    return Tasks(
        mine=tuple(task for task in made if task.s == YOURS),
        others=tuple(task for task in made if task.s == OTHERS),
        dates=tuple(_dates(found)[:FEW_DATES]),
    )


def _line_tasks(desk: _Desk, line: ChecklistLine) -> list[Task]:
    if line.state is ChecklistState.SENT:
        return _signature_tasks(desk, line)
    if line.state is not ChecklistState.DRAFTING or not line.waiting:
        return []
    found = [*_reading_tasks(desk, line), *_position_tasks(desk, line)]
    if line.open_flags:
        found.append(_flag_task(desk, line))
    if line.is_complete and not found:
        found.append(_completed_task(desk, line))
    return found


def _signature_tasks(desk: _Desk, line: ChecklistLine) -> list[Task]:
    asked = desk.asked.get(line.revision_sent_id) if line.revision_sent_id else None
    if asked is None:
        return []
    if asked.waits_for(desk.actor):
        label = _(
            "%(sign)s for %(organisation)s",
            sign=SIGN[line.kind],
            organisation=desk.actor.organisation_name,
        )
        return [
            Task(
                label,
                _("Waiting for your signature"),
                YOURS,
                sign_url(line.id),
                desk.title(line),
                due=asked.until,
            )
        ]
    waiting = desk.names(line, asked.waiting)
    state = _("Waiting for %(names)s", names=waiting)
    return [Task(SIGN[line.kind], state, OTHERS, record_url(line.id), desk.title(line))]


def _position_tasks(desk: _Desk, line: ChecklistLine) -> list[Task]:
    own = desk.actor.organisation_id
    ours = line.waiting.get(own, 0) if own else 0
    why = desk.title(line)
    if ours and desk.works_on(line):
        waits = ngettext(
            "%(num)s item waits for %(side)s.",
            "%(num)s items wait for %(side)s.",
            ours,
            side=desk.actor.organisation_name,
        )
        return [
            Task(
                FILL[line.kind],
                _("Waiting for you"),
                YOURS,
                checklist_url(line.id, narrowed="us"),
                _("%(title)s. %(waits)s", title=why, waits=waits),
            )
        ]
    others = [one for one, count in line.waiting.items() if count and (one != own or ours)]
    if not others:
        return []
    state = _("Waiting for %(names)s", names=desk.names(line, others))
    return [Task(FILL[line.kind], state, OTHERS, checklist_url(line.id), why)]


def _reading_tasks(desk: _Desk, line: ChecklistLine) -> list[Task]:
    """What was copied into a checklist is read by somebody of every party."""
    own = desk.actor.organisation_id
    unread = line.unread.get(own, 0) if own else 0
    if not unread or not desk.works_on(line):
        return []
    many = ngettext(
        "%(num)s item was copied and waits to be read for %(side)s.",
        "%(num)s items were copied and wait to be read for %(side)s.",
        unread,
        side=desk.actor.organisation_name,
    )
    return [
        Task(
            READ_COPIES[line.kind],
            _("Waiting for you"),
            YOURS,
            checklist_url(line.id, narrowed="copied"),
            _("%(title)s. %(waits)s", title=desk.title(line), waits=many),
        )
    ]


def _flag_task(desk: _Desk, line: ChecklistLine) -> Task:
    label = ngettext(
        "Settle %(num)s term marked as limiting the NPM",
        "Settle %(num)s terms marked as limiting the NPM",
        line.open_flags,
    )
    url = checklist_url(line.id, narrowed="flagged")
    if desk.actor.acts_for_npm and desk.works_on(line):
        return Task(label, _("Waiting for you"), YOURS, url, desk.title(line))
    return Task(label, _("Waiting for the NPM"), OTHERS, url, desk.title(line))


def _completed_task(desk: _Desk, line: ChecklistLine) -> Task:
    """The text is complete and agreed: it is read by the second reader, then sent."""
    why = desk.title(line)
    if line.kind is ChecklistKind.TERMS and not line.is_reviewed:
        label = _("Read the safeguards of the terms as second reader")
        if desk.readers.get(line.id) == desk.actor.user_id:
            return Task(label, _("Waiting for you"), YOURS, review_url(line.id), why)
        return Task(label, _("Waiting for the NPM"), OTHERS, checklist_url(line.id), why)
    if desk.actor.has(Role.COORDINATOR) and desk.works_on(line):
        return Task(SEND[line.kind], _("Waiting for you"), YOURS, send_url(line.id), why)
    state = _("Waiting for a coordinator")
    return Task(SEND[line.kind], state, OTHERS, checklist_url(line.id), why)


def _head_tasks(actor: Actor, cooperation: Cooperation) -> list[Task]:
    """What a coordinator of the NPM does on the head: name modes, hold the review."""
    fact = policy.CooperationFact(
        cooperation.stage,
        tuple(policy.PartyFact(one.organisation_id, one.side) for one in cooperation.parties),
    )
    if not policy.can_change(actor, fact):
        return []
    found: list[Task] = []
    if not cooperation.modes:
        found.append(
            Task(
                _("Name the ways of working"),
                _("Waiting for you"),
                YOURS,
                url_for("cooperations.change_modes", reference=cooperation.reference),
                cooperation.title,
            )
        )
    if review_is_overdue(cooperation):
        found.append(
            Task(
                _("Hold the review"),
                _("Overdue since %(day)s", day=as_date(cooperation.review_on)),
                YOURS,
                cooperation_url(cooperation),
                cooperation.title,
                due=cooperation.review_on,
            )
        )
    return found


def _dates(found: Iterable[Cooperation]) -> list[DateAhead]:
    """Return start, review and end of cooperations from today on, in order."""
    today = clock.today()
    ahead: list[DateAhead] = []
    for one in found:
        url = cooperation_url(one)
        for day, what in (
            (one.starts_on, _("Start: %(title)s", title=one.title)),
            (one.review_on, _("Review: %(title)s", title=one.title)),
            (one.ends_on, _("End: %(title)s", title=one.title)),
        ):
            if day is not None and day >= today:
                ahead.append(DateAhead(day, what, url))
    return sorted(ahead, key=lambda date: date.day)
