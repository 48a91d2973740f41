"""After any sequence of actions by several parties, the stored values equal a full recheck."""

import datetime as dt
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
import sqlalchemy as sa
from click.testing import Result
from flask import Flask
from hypothesis import HealthCheck, Phase, assume, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)
from sqlalchemy.orm import Session

from tests import starting_points
from tests.effort import tries
from tests.factories.checklists import flag_term, read_second
from tests.factories.demonstration import Demonstration
from tests.factories.demonstration import make as make_demonstration
from tests.factories.visits import JointVisit, accept_role, confirm_plan
from tests.starting_points import noon_in
from tracker.access.actor import Role
from tracker.accounts.models import Membership
from tracker.accounts.people import service as accounts
from tracker.agreements import amendments, notices
from tracker.agreements import service as agreements
from tracker.checklist_templates.models import AnswerScope, ChecklistKind
from tracker.checklists import service as checklists
from tracker.checklists.loading import load
from tracker.checklists.models import Checklist, NoticeKind, Stance
from tracker.checklists.negotiation import positions
from tracker.cooperations import service as cooperations
from tracker.cooperations.models import Mode
from tracker.core.db import db
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError
from tracker.demo import checklists as demo_checklists
from tracker.mail.transport import from_url
from tracker.undertakings import service as undertakings
from tracker.undertakings.models import Undertaking
from tracker.worker import jobs, recheck

HOMES = {
    "ilena": "npm",
    "tomas": "npm",
    "pavo": "npm",
    "ruth": "npm",
    "samira": "od",
    "henrik": "od",
    "dina": "od",
    "joana": "lh",
    "leyla": "lh",
    "otto": "lh",
}
ANYBODY = st.sampled_from(list(HOMES))
SIGNATORY = st.sampled_from(["tomas", "henrik", "otto"])
KIND = st.sampled_from(list(ChecklistKind))
# Items to draw from, most of them looked at by a gate.
ITEM = {
    ChecklistKind.TERMS: st.sampled_from(["M2", "M12", "M18"]),
    ChecklistKind.CONFIDENTIALITY: st.sampled_from(["C1", "C4"]),
    ChecklistKind.VISIT_ROLES: st.sampled_from(["V5", "V8", "V13"]),
    ChecklistKind.URGENT_PLAN: st.sampled_from(["U3", "U5"]),
}


