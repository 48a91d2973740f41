"""The gates G1 to G7 of a cooperation, each with what is missing and why. Pure.

As in product.md, section 6: G2 requires all required items of the terms except M5 and M6, which G3
requires; G4 is per person and blocks nobody else; G5 applies as long as the cooperation is active.

In one file: the gates are read together, from the same facts.
"""

import datetime as dt
import enum
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access.actor import Actor, Role
from tracker.access.decision import YES, Decision, no
from tracker.cooperations.agreed_ways import AgreedWays, TermsStop, visits_count
from tracker.cooperations.models import ChecklistKind, Mode, Stage
from tracker.cooperations.modes import Level, Purpose, Requirement, can_have_visits
from tracker.cooperations.policy import NO_PARTY, NOT_JOINED, CooperationFact
from tracker.lifecycle.stages import RUNNING
from tracker.signoff.labels import DISAGREES
from tracker.signoff.outcomes import Validity, validity

# The two items that the second reader's gate requires (S6, S7).
SAFEGUARDS = ("M5", "M6")


class GateState(enum.StrEnum):
    """The state of a gate."""

    MET = "met"
    NOT_MET = "not_met"
    OVERRIDDEN = "overridden"
    # It requires something of each person concerned, and there is nobody yet.
    NOBODY = "nobody"
    # It judges the terms in force, and there are none.
    NOTHING = "nothing"
    # It judges them from the day on which they begin, and all have signed them before.
    BEGINS_LATER = "begins_later"
    # It asks those who had access, and nobody had.
    NO_COPIES = "no_copies"


DOES_NOT_MATCH = _l("This cooperation doesn't match its signatures. Tell an administrator.")


class PageKind(enum.StrEnum):
    """The page where a missing item can be supplied; the pages know the URLs."""

    MODES = "modes"
    PEOPLE = "people"
    HEAD = "head"
    CHECKLIST = "checklist"
    ITEM = "item"
    REVIEW = "review"
    HOLD_REVIEW = "hold_review"
    SIGNING = "signing"
    CLOSING = "closing"
    UNDERTAKINGS = "undertakings"
    # No page supplies it.
    NOWHERE = "nowhere"


@dataclass(frozen=True, slots=True)
class Target:
    """A page of the product, by kind and ids."""

    place: PageKind
    checklist_id: UUID | None = None
    item: str = ""


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing a gate still requires, the reason from the guidance, and where to supply it."""

    reason: object
    target: Target
    passage: str | None = None


@dataclass(frozen=True, slots=True)
class Gate:
    """The result of a gate. Its name is in labels."""

    code: str
    state: GateState
    missing: tuple[Missing, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether the gate lets the cooperation leave its stage."""
        return self.state is not GateState.NOT_MET


@dataclass(frozen=True, slots=True)
class ItemFact:
    """A required item of the terms that is not done, for display."""

    code: str
    label: str
    what: object
    passage: str | None = None


@dataclass(frozen=True, slots=True)
class ItemName:
    """An item by code, for addresses, and by title, for people."""

    code: str
    label: str


@dataclass(frozen=True, slots=True)
class TermsFact:
    """The agreed terms' plain values for the gates."""

    checklist_id: UUID
    # Required items not done yet, in order; once terms are in force, those they say nothing about.
    lacking: tuple[ItemFact, ...] = ()
    # The day of the last answer or position, if nothing but M5 and M6 is missing.
    agreed_on: dt.date | None = None
    # The start in M19, or the planned start of the cooperation.
    starts_on: dt.date | None = None
    flagged_items: tuple[ItemName, ...] = ()
    # Items with phrases that may limit the NPM and that the second reader has not accepted.
    hinted_items: tuple[ItemName, ...] = ()
    is_reviewed: bool = False
    # The outside second reader who is invited and has not confirmed yet.
    outside_reader: str = ""
    # Sent or signed confidentiality terms depend on what was agreed then.
    is_sent: bool = False
    in_force: bool = False
    # What is in force or pending is a prior agreement on paper.
    made_before: bool = False


@dataclass(frozen=True, slots=True)
class ConfidentialityFact:
    """The confidentiality terms' plain values for the gates."""

    checklist_id: UUID | None
    is_required: bool
    in_force: bool = False


@dataclass(frozen=True, slots=True)
class PersonFact:
    """Somebody who needs a clearance for class K2 to K7 (S11)."""

    name: str
    organisation_name: str
    is_cleared: bool
    user_id: UUID
    organisation_id: UUID


