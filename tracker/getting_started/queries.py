"""Queries for what an instance and an organisation still lack, one statement each."""

import datetime as dt
from dataclasses import dataclass
from typing import NamedTuple
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import Actor, OrganisationKind, Role
from tracker.accounts import coordinators
from tracker.accounts.models import Invitation, Membership, User
from tracker.accounts.queries import is_current_power, runs_on, waits
from tracker.activity import verbs
from tracker.activity.models import Event
from tracker.activity.verbs import Verb
from tracker.cooperations.models import Party
from tracker.core import clock
from tracker.core.db import db
from tracker.organisations.models import Organisation, Succession

# What the event of a confirmed test email is about: the mail of the instance.
MAIL = "mail"
MAIL_ID = UUID("8f2c4a5e-5b0d-4a34-9d55-0c6f1c9a7e21")
# What the event of a checked setting is about, by the name of the setting.
SETTING = "setting"
TIME_ZONE, LANGUAGES = "TIMEZONE", "LANGUAGES"
SETTING_IDS = {
    TIME_ZONE: UUID("2b7d1f5c-93e4-4c1a-8f0e-64d1a7c3b5e2"),
    LANGUAGES: UUID("c4a9e6b1-07d2-4f38-a5c6-1be83f92d740"),
}
ENOUGH_ADMINISTRATORS = 2
# More open invitations than these aren't looked at.
INVITATIONS = 200


@dataclass(frozen=True, slots=True)
class InstanceFacts:
    """What the instance has; of people only those whose role is current and account open."""

    has_npm: bool
    has_cso: bool
    npm_coordinator: bool
    npm_signatory: bool
    cso_coordinator: bool
    cso_signatory: bool
    second_administrator: bool
    mail_tested: bool
    time_zone_checked: bool
    languages_checked: bool


@dataclass(frozen=True, slots=True)
class OrganisationFacts:
    """What a coordinator's organisation has.

    signatory_waits: one's role isn't confirmed or accepted; signatory_accepts: it is confirmed.
    """

    has_signatory: bool
    signatory_waits: bool
    signatory_accepts: bool
    has_cooperation: bool


class Lacking(NamedTuple):
    """An organisation that lacks somebody.

    waits: a role has to be confirmed or accepted; accepts: it is confirmed.
    """

    id: UUID
    name: str
    waits: bool = False
    accepts: bool = False


def of_instance(day: dt.date) -> InstanceFacts:
    """Return what the instance has on a day; for its administrators."""
    administrators = (
        sa.select(Membership.user_id)
        .join(Membership.user)
        .where(Membership.role == Role.ADMINISTRATOR, runs_on(day), User.active)
        .distinct()
        .limit(ENOUGH_ADMINISTRATORS)
        .subquery()
    )
    number = sa.select(sa.func.count()).select_from(administrators).scalar_subquery()
    npm, cso = OrganisationKind.NPM, OrganisationKind.CSO
    row = db.session.execute(
        sa.select(
            sa.exists().where(Organisation.kind == npm),
            sa.exists().where(Organisation.kind == cso),
            _somebody(npm, _coordinates(day)),
            _somebody(npm, _signs(day)),
            _somebody(cso, _coordinates(day)),
            _somebody(cso, _signs(day)),
            number >= ENOUGH_ADMINISTRATORS,
            _is_recorded(verbs.MAIL_TESTED, MAIL, MAIL_ID),
            *(_is_checked(name) for name in (TIME_ZONE, LANGUAGES)),
        )
    ).one()
    return InstanceFacts(*map(bool, row))


def without_coordinator(kind: OrganisationKind) -> Lacking | None:
    """Return the oldest organisation of a kind for which nobody can act."""
    row = db.session.execute(
        sa.select(Organisation.id, Organisation.name)
        .where(Organisation.kind == kind, coordinators.without_coordinator())
        .order_by(Organisation.created_at, Organisation.name)
        .limit(1)
    ).first()
    return Lacking(row.id, row.name) if row else None


