"""Pages that list people and open invitations, for those who manage accounts.

In one file: the pages of people and of invitations share their forms for roles.
"""

from typing import Any
from uuid import UUID

from flask import Blueprint, abort, current_app, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access import gate
from tracker.access.actor import Actor, Confirmation, OrganisationKind, Role
from tracker.accounts import labels, messages, policy, queries
from tracker.accounts.forms import (
    ConfirmRoleForm,
    EmptyForm,
    GiveRoleForm,
    InviteForm,
    OrganisationForm,
    ReasonForm,
    RenameForm,
    WithoutEmailForm,
    offer,
    role_options,
)
from tracker.accounts.models import Membership
from tracker.accounts.people import invitations, names, powers, service, without_email
from tracker.accounts.people.invitations import NewInvitation
from tracker.accounts.people.without_email import NewPerson
from tracker.core import clock
from tracker.mail import wording as mail
from tracker.mail.queries import undelivered
from tracker.organisations import queries as organisations
from tracker.organisations.models import Organisation
from tracker.ui import locale, paging
from tracker.ui.fields import Option
from tracker.ui.filters import chosen_or_404, filter_links
from tracker.ui.perform import perform, require_for
from tracker.ui.words import asked_words

blueprint = Blueprint("people", __name__, url_prefix="/people")

ADMINISTRATOR = "administrator"


@blueprint.get("")
@gate.signed_in
def listed() -> str:
    """List people: all for administrators, their own organisation's for its coordinators."""
    actor = gate.current_actor()
    gate.require(policy.can_see_people(actor))
    words = asked_words()
    suspended = bool(chosen_or_404("state", {"suspended"}))
    number = paging.asked_number()
    total, lines = queries.people(
        actor,
        words=words,
        suspended=suspended,
        offset=paging.offset(number),
        limit=paging.SIZE,
    )
    open_accounts, suspended_accounts = queries.counts(actor, words)
    return render_template(
        "people/people.html",
        page=paging.Page(lines, number, paging.SIZE, total),
        words=words,
        suspended=suspended,
        role_words=labels.ROLES,
        may_invite=policy.can_invite(actor),
        filters=filter_links(
            "state",
            [("", _("Open accounts")), ("suspended", _("Suspended"))],
            {"": open_accounts, "suspended": suspended_accounts},
        ),
    )


@blueprint.get("/<user_id>")
@gate.signed_in
def show(user_id: str) -> str:
    """Show a person, with the roles the reader may see and what they may do."""
    actor = gate.current_actor()
    person = _person(actor, user_id)
    facts = gate.found_or_404(queries.facts_of(person.id))
    holders = queries.holders_by_organisation(role.organisation_id for role in person.roles)
    may_give = policy.can_give_some_role(actor) and policy.can_give_to(actor, person.id)
    return render_template(
        "people/person.html",
        person=person,
        role_words=labels.ROLES,
        may_suspend=policy.can_suspend(actor, facts),
        may_rename=names.can_rename(actor, person.id),
        may_restore=policy.can_restore(actor, facts),
        may_reset=policy.can_reset_second_factor(actor, facts),
        may_end_sessions=policy.can_end_sessions(actor, facts),
        is_refused=service.needs_reset(person.id),
        is_own_address=service.has_own_address(person.id),
        may_give=may_give and (actor.is_administrator or bool(person.running)),
        may_end={
            role.membership_id
            for role in person.roles
            if role.ended_at is None
            and policy.can_end_role(actor, role.facts_of(person.id), holders[role.organisation_id])
        },
        may_confirm={
            role.membership_id: policy.can_confirm(
                actor, role.facts_of(person.id), holders[role.organisation_id]
            )
            for role in person.roles
            if role.waits
        },
        accepts=Confirmation.ADMINISTRATOR,
        confirmed_words=labels.confirmed_words,
    )


