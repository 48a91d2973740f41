"""The query condition for comments: which of them an actor may read."""

import sqlalchemy as sa

from tracker.access.actor import Actor
from tracker.access.conditions import built_once
from tracker.checklists.models import Checklist
from tracker.checklists.queries import is_worked_on
from tracker.comments.models import Comment, CommentAudience


@built_once
def visible(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over Comment that the person may read it.

    They work on the checklist for one of its parties, and the comment is to all parties or from the
    organisation they are acting for. Another CSO, or another body of the NPM, is another side.
    """
    return sa.and_(
        sa.exists()
        .where(Checklist.id == Comment.checklist_id, is_worked_on(actor))
        .correlate(Comment),
        sa.or_(
            Comment.audience == CommentAudience.ALL,
            Comment.organisation_id == actor.organisation_id,
        ),
    )
