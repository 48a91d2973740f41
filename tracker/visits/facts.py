"""Plain values that a visit's gates depend on and return. Pure.

In one file: what the gates read and what they answer, kind by kind.
"""

import datetime as dt
import enum
from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from uuid import UUID

from tracker.access.actor import Actor, Role
from tracker.cooperations.agreed_ways import AgreedWays
from tracker.cooperations.models import Mode, Stage
from tracker.lifecycle.policy import GateState
from tracker.visits.models import VisitStage


class Requirement(enum.StrEnum):
    """What is required of each person on the team, by the item that requires it."""

    BRIEFING = "C3"
    INTERESTS = "C13"
    UNDERTAKING = "C18"
    ROLE = "V5"
    CREDENTIAL = "V13"
    PLAN = "V20"


class Interests(enum.StrEnum):
    """The state of the interests a person declared (C13)."""

    NONE = "none"
    WAITS = "waits"
    ACCEPT = "accept"
    LIMIT = "limit"
    REPLACE = "replace"


@dataclass(frozen=True, slots=True)
class Recorded:
    """Who recorded what a person without an account confirms, when, and how they were told."""

    name: str
    at: dt.datetime
    how: str


@dataclass(frozen=True, slots=True)
class MemberFact:
    """What is known about a person on the team."""

    user_id: UUID
    name: str
    organisation_name: str = ""
    is_npm: bool = False
    function: str = ""
    leads: bool = False
    is_deputy: bool = False
    takes_part: bool = True
    # Whether the person has an account; others record what somebody without one confirms.
    signs_in: bool = True
    # Their last day in the cooperation, if one is known.
    leaves_on: dt.date | None = None
    # Whether their party has yet to sign the terms in force (adr 70).
    is_joining: bool = False
    # People of a CSO and outside experts; not required of the NPM's own people (S11, E02).
    needs_clearance: bool = False
    is_listed: bool = True
    briefed: bool = False
    # None: nothing declared yet.
    interests: Interests | None = None
    signed: bool = False
    countersigned: bool = False
    # Whether the undertaking agrees with its signatures and events.
    agrees: bool = True
    # The last day of their current access to this visit.
    cleared_until: dt.date | None = None
    has_role: bool = False
    role_accepted: bool = False
    role_recorded: Recorded | None = None
    # The last day on which all their credentials are valid; None: none is issued.
    credential_until: dt.date | None = None
    # Whether they joined the team after its briefing (V18).
    missed_briefing: bool = False
    plan_read: bool = False
    plan_recorded: Recorded | None = None


class Signing(enum.StrEnum):
    """The signing status of a checklist."""

    NOT_BEGUN = "not_begun"
    INCOMPLETE = "incomplete"
    TO_SEND = "to_send"
    # Complete and agreed, but something else keeps it from being sent.
    HELD_UP = "held_up"
    SENT = "sent"
    AMENDED = "amended"
    IN_FORCE = "in_force"
    # Suspended or ended by a party.
    STOPPED = "stopped"
    # Its rows do not agree with its signatures and events.
    DISAGREES = "disagrees"


@dataclass(frozen=True, slots=True)
class PartyFact:
    """A party that has to sign: the NPM, and each CSO with people on the team."""

    organisation_id: UUID
    name: str


@dataclass(frozen=True, slots=True)
class ItemFact:
    """A required item that is not done, with its label, and the parties it waits for."""

    code: str
    label: str
    what: object
    waiting_for: tuple[PartyFact, ...] = ()
    # Of a plan: what tells each of the reasons from any other reason of this item.
    marks: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class ChecklistFact:
    """The plain values of a checklist for the gates."""

    checklist_id: UUID | None = None
    signing: Signing = Signing.NOT_BEGUN
    # Of the roles: required items that aren't done; of plans in force: what no longer fits.
    lacking: tuple[ItemFact, ...] = ()
    # The parties that have yet to sign the text that is in force or pending.
    unsigned: tuple[PartyFact, ...] = ()
    # That text.
    text_id: UUID | None = None
    # The last day of the text in force, if it names one.
    last_day: dt.date | None = None
    # When a text last came into force, whether or not it still is.
    in_force_at: dt.datetime | None = None
    # What keeps a complete text from being sent for signature, such as an open suggestion.
    obstacles: tuple[object, ...] = ()

    @property
    def is_signed(self) -> bool:
        """Whether a text is in force that everybody who has to sign has signed."""
        return self.signing is Signing.IN_FORCE and not self.unsigned


