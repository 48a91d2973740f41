"""Pages for setting up an instance: the test email, and the settings to decide."""

from http import HTTPStatus

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access import gate
from tracker.accounts.forms import EmptyForm
from tracker.core import clock
from tracker.getting_started import pages, policy, queries, service
from tracker.mail import wording
from tracker.ui.perform import perform

blueprint = Blueprint("getting_started", __name__, url_prefix="/administration")


@blueprint.route("/mail/test", methods=["GET", "POST"])
@gate.signed_in
def mail() -> str | Response:
    """Send yourself a test email."""
    actor = gate.current_actor()
    gate.require(policy.can_set_up(actor))
    form = EmptyForm()
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.send_test(actor),
        success=wording.of_test(actor.email),
        next=redirect(url_for("getting_started.mail")),
    )
    return done or render_template("getting_started/mail.html", form=form, route=pages.mail_route())


@blueprint.route("/mail/test/<mail_token>", methods=["GET", "POST"])
@gate.signed_in
def mail_arrived(mail_token: str) -> str | tuple[str, int] | Response:
    """Confirm that the test email arrived; its link leads here."""
    actor = gate.current_actor()
    gate.require(policy.can_set_up(actor))
    if not service.is_valid(actor, mail_token):
        page = render_template(
            "getting_started/mail.html", form=EmptyForm(), route=pages.mail_route(), is_too_old=True
        )
        return page, HTTPStatus.NOT_FOUND
    sends_mail = wording.sends_mail()
    form = EmptyForm()
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.confirm_test(actor, mail_token),
        success=_("Email from this instance arrives.")
        if sends_mail
        else _("Messages are written. Nobody gets them until a mail server is set."),
        next=redirect(url_for("dashboard.my_work")),
    )
    return done or render_template(
        "getting_started/mail_arrived.html",
        form=form,
        sends_mail=sends_mail,
        route=pages.mail_route(),
    )


@blueprint.get("/settings")
@gate.signed_in
def settings() -> str:
    """Show the settings that every instance decides, and how to change them."""
    gate.require(policy.can_set_up(gate.current_actor()))
    shown = pages.settings(queries.of_instance(clock.today()))
    return render_template(
        "getting_started/settings.html",
        time_zone=shown[queries.TIME_ZONE],
        offered=shown[queries.LANGUAGES],
        now=clock.now(),
    )


@blueprint.post("/settings/<setting>/check")
@gate.signed_in
def check_setting(setting: str) -> Response:
    """Record that a setting is right as it is."""
    actor = gate.current_actor()
    gate.require(policy.can_set_up(actor))
    shown = gate.found_or_404(pages.settings(queries.of_instance(clock.today())).get(setting))
    return perform(
        None,
        lambda: service.check_setting(actor, shown.name, shown.value),
        success=_("Noted. This step is done."),
        next=lambda _result: redirect(pages.after_settings(), HTTPStatus.SEE_OTHER),
    )
