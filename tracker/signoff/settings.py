"""This instance's settings for signing."""

from dataclasses import dataclass

from tracker.core.services import Slot


@dataclass(frozen=True, slots=True)
class SigningSettings:
    """Whether sole drafters can't be the NPM's only signers; the days until a request expires."""

    four_eyes: bool = False
    days: int = 30


SIGNING_SETTINGS: Slot[SigningSettings] = Slot("signing_settings", SigningSettings())


def current() -> SigningSettings:
    """Return the settings of the current application."""
    return SIGNING_SETTINGS.get()
