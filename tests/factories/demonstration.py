"""The demonstration in a test's database, with some outsiders, and browsers."""

import contextvars
import datetime as dt
from dataclasses import dataclass
from uuid import UUID

import sqlalchemy as sa
from flask import Flask

from tests import due, open_sessions
from tests.client import CheckedClient
from tests.factories import paper as scans
from tests.factories import passkeys
from tests.factories.authoring import changed
from tests.factories.evidence import certificates
from tests.factories.passkeys import Device
from tracker.access.actor import OrganisationKind, Role
from tracker.accounts.models import Membership, User
from tracker.accounts.people import invitations, service
from tracker.accounts.people.invitations import NewInvitation
from tracker.accounts.people.service import NewRole
from tracker.agreements import notices
from tracker.agreements.paper import service as paper
from tracker.authoring.checklists import service as authoring
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists import drafts
from tracker.checklists.drafts import DraftKey
from tracker.checklists.models import Checklist, DraftKind, NoticeKind
from tracker.closing import service as closing
from tracker.cooperations.models import Cooperation
from tracker.core import clock
from tracker.core.db import db
from tracker.demo import people, work
from tracker.evidence.keys import signing_keys
from tracker.organisations import service as organisations
from tracker.organisations.service import Details
from tracker.undertakings import queries as undertakings
from tracker.undertakings.models import Undertaking
from tracker.worker import health

PASSWORD = "seven lanterns by the harbour"
COOPERATIONS = ("complete", "waiting", "differing", "declined", "copied")


@dataclass(frozen=True, slots=True)
class Demonstration:
    """What tests need to know about the demonstration: who is who, and which id is what."""

    users: dict[str, UUID]
    sign_in_marks: dict[str, str]
    organisations: dict[str, UUID]
    cooperations: dict[str, UUID]
    references: dict[str, str]
    # By cooperation and kind; of a visit's checklists, as "complete", "visit_roles".
    checklists: dict[tuple[str, str], UUID]
    invitation: UUID
    invitation_token: str
    # Terms that an administrator changed and has not published.
    template_draft: UUID
    # A scan of the pending terms, recorded by the CSO and withdrawn.
    paper: UUID

    def browser(self, app: Flask, key: str | None) -> CheckedClient:
        """Return a browser in which a person is signed in, or nobody."""
        client = app.test_client()
        assert isinstance(client, CheckedClient)
        if key is not None:
            # In an empty context: the session's writing must not see the test's own.
            cookie = open_sessions.cookie_of(app, self.users[key], self.sign_in_marks[key])
            contextvars.Context().run(open_sessions.keep, client, cookie)
        return client


def make() -> Demonstration:
    """Create all of it through the real services, and commit."""
    signing_keys.make_missing()
    demo_people = people.make(PASSWORD)
    for _title, step in work.steps():
        step(demo_people)
    outsiders(demo_people)
    begun = begin_more(demo_people)
    health.beat()
    db.session.commit()
    due.make_checkpoint()
    due.send_checkpoints()
    db.session.commit()
    demonstration = describe(demo_people, begun)
    certificates.make_all()
    open_sessions.begin_all()
    db.session.commit()
    return demonstration


def describe(demo_people: people.DemoPeople, begun: "Begun") -> Demonstration:
    """Return who is who and which id is what, while there are no other cooperations."""
    rows = db.session.scalars(sa.select(Cooperation).order_by(Cooperation.reference)).all()
    by_name = dict(zip(COOPERATIONS, rows, strict=True))
    names = {row.id: name for name, row in by_name.items()}
    return Demonstration(
        users={key: user.id for key, user in demo_people.users.items()},
        sign_in_marks={key: user.fs_uniquifier for key, user in demo_people.users.items()},
        organisations={key: body.id for key, body in demo_people.bodies.items()},
        cooperations={name: row.id for name, row in by_name.items()},
        references={name: row.reference for name, row in by_name.items()},
        checklists={
            (names[row.cooperation_id], row.kind.value): row.id
            for row in db.session.scalars(sa.select(Checklist))
        },
        invitation=begun.invitation,
        invitation_token=begun.invitation_token,
        template_draft=begun.template_draft,
        paper=begun.paper,
    )


@dataclass(frozen=True, slots=True)
class Begun:
    """What people began in the demonstration and didn't finish."""

    invitation: UUID
    invitation_token: str
    template_draft: UUID
    paper: UUID


