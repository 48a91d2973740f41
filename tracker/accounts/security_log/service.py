"""The security log: sign-ins, failures, refusals, changes of factors and roles (product.md, 7).

An entry contains nothing of class K2 to K7, and nothing that a stranger typed. What is also an
event of the trail is logged by a handler of that event, in the same transaction. Once stored, each
entry is also a line of the log, without its origin: a copy that whoever can write to the database
can't change (docs/adr/0089).
"""

import datetime as dt
import logging
from collections.abc import Mapping
from uuid import UUID, uuid4

import sqlalchemy as sa
from sqlalchemy.orm import Session

from tracker.accounts import origins
from tracker.accounts.models import SecurityKind, SecurityLogEntry
from tracker.accounts.security_log import entry_origins
from tracker.activity import verbs
from tracker.activity.service import DomainEvent
from tracker.activity.verbs import Verb
from tracker.core import clock, logs
from tracker.core.db import after_rollback, db, delete_batch

RETENTION = dt.timedelta(days=365)
# At most this many entries are stored within a window: for a person, of one kind with one detail
# (MOST_ALIKE) or of one kind (MOST); of one kind about nobody known (MOST_OF_NOBODY). The rest is
# only counted, so that a flood can't fill the disk. Wrong passwords leave room for a wrong code,
# and one refused page for another.
WINDOW = dt.timedelta(hours=1)
MOST_ALIKE = 20
MOST = 100
MOST_OF_NOBODY = 60
DETAIL_LENGTH = 80
# The latest entries of one kind about a person, and about nobody known, within a window.
_LATEST_OF_ALL = (
    sa.select(SecurityLogEntry.id, SecurityLogEntry.detail)
    .where(
        SecurityLogEntry.kind == sa.bindparam("kind", type_=SecurityLogEntry.kind.type),
        SecurityLogEntry.at > sa.bindparam("since", type_=SecurityLogEntry.at.type),
    )
    .order_by(SecurityLogEntry.at.desc(), SecurityLogEntry.id.desc())
    .limit(sa.bindparam("most", type_=sa.Integer()))
)
_LATEST = _LATEST_OF_ALL.where(SecurityLogEntry.user_id == sa.bindparam("user_id", type_=sa.Uuid()))
_LATEST_OF_NOBODY = _LATEST_OF_ALL.where(SecurityLogEntry.user_id.is_(None))
_NEW_LINES = "new_lines_of_the_security_log"

logger = logging.getLogger(__name__)

# The kinds that follow from an event about a person's account.
OF_VERBS: Mapping[Verb, SecurityKind] = {
    verbs.INVITATION_ACCEPTED: SecurityKind.INVITATION_ACCEPTED,
    verbs.PASSKEY_ADDED: SecurityKind.PASSKEY_ADDED,
    verbs.PASSKEY_REMOVED: SecurityKind.PASSKEY_REMOVED,
    verbs.PASSKEY_SET_ASIDE: SecurityKind.PASSKEY_SET_ASIDE,
    verbs.PASSWORD_CHANGED: SecurityKind.PASSWORD_CHANGED,
    verbs.PERSON_RESTORED: SecurityKind.PERSON_RESTORED,
    verbs.PERSON_SUSPENDED: SecurityKind.PERSON_SUSPENDED,
    verbs.RECOVERY_CODES_MADE: SecurityKind.RECOVERY_CODES_MADE,
    verbs.ROLE_ACCEPTED: SecurityKind.ROLE_ACCEPTED,
    verbs.ROLE_CONFIRMED: SecurityKind.ROLE_CONFIRMED,
    verbs.ROLE_ENDED: SecurityKind.ROLE_ENDED,
    verbs.ROLE_GIVEN: SecurityKind.ROLE_GIVEN,
    verbs.SECOND_FACTOR_RESET: SecurityKind.SECOND_FACTOR_RESET,
    verbs.SECOND_FACTOR_SET: SecurityKind.SECOND_FACTOR_SET,
    verbs.SESSIONS_ENDED: SecurityKind.SESSIONS_ENDED,
}


def record(
    kind: SecurityKind, user_id: UUID | None, *, by_id: UUID | None = None, detail: str = ""
) -> None:
    """Log something about a person's account, in the caller's transaction.

    by_id is who did it, if that is proved. The origin of the request is stored unless somebody else
    did it. Beyond the limit, it is only counted with the latest entry of its kind.
    """
    _record(db.session(), kind, user_id, by_id, detail)


def record_apart(
    kind: SecurityKind, user_id: UUID | None, *, by_id: UUID | None = None, detail: str = ""
) -> None:
    """Log something whatever becomes of the caller's transaction, which is rolled back.

    What was read before can still be shown, but not changed.
    """
    with after_rollback() as session:
        _record(session, kind, user_id, by_id, detail)


def follow(event: DomainEvent) -> None:
    """Log what an event says about a person's account."""
    roles = event.details.get("roles") or [event.details.get("role", "")]
    by_id = event.actor.user_id if event.actor else None
    record(OF_VERBS[event.verb], event.subject_id, by_id=by_id, detail=" ".join(roles))


def forget_old() -> int:
    """Delete a batch of entries older than twelve months (db.delete_batch); for the worker."""
    return delete_batch(SecurityLogEntry.id, SecurityLogEntry.at <= clock.now() - RETENTION)


def _record(
    session: Session, kind: SecurityKind, user_id: UUID | None, by_id: UUID | None, detail: str
) -> None:
    if _is_counted(session, kind, user_id, detail[:DETAIL_LENGTH]):
        return
    entry = SecurityLogEntry(
        id=uuid4(),
        kind=kind,
        user_id=user_id,
        by_id=by_id,
        detail=detail[:DETAIL_LENGTH],
        at=clock.now(),
        left_out=0,
    )
    origin = origins.ORIGIN_READER.get()() if by_id in {None, user_id} else None
    if origin is not None:
        entry_origins.seal(entry, origin)
    session.add(entry)
    session.info.setdefault(_NEW_LINES, []).append(
        logs.fields(
            entry=entry.id,
            kind=kind.value,
            account=user_id,
            by=by_id,
            detail=entry.detail or None,
        )
    )


@sa.event.listens_for(Session, "after_commit")
def _write_lines(session: Session) -> None:
    if not session.in_nested_transaction():
        for line in session.info.pop(_NEW_LINES, ()):
            logger.info("security", extra=line)


@sa.event.listens_for(Session, "after_rollback")
def _drop_lines(session: Session) -> None:
    if not session.in_nested_transaction():
        session.info.pop(_NEW_LINES, None)


def _is_counted(session: Session, kind: SecurityKind, user_id: UUID | None, detail: str) -> bool:
    """Return whether there are too many entries like this one; if so, count one more."""
    most = MOST_OF_NOBODY if user_id is None else MOST
    wanted: dict[str, object] = {"kind": kind, "since": clock.now() - WINDOW, "most": most}
    if user_id is None:
        entries = session.execute(_LATEST_OF_NOBODY, wanted).all()
    else:
        entries = session.execute(_LATEST, {**wanted, "user_id": user_id}).all()
    alike = [entry_id for entry_id, of_entry in entries if of_entry == detail]
    if len(entries) < most and (user_id is None or len(alike) < MOST_ALIKE):
        return False
    session.execute(
        sa.update(SecurityLogEntry)
        .where(SecurityLogEntry.id == (alike[0] if alike else entries[0].id))
        .values(left_out=SecurityLogEntry.left_out + 1)
        .execution_options(synchronize_session=False)
    )
    return True
