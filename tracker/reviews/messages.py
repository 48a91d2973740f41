"""Emails about reviews and the dates of a cooperation: a neutral sentence and a link."""

from collections.abc import Callable, Collection, Iterable
from uuid import UUID

from flask_babel import gettext as _

from tracker.accounts import queries as accounts
from tracker.mail.render import in_language, link_to
from tracker.notifications import service as notifications


def review_was_begun(reference: str, user_ids: Iterable[UUID], review_id: UUID) -> None:
    """Tell the parties that a review was begun, whose record has yet to be written."""
    _tell(
        reference,
        user_ids,
        "review_begun",
        lambda: (
            _("A review has started"),
            _("A party has started the review of a cooperation. Sign in to write its record."),
        ),
        about=review_id,
    )


def review_waits_for_you(reference: str, user_ids: Iterable[UUID], review_id: UUID) -> None:
    """Tell those who have yet to confirm a record that another party has confirmed it."""
    _tell(
        reference,
        user_ids,
        "review_confirmed",
        lambda: (
            _("The record of a review is waiting for you"),
            _("A party has confirmed the record of a review. Sign in to read and confirm it."),
        ),
        about=review_id,
    )


def no_longer_waits(review_id: UUID, user_ids: Collection[UUID] | None = None) -> None:
    """Mark as read what asked some people, or everybody, to confirm the record of a review."""
    notifications.done(review_id, ("review_confirmed",), user_ids)


def review_has_ended(review_id: UUID) -> None:
    """Mark as read what asked people to write or confirm the record of a review."""
    notifications.done(review_id, ("review_begun", "review_confirmed"))


def review_was_concluded(reference: str, user_ids: Iterable[UUID]) -> None:
    """Tell the parties that the outcome of a review has taken effect, whoever confirmed it."""
    _tell(
        reference,
        user_ids,
        "review_concluded",
        lambda: (
            _("A review is complete"),
            _("The record of a review has taken effect. Sign in to see what follows."),
        ),
    )


def review_was_called_off(reference: str, user_ids: Iterable[UUID]) -> None:
    """Tell the parties that a review was called off."""
    _tell(
        reference,
        user_ids,
        "review_called_off",
        lambda: (
            _("A review was cancelled"),
            _("A review was cancelled. Sign in to see why."),
        ),
    )


def review_is_near(reference: str, user_ids: Iterable[UUID], terms_id: UUID | None) -> None:
    """Remind people of the review of a cooperation, as M19 says."""
    _tell(
        reference,
        user_ids,
        "review_near",
        lambda: (
            _("A review is due"),
            _("The review that you agreed on is due. Sign in to see the date, and to begin it."),
        ),
        about=terms_id,
    )


def review_is_near_no_more(terms_id: UUID) -> None:
    """Mark as read what reminded people of a review that has begun, or for which terms are over."""
    notifications.done(terms_id, ("review_near",))


def end_is_near(reference: str, user_ids: Iterable[UUID]) -> None:
    """Remind people of the end of the terms of a cooperation, as M19 says."""
    _tell(
        reference,
        user_ids,
        "end_near",
        lambda: (
            _("The terms of a cooperation are ending"),
            _("The agreed terms of a cooperation end or renew soon. Sign in to see the date."),
        ),
    )


def _tell(
    reference: str,
    user_ids: Iterable[UUID],
    kind: str,
    words: Callable[[], tuple[str, str]],
    about: UUID | None = None,
) -> None:
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            subject, sentence = words()
            address = link_to("reviews.listed", reference=reference)
            notifications.tell(person, kind, subject, sentence, address=address, about=about)
