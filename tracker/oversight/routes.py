"""Pages for the register: the list, the history of an agreement, the export, the audit."""

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from uuid import UUID

from flask import Blueprint, Response, abort, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from flask_babel import gettext as _

from tracker.access.actor import Actor, Role
from tracker.access.gate import current_actor, found_or_404, require, signed_in
from tracker.accounts import long_work
from tracker.activity import queries as trail
from tracker.agreements.service import SUBJECT
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.history import item_titles
from tracker.checklists.labels import KINDS
from tracker.cooperations.models import Mode
from tracker.cooperations.modes import MODE_LABELS
from tracker.core import clock
from tracker.core.db import db
from tracker.evidence import policy as evidence
from tracker.organisations import queries as organisations
from tracker.oversight import export as files
from tracker.oversight import integrity, labels, last_check, pages, policy, queries, service
from tracker.oversight.facts import Narrowing, Question
from tracker.oversight.forms import DaysForm
from tracker.oversight.undertaking_register import policy as undertakings
from tracker.oversight.undertaking_register import queries as undertaking_queries
from tracker.oversight.undertaking_register.facts import Access, Filters
from tracker.signoff import queries as signoff
from tracker.ui import locale, paging
from tracker.ui.filters import FilterLink, chosen_or_404, filter_links
from tracker.ui.words import tidy_line

blueprint = Blueprint("oversight", __name__, url_prefix="/register")
# Filters that are shown even if nothing matches.
ALWAYS = frozenset({"", Narrowing.IN_FORCE})
# What may be true of an agreement beside its state. The overview counts it, and the row of states
# doesn't: so the states there add up to all agreements.
BESIDE_ITS_STATE = frozenset(
    {
        Narrowing.ENDS_SOON,
        Narrowing.REVIEW_OVERDUE,
        Narrowing.OVERRIDDEN,
        Narrowing.FLAGGED,
    }
)
# The kind that leads to the register of undertakings.
UNDERTAKINGS = "undertakings"
EVENTS = 500


@blueprint.get("")
@signed_in
def register() -> ResponseReturnValue:
    """Show the agreements the person may see, filtered as requested, and what needs attention."""
    actor = current_actor()
    require(policy.can_see_register(actor))
    sees_undertakings = bool(undertakings.can_see_undertakings(actor))
    if sees_undertakings and request.args.get("kind") == UNDERTAKINGS:
        return _to_undertakings()
    days = DaysForm()
    readable = days.validate()
    question = _question_of(days)
    number = paging.asked_number()
    overview = queries.overview(actor, question)
    # Without a day that can't be read, the list would show what wasn't chosen.
    total = overview.counts[question.narrowing or ""] if readable else 0
    offset = paging.offset(number)
    lines = (
        queries.lines(actor, question, offset=offset, limit=paging.SIZE, needs=overview.needs)
        if total
        else []
    )
    views = [pages.view(actor, line) for line in lines]
    party_ids = {organisation_id for view in views for organisation_id, _name in view.others}
    kinds = [(kind.value, KINDS[kind]) for kind in ChecklistKind]
    return render_template(
        "oversight/register.html",
        page=paging.Page(views, number, paging.SIZE, total),
        linked=organisations.shown_among(actor, party_ids),
        # Drafts come last, and are folded below other agreements.
        parts=pages.without_drafts(views, question),
        disagreeing=sum(view.disagrees for view in views),
        attention=pages.attention(overview) + _of_undertakings(actor, question),
        last_check=last_check.last_check(actor),
        links=_links(overview.counts, question),
        summary=pages.summary(overview.counts),
        fields=_fields(question),
        days=days,
        forms=[days],
        is_narrowed=question != Question(),
        narrowed_by=pages.narrowed_by(question),
        today=clock.today(),
        # Whether a filter is chosen that is otherwise folded.
        is_finely_narrowed=not readable
        or replace(question, words="", narrowing=None) != Question(),
        modes=[(mode.value, MODE_LABELS[mode]) for mode in Mode],
        kinds=[*kinds, (UNDERTAKINGS, _("Personal undertakings"))] if sees_undertakings else kinds,
        is_auditor=actor.has(Role.AUDITOR),
        sees_undertakings=sees_undertakings,
    )


@blueprint.get("/<uuid:checklist_id>")
@signed_in
def history(checklist_id: UUID) -> str:
    """Show the full history of one agreement: every revision, its signatures, every event."""
    actor = current_actor()
    require(policy.can_see_register(actor))
    line = found_or_404(queries.find(actor, checklist_id))
    revisions = signoff.revisions_of(SUBJECT, checklist_id)
    signature_ids = [
        signature.id for revision, _request in revisions for signature in revision.signatures
    ]
    lines = trail.subject_history(line.cooperation_id, [checklist_id, *signature_ids], limit=EVENTS)
    titles = item_titles.titles_in(line.cooperation_id, locale.language())
    states = pages.revision_states(checklist_id, [revision for revision, _request in revisions])
    return render_template(
        "oversight/history.html",
        view=pages.view(actor, line),
        line=line,
        parties=pages.all_parties(line),
        revisions=revisions,
        states=states,
        signature_lines=pages.signature_lines,
        lines=[item_titles.with_titles(event, titles, line.kind) for event in lines],
        names_of=partial(item_titles.names_of, titles.get(line.kind, {})),
        leaves_out_the_team=line.kind is ChecklistKind.VISIT_ROLES,
        is_cut=len(lines) == EVENTS,
        may_take_out=evidence.can_export(actor),
    )


