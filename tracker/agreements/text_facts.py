"""What a frozen text says about itself: who signs it, its days, and the last day to sign it."""

import datetime as dt
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from tracker.agreements import frozen_text
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.rules.values import as_date
from tracker.cooperations.agreed_ways import AgreedWays
from tracker.core import canonical
from tracker.signoff import outcomes
from tracker.signoff.outcomes import Rule

# How many texts are cached, about 1 KB each.
MANY = 1000


@dataclass(frozen=True, slots=True)
class TextFacts:
    """What a frozen text says about itself: who signs it, and its first and last day."""

    rule: Rule
    first: dt.date | None = None
    last: dt.date | None = None
    # For a prior agreement: the date on its paper.
    made_on: dt.date | None = None
    # Of the terms.
    ways: AgreedWays | None = None
    # The last day to sign it.
    signed_until: dt.date | None = None


def facts_of(kind: str, digest: str, plain: bytes) -> TextFacts | None:
    """Return what a text says about itself; None if it doesn't match its digest."""
    return _parsed(kind, plain) if canonical.digest(plain) == digest else None


def facts_of_unencrypted(kind: str, digest: str, plain: bytes) -> TextFacts | None:
    """Return what facts_of() does for a text that isn't encrypted; cached by its digest.

    Pages compare each text with its digest every time, and parsing takes many times as long as
    that. Of an encrypted text nothing is cached.
    """
    if canonical.digest(plain) != digest:
        return None
    facts = _known.get((kind, digest), _UNKNOWN)
    if not isinstance(facts, _Unknown):
        return facts
    facts = _parsed(kind, plain)
    if len(_known) >= MANY:
        _known.clear()
    _known[kind, digest] = facts
    return facts


class _Unknown:
    """Stands for a text that wasn't parsed before."""


_UNKNOWN = _Unknown()
_known: dict[tuple[str, str], TextFacts | None] = {}


def _parsed(kind: str, plain: bytes) -> TextFacts | None:
    try:
        document = canonical.from_bytes(plain)
        ways = frozen_text.ways_in(document) if kind == ChecklistKind.TERMS else None
        until = outcomes.last_day_of(document)
        return TextFacts(outcomes.rule_of(document), *_days(kind, document), ways, until)
    except ValueError:
        return None


def first_day(kind: str, document: Mapping[str, Any]) -> dt.date | None:
    """Return the first day of a text, if it names one."""
    return days(kind, document)[0]


def days(kind: str, document: Mapping[str, Any]) -> tuple[dt.date | None, dt.date | None]:
    """Return the first and the last day of a text, as far as it names them."""
    first, last, _made_on = _days(kind, document)
    return first, last


def _days(
    kind: str, document: Mapping[str, Any]
) -> tuple[dt.date | None, dt.date | None, dt.date | None]:
    """Return the first and the last day, and for a prior agreement the date on its paper.

    All are None for a text in an unknown format.
    """
    try:
        return _days_known(kind, document)
    except (AttributeError, KeyError, TypeError):
        return None, None, None


def _days_known(
    kind: str, document: Mapping[str, Any]
) -> tuple[dt.date | None, dt.date | None, dt.date | None]:
    before = document.get("made_before") or {}
    made_on, ends_on = as_date(before.get("signed_on")), as_date(before.get("ends_on"))
    if kind == ChecklistKind.TERMS:
        term = frozen_text.values_in(document, "M19")
        return as_date(term.get("start")) or made_on, ends_on or as_date(term.get("end")), made_on
    if kind == ChecklistKind.CONFIDENTIALITY:
        until = as_date(frozen_text.values_in(document, "C1").get("until"))
        return made_on, ends_on or until, made_on
    return made_on, ends_on, made_on
