"""The demonstration's cleared people, and a visit that is ready."""

import datetime as dt
from typing import Any
from uuid import UUID

import sqlalchemy as sa

from tracker.activity.stale import recompute
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import service as checklists
from tracker.checklists.models import Checklist
from tracker.cooperations.models import Cooperation
from tracker.core import clock
from tracker.core.db import db
from tracker.core.localized import LocalizedStr
from tracker.demo.answers import answers
from tracker.demo.checklists import fill_in, identity, send, sign
from tracker.demo.people import DemoPeople, ids
from tracker.undertakings import queries
from tracker.undertakings import service as undertakings
from tracker.undertakings.facts import Draft
from tracker.undertakings.models import InterestsDecision, Undertaking, UndertakingState
from tracker.visits import readiness, shown
from tracker.visits import service as visits
from tracker.visits.encryption import Plan
from tracker.visits.models import Visit
from tracker.visits.service import AudienceEntry, Member, TeamPlan

# Who signs, and what they declare; Dina Faro doesn't sign hers, so that one is still to be signed.
SIGNERS = {
    "marek": "",
    "samira": "I took two cases from the police station of another town, both closed.",
    "henrik": "",
    "joana": "",
    "leyla": "Until 2023 I worked one day a week in an emergency ward of the region.",
    "otto": "",
}
VISIT_IN = dt.timedelta(days=21)


def clear_people(demo_people: DemoPeople, cooperation: Cooperation) -> None:
    """Have each named person sign their undertaking, and the NPM decide and countersign."""
    for key, interests in SIGNERS.items():
        undertaking_id = _undertaking_id(cooperation, demo_people.users[key].id)
        _sign(demo_people, key, undertaking_id, interests)
        head = demo_people.actor("tomas")
        signed = db.session.get_one(Undertaking, undertaking_id)
        if interests or signed.party_has_interest:
            seen = undertakings.decision_mark(signed)
            undertakings.decide(head, undertaking_id, InterestsDecision.ACCEPT, seen=seen)
        undertakings.countersign(
            head,
            undertaking_id,
            opened=undertakings.page_1_token(head, signed),
            page=undertakings.page_to_countersign(signed),
            until=clock.today() + dt.timedelta(days=700),
            sentence=f"I, {head.name}, countersign this undertaking in this demonstration.",
            language="en",
            identity=identity(head),
        )
    recompute()


def _undertaking_id(cooperation: Cooperation, user_id: UUID) -> UUID:
    return db.session.scalars(
        sa.select(Undertaking.id).where(
            Undertaking.cooperation_id == cooperation.id,
            Undertaking.user_id == user_id,
            Undertaking.state == UndertakingState.ASKED,
        )
    ).one()


def _sign(demo_people: DemoPeople, key: str, undertaking_id: UUID, interests: str) -> None:
    actor = demo_people.actor(key)
    loaded = queries.load(queries.locked(undertaking_id))
    questions = queries.questions_of(loaded)
    undertakings.save_draft(
        actor,
        undertaking_id,
        Draft(
            confirmed=frozenset(questions.names),
            briefed=True,
            briefed_on=clock.today(),
            has_interests=bool(interests),
            interests=interests,
            is_ready=True,
        ),
    )
    sentence = f"I, {actor.name}, undertake this in my own name, in this demonstration."
    undertakings.sign(
        actor,
        undertaking_id,
        page=undertakings.page_to_sign(loaded, LocalizedStr(sentence, "en")),
        sentence=sentence,
        language="en",
        identity=identity(actor),
    )


def make_ready(demo_people: DemoPeople, cooperation: Cooperation) -> None:
    """Plan a visit, fill in and sign its roles and plan, and have each member confirm.

    What somebody without an account confirms is left for others to record.
    """
    visit = _plan(demo_people, cooperation)
    recompute()
    rows = {
        row.kind: row
        for row in db.session.scalars(sa.select(Checklist).where(Checklist.visit_id == visit.id))
    }
    roles, plan = rows[ChecklistKind.VISIT_ROLES], rows[ChecklistKind.URGENT_PLAN]
    _say_more_of_the_lead(demo_people, roles)
    fill_in(demo_people, roles)
    members = ("pavo", "ruth", "leyla", "samira", "marek")
    team = [key for key in members if demo_people.users[key].signs_in]
    for key in team:
        mark = shown.task_mark(demo_people.actor(key), readiness.read(visit))
        visits.accept_role(demo_people.actor(key), visit, mark=mark)
    for checklist in (roles, plan):
        if checklist is plan:
            fill_in(demo_people, plan)
        send(demo_people, checklist)
        sign(demo_people, checklist)
    for key in team:
        mark = shown.plan_mark(demo_people.actor(key), readiness.read(visit))
        visits.confirm_plan(demo_people.actor(key), visit, mark=mark)


def _say_more_of_the_lead(demo_people: DemoPeople, roles: Checklist) -> None:
    """Complete lead and deputy (V3), who were named when the visit was planned."""
    values = _answers(demo_people)["V3"]
    checklists.save_answer(
        demo_people.actor("ilena"), roles, "V3", AnswerScope.SHARED, values, base_version=1
    )


def _answers(demo_people: DemoPeople) -> dict[str, dict[str, Any]]:
    takes_part = frozenset(
        {user.id for user in demo_people.users.values()}
        | {body.id for body in demo_people.bodies.values()}
    )
    return answers(ChecklistKind.VISIT_ROLES, ids(demo_people), takes_part)


def _plan(demo_people: DemoPeople, cooperation: Cooperation) -> Visit:
    ready = _answers(demo_people)
    first = clock.today() + VISIT_IN
    return visits.plan_visit(
        demo_people.actor("ilena"),
        cooperation,
        kind=ready["V1"],
        announced=ready["V2"]["announced"],
        plan=Plan("Lower Harbour police station", first, first + dt.timedelta(days=1)),
        team_plan=TeamPlan(
            lead_id=UUID(ready["V3"]["lead"]),
            deputy_id=UUID(ready["V3"]["deputy"]),
            members=tuple(
                Member(UUID(row["person"]), row["skill"], row["languages"])
                for row in ready["V4"]["team"]
            ),
            audience=tuple(
                AudienceEntry(UUID(row["person"]), dt.date.fromisoformat(row["from"]))
                for row in ready["V2"]["audience"]
            ),
            gaps=ready["V4"]["gaps"],
        ),
    )
