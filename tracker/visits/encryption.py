"""A visit's place and dates (K2), and what overrides excuse, under the cooperation's key."""

import datetime as dt
import hashlib
import hmac
import logging
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

from tracker.cooperations import keys
from tracker.core import canonical, crypto, logs
from tracker.core.errors import DamagedRowError, KeyDestroyedError, UnreadableError
from tracker.visits.excusing import Shown
from tracker.visits.models import GateOverride, Visit

logger = logging.getLogger(__name__)

# The moments of a plan, stored if they are set.
_MOMENTS = ("moved_at", "place_changed_at", "kind_asked_at")


@dataclass(frozen=True, slots=True)
class Plan:
    """Where and when; the last day is inclusive."""

    place: str
    starts_on: dt.date
    ends_on: dt.date
    # When place or days last changed; None: never. Earlier acceptances and confirmations are void.
    moved_at: dt.datetime | None = field(default=None, compare=False)
    # When the place last changed; None: never. Letters of access (V13) and a briefing (V18) from
    # before are for another.
    place_changed_at: dt.datetime | None = field(default=None, compare=False)
    # Since when the type of place (V1) has to be answered again; None: it needn't be. Only an
    # answer saved later says what the place is.
    kind_asked_at: dt.datetime | None = field(default=None, compare=False)

    def since(self, settled_at: dt.datetime | None) -> dt.datetime | None:
        """Return since when confirmations of something settled at a moment count; None: never."""
        if settled_at is None or self.moved_at is None:
            return settled_at
        return max(settled_at, self.moved_at)

    def is_over(self, day: dt.date) -> bool:
        """Return whether the last day of the visit has passed."""
        return self.ends_on < day


def put_plan(visit: Visit, plan: Plan) -> None:
    """Store place and dates, encrypted; the visit has its id and its cooperation."""
    value: dict[str, Any] = {
        "place": plan.place,
        "starts_on": plan.starts_on.isoformat(),
        "ends_on": plan.ends_on.isoformat(),
    }
    for name in _MOMENTS:
        moment = getattr(plan, name)
        if moment is not None:
            value[name] = moment.isoformat()
    key = keys.key_of(visit.cooperation_id)
    visit.sealed_plan = crypto.seal(key, canonical.to_bytes(value), _context(visit.id))


def plan_of(visit: Visit) -> Plan:
    """Return place and dates, decrypted; the caller has checked that they may be shown.

    Raise DamagedRowError if they can't be read.
    """
    try:
        key = keys.key_of(visit.cooperation_id)
        value = canonical.from_bytes(crypto.unseal(key, visit.sealed_plan, _context(visit.id)))
        return Plan(
            place=value["place"],
            starts_on=dt.date.fromisoformat(value["starts_on"]),
            ends_on=dt.date.fromisoformat(value["ends_on"]),
            **{name: dt.datetime.fromisoformat(value[name]) for name in _MOMENTS if name in value},
        )
    except (UnreadableError, ValueError, KeyError, TypeError) as error:
        raise DamagedRowError(Visit.__tablename__, visit.id) from error


def plan_unless_erased(visit: Visit) -> Plan | None:
    """Return what plan_of() does; None once it was erased with the cooperation's key."""
    try:
        return plan_of(visit)
    except KeyDestroyedError:  # erased for good, as intended
        return None


def is_damaged(visit: Visit) -> bool:
    """Return whether place and dates can't be read though their key is there, and log which visit.

    For lists, whose other lines are shown.
    """
    try:
        plan_unless_erased(visit)
    except DamagedRowError as error:
        logs.log_damage(logger, error)
        return True
    return False


def plan_is_over(visit: Visit, day: dt.date) -> bool:
    """Return whether a visit's last day has passed, or its days were erased: it stays as it is."""
    plan = plan_unless_erased(visit)
    return plan is None or plan.is_over(day)


@dataclass(frozen=True, slots=True)
class Excused:
    """What an override excuses: it contains exactly what its page showed.

    Reasons say on what days letters of access run out, among others (class K2), so only digests are
    stored. They are keyed, and nobody can guess the reasons once the cooperation's key is gone.
    """

    digests: frozenset[str]
    key: bytes = field(repr=False)

    def __contains__(self, shown: object) -> bool:
        """Return whether this was shown."""
        return isinstance(shown, tuple) and _digest(self.key, shown) in self.digests


def excused_by(visit: Visit, override: GateOverride) -> Excused:
    """Return what an override of a visit's gate excuses.

    Former overrides named the requirement and not what was shown of it, so they excuse nothing.
    """
    return Excused(frozenset(override.excused), _key_for_overrides(visit))


def to_excuse(visit: Visit, shown: Collection[Shown]) -> list[str]:
    """Return what an override stores to excuse what its page showed."""
    key = _key_for_overrides(visit)
    return sorted(_digest(key, part) for part in shown)


def _key_for_overrides(visit: Visit) -> bytes:
    """Derive the key for this visit's overrides from the cooperation's, for this purpose only."""
    purpose = f"common-terms/overrides/1/{visit.id}".encode()
    return hmac.digest(keys.key_of(visit.cooperation_id), purpose, hashlib.sha256)


def _digest(key: bytes, shown: Shown) -> str:
    return hmac.new(key, canonical.to_bytes([*shown]), hashlib.sha256).hexdigest()


def _context(visit_id: UUID) -> str:
    return f"visit:{visit_id}:plan"