@blueprint.post("/export")
@signed_in
def export() -> Response:
    """Return the filtered register as CSV; the export is recorded."""
    actor = current_actor()
    require(policy.can_see_register(actor))
    days = DaysForm()
    if not days.validate():
        abort(404)
    question = _question_of(days)
    long_work.begin(actor)
    file = files.CsvFile(pages.export_heads())
    service.export(actor, question, file, pages.export_row)
    db.session.commit()  # not performed: the response is a file
    answer = Response(file.sent(), content_type="text/csv; charset=utf-8")
    name = f"register-{clock.today().isoformat()}.csv"
    answer.headers["Content-Disposition"] = f'attachment; filename="{name}"'
    return answer


@blueprint.post("/check")
@signed_in
def check() -> str:
    """Audit the cooperations of this register now, and show the result.

    Numbers of rows and events aren't shown, since they tell the size of a visit's team (K2). If
    nothing was altered, the check is recorded, and the register shows it.
    """
    actor = current_actor()
    require(policy.can_see_register(actor))
    problem: object = ""
    verdict = None
    # Nothing is locked, so others can write while it runs.
    long_work.begin(actor)
    try:
        verdict = integrity.check_cooperations(actor)
    except integrity.NotCheckableError:
        problem = _(
            "The check can't be run. An administrator can find out why on the command line."
        )
    at = clock.now()
    if verdict is not None and verdict.finding is None:
        last_check.record_intact(actor)
        db.session.commit()  # not performed: the page is the response
    return render_template(
        "oversight/check.html",
        verdict=verdict,
        cooperations=verdict.counts.chains if verdict else 0,
        finding=labels.finding_words(verdict.finding) if verdict and verdict.finding else problem,
        at=at,
    )


def _question_of(days: DaysForm) -> Question:
    """Parse the filters from a URL or a form; abort with 404 if a choice is unknown."""
    mode = chosen_or_404("mode", set(Mode))
    state = chosen_or_404("state", set(Narrowing))
    kind = chosen_or_404("kind", set(ChecklistKind))
    words, party = _typed_words()
    return Question(
        words=words,
        mode=Mode(mode) if mode else None,
        narrowing=Narrowing(state) if state else None,
        party=party,
        kind=ChecklistKind(kind) if kind else None,
        from_on=days.from_on.data,
        until_on=days.until_on.data,
    )


def _typed_words() -> tuple[str, str]:
    """Return what is searched for: words of the agreement, and words of a party's name."""
    words, party = (
        tidy_line(request.values.get(name, ""))[: queries.MAX_LENGTH] for name in ("q", "party")
    )
    return words, party


def _fields(question: Question) -> dict[str, str]:
    """Return the filters as values of a form's fields."""
    return {
        "q": question.words,
        "party": question.party,
        "kind": question.kind.value if question.kind else "",
        "mode": question.mode.value if question.mode else "",
        "from": question.from_on.isoformat() if question.from_on else "",
        "until": question.until_on.isoformat() if question.until_on else "",
        "state": question.narrowing.value if question.narrowing else "",
    }


def _links(counts: Mapping[str, int], question: Question) -> list[FilterLink]:
    """Return the filters to show: the usual ones, and those with matches."""
    shown = {*ALWAYS, question.narrowing, *(key for key, count in counts.items() if count)}
    options = [("", _("All")), *((choice.value, labels.NARROWINGS[choice]) for choice in Narrowing)]
    return filter_links(
        "state",
        [option for option in options if option[0] in shown and option[0] not in BESIDE_ITS_STATE],
        counts,
    )


def _of_undertakings(actor: Actor, question: Question) -> list[FilterLink]:
    """Return the count of undertakings that give no access yet, linked to exactly these.

    Only if no filter is chosen that undertakings don't have.
    """
    has_only_words = replace(question, words="", party="", narrowing=None) == Question()
    if not has_only_words or not undertakings.can_see_undertakings(actor):
        return []
    words = _words(question)
    filters = Filters(words, access=Access.NOT_YET)
    return [
        pages.counted(
            _("Undertakings without access yet"),
            undertaking_queries.count(actor, filters),
            url_for(
                "undertaking_register.show", cooperation=words or None, access=Access.NOT_YET.value
            ),
        )
    ]


def _to_undertakings() -> ResponseReturnValue:
    """Redirect to the register of undertakings, which looks for the same words."""
    words = " ".join(filter(None, _typed_words())) or None
    return redirect(url_for("undertaking_register.show", cooperation=words), 303)


def _words(question: Question) -> str:
    return f"{question.words} {question.party}".strip()
