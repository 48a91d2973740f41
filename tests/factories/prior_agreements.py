"""An instance from before an update: events that bind no rows, or visits without chains."""

from dataclasses import replace
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.engine import Connection

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
from tracker.activity import verbs
from tracker.evidence.models import Anchor


def forget_rows() -> None:
    """Rebuild all chains as if no event had ever said anything about rows.

    Checkpoints of the former chains are deleted too.
    """
    forget_visit_chains()
    with hands() as connection:
        connection.execute(sa.update(EVENTS).values(state=sa.null()))
        for chain in connection.execute(sa.select(CHAINS)).all():
            own = Tampering(connection, chain.id)
            own.rewrite_chain(chain.id, lambda link: replace(link, state=None))
            seal_again(connection, chain.id)


def forget_visit_chains() -> None:
    """Rebuild all chains as if visits had none of their own (adr 87).

    What their people confirmed is then at the end of the cooperation's chain, as if it had happened
    last. Checkpoints of the former chains are deleted too.
    """
    with hands() as connection:
        for table in (table_of(Anchor), CHECKPOINTS, NODES, LEAVES):
            connection.execute(sa.delete(table))
        own_chains = sa.select(CHAINS).where(CHAINS.c.visit_id.is_not(None))
        for chain in connection.execute(own_chains).all():
            planned = connection.execute(
                sa.select(EVENTS).where(
                    EVENTS.c.verb == verbs.VISIT_PLANNED.name,
                    EVENTS.c.subject_id == chain.visit_id,
                )
            ).one()
            last = sa.select(sa.func.max(EVENTS.c.number)).where(
                EVENTS.c.chain_id == planned.chain_id
            )
            connection.execute(
                sa.update(EVENTS)
                .where(EVENTS.c.chain_id == chain.id)
                .values(
                    chain_id=planned.chain_id,
                    number=EVENTS.c.number + connection.scalars(last).one(),
                )
            )
            connection.execute(sa.delete(CHAINS).where(CHAINS.c.id == chain.id))
            Tampering(connection, chain.id).rewrite_chain(
                planned.chain_id,
                lambda link: (
                    replace(link, evidence=None) if link.verb == verbs.VISIT_PLANNED.name else link
                ),
            )
            seal_again(connection, planned.chain_id)


def seal_again(connection: Connection, chain_id: UUID) -> None:
    """Seal the end of a chain as it is, with the instance's key."""
    now = connection.execute(sa.select(CHAINS).where(CHAINS.c.id == chain_id)).one()
    seal = arithmetic.seal_head(
        now.kind.value, now.id, now.cooperation_id, now.head, now._mapping["count"], now.visit_id
    )
    Tampering(connection, chain_id).update(CHAINS, chain_id, seal=seal)
