"""Notifications about requests to invite a partner's first coordinator: neutral, with a link."""

from uuid import UUID

from flask_babel import gettext as _

from tracker.accounts import queries as accounts
from tracker.mail.render import in_language, link_to
from tracker.notifications import service as notifications


def invitation_requested(request_id: UUID, requested_by_id: UUID) -> None:
    """Ask the administrators, but for the one who made the request, to answer it."""
    for person in accounts.contacts(accounts.administrators() - {requested_by_id}).values():
        with in_language(person.language):
            notifications.tell(
                person,
                "invitation_requested",
                _("An invitation was requested"),
                _("A coordinator asks you to invite somebody. Confirm or decline the request."),
                address=link_to("invitation_requests.answer", invitation_request_id=request_id),
                about=request_id,
            )


def no_longer_waits(request_id: UUID) -> None:
    """Mark as read what asked the administrators to answer a request."""
    notifications.done(request_id, ("invitation_requested",))


def request_answered(reference: str, requested_by_id: UUID) -> None:
    """Tell the coordinator who made a request that it has been answered."""
    for person in accounts.contacts([requested_by_id]).values():
        with in_language(person.language):
            notifications.tell(
                person,
                "invitation_request_answered",
                _("Your request was answered"),
                _("Your request for an invitation was answered. The cooperation's page says how."),
                address=link_to("dashboard.cooperation", reference=reference),
            )
