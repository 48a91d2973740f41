"""Every package tests on both databases what can differ between them."""

from pathlib import Path

import pytest

INTEGRATION = Path(__file__).parent.parent / "integration"
PARTS = sorted(folder.name for folder in INTEGRATION.iterdir() if (folder / "__init__.py").exists())
MARK = "pytest.mark.both_databases"


@pytest.mark.parametrize("part", PARTS)
def test_each_part_has_tests_that_run_on_both_databases(part: str) -> None:
    marked = [
        file.name for file in (INTEGRATION / part).glob("test_*.py") if MARK in file.read_text()
    ]
    assert marked, f"Mark a test of tests/integration/{part}: @{MARK}"
