"""Pages for joint visits: the list, the plan, the team, readiness, people's parts, the read log.

In one file: the pages of one blueprint find and show the same visit.
"""

from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from uuid import UUID

from flask import Blueprint, abort, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.decision import Decision
from tracker.access.gate import (
    current_actor,
    found_or_404,
    note_reading,
    require,
    signed_in,
)
from tracker.access.reading import has_opened, lacks_second_factor
from tracker.activity import service as trail
from tracker.activity.stale import recompute
from tracker.checklist_templates import library
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import queries as checklists
from tracker.checklists.editing import may_go_on
from tracker.checklists.loading import load
from tracker.checklists.models import Checklist
from tracker.checklists.policy import can_amend, is_open
from tracker.checklists.queries import VISIT
from tracker.checklists.rules.values import as_id
from tracker.cooperations import audiences, people
from tracker.cooperations import queries as cooperations
from tracker.cooperations.models import Cooperation
from tracker.core import clock
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError
from tracker.mail import wording as mail
from tracker.ui import locale, paging
from tracker.ui.fields import Option
from tracker.ui.form_base import Form
from tracker.ui.paging import Page
from tracker.ui.perform import perform
from tracker.undertakings.clearing_states import words_beside
from tracker.visits import (
    beginnings,
    labels,
    own_part,
    pages,
    part_pages,
    policy,
    queries,
    readiness,
    service,
    shown,
    team,
)
from tracker.visits.beginnings import Begun
from tracker.visits.encryption import Plan, plan_of, plan_unless_erased
from tracker.visits.facts import MemberFact
from tracker.visits.forms import (
    ChangePlanForm,
    InChargeForm,
    OpenPartForm,
    OverrideForm,
    ReasonForm,
    RecordPartForm,
    kind_of,
    plan_form,
    planned_team,
    team_data,
    team_form,
    texts_of,
    versions_of,
    visit_id_of,
)
from tracker.visits.models import Visit, VisitStage
from tracker.visits.readiness import Reading

Answered = str | Response | tuple[str, int]

blueprint = Blueprint("visits", __name__, url_prefix="/cooperations/<reference>")
ONE = "/visits/<int(min=1, max=999999):number>"
READS_SIZE = 50
# The page of one's own part, in the read log.
MY_PART = "visit_my_part"


@blueprint.app_template_filter("visit_stage_words")
def _visit_stage_words(stage: VisitStage | str) -> object:
    return labels.STAGES[VisitStage(stage)]


# The list and a new one ---------------------------------------------------------------------------


@blueprint.get("/visits")
@signed_in
def index(reference: str) -> str:
    """List the visits the person may know of; place and days only if they are open to them."""
    actor = current_actor()
    cooperation = _cooperation(actor, reference)
    lines = queries.lines(actor, [cooperation.id])
    opened = {}
    if not lacks_second_factor():
        found_open = queries.of_cooperation(actor, cooperation.id)
        damaged = {line.id for line in lines if line.is_damaged}
        whole = [visit for visit in found_open if visit.id not in damaged]
        plans = ((visit.number, plan_unless_erased(visit)) for visit in whole)
        opened = {number: plan for number, plan in plans if plan is not None}
    if opened:
        trail.log_read(
            actor,
            cooperation_id=cooperation.id,
            subject_type="cooperation",
            subject_id=cooperation.id,
            page="visits",
        )
    return render_template(
        "visits/index.html",
        cooperation=cooperation,
        visits=pages.listed_visits(lines, opened, reference),
        may_plan=service.can_plan(actor, cooperation),
        may_see_reads=policy.can_see_reads(actor, service.npm_ids(cooperation)),
        not_cleared=any(line.outline is policy.Outline.NOT_CLEARED for line in lines),
    )


