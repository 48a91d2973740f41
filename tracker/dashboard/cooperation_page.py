"""View models for a cooperation's page: stages, work and whose turn it is, gates.

In one file: the sections of one page, built from the same facts.
"""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l
from flask_babel import ngettext

from tracker.access.actor import Actor, OrganisationKind, Role
from tracker.agreements import departures as leaving
from tracker.agreements import evidence, notices
from tracker.agreements.evidence import Compared, words_of
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.labels import KINDS, UNSIGNED_AT_THE_END
from tracker.checklists.loading import LoadedChecklist
from tracker.checklists.models import Checklist, ChecklistState, Notice, NoticeKind, OutsideReading
from tracker.checklists.queries import SIGNED_BY_NEWCOMERS
from tracker.cooperations import agreed_ways, people, policy
from tracker.cooperations import labels as words
from tracker.cooperations import queries as cooperations
from tracker.cooperations.invitation_requests.pages import NobodyActsNotice
from tracker.cooperations.invitation_requests.pages import notices as nobody_acts
from tracker.cooperations.models import Cooperation, Stage
from tracker.cooperations.modes import MODE_LABELS, Level, Purpose, Requirement
from tracker.cooperations.pages import PartyPeople, departed, joining, people_by_party
from tracker.cooperations.people import Person
from tracker.cooperations.policy import CooperationFact
from tracker.cooperations.selection import policy as selection
from tracker.core import clock
from tracker.dashboard import queries, tasks
from tracker.dashboard.queries import WaitingRevision
from tracker.dashboard.wording import (
    AGREE_AGAIN,
    DECIDERS,
    FILL,
    MISNAMING,
    NAME_SOMEBODY_ELSE,
    RENEW_OR_END,
    RENEWERS,
    SEND,
    SIGN,
    checklist_url,
    has_run_out,
    is_to_agree_anew,
    modes_url,
    record_url,
    review_url,
    send_url,
    settle_flags,
    sign_url,
    works,
)
from tracker.lifecycle import bound
from tracker.lifecycle import labels as gate_words
from tracker.lifecycle import policy as lifecycle
from tracker.lifecycle import queries as lifecycle_queries
from tracker.lifecycle.policy import (
    Facts,
    Gate,
    GateState,
    Missing,
    PageKind,
    Target,
)
from tracker.lifecycle.stages import BESIDE, BY_GATES, IN_ORDER
from tracker.signoff.labels import DISAGREES, validity_words
from tracker.signoff.outcomes import Validity, validity
from tracker.ui import locale
from tracker.ui.locale import as_date, listed, with_semicolons
from tracker.ui.stages import StageView
from tracker.ui.tasks import OTHERS, TO_START, YOURS, Task, TaskGroup

FEW_REASONS = 6
# As long as no new text is being drafted beside the signed one.
STANDING = frozenset({ChecklistState.IN_FORCE, ChecklistState.SUSPENDED, ChecklistState.ENDED})
GROUPS: dict[str, object] = {
    "terms": _l("Agreed terms"),
    "confidentiality": _l("Confidentiality"),
    "people": _l("People"),
    "visits": _l("Joint visits and urgent action"),
    "review": _l("Review"),
    "closing": _l("Closing"),
}
GROUP_OF = {
    ChecklistKind.TERMS: "terms",
    ChecklistKind.CONFIDENTIALITY: "confidentiality",
    ChecklistKind.URGENT_PLAN: "visits",
}


@dataclass(frozen=True, slots=True)
class GateView:
    """A gate for display, with its reasons and their links."""

    name: object
    state: object
    s: str
    reasons: tuple[tuple[object, str], ...]


@dataclass(frozen=True, slots=True)
class NextStep:
    """The next step, and who takes it."""

    heading: object
    text: object
    label: object = ""
    url: str = ""
    calm: bool = True


@dataclass(frozen=True, slots=True)
class Recommendation:
    """A checklist that is nobody's task: recommended, or started but no longer needed.

    It has tasks once it was started; before that, the URL that starts it, or why the reader can't.
    """

    requirement: Requirement
    tasks: tuple[Task, ...] = ()
    start_url: str = ""
    why_not: object = ""


