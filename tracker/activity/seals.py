"""New seals of chains, after the key of the trail was changed."""

from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from tracker.activity import chain as arithmetic
from tracker.activity.models import Chain
from tracker.core import crypto
from tracker.core.db import apart

# Few enough for a short transaction.
AT_A_TIME = 50


@dataclass(frozen=True, slots=True)
class Batch:
    """How many chains were sealed again, how many are not as they were sealed, and the last one."""

    done: int
    altered: int
    last: UUID | None


def is_of_another_key(number: int) -> sa.ColumnElement[bool]:
    """Return the condition for chains that are not sealed under the key with a number, from 2."""
    return ~Chain.seal.startswith(crypto.code_prefix(number), autoescape=True)


def seal_again(number: int, after: UUID | None) -> Batch:
    """Seal the next chains under the key in use, in a transaction of its own.

    One that isn't as its seal says stays as it is: the audit names it. One that somebody writes to
    now is passed over, and is sealed by that.
    """
    wanted = sa.select(Chain).where(is_of_another_key(number)).order_by(Chain.id).limit(AT_A_TIME)
    if after is not None:
        wanted = wanted.where(Chain.id > after)
    done, altered, last = 0, 0, None
    with apart() as session:
        for chain in session.scalars(wanted.with_for_update(skip_locked=True)):
            last = chain.id
            head = (chain.kind.value, chain.id, chain.cooperation_id, chain.head, chain.count)
            if arithmetic.head_is_authentic(*head, chain.seal, chain.visit_id):
                chain.seal = arithmetic.seal_head(*head, chain.visit_id)
                done += 1
            else:
                altered += 1
    return Batch(done, altered, last)