@blueprint.route("/<user_id>/suspend", methods=["GET", "POST"])
@gate.signed_in
def suspend(user_id: str) -> str | Response:
    """Suspend an account, with a reason."""
    actor = gate.current_actor()
    person = _person(actor, user_id)
    form = ReasonForm()
    require_for(form, policy.can_suspend(actor, gate.found_or_404(queries.facts_of(person.id))))
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.suspend(actor, person.id, reason=form.reason.data or ""),
        success=_("The account of %(name)s is suspended.", name=person.name),
        next=redirect(url_for("people.show", user_id=person.id)),
    )
    return done or render_template("people/suspend.html", form=form, person=person)


@blueprint.route("/<user_id>/restore", methods=["GET", "POST"])
@gate.signed_in
def restore(user_id: str) -> str | Response:
    """Restore a suspended account."""
    actor = gate.current_actor()
    person = _person(actor, user_id)
    gate.require(policy.can_restore(actor, gate.found_or_404(queries.facts_of(person.id))))
    form = EmptyForm()
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.restore(actor, person.id),
        success=_("The account of %(name)s is reopened.", name=person.name),
        next=redirect(url_for("people.show", user_id=person.id)),
    )
    return done or render_template("people/restore.html", form=form, person=person)


@blueprint.route("/<user_id>/second-factor/reset", methods=["GET", "POST"])
@gate.signed_in
def reset_second_factor(user_id: str) -> str | Response:
    """Reset somebody's lost second factor, with a reason."""
    actor = gate.current_actor()
    person = _person(actor, user_id)
    gate.require(
        policy.can_reset_second_factor(actor, gate.found_or_404(queries.facts_of(person.id)))
    )
    is_refused = service.needs_reset(person.id)
    form = ReasonForm()
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.reset_second_factor(actor, person.id, reason=form.reason.data or ""),
        success=_("The password and second factor of %(name)s are reset.", name=person.name)
        if is_refused
        else _("The second factor of %(name)s is reset.", name=person.name),
        next=redirect(url_for("people.show", user_id=person.id)),
    )
    return done or render_template(
        "people/reset_second_factor.html",
        form=form,
        person=person,
        is_refused=is_refused,
        is_own_address=service.has_own_address(person.id),
    )


@blueprint.route("/<user_id>/sessions/end", methods=["GET", "POST"])
@gate.signed_in
def end_sessions(user_id: str) -> str | Response:
    """Sign somebody out everywhere, with a reason."""
    actor = gate.current_actor()
    person = _person(actor, user_id)
    form = ReasonForm()
    require_for(
        form, policy.can_end_sessions(actor, gate.found_or_404(queries.facts_of(person.id)))
    )
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.end_sessions_of(actor, person.id, reason=form.reason.data or ""),
        success=_("%(name)s is signed out everywhere.", name=person.name),
        next=redirect(url_for("people.show", user_id=person.id)),
    )
    return done or render_template("accounts/end_sessions.html", form=form, person=person)


@blueprint.route("/<user_id>/roles/<membership_id>/end", methods=["GET", "POST"])
@gate.signed_in
def end_role(user_id: str, membership_id: str) -> str | Response:
    """End a role, with a reason."""
    actor = gate.current_actor()
    person = _person(actor, user_id)
    role = _role(person, membership_id)
    holders = queries.holders_of_power(role.organisation_id)
    form = ReasonForm()
    require_for(form, policy.can_end_role(actor, role.facts_of(person.id), holders))
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.end_role(actor, role.membership_id, reason=form.reason.data or ""),
        success=_("The role is ended."),
        next=redirect(url_for("people.show", user_id=person.id)),
    )
    return done or render_template(
        "people/end_role.html",
        form=form,
        person=person,
        role=labels.ROLES[role.role],
        organisation=role.organisation_name,
    )


