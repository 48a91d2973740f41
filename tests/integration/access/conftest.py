"""Walks over all pages, which all tests of a worker share."""

import pytest
from flask import Flask

from tests.integration.access.walks import Walks, prepare


@pytest.fixture(scope="session")
def walks(worker_app: Flask) -> Walks:
    """Walks as the people of the demonstration, each done once."""
    return prepare(worker_app)
