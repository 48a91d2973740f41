"""Expired terms: no list, page, stage line or history calls such a cooperation active."""

import datetime as dt
from collections.abc import Callable

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.factories import agreements
from tests.factories.cooperations import Country, copied_country, open_one
from tests.factories.evidence.tampering import hands, table_of
from tracker.activity.stale import recompute
from tracker.agreements import notices
from tracker.checklist_templates.models import ChecklistKind
from tracker.checklists.models import Checklist, NoticeKind
from tracker.cooperations.models import Cooperation, Mode, Stage
from tracker.core import clock
from tracker.lifecycle import policy, queries
from tracker.signoff.models import SignatureRequest
from tracker.ui.locale import as_date

Freeze = Callable[[dt.datetime | None], None]
DAY = dt.timedelta(days=1)


@pytest.fixture
def country(session: Session) -> Country:
    return copied_country(session)


@pytest.fixture
def cooperation(country: Country) -> Cooperation:
    """Active until tomorrow, and nothing renews its terms."""
    today = clock.today()
    cooperation = open_one(country, modes=(Mode.SUPP,), questions={"unpublished_shared": "no"})
    terms = terms_of(cooperation)
    agreements.answer(country, terms, "M19", **agreements.term(today - 10 * DAY, today + DAY))
    agreements.send(country, terms, {"npm": "tomas", "door": "henrik"})
    agreements.sign(country, terms, "tomas", "henrik")
    recompute()
    country.session.commit()
    assert cooperation.stage is Stage.ACTIVE
    return cooperation


def terms_of(cooperation: Cooperation) -> Checklist:
    return agreements.checklist_of(cooperation, ChecklistKind.TERMS)


def texts(app: Flask, country: Country, cooperation: Cooperation) -> dict[str, str]:
    client = country.browser(app, "henrik")
    return {
        "list": client.page("/cooperations").text,
        "page": client.page(f"/cooperations/{cooperation.reference}").text,
    }


@pytest.mark.both_databases
def test_list_page_and_next_step_say_from_the_day_after_that_the_terms_ended(
    app: Flask, country: Country, cooperation: Cooperation, frozen_time: Freeze
) -> None:
    now, last = clock.now(), clock.today() + DAY
    words = f"Terms ended on {as_date(last)}"
    frozen_time(now + DAY)
    before = texts(app, country, cooperation)
    assert not any(words in text for text in before.values())
    assert "Stage: Active" in before["page"]
    frozen_time(now + 2 * DAY)
    after = texts(app, country, cooperation)
    assert all(words in text for text in after.values())
    assert f"Stage: {words}" in after["page"]
    assert "Everything that is agreed is in force" not in after["page"]


def test_the_gate_of_time_is_broken_on_the_same_day(
    cooperation: Cooperation, frozen_time: Freeze
) -> None:
    now = clock.now()
    for days, has_run_out in ((1, False), (2, True)):
        frozen_time(now + days * DAY)
        gates = {gate.code: gate for gate in policy.gates(queries.facts_of(cooperation))}
        reasons = [str(lack.reason) for lack in gates["G5"].missing]
        assert any("have ended" in reason for reason in reasons) is has_run_out


def test_a_suspension_lifted_after_the_last_day_makes_nothing_active(
    app: Flask, country: Country, session: Session, cooperation: Cooperation, frozen_time: Freeze
) -> None:
    terms = terms_of(cooperation)
    notice = notices.give_notice(
        country.actor("henrik"), terms, NoticeKind.SUSPENDED, reason="We can't work safely."
    )
    recompute()
    session.commit()
    assert cooperation.stage is Stage.SUSPENDED
    last = clock.today() + DAY
    frozen_time(clock.now() + 3 * DAY)
    notices.close_notice(country.actor("henrik"), terms, notice.id, reason="It is safe again.")
    recompute()
    session.commit()
    client = country.browser(app, "henrik")
    history = client.page(f"/cooperations/{cooperation.reference}/history").text
    assert f"now at the stage “Active”, but its terms ended on {as_date(last)}" in history
    assert f"Terms ended on {as_date(last)}" in client.page("/cooperations").text


TASK = "Renew the agreed terms or end them"


def tasks(app: Flask, country: Country, cooperation: Cooperation, key: str) -> tuple[bool, bool]:
    """Return whether a person has the task in My work, and on the page of the cooperation."""
    client = country.browser(app, key)
    work = client.page("/").text
    mine = work.split("Waiting for others")[0]
    page = client.page(f"/cooperations/{cooperation.reference}").text
    return TASK in mine, TASK in page


@pytest.mark.both_databases
@pytest.mark.few_on_postgresql(1)
@pytest.mark.parametrize("key", ["ilena", "henrik"])
def test_who_can_renew_or_end_them_has_the_task_until_somebody_does(
    app: Flask, country: Country, cooperation: Cooperation, frozen_time: Freeze, key: str
) -> None:
    """A coordinator renews, a signatory gives notice."""
    assert tasks(app, country, cooperation, key) == (False, False)
    frozen_time(clock.now() + 2 * DAY)
    assert tasks(app, country, cooperation, key) == (True, True)
    notices.give_notice(
        country.actor("tomas"),
        terms_of(cooperation),
        NoticeKind.ENDED,
        reason="It is over.",
        from_on=clock.today() + 5 * DAY,
    )
    country.session.commit()
    assert tasks(app, country, cooperation, key) == (False, False)


def test_my_work_repeats_no_day_that_only_a_row_says(
    app: Flask, country: Country, cooperation: Cooperation
) -> None:
    today = clock.today()
    sent = agreements.send(
        country,
        terms_of(open_one(country, modes=(Mode.SUPP,))),
        {"npm": "tomas", "door": "henrik"},
        until=today + DAY,
    )
    country.session.commit()
    cooperation_id, revision_id = cooperation.id, sent.id

    def work(ends_on: dt.date, until: dt.date) -> str:
        """Return the page after two rows were changed in the database."""
        country.session.rollback()
        with hands() as connection:
            rows = table_of(Cooperation)
            connection.execute(
                sa.update(rows).where(rows.c.id == cooperation_id).values(ends_on=ends_on)
            )
            asked_for = table_of(SignatureRequest)
            connection.execute(
                sa.update(asked_for)
                .where(asked_for.c.revision_id == revision_id)
                .values(expires_on=until)
            )
        return country.browser(app, "henrik").page("/").text

    untrue = "Doesn't match its signatures"
    page = work(today + DAY, today + DAY)
    assert untrue not in page
    assert "Waiting for your signature" in page
    page = work(today + 5 * DAY, today + 9 * DAY)
    assert page.count(untrue) == 3  # review, end, signature
    for words in ("Waiting for your signature", *map(as_date, (today + 5 * DAY, today + 9 * DAY))):
        assert str(words) not in page
    page = work(today - DAY, today + DAY)
    assert TASK in page
    assert page.count(untrue) == 2  # review, and the task
    assert "Overdue since" not in page
