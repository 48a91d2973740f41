"""An invented country with people in every role, and cooperations opened by the real services."""

import contextvars
import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from typing import Self
from uuid import UUID, uuid4

import sqlalchemy as sa
from flask import Flask, current_app
from sqlalchemy.orm import Session

from tests import open_sessions, starting_points
from tests.client import CheckedClient
from tests.factories.powers import begun
from tracker.access.actor import (
    Actor,
    ActorMembership,
    OrganisationKind,
    Role,
)
from tracker.accounts.factors import binding
from tracker.accounts.models import Membership, User
from tracker.activity import service as trail
from tracker.activity.models import Event
from tracker.activity.stale import recompute
from tracker.activity.verbs import COOPERATION_CHANGED, ROWS_NOTED
from tracker.checklist_templates import library
from tracker.cooperations import clearances
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import ChecklistKind, Cooperation, Mode
from tracker.core import clock
from tracker.core.db import db
from tracker.core.paths import CONTENT
from tracker.lifecycle import service as lifecycle
from tracker.organisations import service as organisations
from tracker.organisations.models import Organisation
from tracker.organisations.service import Details

LONG_AGO = dt.date(2020, 1, 1)


@dataclass
class Country:
    """Organisations by a short key, and people by their first name."""

    session: Session
    organisations: dict[str, Organisation] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)
    homes: dict[str, Organisation | None] = field(default_factory=dict)

    def organisation(self, key: str, name: str, kind: OrganisationKind) -> Organisation:
        types = ["human_rights"] if kind is OrganisationKind.CSO else []
        organisation = organisations.add(None, kind, Details(name=name, types=types))
        self.organisations[key] = organisation
        return organisation

    def person(self, name: str, organisation: str | None, *roles: Role, **more: object) -> User:
        """Add a person with roles in an organisation that began long ago."""
        first = name.split(maxsplit=1)[0].lower()
        home = self.organisations[organisation] if organisation else None
        user = User(
            id=uuid4(),
            email=f"{name.lower().replace(' ', '.')}@example.org",
            name=name,
            active=True,
            created_at=clock.now(),
            fs_uniquifier=uuid4().hex,
        )
        self.session.add(user)
        for role in roles:
            self.session.add(
                Membership(
                    user_id=user.id,
                    organisation_id=home.id if home else None,
                    role=role,
                    starts_on=LONG_AGO,
                    created_at=clock.now(),
                    **begun(role),
                    **more,
                )
            )
        self.session.flush()
        binding.bind_new(None, user)
        # As at a commit: nobody signs by a role that no event binds.
        trail.bind_rows(ROWS_NOTED, None, {})
        open_sessions.begin(user.id)
        self.users[first] = user
        self.homes[first] = home
        return user

    def actor(self, first: str) -> Actor:
        """Return a person as they act for their organisation today."""
        user, home = self.users[first], self.homes[first]
        rows = self.session.query(Membership).filter_by(user_id=user.id, ended_at=None)
        memberships = tuple(
            ActorMembership(
                role=row.role,
                organisation_id=row.organisation_id,
                organisation_name=home.name if home else "",
                organisation_kind=home.kind if home else None,
                outside_expert=row.outside_expert,
                audits_id=row.audits_id,
                power=row.power,
                office=row.office,
                power_from=row.power_from,
                power_until=row.power_until,
                confirmed_how=row.confirmed_how,
                confirmed_by=row.confirmed_by,
                confirmed_at=row.confirmed_at,
                membership_id=row.id,
            )
            for row in rows
        )
        return Actor(
            user_id=user.id,
            name=user.name,
            email=user.email,
            memberships=memberships,
            organisation_id=home.id if home else None,
            clearances=clearances.open_clearances(user.id, clock.today()),
        )

    def browser(self, app: Flask, first: str) -> CheckedClient:
        """Return a browser in which a person is signed in."""
        return signed_in(app, self.users[first])

    def id(self, key: str) -> UUID:
        return self.organisations[key].id


@dataclass(frozen=True)
class StoredCountry:
    """A country as plain values, by which it is loaded from a copy of its database."""

    organisations: Mapping[str, UUID]
    users: Mapping[str, UUID]
    homes: Mapping[str, UUID | None]

    @classmethod
    def of(cls, country: Country) -> Self:
        return cls(
            {key: organisation.id for key, organisation in country.organisations.items()},
            {first: user.id for first, user in country.users.items()},
            {first: home.id if home else None for first, home in country.homes.items()},
        )

    def load(self, session: Session) -> Country:
        """Return the country with its rows loaded in a session."""
        bodies = {
            organisation.id: organisation
            for organisation in session.scalars(sa.select(Organisation))
        }
        users = {user.id: user for user in session.scalars(sa.select(User))}
        return Country(
            session,
            {key: bodies[organisation_id] for key, organisation_id in self.organisations.items()},
            {first: users[user_id] for first, user_id in self.users.items()},
            {first: bodies[home] if home else None for first, home in self.homes.items()},
        )


