"""Pages of accounts: one's own, accepting an invitation, people and open invitations."""

from typing import Any
from uuid import UUID

from flask import Blueprint, current_app, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_security import auth_required, login_user, logout_user
from werkzeug.wrappers import Response

from tracker.access import gate
from tracker.access.actor import Actor, OrganisationKind, Role
from tracker.accounts import (
    invitations,
    labels,
    policy,
    queries,
    second_factor,
    service,
    sessions,
)
from tracker.accounts.forms import (
    AcceptForm,
    EmptyForm,
    GiveRoleForm,
    InviteForm,
    OrganisationForm,
    ProfileForm,
    ReasonForm,
    SecondFactorForm,
    offer,
    role_options,
)
from tracker.accounts.invitations import Wanted
from tracker.accounts.labels import InvitationState
from tracker.accounts.models import Invitation, User
from tracker.accounts.proof import used_words, wrong_words
from tracker.accounts.sign_in import FRESH, GRACE, RECOVERY_CODES, signed_in_user
from tracker.core import clock
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.organisations import queries as organisations
from tracker.organisations.models import Organisation
from tracker.ui import locale, paging
from tracker.ui.fields import Option
from tracker.ui.filters import filter_links

blueprint = Blueprint("accounts", __name__)

ADMINISTRATOR = "administrator"
GONE = 410


# One's own account -------------------------------------------------------------------------------


@blueprint.route("/account", methods=["GET", "POST"])
@gate.signed_in
def profile() -> str | Response:
    """Show one's own account, and change name and language."""
    actor = gate.current_actor()
    user = _own()
    form = ProfileForm(obj=user)
    if form.validate_on_submit():
        try:
            service.change_profile(actor, name=form.name.data or "", language=form.language.data)
            db.session.commit()
        except RuleBrokenError as error:
            db.session.rollback()
            form.refuse(error)
        else:
            flash(_("Your profile is saved."), "held")
            response = redirect(url_for("accounts.profile"))
            locale.keep_language(response, form.language.data)
            return response
    return render_template(
        "accounts/profile.html",
        form=form,
        user=user,
        roles=queries.own_roles(actor),
        role_words=labels.ROLES,
    )


@blueprint.route("/account/acting", methods=["GET", "POST"])
@gate.signed_in
def switch() -> str | Response:
    """Choose for which organisation one acts."""
    actor = gate.current_actor()
    offered = {m.organisation_id: m for m in actor.memberships if m.organisation_id}
    form = OrganisationForm()
    offer(
        form.organisation,
        [Option(str(one), membership.organisation_name) for one, membership in offered.items()],
    )
    if form.validate_on_submit():
        chosen = UUID(form.organisation.data)
        sessions.act_for(chosen)
        flash(
            _("You act for %(organisation)s now.", organisation=offered[chosen].organisation_name),
            "held",
        )
        return redirect("/")
    if not form.is_submitted():
        form.organisation.data = str(actor.organisation_id or "")
    return render_template("accounts/switch.html", form=form)


@blueprint.route("/account/second-factor", methods=["GET", "POST"])
@gate.signed_in
@auth_required("session", within=lambda: FRESH, grace=lambda: GRACE)
def set_up_second_factor() -> str | Response:
    """Set up an app for one-time codes; afterwards the recovery codes are shown once."""
    user = _own()
    form = SecondFactorForm()
    if form.validate_on_submit():
        answer = second_factor.finish(user, form.setup.data or "", form.code.data or "")
        if answer is second_factor.Answer.RIGHT:
            service.note_second_factor_set(gate.current_actor(), user)
            codes = second_factor.make_recovery_codes(user)
            db.session.commit()
            return render_template(
                "security/mf_recovery_codes.html", form=None, recovery_codes=codes, just_set=True
            )
        db.session.rollback()
        form.refuse(_why(answer))
    setup = second_factor.begin(user, form.setup.data)
    form.setup.data = setup.token
    form.code.data = None
    return render_template(
        "accounts/second_factor.html",
        form=form,
        setup=setup,
        is_replaced=user.has_second_factor,
        number=RECOVERY_CODES,
    )


