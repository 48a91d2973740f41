"""A form is refused only if its page was opened for another organisation."""

import pytest

from tracker.access.page_organisation import require_same
from tracker.core.errors import RuleBrokenError


def test_a_page_of_another_organisation_is_refused() -> None:
    with pytest.raises(RuleBrokenError, match="another organisation"):
        require_same("0000000a", "0000000b")


@pytest.mark.parametrize(
    ("now", "seen"), [("0000000a", "0000000a"), ("", "0000000a"), ("0000000a", ""), ("", "")]
)
def test_a_page_of_the_same_organisation_or_of_none_is_not(now: str, seen: str) -> None:
    require_same(now, seen)
