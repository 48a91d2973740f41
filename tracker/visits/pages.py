"""View models for visit pages: the readiness board, what is missing, a person's own part, tasks.

In one file: the pages of a visit name its team, gates and stages in the same words.
"""

import datetime as dt
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from uuid import UUID

from flask import url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from tracker.access.actor import Actor, Role
from tracker.access.decision import YES
from tracker.accounts.queries import names_by_organisation
from tracker.agreements import evidence
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.labels import ENDED_WITH_VISIT, KINDS, STATES
from tracker.checklists.models import Checklist, ChecklistState
from tracker.checklists.queries import VISIT
from tracker.checklists.rules.consistency import (
    CREDENTIALS,
    KIND_OF_PLACE,
    is_of_former_place,
)
from tracker.checklists.rules.values import as_date as stored_date
from tracker.checklists.rules.values import as_id
from tracker.cooperations import audiences
from tracker.cooperations.models import Cooperation
from tracker.cooperations.pages import passage_url, task_heading
from tracker.core import clock
from tracker.guidance.queries import passages_for
from tracker.lifecycle import policy as lifecycle
from tracker.lifecycle.labels import GATE_STATES
from tracker.lifecycle.policy import GateState
from tracker.signoff.labels import DIFFERS, DISAGREES
from tracker.ui.locale import as_date, language, listed, with_commas
from tracker.ui.stages import StageView
from tracker.ui.tasks import OTHERS, YOURS, OwnVisit, Task, Tasks
from tracker.visits import bound, labels, policy, queries, service, stages
from tracker.visits.encryption import Plan
from tracker.visits.facts import (
    Cell,
    Gate,
    MemberFact,
    Missing,
    OverrideFact,
    PageKind,
    Recorded,
    Requirement,
    Target,
)
from tracker.visits.models import Visit, VisitStage
from tracker.visits.policy import Outline
from tracker.visits.queries import OpenVisit, ReadLine, VisitLine, Waiting
from tracker.visits.readiness import Reading, is_for_former_place

State = tuple[object, str]
_GATE_MARKS = {GateState.MET: "held", GateState.NOT_MET: "half", GateState.OVERRIDDEN: "wait"}


# Words --------------------------------------------------------------------------------------------


def days(plan: Plan) -> str:
    """Return the days of a visit as text; the last is inclusive."""
    if plan.starts_on == plan.ends_on:
        return as_date(plan.starts_on)
    first, last = as_date(plan.starts_on), as_date(plan.ends_on)
    return str(_("%(first)s to %(last)s", first=first, last=last))


def state_of(stage: VisitStage, *, is_ready: bool, is_over: bool | None) -> State:
    """Return the state of a visit, in words and with its mark.

    is_over: its days have passed; None: the reader may not know its days (class K2), so the words
    are true before and after them.
    """
    if stage is VisitStage.STOPPED:
        return labels.STAGES[stage], "off"
    if is_over:
        return _("Its days have passed"), "off"
    words, mark = (_("Ready"), "held") if is_ready else (labels.STAGES[stage], "half")
    if is_over is None and stage in stages.PREPARED:
        return _("%(state)s, or its days have passed", state=words), mark
    return words, mark


def _line_state(line: VisitLine) -> State:
    """Return the state of a visit from its row, if the events agree with it."""
    if not line.agrees:
        return DISAGREES
    return state_of(line.stage, is_ready=line.is_ready, is_over=line.is_over)


def stage_list(current: VisitStage, *, is_ready: bool) -> list[StageView]:
    """Return the stages a visit goes through, for the stage line.

    In the last one before the team leaves nothing is left to do once the visit is ready.
    """
    passed = stages.IN_ORDER[: stages.IN_ORDER.index(current)] if current in stages.IN_ORDER else ()
    done = {*passed, current} if is_ready else set(passed)
    return [
        StageView(
            stage.value,
            _("Ready") if is_ready and stage is current else labels.STAGES[stage],
            is_past=stage in done,
        )
        for stage in stages.IN_ORDER
    ]


def _answer_label(reading: Reading, item: str, key: str) -> str:
    """Return the label of an answer of the roles, empty if there is none."""
    value = reading.roles.sheet.value(item, key)
    roles_item = reading.roles.template.item(item)
    options = roles_item.field(key).options if roles_item is not None else ()
    return next((option.label for option in options if option.value == value), "")


