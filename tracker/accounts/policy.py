"""Who may invite, manage roles, rename, suspend, restore, and reset a second factor. Pure.

In one file: the rules on people ask the same two questions, who holds a power and who coordinates.
"""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from uuid import UUID

from flask_babel import lazy_gettext as _l

from tracker.access.actor import POWERS, Actor, Confirmation, OrganisationKind, Role
from tracker.access.decision import YES, Decision, no

# The roles that exist in an organisation of each kind (product.md, section 2).
ROLES_OF_KIND: dict[OrganisationKind, tuple[Role, ...]] = {
    OrganisationKind.NPM: (
        Role.COORDINATOR,
        Role.MEMBER,
        Role.SIGNATORY,
        Role.MANAGER,
        Role.AUDITOR,
    ),
    OrganisationKind.CSO: (Role.COORDINATOR, Role.MEMBER, Role.SIGNATORY, Role.MANAGER),
    OrganisationKind.OTHER: (Role.AUDITOR,),
}
# The roles that a coordinator can give and end in their own organisation.
COORDINATORS_GIVE = frozenset({Role.COORDINATOR, Role.MEMBER, Role.SIGNATORY})
# The roles whose people are named in evidence for their organisation: they sign texts, record and
# confirm scans, or have somebody sign on their device. Members sign in their own name only.
NAMED_IN_EVIDENCE = POWERS | {Role.COORDINATOR}
# The roles that a coordinator ends even after they have begun, and so may suspend.
COORDINATORS_END = COORDINATORS_GIVE - POWERS


@dataclass(frozen=True, slots=True)
class PersonFacts:
    """A person's plain values for the rules: their current roles, each with its organisation."""

    user_id: UUID
    active: bool
    roles: frozenset[tuple[UUID | None, Role]]
    # Whether a signatory's or manager's role of theirs has begun, even if from a later day.
    has_power: bool = False
    # The organisation whose own people suspended the account; None if it was an administrator.
    suspended_for: UUID | None = None

    @property
    def is_administrator(self) -> bool:
        """Whether the person administers the instance."""
        return any(role is Role.ADMINISTRATOR for _where, role in self.roles)

    def is_in(self, organisation_id: UUID | None) -> bool:
        """Return whether the person has a role in an organisation."""
        return organisation_id is not None and organisation_id in {where for where, _ in self.roles}


@dataclass(frozen=True, slots=True)
class Holders:
    """An organisation's people with a signatory or manager role whose power is current."""

    open: frozenset[UUID] = frozenset()
    # Those whose account is suspended. They can do nothing, but nobody may confirm in their place
    # either: otherwise an administrator could suspend the only one and then confirm alone.
    suspended: frozenset[UUID] = frozenset()

    def without(self, person: UUID) -> "Holders":
        """Return the others."""
        return Holders(self.open - {person}, self.suspended - {person})


@dataclass(frozen=True, slots=True)
class RoleFacts:
    """A role's plain values for the rules: given, pending or current."""

    person: UUID
    organisation_id: UUID | None
    role: Role
    # Whether it has begun; a signatory's or manager's role begins once it is confirmed.
    has_begun: bool = True
    confirmed_how: Confirmation | None = None

    @property
    def is_power(self) -> bool:
        """Whether it is a role that somebody else has to confirm."""
        return self.role in POWERS


def runs_from_to(first: dt.date | None, last: dt.date | None, day: dt.date) -> bool:
    """Return whether a day is within a term, both days inclusive; None is no limit."""
    return (first is None or first <= day) and (last is None or day <= last)


def can_see_security_log(actor: Actor) -> Decision:
    """Decide who sees the security log of all people: administrators. Everybody sees their own."""
    if actor.is_administrator:
        return YES
    return no(_l("Only administrators can see the security log of all people."))


def can_see_people(actor: Actor) -> Decision:
    """Decide who sees the list of people.

    Administrators see everybody; coordinators, managers and signatories their own organisation's
    people.
    """
    if actor.is_administrator or actor.has(Role.COORDINATOR, Role.MANAGER, Role.SIGNATORY):
        return YES
    return no(
        _l(
            "Only administrators, coordinators, managers and signatories can see the list of "
            "people."
        )
    )


def can_invite(actor: Actor | None) -> Decision:
    """Decide who may invite at all: administrators, coordinators, and the application itself."""
    if _gives_roles(actor):
        return YES
    return no(_l("Only administrators and coordinators can invite people."))


def can_give_some_role(actor: Actor | None) -> Decision:
    """Decide who may give or end any roles at all: those who may invite."""
    if _gives_roles(actor):
        return YES
    return no(_l("Only administrators and coordinators can give and end roles."))


