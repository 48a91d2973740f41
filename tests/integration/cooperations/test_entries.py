"""The entries by which the list of cooperations finds, orders and counts."""

import datetime as dt
from collections.abc import Callable
from dataclasses import replace

import pytest
import sqlalchemy as sa
from sqlalchemy.orm import Session

from tests import starting_points
from tests.factories.cooperations import Country, bring_in, copied_country, open_one
from tracker.access.actor import Role
from tracker.cooperations import entries, labels, queries, service
from tracker.cooperations.models import Cooperation, CooperationEntry, ListState, Party, Stage
from tracker.cooperations.scope import visible_ids
from tracker.core import clock
from tracker.lifecycle import service as lifecycle
from tracker.signoff.outcomes import Validity
from tracker.worker import recheck

pytestmark = pytest.mark.both_databases

DAY = dt.timedelta(days=1)


@pytest.fixture
def country(session: Session) -> Country:
    return copied_country(session)


@pytest.fixture
def cooperation(country: Country, session: Session) -> Cooperation:
    opened = open_one(country, "door")
    session.commit()
    return opened


def references(
    country: Country, first: str, words: str = "", state: ListState | None = None
) -> list[str]:
    listing = queries.listing(country.actor(first), words=words, state=state)
    assert listing.total == len(listing.cooperations)
    return [cooperation.reference for cooperation in listing.cooperations]


def change_title(country: Country, cooperation: Cooperation, title: str) -> None:
    assert service.change_head(
        country.actor("ilena"),
        cooperation,
        version=cooperation.version,
        title=title,
        purpose=cooperation.purpose,
        starts_on=cooperation.starts_on,
        ends_on=cooperation.ends_on,
        review_on=cooperation.review_on,
    )


def test_a_changed_title_is_found_and_the_former_one_is_not(
    country: Country, cooperation: Cooperation
) -> None:
    change_title(country, cooperation, "Pathways ÜBER bridges")
    assert references(country, "ilena", "pathways über") == [cooperation.reference]
    assert references(country, "samira", "PATHWAYS Über") == [cooperation.reference]
    change_title(country, cooperation, "Something else")
    assert references(country, "ilena", "pathways") == []


def test_a_party_that_joins_finds_it_and_is_found_by_its_name(
    country: Country, cooperation: Cooperation
) -> None:
    assert references(country, "joana") == []
    name = country.organisations["lantern"].name
    assert references(country, "ilena", name) == []
    service.join_party(country.actor("ilena"), cooperation, country.id("lantern"))
    assert (
        references(country, "joana")
        == references(country, "ilena", name)
        == [cooperation.reference]
    )


def test_a_new_stage_is_counted_and_filtered_by(
    country: Country, session: Session, cooperation: Cooperation
) -> None:
    lifecycle._enter(cooperation, country.actor("ilena"), cooperation.stage, Stage.UNDER_REVIEW)
    session.commit()
    counts = queries.state_counts(country.actor("samira"))
    assert counts == {"": 1, Stage.UNDER_REVIEW.value: 1}
    assert references(country, "samira", state=Stage.UNDER_REVIEW) == [cooperation.reference]
    assert references(country, "samira", state=Stage.EXPLORED) == []


@pytest.mark.parametrize(
    ("days_to_start", "days_to_end", "state"),
    [
        (None, None, Stage.ACTIVE),
        (0, 0, Stage.ACTIVE),
        (-9, None, Stage.ACTIVE),
        (1, 9, Validity.BEGINS_LATER),
        (1, None, Validity.BEGINS_LATER),
        (-9, -1, Validity.RUN_OUT),
        (None, -1, Validity.RUN_OUT),
    ],
)
def test_an_active_cooperation_is_found_by_what_its_dates_say_today(
    country: Country,
    session: Session,
    cooperation: Cooperation,
    days_to_start: int | None,
    days_to_end: int | None,
    state: ListState,
) -> None:
    lifecycle._enter(cooperation, country.actor("ilena"), cooperation.stage, Stage.ACTIVE)
    today = clock.today()
    starts_on, ends_on = (
        None if days is None else today + days * DAY for days in (days_to_start, days_to_end)
    )
    service.follow_dates(None, cooperation, starts_on=starts_on, ends_on=ends_on, review_on=None)
    session.commit()
    assert queries.state_counts(country.actor("samira")) == {"": 1, state.value: 1}
    for other in labels.LIST_STATES:
        assert references(country, "samira", state=other) == (
            [cooperation.reference] if other is state else []
        )
    shown, _mark = labels.stage_words(cooperation.stage, starts_on, ends_on, today, agrees=True)
    assert (str(shown) == "Active") is (state is Stage.ACTIVE)


