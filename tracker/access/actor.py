"""The person making a request: for which organisation, in which roles, with which clearances."""

import datetime as dt
import enum
from dataclasses import dataclass, field
from uuid import UUID


class Role(enum.StrEnum):
    """A person's role in an organisation (product.md, section 2)."""

    COORDINATOR = "coordinator"
    MEMBER = "member"
    SIGNATORY = "signatory"
    MANAGER = "manager"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


# Roles that begin only once somebody else confirms them (product.md, section 2).
POWERS = frozenset({Role.SIGNATORY, Role.MANAGER})
# Roles of people who look on and take no part in cooperations.
TAKE_NO_PART = frozenset({Role.AUDITOR, Role.ADMINISTRATOR})


class Confirmation(enum.StrEnum):
    """How a signatory or manager role was confirmed."""

    # Another signatory or manager of the same organisation.
    COLLEAGUE = "colleague"
    # An administrator, because there was no such person; accepted with a proof of identity.
    ADMINISTRATOR = "administrator"
    # Nobody: the role is older than the rule that it has to be confirmed.
    BEFORE = "before"


class OrganisationKind(enum.StrEnum):
    """The legal standing of an organisation."""

    NPM = "npm"
    CSO = "cso"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ActorMembership:
    """One of the person's current roles; an administrator's has no organisation."""

    role: Role
    organisation_id: UUID | None = None
    organisation_name: str = ""
    organisation_kind: OrganisationKind | None = None
    outside_expert: bool = False
    audits_id: UUID | None = None
    power: str = ""
    office: str = ""
    # The first and last day of the power to sign, if it has any; both inclusive.
    power_from: dt.date | None = None
    power_until: dt.date | None = None
    # For a signatory or manager: who confirmed the role, how and when.
    confirmed_how: Confirmation | None = None
    confirmed_by: str = ""
    confirmed_at: dt.datetime | None = None
    # Its row; none for a reader who is only imagined, as in a preview.
    membership_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class ActorClearance:
    """An open clearance for a cooperation, or for one of its visits only."""

    cooperation_id: UUID
    visit_id: UUID | None
    until: dt.date
    # Visits closed to the person because of an interest they added (C13).
    barred_visits: frozenset[UUID] = frozenset()


@dataclass(frozen=True, slots=True)
class Actor:
    """A signed-in person acting for one organisation. Plain values only."""

    user_id: UUID
    name: str
    email: str = ""
    memberships: tuple[ActorMembership, ...] = ()
    organisation_id: UUID | None = None
    clearances: tuple[ActorClearance, ...] = field(default=())
    has_second_factor: bool = False
    # The memberships in the organisation the person is acting for. Their roles there, plus
    # administrator of the instance. Both are computed once, since lists need them for each line.
    acting: tuple[ActorMembership, ...] = field(init=False, repr=False, compare=False)
    roles: frozenset[Role] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Compute the values that follow from the memberships."""
        acting = tuple(m for m in self.memberships if m.organisation_id == self.organisation_id)
        roles = {m.role for m in acting}
        if self.is_administrator:
            roles.add(Role.ADMINISTRATOR)
        object.__setattr__(self, "acting", acting)
        object.__setattr__(self, "roles", frozenset(roles))

    @property
    def is_administrator(self) -> bool:
        """Whether the person administers the instance."""
        return any(m.role is Role.ADMINISTRATOR for m in self.memberships)

    @property
    def organisation_name(self) -> str:
        """The name of the organisation the person is acting for."""
        return next((m.organisation_name for m in self.acting), "")

    @property
    def organisation_kind(self) -> OrganisationKind | None:
        """The kind of the organisation the person is acting for."""
        return next((m.organisation_kind for m in self.acting), None)

    @property
    def acts_for_npm(self) -> bool:
        """Whether the person is acting for an NPM."""
        return self.organisation_kind is OrganisationKind.NPM

    @property
    def outside_expert(self) -> bool:
        """Whether this is an external expert of an NPM, who needs a clearance."""
        return any(m.outside_expert for m in self.acting)

    @property
    def needs_clearance(self) -> bool:
        """Whether the person needs a clearance for class K2 to K7 (S11): all but the NPM's own."""
        return not self.acts_for_npm or self.outside_expert

    @property
    def takes_part(self) -> bool:
        """Whether the person has a role in which people take part in cooperations (product.md, 2).

        Auditors and administrators only look on; that isn't enough for confidential content.
        """
        return not self.roles <= TAKE_NO_PART

    @property
    def audited_ids(self) -> frozenset[UUID]:
        """The ids of the NPMs whose cooperations the person audits in this membership."""
        # Compared with None: the ids of people alike (access.conditions) are parameters.
        audited = (
            m.organisation_id if m.audits_id is None else m.audits_id
            for m in self.acting
            if m.role is Role.AUDITOR
        )
        return frozenset(audited_id for audited_id in audited if audited_id is not None)

    @property
    def may_switch(self) -> bool:
        """Whether the person can act for another organisation."""
        return len({m.organisation_id for m in self.memberships if m.organisation_id}) > 1

    def has(self, *roles: Role) -> bool:
        """Return whether the person has any of these roles in the organisation acted for."""
        return not self.roles.isdisjoint(roles)

    def cleared_for(self, cooperation_id: UUID, visit_id: UUID | None = None) -> bool:
        """Return whether the person has an open clearance for a cooperation or this visit (G4)."""
        return any(
            c.cooperation_id == cooperation_id
            and c.visit_id in {None, visit_id}
            and visit_id not in c.barred_visits
            for c in self.clearances
        )