@blueprint.route("/<user_id>/roles/<membership_id>/confirm", methods=["GET", "POST"])
@gate.signed_in
def confirm_role(user_id: str, membership_id: str) -> str | Response:
    """Confirm a signatory or manager role, so that it begins (product.md, section 2)."""
    actor = gate.current_actor()
    person = _person(actor, user_id)
    role = _role(person, membership_id)
    holders = queries.holders_of_power(role.organisation_id)
    facts = role.facts_of(person.id)
    gate.require(policy.can_confirm(actor, facts, holders))
    how = policy.confirmation_by(actor, facts, holders)
    form = ConfirmRoleForm()
    done = form.validate_on_submit() and perform(
        form,
        lambda: powers.confirm(actor, role.membership_id, digest=form.shown.data or ""),
        success=_("The role of %(name)s is confirmed.", name=person.name),
        next=redirect(url_for("people.show", user_id=person.id)),
    )
    if done:
        return done
    # What the page shows now, also after a refusal because something had changed.
    form.shown.data = powers.shown_digest(role.membership_id, how)
    return render_template(
        "people/confirm_role.html",
        form=form,
        person=person,
        role=role,
        role_words=labels.ROLES,
        by_administrator=how is Confirmation.ADMINISTRATOR,
    )


@blueprint.route("/<user_id>/name", methods=["GET", "POST"])
@gate.signed_in
def rename(user_id: str) -> str | Response:
    """Change the name of somebody who signs or vouches by it (product.md, section 2)."""
    actor = gate.current_actor()
    person = _person(actor, user_id)
    form = RenameForm(obj=person)
    require_for(form, names.can_rename(actor, person.id))
    done = form.validate_on_submit() and perform(
        form,
        lambda: names.rename(actor, person.id, form.name.data or ""),
        success=_("The name is changed."),
        next=redirect(url_for("people.show", user_id=person.id)),
    )
    return done or render_template("people/rename.html", form=form, person=person)


@blueprint.route("/<user_id>/roles/new", methods=["GET", "POST"])
@gate.signed_in
def choose_for_role(user_id: str) -> str | Response:
    """Choose the organisation in which to give a role; coordinators have only one."""
    actor = gate.current_actor()
    person = _person(actor, user_id)
    gate.require(policy.can_give_some_role(actor))
    gate.require(policy.can_give_to(actor, person.id))
    if not actor.is_administrator:
        return redirect(url_for("people.give_role", user_id=person.id, where=actor.organisation_id))
    form = _organisation_form(actor)
    if form.validate_on_submit():
        return redirect(
            url_for("people.give_role", user_id=person.id, where=form.organisation.data)
        )
    return render_template("people/choose_for_role.html", form=form, person=person)


@blueprint.route("/<user_id>/roles/new/<where>", methods=["GET", "POST"])
@gate.signed_in
def give_role(user_id: str, where: str) -> str | Response:
    """Give a person a role in an organisation."""
    actor = gate.current_actor()
    person = _person(actor, user_id)
    gate.require(policy.can_give_to(actor, person.id))
    organisation, roles = _place(actor, where)
    form = GiveRoleForm()
    is_npm = _is_npm(organisation)
    offer(form.role, role_options(roles, is_npm=is_npm))
    form.offer(_audited(actor, organisation), has_experts=is_npm)
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.give_role(
            actor,
            person.id,
            service.NewRole(
                role=form.role.data,
                organisation_id=organisation.id if organisation else None,
                starts_on=form.starts_on.data or clock.today(),
                ends_on=form.ends_on.data,
                power=form.power.data or "",
                power_from=form.power_from.data,
                power_until=form.power_until.data,
                office=form.office.data or "",
                outside_expert=_data_of(form, "outside_expert") is True,
                audits_id=_data_of(form, "audits"),
            ),
        ),
        success=lambda given: _given(given, person.name),
        next=redirect(url_for("people.show", user_id=person.id)),
    )
    return done or render_template(
        "people/give_role.html", form=form, person=person, organisation=_name(organisation)
    )


# Invitations -------------------------------------------------------------------------------------


