"""Yes, or no with the reason."""

import pytest

from tracker.access.decision import YES, no
from tracker.core.errors import RefusedError, RuleBrokenError, StaleError


def test_a_decision_is_true_or_false() -> None:
    assert YES
    assert not no("Not now.")


def test_require_raises_a_no_with_its_reason() -> None:
    YES.require()
    with pytest.raises(RefusedError) as refused:
        no("Not now.").require()
    assert str(refused.value) == refused.value.reason == "Not now."


def test_a_broken_rule_says_why_and_where() -> None:
    broken = RuleBrokenError("Name different people.", "deputy")
    assert (str(broken), broken.field) == ("Name different people.", "deputy")
    assert RuleBrokenError("No.").field is None
    assert issubclass(StaleError, RuleBrokenError)