@dataclass(frozen=True, slots=True)
class OverrideFact:
    """A named NPM manager's override of J3, and what it excuses (visits/excusing.py)."""

    name: str
    reason: str
    at: dt.datetime
    excused: Container[tuple[str, ...]] = frozenset()


@dataclass(frozen=True, slots=True)
class Term:
    """The first and the last day of the agreed terms; None if one is open."""

    starts_on: dt.date | None = None
    ends_on: dt.date | None = None

    def contains(self, first: dt.date, last: dt.date) -> bool:
        """Return whether both days are within it."""
        after = self.starts_on is None or self.starts_on <= first
        return after and (self.ends_on is None or last <= self.ends_on)


@dataclass(frozen=True, slots=True)
class Facts:
    """All plain values for the gates."""

    today: dt.date
    stage: VisitStage
    cooperation_stage: Stage
    modes: frozenset[Mode]
    starts_on: dt.date
    ends_on: dt.date
    # Whether the cooperation's stage and days agree with its signatures and events.
    cooperation_agrees: bool = True
    # Whether a notice has stopped the agreed terms by today, also if the stage doesn't say so yet.
    terms_are_stopped: bool = False
    # Whether the team and the list of those who may know agree with the events.
    people_agree: bool = True
    # The answers to the questions behind the modes.
    questions: Mapping[str, str] = field(default_factory=dict)
    # What the terms in force say about the modes.
    agreed_ways: AgreedWays | None = None
    term: Term = field(default_factory=Term)
    members: tuple[MemberFact, ...] = ()
    # People outside the team whom the roles and the visit's urgent-action plan name.
    named_in_roles: tuple[MemberFact, ...] = ()
    named_in_plan: tuple[MemberFact, ...] = ()
    roles: ChecklistFact = field(default_factory=ChecklistFact)
    plan: ChecklistFact = field(default_factory=ChecklistFact)
    # The cooperation's own urgent-action plan, whether or not it is required.
    standing_plan: ChecklistFact = field(default_factory=ChecklistFact)
    confidentiality: ChecklistFact = field(default_factory=ChecklistFact)
    briefing_on: dt.date | None = None
    # Whether the place changed after that briefing, so that it was about another.
    briefed_elsewhere: bool = False
    has_safety_contact: bool = False
    # Why the person who is named can't be the safety contact; empty if they can.
    safety_contact_problem: object = ""
    # When place or days last changed; None: never.
    moved_at: dt.datetime | None = None
    # The newest first.
    overrides: tuple[OverrideFact, ...] = ()

    @property
    def needed_until(self) -> dt.date:
        """The day through which clearances and credentials have to be valid."""
        return max(self.ends_on, self.today)

    @property
    def is_suspended(self) -> bool:
        """Whether the agreed terms are suspended."""
        return self.cooperation_stage is Stage.SUSPENDED

    @property
    def has_closed_undertakings(self) -> bool:
        """Whether terms that stopped closed what people had declared, confirmed and signed.

        Nobody can sign again before such terms are in force.
        """
        return self.is_suspended or self.confidentiality.signing is Signing.STOPPED

    @property
    def is_briefed(self) -> bool:
        """Whether the briefing was held (V18), and the place hasn't changed since."""
        is_ahead = self.briefing_on is None or self.briefing_on > self.today
        return not is_ahead and not self.briefed_elsewhere

    @property
    def npm_alone(self) -> bool:
        """Whether the team consists of the NPM's own people only."""
        return bool(self.members) and not any(member.needs_clearance for member in self.members)


