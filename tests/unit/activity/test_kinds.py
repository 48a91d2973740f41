"""The kinds of a cooperation's events: each event has one, and each act is told by a sentence."""

import re

from tracker.activity import verbs
from tracker.activity.kinds import VERBS_OF, Act, EventKind, act_of
from tracker.core.paths import TEMPLATES

# What these record is in a cooperation's chain and never shown there.
NEVER_SHOWN = {verbs.ROWS_NOTED, verbs.ROWS_ADOPTED}
OTHERS = [kind for kind in EventKind if kind is not EventKind.MILESTONES]


def of_cooperations() -> set[verbs.Verb]:
    """Return the verbs in the part of verbs.py for a cooperation's chain."""
    source = (TEMPLATES.parent / "tracker" / "activity" / "verbs.py").read_text(encoding="utf-8")
    part = source[source.index("# A cooperation's chain") :]
    names = re.findall(r'^[A-Z_]+ = _verb\(\s*"([a-z_]+)"', part, re.MULTILINE)
    of_the_instance = {"integrity_checked", "register_exported", "undertakings_exported"}
    return {verbs.VERBS[name] for name in names if name not in of_the_instance}


def test_each_event_of_a_cooperation_has_one_kind_besides_milestones() -> None:
    by_kind = [verb for kind in OTHERS for verb in VERBS_OF[kind]]
    assert len(by_kind) == len(set(by_kind))
    assert {verb.name for verb in of_cooperations() - set(by_kind)} == set()
    assert {verb.name for verb in set(by_kind) - of_cooperations()} == set()
    assert set(VERBS_OF[EventKind.MILESTONES]) <= set(by_kind)


def test_milestones_are_no_acts_that_are_told_together() -> None:
    for verb in VERBS_OF[EventKind.MILESTONES]:
        assert act_of(verb.name, None) is None


def test_a_position_is_an_acceptance_or_a_wish_to_discuss() -> None:
    assert act_of("position_taken", "accepts") is Act.ACCEPTED
    assert act_of("position_taken", "wants_change") is Act.DISCUSSED
    assert act_of("signed", None) is None
