"""Emails about returning material: neutral sentences and a link."""

from flask_babel import gettext as _

from tracker.closing.models import MaterialReturn
from tracker.mail.render import in_language, link_to
from tracker.notifications import service as notifications


def requested(request: MaterialReturn) -> None:
    """Ask a person to confirm what became of their copies."""
    with in_language(request.user.language):
        _queue(
            request,
            "material_return_requested",
            _("Confirm what became of your copies"),
            _("Your access to the material of a cooperation has ended."),
            _("Please confirm that you returned or destroyed your copies. It takes a minute."),
        )


def answered(request: MaterialReturn) -> None:
    """Mark as read what asked a person to confirm: they have, or need not any more."""
    notifications.done(request.id, ("material_return_requested", "material_return_due"))


def overdue(request: MaterialReturn) -> None:
    """Remind a person on the last day to confirm."""
    with in_language(request.user.language):
        _queue(
            request,
            "material_return_due",
            _("Today is the last day to return or destroy your copies"),
            _("Please confirm that you returned or destroyed your copies. It takes a minute."),
        )


def _queue(request: MaterialReturn, kind: str, subject: str, *sentences: str) -> None:
    address = link_to("closing.confirm", return_id=request.id)
    notifications.tell(request.user, kind, subject, *sentences, address=address, about=request.id)
