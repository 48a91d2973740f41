"""The administrator's page of queued and failed messages."""

from flask import Blueprint, redirect, render_template, url_for
from flask_babel import gettext as _
from werkzeug.wrappers import Response

from tracker.access import gate
from tracker.mail import outbox, policy, queries
from tracker.mail.models import MessageState
from tracker.ui import paging
from tracker.ui.filters import chosen_or_404, filter_links
from tracker.ui.perform import perform

blueprint = Blueprint("mail", __name__, url_prefix="/administration/mail")


@blueprint.get("")
@gate.signed_in
def messages() -> str:
    """List the messages with a status, failed ones by default."""
    actor = gate.current_actor()
    gate.require(policy.can_see_outbox(actor))
    waiting = bool(chosen_or_404("state", {MessageState.WAITING.value}))
    state = MessageState.WAITING if waiting else MessageState.FAILED
    number = paging.asked_number()
    total, lines = queries.page(actor, state, offset=paging.offset(number), limit=paging.SIZE)
    counted = queries.counts()
    return render_template(
        "mail/messages.html",
        page=paging.Page(lines, number, paging.SIZE, total),
        state=state,
        sent=counted.get(MessageState.SENT, 0),
        filters=filter_links(
            "state",
            [("", _("Failed")), (MessageState.WAITING.value, _("Waiting"))],
            {
                "": counted.get(MessageState.FAILED, 0),
                MessageState.WAITING.value: counted.get(MessageState.WAITING, 0),
            },
        ),
    )


@blueprint.post("/<message_id>/again")
@gate.signed_in
def send_again(message_id: str) -> Response:
    """Retry a message."""
    actor = gate.current_actor()
    gate.require(policy.can_see_outbox(actor))
    message = gate.found_or_404(queries.find(actor, gate.as_uuid(message_id)))
    return perform(
        None,
        lambda: outbox.send_again(message),
        success=_("We'll try to send the message again within a minute."),
        next=redirect(url_for("mail.messages")),
    )
