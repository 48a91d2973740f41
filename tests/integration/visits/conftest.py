"""The demonstration, whose first visit is ready, fresh for each test."""

import pytest
from sqlalchemy.orm import Session

from tests.factories.demonstration import Demonstration
from tests.factories.visits import Scene


@pytest.fixture
def scene(session: Session, demonstration: Demonstration) -> Scene:
    return Scene(session, demonstration)
