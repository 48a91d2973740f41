"""Pages for your own account, and for accepting an invitation.

In one file: name, second factor, passkeys, sessions and roles are parts of one account.
"""

import datetime as dt
from uuid import UUID

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask_babel import gettext as _
from flask_security import auth_required, login_user, logout_user
from werkzeug.wrappers import Response

from tracker.access import gate
from tracker.access.actor import Actor, OrganisationKind, Role
from tracker.accounts import labels, pages, policy, queries
from tracker.accounts.factors import credentials, passkeys, second_factor
from tracker.accounts.factors.identity_proof import used_words, wrong_words
from tracker.accounts.forms import (
    AcceptForm,
    EmptyForm,
    OrganisationForm,
    PasskeyForm,
    ProfileForm,
    SecondFactorForm,
    offer,
)
from tracker.accounts.models import Invitation, Passkey, SecurityKind, User
from tracker.accounts.people import invitations, names, service, telephones
from tracker.accounts.people import sessions as stored_sessions
from tracker.accounts.security_log import service as security_log
from tracker.accounts.sign_in import sessions
from tracker.accounts.sign_in.forms import onward
from tracker.accounts.sign_in.setup import (
    FRESH,
    GRACE,
    RECOVERY_CODES,
    signed_in_user,
)
from tracker.core.db import db
from tracker.core.errors import RuleBrokenError
from tracker.ui import locale
from tracker.ui.fields import Option
from tracker.ui.perform import perform

blueprint = Blueprint("accounts", __name__)

GONE = 410


# One's own account -------------------------------------------------------------------------------


@blueprint.route("/account", methods=["GET", "POST"])
@gate.signed_in
def profile() -> str | Response:
    """Show your own account, and change name, language and telephone number."""
    actor = gate.current_actor()
    user = _signed_in_user()
    form = ProfileForm(obj=user, telephone=telephones.own(actor))
    may_rename = names.can_rename(actor, actor.user_id)
    # A page opened before the person got their role may still send another name: it is refused.
    if not may_rename and (form.name.data or user.name) == user.name:
        del form.name
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.change_profile(
            actor,
            name=(form.name.data or "") if "name" in form else user.name,
            language=form.language.data,
            telephone=form.telephone.data or "",
        ),
        success=_("Your profile is saved."),
        next=redirect(url_for("accounts.profile")),
    )
    if done:
        locale.keep_language(done, form.language.data)
        return done
    roles = queries.own_roles(actor)
    holders = queries.holders_by_organisation(role.organisation_id for role in roles)
    return render_template(
        "accounts/profile.html",
        form=form,
        user=user,
        may_rename=may_rename,
        roles=roles,
        may_leave={
            holder: policy.can_leave(actor.user_id, people) for holder, people in holders.items()
        },
        role_words=labels.ROLES,
        confirmed_words=labels.confirmed_words,
        passkeys=credentials.own(actor),
        passkeys_work=passkeys.are_possible(),
    )


@blueprint.route("/account/acting", methods=["GET", "POST"])
@gate.signed_in
def switch() -> str | Response:
    """Choose the organisation you are acting for."""
    actor = gate.current_actor()
    offered = {m.organisation_id: m for m in actor.memberships if m.organisation_id}
    form = OrganisationForm()
    offer(
        form.organisation,
        [
            Option(str(membership_id), membership.organisation_name)
            for membership_id, membership in offered.items()
        ],
    )
    if form.validate_on_submit():
        chosen = UUID(form.organisation.data)
        sessions.act_for(chosen)
        flash(
            _(
                "You're now acting for %(organisation)s.",
                organisation=offered[chosen].organisation_name,
            ),
            "success",
        )
        return redirect("/")
    if not form.is_submitted():
        form.organisation.data = str(actor.organisation_id or "")
    return render_template("accounts/switch.html", form=form)


@blueprint.route("/account/second-factor", methods=["GET", "POST"])
@gate.signed_in
@auth_required("session", within=lambda: FRESH, grace=lambda: GRACE)
def set_up_second_factor() -> str | Response:
    """Set up an app for one-time codes, then show the recovery codes once."""
    user = _signed_in_user()
    form = SecondFactorForm()
    # Not performed: the response shows the recovery codes, only this once.
    if form.validate_on_submit():
        answer = second_factor.finish(user, form.setup.data or "", form.code.data or "")
        if answer is second_factor.Answer.RIGHT:
            service.note_second_factor_set(gate.current_actor(), user)
            codes = second_factor.make_recovery_codes(user)
            db.session.commit()
            return render_template(
                "security/mf_recovery_codes.html",
                form=None,
                recovery_codes=codes,
                just_set=True,
                onward=onward(),
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
        is_replaced=user.has_app,
        number=RECOVERY_CODES,
        is_needed=credentials.lacks_second_factor(gate.current_actor()),
        passkeys_work=passkeys.are_possible(),
        onward=onward(),
    )


