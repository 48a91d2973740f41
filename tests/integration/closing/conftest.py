"""The demonstration, with its complete cooperation running or ended, fresh for each test."""

from collections.abc import Callable
from functools import partial

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests import due, starting_points
from tests.factories.demonstration import Demonstration
from tests.factories.visits import Scene
from tracker.agreements import notices
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import NoticeKind
from tracker.core.db import db


@pytest.fixture
def scene(session: Session, demonstration: Demonstration) -> Scene:
    return Scene(session, demonstration)


@pytest.fixture
def end_cooperation(scene: Scene) -> Callable[[], None]:
    """Ends the agreed terms, and with them the cooperation, as a signatory and the worker do."""
    return partial(_end, scene)


@pytest.fixture
def ended(app: Flask, scene: Scene) -> Scene:
    """The scene once its cooperation has ended."""
    points = starting_points.of(app)
    points.use("ended", partial(_ended, scene.demonstration), on="demonstration")
    return scene


def _ended(demonstration: Demonstration) -> None:
    _end(Scene(db.session(), demonstration))


def _end(scene: Scene) -> None:
    terms = scene.checklist(ChecklistKind.TERMS, None)
    notice = notices.give_notice(
        scene.actor("tomas"), terms, NoticeKind.ENDED, reason="The project is over."
    )
    scene.session.commit()
    due.carry_out_due(notice.from_on)
    scene.session.commit()
