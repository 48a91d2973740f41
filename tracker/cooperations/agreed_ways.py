"""The ways of working that count: those chosen, as far as the parties have signed them. Pure.

The ways of working of a cooperation are what it prepares. Once terms are in force, one side alone
can't add to them: what is added counts when an amendment is signed by all.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from uuid import UUID

from tracker.cooperations.models import Knowledge, Mode, Stage
from tracker.cooperations.modes import (
    STANDING_PLAN,
    Level,
    Question,
    can_have_visits,
    requirement,
)

# The items of the terms that name the ways of working, and settle the safety of people on visits;
# every way of working with visits requires both.
WAYS = "M3"
SAFETY = "M13"
# The item that settles mutual protection, which alone requires no M3.
PROTECTION = "M15"
# The ways of working whose people take part in visits only if the answer to a question says so.
_ASKED = {Mode.EXP: Question.EXPERT_ON_VISIT, Mode.ADVIS: Question.MEMBERS_ON_VISITS}
ON_VISITS_IF_ASKED = frozenset(_ASKED)


@dataclass(frozen=True, slots=True)
class AgreedWays:
    """What the terms in force say about the ways of working."""

    # None if they don't name any: a prior agreement on paper, completed by of_paper().
    modes: frozenset[Mode] | None
    # Of those whose people take part in visits only on a condition, the ones for which the terms
    # settle visits.
    on_visits: frozenset[Mode] = ON_VISITS_IF_ASKED


@dataclass(frozen=True, slots=True)
class TermsStop:
    """A notice that stops the agreed terms, before the worker has applied it.

    stage is what the cooperation enters then, and day the first one without these terms.
    """

    stage: Stage
    day: dt.date


@dataclass(frozen=True, slots=True)
class TermsState:
    """What the terms say about the ways of working, and whether they can be changed now."""

    # None before the terms are in force.
    agreed: AgreedWays | None = None
    # Whether they are being drafted or amended, or have been sent for signature.
    is_drafted: bool = True
    is_sent: bool = False
    # The checklist; None before it is started.
    checklist_id: UUID | None = None

    @property
    def can_take_more(self) -> bool:
        """Whether a way of working can be added now, so that all parties decide on it."""
        return self.is_drafted


def of_paper(agreed: AgreedWays, modes: Iterable[Mode], questions: Mapping[str, str]) -> AgreedWays:
    """Return what an agreement on paper covers that names no ways of working.

    These are the ways of working, with their answers, chosen when it was recorded. Experts and
    members take part in visits if those answers said so.
    """
    chosen = frozenset(modes)
    on_visits = {mode for mode in chosen & ON_VISITS_IF_ASKED if can_have_visits({mode}, questions)}
    return AgreedWays(chosen, agreed.on_visits | on_visits)


def counting(modes: Iterable[Mode], agreed: AgreedWays | None) -> list[Mode]:
    """Return the chosen ways of working that count; all of them before terms are in force."""
    if agreed is None:
        return list(modes)
    return [mode for mode in modes if mode in (agreed.modes or ())]


def visits_count(
    modes: Iterable[Mode], questions: Mapping[str, str], agreed: AgreedWays | None
) -> bool:
    """Return whether joint visits belong to the ways of working that count.

    Experts and members of an advisory body take part if the answers to the questions say so, and
    the terms in force settle their safety (M13).
    """
    if agreed is not None:
        unsettled = ON_VISITS_IF_ASKED - agreed.on_visits
        questions = {**questions, **{_ASKED[mode].value: Knowledge.NO.value for mode in unsettled}}
    return can_have_visits(counting(modes, agreed), questions)


def standing_plan_counts(
    modes: Iterable[Mode], questions: Mapping[str, str], agreed: AgreedWays | None
) -> bool:
    """Return whether the ways of working that count require a standing urgent-action plan."""
    counted = counting(modes, agreed)
    return requirement(STANDING_PLAN, counted, questions).level is Level.REQUIRED


def added(
    chosen: Iterable[Mode], current: Iterable[Mode], agreed: AgreedWays | None
) -> frozenset[Mode]:
    """Return the ways of working that neither the cooperation nor its terms in force have yet."""
    signed = agreed.modes if agreed and agreed.modes else frozenset()
    return frozenset(chosen) - frozenset(current) - signed
