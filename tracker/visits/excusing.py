"""What an override of gate J3 can excuse, and what of it a page shows. Pure.

An override covers the reasons that were on its page, and nothing else. So a reason is what it rests
on: what is missing, for whom, of which item and why, since which move of the visit, of which text,
and on which day. If any of this is another, it is another reason, which nobody has excused.
"""

import datetime as dt
from collections.abc import Callable

from tracker.visits.facts import ChecklistFact, Facts, MissingRequirement, RequirementKind, Signing

# A part of what a page shows of a missing requirement.
Shown = tuple[str, ...]

# What can be excused for the NPM's own people.
_OF_PEOPLE = frozenset(
    {
        RequirementKind.MISSED_BRIEFING,
        RequirementKind.CREDENTIAL,
        RequirementKind.CREDENTIAL_RUNS_OUT,
        RequirementKind.PLAN_NOT_READ,
        # The parties on the team sign V2: too late when a contact is replaced on the day (V13).
        RequirementKind.ROLES_PERSON_NOT_LISTED,
    }
)
# What can be excused if nobody else is on the team: then everything is asked of the NPM's people.
_OF_ALL = frozenset(
    {
        RequirementKind.BRIEFING,
        RequirementKind.SAFETY_CONTACT,
        RequirementKind.ROLES,
        RequirementKind.PLAN,
        RequirementKind.PLAN_ITEM,
        RequirementKind.STANDING_PLAN,
        RequirementKind.STANDING_PLAN_ITEM,
    }
)

# The texts that these are about: what an override excused of one, it doesn't of the next.
_TEXTS: dict[RequirementKind, Callable[[Facts], ChecklistFact]] = {
    RequirementKind.ROLES: lambda facts: facts.roles,
    RequirementKind.PLAN: lambda facts: facts.plan,
    RequirementKind.PLAN_ITEM: lambda facts: facts.plan,
    RequirementKind.PLAN_NOT_READ: lambda facts: facts.plan,
    RequirementKind.STANDING_PLAN: lambda facts: facts.standing_plan,
    RequirementKind.STANDING_PLAN_ITEM: lambda facts: facts.standing_plan,
}
# Those that say a text isn't signed: what is missing of it.
_UNSIGNED = frozenset({RequirementKind.ROLES, RequirementKind.PLAN, RequirementKind.STANDING_PLAN})
# A text that hasn't been sent for signature. Working on it is no other reason.
_DRAFTS = frozenset({Signing.NOT_BEGUN, Signing.INCOMPLETE, Signing.HELD_UP, Signing.TO_SEND})


def is_excusable(requirement: MissingRequirement, facts: Facts) -> bool:
    """Return whether an NPM manager could excuse it: only for the NPM's own people.

    An outside expert is neither member nor staff (E02) and counts like a person of a CSO.
    """
    if requirement.member is None:
        return requirement.kind in _OF_ALL and facts.npm_alone
    return requirement.kind in _OF_PEOPLE and not requirement.member.needs_clearance


def shown(requirement: MissingRequirement, facts: Facts) -> frozenset[Shown]:
    """Return what a page shows of a missing requirement, in parts.

    An override excuses it as long as it showed each part: what is supplied meanwhile, such as one
    of two signatures, changes nothing for the rest.
    """
    member, item = requirement.member, requirement.item
    text = _TEXTS[requirement.kind](facts) if requirement.kind in _TEXTS else None
    rests_on = (
        requirement.kind.value,
        str(member.user_id) if member else "",
        item.code if item else "",
        _moment(facts.moved_at),
        _moment(text.in_force_at if text else None),
    )
    return frozenset((*rests_on, *part) for part in _parts(requirement, facts))


def _parts(requirement: MissingRequirement, facts: Facts) -> tuple[Shown, ...]:
    """Return what a requirement says apart from that: on which day, or of whose signature."""
    member, item = requirement.member, requirement.item
    if requirement.kind in _UNSIGNED:
        return _signatures(_TEXTS[requirement.kind](facts))
    if requirement.kind is RequirementKind.CREDENTIAL_RUNS_OUT:
        return ((_day(member.credential_until if member else None),),)
    if requirement.kind in {RequirementKind.BRIEFING, RequirementKind.MISSED_BRIEFING}:
        return ((_day(facts.briefing_on), str(facts.briefed_elsewhere)),)
    return (item and item.marks) or ((),)


def _signatures(text: ChecklistFact) -> tuple[Shown, ...]:
    """Return what a text lacks to be signed by all: the signatures of parties, or all of it."""
    if text.signing in _DRAFTS:
        return (("draft",),)
    revision = (text.signing.value, str(text.text_id or ""))
    return tuple((*revision, str(party.organisation_id)) for party in text.unsigned) or (revision,)


def _day(day: dt.date | None) -> str:
    return day.isoformat() if day else ""


def _moment(moment: dt.datetime | None) -> str:
    return moment.astimezone(dt.UTC).isoformat() if moment else ""