@blueprint.post("/account/sessions/end")
@gate.signed_in
def end_sessions() -> Response:
    """Sign out everywhere."""
    service.end_own_sessions(gate.current_actor())
    db.session.commit()
    logout_user()
    flash(_("You are signed out on every device."), "held")
    return redirect(url_for("security.login"))


@blueprint.route("/account/leave/<organisation_id>", methods=["GET", "POST"])
@gate.signed_in
def leave(organisation_id: str) -> str | Response:
    """Leave an organisation."""
    actor = gate.current_actor()
    wanted = gate.as_uuid(organisation_id)
    name = gate.found(
        next((m.organisation_name for m in actor.memberships if m.organisation_id == wanted), None)
    )
    form = EmptyForm()
    if form.validate_on_submit():
        service.leave(actor, wanted)
        db.session.commit()
        logout_user()
        flash(_("You left %(organisation)s and are signed out.", organisation=name), "held")
        return redirect(url_for("security.login"))
    return render_template("accounts/leave.html", form=form, organisation=name)


# Accepting an invitation -------------------------------------------------------------------------


@blueprint.route("/invitations/<token>", methods=["GET", "POST"])
@gate.public
def accept_invitation(token: str) -> str | Response | tuple[str, int]:
    """Show an invitation to whoever holds its link, and take the answer."""
    invitation = gate.found(queries.invitation_by_token(token))
    state = queries.state_of(invitation)
    if state is not InvitationState.OPEN:
        closed = invitations.CLOSED_WORDS[state]
        return render_template("accounts/invitation_closed.html", words=closed), GONE
    actor = gate.optional_actor()
    if actor is not None:
        return _accept_signed_in(actor, invitation, token)
    if queries.find_user_by_email(invitation.email) is not None:
        return render_template(
            "accounts/invitation_sign_in.html", invitation=invitation, here=request.path
        )
    return _accept_new(invitation, token)


def _accept_signed_in(actor: Actor, invitation: Invitation, token: str) -> str | Response:
    is_own = actor.email == invitation.email
    form = EmptyForm()
    if is_own and form.validate_on_submit():
        try:
            invitations.accept_signed_in(actor, token)
            db.session.commit()
        except RuleBrokenError:
            db.session.rollback()
            return redirect(url_for("accounts.accept_invitation", token=token))
        if invitation.organisation_id:
            sessions.act_for(invitation.organisation_id)
        flash(_("You accepted the invitation."), "held")
        return redirect("/")
    return render_template(
        "accounts/invitation_signed_in.html",
        form=form,
        is_own=is_own,
        **_shown(invitation),
    )


def _accept_new(invitation: Invitation, token: str) -> str | Response:
    form = AcceptForm()
    shown = _shown(invitation)
    if not form.is_submitted():
        form.name.data = invitation.name
        form.language.data = invitation.language
    elif form.validate():
        try:
            user = invitations.accept(
                token,
                name=form.name.data or "",
                password=form.password.data or "",
                language=form.language.data,
            )
            login_user(user, authn_via=["invitation"])
            db.session.commit()
        except RuleBrokenError as error:
            db.session.rollback()
            form.refuse(error)
        else:
            flash(_("Your account is ready, and you are signed in."), "held")
            response = redirect(url_for("accounts.set_up_second_factor"))
            locale.keep_language(response, form.language.data)
            return response
    return render_template("accounts/invitation.html", form=form, **shown)


def _shown(invitation: Invitation) -> dict[str, object]:
    return {
        "email": invitation.email,
        "organisation": invitation.organisation.name if invitation.organisation else "",
        "roles": [labels.ROLES[Role(role)] for role in invitation.roles],
        "expires_at": invitation.expires_at,
    }


# People ------------------------------------------------------------------------------------------


@blueprint.get("/people")
@gate.signed_in
def people() -> str:
    """List people: all for administrators, the own organisation's for its coordinators."""
    actor = gate.current_actor()
    gate.require(policy.can_see_people(actor))
    words = request.args.get("q", "")[:200]
    suspended = request.args.get("state") == "suspended"
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
        "accounts/people.html",
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