def _type_of_place(reading: Reading) -> object:
    """Return the type of place, unless it was said of the place before the visit moved."""
    answer = reading.roles.sheet.shared(KIND_OF_PLACE)
    if answer and is_of_former_place(answer.saved_at, reading.plan.kind_asked_at):
        return _("To be answered again: the place has changed")
    return _answer_label(reading, KIND_OF_PLACE, "place_type")


def before_a_notice(reading: Reading) -> str:
    """Return which texts an announced notice stops before a visit is over; empty for none.

    Until that day the gates don't count the notice: a visit's stage would tell people who aren't
    listed on which side of it the visit's days are (class K2). These pages only the listed see.
    """
    if reading.visit.stage not in stages.PREPARED or is_over(reading):
        return ""
    not_needed = ChecklistKind.CONFIDENTIALITY if reading.judgement.facts.npm_alone else None
    return listed(
        _(
            "“%(text)s” from %(day)s",
            text=KINDS[announced.kind],
            day=as_date(announced.first_day_without),
        )
        for announced in reading.announced
        if announced.first_day_without <= reading.plan.ends_on and announced.kind != not_needed
    )


def own_visits(*, planned_here: bool) -> str:
    """Return how the NPM visits without a partner: under its own mandate, not by the terms (S7).

    planned_here: such a visit can be planned in this cooperation now.
    """
    words = str(_("The NPM can always visit under its own mandate, with only its own people."))
    if planned_here:
        return words
    return f"{words} {_('Now it can plan such a visit only outside this cooperation.')}"


def who_overrides(actor: Actor, visit: Visit, npm_ids: Collection[UUID]) -> str:
    """Return who can override what is missing, for people of the NPM who can't themselves.

    Only managers who may know the visit can: the coordinator adds one to the list if none is on it.
    """
    if actor.organisation_id not in npm_ids or actor.has(Role.MANAGER):
        return ""
    today = clock.today()
    first_days = audiences.days(VISIT, visit.id).first
    may_know = {user_id for user_id, day in first_days.items() if day <= today}
    managers = names_by_organisation(npm_ids, (Role.MANAGER,)).values()
    names = sorted(
        {name for of_body in managers for user_id, name in of_body.items() if user_id in may_know}
    )
    if not names:
        return str(
            _(
                "Only a manager of the NPM who is on the list for this visit can override. There's "
                "no manager on it: you can add one under “Announced or not; who knows”."
            )
        )
    return str(
        _(
            "Only a manager of the NPM can override. On the list for this visit: %(names)s.",
            names=with_commas(names),
        )
    )


# The list -----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class ListedVisit:
    """A visit in the list of its cooperation; place and days only if the reader may know."""

    number: int
    url: str
    words: object
    s: str
    why: object
    place: str = ""
    days: str = ""
    # Where the reader puts somebody in charge, if they are asked to.
    lead_url: str = ""


def listed_visits(
    lines: Sequence[VisitLine], plans: Mapping[int, Plan], reference: str
) -> list[ListedVisit]:
    """Return the visits a person may know of; plans are those open to them, by number."""
    visits_listed: list[ListedVisit] = []
    for line in lines:
        words, mark = _line_state(line)
        plan = plans.get(line.number)
        visits_listed.append(
            ListedVisit(
                number=line.number,
                url=url_for("visits.show", reference=reference, number=line.number)
                if line.outline is Outline.OPEN
                else "",
                words=words,
                s=mark,
                why=_why_without_lead(line) or (_why_without_plan(line) if plan is None else ""),
                place=plan.place if plan else "",
                days=days(plan) if plan else "",
                lead_url=url_for("visits.put_in_charge", reference=reference, number=line.number)
                if line.asks_for_lead
                else "",
            )
        )
    return visits_listed


def _why_without_lead(line: VisitLine) -> object:
    if not line.asks_for_lead:
        return ""
    return _("Nobody from the NPM on the list for this visit can act on it any more.")


def _why_without_plan(line: VisitLine) -> object:
    """Return in plain words why a person doesn't see place and days in the list."""
    if line.is_damaged:
        return DIFFERS
    if line.outline is Outline.OPEN:
        return _("To see place and days, you need more than your password.")
    return _why_closed(line)


