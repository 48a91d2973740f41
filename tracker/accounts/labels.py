"""Labels for roles and for the status of invitations."""

import datetime as dt
import enum

from flask_babel import gettext as _
from flask_babel import lazy_gettext as _l

from tracker.access.actor import Confirmation, Role
from tracker.ui.locale import as_date


class InvitationState(enum.StrEnum):
    """The status of an invitation."""

    OPEN = "open"
    EXPIRED = "expired"
    ACCEPTED = "accepted"
    REVOKED = "revoked"


class NobodyActs(enum.StrEnum):
    """Why nobody can act for an organisation: what its first coordinator still lacks."""

    NO_ACCOUNT = "no_account"
    NOT_ACTIVATED = "not_activated"
    NOT_CONFIRMED = "not_confirmed"
    NO_COORDINATOR = "no_coordinator"


ROLES: dict[Role, object] = {
    Role.COORDINATOR: _l("Coordinator"),
    Role.MEMBER: _l("Member"),
    Role.SIGNATORY: _l("Signatory"),
    Role.MANAGER: _l("Manager"),
    Role.AUDITOR: _l("Auditor"),
    Role.ADMINISTRATOR: _l("Administrator"),
}

WHAT_ROLES_MAY: dict[Role, object] = {
    Role.COORDINATOR: _l("Invites people, fills in checklists, sends texts for signature"),
    Role.MEMBER: _l("Fills in and comments when invited; signs a personal undertaking"),
    Role.SIGNATORY: _l("Signs for the organisation; the source of that power is shown"),
    Role.MANAGER: _l("Sees all of the organisation's cooperations and the agreement register"),
    Role.AUDITOR: _l("Reads states, dates, signatures and terms; never confidential content"),
    Role.ADMINISTRATOR: _l("Accounts, organisations, settings; no content of cooperations"),
}

_NPM_COORDINATOR_MAY = _l(
    "Opens cooperations, invites people, fills in checklists, sends texts for signature"
)

NOBODY_ACTS: dict[NobodyActs, object] = {
    NobodyActs.NO_ACCOUNT: _l("Nobody there has an account yet."),
    NobodyActs.NOT_ACTIVATED: _l(
        "A coordinator was invited and hasn't accepted the invitation yet."
    ),
    NobodyActs.NOT_CONFIRMED: _l("A role there hasn't been confirmed yet."),
    NobodyActs.NO_COORDINATOR: _l("It has people here, but no coordinator."),
}

INVITATION_STATES: dict[InvitationState, object] = {
    InvitationState.OPEN: _l("Open"),
    InvitationState.EXPIRED: _l("Expired"),
    InvitationState.ACCEPTED: _l("Accepted"),
    InvitationState.REVOKED: _l("Revoked"),
}


def confirmed_words(how: Confirmation | None, by: str, at: dt.datetime | None) -> str:
    """Return who confirmed a signatory or manager role; nothing for other roles."""
    match how:
        case None:
            return ""
        case Confirmation.COLLEAGUE:
            return str(_("Confirmed by %(name)s, %(day)s.", name=by, day=as_date(at)))
        case Confirmation.BEFORE:
            return str(_("Recorded before such roles had to be confirmed."))
    if not by:
        return str(
            _("Confirmed by an administrator on the command line, %(day)s.", day=as_date(at))
        )
    return str(_("Confirmed by the administrator %(name)s, %(day)s.", name=by, day=as_date(at)))


def what_role_may(role: Role, *, is_npm: bool) -> object:
    """Return what a role may do; only coordinators of the NPM open cooperations."""
    if role is Role.COORDINATOR and is_npm:
        return _NPM_COORDINATOR_MAY
    return WHAT_ROLES_MAY[role]