@dataclass(frozen=True, slots=True)
class CooperationView:
    """Everything the cooperation page shows."""

    cooperation: Cooperation
    parties: tuple[tuple[str, bool], ...]
    stages: tuple[StageView, ...]
    # Its current stage; None if the cooperation disagrees with its signatures (see state words).
    at: Stage | None
    disagreement: object
    groups: tuple[TaskGroup, ...]
    recommended: tuple["Recommendation", ...]
    next_step: NextStep
    gates: tuple[GateView, ...]
    needs: tuple[Requirement, ...]
    glance: tuple[tuple[object, object], ...]
    people: tuple[PartyPeople, ...]
    # For each party that leaves or has left: the text, and the URL of its page.
    departures: tuple[tuple[str, str], ...]
    # Whether it has ended (P7), so that nothing is changed any more.
    has_ended: bool
    # For each notice that has yet to end or suspend a text: the text, and the URL of the record.
    announced: tuple[tuple[str, str], ...]
    # For each party that is joining: the text, the URL for withdrawing its invitation if the reader
    # may, and whether it is the reader's own.
    joining: tuple[tuple[str, str, bool], ...]
    # The parties for which nobody can act yet.
    nobody_acts: tuple[NobodyActsNotice, ...]
    # Whether the person's own party is joining, so that most of the cooperation is closed to them.
    is_joining: bool
    may_change: bool
    may_add_party: bool
    may_leave: bool
    # Whether the person may read how any partner was chosen.
    reads_selection: bool
    # How many of its texts wait for the person's own signature, those of visits left out.
    to_sign: int


@dataclass(frozen=True, slots=True)
class _Context:
    """What is read once about a cooperation for its page."""

    actor: Actor
    cooperation: Cooperation
    own: Mapping[ChecklistKind, Checklist]
    terms: LoadedChecklist | None
    facts: Facts
    gates: tuple[Gate, ...]
    taking_part: list[Person]
    waiting_revisions: Mapping[UUID, WaitingRevision]
    compared: Mapping[UUID, Compared]
    # Whether stage and dates agree with signatures and events.
    agrees: bool
    fact: CooperationFact
    # How many flags are open on each draft.
    open_flags: Mapping[UUID, int]
    may_change: bool
    is_joining: bool

    @property
    def works(self) -> bool:
        """Whether this person does the work of their own side."""
        takes_part = any(person.user_id == self.actor.user_id for person in self.taking_part)
        return self.is_party and works(self.actor, taking_part=takes_part)

    @property
    def is_party(self) -> bool:
        """Whether this person acts for a party."""
        return any(
            party.organisation_id == self.actor.organisation_id
            for party in people.parties(self.cooperation)
        )

    @property
    def is_closed(self) -> bool:
        """Whether the cooperation has ended (P7), so that nothing is left to agree or to sign."""
        return self.cooperation.stage is Stage.CLOSED

    def gate(self, code: str) -> Gate:
        """Return a gate by its code."""
        return next(gate for gate in self.gates if gate.code == code)


def cooperation_view(actor: Actor, cooperation: Cooperation) -> CooperationView:
    """Return the view model of a cooperation's page; the caller found it with a scoped query."""
    all_own = lifecycle_queries.own_checklists(cooperation.id)
    terms = lifecycle_queries.loaded_terms(all_own, locale.language())
    taking_part = people.people(cooperation.id)
    facts = lifecycle_queries.facts(cooperation, all_own, terms, taking_part)
    fact = cooperations.fact(cooperation)
    is_joining = _is_joining(actor, fact)
    own = {
        kind: checklist
        for kind, checklist in all_own.items()
        if not is_joining or kind in SIGNED_BY_NEWCOMERS
    }
    compared, agreeing = bound.compare(
        [cooperation], list(all_own.values()), cooperation.parties, with_people=True
    )
    agrees = cooperation.id in agreeing
    facts = replace(facts, agrees=agrees)
    gates = lifecycle.gates(facts)
    context = _Context(
        actor=actor,
        cooperation=cooperation,
        own=own,
        terms=terms,
        facts=facts,
        gates=gates,
        taking_part=taking_part,
        waiting_revisions=queries.waiting_revisions(
            checklist.revision_sent_id for checklist in own.values()
        ),
        compared=compared,
        agrees=agrees,
        fact=fact,
        open_flags=_open_flags(own.values(), terms),
        may_change=bool(policy.can_change(actor, fact)),
        is_joining=is_joining,
    )
    needs = tuple(lifecycle_queries.needs(cooperation, terms))
    groups = _groups(context, needs)
    recommended = () if is_joining else tuple(_recommended(context, needs))
    parties = people.parties(cooperation)
    return CooperationView(
        cooperation=cooperation,
        parties=tuple(
            (party.organisation.name, party.side is OrganisationKind.NPM) for party in parties
        ),
        stages=_stages(context),
        at=cooperation.stage if context.agrees else None,
        disagreement="" if context.agrees else DISAGREES[0],
        groups=groups,
        recommended=recommended,
        next_step=_next_step(context, groups),
        # Their reasons mention others' undertakings.
        gates=() if is_joining else tuple(_gate_view(context, gate) for gate in gates),
        needs=needs,
        glance=_glance(context),
        people=tuple(people_by_party(parties, taking_part)),
        departures=() if is_joining else tuple(_departures(cooperation)),
        has_ended=context.is_closed,
        announced=tuple(_announced(context)),
        joining=tuple(_joining(context)),
        nobody_acts=() if is_joining else tuple(nobody_acts(actor, cooperation, fact)),
        is_joining=is_joining,
        may_change=context.may_change,
        may_add_party=bool(policy.can_add_party(actor, fact)),
        may_leave=not is_joining and bool(leaving.can_leave(actor, cooperation, fact)),
        reads_selection=not is_joining and bool(selection.readable(actor, fact)),
        to_sign=sum(waiting.waits_for(actor) for waiting in context.waiting_revisions.values()),
    )