@dataclass(frozen=True, slots=True)
class ReturnFact:
    """A person who has not yet confirmed what became of their copies (C17)."""

    name: str
    organisation_name: str


@dataclass(frozen=True, slots=True)
class Facts:
    """All plain values for the gates."""

    stage: Stage
    today: dt.date
    modes: tuple[Mode, ...] = ()
    # The answers to the questions behind them.
    questions: Mapping[str, str] = field(default_factory=dict)
    # What the terms in force say about the modes; None before.
    agreed_ways: AgreedWays | None = None
    has_npm_coordinator: bool = False
    terms: TermsFact | None = None
    confidentiality: ConfidentialityFact = field(
        default_factory=lambda: ConfidentialityFact(None, is_required=False)
    )
    people: tuple[PersonFact, ...] = ()
    starts_on: dt.date | None = None
    ends_on: dt.date | None = None
    review_on: dt.date | None = None
    # The last day, if the last review decided to end the agreement and notice has been given: no
    # other review is due then.
    end_decided: dt.date | None = None
    # Once the cooperation has ended: who still has to confirm what became of their copies.
    waiting_returns: tuple[ReturnFact, ...] = ()
    # Whether anybody had access, so that G7 has something to judge.
    had_access: bool = True
    # A notice on the agreed terms that is due, before the worker has applied it.
    stop: TermsStop | None = None
    # Whether the cooperation agrees with signatures and events, with its parties and people; for
    # pages, since acts leave one that doesn't in its stage.
    agrees: bool = True

    @property
    def terms_in_force(self) -> bool:
        """Whether a revision of the terms is in force."""
        return self.terms is not None and self.terms.in_force

    @property
    def next_review_on(self) -> dt.date | None:
        """The day of the next review; None once a review has decided to end, or all has ended."""
        is_ending = self.end_decided is not None or self.stage is Stage.CLOSED
        return None if is_ending else self.review_on

    @property
    def review_is_overdue(self) -> bool:
        """Whether the review day has passed, and no review has decided what happens now."""
        return self.next_review_on is not None and self.next_review_on < self.today


def gates(facts: Facts) -> tuple[Gate, ...]:
    """Return G1 to G5 in order; G7 too once the cooperation has ended.

    None is met by rows that were altered.
    """
    ended = facts.stage is Stage.CLOSED
    judged = (
        _gate("G1", _missing_to_begin(facts)),
        _gate("G2", _missing_in_terms(facts)),
        _gate("G3", _missing_safeguards(facts)),
        _people_gate(facts),
        _term_gate(facts),
        *([_returns_gate(facts)] if ended else []),
    )
    if facts.agrees:
        return judged
    differs = Missing(DISAGREES[0], Target(PageKind.NOWHERE))
    return tuple(Gate(gate.code, GateState.NOT_MET, (differs, *gate.missing)) for gate in judged)


def passed(facts: Facts, gates: Sequence[Gate]) -> dict[Stage, bool]:
    """Return for each stage that has a gate whether it may be left now.

    P3 may be left once the terms, and the terms part of checklist 2 where it is required, are in
    force; G4 is per person and never blocks the cooperation.
    """
    is_open = {gate.code: gate.is_open for gate in gates}
    return {
        Stage.EXPLORED: is_open["G1"],
        Stage.DRAFT: is_open["G2"],
        Stage.REVIEWED: is_open["G3"],
        Stage.CLEARED: not missing_to_be_active(facts),
    }


def missing_to_be_active(facts: Facts) -> tuple[Missing, ...]:
    """Return the missing signatures that keep a cooperation from stage P4."""
    missing: list[Missing] = []
    if not facts.terms_in_force:
        missing.append(
            Missing(
                _l("The agreed terms are not signed by all parties yet."),
                _checklist(facts.terms.checklist_id if facts.terms else None, PageKind.SIGNING),
                "settling-terms/expectations",
            )
        )
    confidentiality = facts.confidentiality
    if confidentiality.is_required and not confidentiality.in_force:
        missing.append(
            Missing(
                _l("The confidentiality terms are not signed by all parties yet."),
                _checklist(confidentiality.checklist_id, PageKind.SIGNING),
                "settling-terms/settle-before-visits",
            )
        )
    return tuple(missing)


def has_visits(stage: Stage, modes: Iterable[Mode], questions: Mapping[str, str]) -> Decision:
    """Decide whether a cooperation can have new visits, by its own row alone (J1)."""
    if stage not in {Stage.ACTIVE, Stage.UNDER_REVIEW}:
        return no(
            _l(
                "The NPM can plan a joint visit while the cooperation is active and its terms are "
                "in force."
            )
        )
    if not can_have_visits(modes, questions):
        return no(_l("Joint visits aren't among this cooperation's ways of working."))
    return YES


