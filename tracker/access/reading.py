"""What opens class K2 to K7: a second factor, or for one's own part in a visit a mailed code."""

from collections.abc import Callable
from uuid import UUID

from flask import abort, session
from werkzeug.wrappers import Response

from tracker.access.actor import Actor
from tracker.core.services import Slot

_OPENED = "opened_part"

# Returns where to redirect somebody who needs a second factor, to read or to sign; app supplies it.
GUARD: Slot[Callable[..., Response | None]] = Slot("reading_guard", lambda **_to_read: None)
# Whether a mailed code still opens the person's own part in a visit; app supplies it.
MAY_OPEN: Slot[Callable[[Actor, UUID], bool]] = Slot("may_open_own_part", lambda *_nobody: False)


def require_second_factor(*, to_read: bool = True) -> None:
    """Abort with a redirect if the person lacks what reading class K2 to K7 needs.

    Recording or confirming a scan needs the same, since it stands for signatures (to_read False).
    """
    elsewhere = GUARD.get()(to_read=to_read)
    if elsewhere is not None:
        abort(elsewhere)


def lacks_second_factor() -> bool:
    """Return whether the person needs a second factor before they read class K2 to K7."""
    return GUARD.get()(to_read=True) is not None


def open_own_part(actor: Actor, visit_id: UUID) -> None:
    """Open a person's own part in a visit until this session ends, after a mailed code."""
    session[_OPENED] = _mark(actor, visit_id)


def close_own_part() -> None:
    """Close what a mailed code opened: another session begins, or this one ends."""
    session.pop(_OPENED, None)


def has_opened(actor: Actor, visit_id: UUID | None) -> bool:
    """Return whether a mailed code opened the person's own part in this visit in this session.

    Not if a code wouldn't open it any more: the NPM stopped allowing codes, or they left the team.
    """
    if visit_id is None or session.get(_OPENED) != _mark(actor, visit_id):
        return False
    return MAY_OPEN.get()(actor, visit_id)


def _mark(actor: Actor, visit_id: UUID) -> str:
    return f"{actor.user_id} {visit_id}"