def _open_flags(own: Iterable[Checklist], terms: LoadedChecklist | None) -> dict[UUID, int]:
    """Return how many flags are open on each draft; those of the loaded terms are known."""
    drafts = {row.id for row in own if row.state is ChecklistState.DRAFTING}
    known: dict[UUID, int] = {}
    if terms is not None:
        known[terms.checklist.id] = sum(flag.closed_at is None for flag in terms.flags)
    return {
        checklist_id: number
        for checklist_id, number in (known | queries.open_flags(drafts - known.keys())).items()
        if number and checklist_id in drafts
    }


def _is_joining(actor: Actor, fact: CooperationFact) -> bool:
    """Return whether a person sees the cooperation only because their party is joining it."""
    audits = any(fact.is_of_npm(npm_id) for npm_id in actor.audited_ids)
    return fact.is_joining(actor.organisation_id) and not audits


def _departures(cooperation: Cooperation) -> Iterator[tuple[str, str]]:
    for organisation_id, text in departed(cooperation).items():
        url = url_for(
            "departures.show", reference=cooperation.reference, organisation_id=organisation_id
        )
        yield text, url


def _announced(context: _Context) -> Iterator[tuple[str, str]]:
    """Return what each notice that has yet to take effect does to which text, and from when.

    A notice changes nothing after the text's own last day, nor after an earlier notice of the end.
    """
    names = {
        party.organisation_id: party.organisation.name for party in context.cooperation.parties
    }
    for kind, checklist in context.own.items():
        for notice in _taking_effect(context.compared[checklist.id]):
            if notice.has_come:
                continue
            words = {"text": KINDS[kind], "party": names.get(notice.organisation_id, "")}
            if notice.kind is NoticeKind.ENDED:
                day = as_date(notice.from_on - dt.timedelta(days=1))
                text = _(
                    "%(text)s: the last day is %(day)s. %(party)s has given notice of the end.",
                    day=day,
                    **words,
                )
            else:
                day = as_date(notice.from_on)
                text = _(
                    "%(text)s: suspended from %(day)s. %(party)s has given notice.",
                    day=day,
                    **words,
                )
            yield text, record_url(checklist.id)


def _taking_effect(compared: Compared) -> Iterator[Notice]:
    """Yield the open notices by day, up to the first that ends the text or its own last day."""
    standing_id = compared.course.standing_id
    last = compared.last(standing_id) if standing_id else None
    for notice in sorted(
        compared.notices,
        key=lambda notice: (notice.from_on, notice.kind is not NoticeKind.ENDED),
    ):
        if last is not None and notice.from_on > last:
            return
        yield notice
        if notice.kind is NoticeKind.ENDED:
            return


def _joining(context: _Context) -> Iterator[tuple[str, str, bool]]:
    own_id = context.actor.organisation_id if context.is_joining else None
    for organisation_id, text in joining(context.cooperation, own_id).items():
        url = url_for(
            "joining.take_back",
            reference=context.cooperation.reference,
            organisation_id=organisation_id,
        )
        may = policy.can_take_joining_back(context.actor, context.fact, organisation_id)
        yield text, url if may else "", organisation_id == own_id


def _stages(context: _Context) -> tuple[StageView, ...]:
    current = context.cooperation.stage
    return tuple(
        StageView(
            stage.value,
            _state_words(context) if context.agrees and stage is current else words.STAGES[stage],
            is_past=context.agrees
            and stage in BY_GATES
            and IN_ORDER.index(stage) < IN_ORDER.index(current),
            is_beside=stage in BESIDE,
        )
        for stage in IN_ORDER
    )


def _state_words(context: _Context) -> object:
    cooperation = context.cooperation
    return words.stage_words(
        cooperation.stage,
        cooperation.starts_on,
        cooperation.ends_on,
        clock.today(),
        agrees=context.agrees,
        stop=context.facts.stop,
    )[0]


