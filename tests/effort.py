"""How many examples open-ended tests try: few in make test, many in make test-all."""

import os

# Set by make test-all.
LONG = "TRACKER_TEST_LONG"


def is_long() -> bool:
    """Return whether tests run in their long form."""
    return bool(os.environ.get(LONG))


def tries(short: int, long: int) -> int:
    """Return how many examples to try."""
    return long if is_long() else short
