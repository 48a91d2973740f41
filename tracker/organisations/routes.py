"""Pages for organisations: the list, one organisation, adding and changing one."""

from collections.abc import Sequence

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access import gate
from tracker.access.actor import OrganisationKind
from tracker.core.errors import StaleError
from tracker.organisations import labels, page_parts, policy, queries, service
from tracker.organisations.forms import KindForm, OrganisationForm, form_for
from tracker.organisations.languages import language_codes, other_languages
from tracker.organisations.models import Organisation
from tracker.ui import locale, paging
from tracker.ui.filters import chosen_or_404, filter_links
from tracker.ui.locale import with_commas
from tracker.ui.perform import perform, require_for
from tracker.ui.words import asked_words

blueprint = Blueprint("organisations", __name__, url_prefix="/organisations")

# The filter of the list for organisations without anybody who can act.
NOBODY_ACTS = "nobody_acts"


@blueprint.get("")
@gate.signed_in
def listed() -> str:
    """List all organisations, with search, for administrators."""
    actor = gate.current_actor()
    gate.require(policy.can_list_organisations(actor))
    words = asked_words()
    chosen = chosen_or_404("kind", {*OrganisationKind, NOBODY_ACTS})
    number = paging.asked_number()
    total, lines = queries.page(
        actor,
        words=words,
        kind=_kind(chosen),
        nobody_acts=chosen == NOBODY_ACTS,
        offset=paging.offset(number),
        limit=paging.SIZE,
    )
    counted = queries.counts(actor, words)
    return render_template(
        "organisations/list.html",
        page=paging.Page(lines, number, paging.SIZE, total),
        words=words,
        kinds=labels.SHORT_KINDS,
        filters=filter_links(
            "kind",
            [
                ("", _("All")),
                *((kind.value, words) for kind, words in labels.SHORT_KINDS.items()),
                (NOBODY_ACTS, _("Nobody can act yet")),
            ],
            {
                "": sum(counted.values()),
                **{kind.value: number for kind, number in counted.items()},
                NOBODY_ACTS: queries.count_without_coordinator(actor, words),
            },
        ),
        nobody_acts=page_parts.NOBODY_ACTS.get()([line.id for line in lines]),
    )


@blueprint.route("/new", methods=["GET", "POST"])
@gate.signed_in
def add() -> str | Response:
    """Ask for the kind of body."""
    gate.require(policy.can_change_organisations(gate.current_actor()))
    form = KindForm()
    if form.validate_on_submit():
        return redirect(url_for("organisations.add_kind", kind=form.kind.data.value))
    return render_template("organisations/kind.html", form=form)


@blueprint.route("/new/<kind>", methods=["GET", "POST"])
@gate.signed_in
def add_kind(kind: str) -> str | Response:
    """Add an organisation of a kind."""
    actor = gate.current_actor()
    gate.require(policy.can_change_organisations(actor))
    known = gate.found_or_404(_kind(kind))
    form = form_for(known)
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.add(actor, known, form.details(), another_than=form.another_than),
        success=lambda organisation: _("%(name)s is added.", name=organisation.name),
        next=lambda organisation: redirect(
            url_for("organisations.show", organisation_id=organisation.id)
        ),
    )
    return done or render_template("organisations/add.html", form=form, title=labels.ADD[known])


@blueprint.get("/<organisation_id>")
@gate.signed_in
def show(organisation_id: str) -> str:
    """Show an organisation to its people, its partners and administrators."""
    actor = gate.current_actor()
    organisation = gate.found_or_404(queries.find_shown(actor, gate.as_uuid(organisation_id)))
    number = paging.asked_number()
    people = page_parts.PEOPLE.get()(actor, organisation.id, paging.offset(number), paging.SIZE)
    return render_template(
        "organisations/show.html",
        organisation=organisation,
        kind=labels.KINDS[organisation.kind],
        types=labels.type_words(organisation.types, organisation.other_type),
        languages_used=_language_words(organisation.languages),
        may_change=policy.can_change_organisations(actor),
        may_replace=policy.can_replace(
            actor, {role.organisation_id for role in actor.memberships}, organisation.id
        ),
        replaced=queries.replaced_by(organisation.id),
        may_list=policy.can_list_organisations(actor),
        people=people,
        page=paging.Page(people.lines, number, paging.SIZE, people.total) if people else None,
        cooperations=page_parts.COOPERATIONS.get()(actor, organisation.id),
        requests=page_parts.REQUESTS.get()(actor, organisation.id),
        nobody_acts=page_parts.NOBODY_ACTS.get()([organisation.id]).get(organisation.id),
    )


@blueprint.route("/<organisation_id>/change", methods=["GET", "POST"])
@gate.signed_in
def change(organisation_id: str) -> str | Response:
    """Change the details of an organisation."""
    actor = gate.current_actor()
    organisation = gate.found_or_404(queries.find(actor, gate.as_uuid(organisation_id)))
    form = form_for(organisation.kind)
    require_for(form, policy.can_change_organisations(actor))
    if not form.is_submitted():
        form.fill(organisation)

    def handle_conflict(error: StaleError) -> str:
        form.refuse(error)
        differences = _differences(form, organisation)
        form.version.data = organisation.version
        return _change_page(form, organisation, differences)

    done = form.validate_on_submit() and perform(
        form,
        lambda: service.change(
            actor,
            organisation.id,
            form.details(organisation.languages),
            seen_version=form.version.data,
            another_than=form.another_than,
        ),
        success=_("The changes are saved."),
        next=redirect(url_for("organisations.show", organisation_id=organisation.id)),
        conflict=handle_conflict,
    )
    return done or _change_page(form, organisation)


def _change_page(
    form: OrganisationForm,
    organisation: Organisation,
    differences: Sequence[tuple[object, str]] = (),
) -> str:
    return render_template(
        "organisations/change.html",
        form=form,
        organisation=organisation,
        differences=differences,
    )


def _kind(text: str) -> OrganisationKind | None:
    return next((kind for kind in OrganisationKind if kind.value == text), None)


def _differences(form: OrganisationForm, organisation: Organisation) -> list[tuple[object, str]]:
    """Return what somebody else saved in the meantime, for each field that differs."""
    theirs = form_for(organisation.kind)
    theirs.fill(organisation)
    return [
        (field.label.text, _shown(field.short_name, theirs[field.short_name].data))
        for field in form
        if field.short_name not in {"version", "csrf_token", "is_another", "resembles"}
        and (field.data or "") != (theirs[field.short_name].data or "")
    ]


def _language_words(languages: list[str]) -> list[str]:
    """Return an organisation's languages: the known ones by their names here, then the others."""
    known = [locale.name_of(code) for code in language_codes(languages)]
    return [*known, *other_languages(languages)]


def _shown(name: str, value: object) -> str:
    if isinstance(value, bool):
        return str(_("yes") if value else _("no"))
    if name == "languages" and isinstance(value, list) and value:
        return with_commas(_language_words(value))
    if isinstance(value, list) and value:
        return with_commas(str(words) for words in labels.type_words(value, _("Other")))
    return str(value) if value else str(_("nothing"))