def _groups(context: _Context, needs: Sequence[Requirement]) -> tuple[TaskGroup, ...]:
    groups: dict[str, list[Task]] = {key: [] for key in GROUPS}
    to_do = {
        requirement.kind
        for requirement in needs
        if requirement.purpose is Purpose.COOPERATION and lifecycle.is_to_do(requirement)
    }
    for kind, key in GROUP_OF.items():
        checklist = context.own.get(kind)
        if checklist is not None and (kind in to_do or checklist.state in STANDING):
            groups[key] += _checklist_tasks(context, checklist, is_needed=kind in to_do)
    if not context.is_closed:
        groups["people"].append(_people_task(context))
    if context.is_joining:
        return _filled(groups)
    tasks_by_group = tasks.of_cooperation(
        context.actor, context.cooperation, context.facts, context.gates
    )
    for key, more in tasks_by_group.items():
        groups.setdefault(key, []).extend(more)
    groups["visits"] += _no_visit_yet(context, needs, tasks_by_group)
    return _filled(groups)


def _filled(groups: Mapping[str, Sequence[Task]]) -> tuple[TaskGroup, ...]:
    return tuple(
        TaskGroup(key, GROUPS.get(key, key), tuple(task)) for key, task in groups.items() if task
    )


def _recommended(context: _Context, needs: Sequence[Requirement]) -> Iterator[Recommendation]:
    if context.is_closed:
        return
    for requirement in needs:
        checklist = context.own.get(requirement.kind)
        if requirement.purpose is Purpose.VISIT or lifecycle.is_to_do(requirement):
            continue
        if checklist is None and requirement.level is Level.RECOMMENDED:
            yield _to_start(context, requirement)
        elif checklist is not None and checklist.state not in STANDING:
            yield Recommendation(
                requirement,
                (_optional_task(context, checklist), _signing_task(context, checklist)),
            )


def _to_start(context: _Context, requirement: Requirement) -> Recommendation:
    may_start = lifecycle.can_start(context.actor, context.fact, requirement)
    if not may_start:
        return Recommendation(requirement, why_not=may_start.reason)
    url = url_for(
        "lifecycle.start",
        reference=context.cooperation.reference,
        kind=requirement.kind.value,
    )
    return Recommendation(requirement, start_url=url)


def _optional_task(context: _Context, checklist: Checklist) -> Task:
    """Return the task for a checklist that nobody has to work on, with its progress."""
    task = _fill_task(context, checklist)
    if task.s not in {YOURS, OTHERS}:
        return task
    why = _(
        "%(done)s of %(total)s items agreed.",
        done=checklist.done_count,
        total=checklist.total_count,
    )
    return Task(task.label, _("In progress"), "half", checklist_url(checklist.id), why)


def _checklist_tasks(context: _Context, checklist: Checklist, *, is_needed: bool) -> list[Task]:
    if context.is_closed and checklist.state is ChecklistState.DRAFTING:
        # An open amendment leaves the text that was signed before it.
        compared = context.compared[checklist.id]
        if standing_id := compared.course.standing_id:
            words_now = words_of(compared, standing_id)
            return [Task(SIGN[checklist.kind], *words_now, record_url(checklist.id))]
        url = checklist_url(checklist.id)
        return [Task(FILL[checklist.kind], UNSIGNED_AT_THE_END, "off", url)]
    if is_to_agree_anew(checklist.state, is_needed=is_needed) and not context.is_closed:
        tasks_found = [_agreeing_anew_task(context, checklist)]
    else:
        tasks_found = [_fill_task(context, checklist)]
    if checklist.kind is ChecklistKind.TERMS and context.terms is not None:
        tasks_found.append(_reading_task(context, context.terms))
    if flags := context.open_flags.get(checklist.id):
        tasks_found.append(_flag_task(context, checklist, flags))
    tasks_found.append(_signing_task(context, checklist))
    return tasks_found


def _flag_task(context: _Context, checklist: Checklist, number: int) -> Task:
    """Return the NPM's task to settle open flags; they hold up what comes after."""
    label, url = settle_flags(number), checklist_url(checklist.id, narrowed="flagged")
    is_of_npm = context.actor.organisation_id in {
        party.organisation_id
        for party in people.parties(context.cooperation)
        if party.side is OrganisationKind.NPM
    }
    if is_of_npm and context.works and context.actor.has(*DECIDERS):
        return Task(label, _("Waiting for us"), YOURS, url)
    return Task(label, _("Waiting for the NPM"), OTHERS, url)


