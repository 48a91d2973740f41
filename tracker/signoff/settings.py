"""This instance's settings for signing."""

from dataclasses import dataclass

from tracker.core.services import Slot


@dataclass(frozen=True, slots=True)
class HouseRules:
    """Whether sole drafters can't be the NPM's only signers; the days until a request expires."""

    four_eyes: bool = False
    days: int = 30


HOUSE_RULES: Slot[HouseRules] = Slot("house_rules", HouseRules())


def current() -> HouseRules:
    """Return the settings of the current application."""
    return HOUSE_RULES.get()
