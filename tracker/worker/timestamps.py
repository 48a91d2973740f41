"""The reminder to renew archive timestamps before they end, and whether somebody was reminded."""

import datetime as dt

import sqlalchemy as sa

from tracker.accounts import queries as accounts
from tracker.core.db import db, get_or_add
from tracker.evidence.certificates import messages, timestamp_ends
from tracker.worker.models import Heartbeat

# The row that says which end people were last reminded of.
REMINDED = "timestamps_reminded"
# Half a year: people have to find, download and renew the files, perhaps with another service.
AHEAD = dt.timedelta(days=182)
_NEVER = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)


def due(day: dt.date) -> list[dt.datetime]:
    """Return the ends of timestamps that administrators are to be reminded of, in order."""
    reminded = reminded_of() or _NEVER
    return [
        end
        for end in timestamp_ends.ends()
        if end > reminded and day - AHEAD <= end.date() <= day + AHEAD
    ]


def remind(end: dt.datetime, _day: dt.date) -> bool:
    """Mail administrators that timestamps end; False if they were reminded of that already.

    In the caller's transaction. Of several workers at the same moment only one mails it.
    """
    get_or_add(db.session(), Heartbeat(name=REMINDED, at=_NEVER))
    row = db.session.scalars(
        sa.select(Heartbeat)
        .where(Heartbeat.name == REMINDED)
        .with_for_update()
        .execution_options(populate_existing=True)
    ).one()
    if row.at >= end:
        return False
    row.at = end
    people = accounts.contacts(accounts.administrators())
    messages.timestamps_end(people.values(), end.date())
    return True


def reminded_of() -> dt.datetime | None:
    """Return the end of timestamps that administrators were last reminded of."""
    return db.session.scalar(sa.select(Heartbeat.at).where(Heartbeat.name == REMINDED))