@blueprint.get("/invitations")
@gate.signed_in
def invitations_page() -> str:
    """List the invitations that nobody has accepted yet."""
    actor = gate.current_actor()
    gate.require(policy.can_see_people(actor))
    number = paging.asked_number()
    total, lines = queries.invitations(actor, offset=paging.offset(number), limit=paging.SIZE)
    return render_template(
        "people/invitations.html",
        page=paging.Page(lines, number, paging.SIZE, total),
        role_words=labels.ROLES,
        state_words=labels.INVITATION_STATES,
        may_change={
            line.id
            for line in lines
            if policy.can_give_roles(actor, line.organisation_id, line.roles)
        },
        without_sender=invitations.without_sender(lines),
        undelivered=undelivered(messages.INVITATION, [line.email for line in lines]),
        may_invite=policy.can_invite(actor),
    )


@blueprint.post("/invitations/<invitation_id>/again")
@gate.signed_in
def send_again(invitation_id: str) -> Response:
    """Send an invitation again, with a new link."""
    actor = gate.current_actor()
    line = _invitation(actor, invitation_id)
    return perform(
        None,
        lambda: invitations.send_again(actor, line.id, days=_days()),
        success=_("The invitation is sent again. The earlier link no longer works."),
        next=redirect(url_for("people.invitations_page")),
    )


@blueprint.post("/invitations/<invitation_id>/revoke")
@gate.signed_in
def revoke(invitation_id: str) -> Response:
    """Revoke an invitation."""
    actor = gate.current_actor()
    line = _invitation(actor, invitation_id)
    return perform(
        None,
        lambda: invitations.revoke(actor, line.id),
        success=_("The invitation to %(email)s is revoked.", email=line.email),
        next=redirect(url_for("people.invitations_page")),
    )


@blueprint.route("/invite", methods=["GET", "POST"])
@gate.signed_in
def choose_for_invitation() -> str | Response:
    """Choose the organisation to invite to; coordinators have only one."""
    actor = gate.current_actor()
    gate.require(policy.can_invite(actor))
    if not actor.is_administrator:
        return redirect(url_for("people.invite", where=actor.organisation_id))
    form = _organisation_form(actor)
    if form.validate_on_submit():
        return redirect(url_for("people.invite", where=form.organisation.data))
    return render_template("people/choose_for_invitation.html", form=form)


@blueprint.route("/invite/<where>", methods=["GET", "POST"])
@gate.signed_in
def invite(where: str) -> str | Response:
    """Invite a person into an organisation, or as administrator."""
    actor = gate.current_actor()
    organisation, roles = _place(actor, where)
    form = InviteForm()
    is_npm = _is_npm(organisation)
    offer(form.roles, role_options(roles, is_npm=is_npm))
    form.offer(_audited(actor, organisation), has_experts=is_npm)
    if organisation is None:  # administrators sign nothing
        form.name.description = ""
    if not form.is_submitted():
        form.language.data = locale.language()
        # Links that invite somebody for a purpose name the role.
        suggested = Role.ADMINISTRATOR if organisation is None else request.args.get("role")
        form.roles.data = [role for role in roles if role == suggested]
    done = form.validate_on_submit() and perform(
        form,
        lambda: invitations.invite(
            actor,
            NewInvitation(
                email=form.email.data or "",
                name=form.name.data or "",
                organisation_id=organisation.id if organisation else None,
                roles=set(form.roles.data or ()),
                power=form.power.data or "",
                power_from=form.power_from.data,
                power_until=form.power_until.data,
                office=form.office.data or "",
                outside_expert=_data_of(form, "outside_expert") is True,
                audits_id=_data_of(form, "audits"),
                language=form.language.data,
                days=_days(),
            ),
        ),
        success=lambda invited: mail.of_invitation(invited.email),
        next=redirect(url_for("people.invitations_page")),
    )
    return done or render_template(
        "people/invite.html", form=form, organisation=_name(organisation), where=where
    )


