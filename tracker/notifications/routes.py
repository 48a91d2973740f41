"""Pages for a person's notifications, and for how often they get emails about them."""

from flask import Blueprint, redirect, render_template, request, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access import gate
from tracker.notifications import kinds, queries, service
from tracker.notifications.forms import ChoicesForm
from tracker.notifications.labels import GROUPS
from tracker.ui import locale, paging
from tracker.ui.filters import PAGE, here
from tracker.ui.perform import perform

blueprint = Blueprint("notifications", __name__, url_prefix="/notifications")


@blueprint.get("")
@gate.signed_in
def listed() -> str:
    """List the person's notifications, newest first."""
    after = paging.asked_after()
    lines, has_more = queries.page(gate.current_actor(), after=after, limit=paging.SIZE)
    return render_template(
        "notifications/listed.html",
        lines=lines,
        group_words={line.kind: GROUPS[kinds.group_of(line.kind)] for line in lines},
        days=service.READ_FOR.days,
        direction=locale.direction,
        beginning=here({PAGE: None}) if after else "",
        following=here({PAGE: str(lines[-1].id)}) if has_more else "",
    )


@blueprint.post("/<notification_id>/open")
@gate.signed_in
def open_page(notification_id: str) -> Response:
    """Mark a notification as read, and go to the page that it is about."""
    notification = gate.found_or_404(
        queries.find(gate.current_actor(), gate.as_uuid(notification_id))
    )
    path = notification.words.path
    return perform(
        None,
        lambda: service.mark_as_read(notification),
        success=None,
        next=redirect(f"{request.script_root}{path}"),
    )


@blueprint.post("/<notification_id>/read")
@gate.signed_in
def mark_as_read(notification_id: str) -> Response:
    """Mark a notification as read."""
    notification = gate.found_or_404(
        queries.find(gate.current_actor(), gate.as_uuid(notification_id))
    )
    return perform(
        None,
        lambda: service.mark_as_read(notification),
        success=_("Marked as read."),
        next=redirect(url_for("notifications.listed")),
    )


@blueprint.post("/<notification_id>/all")
@gate.signed_in
def mark_all_as_read(notification_id: str) -> Response:
    """Mark as read the newest notification that the list showed, and all before it."""
    actor = gate.current_actor()
    newest = gate.found_or_404(queries.find(actor, gate.as_uuid(notification_id)))
    return perform(
        None,
        lambda: service.mark_all_as_read(actor, newest),
        success=_("All marked as read."),
        next=redirect(url_for("notifications.listed")),
    )


@blueprint.route("/emails", methods=["GET", "POST"])
@gate.signed_in
def choices() -> str | Response:
    """Choose how often you get emails about each group of notifications."""
    actor = gate.current_actor()
    chosen = queries.choices(actor)
    form = ChoicesForm(data={group.value: often.value for group, often in chosen.items()})
    done = form.validate_on_submit() and perform(
        form,
        lambda: service.choose(actor, form.chosen),
        success=_("Your choices are saved."),
        next=redirect(url_for("notifications.choices")),
    )
    return done or render_template("notifications/choices.html", form=form)
