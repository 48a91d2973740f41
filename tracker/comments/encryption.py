"""Encryption of comments on a visit's checklists (class K2); others stay in plain text."""

from uuid import UUID

from tracker.checklists.encryption import key_for
from tracker.checklists.models import Checklist
from tracker.comments.models import Comment
from tracker.cooperations import keys
from tracker.core import crypto


def put_text(checklist: Checklist, comment: Comment, text: str) -> None:
    """Store the text of a comment. The row has its id."""
    key = key_for(checklist)
    if key is None:
        comment.text, comment.sealed = text, None
    else:
        comment.text, comment.sealed = None, crypto.seal(key, text.encode(), _place(comment))


def put_outcome(checklist: Checklist, comment: Comment, outcome: str) -> None:
    """Store what came of a comment, in the same way as its text."""
    key = key_for(checklist)
    if key is None:
        comment.outcome, comment.sealed_outcome = outcome, None
    else:
        sealed = crypto.seal(key, outcome.encode(), _place_of_outcome(comment))
        comment.outcome, comment.sealed_outcome = None, sealed


def erase_outcome(comment: Comment) -> None:
    """Erase what came of a comment: it is open again, or withdrawn."""
    comment.outcome = comment.sealed_outcome = None


def outcome_of(cooperation_id: UUID, comment: Comment) -> str:
    """Return what came of a comment; empty if that isn't known."""
    if comment.sealed_outcome is None:
        return comment.outcome or ""
    key = keys.key_of(cooperation_id)
    return crypto.unseal(key, comment.sealed_outcome, _place_of_outcome(comment)).decode()


def erase_text(comment: Comment) -> None:
    """Erase the text from the row for good."""
    comment.text = comment.sealed = None


def text_of(cooperation_id: UUID, comment: Comment) -> str:
    """Return the text; empty if the comment was withdrawn."""
    if comment.sealed is None:
        return comment.text or ""
    return crypto.unseal(keys.key_of(cooperation_id), comment.sealed, _place(comment)).decode()


def _place(comment: Comment) -> str:
    return f"comment:{comment.id}"


def _place_of_outcome(comment: Comment) -> str:
    return f"comment:{comment.id}:outcome"