def begin_more(demo_people: people.DemoPeople) -> Begun:
    """Have people begin what the demonstration leaves out; outsiders are needed for it."""
    _let_powers_wait(demo_people)
    passkeys.add(demo_people.actor("dina"), Device())
    invited = invitations.invite(
        demo_people.actor("samira"),
        NewInvitation(
            email="nour.haddad@maravena.example",
            roles=(Role.MEMBER,),
            organisation_id=demo_people.bodies["od"].id,
        ),
    )
    draft = authoring.take_in(
        demo_people.actor("iris"), changed("Agreed terms", "Agreed terms, as we put them")
    )
    _begin_an_answer(demo_people)
    _give_notice(demo_people)
    _ask_for_copies()
    return Begun(invited.id, invited.token, draft.id, _withdraw_a_scan(demo_people))


def _terms(cooperation: str) -> Checklist:
    return db.session.scalars(
        sa.select(Checklist)
        .join(Cooperation, Cooperation.id == Checklist.cooperation_id)
        .where(Checklist.kind == ChecklistKind.TERMS)
        .order_by(Cooperation.reference)
    ).all()[COOPERATIONS.index(cooperation)]


def _give_notice(demo_people: people.DemoPeople) -> None:
    """Have a CSO give notice that the terms in force end, on a distant day."""
    day = clock.today() + dt.timedelta(days=300)
    reason = "Our board has decided so."
    henrik = demo_people.actor("henrik")
    notices.give_notice(henrik, _terms("complete"), NoticeKind.ENDED, reason=reason, from_on=day)


def _ask_for_copies() -> None:
    """Ask the interpreter about copies, as when access ends."""
    undertaking = db.session.scalars(
        sa.select(Undertaking)
        .join(Undertaking.user)
        .where(
            User.name == next(person.name for person in people.PEOPLE if person.key == "marek"),
            Undertaking.countersigned_at.is_not(None),
        )
        .options(*undertakings.WITH_NAMES)
    ).one()
    closing.request_return(None, undertaking)


def _withdraw_a_scan(demo_people: people.DemoPeople) -> UUID:
    """Have a CSO's coordinator record a scan of the pending terms, and withdraw it."""
    terms = _terms("waiting")
    joana = demo_people.actor("joana")
    record = scans.record(joana, terms)
    paper.withdraw(joana, terms, record.id, reason="The wrong file.")
    return record.id


def _begin_an_answer(demo_people: people.DemoPeople) -> None:
    """Have a CSO's coordinator begin an answer to the differing terms, and not save it."""
    terms = _terms("differing")
    samira = demo_people.actor("samira")
    assert samira.organisation_id is not None
    whose = DraftKey(samira.user_id, samira.organisation_id, "M13", DraftKind.SHARED)
    drafts.keep(terms, whose, {"f_safety_rules": ["Begun."]}, base_version=0, number=1)


def outsiders(demo_people: people.DemoPeople) -> None:
    """Add an NPM of another country with its coordinator, and somebody without a role."""
    demo_people.bodies["abroad"] = organisations.add(
        None, OrganisationKind.NPM, Details(name="Chamber of Visits of Sundland")
    )
    _accept(demo_people, "vera", "Vera Sandholt", "abroad", Role.COORDINATOR)
    _accept(demo_people, "noor", "Noor Eland", "od", Role.MEMBER)
    role = db.session.scalars(
        sa.select(Membership).where(Membership.user_id == demo_people.users["noor"].id)
    ).one()
    service.end_role(demo_people.actor("samira"), role.id, reason="Left for other work")


def _let_powers_wait(demo_people: people.DemoPeople) -> None:
    """Give a role that a colleague has to confirm, and one that its person has to accept."""
    for by, to, body in (("samira", "dina", "od"), ("iris", "vera", "abroad")):
        role = NewRole(
            Role.SIGNATORY,
            demo_people.bodies[body].id,
            office="Deputy",
            power="Decision of its board",
        )
        service.give_role(demo_people.actor(by), demo_people.users[to].id, role)


def _accept(demo_people: people.DemoPeople, key: str, name: str, body: str, role: Role) -> None:
    invited = invitations.invite(
        None,
        NewInvitation(
            email=f"{key}@outside.example",
            roles=(role,),
            name=name,
            organisation_id=demo_people.bodies[body].id,
        ),
    )
    demo_people.users[key] = invitations.accept(
        invited.token, name=name, password=PASSWORD, language="en"
    )