class AnyAct(RuleBasedStateMachine):
    """Random acts by people of three parties on the demonstration's complete cooperation.

    Acts may be refused; each one is committed before the next.
    """

    def __init__(self, app: Flask, demonstration: Demonstration, at: Callable[[Any], None]) -> None:
        super().__init__()
        self.app, self.demonstration, self.at = app, demonstration, at

    @initialize()
    def begin(self) -> None:
        starting_points.of(self.app).reset("demonstration")
        self.context = self.app.app_context()
        self.context.push()
        self.days, self.is_rechecked = 1, False
        self.at(noon_in(self.days))
        self.joint_visit = JointVisit(db.session(), self.demonstration)

    def teardown(self) -> None:
        if hasattr(self, "context"):
            db.session.rollback()
            self.context.pop()
        self.at(None)

    def do(self, act: Callable[[], object]) -> None:
        """Do something and commit it, or leave nothing of it if it is refused."""
        try:
            act()
            db.session.commit()
            self.is_rechecked = False
        except (RefusedError, RuleBrokenError, StaleError):
            db.session.rollback()

    def checklist(self, kind: ChecklistKind) -> Checklist:
        of_visit = kind in {ChecklistKind.VISIT_ROLES, ChecklistKind.URGENT_PLAN}
        return self.joint_visit.checklist(kind, 1 if of_visit else None)

    @rule(who=ANYBODY)
    def somebody_is_suspended(self, who: str) -> None:
        iris = self.joint_visit.actor("iris")
        self.do(
            lambda: accounts.suspend(iris, self.joint_visit.user(who), reason="A lost telephone")
        )

    @rule(who=ANYBODY)
    def somebody_is_restored(self, who: str) -> None:
        self.do(
            lambda: accounts.restore(self.joint_visit.actor("iris"), self.joint_visit.user(who))
        )

    @rule(who=ANYBODY)
    def all_roles_of_somebody_end(self, who: str) -> None:
        roles = db.session.scalars(
            sa.select(Membership.id).where(
                Membership.user_id == self.joint_visit.user(who), Membership.ended_at.is_(None)
            )
        )
        for role_id in roles.all():
            iris = self.joint_visit.actor("iris")
            self.do(partial(accounts.end_role, iris, role_id, reason="Works elsewhere"))

    @rule(who=ANYBODY, role=st.sampled_from([Role.MEMBER, Role.COORDINATOR]))
    def somebody_is_given_a_role(self, who: str, role: Role) -> None:
        new = accounts.NewRole(role, self.joint_visit.body(HOMES[who]))
        self.do(
            lambda: accounts.give_role(
                self.joint_visit.actor("iris"), self.joint_visit.user(who), new
            )
        )

    @rule(who=ANYBODY)
    def somebody_leaves(self, who: str) -> None:
        home = HOMES[who]
        self.do(
            lambda: cooperations.end_person(
                self.joint_visit.actor(demo_checklists.COORDINATORS[home]),
                self.joint_visit.cooperation,
                user_id=self.joint_visit.user(who),
                organisation_id=self.joint_visit.body(home),
            )
        )

    @rule(who=ANYBODY)
    def somebody_comes(self, who: str) -> None:
        home = HOMES[who]
        self.do(
            lambda: cooperations.add_person(
                self.joint_visit.actor(demo_checklists.COORDINATORS[home]),
                self.joint_visit.cooperation,
                user_id=self.joint_visit.user(who),
                organisation_id=self.joint_visit.body(home),
            )
        )

    @rule(who=st.sampled_from(["samira", "henrik", "joana", "leyla", "otto"]))
    def somebody_withdraws(self, who: str) -> None:
        requests = db.session.scalars(
            sa.select(Undertaking.id).where(
                Undertaking.cooperation_id == self.joint_visit.cooperation.id,
                Undertaking.user_id == self.joint_visit.user(who),
            )
        )
        for request_id in requests.all():
            self.do(partial(undertakings.withdraw, self.joint_visit.actor(who), request_id))

    @rule(kind=KIND, who=SIGNATORY, halt=st.sampled_from(list(NoticeKind)))
    def a_text_is_stopped(self, kind: ChecklistKind, who: str, halt: NoticeKind) -> None:
        def stop() -> None:
            checklist = self.checklist(kind)
            notices.give_notice(
                self.joint_visit.actor(who), checklist, halt, reason="It is not safe."
            )

        self.do(stop)

    @rule(kind=KIND, who=SIGNATORY)
    def a_suspension_is_lifted(self, kind: ChecklistKind, who: str) -> None:
        def lift() -> None:
            checklist = self.checklist(kind)
            for notice in notices.open_notices(checklist):
                notices.close_notice(
                    self.joint_visit.actor(who), checklist, notice.id, reason="It is safe again."
                )

        self.do(lift)

    @rule(kind=KIND, data=st.data())
    def a_text_is_amended(self, kind: ChecklistKind, data: st.DataObject) -> None:
        item = data.draw(ITEM[kind])
        self.do(
            lambda: agreements.amend(
                self.joint_visit.actor("ilena"),
                self.checklist(kind),
                reason="A word.",
                items=[item],
            )
        )

    @rule(kind=KIND, who=st.sampled_from(["ilena", "samira"]))
    def an_amendment_is_called_off(self, kind: ChecklistKind, who: str) -> None:
        self.do(
            lambda: amendments.call_off(
                self.joint_visit.actor(who), self.checklist(kind), reason="We differ."
            )
        )

    @rule(kind=KIND, who=st.sampled_from(["ilena", "samira", "joana"]), data=st.data())
    def an_answer_is_saved(self, kind: ChecklistKind, who: str, data: st.DataObject) -> None:
        def save() -> None:
            checklist, item = self.checklist(kind), data.draw(ITEM[kind])
            current = load(checklist).sheet.shared(item)
            values = dict(current.values) if current else {}
            checklists.save_answer(
                self.joint_visit.actor(who),
                checklist,
                item,
                AnswerScope.SHARED,
                values if data.draw(st.booleans()) else {},
                base_version=current.version if current else 0,
            )

        self.do(save)

    @rule(kind=KIND, who=st.sampled_from(["ilena", "samira", "joana"]), data=st.data())
    def a_position_is_taken(self, kind: ChecklistKind, who: str, data: st.DataObject) -> None:
        def take() -> None:
            checklist, item = self.checklist(kind), data.draw(ITEM[kind])
            current = load(checklist).sheet.shared(item)
            assume(current is not None)
            assert current is not None
            positions.take_position(
                self.joint_visit.actor(who),
                checklist,
                item,
                data.draw(st.sampled_from([Stance.ACCEPTS, Stance.WANTS_TALK])),
                answer_id=current.answer_id,
                reason="Let us talk.",
                outcome="We agreed.",
            )

        self.do(take)

    @rule(kind=KIND, data=st.data())
    def a_flag_is_raised(self, kind: ChecklistKind, data: st.DataObject) -> None:
        item = data.draw(ITEM[kind])
        self.do(
            lambda: flag_term(
                self.joint_visit.actor("samira"), self.checklist(kind), item, "Who decides?"
            )
        )

    @rule(kind=KIND)
    def a_text_is_sent_and_signed(self, kind: ChecklistKind) -> None:
        def sign() -> None:
            checklist = self.checklist(kind)
            if kind is ChecklistKind.TERMS:
                read_second(self.joint_visit.actor("nadia"), checklist)
            demo_checklists.send(self.joint_visit.demo_people, checklist)
            demo_checklists.sign(self.joint_visit.demo_people, checklist)

        self.do(sign)

    @rule(modes=st.sets(st.sampled_from([Mode.VISIT, Mode.INFO_F, Mode.SUPP])))
    def modes_are_set(self, modes: set[Mode]) -> None:
        cooperation = self.joint_visit.cooperation
        self.do(
            lambda: cooperations.set_modes(
                self.joint_visit.actor("ilena"),
                cooperation,
                version=cooperation.version,
                modes=sorted(modes),
                questions=cooperation.questions,
            )
        )

    @rule(who=st.sampled_from(["pavo", "ruth", "leyla", "samira", "marek"]))
    def somebody_accepts_a_task(self, who: str) -> None:
        self.do(lambda: accept_role(self.joint_visit.actor(who), self.joint_visit.visit()))

    @rule(who=st.sampled_from(["pavo", "ruth", "leyla", "samira", "marek"]))
    def somebody_confirms_the_plan(self, who: str) -> None:
        self.do(lambda: confirm_plan(self.joint_visit.actor(who), self.joint_visit.visit()))

    @rule(days=st.integers(1, 40))
    def days_go_by_and_the_worker_comes(self, days: int) -> None:
        self.days += days
        self.is_rechecked = False
        self.at(noon_in(self.days))
        jobs.run_once(from_url("console://"), with_dates=True)
        jobs.judge_visits()
        self.joint_visit.session = db.session()

    @invariant()
    def a_recheck_finds_nothing_to_change(self) -> None:
        if self.is_rechecked:
            return  # whatever was done since then was refused
        assert recheck.recheck(self.joint_visit.cooperation.id) == []
        db.session.rollback()
        self.is_rechecked = True


