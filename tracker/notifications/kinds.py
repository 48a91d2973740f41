"""The kinds of notifications, in groups that a person chooses the frequency of emails for. Pure."""

import datetime as dt
import enum
from collections.abc import Mapping


class Frequency(enum.StrEnum):
    """How often a person gets emails about a group of kinds."""

    IMMEDIATELY = "immediately"
    DAILY = "daily"
    WEEKLY = "weekly"
    NONE = "none"


class Group(enum.StrEnum):
    """Kinds that people think of as one, in the order they are listed."""

    SIGNING = "signing"
    UNDERTAKINGS = "undertakings"
    URGENT = "urgent"
    TEXTS = "texts"
    COMMENTS = "comments"
    COOPERATIONS = "cooperations"
    VISITS = "visits"
    REVIEWS = "reviews"


# Nobody can do without an email about these.
NEVER_NONE = frozenset({Group.SIGNING, Group.UNDERTAKINGS, Group.URGENT})
# What people are asked who have left, and can still answer.
FOR_PEOPLE_WHO_LEFT = frozenset({"material_return_requested", "material_return_due"})
# A kind that isn't listed belongs to COOPERATIONS; a test lists those that messages use.
_OF_GROUP: Mapping[Group, tuple[str, ...]] = {
    Group.SIGNING: (
        "text_sent",
        "text_still_waits",
        "signing_passed_on",
        "text_ran_out",
        "text_declined",
        "text_in_force",
        "text_in_force_without_notice",
        "amendment_called_off",
        "paper_recorded",
        "paper_confirmed",
        "paper_refused",
    ),
    Group.UNDERTAKINGS: (
        "undertaking_asked",
        "undertaking_signed",
        "undertaking_on_paper",
        "undertaking_party_changed",
        "undertaking_decided",
        "undertaking_countersigned",
        "undertaking_withdrawn",
        "undertaking_needs_another",
        "interest_added",
        "clearance_ends",
        "material_return_requested",
        "material_return_due",
    ),
    Group.URGENT: (
        "text_notice",
        "power_by_administrator",
        "readiness_lost",
        "visit_needs_lead",
    ),
    Group.TEXTS: (
        "checklist_moved",
        "suggestion_made",
        "suggestion_answered",
        "discussion_wished",
        "flag_raised",
        "flag_answered",
        "item_reopened",
        "ready_to_send",
        "items_assigned",
        "assignment_due",
        "asked_to_read",
        "outside_reading_confirmed",
        "outside_reading_ran_out",
    ),
    Group.COMMENTS: (
        "comment_mention",
        "comment_task_due",
    ),
    Group.COOPERATIONS: (
        "cooperation_opened",
        "invitation_requested",
        "invitation_request_answered",
        "party_leaving",
        "party_left",
        "own_party_left",
        "party_added",
        "own_party_added",
        "party_joined",
        "party_replaced",
        "joining_taken_back",
        "own_joining_taken_back",
    ),
    Group.VISITS: ("visit_changed",),
    Group.REVIEWS: (
        "review_begun",
        "review_confirmed",
        "review_concluded",
        "review_called_off",
        "review_near",
        "end_near",
    ),
}
_GROUP_OF = {kind: group for group, kinds in _OF_GROUP.items() for kind in kinds}
LISTED = frozenset(_GROUP_OF)
_NAMES = frozenset(group.value for group in Group)

# When digests are due: at this hour, in the time zone in which days begin; weekly ones on Mondays.
DIGEST_HOUR = 7


def group_of(kind: str) -> Group:
    """Return the group of a kind."""
    return _GROUP_OF.get(kind, Group.COOPERATIONS)


def kinds_of(group: Group) -> tuple[str, ...]:
    """Return the kinds that are listed for a group."""
    return _OF_GROUP[group]


def frequencies(group: Group) -> tuple[Frequency, ...]:
    """Return the frequencies that a person can choose for a group."""
    return tuple(f for f in Frequency if f is not Frequency.NONE or group not in NEVER_NONE)


def parsed(choices: str | None) -> dict[Group, Frequency]:
    """Return a person's frequency for each group: immediately, unless their choices differ.

    choices is what choices_text() returns. What isn't valid there counts as immediately.
    """
    chosen = dict.fromkeys(Group, Frequency.IMMEDIATELY)
    for word in (choices or "").split():
        name, _equals, value = word.partition("=")
        if name in _NAMES and value in frequencies(Group(name)):
            chosen[Group(name)] = Frequency(value)
    return chosen


def choices_text(chosen: Mapping[Group, Frequency]) -> str:
    """Return choices as they are stored: those that differ from immediately."""
    return " ".join(
        f"{group.value}={chosen[group].value}"
        for group in Group
        if chosen.get(group, Frequency.IMMEDIATELY) is not Frequency.IMMEDIATELY
    )


def digests_due(now: dt.datetime, zone: dt.tzinfo) -> dict[Frequency, dt.datetime]:
    """Return for daily and weekly digests the latest moment (UTC) at which one was due.

    What was written before it belongs to that digest, however late the digest is sent.
    """
    local = now.astimezone(zone)
    day = local.date() if local.hour >= DIGEST_HOUR else local.date() - dt.timedelta(days=1)
    monday = day - dt.timedelta(days=day.weekday())
    return {
        Frequency.DAILY: _morning_of(day, zone),
        Frequency.WEEKLY: _morning_of(monday, zone),
    }


def _morning_of(day: dt.date, zone: dt.tzinfo) -> dt.datetime:
    return dt.datetime.combine(day, dt.time(DIGEST_HOUR), zone).astimezone(dt.UTC)
