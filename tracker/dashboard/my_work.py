"""A person's tasks on checklists and signatures, for My work."""

import datetime as dt
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Any
from uuid import UUID

from flask_babel import gettext as _
from flask_babel import ngettext

from tracker.access.actor import Actor, Role
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.labels import KINDS
from tracker.cooperations.models import Stage
from tracker.cooperations.pages import task_heading
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
    DECIDERS,
    FILL,
    SEND,
    SIGN,
    answer_suggestions,
    checklist_url,
    is_plain_member,
    reading_url,
    record_url,
    review_url,
    send_url,
    settle_flags,
    sign_url,
    works,
)
from tracker.reviews import pages as review_pages
from tracker.signoff.labels import DISAGREES
from tracker.ui.locale import as_date, listed
from tracker.ui.tasks import OTHERS, YOURS, Part, Task, TaskHeading, Tasks, Waiting

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
        """Whether the items of their side are this person's work: they are the coordinators'."""
        return line.is_party and self.actor.has(Role.COORDINATOR)

    def settles_flags(self, line: Line) -> bool:
        """Whether flags wait for this person: coordinators of the NPM, deciders who take part."""
        return (
            line.is_party
            and self.cooperations[line.cooperation_id].is_of_npm
            and self.actor.has(*DECIDERS)
            and works(self.actor, taking_part=line.cooperation_id in self.takes_part_in)
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

    def visit(self, line: Line) -> str:
        """The visit of a checklist, to be read below the heading of its cooperation."""
        if line.visit_id is None:
            return ""
        return str(_("Visit %(number)s", number=self.visit_numbers[line.visit_id]))

    def heading(self, line: Line) -> TaskHeading:
        """The heading of its cooperation."""
        cooperation = self.cooperations[line.cooperation_id]
        return task_heading(cooperation.reference, cooperation.title)

    def tell(self, shown: Sequence[tuple[Line, Made]]) -> list[Task]:
        """Return tasks for display, reading what they need in a constant number of queries."""
        lines = [line for line, _build in shown]
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

    def others(self, line: Line, build: Made) -> Waiting[tuple[Line, Made]]:
        """Return a task on a checklist that other people have to do."""
        return Waiting(OTHERS, (line, build), self.tell)

    def shared(self, line: Line, build: Made, *, items: bool = False) -> Waiting[tuple[Line, Made]]:
        """Return a task on a checklist that a colleague could do as well; items: on its items."""
        return Waiting(
            YOURS,
            (line, build),
            self.tell,
            under=self.heading(line),
            checklist_id=line.id if items else None,
        )

    def own(
        self, line: Line, build: Made, due: dt.date | None = None, *, is_first: bool = False
    ) -> Waiting[tuple[Line, Made]]:
        """Return a task on a checklist that only this person can do."""
        return Waiting(YOURS, (line, build), self.tell, due, is_first=is_first)


def _asks_who(actor: Actor) -> bool:
    """Return whether it matters where a person takes part: for who settles the NPM's flags."""
    return actor.acts_for_npm and actor.has(*DECIDERS) and not actor.has(Role.COORDINATOR)


def checklist_tasks(actor: Actor) -> Tasks:
    """Return pending tasks on checklists and signatures. A source for My work."""
    cooperations = queries.running(actor)
    by_id = {cooperation.id: cooperation for cooperation in cooperations}
    lines = queries.lines(actor, by_id)
    context = _Context(
        actor=actor,
        cooperations=by_id,
        takes_part_in=queries.takes_part_in(actor, by_id) if _asks_who(actor) else frozenset(),
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
    others = tuple(task for task in tasks if task.s == OTHERS)
    return Tasks(
        mine=tuple(task for task in tasks if task.s == YOURS),
        # Members see what is theirs, not the work of their side.
        others=() if is_plain_member(actor) else others,
        dates=tuple(head_tasks.dates(cooperations)),
        is_cut=len(cooperations) == queries.MANY or len(lines) == queries.MANY_LINES,
    )


def _of_line(context: _Context, line: Line) -> list[Waiting[tuple[Line, Made]]]:
    """Return the one task on a checklist: the person's, or else what others have to do."""
    if line.is_sent:
        return _on_signatures(context, line)
    if not context.is_to_do(line):
        return []
    if _waits_for(context, line):
        return [context.shared(line, partial(_line_task, context, line), items=True)]
    if line.waits:
        return [context.others(line, partial(_others_positions, context, line))]
    if line.open_flags:
        return [context.others(line, partial(_others_flags, context, line))]
    if not line.is_complete:
        return []
    if line.suggestions:
        return [context.others(line, partial(_others_suggestions, context, line))]
    return [_on_completed(context, line)]


def _waits_for(context: _Context, line: Line) -> bool:
    """Return whether something on a draft waits for this person."""
    if context.works_on(line) and (line.ours or line.unread or _has_suggestions(line)):
        return True
    return bool(line.open_flags) and context.settles_flags(line)


def _has_suggestions(line: Line) -> bool:
    """Return whether suggestions are all that is left on a draft: others show on its items."""
    return line.is_complete and bool(line.suggestions)


def _line_task(context: _Context, line: Line) -> Task:
    """Return the task on a draft: what there is to do, part by part."""
    return Task(
        KINDS[line.kind],
        _("Waiting for you"),
        YOURS,
        checklist_url(line.id),
        context.visit(line),
        parts=tuple(_parts(context, line)),
    )


def _parts(context: _Context, line: Line) -> Iterator[Part]:
    if context.works_on(line):
        unread, to_accept = line.unread or 0, line.to_accept or 0
        # Whatever is to be read or accepted waits too.
        to_answer = (line.ours or 0) - unread - to_accept
        if unread:
            words = ngettext("%(num)s item to read", "%(num)s items to read", unread)
            yield Part(words, checklist_url(line.id, narrowed="copied"))
        if to_accept:
            words = ngettext(
                "%(num)s item to read and accept", "%(num)s items to read and accept", to_accept
            )
            yield Part(words, reading_url(line.id))
        if to_answer > 0:
            words = ngettext("%(num)s item to answer", "%(num)s items to answer", to_answer)
            yield Part(words, checklist_url(line.id, narrowed="us"))
    if line.open_flags and context.settles_flags(line):
        words = ngettext("%(num)s flag to settle", "%(num)s flags to settle", line.open_flags)
        yield Part(words, checklist_url(line.id, narrowed="flagged"))
    if context.works_on(line) and _has_suggestions(line):
        words = ngettext(
            "%(num)s suggestion to answer", "%(num)s suggestions to answer", line.suggestions
        )
        yield Part(words, checklist_url(line.id))


def _others_suggestions(context: _Context, line: Line) -> Task:
    label = answer_suggestions(line.suggestions)
    return Task(label, _("Waiting for others"), OTHERS, checklist_url(line.id), context.title(line))


def _others_flags(context: _Context, line: Line) -> Task:
    url = checklist_url(line.id, narrowed="flagged")
    label = settle_flags(line.open_flags)
    return Task(label, _("Waiting for the NPM"), OTHERS, url, context.title(line))


def _on_signatures(context: _Context, line: Line) -> list[Waiting[tuple[Line, Made]]]:
    turn = context.turns.get(line.revision_sent_id) if line.revision_sent_id else None
    if turn is None:
        return []
    if turn.is_mine:
        build = partial(_own_signature, context, line, turn)
        return [context.own(line, build, turn.until, is_first=True)]
    return [context.others(line, partial(_others_signature, context, line))]


def _own_signature(context: _Context, line: Line, turn: Turn) -> Task:
    label = _(
        "%(sign)s for %(organisation)s",
        sign=SIGN[line.kind],
        organisation=context.actor.organisation_name,
    )
    if line.id not in context.agreeing:
        return Task(label, *DISAGREES, sign_url(line.id), context.title(line))
    state = _("Waiting for your signature")
    why = context.title(line)
    if turn.until:
        why = _("%(title)s. Sign by %(day)s.", title=why, day=as_date(turn.until))
    return Task(label, state, YOURS, sign_url(line.id), why, due=turn.until)


def _others_signature(context: _Context, line: Line) -> Task:
    signing = (
        context.waiting_revisions.get(line.revision_sent_id) if line.revision_sent_id else None
    )
    waiting = context.names(line, signing.waiting if signing else ())
    state = _("Waiting for %(names)s", names=waiting)
    return Task(SIGN[line.kind], state, OTHERS, record_url(line.id), context.title(line))


def _others_positions(context: _Context, line: Line) -> Task:
    waited_for = [party.organisation_id for party in context.parties[line.id] if party.waits]
    state = _("Waiting for %(names)s", names=context.names(line, waited_for))
    return Task(FILL[line.kind], state, OTHERS, checklist_url(line.id), context.title(line))


def _on_completed(context: _Context, line: Line) -> Waiting[tuple[Line, Made]]:
    """Return the task on a complete and agreed text: the second reader's, then sending it."""
    if line.is_to_be_reviewed:
        is_theirs = context.answers(line).second_reader == context.actor.user_id
        if is_theirs and not line.outside_reader:
            return context.own(line, partial(_review_task, context, line, is_mine=True))
        return context.others(line, partial(_review_task, context, line, is_mine=False))
    if context.works_on(line):
        return context.shared(line, partial(_send_task, context, line, is_mine=True))
    return context.others(line, partial(_send_task, context, line, is_mine=False))


def _review_task(context: _Context, line: Line, *, is_mine: bool) -> Task:
    label, why = _("Read the safeguards of the terms as second reader"), context.title(line)
    if is_mine:
        return Task(label, _("Waiting for you"), YOURS, review_url(line.id), why)
    if line.outside_reader:
        state = _("Waiting for %(names)s", names=line.outside_reader)
        return Task(label, state, OTHERS, checklist_url(line.id), why)
    return Task(label, _("Waiting for the NPM"), OTHERS, checklist_url(line.id), why)


def _send_task(context: _Context, line: Line, *, is_mine: bool) -> Task:
    label = SEND[line.kind]
    if is_mine:
        return Task(label, _("Waiting for you"), YOURS, send_url(line.id), context.visit(line))
    state = _("Waiting for a coordinator")
    return Task(label, state, OTHERS, checklist_url(line.id), context.title(line))