@blueprint.route("/visits/plan", methods=["GET", "POST"])
@signed_in
def plan(reference: str) -> Answered:
    """Plan a joint visit."""
    actor = current_actor()
    cooperation = _cooperation(actor, reference)
    template = library.localized(library.newest(ChecklistKind.VISIT_ROLES), locale.language())
    taking_part = people.people(cooperation.id)
    former = _former(actor, cooperation)
    beside = words_beside(actor, cooperation.id, taking_part)
    form = plan_form(template, taking_part, beside, _ways_to_begin(actor, cooperation, former))
    if not _may_go_on(actor, cooperation, form, service.can_plan(actor, cooperation)):
        planned_here = bool(service.can_be_planned(cooperation))
        return _planning_page(cooperation, form, planned_here=planned_here), HTTPStatus.FORBIDDEN

    def act() -> tuple[Visit, Begun]:
        visit = service.plan_visit(
            actor,
            cooperation,
            kind=kind_of(form),
            announced=form["announced"].data,
            plan=form.planned,
            team_plan=planned_team(form),
            visit_id=visit_id_of(form),
            texts=texts_of(form, former),
        )
        # Not as chosen now: a form that is sent twice finds what it has planned.
        way = form["beginning"].data if "beginning" in form else None
        return visit, beginnings.how_begun(actor, visit, way, former)

    done = form.validate_on_submit() and perform(
        form,
        act,
        success=lambda planned: _planned_words(former, *planned),
        next=lambda planned: redirect(_after_planning(actor, reference, *planned), 303),
    )
    return done or _planning_page(_cooperation(actor, reference), form)


def _former(actor: Actor, cooperation: Cooperation) -> Visit | None:
    """Return the earlier visit that says how texts began, and who was on its team (K2)."""
    if lacks_second_factor():
        return None
    planned = as_id(request.form.get("visit_id"))
    return beginnings.former_visit(actor, cooperation.id, but=planned)


def _ways_to_begin(actor: Actor, cooperation: Cooperation, former: Visit | None) -> list[Option]:
    """Return how the texts of a visit can begin: as at an earlier one, with the model text, later.

    None for a person who may begin neither, or couldn't open what they began.
    """
    if not beginnings.can_open_next(actor, cooperation.id):
        return []
    ways: list[Option] = []
    codes: list[str] = []
    if beginnings.may_use_model(actor):
        offered = beginnings.languages(language.code for language in locale.languages())
        codes = sorted(offered, key=lambda code: code != locale.language())
    if former is not None and beginnings.may_copy(actor):
        words = _("With answers copied from joint visit %(number)s", number=former.number)
        hint = _(
            "Copies methods, scripts and measures, but not that visit's place, days, team or "
            "visit list."
        )
        if codes:
            limit = _(
                "If the team comes from other parties this time, nothing is copied: the texts "
                "begin with the model text."
            )
        else:
            limit = _("Choose this only if the team comes from the same parties as then.")
        ways.append(Option(f"{beginnings.FORMER}{former.number}", words, f"{hint} {limit}"))
    for code in codes:
        words = _("With the model text in %(language)s", language=locale.name_of(code))
        ways.append(Option(f"{beginnings.MODEL}{code}", words))
    return [*ways, Option(beginnings.LATER, _("I'll choose later"))] if ways else []


def _planned_words(former: Visit | None, visit: Visit, begun: Begun) -> str:
    words = [_("Joint visit %(number)s is planned.", number=visit.number)]
    if begun is not Begun.EMPTY:
        then = _(
            "Its roles and its urgent-action plan each begin with a text that nobody has read yet."
        )
        words.append(then)
    if begun is Begun.REPLACED and former is not None:
        why = _(
            "We used the model text. The texts of joint visit %(number)s weren't copied, "
            "because other parties agreed them.",
            number=former.number,
        )
        words.append(why)
    return " ".join(map(str, words))


def _after_planning(
    actor: Actor,
    reference: str,
    visit: Visit,
    begun: Begun,
) -> str:
    """Return where to go on: to what the roles leave to decide, or to what is missing.

    To the list of visits for a person to whom this one isn't open.
    """
    recompute()
    roles = checklists.of_visit(actor, visit.id).get(ChecklistKind.VISIT_ROLES)
    if roles is None:
        return url_for(".index", reference=reference)
    if begun is not Begun.EMPTY:
        return url_for("deciding.decide", checklist_id=roles.id)
    return url_for(".ready", reference=reference, number=visit.number)


