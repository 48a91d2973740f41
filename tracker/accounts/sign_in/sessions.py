"""The two limits of a session, idle and absolute, checked at each request; both are settings.

Both times are stored in the signed session cookie.
"""

import datetime as dt
import enum
from uuid import UUID

from flask import current_app, session

from tracker.core import clock

BEGUN, SEEN, ACTING_FOR = "begun", "seen", "acting_for"
# The cookie is not rewritten more often than this.
STEP = 30


class End(enum.StrEnum):
    """Why a session expired."""

    IDLE = "idle"
    LONG = "long"


def begin() -> None:
    """Start the clock when somebody signs in."""
    session[BEGUN] = session[SEEN] = _now()


def over() -> End | None:
    """Return why the session has expired, or None if it hasn't."""
    settings = current_app.extensions["settings"]
    begun, seen = session.get(BEGUN), session.get(SEEN)
    if not isinstance(begun, int) or not isinstance(seen, int):
        return End.LONG
    if _now() - begun >= dt.timedelta(hours=settings.session_hours).total_seconds():
        return End.LONG
    if _now() - seen >= dt.timedelta(minutes=settings.idle_minutes).total_seconds():
        return End.IDLE
    return None


def touch() -> None:
    """Record that the session is in use."""
    if _now() - int(session.get(SEEN, 0)) >= STEP:
        session[SEEN] = _now()


def act_for(organisation_id: UUID) -> None:
    """Remember which organisation the person is acting for."""
    session[ACTING_FOR] = str(organisation_id)


def acting_for() -> str:
    """Return the id of the organisation the person chose to act for, or None."""
    return str(session.get(ACTING_FOR, ""))


def _now() -> int:
    return int(clock.now().timestamp())