def can_give_roles(
    actor: Actor | None, organisation_id: UUID | None, roles: Collection[Role]
) -> Decision:
    """Decide who gives and ends roles: administrators any; coordinators some of their own."""
    can = can_give_some_role(actor)
    if not can or actor is None or actor.is_administrator:
        return can
    if organisation_id is None or organisation_id != actor.organisation_id:
        return no(_l("You can only give and end roles in the organisation you're acting for."))
    if not COORDINATORS_GIVE.issuperset(roles):
        return no(_l("Only administrators can give or end this role."))
    return YES


def _gives_roles(actor: Actor | None) -> bool:
    return actor is None or actor.is_administrator or actor.has(Role.COORDINATOR)


def can_hold(roles: Collection[tuple[UUID | None, Role]]) -> Decision:
    """Decide whether one person may have these roles, each with its organisation, together.

    An administrator is never a signatory or manager (product.md, section 2).
    """
    held_roles = {role for _where, role in roles}
    if Role.ADMINISTRATOR in held_roles and not held_roles.isdisjoint(POWERS):
        return no(_l("An administrator can't be a signatory or manager of an organisation."))
    return YES


def can_give_to(actor: Actor | None, person: UUID) -> Decision:
    """Decide to whom a person may give a role: never themselves (product.md, section 2)."""
    if actor is not None and actor.user_id == person:
        return no(_l("You can't give yourself a role. Ask somebody else."))
    return YES


def can_confirm(actor: Actor | None, facts: RoleFacts, holders: Holders) -> Decision:
    """Decide who confirms a signatory or manager role (product.md, section 2).

    Another signatory or manager of the organisation; where there is none, an administrator,
    including the command line (actor None). A suspended one still counts: the account is restored
    first, or the role ended for good.
    """
    if not facts.is_power or facts.has_begun or facts.confirmed_how is not None:
        return no(_l("This role needs no confirmation."))
    if actor is not None and actor.user_id == facts.person:
        return no(_l("You can't confirm your own role."))
    if _is_other_holder(actor, facts, holders):
        return YES
    others = holders.without(facts.person)
    if others.open:
        return no(_l("Another signatory or manager of the organisation has to confirm this role."))
    if others.suspended:
        return no(
            _l(
                "The account of the signatory or manager who could confirm this role is suspended. "
                "Reopen the account, or end that role first."
            )
        )
    if actor is None or actor.is_administrator:
        return YES
    return no(
        _l(
            "The organisation has no other signatory or manager, so an administrator has to "
            "confirm this role."
        )
    )


def confirmation_by(actor: Actor | None, facts: RoleFacts, holders: Holders) -> Confirmation:
    """Return how somebody who may confirm a role does so."""
    is_other = _is_other_holder(actor, facts, holders)
    return Confirmation.COLLEAGUE if is_other else Confirmation.ADMINISTRATOR


def can_accept(actor: Actor, facts: RoleFacts) -> Decision:
    """Decide who accepts a role that an administrator confirmed: only the person."""
    if actor.user_id != facts.person:
        return no(_l("You can't accept a role for somebody else."))
    if facts.has_begun:
        return no(_l("You have already accepted this role."))
    if facts.confirmed_how is not Confirmation.ADMINISTRATOR:
        return no(_l("This role is waiting to be confirmed."))
    return YES


def can_rename(
    actor: Actor,
    person: UUID,
    roles: Collection[RoleFacts],
    holders: Mapping[UUID | None, Holders],
) -> Decision:
    """Decide who changes a person's name: the person, unless evidence rests on it.

    What somebody signs, records and confirms for an organisation shows the name, and others know
    the person by it (product.md, section 2). So the name of a signatory, manager or coordinator, or
    of somebody whose role waits to be confirmed, is changed by somebody who could confirm a power
    of that person. roles are these roles, holders those who have a power, by organisation. Of
    somebody with a power only the powers count: a coordinator elsewhere isn't renamed from there.
    """
    if not roles:
        if actor.user_id == person:
            return YES
        return no(_l("People change their name themselves, in their account."))
    if actor.user_id == person:
        return no(
            _l(
                "Your name is shown on everything you sign and confirm, so somebody else has to "
                "change it: another signatory or manager of your organisation, or an "
                "administrator if there is none."
            )
        )
    counting = [role for role in roles if role.is_power] or roles
    if any(
        can_confirm(actor, _as_waiting_power(role), known)
        for role in counting
        if (known := holders.get(role.organisation_id)) is not None
    ):
        return YES
    return no(
        _l(
            "What this person signs and confirms shows the name, so another signatory or manager "
            "of the organisation has to change it, or an administrator if there is none."
        )
    )


def _as_waiting_power(facts: RoleFacts) -> RoleFacts:
    """Return a role as if it were a power that still waits to be confirmed."""
    role = facts.role if facts.is_power else Role.SIGNATORY
    return replace(facts, role=role, has_begun=False, confirmed_how=None)


