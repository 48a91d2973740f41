"""Emails about a visit: a neutral sentence and a link, no place, no date, no partner's name."""

from collections.abc import Iterable
from uuid import UUID

import sqlalchemy as sa
from flask_babel import gettext as _

from tracker.accounts.models import User
from tracker.core.db import db
from tracker.mail import outbox, render

PAGE = "visits.index"


def visits_page(reference: str) -> str:
    """Return the address of the list of visits, where each person sees what is open to them."""
    return render.link_to(PAGE, reference=reference)


def something_changed(reference: str, user_ids: Iterable[UUID]) -> None:
    """Tell some people that something about a visit changed, and where to look (product.md, 7).

    The link leads to the list of visits, where each sees what is open to them.
    """
    users = db.session.scalars(
        sa.select(User)
        .where(User.id.in_(list(user_ids)), User.active.is_(True), User.suspended_at.is_(None))
        .order_by(User.email)
    )
    for user in users:
        with render.in_language(user.language):
            outbox.queue(
                user.email,
                user.language,
                "visit_changed",
                _("Something about a visit changed: %(reference)s", reference=reference),
                render.text(
                    _("Something about a visit changed. Sign in to see what you have access to."),
                    name=user.name,
                    address=visits_page(reference),
                ),
            )