def _fill_task(context: _Context, checklist: Checklist) -> Task:
    why = _(
        "%(done)s of %(total)s items agreed.",
        done=checklist.done_count,
        total=checklist.total_count,
    )
    is_to_agree = checklist.state is ChecklistState.DRAFTING and not checklist.is_complete
    if checklist.open_items and is_to_agree:
        why += " " + ngettext(
            "%(num)s item was opened again.",
            "%(num)s items were opened again.",
            len(checklist.open_items),
        )
        why += _newcomers_read_all(context, checklist)
    ours = next(
        (
            party.waiting_count
            for party in checklist.parties
            if party.organisation_id == context.actor.organisation_id
        ),
        0,
    )
    others = [
        party.organisation.name
        for party in checklist.parties
        if party.waiting_count and party.organisation_id != context.actor.organisation_id
    ]
    url = checklist_url(checklist.id)
    label = FILL[checklist.kind]
    if checklist.state is not ChecklistState.DRAFTING:
        # All that was sent was agreed, whoever has left since.
        return Task(label, _("Agreed"), "done", url)
    if checklist.is_complete:
        return Task(label, _("Agreed"), "done", url, why)
    if ours and context.works:
        waits = ngettext("%(num)s waiting for us.", "%(num)s waiting for us.", ours)
        url = checklist_url(checklist.id, narrowed="us")
        return Task(label, _("Waiting for us"), YOURS, url, f"{why} {waits}")
    if ours:
        others.append(context.actor.organisation_name)
    if others:
        return Task(label, _("Waiting for %(names)s", names=listed(others)), OTHERS, url, why)
    return Task(label, _("In progress"), "half", url, why)


def _newcomers_read_all(context: _Context, checklist: Checklist) -> str:
    """Return why so few items are agreed while a party is joining (adr 70).

    An empty text if none is, or if those that are have accepted every item.
    """
    waiting = {party.organisation_id for party in checklist.parties if party.waiting_count}
    newcomers = [
        party.organisation.name
        for party in people.parties(context.cooperation)
        if party.is_joining and party.organisation_id in waiting
    ]
    if not newcomers:
        return ""
    text = _(
        "The signed text stays in force. Every item of this text also has to be accepted by "
        "%(names)s.",
        names=listed(newcomers),
    )
    return f" {text}"


def _reading_task(context: _Context, terms: LoadedChecklist) -> Task:
    label = _("Review independence and flexibility")
    checklist = terms.checklist
    reader_id = terms.sheet.value("M5", "second_reader")
    reader = next((p for key, p in terms.people.items() if str(key) == reader_id), None)
    if terms.review is not None and terms.review.reading is not None:
        why = _(
            "%(name)s, %(function)s, has read the safeguards of the terms as outside second "
            "reader.",
            name=terms.review.reading.name,
            function=terms.review.reading.function,
        )
        return Task(label, _("Reviewed"), "done", checklist_url(checklist.id), why)
    if terms.review is not None:
        why = _(
            "%(name)s has read the safeguards of the terms as second reader.",
            name=terms.review.reader.name,
        )
        return Task(label, _("Reviewed"), "done", checklist_url(checklist.id), why)
    if checklist.state is not ChecklistState.DRAFTING:
        return Task(label, _("Reviewed"), "done", checklist_url(checklist.id))
    if checklist.reading is not None:
        return _outside_task(label, checklist, checklist.reading)
    if reader is None:
        why = _("The NPM names a second reader in “Independence of the NPM”.")
        return Task(label, _("Can't start yet"), "off", "", why)
    why = _("%(name)s reads the safeguards of the terms as second reader.", name=reader.name)
    if not checklist.is_complete:
        why += " " + _("Opens when every required item is agreed.")
        return Task(label, _("Can't start yet"), "off", "", why)
    if reader.user_id == context.actor.user_id:
        return Task(label, _("Waiting for you"), YOURS, review_url(checklist.id), why)
    state = _("Waiting for %(names)s", names=reader.organisation_name)
    return Task(label, state, OTHERS, checklist_url(checklist.id), why)


def _outside_task(label: str, checklist: Checklist, reading: OutsideReading) -> Task:
    """Return an outside reader's task, with name and function, as everybody on the page sees it."""
    why = _(
        "%(name)s, %(function)s, reads the safeguards of the terms as outside second reader "
        "until %(day)s.",
        name=reading.name,
        function=reading.function,
        day=as_date(reading.until_on),
    )
    if not checklist.is_complete:
        why += " " + _("Opens when every required item is agreed.")
        return Task(label, _("Can't start yet"), "off", "", why)
    state = _("Waiting for %(names)s", names=reading.name)
    return Task(label, state, OTHERS, checklist_url(checklist.id), why)


