"""Pages of the security log: your own entries, and for administrators those of all people."""

from typing import Any
from uuid import UUID

from flask import Blueprint, render_template, request

from tracker.access import gate
from tracker.accounts import policy
from tracker.accounts import queries as people
from tracker.accounts.models import SecurityKind
from tracker.accounts.security_log import pages, queries
from tracker.accounts.security_log.labels import KINDS
from tracker.accounts.security_log.queries import LogPage
from tracker.ui.filters import PAGE, here

blueprint = Blueprint("security_log", __name__)


@blueprint.get("/account/security-log")
@gate.signed_in
def own() -> str:
    """List the entries about your own account, latest first."""
    page = queries.own(gate.current_actor(), after=_as_id(PAGE))
    return render_template("accounts/security_log.html", is_own=True, **_shown(page))


@blueprint.get("/administration/security-log")
@gate.signed_in
def listed() -> str:
    """List the entries about all people, or those of a kind or about one person."""
    actor = gate.current_actor()
    gate.require(policy.can_see_security_log(actor))
    kind = _requested_kind()
    person_id = _as_id("person")
    person = people.find_user_for_actor(actor, person_id) if person_id else None
    page = queries.listed(
        actor, kind=kind, user_id=person.id if person else None, after=_as_id(PAGE)
    )
    return render_template(
        "accounts/security_log.html",
        is_own=False,
        person=person,
        kind=kind,
        kinds=KINDS,
        **_shown(page),
    )


def _shown(page: LogPage) -> dict[str, Any]:
    return {
        "lines": [pages.line(entry) for entry in page.entries],
        "beginning": here({PAGE: None}) if _as_id(PAGE) else "",
        "following": here({PAGE: str(page.entries[-1].id)}) if page.has_more else "",
    }


def _requested_kind() -> SecurityKind | None:
    typed = request.args.get("kind", "")
    return SecurityKind(typed) if typed in set(SecurityKind) else None


def _as_id(name: str) -> UUID | None:
    """Return the id in a parameter of the URL; None if it isn't one."""
    try:
        return UUID(request.args.get(name, ""))
    except ValueError:
        return None