def _planning_page(cooperation: Cooperation, form: Form, *, planned_here: bool = True) -> str:
    return render_template(
        "visits/plan.html",
        form=form,
        cooperation=cooperation,
        own_visits=pages.own_visits(planned_here=planned_here),
        tasks=[form[task.value] for task in beginnings.TASKS if task.value in form],
    )


# One visit ----------------------------------------------------------------------------------------


@blueprint.get(ONE)
@signed_in
def show(reference: str, number: int) -> str:
    """Show a visit: place and days, team and tasks, schedule, what there is to do."""
    actor = current_actor()
    visit = _visit(actor, reference, number, "visit")
    reading = readiness.read(visit, language=locale.language())
    return render_template(
        "visits/show.html",
        visit=visit,
        cooperation=reading.cooperation,
        view=pages.visit_view(reading, actor),
        stages=pages.stage_list(visit.stage, is_ready=pages.is_ready(reading)),
        may_change=_may_change(
            actor, visit, reading.cooperation, leads=actor.user_id in reading.leads
        ),
        is_stopped=visit.stage is VisitStage.STOPPED,
        is_over=pages.is_over(reading),
    )


@blueprint.get(f"{ONE}/ready")
@signed_in
def ready(reference: str, number: int) -> str:
    """Show whether a visit is ready: people and requirements, what is missing, the gates."""
    actor = current_actor()
    visit = _visit(actor, reference, number, "visit_readiness")
    reading = readiness.read(visit, language=locale.language())
    cooperation = reading.cooperation
    plans = _may_change(actor, visit, cooperation, leads=actor.user_id in reading.leads)
    npm_ids = service.npm_ids(cooperation)
    can_be_excused = policy.to_excuse(reading.judgement)[1]
    return render_template(
        "visits/ready.html",
        visit=visit,
        cooperation=cooperation,
        reading=reading,
        days=pages.days(reading.plan),
        view=pages.ready_view(reading, actor, plans=bool(plans)),
        may_override=can_be_excused
        and policy.can_override(actor, npm_ids, visit.stage, is_over=pages.is_over(reading)),
        who_overrides=pages.who_overrides(actor, visit, npm_ids) if can_be_excused else "",
    )


@blueprint.get(f"{ONE}/my-part")
@signed_in
def my_part(reference: str, number: int) -> str:
    """Show a person on the team their task, the plan and whom to call."""
    actor = current_actor()
    visit = _visit(actor, reference, number, MY_PART)
    reading = readiness.read(visit, language=locale.language())
    fact = found_or_404(pages.own_fact(reading, actor))
    return render_template(
        "visits/my_part.html",
        visit=visit,
        cooperation=reading.cooperation,
        days=pages.days(reading.plan),
        part=part_pages.part_of(reading, fact, actor),
        may_answer=policy.can_answer_as_member(
            is_member=True, stage=visit.stage, is_over=pages.is_over(reading)
        ),
    )


@blueprint.route(f"{ONE}/my-part/open", methods=["GET", "POST"])
@signed_in
def open_my_part(reference: str, number: int) -> str | Response:
    """Open one's own part with a password and a mailed code, where the NPM allows it."""
    actor = current_actor()
    cooperation, visit = _to_open(actor, reference, number)
    form = OpenPartForm()
    done = form.validate_on_submit() and perform(
        form,
        lambda: own_part.open_it(
            actor,
            cooperation,
            visit,
            password=form.password.data or "",
            code=form.mailed_code.data or "",
        ),
        success=_("Your part in this visit is open until you sign out."),
        next=redirect(url_for(".my_part", reference=reference, number=number), 303),
    )
    return done or render_template(
        "visits/open_my_part.html", form=form, cooperation=cooperation, number=number
    )


@blueprint.post(f"{ONE}/my-part/code")
@signed_in
def mail_code(reference: str, number: int) -> Response:
    """Mail a person the code that opens their own part."""
    actor = current_actor()
    cooperation, visit = _to_open(actor, reference, number)
    return perform(
        None,
        lambda: own_part.mail_code(actor, cooperation, visit),
        success=mail.of_code(actor.email),
        next=redirect(url_for(".open_my_part", reference=reference, number=number), 303),
    )


