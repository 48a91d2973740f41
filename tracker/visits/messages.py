"""Emails about a visit: a neutral sentence and a link, no place, no date, no partner's name."""

from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa
from flask_babel import gettext as _

from tracker.accounts.models import User
from tracker.core.db import db
from tracker.mail import render
from tracker.notifications import service as notifications

PAGE = "visits.index"


def visits_page(reference: str) -> str:
    """Return the address of the list of visits, where each person sees what is open to them."""
    return render.link_to(PAGE, reference=reference)


def something_changed(reference: str, user_ids: Iterable[UUID]) -> None:
    """Tell some people that something about a visit changed, and where to look (product.md, 7).

    The link leads to the list of visits, where each sees what is open to them.
    """
    for user in _active(user_ids):
        with render.in_language(user.language):
            notifications.tell(
                user,
                "visit_changed",
                _("Something about a visit changed: %(reference)s", reference=reference),
                _("Something about a visit changed. Sign in to see what you have access to."),
                address=visits_page(reference),
            )


def readiness_was_lost(reference: str, user_ids: Iterable[UUID]) -> None:
    """Notify those who prepare a visit that it is no longer ready; nobody else may know of it.

    The message names no visit: to say that one was ready would reveal that it is near (K2).
    """
    for user in _active(user_ids):
        with render.in_language(user.language):
            notifications.tell(
                user,
                "readiness_lost",
                _("Something you prepare needs your attention: %(reference)s", reference=reference),
                _("Something you prepare has changed. Sign in to see what is missing now."),
                address=visits_page(reference),
            )


def lead_is_needed(reference: str, user_ids: Iterable[UUID]) -> None:
    """Ask people of the NPM to put somebody in charge of a visit; say nothing of its plan (K2)."""
    for user in _active(user_ids):
        with render.in_language(user.language):
            notifications.tell(
                user,
                "visit_needs_lead",
                _("A visit needs somebody in charge: %(reference)s", reference=reference),
                _("Nobody from the NPM on the list of a visit can act on it any more."),
                _("Sign in to choose who takes charge."),
                address=visits_page(reference),
            )


def _active(user_ids: Iterable[UUID]) -> Iterable[User]:
    return db.session.scalars(
        sa.select(User)
        .where(User.id.in_(list(user_ids)), User.active.is_(True), User.suspended_at.is_(None))
        .order_by(User.email)
    )
