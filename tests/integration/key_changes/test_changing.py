"""Keys of the instance are changed while it runs: nothing is lost, and the audit verifies."""

from collections.abc import Callable
from pathlib import Path
from uuid import uuid4

import pytest
import sqlalchemy as sa
from flask import Flask
from sqlalchemy.orm import Session

from tests.client import CheckedClient
from tests.factories.accounts import People, make_people, sign_in
from tests.factories.demonstration import Demonstration
from tests.integration.key_changes.conftest import NAMES, Tracker, use_copy
from tracker.accounts.factors import binding, second_factor
from tracker.accounts.models import TelephoneNumber, User, UserSession
from tracker.accounts.people import telephones
from tracker.activity.models import Chain, ChainKind, Event
from tracker.core import crypto, keys
from tracker.core.db import db
from tracker.evidence.keys import signing_keys
from tracker.key_changes import queries, service
from tracker.mail import outbox
from tracker.mail.models import OutboxMessage
from tracker.settings import Settings
from tracker.worker import health


@pytest.fixture
def folder(app: Flask, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setitem(app.extensions, "settings", settings)
    return use_copy(app, settings, tmp_path / "instance")


@pytest.fixture
def people(session: Session) -> People:
    return make_people(session)


def verbs(session: Session) -> list[str]:
    query = sa.select(Event.verb).where(Event.verb.startswith("key_change")).order_by(Event.number)
    return list(session.scalars(query))


@pytest.mark.both_databases
def test_a_whole_instance_verifies_while_each_key_is_changed_and_afterwards(
    app: Flask,
    demonstration: Demonstration,
    settings: Settings,
    tmp_path: Path,
    tracker: Tracker,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(app.extensions, "settings", settings)
    folder = use_copy(app, settings, tmp_path / "instance")
    before = {name: getattr(keys.of(app), name) for name in NAMES.values()}
    for word, name in NAMES.items():
        with app.app_context():
            service.prepare(name)
            service.begin(name)
            assert f"{word} is being changed" in health.look().keys
            assert health.look().keys != f"{word} is being changed, 100 % done"
        # Events are recorded, and values written, under both keys.
        audit = tracker("audit", "verify")
        assert audit.exit_code == 0, audit.output
        result = tracker("keys", "change", word)
        assert result.exit_code == 0, result.output
        assert f"The key {word} is changed: number 2 is in use." in result.stdout
        assert getattr(keys.of(app), name) != before[name]
    names = {path.name for path in folder.iterdir() if path.is_file()}
    assert names == {"secret.key", "fields-2.key", "trail-2.key", "totp-2.key", "rows.key"}
    assert {path.name for path in (folder / "former").iterdir()} == {
        "fields.key",
        "trail.key",
        "totp.key",
    }
    audit = tracker("audit", "verify")
    assert audit.exit_code == 0, audit.output
    with app.app_context():
        assert signing_keys.trouble() == []
        assert binding.refused() == []
        assert health.look().keys == "well"
        assert verbs(db.session()) == ["key_change_begun", "key_change_ended"] * 3
        assert not any(
            part.left for name in keys.NUMBERED for part in queries.parts(name, 2) if part.total
        )


@pytest.mark.both_databases
def test_an_interrupted_change_is_continued_and_what_is_written_meanwhile_is_under_the_new_key(
    people: People,
    session: Session,
    folder: Path,
    tracker: Tracker,
    browsers: Callable[[], CheckedClient],
) -> None:
    sign_in(browsers(), "dora")
    outbox.queue("dora@example.org", "en", "test", "Subject", "A link")
    dora = session.scalars(sa.select(User.id).filter_by(email="dora@example.org")).one()
    number = crypto.seal_field(b"+356 2122 0001", telephones.number_context(dora))
    session.add(TelephoneNumber(user_id=dora, sealed_number=number))
    session.commit()
    service.prepare("fields")
    service.begin("fields")

    def stop(_number: int) -> None:
        raise InterruptedError

    with pytest.raises(InterruptedError):
        service.write_again("fields", stop)
    session.rollback()
    (state,) = queries.states()
    assert state.left > 0
    check = tracker("check")
    assert f"keys: fields is being changed, {state.percent} % done" in check.stdout
    assert "  fields, sessions: 1 of 1 left" in check.stdout
    session.rollback()
    sign_in(browsers(), "dora")
    prefix = crypto.field_prefix(2)
    assert any(
        row.startswith(prefix) for row in session.scalars(sa.select(UserSession.sealed_origin))
    )
    result = tracker("keys", "change", "fields")
    assert result.exit_code == 0, result.output
    assert queries.states() == []
    for row in session.scalars(sa.select(UserSession)):
        assert row.sealed_origin.startswith(prefix)
    message = session.scalars(sa.select(OutboxMessage).filter_by(kind="test")).one()
    assert message.body == "A link"
    (telephone,) = session.scalars(sa.select(TelephoneNumber))
    assert telephone.sealed_number.startswith(prefix)
    assert telephones.numbers_of([dora]) == {dora: "+356 2122 0001"}
    assert verbs(session) == ["key_change_begun", "key_change_ended"]
    # It has ended, so the next one is another change.
    result = tracker("keys", "change", "fields", "--alone")
    assert result.exit_code == 0, result.output
    assert keys.current().number("fields") == 3


def test_a_person_signs_in_with_their_app_during_and_after_a_change_and_codes_stay_until_dropped(
    people: People, session: Session, folder: Path, tracker: Tracker
) -> None:
    people.enrol("samira")
    codes = second_factor.make_recovery_codes(people.user("samira"))
    session.commit()
    secret = second_factor._machine().generate_totp_secret()
    shown = {"secret": secret, "user": str(people.people["dora"])}
    token = second_factor._security().tf_setup_serializer.dumps(shown)
    result = tracker("keys", "change", "factors", "--alone")
    assert result.exit_code == 1
    assert "People with recovery codes under the earlier key: 1." in result.stderr
    (state,) = queries.states()
    assert [(part.name, part.left) for part in state.parts] == [
        ("apps", 0),
        ("people with recovery codes", 1),
    ]
    samira = people.user("samira")
    assert second_factor.check(samira, people.code("samira")) is second_factor.Answer.RIGHT
    session.commit()
    machine = second_factor._security().mf_recovery_codes_util
    assert machine.check_recovery_code(samira, codes[0])
    machine.delete_recovery_code(samira, codes[0])
    session.commit()
    assert samira.recovery_codes_left == 7
    # A person who was shown a secret before the change finishes setting it up after it.
    code = second_factor._machine().generate_totp_password(secret)
    done = second_factor.finish(people.user("dora"), token, code)
    assert done is second_factor.Answer.RIGHT
    session.commit()
    assert second_factor.key_number(people.user("dora").tf_totp_secret or "") == 2
    result = tracker("keys", "change", "factors", "--drop-codes")
    assert result.exit_code == 0, result.output
    samira = people.user("samira")
    assert samira.recovery_codes_left == 0
    assert not machine.check_recovery_code(samira, codes[1])
    new = second_factor.make_recovery_codes(samira)
    session.commit()
    assert machine.check_recovery_code(people.user("samira"), new[0])
    assert tracker("audit", "verify").exit_code == 0


def test_an_account_that_is_refused_stays_refused_and_a_chain_that_was_altered_stops_the_end(
    people: People, session: Session, folder: Path, tracker: Tracker
) -> None:
    session.execute(
        sa.text("UPDATE \"user\" SET password = 'copied' WHERE email = 'dora@example.org'")
    )
    session.commit()
    result = tracker("keys", "change", "trail", "--alone")
    assert result.exit_code == 0, result.output
    assert "Accounts that are refused, and stay so: 1." in result.stdout
    assert "The digests of rows stay under rows.key" in result.stdout
    assert [email for email, _fault in binding.refused()] == ["dora@example.org"]
    seal = head = "0" * 64
    kind = ChainKind.COOPERATION
    session.add(Chain(kind=kind, cooperation_id=uuid4(), head=head, count=0, seal=seal))
    session.commit()
    result = tracker("keys", "change", "trail", "--alone")
    assert result.exit_code == 1
    assert "Run tracker audit verify." in result.stderr
    assert (folder / "trail-2.key").exists()


@pytest.mark.both_databases
def test_on_a_server_the_key_is_first_created_to_be_copied(
    people: People, session: Session, folder: Path, tracker: Tracker
) -> None:
    result = tracker("keys", "change", "trail")
    assert result.exit_code == 0, result.output
    if db.engine.dialect.name == "sqlite":
        assert (folder / "trail-2.key").exists()
        return
    assert "Copy it to each other machine" in result.stdout
    assert (folder / "trail-2.new").exists()
    assert health.look().keys == "trail is only prepared"
    assert keys.current().number("trail") == 1
    assert verbs(session) == []
    result = tracker("keys", "change", "trail")
    assert result.exit_code == 0, result.output
    assert keys.current().number("trail") == 2


def test_only_recovery_codes_are_dropped(tracker: Tracker, folder: Path) -> None:
    result = tracker("keys", "change", "fields", "--drop-codes")
    assert result.exit_code == 2
    assert not (folder / "fields-2.key").exists()