def _signing_task(context: _Context, checklist: Checklist) -> Task:
    label = SIGN[checklist.kind]
    compared = context.compared[checklist.id]
    standing_id = compared.course.standing_id
    if not compared.agrees:
        return Task(label, *DISAGREES, checklist_url(checklist.id))
    if standing_id and checklist.state in STANDING:
        return _standing_task(context, checklist) or Task(
            label, *words_of(compared, standing_id), record_url(checklist.id)
        )
    if checklist.revision_sent_id:
        return _sent_task(context, checklist, checklist.revision_sent_id)
    if checklist.is_complete and _may_be_sent(context, checklist):
        if context.works and context.actor.has(Role.COORDINATOR):
            return Task(SEND[checklist.kind], _("Waiting for us"), YOURS, send_url(checklist.id))
        why = _("A coordinator of one of the parties sends it for signature.")
        return Task(label, _("Waiting for a coordinator"), OTHERS, "", why)
    why = _("Opens when every required item is agreed.")
    if checklist.is_complete and _is_past_g3(context, checklist):
        why = _("Opens when every suggestion is answered or withdrawn.")
    elif checklist.kind is ChecklistKind.TERMS:
        why = _(
            "Opens when every required item is agreed, the second reader has read the "
            "safeguards, and no flag is open."
        )
    return Task(label, _("Can't start yet"), "off", "", why)


def _standing_task(context: _Context, checklist: Checklist) -> Task | None:
    """Return what is to be done about a signed text, if anything is."""
    if _is_to_renew_or_end(context, checklist):
        return _renewing_task(context, checklist)
    if checklist.state is ChecklistState.IN_FORCE and checklist.misnamed_items:
        return _misnaming_task(context, checklist)
    return None


def _is_to_renew_or_end(context: _Context, checklist: Checklist) -> bool:
    """Return whether the terms have run out, and nobody has begun to renew or to end them."""
    return (
        checklist.kind is ChecklistKind.TERMS
        and checklist.state is ChecklistState.IN_FORCE
        and context.agrees
        and has_run_out(context.cooperation.stage, context.cooperation.ends_on)
        and not any(notice.kind is NoticeKind.ENDED for notice in notices.open_notices(checklist))
    )


def _renewing_task(context: _Context, checklist: Checklist) -> Task:
    url, why = record_url(checklist.id), str(_state_words(context)) + "."
    label = str(RENEW_OR_END)
    if context.is_party and context.actor.has(*RENEWERS):
        return Task(label, _("Waiting for you"), YOURS, url, why, act=_("Open the agreed terms"))
    return Task(label, _("Waiting for others"), OTHERS, url, why)


def _misnaming_task(context: _Context, checklist: Checklist) -> Task:
    """Return the task to amend a text in force that names somebody who can't act any more."""
    label, url = NAME_SOMEBODY_ELSE[checklist.kind], record_url(checklist.id)
    why = MISNAMING
    if context.is_party and context.actor.has(Role.COORDINATOR):
        return Task(label, _("Waiting for you"), YOURS, url, why, act=_("Open the signed text"))
    return Task(label, _("Waiting for a coordinator"), OTHERS, url, why)


def _agreeing_anew_task(context: _Context, checklist: Checklist) -> Task:
    """Return the task to agree again on a text that has ended but is still needed."""
    label, url, why = FILL[checklist.kind], record_url(checklist.id), AGREE_AGAIN
    if context.is_party and context.actor.has(Role.COORDINATOR):
        return Task(label, _("Waiting for you"), YOURS, url, why, act=_("Open the signed text"))
    return Task(label, _("Waiting for a coordinator"), OTHERS, url, why)


def _sent_task(context: _Context, checklist: Checklist, sent_id: UUID) -> Task:
    label = SIGN[checklist.kind]
    signing = context.waiting_revisions.get(sent_id)
    if signing is None:
        # Its last day to sign has passed, and the worker hasn't reopened it yet.
        state = words_of(context.compared[checklist.id], sent_id)
        return Task(label, *state, record_url(checklist.id))
    if signing.waits_for(context.actor):
        why = _("Read the text, then sign with your password and a code.")
        return Task(label, _("Waiting for your signature"), YOURS, sign_url(checklist.id), why)
    names = {party.organisation_id: party.organisation.name for party in checklist.parties}
    waiting = listed(names[person_id] for person_id in signing.waiting if person_id in names)
    state = _("Waiting for %(names)s", names=waiting)
    return Task(label, state, OTHERS, record_url(checklist.id))


def _may_be_sent(context: _Context, checklist: Checklist) -> bool:
    return _is_past_g3(context, checklist) and not queries.has_suggestions(checklist)


def _is_past_g3(context: _Context, checklist: Checklist) -> bool:
    return checklist.kind is not ChecklistKind.TERMS or context.gate("G3").is_open