def _to_open(actor: Actor, reference: str, number: int) -> tuple[Cooperation, Visit]:
    """Return a visit of which a mailed code opens the person's part; abort with 404 or 403."""
    cooperation = _cooperation(actor, reference)
    visit = found_or_404(queries.find_in(actor, cooperation, number))
    require(own_part.may_open(actor, cooperation, visit))
    return cooperation, visit


@blueprint.post(f"{ONE}/my-part/role")
@signed_in
def accept_role(reference: str, number: int) -> Response:
    """Accept your own task and its limits (V5)."""
    return _answer(reference, number, service.accept_role, _("You accepted your task."))


@blueprint.post(f"{ONE}/my-part/plan")
@signed_in
def confirm_plan(reference: str, number: int) -> Response:
    """Confirm having read the urgent-action plan (V20)."""
    return _answer(
        reference, number, service.confirm_plan, _("You confirmed the urgent-action plan.")
    )


@blueprint.post(f"{ONE}/my-part/both")
@signed_in
def confirm_both(reference: str, number: int) -> Response:
    """Accept your own task (V5) and confirm having read the plan (V20), both as the page shows."""
    actor = current_actor()
    visit = _visit(actor, reference, number, MY_PART)
    found_or_404(queries.is_member(actor, visit) or None)
    task_mark, plan_mark = request.form.get("task_mark", ""), request.form.get("plan_mark", "")

    def act() -> None:
        service.accept_role(actor, visit, mark=task_mark)
        service.confirm_plan(actor, visit, mark=plan_mark)

    return perform(
        None,
        act,
        success=_("You accepted your task and confirmed the urgent-action plan."),
        next=redirect(url_for(".my_part", reference=reference, number=number), 303),
    )


def _answer(reference: str, number: int, act: Callable[..., bool], message: str) -> Response:
    """Confirm what the page showed; if it changed meanwhile, show its current state."""
    actor = current_actor()
    visit = _visit(actor, reference, number, MY_PART)
    found_or_404(queries.is_member(actor, visit) or None)
    return perform(
        None,
        lambda: act(actor, visit, mark=request.form.get("mark", "")),
        success=message,
        next=redirect(url_for(".my_part", reference=reference, number=number), 303),
    )


@blueprint.route(f"{ONE}/parts/<uuid:user_id>", methods=["GET", "POST"])
@signed_in
def record_part(reference: str, number: int, user_id: UUID) -> Answered:
    """Record what a person of the team without an account was told and confirms (V5, V20)."""
    actor = current_actor()
    visit = _visit(actor, reference, number, "visit_record_part")
    cooperation = _cooperation(actor, reference)
    reading = readiness.read(visit, language=locale.language())
    member = found_or_404(pages.fact_of(reading, user_id))
    form = RecordPartForm()
    allowed = service.can_record_for(actor, reading, member)
    if not _may_go_on(actor, cooperation, form, allowed):
        return _record_part_page(actor, reading, member, form), HTTPStatus.FORBIDDEN

    def act() -> bool:
        return service.record_part(
            actor,
            visit,
            user_id,
            how=form.how.data or "",
            task_mark=form.task_mark.data or "" if form.accepts.data else None,
            plan_mark=form.plan_mark.data or "" if form.knows_plan.data else None,
        )

    def show_anew(error: StaleError) -> str:
        form.refuse(error)
        form.accepts.data = form.knows_plan.data = False
        return show_now()

    def show_now() -> str:
        now = readiness.read(visit, language=locale.language())
        return _record_part_page(actor, now, pages.fact_of(now, user_id) or member, form)

    done = form.validate_on_submit() and perform(
        form,
        act,
        success=_saved,
        next=redirect(url_for(".ready", reference=reference, number=number), 303),
        conflict=show_anew,
    )
    return done or show_now()


def _record_part_page(
    actor: Actor, reading: Reading, member: MemberFact, form: RecordPartForm
) -> str:
    """Show what to read to a person, with its marks in the form."""
    part = part_pages.part_of(reading, member, actor)
    form.task_mark.data, form.plan_mark.data = part.task_mark, part.plan_mark
    return render_template(
        "visits/record_part.html",
        form=form,
        visit=reading.visit,
        cooperation=reading.cooperation,
        days=pages.days(reading.plan),
        part=part,
        recorded_words=pages.recorded_words,
        may_hear=service.may_hear(reading, member),
    )