@blueprint.get("/account/second-factor/needed")
@gate.signed_in
def second_factor_needed() -> str | Response:
    """Say why a second factor is needed (a role, signing, reading), and link to setting one up."""
    actor = gate.current_actor()
    of_role = credentials.lacks_second_factor(actor)
    if actor.has_second_factor or not (of_role or onward()):
        return redirect(onward() or url_for("accounts.profile"))
    return render_template(
        "accounts/second_factor_needed.html",
        of_role=of_role,
        to_read="to_read" in request.args,
        passkeys_work=passkeys.are_possible(),
        onward=onward(),
    )


@blueprint.route("/account/passkeys/<uuid:passkey_id>", methods=["GET", "POST"])
@gate.signed_in
def passkey(passkey_id: UUID) -> str | Response:
    """Show one of your own passkeys, and rename it."""
    actor = gate.current_actor()
    passkey = _own_passkey(actor, passkey_id)
    form = PasskeyForm(obj=passkey)
    done = form.validate_on_submit() and perform(
        form,
        lambda: credentials.rename(actor, passkey.id, form.name.data or ""),
        success=_("The name is saved."),
        next=redirect(url_for("accounts.profile")),
    )
    return done or render_template(
        "accounts/passkey.html",
        form=form,
        passkey=passkey,
        may_remove=credentials.may_remove(actor, passkey),
    )


@blueprint.route("/account/passkeys/<uuid:passkey_id>/remove", methods=["GET", "POST"])
@gate.signed_in
def remove_passkey(passkey_id: UUID) -> str | Response:
    """Remove one of your own passkeys, after saying what that means."""
    actor = gate.current_actor()
    removed: str | Response = _remove_passkey(actor, _own_passkey(actor, passkey_id))
    return removed


@auth_required("session", within=lambda: FRESH, grace=lambda: GRACE)
def _remove_passkey(actor: Actor, passkey: Passkey) -> str | Response:
    gate.require(credentials.may_remove(actor, passkey))
    form = EmptyForm()
    if form.validate_on_submit():
        return perform(
            None,
            lambda: credentials.remove(actor, passkey.id),
            success=_("The passkey %(name)s is removed.", name=passkey.name),
            next=redirect(url_for("accounts.after_factor_change")),
        )
    return render_template("accounts/remove_passkey.html", form=form, passkey=passkey)


@blueprint.get("/account/sessions")
@gate.signed_in
def own_sessions() -> str:
    """List your own open sessions, each with a button to end it."""
    actor = gate.current_actor()
    return render_template(
        "accounts/sessions.html",
        sessions=pages.own_sessions(actor, sessions.session_id()),
        hours=stored_sessions.LASTS.get() // dt.timedelta(hours=1),
        factor_changed="changed" in request.args,
        onward=onward(),
    )


@blueprint.get("/account/factor-changed")
@gate.signed_in
def after_factor_change() -> Response:
    """Offer to end the other sessions after a second factor was changed, or go on."""
    onto = onward() or url_for("accounts.profile")
    if stored_sessions.has_others(gate.current_actor(), sessions.session_id()):
        return redirect(url_for("accounts.own_sessions", changed=1, next=onward() or None))
    return redirect(onto)


@blueprint.post("/account/sessions/<uuid:session_id>/end")
@gate.signed_in
def end_session(session_id: UUID) -> Response:
    """End one of your own sessions except the current one, which signing out ends."""
    actor, current = gate.current_actor(), sessions.session_id()
    others = {line.session_id for line in stored_sessions.own(actor, current) if not line.is_this}
    gate.found_or_404(session_id if session_id in others else None)
    return perform(
        None,
        lambda: stored_sessions.end(actor.user_id, session_id),
        success=_("The session has ended."),
        next=redirect(url_for("accounts.own_sessions")),
    )