def signed_in(app: Flask, user: User) -> CheckedClient:
    """Return a browser in which a person is signed in, without asking for the password."""
    client = app.test_client()
    assert isinstance(client, CheckedClient)
    # In an empty context: the session's writing must not see the test's own.
    cookie = open_sessions.cookie_of(app, user.id, user.fs_uniquifier)
    contextvars.Context().run(open_sessions.keep, client, cookie)
    return client


def make_country(session: Session) -> Country:
    """Fill the invented country: two NPMs, four CSOs, an auditing body, an administrator."""
    country = Country(session)
    npm, cso = OrganisationKind.NPM, OrganisationKind.CSO
    country.organisation("npm", "Office of the People's Advocate", npm)
    country.organisation("other_npm", "Prevention Council of Tressia", npm)
    country.organisation("door", "Open Door Legal Aid", cso)
    country.organisation("lantern", "Lantern Health Network", cso)
    country.organisation("bridge", "Bridge Families Association", cso)
    country.organisation("court", "Court of Accounts", OrganisationKind.OTHER)
    country.person("Ilena Dorvath", "npm", Role.COORDINATOR)
    country.person("Tomas Beridan", "npm", Role.SIGNATORY, power="Act on the People's Advocate")
    country.person("Nadia Corvel", "npm", Role.MANAGER)
    country.person("Oren Maki", "npm", Role.MEMBER)
    country.person("Petra Sund", "npm", Role.MEMBER, outside_expert=True)
    country.person("Vesna Hale", "other_npm", Role.COORDINATOR)
    country.person("Samira Okell", "door", Role.COORDINATOR)
    country.person("Henrik Asante", "door", Role.SIGNATORY, power="Statutes, article 9")
    country.person("Dora Lund", "door", Role.MEMBER)
    country.person("Joana Pires", "lantern", Role.COORDINATOR)
    country.person("Leyla Marchetti", "lantern", Role.MEMBER)
    country.person("Marek Tull", "bridge", Role.COORDINATOR)
    country.person("Ada Quist", "court", Role.AUDITOR, audits_id=country.id("npm"))
    country.person("Root Admin", None, Role.ADMINISTRATOR)
    return country


def copied_country(session: Session) -> Country:
    """Reset the application to a copy of a database with the invented country; return it."""
    points = starting_points.of(current_app)
    return points.use("country", lambda: StoredCountry.of(make_country(db.session()))).load(session)


def load_checklists() -> None:
    """Publish the four checklists, if the content is not loaded yet."""
    try:
        library.newest(ChecklistKind.TERMS)
    except LookupError:
        library.load(_checklist_files())


@cache
def _checklist_files() -> tuple[library.TemplateFile, ...]:
    return library.read(CONTENT)


def open_one(
    country: Country,
    *partners: str,
    by: str = "ilena",
    modes: tuple[Mode, ...] = (Mode.VISIT,),
    title: str = "Joint monitoring of police custody",
    questions: dict[str, str] | None = None,
) -> Cooperation:
    """Open a cooperation with its checklists, as an NPM coordinator does in the browser."""
    cooperation = lifecycle.open_cooperation(
        country.actor(by),
        title=title,
        purpose="To learn whether safeguards in the first hours of custody are kept.",
        organisation_ids=[country.id(key) for key in partners or ("door",)],
        modes=modes,
        questions=questions,
    )
    recompute()
    return cooperation


def bring_in(country: Country, cooperation: Cooperation, first: str, function: str = "") -> None:
    """Have a coordinator of a person's organisation add them."""
    home = country.homes[first]
    assert home is not None
    coordinator = next(
        name
        for name, organisation in country.homes.items()
        if organisation is home and Role.COORDINATOR in country.actor(name).roles
    )
    cooperations.add_person(
        country.actor(coordinator),
        cooperation,
        user_id=country.users[first].id,
        organisation_id=home.id,
        function=function,
    )


def record_change(cooperation_id: UUID) -> Event:
    """Record that a cooperation's title changed, and nothing else."""
    return trail.record(
        COOPERATION_CHANGED,
        actor=None,
        subject_type="cooperation",
        subject_id=cooperation_id,
        cooperation_id=cooperation_id,
        changed=["title"],
    )
