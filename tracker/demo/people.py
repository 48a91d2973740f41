"""The demonstration's people and organisations, all in an invented country."""

import secrets
from dataclasses import dataclass, field
from uuid import UUID

import sqlalchemy as sa

from tracker.access.actor import Actor, OrganisationKind, Role
from tracker.accounts import queries
from tracker.accounts.factors import second_factor
from tracker.accounts.models import Membership, User
from tracker.accounts.people import invitations, powers
from tracker.core import clock
from tracker.core.db import db
from tracker.organisations import service as organisations
from tracker.organisations.models import Organisation
from tracker.signoff.models import Method

COUNTRY = "Maravena"
WORDS = [
    "anchor",
    "amber",
    "basket",
    "birch",
    "candle",
    "cedar",
    "copper",
    "coral",
    "fern",
    "fjord",
    "garnet",
    "harbour",
    "heather",
    "island",
    "juniper",
    "kettle",
    "lantern",
    "maple",
    "meadow",
    "mirror",
    "olive",
    "orchard",
    "pebble",
    "quarry",
    "ribbon",
    "river",
    "saffron",
    "sailor",
    "thistle",
    "timber",
    "tulip",
    "velvet",
    "walnut",
    "willow",
    "winter",
]


@dataclass(frozen=True, slots=True)
class Body:
    """An organisation of the demonstration."""

    kind: OrganisationKind
    details: organisations.Details


@dataclass(frozen=True, slots=True)
class Person:
    """A person of the demonstration; key is the name used in the answers."""

    key: str
    name: str
    body: str
    roles: tuple[Role, ...]
    office: str = ""
    power: str = ""
    function: str = ""
    outside_expert: bool = False
    # For an auditor from another body: the NPM they audit.
    audits: str = ""

    @property
    def email(self) -> str:
        """An address that reaches nobody."""
        return f"{self.name.lower().replace(' ', '.')}@maravena.example"


@dataclass(slots=True)
class DemoPeople:
    """Everybody, by key, once the accounts exist."""

    bodies: dict[str, Organisation] = field(default_factory=dict)
    users: dict[str, User] = field(default_factory=dict)

    def actor(self, key: str) -> Actor:
        """Return a person as they act now, for their own organisation."""
        user = self.users[key]
        person = next(person for person in PEOPLE if person.key == key)
        return Actor(
            user_id=user.id,
            name=user.name,
            email=user.email,
            memberships=queries.memberships_of(user.id, clock.today()),
            organisation_id=self.bodies[person.body].id if person.body else None,
            has_second_factor=True,
        )

    def of_body(self, body: str) -> list[Person]:
        """Return the people of an organisation."""
        return [person for person in PEOPLE if person.body == body]


BODIES = {
    "npm": Body(
        OrganisationKind.NPM,
        organisations.Details(
            name="Office of the People's Advocate",
            short_name="People's Advocate",
            country=COUNTRY,
            languages=["en"],
            mandate="National Preventive Mechanism by section 9 of the Torture Prevention Act",
            contact="npm@maravena.example",
        ),
    ),
    "od": Body(
        OrganisationKind.CSO,
        organisations.Details(
            name="Open Door Legal Aid",
            short_name="Open Door",
            country=COUNTRY,
            languages=["en"],
            mandate="Legal help in police custody, by its statutes",
            types=["human_rights", "litigating"],
            expertise="Police custody, access to a lawyer",
            litigates=True,
            represents_persons=True,
        ),
    ),
    "lh": Body(
        OrganisationKind.CSO,
        organisations.Details(
            name="Lantern Health Network",
            short_name="Lantern Health",
            country=COUNTRY,
            languages=["English", "Arabic"],
            mandate="Health in closed places, by its statutes",
            types=["professions"],
            expertise="Medicine, psychiatry, documentation of injuries",
        ),
    ),
    "rf": Body(
        OrganisationKind.CSO,
        organisations.Details(
            name="Riverside Families Association",
            short_name="Riverside Families",
            country=COUNTRY,
            languages=["en"],
            mandate="Stands by families of persons deprived of liberty",
            types=["families"],
            expertise="Contact with families, children with a parent in prison",
            represents_persons=True,
        ),
    ),
    "court": Body(
        OrganisationKind.OTHER,
        organisations.Details(
            name="Court of Accounts of Maravena", country=COUNTRY, languages=["en"]
        ),
    ),
}

