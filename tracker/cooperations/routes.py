"""Pages for cooperations: the list, the head, the ways of working, the people, the history.

In one file: the pages of one blueprint find and show the same cooperation.
"""

import datetime as dt
from typing import Any
from uuid import UUID

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.access.decision import Decision
from tracker.access.gate import current_actor, found_or_404, require, signed_in
from tracker.cooperations import labels, outside_bodies, people, policy, queries, service
from tracker.cooperations.agreed_ways import TermsStop
from tracker.cooperations.forms import (
    BodyForm,
    ConfirmForm,
    HeadForm,
    InvitationForm,
    ModesForm,
    PeopleForm,
    VerificationForm,
    head_data,
    questions_form,
)
from tracker.cooperations.models import BodyKind, ChecklistKind, Cooperation, Mode, Stage
from tracker.cooperations.modes import MODE_LABELS, Requirement, requirements
from tracker.cooperations.pages import PartyPeople, passage_url, people_by_party
from tracker.core import clock
from tracker.core.errors import StaleError
from tracker.mail import wording as mail
from tracker.signoff.labels import DIFFERS, DISAGREES
from tracker.ui import locale, paging
from tracker.ui.filters import chosen_or_404, filter_links
from tracker.ui.locale import as_date
from tracker.ui.paging import Page
from tracker.ui.perform import perform, require_for
from tracker.ui.words import asked_words

blueprint = Blueprint("cooperations", __name__)


@blueprint.app_template_filter("stage_words")
def _stage_words(stage: Stage | str) -> object:
    return labels.STAGES[Stage(stage)]


@blueprint.app_template_filter("stage_today")
def _stage_today(
    cooperation: Cooperation, *, agrees: bool, stop: TermsStop | None
) -> tuple[object, str]:
    return labels.stage_words(
        cooperation.stage,
        cooperation.starts_on,
        cooperation.ends_on,
        clock.today(),
        agrees=agrees,
        stop=stop,
    )


@blueprint.app_template_filter("kind_words")
def _kind_words(kind: ChecklistKind | str) -> object:
    return labels.KINDS[ChecklistKind(kind)]


@blueprint.app_template_filter("requirement_words")
def _requirement_words(requirement: Requirement) -> object:
    return labels.of_requirement(requirement)


@blueprint.app_template_filter("level_words")
def _level_words(level: object) -> object:
    return next(words for known, words in labels.LEVELS.items() if known == level)


@blueprint.app_template_filter("mode_words")
def _mode_words(mode: Mode | str) -> object:
    return MODE_LABELS[Mode(mode)]


@blueprint.app_template_filter("head_words")
def _head_words(name: str) -> object:
    return labels.HEAD[name]


@blueprint.app_template_filter("iso_date_words")
def _iso_date_words(stored: str) -> str:
    return as_date(dt.date.fromisoformat(stored))


@blueprint.app_template_filter("closed_because")
def _closed_because(reason: str) -> object:
    return next((words for end, words in labels.CLOSED_BECAUSE.items() if end == reason), reason)


blueprint.add_app_template_filter(passage_url, "passage_url")


@blueprint.get("/cooperations")
@signed_in
def index() -> str:
    """List the cooperations the person may see."""
    actor = current_actor()
    words = asked_words()
    wanted = chosen_or_404("stage", [choice.value for choice in labels.LIST_STATES])
    state = next((choice for choice in labels.LIST_STATES if choice.value == wanted), None)
    number = paging.asked_number()
    counts = queries.state_counts(actor, words)
    listing = queries.listing(
        actor,
        words=words,
        state=state,
        offset=paging.offset(number),
        limit=paging.SIZE,
        counts=counts,
    )
    states = [
        (choice.value, label)
        for choice, label in labels.LIST_STATES.items()
        if counts.get(choice.value)
    ]
    return render_template(
        "cooperations/index.html",
        page=Page(listing.cooperations, number, paging.SIZE, listing.total),
        filters=filter_links("stage", [("", _("All")), *states], counts),
        words=words,
        stage=wanted,
        has_any=bool(counts[""]) or bool(words),
        may_open=policy.can_open(actor),
        parties_of=people.parties,
        agreeing=listing.agreeing,
        stopped=listing.stopped,
    )


