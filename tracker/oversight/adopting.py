"""One-off adoption of rows older than row binding: recorded as they are, once per chain."""

from collections.abc import Iterator
from itertools import islice
from uuid import UUID

import sqlalchemy as sa

from tracker.activity import service as trail
from tracker.activity import verbs
from tracker.activity.binding import State
from tracker.activity.models import Chain, Event
from tracker.cooperations import keys
from tracker.core.db import db
from tracker.core.errors import KeyDestroyedError, UnreadableError
from tracker.oversight import rows
from tracker.oversight.reading import Reader

# How many rows one event binds.
ROWS_AN_EVENT = 1_000


def adopt_rows() -> int:
    """Bind the rows of each chain that is older than row binding; return how many chains.

    Commits after each. Each chain is adopted only once: an event of the chain records it.
    """
    first, telling = sa.orm.aliased(Event), sa.orm.aliased(Event)
    waiting = db.session.scalars(
        sa.select(Chain.cooperation_id)
        .join(first, sa.and_(first.chain_id == Chain.id, first.number == 1))
        .where(
            Chain.visit_id.is_(None),  # younger than row binding
            first.state.is_(sa.null()),
            ~sa.exists().where(
                telling.chain_id == Chain.id, telling.verb == verbs.ROWS_ADOPTED.name
            ),
        )
        .order_by(Chain.cooperation_id)
    ).all()
    for cooperation_id in waiting:
        _adopt(cooperation_id)
        db.session.commit()
    db.session.rollback()
    return len(waiting)


def _adopt(cooperation_id: UUID | None) -> None:
    trail.lock_chain(cooperation_id)
    reader = Reader(db.session.connection(), None)
    digests = rows.digests_of(reader, cooperation_id, lambda: _key_of(cooperation_id))
    for state in _portions(digests):
        trail.bind_rows(verbs.ROWS_ADOPTED, cooperation_id, state)


def _portions(digests: Iterator[tuple[str, str, str]]) -> Iterator[State]:
    """Yield what each event binds; an empty one if there is nothing."""
    portion = list(islice(digests, ROWS_AN_EVENT))
    while True:
        following = list(islice(digests, ROWS_AN_EVENT))
        state: State = {}
        for table, row, digest in portion:
            state.setdefault(table, {})[row] = digest
        yield state
        if not following:
            return
        portion = following


def _key_of(cooperation_id: UUID | None) -> bytes | None:
    if cooperation_id is None:
        return None
    try:
        return keys.key_of(cooperation_id)
    except (KeyDestroyedError, UnreadableError):  # the audit reports it
        return None
