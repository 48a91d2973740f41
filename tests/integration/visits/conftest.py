"""The demonstration, whose first visit is ready, fresh for each test."""

import pytest
from sqlalchemy.orm import Session

from tests.factories.demonstration import Demonstration
from tests.factories.visits import JointVisit


@pytest.fixture
def joint_visit(session: Session, demonstration: Demonstration) -> JointVisit:
    return JointVisit(session, demonstration)
