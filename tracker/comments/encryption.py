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