@blueprint.route("/cooperations/<reference>/head", methods=["GET", "POST"])
@signed_in
def change_head(reference: str) -> str | Response:
    """Change title, purpose and dates."""
    actor = current_actor()
    cooperation = _find(actor, reference)
    fact = queries.fact(cooperation)
    form = HeadForm(data=head_data(cooperation))
    require_for(form, policy.can_change(actor, fact))
    dates = service.can_change_dates(actor, cooperation, fact)
    # Dates that were typed before the terms were sent are refused, and not left out unnoticed.
    if not dates and "starts_on" not in request.form:
        form.leave_dates()
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.change_head(
            actor,
            cooperation,
            version=form.version.data,
            title=form.title.data or "",
            purpose=form.purpose.data or "",
            **_dates(form, cooperation),
        ),
        success=_saved,
        next=_to_cooperation(reference),
        conflict=lambda error: _stale_head(_find(actor, reference), form, error, dates),
    )
    return done or render_template(
        "cooperations/head.html",
        form=form,
        cooperation=_read_again(actor, reference, cooperation),
        dates=dates,
    )


@blueprint.route("/cooperations/<reference>/ways", methods=["GET", "POST"])
@signed_in
def change_modes(reference: str) -> str | Response:
    """Change the ways of working, then the answers to their questions."""
    actor = current_actor()
    cooperation = _find(actor, reference)
    require(policy.can_change(actor, queries.fact(cooperation)))
    form = ModesForm(data={"modes": queries.modes(cooperation), "version": cooperation.version})
    step = request.form.get("step", "")
    if step in {"", "back"} or not form.validate_on_submit():
        return _modes_page(cooperation, form)
    chosen = form.modes.data or []
    decision = service.can_set_modes(actor, cooperation, chosen)
    if not decision:
        form.modes.errors = [str(decision.reason)]
        return _modes_page(cooperation, form)
    questions = questions_form(chosen, cooperation.questions)
    if step == "save" and questions.is_answered and questions.validate():
        done = perform(
            form,
            lambda: service.set_modes(
                actor,
                cooperation,
                version=form.version.data,
                modes=chosen,
                questions=questions.answers,
            ),
            success=_saved,
            next=_to_cooperation(reference),
        )
        if done:
            return done
        cooperation = _find(actor, reference)
        form.version.data = cooperation.version
        return _modes_page(cooperation, form, other=queries.modes(cooperation))
    return render_template(
        "cooperations/questions.html",
        form=questions,
        modes_form=form,
        cooperation=cooperation,
        needs=requirements(chosen, questions.answers),
    )


@blueprint.route("/cooperations/<reference>/verification", methods=["GET", "POST"])
@signed_in
def change_verification(reference: str) -> str | Response:
    """Decide what the public check shows about a cooperation's agreements."""
    actor = current_actor()
    cooperation = _find(actor, reference)
    require(policy.can_change_verification(actor, queries.fact(cooperation)))
    form = VerificationForm(data={"shows_signers": "yes" if cooperation.shows_signers else "no"})
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.set_verification(
            actor, cooperation, shows_signers=form.shows_signers.data == "yes"
        ),
        success=_saved,
        next=_to_cooperation(reference),
    )
    return done or render_template(
        "cooperations/verification.html", form=form, cooperation=cooperation
    )


@blueprint.get("/cooperations/<reference>/people")
@signed_in
def people_page(reference: str) -> str:
    """Show who takes part, party by party."""
    actor = current_actor()
    cooperation = _find_in_part(actor, reference)
    return render_template(
        "cooperations/people.html",
        cooperation=cooperation,
        groups=_groups(actor, cooperation),
        sees_all=not people.is_joining(cooperation, actor.organisation_id),
        invitations=queries.open_invitations(actor, cooperation.id),
        now=clock.now(),
        disagreement="" if queries.AS_RECORDED_READER.get()(cooperation) else DISAGREES[0],
        differs=DIFFERS,
    )