# Change -------------------------------------------------------------------------------------------


@blueprint.route(f"{ONE}/plan", methods=["GET", "POST"])
@signed_in
def change_plan(reference: str, number: int) -> Answered:
    """Change place and days; if somebody saved meanwhile, both plans are shown."""
    actor = current_actor()
    visit = _visit(actor, reference, number, "visit_plan")
    before = plan_of(visit)
    form = ChangePlanForm(
        data={
            "place": before.place,
            "starts_on": before.starts_on,
            # Left empty for one day, as the form says, so that it moves with the first day.
            "ends_on": before.ends_on if before.ends_on != before.starts_on else None,
            "version": visit.version,
        }
    )
    if not _may_change_by(form, actor, visit):
        return _plan_page(actor, reference, visit, form), HTTPStatus.FORBIDDEN

    def handle_conflict(error: StaleError) -> str:
        form.refuse(error)
        now = _visit(actor, reference, number, "visit_plan")
        form.version.data = now.version
        return _plan_page(actor, reference, now, form, other=plan_of(now))

    done = form.validate_on_submit() and perform(
        form,
        lambda: service.change_plan(
            actor,
            visit,
            version=form.version.data,
            plan=form.planned,
            place_type=form.place_type.data or "",
        ),
        success=_plan_saved,
        next=_to_visit(reference, number),
        conflict=handle_conflict,
    )
    return done or _plan_page(actor, reference, visit, form)


def _plan_page(
    actor: Actor, reference: str, visit: Visit, form: ChangePlanForm, other: Plan | None = None
) -> str:
    return render_template(
        "visits/change_plan.html",
        form=form,
        visit=visit,
        cooperation=_cooperation(actor, reference),
        other=other,
        other_days=pages.days(other) if other else "",
    )


def _plan_saved(changed: object) -> str:
    if not changed:
        return str(_("Nothing was changed."))
    return str(_("Saved. “Is the visit ready?” lists what has to be confirmed again."))


def _saved(changed: object) -> str:
    return str(_("Saved.") if changed else _("Nothing was changed."))


@blueprint.route(f"{ONE}/team", methods=["GET", "POST"])
@signed_in
def change_team(reference: str, number: int) -> Answered:
    """Change lead, team and audience, in the roles (V2 to V4).

    A team chosen before the roles were sent for signature stays on the page.
    """
    actor = current_actor()
    visit = _visit(actor, reference, number, "visit_team")
    roles = team.checklists_of(visit)[ChecklistKind.VISIT_ROLES]
    taking_part = people.people(visit.cooperation_id)
    loaded = load(roles)
    members = loaded.surroundings.team or frozenset()
    beside = words_beside(actor, visit.cooperation_id, taking_part, visit.id, members)
    form = team_form(taking_part, loaded, beside)
    if not _may_change_by(form, actor, visit):
        return _team_page(actor, reference, visit, form), HTTPStatus.FORBIDDEN
    if not form.is_submitted() and not any(
        is_open(roles.state, roles.open_items, item) for item in team.ITEMS
    ):
        return _team_is_agreed(actor, reference, visit, roles)

    def act() -> bool:
        try:
            return service.change_team(
                actor, visit, versions=versions_of(form), planned=planned_team(form)
            )
        except RefusedError as error:  # of one of several answers: what was typed stays
            raise RuleBrokenError(error.reason) from error

    def handle_conflict(error: StaleError) -> str:
        form.refuse(error)
        now = _visit(actor, reference, number, "visit_team")
        other = readiness.read(now, language=locale.language())
        _take_versions(form, other)
        return _team_page(actor, reference, now, form, other)

    done = form.validate_on_submit() and perform(
        form,
        act,
        success=_saved,
        next=_to_visit(reference, number),
        conflict=handle_conflict,
    )
    return done or _team_page(actor, reference, visit, form)


def _team_page(
    actor: Actor, reference: str, visit: Visit, form: Form, other: Reading | None = None
) -> str:
    return render_template(
        "visits/change_team.html",
        form=form,
        visit=visit,
        cooperation=_cooperation(actor, reference),
        other=pages.team_now(other) if other else None,
    )