class RequirementKind(enum.StrEnum):
    """The kinds of things a gate may require."""

    NOT_ACTIVE = "not_active"
    COOPERATION_DISAGREES = "cooperation_disagrees"
    PEOPLE_DISAGREE = "people_disagree"
    NO_MODE = "no_mode"
    MODE_NOT_SIGNED = "mode_not_signed"
    OUTSIDE_TERM = "outside_term"
    ROLES_ITEM = "roles_item"
    LEFT = "left"
    LEAVES = "leaves"
    JOINING = "joining"
    NOT_LISTED = "not_listed"
    UNDERTAKING_DISAGREES = "undertaking_disagrees"
    NOT_SIGNED = "not_signed"
    NOT_DECIDED = "not_decided"
    CONFLICT = "conflict"
    NOT_COUNTERSIGNED = "not_countersigned"
    RUNS_OUT = "runs_out"
    NOT_COVERED = "not_covered"
    ROLE = "role"
    BRIEFING = "briefing"
    MISSED_BRIEFING = "missed_briefing"
    NOT_BRIEFED = "not_briefed"
    CREDENTIAL = "credential"
    CREDENTIAL_RUNS_OUT = "credential_runs_out"
    SAFETY_CONTACT = "safety_contact"
    SAFETY_CONTACT_UNFIT = "safety_contact_unfit"
    CONFIDENTIALITY = "confidentiality"
    CONFIDENTIALITY_RUNS_OUT = "confidentiality_runs_out"
    ROLES = "roles"
    PLAN = "plan"
    PLAN_ITEM = "plan_item"
    STANDING_PLAN = "standing_plan"
    STANDING_PLAN_ITEM = "standing_plan_item"
    ROLES_PERSON = "roles_person"
    ROLES_PERSON_NOT_LISTED = "roles_person_not_listed"
    ROLES_PERSON_LEAVES = "roles_person_leaves"
    PLAN_PERSON = "plan_person"
    PLAN_PERSON_LEAVES = "plan_person_leaves"
    PLAN_NOT_READ = "plan_not_read"


# What each person confirms in their own part, and others record for somebody without an account.
OWN_PART = frozenset({RequirementKind.ROLE, RequirementKind.PLAN_NOT_READ})


@dataclass(frozen=True, slots=True)
class MissingRequirement:
    """A thing that a gate still requires, from a person or from the visit as a whole."""

    kind: RequirementKind
    member: MemberFact | None = None
    item: ItemFact | None = None

    @property
    def recorded_for(self) -> UUID | None:
        """The person for whom others record it, since that person never signs in; else None."""
        if self.member is None or self.member.signs_in or self.kind not in OWN_PART:
            return None
        return self.member.user_id


@dataclass(frozen=True, slots=True)
class Excused:
    """A requirement that an override excuses: the one that counts for it."""

    requirement: MissingRequirement
    override: OverrideFact


class PageKind(enum.StrEnum):
    """The page where a missing thing can be supplied; the pages know the URLs."""

    COOPERATION = "cooperation"
    MODES = "modes"
    CHECKLIST = "checklist"
    ITEM = "item"
    UNDERTAKINGS = "undertakings"
    TEAM = "team"
    MY_PART = "my_part"
    PART_OF_ANOTHER = "part_of_another"


@dataclass(frozen=True, slots=True)
class Target:
    """A page of the product, by kind and ids."""

    place: PageKind
    checklist_id: UUID | None = None
    item: str = ""
    user_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class Turn:
    """Whose turn it is: named people, named parties, those who plan the visit, administrators."""

    user_ids: frozenset[UUID] = frozenset()
    party_ids: frozenset[UUID] = frozenset()
    names: tuple[str, ...] = ()
    planners: bool = False
    administrators: bool = False

    def is_of(self, actor: Actor, *, plans: bool) -> bool:
        """Return whether it is this person's turn; plans says whether they may change the plan."""
        if actor.user_id in self.user_ids or (self.planners and plans):
            return True
        return actor.organisation_id in self.party_ids and actor.has(
            Role.COORDINATOR, Role.SIGNATORY
        )


