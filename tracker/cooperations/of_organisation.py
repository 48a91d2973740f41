"""The cooperations on an organisation's page, as far as the reader may see them."""

from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import Actor
from tracker.cooperations import labels, queries
from tracker.cooperations.models import Cooperation, CooperationEntry, Party
from tracker.cooperations.scope import has_not_left, visible_in_part
from tracker.core import clock
from tracker.core.db import db
from tracker.organisations.models import Organisation
from tracker.organisations.page_parts import CooperationLine, Cooperations

# How many of them the page shows; the list of cooperations shows the rest.
NEWEST = 10


def newest(actor: Actor, organisation_id: UUID) -> Cooperations:
    """Return the newest cooperations of an organisation that the reader may see or joins."""
    today = clock.today()
    rows = db.session.scalars(
        sa.select(Cooperation)
        .join(CooperationEntry, CooperationEntry.cooperation_id == Cooperation.id)
        .where(
            CooperationEntry.organisation_id == organisation_id,
            sa.or_(CooperationEntry.left_on.is_(None), CooperationEntry.left_on >= today),
            visible_in_part(actor, CooperationEntry.cooperation_id),
        )
        .order_by(CooperationEntry.opened_at.desc(), CooperationEntry.reference.desc())
        .limit(NEWEST + 1)
    ).all()
    stopped = queries.STOP_READER.get()([row.id for row in rows[:NEWEST]]) if rows else {}
    agreeing = queries.AGREEING_READER.get()(rows[:NEWEST]) if rows else ()
    return Cooperations(
        [
            CooperationLine(
                row.title,
                row.reference,
                labels.stage_words(
                    row.stage,
                    row.starts_on,
                    row.ends_on,
                    today,
                    agrees=row.id in agreeing,
                    stop=stopped.get(row.id),
                ),
            )
            for row in rows[:NEWEST]
        ],
        has_more=len(rows) > NEWEST,
    )


def is_partner(actor: Actor) -> sa.ColumnElement[bool]:
    """Return the condition over Organisation that it is a party where the reader sees it."""
    return sa.exists().where(
        Party.organisation_id == Organisation.id,
        has_not_left(clock.today()),
        visible_in_part(actor, Party.cooperation_id),
    )
