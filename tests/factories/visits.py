"""The demonstration's joint visit, ready, and further ones planned by the services."""

import datetime as dt
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any
from uuid import UUID

import sqlalchemy as sa
from flask import current_app
from sqlalchemy.orm import Session, selectinload

from tests import starting_points
from tests.factories.actors import acting_today
from tests.factories.demonstration import Demonstration
from tests.starting_points import named, place_of
from tracker.access.actor import Actor
from tracker.accounts.models import User
from tracker.activity.models import Chain, Event, EventDetail
from tracker.activity.stale import recompute
from tracker.agreements import notices
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import service as checklists
from tracker.checklists.loading import load
from tracker.checklists.models import Checklist, Notice
from tracker.cooperations import queries as cooperations
from tracker.cooperations.models import Clearance, Cooperation, Party
from tracker.cooperations.modes import STANDING_PLAN
from tracker.core import clock
from tracker.core.db import db
from tracker.demo import people
from tracker.lifecycle import service as lifecycle
from tracker.mail.models import OutboxMessage
from tracker.organisations.models import Organisation
from tracker.undertakings.models import Undertaking, UndertakingState
from tracker.visits import readiness, service, shown
from tracker.visits.encryption import Plan
from tracker.visits.models import TeamMember, Visit
from tracker.visits.service import AudienceEntry, Member, TeamPlan

# Who is listed for the demonstration's visit, who is on its team, and who is neither.
LISTED = (
    "ilena",
    "pavo",
    "ruth",
    "tomas",
    "leyla",
    "otto",
    "joana",
    "samira",
    "henrik",
    "marek",
)
TEAM = ("pavo", "ruth", "leyla", "samira", "marek")
SMALL_TEAM = ("leyla", "samira", "marek")
OUTSIDE = ("nadia", "milan", "dina", "celia", "anton", "greta", "iris", "vera", "noor")
# A place and days that occur nowhere else.
PLACE = "Quillfen remand house"
FIRST_DAY = dt.timedelta(days=433)


@dataclass(slots=True)
class JointVisit:
    """The demonstration with its complete cooperation, whose visit 1 is ready."""

    session: Session
    demonstration: Demonstration
    # The starting point that the database is a copy of.
    start: str = "demonstration"

    def withdraw_notice(self) -> None:
        """Close the demonstration's notice, which ends the terms long before their last day."""
        notice = self.session.scalars(sa.select(Notice)).one()
        users = self.demonstration.users
        giver = next(key for key, user_id in users.items() if user_id == notice.given_by_id)
        terms = self.checklist(ChecklistKind.TERMS, None)
        notices.close_notice(self.actor(giver), terms, notice.id, reason="We go on.")

    def go_on(self, name: str, act: "Callable[[JointVisit], object]") -> None:
        """Do what several tests begin with, and commit; from a stored copy if nothing was done.

        The name says what that is. Rows that were read before it are out of date.
        """
        points = starting_points.of(current_app)
        if not points.is_untouched:
            act(self)
            self.session.commit()
            return
        before, self.start = self.start, named(self.start, name, place_of(act))

        def build() -> None:
            act(JointVisit(db.session(), self.demonstration))

        points.use(self.start, build, on=before)
        self.session.expire_all()

    @property
    def reference(self) -> str:
        return self.demonstration.references["complete"]

    @property
    def cooperation(self) -> Cooperation:
        return self.session.execute(
            sa.select(Cooperation)
            .where(Cooperation.id == self.demonstration.cooperations["complete"])
            .options(selectinload(Cooperation.parties).joinedload(Party.organisation))
            .execution_options(populate_existing=True)
        ).scalar_one()

    @property
    def demo_people(self) -> people.DemoPeople:
        """The people and organisations, in the form the demonstration's functions expect."""
        demo_people = people.DemoPeople()
        for key, user_id in self.demonstration.users.items():
            demo_people.users[key] = self.session.get_one(User, user_id)
        for key, organisation_id in self.demonstration.organisations.items():
            demo_people.bodies[key] = self.session.get_one(Organisation, organisation_id)
        return demo_people

    def user(self, key: str) -> UUID:
        return self.demonstration.users[key]

    def body(self, key: str) -> UUID:
        return self.demonstration.organisations[key]

    def actor(self, key: str) -> Actor:
        """Return a person as they act today, with the clearances that are open."""
        return acting_today(self.session.get_one(User, self.user(key)))

    def visit(self, number: int = 1) -> Visit:
        """Return a visit in its current state, after committing."""
        recompute()
        return self.session.execute(
            sa.select(Visit)
            .where(
                Visit.cooperation_id == self.demonstration.cooperations["complete"],
                Visit.number == number,
            )
            .execution_options(populate_existing=True)
        ).scalar_one()

    def checklist(self, kind: ChecklistKind, number: int | None = 1) -> Checklist:
        """Return a checklist of a visit, or for None the cooperation's own."""
        visit_id = self.visit(number).id if number is not None else None
        return self.session.execute(
            sa.select(Checklist)
            .where(
                Checklist.cooperation_id == self.demonstration.cooperations["complete"],
                Checklist.kind == kind,
                Checklist.visit_id == visit_id
                if visit_id is not None
                else Checklist.visit_id.is_(None),
            )
            .execution_options(populate_existing=True)
        ).scalar_one()

    def undertaking(self, key: str) -> Undertaking:
        recompute()
        return self.session.scalars(
            sa.select(Undertaking).where(
                Undertaking.cooperation_id == self.demonstration.cooperations["complete"],
                Undertaking.user_id == self.user(key),
                Undertaking.state != UndertakingState.CLOSED,
            )
        ).one()

    def clearance(self, key: str) -> Clearance:
        return self.session.scalars(
            sa.select(Clearance).where(
                Clearance.user_id == self.user(key), Clearance.closed_at.is_(None)
            )
        ).one()

    def members(self, number: int = 1) -> set[str]:
        """Return the people on a visit's team by their keys."""
        rows = self.session.scalars(
            sa.select(TeamMember.user_id).where(TeamMember.visit_id == self.visit(number).id)
        )
        keys = {user_id: key for key, user_id in self.demonstration.users.items()}
        return {keys[row] for row in rows}

    def events(self, *verbs: str) -> list[tuple[str, dict[str, Any]]]:
        """Return the cooperation's events in their order, all or those of some verbs."""
        recompute()
        rows = self.session.execute(
            sa.select(Event.verb, EventDetail.content)
            .join(EventDetail, EventDetail.event_id == Event.id)
            .join(Chain, Chain.id == Event.chain_id)
            .where(Chain.cooperation_id == self.demonstration.cooperations["complete"])
            .order_by(Event.number)
        )
        return [(verb, content) for verb, content in rows if not verbs or verb in verbs]

    def confirmations(self, number: int = 1) -> list[tuple[str, dict[str, Any]]]:
        """Return the events in a visit's own chain in their order: what its people confirm."""
        visit = self.visit(number)
        rows = self.session.execute(
            sa.select(Event.verb, EventDetail.content)
            .join(EventDetail, EventDetail.event_id == Event.id)
            .join(Chain, Chain.id == Event.chain_id)
            .where(Chain.visit_id == visit.id)
            .order_by(Event.number)
        )
        return [(verb, content) for verb, content in rows]

    def mails(self) -> list[OutboxMessage]:
        recompute()
        return list(self.session.scalars(sa.select(OutboxMessage)))


