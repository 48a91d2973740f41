"""The demonstration, its complete cooperation running or ended, fresh for each test."""

from collections.abc import Callable

import pytest
from sqlalchemy.orm import Session

from tests import due
from tests.factories.demonstration import Demonstration
from tests.factories.visits import Scene
from tracker.agreements import notices
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import NoticeKind


@pytest.fixture
def scene(session: Session, demonstration: Demonstration) -> Scene:
    return Scene(session, demonstration)


@pytest.fixture
def end_cooperation(scene: Scene) -> Callable[[], None]:
    """Ends the agreed terms, and the cooperation with them, as a signatory and the worker do."""

    def end() -> None:
        terms = scene.checklist(ChecklistKind.TERMS, None)
        notice = notices.give_notice(
            scene.actor("tomas"), terms, NoticeKind.ENDED, reason="The project is over."
        )
        scene.session.commit()
        due.carry_out_due(notice.from_on)
        scene.session.commit()

    return end


@pytest.fixture
def ended(scene: Scene, end_cooperation: Callable[[], None]) -> Scene:
    """The scene once its cooperation has ended."""
    end_cooperation()
    return scene