def _people_task(context: _Context) -> Task:
    url = url_for("cooperations.people_page", reference=context.cooperation.reference)
    own = [
        person
        for person in context.taking_part
        if person.organisation_id == context.actor.organisation_id
    ]
    why = ngettext(
        "%(num)s person added so far.",
        "%(num)s people added so far.",
        len(context.taking_part),
    )
    label = _("Name who takes part")
    if not own and context.works:
        why = _("Nobody from %(side)s has been added yet.", side=context.actor.organisation_name)
        return Task(label, _("Waiting for us"), YOURS, url, why, act=_("Add people"))
    empty = [
        party.organisation.name
        for party in people.parties(context.cooperation)
        if not any(
            person.organisation_id == party.organisation_id for person in context.taking_part
        )
    ]
    if empty:
        return Task(label, _("Waiting for %(names)s", names=listed(empty)), OTHERS, url, why)
    return Task(label, _("Named"), "done", url, why)


def _no_visit_yet(
    context: _Context, needs: Sequence[Requirement], tasks_by_group: Mapping[str, Sequence[Task]]
) -> list[Task]:
    """Return what makes joint visits possible, unless the visits package supplies tasks itself."""
    wanted = any(
        requirement.kind is ChecklistKind.VISIT_ROLES and requirement.level is Level.REQUIRED
        for requirement in needs
    )
    if tasks_by_group.get("visits") or not wanted:
        return []
    decision = lifecycle.can_plan_visit(context.facts, context.gates)
    if decision:
        return []
    return [Task(_("Plan a joint visit"), _("Can't start yet"), "off", "", decision.reason)]


def _next_step(context: _Context, groups: Sequence[TaskGroup]) -> NextStep:
    # A due review comes first: while it is overdue, no new visit can be planned. Then the people:
    # without them, nobody has access or tasks.
    first = ("review", "people")
    in_order = sorted(
        groups, key=lambda group: first.index(group.key) if group.key in first else len(first)
    )
    tasks = [task for group in in_order for task in group.tasks]
    ours = next((task for task in tasks if task.s == YOURS), None)
    if ours is not None:
        heading = _("Next step, for %(side)s", side=context.actor.organisation_name)
        text = _("%(task)s. %(why)s", task=ours.label, why=ours.why) if ours.act else ours.why
        text = text or ours.label
        return NextStep(heading, text, ours.act or ours.label, ours.url, calm=False)
    theirs = next((task for task in tasks if task.s == OTHERS), None)
    if theirs is not None:
        text = _("%(task)s: %(state)s.", task=theirs.label, state=theirs.state)
        label = _("See the current state") if theirs.url else ""
        return NextStep(_("Next step"), text, label, theirs.url)
    if not context.agrees:
        return NextStep(_("Next step"), lifecycle.DOES_NOT_MATCH)
    if context.cooperation.stage is Stage.ACTIVE:
        return _with_offer(_step_of_active(context), tasks)
    terms = context.own.get(ChecklistKind.TERMS)
    if context.cooperation.stage is Stage.SUSPENDED and terms is not None:
        return _step_of_suspended(context, terms)
    return NextStep(_("Next step"), _("Nobody has anything to do."))


def _with_offer(step: NextStep, tasks: Sequence[Task]) -> NextStep:
    """Return a step with what the person can begin, though nobody has to."""
    offer = next((task for task in tasks if task.s == TO_START and task.url), None)
    return step if offer is None else replace(step, label=offer.label, url=offer.url)


def _step_of_active(context: _Context) -> NextStep:
    """Return the next step of an active cooperation in which nobody has a task."""
    cooperation, heading = context.cooperation, _("Next step")
    if context.facts.end_decided is not None:
        day = as_date(context.facts.end_decided)
        return NextStep(heading, _("The agreement ends on %(day)s. Nothing to do.", day=day))
    if validity(cooperation.starts_on, cooperation.ends_on, clock.today()) is Validity.IN_FORCE:
        if stopped := _not_in_force(context):
            text = _("Not everything that was agreed is in force. %(texts)s.", texts=stopped)
            return NextStep(heading, text)
        return NextStep(heading, _("Everything that is agreed is in force. Nothing to do."))
    return NextStep(heading, _("%(state)s. Nothing to do.", state=_state_words(context)))


def _step_of_suspended(context: _Context, terms: Checklist) -> NextStep:
    """Return the next step of a suspended cooperation: to lift what each party has suspended."""
    suspending = {
        notice.organisation_id
        for notice in context.compared[terms.id].notices
        if notice.kind is NoticeKind.SUSPENDED
    }
    names = [
        party.organisation.name
        for party in people.parties(context.cooperation)
        if party.organisation_id in suspending
    ]
    text = _(
        "The agreed terms are suspended. A signatory of %(names)s can lift the suspension.",
        names=listed(names),
    )
    return NextStep(_("Next step"), text, _("Open the agreed terms"), record_url(terms.id))