def _why_closed(line: VisitLine) -> object:
    """Return in plain words why a visit is closed to a person, and what to do (product.md, 7).

    Without a day: that of a clearance for one visit would tell when the visit is.
    """
    match line.outline:
        case Outline.NOT_CLEARED if line.has_clearance:
            return _(
                "You're listed for this visit, but your undertaking doesn't give you access to it "
                "now. Ask a coordinator of the NPM why."
            )
        case Outline.NOT_CLEARED if line.has_clearance is False:
            return _(
                "You're listed for this visit, but your access has ended. You get it back once you "
                "have signed a new undertaking and the NPM has countersigned it."
            )
        case Outline.NOT_CLEARED:
            return _(
                "You're listed for this visit. You get access once your undertaking is signed "
                "and countersigned."
            )
        case Outline.NOT_LISTED:
            return _(
                "You aren't on the list of people who may know of this visit. If your task needs "
                "it, ask a coordinator of the NPM."
            )
        case _:
            return ""


# One visit ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class TeamLine:
    """A person on the team, with their task in the roles."""

    name: str
    organisation: str
    function: object
    task: str
    languages: str


@dataclass(frozen=True, slots=True)
class VisitView:
    """Everything the page of a visit shows."""

    place: str
    days: str
    facts: list[tuple[object, object]]
    schedule: list[tuple[object, object]]
    team: list[TeamLine]
    tasks: list[Task]
    overrides: tuple[OverrideFact, ...]
    state: State
    # Why it was stopped, if it was.
    stopped_because: object
    # The texts that an announced notice stops before the visit is over.
    stopped_before: str


def visit_view(reading: Reading, actor: Actor) -> VisitView:
    """Return the view model of a visit's page."""
    visit, sheet = reading.visit, reading.roles.sheet
    languages = {as_id(row.get("person")): row for row in sheet.value("V4", "team") or ()}
    roles = {as_id(row.get("person")): row for row in sheet.value("V5", "roles") or ()}
    return VisitView(
        place=reading.plan.place,
        days=days(reading.plan),
        facts=[
            (label, words)
            for label, words in (
                (_("Type of place"), _type_of_place(reading)),
                (_("Kind of visit"), _answer_label(reading, "V1", "kind")),
                (_("Announcement"), _answer_label(reading, "V2", "announced")),
                (_("May know"), _people(reading.audience_count)),
                (_("Planned on"), as_date(visit.planned_at)),
            )
            if words
        ],
        schedule=schedule(reading),
        team=[
            TeamLine(
                name=member.name,
                organisation=member.organisation_name,
                function=function_words(member),
                task=roles.get(member.user_id, {}).get("task", ""),
                languages=languages.get(member.user_id, {}).get("languages", ""),
            )
            for member in reading.judgement.facts.members
        ],
        tasks=_preparation(reading, actor),
        overrides=reading.judgement.facts.overrides,
        state=_state(reading),
        stopped_because=_why_stopped(reading),
        stopped_before=before_a_notice(reading),
    )


def team_now(reading: Reading) -> list[tuple[object, object]]:
    """Return lead, deputy, team and audience as they are saved now, for comparison."""
    sheet = reading.roles.sheet
    members = [name_in(reading, row.get("person")) for row in sheet.value("V4", "team") or ()]
    knowing = [name_in(reading, row.get("person")) for row in sheet.value("V2", "audience") or ()]
    return [
        (_("Team lead"), name_in(reading, sheet.value("V3", "lead"))),
        (_("Deputy"), name_in(reading, sheet.value("V3", "deputy"))),
        (_("Team"), listed(name for name in members if name)),
        (_("Who may know the place and dates"), listed(name for name in knowing if name)),
    ]


def is_ready(reading: Reading) -> bool:
    """Return whether a visit is ready now, even before the worker checks; if over, as it was.

    A visit that does not agree with its events is not ready.
    """
    if not reading.agrees:
        return False
    if is_over(reading):
        return reading.visit.is_ready
    return stages.is_ready(reading.visit.stage, reading.judgement.is_open)


