"""What frozen terms say about the ways of working (M3, M13)."""

from typing import Any

import pytest

from tracker.agreements.frozen_text import m9_in, ways_in
from tracker.cooperations.agreed_ways import AgreedWays
from tracker.cooperations.models import Mode


def document(items: dict[str, dict[str, Any]], **more: Any) -> dict[str, Any]:
    in_document = [{"code": code, "answers": [answer]} for code, answer in items.items()]
    return {"sections": [{"items": in_document}], **more}


M3 = {"values": {"in_scope": ["EXP", "PROJ", "SOMETHING"]}}
M13 = {"values": {"who_pays": "The NPM"}}
M15 = {"values": {"first_steps": "A call"}}
LEFT_OUT = {"not_applicable_because": "No visits."}
NAMED = frozenset({Mode.EXP, Mode.PROJ})
PAPER = {"made_before": {"signed_on": "2026-01-01"}}


@pytest.mark.parametrize(
    ("text", "ways"),
    [
        (document({"M3": M3, "M13": M13}), AgreedWays(NAMED)),
        (document({"M3": M3, "M13": LEFT_OUT}), AgreedWays(NAMED, on_visits=frozenset())),
        (document({"M3": M3}, **PAPER), AgreedWays(NAMED, on_visits=frozenset())),
        (document({}, **PAPER), AgreedWays(None, on_visits=frozenset())),
        (document({"M13": M13}, **PAPER), AgreedWays(None)),
        (document({"M13": M13}), AgreedWays(frozenset())),
        (document({"M13": M13, "M15": M15}), AgreedWays(frozenset({Mode.PROT}))),
        (document({"M3": M3, "M13": M13, "M15": M15}), AgreedWays(NAMED)),
        (document({"M15": M15}, **PAPER), AgreedWays(None, on_visits=frozenset())),
        ({"text": "agreed"}, AgreedWays(frozenset(), on_visits=frozenset())),
    ],
)
def test_a_text_covers_the_ways_that_it_names(text: dict[str, Any], ways: AgreedWays) -> None:
    assert ways_in(text) == ways


@pytest.mark.parametrize(
    ("text", "m9"),
    [
        (document({"M9": {"values": {"access": "certain"}}}), "certain"),
        (document({"M9": LEFT_OUT}), None),
        (document({}), None),
        ({"text": "agreed"}, None),
    ],
)
def test_a_text_says_whether_a_partner_comes_near_sensitive_information(
    text: dict[str, Any], m9: str | None
) -> None:
    assert m9_in(text) == m9
