"""The stage line on a cooperation's page: all stages, and which have been passed."""

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories.cooperations import Country, copied_country, open_one
from tracker.cooperations.models import Stage
from tracker.lifecycle import bound

ALL = ["P0", "P1", "P2", "P3", "P4", "P5", "P6", "P7"]


@pytest.fixture
def country(session: Session) -> Country:
    return copied_country(session)


@pytest.mark.parametrize(
    ("stage", "past"),
    [
        (Stage.EXPLORED, []),
        (Stage.DRAFT, ["P0"]),
        (Stage.ACTIVE, ["P0", "P1", "P2", "P3"]),
        (Stage.UNDER_REVIEW, ["P0", "P1", "P2", "P3", "P4"]),
        (Stage.SUSPENDED, ["P0", "P1", "P2", "P3", "P4"]),
        (Stage.CLOSED, ["P0", "P1", "P2", "P3", "P4"]),
    ],
)
def test_every_stage_is_drawn_and_none_counts_as_past_that_was_not_entered(
    app: Flask,
    country: Country,
    session: Session,
    monkeypatch: pytest.MonkeyPatch,
    stage: Stage,
    past: list[str],
) -> None:
    cooperation = open_one(country, "door")
    cooperation.stage = stage
    session.commit()
    # As if signatures and events agreed; that they have to is tested elsewhere.
    monkeypatch.setattr(bound, "compare_with_events", lambda *_any: frozenset([cooperation.id]))
    page = country.browser(app, "samira").page(f"/cooperations/{cooperation.reference}")
    stages = list(zip(ALL, page.stages(), strict=True))
    assert [code for code, (_name, _class, is_current) in stages if is_current] == [stage.value]
    assert [code for code, (_name, mark, _is_current) in stages if mark == "past"] == past
    assert [code for code, (_name, mark, _is_current) in stages if mark == "beside"] == ["P5", "P6"]
    # People read names, never codes.
    assert not any(code in page.text for code in ALL)
