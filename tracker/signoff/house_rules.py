"""What this instance asks of signing, set once from its settings."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HouseRules:
    """Four eyes: who drafted alone is not the only signer of the NPM side. Days: until it runs out."""

    four_eyes: bool = False
    days: int = 30


class _Kept:
    rules = HouseRules()


def use(rules: HouseRules) -> None:
    """Set what is asked from now on."""
    _Kept.rules = rules


def current() -> HouseRules:
    """Return what is asked."""
    return _Kept.rules
