"""Keys of their own for each test; the application's come back afterwards."""

from collections.abc import Iterator

import pytest

from tracker.core import keys
from tracker.core.keys import Keys


@pytest.fixture
def own_keys() -> Iterator[Keys]:
    """Four keys that differ, in use for the test."""
    before = keys._ring.keys
    own = Keys(*(bytes([number]) * 32 for number in range(1, 5)))
    keys.use(own)
    yield own
    keys._ring.keys = before