def is_over(reading: Reading) -> bool:
    """Return whether the days of a visit passed while it was being prepared."""
    return reading.visit.stage in stages.PREPARED and reading.plan.is_over(clock.today())


def asks_nobody(reading: Reading) -> bool:
    """Return whether nothing of a visit can be prepared any more: it was stopped, or is over."""
    is_stopped = reading.agrees and reading.visit.stage is VisitStage.STOPPED
    return is_stopped or is_over(reading)


def _state(reading: Reading) -> State:
    if not reading.agrees:
        return DISAGREES
    return state_of(reading.visit.stage, is_ready=is_ready(reading), is_over=is_over(reading))


def _people(count: int) -> str:
    return str(ngettext("%(num)s person", "%(num)s people", count))


def function_words(member: MemberFact) -> str:
    """Return a person's function in the team: lead, deputy, or the skill they are there for."""
    if member.leads:
        return str(_("Team lead"))
    if member.is_deputy:
        return str(_("Deputy team lead"))
    return member.function


def schedule(reading: Reading) -> list[tuple[object, object]]:
    """Return when and where people meet, and the day of the check on reprisals (V18, V13, V15)."""
    sheet = reading.roles.sheet

    def when(key: str) -> str:
        """Return day, hour and place of one of both meetings, as far as they are known."""
        day = stored_date(sheet.value("V18", key))
        more = (sheet.value("V18", f"{key}_{part}") for part in ("at", "place"))
        return with_commas(words for words in (as_date(day), *more) if words) if day else ""

    lines = (
        (_("Briefing"), when("briefing")),
        (_("The team meets"), _meeting_point(reading)),
        (_("Daily meeting"), sheet.value("V18", "daily_meeting")),
        (_("Debriefing"), when("debriefing")),
        (_("Check on reprisals (sanctions)"), as_date(stored_date(sheet.value("V15", "check_on")))),
    )
    return [(label, words) for label, words in lines if words]


def _meeting_point(reading: Reading) -> object:
    """Return where and when the team meets, unless it was said for the place before."""
    words = reading.roles.sheet.value(CREDENTIALS, "meeting_point")
    if words and is_for_former_place(reading.roles, CREDENTIALS):
        return _("To be answered again: the place has changed")
    return words


def _preparation(reading: Reading, actor: Actor) -> list[Task]:
    """Return the work on a visit: readiness, the reader's own part, its checklists."""
    visit, reference = reading.visit, reading.cooperation.reference
    words, mark = _state(reading)
    is_prepared = visit.stage in stages.PREPARED and not is_over(reading)
    if reading.agrees and is_prepared and not is_ready(reading):
        words = _("Not yet")
    ready_url = url_for("visits.ready", reference=reference, number=visit.number)
    missing = "" if asks_nobody(reading) else missing_words(reading)
    tasks = [Task(_("Is the visit ready?"), words, mark, ready_url, missing)]
    own = own_fact(reading, actor)
    if own is not None:
        is_signed = reading.judgement.facts.plan.is_signed
        open_now = not asks_nobody(reading) and (
            (own.has_role and not own.role_accepted) or (is_signed and not own.plan_read)
        )
        tasks.append(
            Task(
                _("Your part in this visit"),
                _("Waiting for you") if open_now else _("Nothing to do"),
                YOURS if open_now else "done",
                url_for("visits.my_part", reference=reference, number=visit.number),
                _("Your task, the urgent-action plan, and who to call."),
            )
        )
    texts = (reading.roles.checklist, reading.urgent_plan)
    return [*tasks, *(_text_task(reading, checklist) for checklist in texts)]


def _text_task(reading: Reading, checklist: Checklist) -> Task:
    return Task(
        KINDS[checklist.kind],
        *_text_state(reading, checklist),
        url_for("checklists.show", checklist_id=checklist.id),
        _(
            "%(done)s of %(total)s items agreed.",
            done=checklist.done_count,
            total=checklist.total_count,
        ),
    )


def _text_state(reading: Reading, checklist: Checklist) -> State:
    """Return the state of one of the visit's texts today, as the text's own page words it.

    While a text in force is amended, or the amendment signed, the state is that of the work on it.
    """
    text = evidence.on_page(reading.compared[checklist.id])
    if not text.agrees:
        return DISAGREES
    if reading.agrees and reading.visit.stage is VisitStage.STOPPED:
        return ENDED_WITH_VISIT
    if text.words and (checklist.state is ChecklistState.IN_FORCE or not text.is_in_force):
        return text.words, text.mark
    return STATES[checklist.state], "half"


