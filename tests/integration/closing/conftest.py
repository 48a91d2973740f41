"""The demonstration, with its complete cooperation running or ended, fresh for each test."""

from collections.abc import Callable
from functools import partial

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests import due, starting_points
from tests.factories.demonstration import Demonstration
from tests.factories.visits import JointVisit
from tracker.agreements import notices
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import NoticeKind
from tracker.core.db import db


@pytest.fixture
def joint_visit(session: Session, demonstration: Demonstration) -> JointVisit:
    return JointVisit(session, demonstration)


@pytest.fixture
def end_cooperation(joint_visit: JointVisit) -> Callable[[], None]:
    """Ends the agreed terms, and with them the cooperation, as a signatory and the worker do."""
    return partial(_end, joint_visit)


@pytest.fixture
def ended(app: Flask, joint_visit: JointVisit) -> JointVisit:
    """The joint visit once its cooperation has ended."""
    points = starting_points.of(app)
    points.use("ended", partial(_ended, joint_visit.demonstration), on="demonstration")
    return joint_visit


def _ended(demonstration: Demonstration) -> None:
    _end(JointVisit(db.session(), demonstration))


def _end(joint_visit: JointVisit) -> None:
    terms = joint_visit.checklist(ChecklistKind.TERMS, None)
    notice = notices.give_notice(
        joint_visit.actor("tomas"), terms, NoticeKind.ENDED, reason="The project is over."
    )
    joint_visit.session.commit()
    due.carry_out_due(notice.from_on)
    joint_visit.session.commit()
