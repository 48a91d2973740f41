"""Query conditions for organisations' own articles: which an actor may read, and which change."""

from dataclasses import replace

import sqlalchemy as sa
from sqlalchemy.orm import aliased

from tracker.access.actor import Actor
from tracker.access.conditions import built_once
from tracker.authoring.models import OwnArticle
from tracker.authoring.policy import READERS, can_write_own
from tracker.cooperations import scope as cooperations
from tracker.cooperations.models import Party
from tracker.core import clock

# At the head of the module, since an alias takes longer to make than a query to run.
_PARTY = aliased(Party)


@built_once
def visible(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over OwnArticle that the person may read it.

    It is not withdrawn, and it belongs to the organisation they are acting for, or is shared with
    partners by a party of a cooperation that they see for that organisation. Cooperations that
    somebody sees only as auditor or administrator don't count: they can read none.
    """
    reader = _as_reader(actor)
    if reader.organisation_id is None or not reader.has(*READERS):
        return sa.false()
    is_partner = sa.exists().where(
        _PARTY.organisation_id == OwnArticle.organisation_id,
        cooperations.has_not_left(clock.today(), _PARTY),
        cooperations.visible(reader, _PARTY.cooperation_id),
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
