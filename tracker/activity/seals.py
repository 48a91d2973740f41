"""New seals of chains, after the key of the trail was changed."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.activity import chain as arithmetic
from tracker.activity.models import Chain
from tracker.core import crypto
from tracker.core.db import db


@dataclass(frozen=True, slots=True)
class Batch:
    """How many chains were sealed again, and how many are not as they were sealed."""

    done: int
    altered: int


def is_of_another_key(number: int) -> sa.ColumnElement[bool]:
    """Return the condition for chains that are not sealed under the key with a number, from 2."""
    return ~Chain.seal.startswith(crypto.code_prefix(number), autoescape=True)


def to_seal(number: int, after: UUID | None, limit: int) -> list[UUID]:
    """Return the next chains that are not sealed under the key with a number, from 2."""
    wanted = sa.select(Chain.id).where(is_of_another_key(number)).order_by(Chain.id).limit(limit)
    if after is not None:
        wanted = wanted.where(Chain.id > after)
    return list(db.session.scalars(wanted))


def seal_again(session: Session, number: int, chain_ids: Collection[UUID]) -> Batch:
    """Seal chains under the key in use, which has that number; the caller's session commits.

    One that isn't as its seal says stays as it is: the audit names it. One that somebody writes to
    now is passed over, and is sealed by that.
    """
    done, altered = 0, 0
    wanted = sa.select(Chain).where(Chain.id.in_(chain_ids), is_of_another_key(number))
    for chain in session.scalars(wanted.with_for_update(skip_locked=True)):
        head = (chain.kind.value, chain.id, chain.cooperation_id, chain.head, chain.count)
        if arithmetic.head_is_authentic(*head, chain.seal, chain.visit_id):
            chain.seal = arithmetic.seal_head(*head, chain.visit_id)
            done += 1
        else:
            altered += 1
    return Batch(done, altered)