def _take_versions(form: Form, now: Reading) -> None:
    for name, value in team_data(now.roles).items():
        if name.startswith("version_"):
            form[name].data = value


def _team_is_agreed(actor: Actor, reference: str, visit: Visit, roles: Checklist) -> str:
    """Say that the team is agreed and signed, and how it can be changed."""
    decision = is_open(roles.state, roles.open_items, "V4")
    loaded = load(roles)
    return render_template(
        "visits/team_agreed.html",
        visit=visit,
        cooperation=_cooperation(actor, reference),
        reason=decision.reason,
        amend_url=url_for("signing.amend", checklist_id=roles.id)
        if can_amend(
            actor,
            loaded.own_party(actor),
            roles.state,
            goes_on=loaded.goes_on(),
        )
        else "",
        roles_url=url_for("checklists.show", checklist_id=roles.id),
    )


@blueprint.route(f"{ONE}/stop", methods=["GET", "POST"])
@signed_in
def stop(reference: str, number: int) -> Answered:
    """Stop a visit with a reason."""
    actor = current_actor()
    visit = _visit(actor, reference, number, "visit_stop")
    if visit.stage is VisitStage.STOPPED:
        flash(_("The visit is stopped."), "success")
        return _to_visit(reference, number)
    form = ReasonForm()
    if not _may_change_by(form, actor, visit):
        return _stop_page(actor, reference, visit, form), HTTPStatus.FORBIDDEN
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.stop(actor, visit, reason=form.reason.data or ""),
        success=_("The visit is stopped."),
        next=_to_visit(reference, number),
    )
    return done or _stop_page(actor, reference, visit, form)


def _stop_page(actor: Actor, reference: str, visit: Visit, form: Form) -> str:
    return render_template(
        "visits/stop.html", form=form, visit=visit, cooperation=_cooperation(actor, reference)
    )


@blueprint.route(f"{ONE}/charge", methods=["GET", "POST"])
@signed_in
def put_in_charge(reference: str, number: int) -> Answered:
    """Put somebody in charge of a visit whose list has nobody left who can act for the NPM.

    For the NPM's coordinators and managers, listed or not: the page shows nothing of the plan.
    """
    actor = current_actor()
    cooperation = _cooperation(actor, reference)
    is_planner = actor.organisation_id in service.npm_ids(cooperation)
    if not is_planner or not actor.has(*policy.PLANNERS):
        abort(HTTPStatus.NOT_FOUND)
    visit = found_or_404(queries.of_number(cooperation, number))
    candidates = service.who_can_take_charge(cooperation.id)
    form = InChargeForm(candidates)
    allowed = service.can_put_in_charge(actor, cooperation, visit)
    if not may_go_on(form, allowed, allowed.reason, ""):
        return _in_charge_page(cooperation, visit, form), HTTPStatus.FORBIDDEN
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.put_in_charge(actor, visit, UUID(form.person.data)),
        success=_("Saved. They can see and change the visit now."),
        next=redirect(url_for(".index", reference=reference), 303),
    )
    return done or _in_charge_page(cooperation, visit, form)


def _in_charge_page(cooperation: Cooperation, visit: Visit, form: InChargeForm) -> str:
    return render_template(
        "visits/put_in_charge.html", form=form, visit=visit, cooperation=cooperation
    )


@blueprint.route(f"{ONE}/override", methods=["GET", "POST"])
@signed_in
def override(reference: str, number: int) -> Answered:
    """Override gate J3 with a reason; for managers of the NPM.

    If something else is missing by now, nothing is overridden: the page shows the current list and
    keeps the reason.
    """
    actor = current_actor()
    visit = _visit(actor, reference, number, "visit_override")
    cooperation = _cooperation(actor, reference)
    form = OverrideForm()
    allowed = policy.can_override(
        actor,
        service.npm_ids(cooperation),
        visit.stage,
        is_over=plan_of(visit).is_over(clock.today()),
    )
    if not _may_go_on(actor, cooperation, form, allowed):
        return _override_page(actor, visit, form), HTTPStatus.FORBIDDEN
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.override(
            actor, visit, reason=form.reason.data or "", mark=form.mark.data or ""
        ),
        success=(
            _(
                "The missing requirements are overridden. Your name and reason are shown in the "
                "history."
            ),
            "warning",
        ),
        next=redirect(url_for(".ready", reference=reference, number=number), 303),
    )
    return done or _override_page(actor, visit, form)