def days(scene_today: dt.date | None = None) -> Plan:
    """Return a place and future days that occur nowhere else."""
    first = (scene_today or clock.today()) + FIRST_DAY
    return Plan(PLACE, first, first + dt.timedelta(days=2))


def team_plan(
    joint_visit: JointVisit,
    *,
    lead: str = "pavo",
    deputy: str = "ruth",
    members: Iterable[str] = ("leyla", "marek"),
    audience: Iterable[str] = ("leyla", "marek"),
    from_on: dt.date | None = None,
    gaps: str = "",
    team_knows: bool = False,
) -> TeamPlan:
    """Return who leads, who is on the team and who may know."""
    return TeamPlan(
        lead_id=joint_visit.user(lead),
        deputy_id=joint_visit.user(deputy),
        members=tuple(Member(joint_visit.user(key), "Interviews", "Maravenan") for key in members),
        audience=tuple(AudienceEntry(joint_visit.user(key), from_on) for key in audience),
        gaps=gaps,
        team_knows=team_knows,
    )


def standing_plan(joint_visit: JointVisit) -> Checklist:
    """Start the standing urgent-action plan of the complete cooperation, which is optional."""
    actor = joint_visit.actor("ilena")
    cooperation = cooperations.find(actor, joint_visit.demonstration.references["complete"])
    assert cooperation is not None
    return lifecycle.start_recommended(actor, cooperation, STANDING_PLAN)


def planned(
    joint_visit: JointVisit,
    *,
    by: str = "ilena",
    plan: Plan | None = None,
    visit_id: UUID | None = None,
    **team: Any,
) -> Visit:
    """Plan another visit in addition to the demonstration's, through the service."""
    visit = service.plan_visit(
        joint_visit.actor(by),
        joint_visit.cooperation,
        kind={"kind": "thematic", "place_type": "police"},
        announced="unannounced",
        plan=plan or days(),
        team_plan=team_plan(joint_visit, **team),
        visit_id=visit_id,
    )
    recompute()
    return visit


def second_visit(joint_visit: JointVisit) -> Visit:
    """Plan another visit with a small team, which nobody has written anything about yet."""
    joint_visit.go_on("second_visit", _plan_second)
    return joint_visit.visit(2)


def _plan_second(joint_visit: JointVisit) -> None:
    planned(joint_visit, members=SMALL_TEAM, audience=SMALL_TEAM)


def accept_role(actor: Actor, visit: Visit) -> bool:
    """Accept a person's task as it is now."""
    mark = shown.task_mark(actor, readiness.read(visit))
    return service.accept_role(actor, visit, mark=mark)


def confirm_plan(actor: Actor, visit: Visit) -> bool:
    """Confirm the urgent-action plan as it is now."""
    mark = shown.plan_mark(actor, readiness.read(visit))
    return service.confirm_plan(actor, visit, mark=mark)


def without_credential_of(joint_visit: JointVisit, *keys: str) -> Visit:
    """Say in V13 that these people have no credential yet, so that the first visit isn't ready."""
    roles = joint_visit.checklist(ChecklistKind.VISIT_ROLES)
    current = load(roles).sheet.shared("V13")
    assert current is not None
    gone = {str(joint_visit.user(key)) for key in keys}
    rows = [row for row in current.values["credentials"] if row["person"] not in gone]
    checklists.save_answer(
        joint_visit.actor("ilena"),
        roles,
        "V13",
        AnswerScope.SHARED,
        {**current.values, "credentials": rows},
        base_version=current.version,
    )
    visit = joint_visit.visit()
    assert not visit.is_ready
    return visit


def override(actor: Actor, visit: Visit, *, reason: str = "A call that can't wait.") -> None:
    """Override gate J3 for what is missing now."""
    mark = shown.override_mark(actor, readiness.read(visit))
    service.override(actor, visit, reason=reason, mark=mark)