@blueprint.route("/cooperations/<reference>/outside-bodies", methods=["GET", "POST"])
@signed_in
def bodies_page(reference: str) -> str | Response:
    """Show the outside bodies that answers can name, with a form that adds one."""
    actor = current_actor()
    cooperation = _find(actor, reference)
    fact = queries.fact(cooperation)
    may_add = policy.can_add_body(actor, fact)
    if request.method == "POST":
        require(may_add)
    form = BodyForm()
    done = form.validate_on_submit() and perform(
        form,
        lambda: outside_bodies.add(
            actor, cooperation, name=form.name.data or "", kind=BodyKind(form.kind.data)
        ),
        success=lambda body: _("%(name)s is now on the list.", name=body.name),
        next=_to_bodies(reference),
    )
    if done:
        return done
    cooperation = _read_again(actor, reference, cooperation)
    return render_template(
        "cooperations/outside_bodies.html",
        form=form,
        cooperation=cooperation,
        bodies=[body for body in outside_bodies.of(cooperation) if not body.is_removed],
        kinds=labels.BODY_KINDS,
        may_add=may_add,
        may_remove=bool(policy.can_remove_body(actor, fact)),
    )


@blueprint.post("/cooperations/<reference>/outside-bodies/<uuid:body_id>/remove")
@signed_in
def remove_body(reference: str, body_id: UUID) -> Response:
    """Remove an outside body from the list."""
    actor = current_actor()
    cooperation = _find(actor, reference)
    require(policy.can_remove_body(actor, queries.fact(cooperation)))
    return perform(
        None,
        lambda: outside_bodies.remove(actor, cooperation, body_id),
        success=lambda body: _("%(name)s was removed from the list.", name=body.name),
        next=_to_bodies(reference),
    )


@blueprint.route("/cooperations/<reference>/people/add", methods=["GET", "POST"])
@signed_in
def add_person(reference: str) -> str | Response:
    """Add people from your own organisation, several together if they have the same function."""
    actor = current_actor()
    cooperation = _find_in_part(actor, reference)
    organisation_id = _own_party(actor, cooperation)
    form = PeopleForm()
    offered = people.could_join(cooperation.id, organisation_id)
    form.offer(offered)
    if not form.is_submitted():
        # Whoever adds the first people is mostly one of them.
        form.user_id.data = [user_id for user_id, _name in offered if user_id == actor.user_id]
    if form.user_id.choices and form.validate_on_submit():
        done = perform(
            form,
            lambda: [
                service.add_person(
                    actor,
                    cooperation,
                    user_id=user_id,
                    organisation_id=organisation_id,
                    function=form.function.data or "",
                )
                for user_id in form.user_id.data or ()
            ],
            success=lambda added: _joined_words([person.user.name for person in added]),
            next=_to_people(reference),
        )
        if done:
            return done
    return render_template(
        "cooperations/add_person.html",
        form=form,
        cooperation=_read_again(actor, reference, cooperation),
        actor=actor,
    )


def _joined_words(names: list[str]) -> str:
    if len(names) == 1:
        return str(_("%(name)s now takes part.", name=names[0]))
    return str(_("%(names)s now take part.", names=locale.listed(names)))


@blueprint.route("/cooperations/<reference>/people/invite", methods=["GET", "POST"])
@signed_in
def invite_person(reference: str) -> str | Response:
    """Invite somebody without an account to your own organisation and this cooperation."""
    actor = current_actor()
    cooperation = _find_in_part(actor, reference)
    _own_party(actor, cooperation)
    form = InvitationForm(data={"language": locale.language()})
    form.offer(
        [(language.code, language.name) for language in locale.languages()],
        is_npm=actor.acts_for_npm,
    )
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.invite_person(
            actor,
            cooperation,
            email=form.email.data or "",
            name=form.name.data or "",
            function=form.function.data or "",
            outside_expert="outside_expert" in form and bool(form.outside_expert.data),
            language=form.language.data or "",
            days=current_app.extensions["settings"].invitation_days,
        ),
        success=lambda invited: mail.of_invitation(invited.email),
        next=_to_people(reference),
    )
    return done or render_template(
        "cooperations/invite.html",
        form=form,
        cooperation=_read_again(actor, reference, cooperation),
        actor=actor,
    )


