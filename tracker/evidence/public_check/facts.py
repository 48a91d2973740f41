"""Answers of the public verification page, as plain values. Pure."""

import datetime as dt
import enum
from dataclasses import dataclass

from tracker.signoff.labels import SignedWhen

# The subject type of events about exports of the registers.
REGISTER = "register"


class Verdict(enum.StrEnum):
    """The verdict on a text or a file."""

    GENUINE = "genuine"
    BEGINS_LATER = "begins_later"
    WAITING = "waiting"
    NOT_SIGNED = "not_signed"
    SUPERSEDED = "superseded"
    SUSPENDED = "suspended"
    ENDED = "ended"
    VISIT_STOPPED = "visit_stopped"
    DISAGREES = "disagrees"
    ALTERED = "altered"
    UNKNOWN = "unknown"
    BUNDLE = "bundle"
    STRANGE_BUNDLE = "strange_bundle"
    EXPORT = "export"


@dataclass(frozen=True, slots=True)
class Signer:
    """Who signed for which organisation, and when."""

    name: str
    organisation: str
    when: SignedWhen


@dataclass(frozen=True, slots=True)
class Answer:
    """A verdict; signers only if the cooperation allows naming them, else None."""

    verdict: Verdict
    signers: tuple[Signer, ...] | None = None
    # The first day of a fully signed text, if it is still to come.
    begins_on: dt.date | None = None

    @property
    def is_failure(self) -> bool:
        """Whether nothing genuine was shown: such questions are counted."""
        return self.verdict in {
            Verdict.UNKNOWN,
            Verdict.ALTERED,
            Verdict.DISAGREES,
            Verdict.STRANGE_BUNDLE,
        }

    @property
    def is_of_a_text(self) -> bool:
        """Whether it is about a text that people signed, or were asked to sign."""
        return not self.is_failure and self.verdict not in {Verdict.BUNDLE, Verdict.EXPORT}
