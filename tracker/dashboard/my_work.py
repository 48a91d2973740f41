"""A person's tasks on checklists and signatures, for My work."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import ngettext

from tracker.access.actor import Actor, Role
from tracker.checklist_templates.models import ChecklistKind
from tracker.cooperations.models import Stage
from tracker.dashboard import agreeing, head_tasks, queries
from tracker.dashboard.queries import (
    Line,
    LineParty,
    Running,
    TermsAnswers,
    Turn,
    WaitingRevision,
)
from tracker.dashboard.wording import (
    FILL,
    READ_COPIES,
    SEND,
    SIGN,
    answer_suggestions,
    checklist_url,
    record_url,
    review_url,
    send_url,
    sign_url,
    works,
)
from tracker.reviews import pages as review_pages
from tracker.signoff.labels import DISAGREES
from tracker.ui.locale import listed
from tracker.ui.tasks import OTHERS, YOURS, Task, Tasks, Waiting

# Makes one task from a line, once it is shown.
Made = Callable[[], Task]


@dataclass(frozen=True, slots=True)
class _Context:
    """What is read once for all checklists of a person."""

    actor: Actor
    cooperations: Mapping[UUID, Running]
    takes_part_in: frozenset[UUID]
    turns: Mapping[UUID, Turn]
    terms: Mapping[UUID, TermsAnswers]
    # What only the displayed tasks need, read for all of them together.
    parties: dict[UUID, list[LineParty]] = field(default_factory=dict)
    waiting_revisions: dict[UUID, WaitingRevision] = field(default_factory=dict)
    visit_numbers: dict[UUID, int] = field(default_factory=dict)
    # The checklists whose texts, waiting for this person's signature, are as signed and recorded.
    agreeing: set[UUID] = field(default_factory=set)

    def works_on(self, line: Line) -> bool:
        """Whether their side's work is this person's: coordinators, and people who take part."""
        return line.is_party and works(
            self.actor, taking_part=line.cooperation_id in self.takes_part_in
        )

    def names(self, line: Line, ids: Iterable[UUID]) -> str:
        """The names of some parties as a list."""
        known = {party.organisation_id: party.name for party in self.parties[line.id]}
        return listed(known[party_id] for party_id in ids if party_id in known)

    def is_to_do(self, line: Line) -> bool:
        """Return whether it is work for the parties, not just recommended (product.md, 6)."""
        if line.visit_id is not None or line.kind is ChecklistKind.TERMS:
            return True
        cooperation = self.cooperations[line.cooperation_id]
        return head_tasks.is_work(cooperation, line.kind, self.answers(line))

    def is_to_sign(self, line: Line) -> bool:
        """Return whether it waits for this person's signature."""
        turn = self.turns.get(line.revision_sent_id) if line.revision_sent_id else None
        return turn is not None and turn.is_mine

    def answers(self, line: Line) -> TermsAnswers:
        """The answers of its cooperation's terms, if there are any yet."""
        return self.terms.get(line.cooperation_id, TermsAnswers())

    def title(self, line: Line) -> str:
        """The title of a checklist: its cooperation, and its visit."""
        title = self.cooperations[line.cooperation_id].title
        if line.visit_id is None:
            return title
        return str(_("%(title)s, visit %(n)s", title=title, n=self.visit_numbers[line.visit_id]))

    def tell(self, shown: Sequence[tuple[Line, Made]]) -> list[Task]:
        """Return tasks for display, reading what they need in a constant number of queries."""
        lines = [line for line, _made in shown]
        self.parties.update(queries.parties_of([line.id for line in lines]))
        self.waiting_revisions.update(
            queries.waiting_revisions(
                line.revision_sent_id for line in lines if not self.is_to_sign(line)
            )
        )
        self.visit_numbers.update(
            queries.visit_numbers(self.actor, (line.visit_id for line in lines))
        )
        self.agreeing.update(agreeing.texts(line.id for line in lines if self.is_to_sign(line)))
        return [tasks() for _line, tasks in shown]

    def waiting(
        self, s: str, line: Line, tasks: Made, due: dt.date | None = None
    ) -> Waiting[tuple[Line, Made]]:
        """Return a pending task on a checklist."""
        return Waiting(s, (line, tasks), self.tell, due)


