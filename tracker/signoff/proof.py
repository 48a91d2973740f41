"""What a fresh proof of identity is, as the signature keeps it."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from tracker.signoff.models import Method

# How long a proof is good for: it is given on the signing form itself (product.md, 5.3).
FRESH = dt.timedelta(minutes=2)


@dataclass(frozen=True, slots=True)
class Identity:
    """That a person proved who they are, how and when."""

    user_id: UUID
    method: Method
    at: dt.datetime
