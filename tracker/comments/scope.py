"""The conditions every query of comments uses: whose checklist's comments, and which of them."""

from dataclasses import replace

import sqlalchemy as sa

from tracker.access.actor import Actor
from tracker.checklists import queries as checklists
from tracker.checklists.models import Checklist, ChecklistParty
from tracker.checklists.policy import WRITERS
from tracker.comments.models import Comment, CommentAudience


def visible(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over Comment that the person may read it.

    They may open the checklist for a party of it, and the comment is to all parties or of the
    organisation they act for. Another CSO, or another body of the NPM, is not the own side.
    """
    return sa.and_(
        Comment.checklist_id.in_(sa.select(Checklist.id).where(is_open(actor))),
        sa.or_(
            Comment.audience == CommentAudience.ALL,
            Comment.organisation_id == actor.organisation_id,
        ),
    )


def is_open(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over Checklist that the person reads comments on it, and writes some.

    What somebody sees only because they audit or administer does not count: they read none.
    """
    writer = _as_writer(actor)
    if writer.organisation_id is None or not writer.has(*WRITERS):
        return sa.false()
    is_party = sa.exists().where(
        ChecklistParty.checklist_id == Checklist.id,
        ChecklistParty.organisation_id == writer.organisation_id,
    )
    return sa.and_(checklists.visible(writer), is_party)


def _as_writer(actor: Actor) -> Actor:
    """Return the person with those roles alone in which one writes."""
    return replace(actor, memberships=tuple(m for m in actor.memberships if m.role in WRITERS))
