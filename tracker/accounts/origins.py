"""The origin of a request, browser and network address, encrypted for the row it is stored in."""

import json
from collections.abc import Callable
from dataclasses import asdict, dataclass

from tracker.core import crypto
from tracker.core.services import Slot

# How much of a browser's name for itself is stored.
USER_AGENT_LENGTH = 400


@dataclass(frozen=True, slots=True)
class Origin:
    """What a browser calls itself, and the network address it came from; empty if unknown."""

    user_agent: str
    address: str


UNKNOWN = Origin("", "")
# Reads the origin of the current request; None outside one. The application supplies it.
ORIGIN_READER: Slot[Callable[[], Origin | None]] = Slot("origin_reader", lambda: None)


def seal(origin: Origin, context: str) -> bytes:
    """Encrypt an origin for a row, which context names."""
    shortened = Origin(origin.user_agent[:USER_AGENT_LENGTH], origin.address)
    return crypto.seal_field(json.dumps(asdict(shortened)).encode(), context)


def unseal(sealed: bytes, context: str) -> Origin:
    """Return the origin of a row; unknown if it was written outside the application."""
    try:
        return Origin(**json.loads(crypto.unseal_field(sealed, context)))
    except crypto.SealBrokenError:
        return UNKNOWN
