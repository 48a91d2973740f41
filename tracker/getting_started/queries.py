"""Queries for what an instance and an organisation still lack, one statement each."""

import datetime as dt
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import Actor, OrganisationKind, Role
from tracker.accounts.models import Membership, User
from tracker.accounts.queries import is_current_power, runs_on
from tracker.activity import verbs
from tracker.activity.models import Event
from tracker.cooperations.models import Party
from tracker.core.db import db
from tracker.organisations.models import Organisation

# What the event of a confirmed test email is about: the mail of the instance.
MAIL = "mail"
MAIL_ID = UUID("8f2c4a5e-5b0d-4a34-9d55-0c6f1c9a7e21")
ENOUGH_ADMINISTRATORS = 2


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


@dataclass(frozen=True, slots=True)
class OrganisationFacts:
    """What a coordinator's organisation has. signatory_waits: somebody still has to confirm one."""

    has_signatory: bool
    signatory_waits: bool
    has_cooperation: bool


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
            sa.exists().where(
                Event.subject_type == MAIL,
                Event.subject_id == MAIL_ID,
                Event.verb == verbs.MAIL_TESTED.name,
            ),
        )
    ).one()
    return InstanceFacts(*map(bool, row))


def of_organisation(actor: Actor, day: dt.date) -> OrganisationFacts:
    """Return what the organisation that a coordinator acts for has on a day."""
    own = Membership.organisation_id == actor.organisation_id
    signatory = sa.select(Membership.id).join(Membership.user).where(own, User.active)
    row = db.session.execute(
        sa.select(
            signatory.where(_signs(day)).exists(),
            signatory.where(
                Membership.role == Role.SIGNATORY,
                Membership.begun_at.is_(None),
                Membership.ended_at.is_(None),
                sa.or_(Membership.ends_on.is_(None), Membership.ends_on >= day),
            ).exists(),
            sa.exists().where(Party.organisation_id == actor.organisation_id),
        )
    ).one()
    return OrganisationFacts(*map(bool, row))


def _coordinates(day: dt.date) -> sa.ColumnElement[bool]:
    return sa.and_(Membership.role == Role.COORDINATOR, runs_on(day))


def _signs(day: dt.date) -> sa.ColumnElement[bool]:
    return sa.and_(Membership.role == Role.SIGNATORY, is_current_power(day))


def _somebody(kind: OrganisationKind, does: sa.ColumnElement[bool]) -> sa.Exists:
    """Return whether somebody in an organisation of a kind can act in a role."""
    return (
        sa.select(Membership.id)
        .join(Membership.user)
        .join(Membership.organisation)
        .where(Organisation.kind == kind, User.active, does)
        .exists()
    )
