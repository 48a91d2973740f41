"""A cooperation of an NPM with two CSOs, with people added and terms started."""

import pytest
from sqlalchemy.orm import Session

from tests.factories.negotiations import Negotiation, set_out
from tests.factories.templates import small_terms


@pytest.fixture
def negotiation(session: Session) -> Negotiation:
    """A cooperation with nothing answered yet, on the small terms."""
    return set_out(session, template=small_terms())


@pytest.fixture
def shipped_negotiation(session: Session) -> Negotiation:
    """A cooperation with nothing answered yet, on the shipped checklists."""
    return set_out(session)