@blueprint.route("/without-email/<where>", methods=["GET", "POST"])
@gate.signed_in
def add_without_email(where: str) -> str | Response:
    """Add a person who has no email address to an organisation."""
    actor = gate.current_actor()
    organisation, _roles = _place(actor, where)
    if organisation is None:
        abort(404)
    form = WithoutEmailForm()
    form.offer(has_experts=_is_npm(organisation))
    if not form.is_submitted():
        form.language.data = locale.language()
    done = form.validate_on_submit() and perform(
        form,
        lambda: without_email.add(
            actor,
            NewPerson(
                name=form.name.data or "",
                organisation_id=organisation.id,
                language=form.language.data,
                outside_expert=_data_of(form, "outside_expert") is True,
            ),
        ),
        success=_("The person is added. You can add them to a cooperation now."),
        next=lambda added: redirect(url_for("people.show", user_id=added.id)),
    )
    return done or render_template(
        "people/add_without_email.html", form=form, organisation=organisation.name, where=where
    )


# Parts -------------------------------------------------------------------------------------------


def _person(actor: Actor, user_id: str) -> queries.Person:
    return gate.found_or_404(queries.find_user_for_actor(actor, gate.as_uuid(user_id)))


def _given(membership: Membership, name: str) -> str:
    """Return a message about what happens to a role that was just given."""
    if membership.begun_at is not None:
        return str(_("The role is given to %(name)s.", name=name))
    if membership.confirmed_how is not None:
        return str(_("The role begins once %(name)s has accepted it.", name=name))
    return str(
        _(
            "The role of %(name)s begins once it's confirmed. The people who can confirm it "
            "are notified.",
            name=name,
        )
    )


def _role(person: queries.Person, membership_id: str) -> queries.PersonRole:
    """Return a role of a person if the reader may see it."""
    wanted = gate.as_uuid(membership_id)
    return gate.found_or_404(
        next((role for role in person.roles if role.membership_id == wanted), None)
    )


def _invitation(actor: Actor, invitation_id: str) -> queries.InvitationLine:
    line = gate.found_or_404(queries.find_invitation(actor, gate.as_uuid(invitation_id)))
    gate.require(policy.can_invite(actor))
    gate.require(policy.can_give_roles(actor, line.organisation_id, line.roles))
    return line


def _place(actor: Actor, where: str) -> tuple[Organisation | None, tuple[Role, ...]]:
    """Return the organisation in the URL, and the roles the actor may give there."""
    if where == ADMINISTRATOR:
        roles: tuple[Role, ...] = (Role.ADMINISTRATOR,)
        gate.require(policy.can_give_roles(actor, None, roles))
        return None, roles
    organisation = gate.found_or_404(organisations.find(actor, gate.as_uuid(where)))
    roles = policy.roles_to_give(actor, organisation.kind)
    gate.require(policy.can_give_roles(actor, organisation.id, roles))
    return organisation, roles


def _organisation_form(actor: Actor) -> OrganisationForm:
    form = OrganisationForm()
    offered = [Option(str(choice.id), choice.name) for choice in organisations.choices(actor)]
    last = Option(ADMINISTRATOR, _("None: administrator of the whole instance"))
    offer(form.organisation, [*offered, last])
    return form


def _audited(actor: Actor, organisation: Organisation | None) -> list[tuple[UUID, str]]:
    """Return the NPMs that a body of another kind may audit."""
    if organisation is None or organisation.kind is not OrganisationKind.OTHER:
        return []
    return [
        (choice.id, choice.name)
        for choice in organisations.choices(actor)
        if choice.kind is OrganisationKind.NPM
    ]


def _is_npm(organisation: Organisation | None) -> bool:
    return organisation is not None and organisation.kind is OrganisationKind.NPM


def _name(organisation: Organisation | None) -> str:
    return organisation.name if organisation else ""


def _data_of(form: InviteForm | GiveRoleForm | WithoutEmailForm, name: str) -> Any:
    return form[name].data if name in form else None


def _days() -> int:
    days: int = current_app.extensions["settings"].invitation_days
    return days
