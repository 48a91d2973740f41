"""The answer a policy gives: yes, or no with a reason."""

from dataclasses import dataclass

from tracker.core.errors import RefusedError


@dataclass(frozen=True, slots=True)
class Decision:
    """Whether something may be done; a refusal has a reason to show to the person."""

    allowed: bool
    reason: object = ""

    def __bool__(self) -> bool:
        return self.allowed

    def require(self) -> None:
        """Raise RefusedError with the reason if this is a refusal."""
        if not self.allowed:
            raise RefusedError(self.reason)


YES = Decision(allowed=True)


def no(reason: object) -> Decision:
    """Return a refusal with its reason."""
    return Decision(allowed=False, reason=reason)