def test_the_first_day_makes_it_active_without_any_event(
    country: Country,
    session: Session,
    cooperation: Cooperation,
    frozen_time: Callable[[dt.datetime | None], None],
) -> None:
    lifecycle._enter(cooperation, country.actor("ilena"), cooperation.stage, Stage.ACTIVE)
    tomorrow = clock.today() + DAY
    service.follow_dates(None, cooperation, starts_on=tomorrow, ends_on=None, review_on=None)
    session.commit()
    assert references(country, "samira", state=Stage.ACTIVE) == []
    frozen_time(starting_points.noon_in(1))
    assert references(country, "samira", state=Stage.ACTIVE) == [cooperation.reference]


def test_missing_entries_are_created_at_the_start(
    country: Country, session: Session, cooperation: Cooperation
) -> None:
    session.execute(sa.delete(CooperationEntry))
    session.commit()
    assert references(country, "ilena") == []
    assert entries.fill_missing() == 1
    assert references(country, "ilena") == [cooperation.reference]
    assert entries.fill_missing() == 0


@pytest.mark.parametrize(
    "changed",
    [
        {"stage": Stage.CLOSED},
        *({column: dt.date(2020, 1, 1)} for column in ("starts_on", "ends_on")),
        *({f"notice_{what}_on": dt.date(2020, 1, 1)} for what in ("suspends", "ends")),
    ],
    ids=lambda changed: next(iter(changed)),
)
def test_an_entry_changed_by_hand_is_named_and_put_right_by_a_recheck(
    country: Country, session: Session, cooperation: Cooperation, changed: dict[str, object]
) -> None:
    recheck.recheck(cooperation.id)
    session.commit()
    assert recheck.recheck(cooperation.id) == []
    stage = cooperation.stage
    session.execute(sa.update(CooperationEntry).values(**changed))
    session.commit()
    assert {mismatch.kind for mismatch in recheck.recheck(cooperation.id)} == {"cooperation entry"}
    assert references(country, "ilena", state=stage) == [cooperation.reference]


def test_an_entry_inserted_by_hand_shows_nothing_that_may_not_be_seen(
    country: Country, session: Session, cooperation: Cooperation
) -> None:
    row = session.execute(
        sa.select(*CooperationEntry.__table__.columns).where(
            CooperationEntry.organisation_id == country.id("door")
        )
    ).one()
    forged = {**row._mapping, "organisation_id": country.id("lantern")}
    session.execute(sa.insert(CooperationEntry), [forged])
    session.commit()
    assert queries.listing(country.actor("joana")).cooperations == []
    recheck.recheck(cooperation.id)
    assert queries.listing(country.actor("joana")).total == 0


def test_the_list_has_what_is_visible_for_everybody(country: Country, session: Session) -> None:
    """Each once, in any combination of roles, after somebody joined, left, or lost a party."""
    first, second = open_one(country, "door"), open_one(country, "lantern", "door")
    other = open_one(country, "door", by="vesna")
    for person in ("oren", "petra"):
        bring_in(country, first, person)
    left = session.scalars(
        sa.select(Party).where(
            Party.cooperation_id == second.id, Party.organisation_id == country.id("door")
        )
    ).one()
    left.left_on = clock.today() - DAY
    entries.refresh(second.id)
    session.commit()
    actors = [country.actor(name) for name in country.users]
    audit = country.actor("ada").memberships[0]
    actors += [
        replace(actor, memberships=(*actor.memberships, audit))
        for actor in actors
        if actor.has(Role.COORDINATOR, Role.MEMBER)
    ]
    seen: set[str] = set()
    for actor in actors:
        wanted = set(session.scalars(visible_ids(actor)))
        listing = queries.listing(actor)
        assert [cooperation.id for cooperation in listing.cooperations] == sorted(
            wanted,
            key=[first.id, second.id, other.id].index,
            reverse=True,
        )
        assert listing.total == len(wanted) == queries.state_counts(actor)[""]
        seen |= {cooperation.reference for cooperation in listing.cooperations}
    assert seen == {first.reference, second.reference, other.reference}
