"""This instance's settings for signing."""

from dataclasses import dataclass

from tracker.core.services import Slot


@dataclass(frozen=True, slots=True)
class HouseRules:
    """Whether who drafted alone can't be the NPM's only signer; days until a request runs out."""

    four_eyes: bool = False
    days: int = 30


HOUSE_RULES: Slot[HouseRules] = Slot("house_rules", HouseRules())


def current() -> HouseRules:
    """Return what is asked."""
    return HOUSE_RULES.get()
