"""View models of the security log: its entries in words."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

from tracker.access.actor import Role
from tracker.accounts import browsers
from tracker.accounts.labels import ROLES
from tracker.accounts.models import SecurityKind, SignInMethod
from tracker.accounts.security_log.labels import KINDS, METHODS
from tracker.accounts.security_log.queries import LogEntry


@dataclass(frozen=True, slots=True)
class LogLine:
    """An entry as listed; page is the technical name of a page that was refused."""

    what: object
    details: list[object]
    page: str
    user_id: UUID | None
    person: str
    by: str
    at: dt.datetime
    browser: str
    address: str
    left_out: int


def line(entry: LogEntry) -> LogLine:
    """Return an entry in words."""
    is_refusal = entry.kind is SecurityKind.REFUSED
    return LogLine(
        what=KINDS[entry.kind],
        details=[] if is_refusal else [_words(part) for part in entry.detail.split()],
        page=entry.detail if is_refusal else "",
        user_id=entry.user_id,
        person=entry.person,
        by=entry.by,
        at=entry.at,
        browser=browsers.words(entry.origin.user_agent) if entry.origin else "",
        address=entry.origin.address if entry.origin else "",
        left_out=entry.left_out,
    )


def _words(part: str) -> object:
    return METHODS[SignInMethod(part)] if part in set(SignInMethod) else ROLES[Role(part)]