def can_plan_visit(facts: Facts, gates: Sequence[Gate]) -> Decision:
    """Decide whether a new joint visit may be planned (J1, and G5 as a standing condition)."""
    may_have_visits = has_visits(facts.stage, facts.modes, facts.questions)
    if not may_have_visits:
        return may_have_visits
    if not facts.agrees:
        return no(DOES_NOT_MATCH)
    if not visits_count(facts.modes, facts.questions, facts.agreed_ways):
        return no(
            _l(
                "Joint visits aren't in the terms that all parties signed. They count once all "
                "parties have signed an amendment that names them."
            )
        )
    standing = next(gate for gate in gates if gate.code == "G5")
    if not standing.is_open:
        return no(standing.missing[0].reason)
    return YES


def is_to_do(requirement: Requirement) -> bool:
    """Return whether a checklist is work for the parties (product.md, section 6).

    What is only recommended, or not needed any more, is nobody's task and blocks nothing. The terms
    always are (S1): they lead to stage P4.
    """
    return requirement.kind is ChecklistKind.TERMS or requirement.level is Level.REQUIRED


def can_start(actor: Actor, cooperation: CooperationFact, requirement: Requirement) -> Decision:
    """Decide who may start a recommended checklist: a coordinator of one of the parties."""
    if cooperation.stage not in RUNNING:
        return no(_l("You can't start anything while this cooperation is suspended or closed."))
    if not cooperation.has_party(actor.organisation_id):
        return no(NO_PARTY)
    if cooperation.is_joining(actor.organisation_id):
        return no(NOT_JOINED)
    if not actor.has(Role.COORDINATOR):
        return no(_l("Only a coordinator of one of the parties can start a recommended checklist."))
    if requirement.purpose is Purpose.VISIT or requirement.level is Level.NOT_APPLICABLE:
        return no(_l("This checklist isn't needed in the ways of working chosen."))
    return YES


def _gate(code: str, missing: tuple[Missing, ...]) -> Gate:
    return Gate(code, GateState.NOT_MET if missing else GateState.MET, missing)


def _people_gate(facts: Facts) -> Gate:
    """Evaluate gate G4; while nobody needs a clearance, nothing is checked and it isn't met."""
    if not facts.confidentiality.is_required or not facts.people:
        return Gate("G4", GateState.NOBODY)
    return _gate("G4", _people_not_cleared(facts))


def _returns_gate(facts: Facts) -> Gate:
    """Evaluate gate G7: where nobody had access it has nothing to check, and is not met."""
    if not facts.had_access:
        return Gate("G7", GateState.NO_COPIES)
    return _gate("G7", _not_returned(facts))


def _checklist(checklist_id: UUID | None, place: PageKind) -> Target:
    return Target(PageKind.MODES) if checklist_id is None else Target(place, checklist_id)


def _missing_to_begin(facts: Facts) -> tuple[Missing, ...]:
    missing: list[Missing] = []
    if not facts.modes:
        missing.append(
            Missing(
                _l("No way of working has been chosen yet."),
                Target(PageKind.MODES),
                "ways-of-working/combining-forms",
            )
        )
    if not facts.has_npm_coordinator:
        missing.append(
            Missing(_l("No coordinator of the NPM takes part yet."), Target(PageKind.PEOPLE))
        )
    return tuple(missing)


def _missing_in_terms(facts: Facts) -> tuple[Missing, ...]:
    terms = facts.terms
    if terms is None:
        return (
            Missing(
                _l("The agreed terms haven't been started yet."),
                Target(PageKind.MODES),
                "settling-terms/expectations",
            ),
        )
    if terms.is_sent:
        return ()
    if terms.in_force and terms.made_before:
        # The gaps of an agreement on paper are known.
        return ()
    items = [_item(terms, lack) for lack in terms.lacking if lack.code not in SAFEGUARDS]
    late = _agreed_too_late(terms, facts.today)
    if late and not terms.in_force:
        items.append(late)
    return tuple(items)


def _agreed_too_late(terms: TermsFact, today: dt.date) -> Missing | None:
    """Return whether the terms were agreed after the work began (S2)."""
    agreed_on = terms.agreed_on or today
    if terms.starts_on is None or agreed_on < terms.starts_on:
        return None
    return Missing(
        _l(
            "The terms have to be agreed before the cooperation starts. Set a later start in "
            "“Term, review, renewal”."
        ),
        Target(PageKind.ITEM, terms.checklist_id, "M19"),
        "settling-terms/expectations",
    )


