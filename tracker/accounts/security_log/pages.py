"""View models of the security log: its entries in words."""

import datetime as dt
import re
from dataclasses import dataclass
from uuid import UUID

from flask import current_app

from tracker.access.actor import Role
from tracker.access.gate import SAFE_METHODS
from tracker.accounts import browsers
from tracker.accounts.labels import ROLES
from tracker.accounts.models import SecurityKind, SignInMethod
from tracker.accounts.security_log.labels import KINDS, METHODS
from tracker.accounts.security_log.queries import LogEntry

_NAME_IN_ADDRESS = re.compile("<[^>]*>")


@dataclass(frozen=True, slots=True)
class LogLine:
    """An entry as listed; page is the address of what was refused, without the names in it."""

    what: object
    details: list[object]
    page: str
    # Whether a form was sent there.
    sent: bool
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
    method, _space, endpoint = entry.detail.partition(" ")
    return LogLine(
        what=KINDS[entry.kind],
        details=[] if is_refusal else [_words(part) for part in entry.detail.split()],
        page=_address(endpoint) if is_refusal else "",
        sent=is_refusal and method not in SAFE_METHODS,
        user_id=entry.user_id,
        person=entry.person,
        by=entry.by,
        at=entry.at,
        browser=browsers.words(entry.origin.user_agent) if entry.origin else "",
        address=entry.origin.address if entry.origin else "",
        left_out=entry.left_out,
    )


def _address(endpoint: str) -> str:
    """Return the address of a page, such as /people/…/roles; its name if it no longer exists."""
    rules = current_app.url_map.iter_rules()
    address = next((rule.rule for rule in rules if rule.endpoint == endpoint), endpoint)
    return _NAME_IN_ADDRESS.sub("\N{HORIZONTAL ELLIPSIS}", address)


def _words(part: str) -> object:
    return METHODS[SignInMethod(part)] if part in set(SignInMethod) else ROLES[Role(part)]
