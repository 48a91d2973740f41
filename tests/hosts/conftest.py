"""Order of the tests on several hosts: whoever is killed in the short form isn't started again."""

import pytest


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Put the test that kills a host last, whatever the order of the others."""
    items.sort(key=lambda item: item.name.startswith("test_a_host_killed"))