@blueprint.get("/people/<user_id>")
@gate.signed_in
def person(user_id: str) -> str:
    """Show a person, with the roles one may see and what one may do."""
    actor = gate.current_actor()
    found = _person(actor, user_id)
    facts = gate.found(queries.facts_of(found.id))
    return render_template(
        "accounts/person.html",
        person=found,
        role_words=labels.ROLES,
        may_suspend=policy.can_suspend(actor, facts),
        may_reset=policy.can_reset_second_factor(actor, facts),
        may_give=policy.can_invite(actor) and (actor.is_administrator or bool(found.running)),
        may_end={
            role.membership_id
            for role in found.roles
            if role.ended_at is None
            and policy.can_end_role(actor, found.id, role.organisation_id, role.role)
        },
    )


@blueprint.route("/people/<user_id>/suspend", methods=["GET", "POST"])
@gate.signed_in
def suspend(user_id: str) -> str | Response:
    """Close an account, with a reason."""
    actor = gate.current_actor()
    found = _person(actor, user_id)
    gate.require(policy.can_suspend(actor, gate.found(queries.facts_of(found.id))))
    form = ReasonForm()
    if form.validate_on_submit():
        try:
            service.suspend(actor, found.id, reason=form.reason.data or "")
            db.session.commit()
        except RuleBrokenError as error:
            db.session.rollback()
            form.refuse(error)
        else:
            flash(_("The account of %(name)s is suspended.", name=found.name), "held")
            return redirect(url_for("accounts.person", user_id=found.id))
    return render_template("accounts/suspend.html", form=form, person=found)


@blueprint.route("/people/<user_id>/restore", methods=["GET", "POST"])
@gate.signed_in
def restore(user_id: str) -> str | Response:
    """Open a suspended account again."""
    actor = gate.current_actor()
    found = _person(actor, user_id)
    gate.require(policy.can_suspend(actor, gate.found(queries.facts_of(found.id))))
    form = EmptyForm()
    if form.validate_on_submit():
        try:
            service.restore(actor, found.id)
            db.session.commit()
        except RuleBrokenError as error:
            db.session.rollback()
            form.refuse(error)
        else:
            flash(_("The account of %(name)s is open again.", name=found.name), "held")
            return redirect(url_for("accounts.person", user_id=found.id))
    return render_template("accounts/restore.html", form=form, person=found)


@blueprint.route("/people/<user_id>/second-factor/reset", methods=["GET", "POST"])
@gate.signed_in
def reset_second_factor(user_id: str) -> str | Response:
    """Reset somebody's lost second factor, with a reason."""
    actor = gate.current_actor()
    found = _person(actor, user_id)
    gate.require(policy.can_reset_second_factor(actor, gate.found(queries.facts_of(found.id))))
    form = ReasonForm()
    if form.validate_on_submit():
        try:
            service.reset_second_factor(actor, found.id, reason=form.reason.data or "")
            db.session.commit()
        except RuleBrokenError as error:
            db.session.rollback()
            form.refuse(error)
        else:
            flash(_("The second factor of %(name)s is reset.", name=found.name), "held")
            return redirect(url_for("accounts.person", user_id=found.id))
    return render_template("accounts/reset_second_factor.html", form=form, person=found)


@blueprint.route("/people/<user_id>/roles/<membership_id>/end", methods=["GET", "POST"])
@gate.signed_in
def end_role(user_id: str, membership_id: str) -> str | Response:
    """End a role, with a reason."""
    actor = gate.current_actor()
    found = _person(actor, user_id)
    wanted = gate.as_uuid(membership_id)
    role = gate.found(next((one for one in found.roles if one.membership_id == wanted), None))
    gate.require(policy.can_end_role(actor, found.id, role.organisation_id, role.role))
    form = ReasonForm()
    if form.validate_on_submit():
        try:
            service.end_role(actor, role.membership_id, reason=form.reason.data or "")
            db.session.commit()
        except RuleBrokenError as error:
            db.session.rollback()
            form.refuse(error)
        else:
            flash(_("The role is ended."), "held")
            return redirect(url_for("accounts.person", user_id=found.id))
    return render_template(
        "accounts/end_role.html",
        form=form,
        person=found,
        role=labels.ROLES[role.role],
        organisation=role.organisation_name,
    )


