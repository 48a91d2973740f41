"""The filters of the register of undertakings, as plain values. Pure."""

import enum
from dataclasses import dataclass

# The numbers of days that the filter offers for access that ends soon.
DAYS = (30, 60, 90)


class Access(enum.StrEnum):
    """Whether an undertaking gives access today; each is in one of these groups."""

    OPEN = "open"
    # Not signed, or not countersigned.
    NOT_YET = "not_yet"
    CLOSED = "closed"


class TextVersion(enum.StrEnum):
    """Whether an undertaking is on the confidentiality terms in force, or on earlier ones."""

    IN_FORCE = "in_force"
    EARLIER = "earlier"


@dataclass(frozen=True, slots=True)
class Filters:
    """The filters of a request: search words, each of which has to occur, and choices."""

    cooperation: str = ""
    organisation: str = ""
    person: str = ""
    access: Access | None = None
    # Access that ends within so many days.
    ends_within: int | None = None
    version: TextVersion | None = None