def _missing_safeguards(facts: Facts) -> tuple[Missing, ...]:
    terms = facts.terms
    if terms is None:
        return (Missing(_l("The agreed terms haven't been started yet."), Target(PageKind.MODES)),)
    if terms.made_before:
        return (
            Missing(
                _l(
                    "The terms were agreed on paper before you used this tool. Nobody reviewed "
                    "their safeguards here; an amendment would be reviewed."
                ),
                Target(PageKind.SIGNING, terms.checklist_id),
                "settling-terms/independence",
            ),
        )
    if terms.in_force:
        return ()
    items = [_item(terms, lack) for lack in terms.lacking if lack.code in SAFEGUARDS]
    items += [
        Missing(
            _l(
                "There's an open flag on “%(item)s”: limits the NPM's independence.",
                item=item.label,
            ),
            Target(PageKind.ITEM, terms.checklist_id, item.code),
            "settling-terms/independence",
        )
        for item in terms.flagged_items
    ]
    items += [
        Missing(
            _l(
                "The second reader still has to say whether words on “%(item)s” limit the NPM.",
                item=item.label,
            ),
            Target(PageKind.REVIEW, terms.checklist_id),
            "settling-terms/independence",
        )
        for item in terms.hinted_items
    ]
    if not terms.is_reviewed and not terms.is_sent:
        items.append(
            Missing(
                _l(
                    "%(name)s, the outside second reader, hasn't read the safeguards of the terms "
                    "yet.",
                    name=terms.outside_reader,
                )
                if terms.outside_reader
                else _l("The second reader hasn't read the safeguards of the terms yet."),
                Target(PageKind.REVIEW, terms.checklist_id),
                "settling-terms/independence",
            )
        )
    return tuple(items)


def _people_not_cleared(facts: Facts) -> tuple[Missing, ...]:
    return tuple(
        Missing(
            _l(
                "%(name)s, %(organisation)s, isn't cleared yet.",
                name=person.name,
                organisation=person.organisation_name,
            ),
            Target(PageKind.UNDERTAKINGS),
            "settling-terms/sign-before-access",
        )
        for person in facts.people
        if not person.is_cleared
    )


def _not_returned(facts: Facts) -> tuple[Missing, ...]:
    return tuple(
        Missing(
            _l(
                "%(name)s, %(organisation)s, hasn't confirmed yet what became of their copies.",
                name=person.name,
                organisation=person.organisation_name,
            ),
            Target(PageKind.CLOSING),
        )
        for person in facts.waiting_returns
    )


def _term_gate(facts: Facts) -> Gate:
    """Evaluate G5: met from the first day of the terms on, while nothing is overdue."""
    if not facts.terms_in_force:
        return Gate("G5", GateState.NOTHING)
    gate = _gate("G5", _overdue(facts))
    term = validity(facts.starts_on, facts.ends_on, facts.today)
    if gate.state is GateState.MET and term is Validity.BEGINS_LATER:
        return Gate("G5", GateState.BEGINS_LATER)
    return gate


def _overdue(facts: Facts) -> tuple[Missing, ...]:
    missing: list[Missing] = []
    checklist_id = facts.terms.checklist_id if facts.terms else None
    if facts.stop is not None:
        missing.append(
            Missing(
                _l(
                    "A notice has suspended or ended the agreed terms. No new visit can be planned."
                ),
                Target(PageKind.SIGNING, checklist_id),
                "settling-terms/written-form",
            )
        )
    if validity(None, facts.ends_on, facts.today) is Validity.RUN_OUT:
        missing.append(
            Missing(
                _l("The agreed terms have ended. No new visit can be planned."),
                Target(PageKind.ITEM, checklist_id, "M19"),
                "settling-terms/written-form",
            )
        )
    if facts.review_is_overdue:
        missing.append(
            Missing(
                _l("The review is overdue. No new visit can be planned before it."),
                Target(PageKind.HOLD_REVIEW),
                "settling-terms/written-form",
            )
        )
    return tuple(missing)


def _item(terms: TermsFact, lack: ItemFact) -> Missing:
    return Missing(
        _l(
            "%(label)s: %(what)s",
            label=lack.label,
            what=lack.what,
        ),
        Target(PageKind.ITEM, terms.checklist_id, lack.code),
        lack.passage,
    )
