"""The person making a request: for which organisation, in which roles, with which clearances."""

import datetime as dt
import enum
from dataclasses import dataclass, field
from uuid import UUID


class Role(enum.StrEnum):
    """What a person may be in an organisation (product.md, section 2)."""

    COORDINATOR = "coordinator"
    MEMBER = "member"
    SIGNATORY = "signatory"
    MANAGER = "manager"
    AUDITOR = "auditor"
    ADMINISTRATOR = "administrator"


# The roles that begin only when somebody else confirms them (product.md, section 2).
POWERS = frozenset({Role.SIGNATORY, Role.MANAGER})


class Confirmation(enum.StrEnum):
    """By whom a role of signatory or manager was confirmed."""

    # Another signatory or manager of the same organisation.
    COLLEAGUE = "colleague"
    # An administrator, since there was no such other person; the person accepted with a proof.
    ADMINISTRATOR = "administrator"
    # Nobody: it was there before such roles had to be confirmed.
    BEFORE = "before"


class OrganisationKind(enum.StrEnum):
    """The legal standing of an organisation."""

    NPM = "npm"
    CSO = "cso"
    OTHER = "other"


@dataclass(frozen=True, slots=True)
class ActorMembership:
    """One role of the person that runs today; an administrator's has no organisation."""

    role: Role
    organisation_id: UUID | None = None
    organisation_name: str = ""
    organisation_kind: OrganisationKind | None = None
    outside_expert: bool = False
    audits_id: UUID | None = None
    power: str = ""
    office: str = ""
    # The first and the last day of the power to sign, where it has any; both are included.
    power_from: dt.date | None = None
    power_until: dt.date | None = None
    # Of a signatory or manager: who confirmed the role, in which way and when.
    confirmed_how: Confirmation | None = None
    confirmed_by: str = ""
    confirmed_at: dt.datetime | None = None


@dataclass(frozen=True, slots=True)
class ActorClearance:
    """An open clearance: a cooperation, and one visit of it where it is for that visit alone."""

    cooperation_id: UUID
    visit_id: UUID | None
    until: dt.date


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

    @property
    def acting(self) -> tuple[ActorMembership, ...]:
        """The memberships in the organisation the person acts for now."""
        return tuple(m for m in self.memberships if m.organisation_id == self.organisation_id)

    @property
    def roles(self) -> frozenset[Role]:
        """The roles in the organisation the person acts for, and administrator of the instance."""
        own = {m.role for m in self.acting}
        if self.is_administrator:
            own.add(Role.ADMINISTRATOR)
        return frozenset(own)

    @property
    def is_administrator(self) -> bool:
        """Whether the person administers the instance."""
        return any(m.role is Role.ADMINISTRATOR for m in self.memberships)

    @property
    def organisation_name(self) -> str:
        """The name of the organisation the person acts for."""
        return next((m.organisation_name for m in self.acting), "")

    @property
    def organisation_kind(self) -> OrganisationKind | None:
        """The kind of the organisation the person acts for."""
        return next((m.organisation_kind for m in self.acting), None)

    @property
    def acts_for_npm(self) -> bool:
        """Whether the person acts for an NPM."""
        return self.organisation_kind is OrganisationKind.NPM

    @property
    def outside_expert(self) -> bool:
        """Whether an NPM's person is an outside expert, who needs a clearance like a CSO's."""
        return any(m.outside_expert for m in self.acting)

    @property
    def needs_clearance(self) -> bool:
        """Whether class K2 to K7 stays closed without a clearance (S11): all but the NPM's own."""
        return not self.acts_for_npm or self.outside_expert

    @property
    def audited_ids(self) -> frozenset[UUID]:
        """The NPMs whose cooperations the person audits in this membership."""
        audited = (m.audits_id or m.organisation_id for m in self.acting if m.role is Role.AUDITOR)
        return frozenset(audited_id for audited_id in audited if audited_id is not None)

    @property
    def may_switch(self) -> bool:
        """Whether there is another organisation to act for."""
        return len({m.organisation_id for m in self.memberships if m.organisation_id}) > 1

    def has(self, *roles: Role) -> bool:
        """Tell whether the person holds any of these roles in the organisation acted for."""
        return not self.roles.isdisjoint(roles)

    def cleared_for(self, cooperation_id: UUID, visit_id: UUID | None = None) -> bool:
        """Tell whether a clearance is open for all of a cooperation, or for this visit (G4)."""
        return any(
            c.cooperation_id == cooperation_id and c.visit_id in {None, visit_id}
            for c in self.clearances
        )
