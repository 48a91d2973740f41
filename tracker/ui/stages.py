"""What the stage line draws: each stage, and whether it was passed."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class StageView:
    """A stage on the stage line: passed, or off the line, entered and left by a decision."""

    code: str
    words: object
    is_past: bool
    is_beside: bool = False
