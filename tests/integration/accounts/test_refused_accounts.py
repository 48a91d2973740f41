"""Refused accounts, recorded by the worker so that /healthz need not check every account."""

from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from uuid import UUID

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy import event

from tests.client import CheckedClient
from tests.factories.accounts import People
from tests.factories.evidence.tampering import hands, table_of
from tracker.access.actor import Role
from tracker.accounts.factors import binding, refused_accounts
from tracker.accounts.models import Passkey, RefusedAccount, User
from tracker.accounts.people import service
from tracker.core.db import db
from tracker.mail.transport import from_url
from tracker.worker import jobs

pytestmark = [pytest.mark.both_databases, pytest.mark.some_on_postgresql(2)]

USERS = table_of(User)
Statements = Callable[[], AbstractContextManager[list[str]]]


def change(people: People, *keys: str, app: str | None = "somebody else's") -> None:
    """Write into people's rows, as anybody with the database's password can."""
    db.session.rollback()
    people.session.rollback()
    with hands() as connection:
        ids = [people.people[key] for key in keys]
        connection.execute(
            sa.update(USERS).where(USERS.c.id.in_(ids)).values(tf_primary_method=app)
        )
    db.session.expire_all()


def a_round() -> None:
    """Do what the worker does, but keep the session that the people belong to."""
    refused_accounts.check_some()
    db.session.commit()


def noted() -> set[UUID]:
    db.session.rollback()
    return set(db.session.scalars(sa.select(RefusedAccount.user_id)))


def of_accounts(client: CheckedClient) -> str:
    db.session.rollback()
    return str(client.get("/healthz").get_json()["accounts"])


def test_the_health_page_loads_no_account_however_many_there_are(
    people: People, client: CheckedClient, statements: Statements
) -> None:
    loaded: list[object] = []

    def note(connection: object, _context: object) -> None:
        loaded.append(connection)

    with statements() as few:
        client.get("/healthz")
    for number in range(5):
        people.add_person(f"more{number}", "lantern", Role.MEMBER)
    db.session.remove()
    for model in (User, Passkey):
        event.listen(model, "load", note)
    try:
        with statements() as many:
            client.get("/healthz")
    finally:
        for model in (User, Passkey):
            event.remove(model, "load", note)
    assert loaded == []
    assert many == few


def test_the_worker_notes_who_is_refused_and_forgets_it_when_the_row_is_right_again(
    people: People, client: CheckedClient
) -> None:
    change(people, "dora", "henrik")
    assert of_accounts(client) == "well"
    a_round()
    assert noted() == {people.people["dora"], people.people["henrik"]}
    assert of_accounts(client) == "some are refused"
    change(people, "henrik", app=None)
    a_round()
    assert noted() == {people.people["dora"]}
    assert of_accounts(client) == "some are refused"
    change(people, "dora", app=None)
    a_round()
    assert noted() == set()
    assert of_accounts(client) == "well"


def test_the_worker_looks_at_accounts_when_it_looks_at_dates(
    people: People, client: CheckedClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(people, "dora")
    turns = iter([True, False])
    monkeypatch.setattr(jobs, "PAUSE", 0)
    jobs.run_for_ever(from_url(f"file://{tmp_path}"), goes_on=lambda: next(turns))
    assert of_accounts(client) == "some are refused"


def test_nobody_is_noted_twice(people: People) -> None:
    change(people, "dora")
    a_round()
    first = db.session.scalars(sa.select(RefusedAccount.noticed_at)).one()
    db.session.rollback()
    a_round()
    assert db.session.scalars(sa.select(RefusedAccount.noticed_at)).one() == first


def test_a_reset_is_seen_before_the_worker_comes_again(
    people: People, app: Flask, client: CheckedClient
) -> None:
    change(people, "dora", "ada")
    a_round()
    assert len(noted()) == 2
    runner = app.test_cli_runner()
    done = runner.invoke(args=["reset", "ada@example.org", "--reason", "Changed by hand"])
    assert done.exit_code == 0, done.output
    assert noted() == {people.people["dora"]}
    service.reset_second_factor(people.actor("ada"), people.people["dora"], reason="Asked me")
    db.session.commit()
    assert of_accounts(client) == "well"


def test_the_command_asks_every_account_itself(people: People, app: Flask) -> None:
    """Whoever has fixed something need not wait for the worker to notice."""
    runner = app.test_cli_runner()
    change(people, "dora")
    result = runner.invoke(args=["check"])
    assert result.exit_code == 1
    assert "accounts: some are refused\n  dora@example.org: " in result.output
    a_round()
    change(people, "dora", app=None)
    assert "accounts: well\n" in runner.invoke(args=["check"]).output


def test_an_account_that_its_owner_is_changing_is_not_reported(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    """On PostgreSQL a row, its passkeys and its event may be read before and after a change."""
    judge, judged = binding.judge, []

    def between(wanted: "sa.Select[User]") -> list[binding.Judged]:
        judged.append(wanted)
        judgements = judge(wanted)
        if len(judged) > 1:
            return judgements
        return [
            binding.Judged(judgement.user_id, judgement.email, binding.Fault.OTHER_PASSKEYS)
            for judgement in judgements
        ]

    monkeypatch.setattr(binding, "judge", between)
    change(people, "dora")
    a_round()
    assert len(judged) == 2
    assert noted() == {people.people["dora"]}


def test_the_worker_goes_through_all_accounts_in_portions_and_begins_again(people: People) -> None:
    change(people, "dora", "ada")
    place, seen = None, []
    for _ in range(len(people.people) + 1):
        place = refused_accounts.check_some(place, 2)
        seen.append(place)
        if place is None:
            break
    assert seen[-1] is None
    assert len(set(seen)) == len(seen) == len(people.people) // 2 + 1
    db.session.commit()
    assert noted() == {people.people["dora"], people.people["ada"]}


@pytest.mark.parametrize("after", ["changed", "put right"])
def test_a_portion_takes_as_many_statements_for_many_as_for_one(
    people: People, statements: Statements, after: str
) -> None:
    counts = []
    for keys in (["dora"], ["dora", "henrik", "samira", "joana"]):
        change(people, *keys)
        if after == "put right":
            a_round()
            change(people, *keys, app=None)
        db.session.rollback()
        with statements() as seen:
            refused_accounts.check_some()
        db.session.rollback()
        counts.append(len(seen))
    assert counts[0] == counts[1] <= 7


def test_what_was_not_committed_is_noted_by_the_next_round(
    people: People, monkeypatch: pytest.MonkeyPatch
) -> None:
    change(people, "dora")

    def killed() -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(db.session, "commit", killed)
    with pytest.raises(KeyboardInterrupt):
        jobs.check_accounts()
    monkeypatch.undo()
    assert noted() == set()
    a_round()
    assert noted() == {people.people["dora"]}


@pytest.mark.parametrize("is_checked", [True, False])
def test_nothing_is_left_of_an_account_inserted_and_deleted_by_hand(
    people: People, client: CheckedClient, is_checked: bool
) -> None:
    """SQLite shells delete a row without checking what refers to it."""
    change(people, "dora")
    a_round()
    db.session.rollback()
    with hands() as connection:
        connection.execute(sa.delete(USERS).where(USERS.c.id == people.people["dora"]))
    if is_checked:
        a_round()
    assert of_accounts(client) == "well"
