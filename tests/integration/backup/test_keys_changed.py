"""A backup from before a key was changed, or from the middle of that, is restored with its keys."""

from pathlib import Path

import pytest
from flask import Flask
from sqlalchemy.orm import Session

from tests.databases import SqliteDatabase
from tests.factories.accounts import make_people
from tests.integration.backup.conftest import TO, Restore, back_up, disconnect, opened
from tests.integration.key_changes.conftest import use_copy
from tracker.accounts.factors import binding
from tracker.backup import key_files
from tracker.core.db import db
from tracker.key_changes import queries, service
from tracker.settings import Settings


def test_backups_from_before_and_from_the_middle_of_a_change_are_restored(
    app: Flask,
    session: Session,
    settings: Settings,
    restoring: Restore,
    identity: tuple[str, str],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    make_people(session)
    session.commit()
    monkeypatch.setitem(app.extensions, "settings", settings)
    use_copy(app, settings, tmp_path / "instance")
    assert back_up(app, tmp_path / "before.age", *TO).exit_code == 0
    session.commit()
    service.prepare("trail")
    service.begin("trail")
    assert back_up(app, tmp_path / "during.age", *TO).exit_code == 0
    session.commit()
    changed = app.test_cli_runner().invoke(args=["keys", "change", "trail", "--alone"])
    assert changed.exit_code == 0, changed.output
    session.rollback()
    for name in ("before", "during"):
        folder = tmp_path / name
        url = SqliteDatabase(folder / "tracker.sqlite3", tmp_path).url
        result = restoring(folder, url, str(tmp_path / f"{name}.age"), *identity)
        assert result.exit_code == 0, result.output
        assert "Nothing was altered" in result.stdout
        copy = opened(folder, url)
        with copy.app_context():
            assert [state.name for state in queries.states()] == ["trail"] * (name == "during")
            assert binding.refused() == []
            db.session.remove()
        disconnect(copy)


def test_keys_from_before_a_change_are_not_those_of_a_backup_from_after_it() -> None:
    first = {f"{name}.key": name.encode() for name in ("secret", "fields", "trail", "totp")}
    assert key_files.fingerprint(first) == key_files.fingerprint({**first, "evidence/a.key": b"a"})
    during = {**first, "fields-2.key": b"2"}
    after = {name: data for name, data in during.items() if name != "fields.key"}
    assert len({key_files.fingerprint(files) for files in (first, during, after)}) == 3
    assert b"trail".hex() not in key_files.fingerprint(after)
