"""What texts say about themselves: parsed once for each digest, which is compared every time."""

import datetime as dt
from typing import Any
from uuid import uuid4

import pytest

from tracker.agreements import text_facts
from tracker.agreements.text_facts import TextFacts, facts_of_unencrypted
from tracker.core import canonical

KIND = "urgent_plan"


@pytest.fixture
def parsings(monkeypatch: pytest.MonkeyPatch) -> list[bytes]:
    """Count the texts that are parsed, starting with none known."""
    parsed: list[bytes] = []

    def counted(plain: bytes) -> Any:
        parsed.append(plain)
        return parse(plain)

    parse = canonical.from_bytes
    monkeypatch.setattr(canonical, "from_bytes", counted)
    monkeypatch.setattr(text_facts, "_known", {})
    return parsed


def a_text(signed_on: str = "2020-03-01") -> bytes:
    party = {"id": str(uuid4())}
    return canonical.to_bytes({"parties": [party], "made_before": {"signed_on": signed_on}})


def facts_now(plain: bytes, kind: str = KIND) -> TextFacts | None:
    return facts_of_unencrypted(kind, canonical.digest(plain), plain)


def test_unencrypted_text_is_parsed_once(parsings: list[bytes]) -> None:
    text = a_text()
    first, again = facts_now(text), facts_now(text)
    assert first is not None
    assert first.made_on == dt.date(2020, 3, 1)
    assert again == first
    assert parsings == [text]


def test_altered_text_says_nothing_though_the_original_is_known(parsings: list[bytes]) -> None:
    text = a_text()
    assert facts_now(text) is not None
    altered = text.replace(b"2020-03-01", b"2021-03-01")
    assert facts_of_unencrypted(KIND, canonical.digest(text), altered) is None
    assert parsings == [text]


def test_text_says_something_else_as_another_kind(parsings: list[bytes]) -> None:
    text = a_text()
    plan, terms = facts_now(text), facts_now(text, "terms")
    assert plan is not None
    assert terms is not None
    assert (plan.ways is None, terms.ways is None) == (True, False)
    assert parsings == [text, text]


def test_text_without_parties_says_nothing_either_time(parsings: list[bytes]) -> None:
    text = canonical.to_bytes({})
    assert facts_now(text) is None
    assert facts_now(text) is None
    assert parsings == [text]


def test_no_more_texts_are_cached_than_many(
    parsings: list[bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(text_facts, "MANY", 2)
    texts = [a_text(f"2020-03-0{day}") for day in (1, 2, 3)]
    assert all(facts_now(text) is not None for text in texts)
    assert len(text_facts._known) == 1
    assert facts_now(texts[0]) is not None
    assert parsings == [*texts, texts[0]]
