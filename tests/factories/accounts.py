"""Organisations and people created by the services, and how they sign in."""

import datetime as dt
from dataclasses import dataclass, field
from uuid import UUID

from flask import current_app
from sqlalchemy.orm import Session
from werkzeug.test import TestResponse

from tests import starting_points
from tests.client import CheckedClient
from tests.factories import powers
from tracker.access.actor import Actor, OrganisationKind, Role
from tracker.accounts import queries
from tracker.accounts.factors import binding, second_factor
from tracker.accounts.factors.binding import Change
from tracker.accounts.models import User
from tracker.accounts.people import invitations
from tracker.accounts.people.invitations import NewInvitation
from tracker.core import clock
from tracker.core.db import db
from tracker.organisations import service as organisations
from tracker.organisations.models import Organisation
from tracker.organisations.service import Details

PASSWORD = "seven lanterns by the harbour"
STEP = dt.timedelta(seconds=30)


@dataclass
class People:
    """An instance with organisations and people, by short names; everything is committed."""

    session: Session
    organisations: dict[str, UUID] = field(default_factory=dict)
    people: dict[str, UUID] = field(default_factory=dict)

    def add_organisation(self, key: str, name: str, kind: OrganisationKind) -> UUID:
        types = ["human_rights"] if kind is OrganisationKind.CSO else []
        organisation: Organisation = organisations.add(None, kind, Details(name=name, types=types))
        self.session.commit()
        self.organisations[key] = organisation.id
        return organisation.id

    def add_person(self, key: str, organisation: str | None, *roles: Role) -> UUID:
        """Invite a person and accept for them; signatory and manager roles begin too."""
        invited = invitations.invite(
            None,
            NewInvitation(
                email=f"{key}@example.org",
                name=f"{key.title()} Marsh",
                roles=set(roles),
                organisation_id=self.organisations[organisation] if organisation else None,
                power="Statutes, article 9" if Role.SIGNATORY in roles else "",
                office="President" if Role.SIGNATORY in roles else "",
            ),
        )
        user = invitations.accept(
            invited.token, name=f"{key.title()} Marsh", password=PASSWORD, language="en"
        )
        powers.let_begin(user.id)
        self.session.commit()
        self.people[key] = user.id
        return user.id

    def user(self, key: str) -> User:
        return self.session.get_one(User, self.people[key], populate_existing=True)

    def actor(self, key: str, acting_for: str | None = None) -> Actor:
        user = self.user(key)
        memberships = queries.memberships_of(user.id, clock.today())
        own = [m.organisation_id for m in memberships if m.organisation_id]
        first = own[0] if own else None
        return Actor(
            user_id=user.id,
            name=user.name,
            email=user.email,
            memberships=memberships,
            organisation_id=self.organisations[acting_for] if acting_for else first,
            has_second_factor=user.has_second_factor,
        )

    def membership(self, key: str, role: Role) -> UUID:
        """Return the id of a role of a person."""
        person = queries.find_user_for_actor(self.actor("ada"), self.people[key])
        assert person is not None
        return next(
            membership.membership_id for membership in person.roles if membership.role is role
        )

    def enrol(self, key: str) -> None:
        """Give a person a second factor."""
        second_factor.enrol(self.user(key))
        self.session.commit()

    def code(self, key: str) -> str:
        """Return the code the person's app shows now."""
        return second_factor.current_code(self.user(key)).code


def make_people(session: Session) -> People:
    """Reset the application to a database with people in every role; return who is who."""
    return People(session, *starting_points.of(current_app).use("people_in_every_role", _house))


def _house() -> tuple[dict[str, UUID], dict[str, UUID]]:
    """Fill an instance: an NPM, two CSOs, a court of audit; people in every role."""
    make_people = People(db.session())
    make_people.add_organisation("npm", "Office of the People's Advocate", OrganisationKind.NPM)
    make_people.add_organisation("door", "Open Door Legal Aid", OrganisationKind.CSO)
    make_people.add_organisation("lantern", "Lantern Health Network", OrganisationKind.CSO)
    make_people.add_organisation("court", "Court of Accounts", OrganisationKind.OTHER)
    make_people.add_person("ada", None, Role.ADMINISTRATOR)
    make_people.add_person("ilena", "npm", Role.COORDINATOR)
    make_people.add_person("nadia", "npm", Role.MANAGER)
    make_people.add_person("samira", "door", Role.COORDINATOR)
    make_people.add_person("henrik", "door", Role.SIGNATORY)
    make_people.add_person("dora", "door", Role.MEMBER)
    make_people.add_person("joana", "lantern", Role.COORDINATOR)
    return make_people.organisations, make_people.people


def take_app(user_id: UUID) -> None:
    """Remove a person's app for codes, as if it had never been set up."""
    user = binding.hold(user_id)
    user.tf_primary_method = user.tf_totp_secret = None
    binding.bind(None, user, Change.RESET)
    db.session.commit()


def sign_in(client: CheckedClient, key: str, password: str = PASSWORD) -> TestResponse:
    """Send address and password; return the page after that."""
    return client.submit("/sign-in", email=f"{key}@example.org", password=password)


def signed_in(client: CheckedClient, key: str) -> CheckedClient:
    """Return a browser in which a person without a second factor is signed in."""
    response = client.post("/sign-in", data={"email": f"{key}@example.org", "password": PASSWORD})
    assert response.status_code == 302, response.text
    db.session.rollback()
    return client
