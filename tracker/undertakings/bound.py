"""The status of undertakings as their evidence shows it, and whether the rows agree."""

from collections.abc import Collection
from dataclasses import dataclass
from uuid import UUID

from tracker.activity import witness
from tracker.activity.witness import NotSoundError
from tracker.cooperations import keys
from tracker.cooperations.keys import KeyDestroyedError
from tracker.core import canonical
from tracker.core.crypto import SealBrokenError
from tracker.signoff import bound
from tracker.signoff import service as signoff
from tracker.signoff.bound import Bound
from tracker.signoff.models import Revision
from tracker.signoff.outcomes import UndertakingCourse
from tracker.undertakings.models import Undertaking, UndertakingEnd

SUBJECT = "undertaking"


@dataclass(frozen=True, slots=True)
class Compared:
    """How an undertaking came out, and whether its rows say the same."""

    course: UndertakingCourse
    # Whether text, signatures and events agree among themselves; and the row with them.
    is_sound: bool
    agrees: bool


def compare(undertakings: Collection[Undertaking]) -> dict[UUID, Compared]:
    """Compare rows of undertakings with their signatures and events, in three statements."""
    bound_rows = bound.read(
        SUBJECT, {undertaking.id: undertaking.cooperation_id for undertaking in undertakings}
    )
    return {undertaking.id: held_against(undertaking, bound_rows) for undertaking in undertakings}


def look_whole(undertaking: Undertaking) -> Compared:
    """Compare one by a chain that holds as a whole: for what is handed to others."""
    try:
        bound_rows = bound.read_whole(SUBJECT, [undertaking.id], undertaking.cooperation_id)
    except NotSoundError:
        return Compared(UndertakingCourse(is_sound=False), is_sound=False, agrees=False)
    claim = held_against(undertaking, bound_rows)
    whole = all(
        bound_rows.proven(revision) and _is_as_frozen(revision)
        for revision in bound_rows.revisions.get(undertaking.id, ())
    )
    return claim if whole else Compared(claim.course, is_sound=False, agrees=False)


def why_closed(undertaking: Undertaking, course: UndertakingCourse) -> str:
    """Return why it was closed (UndertakingEnd), by the event; by the row once that was erased."""
    if course.closed_by is None:
        return ""
    details = witness.details_of([course.closed_by]).get(course.closed_by)
    return str(details["reason"]) if details else undertaking.closed_reason


def is_superseded(undertaking: Undertaking, course: UndertakingCourse) -> bool:
    """Tell whether it was closed since there are new terms."""
    return why_closed(undertaking, course) == UndertakingEnd.NEW_TERMS


def held_against(undertaking: Undertaking, bound: Bound) -> Compared:
    """Compare the row of an undertaking with what was read of it."""
    course = bound.undertaking(undertaking.id, undertaking.user_id)
    frozen = bound.revisions.get(undertaking.id, [])
    is_sound = course.is_sound and len(frozen) <= 1
    agrees = (
        is_sound
        and undertaking.state.value == course.phase.value
        and undertaking.revision_id == (frozen[0].id if frozen else None)
        and (undertaking.closed_at is None) == (course.closed_by is None)
        and (undertaking.signed_at is None) == (not course.is_signed)
        and (undertaking.countersigned_at is None) == (not course.is_signed_by_all)
    )
    return Compared(course, is_sound, agrees)


def _is_as_frozen(revision: Revision) -> bool:
    try:
        key = keys.key_of(revision.cooperation_id) if revision.is_sealed else None
        return canonical.digest(signoff.plain_bytes(revision, key)) == revision.digest
    except KeyDestroyedError:  # erased for good: its events remain
        return True
    except SealBrokenError:
        return False
