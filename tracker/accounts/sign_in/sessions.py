"""The cookie of a session: its id, and its two limits, idle and absolute, which are settings.

Both times are stored in the signed cookie, so that reading a page writes nothing. The session
itself is in the database (accounts.people.sessions): ended there, its cookie is worth nothing.
"""

import datetime as dt
import enum
from uuid import UUID

from flask import Response, after_this_request, current_app, has_request_context, request, session
from flask_login import confirm_login

from tracker.access.reading import close_own_part
from tracker.accounts.origins import UNKNOWN, Origin
from tracker.accounts.people import sessions as stored
from tracker.core import clock

SESSION_ID, BEGUN, SEEN, ACTING_FOR = "session_id", "begun", "seen", "acting_for"
# The cookie is not rewritten more often than this.
STEP = 30
# Who gave their password, and when, while their second factor is missing.
WAITING_SINCE = "waiting_since"
# How long a password waits for the second factor: the cookie may stay in a browser that others use.
PASSWORD_WAITS = dt.timedelta(minutes=15)


class End(enum.StrEnum):
    """Why a session expired."""

    IDLE = "idle"
    LONG = "long"


def begin(user_id: UUID) -> None:
    """Begin a session for somebody who signed in, in place of an earlier one of this browser.

    The earlier one may be another person's that has expired.
    """
    before = session_id()
    here = origin() or UNKNOWN
    begun = stored.begin(user_id, user_agent=here.user_agent, address=here.address)
    stored.end_by_cookie(before)
    close_own_part()
    session.pop(WAITING_SINCE, None)
    session[SESSION_ID] = str(begun)
    session[BEGUN] = session[SEEN] = _now()


def origin() -> Origin | None:
    """Return browser and network address of the current request; None outside one."""
    if not has_request_context():
        return None
    return Origin(request.user_agent.string, request.remote_addr or "")


def confirm(user_id: UUID) -> bool:
    """Go on with a new session id for somebody who has confirmed that it's still them.

    A copy of the earlier cookie is worth nothing from then on. The rest of the cookie stays, so the
    browser's other tabs keep working, and the limits still count from signing in. The session
    belongs to this browser again. The caller commits.

    Returns False, and changes nothing, if the session has ended meanwhile: the form may have been
    sent twice.
    """
    before = session_id()
    here = origin() or UNKNOWN
    renewed = before and stored.renew(
        user_id, before, user_agent=here.user_agent, address=here.address
    )
    if not renewed:
        return False
    confirm_login()
    session[SESSION_ID] = str(renewed)
    return True


def has_ended() -> bool:
    """Return whether this browser's session has ended since the request was let in."""
    return not stored.is_open(session_id())


def leave_cookie() -> None:
    """Send no cookie with this response: the browser may have received a newer one meanwhile."""

    @after_this_request
    def _leave(response: Response) -> Response:
        session.modified = False
        return response


def end() -> None:
    """End this browser's session, even if it has expired; the caller commits."""
    stored.end_by_cookie(session_id())
    close_own_part()
    session.pop(SESSION_ID, None)


def forget() -> None:
    """Clear the cookie except for the session's id, so that signing in ends that session."""
    before = session.get(SESSION_ID)
    session.clear()
    if before is not None:
        session[SESSION_ID] = before


def session_id() -> UUID | None:
    """Return the id of this browser's session, or None if it has none."""
    try:
        return UUID(session.get(SESSION_ID, ""))
    except (ValueError, TypeError, AttributeError):
        return None


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


def note_password(mark: str) -> None:
    """Record that the person with this mark has just given their password."""
    session[WAITING_SINCE] = [mark, _now()]


def has_password(mark: str) -> bool:
    """Return whether the person with this mark gave their password a short time ago."""
    match session.get(WAITING_SINCE):
        case [str(whose), int(at)]:
            return whose == mark and _now() - at < PASSWORD_WAITS.total_seconds()
    return False


def act_for(organisation_id: UUID) -> None:
    """Remember which organisation the person is acting for."""
    session[ACTING_FOR] = str(organisation_id)


def acting_for() -> str:
    """Return the id of the organisation the person chose to act for, or None."""
    return str(session.get(ACTING_FOR, ""))


def _now() -> int:
    return int(clock.now().timestamp())