@blueprint.route("/cooperations/<reference>/people/<uuid:person_id>/end", methods=["GET", "POST"])
@signed_in
def end_person(reference: str, person_id: UUID) -> str | Response:
    """Remove a person of your own organisation."""
    actor = current_actor()
    cooperation = _find_in_part(actor, reference)
    person = found_or_404(
        next((person for person in people.people(cooperation.id) if person.id == person_id), None)
    )
    require(policy.can_change_people(actor, queries.fact(cooperation), person.organisation_id))
    form = ConfirmForm()

    def end_and_look() -> bool:
        service.end_person(
            actor, cooperation, user_id=person.user_id, organisation_id=person.organisation_id
        )
        return queries.find_in_part(actor, reference) is not None

    done = form.validate_on_submit() and perform(
        form,
        end_and_look,
        success=lambda still_sees: (
            _("%(name)s no longer takes part.", name=person.name)
            if still_sees
            else _("You no longer take part in this cooperation.")
        ),
        next=lambda still_sees: (
            _to_people(reference) if still_sees else redirect(url_for("cooperations.index"))
        ),
    )
    return done or render_template(
        "cooperations/end_person.html",
        form=form,
        cooperation=_read_again(actor, reference, cooperation),
        person=person,
    )


def _find(actor: Actor, reference: str) -> Cooperation:
    return found_or_404(queries.find(actor, reference))


def _find_in_part(actor: Actor, reference: str) -> Cooperation:
    return found_or_404(queries.find_in_part(actor, reference))


def _read_again(actor: Actor, reference: str, cooperation: Cooperation) -> Cooperation:
    """Load what a page shows; again if a form was sent and perhaps rolled back."""
    return _find_in_part(actor, reference) if request.method == "POST" else cooperation


def _saved(changed: object) -> str:
    return str(_("Saved.") if changed else _("Nothing was changed."))


def _to_cooperation(reference: str) -> Response:
    return redirect(url_for("dashboard.cooperation", reference=reference))


def _to_people(reference: str) -> Response:
    return redirect(url_for("cooperations.people_page", reference=reference))


def _to_bodies(reference: str) -> Response:
    return redirect(url_for("cooperations.bodies_page", reference=reference), 303)


def _own_party(actor: Actor, cooperation: Cooperation) -> UUID:
    if actor.organisation_id is None:
        abort(404)
    require(policy.can_change_people(actor, queries.fact(cooperation), actor.organisation_id))
    return actor.organisation_id


def _groups(actor: Actor, cooperation: Cooperation) -> list[PartyPeople]:
    fact = queries.fact(cooperation)
    return people_by_party(
        people.parties(cooperation),
        people.people(cooperation.id),
        may_change=lambda organisation_id: bool(
            policy.can_change_people(actor, fact, organisation_id)
        ),
    )


def _dates(form: HeadForm, cooperation: Cooperation) -> dict[str, Any]:
    names = ("starts_on", "review_on", "ends_on")
    return {name: form[name].data if name in form else getattr(cooperation, name) for name in names}


def _stale_head(
    cooperation: Cooperation, form: HeadForm, error: StaleError, dates: Decision
) -> Response | str:
    """Show both values; what was typed stays in the form and is saved only on request."""
    form.refuse(error)
    form.version.data = cooperation.version
    return render_template(
        "cooperations/head.html",
        form=form,
        cooperation=cooperation,
        dates=dates,
        other=cooperation,
    )


def _modes_page(cooperation: Cooperation, form: ModesForm, other: list[Mode] | None = None) -> str:
    return render_template(
        "cooperations/modes.html",
        form=form,
        cooperation=cooperation,
        other=[MODE_LABELS[mode] for mode in other or ()],
        terms=queries.terms_state(cooperation.id),
    )