# A person's part --------------------------------------------------------------------------------


def own_fact(reading: Reading, actor: Actor) -> MemberFact | None:
    """Return what is known about the reader as a person on the team; None if they aren't on it."""
    own_member = fact_of(reading, actor.user_id)
    if own_member is None or (actor.user_id, actor.organisation_id) not in reading.team:
        return None
    return own_member


def fact_of(reading: Reading, user_id: UUID) -> MemberFact | None:
    """Return what is known about a person on the team; None if they aren't on it."""
    members = reading.judgement.facts.members
    return next((member for member in members if member.user_id == user_id), None)


def name_in(reading: Reading, stored: Any) -> str:
    """Return the name of a person in an answer, empty if they no longer take part."""
    user_id = as_id(stored)
    name = reading.roles.people.get(user_id) if user_id else None
    return name.name if name else ""


# Readiness ----------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class BoardCell:
    """A cell of the board as text; recorded: who recorded it for the person, and how."""

    words: str
    s: str
    recorded: str = ""
    how: str = ""


@dataclass(frozen=True, slots=True)
class BoardRow:
    """A person on the team, with the requirements."""

    name: str
    note: str
    cells: list[BoardCell]


@dataclass(frozen=True, slots=True)
class Reason:
    """Something a gate still requires, with its URL, and why."""

    words: object
    url: str
    why: object


@dataclass(frozen=True, slots=True)
class WaivedReason:
    """Something that an override excuses, and who excused it, when and why."""

    words: object
    note: object
    excused: object


@dataclass(frozen=True, slots=True)
class GateView:
    """A gate for display."""

    name: object
    state: object
    s: str
    reasons: list[Reason]
    waived: list[WaivedReason]
    # Shown instead of reasons.
    note: object = ""
    # The passages of guidance behind the reasons: label and URL.
    guidance: list[tuple[str, str]] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class ReadyView:
    """Everything the readiness page shows."""

    lede: object
    is_ready: bool
    # It was stopped or its days have passed: what is missing today says nothing about it any more.
    asks_nobody: bool
    heads: list[object]
    caption: str
    rows: list[BoardRow]
    missing: list[Task]
    # Shown instead of them if there are none.
    nothing_missing: str
    gates: list[GateView]
    overrides: tuple[OverrideFact, ...]
    # The texts that an announced notice stops before the visit is over.
    stopped_before: str
    # How the NPM visits without a partner.
    own_visits: str


def ready_view(reading: Reading, actor: Actor, *, plans: bool) -> ReadyView:
    """Return the view model of the readiness page; plans: the reader may change the plan."""
    judgement = reading.judgement
    rows = policy.board(judgement)
    return ReadyView(
        lede=_lede(reading),
        is_ready=is_ready(reading),
        asks_nobody=asks_nobody(reading),
        heads=[labels.REQUIREMENTS[requirement] for requirement in Requirement],
        caption=_caption(len(rows)),
        rows=[
            BoardRow(
                name=row.member.name,
                note=_note(row.member),
                cells=[_cell(row.cells[requirement]) for requirement in Requirement],
            )
            for row in rows
        ],
        missing=[_missing(reading, actor, gap, plans=plans) for gap in judgement.missing],
        nothing_missing=missing_words(reading),
        gates=_gates(reading, actor, plans=plans),
        overrides=judgement.facts.overrides,
        stopped_before=before_a_notice(reading),
        own_visits=own_visits(planned_here=judgement.is_open["J1"]),
    )


def missing_words(reading: Reading) -> str:
    """Return as text how much is missing, and for how many people."""
    judgement = reading.judgement
    count, concerned = len(judgement.requirements), judgement.people_concerned
    if not count:
        if _is_overridden(reading):
            return str(_("Nothing else is missing. A manager of the NPM has overridden the rest."))
        return str(_("Nothing is missing."))
    if not concerned:
        return str(ngettext("%(num)s thing is missing.", "%(num)s things are missing.", count))
    return str(
        ngettext(
            "%(num)s thing is missing. It affects %(concerned)s of the %(people)s people on the "
            "team.",
            "%(num)s things are missing. They affect %(concerned)s of the %(people)s people on the "
            "team.",
            count,
            concerned=concerned,
            people=len(judgement.facts.members),
        )
    )


