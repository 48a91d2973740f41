"""A set of keys for each test."""

from collections.abc import Iterator

import pytest

from tests.services import alone
from tracker.core import keys
from tracker.core.keys import Keys


@pytest.fixture
def own_keys() -> Iterator[Keys]:
    """Four different keys, used for the test."""
    own = Keys(*(bytes([number]) * 32 for number in range(1, 5)))
    with alone(keys.KEYS.holding(own)):
        yield own
