"""What a value of a field may contain: whether it has content, and what can't be stored. Pure."""

import re
from typing import Any

# The key under which a table's fixed row stores its own key.
ROW = "_row"
# Characters that databases refuse in a text.
UNWRITABLE = re.compile("[\x00\ud800-\udfff]")


def has_content(value: Any) -> bool:
    """Return whether a value has content; an unticked box and an empty row do not."""
    if isinstance(value, list):
        return any(has_content(element) for element in value)
    if isinstance(value, dict):
        return any(has_content(cell) for key, cell in value.items() if key != ROW)
    # Zero is a value (0 days), so a plain comparison with False would be wrong.
    return value is not None and value is not False and value != ""