def _is_overridden(reading: Reading) -> bool:
    return any(gate.state is GateState.OVERRIDDEN for gate in reading.judgement.gates)


def _why_stopped(reading: Reading) -> object:
    return reading.visit.stopped_reason or labels.STOPPED_WITH_COOPERATION


def _lede(reading: Reading) -> object:
    if not reading.agrees:
        return DIFFERS
    if reading.visit.stage is VisitStage.STOPPED:
        return _("The visit was stopped. Reason: %(reason)s", reason=_why_stopped(reading))
    if is_over(reading):
        if reading.visit.is_ready:
            return _("The days of this visit have passed. It was ready.")
        return _("The days of this visit have passed. It wasn't ready.")
    if not is_ready(reading):
        return _("Not yet. %(missing)s", missing=missing_words(reading))
    if _is_overridden(reading):
        return _("Yes. A manager of the NPM has overridden what was missing.")
    return _("Yes. The team and the parties meet all requirements.")


def _caption(count: int) -> str:
    return str(
        ngettext("%(num)s person, six requirements", "%(num)s people, six requirements each", count)
    )


def _note(member: MemberFact) -> str:
    """Return for whom a person comes and as what; just NPM for the NPM's people."""
    whom = member.organisation_name
    if member.is_npm:
        whom = str(_("NPM outside expert") if member.needs_clearance else _("NPM"))
    function = function_words(member)
    if not function:
        return whom
    return str(_("%(organisation)s, %(function)s", organisation=whom, function=function))


def _cell(cell: Cell) -> BoardCell:
    words, mark = labels.CELLS[cell.code]
    text = str(words) % {"day": as_date(cell.until)}
    if cell.recorded is None:
        return BoardCell(text, mark)
    return BoardCell(text, mark, recorded_words(cell.recorded), cell.recorded.how)


def recorded_words(recorded: Recorded) -> str:
    """Return who recorded what a person without an account confirms, and when."""
    return str(_("Recorded by %(name)s, %(day)s:", name=recorded.name, day=as_date(recorded.at)))


def _missing(reading: Reading, actor: Actor, gap: Missing, *, plans: bool) -> Task:
    whom = _("For %(names)s.", names=listed(gap.names)) if len(gap.names) > 1 else ""
    why = " ".join(str(words) for words in (whom, gap.note) if words)
    if gap.turn.is_of(actor, plans=plans):
        state, mark = _("Waiting for you"), YOURS
    else:
        state, mark = _whose(reading, gap), OTHERS
    return Task(gap.text, state, mark, target_url(reading, actor, gap.target, plans=plans), why)


def _whose(reading: Reading, gap: Missing) -> object:
    if gap.turn.administrators:
        return _("Waiting for an administrator")
    if not gap.turn.names:
        if reading.judgement.facts.is_suspended and not gap.turn.planners:
            return _("Suspended")
        return _("Waiting for the NPM") if gap.turn.planners else _("Not yet due")
    if len(gap.turn.names) == 1:
        return gap.turn.names[0]
    if gap.turn.party_ids:
        return ngettext("%(num)s party", "%(num)s parties", len(gap.turn.names))
    return ngettext("%(num)s person", "%(num)s people", len(gap.turn.names))


def _gates(reading: Reading, actor: Actor, *, plans: bool) -> list[GateView]:
    shown_gaps: list[Missing] = []
    views: list[GateView] = []
    titles = passages_for([gap.passage for gap in reading.judgement.missing], language())
    for gate in reading.judgement.gates:
        fresh = [gap for gap in gate.missing if gap not in shown_gaps]
        shown_gaps += fresh
        views.append(
            GateView(
                name=labels.GATES[gate.code],
                state=GATE_STATES[gate.state],
                s=_GATE_MARKS[gate.state],
                reasons=[
                    Reason(
                        gap.text,
                        target_url(reading, actor, gap.target, plans=plans),
                        gap.why,
                    )
                    for gap in fresh
                ],
                guidance=[
                    (titles[ref].title, passage_url(ref))
                    for ref in dict.fromkeys(gap.passage for gap in fresh)
                    if ref in titles
                ],
                waived=[
                    WaivedReason(
                        waived.missing.text, waived.missing.note, _override_words(waived.override)
                    )
                    for waived in gate.waived
                ],
                note="" if fresh else _gate_note(gate),
            )
        )
    return views