def checklist_tasks(actor: Actor) -> Tasks:
    """Return pending tasks on checklists and signatures. A source for My work."""
    cooperations = queries.running(actor)
    by_id = {cooperation.id: cooperation for cooperation in cooperations}
    lines = queries.lines(actor, by_id)
    context = _Context(
        actor=actor,
        cooperations=by_id,
        takes_part_in=queries.takes_part_in(actor, by_id),
        turns=queries.turns(actor, [line.revision_sent_id for line in lines if line.is_sent]),
        terms=queries.answers_of_terms(
            [
                line.cooperation_id
                for line in lines
                if line.is_to_be_reviewed or line.kind is ChecklistKind.CONFIDENTIALITY
            ]
            + [cooperation.id for cooperation in cooperations if cooperation.to_amend]
        ),
    )
    tasks: list[Task | Waiting[Any]] = [task for line in lines for task in _of_line(context, line)]
    tasks += head_tasks.tasks(actor, cooperations, context.terms)
    if any(cooperation.stage is Stage.UNDER_REVIEW for cooperation in cooperations):
        tasks += review_pages.my_tasks(actor)
    return Tasks(
        mine=tuple(task for task in tasks if task.s == YOURS),
        others=tuple(task for task in tasks if task.s == OTHERS),
        dates=tuple(head_tasks.dates(cooperations)),
        is_cut=len(cooperations) == queries.MANY or len(lines) == queries.MANY_LINES,
    )


def _of_line(context: _Context, line: Line) -> list[Waiting[tuple[Line, Made]]]:
    if line.is_sent:
        return _on_signatures(context, line)
    if not context.is_to_do(line):
        return []
    tasks = [*_on_copies(context, line), *_on_positions(context, line)]
    if line.open_flags:
        is_mine = context.cooperations[line.cooperation_id].is_of_npm and context.works_on(line)
        tell = partial(_flag_task, context, line, is_mine=is_mine)
        tasks.append(context.waiting(YOURS if is_mine else OTHERS, line, tell))
    if line.is_complete and line.suggestions:
        tasks.append(_on_suggestions(context, line))
    if line.is_complete and not tasks:
        tasks.append(_on_completed(context, line))
    return tasks


def _on_suggestions(context: _Context, line: Line) -> Waiting[tuple[Line, Made]]:
    """Return the task to answer what is suggested on an agreed text, or to withdraw it."""
    s = YOURS if context.works_on(line) else OTHERS
    return context.waiting(s, line, partial(_suggestions_task, context, line, s))


def _suggestions_task(context: _Context, line: Line, s: str) -> Task:
    state = _("Waiting for you") if s == YOURS else _("Waiting for others")
    label = answer_suggestions(line.suggestions)
    return Task(label, state, s, checklist_url(line.id), context.title(line))


def _on_signatures(context: _Context, line: Line) -> list[Waiting[tuple[Line, Made]]]:
    turn = context.turns.get(line.revision_sent_id) if line.revision_sent_id else None
    if turn is None:
        return []
    if turn.is_mine:
        return [
            context.waiting(YOURS, line, partial(_own_signature, context, line, turn), turn.until)
        ]
    return [context.waiting(OTHERS, line, partial(_others_signature, context, line))]


def _own_signature(context: _Context, line: Line, turn: Turn) -> Task:
    label = _(
        "%(sign)s for %(organisation)s",
        sign=SIGN[line.kind],
        organisation=context.actor.organisation_name,
    )
    if line.id not in context.agreeing:
        return Task(label, *DISAGREES, sign_url(line.id), context.title(line))
    state = _("Waiting for your signature")
    return Task(label, state, YOURS, sign_url(line.id), context.title(line), due=turn.until)


def _others_signature(context: _Context, line: Line) -> Task:
    signing = (
        context.waiting_revisions.get(line.revision_sent_id) if line.revision_sent_id else None
    )
    waiting = context.names(line, signing.waiting if signing else ())
    state = _("Waiting for %(names)s", names=waiting)
    return Task(SIGN[line.kind], state, OTHERS, record_url(line.id), context.title(line))