def _override_page(actor: Actor, visit: Visit, form: OverrideForm) -> str:
    """Show what is missing, with its mark in the form."""
    reading = readiness.read(visit, language=locale.language())
    form.mark.data = shown.override_mark(actor, reading)
    view = pages.ready_view(reading, actor, plans=True)
    return render_template(
        "visits/override.html",
        form=form,
        visit=visit,
        cooperation=reading.cooperation,
        missing=view.missing,
        decision=policy.to_excuse(reading.judgement)[1],
    )


# The read log -------------------------------------------------------------------------------------


@blueprint.get("/reads")
@signed_in
def reads(reference: str) -> str:
    """Show the NPM's managers who opened which page with restricted information, and when."""
    actor = current_actor()
    cooperation = _cooperation(actor, reference)
    require(policy.can_see_reads(actor, service.npm_ids(cooperation)))
    number = paging.asked_number()
    total, lines = queries.reads(
        actor, cooperation.id, offset=paging.offset(number, READS_SIZE), limit=READS_SIZE
    )
    return render_template(
        "visits/reads.html",
        cooperation=cooperation,
        page=Page(lines, number, READS_SIZE, total),
        page_words=pages.page_words,
    )


# Parts --------------------------------------------------------------------------------------------


def _cooperation(actor: Actor, reference: str) -> Cooperation:
    return found_or_404(cooperations.find(actor, reference))


def _visit(actor: Actor, reference: str, number: int, page: str) -> Visit:
    """Return a visit whose planning is open to the person, or abort with 404; log the page view.

    In a request that writes, the visit is locked from now on.
    """
    cooperation = _cooperation(actor, reference)
    if request.method == "POST":
        trail.lock_chain(cooperation.id)
    visit = found_or_404(queries.find_in(actor, cooperation, number))
    _note_reading(actor, cooperation, visit, page)
    return visit


def _note_reading(actor: Actor, cooperation: Cooperation, visit: Visit, page: str) -> None:
    """Log a page view; first lead people without a second factor to what opens the page."""
    log = partial(
        trail.log_read,
        actor,
        cooperation_id=cooperation.id,
        subject_type=VISIT,
        subject_id=visit.id,
        page=page,
    )
    is_open = page == MY_PART and has_opened(actor, visit.id)
    if not is_open and lacks_second_factor() and own_part.may_open(actor, cooperation, visit):
        where = url_for(".open_my_part", reference=cooperation.reference, number=visit.number)
        abort(redirect(where, 303))
    note_reading(log, f"{page} {visit.id}", is_own_part=is_open)


def _may_change(actor: Actor, visit: Visit, cooperation: Cooperation, *, leads: bool) -> Decision:
    return policy.can_change(
        actor,
        service.npm_ids(cooperation),
        visit.stage,
        cooperation_stage=cooperation.stage,
        leads=leads,
    )


def _may_change_by(form: Form, actor: Actor, visit: Visit) -> bool:
    """Return whether a person may change a visit now with a form; otherwise refuse it."""
    cooperation = found_or_404(cooperations.find_by_id(actor, visit.cooperation_id))
    leads = audiences.standing(actor, VISIT, visit.id).leads
    return _may_go_on(actor, cooperation, form, _may_change(actor, visit, cooperation, leads=leads))


def _may_go_on(actor: Actor, cooperation: Cooperation, form: Form, allowed: Decision) -> bool:
    """Return whether a form is open to a person now; otherwise refuse it.

    What somebody at the NPM typed stays on the page, with the reason above. Others don't see the
    page.
    """
    if actor.organisation_id not in service.npm_ids(cooperation):
        require(allowed)
    return may_go_on(form, allowed, allowed.reason, "")


def _to_visit(reference: str, number: int) -> Response:
    return redirect(url_for(".show", reference=reference, number=number), 303)