def _gate_note(gate: Gate) -> object:
    match gate.state:
        case GateState.NOT_MET:
            return _("Opens when the gate before it does.")
        case GateState.OVERRIDDEN:
            return ""
        case _:
            return labels.GATES_MET[gate.code]


def _override_words(override: OverrideFact) -> object:
    return _(
        "Excused by %(name)s, %(day)s: %(reason)s",
        name=override.name,
        day=as_date(override.at),
        reason=override.reason,
    )


def target_url(reading: Reading, actor: Actor, target: Target, *, plans: bool) -> str:
    """Return the URL where a missing thing can be supplied; plans: the reader may change it."""
    reference, number = reading.cooperation.reference, reading.visit.number
    match target.place:
        case PageKind.CHECKLIST if target.checklist_id is not None:
            return url_for("checklists.show", checklist_id=target.checklist_id)
        case PageKind.ITEM if target.checklist_id is not None:
            anchor = target.item.lower()
            return url_for("checklists.show", checklist_id=target.checklist_id, _anchor=anchor)
        case PageKind.UNDERTAKINGS:
            return url_for("undertakings.listed", reference=reference)
        case PageKind.TEAM if actor.acts_for_npm:
            return url_for("visits.change_team", reference=reference, number=number)
        case PageKind.MY_PART if own_fact(reading, actor) is not None:
            return url_for("visits.my_part", reference=reference, number=number)
        case PageKind.PART_OF_ANOTHER if plans and target.user_id is not None:
            target_user = target.user_id
            return url_for(
                "visits.record_part", reference=reference, number=number, user_id=target_user
            )
        case PageKind.MODES | PageKind.COOPERATION:
            return url_for("dashboard.cooperation", reference=reference)
        case _:
            return url_for("visits.show", reference=reference, number=number, _anchor="team")


# The read log -------------------------------------------------------------------------------------


def page_words(line: ReadLine) -> object:
    """Return which page somebody opened, in words."""
    if (line.page, line.subject_type) == labels.READ_CERTIFICATE:
        words: object = _("Certificate")
    else:
        words = labels.READ_PAGES.get(line.page) or labels.READ_SUBJECTS.get(line.subject_type, "")
    if line.visit_number is None:
        return words
    if not words:
        return _("Visit %(number)s", number=line.visit_number)
    return _("Visit %(number)s: %(page)s", number=line.visit_number, page=words)


# Tasks --------------------------------------------------------------------------------------------


def my_tasks(actor: Actor) -> Tasks:
    """Return what waits for a person on visits, and which are open to them, with days (K2).

    A source for My work.
    """
    visits = queries.open_visits(actor)
    agreeing = bound.agreeing([visit.row for visit in visits]) if visits else frozenset()
    return Tasks(
        mine=tuple(
            task if visit.row.id in agreeing else replace(task, state=DISAGREES[0], s=DISAGREES[1])
            for visit in visits
            for task in _own_tasks(visit.waiting)
        ),
        visits=tuple(_own_visit(visit, agrees=visit.row.id in agreeing) for visit in visits),
    )


def _own_visit(visit: OpenVisit, *, agrees: bool) -> OwnVisit:
    where = visit.waiting
    return OwnVisit(
        id=visit.row.id,
        cooperation_id=visit.row.cooperation_id,
        title=where.title,
        number=where.number,
        # One whose days can't be read comes first, and says so.
        starts_on=visit.plan.starts_on if visit.plan else dt.date.min,
        days=days(visit.plan) if agrees and visit.plan else "",
        disagreement="" if agrees and visit.plan else DISAGREES[0],
        url=url_for("visits.show", reference=where.reference, number=where.number),
    )


