"""Fixtures for the guidance: two articles made for the test, replacing any others."""

from pathlib import Path

import pytest
from sqlalchemy.orm import Session

from tests.factories.guidance import ContentFolder, content_folder


@pytest.fixture
def folder(session: Session, tmp_path: Path) -> ContentFolder:
    """Two articles, loaded."""
    folder = content_folder(tmp_path)
    folder.load()
    return folder