def can_end_role(actor: Actor, facts: RoleFacts, holders: Holders) -> Decision:
    """Decide who ends somebody's role. People end their own by leaving the organisation.

    A signatory or manager role that has begun is ended by another signatory or manager of the
    organisation; the last one's by an administrator (product.md, section 2). The last one is the
    only one who can still act: suspended ones don't count.
    """
    if facts.person == actor.user_id:
        return no(_l("You can't end your own role. You can leave the organisation."))
    if not facts.is_power:
        return can_give_roles(actor, facts.organisation_id, {facts.role})
    if _is_other_holder(actor, facts, holders):
        return YES
    if not facts.has_begun:
        return can_give_roles(actor, facts.organisation_id, {facts.role})
    if holders.open - {facts.person}:
        return no(_l("Only another signatory or manager of the organisation can end this role."))
    if actor.is_administrator:
        return YES
    return no(
        _l(
            "This is the organisation's last signatory or manager. Only an administrator can end "
            "this role."
        )
    )


def can_leave(person: UUID, holders: Holders) -> Decision:
    """Decide who may leave an organisation: not the last signatory or manager who can act."""
    if holders.open == {person}:
        return no(
            _l(
                "You are the last signatory or manager of this organisation. Ask an administrator "
                "to end that role first."
            )
        )
    return YES


def _is_other_holder(actor: Actor | None, facts: RoleFacts, holders: Holders) -> bool:
    """Return whether somebody acts for the organisation with a current power, on another's role."""
    return (
        actor is not None
        and actor.user_id != facts.person
        and actor.organisation_id == facts.organisation_id
        and actor.user_id in holders.open
    )


def can_suspend(actor: Actor, person: PersonFacts) -> Decision:
    """Decide who suspends an account.

    Administrators; coordinators if the person has only roles that coordinators end, and only in
    the organisation they act for: a power that has begun can't be stopped by a coordinator, who
    couldn't end it (product.md, section 2). Never their own account.
    """
    if person.user_id == actor.user_id:
        return no(_l("You can't suspend your own account."))
    if actor.is_administrator:
        return YES
    if not actor.has(Role.COORDINATOR) or not person.is_in(actor.organisation_id):
        return no(_l("Only administrators can suspend this account."))
    if person.has_power:
        return no(
            _l(
                "This person is a signatory or manager, so only administrators can suspend or "
                "reopen this account."
            )
        )
    if any(
        where != actor.organisation_id or role not in COORDINATORS_END
        for where, role in person.roles
    ):
        return no(_l("This person has other roles too, so only administrators can suspend them."))
    return YES


def can_restore(actor: Actor, person: PersonFacts) -> Decision:
    """Decide who restores a suspended account: whoever may suspend it.

    A coordinator only what people of their own organisation suspended, never what an administrator
    did.
    """
    allowed = can_suspend(actor, person)
    if not allowed or actor.is_administrator or person.active:
        return allowed
    if person.suspended_for != actor.organisation_id:
        return no(
            _l(
                "An administrator or another organisation suspended this account. Only an "
                "administrator can reopen it."
            )
        )
    return YES


def can_end_sessions(actor: Actor, person: PersonFacts) -> Decision:
    """Decide who signs somebody out everywhere: whoever may suspend the account."""
    if person.user_id == actor.user_id:
        return no(_l("To sign yourself out everywhere, go to your own account."))
    if not can_suspend(actor, person):
        return no(
            _l("Only people who can suspend this account can sign the person out everywhere.")
        )
    return YES


def needs_second_factor(roles: Collection[Role], compulsory: Collection[Role]) -> bool:
    """Return whether one of these roles needs a second factor (a setting of the instance)."""
    return not set(roles).isdisjoint(compulsory)


def can_remove_passkey(
    *, is_last_factor: bool, roles: Collection[Role], compulsory: Collection[Role]
) -> Decision:
    """Decide whether a person's own passkey may be removed: not the last factor a role needs."""
    if is_last_factor and needs_second_factor(roles, compulsory):
        return no(
            _l(
                "One of your roles needs a second factor, and this is your last one. Set up "
                "another one first."
            )
        )
    return YES


def can_reset_second_factor(actor: Actor, person: PersonFacts) -> Decision:
    """Decide who resets a lost second factor: a second person, never its owner.

    Administrators, and managers of an organisation of the person. Only administrators can reset an
    administrator's second factor.
    """
    if person.user_id == actor.user_id:
        return no(_l("Somebody else has to reset your second factor."))
    if actor.is_administrator:
        return YES
    if person.is_administrator:
        return no(_l("Only administrators can reset an administrator's second factor."))
    if actor.has(Role.MANAGER) and person.is_in(actor.organisation_id):
        return YES
    return no(
        _l("Only administrators and managers of the same organisation can reset a second factor.")
    )


def roles_to_give(actor: Actor, kind: OrganisationKind) -> tuple[Role, ...]:
    """Return the roles that the actor may give in an organisation of a kind."""
    every = ROLES_OF_KIND[kind]
    return every if actor.is_administrator else tuple(r for r in every if r in COORDINATORS_GIVE)
