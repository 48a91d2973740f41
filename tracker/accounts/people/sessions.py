"""Sessions in the database: begun by signing in, listed for their person, ended one by one.

A session's cookie is signed and names a row here; without the row it is worth nothing. So a copied
cookie is of no use once its session has ended.
"""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID, uuid4

import sqlalchemy as sa

from tracker.access.actor import Actor, ActorMembership
from tracker.accounts import origins
from tracker.accounts.factors import binding
from tracker.accounts.models import Membership, SecurityKind, User, UserSession
from tracker.accounts.origins import Origin
from tracker.accounts.queries import MEMBERSHIP, as_memberships, runs_on
from tracker.accounts.security_log import service as security_log
from tracker.core import clock
from tracker.core.db import db, delete_batch
from tracker.core.services import Slot
from tracker.notifications.models import unread_of
from tracker.organisations.models import Organisation

# How long a session may last, according to the settings.
LASTS: Slot[dt.timedelta] = Slot("session_lasts", dt.timedelta(hours=12))

# Each page needs the person, the number beside their notifications, and their roles. A row for each
# role that is current, or one without any.
_SIGNED_IN = (
    sa.select(User, unread_of(User.id), *MEMBERSHIP)
    .outerjoin(
        Membership,
        sa.and_(Membership.user_id == User.id, runs_on(sa.bindparam("day", type_=sa.Date()))),
    )
    .outerjoin(Membership.organisation)
    .where(
        User.fs_uniquifier == sa.bindparam("mark"),
        User.active,
        sa.exists().where(
            UserSession.id == sa.bindparam("session_id"), UserSession.user_id == User.id
        ),
    )
    .order_by(Organisation.name, Membership.role)
)
# How many open sessions a person may have; signing in again ends the oldest.
MOST = 20
_OWN = (
    sa.select(UserSession)
    .where(UserSession.user_id == sa.bindparam("person"))
    .where(UserSession.begun_at > sa.bindparam("since"))
    .order_by(UserSession.begun_at.desc(), UserSession.id)
)


@dataclass(frozen=True, slots=True)
class SignedIn:
    """The person of a session, with what every page needs: unread notifications and roles."""

    person: User
    unread: int
    memberships: tuple[ActorMembership, ...]


@dataclass(frozen=True, slots=True)
class OpenSession:
    """A session as its person sees it: when it was begun (UTC), with which browser, from where."""

    session_id: UUID
    begun_at: dt.datetime
    user_agent: str
    address: str
    is_this: bool


def begin(user_id: UUID, *, user_agent: str, address: str, session_id: UUID | None = None) -> UUID:
    """Add the session of somebody who signed in; return its id, random by default."""
    binding.hold_for_use(user_id)
    row = UserSession(id=session_id or uuid4(), user_id=user_id, begun_at=clock.now())
    _add(row, user_agent, address)
    latest = (
        sa.select(UserSession.id)
        .where(UserSession.user_id == user_id)
        .order_by(UserSession.begun_at.desc(), UserSession.id)
        .limit(MOST)
    )
    _delete(UserSession.user_id == user_id, UserSession.id.not_in(latest))
    return row.id


def renew(user_id: UUID, session_id: UUID, *, user_agent: str, address: str) -> UUID | None:
    """End a session and begin another in its place, which lasts no longer; return its id.

    Returns None if the session has ended meanwhile: then none begins.
    """
    binding.hold_for_use(user_id)
    begun_at = db.session.scalar(
        sa.delete(UserSession)
        .where(UserSession.user_id == user_id, UserSession.id == session_id)
        .returning(UserSession.begun_at)
        .execution_options(synchronize_session=False)
    )
    if begun_at is None:
        return None
    row = UserSession(id=uuid4(), user_id=user_id, begun_at=begun_at)
    _add(row, user_agent, address)
    return row.id


def person_of(mark: str, session_id: UUID | None) -> SignedIn | None:
    """Return the active person whose open session this is, or None; one query per request."""
    if session_id is None:
        return None
    wanted = {"mark": mark, "session_id": session_id, "day": clock.today()}
    rows = db.session.execute(_SIGNED_IN, wanted).all()
    if not rows:
        return None
    return SignedIn(person=rows[0][0], unread=rows[0][1], memberships=as_memberships(rows))


def is_open(session_id: UUID | None) -> bool:
    """Return whether a session is still in the database."""
    return bool(db.session.scalar(sa.select(sa.exists().where(UserSession.id == session_id))))


def own(actor: Actor, current: UUID | None) -> list[OpenSession]:
    """Return the person's open sessions, the current one first, then the latest."""
    rows = db.session.scalars(
        _OWN, {"person": actor.user_id, "since": clock.now() - LASTS.get()}
    ).all()
    return sorted((_shown(row, current) for row in rows), key=lambda shown: not shown.is_this)


def has_others(actor: Actor, current: UUID | None) -> bool:
    """Return whether the person has open sessions besides the current one."""
    others = sa.exists().where(
        UserSession.user_id == actor.user_id,
        UserSession.begun_at > clock.now() - LASTS.get(),
        UserSession.id.is_distinct_from(current),
    )
    return bool(db.session.scalar(sa.select(others)))


def end(user_id: UUID, session_id: UUID) -> bool:
    """End one of a person's own sessions, and log it; return whether it was open."""
    binding.hold_for_use(user_id)
    was_open = bool(_delete(UserSession.user_id == user_id, UserSession.id == session_id))
    if was_open:
        security_log.record(SecurityKind.SESSION_ENDED, user_id, by_id=user_id)
    return was_open


def end_others(user_id: UUID, current: UUID | None) -> int:
    """End all of a person's own sessions but the current one, and log it; return how many."""
    number = end_all(user_id, but=current)
    if number:
        security_log.record(SecurityKind.SESSION_ENDED, user_id, by_id=user_id)
    return number


def end_by_cookie(session_id: UUID | None) -> None:
    """End the session that a genuine cookie names, whosever it is, whether still valid or not."""
    if session_id is not None:
        _delete(UserSession.id == session_id)


def end_all(user_id: UUID, *, but: UUID | None = None) -> int:
    """End all sessions of a person, or all but one; return how many."""
    binding.hold_for_use(user_id)
    return _delete(UserSession.user_id == user_id, UserSession.id.is_distinct_from(but))


def forget_old() -> int:
    """Delete a batch of sessions past their maximum age (db.delete_batch); for the worker."""
    return delete_batch(UserSession.id, UserSession.begun_at <= clock.now() - LASTS.get())


def _add(row: UserSession, user_agent: str, address: str) -> None:
    row.sealed_origin = origins.seal(
        Origin(user_agent, address), origin_context(row.id, row.user_id)
    )
    db.session.add(row)
    db.session.flush()


def _delete(*conditions: sa.ColumnElement[bool]) -> int:
    ended = db.session.execute(
        sa.delete(UserSession)
        .where(*conditions)
        .returning(UserSession.id)
        .execution_options(synchronize_session=False)
    )
    return len(ended.all())


def _shown(row: UserSession, current: UUID | None) -> OpenSession:
    # One written outside the application is shown without an origin, so that it can be ended.
    origin = origins.unseal(row.sealed_origin, origin_context(row.id, row.user_id))
    return OpenSession(
        session_id=row.id,
        begun_at=row.begun_at,
        user_agent=origin.user_agent,
        address=origin.address,
        is_this=row.id == current,
    )


def origin_context(session_id: UUID, user_id: UUID) -> str:
    """Return the context that the origin of a session is encrypted for."""
    return f"session {session_id} of {user_id}"