def without_signatory(kind: OrganisationKind, day: dt.date) -> Lacking | None:
    """Return the oldest organisation of a kind for which nobody can sign.

    None that another body has replaced.
    """
    own = (
        sa.select(Membership.id)
        .join(Membership.user)
        .where(Membership.organisation_id == Organisation.id, User.active)
    )
    waiting = own.where(Membership.role == Role.SIGNATORY, waits(day))
    row = db.session.execute(
        sa.select(
            Organisation.id,
            Organisation.name,
            waiting.exists().label("waits"),
            waiting.where(_is_confirmed()).exists().label("accepts"),
        )
        .where(
            Organisation.kind == kind,
            ~own.where(_signs(day)).exists(),
            ~_is_replaced(),
        )
        .order_by(Organisation.created_at, Organisation.name)
        .limit(1)
    ).first()
    return Lacking(row.id, row.name, bool(row.waits), bool(row.accepts)) if row else None


def invited(actor: Actor) -> frozenset[tuple[UUID | None, str]]:
    """Return the organisations and roles of invitations that can still be accepted.

    Administrators see all of them, coordinators those of their own organisation. None: the
    instance itself.
    """
    is_own = Invitation.organisation_id == actor.organisation_id
    rows = db.session.execute(
        sa.select(Invitation.organisation_id, Invitation.roles)
        .where(
            sa.true() if actor.is_administrator else is_own,
            Invitation.accepted_at.is_(None),
            Invitation.revoked_at.is_(None),
            Invitation.expires_at > clock.now(),
        )
        .order_by(Invitation.created_at.desc())
        .limit(INVITATIONS)
    )
    return frozenset((organisation, role) for organisation, roles in rows for role in roles)


def of_organisation(actor: Actor, day: dt.date) -> OrganisationFacts:
    """Return what the organisation that a coordinator acts for has on a day."""
    own = Membership.organisation_id == actor.organisation_id
    signatory = sa.select(Membership.id).join(Membership.user).where(own, User.active)
    waiting = signatory.where(Membership.role == Role.SIGNATORY, waits(day))
    row = db.session.execute(
        sa.select(
            signatory.where(_signs(day)).exists(),
            waiting.exists(),
            waiting.where(_is_confirmed()).exists(),
            sa.exists().where(Party.organisation_id == actor.organisation_id),
        )
    ).one()
    return OrganisationFacts(*map(bool, row))


def is_checked(name: str) -> bool:
    """Return whether an administrator said that a setting is right as it is."""
    return bool(db.session.scalar(sa.select(_is_checked(name))))


def _is_checked(name: str) -> sa.Exists:
    return _is_recorded(verbs.SETTING_CHECKED, SETTING, SETTING_IDS[name])


def _is_recorded(verb: Verb, subject_type: str, subject_id: UUID) -> sa.Exists:
    return sa.exists().where(
        Event.subject_type == subject_type,
        Event.subject_id == subject_id,
        Event.verb == verb.name,
    )


def _coordinates(day: dt.date) -> sa.ColumnElement[bool]:
    return sa.and_(Membership.role == Role.COORDINATOR, runs_on(day))


def _signs(day: dt.date) -> sa.ColumnElement[bool]:
    return sa.and_(Membership.role == Role.SIGNATORY, is_current_power(day))


def _is_confirmed() -> sa.ColumnElement[bool]:
    """Return the condition that a role is confirmed; the person may still have to accept it."""
    return Membership.confirmed_how.is_not(None)


def _is_replaced() -> sa.Exists:
    """Return whether another body has replaced an organisation."""
    return sa.exists().where(Succession.former_id == Organisation.id)


def _somebody(kind: OrganisationKind, does: sa.ColumnElement[bool]) -> sa.Exists:
    """Return whether somebody in an organisation of a kind can act in a role."""
    return (
        sa.select(Membership.id)
        .join(Membership.user)
        .join(Membership.organisation)
        .where(Organisation.kind == kind, ~_is_replaced(), User.active, does)
        .exists()
    )