PEOPLE = (
    Person("iris", "Iris Hallam", "", (Role.ADMINISTRATOR,)),
    Person("ilena", "Ilena Dorvath", "npm", (Role.COORDINATOR,), function="Head of prevention"),
    Person(
        "tomas",
        "Tomas Beridan",
        "npm",
        (Role.SIGNATORY,),
        office="People's Advocate",
        power="section 12 of the People's Advocate Act",
        function="People's Advocate",
    ),
    Person("milan", "Milan Osterin", "npm", (Role.MANAGER,), office="Secretary general"),
    Person("nadia", "Nadia Corvel", "npm", (Role.MEMBER,), function="Legal officer"),
    Person("pavo", "Pavo Linden", "npm", (Role.MEMBER,), function="Team lead"),
    Person("ruth", "Ruth Abara", "npm", (Role.MEMBER,), function="Deputy lead"),
    Person(
        "marek", "Marek Tull", "npm", (Role.MEMBER,), function="Interpreter", outside_expert=True
    ),
    Person("samira", "Samira Okell", "od", (Role.COORDINATOR,), function="Coordinator"),
    Person(
        "henrik",
        "Henrik Asante",
        "od",
        (Role.SIGNATORY, Role.MANAGER),
        office="Director",
        power="article 8 of its statutes",
        function="Director",
    ),
    Person("dina", "Dina Faro", "od", (Role.MEMBER,), function="Lawyer"),
    Person("joana", "Joana Pires", "lh", (Role.COORDINATOR,), function="Coordinator"),
    Person(
        "otto",
        "Otto Brandis",
        "lh",
        (Role.SIGNATORY,),
        office="President",
        power="decision of its board of 3 November",
        function="President",
    ),
    Person("leyla", "Leyla Marchetti", "lh", (Role.MEMBER,), function="Physician"),
    Person("celia", "Celia Morrow", "rf", (Role.COORDINATOR,), function="Coordinator"),
    Person(
        "anton",
        "Anton Vesk",
        "rf",
        (Role.SIGNATORY,),
        office="Chair",
        power="article 5 of its statutes",
        function="Chair",
    ),
    Person("greta", "Greta Solvik", "court", (Role.AUDITOR,), audits="npm"),
)


def make(password: str) -> DemoPeople:
    """Add the organisations and people, who accept immediately and have a second factor."""
    demo_people = DemoPeople()
    for key, body in BODIES.items():
        demo_people.bodies[key] = organisations.add(
            None, body.kind, body.details, is_demonstration=True
        )
    for person in PEOPLE:
        invited = invitations.invite(
            None,
            invitations.NewInvitation(
                email=person.email,
                roles=person.roles,
                name=person.name,
                organisation_id=demo_people.bodies[person.body].id if person.body else None,
                power=person.power,
                office=person.office,
                outside_expert=person.outside_expert,
                audits_id=demo_people.bodies[person.audits].id if person.audits else None,
            ),
        )
        user = invitations.accept(
            invited.token,
            name=person.name,
            password=password,
            language="en",
            is_demonstration=True,
        )
        second_factor.enrol(user)
        demo_people.users[person.key] = user
        _let_begin(demo_people, person)
    db.session.flush()
    return demo_people


def _let_begin(demo_people: DemoPeople, person: Person) -> None:
    """Have a signatory or manager role confirmed by another one of the body, else accepted."""
    waiting = db.session.scalars(
        sa.select(Membership)
        .where(Membership.user_id == demo_people.users[person.key].id, queries.waits())
        .order_by(Membership.role)
    ).all()
    for membership in waiting:
        if membership.confirmed_how is None:
            other = next(
                person
                for person in demo_people.of_body(person.body)
                if Role.SIGNATORY in person.roles
            )
            powers.confirm(demo_people.actor(other.key), membership.id)
            continue
        powers.accept(
            demo_people.actor(person.key),
            membership.id,
            digest=powers.digest_of(membership),
            method=Method.DEMONSTRATION.value,
        )


def new_password() -> str:
    """Return a random password made of words; each demonstration has its own."""
    chosen = [secrets.choice(WORDS) for _ in range(3)]
    return "-".join([*chosen, str(secrets.randbelow(9000) + 1000)])


def find(name: str) -> User | None:
    """Return a demonstration account by its key, first name, name or address, and no others."""
    wanted = name.strip().casefold()
    rows = db.session.scalars(sa.select(User).where(User.is_demonstration))
    for user in rows:
        known = {user.email.casefold(), user.name.casefold(), user.name.split()[0].casefold()}
        if wanted in known:
            return user
    return None


def ids(demo_people: DemoPeople) -> dict[str, UUID]:
    """Return the ids behind person:KEY and party:KEY in the answers."""
    user_ids = {f"person:{key}": user.id for key, user in demo_people.users.items()}
    return user_ids | {f"party:{key}": body.id for key, body in demo_people.bodies.items()}
