"""Pages of the security log: your own entries, and for administrators those of all people."""

from typing import Any

from flask import Blueprint, render_template, request

from tracker.access import gate
from tracker.accounts import policy
from tracker.accounts import queries as people
from tracker.accounts.models import SecurityKind
from tracker.accounts.security_log import pages, queries
from tracker.accounts.security_log.labels import KINDS
from tracker.accounts.security_log.queries import LogPage
from tracker.ui.filters import PAGE, chosen_or_404, here
from tracker.ui.paging import asked_after

blueprint = Blueprint("security_log", __name__)


@blueprint.get("/account/security-log")
@gate.signed_in
def own() -> str:
    """List the entries about your own account, latest first."""
    page = queries.own(gate.current_actor(), after=asked_after())
    return render_template("accounts/security_log.html", is_own=True, **_shown(page))


@blueprint.get("/administration/security-log")
@gate.signed_in
def listed() -> str:
    """List the entries about all people, or those of a kind or about one person."""
    actor = gate.current_actor()
    gate.require(policy.can_see_security_log(actor))
    chosen_kind = chosen_or_404("kind", set(SecurityKind))
    kind = SecurityKind(chosen_kind) if chosen_kind else None
    person_id = request.args.get("person", "")
    person = (
        gate.found_or_404(people.find_user_for_actor(actor, gate.as_uuid(person_id)))
        if person_id
        else None
    )
    page = queries.listed(
        actor, kind=kind, user_id=person.id if person else None, after=asked_after()
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
        "beginning": here({PAGE: None}) if asked_after() else "",
        "following": here({PAGE: str(page.entries[-1].id)}) if page.has_more else "",
    }