@dataclass(frozen=True, slots=True)
class Missing:
    """One kind of missing thing: what, from whom, why, whose turn, and where to supply it."""

    text: object
    why: object
    target: Target
    turn: Turn
    passage: str
    # The people on the team it is missing for, and how many things it stands for.
    names: tuple[str, ...] = ()
    count: int = 1
    note: object = ""


@dataclass(frozen=True, slots=True)
class Waived:
    """One kind of missing thing that an override excuses: by whom, when and why."""

    missing: Missing
    override: OverrideFact


@dataclass(frozen=True, slots=True)
class Gate:
    """The result of a gate.

    Its name is in labels.
    """

    code: str
    state: GateState
    missing: tuple[Missing, ...] = ()
    waived: tuple[Waived, ...] = ()

    @property
    def is_open(self) -> bool:
        """Whether the gate lets the visit leave its stage."""
        return self.state is not GateState.NOT_MET


@dataclass(frozen=True, slots=True)
class Judgement:
    """The state of a visit: its gates, each missing thing, and what is excused."""

    facts: Facts
    gates: tuple[Gate, ...]
    requirements: tuple[MissingRequirement, ...]
    excused: tuple[Excused, ...]

    @property
    def is_open(self) -> dict[str, bool]:
        """Whether each gate is open."""
        return {gate.code: gate.is_open for gate in self.gates}

    def excuses(self, kind: RequirementKind, member: MemberFact | None = None) -> bool:
        """Return whether a requirement of this kind is excused, for the visit or for a person."""
        return any(
            (excused.requirement.kind, excused.requirement.member) == (kind, member)
            for excused in self.excused
        )

    @property
    def missing(self) -> tuple[Missing, ...]:
        """Everything the gates still require, each thing once, in order."""
        missing: list[Missing] = []
        for gate in self.gates:
            missing += [gap for gap in gate.missing if gap not in missing]
        return tuple(missing)

    @property
    def people_concerned(self) -> int:
        """How many people on the team something is missing for."""
        return len(
            {
                requirement.member.user_id
                for requirement in self.requirements
                if requirement.member in self.facts.members
            }
        )


class CellCode(enum.StrEnum):
    """The status of a requirement for a person; its label is in labels."""

    YES = "yes"
    NOT_ASKED = "not_asked"
    EXCUSED = "excused"
    BRIEFING_AHEAD = "briefing_ahead"
    NO_BRIEFING = "no_briefing"
    BRIEFED_ELSEWHERE = "briefed_elsewhere"
    BRIEFED_BEFORE = "briefed_before"
    NOT_BRIEFED = "not_briefed"
    NONE_DECLARED = "none_declared"
    ACCEPTED = "accepted"
    LIMITED = "limited"
    TO_REPLACE = "to_replace"
    NOT_DECLARED = "not_declared"
    NOT_DECIDED = "not_decided"
    CLEARED = "cleared"
    NOT_SIGNED = "not_signed"
    DISAGREES = "disagrees"
    TO_COUNTERSIGN = "to_countersign"
    RUNS_OUT = "runs_out"
    NOT_COVERED = "not_covered"
    NO_ROLE = "no_role"
    ROLE_OPEN = "role_open"
    NOT_ISSUED = "not_issued"
    PLAN_NOT_SIGNED = "plan_not_signed"
    CLOSED = "closed"
    NOT_CONFIRMED = "not_confirmed"


@dataclass(frozen=True, slots=True)
class Cell:
    """One cell of the board; until is the day named in its label.

    recorded: who recorded it for a person without an account.
    """

    code: CellCode
    until: dt.date | None = None
    recorded: Recorded | None = None


@dataclass(frozen=True, slots=True)
class Row:
    """A person on the team with the requirements, in order."""

    member: MemberFact
    cells: dict[Requirement, Cell]