def _on_positions(context: _Context, line: Line) -> list[Waiting[tuple[Line, Made]]]:
    if line.ours and context.works_on(line):
        return [context.waiting(YOURS, line, partial(_own_positions, context, line))]
    if not line.waits:
        return []
    return [context.waiting(OTHERS, line, partial(_others_positions, context, line))]


def _own_positions(context: _Context, line: Line) -> Task:
    waits = ngettext(
        "%(num)s item waiting for %(side)s.",
        "%(num)s items waiting for %(side)s.",
        line.ours or 0,
        side=context.actor.organisation_name,
    )
    return Task(
        FILL[line.kind],
        _("Waiting for you"),
        YOURS,
        checklist_url(line.id, narrowed="us"),
        _("%(title)s. %(waits)s", title=context.title(line), waits=waits),
    )


def _others_positions(context: _Context, line: Line) -> Task:
    waited_for = [party.organisation_id for party in context.parties[line.id] if party.waits]
    state = _("Waiting for %(names)s", names=context.names(line, waited_for))
    return Task(FILL[line.kind], state, OTHERS, checklist_url(line.id), context.title(line))


def _on_copies(context: _Context, line: Line) -> list[Waiting[tuple[Line, Made]]]:
    """Return tasks for reading prepared answers, one for each party."""
    if not line.unread or not context.works_on(line):
        return []
    return [context.waiting(YOURS, line, partial(_copies_task, context, line))]


def _copies_task(context: _Context, line: Line) -> Task:
    many = ngettext(
        "%(num)s item with a prepared answer for %(side)s to read.",
        "%(num)s items with prepared answers for %(side)s to read.",
        line.unread or 0,
        side=context.actor.organisation_name,
    )
    return Task(
        READ_COPIES[line.kind],
        _("Waiting for you"),
        YOURS,
        checklist_url(line.id, narrowed="copied"),
        _("%(title)s. %(waits)s", title=context.title(line), waits=many),
    )


def _flag_task(context: _Context, line: Line, *, is_mine: bool) -> Task:
    label = ngettext(
        "Settle %(num)s flag: limits the NPM's independence",
        "Settle %(num)s flags: limits the NPM's independence",
        line.open_flags,
    )
    url = checklist_url(line.id, narrowed="flagged")
    if is_mine:
        return Task(label, _("Waiting for you"), YOURS, url, context.title(line))
    return Task(label, _("Waiting for the NPM"), OTHERS, url, context.title(line))


def _on_completed(context: _Context, line: Line) -> Waiting[tuple[Line, Made]]:
    """Return tasks on a complete and agreed text: the second reader's, then sending it."""
    if line.is_to_be_reviewed:
        is_theirs = context.answers(line).second_reader == context.actor.user_id
        is_mine = is_theirs and not line.outside_reader
        tell = partial(_review_task, context, line, is_mine=is_mine)
    else:
        is_mine = context.actor.has(Role.COORDINATOR) and context.works_on(line)
        tell = partial(_send_task, context, line, is_mine=is_mine)
    return context.waiting(YOURS if is_mine else OTHERS, line, tell)


def _review_task(context: _Context, line: Line, *, is_mine: bool) -> Task:
    label, why = _("Read the safeguards of the terms as second reader"), context.title(line)
    if is_mine:
        return Task(label, _("Waiting for you"), YOURS, review_url(line.id), why)
    if line.outside_reader:
        state = _("Waiting for %(names)s", names=line.outside_reader)
        return Task(label, state, OTHERS, checklist_url(line.id), why)
    return Task(label, _("Waiting for the NPM"), OTHERS, checklist_url(line.id), why)


def _send_task(context: _Context, line: Line, *, is_mine: bool) -> Task:
    label, why = SEND[line.kind], context.title(line)
    if is_mine:
        return Task(label, _("Waiting for you"), YOURS, send_url(line.id), why)
    return Task(label, _("Waiting for a coordinator"), OTHERS, checklist_url(line.id), why)
