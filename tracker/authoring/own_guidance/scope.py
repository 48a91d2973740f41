"""Query conditions for organisations' own articles: which an actor may read, and which change."""

from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from tracker.access.actor import Actor
from tracker.authoring.models import OwnArticle
from tracker.authoring.policy import READERS, can_write_own
from tracker.cooperations import scope as cooperations
from tracker.cooperations.models import Party
from tracker.core import clock


def visible(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over OwnArticle that the person may read it.

    It is not withdrawn, and it belongs to the organisation they are acting for, or is shared with
    partners by a party of a cooperation that they see for that organisation. Cooperations that
    somebody sees only as auditor or administrator don't count: they can read none.
    """
    reader = _as_reader(actor)
    if reader.organisation_id is None or not reader.has(*READERS):
        return sa.false()
    party = aliased(Party)
    is_partner = sa.exists().where(
        party.organisation_id == OwnArticle.organisation_id,
        sa.or_(party.left_on.is_(None), party.left_on >= clock.today()),
        cooperations.visible(reader, party.cooperation_id),
    )
    return sa.and_(
        OwnArticle.withdrawn_at.is_(None),
        sa.or_(
            OwnArticle.organisation_id == reader.organisation_id,
            sa.and_(OwnArticle.for_partners, is_partner),
        ),
    )


def changeable(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over OwnArticle that the person may change it, withdrawn or not."""
    if not can_write_own(actor):
        return sa.false()
    return OwnArticle.organisation_id == actor.organisation_id


def _as_reader(actor: Actor) -> Actor:
    """Return the person with only the roles that may read."""
    return replace(actor, memberships=tuple(m for m in actor.memberships if m.role in READERS))