@blueprint.route("/people/<user_id>/roles/new", methods=["GET", "POST"])
@gate.signed_in
def choose_for_role(user_id: str) -> str | Response:
    """Choose in which organisation to give a role; coordinators have one to choose from."""
    actor = gate.current_actor()
    found = _person(actor, user_id)
    gate.require(policy.can_invite(actor))
    if not actor.is_administrator:
        return redirect(
            url_for("accounts.give_role", user_id=found.id, where=actor.organisation_id)
        )
    form = _organisation_form(actor)
    if form.validate_on_submit():
        return redirect(
            url_for("accounts.give_role", user_id=found.id, where=form.organisation.data)
        )
    return render_template("accounts/choose_for_role.html", form=form, person=found)


@blueprint.route("/people/<user_id>/roles/new/<where>", methods=["GET", "POST"])
@gate.signed_in
def give_role(user_id: str, where: str) -> str | Response:
    """Give a person a role in an organisation."""
    actor = gate.current_actor()
    found = _person(actor, user_id)
    organisation, roles = _place(actor, where)
    form = GiveRoleForm()
    offer(form.role, role_options(roles))
    form.offer(_audited(actor, organisation), has_experts=_is_npm(organisation))
    if form.validate_on_submit():
        try:
            service.give_role(
                actor,
                found.id,
                service.NewRole(
                    role=form.role.data,
                    organisation_id=organisation.id if organisation else None,
                    starts_on=form.starts_on.data or clock.today(),
                    ends_on=form.ends_on.data,
                    power=form.power.data or "",
                    office=form.office.data or "",
                    outside_expert=_told(form, "outside_expert") is True,
                    audits_id=_told(form, "audits"),
                ),
            )
            db.session.commit()
        except RuleBrokenError as error:
            db.session.rollback()
            form.refuse(error)
        else:
            flash(_("The role is given to %(name)s.", name=found.name), "held")
            return redirect(url_for("accounts.person", user_id=found.id))
    return render_template(
        "accounts/give_role.html", form=form, person=found, organisation=_name(organisation)
    )


# Invitations -------------------------------------------------------------------------------------


@blueprint.get("/people/invitations")
@gate.signed_in
def open_invitations() -> str:
    """List the invitations that nobody accepted yet."""
    actor = gate.current_actor()
    gate.require(policy.can_see_people(actor))
    number = paging.asked_number()
    total, lines = queries.invitations(actor, offset=paging.offset(number), limit=paging.SIZE)
    return render_template(
        "accounts/invitations.html",
        page=paging.Page(lines, number, paging.SIZE, total),
        role_words=labels.ROLES,
        state_words=labels.INVITATION_STATES,
        may_change={
            line.id
            for line in lines
            if policy.can_give_roles(actor, line.organisation_id, line.roles)
        },
        may_invite=policy.can_invite(actor),
    )


@blueprint.post("/people/invitations/<invitation_id>/again")
@gate.signed_in
def send_invitation_again(invitation_id: str) -> Response:
    """Send an invitation again, with a new link."""
    actor = gate.current_actor()
    line = _invitation(actor, invitation_id)
    try:
        invitations.send_again(actor, line.id, days=_days())
        db.session.commit()
    except RuleBrokenError as error:
        db.session.rollback()
        flash(str(error), "stop")
    else:
        flash(_("The invitation is sent again. The earlier link does not work any more."), "held")
    return redirect(url_for("accounts.open_invitations"))


@blueprint.post("/people/invitations/<invitation_id>/revoke")
@gate.signed_in
def revoke_invitation(invitation_id: str) -> Response:
    """Take an invitation back."""
    actor = gate.current_actor()
    line = _invitation(actor, invitation_id)
    try:
        invitations.revoke(actor, line.id)
        db.session.commit()
    except RuleBrokenError as error:
        db.session.rollback()
        flash(str(error), "stop")
    else:
        flash(_("The invitation to %(email)s is taken back.", email=line.email), "held")
    return redirect(url_for("accounts.open_invitations"))


@blueprint.route("/people/invite", methods=["GET", "POST"])
@gate.signed_in
def choose_for_invitation() -> str | Response:
    """Choose into which organisation to invite; coordinators have one to choose from."""
    actor = gate.current_actor()
    gate.require(policy.can_invite(actor))
    if not actor.is_administrator:
        return redirect(url_for("accounts.invite", where=actor.organisation_id))
    form = _organisation_form(actor)
    if form.validate_on_submit():
        return redirect(url_for("accounts.invite", where=form.organisation.data))
    return render_template("accounts/choose_for_invitation.html", form=form)