def _not_in_force(context: _Context) -> str:
    """Return which of the signed texts aren't in force today, each with its state."""
    states = {
        kind: evidence.on_page(context.compared[checklist.id])
        for kind, checklist in context.own.items()
        if context.compared[checklist.id].course.standing_id is not None
    }
    return with_semicolons(
        _("%(label)s: %(what)s", label=KINDS[kind], what=text.words)
        for kind, text in states.items()
        if not text.is_in_force
    )


def _gate_view(context: _Context, gate: Gate) -> GateView:
    missing = gate.missing[:FEW_REASONS]
    reasons = [(lack.reason, _target_url(context, lack.target)) for lack in missing]
    left = len(gate.missing) - len(missing)
    if left:
        more = ngettext("%(num)s more item", "%(num)s more items", left)
        reasons.append((more, _rest_url(context, gate.missing[-1])))
    marks = {
        GateState.MET: "held",
        GateState.NOT_MET: "half",
        GateState.OVERRIDDEN: "wait",
        GateState.NOBODY: "off",
        GateState.NOTHING: "off",
        GateState.BEGINS_LATER: "off",
        GateState.NO_COPIES: "off",
    }
    begins_later = gate.state is GateState.BEGINS_LATER
    return GateView(
        name=gate_words.GATES[gate.code],
        state=validity_words(Validity.BEGINS_LATER, context.facts.starts_on)[0]
        if begins_later
        else gate_words.GATE_STATES[gate.state],
        s=marks[gate.state],
        reasons=tuple(reasons),
    )


def _rest_url(context: _Context, missing: Missing) -> str:
    if missing.target.checklist_id is not None:
        return checklist_url(missing.target.checklist_id)
    return _target_url(context, missing.target)


# Pages of a cooperation that are open to everybody who sees it.
_LISTS = {
    PageKind.HOLD_REVIEW: "reviews.listed",
    PageKind.CLOSING: "closing.show",
    PageKind.UNDERTAKINGS: "undertakings.listed",
}


def _target_url(context: _Context, target: Target) -> str:
    """Return the URL where a missing item can be supplied; empty if the reader can't go there."""
    reference = context.cooperation.reference
    if target.place is PageKind.NOWHERE:
        return ""
    if target.place is PageKind.MODES:
        return modes_url(reference) if context.may_change else ""
    if target.place is PageKind.HEAD:
        return (
            url_for("cooperations.change_head", reference=reference) if context.may_change else ""
        )
    if target.place in _LISTS:
        return url_for(_LISTS[target.place], reference=reference)
    if target.checklist_id is None:
        return url_for("cooperations.people_page", reference=reference)
    if target.place is PageKind.SIGNING:
        return record_url(target.checklist_id)
    if target.place is PageKind.ITEM:
        return checklist_url(target.checklist_id, item=target.item)
    return checklist_url(target.checklist_id)


def _glance(context: _Context) -> tuple[tuple[object, object], ...]:
    cooperation = context.cooperation
    chosen = _ways(context)
    facts: list[tuple[object, object]] = [
        (_("Ways of working"), with_semicolons(chosen) or _("Nobody named yet")),
    ]
    if context.terms is not None:
        form = context.terms.sheet.value("M3", "form")
        item = context.terms.template.item("M3")
        options = item.field("form").options if item is not None else ()
        facts += [(_("Form"), option.label) for option in options if option.value == form]
    planned = _span(cooperation)
    if planned and context.agrees:
        facts.append((_("Agreed") if context.facts.terms_in_force else _("Planned"), planned))
    if context.facts.next_review_on is not None and context.agrees:
        facts.append((_("Review"), as_date(context.facts.next_review_on)))
    facts.append((_("Opened"), as_date(cooperation.opened_at)))
    return tuple(facts)


def _ways(context: _Context) -> list[str]:
    """Return the ways of working; those that are not in the terms in force are marked."""
    facts = context.facts
    counting = agreed_ways.counting(facts.modes, facts.agreed_ways)
    return [
        str(MODE_LABELS[mode])
        if mode in counting
        else str(_("%(way)s (not signed yet)", way=MODE_LABELS[mode]))
        for mode in facts.modes
    ]


def _span(cooperation: Cooperation) -> str:
    starts_on, ends_on = cooperation.starts_on, cooperation.ends_on
    if starts_on and ends_on:
        return str(_("%(start)s to %(end)s", start=as_date(starts_on), end=as_date(ends_on)))
    if starts_on:
        return str(_("from %(start)s", start=as_date(starts_on)))
    if ends_on:
        return str(_("until %(end)s", end=as_date(ends_on)))
    return ""
