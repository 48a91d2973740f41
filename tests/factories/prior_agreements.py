"""An instance from before row binding: its events say nothing about rows."""

from dataclasses import replace

import sqlalchemy as sa

from tests.factories.evidence.tampering import (
    CHAINS,
    CHECKPOINTS,
    EVENTS,
    LEAVES,
    NODES,
    Tampering,
    hands,
    table_of,
)
from tracker.activity import chain as arithmetic
from tracker.evidence.models import Anchor


def forget_rows() -> None:
    """Rebuild all chains as if no event had ever said anything about rows.

    Checkpoints of the former chains are deleted too.
    """
    with hands() as connection:
        for table in (table_of(Anchor), CHECKPOINTS, NODES, LEAVES):
            connection.execute(sa.delete(table))
        connection.execute(sa.update(EVENTS).values(state=sa.null()))
        for chain in connection.execute(sa.select(CHAINS)).all():
            own = Tampering(connection, chain.id)
            own.rewrite_chain(chain.id, lambda link: replace(link, state=None))
            now = connection.execute(sa.select(CHAINS).where(CHAINS.c.id == chain.id)).one()
            kind, head, count = now.kind.value, now.head, now._mapping["count"]
            seal = arithmetic.seal_head(kind, now.id, now.cooperation_id, head, count)
            own.update(CHAINS, now.id, seal=seal)