@blueprint.route("/people/invite/<where>", methods=["GET", "POST"])
@gate.signed_in
def invite(where: str) -> str | Response:
    """Invite a person into an organisation, or as administrator."""
    actor = gate.current_actor()
    organisation, roles = _place(actor, where)
    form = InviteForm()
    offer(form.roles, role_options(roles))
    form.offer(_audited(actor, organisation), has_experts=_is_npm(organisation))
    if not form.is_submitted():
        form.language.data = locale.language()
        form.roles.data = [Role.ADMINISTRATOR] if organisation is None else []
    elif form.validate():
        try:
            invited = invitations.invite(
                actor,
                Wanted(
                    email=form.email.data or "",
                    name=form.name.data or "",
                    organisation_id=organisation.id if organisation else None,
                    roles=set(form.roles.data or ()),
                    power=form.power.data or "",
                    office=form.office.data or "",
                    outside_expert=_told(form, "outside_expert") is True,
                    audits_id=_told(form, "audits"),
                    language=form.language.data,
                    days=_days(),
                ),
            )
            db.session.commit()
        except RuleBrokenError as error:
            db.session.rollback()
            form.refuse(error)
        else:
            flash(_("An invitation to %(email)s is on its way.", email=invited.email), "held")
            return redirect(url_for("accounts.open_invitations"))
    return render_template("accounts/invite.html", form=form, organisation=_name(organisation))


# Parts -------------------------------------------------------------------------------------------


def _own() -> User:
    return gate.found(signed_in_user())


def _person(actor: Actor, user_id: str) -> queries.Person:
    return gate.found(queries.find_user_for_actor(actor, gate.as_uuid(user_id)))


def _invitation(actor: Actor, invitation_id: str) -> queries.InvitationLine:
    line = gate.found(queries.find_invitation(actor, gate.as_uuid(invitation_id)))
    gate.require(policy.can_give_roles(actor, line.organisation_id, line.roles))
    return line


def _place(actor: Actor, where: str) -> tuple[Organisation | None, tuple[Role, ...]]:
    """Return the organisation of an address, and the roles the actor may give there."""
    if where == ADMINISTRATOR:
        roles: tuple[Role, ...] = (Role.ADMINISTRATOR,)
        gate.require(policy.can_give_roles(actor, None, roles))
        return None, roles
    organisation = gate.found(organisations.find(actor, gate.as_uuid(where)))
    roles = policy.roles_to_give(actor, organisation.kind)
    gate.require(policy.can_give_roles(actor, organisation.id, roles))
    return organisation, roles


def _organisation_form(actor: Actor) -> OrganisationForm:
    form = OrganisationForm()
    offered = [Option(str(one.id), one.name) for one in organisations.choices(actor)]
    last = Option(ADMINISTRATOR, _("None: administrator of the whole instance"))
    offer(form.organisation, [*offered, last])
    return form


def _audited(actor: Actor, organisation: Organisation | None) -> list[tuple[UUID, str]]:
    """Return the NPMs that a body of another kind may audit."""
    if organisation is None or organisation.kind is not OrganisationKind.OTHER:
        return []
    return [
        (one.id, one.name)
        for one in organisations.choices(actor)
        if one.kind is OrganisationKind.NPM
    ]


def _is_npm(organisation: Organisation | None) -> bool:
    return organisation is not None and organisation.kind is OrganisationKind.NPM


def _name(organisation: Organisation | None) -> str:
    return organisation.name if organisation else ""


def _told(form: InviteForm | GiveRoleForm, name: str) -> Any:
    return form[name].data if name in form else None


def _days() -> int:
    days: int = current_app.extensions["settings"].invitation_days
    return days


def _why(answer: second_factor.Answer | None) -> RuleBrokenError:
    """Return why a first code was not taken."""
    if answer is None:
        return RuleBrokenError(
            _("This page was open too long. Scan the new picture, then enter the code"), "code"
        )
    is_used = answer is second_factor.Answer.USED
    return RuleBrokenError(used_words() if is_used else wrong_words(), "code")