@blueprint.post("/account/sessions/end-others")
@gate.signed_in
def end_other_sessions() -> Response:
    """End all your own sessions except this one."""
    actor, current = gate.current_actor(), sessions.session_id()
    return perform(
        None,
        lambda: stored_sessions.end_others(actor.user_id, current),
        success=_("Your other sessions have ended."),
        next=redirect(onward() or url_for("accounts.own_sessions")),
    )


@blueprint.post("/account/sessions/end")
@gate.signed_in
def end_sessions() -> Response:
    """Sign out everywhere."""
    actor = gate.current_actor()
    done = perform(
        None,
        lambda: service.end_own_sessions(actor),
        success=_("You are signed out on every device."),
        next=redirect(url_for("security.login")),
    )
    logout_user()
    return done


@blueprint.route("/account/leave/<organisation_id>", methods=["GET", "POST"])
@gate.signed_in
def leave(organisation_id: str) -> str | Response:
    """Leave an organisation."""
    actor = gate.current_actor()
    wanted = gate.as_uuid(organisation_id)
    name = gate.found_or_404(
        next((m.organisation_name for m in actor.memberships if m.organisation_id == wanted), None)
    )
    gate.require(policy.can_leave(actor.user_id, queries.holders_of_power(wanted)))
    form = EmptyForm()
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.leave(actor, wanted),
        success=_("You left %(organisation)s and are signed out.", organisation=name),
        next=redirect(url_for("security.login")),
    )
    if done:
        logout_user()
    return done or render_template("accounts/leave.html", form=form, organisation=name)


# Accepting an invitation -------------------------------------------------------------------------


@blueprint.route("/invitations/<token>", methods=["GET", "POST"])
@gate.public
def accept_invitation(token: str) -> str | Response | tuple[str, int]:
    """Show an invitation to whoever has its link, and accept it."""
    invitation = gate.found_or_404(queries.invitation_by_token(token))
    closed = invitations.why_closed(invitation)
    if closed is not None:
        if closed is invitations.SENDER_CANNOT:
            invited = queries.find_user_by_email(invitation.email)
            security_log.record_apart(
                SecurityKind.INVITATION_REFUSED, invited.id if invited else None
            )
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
    organisation_id = invitation.organisation_id
    if is_own and form.validate_on_submit():
        done = perform(
            form,
            lambda: invitations.accept_signed_in(actor, token),
            success=_("You accepted the invitation."),
            next=redirect("/"),
        )
        if done and organisation_id:
            sessions.act_for(organisation_id)
        # The invitation's page now says why it can't be used.
        return done or redirect(url_for("accounts.accept_invitation", token=token))
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
    if shown["is_administrator"]:
        # An administrator signs nothing.
        form.name.description = _("As others should see it.")

    def accept() -> None:
        user = invitations.accept(
            token,
            name=form.name.data or "",
            password=form.password.data or "",
            language=form.language.data,
        )
        login_user(user, authn_via=["invitation"])

    done = form.validate_on_submit() and perform(
        form,
        accept,
        success=_("Your account is ready, and you are signed in."),
        next=redirect(url_for("accounts.set_up_second_factor", next="/")),
    )
    if done:
        locale.keep_language(done, form.language.data)
    return done or render_template("accounts/invitation.html", form=form, **shown)


def _shown(invitation: Invitation) -> dict[str, object]:
    organisation = invitation.organisation
    is_npm = organisation is not None and organisation.kind is OrganisationKind.NPM
    return {
        "email": invitation.email,
        "organisation": organisation.name if organisation else "",
        # Each with what it may do; without a role: to read one text.
        "roles": [
            (labels.ROLES[role], labels.what_role_may(role, is_npm=is_npm))
            for role in map(Role, invitation.roles)
        ]
        or [(_("Outside second reader"), "")],
        "expires_at": invitation.expires_at,
        "is_administrator": invitation.organisation_id is None
        and Role.ADMINISTRATOR in invitation.roles,
    }


# Parts -------------------------------------------------------------------------------------------


def _own_passkey(actor: Actor, passkey_id: UUID) -> Passkey:
    return gate.found_or_404(credentials.find_own(actor, passkey_id))


def _signed_in_user() -> User:
    return gate.found_or_404(signed_in_user())


def _why(answer: second_factor.Answer | None) -> RuleBrokenError:
    """Return why a first code was not accepted."""
    if answer is None:
        return RuleBrokenError(
            _("This page was open too long. Scan the new picture, then enter the code"), "code"
        )
    is_used = answer is second_factor.Answer.USED
    return RuleBrokenError(used_words() if is_used else wrong_words(), "code")
