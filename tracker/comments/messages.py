"""Emails about comments: a neutral sentence and a link, never its words or author."""

from collections.abc import Collection, Iterable
from uuid import UUID

from flask_babel import gettext as _

from tracker.accounts import queries as accounts
from tracker.mail.render import in_language, link_to
from tracker.notifications import service as notifications


def mentioned(comment_id: UUID, user_ids: Iterable[UUID]) -> None:
    """Tell people that a comment mentions them; the text is the same whoever else can read it."""
    for person in accounts.contacts(user_ids).values():
        with in_language(person.language):
            _queue(
                person,
                "comment_mention",
                _("A comment mentions you"),
                _("A comment mentions you. Sign in to read it."),
                comment_id,
            )


def task_is_due(comment_id: UUID, user_id: UUID) -> None:
    """Remind a person of a task made from a comment."""
    for person in accounts.contacts([user_id]).values():
        with in_language(person.language):
            _queue(
                person,
                "comment_task_due",
                _("One of your tasks is due"),
                _("A task from a comment is due. Sign in to see what it is."),
                comment_id,
            )


def mention_is_answered(comment_id: UUID, user_ids: Collection[UUID] | None = None) -> None:
    """Mark as read what told some people, or everybody, that a comment mentions them."""
    notifications.done(comment_id, ("comment_mention",), user_ids)


def task_is_over(comment_id: UUID) -> None:
    """Mark as read the reminder of a task that is done or has ended."""
    notifications.done(comment_id, ("comment_task_due",))


def _queue(
    person: accounts.Contact, kind: str, subject: str, sentence: str, comment_id: UUID
) -> None:
    address = link_to("comments.show", comment_id=comment_id)
    notifications.tell(person, kind, subject, sentence, address=address, about=comment_id)
