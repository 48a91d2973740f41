"""This instance's settings for signing."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class HouseRules:
    """Whether who drafted alone can't be the NPM's only signer; days until a request runs out."""

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