def cooperation_tasks(
    actor: Actor,
    cooperation: Cooperation,
    facts: lifecycle.Facts,
    gates: Sequence[lifecycle.Gate],
) -> dict[str, Sequence[Task]]:
    """Return a cooperation's tasks on visits for its page, if the person may know of them."""
    lines = queries.lines(actor, [cooperation.id])
    tasks = [_line_task(line, cooperation.reference) for line in lines]
    if any(line.outline is Outline.OPEN and line.stage in stages.PREPARED for line in lines):
        waiting = queries.tasks(actor, cooperation.id)
        tasks += [task for waiting in waiting for task in _own_tasks(waiting)]
    return {"visits": [*tasks, *_plan_task(actor, cooperation, facts, gates, lines)]}


def _line_task(line: VisitLine, reference: str) -> Task:
    label = _("Joint visit %(number)s", number=line.number)
    words, mark = _line_state(line)
    if line.asks_for_lead:
        url = url_for("visits.put_in_charge", reference=reference, number=line.number)
        act = _("Choose who takes charge")
        return Task(label, _("Waiting for you"), YOURS, url, _why_without_lead(line), act=act)
    match line.outline:
        case Outline.OPEN:
            url = url_for("visits.show", reference=reference, number=line.number)
            return Task(label, words, mark, url)
        case Outline.NOT_CLEARED:
            url = url_for("undertakings.mine")
            return Task(label, _("Closed to you"), "off", url, _why_closed(line))
        case _:
            url = url_for("visits.index", reference=reference)
            return Task(label, words, mark, url, _why_closed(line))


def _plan_task(
    actor: Actor,
    cooperation: Cooperation,
    facts: lifecycle.Facts,
    gates: Sequence[lifecycle.Gate],
    lines: Sequence[VisitLine],
) -> list[Task]:
    """Return the task to plan a visit; before the first one, what makes visits possible."""
    npm_ids = service.npm_ids(cooperation)
    standing = lifecycle.can_plan_visit(facts, gates)
    label = _("Plan a joint visit") if not lines else _("Plan another joint visit")
    if policy.can_plan(actor, npm_ids, standing):
        url = url_for("visits.plan", reference=cooperation.reference)
        return [Task(label, _("Not started"), "todo", url)]
    if lines and policy.can_plan(actor, npm_ids, YES):
        return [Task(label, _("Can't start yet"), "off", "", standing.reason)]
    return []


def _own_tasks(waiting: Waiting) -> list[Task]:
    where = _(
        "%(title)s, %(reference)s, visit %(number)s",
        title=waiting.title,
        reference=waiting.reference,
        number=waiting.number,
    )
    target: dict[str, Any] = {"reference": waiting.reference, "number": waiting.number}
    tasks: list[Task] = []
    if waiting.accepts_role:
        url = url_for("visits.my_part", **target)
        tasks.append(
            Task(_("Accept your task on a joint visit"), _("Waiting for you"), YOURS, url, where)
        )
    if waiting.confirms_plan:
        url = url_for("visits.my_part", **target)
        tasks.append(
            Task(_("Read the urgent-action plan"), _("Waiting for you"), YOURS, url, where)
        )
    return tasks + list(_shared_tasks(waiting, target))


def _shared_tasks(waiting: Waiting, target: Mapping[str, Any]) -> Iterator[Task]:
    """Return what others could do as well, to be read below the heading of the cooperation."""
    under = task_heading(waiting.reference, waiting.title)
    visit, state = _("Visit %(number)s", number=waiting.number), _("Waiting for you")
    if waiting.names_team:
        label, url = _("Name who takes part"), url_for("visits.change_team", **target)
        why = _("%(visit)s. Only the lead and the deputy are on the team.", visit=visit)
        yield Task(label, state, YOURS, url, why, under=under)
    if waiting.makes_ready:
        label, url = _("Make a joint visit ready"), url_for("visits.ready", **target)
        yield Task(label, state, YOURS, url, visit, under=under)
    if waiting.decides_on_override:
        label, url = (
            _("Decide whether to override what is missing"),
            url_for("visits.ready", **target),
        )
        why = _(
            "%(visit)s. Only one gate is left. An override can excuse what's missing for the "
            "NPM's own people.",
            visit=visit,
        )
        yield Task(label, state, YOURS, url, why, under=under)