def test_whatever_is_done_a_recheck_finds_nothing(
    worker_app: Flask, frozen_time: Callable[[dt.datetime | None], None]
) -> None:
    demonstration = starting_points.of(worker_app).use("demonstration", make_demonstration)

    class Here(AnyAct):
        def __init__(self) -> None:
            super().__init__(worker_app, demonstration, frozen_time)

    run_state_machine_as_test(
        Here,
        settings=settings(
            max_examples=tries(8, 150),
            stateful_step_count=tries(8, 25),
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        ),
    )


def test_the_command_prints_and_corrects_what_differed(
    app: Flask, demonstration: Demonstration, session: Session
) -> None:
    joint_visit = JointVisit(session, demonstration)
    terms = joint_visit.checklist(ChecklistKind.TERMS, None)
    session.execute(sa.update(Checklist).where(Checklist.id == terms.id).values(done_count=0))
    visit = joint_visit.visit()
    visit.is_ready = False
    session.commit()

    def run(*words: str) -> Result:
        return app.test_cli_runner().invoke(args=["recheck", *words])

    done = run(joint_visit.reference)
    assert done.exit_code == 0, done.output
    assert f"{joint_visit.reference}, visit {visit.id}: J3, False became J3, True" in done.output
    assert f"{joint_visit.reference}, checklist {terms.id}: 0, " in done.output
    assert "Values that differed: 2." in done.output
    assert "Values that differed: 0." in run("--all").output


@pytest.mark.parametrize(
    ("words", "why"),
    [
        ((), "or --all"),
        (("--all", "C-2026-0001"), "or --all"),
        (("C-1999-0001",), "There is no cooperation C-1999-0001."),
    ],
)
def test_the_command_says_what_it_needs(app: Flask, words: tuple[str, ...], why: str) -> None:
    done = app.test_cli_runner().invoke(args=["recheck", *words])
    assert done.exit_code != 0
    assert why in done.output
